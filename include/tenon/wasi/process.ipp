// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/process.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/error.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/poll.hpp>
#include <tenon/wasi/process.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Bytes of the strings with a NUL behind each. System keeps this far below 4 GiB.
TENON_DECL std::uint32_t BlockSize(const std::vector<std::string>& strings) {
  std::size_t size = 0;
  for (const std::string& string : strings) size += string.size() + 1;
  return static_cast<std::uint32_t>(size);
}

TENON_DECL Errno WriteSizes(Memory& memory, const std::vector<std::string>& strings,
                            Place<std::uint32_t> count, Place<std::uint32_t> size) {
  if (!count.IsIn(memory) || !size.IsIn(memory)) return Errno::Fault;
  count.Write(memory, static_cast<std::uint32_t>(strings.size()));
  return size.Write(memory, BlockSize(strings));
}

/// Writes the strings one behind the other from `block`, and their addresses from `pointers`.
TENON_DECL Errno WriteStrings(Memory& memory, const std::vector<std::string>& strings,
                              std::uint32_t pointers, std::uint32_t block) {
  const bool has_room =
      memory.ViewUnsynchronized(pointers, std::uint64_t{4} * strings.size()).has_value() &&
      memory.ViewUnsynchronized(block, BlockSize(strings)).has_value();
  if (!has_room) return Errno::Fault;
  std::uint64_t pointer = pointers;
  std::uint64_t address = block;
  for (const std::string& string : strings) {
    memory.WriteUint32Le(pointer, static_cast<std::uint32_t>(address));
    memory.WriteString(address, {string.c_str(), string.size() + 1});
    pointer += 4;
    address += string.size() + 1;
  }
  return Errno::Success;
}

TENON_DECL Errno ArgsGet(Module& caller, Memory& memory, std::uint32_t argv,
                         std::uint32_t argv_buf) {
  return WriteStrings(memory, caller.System().Args(), argv, argv_buf);
}

TENON_DECL Errno ArgsSizesGet(Module& caller, Memory& memory, Place<std::uint32_t> argc,
                              Place<std::uint32_t> argv_len) {
  return WriteSizes(memory, caller.System().Args(), argc, argv_len);
}

TENON_DECL Errno EnvironGet(Module& caller, Memory& memory, std::uint32_t variables,
                            std::uint32_t variables_buf) {
  return WriteStrings(memory, caller.System().Environ(), variables, variables_buf);
}

TENON_DECL Errno EnvironSizesGet(Module& caller, Memory& memory, Place<std::uint32_t> count,
                                 Place<std::uint32_t> size) {
  return WriteSizes(memory, caller.System().Environ(), count, size);
}

TENON_DECL Errno ClockResGet(Module& caller, Memory& memory, std::uint32_t id,
                             Place<std::uint64_t> resolution) {
  const System& system = caller.System();
  switch (id) {
    case kClockRealtime:
      return resolution.Write(memory, system.WalltimeResolution());
    case kClockMonotonic:
      return resolution.Write(memory, system.NanotimeResolution());
    case kClockProcessCputime:
    case kClockThreadCputime:
      return resolution.Write(memory, system.CputimeResolution());
    default:
      return Errno::Inval;
  }
}

TENON_DECL Errno ClockTimeGet(Module& caller, Memory& memory, std::uint32_t id,
                              std::uint64_t /*precision*/, Place<std::uint64_t> timestamp) {
  System& system = caller.System();
  switch (id) {
    case kClockRealtime:
      return timestamp.Write(memory, system.Walltime());
    case kClockMonotonic:
      return timestamp.Write(memory, system.Nanotime());
    // A guest is a process of one thread.
    case kClockProcessCputime:
    case kClockThreadCputime:
      return timestamp.Write(memory, system.Cputime());
    default:
      return Errno::Inval;
  }
}

TENON_DECL Errno RandomGet(Module& caller, Memory& memory, Buffer buffer) {
  const auto bytes = buffer.In(memory);
  if (!bytes) return Errno::Fault;
  // In parts, so that a call that is to end does not fill gigabytes first.
  constexpr std::size_t kPart = std::size_t{1} << 20;
  std::span<std::uint8_t> rest = *bytes;
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), kPart);
    caller.System().Random(rest.first(count));
    rest = rest.subspan(count);
    if (!rest.empty() && caller.IsStopRequested()) return Errno::Intr;
  }
  return Errno::Success;
}

TENON_DECL Errno SchedYield(Module& caller) {
  caller.System().Osyield();
  return Errno::Success;
}

TENON_DECL void ProcExit(Module& caller, std::uint32_t rval) {
  caller.CloseWithExitCode(rval);
  throw ExitError{rval};
}

TENON_DECL Errno ProcRaise(Module& caller, std::uint32_t signal) {
  constexpr std::uint32_t kSignalCount = 31;
  constexpr std::uint32_t kSignalPipe = 13;
  constexpr std::uint32_t kSignalChild = 16;
  constexpr std::uint32_t kSignalContinue = 17;
  constexpr std::uint32_t kSignalStop = 18;
  constexpr std::uint32_t kSignalTtou = 21;
  constexpr std::uint32_t kSignalUrgent = 22;
  constexpr std::uint32_t kSignalWindow = 27;
  if (signal >= kSignalCount) return Errno::Inval;
  if (signal >= kSignalStop && signal <= kSignalTtou) return Errno::Notsup;
  switch (signal) {
    case 0:
    case kSignalPipe:
    case kSignalChild:
    case kSignalContinue:
    case kSignalUrgent:
    case kSignalWindow:
      return Errno::Success;
    default:
      ProcExit(caller, 128 + signal);
      return Errno::Success;
  }
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
