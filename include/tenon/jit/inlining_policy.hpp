// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which calls the bodies of what they call stand for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <tenon/abi/config.hpp>
#include <tenon/jit/body_facts.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A call of a function that is defined in the module and not listened to.
struct InliningQuestion {
  const BodyFacts& callee;
  std::uint32_t call_sites = 0;  ///< of the callee in the whole module
  std::uint32_t depth = 0;       ///< bodies around the call that stand for calls of others
  std::uint32_t recursion = 0;   ///< bodies of the callee itself around the call
  bool is_in_loop = false;
  bool is_cold = false;  ///< a trap follows
};

/// How much of a function's growth has been used up. Sizes are bytes of wasm code: they say well
/// enough what comes of them, and what is decided depends on the module alone.
class InliningBudget {
 public:
  /// Little more than the call would be.
  static constexpr std::uint32_t kTiny = 20;
  /// Worth it if no calls follow from it, or if it is done often.
  static constexpr std::uint32_t kSmall = 30;
  static constexpr std::uint32_t kLeafInLoop = 100;
  static constexpr std::uint32_t kOnceInLoop = 250;  ///< if there is no other call
  static constexpr std::uint32_t kMostLocals = 64;
  static constexpr std::uint32_t kMostDepth = 4;

  /// A function that calls itself becomes so many calls deep, by its number of such calls; each
  /// level does away with part of the calls that the one around it would make.
  static constexpr std::uint32_t kMostRecursion[] = {0, 10, 3};
  static constexpr std::uint32_t kRecursive = 100;

  void Begin(const BodyFacts& caller) {
    left_ = kLeastGrowth + std::min(caller.CodeSize() / 2, kMostGrowth);
  }

  /// Whether to inline; if so the callee's size is taken from the budget.
  bool Take(const InliningQuestion& question) {
    if (!IsWorthwhile(question) || question.callee.CodeSize() > left_) return false;
    left_ -= question.callee.CodeSize();
    return true;
  }

 private:
  static constexpr std::uint32_t kLeastGrowth = 600;
  static constexpr std::uint32_t kMostGrowth = 8000;

  static bool IsWorthwhile(const InliningQuestion& question) {
    const BodyFacts& callee = question.callee;
    const std::uint32_t size = callee.CodeSize();
    if (question.is_cold || callee.locals > kMostLocals) return false;
    if (callee.calls_itself) {
      return question.recursion != 0 && size <= kRecursive &&
             callee.calls < std::size(kMostRecursion) &&
             question.recursion <= kMostRecursion[callee.calls];
    }
    if (question.recursion != 0 || question.depth >= kMostDepth) return false;
    if (size <= kTiny) return true;
    if (size <= kSmall) return callee.IsLeaf() || question.is_in_loop;
    if (!question.is_in_loop) return false;
    return size <= kLeafInLoop ? callee.IsLeaf() || question.call_sites == 1
                               : size <= kOnceInLoop && question.call_sites == 1;
  }

  std::uint32_t left_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
