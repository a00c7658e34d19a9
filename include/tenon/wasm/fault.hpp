// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is wrong with a module, as a value that constant expressions can carry.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// An argument of an error text, with what is needed to write it.
struct FaultArgument {
  enum class Kind : std::uint8_t { None, Number, Byte, Type, Feature, Opcode, Name, Literal };

  constexpr FaultArgument() = default;
  constexpr FaultArgument(std::uint64_t number) : kind{Kind::Number}, bits{number} {}
  constexpr FaultArgument(ValueType type) : kind{Kind::Type}, bits{type.Bits()} {}
  constexpr FaultArgument(Feature feature)
      : kind{Kind::Feature}, bits{static_cast<std::uint64_t>(feature)} {}
  constexpr FaultArgument(Opcode opcode)
      : kind{Kind::Opcode}, bits{static_cast<std::uint64_t>(opcode)} {}
  /// A name in the module's bytes.
  constexpr FaultArgument(ByteRange range)
      : kind{Kind::Name}, bits{std::uint64_t{range.offset} << 32 | range.size} {}
  /// Static text.
  constexpr FaultArgument(const char* text) : kind{Kind::Literal}, literal{text} {}
  /// Written in hexadecimal.
  static constexpr FaultArgument Byte(std::uint64_t code) {
    FaultArgument argument{code};
    argument.kind = Kind::Byte;
    return argument;
  }

  Kind kind = Kind::None;
  std::uint64_t bits = 0;
  const char* literal = nullptr;
};

/// The first fault of a module, or none.
struct Fault {
  ErrorCode code = ErrorCode::None;
  std::uint32_t offset = 0;           ///< of the offending byte, from the module's first
  std::uint32_t function = kNoIndex;  ///< index of the function whose body it is in, or kNoIndex
  FaultArgument arguments[3] = {};

  constexpr bool IsNone() const { return code == ErrorCode::None; }
  /// Whether the module was well-formed and broke a validation rule.
  constexpr bool IsValidation() const {
    return code >= ErrorCode::FeatureDisabled && code <= ErrorCode::StartFunctionType;
  }
};

}  // namespace tenon::inline TENON_ABI::wasm
