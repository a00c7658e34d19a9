// SPDX-License-Identifier: Apache-2.0
/// @file
/// How a cache keeps code between processes, and what it tells of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache_store.hpp>

namespace tenon::inline TENON_ABI {

/// What may happen to a cache that keeps code. None of it is an error of the compilation.
enum class CacheProblemKind : std::uint8_t {
  Damaged,       ///< an entry was no entry, truncated or changed; it is replaced
  Mismatched,    ///< an entry was of another version, processor, module or setting; it is replaced
  NotAuthentic,  ///< an entry was not signed with CacheOptions::mac_key; it is replaced
  Missing,       ///< there was no entry, where CacheMode forbids to write one
  NotRead,       ///< the system or the store refused to read
  NotWritten,    ///< the system or the store refused to write, for want of space or rights
  LockTimeout,   ///< another process held a key for too long; this one compiled too
};

/// What happened, for logs.
struct CacheProblem {
  CacheProblemKind kind = CacheProblemKind::Damaged;
  std::string text;  ///< what, where and why
};

/// What a cache may do in its directory.
enum class CacheMode : std::uint8_t {
  ReadWrite,
  ReadOnly,  ///< changes nothing there; what is missing is compiled, and reported
  /// ReadOnly, and a guest that is missing is a ConfigError that says why: of its compilation, or
  /// of its instantiation if that needs code for memories without guard pages.
  MustHit,
};

/// Settings of a CompilationCache that keeps code. A plain value.
struct CacheOptions {
  CacheMode mode = CacheMode::ReadWrite;
  /// Size that entries of the directory may have together; the least recently used go. Approximate:
  /// each process looks again after it has written a sixteenth of it. An entry that is larger, also
  /// one of a remote store, is not taken. 0: no limit, but for one entry, which may have 4 GiB.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
  /// Entries are signed with this (HMAC-SHA-256), and others refused. With it the directory may be
  /// one that others write to. At best 32 random bytes. Empty: entries are not signed.
  std::vector<std::uint8_t> mac_key;
  /// Skips the checksum over entries, for directories on storage that is trusted not to damage
  /// files. Has no effect with a mac_key.
  bool skip_checksum = false;
  /// Entries are read to memory of this process, in place of being mapped. Costs a copy, and memory
  /// that processes would share. For disks that fail: what cannot be read is then reported and
  /// compiled, where a mapped page that cannot be read ends the process with SIGBUS.
  bool copy_files = false;
  /// How long to wait for another process or thread that compiles the same module. Once a cache has
  /// waited so long in vain, it waits 100 ms at most for ten times as long, so that who never gives
  /// up a key costs this time once.
  std::uint32_t lock_timeout_ms = 30'000;
  /// Directories of other versions, machines or ABIs go once nothing in them was used for so long.
  /// 0: they stay.
  std::uint32_t keep_other_versions_days = 30;
  /// A second level behind the directory, for a fleet, or the only one (CompilationCache::Remote).
  /// Needs a mac_key.
  std::shared_ptr<CacheStore> remote;
  /// Told of problems by the thread that met them, before its compilation returns, when nobody
  /// waits for that any more: it may ask the cache and compile. What it throws is dropped. Null:
  /// nobody is told.
  std::function<void(const CacheProblem&)> on_problem;
};

/// An entry of a cache directory.
struct CacheEntry {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t created = 0;    ///< seconds since 1970
  std::int64_t last_used = 0;  ///< seconds since 1970
  std::uint64_t loads = 0;     ///< how often processes took it from the directory
};

}  // namespace tenon::inline TENON_ABI
