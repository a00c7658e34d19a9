// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of code_registry.hpp.
#pragma once

#include <algorithm>
#include <exception>
#include <utility>

#include <tenon/jit/code_registry.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL CodeRegistry::~CodeRegistry() { delete current_.load(); }

[[gnu::cold]] TENON_DECL CodeRegistry& CodeRegistry::Global() noexcept {
  // Handlers and late destructors may ask until the very end.
  alignas(CodeRegistry) static unsigned char storage[sizeof(CodeRegistry)];
  static CodeRegistry& registry = *new (storage) CodeRegistry;
  return registry;
}

[[gnu::cold]] TENON_DECL void CodeRegistry::Add(std::uintptr_t begin, std::uintptr_t end,
                                                const MappedCode& code) {
  const std::lock_guard lock{mutex_};
  const Ranges* const current = current_.load();
  auto next = std::make_unique<Ranges>();
  if (current != nullptr) *next = *current;
  next->push_back({begin, end, &code});
  for (Range* at = next->end() - 1; at != next->begin() && at[-1].begin > begin; --at) {
    std::swap(at[-1], at[0]);
  }
  retired_.reserve(retired_.size() + 2);
  Publish(std::move(next));
}

[[gnu::cold]] TENON_DECL void CodeRegistry::Remove(std::uintptr_t begin) noexcept {
  const std::lock_guard lock{mutex_};
  const Ranges* const current = current_.load();
  auto next = std::make_unique<Ranges>(*current);
  const auto gone = [&](const Range& range) { return range.begin == begin; };
  next->erase(std::remove_if(next->begin(), next->end(), gone), next->end());
  Publish(std::move(next));
}

[[gnu::cold]] inline void CodeRegistry::Publish(std::unique_ptr<const Ranges> next) {
  // In this order against Find: whoever counts itself after this sees `next`.
  const Ranges* const former = current_.exchange(next.release());
  if (former != nullptr) retired_.emplace_back(former);
  if (readers_.load() == 0) retired_.clear();
}

TENON_DECL const MappedCode* CodeRegistry::Find(std::uintptr_t address) const noexcept {
  readers_.fetch_add(1);
  const Ranges* const ranges = current_.load();
  const MappedCode* found = nullptr;
  if (ranges != nullptr) {
    const auto above = std::ranges::upper_bound(*ranges, address, {}, &Range::begin);
    if (above != ranges->begin() && address < (above - 1)->end) found = (above - 1)->code;
  }
  readers_.fetch_sub(1, std::memory_order_release);
  return found;
}

}  // namespace tenon::inline TENON_ABI::jit
