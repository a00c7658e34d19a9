// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest that exports each function of WASI, so that tests can call them as a guest does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasm/module_builder.hpp>

namespace tenon_test {

/// Imports every function that `host` exports and exports it again under the same name. One page of
/// memory, shared or not, exported as "memory".
inline std::vector<std::uint8_t> ForwarderOf(const tenon::CompiledModule& host,
                                             bool is_shared = false) {
  using namespace tenon::wasm;
  ModuleBuilder builder;
  const std::vector<tenon::FunctionDefinition> functions = host.ExportedFunctions();
  for (const tenon::FunctionDefinition& function : functions) {
    const std::uint32_t type = builder.Type(function.parameter_types, function.result_types);
    builder.ImportFunction(host.Name(), function.export_names.at(0), type);
  }
  builder.Memory(MemoryType{{.minimum = 1,
                             .maximum = is_shared ? 1u : 0u,
                             .has_maximum = is_shared,
                             .is_shared = is_shared}});
  builder.Export("memory", tenon::ExternKind::Memory, 0);
  std::uint32_t index = 0;
  for (const tenon::FunctionDefinition& function : functions) {
    const std::uint32_t type = builder.Type(function.parameter_types, function.result_types);
    const auto forwarder = builder.Function(type, {}, [&](CodeBuilder& code) {
      for (std::uint32_t i = 0; i < function.parameter_types.size(); ++i) code.LocalGet(i);
      code.Call(index);
    });
    builder.Export(function.export_names.at(0), tenon::ExternKind::Func, forwarder);
    ++index;
  }
  return builder.Build();
}

/// A forwarder in a runtime of its own.
class WasiGuest {
 public:
  static constexpr std::uint32_t kMemorySize = 65536;

  explicit WasiGuest(const tenon::SystemConfig& system = {}, bool is_shared = false)
      : runtime{tenon::RuntimeConfig{}.WithCoreFeatures(
            tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Threads, is_shared))} {
    const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime);
    runtime.InstantiateModule(wasi);
    module =
        runtime.Instantiate(ForwarderOf(wasi, is_shared), tenon::ModuleConfig{}.WithSystem(system));
    memory = module.ExportedMemory("memory");
  }

  /// Calls a function that answers an error number.
  template <class... Arguments>
  tenon::wasi::Errno Call(std::string_view name, Arguments... arguments) const {
    return module.ExportedFunction<tenon::wasi::Errno(Arguments...)>(name)(arguments...);
  }

  std::uint32_t U32(std::uint32_t offset) const { return memory.ReadUint32Le(offset).value(); }
  std::uint64_t U64(std::uint32_t offset) const { return memory.ReadUint64Le(offset).value(); }
  std::string Text(std::uint32_t offset, std::uint32_t length) const {
    const auto bytes = memory.ViewUnsynchronized(offset, length).value();
    return std::string{bytes.begin(), bytes.end()};
  }
  /// Writes a list of buffers (offset, length) to `list`.
  void WriteBuffers(std::uint32_t list,
                    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& buffers) {
    for (const auto& [offset, length] : buffers) {
      memory.WriteUint32Le(list, offset);
      memory.WriteUint32Le(list + 4, length);
      list += 8;
    }
  }

  tenon::Runtime runtime;
  tenon::Module module;
  tenon::Memory memory;
};

/// An output that keeps what it takes.
inline tenon::OutputStream Into(std::string& text) {
  return [&text](std::span<const std::uint8_t> bytes) {
    text.append(bytes.begin(), bytes.end());
    return bytes.size();
  };
}

}  // namespace tenon_test
