// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where cached code is kept between processes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// What an entry is found by: a SHA-256 over a module and everything that changes its code, the
/// library's version included.
using CacheKey = std::array<std::uint8_t, 32>;

/// The bytes of an entry, as a store gives them.
struct CacheBlob {
  enum class Kind : std::uint8_t {
    /// Somebody else can change them. They are copied before they are checked.
    Shared,
    /// Pages of this process alone, whose protection the library may change: code runs where it
    /// lies.
    OwnPages,
    /// The same as a private mapping of a file that nobody but this user and the system's
    /// administrator can write to, and that is never written to once it has its name.
    FilePages,
  };

  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;  ///< keeps the bytes; code may hold it for long
  Kind kind = Kind::Shared;
};

/// A place for entries: a directory, or what users make of a key-value store. What comes out of it
/// is checked before any of it is believed, with the cache's key if it has one.
///
/// Functions may be called by any number of threads at once. What they throw is reported (see
/// CacheOptions::on_problem) and stops nothing. Put and Touch of CacheOptions::remote are called
/// when nobody waits for the compilation any more.
class CacheStore {
 public:
  virtual ~CacheStore() = default;

  /// The entry under `key`; nothing if there is none.
  virtual std::optional<CacheBlob> Get(const CacheKey& key) = 0;
  /// Stores `entry` under `key`, in place of what was there: whole, or not at all.
  virtual void Put(const CacheKey& key, std::span<const std::uint8_t> entry) = 0;
  /// Notes that the entry was used. Called after a successful Get, unless the cache is read-only.
  virtual void Touch(const CacheKey& key) = 0;
  /// Removes the entry, if there is one.
  virtual void Remove(const CacheKey& key) = 0;
};

}  // namespace tenon::inline TENON_ABI
