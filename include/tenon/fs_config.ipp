// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of fs_config.hpp.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/error.hpp>
#include <tenon/fs_config.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL FSConfig FSConfig::With(FSMount mount) const {
  if (mount.guest_path.empty()) mount.guest_path = "/";
  if (mount.guest_path.find('\0') != std::string::npos) {
    throw ConfigError{ErrorCode::MountPathNul, FormatError(ErrorCode::MountPathNul, {})};
  }
  if (!mount.directory && mount.file_system == nullptr) {
    throw ConfigError{ErrorCode::MountNull, FormatError(ErrorCode::MountNull, {mount.guest_path})};
  }
  FSConfig changed = *this;
  for (FSMount& existing : changed.mounts_) {
    if (existing.guest_path == mount.guest_path) {
      existing = std::move(mount);
      return changed;
    }
  }
  changed.mounts_.push_back(std::move(mount));
  return changed;
}

TENON_DECL HostDescriptor FSConfig::Open(const std::string& directory) {
  const bool has_nul = directory.find('\0') != std::string::npos;
  const int descriptor =
      has_nul ? -1 : ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    throw ConfigError{
        ErrorCode::MountOpen,
        FormatError(ErrorCode::MountOpen, {directory, std::strerror(has_nul ? ENOENT : errno)})};
  }
  return HostDescriptor::Own(descriptor);
}

}  // namespace tenon::inline TENON_ABI
