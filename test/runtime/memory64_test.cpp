// SPDX-License-Identifier: Apache-2.0
/// @file
/// Memories with 64-bit addresses: the feature, linking, and every access at its edges.
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using tenon::ExternKind;
using tenon::V128;
using tenon::Value;
using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::MemoryType;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

namespace {

constexpr std::uint64_t kPage = 65536;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t k4Gib = std::uint64_t{1} << 32;

const tenon::CoreFeatures kFeatures =
    tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Memory64, true);

MemoryType TypeOf(bool is_64, std::uint64_t minimum,
                  std::optional<std::uint64_t> maximum = std::nullopt) {
  MemoryType type;
  type.limits.minimum = minimum;
  type.limits.maximum = maximum.value_or(0);
  type.limits.has_maximum = maximum.has_value();
  type.limits.is_64 = is_64;
  return type;
}

/// Bytes that tell their place.
std::vector<std::uint8_t> Pattern(std::uint64_t bytes) {
  std::vector<std::uint8_t> pattern(bytes);
  for (std::uint64_t i = 0; i < bytes; ++i) {
    pattern[i] = static_cast<std::uint8_t>(i * 167 + (i >> 8) * 31 + 5);
  }
  return pattern;
}

/// Whether `address` + `offset` + `width` is at most `size`, in numbers of any size.
bool Fits(std::uint64_t address, std::uint64_t offset, std::uint64_t width, std::uint64_t size) {
  return width <= size && offset <= size - width && address <= size - width - offset;
}

/// The results of a call; nothing if it trapped because of the memory's bounds.
std::optional<std::vector<Value>> Try(const tenon::Function& function,
                                      const std::vector<Value>& arguments) {
  try {
    return function.Call(arguments);
  } catch (const tenon::Trap& trap) {
    CHECK(trap.Code() == tenon::TrapCode::OutOfBoundsMemoryAccess);
    return std::nullopt;
  }
}

struct Access {
  Opcode opcode;
  std::string name;
  std::uint64_t width;
  bool has_lane;
  ValueType operand;  ///< stored, or a vector that gets a lane
  bool has_operand;
  ValueType result;
  bool has_result;
};

ValueType TypeOfLetter(char letter) {
  switch (letter) {
    case 'i':
      return ValueType::I32;
    case 'l':
      return ValueType::I64;
    case 'f':
      return ValueType::F32;
    case 'd':
      return ValueType::F64;
    default:
      return ValueType::V128;
  }
}

/// All loads and stores of the opcode table.
std::vector<Access> Accesses() {
  std::vector<Access> accesses;
  for (std::uint32_t code = 0; code < tenon::wasm::kOpcodeLimit; ++code) {
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::FindOpcode(code);
    const bool has_lane = info.immediate == tenon::wasm::Immediate::MemoryLane;
    if (!info.IsValid() || (!has_lane && info.immediate != tenon::wasm::Immediate::Memory)) {
      continue;
    }
    const std::size_t colon = info.signature.find(':');
    Access access{info.opcode,
                  std::string{info.text},
                  std::uint64_t{1} << info.width,
                  has_lane,
                  ValueType::I32,
                  colon == 2,
                  ValueType::I32,
                  colon + 1 < info.signature.size()};
    if (access.has_operand) access.operand = TypeOfLetter(info.signature[1]);
    if (access.has_result) access.result = TypeOfLetter(info.signature[colon + 1]);
    accesses.push_back(access);
  }
  return accesses;
}

Value SampleOf(ValueType type) {
  if (type == ValueType::I32) return Value{std::uint32_t{0xDEADBEEF}};
  if (type == ValueType::I64) return Value{std::uint64_t{0x0123456789ABCDEF}};
  if (type == ValueType::F32) return Value{-1.5f};
  if (type == ValueType::F64) return Value{2.75};
  V128 vector;
  for (std::uint8_t i = 0; i < 16; ++i) vector.bytes[i] = static_cast<std::uint8_t>(0xA0 + i);
  return Value{vector};
}

void Emit(CodeBuilder& code, const Access& access, std::uint64_t offset) {
  const tenon::wasm::MemoryArgument argument{0, offset};
  if (access.has_lane) {
    code.MemoryLane(access.opcode, argument, 1);
  } else {
    code.Memory(access.opcode, argument);
  }
}

