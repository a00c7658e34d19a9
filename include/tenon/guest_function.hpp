// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions of a guest that are called with views of the host's data.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>

// What it takes.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_call.hpp>
#include <tenon/call_result.hpp>
#include <tenon/function.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_string.hpp>
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
  std::span<const ValueType> pairs;    ///< parameters, views as pointer and length
  std::span<const ValueType> objects;  ///< parameters, views as pointers to objects
  std::span<const ValueType> results;
  bool is_text = false;
};

/// Finds the form that a function has. Throws ConfigError if it has another type.
TENON_DECL GuestCallForm FindGuestCallForm(const Function& function, const GuestCallShapes& shapes,
                                           bool is_managed);

/// Declared for what was refused, so that nothing else is reported.
template <class R>
R RefusedResult();

/// What all arguments of one call need.
struct GuestCallScope {
  const GuestAllocator& allocator;
  const CallContext* context;
};

/// One argument of a call, in the guest's memory as long as this lives. `Store` writes its operands
/// and returns where the next go; `CopyBack` is for what the guest may have changed.
template <class T, bool kIsView = bind::detail::ViewTraits<T>::kIsView>
class GuestArgument {
 public:
  GuestArgument(const GuestCallScope&, const T& value) : value_{value} {}
  abi::Slot* Store(abi::Slot* slots, bool) const {
    using Mapping = bind::Scalar<std::remove_const_t<T>>;
    bind::ToSlot(slots, Mapping::To(value_));
    return slots + bind::SlotsOf(Mapping::kWire);
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(value_);
  }
  void CopyBack() const noexcept {}

 private:
  const T& value_;
};

template <class T>
class GuestArgument<T, true> {
 public:
  GuestArgument(const GuestCallScope& scope, const T& view)
      : scope_{scope},
        view_{view},
        block_{scope.allocator.CopyBlock(view.data(), Size(), alignof(Element), kClass,
                                         scope.context)} {}
  GuestArgument(const GuestArgument&) = delete;
  GuestArgument& operator=(const GuestArgument&) = delete;
  ~GuestArgument() { scope_.allocator.FreeBlock(block_, scope_.context); }

  abi::Slot* Store(abi::Slot* slots, bool is_object) const {
    *slots++ = block_.offset;
    if (!is_object) *slots++ = static_cast<std::uint32_t>(view_.size());
    return slots;
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(block_.offset, static_cast<std::uint32_t>(view_.size()));
  }
  void CopyBack() const {
    if constexpr (!std::is_const_v<Element>) {
      scope_.allocator.CopyOut(block_.offset, view_.data(), Size());
    }
  }

 private:
  using Element = typename bind::detail::ViewTraits<T>::Element;
  static constexpr GuestClass kClass = std::is_same_v<std::remove_const_t<Element>, char16_t>
                                           ? GuestClass::String
                                           : GuestClass::ArrayBuffer;

  std::uint64_t Size() const { return std::uint64_t{view_.size()} * sizeof(Element); }

  const GuestCallScope& scope_;
  const T& view_;
  GuestBlock block_;
};

/// Arguments, made from left to right and given back from right to left.
template <class... A>
class GuestArguments {
 public:
  explicit GuestArguments(const GuestCallScope&) {}
  abi::Slot* Store(abi::Slot* slots, bool) const { return slots; }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee();
  }
  void CopyBack() const {}
};
template <class First, class... Rest>
class GuestArguments<First, Rest...> {
 public:
  GuestArguments(const GuestCallScope& scope, const First& first, const Rest&... rest)
      : first_{scope, first}, rest_{scope, rest...} {}
  abi::Slot* Store(abi::Slot* slots, bool has_objects) const {
    return rest_.Store(first_.Store(slots, has_objects), has_objects);
  }
  /// Calls `callee` with all operands, and returns what it returns.
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return first_.PassTo([&](const auto&... own) -> decltype(auto) {
      return rest_.PassTo([&](const auto&... others) { return callee(own..., others...); });
    });
  }
  void CopyBack() const {
    first_.CopyBack();
    rest_.CopyBack();
  }

 private:
  GuestArgument<First> first_;
  GuestArguments<Rest...> rest_;
};

/// Room for pointer and length of a text that a function returns through memory.
class GuestTextArea {
 public:
  GuestTextArea(const GuestCallScope& scope, bool is_needed) : scope_{scope} {
    if (is_needed) {
      block_ = scope.allocator.AllocateBlock(8, 4, GuestClass::ArrayBuffer, scope.context);
    }
  }
  GuestTextArea(const GuestTextArea&) = delete;
  GuestTextArea& operator=(const GuestTextArea&) = delete;
  ~GuestTextArea() { scope_.allocator.FreeBlock(block_, scope_.context); }

  std::uint32_t Offset() const { return block_.offset; }

 private:
  const GuestCallScope& scope_;
  GuestBlock block_;
};

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

