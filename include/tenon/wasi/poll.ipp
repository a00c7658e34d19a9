// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/poll.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <poll.h>

#include <tenon/abi/config.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_wait.hpp>
#include <tenon/wasi/poll.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// The wishes of one call, and what becomes of them.
class Poll {
 public:
  Poll(Module& caller, std::vector<Event>& events)
      : caller_{caller}, system_{caller.System()}, events_{events} {}

  void Add(const Wish& wish) {
    if (wish.type == kEventClock) {
      AddClock(wish);
    } else if (wish.type == kEventRead || wish.type == kEventWrite) {
      AddDescriptor(wish);
    } else {
      Tell(wish, Errno::Inval);
    }
  }

  Errno Wait() {
    const bool has_events = !events_.empty();
    std::optional<std::uint64_t> limit;
    for (const Timer& timer : timers_) limit = std::min(limit.value_or(timer.left), timer.left);
    if (has_events) limit = 0;
    Errno error = Errno::Success;
    if (!limit || system_.Config().SleepsReally()) {
      error = WaitFor(caller_, descriptors_, limit);
    } else {
      // The guest's time is not the machine's: what is not ready now is not waited for.
      error = WaitFor(caller_, descriptors_, 0);
      if (error == Errno::Success && *limit != 0 && !IsAnyReady()) {
        system_.Nanosleep(*limit);
        error = WaitFor(caller_, descriptors_, 0);
      }
    }
    if (error != Errno::Success) return error;
    for (std::size_t i = 0; i < descriptors_.size(); ++i) {
      if (descriptors_[i].revents != 0) TellReady(waiting_[i], descriptors_[i].revents);
    }
    // Timers that are due, and none before the others if something else was ready.
    if (events_.empty() || limit == 0) {
      for (const Timer& timer : timers_) {
        if (timer.left <= limit.value_or(0)) Tell(timer.wish, Errno::Success);
      }
    }
    return Errno::Success;
  }

 private:
  struct Timer {
    Wish wish;
    /// Nanoseconds.
    std::uint64_t left;
  };

  void Tell(const Wish& wish, Errno error, std::uint64_t bytes = 0, std::uint16_t flags = 0) {
    events_.push_back({wish.user_data, error, wish.type, bytes, flags});
  }

  bool IsAnyReady() const {
    return std::ranges::any_of(descriptors_,
                               [](const ::pollfd& wait) { return wait.revents != 0; });
  }

  void AddClock(const Wish& wish) {
    // Processor time does not pass while one waits.
    if ((wish.id != kClockRealtime && wish.id != kClockMonotonic) ||
        (wish.flags & ~kAbsoluteTime) != 0) {
      Tell(wish, Errno::Inval);
      return;
    }
    std::uint64_t left = wish.timeout;
    if ((wish.flags & kAbsoluteTime) != 0) {
      const std::uint64_t now = wish.id == kClockRealtime ? system_.Walltime() : system_.Nanotime();
      left = wish.timeout > now ? wish.timeout - now : 0;
    }
    timers_.push_back({wish, left});
  }

  void AddDescriptor(const Wish& wish) {
    DescriptorTable& table = DescriptorsOf(caller_);
    const Descriptor* const open = table.Find(wish.id);
    // What is waited for is to be done afterwards: listeners accept in place of reading.
    const Rights reads = open != nullptr && open->is_listener ? right::kSockAccept : right::kFdRead;
    const auto found = table.Find(
        wish.id, right::kPollFdReadwrite | (wish.type == kEventRead ? reads : right::kFdWrite));
    if (!found) {
      Tell(wish, found.error());
      return;
    }
    Descriptor& descriptor = **found;
    const int host = descriptor.file->PollDescriptor();
    if (host >= 0) {
      descriptors_.push_back(
          {host, static_cast<short>(wish.type == kEventRead ? POLLIN | POLLRDHUP : POLLOUT), 0});
      waiting_.push_back(wish);
      return;
    }
    std::uint64_t bytes = 1;
    if (wish.type == kEventRead && descriptor.file->IsSeekable()) {
      const Expected<FileStat> stat = descriptor.file->Stat();
      if (stat) bytes = stat->size - std::min(stat->size, descriptor.position);
    }
    Tell(wish, Errno::Success, bytes);
  }

  void TellReady(const Wish& wish, short ready) {
    if ((ready & POLLNVAL) != 0) {
      Tell(wish, Errno::Badf);
      return;
    }
    std::uint64_t bytes = 1;
    if (wish.type == kEventRead) {
      const auto found = DescriptorsOf(caller_).Find(wish.id);
      const bool is_listener = found == nullptr || found->is_listener;
      bytes = is_listener ? 1 : found->file->ReadableBytes();
    }
    const bool is_over = (ready & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
    Tell(wish, Errno::Success, bytes, is_over ? kEventHangup : std::uint16_t{0});
  }

  Module& caller_;
  System& system_;
  std::vector<Event>& events_;
  std::vector<Timer> timers_;
  std::vector<::pollfd> descriptors_;
  /// Those of `descriptors_`.
  std::vector<Wish> waiting_;
};

TENON_DECL Errno Fulfil(Module& caller, const std::vector<Wish>& wishes,
                        std::vector<Event>& events) {
  Poll poll{caller, events};
  for (const Wish& wish : wishes) poll.Add(wish);
  return poll.Wait();
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
