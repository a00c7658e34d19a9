// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI preview 1: the system interface that C, C++, Rust, Go and other toolchains compile for.
#pragma once

#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
// IWYU pragma: begin_exports
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/host_directory.hpp>
#include <tenon/wasi/listen.hpp>
#include <tenon/wasi/memory_file_system.hpp>
#include <tenon/wasi/trace.hpp>
// IWYU pragma: end_exports

/// WASI preview 1.
///
/// All 46 functions, on what the guest's SystemConfig gives: nothing of the host's by default.
/// Guests must have a memory.
namespace tenon::inline TENON_ABI::wasi {

/// The name that guests import from.
inline constexpr std::string_view kModuleName = "wasi_snapshot_preview1";
/// The name that guests of toolchains before 2020 import from.
inline constexpr std::string_view kUnstableModuleName = "wasi_unstable";

/// Makes the functions available to guests of `runtime` that are instantiated later. With the name
/// kUnstableModuleName they have the memory layouts that guests of that name expect. Throws
/// LinkError if the runtime has a module of this name.
TENON_DECL Module Instantiate(const Runtime& runtime, std::string_view name = kModuleName);

/// The functions as a module to instantiate, any number of times.
TENON_DECL CompiledModule Compile(const Runtime& runtime, std::string_view name = kModuleName);

/// Adds the functions to a module of your own, which may export others of the same names
/// afterwards to replace them:
///
/// ```cpp
/// tenon::wasi::AddFunctions(runtime.NewHostModuleBuilder("wasi_snapshot_preview1"))
///     .NewFunctionBuilder().WithFunc([] { return 0u; }).Export("sched_yield")
///     .Instantiate();
/// ```
TENON_DECL HostModuleBuilder AddFunctions(HostModuleBuilder builder);
/// The same with the memory layouts of `wasi_unstable`.
TENON_DECL HostModuleBuilder AddUnstableFunctions(HostModuleBuilder builder);

}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi.ipp>
#endif
