// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of validator_sink.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::wasm {

TENON_DECL void LocalTypes::Reset(std::span<const ValueType> parameters, std::uint32_t slots,
                                  std::uint32_t expansion) {
  expanded_.assign(parameters.begin(), parameters.end());
  runs_.clear();
  expansion_ = expansion;
  size_ = static_cast<std::uint32_t>(parameters.size());
  slots_ = slots;
}

TENON_DECL void LocalTypes::Append(std::uint32_t count, ValueType type) {
  if (count == 0) return;
  const std::uint32_t expanded = std::min(count, expansion_);
  // Once a run is cut short, all that follow it are found by search.
  expansion_ = expanded < count ? 0 : expansion_ - expanded;
  expanded_.resize(expanded_.size() + expanded, type);
  size_ += count;
  slots_ += count * type.SlotCount();
  if (!runs_.empty() && runs_.back().type == type) {
    runs_.back().end = size_;
  } else {
    runs_.push_back({size_, type});
  }
}

TENON_DECL ValueType LocalTypes::Find(std::uint32_t index) const {
  return std::upper_bound(runs_.begin(), runs_.end(), index,
                          [](std::uint32_t value, const Run& run) { return value < run.end; })
      ->type;
}

}  // namespace tenon::inline TENON_ABI::wasm
