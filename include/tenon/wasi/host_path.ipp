// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/host_path.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_path.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

TENON_DECL UniqueDescriptor::~UniqueDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

inline constexpr int kMostLinks = 40;

// linux/openat2.h, which not every system has.
struct OpenHow {
  std::uint64_t flags;
  std::uint64_t mode;
  std::uint64_t resolve;
};
inline constexpr long kSysOpenat2 = 437;
inline constexpr std::uint64_t kResolveNoMagiclinks = 0x02;
inline constexpr std::uint64_t kResolveBeneath = 0x08;

TENON_DECL int CallOpenat2(int root, const char* path, int flags, unsigned mode) {
  // The kernel refuses a mode that it would not use.
  const bool creates = (flags & O_CREAT) != 0;
  const OpenHow how{static_cast<unsigned>(flags | O_CLOEXEC), creates ? mode : 0u,
                    kResolveBeneath | kResolveNoMagiclinks};
  return static_cast<int>(::syscall(kSysOpenat2, root, path, &how, sizeof how));
}

/// Whether kernel and sandbox allow openat2.
TENON_DECL bool HasOpenat2() {
  static const bool has = [] {
    const UniqueDescriptor probe{CallOpenat2(AT_FDCWD, ".", O_PATH, 0)};
    return probe.Get() >= 0;
  }();
  return has;
}

/// Resolves a path one component after the other. Each directory on the way stays open, so that
/// ".." goes back to where the walk came from, wherever others move the directory meanwhile.
class PathWalk {
 public:
  PathWalk(int root, std::string_view path) : root_{root} { Push(path); }

  Expected<UniqueDescriptor> Open(int flags, unsigned mode) {
    flags |= O_CLOEXEC;
    while (!components_.empty()) {
      const std::string name = std::move(components_.back());
      components_.pop_back();
      const bool is_last = components_.empty();
      Errno error = Errno::Success;
      if (name == ".") continue;
      if (name == "..") {
        if (directories_.empty()) return Errno::Notcapable;
        directories_.pop_back();
        continue;
      }
      if (is_last && !wants_directory_) {
        const int descriptor = ::openat(Top(), name.c_str(), flags | O_NOFOLLOW, mode);
        UniqueDescriptor opened{descriptor};
        if (descriptor < 0) error = ErrnoOf(errno);
        const bool may_be_link = descriptor < 0 ? error == Errno::Loop || error == Errno::Notdir
                                                : (flags & O_PATH) != 0 && IsLink(opened.Get());
        const bool follows = (flags & O_NOFOLLOW) == 0;
        if (!may_be_link || !follows) {
          if (error != Errno::Success) return error;
          return opened;
        }
        const Errno expanded = Expand(name);
        if (expanded == Errno::Inval) return error;
        if (expanded != Errno::Success) return expanded;
        continue;
      }
      error = Enter(name);
      if (error == Errno::Noent && is_last && (flags & O_CREAT) != 0) return Errno::Isdir;
      if (error != Errno::Success) return error;
    }
    if ((flags & O_CREAT) != 0) return (flags & O_EXCL) != 0 ? Errno::Exist : Errno::Isdir;
    const int descriptor = ::openat(Top(), ".", flags & ~O_NOFOLLOW);
    if (descriptor < 0) return ErrnoOf(errno);
    return UniqueDescriptor{descriptor};
  }

 private:
  /// More than any path without links can have entered.
  static constexpr std::size_t kMostDirectories = 256;

  int Top() const { return directories_.empty() ? root_ : directories_.back().Get(); }

  static bool IsLink(int descriptor) {
    struct ::stat stat;
    return ::fstat(descriptor, &stat) == 0 && S_ISLNK(stat.st_mode);
  }

  /// Puts a path's components in front of what remains.
  void Push(std::string_view path) {
    const bool is_last = components_.empty();
    if (is_last) {
      wants_directory_ = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") ||
                         path == "." || path == "..";
    }
    std::size_t end = path.size();
    while (end > 0) {
      const std::size_t slash = path.find_last_of('/', end - 1);
      const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
      if (begin < end) components_.emplace_back(path.substr(begin, end - begin));
      end = slash == std::string_view::npos ? 0 : slash;
    }
  }

