// SPDX-License-Identifier: Apache-2.0
/// @file
/// Paths below a directory of the host's, resolved without leaving it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// How paths are kept below a directory.
enum class PathResolution : std::uint8_t {
  Automatic,  ///< by the kernel where it can (openat2, Linux 5.6), else by walking
  Walk,       ///< one component after the other, following symbolic links by itself
};

namespace detail {

/// Bytes of the longest path, and of the longest target of a symbolic link, and one.
inline constexpr std::size_t kLongestPath = 4096;

/// A descriptor of the host's that is closed with this.
class UniqueDescriptor {
 public:
  UniqueDescriptor() noexcept = default;
  explicit UniqueDescriptor(int descriptor) noexcept : descriptor_{descriptor} {}
  UniqueDescriptor(UniqueDescriptor&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)} {}
  UniqueDescriptor& operator=(UniqueDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  TENON_DECL ~UniqueDescriptor();

  int Get() const noexcept { return descriptor_; }
  int Release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

/// A directory, and a name in it that is neither "." nor "..".
struct ParentAndName {
  UniqueDescriptor parent;
  std::string name;
  /// A slash followed the name.
  bool wants_directory = false;
};

/// Opens what `path` leads to from the directory `root`, with flags and mode of open(2). Without
/// O_NOFOLLOW a symbolic link at the end is followed. ENOTCAPABLE where the path, or a symbolic
/// link on the way, is absolute or leads above `root`.
TENON_DECL Expected<UniqueDescriptor> OpenBeneath(int root, std::string_view path, int flags,
                                                  unsigned mode, PathResolution resolution);

/// Opens the directory of the last component of `path`, without looking at that. A last component
/// "." or ".." gives `dots`.
TENON_DECL Expected<ParentAndName> OpenParentBeneath(int root, std::string_view path, Errno dots,
                                                     PathResolution resolution);

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_path.ipp>
#endif
