// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wait_queue.hpp.
#pragma once

#include <chrono>

#include <tenon/vm/group.hpp>
#include <tenon/vm/wait_queue.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Tells those who ask a group's call to stop where its thread waits.
class WaitingPlace {
 public:
  WaitingPlace(Group& group, WaitQueue& queue) noexcept : group_{group} {
    const std::lock_guard lock{group_.waiting_mutex};
    group_.waits_in = &queue;
  }
  WaitingPlace(const WaitingPlace&) = delete;
  WaitingPlace& operator=(const WaitingPlace&) = delete;
  ~WaitingPlace() {
    const std::lock_guard lock{group_.waiting_mutex};
    group_.waits_in = nullptr;
  }

 private:
  Group& group_;
};

}  // namespace detail

inline void WaitQueue::Append(Waiter& waiter) noexcept {
  waiter.previous = last_;
  (last_ == nullptr ? first_ : last_->next) = &waiter;
  last_ = &waiter;
}

inline void WaitQueue::Remove(Waiter& waiter) noexcept {
  (waiter.previous == nullptr ? first_ : waiter.previous->next) = waiter.next;
  (waiter.next == nullptr ? last_ : waiter.next->previous) = waiter.previous;
}

inline WaitOutcome WaitQueue::Sleep(std::unique_lock<std::mutex>& lock, abi::InstanceHeader& caller,
                                    Waiter& waiter, std::int64_t nanoseconds,
                                    Answer answer) noexcept {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  // What the clock cannot count to is no end either.
  const std::chrono::nanoseconds most = Clock::time_point::max() - begin;
  const bool has_end = nanoseconds >= 0 && nanoseconds < most.count();
  const Clock::time_point end = begin + std::chrono::nanoseconds{has_end ? nanoseconds : 0};
  Group& group = GroupOf(caller);
  while (!waiter.is_woken) {
    if (group.interrupt.Load() == group.activation.LoadRelaxed()) {
      // It may be for a function that is not in execution: then this one keeps its place.
      lock.unlock();
      const bool has_ended = answer(caller);
      lock.lock();
      if (has_ended) return WaitOutcome::Ended;
      continue;
    }
    if (!has_end) {
      waiter.wake.wait(lock);
    } else if (Clock::now() >= end) {
      return WaitOutcome::TimedOut;
    } else {
      waiter.wake.wait_until(lock, end);
    }
  }
  return WaitOutcome::Woken;
}

TENON_DECL WaitOutcome WaitQueue::WaitWhile(abi::InstanceHeader& caller, const std::uint8_t* place,
                                            std::uint64_t expected,
                                            bool (*is_expected)(const std::uint8_t*, std::uint64_t),
                                            std::int64_t nanoseconds, Answer answer) noexcept {
  // Before it looks whether the call is to stop: whoever asks afterwards finds it.
  const detail::WaitingPlace waiting{GroupOf(caller), *this};
  Waiter waiter{place, nullptr, nullptr, false, {}};
  std::unique_lock lock{mutex_};
  if (!is_expected(place, expected)) return WaitOutcome::NotEqual;
  Append(waiter);
  const WaitOutcome outcome = Sleep(lock, caller, waiter, nanoseconds, answer);
  if (!waiter.is_woken) Remove(waiter);
  return outcome;
}

TENON_DECL std::uint32_t WaitQueue::Notify(const std::uint8_t* place,
                                           std::uint32_t count) noexcept {
  const std::lock_guard lock{mutex_};
  std::uint32_t woken = 0;
  for (Waiter* waiter = first_; waiter != nullptr && woken != count;) {
    Waiter& current = *waiter;
    waiter = waiter->next;
    if (current.place != place) continue;
    Remove(current);
    current.is_woken = true;
    current.wake.notify_one();
    ++woken;
  }
  return woken;
}

TENON_DECL void WaitQueue::Alert() noexcept {
  const std::lock_guard lock{mutex_};
  for (Waiter* waiter = first_; waiter != nullptr; waiter = waiter->next) waiter->wake.notify_one();
}

}  // namespace tenon::inline TENON_ABI::vm
