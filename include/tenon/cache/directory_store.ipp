// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of directory_store.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/entry.hpp>
#include <tenon/error.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::cache {

namespace detail {

inline constexpr std::string_view kEntrySuffix = ".tenon";
inline constexpr std::string_view kUseSuffix = ".use";
inline constexpr std::string_view kLockSuffix = ".lock";
inline constexpr std::string_view kTemporarySuffix = ".tmp";
inline constexpr std::string_view kVersionPrefix = "tenon-";
inline constexpr std::size_t kStemDigits = 16;  ///< of a key, that temporary names begin with
inline constexpr const char* kTrimLock = "trim.lock";
/// Loads that are counted; each is a byte of a file.
inline constexpr std::uint64_t kMostCountedLoads = 1 << 20;

[[gnu::cold]] inline std::string HexOf(const CacheKey& key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : key) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

inline std::string NameOf(const CacheKey& key, std::string_view suffix) {
  return HexOf(key).append(suffix);
}

/// Of a hexadecimal digit as HexOf writes it; -1 if it is none.
constexpr int ValueOfDigit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

inline bool AreDigits(std::string_view text, std::string_view others = {}) {
  return std::ranges::all_of(text, [&](char digit) {
    return ValueOfDigit(digit) >= 0 || others.find(digit) != std::string_view::npos;
  });
}

/// Whether NameOf could have made it.
inline bool IsNameWith(std::string_view suffix, std::string_view name) {
  constexpr std::size_t kDigits = 2 * std::tuple_size_v<CacheKey>;
  return name.size() == kDigits + suffix.size() && name.ends_with(suffix) &&
         AreDigits(name.substr(0, kDigits));
}

/// Whether a name is one that DirectoryStore::MakeTemporary gives.
inline bool IsTemporaryName(std::string_view name) {
  return name.size() > kStemDigits && name[kStemDigits] == '.' &&
         name.ends_with(kTemporarySuffix) &&
         AreDigits(name.substr(0, name.size() - kTemporarySuffix.size()), ".");
}

/// Whether a name is one that VersionDirectoryName gives, or gave.
inline bool IsVersionName(std::string_view name) {
  if (!name.starts_with(kVersionPrefix)) return false;
  name.remove_prefix(kVersionPrefix.size());
  const std::size_t version = name.find('-');
  return version != std::string_view::npos && AreDigits(name.substr(0, version), ".") &&
         AreDigits(name.substr(version + 1, name.find('-', version + 1) - version - 1));
}

[[gnu::cold]] inline std::optional<CacheKey> KeyOfName(std::string_view name) {
  CacheKey key{};
  if (!IsNameWith(kEntrySuffix, name)) return std::nullopt;
  for (std::size_t i = 0; i < 2 * key.size(); ++i) {
    key[i / 2] = static_cast<std::uint8_t>(key[i / 2] << 4 | ValueOfDigit(name[i]));
  }
  return key;
}

inline FileDescriptor OpenAt(const FileDescriptor& directory, const std::string& name, int flags,
                             std::uint32_t mode = 0) {
  return FileDescriptor{
      openat(directory.Number(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)};
}

/// A name of this process's own in front of `suffix`.
[[gnu::cold]] inline std::string OwnName(std::string stem, std::string_view suffix) {
  static std::atomic<std::uint64_t> counter{0};
  stem.append(".").append(std::to_string(getpid()));
  return stem.append(".").append(std::to_string(counter.fetch_add(1))).append(suffix);
}

/// Of a file whose own name begins with digits of a key, or not.
inline std::string TemporaryName(std::string_view name) {
  const std::string_view digits = name.substr(0, kStemDigits);
  const bool has_key = digits.size() == kStemDigits && AreDigits(digits);
  return OwnName(has_key ? std::string{digits} : std::string(kStemDigits, '0'), kTemporarySuffix);
}

/// Renames unless something has the name. EINVAL or ENOSYS: the system cannot.
inline bool RenameNew(const FileDescriptor& directory, const std::string& from,
                      const std::string& to) {
  constexpr unsigned kNoReplace = 1;
  return syscall(SYS_renameat2, directory.Number(), from.c_str(), directory.Number(), to.c_str(),
                 kNoReplace) == 0;
}

inline bool CannotRenameNew(int error) noexcept { return error == EINVAL || error == ENOSYS; }

/// Makes a file that all who may write to the directory may write to, whatever this process's
/// umask: from the moment on that it has its name, as this process may be killed at any other.
[[gnu::cold]] inline FileDescriptor MakeCommon(const FileDescriptor& directory,
                                               std::uint32_t directory_mode,
                                               const std::string& name, int flags) {
  const std::uint32_t mode = 0600 | (directory_mode & 0066);
  const auto make = [&](const std::string& as) {
    FileDescriptor file = OpenAt(directory, as, flags | O_CREAT | O_EXCL, 0600);
    if (file) static_cast<void>(fchmod(file.Number(), mode));
    return file;
  };
  if (mode == 0600) return make(name);
  const std::string temporary = TemporaryName(name);
  FileDescriptor file = make(temporary);
  if (!file || RenameNew(directory, temporary, name)) return file;
  const int error = errno;
  unlinkat(directory.Number(), temporary.c_str(), 0);
  if (CannotRenameNew(error)) return make(name);
  // Who takes this process for dead has removed it: as if others had been quicker.
  errno = error == ENOENT ? EEXIST : error;
  return {};
}

/// Opens a file that all who may write to the directory use, and makes it if it is missing.
/// Whatever lies there under its name must not block.
[[gnu::cold]] inline FileDescriptor OpenCommon(const FileDescriptor& directory,
                                               std::uint32_t directory_mode,
                                               const std::string& name, int flags) {
  for (;;) {
    FileDescriptor file = OpenAt(directory, name, flags | O_NONBLOCK);
    if (file || errno != ENOENT) return file;
    file = MakeCommon(directory, directory_mode, name, flags | O_NONBLOCK);
    if (file || errno != EEXIST) return file;
  }
}

/// Opens a file to be locked. Some file systems lock only what is open for writing.
[[gnu::cold]] inline FileDescriptor OpenToLock(const FileDescriptor& directory,
                                               const std::string& name) {
  FileDescriptor file = OpenAt(directory, name, O_RDWR | O_NONBLOCK);
  if (file || (errno != EACCES && errno != EROFS)) return file;
  return OpenAt(directory, name, O_RDONLY | O_NONBLOCK);
}

/// The same, and makes it if it is missing.
inline FileDescriptor OpenLock(const FileDescriptor& directory, std::uint32_t directory_mode,
                               const std::string& name) {
  FileDescriptor file = OpenCommon(directory, directory_mode, name, O_RDWR);
  const bool may_be_there = !file && (errno == EACCES || errno == EROFS);
  return may_be_there ? OpenToLock(directory, name) : std::move(file);
}

/// Whether a write failed because no more may be kept.
inline bool IsFull(int error) noexcept { return error == ENOSPC || error == EDQUOT; }

inline bool TryLock(const FileDescriptor& file) {
  return flock(file.Number(), LOCK_EX | LOCK_NB) == 0;
}

/// Waits for those who hold it, but no longer than that; errno says why not.
[[gnu::cold]] inline bool LockWithin(const FileDescriptor& file,
                                     std::chrono::milliseconds longest) {
  constexpr std::chrono::milliseconds kLongestNap{16};
  const auto deadline = std::chrono::steady_clock::now() + longest;
  std::chrono::milliseconds nap{1};
  while (!TryLock(file)) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, kLongestNap);
  }
  return true;
}

