// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi.hpp.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasi/descriptor_table.ipp>
#include <tenon/wasi/descriptors.hpp>
#include <tenon/wasi/descriptors.ipp>
#include <tenon/wasi/functions.hpp>
#include <tenon/wasi/host_directory.ipp>
#include <tenon/wasi/host_file.ipp>
#include <tenon/wasi/host_path.ipp>
#include <tenon/wasi/host_stream.ipp>
#include <tenon/wasi/host_wait.ipp>
#include <tenon/wasi/listen.ipp>
#include <tenon/wasi/memory_file_system.ipp>
#include <tenon/wasi/memory_tree.ipp>
#include <tenon/wasi/paths.hpp>
#include <tenon/wasi/paths.ipp>
#include <tenon/wasi/poll.hpp>
#include <tenon/wasi/poll.ipp>
#include <tenon/wasi/process.hpp>
#include <tenon/wasi/process.ipp>
#include <tenon/wasi/sockets.hpp>
#include <tenon/wasi/sockets.ipp>
#include <tenon/wasi/standard_stream.ipp>
#include <tenon/wasi/trace.ipp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

/// What is the same for all functions.
TENON_DECL void Export(HostFunctionBuilder builder, std::string_view name,
                       std::initializer_list<const char*> parameters, bool has_result) {
  if (has_result) builder = builder.WithResultNames("error");
  builder.WithParameterNames(std::vector<std::string>(parameters.begin(), parameters.end()))
      .Export(std::string{name});
}

inline bool HasResult(void (*)(Module&, std::uint32_t)) { return false; }
template <class... Parameters>
bool HasResult(Errno (*)(Parameters...)) {
  return true;
}

template <Version kVersion>
void AddFunctionsOf(HostModuleBuilder& builder) {
#define TENON_DETAIL_ROW(name, function, ...)                                      \
  Export(builder.NewFunctionBuilder().WithFunc<&function>(), #name, {__VA_ARGS__}, \
         HasResult(&function));
#define TENON_DETAIL_VERSIONED_ROW(name, function, ...) \
  TENON_DETAIL_ROW(name, function<kVersion>, __VA_ARGS__)
  TENON_WASI_FUNCTIONS(TENON_DETAIL_ROW, TENON_DETAIL_VERSIONED_ROW)
#undef TENON_DETAIL_VERSIONED_ROW
#undef TENON_DETAIL_ROW
}

}  // namespace detail

TENON_DECL HostModuleBuilder AddFunctions(HostModuleBuilder builder) {
  detail::AddFunctionsOf<detail::Version::Preview1>(builder);
  return builder;
}

TENON_DECL HostModuleBuilder AddUnstableFunctions(HostModuleBuilder builder) {
  detail::AddFunctionsOf<detail::Version::Unstable>(builder);
  return builder;
}

namespace detail {

TENON_DECL HostModuleBuilder AddFunctionsNamed(const Runtime& runtime, std::string_view name) {
  HostModuleBuilder builder = runtime.NewHostModuleBuilder(std::string{name});
  return name == kUnstableModuleName ? AddUnstableFunctions(builder) : AddFunctions(builder);
}

}  // namespace detail

TENON_DECL CompiledModule Compile(const Runtime& runtime, std::string_view name) {
  return detail::AddFunctionsNamed(runtime, name).Compile();
}

TENON_DECL Module Instantiate(const Runtime& runtime, std::string_view name) {
  return detail::AddFunctionsNamed(runtime, name).Instantiate();
}

}  // namespace tenon::inline TENON_ABI::wasi
