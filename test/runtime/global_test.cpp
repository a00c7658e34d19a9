// SPDX-License-Identifier: Apache-2.0
/// @file
/// Global: typed and untyped access, identity across imports, text form.
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

TEST_CASE("globals of every type are read with and without a C++ type") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Globals());
  const auto get = [&](const char* name) { return guest.ExportedGlobal(name); };
  CHECK(get("i32").Get() == tenon::Value{42});
  CHECK(get("i32").Get<std::int32_t>() == 42);
  CHECK(get("i32").Get<std::uint32_t>() == 42);
  CHECK(get("i64").Get<std::int64_t>() == -5);
  CHECK(get("i64").Get<std::uint64_t>() == static_cast<std::uint64_t>(-5));
  CHECK(get("f32").Get<float>() == 1.5f);
  CHECK(get("f64").Get<double>() == 2.5);
  CHECK(get("mutable_i32").Get<std::int32_t>() == 7);
  const auto vector = get("mutable_v128").Get<tenon::V128>();
  for (std::uint8_t i = 0; i < 16; ++i) CHECK(vector.bytes[i] == i);
  CHECK(get("mutable_extern").Get<tenon::ExternRef>().IsNull());
  CHECK(get("mutable_func").Get<tenon::FuncRef>().IsNull());
}

TEST_CASE("types and mutability of globals are visible") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Globals());
  CHECK(guest.ExportedGlobal("i64").Type() == tenon::ValueType::I64);
  CHECK_FALSE(guest.ExportedGlobal("i64").IsMutable());
  CHECK(guest.ExportedGlobal("mutable_v128").Type() == tenon::ValueType::V128);
  CHECK(guest.ExportedGlobal("mutable_v128").IsMutable());
  const tenon::GlobalDefinition definition = guest.ExportedGlobal("mutable_i32").Definition();
  CHECK(definition.type == tenon::ValueType::I32);
  CHECK(definition.is_mutable);
  CHECK(definition.export_names == std::vector<std::string>{"mutable_i32"});
}

TEST_CASE("host and guest see each other's changes of a mutable global") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Globals());
  tenon::Global global = guest.ExportedGlobal("mutable_i32");
  global.Set(tenon::Value{100});
  CHECK(guest.ExportedFunction<std::int32_t()>("get")() == 100);
  guest.ExportedFunction<void(std::int32_t)>("set")(-3);
  CHECK(global.Get<std::int32_t>() == -3);

  tenon::Global vector = guest.ExportedGlobal("mutable_v128");
  tenon::V128 bytes{};
  bytes.bytes[0] = 1;
  bytes.bytes[15] = 0xFF;
  vector.Set(tenon::Value{bytes});
  CHECK(vector.Get<tenon::V128>() == bytes);
  CHECK(guest.ExportedFunction<tenon::V128()>("get_v128")() == bytes);

  tenon::Global reference = guest.ExportedGlobal("mutable_extern");
  reference.Set(tenon::Value{tenon::ExternRef{std::uintptr_t{5}}});
  CHECK(reference.Get<tenon::ExternRef>().Value() == 5);
  tenon::Global function = guest.ExportedGlobal("mutable_func");
  function.Set(tenon::Value{guest.ExportedFunction("get").Reference()});
  CHECK(function.Get<tenon::FuncRef>() == guest.ExportedFunction("get").Reference());
}

TEST_CASE("an immutable global cannot be set") {
  const tenon::Runtime runtime;
  tenon::Global global = runtime.Instantiate(guests::Globals()).ExportedGlobal("i32");
  const auto error = Thrown<tenon::ConfigError>([&] { global.Set(tenon::Value{1}); });
  CHECK(error.Id() == tenon::ErrorCode::GlobalImmutable);
  CHECK(std::string{error.what()} == "global is immutable");
  CHECK(global.Get<std::int32_t>() == 42);
}

TEST_CASE("access as another type is refused and changes nothing") {
  const tenon::Runtime runtime;
  tenon::Global global = runtime.Instantiate(guests::Globals()).ExportedGlobal("mutable_i32");
  const auto error =
      Thrown<tenon::ConfigError>([&] { static_cast<void>(global.Get<std::int64_t>()); });
  CHECK(error.Id() == tenon::ErrorCode::GlobalType);
  CHECK(std::string{error.what()} == "global: expected i64, but it is i32");
  CHECK(Thrown<tenon::ConfigError>([&] { global.Set(tenon::Value{1.0}); }).Id() ==
        tenon::ErrorCode::GlobalType);
  CHECK(global.Get<std::int32_t>() == 7);
}

