// SPDX-License-Identifier: Apache-2.0
/// @file
/// WebAssembly values as text, for command lines and reports.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include <tenon/definition.hpp>
#include <tenon/reference.hpp>
#include <tenon/value.hpp>

namespace bench {

namespace detail {

[[noreturn]] inline void RefuseText(tenon::ValueType type, const std::string& text) {
  throw std::runtime_error{"\"" + text + "\" is no " + tenon::ValueTypeName(type)};
}

/// Decimal, with or without sign, or hexadecimal.
inline std::uint64_t ParseInteger(tenon::ValueType type, const std::string& text) {
  char* end = nullptr;
  const std::uint64_t value = text.starts_with('-')
                                  ? static_cast<std::uint64_t>(std::strtoll(text.c_str(), &end, 0))
                                  : std::strtoull(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0') RefuseText(type, text);
  return value;
}

inline double ParseDouble(tenon::ValueType type, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') RefuseText(type, text);
  return value;
}

}  // namespace detail

/// Throws std::runtime_error if the text is no value of this type.
inline tenon::Value ParseValue(tenon::ValueType type, const std::string& text) {
  if (type == tenon::ValueType::I32) {
    return static_cast<std::uint32_t>(detail::ParseInteger(type, text));
  }
  if (type == tenon::ValueType::I64) return detail::ParseInteger(type, text);
  if (type == tenon::ValueType::F32) return static_cast<float>(detail::ParseDouble(type, text));
  if (type == tenon::ValueType::F64) return detail::ParseDouble(type, text);
  tenon::abi::Slot slots[2] = {0, 0};
  if (type.IsVector()) {
    if (!text.starts_with("0x") || text.size() != 34) detail::RefuseText(type, text);
    slots[0] = detail::ParseInteger(type, "0x" + text.substr(18));
    slots[1] = detail::ParseInteger(type, text.substr(0, 18));
  } else if (text != "null") {
    if (type != tenon::ValueType::ExternRef) detail::RefuseText(type, text);
    slots[0] = detail::ParseInteger(type, text);
  }
  return tenon::Value::FromSlots(type, slots);
}

/// Integers signed, floats with as many digits as it takes to read them back.
inline std::string FormatValue(const tenon::Value& value) {
  char text[64];
  const tenon::ValueType type = value.Type();
  if (type == tenon::ValueType::I32) return std::to_string(value.I32());
  if (type == tenon::ValueType::I64) return std::to_string(value.I64());
  if (type == tenon::ValueType::F32) {
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value.F32()));
    return text;
  }
  if (type == tenon::ValueType::F64) {
    std::snprintf(text, sizeof text, "%.17g", value.F64());
    return text;
  }
  tenon::abi::Slot slots[2] = {0, 0};
  value.ToSlots(slots);
  if (type.IsVector()) {
    std::snprintf(text, sizeof text, "0x%016llx%016llx", static_cast<unsigned long long>(slots[1]),
                  static_cast<unsigned long long>(slots[0]));
    return text;
  }
  return slots[0] == 0 ? "null" : "ref";
}

}  // namespace bench
