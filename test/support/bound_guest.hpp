// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest that calls the host functions of a test, on each engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

namespace tenon_test {

/// The engines of this build.
inline std::vector<tenon::EngineKind> Engines() {
#if TENON_HAS_JIT
  return {tenon::EngineKind::Interpreter, tenon::EngineKind::Jit};
#else
  return {tenon::EngineKind::Interpreter};
#endif
}

/// Imports every function that `host` exports and exports one that calls it, with the same name and
/// type. Beside them `memory`, of 1 to 16 pages, and `grow`, memory.grow. It imports `env`.
inline std::vector<std::uint8_t> CallerOf(const tenon::CompiledModule& host) {
  using namespace tenon::wasm;
  ModuleBuilder builder;
  const std::vector<tenon::FunctionDefinition> functions = host.ExportedFunctions();
  for (const tenon::FunctionDefinition& function : functions) {
    builder.ImportFunction("env", function.export_names.at(0),
                           builder.Type(function.parameter_types, function.result_types));
  }
  const std::uint32_t memory = builder.Memory(1, 16);
  builder.Export("memory", tenon::ExternKind::Memory, memory);
  std::uint32_t index = 0;
  for (const tenon::FunctionDefinition& function : functions) {
    const std::uint32_t type = builder.Type(function.parameter_types, function.result_types);
    builder.Export(function.export_names.at(0), tenon::ExternKind::Func,
                   builder.Function(type, {}, [&](CodeBuilder& code) {
                     for (std::uint32_t i = 0; i < function.parameter_types.size(); ++i) {
                       code.LocalGet(i);
                     }
                     code.Call(index);
                   }));
    ++index;
  }
  const std::uint32_t type = builder.Type({tenon::ValueType::I32}, {tenon::ValueType::I32});
  builder.Export("grow", tenon::ExternKind::Func, builder.Function(type, {}, [](CodeBuilder& code) {
    code.LocalGet(0).MemoryGrow();
  }));
  return builder.Build();
}

/// Such a guest in a runtime of its own. `define` is given the builder of the host module.
class BoundGuest {
 public:
  static constexpr std::uint32_t kMemorySize = 65536;

  template <class Define>
  BoundGuest(tenon::EngineKind engine, Define&& define,
             const tenon::RuntimeConfig& config = tenon::RuntimeConfig{})
      : runtime{config.WithEngine(engine)} {
    tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
    define(builder);
    host = builder.Compile();
    runtime.InstantiateModule(host);
    module = runtime.Instantiate(CallerOf(host));
    memory = module.ExportedMemory("memory");
  }

  /// Calls the guest's function.
  template <class R, class... Arguments>
  R Call(std::string_view name, Arguments... arguments) const {
    return module.ExportedFunction<R(Arguments...)>(name)(arguments...);
  }

  std::uint32_t U32(std::uint32_t offset) const { return memory.ReadUint32Le(offset).value(); }
  void SetU32(std::uint32_t offset, std::uint32_t value) { memory.WriteUint32Le(offset, value); }

  tenon::Runtime runtime;
  tenon::CompiledModule host;
  tenon::Module module;
  tenon::Memory memory;
};

/// The trap with which a call ends.
template <class Call>
tenon::TrapCode TrapOf(Call&& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const tenon::Trap& trap) {
    if (message != nullptr) *message = trap.Message();
    return trap.Code();
  }
  return tenon::TrapCode::None;
}

}  // namespace tenon_test
