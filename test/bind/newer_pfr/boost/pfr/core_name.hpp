// SPDX-License-Identifier: Apache-2.0
/// @file
/// What newer versions of Boost.PFR add, as far as tenon uses it: here structs say the names of
/// their fields themselves, in `kNames`.
#pragma once

#include <cstddef>
#include <string_view>

#define BOOST_PFR_CORE_NAME_ENABLED 1

namespace boost::pfr {

template <std::size_t kIndex, class S>
constexpr std::string_view get_name() noexcept {
  return S::kNames[kIndex];
}

}  // namespace boost::pfr
