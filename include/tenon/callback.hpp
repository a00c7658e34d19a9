// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions that a guest hands to the host to be called.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <new>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/handles.hpp>
#include <tenon/bind/refusal.hpp>
#include <tenon/call_context.hpp>
#include <tenon/call_result.hpp>
#include <tenon/function.hpp>
#include <tenon/fwd.hpp>
#include <tenon/typed_function.hpp>

namespace tenon::inline TENON_ABI {

/// How a Callback crosses: as funcref.
struct AsFuncRef {};
/// How a Callback crosses: as an i32, the index of a table's element.
struct AsTableIndex {};

/// A function of a guest that it gave to a host function, called like a C++ function. As parameter
/// it takes a funcref or, in the form AsTableIndex, what C has as a function pointer: an index into
/// the table that the guest exports as "__indirect_function_table", else into its table 0.
///
/// Its type is checked as it arrives: another one is TrapCode::IndirectCallTypeMismatch, which
/// names the parameter and both types. So is the index: beyond the table
/// TrapCode::UndefinedElement, an empty element TrapCode::UninitializedElement. Null (a null
/// funcref, or index 0 if that element is empty, as C compilers leave it) arrives as null; calling
/// it throws ConfigError.
///
/// The signature is that of TypedFunction, and so are calls: Trap, ExitError and what a host
/// function threw come out, and a guest may be called while it runs.
///
/// The parameter itself is valid until the host function returns. A copy, or what it was moved to,
/// keeps the function's instance alive, and may be called until that is closed: then it throws
/// ExitError, as every function of a closed module does. One thread at a time for all handles of
/// one linkage group.
template <class R, class... A, class Form>
class Callback<R(A...), Form> {
  static constexpr bind::detail::Verdict kVerdict = bind::detail::JudgeCall<R, A...>();
  static_assert(sizeof(std::conditional_t < kVerdict.refusal == bind::Refusal::None, char,
                       bind::detail::RefusalOf < kVerdict, bind::Signature<R, A...>,
                       R(A...) >>) != 0);

 public:
  /// Null.
  Callback() noexcept : function_{} {}
  /// Keeps the function's instance alive, also if `other` does not.
  Callback(const Callback& other) noexcept : function_{other.function_} {}
  Callback(Callback&& other) noexcept
      : function_{other.is_kept_ ? std::move(other.function_) : other.function_} {}
  Callback& operator=(Callback other) noexcept {
    // The instance may go with its last handle, and an object that owns this with the instance.
    const Callback former{std::move(*this)};
    this->~Callback();
    ::new (static_cast<void*>(this)) Callback(std::move(other));
    return *this;
  }
  ~Callback() {
    if (is_kept_) function_.~TypedFunction();
  }

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  /// Whether both are the same function, or null.
  friend bool operator==(const Callback& a, const Callback& b) noexcept {
    return a.function_ == b.function_;
  }

  /// Calls the function. Throws ConfigError for null; Trap, ExitError, or what a host function
  /// threw.
  R operator()(A... arguments) const {
    if (!function_) [[unlikely]]
      vm::ThrowEmptyHandle("Callback");
    return function_(arguments...);
  }
  /// The same under a stop token or deadline, or with user data.
  R operator()(const CallContext& context, A... arguments) const {
    if (!function_) [[unlikely]]
      vm::ThrowEmptyHandle("Callback");
    return function_(context, arguments...);
  }
  /// Calls without throwing: the results, or what the call ended with.
  CallResult<R> TryCall(A... arguments) const noexcept { return function_.TryCall(arguments...); }
  CallResult<R> TryCall(const CallContext& context, A... arguments) const noexcept {
    return function_.TryCall(context, arguments...);
  }

  /// A handle to the function, which keeps its instance alive.
  TypedFunction<R(A...)> Function() const noexcept { return function_; }

  /// For the library's own rooms: lent for a call. `record` is null or of this signature.
  explicit Callback(const abi::FunctionRecord* record) noexcept
      : function_{TypedFunction<R(A...)>::FromChecked(tenon::Function::Adopt(record))},
        is_kept_{false} {}

 private:
  // Not destroyed if it is lent: it was not counted.
  union {
    TypedFunction<R(A...)> function_;
  };
  bool is_kept_ = true;
};

/// A Callback whose parameter is what C has as a function pointer.
template <class Signature>
using FunctionPointer = Callback<Signature, AsTableIndex>;

}  // namespace tenon::inline TENON_ABI
