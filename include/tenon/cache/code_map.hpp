// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiled modules by key, each made once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/cache/statistics.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::cache {

/// Any thread.
class CodeMap {
 public:
  using Code = std::shared_ptr<const vm::ModuleCode>;

  CodeMap() = default;
  /// A map above levels that outlive the process.
  explicit CodeMap(std::shared_ptr<PersistentCache> persistent)
      : persistent_{std::move(persistent)} {}

  /// Null if there is nothing but memory.
  const std::shared_ptr<PersistentCache>& Persistent() const noexcept { return persistent_; }

  /// The code under `key`, from the map or from `make`, which runs without a lock held and at most
  /// once at a time for each key. Threads that ask meanwhile wait; if `make` throws, that is its
  /// caller's affair, and one of the waiting threads makes another attempt. `make` sets its
  /// argument if it did not compile. Throws ConfigError if `make` itself asks for its key, as a
  /// callback might, or if its maker waits, by way of others, for this thread.
  template <class Make>
  Code FindOrMake(const vm::CodeKey& key, Make make) {
    std::unique_lock lock{mutex_};
    for (;;) {
      const auto [position, is_leader] = entries_.try_emplace(key);
      Entry& entry = position->second;
      if (is_leader) {
        entry.maker = std::this_thread::get_id();
        break;
      }
      if (entry.code != nullptr) {
        ++hits_;
        return entry.code;
      }
      if (WaitsForThisThread(entry)) {
        throw ConfigError{ErrorCode::CompileReentered,
                          FormatError(ErrorCode::CompileReentered, {})};
      }
      const auto waiting = waiting_.emplace(std::this_thread::get_id(), key).first;
      changed_.wait(lock);
      waiting_.erase(waiting);
    }
    lock.unlock();
    Code code;
    bool was_loaded = false;
    try {
      code = make(was_loaded);
    } catch (...) {
      lock.lock();
      ++misses_;
      entries_.erase(key);
      changed_.notify_all();
      throw;
    }
    lock.lock();
    ++(was_loaded ? loads_ : misses_);
    entries_[key].code = code;
    changed_.notify_all();
    return code;
  }

  CacheStatistics Statistics() const {
    CacheStatistics statistics;
    if (persistent_ != nullptr) persistent_->AddTo(statistics);
    const std::lock_guard lock{mutex_};
    statistics.hits = hits_;
    statistics.misses += misses_;
    statistics.loads += loads_;
    for (const auto& [key, entry] : entries_) {
      if (entry.code == nullptr) continue;
      ++statistics.entries;
      statistics.bytes += entry.code->Size();
    }
    return statistics;
  }

  void Clear() {
    std::map<vm::CodeKey, Entry> removed;
    const std::lock_guard lock{mutex_};
    // Entries that are being made stay: their makers will fill them.
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto next = std::next(entry);
      if (entry->second.code != nullptr) removed.insert(entries_.extract(entry));
      entry = next;
    }
  }

 private:
  struct Entry {
    Code code;  ///< null while it is being made
    std::thread::id maker;
  };

  /// Whether nobody would ever fill an entry if this thread waited for it.
  bool WaitsForThisThread(const Entry& wanted) const {
    const Entry* entry = &wanted;
    while (entry->maker != std::this_thread::get_id()) {
      const auto waiting = waiting_.find(entry->maker);
      if (waiting == waiting_.end()) return false;
      const auto next = entries_.find(waiting->second);
      // It is there, or nobody makes it any more: who waited for it has not woken yet.
      if (next == entries_.end() || next->second.code != nullptr) return false;
      entry = &next->second;
    }
    return true;
  }

  std::shared_ptr<PersistentCache> persistent_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<vm::CodeKey, Entry> entries_;
  std::map<std::thread::id, vm::CodeKey> waiting_;  ///< what threads wait for
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t loads_ = 0;
};

}  // namespace tenon::inline TENON_ABI::cache
