// SPDX-License-Identifier: Apache-2.0
/// @file
/// Declarations of a generated module.
#include "generator.hpp"

#include <algorithm>
#include <string>

#include "constants.hpp"
#include "function_generator.hpp"

namespace differential {

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::ElementItems;
using tenon::wasm::ModuleBuilder;

Weights WeightsOf(Profile profile) {
  Weights weights;
  weights.types = {30, 20, 12, 12, 14, 2, 2};
  weights.budget = 180;
  weights.locals = 10;
  weights.nesting = 5;
  weights.depth = 7;
  weights.functions = 5;
  weights.blocks = 15;
  weights.calls = 8;
  weights.pressure = 5;
  weights.stores = 8;
  weights.tables = 4;
  switch (profile) {
    case Profile::Mixed:
      break;
    case Profile::Numeric:
      weights.types = {30, 30, 20, 20, 0, 0, 0};
      weights.blocks = 6;
      weights.tables = 0;
      break;
    case Profile::Simd:
      weights.types = {10, 5, 6, 6, 70, 0, 0};
      weights.budget = 250;
      weights.blocks = 8;
      weights.tables = 0;
      break;
    case Profile::Memory:
      weights.stores = 40;
      weights.blocks = 10;
      break;
    case Profile::Calls:
      weights.calls = 40;
      weights.functions = 9;
      weights.budget = 80;
      break;
    case Profile::Tables:
      weights.types = {20, 10, 5, 5, 5, 30, 25};
      weights.tables = 30;
      weights.calls = 15;
      break;
    case Profile::Pressure:
      weights.locals = 60;
      weights.pressure = 60;
      weights.budget = 300;
      weights.functions = 3;
      break;
    case Profile::Nested:
      weights.nesting = 40;
      weights.blocks = 70;
      weights.budget = 600;
      weights.functions = 2;
      break;
    case Profile::Straight:
      weights.budget = 5000;
      weights.functions = 2;
      weights.blocks = 3;
      weights.calls = 2;
      weights.locals = 30;
      break;
    case Profile::Huge:
      weights.budget = 60000;
      weights.functions = 1;
      weights.locals = 1500;
      weights.nesting = 150;
      weights.blocks = 20;
      weights.calls = 2;
      break;
  }
  return weights;
}

class ModuleGenerator {
 public:
  ModuleGenerator(Choices& choices, const GeneratorOptions& options) : choices_{choices} {
    plan_.options = options;
    plan_.weights = WeightsOf(options.profile);
    constexpr std::array<std::uint32_t, 6> kRisks{0, 0, 3, 10, 30, 100};
    plan_.risk = choices_.Pick(kRisks);
    plan_.fuel_traps = choices_.Chance(20);
  }

  Bytes Generate() {
    ImportFunctions();
    AddMemory();
    AddTables();
    AddGlobals();
    AddSignatures();
    DeclareFunctions();
    AddElements();
    for (std::size_t i = first_defined_; i < plan_.functions.size(); ++i) {
      FunctionGenerator function{choices_, plan_, plan_.functions[i]};
      function.Generate();
      builder_.DefineFunction(plan_.functions[i].index, function.Locals(), function.Code());
    }
    return builder_.Build();
  }

 private:
  std::uint32_t TypeOf(const Signature& type) {
    return builder_.Type(type.parameters, type.results);
  }
  void Export(const std::string& name, tenon::ExternKind kind, std::uint32_t index) {
    builder_.Export(name, kind, index);
  }

  void ImportFunctions() {
    const std::size_t percent = plan_.weights.calls > 30 ? 70 : 20;
    for (const ImportableFunction& one : ImportableFunctions()) {
      if (!choices_.Chance(percent)) continue;
      const std::uint32_t type = TypeOf(one.type);
      const std::uint32_t index = builder_.ImportFunction(one.module, one.name, type);
      plan_.functions.push_back({index, type, one.type, true});
      // Those that need a calling guest cannot be called as exports.
      if (one.name == "grow" || one.name == "reenter") {
        builder_.DeclarativeElement(ElementItems::Functions({index}));
        plan_.elements.push_back({ValueType::FuncRef, 0});
      } else {
        Export("i" + std::to_string(index), tenon::ExternKind::Func, index);
      }
    }
    first_defined_ = plan_.functions.size();
  }

  static tenon::wasm::Limits LimitsOf(std::uint64_t minimum, std::uint64_t maximum) {
    tenon::wasm::Limits limits;
    limits.minimum = minimum;
    limits.maximum = maximum;
    limits.has_maximum = maximum != 0;
    return limits;
  }

