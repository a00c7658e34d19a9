// SPDX-License-Identifier: Apache-2.0
/// @file
/// C++ types as text, without run-time type information.
#pragma once

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::bind {

/// A text that contains the type as the compiler spells it, behind "S = ". It is trimmed when
/// somebody asks (vm::CppTypeName), because doing so here would cost every binding.
template <class S>
constexpr const char* Spell() noexcept {
  return __PRETTY_FUNCTION__;
}

/// The texts of several types. By type rather than by signature, because most signatures are made
/// of few types.
template <class... T>
inline constexpr const char* kSpellings[] = {Spell<T>()...};

}  // namespace tenon::inline TENON_ABI::bind
