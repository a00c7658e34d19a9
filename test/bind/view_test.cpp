// SPDX-License-Identifier: Apache-2.0
/// @file
/// std::string_view and std::span<T> parameters: bounds, alignment, lifetime of the base.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::TrapCode;
using tenon::ValueType;

namespace {

constexpr std::uint32_t kSize = FakeInstance::kMemorySize;
constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();

struct Seen {
  const void* data = nullptr;
  std::size_t size = 0;
  int calls = 0;
};

/// The trap that a view parameter gives for an offset and a length.
template <class View>
TrapCode TrapOf(FakeInstance& fake, Seen& seen, std::uint32_t offset, std::uint32_t length) {
  auto function = Bind([&seen](View view) { seen = {view.data(), view.size(), seen.calls + 1}; });
  fake.Clear();
  seen = {};
  fake.Native<void>(function.Get(), offset, length);
  const TrapCode native = fake.trap;
  CHECK(seen.calls == (native == TrapCode::None ? 1 : 0));
  CHECK(fake.raised == (native == TrapCode::None ? 0 : 1));
  fake.Clear();
  fake.Slots(function.Get(), {0xFFFFFFFF00000000 | offset, 0xFFFFFFFF00000000 | length});
  CHECK(fake.trap == native);
  return native;
}

}  // namespace

TEST_CASE("a view takes two i32 operands") {
  auto function = Bind([](float, std::string_view, std::span<double>, int) {});
  CHECK(Parameters(function.Get()) == std::vector<ValueType>{ValueType::F32, ValueType::I32,
                                                             ValueType::I32, ValueType::I32,
                                                             ValueType::I32, ValueType::I32});
  CHECK(Widths(function.Get()) == std::vector<int>{1, 2, 2, 1});
  CHECK((function.Get().signature->flags & tenon::abi::kFunctionNeedsMemory) != 0);
}

TEST_CASE("a string_view shows the guest's bytes") {
  FakeInstance fake;
  std::memcpy(fake.Bytes() + 10, "hello", 5);
  bool same = false;
  auto function = Bind([&](std::string_view text) { same = text == "hello"; });
  fake.Native<void>(function.Get(), 10u, 5u);
  CHECK(same);
}

TEST_CASE("a span reads and writes the guest's memory in place") {
  FakeInstance fake;
  auto function = Bind([](std::span<const std::uint16_t> in, std::span<std::uint32_t> out) {
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] + 1u;
    return static_cast<std::uint32_t>(in.size());
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 4u, 3u, 64u, 3u) == 3);
  std::uint32_t values[3];
  std::memcpy(values, fake.Bytes() + 64, sizeof(values));
  CHECK(values[0] == 0x0505);
  CHECK(values[1] == 0x0707);
  CHECK(values[2] == 0x0909);
}

TEST_CASE("views are bounded by the memory, in elements, without wrapping") {
  FakeInstance fake;
  Seen seen;
  CHECK(TrapOf<std::string_view>(fake, seen, 0, kSize) == TrapCode::None);
  CHECK(TrapOf<std::string_view>(fake, seen, 0, kSize + 1) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::string_view>(fake, seen, 1, kSize) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::string_view>(fake, seen, kSize - 1, 1) == TrapCode::None);
  CHECK(TrapOf<std::string_view>(fake, seen, kMax, 1) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::string_view>(fake, seen, 1, kMax) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::string_view>(fake, seen, kMax, kMax) == TrapCode::OutOfBoundsMemoryAccess);
  using Words = std::span<const std::uint32_t>;
  CHECK(TrapOf<Words>(fake, seen, 0, kSize / 4) == TrapCode::None);
  CHECK(seen.size == kSize / 4);
  CHECK(TrapOf<Words>(fake, seen, 0, kSize / 4 + 1) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<Words>(fake, seen, 4, kSize / 4) == TrapCode::OutOfBoundsMemoryAccess);
  // 2^30 elements of 4 bytes are 2^32 bytes: zero if computed in 32 bits.
  CHECK(TrapOf<Words>(fake, seen, 0, 1u << 30) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::span<tenon::V128>>(fake, seen, kMax - 15, kMax) ==
        TrapCode::OutOfBoundsMemoryAccess);
}

