// SPDX-License-Identifier: Apache-2.0
/// @file
/// Links, allocates and initialises instances.
#pragma once

#include <memory>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/instance_handle.hpp>

namespace tenon::inline TENON_ABI::vm {

struct CompiledState;
struct InstanceSettings;

/// Makes an instance: resolves imports, allocates, enters it in the store, runs segments, the start
/// function and then the configured start functions. Throws LinkError, Trap, ExitError or what a
/// host function threw; the instance is closed or abandoned then.
TENON_DECL InstanceHandle Instantiate(const CompiledState& compiled,
                                      const InstanceSettings& settings);

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/instantiate.ipp>
#endif
