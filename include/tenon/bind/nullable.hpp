// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters that stand for guest memory and may be absent: a std::optional of one.
#pragma once

#include <cstdint>
#include <optional>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

/// Whether a null pointer in the place of a P can stand for none.
template <class P>
consteval bool IsNullable() {
  if constexpr (ViewTraits<P>::kIsView) {
    return true;
  } else if constexpr (HasMarshaller<P>) {
    return kParameterFacts<P>.has_pointer || kParameterFacts<P>.refusal != Refusal::None;
  } else {
    return false;
  }
}

template <class P>
concept Nullable = IsNullable<P>();

template <class P>
inline bool IsNull(const Operand* operands) noexcept {
  return bind::Get<kParameterFacts<P>.wire>(*operands) == 0;
}

/// A P, or none if its pointer is null; its other operand is not looked at then.
template <class P>
struct NullableMarshaller {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts = kParameterFacts<P>;
    if (facts.refusal == Refusal::None) facts.kind = ParameterKind::Marshalled;
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return IsNull<P>(operands) || Parameter<P>::Check(caller, operands, parameter);
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    if (!IsNull<P>(operands)) return Parameter<P>::AppendWritten(operands, parameter, into);
    return AppendRange<1, Offset>(0, 0, parameter, false, into);
  }
  static std::optional<P> Make(abi::InstanceHeader* caller, const Operand* operands) {
    if (IsNull<P>(operands)) return std::nullopt;
    return Parameter<P>::Make(caller, operands);
  }
};

/// The same of a P that refers to a copy.
template <class P>
class NullableHolder {
 public:
  NullableHolder(abi::InstanceHeader* caller, const Operand* operands) {
    if (!IsNull<P>(operands)) holder_.emplace(caller, operands);
  }
  std::optional<P> Get() noexcept {
    if (!holder_.has_value()) return std::nullopt;
    return holder_->Get();
  }
  void WriteBack() noexcept {
    if (holder_.has_value()) holder_->WriteBack();
  }

 private:
  std::optional<typename Marshaller<P>::Holder> holder_;
};

}  // namespace detail

template <class P>
  requires detail::Nullable<P>
struct Marshaller<std::optional<P>> : detail::NullableMarshaller<P> {};

template <class P>
  requires(detail::Nullable<P> && kParameterFacts<P>.needs_holder)
struct Marshaller<std::optional<P>> : detail::NullableMarshaller<P> {
  using Holder = detail::NullableHolder<P>;
};

}  // namespace tenon::inline TENON_ABI::bind
