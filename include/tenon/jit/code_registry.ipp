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

TENON_DECL CodeRegistry& CodeRegistry::Global() noexcept {
  // Handlers and late destructors may ask until the very end.
  alignas(CodeRegistry) static unsigned char storage[sizeof(CodeRegistry)];
  static CodeRegistry& registry = *new (storage) CodeRegistry;
  return registry;
}

TENON_DECL void CodeRegistry::Add(std::uintptr_t begin, std::uintptr_t end,
                                  const MappedCode& code) {
  const std::lock_guard lock{mutex_};
  const Ranges* const current = current_.load();
  auto next = std::make_unique<Ranges>();
  next->reserve(current == nullptr ? 1 : current->size() + 1);
  if (current != nullptr) *next = *current;
  const auto place = std::ranges::upper_bound(*next, begin, {}, &Range::begin);
  next->insert(place, {begin, end, &code});
  retired_.reserve(retired_.size() + 2);
  Publish(std::move(next));
}

TENON_DECL void CodeRegistry::Remove(std::uintptr_t begin) noexcept {
  const std::lock_guard lock{mutex_};
  const Ranges* const current = current_.load();
  auto next = std::make_unique<Ranges>(*current);
  std::erase_if(*next, [&](const Range& range) { return range.begin == begin; });
  Publish(std::move(next));
}

inline void CodeRegistry::Publish(std::unique_ptr<const Ranges> next) {
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
