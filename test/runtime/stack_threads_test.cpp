// SPDX-License-Identifier: Apache-2.0
/// @file
/// Stack exhaustion is a trap on threads with little stack.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>

#include <tenon/tenon.hpp>
#include <tenon/vm/call.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// Runs `body` on a thread with this much stack.
void RunWithStack(std::size_t bytes, const std::function<void()>& body) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread;
  auto* argument = const_cast<std::function<void()>*>(&body);
  const int created = pthread_create(
      &thread, &attributes,
      [](void* function) -> void* {
        (*static_cast<std::function<void()>*>(function))();
        return nullptr;
      },
      argument);
  pthread_attr_destroy(&attributes);
  // Catch2 takes assertions of one thread at a time.
  if (created == 0) pthread_join(thread, nullptr);
  REQUIRE(created == 0);
}

constexpr std::size_t kSmallStack = std::size_t{128} << 10;

}  // namespace

TEST_CASE("recursion on a thread of 128 KiB ends with a trap, and the thread goes on") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto recurse = guest.ExportedFunction<std::int32_t(std::int32_t)>("recurse");
  const auto fib = guest.ExportedFunction<std::int32_t(std::int32_t)>("fib");
  int traps = 0;
  std::int32_t result = 0;
  RunWithStack(kSmallStack, [&] {
    for (int i = 0; i < 3; ++i) {
      try {
        recurse(1);
      } catch (const tenon::Trap& trap) {
        if (trap.Code() == tenon::TrapCode::StackOverflow) ++traps;
      }
    }
    result = fib(10);
  });
  CHECK(traps == 3);
  CHECK(result == 55);
  CHECK_THROWS_AS(recurse(1), tenon::Trap);
  CHECK(fib(10) == 55);
}

TEST_CASE("endless re-entrancy on a thread of 128 KiB ends with a trap") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        return caller.ExportedFunction<std::int32_t(std::int32_t)>("down")(depth - 1);
      })
      .Export("up")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  const auto down = guest.ExportedFunction<std::int32_t(std::int32_t)>("down");
  bool trapped = false;
  std::int32_t result = 0;
  RunWithStack(kSmallStack, [&] {
    try {
      down(-1);
    } catch (const tenon::Trap& trap) {
      trapped = trap.Code() == tenon::TrapCode::StackOverflow;
    }
    result = down(1);
  });
  CHECK(trapped);
  CHECK(result == 1);
}

TEST_CASE("an instance made on one thread overflows cleanly on another with less stack") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithStackLimit(std::uint64_t{64} << 20)};
  tenon::Module guest;
  std::thread{[&] { guest = runtime.Instantiate(guests::Loops()); }}.join();
  const auto recurse = guest.ExportedFunction<std::int32_t(std::int32_t)>("recurse");
  int traps = 0;
  for (const std::size_t stack : {kSmallStack, std::size_t{512} << 10, std::size_t{4} << 20}) {
    RunWithStack(stack, [&] {
      try {
        recurse(1);
      } catch (const tenon::Trap& trap) {
        if (trap.Code() == tenon::TrapCode::StackOverflow) ++traps;
      }
    });
  }
  CHECK(traps == 3);
}

TEST_CASE("all of a large native stack may be used") {
  std::uintptr_t left = 0;
  RunWithStack(std::size_t{256} << 20, [&] {
    left = tenon::vm::CurrentStackPointer() - tenon::vm::NativeStackLimit(UINT64_MAX);
  });
  CHECK(left > std::size_t{200} << 20);
  CHECK(left < std::size_t{256} << 20);
}
