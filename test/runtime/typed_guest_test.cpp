// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests that are embedded in the program: the compiler knows what they import and export.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/typed_guest.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"

using namespace tenon_test;

namespace {

// (module
//   (import "env" "mix" (func $mix (param i32 i32) (result i32)))
//   (import "env" "note" (func $note (param i64)))
//   (memory (export "memory") 1)
//   (func $sum (export "sum") (param i32 i32) (result i32)
//     local.get 0 local.get 1 call $mix)
//   (func (export "wide") (param i64 f64) (result i64)
//     local.get 0 local.get 1 i64.trunc_sat_f64_s i64.add)
//   (func (export "half") (param f32) (result f32) local.get 0 f32.const 0.5 f32.mul)
//   (func (export "divide") (param i32 i32) (result i32 i32)
//     local.get 0 local.get 1 i32.div_s local.get 0 local.get 1 i32.rem_s)
//   (func (export "nothing"))
//   (func (export "tell") (param i64) local.get 0 call $note)
//   (func (export "same") (param externref) (result externref) local.get 0)
//   (func (export "lanes") (param v128) (result v128) local.get 0)
//   (func (export "self") (result funcref) ref.func $sum)
//   (data (i32.const 0) "x\00"))
constexpr unsigned char kGuestBytes[] =
    "\000asm\001\000\000\000\001.\011`\002\177\177\001\177`\001~\000`\002~"
    "|\001~`\001}\001}`\002\177\177\002\177\177`\000\000`\001o\001o`"
    "\001{\001{`\000\001p\002\026\002\003env\003mix\000\000\003en"
    "v\004note\000\001\003\012\011\000\002\003\004\005\001\006\007\010\005\003\001\000"
    "\001\007N\012\006memory\002\000\003sum\000\002\004wide"
    "\000\003\004half\000\004\006divide\000\005\007nothi"
    "ng\000\006\004tell\000\007\004same\000\010\005lanes"
    "\000\011\004self\000\012\012E\011\010\000 \000 \001\020\000\013\011\000 "
    "\000 \001\374\006|\013\012\000 \000C\000\000\000\?\224\013\014\000 \000 \001"
    "m \000 \001o\013\002\000\013\006\000 \000\020\001\013\004\000 \000\013\004\000"
    " \000\013\004\000\322\002\013\013\010\001\000A\000\013\002x\000";
constexpr auto kGuest = tenon::ParseInterface<kGuestBytes>();

// The same without the terminator of the literal; its last byte is a zero that belongs to it.
constexpr auto kListed = [] {
  std::array<unsigned char, sizeof(kGuestBytes) - 1> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = kGuestBytes[i];
  return bytes;
}();
static_assert(kListed.back() == 0);

std::int32_t Mix(std::int32_t a, std::int32_t b) { return a * 10 + b; }
void Note(std::int64_t) {}

constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"mix">(Mix), tenon::Fn<"note">(Note));

static_assert(kGuest.Bytes().size() == sizeof(kGuestBytes) - 1);
static_assert(kGuest.kImportCount == 2 && kGuest.kExportCount == 10);
static_assert(kGuest.ExportsFunction("sum") && kGuest.ExportsFunction("self"));
static_assert(!kGuest.ExportsFunction("sun") && !kGuest.ExportsFunction("memory"));
static_assert(kGuest.Imports("env") && !kGuest.Imports("other"));
static_assert(kGuest.Imports("env", "note") && !kGuest.Imports("env", "sum"));
static_assert(kGuest.ParametersOf("wide").size() == 2 &&
              kGuest.ParametersOf("wide")[1] == tenon::ValueType::F64 &&
              kGuest.ResultsOf("wide")[0] == tenon::ValueType::I64);
static_assert(kGuest.ParametersOf("sun").empty() && kGuest.ResultsOf("nothing").empty());

constexpr unsigned char kEmptyBytes[] = "\000asm\001\000\000\000";
constexpr auto kEmpty = tenon::ParseInterface<kEmptyBytes>();
static_assert(kEmpty.Bytes().size() == 8 && kEmpty.kImportCount == 0 && kEmpty.kExportCount == 0);

struct Counter {
  std::int64_t total = 0;

  void Note(std::int64_t amount) { total += amount; }
  std::int32_t Mix(std::int32_t a, std::int32_t b) const& noexcept { return a + b; }
};

}  // namespace

