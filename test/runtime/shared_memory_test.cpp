// SPDX-License-Identifier: Apache-2.0
/// @file
/// Atomic instructions and shared memories on one thread: the feature, linking, and every access at
/// its edges.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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
using tenon::TrapCode;
using tenon::Value;
using tenon::ValueType;
using tenon::wasm::AtomicKind;
using tenon::wasm::CodeBuilder;
using tenon::wasm::MemoryType;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

namespace {

constexpr std::uint64_t kPage = 65536;
constexpr std::uint64_t kMost = UINT64_MAX;

const tenon::CoreFeatures kFeatures = tenon::CoreFeatures::V2()
                                          .SetEnabled(tenon::Feature::Threads, true)
                                          .SetEnabled(tenon::Feature::Memory64, true);

MemoryType TypeOf(bool is_shared, bool is_64, std::uint64_t minimum, std::uint64_t maximum) {
  MemoryType type;
  type.limits.minimum = minimum;
  type.limits.maximum = maximum;
  type.limits.has_maximum = true;
  type.limits.is_64 = is_64;
  type.limits.is_shared = is_shared;
  return type;
}

tenon::Module MakeGuest(const tenon::Runtime& runtime, const ModuleBuilder& module) {
  return runtime.Instantiate(module.Build(), tenon::ModuleConfig{}.WithName(""));
}

/// An instruction that reads or writes memory by itself.
struct Access {
  Opcode opcode;
  std::string name;
  AtomicKind kind;
  std::uint64_t width;
  ValueType type;
  std::size_t operands;  ///< behind the address
  bool has_result;
};

std::vector<Access> Accesses() {
  std::vector<Access> accesses;
  for (std::uint32_t code = static_cast<std::uint32_t>(Opcode::I32AtomicLoad);
       code < tenon::wasm::kOpcodeLimit; ++code) {
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::FindOpcode(code);
    if (!info.IsValid()) continue;
    const std::size_t colon = info.signature.find(':');
    accesses.push_back({info.opcode, std::string{info.text}, tenon::wasm::AtomicKindOf(info.opcode),
                        std::uint64_t{1} << info.width,
                        info.text.starts_with("i32") ? ValueType::I32 : ValueType::I64, colon - 1,
                        colon + 1 < info.signature.size()});
  }
  return accesses;
}

Value NumberOf(ValueType type, std::uint64_t number) {
  return type == ValueType::I32 ? Value{static_cast<std::uint32_t>(number)} : Value{number};
}

/// What an access makes of the number that is there. `former` is that number.
std::uint64_t Applied(AtomicKind kind, std::uint64_t former, std::uint64_t operand,
                      std::uint64_t replacement, std::uint64_t mask) {
  switch (kind) {
    case AtomicKind::Load:
      return former;
    case AtomicKind::Store:
    case AtomicKind::Exchange:
      return operand & mask;
    case AtomicKind::Add:
      return (former + operand) & mask;
    case AtomicKind::Sub:
      return (former - operand) & mask;
    case AtomicKind::And:
      return former & operand & mask;
    case AtomicKind::Or:
      return (former | operand) & mask;
    case AtomicKind::Xor:
      return (former ^ operand) & mask;
    case AtomicKind::CompareExchange:
      return former == (operand & mask) ? replacement & mask : former;
  }
  return 0;
}

/// A memory of one page and, for each access, its name followed by: " dynamic", which takes address
/// and operands; " ignored", which drops the result; " constant0" and so on, which have the
/// addresses that `constants` gives for its width.
template <class Constants>
std::vector<std::uint8_t> AccessGuest(const MemoryType& memory, std::uint64_t offset,
                                      const Constants& constants) {
  ModuleBuilder module;
  module.Memory(memory);
  module.Export("memory", ExternKind::Memory, 0);
  const ValueType address = memory.limits.is_64 ? ValueType::I64 : ValueType::I32;
  for (const Access& access : Accesses()) {
    std::vector<ValueType> parameters = {address};
    parameters.insert(parameters.end(), access.operands, access.type);
    std::vector<ValueType> results;
    if (access.has_result) results.push_back(access.type);
    const auto add = [&](const std::string& name, std::optional<std::uint64_t> constant,
                         bool has_result) {
      const std::uint32_t type =
          module.Type(parameters, has_result ? results : std::vector<ValueType>{});
      module.Export(access.name + name, ExternKind::Func,
                    module.Function(type, {}, [&](CodeBuilder& code) {
                      if (!constant) {
                        code.LocalGet(0);
                      } else if (memory.limits.is_64) {
                        code.I64Const(static_cast<std::int64_t>(*constant));
                      } else {
                        code.I32Const(static_cast<std::int32_t>(*constant));
                      }
                      for (std::uint32_t i = 1; i <= access.operands; ++i) code.LocalGet(i);
                      code.Memory(access.opcode, {.offset = offset});
                      if (access.has_result && !has_result) code.Drop();
                    }));
    };
    add(" dynamic", std::nullopt, true);
    add(" ignored", std::nullopt, false);
    std::size_t number = 0;
    for (const std::uint64_t constant : constants(access.width)) {
      add(" constant" + std::to_string(number++), constant, true);
    }
  }
  return module.Build();
}

std::vector<std::uint8_t> Pattern() {
  std::vector<std::uint8_t> pattern(kPage);
  for (std::uint64_t i = 0; i < kPage; ++i) {
    pattern[i] = static_cast<std::uint8_t>(i * 167 + (i >> 8) * 31 + 5);
  }
  return pattern;
}

std::vector<std::uint8_t> Contents(const tenon::Memory& memory) {
  std::vector<std::uint8_t> bytes(memory.Size());
  REQUIRE(memory.Read(0, std::span<std::uint8_t>{bytes}));
  return bytes;
}

constexpr std::array<std::uint64_t, 7> kOffsets = {
    0, 1, kPage - 8, std::uint64_t{33} << 20, 0x7FFFFFF8, 1u << 31, 0xFFFFFFF8};
constexpr std::array<std::uint64_t, 5> kOperands = {0, 1, 0x80, 0x8000000080008080,
                                                    0x0123456789ABCDEF};

/// A guest of AccessGuest and what its memory should be.
struct Model {
  tenon::Module guest;
  bool is_64;
  std::uint64_t offset;
  std::vector<std::uint8_t> bytes = Pattern();
};

/// Calls one function on the guest and on the model, with each operand until it traps.
void Compare(const Access& access, Model& model, const std::string& form, std::uint64_t address) {
  const std::uint64_t at = address + model.offset;
  const bool is_aligned = at % access.width == 0;
  const bool fits = at >= address && at <= kPage - access.width;
  const TrapCode wanted = !is_aligned ? TrapCode::UnalignedAtomic
                          : !fits     ? TrapCode::OutOfBoundsMemoryAccess
                                      : TrapCode::None;
  const std::uint64_t mask = access.width == 8 ? kMost : (std::uint64_t{1} << access.width * 8) - 1;
  const tenon::Function function = model.guest.ExportedFunction(access.name + form);
  for (const std::uint64_t chosen : kOperands) {
    std::uint64_t former = 0;
    if (wanted == TrapCode::None) std::memcpy(&former, model.bytes.data() + at, access.width);
    // Half of the comparisons hold, with junk above what is compared.
    const bool matches = access.kind == AtomicKind::CompareExchange && (chosen & 1) != 0;
    const std::uint64_t operand = matches ? former | (chosen & ~mask) : chosen;
    const std::uint64_t replacement = ~chosen;
    const std::uint64_t passed = form.starts_with(" constant") ? 0 : address;
    std::vector<Value> arguments = {model.is_64 ? Value{passed}
                                                : Value{static_cast<std::uint32_t>(passed)}};
    if (access.operands >= 1) arguments.push_back(NumberOf(access.type, operand));
    if (access.operands >= 2) arguments.push_back(NumberOf(access.type, replacement));
    std::vector<Value> results;
    TrapCode trap = TrapCode::None;
    try {
      results = function.Call(arguments);
    } catch (const tenon::Trap& caught) {
      trap = caught.Code();
    }
    const bool is_wrong =
        wanted == TrapCode::None && !results.empty() && results[0] != NumberOf(access.type, former);
    if (trap != wanted || is_wrong) {
      FAIL_CHECK(access.name << form << " address " << address << " offset " << model.offset
                             << " operand " << operand << ": trap \"" << TrapText(trap) << '"');
    }
    if (wanted != TrapCode::None) return;
    const std::uint64_t changed = Applied(access.kind, former, operand, replacement, mask);
    std::memcpy(model.bytes.data() + at, &changed, access.width);
  }
}

}  // namespace

