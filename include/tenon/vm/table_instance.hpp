// SPDX-License-Identifier: Apache-2.0
/// @file
/// Tables and globals: storage shared by the instances that use them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::vm {

/// A table. Its elements are slots: addresses of FunctionRecords, or the host's references.
class TableInstance {
 public:
  /// Throws std::bad_alloc if the machine refuses the elements.
  TableInstance(const wasm::TableType& type, std::uint64_t limit)
      : type_{type}, elements_(static_cast<std::size_t>(type.limits.minimum), 0) {
    record_.maximum = type.limits.has_maximum ? std::min(type.limits.maximum, limit) : limit;
    Refresh();
  }

  abi::TableRecord& Record() noexcept { return record_; }
  const wasm::TableType& Type() const noexcept { return type_; }
  std::uint64_t Size() const noexcept { return record_.size; }
  abi::Slot& operator[](std::uint64_t index) noexcept {
    return elements_[static_cast<std::size_t>(index)];
  }

  /// The former size; nullopt if a limit or the machine refuses.
  std::optional<std::uint64_t> Grow(std::uint64_t delta, abi::Slot init) noexcept {
    const std::uint64_t size = record_.size;
    if (size > record_.maximum || delta > record_.maximum - size) return std::nullopt;
    try {
      elements_.resize(static_cast<std::size_t>(size + delta), init);
    } catch (const std::exception&) {
      return std::nullopt;
    }
    Refresh();
    return size;
  }

  /// An instance that uses the table goes without having been closed.
  void ForgetUser() noexcept { users_.fetch_sub(1, std::memory_order_acq_rel); }
  /// An open instance begins, or ends, to use the table; with the last one its elements go.
  void AddUser() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveUser() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    wasm::FlatArray<abi::Slot>{}.swap(elements_);
    record_.maximum = 0;
    Refresh();
  }

  /// Whether `count` elements from `offset` are in bounds.
  bool Contains(std::uint64_t offset, std::uint64_t count) const noexcept {
    return offset <= record_.size && count <= record_.size - offset;
  }

 private:
  void Refresh() noexcept {
    record_.elements = elements_.data();
    record_.size = elements_.size();
  }

  abi::TableRecord record_{};
  wasm::TableType type_;
  wasm::FlatArray<abi::Slot> elements_;
  std::atomic<std::uint64_t> users_{0};
};

/// A global.
class GlobalInstance {
 public:
  explicit GlobalInstance(const wasm::GlobalType& type) : type_{type} {}

  abi::Slot* Slots() noexcept { return record_.slots; }
  const wasm::GlobalType& Type() const noexcept { return type_; }

 private:
  abi::GlobalRecord record_{};
  wasm::GlobalType type_;
};

}  // namespace tenon::inline TENON_ABI::vm
