// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions of a guest that are called with views and structs of the host.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>

// What it takes.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_call.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/c_string.hpp>
#include <tenon/call_result.hpp>
#include <tenon/function.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_argument.hpp>
#include <tenon/guest_buffer.hpp>
#include <tenon/guest_object.hpp>
#include <tenon/guest_string.hpp>
#include <tenon/in_out.hpp>
#include <tenon/module.hpp>
#include <tenon/vm/entry.hpp>

namespace tenon::inline TENON_ABI {
namespace detail {

/// What a function makes of its views and its result.
struct GuestCallForm {
  GuestTextForm text = GuestTextForm::None;
  bool has_objects = false;  ///< each view is one pointer, to an object of AssemblyScript
};

/// The ways in which a function may take and return what a C++ signature says.
struct GuestCallShapes {
  std::span<const ValueType> pairs;    ///< parameters, views as pointer and length, and a place
  std::span<const ValueType> objects;  ///< parameters, views as pointers to objects
  std::span<const ValueType> results;
  bind::GuestResultKind result = bind::GuestResultKind::Value;
};

/// Finds the form that a function has. Throws ConfigError if it has another type.
TENON_DECL GuestCallForm FindGuestCallForm(const Function& function, const GuestCallShapes& shapes,
                                           bool is_managed);

/// Declared for what was refused, so that nothing else is reported.
template <class R>
R RefusedResult();

/// Throws Trap unless an object of so many bytes lies in the memory.
TENON_DECL void CheckGuestObject(const GuestAllocator& allocator, std::uint32_t offset,
                                 std::uint64_t size);

}  // namespace detail

/// Refused: Signature is no R(A...). It has what a handle has, so that nothing else is reported.
template <class Signature>
class GuestFunction {
 public:
  static_assert(bind::detail::kAccepted<Signature>, TENON_REFUSED_CALL_SIGNATURE);

  GuestFunction(const Function&, const GuestAllocator&) {}
  explicit operator bool() const noexcept { return false; }
  template <class... A>
  int operator()(const A&...) const {
    return 0;
  }
};

/// A function of a guest, called with views and structs of the host, which are in the guest's
/// memory for the time of the call. Made by `Module::ExportedFunction<R(A...)>(name, allocator)`,
/// which checks the signature.
///
/// Each of A is a scalar, as in TypedFunction, or one of these; what the host gives is in brackets
/// where it is something else:
/// - `std::span<const T>`, `std::string_view` and its relatives: copied in;
/// - `std::span<T>`: copied in, and copied back when the function has returned;
/// - `In<View>`, `Out<View>`, `InOut<View>` of these (the view): the same with the direction said.
///   The guest finds zeros in an Out;
/// - `In<T>` (`const T&`), `Out<T>`, `InOut<T>` (`T&`): one value by pointer, likewise;
/// - `Indirect<S>` (`const S&`): a struct that C passes by value, which is a pointer to a copy;
/// - `Flat<S>` (`const S&`): a struct as one operand for each of its fields;
/// - `CString` (`std::string_view`): a pointer to a copy with a zero behind it. A zero within ends
///   the text for the guest.
/// T and S lie in the guest's memory as C for wasm32 has them: numbers, enums, bool, V128,
/// GuestPtr, GuestSize; structs with <tenon/aggregate.hpp> or a list of fields.
///
/// A view is two i32 for the guest, pointer and length; a span's length counts elements. An
/// AssemblyScript guest may take it as one pointer instead, to a String for char16_t, to an
/// ArrayBuffer for other elements. Everything else in memory is one i32.
///
/// R is as in TypedFunction (`Flat<S>` for several results), or
/// - text: GuestString and GuestU16String, which own it, std::string and std::u16string, which are
///   copies of what remains the guest's. The guest returns an i32, a pointer to characters with a
///   zero behind them (in AssemblyScript to a String or ArrayBuffer); an i64, with the pointer in
///   the upper half and the length in the lower; two i32, pointer and length; or, as C returns
///   structs, it has one more parameter in front, where it writes both. Text of known length 0 is
///   not freed;
/// - `Indirect<S>`: a struct as C returns it: to a place that it is given in front of all operands;
/// - `GuestObject<T>`: a pointer to what the guest allocated and leaves to the host to free.
///
/// The call allocates and copies from left to right, calls, copies back from left to right, takes
/// the result, and frees from right to left, also if something throws; nothing is copied back then.
/// After a trap it frees nothing: what a trap left of the guest's heap is for the guest to deal
/// with, or for Close. Nothing is allocated on the host.
///
/// Two pointers and more; keeps the module's instance alive. One thread at a time for all handles
/// of one linkage group.
template <class R, class... A>
class GuestFunction<R(A...)> {
  static_assert(sizeof(typename bind::GuestCall<R(A...)>::Fault) != 0);

