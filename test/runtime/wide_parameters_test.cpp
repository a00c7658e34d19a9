// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host functions of guests whose memory has 64-bit addresses: pointers and lengths are i64.
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"

namespace {

struct Pair {
  std::int32_t first;
  double second;
};

}  // namespace

template <>
struct tenon::Fields<Pair> : tenon::FieldList<&Pair::first, &Pair::second> {};

using namespace tenon_test;
using tenon::Addresses;
using tenon::ExternKind;
using tenon::Value;
using tenon::ValueType;
using tenon::Wide;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;

namespace {

constexpr std::uint64_t kPage = 65536;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t k4Gib = std::uint64_t{1} << 32;

const tenon::CoreFeatures kFeatures =
    tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Memory64, true);

/// A guest with a memory of one page and 64-bit addresses, and "run", which passes its i64
/// operands to env.call and returns its result, if there is one.
std::vector<std::uint8_t> Caller(std::size_t operands, std::optional<ValueType> result) {
  ModuleBuilder module;
  const std::vector<ValueType> parameters(operands, ValueType::I64);
  const std::uint32_t type =
      result ? module.Type(parameters, {*result}) : module.Type(parameters, {});
  const std::uint32_t call = module.ImportFunction("env", "call", type);
  tenon::wasm::MemoryType memory;
  memory.limits.minimum = 1;
  memory.limits.is_64 = true;
  module.Export("memory", ExternKind::Memory, module.Memory(memory));
  const std::uint32_t run = module.Function(type, {}, [&](CodeBuilder& code) {
    for (std::uint32_t i = 0; i < operands; ++i) code.LocalGet(i);
    code.Call(call);
  });
  module.Export("run", ExternKind::Func, run);
  return module.Build();
}

/// Binds env.call with `define`, and calls `body` with a guest on each engine.
template <class Define, class Body>
void WithGuest(std::size_t operands, std::optional<ValueType> result, Define define, Body body) {
  OnEachEngine([&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config.WithCoreFeatures(kFeatures)};
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    define(env.NewFunctionBuilder()).Export("call");
    env.Instantiate();
    const tenon::Module guest = runtime.Instantiate(Caller(operands, result));
    body(guest.ExportedFunction("run"), guest.ExportedMemory("memory"));
  });
}

/// What a call with these operands traps with.
tenon::TrapCode TrapOf(const tenon::Function& run, const std::vector<std::uint64_t>& operands) {
  std::vector<Value> arguments;
  for (const std::uint64_t operand : operands) arguments.emplace_back(operand);
  return Thrown<tenon::Trap>([&] { run.Call(arguments); }).Code();
}

std::int32_t Length(std::string_view text) { return static_cast<std::int32_t>(text.size()); }

}  // namespace

