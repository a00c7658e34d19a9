// SPDX-License-Identifier: Apache-2.0
/// @file
/// Tables as the host sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/definition.hpp>
#include <tenon/function.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI {

/// A handle to a table. Access never throws: out of bounds gives nullopt or false. An empty handle,
/// and one whose module was closed, is a table of size 0. Keeps its module alive. One thread at a
/// time.
class Table {
 public:
  Table() noexcept = default;

  explicit operator bool() const noexcept { return table_ != nullptr; }
  friend bool operator==(const Table& a, const Table& b) noexcept { return a.table_ == b.table_; }

  /// Elements.
  TENON_DECL std::uint64_t Size() const noexcept;
  /// Adds `delta` elements, each `init`. The former size, or nullopt if limits refuse or `init` has
  /// the wrong type.
  TENON_DECL std::optional<std::uint64_t> Grow(std::uint64_t delta, const Value& init) noexcept;
  TENON_DECL std::optional<Value> Get(std::uint64_t index) const noexcept;
  /// False if out of bounds, of the wrong type, or a function of another linkage group (it could
  /// outlive its instance).
  TENON_DECL bool Set(std::uint64_t index, const Value& value) noexcept;
  /// The function in an element. Empty if out of bounds, null, or not a table of functions.
  TENON_DECL Function LookupFunction(std::uint64_t index) const;
  TENON_DECL TableDefinition Definition() const;

  /// For the library's own rooms.
  Table(InstanceHandle instance, vm::TableInstance* table) noexcept
      : instance_{std::move(instance)}, table_{table} {}

 private:
  InstanceHandle instance_;
  vm::TableInstance* table_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/table.ipp>
#endif