constexpr std::array<std::uint64_t, 11> kOffsets = {0,          1,          kPage - 4,
                                                    kPage,      0x7FFFFFFF, 0x80000000,
                                                    0xFFFFFFFF, k4Gib,      std::uint64_t{1} << 63,
                                                    kMost - 7,  kMost};

/// Addresses that are edges together with an offset and a width.
std::vector<std::uint64_t> AddressesFor(std::uint64_t offset, std::uint64_t width) {
  std::vector<std::uint64_t> addresses = {0,          1,     kPage - 1,  kPage,
                                          0xFFFFFFFF, k4Gib, k4Gib + 16, std::uint64_t{1} << 63,
                                          kMost - 15, kMost};
  for (const std::uint64_t wrapping : {kPage - width - offset, kPage - width - offset + 1,
                                       std::uint64_t{0} - offset, std::uint64_t{8} - offset}) {
    addresses.push_back(wrapping);
  }
  return addresses;
}

/// Exports, for a memory of one page: "dynamic" takes address and operand; "sum" the same, whose
/// address is a sum with 8; "constant" has `constant` as address.
std::vector<std::uint8_t> AccessGuest(const Access& access, bool is_64, std::uint64_t offset,
                                      const std::vector<std::uint64_t>& constants) {
  ModuleBuilder module;
  module.Memory(TypeOf(is_64, 1));
  module.Export("memory", ExternKind::Memory, 0);
  const ValueType address = is_64 ? ValueType::I64 : ValueType::I32;
  std::vector<ValueType> parameters = {address};
  if (access.has_operand) parameters.push_back(access.operand);
  std::vector<ValueType> results;
  if (access.has_result) results.push_back(access.result);
  const std::uint32_t type = module.Type(parameters, results);
  const auto finish = [&](CodeBuilder& code) {
    if (access.has_operand) code.LocalGet(1);
    Emit(code, access, offset);
  };
  module.Export("dynamic", ExternKind::Func, module.Function(type, {}, [&](CodeBuilder& code) {
    code.LocalGet(0);
    finish(code);
  }));
  if (is_64) {
    module.Export("sum", ExternKind::Func, module.Function(type, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).I64Const(8).Emit(Opcode::I64Add);
      finish(code);
    }));
    for (std::size_t i = 0; i < constants.size(); ++i) {
      const std::uint32_t function = module.Function(type, {}, [&](CodeBuilder& code) {
        code.I64Const(static_cast<std::int64_t>(constants[i]));
        finish(code);
      });
      module.Export("constant" + std::to_string(i), ExternKind::Func, function);
    }
  }
  return module.Build();
}

/// Fills a memory of one page.
void Fill(tenon::Memory memory) {
  static const std::vector<std::uint8_t> pattern = Pattern(kPage);
  REQUIRE(memory.Write(0, pattern));
}

bool AreSame(const tenon::Memory& one, const tenon::Memory& other) {
  return std::memcmp(one.View(0, kPage)->data(), other.View(0, kPage)->data(), kPage) == 0;
}

std::vector<std::uint8_t> Contents(const tenon::Memory& memory) {
  const auto view = *memory.View(0, memory.Size());
  return {view.begin(), view.end()};
}

tenon::Module MakeGuest(const tenon::Runtime& runtime, const ModuleBuilder& module) {
  return runtime.Instantiate(module.Build(), tenon::ModuleConfig{}.WithName(""));
}

}  // namespace

TEST_CASE("a memory with 64-bit addresses needs its feature, which is off by default") {
  ModuleBuilder module;
  module.Memory(TypeOf(true, 1, 2));
  const auto error = Thrown<tenon::Error>(
      [&] { static_cast<void>(tenon::Runtime{}.CompileModule(module.Build())); });
  CHECK(error.Id() == tenon::ErrorCode::FeatureDisabled);
  CHECK_THAT(error.what(), Catch::Contains("feature \"memory64\" is disabled, needed by a memory "
                                           "with 64-bit addresses"));
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    CHECK_NOTHROW(tenon::Runtime{config}.CompileModule(module.Build()));
  });
}

TEST_CASE("tables with 64-bit indices are refused by name") {
  ModuleBuilder module;
  tenon::wasm::TableType type;
  type.limits.is_64 = true;
  module.Table(type);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  CHECK(Thrown<tenon::DecodeError>([&] {
          static_cast<void>(runtime.CompileModule(module.Build()));
        }).Id() == tenon::ErrorCode::Table64);
}