TEST_CASE("an embedded guest's exports are called by name with the types of its module") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto guest = kGuest.Instantiate(runtime, kEnv);
  CHECK(guest.Call<"sum">(3, 4) == 34);
  CHECK(guest.Call<"wide">(std::int64_t{1} << 40, 2.0) == (std::int64_t{1} << 40) + 2);
  CHECK(guest.Call<"half">(3.0f) == 1.5f);
  CHECK(guest.Call<"divide">(17, 5) == std::tuple{3, 2});
  guest.Call<"nothing">();
  guest.Call<"tell">(1);
  static_assert(std::is_same_v<decltype(guest.Call<"sum">(3, 4)), std::int32_t>);
  static_assert(std::is_same_v<decltype(guest.Call<"nothing">()), void>);
  static_assert(
      std::is_same_v<decltype(guest.Call<"divide">(1, 1)), std::tuple<std::int32_t, std::int32_t>>);
}

TEST_CASE("arguments of an embedded guest's export are passed as they are or widened") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto guest = kGuest.Instantiate(runtime, kEnv);
  CHECK(guest.Call<"sum">(std::uint8_t{2}, true) == 21);
  CHECK(guest.Call<"wide">(-1, 2.5f) == 1);
  CHECK(guest.Call<"wide">(std::uint32_t{0xFFFFFFFF}, 0.0) == 0xFFFFFFFF);
  CHECK(guest.Call<"wide">(std::uint64_t{0xFFFFFFFFFFFFFFFF}, 0.0) == -1);
}

TEST_CASE(
    "another type of the same kind can be asked for as result of an embedded guest's export") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto guest = kGuest.Instantiate(runtime, kEnv);
  CHECK(guest.Call<"sum", std::uint32_t>(-1, 0) == 0xFFFFFFF6);
  CHECK(guest.Call<"divide", std::array<std::int32_t, 2>>(9, 4) == std::array{2, 1});
}

TEST_CASE("vectors and references cross an embedded guest's exports") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto guest = kGuest.Instantiate(runtime, kEnv);
  tenon::V128 lanes;
  for (std::size_t i = 0; i < 16; ++i) lanes.bytes[i] = static_cast<std::uint8_t>(i * 7);
  CHECK(std::ranges::equal(guest.Call<"lanes">(lanes).bytes, lanes.bytes));
  CHECK(guest.Call<"same">(tenon::ExternRef{42}) == tenon::ExternRef{42});
  CHECK(tenon::Function{guest.Call<"self">()}.As<std::int32_t(std::int32_t, std::int32_t)>()(
            1, 2) == 12);
}

TEST_CASE("an embedded guest's export is had as typed function, checked while compiling") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto guest = kGuest.Instantiate(runtime, kEnv);
  const auto sum = guest.Function<"sum", std::uint32_t(std::uint32_t, std::int32_t)>();
  CHECK(sum(7, 1) == 71);
  CHECK(guest.Untyped().ExportedMemory("memory"));
}

TEST_CASE("the bytes of an embedded guest may end with a zero of their own") {
  const tenon::Runtime runtime = MakeRuntime();
  constexpr auto kListedGuest = tenon::ParseInterface<kListed>();
  static_assert(kListedGuest.Bytes().size() == kListed.size());
  CHECK(kListedGuest.Instantiate(runtime, kEnv).Call<"sum">(1, 1) == 11);
}

TEST_CASE("a mounted host module serves several embedded guests of its runtime") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto env = kEnv.Mount(runtime);
  const auto first = kGuest.Instantiate(runtime, env);
  const auto second = kGuest.Instantiate(runtime, env);
  const auto copy = first;
  CHECK(first.Call<"sum">(1, 2) + second.Call<"sum">(3, 4) + copy.Call<"sum">(5, 6) == 102);
  const auto named = kGuest.Instantiate(runtime, tenon::ModuleConfig{}.WithName("plugin"), env);
  CHECK(named.Untyped() == runtime.FindModule("plugin"));
}

TEST_CASE("mounting a host module twice in one runtime is refused when it is done") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto env = kEnv.Mount(runtime);
  CHECK_THROWS_AS(kEnv.Mount(runtime), tenon::LinkError);
  CHECK_THROWS_AS(kGuest.Instantiate(runtime, kEnv), tenon::LinkError);
}

TEST_CASE("one description is mounted in several runtimes, each with an object of its own") {
  constexpr auto kCounted = tenon::HostModule<"env">(tenon::Method<"note", &Counter::Note>(),
                                                     tenon::Method<"mix", &Counter::Mix>());
  Counter counters[2];
  const tenon::Runtime runtimes[2];
  for (int i = 0; i < 2; ++i) {
    const auto guest = kGuest.Instantiate(runtimes[i], kCounted.Mount(runtimes[i], counters[i]));
    guest.Call<"tell">(100 + i);
    guest.Call<"tell">(1);
    CHECK(guest.Call<"sum">(3, 4) == 7);
  }
  CHECK(counters[0].total == 101);
  CHECK(counters[1].total == 102);
}

