// SPDX-License-Identifier: Apache-2.0
/// @file
/// The WASI function that waits: poll_oneoff.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

inline constexpr std::uint8_t kEventClock = 0;
inline constexpr std::uint8_t kEventRead = 1;
inline constexpr std::uint8_t kEventWrite = 2;
inline constexpr std::uint16_t kEventHangup = 1;
inline constexpr std::uint32_t kClockRealtime = 0;
inline constexpr std::uint32_t kClockMonotonic = 1;
inline constexpr std::uint32_t kClockProcessCputime = 2;
inline constexpr std::uint32_t kClockThreadCputime = 3;
inline constexpr std::uint16_t kAbsoluteTime = 1;
/// Most subscriptions of one call; more are EINVAL.
inline constexpr std::uint32_t kMostSubscriptions = 4096;

/// A subscription in either version.
struct Wish {
  std::uint64_t user_data = 0;
  std::uint8_t type = 0;
  /// Of a clock or a descriptor.
  std::uint32_t id = 0;
  std::uint64_t timeout = 0;
  std::uint16_t flags = 0;
};

/// Waits until at least one wish is fulfilled or cannot be, and tells which.
TENON_DECL Errno Fulfil(Module& caller, const std::vector<Wish>& wishes,
                        std::vector<Event>& events);

template <Version kVersion>
Errno PollOneoff(Module& caller, Memory& memory, Place<Subscription<kVersion>> in, Place<Event> out,
                 std::uint32_t count, Place<std::uint32_t> nevents) {
  if (count == 0 || count > kMostSubscriptions) return Errno::Inval;
  if (!in.IsIn(memory, count) || !out.IsIn(memory, count) || !nevents.IsIn(memory)) {
    return Errno::Fault;
  }
  std::vector<Wish> wishes;
  wishes.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto subscription = in.Read(memory, i);
    if (!subscription) return Errno::Fault;
    Wish wish;
    wish.user_data = subscription->user_data;
    wish.type = subscription->tag;
    wish.id = subscription->body.id;
    if constexpr (kVersion == Version::Unstable) {
      // There a clock has an identifier in front, a descriptor has not.
      if (wish.type != kEventClock) {
        wish.id = static_cast<std::uint32_t>(subscription->body.identifier);
      }
    }
    wish.timeout = subscription->body.timeout;
    wish.flags = subscription->body.flags;
    wishes.push_back(wish);
  }
  std::vector<Event> events;
  const Errno error = Fulfil(caller, wishes, events);
  if (error != Errno::Success) return error;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Errno fault = out.Write(memory, events[i], i);
    if (fault != Errno::Success) return fault;
  }
  return nevents.Write(memory, static_cast<std::uint32_t>(events.size()));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/poll.ipp>
#endif
