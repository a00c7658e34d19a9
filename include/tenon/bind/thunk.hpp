// SPDX-License-Identifier: Apache-2.0
/// @file
/// The native function through which a guest calls a callable, and the adapter from slots to it.
///
/// What a thunk does, in this order: it checks all operands (ranges, bounds, alignment), left to
/// right, up to the first that fails, then whether what is written overlaps; it converts them, user
/// types and those with a Marshaller left to right; it calls; it writes Out and InOut back, left to
/// right; it converts the result; it destroys the arguments. An exception from any of these becomes
/// the pending one of the calling instance. After a failure zero is returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/host_function.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/composite.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/result.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/bind/spelling.hpp>

#if defined(__cpp_exceptions)
#define TENON_DETAIL_TRY try
#define TENON_DETAIL_CATCH_ALL catch (...)
#else
#define TENON_DETAIL_TRY if constexpr (true)
#define TENON_DETAIL_CATCH_ALL else
#endif

namespace tenon::inline TENON_ABI::bind {
namespace detail {

/// Called in a catch block. Out of line: thunks keep only the call.
[[gnu::cold, gnu::noinline]] inline void CaptureException(abi::InstanceHeader* caller) noexcept {
  caller->operations->capture_exception(caller);
}

/// The adapter of one wasm signature, shared by all its callables. `Area` is empty, or `Slot*` if
/// there are several results.
template <class R, class Indices, class Area, class... N>
struct Adapter;

template <class... Area>
struct AreaList {};

/// First slot of each operand.
template <std::size_t kCount>
struct SlotOffsets {
  std::size_t of[kCount + 1] = {};
};
template <class... N>
consteval auto OffsetsOf() {
  constexpr std::size_t kSizes[] = {sizeof(N)..., 0};
  SlotOffsets<sizeof...(N)> offsets;
  for (std::size_t i = 0; i < sizeof...(N); ++i) {
    offsets.of[i + 1] = offsets.of[i] + (kSizes[i] > sizeof(abi::Slot) ? 2 : 1);
  }
  return offsets;
}

template <class R, std::size_t... I, class... Area, class... N>
struct Adapter<R, std::index_sequence<I...>, AreaList<Area...>, N...> {
  static constexpr auto kOffsets = OffsetsOf<N...>();

  static void Invoke(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                     abi::Slot* slots) {
    using Code = R (*)(void*, abi::InstanceHeader*, N..., Area...) noexcept;
    const auto code = reinterpret_cast<Code>(callee->code);
    if constexpr (std::is_void_v<R>) {
      code(callee->context, caller, FromSlot<N>(slots + kOffsets.of[I])...,
           static_cast<Area>(slots)...);
    } else {
      ToSlot(slots, code(callee->context, caller, FromSlot<N>(slots + kOffsets.of[I])...));
    }
  }
};

/// Operands of each parameter, special ones included.
template <std::uint8_t... kWidth>
inline constexpr std::uint8_t kWidths[] = {kWidth..., 0};

/// Names of operands by their types.
template <class... P>
struct OperandNames {
  static consteval auto Collect() {
    struct Names {
      const char* of[kLayout<P...>.operand_count + 1] = {};
    } names;
    const ParameterFacts facts[] = {kParameterFacts<P>..., ParameterFacts{}};
    std::uint32_t operand = 0;
    for (std::size_t i = 0; i < sizeof...(P); ++i) {
      for (std::uint8_t n = 0; n < facts[i].width; ++n) {
        names.of[operand++] = facts[i].has_names ? facts[i].names[n] : nullptr;
      }
    }
    return names;
  }
  static constexpr auto kNames = Collect();
};
template <class... P>
consteval const char* const* NamesOfOperands() {
  if constexpr (kLayout<P...>.has_names) {
    return OperandNames<P...>::kNames.of;
  } else {
    return nullptr;
  }
}

/// Arguments that are made one after the other, in the order of the list.
template <std::size_t, class T>
struct HeldArgument {
  T value;
};
template <class Indices, class... T>
struct HeldArguments;
template <std::size_t... I, class... T>
struct HeldArguments<std::index_sequence<I...>, T...> : HeldArgument<I, T>... {
  template <class Callee>
  decltype(auto) PassTo(Callee& callee) {
    return callee(static_cast<T&&>(static_cast<HeldArgument<I, T>&>(*this).value)...);
  }
};

/// An argument whose type has a Marshaller with a holder, or any other beside one.
template <std::size_t, class P, bool kHasHolder>
class PassedArgument {
 public:
  PassedArgument(abi::InstanceHeader* caller, const Operand* operands)
      : value_(Parameter<P>::Make(caller, operands)) {}
  auto Pass() -> decltype(auto) { return static_cast<Made&&>(value_); }
  void WriteBack() noexcept {}

