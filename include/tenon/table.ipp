// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of table.hpp.
#pragma once

#include <tenon/table.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/vm/table_instance.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

/// Whether `value` may be an element: of the type, and if a function, of the same group, so that
/// the table cannot outlive it.
inline bool FitsTable(const vm::Instance& instance, const vm::TableInstance& table,
                      const Value& value) {
  if (value.Type() != table.Type().element) return false;
  if (value.Type() != ValueType::FuncRef || value.Func().IsNull()) return true;
  return instance.store->Keeps(*instance.group, value.Func().Record());
}

}  // namespace detail

TENON_DECL std::uint64_t Table::Size() const noexcept {
  return table_ == nullptr || instance_.Get()->IsClosed() ? 0 : table_->Size();
}

TENON_DECL std::optional<std::uint64_t> Table::Grow(std::uint64_t delta,
                                                    const Value& init) noexcept {
  if (table_ == nullptr || instance_.Get()->IsClosed() ||
      !detail::FitsTable(*instance_.Get(), *table_, init)) {
    return std::nullopt;
  }
  abi::Slot slots[2] = {0, 0};
  init.ToSlots(slots);
  return table_->Grow(delta, slots[0]);
}

TENON_DECL std::optional<Value> Table::Get(std::uint64_t index) const noexcept {
  if (index >= Size()) return std::nullopt;
  return Value::FromSlots(table_->Type().element, &(*table_)[index]);
}

TENON_DECL bool Table::Set(std::uint64_t index, const Value& value) noexcept {
  if (index >= Size() || !detail::FitsTable(*instance_.Get(), *table_, value)) return false;
  abi::Slot slots[2] = {0, 0};
  value.ToSlots(slots);
  (*table_)[index] = slots[0];
  return true;
}

TENON_DECL Function Table::LookupFunction(std::uint64_t index) const {
  if (index >= Size() || table_->Type().element != ValueType::FuncRef) return {};
  return Function::FromRecord(reinterpret_cast<const abi::FunctionRecord*>((*table_)[index]));
}

TENON_DECL TableDefinition Table::Definition() const {
  if (table_ == nullptr) vm::ThrowEmptyHandle("Table");
  const vm::Instance& instance = *instance_.Get();
  for (std::uint32_t i = 0; i < instance.tables.size(); ++i) {
    if (instance.tables[i].get() == table_) {
      return vm::DefineTable(*instance.code, instance.name, i);
    }
  }
  return {};
}

}  // namespace tenon::inline TENON_ABI
