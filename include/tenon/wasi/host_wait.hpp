// SPDX-License-Identifier: Apache-2.0
/// @file
/// Waiting for descriptors of the host's, until the guest's call is to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <poll.h>

#include <tenon/abi/config.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Waits until one of `descriptors` is ready, which poll(2) notes there, or so many nanoseconds
/// have passed; without a limit if there is none. EINTR once the call is to end, which it does when
/// the host function returns.
TENON_DECL Errno WaitFor(const Module& caller, std::span<::pollfd> descriptors,
                         std::optional<std::uint64_t> limit);

/// Calls `transfer` again, when the descriptor behind `file` is ready for `events`, as long as it
/// gives EAGAIN; not if the guest wants to know of that. EINTR once the call is to end.
template <class Transfer>
Expected<std::size_t> WhenReady(const Module& caller, const File& file, short events,
                                Transfer transfer) {
  while (true) {
    Expected<std::size_t> done = transfer();
    if (done || done.error() != Errno::Again) return done;
    ::pollfd wait{file.PollDescriptor(), events, 0};
    if (wait.fd < 0 || file.Flags().nonblock) return done;
    const Errno error = WaitFor(caller, {&wait, 1}, std::nullopt);
    if (error != Errno::Success) return error;
    // Somebody else may be quicker each time.
    if (caller.IsStopRequested()) return Errno::Intr;
  }
}

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_wait.ipp>
#endif
