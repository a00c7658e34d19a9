// SPDX-License-Identifier: Apache-2.0
/// @file
/// Computes scalar instructions of constants at compile time.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir_opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Whether this thread computes floats as guests must: rounding to nearest, keeping denormals.
TENON_DECL bool HasDefaultFloatEnvironment();

/// The result of a scalar instruction without immediates for operands given as bits, as the
/// interpreter computes it (the second counts for nothing if there is one). False, and `result`
/// unspecified, if it is no such instruction, if it traps, if a float that it computes is a NaN
/// (whose bits are left to the machine), or if it takes or gives floats and `with_floats` is false.
TENON_DECL bool Evaluate(IrOpcode opcode, std::uint64_t first, std::uint64_t second,
                         bool with_floats, std::uint64_t& result);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/folding.ipp>
#endif
