// SPDX-License-Identifier: Apache-2.0
/// @file
/// Error numbers of WASI by name, where a check fails.
#pragma once

#include <string>

#include <catch2/catch.hpp>

#include <tenon/wasi.hpp>

namespace Catch {
template <>
struct StringMaker<tenon::wasi::Errno> {
  static std::string convert(tenon::wasi::Errno error) {
    return std::string{tenon::wasi::ErrnoName(error)};
  }
};
}  // namespace Catch