TEST_CASE("atomic instructions and shared memories need their feature, which is off by default") {
  ModuleBuilder shared;
  shared.Memory(TypeOf(true, false, 1, 2));
  ModuleBuilder atomic;
  atomic.Memory(TypeOf(false, false, 1, 2));
  atomic.Function(atomic.Type({}, {ValueType::I32}), {},
                  [](CodeBuilder& code) { code.I32Const(0).Memory(Opcode::I32AtomicLoad); });
  const auto refusal = [](const ModuleBuilder& module) {
    return std::string{Thrown<tenon::Error>([&] {
                         static_cast<void>(tenon::Runtime{}.CompileModule(module.Build()));
                       }).what()};
  };
  CHECK_THAT(refusal(shared),
             Catch::Contains("feature \"threads\" is disabled, needed by a shared memory"));
  CHECK_THAT(refusal(atomic),
             Catch::Contains("feature \"threads\" is disabled, needed by i32.atomic.load"));
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    CHECK_NOTHROW(tenon::Runtime{config}.CompileModule(shared.Build()));
    CHECK_NOTHROW(tenon::Runtime{config}.CompileModule(atomic.Build()));
  });
}

TEST_CASE("a shared memory has a maximum, and atomic accesses their natural alignment") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  ModuleBuilder endless;
  MemoryType type = TypeOf(true, false, 1, 2);
  type.limits.has_maximum = false;
  endless.Memory(type);
  const auto refusal = [&](const ModuleBuilder& module) {
    return Thrown<tenon::ValidationError>(
        [&] { static_cast<void>(runtime.CompileModule(module.Build())); });
  };
  CHECK(refusal(endless).Id() == tenon::ErrorCode::SharedWithoutMaximum);
  for (const std::uint8_t alignment : std::vector<std::uint8_t>{0, 1, 3}) {
    ModuleBuilder module;
    module.Memory(1);
    module.Function(module.Type({}, {ValueType::I32}), {}, [&](CodeBuilder& code) {
      code.I32Const(0).Raw({0xFE, 0x10, alignment, 0x00});
    });
    CHECK(refusal(module).Id() == tenon::ErrorCode::AlignmentNotNatural);
    CHECK_THAT(refusal(module).what(), Catch::Contains("atomic alignment must be natural: 2^" +
                                                       std::to_string(alignment) + ", not 2^2"));
  }
}