  /// Replaces a symbolic link by its target; EINVAL if it is none.
  Errno Expand(const std::string& name) {
    char target[kLongestPath];
    const ::ssize_t length = ::readlinkat(Top(), name.c_str(), target, sizeof target);
    if (length < 0) return ErrnoOf(errno);
    return ExpandTo({target, static_cast<std::size_t>(length)});
  }
  Errno ExpandTo(std::string_view target) {
    if (target.size() >= kLongestPath) return Errno::Nametoolong;
    if (target.empty()) return Errno::Noent;
    if (++links_ > kMostLinks) return Errno::Loop;
    if (target.front() == '/') return Errno::Notcapable;
    const bool wanted = wants_directory_;
    const bool is_last = components_.empty();
    Push(target);
    if (is_last && wanted) wants_directory_ = true;
    return Errno::Success;
  }

  /// Goes into a directory, or puts a link's target in its place.
  Errno Enter(const std::string& name) {
    UniqueDescriptor opened{::openat(Top(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (opened.Get() < 0) return ErrnoOf(errno);
    struct ::stat stat;
    if (::fstat(opened.Get(), &stat) != 0) return ErrnoOf(errno);
    if (S_ISDIR(stat.st_mode)) {
      if (directories_.size() >= kMostDirectories) return Errno::Nametoolong;
      directories_.push_back(std::move(opened));
      return Errno::Success;
    }
    if (!S_ISLNK(stat.st_mode)) return Errno::Notdir;
    // Of the link that was looked at, not of what has its name by now.
    char target[kLongestPath];
    const ::ssize_t length = ::readlinkat(opened.Get(), "", target, sizeof target);
    if (length < 0) return ErrnoOf(errno);
    return ExpandTo({target, static_cast<std::size_t>(length)});
  }

  int root_;
  int links_ = 0;
  bool wants_directory_ = false;
  /// In reverse order.
  std::vector<std::string> components_;
  std::vector<UniqueDescriptor> directories_;
};

TENON_DECL Errno CheckPath(std::string_view path) {
  if (path.empty()) return Errno::Noent;
  if (path.size() >= kLongestPath) return Errno::Nametoolong;
  if (path.find('\0') != std::string_view::npos) return Errno::Inval;
  return path.front() == '/' ? Errno::Notcapable : Errno::Success;
}

TENON_DECL Expected<UniqueDescriptor> OpenBeneath(int root, std::string_view path, int flags,
                                                  unsigned mode, PathResolution resolution) {
  const Errno fault = CheckPath(path);
  if (fault != Errno::Success) return fault;
  if (resolution == PathResolution::Automatic && HasOpenat2()) {
    const std::string terminated{path};
    // EAGAIN: somebody renamed something while the kernel went through a "..", which then is not
    // known to be safe. If that goes on, the walk does not mind.
    for (int tries = 0; tries < 16; ++tries) {
      const int descriptor = CallOpenat2(root, terminated.c_str(), flags, mode);
      if (descriptor >= 0) return UniqueDescriptor{descriptor};
      if (errno == EXDEV) return Errno::Notcapable;
      if (errno != EAGAIN && errno != EINTR) return ErrnoOf(errno);
    }
  }
  return PathWalk{root, path}.Open(flags, mode);
}

TENON_DECL Expected<ParentAndName> OpenParentBeneath(int root, std::string_view path, Errno dots,
                                                     PathResolution resolution) {
  const Errno fault = CheckPath(path);
  if (fault != Errno::Success) return fault;
  ParentAndName result;
  while (path.ends_with('/')) {
    path.remove_suffix(1);
    result.wants_directory = true;
  }
  const std::size_t slash = path.find_last_of('/');
  const bool has_directory = slash != std::string_view::npos;
  const std::string_view name = has_directory ? path.substr(slash + 1) : path;
  const std::string_view directory = has_directory ? path.substr(0, slash + 1) : ".";
  if (name == "." || name == "..") {
    // To tell what leads out from what is only no name.
    const auto opened = OpenBeneath(root, path, O_PATH | O_DIRECTORY, 0, resolution);
    return opened ? dots : opened.error();
  }
  auto opened = OpenBeneath(root, directory, O_PATH | O_DIRECTORY, 0, resolution);
  if (!opened) return opened.error();
  result.parent = std::move(*opened);
  result.name = name;
  return result;
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
