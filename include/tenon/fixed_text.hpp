// SPDX-License-Identifier: Apache-2.0
/// @file
/// Text as a template argument.
#pragma once

#include <cstddef>
#include <string_view>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Text that can be a template argument, made of a literal: `Fn<"mix">`. `kSize` counts the
/// terminator. Compilers show it as text in their messages.
template <std::size_t kSize>
struct FixedText {
  char text[kSize]{};

  consteval FixedText() = default;
  consteval FixedText(const char (&literal)[kSize]) {
    for (std::size_t i = 0; i < kSize; ++i) text[i] = literal[i];
  }

  constexpr std::string_view View() const { return {text, kSize - 1}; }
};

}  // namespace tenon::inline TENON_ABI
