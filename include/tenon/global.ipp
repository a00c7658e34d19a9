// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of global.hpp.
#pragma once

#include <tenon/error.hpp>
#include <tenon/function.hpp>
#include <tenon/global.hpp>
#include <tenon/typed_value.ipp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/vm/table_instance.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

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