/// Removes a file whose maker locked it and is gone.
[[gnu::cold]] inline void RemoveIfAbandoned(const FileDescriptor& directory,
                                            const std::string& name) {
  const FileDescriptor file = OpenToLock(directory, name);
  FileFacts facts;
  // A lock that lost its name meanwhile may have a successor of that name.
  if (file && TryLock(file) && GetFacts(file, facts) && facts.links != 0) {
    unlinkat(directory.Number(), name.c_str(), 0);
  }
}

/// A file of a directory with what eviction asks.
struct FileUse {
  CacheKey key{};
  std::uint64_t bytes = 0;
  std::uint64_t loads = 0;
  std::int64_t created_ns = 0;
  std::int64_t used_ns = 0;
};

inline bool LookAt(const FileDescriptor& directory, const std::string& name, struct stat& status) {
  return fstatat(directory.Number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

inline std::int64_t ModifiedNs(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// Entries, most recently used first.
[[gnu::cold]] inline std::vector<FileUse> ListUses(const FileDescriptor& directory) {
  std::vector<FileUse> uses;
  for (const std::string& name : ListNames(directory)) {
    const std::optional<CacheKey> key = KeyOfName(name);
    struct stat status;
    if (!key.has_value() || !LookAt(directory, name, status)) continue;
    FileUse use{*key, static_cast<std::uint64_t>(status.st_size), 0, ModifiedNs(status),
                ModifiedNs(status)};
    if (LookAt(directory, NameOf(*key, kUseSuffix), status)) {
      use.loads = static_cast<std::uint64_t>(status.st_size);
      use.used_ns = std::max(use.used_ns, ModifiedNs(status));
    }
    uses.push_back(use);
  }
  std::ranges::sort(uses, std::ranges::greater{}, &FileUse::used_ns);
  return uses;
}

[[gnu::cold]] inline bool RemoveEntry(const FileDescriptor& directory, const CacheKey& key) {
  const bool removed = unlinkat(directory.Number(), NameOf(key, kEntrySuffix).c_str(), 0) == 0;
  unlinkat(directory.Number(), NameOf(key, kUseSuffix).c_str(), 0);
  return removed;
}

/// What processes that died left, and counts of entries that are gone.
[[gnu::cold]] inline void RemoveLeftovers(const FileDescriptor& directory) {
  for (const std::string& name : ListNames(directory)) {
    if (IsTemporaryName(name) || IsNameWith(kLockSuffix, name)) {
      RemoveIfAbandoned(directory, name);
    } else if (IsNameWith(kUseSuffix, name)) {
      struct stat status;
      std::string entry = name;
      entry.replace(entry.size() - kUseSuffix.size(), kUseSuffix.size(), kEntrySuffix);
      if (!LookAt(directory, entry, status)) unlinkat(directory.Number(), name.c_str(), 0);
    }
  }
}

/// Removes all entries of a version's directory; returns their number.
[[gnu::cold]] inline std::size_t RemoveEntries(const FileDescriptor& directory) {
  std::size_t removed = 0;
  for (const FileUse& use : ListUses(directory)) removed += RemoveEntry(directory, use.key) ? 1 : 0;
  RemoveLeftovers(directory);
  return removed;
}

[[gnu::cold]] inline std::vector<std::string> ListVersions(const FileDescriptor& directory) {
  std::vector<std::string> names = ListNames(directory);
  std::erase_if(names, [](const std::string& name) { return !IsVersionName(name); });
  return names;
}

/// Removes the directory of another version if nothing is left in it but what the cache made.
[[gnu::cold]] inline void RemoveVersion(const FileDescriptor& top, const FileDescriptor& directory,
                                        const std::string& version) {
  unlinkat(directory.Number(), kTrimLock, 0);
  unlinkat(top.Number(), version.c_str(), AT_REMOVEDIR);
}

/// Makes a directory and those above it, for this user alone. What fails shows when it is opened.
[[gnu::cold]] inline void MakeDirectories(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    mkdir(path.substr(0, end).c_str(), 0700);
  }
  mkdir(path.c_str(), 0700);
}

}  // namespace detail

TENON_DECL KeyLock::~KeyLock() {
  if (!file_) return;
  // While it is held: who has it open meanwhile sees that it lost its name, and begins again.
  unlinkat(directory_->Number(), name_.c_str(), 0);
  // Children that were forked meanwhile have the file too; closing it would not be enough.
  flock(file_.Number(), LOCK_UN);
}

TENON_DECL DirectoryStore::DirectoryStore(Settings settings) : settings_{std::move(settings)} {
  settings_.path = AbsolutePath(settings_.path);
  directory_path_ = settings_.path + "/" + settings_.version;
  Open();
}

[[gnu::cold]] inline FileFacts DirectoryStore::RequireSafe(const FileDescriptor& directory,
                                                           const std::string& path) const {
  FileFacts facts;
  if (!GetFacts(directory, facts)) ThrowFileError(path, errno);
  Refuse(path, facts.danger);
  return facts;
}

[[gnu::cold]] inline void DirectoryStore::Refuse(const std::string& path,
                                                 const std::string& danger) const {
  if (danger.empty() || settings_.may_be_shared) return;
  throw ConfigError{ErrorCode::CacheDirectory,
                    FormatError(ErrorCode::CacheDirectory, {path, danger})};
}

/// Who may use the one directory may use the other, whatever this process's umask and wherever it
/// is killed. What is left then looks like another version's. What fails shows when it is opened.
[[gnu::cold]] inline void DirectoryStore::MakeVersion(const FileDescriptor& top,
                                                      std::uint32_t mode) const {
  constexpr std::uint32_t kPrivate = 0700;
  const auto make = [&](const std::string& name) {
    if (mkdirat(top.Number(), name.c_str(), kPrivate) != 0) return false;
    const FileDescriptor made = detail::OpenAt(top, name, O_RDONLY | O_DIRECTORY);
    return made && fchmod(made.Number(), mode) == 0;
  };
  if (mode == kPrivate) {
    make(settings_.version);
    return;
  }
  const std::string temporary = detail::OwnName(settings_.version, "");
  if (make(temporary) && detail::RenameNew(top, temporary, settings_.version)) return;
  const bool cannot = detail::CannotRenameNew(errno);
  unlinkat(top.Number(), temporary.c_str(), AT_REMOVEDIR);
  if (cannot) make(settings_.version);
}

[[gnu::cold]] inline DirectoryStore::Directory DirectoryStore::OpenVersion(
    const FileDescriptor& top, std::uint32_t mode, bool is_ours, int& error) const {
  FileDescriptor file = detail::OpenAt(top, settings_.version, O_RDONLY | O_DIRECTORY);
  if (!file && errno == ENOENT && !settings_.is_read_only) {
    MakeVersion(top, mode);
    file = detail::OpenAt(top, settings_.version, O_RDONLY | O_DIRECTORY);
  }
  error = errno;
  if (!file) return nullptr;
  const FileFacts facts = RequireSafe(file, directory_path_);
  return std::make_shared<const OpenDirectory>(OpenDirectory{std::move(file), facts.mode, is_ours});
}

[[gnu::cold]] inline void DirectoryStore::Open() {
  if (!settings_.is_read_only) detail::MakeDirectories(settings_.path);
  // The user's own path may lead over links: what it leads to is looked at.
  const FileDescriptor top{open(settings_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int error = errno;
  Directory opened;
  if (top) {
    const FileFacts facts = RequireSafe(top, settings_.path);
    std::string danger_above;
    const bool is_known = LookAbove(top, danger_above);
    error = errno;
    Refuse(settings_.path, danger_above);
    const bool is_ours = is_known && facts.danger.empty() && danger_above.empty();
    if (is_ours || settings_.may_be_shared) opened = OpenVersion(top, facts.mode, is_ours, error);
  }
  const std::lock_guard lock{mutex_};
  directory_ = std::move(opened);
  error_ = error;
}

[[gnu::cold]] inline DirectoryStore::Directory DirectoryStore::Current() const {
  const std::lock_guard lock{mutex_};
  if (directory_ == nullptr) ThrowFileError(directory_path_, error_);
  return directory_;
}

TENON_DECL std::string DirectoryStore::PathOf(const CacheKey& key) const {
  return directory_path_ + "/" + detail::NameOf(key, detail::kEntrySuffix);
}

TENON_DECL std::optional<CacheKey> DirectoryStore::KeyOfPath(const std::string& path) {
  return detail::KeyOfName(std::string_view{path}.substr(path.rfind('/') + 1));
}

[[gnu::cold]] TENON_DECL std::optional<CacheBlob> DirectoryStore::Get(const CacheKey& key) {
  const Directory directory = Current();
  // Whatever lies there under this name must not block.
  const FileDescriptor file = detail::OpenAt(
      directory->file, detail::NameOf(key, detail::kEntrySuffix), O_RDONLY | O_NONBLOCK);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    ThrowFileError(PathOf(key), errno);
  }
  FileFacts facts;
  if (!GetFacts(file, facts)) ThrowFileError(PathOf(key), errno);
  if (!facts.is_regular) ThrowFileError(PathOf(key), EINVAL);
  if (facts.size > (settings_.max_bytes != 0 ? settings_.max_bytes : kLargestEntry)) {
    ThrowFileError(PathOf(key), EFBIG);
  }
  // Its mode may have changed since it was opened.
  FileFacts around;
  if (!GetFacts(directory->file, around)) ThrowFileError(directory_path_, errno);
  const std::string& danger = facts.danger.empty() ? around.danger : facts.danger;
  if (!danger.empty() && !settings_.may_be_shared) {
    throw std::runtime_error{"it is not safe to take code from: " + danger};
  }
  const bool is_ours =
      directory->is_ours && danger.empty() && !settings_.is_copied && !IsOfNetwork(file);
  FileMapping pages;
  if (is_ours) pages = MapFile(file, facts.size);
  const bool is_mapped = pages.owner != nullptr;
  if (!is_mapped) pages = ReadFilePages(file, facts.size, PathOf(key));
  return CacheBlob{pages.bytes, std::move(pages.owner),
                   is_mapped ? CacheBlob::Kind::FilePages : CacheBlob::Kind::OwnPages};
}

[[gnu::cold]] inline FileDescriptor DirectoryStore::MakeTemporary(const Directory& directory,
                                                                  const CacheKey& key,
                                                                  std::string& name) {
  // Those may read it who may read the directory.
  const std::uint32_t mode = 0600 | (directory->mode & 0044);
  for (;;) {
    name = detail::TemporaryName(detail::HexOf(key));
    FileDescriptor file = detail::OpenAt(directory->file, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file) {
      if (errno == EEXIST) continue;  // a process of another namespace with our number
      ThrowFileError(directory_path_ + "/" + name, errno);
    }
    // The lock tells others that its maker lives. Who was quicker removed it. Where there are no
    // locks nobody removes it.
    const bool is_taken = !detail::TryLock(file) && errno == EWOULDBLOCK;
    FileFacts facts;
    if (is_taken || !GetFacts(file, facts) || facts.links == 0) continue;
    // Whatever this process's umask.
    static_cast<void>(fchmod(file.Number(), mode));
    return file;
  }
}

[[gnu::cold]] inline void DirectoryStore::WriteEntry(const Directory& directory,
                                                     const CacheKey& key,
                                                     std::span<const std::uint8_t> entry) {
  std::string name;
  const FileDescriptor file = MakeTemporary(directory, key, name);
  const auto fail = [&](int error) {
    unlinkat(directory->file.Number(), name.c_str(), 0);
    ThrowFileError(directory_path_ + "/" + name, error);
  };
  while (!entry.empty()) {
    const ssize_t written = write(file.Number(), entry.data(), entry.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : ENOSPC);
    entry = entry.subspan(static_cast<std::size_t>(written));
  }
  // What has the name must have the bytes, even if the machine stops between the two.
  if (fsync(file.Number()) != 0) fail(errno);
  const std::string entry_name = detail::NameOf(key, detail::kEntrySuffix);
  if (renameat(directory->file.Number(), name.c_str(), directory->file.Number(),
               entry_name.c_str()) != 0) {
    fail(errno);
  }
  static_cast<void>(fsync(directory->file.Number()));
}

[[gnu::cold]] TENON_DECL void DirectoryStore::Put(const CacheKey& key,
                                                  std::span<const std::uint8_t> entry) {
  if (settings_.is_read_only) ThrowFileError(directory_path_, EROFS);
  if (settings_.max_bytes != 0 && entry.size() > settings_.max_bytes) {
    ThrowFileError(PathOf(key), EFBIG);
  }
  try {
    WriteEntry(Current(), key, entry);
  } catch (const std::system_error& error) {
    const int reason = error.code().value();
    if (reason == ENOENT) {
      Open();  // somebody removed the directory, or it could not be made before
    } else if (detail::IsFull(reason)) {
      MakeRoom(entry.size());
    } else {
      throw;
    }
    WriteEntry(Current(), key, entry);
  }
  TrimIfDue(entry.size());
}

[[gnu::cold]] TENON_DECL void DirectoryStore::Touch(const CacheKey& key) {
  if (settings_.is_read_only) return;
  const Directory directory = Current();
  // A byte for each load: its size counts them, its time is the last, and appending needs no lock.
  const FileDescriptor file =
      detail::OpenCommon(directory->file, directory->mode, detail::NameOf(key, detail::kUseSuffix),
                         O_WRONLY | O_APPEND);
  FileFacts facts;
  if (!file || !GetFacts(file, facts)) return;
  // Others may have put something of ours there that is no count.
  if (!facts.is_regular || facts.links != 1) return;
  if (facts.size < detail::kMostCountedLoads) {
    static_cast<void>(write(file.Number(), "+", 1) == 1);
  } else {
    futimens(file.Number(), nullptr);
  }
}

TENON_DECL void DirectoryStore::Remove(const CacheKey& key) {
  if (!settings_.is_read_only) detail::RemoveEntry(Current()->file, key);
}

[[gnu::cold]] TENON_DECL KeyLock DirectoryStore::Lock(const CacheKey& key, std::uint32_t timeout_ms,
                                                      bool& timed_out) {
  using Clock = std::chrono::steady_clock;
  timed_out = false;
  if (settings_.is_read_only) return {};
  const Directory directory = Current();
  const std::string name = detail::NameOf(key, detail::kLockSuffix);
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds{timeout_ms};
  for (;;) {
    FileDescriptor file = detail::OpenLock(directory->file, directory->mode, name);
    if (!file) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (!detail::LockWithin(file, left)) {
      timed_out = errno == EWOULDBLOCK;
      return {};
    }
    // Its holder removed it, so that others may have made and locked another one of this name.
    FileFacts facts;
    if (!GetFacts(file, facts)) return {};
    if (facts.links != 0) return KeyLock{{directory, &directory->file}, name, std::move(file)};
  }
}

[[gnu::cold]] TENON_DECL std::vector<CacheEntry> DirectoryStore::List() const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::vector<CacheEntry> entries;
  for (const detail::FileUse& use : detail::ListUses(Current()->file)) {
    entries.push_back(
        {PathOf(use.key), use.bytes, use.created_ns / kSecond, use.used_ns / kSecond, use.loads});
  }
  return entries;
}

[[gnu::cold]] TENON_DECL std::size_t DirectoryStore::Purge() {
  if (settings_.is_read_only) ThrowFileError(directory_path_, EROFS);
  const FileDescriptor top{open(settings_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!top) ThrowFileError(settings_.path, errno);
  std::size_t removed = 0;
  for (const std::string& version : detail::ListVersions(top)) {
    const FileDescriptor directory = detail::OpenAt(top, version, O_RDONLY | O_DIRECTORY);
    if (!directory) continue;
    removed += detail::RemoveEntries(directory);
    if (version != settings_.version) detail::RemoveVersion(top, directory, version);
  }
  return removed;
}

[[gnu::cold]] TENON_DECL void DirectoryStore::Trim(std::uint64_t max_bytes) {
  const Directory directory = Current();
  // One at a time, so that no more is removed than has to be. Who holds it may have looked before
  // the last entries came.
  constexpr std::chrono::milliseconds kLongestWait{200};
  const FileDescriptor lock = detail::OpenLock(directory->file, directory->mode, detail::kTrimLock);
  // Where there is no room for a lock, or there are none, it is all the more urgent.
  if (!lock && !detail::IsFull(errno)) return;
  if (lock && !detail::LockWithin(lock, kLongestWait) && errno == EWOULDBLOCK) return;
  detail::RemoveLeftovers(directory->file);
  std::uint64_t total = 0;
  for (const detail::FileUse& use : detail::ListUses(directory->file)) {
    total += use.bytes;
    if (total > max_bytes && detail::RemoveEntry(directory->file, use.key)) {
      evictions_.fetch_add(1);
    }
  }
  if (lock) flock(lock.Number(), LOCK_UN);
}

/// For an entry of so many bytes, where the disk has none left: entries that were used less
/// recently go, so that a disk that others filled does not end the cache for good.
[[gnu::cold]] inline void DirectoryStore::MakeRoom(std::uint64_t bytes) {
  constexpr std::uint64_t kForItsName = 16 << 10;  // and for parts of blocks
  std::uint64_t total = 0;
  for (const detail::FileUse& use : detail::ListUses(Current()->file)) total += use.bytes;
  const std::uint64_t needed = bytes + kForItsName;
  Trim(total > needed ? total - needed : 0);
}

[[gnu::cold]] inline void DirectoryStore::TrimIfDue(std::uint64_t written) {
  const bool is_first = !was_trimmed_.exchange(true);
  const std::uint64_t limit = settings_.max_bytes == 0 ? UINT64_MAX : settings_.max_bytes;
  const std::uint64_t total = written_.fetch_add(written) + written;
  if (!is_first && total <= limit / 16) return;
  written_.store(0);
  Trim(limit);
  if (is_first && settings_.keep_other_versions_days != 0) RemoveOldVersions();
}

[[gnu::cold]] inline void DirectoryStore::RemoveOldVersions() {
  const FileDescriptor top{open(settings_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!top) return;
  const std::int64_t oldest = (std::int64_t{std::time(nullptr)} -
                               std::int64_t{settings_.keep_other_versions_days} * 24 * 60 * 60) *
                              1'000'000'000;
  for (const std::string& version : detail::ListVersions(top)) {
    if (version == settings_.version) continue;
    const FileDescriptor directory = detail::OpenAt(top, version, O_RDONLY | O_DIRECTORY);
    FileFacts facts;
    if (!directory || !GetFacts(directory, facts) || facts.modified_ns >= oldest) continue;
    const auto uses = detail::ListUses(directory);
    if (!uses.empty() && uses.front().used_ns >= oldest) continue;
    detail::RemoveEntries(directory);
    detail::RemoveVersion(top, directory, version);
  }
}

}  // namespace tenon::inline TENON_ABI::cache
