// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is known of memory and globals while a block is built.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Values that were read from where others may write: the base of the memory, globals, and what the
/// last accesses of memory read and wrote. All of it is to be forgotten at calls, and when a block
/// begins that does not follow the last one alone.
class KnownReads {
 public:
  /// Imported globals come first; any two of them may be the same.
  void Begin(std::uint32_t imported_globals, std::size_t globals) {
    if (stamp_ >= 0x80000000u) {
      std::fill(globals_.begin(), globals_.end(), Known{});
      stamp_ = 0;
    }
    imported_globals_ = imported_globals;
    if (globals_.size() < globals) globals_.resize(globals);
    Forget();
  }

  void Forget() {
    own_stamp_ = imported_stamp_ = ++stamp_;
    ForgetMemory();
  }
  void ForgetMemory() { access_count_ = next_access_ = 0; }

  /// What a load would give, or kNone. Memories never shrink, so it would not trap either.
  ValueId Loaded(IrOpcode load, ValueId address, std::uint64_t offset) const {
    for (std::uint32_t i = 0; i < access_count_; ++i) {
      const Access& access = accesses_[i];
      if (access.address == address && access.offset == offset && access.load == load) {
        return access.value;
      }
    }
    return kNone;
  }
  void Read(IrOpcode load, ValueId address, std::uint64_t offset, std::uint32_t bytes,
            ValueId value) {
    if (access_count_ < kMostAccesses) {
      accesses_[access_count_++] = {address, bytes, offset, value, load};
      return;
    }
    accesses_[next_access_] = {address, bytes, offset, value, load};
    next_access_ = (next_access_ + 1) % kMostAccesses;
  }
  /// `load` would give the value again; IrOpcode::Forward: none would.
  void Write(IrOpcode load, ValueId address, std::uint64_t offset, std::uint32_t bytes,
             ValueId value) {
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < access_count_; ++i) {
      // Nothing is known of where other addresses lead.
      const Access access = accesses_[i];
      if (access.address != address ||
          (access.offset < offset + bytes && offset < access.offset + access.bytes)) {
        continue;
      }
      accesses_[kept++] = access;
    }
    access_count_ = kept;
    if (load != IrOpcode::Forward) Read(load, address, offset, bytes, value);
  }

  /// kNone if it is not known.
  ValueId Base() const { return base_.stamp == own_stamp_ ? base_.value : kNone; }
  void SetBase(ValueId value) { base_ = {value, own_stamp_}; }

  /// kNone if it is not known.
  ValueId Global(std::uint32_t index) const {
    return globals_[index].stamp == StampOf(index) ? globals_[index].value : kNone;
  }
  void ReadGlobal(std::uint32_t index, ValueId value) { globals_[index] = {value, StampOf(index)}; }
  void WriteGlobal(std::uint32_t index, ValueId value) {
    if (index < imported_globals_) imported_stamp_ = ++stamp_;
    ReadGlobal(index, value);
  }

 private:
  struct Known {
    ValueId value = kNone;
    std::uint32_t stamp = 0;
  };

  struct Access {
    ValueId address = kNone;
    std::uint32_t bytes = 0;
    std::uint64_t offset = 0;
    ValueId value = kNone;
    IrOpcode load{};
  };

  std::uint32_t StampOf(std::uint32_t index) const {
    return index < imported_globals_ ? imported_stamp_ : own_stamp_;
  }

  static constexpr std::uint32_t kMostAccesses = 12;
  Access accesses_[kMostAccesses];
  std::uint32_t access_count_ = 0;
  std::uint32_t next_access_ = 0;  ///< to be replaced once all are in use

  FlatArray<Known> globals_;
  Known base_;
  std::uint32_t imported_globals_ = 0;
  std::uint32_t stamp_ = 0;
  std::uint32_t own_stamp_ = 0;
  std::uint32_t imported_stamp_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
