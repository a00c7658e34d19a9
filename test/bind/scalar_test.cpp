// SPDX-License-Identifier: Apache-2.0
/// @file
/// Each scalar type: its wasm type, its values, its range.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::ExternRef;
using tenon::FuncRef;
using tenon::TrapCode;
using tenon::V128;
using tenon::ValueType;

namespace {

/// Wasm type of an identity function on T.
template <class T>
ValueType TypeOf() {
  auto function = Bind([](T value) { return value; });
  REQUIRE(Parameters(function.Get()).size() == 1);
  REQUIRE(Parameters(function.Get()) == Results(function.Get()));
  return Parameters(function.Get())[0];
}

enum class Small : std::int8_t {};
enum class Wide : std::uint64_t {};
enum class Flag : bool {};
enum Plain : std::uint16_t {};

struct Celsius {
  int degrees;
};
struct Even {
  explicit Even(std::uint8_t number) : value{number} {}
  std::uint8_t value;
};
enum class Remapped : std::uint8_t { A = 1, B = 2 };

}  // namespace

template <>
struct tenon::WasmType<Celsius> {
  using Wire = std::int32_t;
  static Celsius FromWasm(std::int32_t value) { return {value - 273}; }
  static std::int32_t ToWasm(const Celsius& value) { return value.degrees + 273; }
};
template <>
struct tenon::WasmType<Even> {
  using Wire = std::uint8_t;
  static bool Accepts(std::uint8_t value) { return value % 2 == 0; }
  static Even FromWasm(std::uint8_t value) { return Even{value}; }
  static std::uint8_t ToWasm(Even value) { return value.value; }
};
template <>
struct tenon::WasmType<Remapped> {
  using Wire = double;
  static Remapped FromWasm(double value) { return value < 0 ? Remapped::A : Remapped::B; }
  static double ToWasm(Remapped value) { return value == Remapped::A ? -1 : 1; }
};

TEST_CASE("every scalar type maps to the documented wasm type") {
  CHECK(TypeOf<bool>() == ValueType::I32);
  CHECK(TypeOf<char>() == ValueType::I32);
  CHECK(TypeOf<signed char>() == ValueType::I32);
  CHECK(TypeOf<unsigned char>() == ValueType::I32);
  CHECK(TypeOf<short>() == ValueType::I32);
  CHECK(TypeOf<unsigned short>() == ValueType::I32);
  CHECK(TypeOf<int>() == ValueType::I32);
  CHECK(TypeOf<unsigned>() == ValueType::I32);
  CHECK(TypeOf<long>() == (sizeof(long) == 8 ? ValueType::I64 : ValueType::I32));
  CHECK(TypeOf<unsigned long>() == (sizeof(long) == 8 ? ValueType::I64 : ValueType::I32));
  CHECK(TypeOf<long long>() == ValueType::I64);
  CHECK(TypeOf<unsigned long long>() == ValueType::I64);
  CHECK(TypeOf<std::int64_t>() == ValueType::I64);
  CHECK(TypeOf<std::size_t>() == (sizeof(std::size_t) == 8 ? ValueType::I64 : ValueType::I32));
  CHECK(TypeOf<char8_t>() == ValueType::I32);
  CHECK(TypeOf<char16_t>() == ValueType::I32);
  CHECK(TypeOf<char32_t>() == ValueType::I32);
  CHECK(TypeOf<wchar_t>() == ValueType::I32);
  CHECK(TypeOf<std::byte>() == ValueType::I32);
  CHECK(TypeOf<Small>() == ValueType::I32);
  CHECK(TypeOf<Wide>() == ValueType::I64);
  CHECK(TypeOf<Plain>() == ValueType::I32);
  CHECK(TypeOf<float>() == ValueType::F32);
  CHECK(TypeOf<double>() == ValueType::F64);
  CHECK(TypeOf<V128>() == ValueType::V128);
  CHECK(TypeOf<ExternRef>() == ValueType::ExternRef);
  CHECK(TypeOf<FuncRef>() == ValueType::FuncRef);
  CHECK(TypeOf<Celsius>() == ValueType::I32);
  CHECK(TypeOf<Remapped>() == ValueType::F64);
}

