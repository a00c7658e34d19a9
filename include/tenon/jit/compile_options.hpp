// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the code of a function depends on besides its module.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit {

/// How code reaches memory 0.
enum class MemoryStyle : std::uint8_t {
  /// The base never moves (InstanceHeader::memory_base) and what lies behind the memory faults: an
  /// address of 32 bits with a folded offset below kFoldedOffsetLimit needs no check.
  Guarded,
  /// The base and the size are read from the MemoryRecord, and every access is checked.
  Checked,
};

/// Offset + width of an access up to which guard pages catch it.
inline constexpr std::uint64_t kFoldedOffsetLimit = std::uint64_t{32} << 20;

struct CompileOptions {
  CpuFeatures cpu = CpuFeatures::Floor();
  MemoryStyle memory = MemoryStyle::Guarded;
  bool interruptible = false;
  bool canonical_nan = false;
  /// By function index: those whose calls go through FunctionRecord::invoke. Empty: none.
  FlatArray<bool> listeners;
  /// Passes between the front end and selection.
  bool optimize = true;
  /// Builds every function as those that have more phis than FrontEnd allows.
  bool locals_in_frame = false;
};

}  // namespace tenon::inline TENON_ABI::jit
