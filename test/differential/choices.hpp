// SPDX-License-Identifier: Apache-2.0
/// @file
/// The decisions a generator makes: random, recorded, and replayed after a change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace differential {

/// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  /// Below `limit`, which must not be 0.
  std::uint64_t Below(std::uint64_t limit) { return Next() % limit; }
  std::uint64_t Bits() { return Next(); }

 private:
  std::uint64_t state_;
};

/// A sequence of numbers that decides everything about a generated module. Drawn from a seed, or
/// given: then it continues with zeros. A generator takes its simplest way for 0 and ends on zeros
/// alone, so that any sequence makes a valid module and a shorter one makes a smaller module. This
/// is what the reducer works on.
class Choices {
 public:
  /// Part of the sequence that made one instruction or statement.
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  explicit Choices(std::uint64_t seed) : random_{seed}, is_replay_{false} {}
  explicit Choices(std::vector<std::uint64_t> values)
      : random_{0}, given_{std::move(values)}, is_replay_{true} {}

  std::uint64_t Bits() { return Draw(0); }
  /// Below `limit`, which must not be 0.
  std::size_t Below(std::size_t limit) { return static_cast<std::size_t>(Draw(limit)); }
  std::uint32_t Index(std::size_t limit) { return static_cast<std::uint32_t>(Below(limit)); }
  /// True `percent` times in a hundred; false is the simpler answer.
  bool Chance(std::size_t percent) { return Below(100) >= 100 - percent; }
  template <class T, std::size_t N>
  const T& Pick(const std::array<T, N>& items) {
    return items[Below(N)];
  }
  template <class T>
  const T& Pick(const std::vector<T>& items) {
    return items[Below(items.size())];
  }

  std::size_t Mark() const { return taken_.size(); }
  /// Records that what was drawn since `mark` belongs together.
  void Note(std::size_t mark) {
    if (taken_.size() > mark) spans_.push_back({mark, taken_.size()});
  }

  const std::vector<std::uint64_t>& Taken() const { return taken_; }
  const std::vector<Span>& Spans() const { return spans_; }

 private:
  /// Limit 0 stands for 2^64.
  std::uint64_t Draw(std::uint64_t limit) {
    std::uint64_t value = 0;
    if (!is_replay_) {
      value = random_.Next();
    } else if (taken_.size() < given_.size()) {
      value = given_[taken_.size()];
    }
    if (limit != 0) value %= limit;
    taken_.push_back(value);
    return value;
  }

  Random random_;
  std::vector<std::uint64_t> given_;
  bool is_replay_;
  std::vector<std::uint64_t> taken_;
  std::vector<Span> spans_;
};

}  // namespace differential