 public:
  GuestFunction() noexcept = default;
  /// Throws ConfigError if a handle is empty, the function has another type, or its module has
  /// another memory than the allocator.
  GuestFunction(Function function, GuestAllocator allocator)
      : function_{std::move(function)}, allocator_{std::move(allocator)} {
    if constexpr (Call::kIsAccepted) {
      detail::GuestCallShapes shapes;
      shapes.pairs = Call::Pairs::Parameters();
      shapes.objects = Call::Objects::Parameters();
      shapes.results = Call::Pairs::Results();
      shapes.result = Call::kResult;
      form_ = detail::FindGuestCallForm(function_, shapes, allocator_.IsManaged());
      allocator_.RequireFunctionOf(function_);
    }
  }

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  friend bool operator==(const GuestFunction& left, const GuestFunction& right) noexcept {
    return left.function_ == right.function_ && left.allocator_ == right.allocator_;
  }

  /// Calls the function. Throws ConfigError if the handle is empty; AllocationError if the guest
  /// has no room; Trap, ExitError, or what a host function threw, in the function as in the
  /// allocator.
  R operator()(bind::GuestArgumentOf<A>... arguments) const {
    return Invoke(nullptr, arguments...);
  }
  /// The same under a stop token or deadline, or with user data. It holds for the calls of the
  /// allocator too.
  R operator()(const CallContext& context, bind::GuestArgumentOf<A>... arguments) const {
    return Invoke(&context, arguments...);
  }

  /// Calls without throwing: the results, or what the call ended with.
  CallResult<R> TryCall(bind::GuestArgumentOf<A>... arguments) const noexcept {
    return TryInvoke(nullptr, arguments...);
  }
  CallResult<R> TryCall(const CallContext& context,
                        bind::GuestArgumentOf<A>... arguments) const noexcept {
    return TryInvoke(&context, arguments...);
  }

  /// The untyped handle.
  const Function& Untyped() const noexcept { return function_; }
  const GuestAllocator& Allocator() const noexcept { return allocator_; }

 private:
  using Call = bind::GuestCall<R(A...)>;
  using Kind = bind::GuestResultKind;

  /// A call with its arguments in place.
  struct Prepared {
    const abi::FunctionRecord& function;
    const detail::GuestCallScope& scope;
    detail::GuestCallForm form;
    const detail::GuestArguments<A...>& arguments;
  };

  R Invoke(const CallContext* context, const bind::GuestArgumentOf<A>&... arguments) const {
    if constexpr (Call::kIsAccepted) {
      if (!function_) vm::ThrowEmptyHandle("GuestFunction");
      // This handle may go while the guest runs, in its allocator too. The function lives as long
      // as what it allocates from.
      const abi::FunctionRecord& function = *function_.Record();
      const detail::GuestCallForm form = form_;
      const GuestAllocator allocator = allocator_;
      const detail::GuestCallScope scope{allocator, context};
      const detail::GuestArguments<A...> lowered{scope, arguments...};
      const Prepared call{function, scope, form, lowered};
      if constexpr (Call::kResult == Kind::Text) {
        return CallForText(call);
      } else if constexpr (Call::kResult == Kind::Place) {
        return CallForPlace(call);
      } else if constexpr (Call::kResult == Kind::Object) {
        return CallForObject(call);
      } else {
        return CallForValue(call);
      }
    } else {
      return detail::RefusedResult<R>();
    }
  }

