// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the fuzz target of marshallers calls, what comes of a call, and what passes for equal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon_test::marshal {

using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

inline constexpr U64 kPage = 65536;
inline constexpr U64 kMostPages = 2;
inline constexpr U64 kReferenceLimit = 40;
/// Elements of the guest's table: null, twice (i32) -> i32, half (f64) -> f64, null, nothing
/// (16 i32) -> (), thrice (i32) -> i32.
inline constexpr U32 kTableSize = 6;

/// Everything that a host function saw, in one number.
class Digest {
 public:
  void Add(U64 value) {
    state_ = (state_ ^ value) * 0x100000001B3;
    state_ ^= state_ >> 29;
  }
  U64 Value() const { return state_; }

 private:
  U64 state_ = 0xCBF29CE484222325;
};

/// What an operand is taken for, which says what values are worth trying.
enum class Operand : std::uint8_t {
  Offset,    ///< i32, into memory
  Count,     ///< i32, of elements behind the offset before it
  Number,    ///< i32
  Narrow,    ///< i32 that is near the ranges of smaller types
  Handle,    ///< i32
  Index,     ///< i32, into the table
  Long,      ///< i64
  Wide,      ///< i64, an offset
  Float,     ///< f32
  Double,    ///< f64
  Reference  ///< externref
};

/// A function that the guest exports; it passes its operands to the host.
struct Case {
  std::string_view name;
  std::vector<Operand> operands;
};

const std::vector<Case>& Cases();

/// What a call came to.
struct Outcome {
  enum class Kind : std::uint8_t { Returned, Trapped, Exited, Threw };
  static constexpr int kNowhere = -2;
  static constexpr int kResultPlace = -1;

  Kind kind = Kind::Returned;
  int code = 0;           ///< of the trap, or the exit
  int first = kNowhere;   ///< parameter that the trap names
  int second = kNowhere;  ///< another one, with which it overlaps
  U64 digest = Digest{}.Value();
  std::vector<U64> results;

  friend bool operator==(const Outcome&, const Outcome&) = default;
  std::string Text() const;
};

}  // namespace tenon_test::marshal
