// SPDX-License-Identifier: Apache-2.0
/// @file
/// What programs compiled by emscripten as standalone modules import besides WASI.
#pragma once

#include <stdexcept>

#include <tenon/abi/config.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>

/// Functions of emscripten's module "env".
///
/// Only those that a guest imports, with the types that it declares: `invoke_*`, which call a
/// function through the guest's table and come back if it ends with longjmp;
/// `_emscripten_throw_longjmp` and `emscripten_longjmp`; `emscripten_notify_memory_growth`, which
/// has nothing to do; `emscripten_memcpy_js`, `emscripten_memcpy_big`, `_emscripten_memcpy_js`;
/// `emscripten_resize_heap`, `emscripten_get_heap_max`; `emscripten_date_now` and
/// `emscripten_get_now`, by the clocks of the guest's SystemConfig; `abort` and `_abort_js`, which
/// trap; `setTempRet0` and `getTempRet0`, which older versions import; `__syscall_*`, which answer
/// ENOSYS, as do those that emscripten itself puts into standalone modules: such modules have
/// streams, arguments, environment, clocks and randomness by WASI, but no files. What else a guest
/// imports is for the program to define.
namespace tenon::inline TENON_ABI::emscripten {

/// What a longjmp of a guest is on its way through host functions. One that nobody catches, because
/// the guest jumps where no invoke_ is, leaves the call as this.
class Longjmp : public std::runtime_error {
 public:
  Longjmp() : std::runtime_error{"emscripten: longjmp"} {}
};

/// Makes the module "env" for guests like `guest`. Throws LinkError if the runtime has a module of
/// this name.
TENON_DECL Module InstantiateForModule(const Runtime& runtime, const CompiledModule& guest);

/// Adds the functions that `guest` imports from "env" to a module of your own, which may export
/// others.
TENON_DECL HostModuleBuilder AddFunctionsForModule(HostModuleBuilder builder,
                                                   const CompiledModule& guest);

}  // namespace tenon::inline TENON_ABI::emscripten

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/emscripten.ipp>
#endif