TEST_CASE("a fence needs no memory, and its immediate is zero") {
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    ModuleBuilder module;
    module.Export("run", ExternKind::Func,
                  module.Function(module.Type({}, {ValueType::I32}), {}, [](CodeBuilder& code) {
                    code.I32Const(7).Emit(Opcode::AtomicFence);
                  }));
    CHECK(MakeGuest(runtime, module).ExportedFunction<int()>("run")() == 7);
    ModuleBuilder wrong;
    wrong.Function(wrong.Type({}, {}), {}, [](CodeBuilder& code) { code.Raw({0xFE, 0x03, 0x01}); });
    CHECK(Thrown<tenon::DecodeError>([&] {
            static_cast<void>(runtime.CompileModule(wrong.Build()));
          }).Id() == tenon::ErrorCode::ZeroByteExpected);
  });
}

TEST_CASE("definitions tell shared memories from others") {
  for (const bool is_shared : {false, true}) {
    ModuleBuilder module;
    module.Export("memory", ExternKind::Memory, module.Memory(TypeOf(is_shared, false, 1, 3)));
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
    const tenon::Module guest = MakeGuest(runtime, module);
    CHECK(guest.ExportedMemory("memory").Definition().is_shared == is_shared);
    CHECK(guest.ExportedMemory("memory").IsShared() == is_shared);
    CHECK(guest.ExportedMemoryDefinitions().at(0).is_shared == is_shared);
  }
}

