// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiles the functions of a module, on several threads if it is worth it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/front_end.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Told by the calling thread how many functions are done, and how many there are.
using ProgressFunction = std::function<void(std::uint32_t, std::uint32_t)>;

/// Compiles all functions of a valid module into `out`, in their order. What comes out does not
/// depend on `threads`. Throws what a compilation throws (std::bad_alloc), and what `progress`
/// does.
TENON_DECL void CompileFunctions(const FrontEndInput& input, std::uint32_t threads,
                                 std::vector<CompiledFunction>& out,
                                 const ProgressFunction* progress = nullptr);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/module_compiler.ipp>
#endif
