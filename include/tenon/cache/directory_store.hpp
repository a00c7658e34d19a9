// SPDX-License-Identifier: Apache-2.0
/// @file
/// Entries as files of a directory that processes share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache/file.hpp>
#include <tenon/cache_options.hpp>
#include <tenon/cache_store.hpp>

namespace tenon::inline TENON_ABI::cache {

/// A key that no other process or thread compiles meanwhile, as far as they ask. Given up at the
/// end, and by the system if the process dies.
class KeyLock {
 public:
  KeyLock() = default;
  KeyLock(std::shared_ptr<const FileDescriptor> directory, std::string name,
          FileDescriptor file) noexcept
      : directory_{std::move(directory)}, name_{std::move(name)}, file_{std::move(file)} {}
  KeyLock(KeyLock&&) noexcept = default;
  KeyLock& operator=(KeyLock&&) = delete;
  TENON_DECL ~KeyLock();

  explicit operator bool() const noexcept { return static_cast<bool>(file_); }

 private:
  std::shared_ptr<const FileDescriptor> directory_;
  std::string name_;
  FileDescriptor file_;
};

/// A directory of entries, one for each version, ABI and machine below the one that users name. Any
/// thread, and any number of processes.
///
/// A file has its name only once it is complete, and is never written to again. Readers keep what
/// they have mapped when it is replaced or removed.
class DirectoryStore final : public CacheStore {
 public:
  struct Settings {
    std::string path;     ///< absolute, or from where the process is at first
    std::string version;  ///< name of the directory below
    std::uint64_t max_bytes = 0;
    std::uint32_t keep_other_versions_days = 0;
    bool is_read_only = false;
    bool may_be_shared = false;  ///< whether others may write to it, as entries are signed
    bool is_copied = false;      ///< whether files are copied in any case
  };

  /// Makes the directories that are missing. Throws ConfigError if others can write to them and
  /// must not; what else goes wrong shows when it is used.
  TENON_DECL explicit DirectoryStore(Settings settings);

  TENON_DECL std::optional<CacheBlob> Get(const CacheKey& key) override;
  TENON_DECL void Put(const CacheKey& key, std::span<const std::uint8_t> entry) override;
  TENON_DECL void Touch(const CacheKey& key) override;
  TENON_DECL void Remove(const CacheKey& key) override;

  /// Waits until no one else holds the key, but not longer than `timeout_ms`; then, or where the
  /// system has no locks, the result is empty, and `timed_out` says which.
  TENON_DECL KeyLock Lock(const CacheKey& key, std::uint32_t timeout_ms, bool& timed_out);

  /// Path of the file of a key.
  TENON_DECL std::string PathOf(const CacheKey& key) const;
  /// Most recently used first.
  TENON_DECL std::vector<CacheEntry> List() const;
  /// Key of an entry's file; nothing if it is no such name.
  TENON_DECL static std::optional<CacheKey> KeyOfPath(const std::string& path);
  /// Removes entries of all versions, and what dead processes left. Returns the number of entries.
  TENON_DECL std::size_t Purge();
  /// Removes the least recently used entries until the others have `max_bytes` together, and what
  /// dead processes left.
  TENON_DECL void Trim(std::uint64_t max_bytes);

  std::uint64_t Evictions() const noexcept { return evictions_.load(); }

 private:
  struct OpenDirectory {
    FileDescriptor file;
    std::uint32_t mode;
    bool is_ours;  ///< nobody else can write to one above it
  };
  using Directory = std::shared_ptr<const OpenDirectory>;

  void Open();
  Directory OpenVersion(const FileDescriptor& top, std::uint32_t mode, bool is_ours,
                        int& error) const;
  Directory Current() const;
  FileFacts RequireSafe(const FileDescriptor& directory, const std::string& path) const;
  void Refuse(const std::string& path, const std::string& danger) const;
  void MakeVersion(const FileDescriptor& top, std::uint32_t mode) const;
  void MakeRoom(std::uint64_t bytes);
  FileDescriptor MakeTemporary(const Directory& directory, const CacheKey& key, std::string& name);
  void WriteEntry(const Directory& directory, const CacheKey& key,
                  std::span<const std::uint8_t> entry);
  void TrimIfDue(std::uint64_t written);
  void RemoveOldVersions();

  Settings settings_;
  std::string directory_path_;
  mutable std::mutex mutex_;
  Directory directory_;  ///< null: see error_
  int error_ = 0;        ///< why it could not be opened
  std::atomic<bool> was_trimmed_{false};
  std::atomic<std::uint64_t> written_{0};  ///< bytes since the last look
  std::atomic<std::uint64_t> evictions_{0};
};

}  // namespace tenon::inline TENON_ABI::cache

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache/directory_store.ipp>
#endif
