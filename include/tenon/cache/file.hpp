// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the cache needs of the system's files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::cache {

/// An open file or directory, closed at the end.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) noexcept : number_{number} {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  TENON_DECL ~FileDescriptor();

  explicit operator bool() const noexcept { return number_ >= 0; }
  int Number() const noexcept { return number_; }
  /// Leaves it open, to whoever took the number.
  void Release() noexcept { number_ = -1; }

 private:
  int number_ = -1;
};

/// What the cache asks of a file.
struct FileFacts {
  bool is_directory = false;
  bool is_regular = false;
  std::uint64_t links = 0;  ///< how many names it has
  std::uint32_t mode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  /// Why somebody else can change it; "" if nobody can but this user and the administrator.
  std::string danger;
};

/// The same path wherever this process goes later; as it is if the system does not tell where the
/// process is.
TENON_DECL std::string AbsolutePath(const std::string& path);

/// A failed call of the system: "path: reason".
[[noreturn]] TENON_DECL void ThrowFileError(const std::string& path, int error);

/// Facts of an open file. False if the system does not tell.
TENON_DECL bool GetFacts(const FileDescriptor& file, FileFacts& facts);

/// Looks whether somebody else can put another directory in the place of this one, as one of those
/// above it is theirs, or they may rename in it. `danger` says why; "" if nobody can but this user
/// and the administrator. False if the system does not tell; errno says why.
TENON_DECL bool LookAbove(const FileDescriptor& directory, std::string& danger);

/// Whether a file lies on another machine, as far as its kind of file system tells: then its pages
/// can go while they are mapped. `kind`: statfs::f_type.
TENON_DECL bool IsOfNetwork(const FileDescriptor& file) noexcept;
TENON_DECL bool IsKindOfNetwork(std::uint32_t kind) noexcept;

/// Names in a directory, without "." and "..".
TENON_DECL std::vector<std::string> ListNames(const FileDescriptor& directory);

/// A private, readable mapping.
struct FileMapping {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

/// Maps the first `size` bytes of a file. No owner if the system refuses, as some kinds of file
/// systems do.
TENON_DECL FileMapping MapFile(const FileDescriptor& file, std::uint64_t size);
/// Reads them to pages of their own, so that nobody can change or truncate them any more.
TENON_DECL FileMapping ReadFilePages(const FileDescriptor& file, std::uint64_t size,
                                     const std::string& path);
/// A copy on pages of its own, which nobody else can write to. Throws std::bad_alloc.
TENON_DECL FileMapping MapCopy(std::span<const std::uint8_t> bytes);

}  // namespace tenon::inline TENON_ABI::cache

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache/file.ipp>
#endif
