// SPDX-License-Identifier: Apache-2.0
/// @file
/// The form of cache entries: what was changed, cut or swapped is never taken for what it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/cache/checksum.hpp>
#include <tenon/cache/entry.hpp>

namespace {

using namespace tenon::cache;
using Bytes = std::vector<std::uint8_t>;

Bytes Numbered(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

EntryIdentity SomeIdentity() {
  EntryIdentity identity;
  identity.key.fill(7);
  identity.engine = {'j', 'i', 't'};
  identity.engine_revision = 3;
  identity.version = 1;
  identity.layout = 0x123456789;
  identity.cpu = 0xFF;
  return identity;
}

const Bytes kKey = Numbered(32, 100);

EntryFault Check(std::span<const std::uint8_t> bytes, const EntryTrust& trust = {}) {
  EntryView view;
  return CheckEntry(bytes, trust, view);
}

}  // namespace

TEST_CASE("an entry gives back the module and the object it was made of") {
  const Bytes module = Numbered(300, 1);
  const Bytes object = Numbered(5000, 9);
  const Bytes entry = BuildEntry(SomeIdentity(), module, object, {});
  EntryView view;
  REQUIRE(CheckEntry(entry, {}, view) == EntryFault::None);
  CHECK(Bytes{view.module.begin(), view.module.end()} == module);
  CHECK(Bytes{view.object.begin(), view.object.end()} == object);
  CHECK(view.header.object_offset % kObjectAlignment == 0);
  CHECK(CompareEntry(view.header, SomeIdentity()) == EntryFault::None);
}

TEST_CASE("an entry may have no object, and a module of any size") {
  for (const std::size_t size : {0u, 1u, 3839u, 3840u, 3841u, 8000u}) {
    const Bytes entry = BuildEntry(SomeIdentity(), Numbered(size, 1), {}, {});
    EntryView view;
    REQUIRE(CheckEntry(entry, {}, view) == EntryFault::None);
    CHECK(view.module.size() == size);
    CHECK(view.object.empty());
  }
}

TEST_CASE("no flipped bit of an entry goes unnoticed") {
  const bool is_signed = GENERATE(false, true);
  const Bytes key = is_signed ? kKey : Bytes{};
  Bytes entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), key);
  const EntryTrust trust{key, false};
  REQUIRE(Check(entry, trust) == EntryFault::None);
  std::size_t unnoticed = 0;
  for (std::size_t i = 0; i < entry.size(); ++i) {
    // The signature says nothing to those who have no key.
    if (!is_signed && i >= offsetof(EntryHeader, mac) && i < offsetof(EntryHeader, size)) continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      entry[i] ^= static_cast<std::uint8_t>(1u << bit);
      unnoticed += Check(entry, trust) == EntryFault::None ? 1 : 0;
      entry[i] ^= static_cast<std::uint8_t>(1u << bit);
    }
  }
  CHECK(unnoticed == 0);
}

TEST_CASE("no truncated or extended entry goes unnoticed") {
  const bool is_signed = GENERATE(false, true);
  const Bytes key = is_signed ? kKey : Bytes{};
  Bytes entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), key);
  const std::span<const std::uint8_t> all{entry};
  std::size_t unnoticed = 0;
  for (std::size_t size = 0; size < entry.size(); ++size) {
    unnoticed += Check(all.first(size), {key, false}) == EntryFault::None ? 1 : 0;
    // Sizes are compared even where no checksum is asked for.
    unnoticed += Check(all.first(size), {{}, true}) == EntryFault::None ? 1 : 0;
  }
  entry.push_back(0);
  unnoticed += Check(entry, {key, false}) == EntryFault::None ? 1 : 0;
  CHECK(unnoticed == 0);
}

TEST_CASE("a change of the header shows even where the body's checksum is skipped") {
  Bytes entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), {});
  entry[offsetof(EntryHeader, key)] ^= 1;
  CHECK(Check(entry, {{}, true}) == EntryFault::Damaged);
}

TEST_CASE("only the key that signed an entry opens it") {
  const Bytes entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), kKey);
  const Bytes other = Numbered(32, 101);
  CHECK(Check(entry, {kKey, false}) == EntryFault::None);
  CHECK(Check(entry, {other, false}) == EntryFault::NotAuthentic);
  CHECK(Check(entry, {kKey, true}) == EntryFault::None);
  const Bytes unsigned_entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), {});
  CHECK(Check(unsigned_entry, {kKey, false}) == EntryFault::NotAuthentic);
  CHECK(Check(unsigned_entry, {kKey, true}) == EntryFault::NotAuthentic);
}

TEST_CASE("an entry says what is different about it") {
  const Bytes entry = BuildEntry(SomeIdentity(), Numbered(70, 1), Numbered(90, 2), {});
  EntryView view;
  REQUIRE(CheckEntry(entry, {}, view) == EntryFault::None);
  const auto compare = [&](auto change) {
    EntryIdentity expected = SomeIdentity();
    change(expected);
    return CompareEntry(view.header, expected);
  };
  CHECK(compare([](EntryIdentity& x) { x.version += 1; }) == EntryFault::OtherVersion);
  CHECK(compare([](EntryIdentity& x) { x.layout += 1; }) == EntryFault::OtherVersion);
  CHECK(compare([](EntryIdentity& x) { x.engine[0] = 'x'; }) == EntryFault::OtherVersion);
  CHECK(compare([](EntryIdentity& x) { x.engine_revision += 1; }) == EntryFault::OtherVersion);
  CHECK(compare([](EntryIdentity& x) { x.cpu = 1; }) == EntryFault::OtherProcessor);
  CHECK(compare([](EntryIdentity& x) { x.key[31] = 0; }) == EntryFault::OtherKey);
}

TEST_CASE("every fault of an entry has a text of its own") {
  std::set<std::string> texts;
  std::size_t faults = 0;
  for (int fault = 1; fault <= static_cast<int>(EntryFault::OtherModule); ++fault, ++faults) {
    texts.insert(EntryFaultText(static_cast<EntryFault>(fault)));
  }
  CHECK(texts.size() == faults);
  CHECK(texts.count("") == 0);
}

TEST_CASE("a checksum depends on every bit, on order and on length") {
  Bytes bytes = Numbered(200, 3);
  std::set<std::uint64_t> sums;
  std::size_t tried = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size, ++tried) {
    sums.insert(Checksum(std::span{bytes}.first(size)));
  }
  for (std::size_t i = 0; i < bytes.size() * 8; ++i, ++tried) {
    bytes[i / 8] ^= static_cast<std::uint8_t>(1u << i % 8);
    sums.insert(Checksum(bytes));
    bytes[i / 8] ^= static_cast<std::uint8_t>(1u << i % 8);
  }
  // Pairs of upper bits, which plain multiplication lets cancel each other.
  for (std::size_t i = 7; i + 64 < bytes.size(); i += 8, ++tried) {
    bytes[i] ^= 0x80;
    bytes[i + 64] ^= 0x80;
    sums.insert(Checksum(bytes));
    bytes[i] ^= 0x80;
    bytes[i + 64] ^= 0x80;
  }
  for (std::size_t i = 8; i < bytes.size(); i += 8, ++tried) {
    std::swap_ranges(bytes.begin(), bytes.begin() + 8,
                     bytes.begin() + static_cast<std::ptrdiff_t>(i));
    sums.insert(Checksum(bytes));
    std::swap_ranges(bytes.begin(), bytes.begin() + 8,
                     bytes.begin() + static_cast<std::ptrdiff_t>(i));
  }
  CHECK(sums.size() == tried);
}
