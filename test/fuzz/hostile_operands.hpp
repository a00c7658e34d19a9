// SPDX-License-Identifier: Apache-2.0
/// @file
/// Operands that try the borders of what a host function checks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "marshaller_model.hpp"
#include "mutator.hpp"

namespace tenon_test::marshal {

class HostileOperands {
 public:
  explicit HostileOperands(U64 seed) : random_{seed} {}

  std::size_t Below(std::size_t limit) { return random_.Below(limit); }
  U64 Next() { return random_.Next(); }

  /// Half of all lists are meant to be accepted, but for one operand at most.
  std::vector<U64> For(const Case& described, const Model& model,
                       const std::vector<U64>& former_tokens) {
    size_ = model.Size();
    const bool is_tame = Below(2) == 0;
    const std::size_t wild = Below(2) == 0 ? Below(described.operands.size() + 1) : SIZE_MAX;
    std::vector<U64> operands;
    offset_ = 0;
    for (std::size_t i = 0; i < described.operands.size(); ++i) {
      const bool is_wild = i == wild || (!is_tame && Below(4) == 0);
      operands.push_back(One(described.operands[i], is_wild, model, former_tokens));
    }
    return operands;
  }

 private:
  U64 One(Operand operand, bool is_wild, const Model& model,
          const std::vector<U64>& former_tokens) {
    switch (operand) {
      case Operand::Offset:
        return offset_ = static_cast<U32>(OffsetOperand(is_wild));
      case Operand::Count:
        return static_cast<U32>(CountOperand(is_wild));
      case Operand::Number:
        return static_cast<U32>(NumberOperand());
      case Operand::Narrow:
        return static_cast<U32>(NarrowOperand(is_wild));
      case Operand::Index:
        return static_cast<U32>(IndexOperand(is_wild));
      case Operand::Long:
        return Below(2) == 0 ? Below(9) : NumberOperand();
      case Operand::Wide:
        return is_wild ? NumberOperand() : OffsetOperand(false);
      case Operand::Float:
        return static_cast<U32>(NumberOperand());
      case Operand::Double:
        return NumberOperand();
      case Operand::Handle:
        return TokenOperand(is_wild, model, former_tokens) & 0xFFFFFFFF;
      case Operand::Reference:
        return TokenOperand(is_wild, model, former_tokens);
    }
    return 0;
  }

  U64 OffsetOperand(bool is_wild) {
    if (is_wild) {
      switch (Below(10)) {
        case 0:
          return 0;
        case 1:
          return size_;
        case 2:
          return size_ - Below(48);
        case 3:
          return size_ + Below(48);
        case 4:
          return 0x80000000 - Below(3);
        case 5:
          return 0xFFFFFFFF - Below(48);
        case 6:
          return (U64{1} << 32) - size_ + Below(3);
        case 7:
          return Next();
        case 8:
          return offset_ + Below(9) - 4;
        default:
          return Below(64);
      }
    }
    switch (Below(8)) {
      case 0:
        return size_ - 16 * (1 + Below(40));
      case 1:
        return offset_ + Below(33) - 16;
      case 2:
        return 1 + Below(256);
      case 3:
        return 16 * (1 + Below(64));
      default:
        return 16 * (1 + Below(static_cast<std::size_t>(size_ / 16) - 1));
    }
  }
  U64 CountOperand(bool is_wild) {
    static constexpr U64 kSizes[] = {1, 2, 4, 8, 12, 16, 32};
    const U64 element = kSizes[Below(std::size(kSizes))];
    if (is_wild) {
      switch (Below(7)) {
        case 0:
          return 0xFFFFFFFF - Below(3);
        case 1:
          return (U64{1} << 32) / element - 1 + Below(3);  // the product wraps in 32 bits
        case 2:
          return ((U64{1} << 32) - offset_) / element + Below(2);
        case 3:
          return 0x80000000 - Below(3);
        case 4:
          return Next();
        case 5:
          return size_ / element + Below(3) - 1;
        default:
          return ((size_ - std::min(offset_, size_)) / element) + Below(3) - 1;
      }
    }
    const U64 room = size_ - std::min(offset_, size_);
    if (Below(8) == 0 && room < 4096) return room / element;
    return Below(8);
  }
  U64 NumberOperand() {
    static constexpr U64 kEdges[] = {0,
                                     1,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     ~U64{0},
                                     U64{1} << 63,
                                     (U64{1} << 63) - 1,
                                     0x7FF0000000000001,
                                     0x7F800001,
                                     0xFFC00000};
    switch (Below(3)) {
      case 0:
        return kEdges[Below(std::size(kEdges))];
      case 1:
        return Below(16);
      default:
        return Next();
    }
  }
  U64 NarrowOperand(bool is_wild) {
    if (!is_wild) return Below(128);
    static constexpr U64 kEdges[] = {127,        128,        255,        256,       32767,
                                     32768,      65535,      65536,      ~U64{0},   0x80000000,
                                     0xFFFFFF80, 0xFFFFFF7F, 0xFFFF8000, 0xFFFF7FFF};
    return Below(8) == 0 ? Next() : kEdges[Below(std::size(kEdges))];
  }
  U64 IndexOperand(bool is_wild) {
    if (!is_wild) return Below(kTableSize);
    return Below(2) == 0 ? kTableSize + Below(3) : NumberOperand();
  }
  U64 TokenOperand(bool is_wild, const Model& model, const std::vector<U64>& former_tokens) {
    const auto& live = model.References();
    U64 token = 0;
    if (!live.empty() && Below(12) != 0) {
      token = std::next(live.begin(), static_cast<std::ptrdiff_t>(Below(live.size())))->first;
    }
    if (!is_wild) return token;
    switch (Below(7)) {
      case 0:
        return former_tokens.empty() ? 1 : former_tokens[Below(former_tokens.size())];
      case 1:
        return token ^ U64 { 1 } << Below(64);
      case 2:
        return token + (U64{1} << 22);
      case 3:
        return token & 0xFFFFFFFF;
      case 4:
        return token & 0x3FFFFF;
      case 5:
        return NumberOperand();
      default:
        return (token & ~U64{0x3FFFFF}) | Below(256);
    }
  }

  fuzz::detail::Random random_;
  U64 size_ = 0;
  U64 offset_ = 0;  ///< the last one given
};

}  // namespace tenon_test::marshal