 private:
  using Made = decltype(Parameter<P>::Make(nullptr, nullptr));
  Made value_;
};
template <std::size_t kIndex, class P>
class PassedArgument<kIndex, P, true> {
 public:
  PassedArgument(abi::InstanceHeader* caller, const Operand* operands)
      : holder_(caller, operands) {}
  P Pass() noexcept { return holder_.Get(); }
  void WriteBack() noexcept { holder_.WriteBack(); }

 private:
  typename Marshaller<P>::Holder holder_;
};

/// Arguments of a function with such parameters, made from left to right.
template <class Indices, class... P>
class PassedArguments;
template <std::size_t... I, class... P>
class PassedArguments<std::index_sequence<I...>, P...>
    : PassedArgument<I, P, kParameterFacts<P>.needs_holder>... {
 public:
  PassedArguments(abi::InstanceHeader* caller, const Operand* operands)
      : PassedArgument<I, P, kParameterFacts<P>.needs_holder>(
            caller, operands + kLayout<P...>.offsets[I])... {}

  /// Calls, and writes back what the function wrote to copies.
  template <class R, class Callee>
  R Call(Callee& callee) {
    if constexpr (std::is_void_v<R>) {
      callee(static_cast<Of<I, P>&>(*this).Pass()...);
      (static_cast<Of<I, P>&>(*this).WriteBack(), ...);
    } else {
      R result = static_cast<R>(callee(static_cast<Of<I, P>&>(*this).Pass()...));
      (static_cast<Of<I, P>&>(*this).WriteBack(), ...);
      return result;
    }
  }

 private:
  template <std::size_t kIndex, class T>
  using Of = PassedArgument<kIndex, T, kParameterFacts<T>.needs_holder>;
};

/// Whether the ranges that a function writes to are disjoint, as far as they have to be.
template <class... P, std::size_t... I>
inline bool CheckWritten(abi::InstanceHeader* caller, const Operand* operands,
                         std::index_sequence<I...>) noexcept {
  WrittenRange ranges[kLayout<P...>.written_ranges];
  WrittenRange* end = ranges;
  const auto append = [&]<class T>(std::type_identity<T>, const Operand* first,
                                   std::uint32_t parameter) {
    if constexpr (kParameterFacts<T>.writes != 0) {
      end = Parameter<T>::AppendWritten(first, parameter, end);
    }
  };
  (append(std::type_identity<P>{}, operands + kLayout<P...>.offsets[I], kLayout<P...>.NumberOf(I)),
   ...);
  return CheckDisjoint(caller, ranges, kLayout<P...>.written_ranges);
}

}  // namespace detail

/// The thunk of a callable reached through `Target`, called with `Signature`.
template <class Target, class Signature, class Area, class ParameterIndices, class OperandIndices>
struct Thunk;

template <class Target, class R, class... P, class... Area, std::size_t... I, std::size_t... J>
struct Thunk<Target, Signature<R, P...>, detail::AreaList<Area...>, std::index_sequence<I...>,
             std::index_sequence<J...>> {
  using Returned = std::remove_const_t<R>;
  using NativeResult = typename Result<Returned>::NativeResult;

  static NativeResult Call(void* context, abi::InstanceHeader* caller,
                           Native<kLayout<P...>.wires[J]>... natives, Area... area) noexcept {
    const Operand operands[] = {natives..., Operand{}};
    if constexpr (kLayout<P...>.needs_check) {
      if (!(Parameter<P>::Check(caller, operands + kLayout<P...>.offsets[I],
                                kLayout<P...>.NumberOf(I)) &&
            ...)) {
        return NativeResult();
      }
    }
    if constexpr (kLayout<P...>.writes_back && kLayout<P...>.written_ranges > 1) {
      if (!detail::CheckWritten<P...>(caller, operands, std::index_sequence<I...>{})) {
        return NativeResult();
      }
    }
    [[maybe_unused]] const detail::MemoryPin<kLayout<P...>.pins> pin{caller};
    TENON_DETAIL_TRY {
      auto&& callee = Target::Get(context);
      if constexpr (kLayout<P...>.needs_holders) {
        detail::PassedArguments<std::index_sequence<I...>, P...> passed{caller, operands};
        if constexpr (std::is_void_v<R>) {
          passed.template Call<R>(callee);
        } else {
          return Result<Returned>::Return(caller, passed.template Call<Returned>(callee), area...);
        }
      } else if constexpr (kLayout<P...>.user_conversions > 1) {
        using Held = detail::HeldArguments<std::index_sequence<I...>,
                                           decltype(Parameter<P>::Make(
                                               caller, operands + kLayout<P...>.offsets[I]))...>;
        Held held{{Parameter<P>::Make(caller, operands + kLayout<P...>.offsets[I])}...};
        if constexpr (std::is_void_v<R>) {
          held.PassTo(callee);
        } else {
          return Result<Returned>::Return(caller, static_cast<Returned>(held.PassTo(callee)),
                                          area...);
        }
      } else if constexpr (std::is_void_v<R>) {
        callee(Parameter<P>::Make(caller, operands + kLayout<P...>.offsets[I])...);
      } else {
        return Result<Returned>::Return(caller,
                                        static_cast<Returned>(callee(Parameter<P>::Make(
                                            caller, operands + kLayout<P...>.offsets[I])...)),
                                        area...);
      }
    }
    TENON_DETAIL_CATCH_ALL {
      detail::CaptureException(caller);
      return NativeResult();
    }
  }

  static inline const abi::HostSignature kSignature = {
      ValueTypes<kLayout<P...>.wires[J]...>(),
      Result<Returned>::Types(),
      sizeof...(J),
      Result<Returned>::kCount,
      detail::kWidths<kParameterFacts<P>.width...> + kLayout<P...>.special_count,
      static_cast<std::uint32_t>(sizeof...(P)) - kLayout<P...>.special_count,
      kLayout<P...>.flags,
      reinterpret_cast<abi::NativeCode>(&Call),
      &detail::Adapter<NativeResult, std::index_sequence<J...>, detail::AreaList<Area...>,
                       Native<kLayout<P...>.wires[J]>...>::Invoke,
      kLayout<P...>.special_count - (kLayout<P...>.result_operands != 0 ? 1 : 0),
      kSpellings<R, P...>,
      kLayout<P...>.result_operands,
      detail::NamesOfOperands<P...>()};
};

namespace detail {

template <class Target, class S>
struct ThunkOf;
template <class Target, class R, class... P>
struct ThunkOf<Target, Signature<R, P...>> {
  using Area = std::conditional_t<Result<std::remove_const_t<R>>::kHasArea, AreaList<abi::Slot*>,
                                  AreaList<>>;
  using Type = Thunk<Target, Signature<R, P...>, Area, std::make_index_sequence<sizeof...(P)>,
                     std::make_index_sequence<kLayout<P...>.operand_count>>;
};

}  // namespace detail

/// The description of a callable reached through `Target` and called with signature `S`.
template <class Target, class S>
inline const abi::HostSignature* const kHostSignature =
    &detail::ThunkOf<Target, S>::Type::kSignature;
}  // namespace tenon::inline TENON_ABI::bind

#undef TENON_DETAIL_TRY
#undef TENON_DETAIL_CATCH_ALL
