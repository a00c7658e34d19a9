// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a call that does not throw gives back.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// The results of a call, or the exception with which it ended.
template <class R>
class [[nodiscard]] CallResult {
 public:
  explicit CallResult(R value) : value_{std::move(value)} {}
  explicit CallResult(std::exception_ptr error) : error_{std::move(error)} {}

  /// Whether the call returned.
  explicit operator bool() const noexcept { return error_ == nullptr; }
  /// The results. Throws Error() if there are none.
  const R& Value() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
    return *value_;
  }
  /// What would have been thrown; null if the call returned.
  const std::exception_ptr& Error() const noexcept { return error_; }

 private:
  std::optional<R> value_;
  std::exception_ptr error_;
};

/// The same for functions without results.
template <>
class [[nodiscard]] CallResult<void> {
 public:
  CallResult() = default;
  explicit CallResult(std::exception_ptr error) : error_{std::move(error)} {}

  explicit operator bool() const noexcept { return error_ == nullptr; }
  void Value() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }
  const std::exception_ptr& Error() const noexcept { return error_; }

 private:
  std::exception_ptr error_;
};

}  // namespace tenon::inline TENON_ABI
