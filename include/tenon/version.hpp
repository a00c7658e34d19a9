// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which tenon this is.
#pragma once

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {
#define TENON_DETAIL_TEXT2(number) #number
#define TENON_DETAIL_TEXT(number) TENON_DETAIL_TEXT2(number)
inline constexpr char kVersion[] = TENON_DETAIL_TEXT(TENON_VERSION_MAJOR) "." TENON_DETAIL_TEXT(
    TENON_VERSION_MINOR) "." TENON_DETAIL_TEXT(TENON_VERSION_PATCH);
#undef TENON_DETAIL_TEXT
#undef TENON_DETAIL_TEXT2
}  // namespace detail

/// The version of the library, "major.minor.patch", by the rules of semantic versioning. Until 1.0
/// a new minor version may change the interface. A program's files must agree in major and minor
/// version, else it does not link. The preprocessor has it as TENON_VERSION_MAJOR,
/// TENON_VERSION_MINOR and TENON_VERSION_PATCH.
constexpr const char* Version() noexcept { return detail::kVersion; }

}  // namespace tenon::inline TENON_ABI
