// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters that stand for memory of the guest: View, In, Out, InOut, CString, GuestPtr.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::CString;
using tenon::GuestPtr;
using tenon::GuestSize;
using tenon::In;
using tenon::InOut;
using tenon::Out;
using tenon::TrapCode;
using tenon::ValueType;
using tenon::View;

namespace {

constexpr std::uint32_t kSize = FakeInstance::kMemorySize;
constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();

std::uint32_t WordAt(FakeInstance& fake, std::size_t offset) {
  std::uint32_t word;
  std::memcpy(&word, fake.Bytes() + offset, sizeof word);
  return word;
}
void SetWord(FakeInstance& fake, std::size_t offset, std::uint32_t word) {
  std::memcpy(fake.Bytes() + offset, &word, sizeof word);
}

/// The trap that a parameter of type P gives for its operands.
template <class P, class... Operands>
TrapCode TrapOf(FakeInstance& fake, Operands... operands) {
  int calls = 0;
  auto function = Bind([&](P) { ++calls; });
  fake.Clear();
  fake.Native<void>(function.Get(), operands...);
  const TrapCode native = fake.trap;
  CHECK(calls == (native == TrapCode::None ? 1 : 0));
  CHECK((native == TrapCode::None || fake.parameter == 0));
  fake.Clear();
  fake.Slots(function.Get(), {(0xFFFFFFFF00000000 | operands)...});
  CHECK(fake.trap == native);
  return native;
}

/// A class of the program, made from a text and a number.
struct Label {
  std::string_view text;
  std::uint16_t colour;
};
std::vector<int>* made = nullptr;
/// As a parameter it overwrites the memory that it is given.
struct Overwriter {};

}  // namespace

template <>
struct tenon::WasmOperands<Label> {
  using Parts = tenon::Parts<std::string_view, std::uint16_t>;
  static Label FromWasm(std::string_view text, std::uint16_t colour) {
    if (made != nullptr) made->push_back(colour);
    if (colour == 13) throw std::runtime_error{"no such colour"};
    return {text, colour};
  }
};

template <>
struct tenon::WasmOperands<Overwriter> {
  using Parts = tenon::Parts<std::span<std::uint8_t>>;
  static Overwriter FromWasm(std::span<std::uint8_t> bytes) {
    std::ranges::fill(bytes, std::uint8_t{'x'});
    return {};
  }
};

TEST_CASE("parameters that stand for guest memory take i32 operands") {
  auto function = Bind([](View<int>, In<double>, Out<std::span<int>>, InOut<std::int8_t>, CString,
                          GuestPtr<float>, GuestSize, In<std::string_view>) {});
  CHECK(Widths(function.Get()) == std::vector<int>{2, 1, 2, 1, 1, 1, 1, 2});
  CHECK(Parameters(function.Get()) == std::vector<ValueType>(11, ValueType::I32));
  CHECK((function.Get().signature->flags & tenon::abi::kFunctionNeedsMemory) != 0);
  auto wide = Bind([](GuestPtr<float, std::uint64_t>, tenon::BasicGuestSize<std::uint64_t>) {});
  CHECK(Parameters(wide.Get()) == std::vector<ValueType>(2, ValueType::I64));
  CHECK((wide.Get().signature->flags & tenon::abi::kFunctionNeedsMemory) == 0);
}

TEST_CASE("pointers to one value are checked for null and for the end of memory") {
  FakeInstance fake;
  CHECK(TrapOf<In<std::uint32_t>>(fake, 0u) == TrapCode::NullReference);
  CHECK(TrapOf<Out<std::uint32_t>>(fake, 0u) == TrapCode::NullReference);
  CHECK(TrapOf<In<std::uint32_t>>(fake, kSize - 4) == TrapCode::None);
  CHECK(TrapOf<In<std::uint32_t>>(fake, kSize - 3) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<InOut<double>>(fake, kSize - 8) == TrapCode::None);
  CHECK(TrapOf<InOut<double>>(fake, kSize - 7) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<Out<tenon::V128>>(fake, kMax) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<Out<tenon::V128>>(fake, kMax - 14) == TrapCode::OutOfBoundsMemoryAccess);
}

