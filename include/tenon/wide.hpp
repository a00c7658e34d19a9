// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters of host functions for guests whose memory has 64-bit addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/host_function.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/parameter_facts.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI {

/// A parameter of type P whose pointer and length are i64, as guests pass them whose memory has
/// 64-bit addresses; all else is as P says. P is std::string_view, std::span<T>, View<T>, CString,
/// In<T>, Out<T>, InOut<T> or Indirect<S>; a parameter that may be null is a
/// std::optional<Wide<P>>. Converts to P, so that functions that take P need not know: see
/// Addresses. Fields of structs that are pointers or sizes there are GuestPtr<T, std::uint64_t> and
/// BasicGuestSize<std::uint64_t>.
template <class P>
class Wide {
 public:
  /// For the library, and for calling a host function without a guest.
  constexpr Wide(const P& value) noexcept : value_(value) {}

  constexpr const P& operator*() const noexcept { return value_; }
  constexpr const P* operator->() const noexcept { return &value_; }
  constexpr operator const P&() const noexcept { return value_; }

 private:
  P value_;
};

/// How a host function gets pointers and lengths, as in `WithFunc<Addresses::I64>(f)`.
enum class Addresses : std::uint8_t {
  I32,  ///< as its parameters say: usual guests
  I64,  ///< each parameter that points into guest memory is Wide, and so is the place of an
        ///< Indirect result
};

namespace bind {
namespace detail {

template <class P>
concept CanBeWide = requires { MemoryParameter<P, WireKind::I64>::Facts(); };

template <class P>
consteval ParameterFacts FactsOfWide() {
  ParameterFacts facts;
  if constexpr (!CanBeWide<P>) {
    facts.refusal = Refusal::WideValue;
  } else {
    facts = MemoryParameter<P, WireKind::I64>::Facts();
    if (facts.refusal == Refusal::None) facts.kind = ParameterKind::Marshalled;
  }
  return facts;
}

/// The argument is made at once.
template <class P>
struct WideMarshaller : MemoryParameter<P, WireKind::I64> {
  static consteval ParameterFacts Facts() { return FactsOfWide<P>(); }
  static Wide<P> Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    return Wide<P>{MemoryParameter<P, WireKind::I64>::Make(caller, operands)};
  }
};
/// It refers to a copy.
template <class P>
struct WideCopyMarshaller : MemoryParameter<P, WireKind::I64> {
  static consteval ParameterFacts Facts() { return FactsOfWide<P>(); }
  class Holder : public MemoryParameter<P, WireKind::I64>::Holder {
   public:
    using MemoryParameter<P, WireKind::I64>::Holder::Holder;
    Wide<P> Get() noexcept { return Wide<P>{MemoryParameter<P, WireKind::I64>::Holder::Get()}; }
  };
};

template <class T>
struct AsWide {
  using Type = std::conditional_t<CanBeWide<T>, Wide<T>, T>;
};
template <class T>
  requires CanBeWide<T>
struct AsWide<std::optional<T>> {
  using Type = std::optional<Wide<T>>;
};
template <class R>
struct AsWideResult {
  using Type = R;
};
template <class S>
struct AsWideResult<Indirect<S>> {
  using Type = Wide<Indirect<S>>;
};

/// The function type of a callable with its addresses in this form; void if it has no signature.
template <Addresses kForm, class R, class... P>
auto AddressedSignature(Signature<R, P...>) {
  if constexpr (kForm == Addresses::I32) {
    return std::type_identity<R(P...)>{};
  } else {
    return std::type_identity<typename AsWideResult<R>::Type(typename AsWide<P>::Type...)>{};
  }
}
template <Addresses, Refusal kReason>
auto AddressedSignature(NoSignature<kReason>) {
  return std::type_identity<void>{};
}
template <Addresses kForm, class F>
using AddressedFunction =
    typename decltype(AddressedSignature<kForm>(CallableSignature<F>{}))::type;

}  // namespace detail

template <class P>
struct Marshaller<Wide<P>> {
  static consteval ParameterFacts Facts() { return detail::FactsOfWide<P>(); }
};
template <class P>
  requires(detail::FactsOfWide<P>().refusal == Refusal::None &&
           !detail::FactsOfWide<P>().needs_holder)
struct Marshaller<Wide<P>> : detail::WideMarshaller<P> {};
template <class P>
  requires(detail::FactsOfWide<P>().refusal == Refusal::None &&
           detail::FactsOfWide<P>().needs_holder)
struct Marshaller<Wide<P>> : detail::WideCopyMarshaller<P> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
