// SPDX-License-Identifier: Apache-2.0
/// @file
/// Limits of a runtime: memory pages and bytes, table elements, instances, stack.
#include <cstdint>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/address_space_limit.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TENON_TEST_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TENON_TEST_SANITIZED
#endif

using namespace tenon_test;

namespace {

constexpr std::uint64_t kPage = 65536;

std::int32_t Grow(const tenon::Module& guest, std::int32_t delta) {
  return guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(delta);
}

}  // namespace

TEST_CASE("no memory grows past the limit of pages, whatever its maximum") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryLimitPages(3)};
  const tenon::Module bounded = runtime.Instantiate(guests::MemoryUser({1, 10}));
  CHECK(Grow(bounded, 2) == 1);
  CHECK(Grow(bounded, 1) == -1);
  CHECK_FALSE(bounded.DefaultMemory().Grow(1).has_value());
  const tenon::Module unbounded = runtime.Instantiate(guests::MemoryUser({3, std::nullopt}));
  CHECK(Grow(unbounded, 1) == -1);
  CHECK(Grow(unbounded, 0) == 3);
}

TEST_CASE("a memory whose minimum exceeds the limit of pages is refused") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryLimitPages(3)};
  const auto error =
      Thrown<tenon::LinkError>([&] { runtime.Instantiate(guests::MemoryUser({4, 4})); });
  CHECK(error.Id() == tenon::ErrorCode::MemoryPagesLimit);
  CHECK(std::string{error.what()} == "memory of 4 pages exceeds the runtime's limit of 3 pages");
  CHECK_THROWS_AS(runtime.NewHostModuleBuilder("env").ExportMemory("m", 4).Instantiate(),
                  tenon::LinkError);
  CHECK_NOTHROW(runtime.Instantiate(guests::MemoryUser({3, 3})));
}

TEST_CASE("all memories of a runtime share the limit of bytes, and give back what they used") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryLimitBytes(2 * kPage)};
  const auto compiled = runtime.CompileModule(guests::MemoryUser({1, 10}));
  const tenon::Module first = runtime.InstantiateModule(compiled);
  const tenon::Module second = runtime.InstantiateModule(compiled);
  const auto error = Thrown<tenon::LinkError>([&] { runtime.InstantiateModule(compiled); });
  CHECK(error.Id() == tenon::ErrorCode::MemoryLimit);
  CHECK(std::string{error.what()} ==
        "memory of 65536 bytes exceeds the runtime's limit of 131072 bytes in all");
  CHECK(Grow(first, 1) == -1);
  second.Close();
  CHECK(Grow(first, 1) == 1);
  CHECK_THROWS_AS(runtime.InstantiateModule(compiled), tenon::LinkError);
  first.Close();
  CHECK_NOTHROW(runtime.InstantiateModule(compiled));
}

TEST_CASE("the limit of bytes is not lost to memories that were refused") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryLimitBytes(2 * kPage)};
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 10}));
  for (int i = 0; i < 10; ++i) {
    CHECK(Grow(guest, 5) == -1);
    CHECK_THROWS_AS(runtime.Instantiate(guests::MemoryUser({2, 2})), tenon::LinkError);
  }
  CHECK(Grow(guest, 1) == 1);
}

TEST_CASE("other runtimes have limits of their own") {
  const auto config = tenon::RuntimeConfig{}.WithMemoryLimitBytes(kPage);
  const tenon::Runtime first{config};
  const tenon::Runtime second{config};
  CHECK_NOTHROW(first.Instantiate(guests::MemoryUser({1, 1})));
  CHECK_NOTHROW(second.Instantiate(guests::MemoryUser({1, 1})));
}

TEST_CASE("tables are limited when they are made and when they grow") {
  const auto make = [](std::uint32_t elements) {
    return tenon::Runtime{tenon::RuntimeConfig{}.WithTableLimit(elements)};
  };
  const tenon::Runtime small = make(3);
  const auto error = Thrown<tenon::LinkError>([&] { small.Instantiate(guests::Tables()); });
  CHECK(error.Id() == tenon::ErrorCode::TableLimit);
  CHECK(std::string{error.what()} == "table of 4 elements exceeds the runtime's limit of 3");
  const tenon::Runtime larger = make(5);
  const tenon::Module guest = larger.Instantiate(guests::Tables());
  CHECK(Grow(guest, 1) == 4);
  CHECK(Grow(guest, 1) == -1);
  CHECK_FALSE(guest.ExportedTable("table").Grow(1, tenon::Value{tenon::FuncRef{}}).has_value());
}

