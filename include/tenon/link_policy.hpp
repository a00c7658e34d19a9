// SPDX-License-Identifier: Apache-2.0
/// @file
/// Choices about imports and names.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// What becomes of an import whose module is not there, or exports nothing of this name. One that
/// is there and of another kind or type is an error always.
enum class UnknownImports : std::uint8_t {
  Error,  ///< LinkError
  /// A function that traps with TrapCode::UnknownImport, and the trap names the import. Memories,
  /// tables and globals are errors.
  Trap,
  /// A function that does nothing and returns zeros and nulls; a memory or table of the least size
  /// and no contents; a global that is zero or null.
  Default,
};

/// Whether one definition may take the place of another of the same name.
enum class Shadowing : std::uint8_t { Allow, Refuse };

}  // namespace tenon::inline TENON_ABI