TEST_CASE("a function of another linkage group cannot be stored in a global") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Globals());
  const tenon::Module first = runtime.InstantiateModule(compiled);
  const tenon::Module second = runtime.InstantiateModule(compiled);
  tenon::Global global = first.ExportedGlobal("mutable_func");
  const tenon::Value foreign{second.ExportedFunction("get").Reference()};
  const auto error = Thrown<tenon::ConfigError>([&] { global.Set(foreign); });
  CHECK(error.Id() == tenon::ErrorCode::GlobalForeignFunction);
  CHECK(std::string{error.what()} ==
        "global: a function of another linkage group cannot be stored here");
  CHECK(global.Get<tenon::FuncRef>().IsNull());
}

TEST_CASE("a global writes itself with its value") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Globals());
  CHECK(guest.ExportedGlobal("i32").String() == "global(42)");
  CHECK(guest.ExportedGlobal("mutable_i32").String() == "mutable global(7)");
  CHECK(guest.ExportedGlobal("mutable_extern").String() == "mutable global(null)");
  guest.ExportedGlobal("mutable_extern").Set(tenon::Value{tenon::ExternRef{std::uintptr_t{5}}});
  CHECK(guest.ExportedGlobal("mutable_extern").String() == "mutable global(ref)");
  CHECK_NOTHROW(guest.ExportedGlobal("mutable_v128").String());
}

TEST_CASE("an imported mutable global is one global for exporter, importers and host") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Globals(), tenon::ModuleConfig{}.WithName("owner"));
  const auto user =
      runtime.CompileModule(guests::ImportsGlobal("owner", "mutable_i32", guests::kI32, true));
  const tenon::Module first = runtime.InstantiateModule(user);
  const tenon::Module second = runtime.InstantiateModule(user);
  CHECK(first.ExportedGlobal("global") == owner.ExportedGlobal("mutable_i32"));
  CHECK(first.ExportedGlobal("global") == second.ExportedGlobal("global"));
  first.ExportedFunction<void(std::int32_t)>("set")(55);
  CHECK(second.ExportedFunction<std::int32_t()>("get")() == 55);
  CHECK(owner.ExportedFunction<std::int32_t()>("get")() == 55);
  CHECK(owner.ExportedGlobal("mutable_i32").Get<std::int32_t>() == 55);
}

TEST_CASE("an imported immutable global can initialise globals and segment offsets") {
  const tenon::Runtime runtime;
  runtime.Instantiate(guests::Globals(), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user =
      runtime.Instantiate(guests::ImportsGlobal("owner", "i32", guests::kI32, false));
  CHECK(user.ExportedGlobal("copy").Get<std::int32_t>() == 42);
  CHECK(user.ExportedFunction<std::int32_t()>("get")() == 42);
}

TEST_CASE("different globals are unequal, and an empty handle throws") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Globals());
  CHECK(guest.ExportedGlobal("i32") == guest.ExportedGlobal("i32"));
  CHECK_FALSE(guest.ExportedGlobal("i32") == guest.ExportedGlobal("i64"));
  tenon::Global empty;
  CHECK_FALSE(empty);
  CHECK(std::string{Thrown<tenon::ConfigError>([&] { empty.Get(); }).what()} ==
        "Global: the handle is empty");
  CHECK_THROWS_AS(empty.Type(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.IsMutable(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.Set(tenon::Value{1}), tenon::ConfigError);
  CHECK_THROWS_AS(empty.String(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.Definition(), tenon::ConfigError);
}

TEST_CASE("a global keeps its module alive") {
  const tenon::Runtime runtime;
  tenon::Global count;
  tenon::TypedFunction<std::int32_t()> increment;
  {
    const tenon::Module guest = runtime.Instantiate(guests::Counter());
    count = guest.ExportedGlobal("count");
    increment = guest.ExportedFunction<std::int32_t()>("increment");
  }
  increment();
  increment = {};
  CHECK(count.Get<std::int32_t>() == 1);
}
