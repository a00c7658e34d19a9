// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI functions of arguments, environment, clocks, randomness and exit.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

// Parameters have the order of the specification. Pointers come from the guest and may be
// anything; where one is out of bounds the answer is EFAULT and nothing was written.

TENON_DECL Errno ArgsGet(Module& caller, Memory& memory, std::uint32_t argv,
                         std::uint32_t argv_buf);
TENON_DECL Errno ArgsSizesGet(Module& caller, Memory& memory, Place<std::uint32_t> argc,
                              Place<std::uint32_t> argv_len);
TENON_DECL Errno EnvironGet(Module& caller, Memory& memory, std::uint32_t variables,
                            std::uint32_t variables_buf);
TENON_DECL Errno EnvironSizesGet(Module& caller, Memory& memory, Place<std::uint32_t> count,
                                 Place<std::uint32_t> size);
/// Realtime (0) and monotonic (1) clocks only: EINVAL for others.
TENON_DECL Errno ClockResGet(Module& caller, Memory& memory, std::uint32_t id,
                             Place<std::uint64_t> resolution);
TENON_DECL Errno ClockTimeGet(Module& caller, Memory& memory, std::uint32_t id,
                              std::uint64_t precision, Place<std::uint64_t> timestamp);
TENON_DECL Errno RandomGet(Module& caller, Memory& memory, Buffer buffer);
TENON_DECL Errno SchedYield(Module& caller);
/// Closes the calling module and ends the guest's call with ExitError.
TENON_DECL void ProcExit(Module& caller, std::uint32_t rval);
/// What a signal does to a program that did nothing about it: nothing, or an exit with 128 and its
/// number as shells tell it. Stopping is ENOTSUP.
TENON_DECL Errno ProcRaise(Module& caller, std::uint32_t signal);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/process.ipp>
#endif
