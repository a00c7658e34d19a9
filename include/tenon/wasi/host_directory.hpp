// SPDX-License-Identifier: Apache-2.0
/// @file
/// A directory of the host's as a file system.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/host_path.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// What is below a directory of the host's. Neither "..", absolute paths and symbolic links nor
/// renaming by others lead out of it; ENOTCAPABLE tells guests so. Hard links do, where the host
/// made some. FSConfig::WithDirMount makes one; any thread.
class HostDirectory : public FileSystem {
 public:
  /// `directory`: opened for reading, or with O_PATH.
  explicit HostDirectory(HostDescriptor directory,
                         PathResolution resolution = PathResolution::Automatic)
      : directory_{std::move(directory)}, resolution_{resolution} {}

  TENON_DECL Expected<std::unique_ptr<File>> Open(std::string_view path,
                                                  const OpenOptions& options) override;
  TENON_DECL Expected<FileStat> Stat(std::string_view path, bool follow) override;
  TENON_DECL Errno SetTimes(std::string_view path, bool follow, const FileTime& accessed,
                            const FileTime& modified) override;
  TENON_DECL Errno MakeDirectory(std::string_view path) override;
  TENON_DECL Errno RemoveDirectory(std::string_view path) override;
  TENON_DECL Errno Unlink(std::string_view path) override;
  TENON_DECL Errno Rename(std::string_view path, FileSystem& to,
                          std::string_view new_path) override;
  TENON_DECL Errno Link(std::string_view path, FileSystem& to, std::string_view new_path) override;
  TENON_DECL Errno Symlink(std::string_view target, std::string_view path) override;
  TENON_DECL Expected<std::string> ReadLink(std::string_view path) override;
  bool ResolvesPaths() const override { return true; }
  const void* Family() const override { return &kFamily; }

 private:
  static constexpr char kFamily = 0;

  Expected<detail::ParentAndName> Parent(std::string_view path, Errno dots) const {
    return detail::OpenParentBeneath(directory_.Get(), path, dots, resolution_);
  }

  HostDescriptor directory_;
  PathResolution resolution_;
};

}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_directory.ipp>
#endif
