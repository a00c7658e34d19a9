// SPDX-License-Identifier: Apache-2.0
/// @file
/// i8x16.shuffle: the instructions that do well known patterns, or the general form.
#pragma once

#include <cstdint>

#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_operands.hpp>

namespace tenon::inline TENON_ABI::jit::detail {

/// Lane numbers of a shuffle, 0..15 of the first operand, 16..31 of the second. With one operand
/// all are below 16.
class ShuffleLanes {
 public:
  constexpr explicit ShuffleLanes(const V128& lanes) : lanes_{lanes} {}

  constexpr std::uint32_t operator[](std::uint32_t i) const { return lanes_.bytes[i]; }

  constexpr bool UsesFirst() const { return Uses(0); }
  constexpr bool UsesSecond() const { return Uses(16); }

  constexpr ShuffleLanes WithOneOperand() const {
    V128 lanes = lanes_;
    for (std::uint8_t& lane : lanes.bytes) lane %= 16;
    return ShuffleLanes{lanes};
  }
  constexpr ShuffleLanes Swapped() const {
    V128 lanes = lanes_;
    for (std::uint8_t& lane : lanes.bytes) lane ^= 16;
    return ShuffleLanes{lanes};
  }

  /// Whether groups of `size` bytes move as a whole.
  constexpr bool MovesGroups(std::uint32_t size) const {
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint32_t first = i - i % size;
      if (lanes_.bytes[first] % size != 0) return false;
      if (lanes_.bytes[i] != lanes_.bytes[first] + i % size) return false;
    }
    return true;
  }
  /// Number of the group that goes to place `i`.
  constexpr std::uint32_t Group(std::uint32_t i, std::uint32_t size) const {
    return lanes_.bytes[std::size_t{i} * size] / size;
  }

  /// Whether the lanes are those that follow `first`, modulo `count`.
  constexpr bool IsRotation(std::uint32_t first, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < 16; ++i) {
      if (lanes_.bytes[i] != (first + i) % count) return false;
    }
    return true;
  }

  /// Whether groups of one half of the first operand alternate with those of the other, which
  /// begins at lane `other`.
  constexpr bool IsInterleaving(std::uint32_t size, bool high, std::uint32_t other) const {
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint32_t group = i / size;
      const std::uint32_t byte = (high ? 8 : 0) + group / 2 * size + i % size;
      if (lanes_.bytes[i] != (group % 2 == 0 ? 0 : other) + byte) return false;
    }
    return true;
  }

  /// Selects the lanes of one operand for pshufb, zero for the others'.
  constexpr V128 Mask(std::uint32_t first) const {
    V128 mask{};
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint32_t lane = lanes_.bytes[i] - first;
      mask.bytes[i] = static_cast<std::uint8_t>(lane < 16 ? lane : 0x80);
    }
    return mask;
  }

 private:
  constexpr bool Uses(std::uint32_t first) const {
    for (const std::uint8_t lane : lanes_.bytes) {
      if (lane - first < 16) return true;
    }
    return false;
  }

  V128 lanes_;
};

/// `other` is 0 where a and b are the same.
inline bool EmitInterleaving(DualEmitter& e, const Xbyak::Xmm& d, const Xbyak::Xmm& a,
                             const Xbyak::Xmm& b, const ShuffleLanes& lanes, std::uint32_t other) {
  if (lanes.IsInterleaving(1, false, other)) {
    e.Punpcklbw(d, a, b);
  } else if (lanes.IsInterleaving(1, true, other)) {
    e.Punpckhbw(d, a, b);
  } else if (lanes.IsInterleaving(2, false, other)) {
    e.Punpcklwd(d, a, b);
  } else if (lanes.IsInterleaving(2, true, other)) {
    e.Punpckhwd(d, a, b);
  } else if (lanes.IsInterleaving(4, false, other)) {
    e.Punpckldq(d, a, b);
  } else if (lanes.IsInterleaving(4, true, other)) {
    e.Punpckhdq(d, a, b);
  } else if (lanes.IsInterleaving(8, false, other)) {
    e.Punpcklqdq(d, a, b);
  } else if (lanes.IsInterleaving(8, true, other)) {
    e.Punpckhqdq(d, a, b);
  } else {
    return false;
  }
  return true;
}

