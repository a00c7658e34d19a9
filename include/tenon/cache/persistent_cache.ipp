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
  settings.is_copied = options.copy_files;
  return settings;
}

inline constexpr const char* kRemotePlace = "remote store";
inline constexpr const char* kTooLarge = "the entry is larger than the cache may be";

/// Of the exception that is being handled, and lives as long.
[[gnu::cold]] inline const char* ReasonOfCaught() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

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

/// How long to wait for a key. Who was waited for in vain may hold every key, to stop others; then
/// a cache waits the whole time once, and for a while no longer than it takes to notice a holder
/// who is about to finish.
[[gnu::cold]] inline std::uint32_t PersistentCache::PatienceMs() const noexcept {
  constexpr std::uint32_t kHurriedMs = 100;
  const bool is_hurried = detail::NowMs() < hurried_until_ms_.load();
  return is_hurried ? std::min(kHurriedMs, options_.lock_timeout_ms) : options_.lock_timeout_ms;
}

[[gnu::cold]] TENON_DECL PersistentCache::Request::Request(PersistentCache& cache,
                                                           const EntryIdentity& identity)
    : cache_{cache},
      identity_{identity},
      place_{cache.directory_ == nullptr ? detail::kRemotePlace
                                         : cache.directory_->PathOf(identity.key)} {}

[[gnu::cold]] TENON_DECL PersistentCache::Request::~Request() {
  lock_.reset();
  try {
    if (touches_remote_) cache_.options_.remote->Touch(identity_.key);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // An entry that looks older than it is only goes earlier.
  }
  if (!unsent_.empty()) PutInto(*cache_.options_.remote, detail::kRemotePlace, unsent_);
  for (const CacheProblem& problem : untold_) {
    try {
      cache_.options_.on_problem(problem);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // What a report meets with is no reason to do without the guest.
    }
  }
}

[[gnu::cold]] inline void PersistentCache::Request::Report(CacheProblemKind kind,
                                                           const std::string& place,
                                                           std::string_view reason) noexcept {
  cache_.problems_.fetch_add(1);
  if (!cache_.options_.on_problem) return;
  try {
    std::string text = place;
    untold_.push_back({kind, text.append(": ").append(reason)});
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // Without memory for a report there is none.
  }
}

[[gnu::cold]] inline void PersistentCache::Request::ReportFault(EntryFault fault,
                                                                const std::string& place) noexcept {
  cache_.rejected_.fetch_add(1);
  Report(detail::KindOf(fault), place, EntryFaultText(fault));
}

[[gnu::cold]] inline std::optional<FoundEntry> PersistentCache::Request::FindIn(
    CacheStore& store, const std::string& place, Reports reports) {
  try {
    std::optional<CacheBlob> blob = store.Get(identity_.key);
    if (!blob.has_value()) return std::nullopt;
    if (blob->bytes.size() > cache_.LargestEntry()) {
      if (reports) Report(CacheProblemKind::NotRead, place, detail::kTooLarge);
      return std::nullopt;
    }
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
    EntryFault fault = CheckEntry(blob->bytes, cache_.Trust(), found.view);
    if (fault == EntryFault::None) fault = CompareEntry(found.view.header, identity_);
    if (fault != EntryFault::None) {
      if (reports) ReportFault(fault, place);
      return std::nullopt;
    }
    found.owner = std::move(blob->owner);
    return found;
  } catch (...) {
    if (reports) Report(CacheProblemKind::NotRead, place, detail::ReasonOfCaught());
    return std::nullopt;
  }
}

[[gnu::cold]] inline void PersistentCache::Request::PutInto(
    CacheStore& store, const std::string& place, std::span<const std::uint8_t> entry) noexcept {
  try {
    store.Put(identity_.key, entry);
    cache_.writes_.fetch_add(1);
  } catch (...) {
    Report(CacheProblemKind::NotWritten, place, detail::ReasonOfCaught());
  }
}