TEST_CASE("limits of a memory with 64-bit addresses have 64 bits") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  const auto compile = [&](std::uint64_t minimum, std::optional<std::uint64_t> maximum) {
    ModuleBuilder module;
    module.Memory(TypeOf(true, minimum, maximum));
    return runtime.CompileModule(module.Build());
  };
  constexpr std::uint64_t kMostPages = std::uint64_t{1} << 48;
  CHECK_NOTHROW(compile(0, kMostPages));
  CHECK(Thrown<tenon::ValidationError>([&] { compile(0, kMostPages + 1); }).Id() ==
        tenon::ErrorCode::Memory64TooLarge);
  CHECK(Thrown<tenon::ValidationError>([&] { compile(kMostPages + 1, std::nullopt); }).Id() ==
        tenon::ErrorCode::Memory64TooLarge);
  CHECK(Thrown<tenon::ValidationError>([&] { compile(2, 1); }).Id() ==
        tenon::ErrorCode::LimitsOrder);
  const auto error = Thrown<tenon::LinkError>(
      [&] { runtime.InstantiateModule(compile(kMostPages, std::nullopt), {}); });
  CHECK(error.Id() == tenon::ErrorCode::MemoryPagesLimit);
}

TEST_CASE("definitions tell memories with 64-bit addresses from others") {
  for (const bool is_64 : {false, true}) {
    ModuleBuilder module;
    module.Export("memory", ExternKind::Memory, module.Memory(TypeOf(is_64, 1, 3)));
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
    const tenon::Module guest = MakeGuest(runtime, module);
    const tenon::MemoryDefinition definition = guest.ExportedMemory("memory").Definition();
    CHECK(definition.is_64 == is_64);
    CHECK(definition.minimum == 1);
    CHECK(definition.maximum == 3);
    CHECK(guest.ExportedMemoryDefinitions().at(0).is_64 == is_64);
  }
}

TEST_CASE("memories link only to imports of the same addresses") {
  for (const bool is_64 : {false, true}) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
    tenon::HostModuleBuilder host = runtime.NewHostModuleBuilder("env");
    if (is_64) {
      host.ExportMemory64("memory", 1, 2);
    } else {
      host.ExportMemory("memory", 1, 2);
    }
    host.Instantiate();
    ModuleBuilder right;
    right.ImportMemory("env", "memory", TypeOf(is_64, 1, 2));
    CHECK_NOTHROW(MakeGuest(runtime, right));
    ModuleBuilder wrong;
    wrong.ImportMemory("env", "memory", TypeOf(!is_64, 1, 2));
    const auto error = Thrown<tenon::LinkError>([&] { MakeGuest(runtime, wrong); });
    CHECK(error.Id() == tenon::ErrorCode::ImportTypeMismatch);
    CHECK_THAT(error.what(), Catch::Contains(is_64 ? "guest wants 1..2 pages, module \"env\" has "
                                                     "i64 1..2 pages"
                                                   : "guest wants i64 1..2 pages, module \"env\" "
                                                     "has 1..2 pages"));
  }
}

TEST_CASE("host modules define memories with 64-bit addresses where the feature is on") {
  const tenon::Runtime without;
  const auto error = Thrown<tenon::ConfigError>(
      [&] { without.NewHostModuleBuilder("env").ExportMemory64("memory", 1).Instantiate(); });
  CHECK(error.Id() == tenon::ErrorCode::BuilderMemory64);
  CHECK(std::string{error.what()} ==
        "memory[env.memory] has 64-bit addresses, but feature \"memory64\" is disabled");
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  const tenon::Module host =
      runtime.NewHostModuleBuilder("env").ExportMemory64("memory", 1).Instantiate();
  CHECK(host.ExportedMemory("memory").Definition().is_64);
}

