// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of error_format.hpp.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

[[gnu::cold]] TENON_DECL std::string FillPlaceholders(std::string_view text,
                                                      std::span<const std::string_view> arguments) {
  std::string filled;
  filled.reserve(text.size() + 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '0' &&
        text[i + 1] <= '9') {
      const auto index = static_cast<std::size_t>(text[i + 1] - '0');
      if (index < arguments.size()) {
        filled += arguments[index];
        i += 2;
        continue;
      }
    }
    filled += text[i];
  }
  return filled;
}

[[gnu::cold]] TENON_DECL std::string HexText(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string reversed;
  do {
    reversed += kDigits[number & 15];
    number >>= 4;
  } while (number != 0);
  return "0x" + std::string(reversed.rbegin(), reversed.rend());
}

/// Names come from the module: no control character reaches a terminal or log, and no name fills
/// it.
[[gnu::cold]] TENON_DECL std::string PrintableName(std::string_view name) {
  constexpr std::size_t kLongest = 256;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::size_t size = std::min(name.size(), kLongest);
  const bool is_cut = size < name.size();
  while (is_cut && size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;
  std::string text;
  for (const char character : name.substr(0, size)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F || byte == '"' || byte == '\\') {
      text += '\\';
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    } else {
      text += character;
    }
  }
  if (is_cut) text += "...";
  return text;
}

[[gnu::cold]] TENON_DECL std::string_view HeapTypeName(HeapType heap) {
  struct Row {
    HeapType heap;
    std::string_view name;
  };
  static constexpr std::array<Row, 12> kRows{{
      {HeapType::Func, "func"},
      {HeapType::Extern, "extern"},
      {HeapType::Any, "any"},
      {HeapType::Eq, "eq"},
      {HeapType::I31, "i31"},
      {HeapType::Struct, "struct"},
      {HeapType::Array, "array"},
      {HeapType::None, "none"},
      {HeapType::NoFunc, "nofunc"},
      {HeapType::NoExtern, "noextern"},
      {HeapType::Exn, "exn"},
      {HeapType::NoExn, "noexn"},
  }};
  for (const Row& row : kRows) {
    if (row.heap == heap) return row.name;
  }
  return "?";
}

[[gnu::cold]] TENON_DECL std::string TypeListText(std::span<const ValueType> types) {
  std::string text;
  for (const ValueType type : types) {
    if (!text.empty()) text += ", ";
    text += TypeName(type);
  }
  return text;
}

}  // namespace detail

TENON_DECL std::string FormatError(ErrorCode code,
                                   std::initializer_list<std::string_view> arguments) {
  return detail::FillPlaceholders(ErrorText(code), std::span{arguments.begin(), arguments.size()});
}

[[gnu::cold]] TENON_DECL std::string TypeName(ValueType type) {
  if (const std::string_view name = ShortTypeName(type); !name.empty()) return std::string{name};
  if (!type.IsReference()) return "type " + detail::HexText(type.Bits());
  std::string text = type.IsNullable() ? "(ref null " : "(ref ";
  if (type.Heap().IsConcrete()) {
    text += std::to_string(type.Heap().Index());
  } else {
    text += detail::HeapTypeName(type.Heap());
  }
  return text + ")";
}

[[gnu::cold]] TENON_DECL std::string SignatureText(std::span<const ValueType> parameters,
                                                   std::span<const ValueType> results) {
  std::string text = "(" + detail::TypeListText(parameters) + ") -> ";
  if (results.size() == 1) return text + TypeName(results[0]);
  return text + "(" + detail::TypeListText(results) + ")";
}

namespace wasm {

namespace detail {

[[gnu::cold]] TENON_DECL std::string ArgumentText(const Module& module,
                                                  const FaultArgument& argument) {
  switch (argument.kind) {
    case FaultArgument::Kind::None:
      return "";
    case FaultArgument::Kind::Number:
      return std::to_string(argument.bits);
    case FaultArgument::Kind::Byte:
      return tenon::detail::HexText(argument.bits);
    case FaultArgument::Kind::Type:
      return TypeName(ValueType::FromBits(static_cast<std::uint32_t>(argument.bits)));
    case FaultArgument::Kind::Feature:
      return std::string{FeatureName(static_cast<Feature>(argument.bits))};
    case FaultArgument::Kind::Opcode:
      return std::string{FindOpcode(static_cast<std::uint32_t>(argument.bits)).text};
    case FaultArgument::Kind::Name: {
      const std::uint64_t offset = argument.bits >> 32;
      const std::uint64_t size = argument.bits & 0xFFFFFFFF;
      if (offset + size > module.bytes.size()) return "?";
      return tenon::detail::PrintableName(module.Text(
          ByteRange{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size)}));
    }
    case FaultArgument::Kind::Literal:
      return argument.literal;
  }
  return "";
}

/// Name of the instruction at an offset, or "" if there is none.
[[gnu::cold]] TENON_DECL std::string_view OpcodeTextAt(std::span<const std::uint8_t> bytes,
                                                       std::uint64_t offset) {
  if (offset >= bytes.size()) return {};
  const std::uint8_t first = bytes[offset];
  const std::uint32_t plane = PrefixPlane(first);
  if (plane == 0) return FindOpcode(first).text;
  std::uint64_t sub = 0;
  for (std::uint32_t i = 0; i < 5 && ++offset < bytes.size(); ++i) {
    sub |= std::uint64_t{bytes[offset] & 0x7Fu} << (7 * i);
    if ((bytes[offset] & 0x80) == 0) {
      if (sub > 0xFF) return {};
      return FindOpcode(plane + static_cast<std::uint32_t>(sub)).text;
    }
  }
  return {};
}

}  // namespace detail

[[gnu::cold]] TENON_DECL std::string FormatFault(const Module& module, const Fault& fault,
                                                 std::string_view function_name) {
  std::array<std::string, 3> texts;
  std::array<std::string_view, 3> arguments;
  std::size_t count = 0;
  for (; count < 3 && fault.arguments[count].kind != FaultArgument::Kind::None; ++count) {
    texts[count] = detail::ArgumentText(module, fault.arguments[count]);
    arguments[count] = texts[count];
  }
  std::string text =
      tenon::detail::FillPlaceholders(ErrorText(fault.code), std::span{arguments}.first(count));
  std::string place;
  if (fault.function != kNoIndex) {
    place = "function " + std::to_string(fault.function);
    if (!function_name.empty()) {
      place += " \"" + tenon::detail::PrintableName(function_name) + "\"";
    }
    if (fault.IsValidation()) {
      const std::string_view opcode = detail::OpcodeTextAt(module.bytes, fault.offset);
      if (!opcode.empty()) place += ", " + std::string{opcode};
    }
  }
  // Every fault of a decoded module lies behind its header; offset 0 means that none is known.
  if (fault.offset != 0) {
    if (!place.empty()) place += ' ';
    place += "at byte " + tenon::detail::HexText(fault.offset);
  }
  if (!place.empty()) text += " (" + place + ")";
  return text;
}

}  // namespace wasm
}  // namespace tenon::inline TENON_ABI
