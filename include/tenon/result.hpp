// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a host function returns when it can fail: a value or an error, an exit, a trap.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// An error number, 0 for none. A value by itself (`i32`), and the usual error of a Result. The
/// guest sees the number as it is: the constants of <cerrno> are those of this machine's C library,
/// and a guest's library may count differently (wasi-libc does). `Errno{EBADF}` makes one.
enum class Errno : std::int32_t {};

/// An Errno that crosses in the place of an integer result, negated, as in the Linux kernel:
/// `Result<std::int32_t, NegativeErrno>` is one `i32`, the value or minus the number.
enum class NegativeErrno : std::int32_t {};

/// How an error crosses beside the value it stands in for.
enum class ErrorForm : std::uint8_t {
  Leading,   ///< an i32 in front of the value: 0, or the error's number and a value of zeros
  Negative,  ///< in place of an integer value: minus the error's number
};

/// The form of an error type. Specialise it for a type of yours:
/// `template <> inline constexpr auto tenon::kErrorForm<MyError> = tenon::ErrorForm::Negative;`
template <class E>
inline constexpr ErrorForm kErrorForm = ErrorForm::Leading;
template <>
inline constexpr ErrorForm kErrorForm<NegativeErrno> = ErrorForm::Negative;

/// Ends the guest's call with an exit code: returned by a host function, it is what
/// `throw ExitError{code}` is, for programs without exceptions too. The module itself is closed
/// only if the host function closes it.
struct Exit {
  std::uint32_t code;
};

/// Ends the guest's call with a trap: its caller gets a Trap with TrapCode::HostTrap, this text and
/// the guest's backtrace. The same as `throw Trap{text}`, for programs without exceptions too.
struct HostTrap {
  /// Must outlive the host function, as a literal does. Copied then. Null is an empty text.
  const char* text;
};

/// An Exit or a HostTrap.
class Ending {
 public:
  constexpr Ending(Exit exit) noexcept : code_{exit.code}, is_exit_{true} {}
  constexpr Ending(HostTrap trap) noexcept : text_{trap.text} {}

  constexpr bool IsExit() const noexcept { return is_exit_; }
  /// 0 for a trap.
  constexpr std::uint32_t ExitCode() const noexcept { return code_; }
  /// Null for an exit.
  constexpr const char* Text() const noexcept { return text_; }

 private:
  const char* text_ = nullptr;
  std::uint32_t code_ = 0;
  bool is_exit_ = false;
};

/// An error on its way into a Result whose value has the same type: `return Failure{1};`.
template <class E>
class Failure {
 public:
  constexpr explicit Failure(E error) : error_{std::move(error)} {}
  constexpr const E& error() const& noexcept { return error_; }
  constexpr E&& error() && noexcept { return std::move(error_); }

 private:
  E error_;
};

/// A value or an error. Member names are those of std::expected, which host functions may return as
/// well; this one needs C++20 only, and no exceptions.
///
/// As a result of a host function it crosses as its error type says (see ErrorForm); with the error
/// types Exit, HostTrap and Ending only the value crosses, and the error ends the guest.
template <class T, class E = Errno>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;
  using unexpected_type = Failure<E>;

  /// A default value.
  Result()
    requires std::is_default_constructible_v<T>
      : value_{}, has_value_{true} {}
  /// The value.
  template <class U>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             (!std::is_same_v<std::remove_cvref_t<U>, E> || std::is_same_v<T, E>))
  Result(U&& value) : value_(static_cast<U&&>(value)), has_value_{true} {}
  /// The error.
  template <class G>
    requires(std::is_convertible_v<G, E> && !std::is_same_v<T, E> &&
             (std::is_same_v<std::remove_cvref_t<G>, E> || !std::is_convertible_v<G, T>) &&
             !std::is_same_v<std::remove_cvref_t<G>, Result>)
  Result(G&& error) : error_(static_cast<G&&>(error)), has_value_{false} {}
  Result(Failure<E> failure) : error_(std::move(failure).error()), has_value_{false} {}

  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T> &&
                                  std::is_nothrow_move_constructible_v<E>)
      : has_value_{other.has_value_} {
    Construct(std::move(other));
  }
  Result(const Result& other)
    requires(std::is_copy_constructible_v<T> && std::is_copy_constructible_v<E>)
      : has_value_{other.has_value_} {
    Construct(other);
  }
  Result& operator=(const Result&) = delete;
  ~Result() {
    if (has_value_) {
      value_.~T();
    } else {
      error_.~E();
    }
  }

  bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  /// The value. There must be one.
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }
  /// The error. There must be no value.
  E& error() & noexcept { return error_; }
  const E& error() const& noexcept { return error_; }
  E&& error() && noexcept { return std::move(error_); }

 private:
  template <class Other>
  void Construct(Other&& other) {
    if (has_value_) {
      ::new (static_cast<void*>(&value_)) T(*static_cast<Other&&>(other));
    } else {
      ::new (static_cast<void*>(&error_)) E(static_cast<Other&&>(other).error());
    }
  }

  union {
    T value_;
    E error_;
  };
  bool has_value_;
};

/// Success or an error.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;
  using unexpected_type = Failure<E>;

  /// Success.
  Result() noexcept {}
  /// The error.
  template <class G>
    requires(std::is_convertible_v<G, E> && !std::is_same_v<std::remove_cvref_t<G>, Result>)
  Result(G&& error) : error_(static_cast<G&&>(error)), has_value_{false} {}
  Result(Failure<E> failure) : error_(std::move(failure).error()), has_value_{false} {}

  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<E>)
      : has_value_{other.has_value_} {
    if (!has_value_) ::new (static_cast<void*>(&error_)) E(std::move(other).error());
  }
  Result(const Result& other)
    requires std::is_copy_constructible_v<E>
      : has_value_{other.has_value_} {
    if (!has_value_) ::new (static_cast<void*>(&error_)) E(other.error());
  }
  Result& operator=(const Result&) = delete;
  ~Result() {
    if (!has_value_) error_.~E();
  }

  bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  /// The error. There must be one.
  E& error() & noexcept { return error_; }
  const E& error() const& noexcept { return error_; }
  E&& error() && noexcept { return std::move(error_); }

 private:
  union {
    E error_;
  };
  bool has_value_ = true;
};

}  // namespace tenon::inline TENON_ABI