TEST_CASE("a table that claims a huge minimum is refused without being allocated") {
  const tenon::Runtime runtime;
  CHECK_THROWS_AS(runtime.Instantiate(guests::HugeTable(0xFFFFFFFF)), tenon::Error);
}

// The sanitizers' allocators end the program where others refuse.
#if !defined(TENON_TEST_SANITIZED)
TEST_CASE("a table that the machine refuses is an error, and a growth that it refuses is none") {
  constexpr std::uint32_t kElements = 1u << 28;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithTableLimit(kElements)};
  const tenon::Module guest = runtime.Instantiate(guests::Tables());
  const AddressSpaceLimit limit{std::uint64_t{1} << 30};
  const auto error =
      Thrown<tenon::LinkError>([&] { runtime.Instantiate(guests::HugeTable(kElements)); });
  CHECK(error.Id() == tenon::ErrorCode::TableAllocation);
  CHECK(std::string{error.what()} == "cannot allocate a table of 268435456 elements");
  tenon::Table table = guest.ExportedTable("table");
  CHECK_FALSE(table.Grow(kElements - 4, tenon::Value{tenon::FuncRef{}}).has_value());
  CHECK(table.Size() == 4);
}
#endif

TEST_CASE("instances, host modules included, are limited while they are open") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithInstanceLimit(2)};
  const tenon::Module env = runtime.NewHostModuleBuilder("env").Instantiate();
  const auto compiled = runtime.CompileModule(guests::Counter());
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  const auto error = Thrown<tenon::LinkError>([&] { runtime.InstantiateModule(compiled); });
  CHECK(error.Id() == tenon::ErrorCode::InstanceLimit);
  CHECK(std::string{error.what()} == "instance limit of 2 reached");
  guest.Close();
  const tenon::Module other = runtime.InstantiateModule(compiled);
  CHECK_THROWS_AS(runtime.InstantiateModule(compiled), tenon::LinkError);
  env.Close();
  CHECK_NOTHROW(runtime.InstantiateModule(compiled));
}

TEST_CASE("instances that failed to start do not count") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithInstanceLimit(1)};
  for (int i = 0; i < 5; ++i) {
    CHECK_THROWS_AS(runtime.Instantiate(guests::StartTraps()), tenon::Trap);
  }
  CHECK_NOTHROW(runtime.Instantiate(guests::Counter()));
}

TEST_CASE("a larger stack limit admits deeper recursion") {
  const auto depth_of = [](std::uint64_t bytes) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithStackLimit(bytes)};
    const tenon::Module guest = runtime.Instantiate(guests::Loops());
    const auto error = Thrown<tenon::Trap>(
        [&] { guest.ExportedFunction<std::int32_t(std::int32_t)>("recurse")(1); });
    CHECK(error.Code() == tenon::TrapCode::StackOverflow);
    return guest.ExportedGlobal("depth").Get<std::int32_t>();
  };
  const std::int32_t shallow = depth_of(std::uint64_t{128} << 10);
  const std::int32_t deep = depth_of(std::uint64_t{1} << 20);
  CHECK(shallow > 100);
  CHECK(deep > 4 * shallow);
}

TEST_CASE("a stack limit outside its range is clamped") {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithStackLimit(bytes)};
    CHECK(runtime.Instantiate(guests::Loops())
              .ExportedFunction<std::int32_t(std::int32_t)>("fib")(10) == 55);
  }
}

TEST_CASE("a capacity taken from the maximum counts against the limit of bytes") {
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithMemoryCapacityFromMax(true).WithMemoryLimitBytes(
          8 * std::uint64_t{65536})};
  CHECK(Thrown<tenon::LinkError>([&] { runtime.Instantiate(guests::MemoryUser({1, 9})); }).Id() ==
        tenon::ErrorCode::MemoryLimit);
  for (int i = 0; i < 3; ++i) {
    const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 8}));
    // Growing within it takes nothing more.
    CHECK(guest.DefaultMemory().Grow(7) == 1);
    CHECK_THROWS_AS(runtime.Instantiate(guests::MemoryUser({1, 1})), tenon::LinkError);
  }
}
