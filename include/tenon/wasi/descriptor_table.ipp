// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/descriptor_table.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

#include <tenon/abi/config.hpp>
#include <tenon/fs_config.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/host_directory.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/standard_stream.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// The root of a file system that is mounted.
class MountRoot : public File {
 public:
  explicit MountRoot(FileSystem& file_system) : file_system_{file_system} {}
  FileType Type() const override { return FileType::Directory; }
  Expected<FileStat> Stat() override { return file_system_.Stat(Path(), true); }
  Errno SetTimes(const FileTime& accessed, const FileTime& modified) override {
    return file_system_.SetTimes(Path(), true, accessed, modified);
  }
  Expected<std::vector<DirectoryEntry>> ReadDirectory() override {
    OpenOptions options;
    options.directory = true;
    const auto opened = file_system_.Open(Path(), options);
    if (!opened) return opened.error();
    return (*opened)->ReadDirectory();
  }

 private:
  std::string_view Path() const { return file_system_.ResolvesPaths() ? "." : ""; }

  FileSystem& file_system_;
};

TENON_DECL Expected<std::string> CleanPath(std::string_view path) {
  if (path.starts_with('/')) return Errno::Notcapable;
  std::string clean;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (clean.empty()) return Errno::Notcapable;
      const std::size_t last = clean.find_last_of('/');
      clean.resize(last == std::string::npos ? 0 : last);
      continue;
    }
    if (!clean.empty()) clean += '/';
    clean += name;
  }
  return clean;
}

TENON_DECL DescriptorTable::DescriptorTable(System& system)
    : limit_{system.Config().OpenFileLimit()} {
  for (std::uint32_t stream = 0; stream < 3; ++stream) {
    Give(std::make_unique<StandardStream>(system, stream),
         stream == 0 ? right::kInput : right::kOutput);
  }
  for (const FSMount& mount : system.Config().FSConfig().Mounts()) GiveMount(mount);
  for (const HostDescriptor& socket : system.Config().Sockets()) GiveSocket(socket);
  first_free_ = open_.size();
}

TENON_DECL void DescriptorTable::Give(std::unique_ptr<File> file, Rights base, Rights inheriting) {
  auto descriptor = std::make_unique<Descriptor>();
  descriptor->file = std::move(file);
  descriptor->base = base;
  descriptor->inheriting = inheriting;
  open_.push_back(std::move(descriptor));
  ++count_;
}

TENON_DECL void DescriptorTable::GiveMount(const FSMount& mount) {
  auto made = std::make_unique<Mount>();
  std::string_view path = mount.guest_path;
  while (path.starts_with('/')) path.remove_prefix(1);
  const Expected<std::string> clean = CleanPath(path);
  made->path = clean ? *clean : std::string{path};
  made->read_only = mount.read_only;
  std::unique_ptr<File> root;
  if (mount.file_system != nullptr) {
    made->file_system = mount.file_system;
    root = std::make_unique<MountRoot>(*made->file_system);
  } else {
    made->file_system = std::make_shared<HostDirectory>(mount.directory);
    root = std::make_unique<HostFile>(mount.directory);
  }
  Give(std::move(root), right::kDirectory, right::kDirectory | right::kFile);
  Descriptor& descriptor = *open_.back();
  descriptor.file_system = made->file_system;
  descriptor.read_only = made->read_only;
  descriptor.guest_path = made->path;
  descriptor.preopen_name = mount.guest_path;
  mounts_.push_back(std::move(made));
}

TENON_DECL void DescriptorTable::GiveSocket(const HostDescriptor& socket) {
  int accepts = 0;
  ::socklen_t size = sizeof accepts;
  ::getsockopt(socket.Get(), SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size);
  Give(std::make_unique<HostFile>(socket), accepts != 0 ? right::kListener : right::kSocket,
       accepts != 0 ? right::kSocket : 0);
  open_.back()->is_listener = accepts != 0;
  if (accepts == 0) return;
  // Between waiting for a connection and taking it, somebody else may take it.
  const int flags = ::fcntl(socket.Get(), F_GETFL);
  if (flags >= 0) ::fcntl(socket.Get(), F_SETFL, flags | O_NONBLOCK);
}

TENON_DECL Expected<std::uint32_t> DescriptorTable::Insert(Descriptor descriptor) {
  if (IsFull()) return Errno::Mfile;
  while (first_free_ < open_.size() && open_[first_free_] != nullptr) ++first_free_;
  if (first_free_ == open_.size()) open_.emplace_back();
  open_[first_free_] = std::make_unique<Descriptor>(std::move(descriptor));
  ++count_;
  return static_cast<std::uint32_t>(first_free_++);
}

TENON_DECL Errno DescriptorTable::Close(std::uint32_t number) {
  if (Find(number) == nullptr) return Errno::Badf;
  open_[number].reset();
  --count_;
  first_free_ = std::min<std::size_t>(first_free_, number);
  return Errno::Success;
}

TENON_DECL Errno DescriptorTable::Renumber(std::uint32_t from, std::uint32_t to) {
  if (Find(from) == nullptr || Find(to) == nullptr) return Errno::Badf;
  if (from == to) return Errno::Success;
  open_[to] = std::move(open_[from]);
  --count_;
  first_free_ = std::min<std::size_t>(first_free_, from);
  return Errno::Success;
}

