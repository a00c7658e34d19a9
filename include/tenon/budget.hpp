// SPDX-License-Identifier: Apache-2.0
/// @file
/// What calls of host functions are charged against.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// An amount of units that calls of host functions with a cost (HostFunctionBuilder::WithCost) take
/// from. A handle: copies are the same budget, so several instances and calls may draw on one. The
/// empty handle limits nothing. Any thread.
class Budget {
 public:
  Budget() noexcept = default;
  explicit Budget(std::uint64_t units)
      : left_{std::make_shared<std::atomic<std::uint64_t>>(units)} {}

  explicit operator bool() const noexcept { return left_ != nullptr; }
  friend bool operator==(const Budget&, const Budget&) noexcept = default;

  /// Units that are left; the largest number for an empty handle.
  std::uint64_t Left() const noexcept {
    return left_ == nullptr ? UINT64_MAX : left_->load(std::memory_order_relaxed);
  }
  /// Adds units; stops at the largest number.
  void Add(std::uint64_t units) const noexcept {
    if (left_ == nullptr) return;
    std::uint64_t left = left_->load(std::memory_order_relaxed);
    while (!left_->compare_exchange_weak(
        left, left > UINT64_MAX - units ? UINT64_MAX : left + units, std::memory_order_relaxed)) {
    }
  }
  /// Takes units. False, and nothing taken, if fewer are left.
  bool Charge(std::uint64_t units) const noexcept {
    if (left_ == nullptr) return true;
    std::uint64_t left = left_->load(std::memory_order_relaxed);
    do {
      if (left < units) return false;
    } while (!left_->compare_exchange_weak(left, left - units, std::memory_order_relaxed));
    return true;
  }

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> left_;
};

}  // namespace tenon::inline TENON_ABI
