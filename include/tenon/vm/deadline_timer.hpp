// SPDX-License-Identifier: Apache-2.0
/// @file
/// Stops calls at their deadlines.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/vm/group.hpp>

namespace tenon::inline TENON_ABI::vm {

class Store;

TENON_DECL void Interrupt(Store& store, Group& group, std::uint64_t activation,
                          std::uint32_t exit_code) noexcept;

/// One thread that sleeps until the next deadline. Any thread may add and remove. A forked child
/// has none of its parent's threads, and needs a timer of its own.
class DeadlineTimer {
 public:
  using Clock = std::chrono::steady_clock;
  struct Call {
    Group* group;
    std::uint64_t activation;
  };
  using Ticket = std::multimap<Clock::time_point, Call>::iterator;

  /// For calls of groups of `store`, which owns the timer.
  explicit DeadlineTimer(Store& store) : store_{store}, thread_{[this] { Run(); }} {}
  ~DeadlineTimer() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  bool IsOfThisProcess() const noexcept { return process_ == getpid(); }

  Ticket Add(Clock::time_point deadline, Group& group, std::uint64_t activation) {
    const std::lock_guard lock{mutex_};
    const Ticket ticket = calls_.emplace(deadline, Call{&group, activation});
    if (deadline < awaited_) changed_.notify_one();
    return ticket;
  }
  /// After this returns, the call is not touched any more.
  void Remove(Ticket ticket) {
    const std::lock_guard lock{mutex_};
    calls_.erase(ticket);
  }

 private:
  void Run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      Clock::time_point next = Clock::time_point::max();
      const Clock::time_point now = Clock::now();
      for (const auto& [deadline, call] : calls_) {
        if (deadline > now) {
          next = deadline;
          break;
        }
        Interrupt(store_, *call.group, call.activation, ExitError::kDeadlineExceeded);
      }
      awaited_ = next;
      if (next == Clock::time_point::max()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, next);
      }
    }
  }

  Store& store_;
  const pid_t process_ = getpid();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Call> calls_;          ///< those whose deadline passed included
  Clock::time_point awaited_ = Clock::time_point::max();  ///< when the thread wakes by itself
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tenon::inline TENON_ABI::vm