TEST_CASE("shared memories link only to imports of shared ones, and both are named") {
  for (const bool is_shared : {false, true}) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
    tenon::HostModuleBuilder host = runtime.NewHostModuleBuilder("env");
    if (is_shared) {
      host.ExportSharedMemory("memory", 1, 2);
    } else {
      host.ExportMemory("memory", 1, 2);
    }
    host.Instantiate();
    ModuleBuilder right;
    right.ImportMemory("env", "memory", TypeOf(is_shared, false, 1, 2));
    CHECK_NOTHROW(MakeGuest(runtime, right));
    ModuleBuilder wrong;
    wrong.ImportMemory("env", "memory", TypeOf(!is_shared, false, 1, 2));
    const auto error = Thrown<tenon::LinkError>([&] { MakeGuest(runtime, wrong); });
    CHECK(error.Id() == tenon::ErrorCode::ImportTypeMismatch);
    CHECK_THAT(error.what(),
               Catch::Contains(is_shared ? "guest wants 1..2 pages, module \"env\" has "
                                           "shared 1..2 pages"
                                         : "guest wants shared 1..2 pages, module \"env\" "
                                           "has 1..2 pages"));
  }
}

TEST_CASE("host modules define shared memories where the feature is on") {
  const tenon::Runtime without;
  const auto error = Thrown<tenon::ConfigError>([&] {
    without.NewHostModuleBuilder("env").ExportSharedMemory("memory", 1, 2).Instantiate();
  });
  CHECK(error.Id() == tenon::ErrorCode::BuilderSharedMemory);
  CHECK(std::string{error.what()} ==
        "memory[env.memory] is shared, but feature \"threads\" is disabled");
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  tenon::Memory narrow = runtime.NewHostModuleBuilder("env")
                             .ExportSharedMemory("memory", 1, 3)
                             .Instantiate()
                             .ExportedMemory("memory");
  CHECK(narrow.IsShared());
  CHECK_FALSE(narrow.Definition().is_64);
  CHECK(narrow.Grow(2) == 1);
  CHECK(narrow.Grow(1) == std::nullopt);
  const tenon::Memory wide = runtime.NewHostModuleBuilder("wide")
                                 .ExportSharedMemory64("memory", 1, 3)
                                 .Instantiate()
                                 .ExportedMemory("memory");
  CHECK(wide.IsShared());
  CHECK(wide.Definition().is_64);
}

TEST_CASE("every atomic access does what it says, exactly where it is aligned and in bounds") {
  const std::vector<Access> accesses = Accesses();
  CHECK(accesses.size() == 63);
  OnEachVariant(kFeatures, [&](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    for (const bool is_shared : {false, true}) {
      for (const bool is_64 : {false, true}) {
        for (const std::uint64_t offset : kOffsets) {
          const auto addresses = [&](std::uint64_t width) {
            std::vector<std::uint64_t> chosen = {0, 8, 20, 0xFFFFFFF8};
            const std::uint64_t last = kPage - width - offset;
            for (const std::uint64_t more : {last, last + 1, last + width, 16 - offset}) {
              chosen.push_back(is_64 ? more : more & 0xFFFFFFFF);
            }
            return chosen;
          };
          Model model{
              runtime.Instantiate(AccessGuest(TypeOf(is_shared, is_64, 1, 1), offset, addresses),
                                  tenon::ModuleConfig{}.WithName("")),
              is_64, offset};
          tenon::Memory memory = model.guest.ExportedMemory("memory");
          REQUIRE(memory.Write(0, model.bytes));
          for (const Access& access : accesses) {
            const std::vector<std::uint64_t> chosen = addresses(access.width);
            for (std::size_t i = 0; i < chosen.size(); ++i) {
              Compare(access, model, " dynamic", chosen[i]);
              Compare(access, model, " ignored", chosen[i]);
              Compare(access, model, " constant" + std::to_string(i), chosen[i]);
            }
          }
          INFO("shared " << is_shared << " 64 " << is_64 << " offset " << offset);
          CHECK(Contents(memory) == model.bytes);
        }
      }
    }
  });
}

