// SPDX-License-Identifier: Apache-2.0
/// @file
/// Canonical numbers for function types, so that an indirect call compares one word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Gives equal function types equal numbers. One for each runtime; any thread. Types are counted:
/// the number of one that no instance uses any more is free for another.
class TypeRegistry {
 public:
  /// The number of a type, counted once more.
  abi::TypeId Intern(std::span<const ValueType> parameters, std::span<const ValueType> results) {
    Key key = KeyOf(parameters, results);
    const std::lock_guard lock{mutex_};
    const auto [position, inserted] = types_.try_emplace(std::move(key));
    Entry& entry = position->second;
    if (inserted) {
      if (free_.empty()) {
        entry.id = static_cast<abi::TypeId>(by_id_.size());
        by_id_.push_back(position);
      } else {
        entry.id = free_.back();
        free_.pop_back();
        by_id_[entry.id] = position;
      }
      // So that Release need not allocate.
      free_.reserve(by_id_.size());
    }
    ++entry.users;
    return entry.id;
  }

  /// Gives back what Intern counted.
  void Release(std::span<const abi::TypeId> ids) noexcept {
    const std::lock_guard lock{mutex_};
    for (const abi::TypeId id : ids) {
      if (--by_id_[id]->second.users != 0) continue;
      types_.erase(by_id_[id]);
      free_.push_back(id);
    }
  }

  /// Whether a number in use is that of this type.
  bool Is(abi::TypeId id, std::span<const ValueType> parameters,
          std::span<const ValueType> results) const {
    const Key key = KeyOf(parameters, results);
    const std::lock_guard lock{mutex_};
    return by_id_[id]->first == key;
  }

  /// Types in use.
  std::size_t Size() const {
    const std::lock_guard lock{mutex_};
    return types_.size();
  }

 private:
  using Key = std::vector<std::uint32_t>;
  struct Entry {
    abi::TypeId id = 0;
    std::uint64_t users = 0;
  };

  static Key KeyOf(std::span<const ValueType> parameters, std::span<const ValueType> results) {
    Key key;
    key.reserve(parameters.size() + results.size() + 1);
    key.push_back(static_cast<std::uint32_t>(parameters.size()));
    for (const ValueType type : parameters) key.push_back(type.Bits());
    for (const ValueType type : results) key.push_back(type.Bits());
    return key;
  }

  mutable std::mutex mutex_;
  std::map<Key, Entry> types_;
  std::vector<std::map<Key, Entry>::iterator> by_id_;
  wasm::FlatArray<abi::TypeId> free_;
};

}  // namespace tenon::inline TENON_ABI::vm
