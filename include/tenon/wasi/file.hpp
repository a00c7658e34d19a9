// SPDX-License-Identifier: Apache-2.0
/// @file
/// What an open descriptor of a guest stands for. Derive from File for files of your own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/result.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file_type.hpp>

namespace tenon::inline TENON_ABI::wasi {

class FileSystem;

/// A value, or what a guest is told instead.
template <class T>
using Expected = tenon::Result<T, Errno>;

/// What a guest can ask about a file. Times are nanoseconds since 1970-01-01 UTC.
struct FileStat {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  FileType type = FileType::Unknown;
  std::uint64_t links = 1;
  std::uint64_t size = 0;
  std::uint64_t accessed = 0;
  std::uint64_t modified = 0;
  std::uint64_t changed = 0;
};

/// A time to set: kKeep, kNow, or nanoseconds since 1970-01-01 UTC.
struct FileTime {
  enum class Kind : std::uint8_t { Keep, Now, At };
  Kind kind = Kind::Keep;
  std::uint64_t nanoseconds = 0;
};

struct DirectoryEntry {
  std::string name;
  std::uint64_t inode = 0;
  FileType type = FileType::Unknown;
};

/// How a file behaves while it is open, which guests can change.
struct FileFlags {
  /// Writes go to the end.
  bool append = false;
  /// Reads and writes that would wait give Errno::Again.
  bool nonblock = false;
  /// Writes are on the storage medium before they return.
  bool sync = false;
};

/// An open file, directory, stream or socket. What a class does not override answers as the
/// comment says. Used by one thread at a time. Guests' descriptors own their files: closing is
/// destruction. Functions may throw, which ends the guest's call. They must not call into the
/// guest: it could close the file.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Must not change during the file's life.
  virtual FileType Type() const = 0;
  /// Default: the type and zeros.
  virtual Expected<FileStat> Stat() {
    FileStat stat;
    stat.type = Type();
    return stat;
  }

  /// Whether the file has positions: then it is read and written by ReadAt and WriteAt, else by
  /// Read and Write. Must not change. Default: regular files are.
  virtual bool IsSeekable() const { return Type() == FileType::RegularFile; }
  /// Fills the start of `buffer`, which is guest memory and not empty, from this offset; the number
  /// of bytes, 0 at the end. Default: EBADF.
  virtual Expected<std::size_t> ReadAt(std::span<std::uint8_t> /*buffer*/,
                                       std::uint64_t /*offset*/) {
    return Errno::Badf;
  }
  /// Writes from the start of `bytes`, which is guest memory and not empty; the number of bytes.
  /// Default: EBADF.
  virtual Expected<std::size_t> WriteAt(std::span<const std::uint8_t> /*bytes*/,
                                        std::uint64_t /*offset*/) {
    return Errno::Badf;
  }
  /// The same at the end of the file, in one step where others write to it too. Default: at the
  /// size that Stat tells.
  virtual Expected<std::size_t> Append(std::span<const std::uint8_t> bytes) {
    const Expected<FileStat> stat = Stat();
    if (!stat) return stat.error();
    return WriteAt(bytes, stat->size);
  }
  /// ReadAt for what has no positions: waits until there is a byte or the end. A file that has a
  /// PollDescriptor can give EAGAIN instead: it is called again when that is ready, unless the
  /// guest's call is to end or Flags say non-blocking.
  virtual Expected<std::size_t> Read(std::span<std::uint8_t> /*buffer*/) { return Errno::Badf; }
  /// WriteAt for what has no positions; called again, as Read is, and for what it did not take.
  virtual Expected<std::size_t> Write(std::span<const std::uint8_t> /*bytes*/) {
    return Errno::Badf;
  }

  /// The flags as they are now. Default: none.
  virtual FileFlags Flags() const { return {}; }
  /// Default: ENOTSUP.
  virtual Errno SetFlags(const FileFlags& /*flags*/) { return Errno::Notsup; }
  /// Cuts, or appends zeros. Default: EINVAL.
  virtual Errno SetSize(std::uint64_t /*size*/) { return Errno::Inval; }
  /// Makes the file at least so large, and has room for it. Default: ENOTSUP.
  virtual Errno Allocate(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    return Errno::Notsup;
  }
  /// Default: ENOTSUP.
  virtual Errno SetTimes(const FileTime& /*accessed*/, const FileTime& /*modified*/) {
    return Errno::Notsup;
  }
  /// Waits until what was written is on the storage medium; `data_only`: not what says when it was
  /// written. Default: nothing to wait for.
  virtual Errno Sync(bool /*data_only*/) { return Errno::Success; }

  /// Everything in a directory, without "." and "..". Default: ENOTDIR. Of more than 2^20 entries
  /// guests are told EOVERFLOW.
  virtual Expected<std::vector<DirectoryEntry>> ReadDirectory() { return Errno::Notdir; }
  /// The file system whose root this directory is, which lives as long as this File. Null, the
  /// default: paths of this directory are given to the file system it was opened in.
  virtual FileSystem* Directory() { return nullptr; }

  /// A descriptor of the host's to wait for; -1, the default: never to be waited for.
  virtual int PollDescriptor() const { return -1; }
  /// Bytes that can be read without waiting, if that is known. Default: not known, 1.
  virtual std::uint64_t ReadableBytes() { return 1; }
};

}  // namespace tenon::inline TENON_ABI::wasi