TEST_CASE("every access to 64-bit addresses traps exactly where its sum leaves the memory") {
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    for (const Access& access : Accesses()) {
      const tenon::Module narrow = runtime.Instantiate(AccessGuest(access, false, 0, {}),
                                                       tenon::ModuleConfig{}.WithName(""));
      const tenon::Function reference = narrow.ExportedFunction("dynamic");
      const tenon::Memory model = narrow.ExportedMemory("memory");
      Fill(model);
      for (const std::uint64_t offset : kOffsets) {
        const std::vector<std::uint64_t> addresses = AddressesFor(offset, access.width);
        const tenon::Module guest = runtime.Instantiate(
            AccessGuest(access, true, offset, addresses), tenon::ModuleConfig{}.WithName(""));
        const tenon::Memory memory = guest.ExportedMemory("memory");
        Fill(memory);
        for (std::size_t i = 0; i < addresses.size(); ++i) {
          const std::uint64_t address = addresses[i];
          INFO(access.name << " offset " << offset << " address " << address);
          const bool fits = Fits(address, offset, access.width, kPage);
          std::optional<std::vector<Value>> expected;
          if (fits) {
            std::vector<Value> arguments = {static_cast<std::uint32_t>(address + offset)};
            if (access.has_operand) arguments.push_back(SampleOf(access.operand));
            expected = Try(reference, arguments);
          }
          for (const std::string& name :
               {std::string{"dynamic"}, std::string{"sum"}, "constant" + std::to_string(i)}) {
            std::vector<Value> arguments = {name == "sum" ? address - 8 : address};
            if (access.has_operand) arguments.push_back(SampleOf(access.operand));
            const auto got = Try(guest.ExportedFunction(name), arguments);
            if (got != expected || (!access.has_result && !AreSame(memory, model))) {
              FAIL_CHECK(name);
            }
            if (fits && !access.has_result) Fill(memory);
          }
          if (fits && !access.has_result) Fill(model);
        }
      }
    }
  });
}

TEST_CASE("a sum that wraps is an address, an offset that wraps is a trap") {
  // Both lead to the same byte; what is known of one must not stand in for the other's check.
  for (const std::uint64_t distance :
       {std::uint64_t{24}, std::uint64_t{0x80000000}, k4Gib, std::uint64_t{1} << 63, kMost - 100}) {
    ModuleBuilder module;
    module.Memory(TypeOf(true, 1));
    module.Export("memory", ExternKind::Memory, 0);
    const std::uint32_t type = module.Type({ValueType::I64}, {ValueType::I64, ValueType::I64});
    const auto sum = [&](CodeBuilder& code) {
      code.LocalGet(0).I64Const(static_cast<std::int64_t>(distance)).Emit(Opcode::I64Add);
      code.Memory(Opcode::I64Load);
    };
    const auto offset = [&](CodeBuilder& code) {
      code.LocalGet(0).Memory(Opcode::I64Load, {0, distance});
    };
    module.Export("sum", ExternKind::Func, module.Function(type, {}, [&](CodeBuilder& code) {
      sum(code);
      sum(code);
    }));
    module.Export("sum_first", ExternKind::Func, module.Function(type, {}, [&](CodeBuilder& code) {
      sum(code);
      offset(code);
    }));
    module.Export("offset_first", ExternKind::Func,
                  module.Function(type, {}, [&](CodeBuilder& code) {
                    offset(code);
                    sum(code);
                  }));
    OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
      const tenon::Runtime runtime{config};
      const tenon::Module guest = MakeGuest(runtime, module);
      tenon::Memory memory = guest.ExportedMemory("memory");
      Fill(memory);
      const std::uint64_t wrapping = 40 - distance;
      INFO(distance);
      const std::optional<std::uint64_t> value = memory.ReadUint64Le(40);
      CHECK(guest.ExportedFunction("sum").Call({wrapping}) ==
            std::vector<Value>{Value{*value}, Value{*value}});
      const bool wraps = distance > 40;
      CHECK(Try(guest.ExportedFunction("sum_first"), {wrapping}).has_value() == !wraps);
      CHECK(Try(guest.ExportedFunction("offset_first"), {wrapping}).has_value() == !wraps);
    });
  }
}

TEST_CASE("checks of 64-bit addresses that have been made hold for less, and for no more") {
  ModuleBuilder module;
  module.Memory(TypeOf(true, 1));
  const std::uint32_t type = module.Type({ValueType::I64}, {});
  // Offsets of two accesses to the same address, the second of which may need its own check.
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs = {
      {0, 8}, {8, 0}, {0, 0x7FFFFFF0}, {0, 0x80000000}, {16, kMost}, {0, kMost - 8}};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::uint32_t function = module.Function(type, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).Memory(Opcode::I64Load, {0, pairs[i].first}).Drop();
      code.LocalGet(0).Memory(Opcode::I64Load, {0, pairs[i].second}).Drop();
    });
    module.Export(std::to_string(i), ExternKind::Func, function);
  }
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module guest = MakeGuest(runtime, module);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      for (const std::uint64_t address : {std::uint64_t{0}, kPage - 24, kPage - 16, kPage - 15,
                                          kPage - 8, kPage - 7, k4Gib, kMost - 7, kMost}) {
        INFO(i << " at " << address);
        const bool fits =
            Fits(address, pairs[i].first, 8, kPage) && Fits(address, pairs[i].second, 8, kPage);
        CHECK(Try(guest.ExportedFunction(std::to_string(i)), {address}).has_value() == fits);
      }
    }
  });
}

