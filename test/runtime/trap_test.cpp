// SPDX-License-Identifier: Apache-2.0
/// @file
/// Traps: codes, texts and backtraces.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

template <class Body>
tenon::TrapCode CodeOf(Body&& body) {
  return Thrown<tenon::Trap>(body).Code();
}

}  // namespace

TEST_CASE("each way to trap has its code") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto divide = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("divide");
  CHECK(CodeOf([&] { divide(1, 0); }) == tenon::TrapCode::IntegerDivideByZero);
  CHECK(CodeOf([&] { divide(std::numeric_limits<std::int32_t>::min(), -1); }) ==
        tenon::TrapCode::IntegerOverflow);
  const auto truncate = guest.ExportedFunction<std::int32_t(float)>("truncate");
  CHECK(truncate(-3.9f) == -3);
  CHECK(CodeOf([&] { truncate(3e9f); }) == tenon::TrapCode::IntegerOverflow);
  CHECK(CodeOf([&] { truncate(std::numeric_limits<float>::quiet_NaN()); }) ==
        tenon::TrapCode::InvalidConversionToInteger);
  CHECK(CodeOf([&] { guest.ExportedFunction<void()>("trap")(); }) == tenon::TrapCode::Unreachable);
  const tenon::Module loops =
      runtime.Instantiate(guests::Loops(), tenon::ModuleConfig{}.WithName("loops"));
  CHECK(CodeOf([&] { loops.ExportedFunction<std::int32_t(std::int32_t)>("recurse")(1); }) ==
        tenon::TrapCode::StackOverflow);
  // Memory and table traps: memory_test and table_test.
}

TEST_CASE("the text of a trap is its reason and one line for each frame") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto error = Thrown<tenon::Trap>([&] { guest.ExportedFunction<void()>("deep_trap")(); });
  const std::vector<tenon::BacktraceFrame>& frames = error.Backtrace();
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].function == "guest.trap");
  CHECK(frames[1].function == "guest.middle");
  CHECK(frames[2].function == "guest.deep_trap");
  const auto bytes = guests::Arithmetic();
  for (const tenon::BacktraceFrame& frame : frames) {
    CHECK(frame.module_offset > 8);
    CHECK(frame.module_offset < bytes.size());
  }
  CHECK(bytes[frames[0].module_offset] == 0x00);  // unreachable
  CHECK(bytes[frames[1].module_offset] == 0x10);  // call
  CHECK(bytes[frames[2].module_offset] == 0x10);
  CHECK(std::string{error.what()} ==
        "wasm trap: unreachable\nwasm stack trace:"
        "\n\tguest.trap at byte " +
            std::to_string(frames[0].module_offset) + "\n\tguest.middle at byte " +
            std::to_string(frames[1].module_offset) + "\n\tguest.deep_trap at byte " +
            std::to_string(frames[2].module_offset));
  CHECK(error.Id() == tenon::ErrorCode::None);
}

TEST_CASE("frames without a name are numbered") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::NamelessTrap());
  const auto error = Thrown<tenon::Trap>([&] { guest.ExportedFunction<void()>("run")(); });
  REQUIRE(error.Backtrace().size() == 1);
  CHECK(error.Backtrace()[0].function_index == 0);
  CHECK_THAT(error.Backtrace()[0].function, Catch::EndsWith(".$0"));
}

TEST_CASE("a host function on the stack of a trap is a frame without an offset") {
  const tenon::Runtime runtime;
  tenon::Module guest;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t) -> std::int32_t {
        guest.ExportedFunction<void()>("trap")();
        return 0;
      })
      .Export("up")
      .Instantiate();
  guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  const auto error =
      Thrown<tenon::Trap>([&] { guest.ExportedFunction<std::int32_t(std::int32_t)>("down")(1); });
  std::vector<std::string> functions;
  for (const auto& frame : error.Backtrace()) functions.push_back(frame.function);
  CHECK(functions == std::vector<std::string>{"guest.trap", "env.up", "guest.down"});
  CHECK(error.Backtrace()[1].module_offset == 0);
}

TEST_CASE("a backtrace has at most 64 frames") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto error = Thrown<tenon::Trap>(
      [&] { guest.ExportedFunction<std::int32_t(std::int32_t)>("recurse")(1); });
  CHECK(error.Code() == tenon::TrapCode::StackOverflow);
  CHECK(error.Backtrace().size() == 64);
  CHECK(error.Backtrace()[0].function == "guest.recurse");
  CHECK_THAT(error.what(), Catch::StartsWith("wasm trap: call stack exhausted\n"));
}

TEST_CASE("every trap code has a text of its own") {
  std::vector<std::string> texts;
#define TENON_DETAIL_ROW(name, text)                                    \
  CHECK(std::string{tenon::TrapText(tenon::TrapCode::name)} == (text)); \
  texts.emplace_back(text);
  TENON_TRAP_CODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  std::sort(texts.begin(), texts.end());
  CHECK(std::unique(texts.begin(), texts.end()) == texts.end());
  CHECK(std::string{tenon::TrapText(tenon::TrapCode::None)}.empty());
}

TEST_CASE("traps leave the instance usable") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto recurse = guest.ExportedFunction<std::int32_t(std::int32_t)>("recurse");
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(recurse(1), tenon::Trap);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("fib")(10) == 55);
  }
}
