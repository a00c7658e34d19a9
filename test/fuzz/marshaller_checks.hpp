// SPDX-License-Identifier: Apache-2.0
/// @file
/// The rules that a guest's operands are held to, written down a second time.
#pragma once

#include <bit>
#include <cstddef>
#include <span>
#include <vector>

#include <tenon/abi/trap_code.hpp>

#include "marshaller_case.hpp"

namespace tenon_test::marshal {

using tenon::TrapCode;

/// Bytes that a parameter lets the host write.
struct Written {
  int parameter;
  U64 begin;
  U64 size;
  bool is_copy;  ///< until the function returned
};

/// Reads the operands of a call in order. What can end the call answers false then, and says so in
/// the outcome.
struct Checks {
  std::vector<U8>& memory;
  std::span<const U64> operands;
  std::size_t next = 0;  ///< operand
  Outcome outcome{};
  Digest digest{};
  std::vector<Written> written{};

  U32 Take() { return static_cast<U32>(operands[next++]); }
  U64 TakeLong() { return operands[next++]; }
  U64 Size() const { return memory.size(); }

  U64 Get(U64 at, unsigned bytes) const {
    U64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= U64{memory.at(at + i)} << (8 * i);
    return value;
  }
  void Put(U64 at, unsigned bytes, U64 value) {
    for (unsigned i = 0; i < bytes; ++i) {
      memory.at(at + i) = static_cast<U8>(value >> (8 * i));
    }
  }

  bool Trap(TrapCode code, int first = Outcome::kNowhere, int second = Outcome::kNowhere) {
    outcome.kind = Outcome::Kind::Trapped;
    outcome.code = static_cast<int>(code);
    outcome.first = first;
    outcome.second = second;
    return false;
  }

  struct Range {
    U64 begin = 0;
    U64 count = 0;
    bool is_null = false;
  };
  /// A pointer and a number of elements.
  bool TakeRange(int parameter, Range& range, U64 size, U64 alignment, bool is_nullable = false) {
    range.begin = Take();
    range.count = Take();
    return CheckRange(parameter, range, size, alignment, is_nullable);
  }
  /// The same of 64 bits.
  bool TakeWideRange(int parameter, Range& range, U64 size, U64 alignment) {
    range.begin = TakeLong();
    range.count = TakeLong();
    return CheckRange(parameter, range, size, alignment, false);
  }
  bool CheckRange(int parameter, Range& range, U64 size, U64 alignment, bool is_nullable) {
    range.is_null = is_nullable && range.begin == 0;
    if (range.is_null) {
      range.count = 0;
      return true;
    }
    if (range.begin > Size() || range.count > (Size() - range.begin) / size) {
      return Trap(TrapCode::OutOfBoundsMemoryAccess, parameter);
    }
    if (range.count != 0 && range.begin % alignment != 0) {
      return Trap(TrapCode::UnalignedAccess, parameter);
    }
    return true;
  }
  /// A pointer to one thing.
  bool TakePointer(int parameter, U64& begin, U64 size, bool is_nullable = false) {
    begin = Take();
    return CheckPointer(parameter, begin, size, is_nullable);
  }
  bool CheckPointer(int parameter, U64 begin, U64 size, bool is_nullable) {
    if (begin == 0) return is_nullable || Trap(TrapCode::NullReference, parameter);
    if (begin > Size() || size > Size() - begin) {
      return Trap(TrapCode::OutOfBoundsMemoryAccess, parameter);
    }
    return true;
  }
  /// A pointer to a number that is changed at once.
  bool TakeAtomic(int parameter, U64& begin, U64 size) {
    if (!TakePointer(parameter, begin, size)) return false;
    written.push_back({parameter, begin, size, false});
    return begin % size == 0 || Trap(TrapCode::UnalignedAtomic, parameter);
  }
  bool TakeText(int parameter, U64& begin, U64& length, bool is_nullable) {
    begin = Take();
    return CheckText(parameter, begin, length, is_nullable);
  }
  bool CheckText(int parameter, U64 begin, U64& length, bool is_nullable) {
    length = 0;
    if (!CheckPointer(parameter, begin, 1, is_nullable)) return false;
    if (begin == 0) return true;
    while (begin + length < Size() && memory[begin + length] != 0) ++length;
    return begin + length < Size() || Trap(TrapCode::UnterminatedString, parameter);
  }
  void Writes(int parameter, const Range& range, U64 size, bool is_copy) {
    written.push_back({parameter, range.begin, range.count * size, is_copy});
  }
  bool Disjoint() {
    for (std::size_t i = 0; i < written.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (!written[i].is_copy && !written[k].is_copy) continue;
        const U64 end = written[k].begin + written[k].size;
        const bool is_before = written[i].begin + written[i].size <= written[k].begin;
        if (written[i].size == 0 || written[k].size == 0 || is_before || written[i].begin >= end) {
          continue;
        }
        return Trap(TrapCode::OverlappingParameters, written[k].parameter, written[i].parameter);
      }
    }
    return true;
  }
  bool Fits(int parameter, U32 value, std::int64_t least, std::int64_t most, bool is_signed) {
    const std::int64_t number =
        is_signed ? std::int64_t{std::bit_cast<std::int32_t>(value)} : std::int64_t{value};
    return (number >= least && number <= most) || Trap(TrapCode::ValueOutOfRange, parameter);
  }
  bool FitsByte(int parameter, U32 value) { return Fits(parameter, value, 0, 255, false); }
  bool FitsWord(int parameter, U32 value) { return Fits(parameter, value, 0, 65535, false); }
  bool FitsShort(int parameter, U32 value) { return Fits(parameter, value, -32768, 32767, true); }

  void AddBytes(U64 begin, U64 count) {
    for (U64 i = 0; i < count; ++i) digest.Add(memory[begin + i]);
  }
  void AddText(U64 begin, U64 count) {
    digest.Add(count);
    AddBytes(begin, count);
  }
};

}  // namespace tenon_test::marshal
