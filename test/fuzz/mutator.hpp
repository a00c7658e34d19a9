// SPDX-License-Identifier: Apache-2.0
/// @file
/// Damages WebAssembly modules in a repeatable way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fuzz {

using Bytes = std::vector<std::uint8_t>;

/// How much is tried.
struct Plan {
  std::uint64_t seed = 1;
  std::uint64_t scale_percent = 100;
};

/// A module to start from.
struct Sample {
  std::string name;
  Bytes bytes;
};

/// Modules that between them have every kind of section, for when no files are given.
std::vector<Sample> Samples();

/// A part of a module whose size stands before it: a section, or a function body inside one.
struct Container {
  std::size_t size_field = 0;  ///< of the LEB128 number
  std::size_t begin = 0;       ///< of the contents
  std::size_t end = 0;
};

namespace detail {

/// SplitMix64.
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
  std::size_t Below(std::size_t limit) { return static_cast<std::size_t>(Next() % limit); }

 private:
  std::uint64_t state_;
};

inline std::optional<std::uint64_t> ReadLeb(const Bytes& bytes, std::size_t& at, std::size_t end) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35 && at < end; shift += 7) {
    const std::uint8_t byte = bytes[at++];
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

inline Bytes EncodeLeb(std::uint64_t value) {
  Bytes out;
  do {
    const auto low = static_cast<std::uint8_t>(value & 0x7F);
    value >>= 7;
    out.push_back(value == 0 ? low : static_cast<std::uint8_t>(low | 0x80));
  } while (value != 0);
  return out;
}

inline std::optional<Container> ReadContainer(const Bytes& bytes, std::size_t& at,
                                              std::size_t end) {
  Container container;
  container.size_field = at;
  const std::optional<std::uint64_t> size = ReadLeb(bytes, at, end);
  if (!size || *size > end - at) return std::nullopt;
  container.begin = at;
  container.end = at += static_cast<std::size_t>(*size);
  return container;
}

}  // namespace detail

/// Sections and function bodies of a well-formed module, outer before inner; of other bytes those
/// up to the first fault.
inline std::vector<Container> FindContainers(const Bytes& bytes) {
  constexpr std::uint8_t kCodeSection = 10;
  std::vector<Container> found;
  std::size_t at = 8;
  while (at < bytes.size()) {
    const std::uint8_t id = bytes[at++];
    const std::optional<Container> section = detail::ReadContainer(bytes, at, bytes.size());
    if (!section) break;
    found.push_back(*section);
    if (id != kCodeSection) continue;
    std::size_t inner = section->begin;
    const std::uint64_t count = detail::ReadLeb(bytes, inner, section->end).value_or(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::optional<Container> body = detail::ReadContainer(bytes, inner, section->end);
      if (!body) break;
      found.push_back(*body);
    }
  }
  return found;
}

/// Replaces `removed` bytes at `offset` and corrects the sizes of what contains them, so that the
/// damage is met where it is and not as a wrong size.
inline Bytes Splice(const Bytes& bytes, const std::vector<Container>& containers,
                    std::size_t offset, std::size_t removed, const Bytes& inserted) {
  Bytes changed = bytes;
  removed = std::min(removed, bytes.size() - offset);
  const auto place = changed.begin() + static_cast<std::ptrdiff_t>(offset);
  changed.erase(place, place + static_cast<std::ptrdiff_t>(removed));
  changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(offset), inserted.begin(),
                 inserted.end());
  std::size_t grown = inserted.size() - removed;  // modulo 2^64, as are the sums below
  // Inner ones first: their size fields may grow as well.
  for (std::size_t i = containers.size(); i-- > 0;) {
    const Container& container = containers[i];
    if (offset < container.begin || offset >= container.end) continue;
    const Bytes size = detail::EncodeLeb(container.end - container.begin + grown);
    const auto field = changed.begin() + static_cast<std::ptrdiff_t>(container.size_field);
    const std::size_t field_size = container.begin - container.size_field;
    const auto behind = changed.erase(field, field + static_cast<std::ptrdiff_t>(field_size));
    changed.insert(behind, size.begin(), size.end());
    grown += size.size() - field_size;
  }
  return changed;
}

/// Calls `use(std::span<const std::uint8_t>)` with damaged copies of a module:
/// - cut off at each byte (at some, if it is large);
/// - with the count at the start of each section and body set to huge values;
/// - with huge numbers in place of some other bytes, sizes of sections and bodies corrected;
/// - with one to four bits flipped, bytes replaced, removed or repeated.
template <class Use>
void Mutate(const Bytes& bytes, const Plan& plan, Use use) {
  if (bytes.empty()) return;
  constexpr std::size_t kSmall = 256;
  const std::vector<Container> containers = FindContainers(bytes);
  detail::Random random{plan.seed ^ bytes.size() << 32 ^ bytes.back()};
  // Small modules are many and large ones few: the number of trials grows slowly with the size.
  const std::size_t base = std::min<std::size_t>(6 + bytes.size() / 8, 400);
  const auto trials = static_cast<std::size_t>(base * plan.scale_percent / 100);

  const std::size_t cuts = std::min(bytes.size(), kSmall);
  for (std::size_t i = 0; i < cuts; ++i) {
    const std::size_t length = bytes.size() <= kSmall ? i : random.Below(bytes.size());
    // A copy of its own, so that a sanitizer sees what reads past the end.
    use(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)));
  }

  static constexpr std::uint64_t kHuge[] = {0xFFFFFFFF, 0x7FFFFFFF, 1'000'000, 1'000,
                                            0x80000000, 10'000'000, 100'000,   50'000};
  for (const Container& container : containers) {
    std::size_t end = container.begin;
    if (!detail::ReadLeb(bytes, end, container.end)) continue;
    // Large modules have many bodies; one value is enough for each of those.
    const std::size_t values = containers.size() < 64 ? 4 : 1;
    for (std::size_t i = 0; i < values; ++i) {
      const std::uint64_t huge = kHuge[values == 1 ? random.Below(std::size(kHuge)) : i];
      use(Splice(bytes, containers, container.begin, end - container.begin,
                 detail::EncodeLeb(huge)));
    }
  }

  for (std::size_t i = 0; i < trials; ++i) {
    const std::uint64_t huge = kHuge[random.Below(std::size(kHuge))];
    use(Splice(bytes, containers, random.Below(bytes.size()), 1, detail::EncodeLeb(huge)));
  }

  for (std::size_t i = 0; i < trials; ++i) {
    Bytes flipped = bytes;
    for (std::size_t flips = 1 + random.Below(4); flips > 0; --flips) {
      flipped[random.Below(flipped.size())] ^= static_cast<std::uint8_t>(1u << random.Below(8));
    }
    use(flipped);
  }

  for (std::size_t i = 0; i < trials; ++i) {
    const std::size_t offset = random.Below(bytes.size());
    const auto byte = static_cast<std::uint8_t>(random.Next());
    switch (random.Below(3)) {
      case 0:
        use(Splice(bytes, containers, offset, 1, {byte}));
        break;
      case 1:
        use(Splice(bytes, containers, offset, 1, {}));
        break;
      default:
        use(Splice(bytes, containers, offset, 0, {bytes[offset], byte}));
    }
  }
}

}  // namespace fuzz
