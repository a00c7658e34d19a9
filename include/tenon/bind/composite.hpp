// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters of types that programs map to several operands, through tenon::WasmOperands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

template <class T>
concept HasWasmOperands = requires { typename WasmOperands<T>::Parts; };

template <class T, class Parts, class Indices>
struct CompositeMarshaller {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    facts.refusal = Refusal::BadWasmOperands;
    return facts;
  }
};

template <class T, class... P, std::size_t... I>
struct CompositeMarshaller<T, Parts<P...>, std::index_sequence<I...>> {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (!IsSound()) {
      facts.refusal = Refusal::BadWasmOperands;
    } else {
      facts.kind = ParameterKind::Marshalled;
      facts.has_wires = true;
      facts.wires = kLayout<P...>.wires;
      facts.width = static_cast<std::uint8_t>(kLayout<P...>.operand_count);
      facts.needs_check = kLayout<P...>.needs_check;
      facts.needs_memory = (kLayout<P...>.flags & abi::kFunctionNeedsMemory) != 0;
      facts.runs_user_code = true;
      facts.pins = kLayout<P...>.pins;
      facts.is_raw = (kLayout<P...>.flags & abi::kFunctionHasRawViews) != 0;
      facts.writes = static_cast<std::uint8_t>(kLayout<P...>.written_ranges);
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return (Parameter<P>::Check(caller, operands + kLayout<P...>.offsets[I], parameter) && ...);
  }
  static T Make(abi::InstanceHeader* caller, const Operand* operands) {
    // Braces convert in order.
    return Made{Parameter<P>::Make(caller, operands + kLayout<P...>.offsets[I])...}.value;
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    const auto append = [&]<class Part>(std::type_identity<Part>, const Operand* first) {
      if constexpr (kParameterFacts<Part>.writes != 0) {
        into = Parameter<Part>::AppendWritten(first, parameter, into);
      }
    };
    (append(std::type_identity<P>{}, operands + kLayout<P...>.offsets[I]), ...);
    return into;
  }

 private:
  struct Made {
    explicit Made(P... parts) : value(WasmOperands<T>::FromWasm(static_cast<P&&>(parts)...)) {}
    T value;
  };

  static consteval bool IsSound() {
    if constexpr (sizeof...(P) == 0 || kLayout<P...>.refusal != Refusal::None ||
                  kLayout<P...>.operand_count > 64) {
      return false;
    } else {
      return kLayout<P...>.special_count == 0 && !kLayout<P...>.needs_holders &&
             requires(P... parts) {
               requires std::is_same_v<
                   decltype(WasmOperands<T>::FromWasm(static_cast<P&&>(parts)...)), T>;
             };
    }
  }
};

template <class Parts>
inline constexpr std::size_t kPartCount = 0;
template <class... P>
inline constexpr std::size_t kPartCount<Parts<P...>> = sizeof...(P);

}  // namespace detail

template <class T>
  requires detail::HasWasmOperands<T>
struct Marshaller<T>
    : detail::CompositeMarshaller<
          T, typename WasmOperands<T>::Parts,
          std::make_index_sequence<detail::kPartCount<typename WasmOperands<T>::Parts>>> {};

}  // namespace tenon::inline TENON_ABI::bind
