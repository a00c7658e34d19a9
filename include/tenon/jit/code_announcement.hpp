// SPDX-License-Identifier: Apache-2.0
/// @file
/// Tells profilers and debuggers of new code.
#pragma once

#include <memory>

#include <tenon/abi/config.hpp>
#include <tenon/jit/mapped_code.hpp>
#include <tenon/vm/engine.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Tells those that `conduct` names. Returns the code, which debuggers forget when it goes: use
/// this pointer from now on. Throws std::bad_alloc.
TENON_DECL std::shared_ptr<const MappedCode> AnnounceCode(std::shared_ptr<const MappedCode> code,
                                                          const wasm::Module& module,
                                                          const vm::CompileConduct& conduct);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/code_announcement.ipp>
#endif