[[gnu::cold]] inline std::optional<FoundEntry> PersistentCache::Request::FindRemote() {
  if (cache_.options_.remote == nullptr) return std::nullopt;
  std::optional<FoundEntry> found = FindIn(*cache_.options_.remote, detail::kRemotePlace, true);
  if (!found.has_value()) return found;
  found->is_shared = false;
  found->is_remote = true;
  if (cache_.directory_ == nullptr || !cache_.IsWritable()) return found;
  // The next process finds it here, and this one shares its pages.
  const std::uint8_t* const begin = found->view.module.data() - kEntryHeaderSize;
  PutInto(*cache_.directory_, place_, {begin, static_cast<std::size_t>(found->view.header.size)});
  std::optional<FoundEntry> kept = FindIn(*cache_.directory_, place_, true);
  if (!kept.has_value()) return found;
  kept->is_remote = true;
  return kept;
}

[[gnu::cold]] inline void PersistentCache::Request::Accept(const FoundEntry& entry) noexcept {
  if (entry.is_remote) cache_.remote_loads_.fetch_add(1);
  if (entry.is_shared) cache_.mapped_loads_.fetch_add(1);
  touches_remote_ = entry.is_remote && cache_.IsWritable();
  try {
    if (cache_.directory_ != nullptr) cache_.directory_->Touch(identity_.key);
  } catch (...) {
    return;  // as of the remote store
  }
}

[[gnu::cold]] inline bool PersistentCache::Request::Take(std::optional<FoundEntry> found,
                                                         const RestoreFunction& restore,
                                                         Reports reports) {
  if (!found.has_value()) return false;
  const vm::Restored restored = restore(*found);
  if (restored == vm::Restored::Refused) {
    if (reports) {
      ReportFault(EntryFault::OtherModule, found->is_remote ? detail::kRemotePlace : place_);
    }
    return false;
  }
  found->is_shared = found->is_shared && restored == vm::Restored::InPlace;
  Accept(*found);
  lock_.reset();
  return true;
}

[[gnu::cold]] inline void PersistentCache::Request::Lock() noexcept {
  constexpr std::int64_t kHurriedTimeouts = 10;
  try {
    bool timed_out = false;
    const std::uint32_t patience_ms = cache_.PatienceMs();
    lock_.emplace(cache_.directory_->Lock(identity_.key, patience_ms, timed_out));
    if (!timed_out) return;
    cache_.lock_timeouts_.fetch_add(1);
    cache_.hurried_until_ms_.store(
        detail::NowMs() + kHurriedTimeouts * std::int64_t{cache_.options_.lock_timeout_ms});
    Report(
        CacheProblemKind::LockTimeout, place_,
        "another process or thread holds its lock, after " + std::to_string(patience_ms) + " ms");
  } catch (...) {
    return;  // without a directory there is nobody to wait for
  }
}

[[gnu::cold]] TENON_DECL bool PersistentCache::Request::Load(const RestoreFunction& restore) {
  DirectoryStore* const directory = cache_.directory_.get();
  if (directory != nullptr) {
    if (Take(FindIn(*directory, place_, true), restore, true)) return true;
    if (cache_.IsWritable()) {
      Lock();
      // Somebody may have been quicker. What is wrong was reported.
      if (Take(FindIn(*directory, place_, false), restore, false)) return true;
    }
  }
  // One process of a machine asks for all.
  if (Take(FindRemote(), restore, true)) return true;
  if (!cache_.IsWritable()) {
    const std::string reason = "the cache is read-only and has no entry that can be used";
    Report(CacheProblemKind::Missing, place_, reason);
    if (cache_.options_.mode == CacheMode::MustHit) {
      throw ConfigError{ErrorCode::CacheMiss, FormatError(ErrorCode::CacheMiss, {reason, place_})};
    }
  }
  return false;
}

[[gnu::cold]] TENON_DECL void PersistentCache::Request::Keep(
    std::span<const std::uint8_t> module,
    const std::function<std::span<const std::uint8_t>()>& object) noexcept {
  if (!cache_.IsWritable()) return;
  try {
    std::vector<std::uint8_t> entry =
        BuildEntry(identity_, module, object(), cache_.options_.mac_key);
    if (entry.size() > cache_.LargestEntry()) {
      Report(CacheProblemKind::NotWritten, place_, detail::kTooLarge);
    } else {
      if (cache_.directory_ != nullptr) PutInto(*cache_.directory_, place_, entry);
      if (cache_.options_.remote != nullptr) unsent_ = std::move(entry);
    }
  } catch (...) {
    Report(CacheProblemKind::NotWritten, place_, detail::ReasonOfCaught());
  }
  lock_.reset();
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
