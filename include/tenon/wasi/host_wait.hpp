// SPDX-License-Identifier: Apache-2.0
/// @file
/// Waiting for descriptors of the host's, until the guest's call is to end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <poll.h>

#include <tenon/abi/config.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Waits until one of `descriptors` is ready, which poll(2) notes there, or so many nanoseconds
/// have passed; without a limit if there is none. EINTR once the call is to end, which it does when
/// the host function returns.
TENON_DECL Errno WaitFor(const Module& caller, std::span<::pollfd> descriptors,
                         std::optional<std::uint64_t> limit);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_wait.ipp>
#endif
