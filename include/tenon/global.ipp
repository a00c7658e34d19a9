// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of global.hpp.
#pragma once

#include <sstream>

#include <tenon/error.hpp>
#include <tenon/function.hpp>
#include <tenon/global.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/vm/table_instance.hpp>
#include <tenon/wasm/error_format.hpp>

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

TENON_DECL ValueType Global::Type() const {
  if (global_ == nullptr) vm::ThrowEmptyHandle("Global");
  return global_->Type().type;
}

TENON_DECL bool Global::IsMutable() const {
  if (global_ == nullptr) vm::ThrowEmptyHandle("Global");
  return global_->Type().is_mutable;
}

TENON_DECL Value Global::Get() const {
  const ValueType type = Type();
  return Value::FromSlots(type, global_->Slots());
}

TENON_DECL Value Global::GetAs(ValueType type) const {
  if (Type() != type) {
    throw ConfigError{ErrorCode::GlobalType,
                      FormatError(ErrorCode::GlobalType, {TypeName(type), TypeName(Type())})};
  }
  return Get();
}

TENON_DECL void Global::Set(const Value& value) {
  if (!IsMutable()) {
    throw ConfigError{ErrorCode::GlobalImmutable, ErrorText(ErrorCode::GlobalImmutable)};
  }
  if (Type() != value.Type()) {
    throw ConfigError{
        ErrorCode::GlobalType,
        FormatError(ErrorCode::GlobalType, {TypeName(value.Type()), TypeName(Type())})};
  }
  if (value.Type() == ValueType::FuncRef && !value.Func().IsNull() &&
      !instance_.Get()->store->Keeps(*instance_.Get()->group, value.Func().Record())) {
    throw ConfigError{ErrorCode::GlobalForeignFunction,
                      ErrorText(ErrorCode::GlobalForeignFunction)};
  }
  value.ToSlots(global_->Slots());
}

TENON_DECL std::string Global::String() const {
  return std::string{IsMutable() ? "mutable global(" : "global("} + detail::ValueText(Get()) + ")";
}

TENON_DECL GlobalDefinition Global::Definition() const {
  if (global_ == nullptr) vm::ThrowEmptyHandle("Global");
  const vm::Instance& instance = *instance_.Get();
  for (std::uint32_t i = 0; i < instance.globals.size(); ++i) {
    if (instance.globals[i].get() == global_) {
      return vm::DefineGlobal(*instance.code, instance.name, i);
    }
  }
  return {};
}

}  // namespace tenon::inline TENON_ABI
