// SPDX-License-Identifier: Apache-2.0
/// @file
/// Canonical NaN: with the mode on, computed NaNs do not depend on the machine.
#include <array>
#include <cstdint>
#include <cstring>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

constexpr std::uint32_t kCanonical32 = 0x7FC00000;
constexpr std::uint64_t kCanonical64 = 0x7FF8000000000000;
constexpr std::uint32_t kPayload32 = 0x7FC12345;
constexpr std::uint64_t kPayload64 = 0x7FF8000000012345;
constexpr std::uint32_t kInfinity32 = 0x7F800000;

}  // namespace

TEST_CASE("computed NaNs are canonical in the canonical mode") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCanonicalNaN(true)};
  const tenon::Module guest = runtime.Instantiate(guests::Nan());
  const auto binary32 = [&](const char* name) {
    return guest.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>(name);
  };
  const auto unary32 = [&](const char* name) {
    return guest.ExportedFunction<std::uint32_t(std::uint32_t)>(name);
  };
  const auto unary64 = [&](const char* name) {
    return guest.ExportedFunction<std::uint64_t(std::uint64_t)>(name);
  };
  for (const char* name : {"f32_add", "f32_sub", "f32_mul", "f32_div", "f32_min", "f32_max"}) {
    INFO(name);
    CHECK(binary32(name)(kPayload32, 0x3F800000) == kCanonical32);
    CHECK(binary32(name)(0x3F800000, kPayload32) == kCanonical32);
    CHECK(binary32(name)(0xFFA00001, kPayload32) == kCanonical32);
  }
  CHECK(binary32("f32_div")(0, 0) == kCanonical32);
  CHECK(binary32("f32_sub")(kInfinity32, kInfinity32) == kCanonical32);
  CHECK(binary32("f32_mul")(0, kInfinity32) == kCanonical32);
  for (const char* name : {"f32_sqrt", "f32_ceil", "f32_floor", "f32_trunc", "f32_nearest"}) {
    INFO(name);
    CHECK(unary32(name)(kPayload32) == kCanonical32);
  }
  CHECK(unary32("f32_sqrt")(0xBF800000) == kCanonical32);
  CHECK(unary64("f64_sqrt")(kPayload64) == kCanonical64);
  CHECK(guest.ExportedFunction<std::uint64_t(std::uint64_t, std::uint64_t)>("f64_add")(
            kPayload64, 0) == kCanonical64);
  CHECK(guest.ExportedFunction<std::uint64_t(std::uint32_t)>("promote")(kPayload32) ==
        kCanonical64);
  CHECK(guest.ExportedFunction<std::uint32_t(std::uint64_t)>("demote")(kPayload64) == kCanonical32);
}

TEST_CASE("canonical lanes of vectors are canonical, others are left alone") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCanonicalNaN(true)};
  const tenon::Module guest = runtime.Instantiate(guests::Nan());
  const auto add = guest.ExportedFunction<tenon::V128(tenon::V128, tenon::V128)>("f32x4_add");
  const std::array<std::uint32_t, 4> lanes{kPayload32, 0x3F800000, 0xFFC54321, 0};
  tenon::V128 operand;
  std::memcpy(operand.bytes, lanes.data(), 16);
  const tenon::V128 sum = add(operand, tenon::V128{});
  std::array<std::uint32_t, 4> result{};
  std::memcpy(result.data(), sum.bytes, 16);
  CHECK(result == std::array<std::uint32_t, 4>{kCanonical32, 0x3F800000, kCanonical32, 0});
}

TEST_CASE("operations on bits keep payloads in every mode") {
  for (const bool canonical : {false, true}) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCanonicalNaN(canonical)};
    const tenon::Module guest = runtime.Instantiate(guests::Nan());
    const auto unary = [&](const char* name) {
      return guest.ExportedFunction<std::uint32_t(std::uint32_t)>(name)(kPayload32);
    };
    CHECK(unary("f32_neg") == (kPayload32 | 0x80000000));
    CHECK(unary("f32_abs") == kPayload32);
    CHECK(unary("f32_pass") == kPayload32);
  }
}

TEST_CASE("without the mode a NaN operand's payload is kept, as hardware does") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Nan());
  CHECK(guest.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>("f32_add")(
            kPayload32, 0) == kPayload32);
}