TEST_CASE("bulk instructions on 64-bit addresses trap exactly where they leave the memory") {
  ModuleBuilder module;
  module.Memory(TypeOf(true, 1));
  module.Export("memory", ExternKind::Memory, 0);
  const std::vector<std::uint8_t> data = Pattern(64);
  module.PassiveData(data);
  const ValueType i64 = ValueType::I64;
  const ValueType i32 = ValueType::I32;
  const auto add = [&](const char* name, std::uint32_t type, auto instruction) {
    const std::uint32_t function = module.Function(type, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).LocalGet(1).LocalGet(2);
      instruction(code);
    });
    module.Export(name, ExternKind::Func, function);
  };
  add("fill", module.Type({i64, i32, i64}, {}), [](CodeBuilder& code) { code.MemoryFill(); });
  add("copy", module.Type({i64, i64, i64}, {}), [](CodeBuilder& code) { code.MemoryCopy(); });
  add("init", module.Type({i64, i32, i32}, {}), [](CodeBuilder& code) { code.MemoryInit(0); });
  const std::vector<std::uint64_t> edges = {0,
                                            1,
                                            63,
                                            64,
                                            kPage - 1,
                                            kPage,
                                            kPage + 1,
                                            0xFFFFFFFF,
                                            k4Gib,
                                            k4Gib + 1,
                                            std::uint64_t{1} << 63,
                                            kMost - 63,
                                            kMost};
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module guest = MakeGuest(runtime, module);
    const tenon::Memory memory = guest.ExportedMemory("memory");
    Fill(memory);
    std::vector<std::uint8_t> model = Contents(memory);
    for (const std::uint64_t to : edges) {
      for (const std::uint64_t count : edges) {
        INFO("to " << to << " count " << count);
        const bool fits = Fits(to, 0, count, kPage);
        CHECK(Try(guest.ExportedFunction("fill"), {to, std::uint32_t{0x17F}, count}).has_value() ==
              fits);
        if (fits && count != 0) std::memset(model.data() + to, 0x7F, count);
        CHECK(Contents(memory) == model);
        for (const std::uint64_t from : edges) {
          const bool copies = fits && Fits(from, 0, count, kPage);
          CHECK(Try(guest.ExportedFunction("copy"), {to, from, count}).has_value() == copies);
          if (copies && count != 0) std::memmove(model.data() + to, model.data() + from, count);
        }
        CHECK(Contents(memory) == model);
        const auto narrow = static_cast<std::uint32_t>(count);
        const bool inits = Fits(to, 0, narrow, kPage) && narrow <= 64;
        CHECK(Try(guest.ExportedFunction("init"), {to, std::uint32_t{0}, narrow}).has_value() ==
              inits);
        if (inits && narrow != 0) std::memcpy(model.data() + to, data.data(), narrow);
        CHECK(Contents(memory) == model);
      }
    }
  });
}

TEST_CASE("a memory with 64-bit addresses says its size and grows in 64 bits") {
  ModuleBuilder module;
  module.Memory(TypeOf(true, 1, 5));
  const ValueType i64 = ValueType::I64;
  module.Export("grow", ExternKind::Func,
                module.Function(module.Type({i64}, {i64}), {},
                                [](CodeBuilder& code) { code.LocalGet(0).MemoryGrow(); }));
  module.Export(
      "size", ExternKind::Func,
      module.Function(module.Type({}, {i64}), {}, [](CodeBuilder& code) { code.MemorySize(); }));
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module guest = MakeGuest(runtime, module);
    const auto grow = guest.ExportedFunction<std::uint64_t(std::uint64_t)>("grow");
    const auto size = guest.ExportedFunction<std::uint64_t()>("size");
    CHECK(size() == 1);
    for (const std::uint64_t delta : {std::uint64_t{5}, k4Gib, k4Gib + 1, std::uint64_t{1} << 48,
                                      (std::uint64_t{1} << 48) + 1, kMost}) {
      CHECK(grow(delta) == kMost);
    }
    CHECK(grow(0) == 1);
    CHECK(grow(4) == 1);
    CHECK(size() == 5);
    CHECK(grow(1) == kMost);
  });
}

