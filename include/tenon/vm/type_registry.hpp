// SPDX-License-Identifier: Apache-2.0
/// @file
/// Canonical numbers for function types, so that an indirect call compares one word.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Gives equal function types equal numbers. One for each runtime; any thread. Numbers are never
/// reused, and the registry grows with the number of distinct types only.
class TypeRegistry {
 public:
  struct FunctionType {
    std::vector<ValueType> parameters;
    std::vector<ValueType> results;
  };

  abi::TypeId Intern(std::span<const ValueType> parameters, std::span<const ValueType> results) {
    std::vector<std::uint32_t> key;
    key.reserve(parameters.size() + results.size() + 1);
    key.push_back(static_cast<std::uint32_t>(parameters.size()));
    for (const ValueType type : parameters) key.push_back(type.Bits());
    for (const ValueType type : results) key.push_back(type.Bits());
    const std::lock_guard lock{mutex_};
    const auto next = static_cast<abi::TypeId>(types_.size());
    const auto [position, inserted] = ids_.emplace(std::move(key), next);
    if (inserted) {
      types_.push_back({{parameters.begin(), parameters.end()}, {results.begin(), results.end()}});
    }
    return position->second;
  }

  FunctionType Lookup(abi::TypeId id) const {
    const std::lock_guard lock{mutex_};
    return types_[id];
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::vector<std::uint32_t>, abi::TypeId> ids_;
  std::vector<FunctionType> types_;
};

}  // namespace tenon::inline TENON_ABI::vm