/// A function of a guest, called with views of the host's data, which are in the guest's memory for
/// the time of the call. Made by `Module::ExportedFunction<R(A...)>(name, allocator)`, which checks
/// the signature.
///
/// Each of A is a scalar, as in TypedFunction, or
/// - `std::span<const T>`, `std::string_view` and its relatives: copied in;
/// - `std::span<T>`: copied in, and copied back when the function has returned, from left to right.
/// A view is two i32 for the guest, pointer and length; a span's length counts elements. An
/// AssemblyScript guest may take it as one pointer instead, to a String for char16_t, to an
/// ArrayBuffer for other elements.
///
/// R is as in TypedFunction, or text: GuestString and GuestU16String, which own it, std::string and
/// std::u16string, which are copies of what remains the guest's. The guest returns an i32, a
/// pointer to characters with a zero behind them (in AssemblyScript to a String or ArrayBuffer); an
/// i64, with the pointer in the upper half and the length in the lower; two i32, pointer and
/// length; or, as C returns structs, it has one more parameter in front, where it writes both. Text
/// of known length 0 is not freed.
///
/// The call allocates and copies from left to right, calls, copies back, takes the result, and
/// frees from right to left, also if something throws. After a trap it frees nothing: what a trap
/// left of the guest's heap is for the guest to deal with, or for Close. Nothing is allocated on
/// the host.
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
      shapes.is_text = Call::kIsText;
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
  R operator()(A... arguments) const { return Invoke(nullptr, arguments...); }
  /// The same under a stop token or deadline, or with user data. It holds for the calls of the
  /// allocator too.
  R operator()(const CallContext& context, A... arguments) const {
    return Invoke(&context, arguments...);
  }

  /// Calls without throwing: the results, or what the call ended with.
  CallResult<R> TryCall(A... arguments) const noexcept { return TryInvoke(nullptr, arguments...); }
  CallResult<R> TryCall(const CallContext& context, A... arguments) const noexcept {
    return TryInvoke(&context, arguments...);
  }

  /// The untyped handle.
  const Function& Untyped() const noexcept { return function_; }
  const GuestAllocator& Allocator() const noexcept { return allocator_; }

 private:
  using Call = bind::GuestCall<R(A...)>;

  R Invoke(const CallContext* context, const A&... arguments) const {
    if constexpr (Call::kIsAccepted) {
      if (!function_) vm::ThrowEmptyHandle("GuestFunction");
      // This handle may go while the guest runs, in its allocator too. The function lives as long
      // as what it allocates from.
      const abi::FunctionRecord& function = *function_.Record();
      const GuestAllocator allocator = allocator_;
      const detail::GuestCallForm form = form_;
      const detail::GuestCallScope scope{allocator, context};
      const detail::GuestArguments<A...> lowered{scope, arguments...};
      if constexpr (Call::kIsText) {
        return CallForText(function, scope, form, lowered);
      } else {
        return CallForValue(function, scope, form, lowered);
      }
    } else {
      return detail::RefusedResult<R>();
    }
  }

  static R CallForValue(const abi::FunctionRecord& record, const detail::GuestCallScope& scope,
                        const detail::GuestCallForm& form,
                        const detail::GuestArguments<A...>& arguments) {
    using Shape = typename Call::Pairs;
    abi::Slot slots[Shape::kSlotCount + 1] = {};
    if (record.host_entry != nullptr && scope.context == nullptr && !form.has_objects) [[likely]] {
      const auto operands =
          arguments.PassTo([](const auto&... values) { return Shape::Convert(values...); });
      if (vm::BeginPlain(record)) [[likely]] {
        Shape::Call(record.host_entry, &record, record.instance, operands, slots);
        vm::EndPlain(record);
      } else {
        operands.Store(slots);
        vm::Call(record, slots, nullptr);
      }
    } else {
      arguments.Store(slots, form.has_objects);
      vm::Call(record, slots, scope.context);
    }
    if (const TrapCode trap = Shape::CheckResults(slots); trap != TrapCode::None) {
      vm::ThrowTrap(trap);
    }
    arguments.CopyBack();
    return Shape::Load(slots);
  }

  static R CallForText(const abi::FunctionRecord& record, const detail::GuestCallScope& scope,
                       const detail::GuestCallForm& form,
                       const detail::GuestArguments<A...>& arguments) {
    using Result = detail::GuestTextResult<R>;
    const bool has_area = form.text == detail::GuestTextForm::Area;
    const detail::GuestTextArea area{scope, has_area};
    abi::Slot slots[Call::Pairs::kSlotCount + 2] = {area.Offset()};
    arguments.Store(slots + (has_area ? 1 : 0), form.has_objects);
    vm::Call(record, slots, scope.context);
    arguments.CopyBack();
    return Result::Make(scope.allocator,
                        detail::FindGuestText(scope.allocator, form.text, slots, area.Offset(),
                                              sizeof(typename Result::Character)),
                        scope.context);
  }

  CallResult<R> TryInvoke(const CallContext* context, const A&... arguments) const noexcept {
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