TEST_CASE("plain accesses and bulk operations reach shared memories as others") {
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    for (const bool is_64 : {false, true}) {
      const tenon::Runtime runtime{config};
      ModuleBuilder module;
      module.Export("memory", ExternKind::Memory, module.Memory(TypeOf(true, is_64, 1, 2)));
      const ValueType address = is_64 ? ValueType::I64 : ValueType::I32;
      const std::uint32_t data = module.PassiveData(std::vector<std::uint8_t>{1, 2, 3, 4, 5});
      module.Export("store", ExternKind::Func,
                    module.Function(module.Type({address, ValueType::I64}, {ValueType::I64}), {},
                                    [](CodeBuilder& code) {
                                      code.LocalGet(0).LocalGet(1).Memory(Opcode::I64Store);
                                      code.LocalGet(0).Memory(Opcode::I64Load);
                                    }));
      module.Export("vector", ExternKind::Func,
                    module.Function(module.Type({address}, {}), {}, [](CodeBuilder& code) {
                      code.LocalGet(0).LocalGet(0).Memory(Opcode::V128Load);
                      code.Memory(Opcode::V128Store, {.offset = 17});
                    }));
      module.Export("init", ExternKind::Func,
                    module.Function(module.Type({address}, {}), {}, [&](CodeBuilder& code) {
                      code.LocalGet(0).I32Const(0).I32Const(5).MemoryInit(data);
                    }));
      module.Export(
          "move", ExternKind::Func,
          module.Function(module.Type({address, address, address}, {}), {}, [](CodeBuilder& code) {
            code.LocalGet(0).LocalGet(1).LocalGet(2).MemoryCopy();
          }));
      module.Export(
          "fill", ExternKind::Func,
          module.Function(module.Type({address, address}, {}), {}, [&](CodeBuilder& code) {
            code.LocalGet(0).I32Const(0xEE).LocalGet(1).MemoryFill();
          }));
      const tenon::Module guest = MakeGuest(runtime, module);
      tenon::Memory memory = guest.ExportedMemory("memory");
      std::vector<std::uint8_t> model = Pattern();
      REQUIRE(memory.Write(0, model));
      const auto call = [&](const std::string& name, std::vector<std::uint64_t> numbers) {
        std::vector<Value> arguments;
        for (const std::uint64_t number : numbers) {
          arguments.push_back(is_64 ? Value{number} : Value{static_cast<std::uint32_t>(number)});
        }
        static_cast<void>(guest.ExportedFunction(name).Call(arguments));
      };
      for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{3}, kPage - 8}) {
        const std::uint64_t number = 0x1122334455667788 + at;
        std::memcpy(model.data() + at, &number, 8);
        CHECK(guest.ExportedFunction("store")
                  .Call({is_64 ? Value{at} : Value{static_cast<std::uint32_t>(at)}, Value{number}})
                  .at(0)
                  .U64() == number);
      }
      call("vector", {5});
      std::memmove(model.data() + 22, model.data() + 5, 16);
      call("init", {1001});
      for (std::uint8_t i = 0; i < 5; ++i) model[1001u + i] = static_cast<std::uint8_t>(i + 1);
      for (const auto& [to, from] : {std::pair{100u, 103u}, std::pair{2003u, 2000u},
                                     std::pair{5000u, 60000u}, std::pair{0u, 0u}}) {
        call("move", {to, from, 1000});
        std::memmove(model.data() + to, model.data() + from, 1000);
      }
      call("fill", {kPage - 700, 700});
      std::fill(model.end() - 700, model.end(), std::uint8_t{0xEE});
      CHECK(Contents(memory) == model);
      for (const auto& [name, numbers] :
           {std::pair{"vector", std::vector<std::uint64_t>{kPage - 32}},
            std::pair{"init", std::vector<std::uint64_t>{kPage - 4}},
            std::pair{"move", std::vector<std::uint64_t>{0, kPage - 999, 1000}},
            std::pair{"fill", std::vector<std::uint64_t>{kPage - 699, 700}}}) {
        CHECK(Thrown<tenon::Trap>([&] { call(name, numbers); }).Code() ==
              TrapCode::OutOfBoundsMemoryAccess);
      }
      CHECK(Contents(memory) == model);
    }
  });
}