TENON_DECL void DescriptorTable::AddMounts(const Descriptor& descriptor,
                                           std::vector<DirectoryEntry>& entries) const {
  if (!descriptor.guest_path) return;
  for (const auto& mount : mounts_) {
    const std::string& path = mount->path;
    const std::size_t slash = path.find_last_of('/');
    const bool is_nested = slash != std::string::npos;
    if (path.empty() || *descriptor.guest_path != (is_nested ? path.substr(0, slash) : "")) {
      continue;
    }
    DirectoryEntry entry;
    entry.name = is_nested ? path.substr(slash + 1) : path;
    entry.type = FileType::Directory;
    const auto stat =
        mount->file_system->Stat(mount->file_system->ResolvesPaths() ? "." : "", true);
    if (stat) entry.inode = stat->inode;
    const auto covered = std::ranges::find(entries, entry.name, &DirectoryEntry::name);
    if (covered == entries.end()) {
      entries.push_back(std::move(entry));
    } else {
      *covered = std::move(entry);
    }
  }
}

TENON_DECL Errno DescriptorTable::List(Descriptor& descriptor) {
  constexpr std::size_t kMostListed = std::size_t{1} << 20;
  descriptor.listing.clear();
  Expected<std::vector<DirectoryEntry>> entries = descriptor.file->ReadDirectory();
  if (!entries) return entries.error();
  AddMounts(descriptor, *entries);
  if (entries->size() > kMostListed) return Errno::Overflow;
  std::size_t listed = entries->size();
  for (const auto& other : open_) {
    if (other != nullptr) listed += other->listing.size();
  }
  if (listed > kMostListed) {
    for (const auto& other : open_) {
      if (other != nullptr) other->listing = {};
    }
  }
  const Expected<FileStat> stat = descriptor.file->Stat();
  const std::uint64_t inode = stat ? stat->inode : 0;
  descriptor.listing.reserve(entries->size() + 2);
  // What is above, the guest is not told.
  descriptor.listing.push_back({".", inode, FileType::Directory});
  descriptor.listing.push_back({"..", inode, FileType::Directory});
  std::move(entries->begin(), entries->end(), std::back_inserter(descriptor.listing));
  return Errno::Success;
}

TENON_DECL const Mount* DescriptorTable::FindMount(std::string_view from,
                                                   std::string_view path) const {
  const Mount* best = nullptr;
  std::size_t longest = from.size();
  for (const auto& mount : mounts_) {
    const std::string& start = mount->path;
    const bool has_path =
        path.starts_with(start) && (path.size() == start.size() || path[start.size()] == '/');
    if (!has_path || start.size() <= longest) continue;
    best = mount.get();
    longest = start.size();
  }
  return best;
}

TENON_DECL std::string JoinPaths(std::string_view directory, std::string_view path) {
  std::string joined{directory};
  if (!directory.empty() && !path.empty()) joined += '/';
  return joined += path;
}

/// Whether ".." is one of the components.
TENON_DECL bool GoesBack(std::string_view path) {
  for (std::size_t at = path.find(".."); at != std::string_view::npos;
       at = path.find("..", at + 1)) {
    const bool begins = at == 0 || path[at - 1] == '/';
    if (begins && (at + 2 == path.size() || path[at + 2] == '/')) return true;
  }
  return false;
}

TENON_DECL bool DescriptorTable::PassesMount(std::string_view from, std::string_view path) const {
  for (std::size_t at = path.find("/.."); at != std::string_view::npos;
       at = path.find("/..", at + 1)) {
    const Expected<std::string> before = CleanPath(path.substr(0, at));
    if (before && FindMount(from, JoinPaths(from, *before)) != nullptr) return true;
  }
  return false;
}

TENON_DECL Expected<PathTarget> DescriptorTable::Resolve(const Descriptor& descriptor,
                                                         std::string_view path) const {
  PathTarget target;
  target.file_system = descriptor.file_system;
  target.read_only = descriptor.read_only;
  std::string_view prefix = descriptor.prefix;
  std::string below_mount;
  if (descriptor.guest_path && mounts_.size() > 1) {
    const std::string& from = *descriptor.guest_path;
    const Expected<std::string> clean = CleanPath(path);
    if (clean) {
      std::string whole = JoinPaths(from, *clean);
      if (const Mount* const mount = FindMount(from, whole)) {
        target.file_system = mount->file_system;
        target.read_only = mount->read_only;
        below_mount =
            whole.size() == mount->path.size() ? "." : whole.substr(mount->path.size() + 1);
        if (path.ends_with('/')) below_mount += '/';
        path = below_mount;
        prefix = {};
        target.guest_path = std::move(whole);
      } else if (!GoesBack(path)) {
        // The way back from where a symbolic link leads may be another one.
        target.guest_path = std::move(whole);
      } else if (PassesMount(from, path)) {
        // What a mount covers need not be there.
        below_mount = clean->empty() ? "." : *clean;
        if (path.ends_with('/')) below_mount += '/';
        path = below_mount;
        target.guest_path = std::move(whole);
      }
    }
  }
  if (target.file_system->ResolvesPaths()) {
    target.path = path;
    return target;
  }
  const Expected<std::string> clean = CleanPath(path);
  if (!clean) return clean.error();
  target.path = JoinPaths(prefix, *clean);
  target.wants_directory = path.ends_with('/') || path == "." || path == ".." ||
                           path.ends_with("/.") || path.ends_with("/..");
  return target;
}

TENON_DECL DescriptorTable& DescriptorsOf(Module& caller) {
  System& system = caller.System();
  return system.Keep<DescriptorTable>(
      [&system] { return std::make_unique<DescriptorTable>(system); });
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
