// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of typed_value.hpp.
#pragma once

#include <sstream>
#include <string>

#include <tenon/typed_value.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

inline std::string ValueText(const Value& value) {
  std::ostringstream text;
  if (value.Type() == ValueType::I32) {
    text << value.I32();
  } else if (value.Type() == ValueType::I64) {
    text << value.I64();
  } else if (value.Type() == ValueType::F32) {
    text << value.F32();
  } else if (value.Type() == ValueType::F64) {
    text << value.F64();
  } else if (value.Type() == ValueType::V128) {
    const V128 vector = value.Vector();
    text << "0x" << std::hex;
    for (int i = 15; i >= 0; --i) text << (vector.bytes[i] >> 4) << (vector.bytes[i] & 15);
  } else {
    abi::Slot slots[2] = {0, 0};
    value.ToSlots(slots);
    text << (slots[0] == 0 ? "null" : "ref");
  }
  return text.str();
}

}  // namespace detail

TENON_DECL std::string TypedValue::ValueText() const {
  const bool is_unsigned = cpp_type_.find("unsigned") != std::string_view::npos;
  if (Type() == ValueType::I32) {
    if (cpp_type_ == "bool") return I32() != 0 ? "true" : "false";
    if (is_unsigned) return std::to_string(U32());
  }
  if (Type() == ValueType::I64 && is_unsigned) return std::to_string(U64());
  return detail::ValueText(*value_);
}

TENON_DECL std::string TypedValue::Text() const {
  return name_.empty() ? ValueText() : std::string{name_} + "=" + ValueText();
}

TENON_DECL std::string TypedValues::Text() const {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) text += (i == 0 ? "" : ",") + (*this)[i].Text();
  return text;
}

}  // namespace tenon::inline TENON_ABI
