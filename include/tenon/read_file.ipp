// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of read_file.hpp.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/error.hpp>
#include <tenon/read_file.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] TENON_DECL void ThrowFileRead(const std::string& path, int error) {
  throw ConfigError{ErrorCode::FileRead,
                    FormatError(ErrorCode::FileRead, {path, std::strerror(error)})};
}

}  // namespace detail

[[gnu::cold]] TENON_DECL std::vector<std::uint8_t> ReadFile(const std::string& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, detail::CloseFile> file{std::fopen(path.c_str(), "rb")};
  if (file == nullptr) detail::ThrowFileRead(path, errno);
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 16384> chunk;
  // The size is not asked for: pipes and /proc files do not know theirs.
  while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (std::ferror(file.get()) != 0) detail::ThrowFileRead(path, errno);
  return bytes;
}

}  // namespace tenon::inline TENON_ABI
