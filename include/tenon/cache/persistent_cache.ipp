// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of persistent_cache.hpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include <tenon/abi/digest.hpp>
#include <tenon/cache/file.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/error.hpp>
#include <tenon/wasm/error_format.hpp>

#if TENON_HAS_JIT
#include <tenon/jit/cpu_detection.hpp>
#endif

namespace tenon::inline TENON_ABI::cache {

namespace detail {

[[gnu::cold]] inline std::string HexText(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
  return text.substr(text.find_first_not_of('0') == std::string::npos
                         ? text.size() - 1
                         : text.find_first_not_of('0'));
}

[[gnu::cold]] constexpr CacheProblemKind KindOf(EntryFault fault) noexcept {
  switch (fault) {
    case EntryFault::NotAuthentic:
      return CacheProblemKind::NotAuthentic;
    case EntryFault::OtherFormat:
    case EntryFault::OtherVersion:
    case EntryFault::OtherProcessor:
    case EntryFault::OtherKey:
      return CacheProblemKind::Mismatched;
    default:
      return CacheProblemKind::Damaged;
  }
}

[[gnu::cold]] inline void RequireKey(const CacheOptions& options) {
  if (options.remote == nullptr || !options.mac_key.empty()) return;
  throw ConfigError{ErrorCode::CacheKeyNeeded,
                    FormatError(ErrorCode::CacheKeyNeeded, {"the remote store"})};
}

[[gnu::cold]] inline DirectoryStore::Settings DirectorySettings(const std::string& path,
                                                                const CacheOptions& options) {
  RequireKey(options);
  DirectoryStore::Settings settings;
  settings.path = path.empty() ? "." : path;
  settings.version = VersionDirectoryName();
  settings.max_bytes = options.max_bytes;
  settings.keep_other_versions_days = options.keep_other_versions_days;
  settings.is_read_only = options.mode != CacheMode::ReadWrite;
  settings.may_be_shared = !options.mac_key.empty();
  return settings;
}

inline constexpr const char* kRemotePlace = "remote store";

inline std::int64_t NowMs() noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace detail

[[gnu::cold]] TENON_DECL std::string VersionDirectoryName() {
#if TENON_HAS_JIT
  const std::string machine = "x86_64-" + detail::HexText(jit::DetectCpu().Bits());
#else
  const std::string machine = "any";
#endif
  return "tenon-" + std::to_string(TENON_VERSION_MAJOR) + "." +
         std::to_string(TENON_VERSION_MINOR) + "." + std::to_string(TENON_VERSION_PATCH) + "-" +
         detail::HexText(abi::LayoutDigest()) + "-" + machine;
}

TENON_DECL PersistentCache::PersistentCache(const std::string& path, CacheOptions options)
    : options_{std::move(options)},
      directory_{std::make_unique<DirectoryStore>(detail::DirectorySettings(path, options_))} {}

TENON_DECL PersistentCache::PersistentCache(CacheOptions options) : options_{std::move(options)} {
  detail::RequireKey(options_);
}

[[gnu::cold]] inline std::string PersistentCache::PlaceOf(const CacheKey& key) const {
  return directory_ == nullptr ? detail::kRemotePlace : directory_->PathOf(key);
}

inline void PersistentCache::Report(CacheProblemKind kind, std::string text) {
  problems_.fetch_add(1);
  if (!options_.on_problem) return;
  try {
    options_.on_problem({kind, std::move(text)});
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // What a report meets with is no reason to do without the guest.
  }
}

inline void PersistentCache::ReportFault(EntryFault fault, const std::string& place) {
  rejected_.fetch_add(1);
  Report(detail::KindOf(fault), place + ": " + EntryFaultText(fault));
}

[[gnu::cold]] inline std::optional<FoundEntry> PersistentCache::FindIn(
    CacheStore& store, const EntryIdentity& identity, const std::string& place, bool reports) {
  try {
    std::optional<CacheBlob> blob = store.Get(identity.key);
    if (!blob.has_value()) return std::nullopt;
    FoundEntry found;
    found.is_shared = blob->kind == CacheBlob::Kind::FilePages;
    // Objects are read where they lie, so that their place matters to more than the system.
    const bool is_aligned =
        reinterpret_cast<std::uintptr_t>(blob->bytes.data()) % kObjectAlignment == 0;
    if (blob->kind == CacheBlob::Kind::Shared || !is_aligned) {
      found.is_shared = false;
      FileMapping copy = MapCopy(blob->bytes);
      blob->bytes = copy.bytes;
      blob->owner = std::move(copy.owner);
    }
    EntryFault fault = CheckEntry(blob->bytes, Trust(), found.view);
    if (fault == EntryFault::None) fault = CompareEntry(found.view.header, identity);
    if (fault != EntryFault::None) {
      if (reports) ReportFault(fault, place);
      return std::nullopt;
    }
    found.owner = std::move(blob->owner);
    return found;
  } catch (const std::exception& error) {
    if (reports) Report(CacheProblemKind::NotRead, place + ": " + error.what());
    return std::nullopt;
  }
}

[[gnu::cold]] inline void PersistentCache::PutInto(CacheStore& store, const CacheKey& key,
                                                   std::span<const std::uint8_t> entry,
                                                   const std::string& place) {
  try {
    store.Put(key, entry);
    writes_.fetch_add(1);
  } catch (const std::exception& error) {
    Report(CacheProblemKind::NotWritten, place + ": " + error.what());
  }
}

[[gnu::cold]] inline std::optional<FoundEntry> PersistentCache::FindRemote(
    const EntryIdentity& identity) {
  if (options_.remote == nullptr) return std::nullopt;
  std::optional<FoundEntry> found = FindIn(*options_.remote, identity, detail::kRemotePlace);
  if (found.has_value()) {
    found->is_shared = false;
    found->is_remote = true;
  }
  return found;
}

[[gnu::cold]] TENON_DECL std::optional<FoundEntry> PersistentCache::Find(
    const EntryIdentity& identity) {
  if (directory_ == nullptr) return FindRemote(identity);
  const std::string path = directory_->PathOf(identity.key);
  std::optional<FoundEntry> found = FindIn(*directory_, identity, path);
  if (found.has_value()) return found;
  found = FindRemote(identity);
  if (!found.has_value() || !IsWritable()) return found;
  // The next process finds it here, and this one shares its pages.
  const std::uint8_t* const begin = found->view.module.data() - kEntryHeaderSize;
  PutInto(*directory_, identity.key, {begin, static_cast<std::size_t>(found->view.header.size)},
          path);
  std::optional<FoundEntry> kept = FindIn(*directory_, identity, path);
  if (!kept.has_value()) return found;
  kept->is_remote = true;
  return kept;
}

[[gnu::cold]] TENON_DECL std::optional<FoundEntry> PersistentCache::FindAgain(
    const EntryIdentity& identity) {
  if (directory_ == nullptr) return std::nullopt;
  return FindIn(*directory_, identity, directory_->PathOf(identity.key), false);
}

TENON_DECL void PersistentCache::Reject(const EntryIdentity& identity, const FoundEntry& entry) {
  ReportFault(EntryFault::OtherModule,
              entry.is_remote ? detail::kRemotePlace : PlaceOf(identity.key));
}

[[gnu::cold]] TENON_DECL void PersistentCache::Accept(const EntryIdentity& identity,
                                                      const FoundEntry& entry) {
  if (entry.is_remote) remote_loads_.fetch_add(1);
  if (entry.is_shared) mapped_loads_.fetch_add(1);
  try {
    if (directory_ != nullptr) directory_->Touch(identity.key);
    if (entry.is_remote) options_.remote->Touch(identity.key);
  } catch (const std::exception&) {
    return;  // an entry that looks older than it is only goes earlier
  }
}

/// How long to wait for a key. Who was waited for in vain may hold every key, to stop others; then
/// a cache waits the whole time once, and for a while no longer than it takes to notice a holder
/// who is about to finish.
[[gnu::cold]] inline std::uint32_t PersistentCache::PatienceMs() const noexcept {
  constexpr std::uint32_t kHurriedMs = 100;
  const bool is_hurried = detail::NowMs() < hurried_until_ms_.load();
  return is_hurried ? std::min(kHurriedMs, options_.lock_timeout_ms) : options_.lock_timeout_ms;
}

[[gnu::cold]] TENON_DECL KeyLock PersistentCache::Lock(const EntryIdentity& identity) {
  constexpr std::int64_t kHurriedTimeouts = 10;
  if (directory_ == nullptr) return {};
  try {
    bool timed_out = false;
    const std::uint32_t patience_ms = PatienceMs();
    KeyLock lock = directory_->Lock(identity.key, patience_ms, timed_out);
    if (timed_out) {
      lock_timeouts_.fetch_add(1);
      hurried_until_ms_.store(detail::NowMs() +
                              kHurriedTimeouts * std::int64_t{options_.lock_timeout_ms});
      Report(CacheProblemKind::LockTimeout,
             directory_->PathOf(identity.key) +
                 ": another process or thread holds its lock, after " +
                 std::to_string(patience_ms) + " ms");
    }
    return lock;
  } catch (const std::exception&) {
    // Without a directory there is nobody to wait for.
    return {};
  }
}

[[gnu::cold]] TENON_DECL void PersistentCache::Keep(const EntryIdentity& identity,
                                                    std::span<const std::uint8_t> module,
                                                    std::span<const std::uint8_t> object) {
  const std::vector<std::uint8_t> entry = BuildEntry(identity, module, object, options_.mac_key);
  if (directory_ != nullptr) PutInto(*directory_, identity.key, entry, PlaceOf(identity.key));
  if (options_.remote != nullptr) {
    PutInto(*options_.remote, identity.key, entry, detail::kRemotePlace);
  }
}

[[gnu::cold]] TENON_DECL void PersistentCache::Miss(const EntryIdentity& identity) {
  const std::string path = PlaceOf(identity.key);
  const std::string reason = "the cache is read-only and has no entry that can be used";
  Report(CacheProblemKind::Missing, path + ": " + reason);
  if (options_.mode == CacheMode::MustHit) {
    throw ConfigError{ErrorCode::CacheMiss, FormatError(ErrorCode::CacheMiss, {reason, path})};
  }
}

[[gnu::cold]] TENON_DECL void PersistentCache::AddTo(CacheStatistics& statistics) const {
  statistics.loads += variant_loads_.load();
  statistics.misses += variant_misses_.load();
  statistics.remote_loads += remote_loads_.load();
  statistics.mapped_loads += mapped_loads_.load();
  statistics.writes += writes_.load();
  statistics.rejected += rejected_.load();
  if (directory_ != nullptr) statistics.evictions += directory_->Evictions();
  statistics.lock_timeouts += lock_timeouts_.load();
  statistics.problems += problems_.load();
}

[[gnu::cold]] TENON_DECL std::vector<CacheEntry> PersistentCache::List() const {
  return directory_ == nullptr ? std::vector<CacheEntry>{} : directory_->List();
}

[[gnu::cold]] TENON_DECL std::vector<CacheProblem> PersistentCache::Verify() {
  std::vector<CacheProblem> problems;
  for (const CacheEntry& entry : List()) {
    const std::optional<CacheKey> key = DirectoryStore::KeyOfPath(entry.path);
    if (!key.has_value()) continue;
    const auto add = [&](CacheProblemKind kind, const std::string& reason) {
      problems.push_back({kind, entry.path + ": " + reason});
    };
    try {
      const std::optional<CacheBlob> blob = directory_->Get(*key);
      if (!blob.has_value()) continue;  // removed meanwhile
      EntryView view;
      // The checksum is what this is about.
      EntryFault fault = CheckEntry(blob->bytes, {options_.mac_key, false}, view);
      if (fault == EntryFault::None && view.header.key != *key) fault = EntryFault::OtherKey;
      if (fault == EntryFault::None) continue;
      add(detail::KindOf(fault), EntryFaultText(fault));
      directory_->Remove(*key);
    } catch (const std::exception& error) {
      add(CacheProblemKind::NotRead, error.what());
    }
  }
  return problems;
}

TENON_DECL std::size_t PersistentCache::Purge() {
  return directory_ == nullptr ? 0 : directory_->Purge();
}

}  // namespace tenon::inline TENON_ABI::cache
