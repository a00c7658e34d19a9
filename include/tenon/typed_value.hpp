// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arguments and results of a call with their names and types.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI {

/// One argument or result. A view: valid as long as what it was got from.
class TypedValue {
 public:
  TypedValue(const Value& value, std::string_view name, std::string_view cpp_type)
      : value_{&value}, name_{name}, cpp_type_{cpp_type} {}

  /// "" if it has none.
  std::string_view Name() const { return name_; }
  ValueType Type() const { return value_->Type(); }
  /// The C++ type of the host function's parameter or result, as its compiler names it; both
  /// operands of a view have the view's. "" for functions of guests, and of several results.
  std::string_view CppType() const { return cpp_type_; }

  const Value& Get() const { return *value_; }
  operator const Value&() const { return *value_; }
  // As in Value.
  std::int32_t I32() const { return value_->I32(); }
  std::uint32_t U32() const { return value_->U32(); }
  std::int64_t I64() const { return value_->I64(); }
  std::uint64_t U64() const { return value_->U64(); }
  float F32() const { return value_->F32(); }
  double F64() const { return value_->F64(); }
  tenon::V128 Vector() const { return value_->Vector(); }
  tenon::ExternRef Extern() const { return value_->Extern(); }
  tenon::FuncRef Func() const { return value_->Func(); }

  /// The value alone: numbers in decimal (without sign where the C++ type has none), bool as true
  /// or false, vectors in hexadecimal, references as null or ref.
  TENON_DECL std::string ValueText() const;
  /// "name=value", or the value alone without a name.
  TENON_DECL std::string Text() const;

 private:
  const Value* value_;
  std::string_view name_;
  std::string_view cpp_type_;
};

/// All arguments, or all results, of a call, in order. A view: valid during the call of the
/// listener that it was given to.
class TypedValues {
 public:
  /// `names` and `cpp_types` are empty, or have one for each value.
  TypedValues(std::span<const Value> values, std::span<const std::string> names,
              std::span<const std::string> cpp_types)
      : values_{values}, names_{names}, cpp_types_{cpp_types} {}

  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  TypedValue operator[](std::size_t index) const {
    return {values_[index], names_.empty() ? std::string_view{} : names_[index],
            cpp_types_.empty() ? std::string_view{} : cpp_types_[index]};
  }
  /// The value of this name.
  std::optional<TypedValue> Find(std::string_view name) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return (*this)[i];
    }
    return std::nullopt;
  }
  /// Without names and C++ types.
  std::span<const Value> Values() const { return values_; }
  /// Their texts with commas between them: "x=1,y=2".
  TENON_DECL std::string Text() const;

  class Iterator {
   public:
    Iterator(const TypedValues& values, std::size_t index) : values_{&values}, index_{index} {}
    TypedValue operator*() const { return (*values_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const TypedValues* values_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  std::span<const Value> values_;
  std::span<const std::string> names_;
  std::span<const std::string> cpp_types_;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/typed_value.ipp>
#endif
