// SPDX-License-Identifier: Apache-2.0
/// @file
/// Kinds of files.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// What kind of thing a descriptor or directory entry is. Numbers are those of the specification.
enum class FileType : std::uint8_t {
  Unknown = 0,
  BlockDevice = 1,
  CharacterDevice = 2,
  Directory = 3,
  RegularFile = 4,
  SocketDatagram = 5,
  SocketStream = 6,
  SymbolicLink = 7,
};

}  // namespace tenon::inline TENON_ABI::wasi