TEST_CASE("views and copied spans are bounded in elements, without wrapping, at any alignment") {
  FakeInstance fake;
  const auto check = [&]<class P>(std::type_identity<P>) {
    CHECK(TrapOf<P>(fake, 0u, kSize / 4) == TrapCode::None);
    CHECK(TrapOf<P>(fake, 0u, kSize / 4 + 1) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(TrapOf<P>(fake, 1u, kSize / 4) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(TrapOf<P>(fake, 1u, kSize / 4 - 1) == TrapCode::None);
    CHECK(TrapOf<P>(fake, 0u, 1u << 30) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(TrapOf<P>(fake, kMax, kMax) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(TrapOf<P>(fake, kSize, 0u) == TrapCode::None);
    CHECK(TrapOf<P>(fake, 0u, 0u) == TrapCode::None);
    CHECK(TrapOf<P>(fake, kSize + 1, 0u) == TrapCode::OutOfBoundsMemoryAccess);
  };
  check(std::type_identity<View<std::uint32_t>>{});
  check(std::type_identity<View<const float>>{});
  check(std::type_identity<In<std::span<const std::uint32_t>>>{});
  check(std::type_identity<Out<std::span<float>>>{});
  check(std::type_identity<InOut<std::span<std::uint32_t>>>{});
}

TEST_CASE("In copies once, and what the guest's memory holds later is not seen") {
  FakeInstance fake;
  SetWord(fake, 5, 77);
  std::uint32_t seen = 0;
  auto value = Bind([&](In<std::uint32_t> in) {
    SetWord(fake, 5, 78);
    seen = *in;
  });
  fake.Native<void>(value.Get(), 5u);
  CHECK(seen == 77);

  std::memcpy(fake.Bytes() + 9, "hello", 5);
  bool same = false;
  auto text = Bind([&](In<std::string_view> in) {
    fake.Bytes()[9] = 'j';
    same = *in == "hello";
  });
  fake.Native<void>(text.Get(), 9u, 5u);
  CHECK(same);
}

TEST_CASE("Out starts as zero and is written back when the function returned") {
  FakeInstance fake;
  SetWord(fake, 13, kMax);
  std::uint32_t first = 1;
  auto function = Bind([&](Out<std::uint32_t> out, bool assign) {
    first = *out;
    if (assign) *out = 42;
    CHECK(WordAt(fake, 13) == kMax);
  });
  fake.Native<void>(function.Get(), 13u, 1u);
  CHECK(first == 0);
  CHECK(WordAt(fake, 13) == 42);
  SetWord(fake, 13, kMax);
  fake.Native<void>(function.Get(), 13u, 0u);
  CHECK(WordAt(fake, 13) == 0);
}

TEST_CASE("nothing is written back when the function threw") {
  FakeInstance fake;
  SetWord(fake, 13, 7);
  auto function = Bind([](InOut<std::uint32_t> out, Out<std::span<std::uint8_t>> more) {
    *out = 42;
    (*more)[0] = 1;
    throw std::runtime_error{"no"};
  });
  fake.Native<void>(function.Get(), 13u, 60u, 1u);
  CHECK(fake.exception != nullptr);
  CHECK(WordAt(fake, 13) == 7);
  CHECK(fake.Bytes()[60] == 60);
}

TEST_CASE("InOut reads, and writes back, with results of every kind") {
  FakeInstance fake;
  SetWord(fake, 17, 5);
  auto scalar = Bind([](InOut<std::uint32_t> value) { return static_cast<int>((*value)++); });
  CHECK(fake.Native<std::uint32_t>(scalar.Get(), 17u) == 5);
  CHECK(WordAt(fake, 17) == 6);
  auto tuple = Bind([](InOut<std::uint32_t> value) { return std::tuple{(*value)++, 9.0}; });
  tenon::abi::Slot area[2] = {};
  fake.Native<void>(tuple.Get(), 17u, &area[0]);
  CHECK(area[0] == 6);
  CHECK(WordAt(fake, 17) == 7);
}

TEST_CASE("copied spans of few and of many elements reach the function and go back") {
  std::vector<std::uint8_t> bytes(64 * 1024);
  for (const std::uint32_t count : {0u, 1u, 63u, 64u, 65u, 4000u}) {
    FakeInstance fake;
    fake.Memory().base = bytes.data();
    fake.Memory().size.Store(bytes.size());
    for (std::uint32_t i = 0; i < count; ++i) std::memcpy(&bytes[3 + 4 * i], &i, 4);
    bytes[3 + 4 * count] = 99;
    auto function = Bind([&](InOut<std::span<std::uint32_t>> values) {
      REQUIRE(values->size() == count);
      for (std::uint32_t i = 0; i < count; ++i) {
        CHECK((*values)[i] == i);
        (*values)[i] = i + 1;
      }
    });
    fake.Native<void>(function.Get(), 3u, count);
    CHECK(fake.raised == 0);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t word;
      std::memcpy(&word, &bytes[3 + 4 * i], 4);
      CHECK(word == i + 1);
    }
    CHECK(bytes[3 + 4 * count] == 99);
  }
}

TEST_CASE("bool behind a pointer is normalised") {
  FakeInstance fake;
  fake.Bytes()[3] = 2;
  unsigned char byte = 0;
  auto function = Bind([&](InOut<bool> flag) { std::memcpy(&byte, &*flag, 1); });
  fake.Native<void>(function.Get(), 3u);
  CHECK(byte == 1);
  CHECK(fake.Bytes()[3] == 1);
}

TEST_CASE("a View reads and writes elements in place, at any alignment") {
  FakeInstance fake;
  for (std::uint32_t i = 0; i < 4; ++i) SetWord(fake, 33 + 4 * i, 10 * i);
  std::uint32_t sum = 0;
  auto function = Bind([&](View<std::uint32_t> view) {
    CHECK(view.Size() == 4);
    CHECK(view.Offset() == 33);
    CHECK(!view.IsEmpty());
    view[1] = 11;
    view[2] = view[3];
    for (const std::uint32_t value : view) sum += value;
  });
  fake.Native<void>(function.Get(), 33u, 4u);
  CHECK(sum == 0 + 11 + 30 + 30);
  CHECK(WordAt(fake, 37) == 11);
  CHECK(WordAt(fake, 41) == 30);
}

TEST_CASE("an index beyond a View ends the call") {
  FakeInstance fake;
  auto function = Bind([](View<const std::uint32_t> view) -> std::uint32_t { return view[4]; });
  fake.Native<std::uint32_t>(function.Get(), 33u, 4u);
  REQUIRE(fake.exception != nullptr);
  try {
    std::rethrow_exception(fake.exception);
  } catch (TrapCode code) {
    CHECK(code == TrapCode::OutOfBoundsMemoryAccess);
  }
}

TEST_CASE("a View finds its elements again when the memory moved") {
  FakeInstance fake;
  SetWord(fake, 32, 1);
  std::vector<std::uint8_t> moved(kSize, 0);
  auto function = Bind([&](View<std::uint32_t> view) {
    CHECK(fake.Memory().pins == 0);
    fake.Memory().base = moved.data();
    view[0] = 9;
  });
  fake.Native<void>(function.Get(), 32u, 1u);
  CHECK(WordAt(fake, 32) == 1);
  CHECK(moved[32] == 9);
}

TEST_CASE("a CString ends at the first zero byte, which has to be inside memory") {
  FakeInstance fake;
  std::memcpy(fake.Bytes() + 10, "hello\0world", 12);
  std::size_t size = 0;
  bool same = false;
  auto function = Bind([&](CString text) {
    size = text.size();
    same = text == "hello" && text.CStr()[5] == 0;
  });
  fake.Native<void>(function.Get(), 10u);
  CHECK(same);
  fake.Native<void>(function.Get(), 15u);
  CHECK(size == 0);
  CHECK(TrapOf<CString>(fake, 0u) == TrapCode::NullReference);
  CHECK(TrapOf<CString>(fake, kSize) == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(TrapOf<CString>(fake, kMax) == TrapCode::OutOfBoundsMemoryAccess);
  std::memset(fake.Bytes() + 100, 'x', kSize - 100);
  CHECK(TrapOf<CString>(fake, 100u) == TrapCode::UnterminatedString);
  fake.Bytes()[kSize - 1] = 0;
  CHECK(TrapOf<CString>(fake, 100u) == TrapCode::None);
  CHECK(TrapOf<CString>(fake, kSize - 1) == TrapCode::None);
}

TEST_CASE("a CString whose end an earlier conversion has overwritten is empty, and still ends") {
  FakeInstance fake;
  std::memset(fake.Bytes(), 'a', kSize);
  fake.Bytes()[20] = 0;
  std::string text = "unset";
  const char* data = nullptr;
  auto function = Bind([&](Overwriter, CString first, Label) {
    text = first;
    data = first.CStr();
  });
  fake.Native<void>(function.Get(), 0u, 10u, 10u, 0u, 0u, 0u);
  CHECK(text == "aaaaaaaaaa");
  fake.Native<void>(function.Get(), 0u, 30u, 10u, 0u, 0u, 0u);
  CHECK(text.empty());
  REQUIRE(data != nullptr);
  CHECK(*data == 0);
}

TEST_CASE("a GuestPtr may point to nothing in particular") {
  FakeInstance fake;
  auto function =
      Bind([](GuestPtr<void> any, GuestPtr<const void>) { return any.As<std::uint32_t>(); });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 12u, 0u) == 12);
  CHECK(GuestPtr<void>{12} == GuestPtr<void>{12});
  CHECK(GuestPtr<void>{}.IsNull());
}

TEST_CASE("what is written back may not overlap what else is written") {
  FakeInstance fake;
  int calls = 0;
  auto function = Bind([&](tenon::Module&, Out<std::uint64_t>, View<std::uint8_t>,
                           InOut<std::span<std::uint32_t>>, std::span<std::uint8_t>,
                           In<std::uint64_t>) { ++calls; });
  const auto call = [&](std::uint32_t out, std::uint32_t view, std::uint32_t view_count,
                        std::uint32_t inout, std::uint32_t inout_count, std::uint32_t span,
                        std::uint32_t span_count) {
    fake.Clear();
    const int before = calls;
    fake.Native<void>(function.Get(), out, view, view_count, inout, inout_count, span, span_count,
                      out);
    CHECK(calls - before == (fake.trap == TrapCode::None ? 1 : 0));
    CHECK((fake.trap == TrapCode::None || fake.trap == TrapCode::OverlappingParameters));
    return std::pair{fake.parameter, fake.second_parameter};
  };
  constexpr std::uint32_t kNone = FakeInstance::kNoParameter;
  CHECK(call(8, 16, 8, 24, 2, 32, 8) == std::pair{kNone, kNone});
  CHECK(call(8, 15, 8, 24, 2, 32, 8) == std::pair{1u, 2u});
  CHECK(call(9, 16, 8, 24, 2, 32, 8) == std::pair{1u, 2u});
  CHECK(call(8, 16, 9, 24, 2, 32, 8) == std::pair{2u, 3u});
  CHECK(call(8, 16, 8, 24, 3, 32, 8) == std::pair{3u, 4u});
  CHECK(call(8, 16, 8, 10, 1, 32, 8) == std::pair{1u, 3u});
  CHECK(call(8, 16, 8, 24, 2, 8, 1) == std::pair{1u, 4u});
  // Empty ranges overlap nothing; a span and a View share the memory itself.
  CHECK(call(8, 9, 0, 10, 0, 11, 0) == std::pair{kNone, kNone});
  CHECK(call(8, 16, 8, 24, 2, 16, 8) == std::pair{kNone, kNone});
}

TEST_CASE("offsets of 64 bits are compared without overflow") {
  using tenon::bind::detail::IsInside;
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  CHECK(IsInside<8, std::uint64_t>(0, 32, 256));
  CHECK(!IsInside<8, std::uint64_t>(0, 33, 256));
  CHECK(!IsInside<8, std::uint64_t>(1, 32, 256));
  CHECK(IsInside<8, std::uint64_t>(256, 0, 256));
  CHECK(!IsInside<8, std::uint64_t>(257, 0, 256));
  CHECK(!IsInside<8, std::uint64_t>(8, kHuge / 8 + 1, 256));
  CHECK(!IsInside<8, std::uint64_t>(kHuge - 7, 1, 256));
  CHECK(IsInside<1, std::uint64_t>(1, kHuge - 1, kHuge));
  CHECK(!IsInside<1, std::uint64_t>(2, kHuge - 1, kHuge));
}

TEST_CASE("views pin a memory that can move until the function ends, however it does") {
  FakeInstance fake;
  std::uint32_t pins = 0;
  auto span = Bind([&](std::span<const std::uint8_t>) { pins = fake.Memory().pins; });
  fake.Native<void>(span.Get(), 0u, 4u);
  CHECK(pins == 1);
  CHECK(fake.Memory().pins == 0);
  auto thrower = Bind([&](CString) {
    pins = fake.Memory().pins;
    throw 1;
  });
  fake.Native<void>(thrower.Get(), 10u);
  CHECK(fake.Memory().pins == 0);
  fake.Bytes()[20] = 0;
  fake.Native<void>(thrower.Get(), 10u);
  CHECK(pins == 1);
  CHECK(fake.Memory().pins == 0);
  auto copies =
      Bind([&](In<std::uint32_t>, View<int>, GuestPtr<int>) { pins = fake.Memory().pins; });
  fake.Native<void>(copies.Get(), 4u, 0u, 4u, 0u);
  CHECK(pins == 0);
  fake.Memory().flags = tenon::abi::kMemoryImmovable;
  pins = 1;
  fake.Native<void>(span.Get(), 0u, 4u);
  CHECK(pins == 0);
}

TEST_CASE("a class of the program takes the operands of its parts, checked by their rules") {
  FakeInstance fake;
  std::memcpy(fake.Bytes() + 10, "red", 3);
  std::vector<int> order;
  made = &order;
  bool same = false;
  auto function = Bind([&](int, Label first, Label second) {
    same = first.text == "red" && first.colour == 5 && second.text.empty() && second.colour == 6;
  });
  CHECK(Widths(function.Get()) == std::vector<int>{1, 3, 3});
  const auto call = [&](std::uint32_t length, std::uint32_t first, std::uint32_t second) {
    fake.Clear();
    order.clear();
    fake.Native<void>(function.Get(), 0u, 10u, length, first, 10u, 0u, second);
  };
  call(3, 5, 6);
  CHECK(same);
  CHECK(order == std::vector<int>{5, 6});
  CHECK(fake.Memory().pins == 0);
  call(kSize, 5, 6);
  CHECK(fake.trap == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(fake.parameter == 1);
  call(3, 5, 65536);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
  CHECK(fake.parameter == 2);
  CHECK(order.empty());
  call(3, 13, 6);
  CHECK(fake.exception != nullptr);
  CHECK(order == std::vector<int>{13});
  made = nullptr;
}