TEST_CASE("values of full width cross unchanged") {
  FakeInstance fake;
  auto i32 = Bind([](std::int32_t v) { return v; });
  auto u64 = Bind([](std::uint64_t v) { return v; });
  for (std::uint32_t v : {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
    CHECK(fake.Native<std::uint32_t>(i32.Get(), v) == v);
    CHECK(fake.Slots(i32.Get(), {v})[0] == v);
  }
  for (std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    CHECK(fake.Native<std::uint64_t>(u64.Get(), v) == v);
    CHECK(fake.Slots(u64.Get(), {v})[0] == v);
  }
  CHECK(fake.raised == 0);
}

TEST_CASE("floats cross bit by bit") {
  FakeInstance fake;
  auto f32 = Bind([](float v) { return v; });
  auto f64 = Bind([](double v) { return v; });
  for (std::uint32_t bits : {0x7FA00001u, 0xFFC12345u, 0x80000000u, 0x7F800000u, 1u}) {
    const auto value = std::bit_cast<float>(bits);
    CHECK(std::bit_cast<std::uint32_t>(fake.Native<float>(f32.Get(), value)) == bits);
    CHECK(fake.Slots(f32.Get(), {0xDEADBEEF00000000u | bits})[0] == bits);
  }
  for (std::uint64_t bits : {0x7FF4000000000001u, 0xFFF8123456789ABCu, 0x8000000000000000u}) {
    const auto value = std::bit_cast<double>(bits);
    CHECK(std::bit_cast<std::uint64_t>(fake.Native<double>(f64.Get(), value)) == bits);
    CHECK(fake.Slots(f64.Get(), {bits})[0] == bits);
  }
}

namespace {

#if defined(__x86_64__)
/// Leaves junk above the 32 bits that a thunk takes from each register.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
std::uint32_t
CallWithWideOperands(FakeInstance& fake, const tenon::abi::HostFunction& function) {
  using Code = std::uint32_t (*)(void*, tenon::abi::InstanceHeader*, std::uint64_t, std::uint64_t,
                                 std::uint64_t);
  return reinterpret_cast<Code>(function.signature->thunk)(
      function.state, fake.Header(), 0xFFFFFFFF000000FF, 0x123456780000000A, 0xFFFFFFFF00000000);
}
#endif

}  // namespace

TEST_CASE("junk in the upper half of an i32 is ignored") {
  FakeInstance fake;
  auto function = Bind([](std::uint8_t a, std::int32_t b, bool c) {
    return static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b) + (c ? 1000u : 0u);
  });
  CHECK(fake.Slots(function.Get(),
                   {0xFFFFFFFF000000FF, 0x123456780000000A, 0xFFFFFFFF00000000})[0] == 265);
  CHECK(fake.raised == 0);
#if defined(__x86_64__)
  CHECK(CallWithWideOperands(fake, function.Get()) == 265);
#endif
}

namespace {

/// Native results of an identity function on T for each operand; a refused one must trap.
template <class T>
void CheckRange(const std::vector<std::int64_t>& accepted,
                const std::vector<std::int64_t>& refused) {
  FakeInstance fake;
  int calls = 0;
  auto function = Bind([&calls](T value) {
    ++calls;
    return value;
  });
  for (std::int64_t value : accepted) {
    fake.Clear();
    calls = 0;
    CAPTURE(value);
    const auto operand = static_cast<std::uint32_t>(value);
    CHECK(fake.Native<std::uint32_t>(function.Get(), operand) == operand);
    CHECK(fake.Slots(function.Get(), {operand})[0] == operand);
    CHECK(fake.trap == TrapCode::None);
    CHECK(calls == 2);
  }
  for (std::int64_t value : refused) {
    fake.Clear();
    calls = 0;
    CAPTURE(value);
    const auto operand = static_cast<std::uint32_t>(value);
    CHECK(fake.Native<std::uint32_t>(function.Get(), operand) == 0);
    CHECK(fake.trap == TrapCode::ValueOutOfRange);
    CHECK(fake.parameter == 0);
    CHECK(fake.raised == 1);
    CHECK(calls == 0);
  }
  CHECK(fake.junk == 0);
}

}  // namespace

TEST_CASE("narrow integers trap outside of their range") {
  CheckRange<std::int8_t>({-128, -1, 0, 127}, {128, -129, 255, 65535, 0x7FFFFFFF, -0x80000000LL});
  CheckRange<std::uint8_t>({0, 127, 128, 255}, {256, -1, 65535, -0x80000000LL});
  CheckRange<std::int16_t>({-32768, -1, 0, 32767}, {32768, -32769, 65535});
  CheckRange<std::uint16_t>({0, 65535}, {65536, -1});
  CheckRange<char>({-128, -1, 0, 127}, {128, -129, 255});
  CheckRange<char8_t>({0, 255}, {256, -1});
  CheckRange<char16_t>({0, 65535}, {65536, -1});
  CheckRange<char32_t>({0, 0x110000, -1}, {});
  CheckRange<wchar_t>({0, 0x7FFFFFFF, -1}, {});
  CheckRange<Small>({-128, 127}, {128, 255});
  CheckRange<Plain>({0, 65535}, {65536, -1});
  CheckRange<std::byte>({0, 255}, {256, -1});
}