namespace {

/// Exports wait32, wait64 and notify with offset 8, and a memory of one page.
ModuleBuilder WaitingGuest(const MemoryType& memory) {
  ModuleBuilder module;
  module.Export("memory", ExternKind::Memory, module.Memory(memory));
  const ValueType address = memory.limits.is_64 ? ValueType::I64 : ValueType::I32;
  const auto add = [&](const std::string& name, Opcode opcode, std::vector<ValueType> operands) {
    operands.insert(operands.begin(), address);
    const auto count = static_cast<std::uint32_t>(operands.size());
    module.Export(
        name, ExternKind::Func,
        module.Function(module.Type(operands, {ValueType::I32}), {}, [&](CodeBuilder& code) {
          for (std::uint32_t i = 0; i < count; ++i) code.LocalGet(i);
          code.Memory(opcode, {.offset = 8});
        }));
  };
  add("wait32", Opcode::MemoryAtomicWait32, {ValueType::I32, ValueType::I64});
  add("wait64", Opcode::MemoryAtomicWait64, {ValueType::I64, ValueType::I64});
  add("notify", Opcode::MemoryAtomicNotify, {ValueType::I32});
  return module;
}

/// The result of a call, or the code of the trap that it ended with.
struct Outcome {
  std::optional<std::uint32_t> result;
  TrapCode trap = TrapCode::None;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome Call(const tenon::Module& guest, const std::string& name,
             const std::vector<Value>& arguments) {
  try {
    return {.result = guest.ExportedFunction(name).Call(arguments).at(0).U32()};
  } catch (const tenon::Trap& trap) {
    return {.result = std::nullopt, .trap = trap.Code()};
  }
}

}  // namespace

TEST_CASE("wait answers whether the value was another or time passed, and traps where it must") {
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    for (const bool is_shared : {false, true}) {
      for (const bool is_64 : {false, true}) {
        const tenon::Module guest =
            MakeGuest(runtime, WaitingGuest(TypeOf(is_shared, is_64, 1, 1)));
        tenon::Memory memory = guest.ExportedMemory("memory");
        REQUIRE(memory.WriteUint64Le(16, 0x0000000500000007));
        const auto at = [is_64](std::uint64_t address) {
          return is_64 ? Value{address} : Value{static_cast<std::uint32_t>(address)};
        };
        const auto wait32 = [&](std::uint64_t address, std::uint32_t expected, std::int64_t time) {
          return Call(guest, "wait32", {at(address), expected, time});
        };
        const auto wait64 = [&](std::uint64_t address, std::uint64_t expected, std::int64_t time) {
          return Call(guest, "wait64", {at(address), expected, time});
        };
        const auto trapped = [](TrapCode code) { return Outcome{std::nullopt, code}; };
        INFO("shared " << is_shared << " 64 " << is_64);
        CHECK(wait32(2, 7, 0) == trapped(TrapCode::UnalignedAtomic));
        CHECK(wait64(4, 7, 0) == trapped(TrapCode::UnalignedAtomic));
        CHECK(wait32(kPage - 8, 7, 0) == trapped(TrapCode::OutOfBoundsMemoryAccess));
        CHECK(wait64(is_64 ? kMost - 7 : 0xFFFFFFF8, 7, 0) ==
              (is_64 ? trapped(TrapCode::OutOfBoundsMemoryAccess)
                     : trapped(TrapCode::OutOfBoundsMemoryAccess)));
        if (!is_shared) {
          CHECK(wait32(8, 7, 0) == trapped(TrapCode::ExpectedSharedMemory));
          CHECK(wait64(8, 7, 0) == trapped(TrapCode::ExpectedSharedMemory));
        } else {
          CHECK(wait32(8, 6, -1) == Outcome{1});
          CHECK(wait32(8, 7, 0) == Outcome{2});
          CHECK(wait32(8, 7, 2'000'000) == Outcome{2});
          CHECK(wait32(12, 5, 0) == Outcome{2});
          CHECK(wait64(8, 7, -1) == Outcome{1});
          CHECK(wait64(8, 0x0000000500000007, 1000) == Outcome{2});
          CHECK(wait32(kPage - 12, 0, 0) == Outcome{2});
        }
        CHECK(Call(guest, "notify", {at(8), 7u}) == Outcome{0});
        CHECK(Call(guest, "notify", {at(kPage - 12), 7u}) == Outcome{0});
        CHECK(Call(guest, "notify", {at(2), 0u}) == trapped(TrapCode::UnalignedAtomic));
        CHECK(Call(guest, "notify", {at(kPage - 8), 0u}) ==
              trapped(TrapCode::OutOfBoundsMemoryAccess));
      }
    }
  });
}

