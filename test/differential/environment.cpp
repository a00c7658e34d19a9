// SPDX-License-Identifier: Apache-2.0
/// @file
/// Declarations of the importable host functions, and the module `env`.
#include "environment.hpp"

#include <cstddef>

namespace differential {

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::Opcode;

constexpr ValueType kI = ValueType::I32, kL = ValueType::I64, kF = ValueType::F32,
                    kD = ValueType::F64, kV = ValueType::V128, kFunction = ValueType::FuncRef,
                    kExtern = ValueType::ExternRef;

tenon::wasm::Limits LimitsOf(std::uint64_t minimum, std::uint64_t maximum) {
  tenon::wasm::Limits limits;
  limits.minimum = minimum;
  limits.maximum = maximum;
  limits.has_maximum = true;
  return limits;
}

Bytes BuildEnvironment() {
  tenon::wasm::ModuleBuilder module;
  const std::uint32_t host_i = module.ImportFunction("host", "i_i", module.Type({kI}, {kI}));
  const std::uint32_t host_d = module.ImportFunction("host", "d_df", module.Type({kD, kF}, {kD}));
  module.Memory(tenon::wasm::MemoryType{LimitsOf(kEnvMemoryPages, kEnvMemoryLimit)});
  module.Export("memory", tenon::ExternKind::Memory, 0);
  const std::uint32_t functions =
      module.Table({kFunction, LimitsOf(kEnvTableSize, kEnvTableLimit)});
  module.Export("functions", tenon::ExternKind::Table, functions);
  module.Export("values", tenon::ExternKind::Table,
                module.Table({kExtern, LimitsOf(kEnvTableSize, kEnvTableLimit)}));

  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(0xF1 - 7 * i);
  const auto initial = [&](ValueType type) -> ConstantExpression {
    if (type == kI) return ConstantExpression::I32(-7);
    if (type == kL) return ConstantExpression::I64(0x123456789ABCDEF);
    if (type == kF) return ConstantExpression::F32(-1.5F);
    if (type == kD) return ConstantExpression::F64(1e10);
    if (type == kV) return ConstantExpression::V128(bytes);
    return ConstantExpression::RefNull(type.Heap());
  };
  for (const ImportableGlobal& global : ImportableGlobals()) {
    module.Export(global.name, tenon::ExternKind::Global,
                  module.Global(global.type, initial(global.type.type)));
  }

  const auto add = [&](const char* name, const Signature& type, auto&& body) {
    const std::uint32_t function =
        module.Function(module.Type(type.parameters, type.results), {}, body);
    module.Export(name, tenon::ExternKind::Func, function);
    return function;
  };
  const std::uint32_t store = add("e_i_i", {{kI}, {kI}}, [&](CodeBuilder& code) {
    code.LocalGet(0).I32Const(0xFFF8).Emit(Opcode::I32And).LocalGet(0).Memory(Opcode::I32Store);
    code.LocalGet(0).Call(host_i).I32Const(8).Memory(Opcode::I32Load).Emit(Opcode::I32Add);
  });
  const std::uint32_t swap = add("e_ld_dl", {{kL, kD}, {kD, kL}}, [&](CodeBuilder& code) {
    code.LocalGet(1).LocalGet(0).Emit(Opcode::F32ConvertI64S).Call(host_d).LocalGet(0);
  });
  const std::uint32_t vector = add("e_v_v", {{kV}, {kV}}, [&](CodeBuilder& code) {
    code.I32Const(0).LocalGet(0).Memory(Opcode::V128Store);
    code.I32Const(1).Memory(Opcode::V128Load).LocalGet(0).Emit(Opcode::I8x16Add);
  });
  module.ActiveElement(functions, ConstantExpression::I32(0),
                       tenon::wasm::ElementItems::Functions({store, swap, vector, store}));
  module.ActiveData(ConstantExpression::I32(16), "the quick brown fox jumps over the lazy dog");
  return module.Build();
}

}  // namespace

const std::vector<ImportableFunction>& ImportableFunctions() {
  static const std::vector<ImportableFunction> kFunctions = [] {
    const std::vector<ValueType> wide{kI, kL, kF, kD, kV, kI, kL, kF, kD, kV,
                                      kD, kF, kL, kI, kV, kI, kI, kL, kD, kF};
    const std::vector<ValueType> wide_reversed{wide.rbegin(), wide.rend()};
    return std::vector<ImportableFunction>{
        {"host", "nothing", {}},
        {"host", "i_i", {{kI}, {kI}}},
        {"host", "l_li", {{kL, kI}, {kL}}},
        {"host", "f_f", {{kF}, {kF}}},
        {"host", "d_df", {{kD, kF}, {kD}}},
        {"host", "v_v", {{kV}, {kV}}},
        {"host", "v_vi", {{kV, kI}, {kV}}},
        {"host", "dil_ild", {{kI, kL, kD}, {kD, kI, kL}}},
        {"host", "l_many", {{kI, kD, kL, kF, kI, kI, kD, kL, kI, kI, kF, kL}, {kL}}},
        {"host", "wide", {wide, wide_reversed}},
        {"host", "references", {{kExtern, kFunction, kI}, {kFunction, kExtern}}},
        {"host", "trap", {{kI}, {kI}}},
        {"host", "throw", {{kI}, {kI}}},
        {"host", "grow", {{kI}, {kI}}},
        {"host", "reenter", {{kI}, {kI}}},
        {"env", "e_i_i", {{kI}, {kI}}},
        {"env", "e_ld_dl", {{kL, kD}, {kD, kL}}},
        {"env", "e_v_v", {{kV}, {kV}}},
    };
  }();
  return kFunctions;
}

const std::vector<ImportableGlobal>& ImportableGlobals() {
  static const std::vector<ImportableGlobal> kGlobals{
      {"mi", {kI, true}},         {"ml", {kL, true}},       {"mf", {kF, true}},
      {"md", {kD, true}},         {"mv", {kV, true}},       {"mr", {kFunction, true}},
      {"me", {kExtern, true}},    {"ci", {kI, false}},      {"cl", {kL, false}},
      {"cf", {kF, false}},        {"cd", {kD, false}},      {"cv", {kV, false}},
      {"cr", {kFunction, false}}, {"ce", {kExtern, false}},
  };
  return kGlobals;
}

const Bytes& EnvironmentModule() {
  static const Bytes kModule = BuildEnvironment();
  return kModule;
}

}  // namespace differential
