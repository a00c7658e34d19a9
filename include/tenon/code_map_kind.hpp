// SPDX-License-Identifier: Apache-2.0
/// @file
/// How profilers learn the names of compiled functions.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// What the compiler writes for profilers; see docs/jit_debugging.md.
enum class CodeMapKind : std::uint8_t {
  None,
  /// Lines of address, size and name in /tmp/perf-PID.map, which `perf report` reads.
  PerfMap,
  /// Names and code with times, for `perf inject --jit`: a file jit-PID.dump in a new folder
  /// tenon-XXXXXX of $JITDUMPDIR, or of /tmp.
  JitDump,
};

}  // namespace tenon::inline TENON_ABI