TEST_CASE("views of a memory with 64-bit addresses take i64 operands, checked in 64 bits") {
  WithGuest(
      2, ValueType::I32,
      [](tenon::HostFunctionBuilder function) { return function.WithFunc<Addresses::I64>(Length); },
      [](const tenon::Function& run, tenon::Memory) {
        const auto length = [&](std::uint64_t offset, std::uint64_t size) {
          return run.Call({offset, size}).at(0).U32();
        };
        CHECK(length(0, kPage) == kPage);
        CHECK(length(kPage - 3, 3) == 3);
        CHECK(length(kPage, 0) == 0);
        const std::vector<std::pair<std::uint64_t, std::uint64_t>> outside = {
            {kPage - 3, 4},
            {kPage + 1, 0},
            {k4Gib, 0},
            {k4Gib + 8, 8},
            {0, k4Gib + 8},
            {kMost, 1},
            {kMost, 2},
            {1, kMost},
            {8, kMost - 7},
            {kMost - 7, 8},
            {kMost, kMost},
            {0, kPage + 1},
            {std::uint64_t{1} << 63, std::uint64_t{1} << 63}};
        for (const auto& [offset, size] : outside) {
          INFO(offset << " + " << size);
          CHECK(TrapOf(run, {offset, size}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        }
      });
}

TEST_CASE(
    "spans of a memory with 64-bit addresses count elements, whose bytes may exceed 64 bits") {
  WithGuest(
      2, ValueType::I64,
      [](tenon::HostFunctionBuilder function) {
        return function.WithFunc([](Wide<std::span<std::uint64_t>> numbers) {
          std::uint64_t sum = 0;
          for (const std::uint64_t number : *numbers) sum += number;
          return sum;
        });
      },
      [](const tenon::Function& run, tenon::Memory memory) {
        CHECK(memory.WriteUint64Le(8, 40));
        CHECK(memory.WriteUint64Le(16, 2));
        CHECK(run.Call({std::uint64_t{8}, std::uint64_t{2}}).at(0).U64() == 42);
        CHECK(run.Call({kPage - 8, std::uint64_t{1}}).at(0).U64() == 0);
        CHECK(TrapOf(run, {4, 1}) == tenon::TrapCode::UnalignedAccess);
        // Eight times these is a small number in 64 bits.
        for (const std::uint64_t count : {(kMost >> 3) + 1, (kMost >> 3) + 2, kMost, k4Gib}) {
          INFO(count);
          CHECK(TrapOf(run, {8, count}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        }
      });
}

TEST_CASE("copies behind 64-bit pointers are read and written back") {
  WithGuest(
      5, ValueType::I64,
      [](tenon::HostFunctionBuilder function) {
        return function.WithFunc<Addresses::I64>(
            [](tenon::In<std::int32_t> in, tenon::InOut<std::int64_t> both,
               tenon::Out<std::span<std::int16_t>> out, tenon::CString text) {
              *both += *in;
              for (std::int16_t& number : *out) number = static_cast<std::int16_t>(text.size());
              return static_cast<std::int64_t>(out->size());
            });
      },
      [](const tenon::Function& run, tenon::Memory memory) {
        CHECK(memory.WriteUint32Le(16, 5));
        CHECK(memory.WriteUint64Le(kPage - 8, 100));
        CHECK(memory.WriteString(32, "three"));
        const auto call = [&](std::uint64_t in, std::uint64_t both, std::uint64_t out,
                              std::uint64_t count, std::uint64_t text) {
          return run.Call({in, both, out, count, text}).at(0).U64();
        };
        CHECK(call(16, kPage - 8, 101, 3, 32) == 3);
        CHECK(memory.ReadUint64Le(kPage - 8) == 105);
        CHECK(memory.ReadUint16Le(105) == 5);
        CHECK(TrapOf(run, {0, 64, 96, 1, 32}) == tenon::TrapCode::NullReference);
        for (const std::uint64_t far : {k4Gib + 16, kPage - 3, kMost, kMost - 3}) {
          INFO(far);
          CHECK(TrapOf(run, {far, 64, 96, 1, 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
          CHECK(TrapOf(run, {16, far, 96, 1, 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
          CHECK(TrapOf(run, {16, 64, far, 2, 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
          CHECK(TrapOf(run, {16, 64, 96, far, 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        }
        CHECK(TrapOf(run, {16, 64, 96, 1, k4Gib + 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        CHECK(TrapOf(run, {16, 96, 100, 1, 32}) == tenon::TrapCode::OverlappingParameters);
      });
}

TEST_CASE("a 64-bit pointer of which only the upper half is set is not null") {
  WithGuest(
      2, ValueType::I32,
      [](tenon::HostFunctionBuilder function) {
        return function.WithFunc<Addresses::I64>([](std::optional<std::string_view> text) {
          return text ? static_cast<std::int32_t>(text->size()) : -1;
        });
      },
      [](const tenon::Function& run, tenon::Memory) {
        CHECK(run.Call({std::uint64_t{0}, kMost}).at(0).I32() == -1);
        CHECK(run.Call({std::uint64_t{1}, std::uint64_t{7}}).at(0).I32() == 7);
        CHECK(TrapOf(run, {k4Gib, 0}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
      });
}

TEST_CASE("a View of a memory with 64-bit addresses knows its place and reads any alignment") {
  WithGuest(
      2, ValueType::I64,
      [](tenon::HostFunctionBuilder function) {
        return function.WithFunc<Addresses::I64>([](tenon::View<std::uint32_t> numbers) {
          std::uint64_t sum = numbers.Offset();
          for (const std::uint32_t number : numbers) sum += number;
          if (!numbers.IsEmpty()) numbers[0] = 9;
          return sum;
        });
      },
      [](const tenon::Function& run, tenon::Memory memory) {
        CHECK(memory.WriteUint32Le(kPage - 7, 30));
        CHECK(run.Call({kPage - 7, std::uint64_t{1}}).at(0).U64() == kPage + 23);
        CHECK(memory.ReadUint32Le(kPage - 7) == 9);
        CHECK(TrapOf(run, {kPage - 7, 2}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        CHECK(TrapOf(run, {8, (kMost >> 2) + 2}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
      });
}

TEST_CASE("structs come and go by 64-bit pointers") {
  WithGuest(
      2, std::nullopt,
      [](tenon::HostFunctionBuilder function) {
        return function.WithFunc<Addresses::I64>([](tenon::Indirect<Pair> pair) {
          return tenon::Indirect<Pair>{Pair{pair->first + 1, pair->second * 2}};
        });
      },
      [](const tenon::Function& run, tenon::Memory memory) {
        CHECK(memory.WriteUint32Le(32, 6));
        CHECK(memory.WriteFloat64Le(40, 1.5));
        run.Call({kPage - 16, std::uint64_t{32}});
        CHECK(memory.ReadUint32Le(kPage - 16) == 7);
        CHECK(memory.ReadFloat64Le(kPage - 8) == 3.0);
        CHECK(TrapOf(run, {k4Gib + 64, 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
        CHECK(TrapOf(run, {64, k4Gib + 32}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
      });
}

TEST_CASE("definitions of functions with wide parameters say i64") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder().WithFunc<Addresses::I64>(Length).WithParameterNames("text").Export(
      "length");
  env.NewFunctionBuilder().WithFunc<Addresses::I32>(Length).Export("usual");
  std::vector<tenon::FunctionDefinition> functions = env.Compile().ExportedFunctions();
  REQUIRE(functions.size() == 2);
  CHECK(functions[0].Signature() == "(i64, i64) -> i32");
  CHECK(functions[0].parameter_names == std::vector<std::string>{"text", "text_len"});
  CHECK(functions[1].Signature() == "(i32, i32) -> i32");
}

TEST_CASE("preconditions see what is behind 64-bit pointers") {
  WithGuest(
      2, ValueType::I32,
      [](tenon::HostFunctionBuilder function) -> tenon::HostFunctionBuilder {
        return function.WithFunc<Addresses::I64>(Length).WithPrecondition(
            [](std::string_view text) { return text.size() < 5; });
      },
      [](const tenon::Function& run, tenon::Memory) {
        CHECK(run.Call({std::uint64_t{8}, std::uint64_t{4}}).at(0).I32() == 4);
        CHECK(TrapOf(run, {8, 5}) == tenon::TrapCode::PreconditionFailed);
        CHECK(TrapOf(run, {k4Gib, 4}) == tenon::TrapCode::OutOfBoundsMemoryAccess);
      });
}

TEST_CASE("a guest that passes 64-bit pointers does not link to parameters that are not wide") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder().WithFunc(Length).Export("call");
  env.Instantiate();
  const auto error =
      Thrown<tenon::LinkError>([&] { runtime.Instantiate(Caller(2, ValueType::I32)); });
  CHECK(error.Id() == tenon::ErrorCode::ImportTypeMismatch);
  CHECK_THAT(error.what(), Catch::Contains("guest wants (i64, i64) -> i32"));
}