TEST_CASE("bool takes every value but returns 0 or 1") {
  FakeInstance fake;
  auto function = Bind([](bool value) { return value; });
  auto flag = Bind([](Flag value) { return value; });
  for (std::uint32_t v : {1u, 2u, 256u, 0x80000000u, 0xFFFFFFFFu}) {
    CHECK(fake.Native<std::uint32_t>(function.Get(), v) == 1);
    CHECK(fake.Native<std::uint32_t>(flag.Get(), v) == 1);
  }
  CHECK(fake.Native<std::uint32_t>(function.Get(), 0u) == 0);
  CHECK(fake.raised == 0);
}

TEST_CASE("v128 crosses in a vector register and in two slots") {
  FakeInstance fake;
  auto function = Bind([](V128 a, std::uint64_t b, V128 c) {
    V128 sum = a;
    for (int i = 0; i < 16; ++i) {
      sum.bytes[i] = static_cast<std::uint8_t>(sum.bytes[i] + c.bytes[i] * b);
    }
    return sum;
  });
  tenon::abi::NativeV128 a{}, c{};
  for (int i = 0; i < 16; ++i) {
    a[i] = static_cast<std::uint8_t>(i);
    c[i] = 1;
  }
  const auto sum = fake.Native<tenon::abi::NativeV128>(function.Get(), a, std::uint64_t{3}, c);
  for (int i = 0; i < 16; ++i) CHECK(sum[i] == i + 3);
  const auto slots = fake.Slots(function.Get(), {0x0706050403020100, 0x0F0E0D0C0B0A0908, 3,
                                                 0x0101010101010101, 0x0101010101010101});
  CHECK(slots[0] == 0x0A09080706050403);
  CHECK(slots[1] == 0x1211100F0E0D0C0B);
}

TEST_CASE("references cross with null") {
  FakeInstance fake;
  int object = 0;
  const tenon::abi::FunctionRecord record{};
  fake.held = &record;
  bool is_null = false;
  auto external = Bind([&](ExternRef ref) {
    is_null = ref.IsNull();
    return ref;
  });
  auto function = Bind([&](FuncRef ref) {
    is_null = ref.IsNull();
    return ref;
  });
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&object));
  const auto code = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&record));
  CHECK(fake.Native<std::uint64_t>(external.Get(), address) == address);
  CHECK_FALSE(is_null);
  CHECK(fake.Native<std::uint64_t>(external.Get(), std::uint64_t{0}) == 0);
  CHECK(is_null);
  CHECK(fake.Slots(function.Get(), {code})[0] == code);
  CHECK_FALSE(is_null);
  CHECK(fake.Slots(function.Get(), {0})[0] == 0);
  CHECK(is_null);
}

TEST_CASE("ExternRef and FuncRef are trivial values") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<ExternRef>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<FuncRef>);
  STATIC_REQUIRE(sizeof(ExternRef) == sizeof(void*));
  STATIC_REQUIRE(ExternRef().IsNull());
  STATIC_REQUIRE(FuncRef().IsNull());
  int object = 0;
  const ExternRef ref{&object};
  CHECK(ref.Get() == &object);
  CHECK(ref == ExternRef{reinterpret_cast<std::uintptr_t>(&object)});
  CHECK(ref != ExternRef{});
  CHECK(ExternRef{static_cast<void*>(nullptr)}.IsNull());
  const tenon::abi::FunctionRecord record{};
  CHECK(FuncRef{&record}.Record() == &record);
  CHECK(FuncRef{&record} != FuncRef{});
}

TEST_CASE("user types convert through their wire type") {
  FakeInstance fake;
  auto function = Bind([](Celsius value) { return Celsius{value.degrees * 2}; });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 283u) == 293);
  CHECK(fake.Slots(function.Get(), {283})[0] == 293);
  auto remapped = Bind([](Remapped value) { return value; });
  CHECK(fake.Native<double>(remapped.Get(), -5.0) == -1.0);
}

TEST_CASE("user types obey the range of their wire type, then Accepts") {
  FakeInstance fake;
  auto function = Bind([](int, Even value) { return value; });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 0u, 254u) == 254);
  CHECK(fake.raised == 0);
  CHECK(fake.Native<std::uint32_t>(function.Get(), 0u, 256u) == 0);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
  CHECK(fake.parameter == 1);
  fake.Clear();
  CHECK(fake.Native<std::uint32_t>(function.Get(), 0u, 3u) == 0);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
  CHECK(fake.parameter == 1);
}
