// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions of an instance with a C++ signature that was checked once.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/call_signature.hpp>
#include <tenon/call_result.hpp>
#include <tenon/error.hpp>
#include <tenon/function.hpp>

namespace tenon::inline TENON_ABI {

/// Refused: Signature is no R(A...). It has what a typed handle has, so that nothing else is
/// reported.
template <class Signature>
class TypedFunction {
 public:
  static_assert(sizeof(bind::CallSignature<Signature>) != 0);

  explicit operator bool() const noexcept { return false; }
  template <class... A>
  int operator()(const A&...) const {
    return 0;
  }
  static TypedFunction FromChecked(const Function&) noexcept { return {}; }
};

/// A handle to a function of a module, called like a C++ function. Made by
/// `Module::ExportedFunction<R(A...)>(name)` or Function::As, which check the signature. Several
/// results arrive as std::tuple, std::pair, std::array or, a struct, as Flat, as R says; a
/// parameter may be a Flat too. One pointer; keeps the module's instance alive. One thread at a
/// time for all handles of one linkage group.
template <class R, class... A>
class TypedFunction<R(A...)> {
 public:
  TypedFunction() noexcept = default;

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  friend bool operator==(const TypedFunction&, const TypedFunction&) noexcept = default;

  /// Calls the function. Throws ConfigError if the handle is empty; Trap, ExitError, or what a host
  /// function threw.
  R operator()(A... arguments) const {
    return CallRecord(function_.Record(), nullptr, arguments...);
  }
  /// The same under a stop token or deadline, or with user data.
  R operator()(const CallContext& context, A... arguments) const {
    return CallRecord(function_.Record(), &context, arguments...);
  }

  /// Calls without throwing: the results, or what the call ended with.
  CallResult<R> TryCall(A... arguments) const noexcept { return TryInvoke(nullptr, arguments...); }
  CallResult<R> TryCall(const CallContext& context, A... arguments) const noexcept {
    return TryInvoke(&context, arguments...);
  }

  /// The untyped handle.
  const Function& Untyped() const noexcept { return function_; }

  /// For the library's own rooms: `function` must have the signature.
  static TypedFunction FromChecked(Function function) noexcept {
    TypedFunction typed;
    typed.function_ = std::move(function);
    return typed;
  }
  /// The same for a call: `record`, null for an empty handle, must have the signature.
  [[gnu::always_inline]] static R CallRecord(const abi::FunctionRecord* record,
                                             const CallContext* context, const A&... arguments) {
    if (record == nullptr) [[unlikely]]
      vm::ThrowEmptyHandle("TypedFunction");
    const typename Shape::Operands operands = Shape::Convert(arguments...);
    if (context != nullptr || record->host_entry == nullptr || !vm::BeginPrepared(*record))
        [[unlikely]] {
      // One by one: compilers build what is passed whole before they know that it is needed.
      return operands.PassTo(
          [&](auto... values) { return InvokeWithCare(*record, context, values...); });
    }
    abi::Slot slots[kSlotCount];
    Shape::Call(record->host_entry, record, record->instance, operands, slots);
    vm::EndPlain(*record);
    return Take(slots);
  }

 private:
  using Shape = bind::CallSignature<R(A...)>;
  static constexpr std::uint32_t kSlotCount = Shape::kSlotCount == 0 ? 1 : Shape::kSlotCount;

  template <class... Values>
  [[gnu::noinline]] static R InvokeWithCare(const abi::FunctionRecord& record,
                                            const CallContext* context, Values... values) {
    const typename Shape::Operands operands{{values}...};
    abi::Slot slots[kSlotCount] = {};
    if (context == nullptr && record.host_entry != nullptr && vm::BeginPlain(record)) {
      Shape::Call(record.host_entry, &record, record.instance, operands, slots);
      vm::EndPlain(record);
    } else {
      operands.Store(slots);
      vm::Call(record, slots, context);
    }
    return Take(slots);
  }

  /// The result from its slots.
  [[gnu::always_inline]] static R Take([[maybe_unused]] const abi::Slot* slots) {
    if constexpr (std::is_void_v<R>) {
      return;
    } else {
      TrapCode trap = TrapCode::None;
      R result = Shape::Load(slots, trap);
      if (trap != TrapCode::None) vm::ThrowTrap(trap);
      return result;
    }
  }

  CallResult<R> TryInvoke(const CallContext* context, const A&... arguments) const noexcept {
    abi::Slot slots[Shape::kSlotCount == 0 ? 1 : Shape::kSlotCount] = {};
    Shape::Store(slots, arguments...);
    std::exception_ptr error = function_.TryCallWithStack(slots, context);
    if (error != nullptr) return CallResult<R>{std::move(error)};
    if constexpr (std::is_void_v<R>) {
      return CallResult<R>{};
    } else {
      TrapCode trap = TrapCode::None;
      R result = Shape::Load(slots, trap);
      if (trap != TrapCode::None) {
        return CallResult<R>{std::make_exception_ptr(Trap{trap, TrapText(trap), {}})};
      }
      return CallResult<R>{std::move(result)};
    }
  }

  Function function_;
};

template <class Signature>
TypedFunction<Signature> Function::As() const {
  using Shape = bind::CallSignature<Signature>;
  vm::CheckSignature(Record(), Shape::Parameters(), Shape::Results());
  return TypedFunction<Signature>::FromChecked(*this);
}

}  // namespace tenon::inline TENON_ABI

template <class Signature>
struct std::hash<tenon::TypedFunction<Signature>> {
  std::size_t operator()(const tenon::TypedFunction<Signature>& handle) const noexcept {
    return std::hash<tenon::Function>{}(handle.Untyped());
  }
};
