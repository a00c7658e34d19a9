// SPDX-License-Identifier: Apache-2.0
/// @file
/// Threads that wait at addresses of a shared memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>

namespace tenon::inline TENON_ABI::vm {

struct Group;

/// What memory.atomic.wait gives, and one more.
enum class WaitOutcome : std::uint32_t {
  Woken = 0,
  NotEqual = 1,
  TimedOut = 2,
  Ended = 3,  ///< an exit is pending in the waiting group
};

/// The waiting threads of one memory. Any thread.
class WaitQueue {
 public:
  /// Answers a request to stop the call that waits: whether an exit is pending now.
  using Answer = bool (*)(abi::InstanceHeader& caller) noexcept;

  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  /// Waits at `place`, which is aligned for `T`, unless another value than `expected` is there, for
  /// `nanoseconds`, or without end if they are negative. No notification between the comparison and
  /// the wait is lost. Ends early when the call that runs in the group of `caller` is asked to stop
  /// and `answer` says so.
  template <class T>
  WaitOutcome Wait(abi::InstanceHeader& caller, const std::uint8_t* place, T expected,
                   std::int64_t nanoseconds, Answer answer) noexcept {
    using Word [[gnu::may_alias]] = T;
    const auto is_expected = [](const std::uint8_t* at, std::uint64_t value) {
      return __atomic_load_n(reinterpret_cast<const Word*>(at), __ATOMIC_SEQ_CST) ==
             static_cast<T>(value);
    };
    return WaitWhile(caller, place, expected, is_expected, nanoseconds, answer);
  }
  /// Wakes up to `count` threads that wait at `place`, the oldest first; how many they were.
  TENON_DECL std::uint32_t Notify(const std::uint8_t* place, std::uint32_t count) noexcept;
  /// Lets all threads look whether their calls were asked to stop.
  TENON_DECL void Alert() noexcept;

 private:
  struct Waiter {
    const std::uint8_t* place;
    Waiter* previous;
    Waiter* next;
    bool is_woken;
    std::condition_variable wake;
  };

  TENON_DECL WaitOutcome WaitWhile(abi::InstanceHeader& caller, const std::uint8_t* place,
                                   std::uint64_t expected,
                                   bool (*is_expected)(const std::uint8_t*, std::uint64_t),
                                   std::int64_t nanoseconds, Answer answer) noexcept;
  /// What a thread in the list does until it is over. Needs the mutex, which it gives up meanwhile.
  WaitOutcome Sleep(std::unique_lock<std::mutex>& lock, abi::InstanceHeader& caller, Waiter& waiter,
                    std::int64_t nanoseconds, Answer answer) noexcept;
  void Append(Waiter& waiter) noexcept;
  void Remove(Waiter& waiter) noexcept;

  std::mutex mutex_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/wait_queue.ipp>
#endif