  /// Calls with operands in front of the arguments'; results go to `slots`.
  template <class... Front>
  static void Run(const Prepared& call, abi::Slot* slots, Front... front) {
    using Shape = typename Call::Pairs;
    const abi::FunctionRecord& function = call.function;
    if (function.host_entry != nullptr && call.scope.context == nullptr && !call.form.has_objects)
        [[likely]] {
      const auto operands = call.arguments.PassTo(
          [&](const auto&... values) { return Shape::Convert(front..., values...); });
      if (vm::BeginPlain(function)) [[likely]] {
        Shape::Call(function.host_entry, &function, function.instance, operands, slots);
        vm::EndPlain(function);
      } else {
        operands.Store(slots);
        vm::Call(function, slots, nullptr);
      }
    } else {
      abi::Slot* next = slots;
      ((*next++ = front), ...);
      call.arguments.Store(next, call.form.has_objects);
      vm::Call(function, slots, call.scope.context);
    }
  }

  static R CallForValue(const Prepared& call) {
    using Shape = typename Call::Pairs;
    abi::Slot slots[Shape::kSlotCount + 1] = {};
    Run(call, slots);
    if (const TrapCode trap = Shape::CheckResults(slots); trap != TrapCode::None) {
      vm::ThrowTrap(trap);
    }
    call.arguments.CopyBack();
    return Shape::Load(slots);
  }

  static R CallForText(const Prepared& call) {
    using Result = detail::GuestTextResult<R>;
    const detail::GuestCallScope& scope = call.scope;
    const bool has_area = call.form.text == detail::GuestTextForm::Area;
    // Room for pointer and length.
    const detail::ScopedGuestBlock area{
        scope, has_area ? scope.allocator.AllocateBlock(8, 4, detail::GuestClass::ArrayBuffer,
                                                        scope.context)
                        : detail::GuestBlock{}};
    abi::Slot slots[Call::Pairs::kSlotCount + 2] = {area.Offset()};
    call.arguments.Store(slots + (has_area ? 1 : 0), call.form.has_objects);
    vm::Call(call.function, slots, scope.context);
    call.arguments.CopyBack();
    return Result::Make(scope.allocator,
                        detail::FindGuestText(scope.allocator, call.form.text, slots, area.Offset(),
                                              sizeof(typename Result::Character)),
                        scope.context);
  }

  static R CallForPlace(const Prepared& call) {
    using Struct = typename bind::detail::ResultStruct<R>::Type;
    Struct result{};
    const detail::ScopedGuestBlock place{
        call.scope, detail::LowerValues<false>(call.scope, std::addressof(result), 1,
                                               detail::GuestClass::ArrayBuffer)};
    abi::Slot slots[Call::Pairs::kSlotCount + 1] = {};
    Run(call, slots, place.Offset());
    call.arguments.CopyBack();
    detail::RaiseValues(call.scope, place.Offset(), std::addressof(result), 1);
    return R{std::move(result)};
  }

  static R CallForObject(const Prepared& call) {
    using Layout = bind::GuestLayout<typename bind::detail::ResultStruct<R>::Type>;
    const GuestAllocator& allocator = call.scope.allocator;
    constexpr std::uint32_t kSize{Layout::kSize};
    abi::Slot slots[Call::Pairs::kSlotCount + 1] = {};
    Run(call, slots);
    call.arguments.CopyBack();
    const std::uint32_t offset = Call::Pairs::Load(slots);
    if (offset == 0) return {};
    detail::CheckGuestObject(allocator, offset, kSize);
    return R{GuestBuffer{
        allocator, allocator.AdoptBlock(offset, kSize, Layout::kAlignment, call.scope.context),
        kSize}};
  }

  CallResult<R> TryInvoke(const CallContext* context,
                          const bind::GuestArgumentOf<A>&... arguments) const noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        Invoke(context, arguments...);
        return CallResult<R>{};
      } else {
        return CallResult<R>{Invoke(context, arguments...)};
      }
    } catch (...) {
      return CallResult<R>{std::current_exception()};
    }
  }

  Function function_;
  GuestAllocator allocator_;
  detail::GuestCallForm form_;
};

template <class Signature>
GuestFunction<Signature> Module::ExportedFunction(std::string_view name,
                                                  const GuestAllocator& allocator) const {
  return GuestFunction<Signature>{RequireFunction(name), allocator};
}

}  // namespace tenon::inline TENON_ABI

template <class Signature>
struct std::hash<tenon::GuestFunction<Signature>> {
  std::size_t operator()(const tenon::GuestFunction<Signature>& handle) const noexcept {
    return std::hash<tenon::Function>{}(handle.Untyped());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/guest_function.ipp>
#endif
