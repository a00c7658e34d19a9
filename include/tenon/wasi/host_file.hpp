// SPDX-License-Identifier: Apache-2.0
/// @file
/// Files, pipes, sockets and directories of the host's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/host_path.hpp>
#include <tenon/wasi/host_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

TENON_DECL FileStat FileStatOf(const struct ::stat& stat);
/// That of an open descriptor; Unknown if it cannot be told.
TENON_DECL FileType FileTypeOf(int descriptor);

/// A descriptor of the host's.
class HostFile : public File {
 public:
  /// With the flags that it has now, but that it is blocking for the guest.
  TENON_DECL explicit HostFile(const HostDescriptor& descriptor);
  /// `directory`: the file system of which this is the root, for directories.
  HostFile(HostDescriptor descriptor, FileType type, const FileFlags& flags,
           std::unique_ptr<FileSystem> directory)
      : descriptor_{std::move(descriptor)},
        directory_{std::move(directory)},
        type_{type},
        flags_{flags},
        stream_{descriptor_.Get(), type} {}

  int Descriptor() const { return descriptor_.Get(); }

  FileType Type() const override { return type_; }
  TENON_DECL Expected<FileStat> Stat() override;
  TENON_DECL Expected<std::size_t> ReadAt(std::span<std::uint8_t> buffer,
                                          std::uint64_t offset) override;
  TENON_DECL Expected<std::size_t> WriteAt(std::span<const std::uint8_t> bytes,
                                           std::uint64_t offset) override;
  TENON_DECL Expected<std::size_t> Append(std::span<const std::uint8_t> bytes) override;
  Expected<std::size_t> Read(std::span<std::uint8_t> buffer) override {
    return stream_.Read(buffer);
  }
  Expected<std::size_t> Write(std::span<const std::uint8_t> bytes) override {
    return stream_.Write(bytes);
  }
  FileFlags Flags() const override { return flags_; }
  TENON_DECL Errno SetFlags(const FileFlags& flags) override;
  TENON_DECL Errno SetSize(std::uint64_t size) override;
  TENON_DECL Errno Allocate(std::uint64_t offset, std::uint64_t length) override;
  TENON_DECL Errno SetTimes(const FileTime& accessed, const FileTime& modified) override;
  TENON_DECL Errno Sync(bool data_only) override;
  TENON_DECL Expected<std::vector<DirectoryEntry>> ReadDirectory() override;
  FileSystem* Directory() override { return directory_.get(); }
  int PollDescriptor() const override { return NeverWaits() ? -1 : Descriptor(); }
  TENON_DECL std::uint64_t ReadableBytes() override;

 private:
  bool NeverWaits() const { return type_ == FileType::RegularFile || type_ == FileType::Directory; }

  HostDescriptor descriptor_;
  std::unique_ptr<FileSystem> directory_;
  FileType type_;
  /// Kept here, because each write asks; whether it is blocking is the guest's alone.
  FileFlags flags_;
  HostStream stream_;
};

/// The times for utimensat and futimens.
TENON_DECL std::pair<::timespec, ::timespec> TimesOf(const FileTime& accessed,
                                                     const FileTime& modified);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_file.ipp>
#endif