TEST_CASE("data goes to 64-bit places, or nowhere") {
  const auto guest = [](std::int64_t place) {
    ModuleBuilder module;
    module.Export("memory", ExternKind::Memory, module.Memory(TypeOf(true, 1)));
    module.ActiveData(ConstantExpression::I64(place), "data");
    return module;
  };
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module placed = MakeGuest(runtime, guest(kPage - 4));
    CHECK(placed.ExportedMemory("memory").ViewString(kPage - 4, 4) == "data");
    for (const std::int64_t place :
         {std::int64_t{kPage - 3}, std::int64_t{k4Gib}, std::int64_t{-1}, std::int64_t{-4}}) {
      CHECK(Thrown<tenon::Trap>([&] { MakeGuest(runtime, guest(place)); }).Code() ==
            tenon::TrapCode::OutOfBoundsMemoryAccess);
    }
  });
  ModuleBuilder narrow;
  narrow.Memory(TypeOf(true, 1));
  narrow.ActiveData(ConstantExpression::I32(0), "data");
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  CHECK(Thrown<tenon::ValidationError>([&] { runtime.CompileModule(narrow.Build()); }).Id() ==
        tenon::ErrorCode::TypeMismatch);
}

TEST_CASE("a memory with 64-bit addresses has more than 4 GiB where the runtime allows it") {
  ModuleBuilder module;
  module.Export("memory", ExternKind::Memory, module.Memory(TypeOf(true, 1)));
  const std::uint32_t load = module.Type({ValueType::I64}, {ValueType::I64});
  module.Export("load", ExternKind::Func, module.Function(load, {}, [](CodeBuilder& code) {
    code.LocalGet(0).Memory(Opcode::I64Load);
  }));
  module.Export("load_far", ExternKind::Func, module.Function(load, {}, [](CodeBuilder& code) {
    code.LocalGet(0).Memory(Opcode::I64Load, {0, k4Gib});
  }));
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime usual{config};
    CHECK_FALSE(MakeGuest(usual, module).ExportedMemory("memory").Grow(65536).has_value());

    const tenon::Runtime runtime{config.WithMemoryLimitPages(65536 + 2)};
    const tenon::Module guest = MakeGuest(runtime, module);
    tenon::Memory memory = guest.ExportedMemory("memory");
    if (!memory.Grow(65536).has_value()) {
      WARN("the machine gives no 4 GiB");
      return;
    }
    CHECK(memory.Size() == k4Gib + kPage);
    CHECK(memory.WriteUint64Le(8, 1));
    CHECK(memory.WriteUint64Le(k4Gib + 8, 2));
    CHECK(memory.WriteUint64Le(k4Gib + kPage - 8, 0x300));
    const auto near = guest.ExportedFunction<std::uint64_t(std::uint64_t)>("load");
    const auto far = guest.ExportedFunction<std::uint64_t(std::uint64_t)>("load_far");
    CHECK(near(8) == 1);
    CHECK(near(k4Gib + 8) == 2);
    CHECK(far(8) == 2);
    CHECK(far(kPage - 8) == 0x300);
    CHECK_THROWS_AS(far(kPage - 7), tenon::Trap);
    CHECK_THROWS_AS(near(k4Gib + kPage - 7), tenon::Trap);
    CHECK(memory.Grow(1) == 65537);
    CHECK(near(k4Gib + kPage - 7) == 3);
    CHECK_FALSE(memory.Grow(1).has_value());
  });
}

TEST_CASE("pages that a runtime may allow depend on 64-bit addresses") {
  const auto config = tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures);
  CHECK_NOTHROW(tenon::Runtime{config.WithMemoryLimitPages(262144)});
  CHECK(TextOf<tenon::ConfigError>([&] { tenon::Runtime{config.WithMemoryLimitPages(262145)}; }) ==
        "memoryLimitPages invalid: 262145 > 262144");
  ModuleBuilder module;
  module.Export("memory", ExternKind::Memory, module.Memory(1));
  const tenon::Runtime runtime{config.WithMemoryLimitPages(262144)};
  CHECK_FALSE(MakeGuest(runtime, module).ExportedMemory("memory").Grow(65536).has_value());
}