TEST_CASE("functions of a described host module may capture and take what WithFunc takes") {
  const tenon::Runtime runtime = MakeRuntime();
  std::vector<std::int64_t> notes;
  std::string caller_name;
  const auto env = tenon::HostModule<"env">(
      tenon::Fn<"mix", Mix>(),
      tenon::Fn<"note">([&](const tenon::Module& caller, std::int64_t value) {
        caller_name = caller.Name();
        notes.push_back(value);
      }));
  const auto guest = kGuest.Instantiate(runtime, tenon::ModuleConfig{}.WithName("guest"), env);
  guest.Call<"tell">(5);
  CHECK(notes == std::vector<std::int64_t>{5});
  CHECK(caller_name == "guest");
}

TEST_CASE("a described host module is called without a guest") {
  static_assert(tenon::HostModule<"math">(tenon::Fn<"twice">([](int x) {
                  return 2 * x;
                })).Call<"twice">(21) == 42);
  Counter counter;
  constexpr auto kCounted = tenon::HostModule<"env">(tenon::Method<"note", &Counter::Note>());
  kCounted.Call<"note">(counter, 3);
  CHECK(counter.total == 3);
  CHECK(kEnv.Call<"mix">(1, 2) == 12);
}

TEST_CASE("a newer description that has all functions of the older one is a superset of it") {
  constexpr auto kNewer = tenon::HostModule<"env2">(
      tenon::Fn<"extra">(Note), tenon::Fn<"note">([](std::uint64_t) {}), tenon::Fn<"mix">(Mix));
  constexpr auto kChanged = tenon::HostModule<"env">(
      tenon::Fn<"mix">([](std::int64_t, std::int32_t) { return 0; }), tenon::Fn<"note">(Note));
  static_assert(tenon::IsSuperset(kNewer, kEnv));
  static_assert(tenon::IsSuperset(kEnv, kEnv));
  static_assert(!tenon::IsSuperset(kEnv, kNewer));
  static_assert(!tenon::IsSuperset(kChanged, kEnv));
}

TEST_CASE("a linked module is checked by the runtime") {
  const tenon::Runtime runtime = MakeRuntime();
  CHECK_THROWS_AS(kGuest.Instantiate(runtime, tenon::Linked<"env">()), tenon::LinkError);
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(Mix)
      .Export("mix")
      .NewFunctionBuilder()
      .WithFunc(Note)
      .Export("note")
      .Instantiate();
  CHECK(kGuest.Instantiate(runtime, tenon::Linked<"env">()).Call<"sum">(2, 3) == 23);
}

TEST_CASE("calls of an embedded guest end as others do") {
  const tenon::Runtime runtime = MakeRuntime();
  tenon::TypedGuest<kGuestBytes> guest;
  CHECK_FALSE(guest);
  CHECK_THROWS_AS(guest.Call<"nothing">(), tenon::ConfigError);
  CHECK_FALSE(guest.Function<"nothing", void()>());
  guest = kGuest.Instantiate(runtime, kEnv);
  CHECK(guest);
  CHECK(Thrown<tenon::Trap>([&] { guest.Call<"divide">(1, 0); }).Code() ==
        tenon::TrapCode::IntegerDivideByZero);
  CHECK(guest.Call<"sum">(tenon::CallContext{}, 1, 2) == 12);
  guest.Untyped().CloseWithExitCode(3);
  CHECK(Thrown<tenon::ExitError>([&] { guest.Call<"sum">(1, 2); }).ExitCode() == 3);
}

TEST_CASE("an embedded guest whose bodies are not valid is refused when it is compiled") {
  // (module (func (export "f") (result i32)))
  static constexpr unsigned char kNoResult[] = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00,
                                                0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7F, 0x03,
                                                0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 'f',
                                                0x00, 0x00, 0x0A, 0x04, 0x01, 0x02, 0x00, 0x0B};
  constexpr auto kInvalid = tenon::ParseInterface<kNoResult>();
  static_assert(kInvalid.ExportsFunction("f"));
  const tenon::Runtime runtime = MakeRuntime();
  CHECK_THROWS_AS(kInvalid.Instantiate(runtime), tenon::ValidationError);
}

TEST_CASE("what was mounted for an embedded guest goes if that is not made") {
  const tenon::Runtime runtime = MakeRuntime();
  runtime.InstantiateModule(runtime.NewHostModuleBuilder("taken").Compile());
  const auto taken = tenon::ModuleConfig{}.WithName("taken");
  CHECK_THROWS_AS(kGuest.Instantiate(runtime, taken, kEnv), tenon::LinkError);
  CHECK_FALSE(runtime.FindModule("env"));
  constexpr auto kOther = tenon::HostModule<"taken">();
  CHECK_THROWS_AS(kGuest.Instantiate(runtime, kEnv, kOther), tenon::LinkError);
  CHECK_FALSE(runtime.FindModule("env"));
  CHECK(kGuest.Instantiate(runtime, kEnv).Call<"sum">(1, 2) == 12);
  CHECK(runtime.FindModule("env"));
}