  void AddMemory() {
    plan_.has_memory64 = choices_.Chance(25);
    if (!plan_.has_memory64 && choices_.Chance(30)) {
      builder_.ImportMemory("env", "memory", {LimitsOf(kEnvMemoryPages, kEnvMemoryLimit)});
      plan_.memory_pages = kEnvMemoryPages;
    } else {
      constexpr std::array<std::uint64_t, 4> kLimits{1, 2, 3, 0};
      tenon::wasm::MemoryType type{LimitsOf(1, choices_.Pick(kLimits))};
      type.limits.is_64 = plan_.has_memory64;
      type.limits.is_shared = type.limits.has_maximum && choices_.Chance(30);
      plan_.has_shared_memory = type.limits.is_shared;
      builder_.Memory(type);
      plan_.memory_pages = 1;
    }
    Export("memory", tenon::ExternKind::Memory, 0);
    plan_.data_size = 64;
    plan_.data_segments = 2;
    Bytes data(plan_.data_size);
    for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(choices_.Below(256));
    const auto place = static_cast<std::int32_t>(choices_.Below(512));
    builder_.PassiveData(data);
    builder_.PassiveData(
        std::string_view{"sixty-four bytes of text that tell nothing, but are there: 1234"});
    builder_.ActiveData(
        plan_.has_memory64 ? ConstantExpression::I64(place) : ConstantExpression::I32(place), data);
    builder_.RequireDataCount();
  }

  void AddTables() {
    const bool imports_functions = choices_.Chance(30);
    const bool imports_values = choices_.Chance(30);
    const tenon::wasm::Limits limits = LimitsOf(kEnvTableSize, kEnvTableLimit);
    if (imports_functions) {
      builder_.ImportTable("env", "functions", {ValueType::FuncRef, limits});
      plan_.tables.push_back({ValueType::FuncRef, kEnvTableSize, {}});
    }
    if (imports_values) {
      builder_.ImportTable("env", "values", {ValueType::ExternRef, limits});
      plan_.tables.push_back({ValueType::ExternRef, kEnvTableSize, {}});
    }
    const auto define = [&](ValueType element) {
      const std::uint32_t size = 9 + choices_.Index(4);
      builder_.Table(element, size,
                     choices_.Chance(50) ? std::optional{std::uint64_t{16}} : std::nullopt);
      plan_.tables.push_back({element, size, {}});
    };
    if (!imports_functions || choices_.Chance(30)) define(ValueType::FuncRef);
    if (!imports_values || choices_.Chance(30)) define(ValueType::ExternRef);
    for (std::uint32_t i = 0; i < plan_.tables.size(); ++i) {
      Export("t" + std::to_string(i), tenon::ExternKind::Table, i);
    }
  }

  ConstantExpression Initial(ValueType type) {
    if (type.IsReference()) return ConstantExpression::RefNull(type.Heap());
    const ConstantBits bits = InterestingBits(choices_, type);
    CodeBuilder code;
    if (type == ValueType::I32) code.I32Const(static_cast<std::int32_t>(bits.low));
    if (type == ValueType::I64) code.I64Const(static_cast<std::int64_t>(bits.low));
    if (type == ValueType::F32) code.F32ConstBits(static_cast<std::uint32_t>(bits.low));
    if (type == ValueType::F64) code.F64ConstBits(bits.low);
    if (type.IsVector()) {
      std::array<std::uint8_t, 16> bytes{};
      for (unsigned i = 0; i < 16; ++i) {
        bytes[i] = static_cast<std::uint8_t>((i < 8 ? bits.low : bits.high) >> 8 * (i % 8));
      }
      code.V128Const(bytes);
    }
    return code;
  }

  void AddGlobals() {
    std::vector<GlobalInfo> constants;
    for (const ImportableGlobal& global : ImportableGlobals()) {
      if (!choices_.Chance(20)) continue;
      const std::uint32_t index = builder_.ImportGlobal("env", global.name, global.type);
      plan_.globals.push_back({index, global.type});
      if (!global.type.is_mutable) constants.push_back(plan_.globals.back());
    }
    const auto define = [&](tenon::wasm::GlobalType type, const ConstantExpression& initial) {
      plan_.globals.push_back({builder_.Global(type, initial), type});
      return plan_.globals.back().index;
    };
    for (const GlobalInfo& constant : constants) {
      define({constant.type.type, choices_.Chance(50)},
             ConstantExpression::GlobalGet(constant.index));
    }
    for (const ValueType type : kAllTypes) {
      if (choices_.Chance(80)) define({type, true}, Initial(type));
      if (choices_.Chance(30)) define({type, false}, Initial(type));
    }
    plan_.fuel = define({ValueType::I32, true}, ConstantExpression::I32(100));
    plan_.checksum = define({ValueType::I64, true}, ConstantExpression::I64(0));
    for (const GlobalInfo& global : plan_.globals) {
      if (global.index == plan_.fuel) continue;
      Export("g" + std::to_string(global.index), tenon::ExternKind::Global, global.index);
    }
    Export("fuel", tenon::ExternKind::Global, plan_.fuel);
  }

