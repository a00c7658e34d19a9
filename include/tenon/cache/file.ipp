// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of file.hpp.
#pragma once

#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <tenon/cache/file.hpp>

namespace tenon::inline TENON_ABI::cache {

namespace detail {

/// Takes a mapping back.
struct Unmapper {
  std::size_t size;
  void operator()(void* place) const noexcept { munmap(place, size); }
};

[[gnu::cold]] inline FileMapping OwnMapping(void* place, std::size_t size) {
  // A shared_ptr that cannot be made calls the deleter.
  std::shared_ptr<const void> owner{place, Unmapper{size}};
  return {{static_cast<const std::uint8_t*>(place), size}, std::move(owner)};
}

[[gnu::cold]] inline std::string OctalText(std::uint32_t mode) {
  std::string text = "0";
  for (int shift = 6; shift >= 0; shift -= 3) {
    text += static_cast<char>('0' + (mode >> shift & 7));
  }
  return text;
}

/// In a directory that is sticky everybody may make files, but only remove and rename their own.
[[gnu::cold]] inline std::string DangerOf(const struct stat& facts, bool may_be_sticky = false) {
  if (facts.st_uid != geteuid() && facts.st_uid != 0) {
    return "it belongs to user " + std::to_string(facts.st_uid);
  }
  const bool is_sticky = may_be_sticky && (facts.st_mode & S_ISVTX) != 0;
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_sticky) {
    return "others may write to it (mode " + OctalText(facts.st_mode & 0777) + ")";
  }
  return {};
}

/// Of an open file, as far as the system tells.
[[gnu::cold]] inline std::string PathOf(const FileDescriptor& file) {
  const std::string link = "/proc/self/fd/" + std::to_string(file.Number());
  char path[PATH_MAX];
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  return size <= 0 ? std::string{"?"} : std::string{path, static_cast<std::size_t>(size)};
}

}  // namespace detail

TENON_DECL FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) close(number_);
}

[[gnu::cold]] TENON_DECL std::string AbsolutePath(const std::string& path) {
  char here[PATH_MAX];
  if (path.starts_with('/') || getcwd(here, sizeof(here)) == nullptr) return path;
  std::string absolute{here};
  return absolute.append("/").append(path);
}

TENON_DECL void ThrowFileError(const std::string& path, int error) {
  throw std::system_error{error, std::generic_category(), path};
}

[[gnu::cold]] TENON_DECL bool GetFacts(const FileDescriptor& file, FileFacts& facts) {
  struct stat status;
  if (fstat(file.Number(), &status) != 0) return false;
  facts.is_directory = S_ISDIR(status.st_mode);
  facts.is_regular = S_ISREG(status.st_mode);
  facts.links = status.st_nlink;
  facts.mode = status.st_mode & 07777;
  facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  facts.danger = detail::DangerOf(status);
  return true;
}

[[gnu::cold]] TENON_DECL bool LookAbove(const FileDescriptor& directory, std::string& danger) {
  struct stat below;
  if (fstat(directory.Number(), &below) != 0) return false;
  // From within, so that links and renames on the way do not matter.
  FileDescriptor place{openat(directory.Number(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  while (place) {
    FileDescriptor above{openat(place.Number(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct stat status;
    if (!above || fstat(above.Number(), &status) != 0) return false;
    if (status.st_dev == below.st_dev && status.st_ino == below.st_ino) return true;  // the root
    danger = detail::DangerOf(status, true);
    if (!danger.empty()) {
      std::string text{"of \""};
      danger = text.append(detail::PathOf(above)).append("\" above it: ").append(danger);
      return true;
    }
    below = status;
    place = std::move(above);
  }
  return false;
}

[[gnu::cold]] TENON_DECL bool IsKindOfNetwork(std::uint32_t kind) noexcept {
  switch (kind) {
    case 0x6969:      // NFS
    case 0x517B:      // SMB
    case 0xFE534D42:  // SMB 2
    case 0xFF534D42:  // CIFS
    case 0x65735546:  // FUSE, which may be anything
    case 0x01021997:  // 9P
    case 0x00C36400:  // Ceph
    case 0x5346414F:  // OpenAFS
    case 0x6B414653:  // AFS
    case 0x73757245:  // Coda
    case 0x564C:      // NCP
    case 0x0BD00BD0:  // Lustre
    case 0x47504653:  // GPFS
    case 0x7461636F:  // OCFS2
    case 0x01161970:  // GFS2
      return true;
    default:
      return false;
  }
}

[[gnu::cold]] TENON_DECL bool IsOfNetwork(const FileDescriptor& file) noexcept {
  struct statfs system;
  return fstatfs(file.Number(), &system) != 0 ||
         IsKindOfNetwork(static_cast<std::uint32_t>(system.f_type));
}

[[gnu::cold]] TENON_DECL std::vector<std::string> ListNames(const FileDescriptor& directory) {
  std::vector<std::string> names;
  // A description of its own, since the place in the directory belongs to it.
  FileDescriptor file{openat(directory.Number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream{fdopendir(file.Number()), closedir};
  if (stream == nullptr) return names;
  file.Release();
  while (const dirent* const entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

[[gnu::cold]] TENON_DECL FileMapping MapFile(const FileDescriptor& file, std::uint64_t size) {
  if (size == 0) return {};
  void* const place = mmap(nullptr, static_cast<std::size_t>(size), PROT_READ,
                           MAP_PRIVATE | MAP_POPULATE, file.Number(), 0);
  if (place == MAP_FAILED) return {};
  return detail::OwnMapping(place, static_cast<std::size_t>(size));
}

namespace detail {

[[gnu::cold]] inline FileMapping MapPages(std::size_t size) {
  void* const place =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc{};
  return OwnMapping(place, size);
}

inline std::uint8_t* Writable(const FileMapping& mapping) {
  return const_cast<std::uint8_t*>(mapping.bytes.data());
}

inline void MakeReadOnly(const FileMapping& mapping) {
  if (mprotect(Writable(mapping), mapping.bytes.size(), PROT_READ) != 0) throw std::bad_alloc{};
}

}  // namespace detail

[[gnu::cold]] TENON_DECL FileMapping ReadFilePages(const FileDescriptor& file, std::uint64_t size,
                                                   const std::string& path) {
  if (size == 0) return {};
  FileMapping mapping = detail::MapPages(static_cast<std::size_t>(size));
  std::size_t done = 0;
  while (done < mapping.bytes.size()) {
    const ssize_t count =
        read(file.Number(), detail::Writable(mapping) + done, mapping.bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowFileError(path, errno);
    if (count == 0) break;  // truncated meanwhile; what is missing is zero
    done += static_cast<std::size_t>(count);
  }
  detail::MakeReadOnly(mapping);
  return mapping;
}

[[gnu::cold]] TENON_DECL FileMapping MapCopy(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return {};
  FileMapping mapping = detail::MapPages(bytes.size());
  std::memcpy(detail::Writable(mapping), bytes.data(), bytes.size());
  detail::MakeReadOnly(mapping);
  return mapping;
}

}  // namespace tenon::inline TENON_ABI::cache
