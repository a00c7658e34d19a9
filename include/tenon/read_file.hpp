// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads a module from a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// The bytes of a file. Throws ConfigError if it cannot be read.
TENON_DECL std::vector<std::uint8_t> ReadFile(const std::string& path);

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/read_file.ipp>
#endif