inline void EmitShuffleOne(DualEmitter& e, const Xbyak::Xmm& d, const Xbyak::Xmm& a,
                           const ShuffleLanes& lanes) {
  if (lanes.IsRotation(0, 32)) {
    e.Move(d, a);
    return;
  }
  const auto groups = [&](std::uint32_t first, std::uint32_t size) {
    std::uint32_t immediate = 0;
    for (std::uint32_t i = 0; i < 4; ++i) {
      immediate |= (lanes.Group(first + i, size) & 3) << (2 * i);
    }
    return static_cast<std::uint8_t>(immediate);
  };
  if (lanes.MovesGroups(4)) {
    e.Pshufd(d, a, groups(0, 4));
    return;
  }
  if (EmitInterleaving(e, d, a, a, lanes, 0)) return;
  if (lanes.MovesGroups(2)) {
    bool is_low = true;
    bool is_high = true;
    for (std::uint32_t i = 0; i < 4; ++i) {
      is_low = is_low && lanes.Group(i, 2) < 4 && lanes.Group(4 + i, 2) == 4 + i;
      is_high = is_high && lanes.Group(i, 2) == i && lanes.Group(4 + i, 2) >= 4;
    }
    if (is_low) {
      e.Pshuflw(d, a, groups(0, 2));
      return;
    }
    if (is_high) {
      e.Pshufhw(d, a, groups(4, 2));
      return;
    }
  }
  if (lanes.IsRotation(lanes[0], 16)) {
    e.Palignr(d, a, a, static_cast<std::uint8_t>(lanes[0]));
    return;
  }
  e.Pshufb(d, a, e.At(lanes.Mask(0)));
}

/// What depends on which of the two is the first operand.
inline bool EmitShuffleOrdered(DualEmitter& e, const Xbyak::Xmm& d, const Xbyak::Xmm& a,
                               const Xbyak::Xmm& b, const ShuffleLanes& lanes) {
  if (EmitInterleaving(e, d, a, b, lanes, 16)) return true;
  if (lanes[0] < 16 && lanes.IsRotation(lanes[0], 32)) {
    e.Palignr(d, b, a, static_cast<std::uint8_t>(lanes[0]));
    return true;
  }
  if (lanes.MovesGroups(4)) {
    std::uint32_t immediate = 0;
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::uint32_t group = lanes.Group(i, 4);
      if ((group >= 4) != (i >= 2)) return false;
      immediate |= (group & 3) << (2 * i);
    }
    e.Shufps(d, a, b, static_cast<std::uint8_t>(immediate));
    return true;
  }
  return false;
}

inline void EmitShuffle(DualEmitter& e, const VectorOperands& operands) {
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);
  const ShuffleLanes lanes{*operands.bytes};
  const bool is_same = operands.operands[0] == operands.operands[1];
  if (is_same || !lanes.UsesSecond()) {
    EmitShuffleOne(e, d, a, lanes.WithOneOperand());
    return;
  }
  if (!lanes.UsesFirst()) {
    EmitShuffleOne(e, d, b, lanes.WithOneOperand());
    return;
  }
  if (lanes.MovesGroups(2)) {
    std::uint32_t from_second = 0;
    bool is_blend = true;
    for (std::uint32_t i = 0; i < 8; ++i) {
      const std::uint32_t group = lanes.Group(i, 2);
      is_blend = is_blend && group % 8 == i;
      if (group >= 8) from_second |= 1u << i;
    }
    if (is_blend) {
      e.Pblendw(d, a, b, static_cast<std::uint8_t>(from_second));
      return;
    }
  }
  if (EmitShuffleOrdered(e, d, a, b, lanes)) return;
  if (EmitShuffleOrdered(e, d, b, a, lanes.Swapped())) return;
  e.Pshufb(e.scratch, b, e.At(lanes.Mask(16)));
  e.Pshufb(d, a, e.At(lanes.Mask(0)));
  e.Por(d, d, e.scratch);
}

}  // namespace tenon::inline TENON_ABI::jit::detail