TEST_CASE("traps of atomic instructions say what is wrong, and where") {
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module guest = MakeGuest(runtime, WaitingGuest(TypeOf(false, false, 1, 1)));
    const auto trap = Thrown<tenon::Trap>(
        [&] { guest.ExportedFunction("wait32").Call({0u, 0u, std::int64_t{-1}}); });
    CHECK_THAT(trap.what(), Catch::Contains("expected shared memory"));
    REQUIRE(trap.Backtrace().size() == 1);
    CHECK_THAT(Thrown<tenon::Trap>([&] { guest.ExportedFunction("notify").Call({1u, 0u}); }).what(),
               Catch::Contains("unaligned atomic"));
  });
}

TEST_CASE("a memory of a MemoryAllocator is shared only if it can be made whole at once") {
  class Fixed final : public tenon::LinearMemory {
   public:
    explicit Fixed(std::uint64_t size) : bytes_(size) {}
    std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
      return ++calls_ == 1 && size == bytes_.size() ? bytes_.data() : nullptr;
    }

   private:
    std::vector<std::uint8_t> bytes_;
    int calls_ = 0;
  };
  class Allocator final : public tenon::MemoryAllocator {
   public:
    std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t capacity,
                                                  std::uint64_t maximum) noexcept override {
      return capacity == maximum ? std::make_unique<Fixed>(maximum) : nullptr;
    }
  };
  OnEachVariant(kFeatures, [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config.WithMemoryAllocator(std::make_shared<Allocator>())};
    const tenon::Module guest = MakeGuest(runtime, WaitingGuest(TypeOf(true, false, 1, 3)));
    tenon::Memory memory = guest.ExportedMemory("memory");
    CHECK(memory.Size() == kPage);
    CHECK(memory.Grow(2) == 1);
    CHECK(memory.Grow(1) == std::nullopt);
    CHECK(memory.WriteByte(3 * kPage - 1, 1));
    CHECK(Call(guest, "wait32",
               {static_cast<std::uint32_t>(3 * kPage - 12), 0x01000000u, std::int64_t{0}}) ==
          Outcome{2});
    const tenon::Runtime limited{
        config.WithMemoryAllocator(std::make_shared<Allocator>()).WithMemoryLimitBytes(2 * kPage)};
    CHECK(Thrown<tenon::LinkError>([&] {
            MakeGuest(limited, WaitingGuest(TypeOf(true, false, 1, 3)));
          }).Id() == tenon::ErrorCode::MemoryLimit);
  });
}