TEST_CASE("empty views are legal up to the end of memory and have a data pointer") {
  FakeInstance fake;
  Seen seen;
  CHECK(TrapOf<std::string_view>(fake, seen, 0, 0) == TrapCode::None);
  CHECK(seen.data == fake.Bytes());
  CHECK(TrapOf<std::string_view>(fake, seen, kSize, 0) == TrapCode::None);
  CHECK(seen.data == fake.Bytes() + kSize);
  CHECK(TrapOf<std::string_view>(fake, seen, kSize + 1, 0) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::string_view>(fake, seen, kMax, 0) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<std::span<double>>(fake, seen, 3, 0) == TrapCode::None);
  CHECK(seen.size == 0);
  fake.Memory().size.Store(0);
  CHECK(TrapOf<std::string_view>(fake, seen, 0, 0) == TrapCode::None);
  CHECK(seen.data != nullptr);
  CHECK(TrapOf<std::string_view>(fake, seen, 0, 1) == TrapCode::OutOfBoundsMemoryAccess);
}

TEST_CASE("spans must be aligned for their elements") {
  FakeInstance fake;
  Seen seen;
  CHECK(TrapOf<std::span<std::uint8_t>>(fake, seen, 1, 4) == TrapCode::None);
  CHECK(TrapOf<std::span<std::byte>>(fake, seen, 3, 4) == TrapCode::None);
  CHECK(TrapOf<std::span<const std::uint16_t>>(fake, seen, 1, 4) == TrapCode::UnalignedAccess);
  CHECK(TrapOf<std::span<float>>(fake, seen, 2, 1) == TrapCode::UnalignedAccess);
  CHECK(TrapOf<std::span<double>>(fake, seen, 4, 1) == TrapCode::UnalignedAccess);
  CHECK(TrapOf<std::span<double>>(fake, seen, 8, 1) == TrapCode::None);
  CHECK(TrapOf<std::span<tenon::V128>>(fake, seen, 8, 1) == TrapCode::UnalignedAccess);
  CHECK(TrapOf<std::span<tenon::V128>>(fake, seen, 16, 1) == TrapCode::None);
  CHECK(TrapOf<std::u16string_view>(fake, seen, 1, 1) == TrapCode::UnalignedAccess);
  // Out of bounds comes first.
  CHECK(TrapOf<std::span<double>>(fake, seen, kSize - 4, 1) == TrapCode::OutOfBoundsMemoryAccess);
}

TEST_CASE("the trap counts the parameter as the signature does, and later ones are not looked at") {
  FakeInstance fake;
  int calls = 0;
  auto function =
      Bind([&](tenon::Module&, int, std::string_view, std::span<int>, std::uint8_t) { ++calls; });
  fake.Native<void>(function.Get(), 0u, 0u, kSize + 1, 0u, 1u, 0u);
  CHECK(fake.parameter == 2);
  fake.Clear();
  fake.Native<void>(function.Get(), 0u, 0u, 1u, 1u, 1u, 256u);
  CHECK(fake.trap == TrapCode::UnalignedAccess);
  CHECK(fake.parameter == 3);
  CHECK(fake.raised == 1);
  fake.Clear();
  fake.Native<void>(function.Get(), 0u, 0u, 1u, 4u, 1u, 256u);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
  CHECK(fake.parameter == 4);
  CHECK(calls == 0);
}

TEST_CASE("each call reads base and size anew") {
  FakeInstance fake;
  const void* data = nullptr;
  auto function = Bind([&](std::string_view text) { data = text.data(); });
  fake.Native<void>(function.Get(), kSize, 1u);
  CHECK(fake.trap == TrapCode::OutOfBoundsMemoryAccess);
  std::vector<std::uint8_t> grown(2 * kSize);
  fake.Memory().base = grown.data();
  fake.Memory().size.Store(grown.size());
  fake.Clear();
  fake.Native<void>(function.Get(), kSize, 1u);
  CHECK(fake.trap == TrapCode::None);
  CHECK(data == grown.data() + kSize);
}
