// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/host_file.hpp.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/host_path.hpp>
#include <tenon/wasi/host_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

inline constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kLargestOffset = std::numeric_limits<::off_t>::max();
/// Most entries of a directory that a guest can list.
inline constexpr std::size_t kMostDirectoryEntries = std::size_t{1} << 20;

TENON_DECL FileType FileTypeOfMode(::mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::RegularFile;
    case S_IFDIR:
      return FileType::Directory;
    case S_IFLNK:
      return FileType::SymbolicLink;
    case S_IFCHR:
      return FileType::CharacterDevice;
    case S_IFBLK:
      return FileType::BlockDevice;
    case S_IFSOCK:
      return FileType::SocketStream;
    default:
      return FileType::Unknown;
  }
}

TENON_DECL std::uint64_t NanosecondsOf(const ::timespec& time) {
  if (time.tv_sec < 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * kNanosecondsPerSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

TENON_DECL FileStat FileStatOf(const struct ::stat& stat) {
  FileStat result;
  result.device = stat.st_dev;
  result.inode = stat.st_ino;
  result.type = FileTypeOfMode(stat.st_mode);
  result.links = stat.st_nlink;
  result.size = static_cast<std::uint64_t>(std::max<::off_t>(stat.st_size, 0));
  result.accessed = NanosecondsOf(stat.st_atim);
  result.modified = NanosecondsOf(stat.st_mtim);
  result.changed = NanosecondsOf(stat.st_ctim);
  return result;
}

TENON_DECL FileType FileTypeOf(int descriptor) {
  struct ::stat stat;
  if (::fstat(descriptor, &stat) != 0) return FileType::Unknown;
  const FileType type = FileTypeOfMode(stat.st_mode);
  if (type != FileType::SocketStream) return type;
  int socket_type = SOCK_STREAM;
  ::socklen_t size = sizeof socket_type;
  ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &socket_type, &size);
  return socket_type == SOCK_DGRAM ? FileType::SocketDatagram : FileType::SocketStream;
}

TENON_DECL Expected<FileStat> HostFile::Stat() {
  struct ::stat stat;
  if (::fstat(Descriptor(), &stat) != 0) return ErrnoOf(errno);
  FileStat result = FileStatOf(stat);
  result.type = type_;
  return result;
}

TENON_DECL Expected<std::size_t> HostFile::ReadAt(std::span<std::uint8_t> buffer,
                                                  std::uint64_t offset) {
  if (offset > kLargestOffset) return Errno::Inval;
  return CountOf(Uninterrupted([&] {
    return ::pread(Descriptor(), buffer.data(), buffer.size(), static_cast<::off_t>(offset));
  }));
}

TENON_DECL Expected<std::size_t> HostFile::WriteAt(std::span<const std::uint8_t> bytes,
                                                   std::uint64_t offset) {
  if (offset > kLargestOffset) return Errno::Fbig;
  return CountOf(stream_.WithinFileSize([&] {
    return Uninterrupted([&] {
      return ::pwrite(Descriptor(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    });
  }));
}

TENON_DECL Expected<std::size_t> HostFile::Append(std::span<const std::uint8_t> bytes) {
  return CountOf(stream_.WithinFileSize([&] {
    return Uninterrupted([&] { return ::write(Descriptor(), bytes.data(), bytes.size()); });
  }));
}

TENON_DECL FileFlags FlagsOf(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return {};
  return {(flags & O_APPEND) != 0, false, (flags & O_DSYNC) != 0};
}

TENON_DECL HostFile::HostFile(const HostDescriptor& descriptor)
    : HostFile{descriptor, FileTypeOf(descriptor.Get()), FlagsOf(descriptor.Get()), nullptr} {}

TENON_DECL Errno HostFile::SetFlags(const FileFlags& flags) {
  // The kernel does not change it in an open file.
  if (flags.sync != flags_.sync) return Errno::Notsup;
  if (flags.append != flags_.append && type_ == FileType::RegularFile) {
    int now = ::fcntl(Descriptor(), F_GETFL);
    if (now < 0) return ErrnoOf(errno);
    now = flags.append ? now | O_APPEND : now & ~O_APPEND;
    if (::fcntl(Descriptor(), F_SETFL, now) < 0) return ErrnoOf(errno);
  }
  flags_ = flags;
  return Errno::Success;
}

TENON_DECL Errno HostFile::SetSize(std::uint64_t size) {
  if (size > kLargestOffset) return Errno::Fbig;
  const int result = stream_.WithinFileSize([&] {
    return Uninterrupted([&] { return ::ftruncate(Descriptor(), static_cast<::off_t>(size)); });
  });
  // What the kernel calls an invalid argument is a file that is open for reading only.
  if (result < 0 && errno == EINVAL && type_ == FileType::RegularFile) return Errno::Badf;
  return ErrnoOfCall(result);
}

TENON_DECL Errno HostFile::Allocate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return Errno::Inval;
  if (offset > kLargestOffset || length > kLargestOffset - offset) return Errno::Fbig;
  return ErrnoOfCall(stream_.WithinFileSize([&] {
    return Uninterrupted([&] {
      return ::fallocate(Descriptor(), 0, static_cast<::off_t>(offset),
                         static_cast<::off_t>(length));
    });
  }));
}

TENON_DECL ::timespec TimeOf(const FileTime& time) {
  ::timespec result{};
  if (time.kind == FileTime::Kind::Keep) {
    result.tv_nsec = UTIME_OMIT;
  } else if (time.kind == FileTime::Kind::Now) {
    result.tv_nsec = UTIME_NOW;
  } else {
    result.tv_sec = static_cast<::time_t>(time.nanoseconds / kNanosecondsPerSecond);
    result.tv_nsec = static_cast<long>(time.nanoseconds % kNanosecondsPerSecond);
  }
  return result;
}

TENON_DECL std::pair<::timespec, ::timespec> TimesOf(const FileTime& accessed,
                                                     const FileTime& modified) {
  return {TimeOf(accessed), TimeOf(modified)};
}

TENON_DECL Errno HostFile::SetTimes(const FileTime& accessed, const FileTime& modified) {
  const ::timespec times[2] = {TimeOf(accessed), TimeOf(modified)};
  return ErrnoOfCall(::futimens(Descriptor(), times));
}

TENON_DECL Errno HostFile::Sync(bool data_only) {
  const int result = data_only ? ::fdatasync(Descriptor()) : ::fsync(Descriptor());
  // What has no storage behind it, as pipes and terminals, has nothing to wait for.
  if (result < 0 && errno == EINVAL) return Errno::Success;
  return ErrnoOfCall(result);
}

TENON_DECL Expected<std::vector<DirectoryEntry>> HostFile::ReadDirectory() {
  if (type_ != FileType::Directory) return Errno::Notdir;
  // A descriptor with a position of its own.
  UniqueDescriptor opened{::openat(Descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (opened.Get() < 0) return ErrnoOf(errno);
  struct Closer {
    void operator()(::DIR* stream) const { ::closedir(stream); }
  };
  const std::unique_ptr<::DIR, Closer> stream{::fdopendir(opened.Get())};
  if (stream == nullptr) return ErrnoOf(errno);
  opened.Release();
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const ::dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return ErrnoOf(errno);
      return entries;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entries.size() == kMostDirectoryEntries) return Errno::Overflow;
    entries.push_back({std::string{name}, entry->d_ino,
                       FileTypeOfMode(static_cast<::mode_t>(DTTOIF(entry->d_type)))});
  }
}

TENON_DECL std::uint64_t HostFile::ReadableBytes() {
  int count = 0;
  if (::ioctl(Descriptor(), FIONREAD, &count) != 0 || count < 0) return 1;
  return static_cast<std::uint64_t>(count);
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
