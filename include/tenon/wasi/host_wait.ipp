// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/host_wait.hpp.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include <poll.h>

#include <tenon/abi/config.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_wait.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

TENON_DECL Errno WaitFor(const Module& caller, std::span<::pollfd> descriptors,
                         std::optional<std::uint64_t> limit) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::nanoseconds;
  // How late a stop may be noticed.
  constexpr nanoseconds kSlice = std::chrono::milliseconds{10};
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 61;
  const Clock::time_point start = Clock::now();
  while (true) {
    const Clock::time_point now = Clock::now();
    nanoseconds wait = kSlice;
    bool is_over = false;
    if (limit) {
      const nanoseconds rest = nanoseconds{std::min(*limit, kLongest)} - (now - start);
      is_over = rest <= nanoseconds::zero();
      wait = std::clamp(rest, nanoseconds::zero(), kSlice);
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    ::timespec time{};
    time.tv_sec = seconds.count();
    time.tv_nsec = (wait - seconds).count();
    const int ready = ::ppoll(descriptors.data(), descriptors.size(), &time, nullptr);
    if (ready < 0 && errno != EINTR) return ErrnoOf(errno);
    if (ready > 0 || is_over) return Errno::Success;
    if (caller.IsStopRequested()) return Errno::Intr;
  }
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
