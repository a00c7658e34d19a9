// SPDX-License-Identifier: Apache-2.0
/// @file
/// The arrays and lists of which the compiler is made.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/short_list.hpp>

namespace {

using tenon::jit::FlatArray;
using tenon::jit::ShortList;

/// More elements than fit below the size from which arrays have pages of their own.
constexpr std::uint32_t kMany = 3 * tenon::wasm::detail::kMappedBytes / sizeof(std::uint32_t);

}  // namespace

TEST_CASE("arrays keep their elements while they grow, by whichever way") {
  FlatArray<std::uint32_t> pushed;
  FlatArray<std::uint32_t> resized;
  FlatArray<std::uint32_t> inserted;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    pushed.push_back(i * 7);
    resized.resize(i + 1, i * 7);
    expected.push_back(i * 7);
    if (i % 1000 == 999) {
      inserted.insert(inserted.end(), expected.end() - 1000, expected.end());
    }
  }
  inserted.insert(inserted.end(), expected.begin() + static_cast<std::ptrdiff_t>(inserted.size()),
                  expected.end());
  REQUIRE(pushed.size() == kMany);
  CHECK(std::equal(pushed.begin(), pushed.end(), expected.begin()));
  CHECK(pushed == resized);
  CHECK(pushed == inserted);
  pushed.resize(10);
  CHECK(pushed.size() == 10);
  pushed.assign(kMany, 5);
  CHECK(pushed == FlatArray<std::uint32_t>(kMany, 5));
}

TEST_CASE("an array takes in an element of its own") {
  FlatArray<std::uint64_t> array{1, 2, 3};
  for (int i = 0; i < 20'000; ++i) array.push_back(array.front());
  array.resize(50'000, array[1]);
  array.assign(60'000, array.back());
  CHECK(array == FlatArray<std::uint64_t>(60'000, 2));
}

TEST_CASE("arrays are copied and moved, and let go of much memory alone") {
  FlatArray<std::uint32_t> few{1, 2, 3};
  FlatArray<std::uint32_t> many(kMany, 9);
  FlatArray<std::uint32_t> copy = many;
  CHECK(copy == many);
  copy = few;
  CHECK(copy == few);
  const FlatArray<std::uint32_t> moved = std::move(many);
  CHECK(moved.size() == kMany);
  FlatArray<std::uint32_t> large(64 * kMany, 1);
  tenon::jit::ReleaseLarge(few, large);
  CHECK(few.size() == 3);
  CHECK(large.empty());
  CHECK(large.capacity() == 0);
}

TEST_CASE("short lists hold what does not fit into them as well") {
  for (std::uint32_t count = 0; count < 10; ++count) {
    CAPTURE(count);
    ShortList<std::uint32_t> list;
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < count; ++i) {
      list.push_back(i * 3);
      expected.push_back(i * 3);
    }
    const auto holds = [&](const ShortList<std::uint32_t>& some) {
      return std::vector<std::uint32_t>(some.begin(), some.end()) == expected;
    };
    CHECK(holds(list));
    ShortList<std::uint32_t> copy{1, 2, 3, 4};
    copy = list;
    CHECK(holds(copy));
    ShortList<std::uint32_t> moved{5, 6, 7};
    moved = std::move(copy);
    CHECK(holds(moved));
    CHECK(copy.empty());
    CHECK(holds(std::span<const std::uint32_t>{expected}));
    list.assign(count, 8);
    CHECK(list.size() == count);
    for (const std::uint32_t value : list) CHECK(value == 8);
  }
}
