// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a caller hands to a call besides its arguments.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/budget.hpp>

namespace tenon::inline TENON_ABI {

/// Stop token, deadline, budget and user data of one call into a guest.
///
/// Stop tokens and deadlines end a running guest only in runtimes with
/// RuntimeConfig::WithCloseOnContextDone(true): the call then throws ExitError and the module is
/// closed. Only those of the outermost call into a linkage group count. A host function receives
/// the context of the innermost call that was given one by a `CallContext&` parameter. A value;
/// must outlive the call it is given to.
class CallContext {
 public:
  using Clock = std::chrono::steady_clock;

  CallContext() = default;

  /// A changed copy whose calls end with ExitError::kContextCanceled once a stop is requested.
  [[nodiscard]] CallContext WithStopToken(std::stop_token token) const {
    CallContext changed = *this;
    changed.stop_token_ = std::move(token);
    return changed;
  }
  /// A changed copy whose calls end with ExitError::kDeadlineExceeded at this time.
  [[nodiscard]] CallContext WithDeadline(Clock::time_point deadline) const {
    CallContext changed = *this;
    changed.deadline_ = deadline;
    return changed;
  }
  /// WithDeadline, counted from now; one that is beyond what the clock can say never passes.
  [[nodiscard]] CallContext WithTimeout(Clock::duration timeout) const {
    const Clock::time_point now = Clock::now();
    return WithDeadline(timeout < Clock::time_point::max() - now ? now + timeout
                                                                 : Clock::time_point::max());
  }
  /// A changed copy that carries a pointer for host functions. Not owned.
  [[nodiscard]] CallContext WithUserData(void* data) const {
    CallContext changed = *this;
    changed.user_data_ = data;
    return changed;
  }

  /// A changed copy whose calls are charged against this budget; see
  /// HostFunctionBuilder::WithCost. A call that a host function makes with a budget is charged
  /// against it and against those of the calls around it in the same linkage group.
  [[nodiscard]] CallContext WithBudget(tenon::Budget budget) const {
    CallContext changed = *this;
    changed.budget_ = std::move(budget);
    return changed;
  }

  const std::stop_token& StopToken() const { return stop_token_; }
  std::optional<Clock::time_point> Deadline() const { return deadline_; }
  void* UserData() const { return user_data_; }
  /// Empty if it limits nothing.
  const tenon::Budget& Budget() const { return budget_; }

 private:
  std::stop_token stop_token_;
  std::optional<Clock::time_point> deadline_;
  void* user_data_ = nullptr;
  tenon::Budget budget_;
};

}  // namespace tenon::inline TENON_ABI
