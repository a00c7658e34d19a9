// SPDX-License-Identifier: Apache-2.0
/// @file
/// A folder of the host's with an inside, which a guest gets, and an outside, which it must not
/// reach.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <stdlib.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "forwarder.hpp"

namespace tenon_test {

/// A folder that is removed again.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tenon-wasi-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a folder"};
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& Path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void WriteText(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path} << text;
}

inline std::string ReadText(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

/// A host directory as a guest's "/".
inline tenon::FSConfig MountRoot(const std::filesystem::path& path,
                                 tenon::wasi::PathResolution resolution) {
  const auto directory =
      tenon::HostDescriptor::Own(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return tenon::FSConfig{}.WithFSMount(
      std::make_shared<tenon::wasi::HostDirectory>(directory, resolution), "/");
}

/// A guest that calls functions of files with C++ strings. Descriptor 3 is its first directory.
class FileGuest : public WasiGuest {
 public:
  static constexpr std::uint32_t kRoot = 3;
  static constexpr std::uint64_t kAllRights = (std::uint64_t{1} << 30) - 1;
  static constexpr std::uint32_t kCreate = 1;
  static constexpr std::uint32_t kDirectory = 2;
  static constexpr std::uint32_t kExclusive = 4;
  static constexpr std::uint32_t kTruncate = 8;
  static constexpr std::uint64_t kRead = std::uint64_t{1} << 1;
  static constexpr std::uint64_t kWrite = std::uint64_t{1} << 6;
  static constexpr std::uint64_t kFileRights = kRead | kWrite | 1u << 2 | 1u << 5 | 1u << 21;
  static constexpr std::uint64_t kReadRights = kRead | 1u << 2 | 1u << 5 | 1u << 21;

  using WasiGuest::WasiGuest;

  tenon::wasi::Errno Open(std::uint32_t directory, std::string_view path, std::uint32_t oflags = 0,
                          std::uint64_t rights = kReadRights, std::uint32_t dirflags = 1,
                          std::uint32_t fdflags = 0) {
    Put(kPath, path);
    const auto error = Call("path_open", directory, dirflags, kPath, Size(path), oflags, rights,
                            rights, fdflags, kResult);
    if (error == tenon::wasi::Errno::Success) opened = U32(kResult);
    return error;
  }
  /// With the rights of a directory, and all of them to inherit.
  tenon::wasi::Errno OpenDirectory(std::uint32_t directory, std::string_view path,
                                   std::uint32_t dirflags = 1) {
    Put(kPath, path);
    if (Call("fd_fdstat_get", directory, kResult) != tenon::wasi::Errno::Success) {
      return tenon::wasi::Errno::Badf;
    }
    const std::uint64_t base = U64(kResult + 8);
    const std::uint64_t inheriting = U64(kResult + 16);
    const auto error = Call("path_open", directory, dirflags, kPath, Size(path), kDirectory, base,
                            inheriting, 0u, kResult);
    if (error == tenon::wasi::Errno::Success) opened = U32(kResult);
    return error;
  }
  tenon::wasi::Errno Path(std::string_view function, std::uint32_t directory,
                          std::string_view path) {
    Put(kPath, path);
    return Call(function, directory, kPath, Size(path));
  }
  tenon::wasi::Errno Stat(std::uint32_t directory, std::string_view path, std::uint32_t flags = 1) {
    Put(kPath, path);
    return Call("path_filestat_get", directory, flags, kPath, Size(path), kResult);
  }
  tenon::wasi::Errno SetTimes(std::uint32_t directory, std::string_view path,
                              std::uint32_t flags = 1) {
    Put(kPath, path);
    return Call("path_filestat_set_times", directory, flags, kPath, Size(path),
                std::uint64_t{1'000'000'000}, std::uint64_t{2'000'000'000}, 1u | 4u);
  }
  tenon::wasi::Errno Rename(std::uint32_t directory, std::string_view from, std::string_view to) {
    Put(kPath, from);
    Put(kOther, to);
    return Call("path_rename", directory, kPath, Size(from), directory, kOther, Size(to));
  }
  tenon::wasi::Errno Link(std::uint32_t directory, std::string_view from, std::string_view to) {
    Put(kPath, from);
    Put(kOther, to);
    return Call("path_link", directory, 0u, kPath, Size(from), directory, kOther, Size(to));
  }
  tenon::wasi::Errno Symlink(std::uint32_t directory, std::string_view target,
                             std::string_view path) {
    Put(kPath, target);
    Put(kOther, path);
    return Call("path_symlink", kPath, Size(target), directory, kOther, Size(path));
  }
  tenon::wasi::Errno ReadLink(std::uint32_t directory, std::string_view path, std::string& target) {
    Put(kPath, path);
    const auto error = Call("path_readlink", directory, kPath, Size(path), kData, 4096u, kResult);
    if (error == tenon::wasi::Errno::Success) target = Text(kData, U32(kResult));
    return error;
  }
  /// fd_read of one buffer.
  tenon::wasi::Errno Read(std::uint32_t descriptor, std::string& text, std::uint32_t size = 4096) {
    WriteBuffers(kList, {{kData, size}});
    const auto error = Call("fd_read", descriptor, kList, 1u, kResult);
    if (error == tenon::wasi::Errno::Success) text = Text(kData, U32(kResult));
    return error;
  }
  tenon::wasi::Errno Write(std::uint32_t descriptor, std::string_view text) {
    Put(kData, text);
    WriteBuffers(kList, {{kData, Size(text)}});
    return Call("fd_write", descriptor, kList, 1u, kResult);
  }
  tenon::wasi::Errno Close(std::uint32_t descriptor) { return Call("fd_close", descriptor); }
  /// Names in a directory, but for "." and "..".
  std::set<std::string> Names(std::uint32_t directory) {
    std::set<std::string> names;
    std::uint64_t cookie = 0;
    while (true) {
      constexpr std::uint32_t kSize = 8192;
      if (Call("fd_readdir", directory, kData, kSize, cookie, kResult) !=
          tenon::wasi::Errno::Success) {
        return names;
      }
      const std::uint32_t used = U32(kResult);
      std::uint32_t at = 0;
      while (used - at >= 24) {
        const std::uint32_t length = U32(kData + at + 16);
        if (used - at - 24 < length) break;
        cookie = U64(kData + at);
        const std::string name = Text(kData + at + 24, length);
        if (name != "." && name != "..") names.insert(name);
        at += 24 + length;
      }
      if (used < kSize || at == 0) return names;
    }
  }

  /// Of the last successful Open.
  std::uint32_t opened = 0;

 private:
  static constexpr std::uint32_t kResult = 512;
  static constexpr std::uint32_t kList = 1024;
  static constexpr std::uint32_t kPath = 4096;
  static constexpr std::uint32_t kOther = 16384;
  static constexpr std::uint32_t kData = 32768;

  static std::uint32_t Size(std::string_view text) {
    return static_cast<std::uint32_t>(text.size());
  }
  void Put(std::uint32_t at, std::string_view text) {
    if (!memory.WriteString(at, text)) throw std::runtime_error{"a text too long for the guest"};
  }
};

}  // namespace tenon_test