  std::vector<ValueType> PickTypes(std::size_t limit) {
    std::vector<ValueType> types(choices_.Below(limit + 1));
    for (ValueType& type : types) type = PickType(choices_, plan_.weights);
    return types;
  }

  void AddSignature(Signature type) {
    const std::uint32_t index = TypeOf(type);
    plan_.signatures.push_back({std::move(type), index});
  }

  void AddSignatures() {
    for (int i = 0; i < 4; ++i) AddSignature({});
    for (const ValueType type : kAllTypes) AddSignature({{}, {type}});
    for (int i = 0; i < 3; ++i) {
      const std::vector<ValueType> same = PickTypes(5);
      AddSignature({same, same});
      AddSignature({PickTypes(3), PickTypes(3)});
    }
    if (choices_.Chance(10)) AddSignature({PickTypes(20), PickTypes(20)});
  }

  void DeclareFunctions() {
    const std::size_t count = 1 + choices_.Below(plan_.weights.functions);
    const std::size_t leaves = choices_.Below(3);
    for (std::size_t i = 0; i < count + leaves; ++i) {
      Signature type{PickTypes(6), PickTypes(2)};
      if (choices_.Chance(8)) type = {PickTypes(20), PickTypes(20)};
      if (i == leaves) type = {{ValueType::I32}, {ValueType::I32}};
      const std::uint32_t type_index = TypeOf(type);
      const std::uint32_t index = builder_.DeclareFunction(type_index);
      plan_.functions.push_back({index, type_index, std::move(type), i < leaves});
      Export("f" + std::to_string(index), tenon::ExternKind::Func, index);
      if (i == leaves) Export("callback", tenon::ExternKind::Func, index);
    }
    if (!choices_.Chance(10)) return;
    const Signature nothing;
    const std::uint32_t type = TypeOf(nothing);
    const std::uint32_t start = builder_.DeclareFunction(type);
    plan_.functions.push_back({start, type, nothing, false});
    Export("start", tenon::ExternKind::Func, start);
    builder_.Start(start);
  }

  std::vector<std::uint32_t> PickFunctions(std::size_t count) {
    std::vector<std::uint32_t> functions(count);
    for (std::uint32_t& function : functions) function = choices_.Pick(plan_.functions).index;
    return functions;
  }

  void AddElements() {
    for (std::uint32_t table = 0; table < plan_.tables.size(); ++table) {
      TableInfo& info = plan_.tables[table];
      if (info.element != ValueType::FuncRef) continue;
      info.functions = PickFunctions(6);
      builder_.ActiveElement(table, ConstantExpression::I32(0),
                             ElementItems::Functions(info.functions));
      plan_.elements.push_back({ValueType::FuncRef, 0});  // empty once used
    }
    builder_.PassiveElement(ElementItems::Functions(PickFunctions(6)));
    plan_.elements.push_back({ValueType::FuncRef, 5});
    std::vector<ConstantExpression> items;
    for (const std::uint32_t function : PickFunctions(5)) {
      items.push_back(choices_.Chance(60) ? ConstantExpression::RefFunc(function)
                                          : ConstantExpression::RefNull(tenon::HeapType::Func));
    }
    builder_.PassiveElement(ElementItems::Expressions(ValueType::FuncRef, items));
    plan_.elements.push_back({ValueType::FuncRef, 4});
    const std::vector<ConstantExpression> nulls(
        4, ConstantExpression::RefNull(tenon::HeapType::Extern));
    builder_.PassiveElement(ElementItems::Expressions(ValueType::ExternRef, nulls));
    plan_.elements.push_back({ValueType::ExternRef, 3});
    builder_.DeclarativeElement(ElementItems::Functions(PickFunctions(1)));
    plan_.elements.push_back({ValueType::FuncRef, 0});
  }

  Choices& choices_;
  ModuleBuilder builder_;
  ModulePlan plan_;
  std::size_t first_defined_ = 0;
};

}  // namespace

std::optional<Profile> FindProfile(std::string_view name) {
  const auto found = std::find(kProfileNames.begin(), kProfileNames.end(), name);
  if (found == kProfileNames.end()) return std::nullopt;
  return static_cast<Profile>(found - kProfileNames.begin());
}

Profile ProfileOf(std::uint64_t seed) {
  constexpr std::array kProfiles{
      Profile::Mixed,   Profile::Numeric, Profile::Simd,     Profile::Memory,
      Profile::Calls,   Profile::Mixed,   Profile::Simd,     Profile::Tables,
      Profile::Numeric, Profile::Mixed,   Profile::Pressure, Profile::Memory,
      Profile::Calls,   Profile::Simd,    Profile::Nested,   Profile::Straight};
  return kProfiles[Random{seed}.Below(kProfiles.size())];
}

Bytes GenerateModule(Choices& choices, const GeneratorOptions& options) {
  return ModuleGenerator{choices, options}.Generate();
}

}  // namespace differential
