// SPDX-License-Identifier: Apache-2.0
/// @file
/// Primitives of the binary format: integers, names, ranges, and what is refused.
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/detail/byte_writer.hpp>

namespace {

using namespace tenon::wasm;
using tenon::ErrorCode;

using Bytes = std::vector<std::uint8_t>;

enum class Width : std::uint8_t { U32, S32, S33, U64, S64 };

/// What reading one integer that fills `bytes` gives.
struct Outcome {
  ErrorCode code = ErrorCode::None;
  std::int64_t value = 0;
  friend constexpr bool operator==(const Outcome&, const Outcome&) = default;
};

// Not inlined: g++ 12 at -O3 otherwise warns of reads that the reader's own check prevents.
[[gnu::noinline]] constexpr Outcome Read(Width width, const Bytes& bytes) {
  ByteReader reader{bytes};
  Outcome outcome;
  std::uint32_t u32 = 0;
  std::int32_t s32 = 0;
  std::uint64_t u64 = 0;
  switch (width) {
    case Width::U32:
      reader.ReadU32(u32);
      outcome.value = u32;
      break;
    case Width::S32:
      reader.ReadS32(s32);
      outcome.value = s32;
      break;
    case Width::S33:
      reader.ReadS33(outcome.value);
      break;
    case Width::U64:
      reader.ReadU64(u64);
      outcome.value = static_cast<std::int64_t>(u64);
      break;
    case Width::S64:
      reader.ReadS64(outcome.value);
      break;
  }
  outcome.code = reader.FirstFault().code;
  if (reader.HasFault()) outcome.value = 0;
  // A value must consume all of it.
  if (!reader.HasFault() && !reader.AtEnd()) outcome.code = ErrorCode::SectionSizeMismatch;
  return outcome;
}

constexpr Outcome Value(std::int64_t value) { return {ErrorCode::None, value}; }
constexpr Outcome Refused(ErrorCode code) { return {code, 0}; }

static_assert(Read(Width::U32, {0x00}) == Value(0));
static_assert(Read(Width::U32, {0x7F}) == Value(127));
static_assert(Read(Width::U32, {0xE5, 0x8E, 0x26}) == Value(624485));
static_assert(Read(Width::S32, {0x7F}) == Value(-1));
static_assert(Read(Width::S32, {0xC0, 0xBB, 0x78}) == Value(-123456));
static_assert(Read(Width::U32, {0x80}) == Refused(ErrorCode::UnexpectedEnd));

TEST_CASE("integers are read up to their limits", "[wasm][byte_reader]") {
  CHECK(Read(Width::U32, {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) == Value(0xFFFFFFFF));
  CHECK(Read(Width::U32, {0x80, 0x80, 0x80, 0x80, 0x00}) == Value(0));
  CHECK(Read(Width::S32, {0xFF, 0xFF, 0xFF, 0xFF, 0x07}) == Value(INT32_MAX));
  CHECK(Read(Width::S32, {0x80, 0x80, 0x80, 0x80, 0x78}) == Value(INT32_MIN));
  CHECK(Read(Width::S33, {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) == Value(0xFFFFFFFF));
  CHECK(Read(Width::S33, {0x80, 0x80, 0x80, 0x80, 0x70}) == Value(-0x100000000));
  CHECK(Read(Width::U64, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}) ==
        Value(-1));
  CHECK(Read(Width::S64, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}) ==
        Value(INT64_MAX));
  CHECK(Read(Width::S64, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F}) ==
        Value(INT64_MIN));
}

TEST_CASE("integers with bits beyond their width are refused", "[wasm][byte_reader]") {
  const Outcome too_large = Refused(ErrorCode::IntegerTooLarge);
  CHECK(Read(Width::U32, {0x80, 0x80, 0x80, 0x80, 0x10}) == too_large);
  CHECK(Read(Width::U32, {0x80, 0x80, 0x80, 0x80, 0x40}) == too_large);
  CHECK(Read(Width::S32, {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) == too_large);
  CHECK(Read(Width::S32, {0x80, 0x80, 0x80, 0x80, 0x70}) == too_large);
  CHECK(Read(Width::S32, {0x80, 0x80, 0x80, 0x80, 0x48}) == too_large);
  CHECK(Read(Width::S33, {0x80, 0x80, 0x80, 0x80, 0x10}) == too_large);
  CHECK(Read(Width::S33, {0x80, 0x80, 0x80, 0x80, 0x60}) == too_large);
  CHECK(Read(Width::U64, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}) ==
        too_large);
  CHECK(Read(Width::S64, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}) ==
        too_large);
  CHECK(Read(Width::S64, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E}) ==
        too_large);
}

TEST_CASE("integers of too many bytes are refused", "[wasm][byte_reader]") {
  const Outcome too_long = Refused(ErrorCode::IntegerTooLong);
  CHECK(Read(Width::U32, {0x80, 0x80, 0x80, 0x80, 0x80, 0x00}) == too_long);
  CHECK(Read(Width::U32, {0x80, 0x80, 0x80, 0x80, 0x80}) == too_long);
  CHECK(Read(Width::S32, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}) == too_long);
  CHECK(Read(Width::S33, {0x80, 0x80, 0x80, 0x80, 0x80, 0x00}) == too_long);
  const Bytes eleven{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
  CHECK(Read(Width::U64, eleven) == too_long);
  CHECK(Read(Width::S64, eleven) == too_long);
}

TEST_CASE("integers that stop early are refused at every byte", "[wasm][byte_reader]") {
  for (const Width width : {Width::U32, Width::S32, Width::S33, Width::U64, Width::S64}) {
    const std::size_t longest = width == Width::U64 || width == Width::S64 ? 9 : 4;
    for (std::size_t size = 0; size <= longest; ++size) {
      CAPTURE(int(width), size);
      CHECK(Read(width, Bytes(size, 0x80)) == Refused(ErrorCode::UnexpectedEnd));
    }
  }
}

TEST_CASE("integers that were written are read back", "[wasm][byte_reader]") {
  std::vector<std::int64_t> values{0, 1, -1, std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()};
  for (unsigned shift = 0; shift < 63; ++shift) {
    for (const std::int64_t delta : {-1, 0, 1}) {
      values.push_back((std::int64_t{1} << shift) + delta);
      values.push_back(-(std::int64_t{1} << shift) + delta);
    }
  }
  for (const std::int64_t value : values) {
    CAPTURE(value);
    Bytes is_signed;
    Bytes is_unsigned;
    detail::WriteSigned(is_signed, value);
    detail::WriteUnsigned(is_unsigned, static_cast<std::uint64_t>(value));
    REQUIRE(Read(Width::S64, is_signed) == Value(value));
    REQUIRE(Read(Width::U64, is_unsigned) == Value(value));
    if (value >= INT32_MIN && value <= INT32_MAX) {
      REQUIRE(Read(Width::S32, is_signed) == Value(value));
    }
    if (value >= -0x100000000 && value <= 0xFFFFFFFF) {
      REQUIRE(Read(Width::S33, is_signed) == Value(value));
    }
    if (value >= 0 && value <= 0xFFFFFFFF) REQUIRE(Read(Width::U32, is_unsigned) == Value(value));
  }
}

constexpr bool Utf8(std::initializer_list<std::uint8_t> bytes) { return IsUtf8(Bytes{bytes}); }

static_assert(Utf8({}));
static_assert(Utf8({'a', 0x00, 0x7F}));
static_assert(Utf8({0xC2, 0x80}) && Utf8({0xDF, 0xBF}));
static_assert(Utf8({0xE0, 0xA0, 0x80}) && Utf8({0xEF, 0xBF, 0xBF}));
static_assert(Utf8({0xED, 0x9F, 0xBF}) && Utf8({0xEE, 0x80, 0x80}));
static_assert(Utf8({0xF0, 0x90, 0x80, 0x80}) && Utf8({0xF4, 0x8F, 0xBF, 0xBF}));

static_assert(!Utf8({0x80}) && !Utf8({0xBF}), "a continuation byte alone");
static_assert(!Utf8({0xC0, 0x80}) && !Utf8({0xC1, 0xBF}), "overlong, 2 bytes");
static_assert(!Utf8({0xE0, 0x9F, 0xBF}), "overlong, 3 bytes");
static_assert(!Utf8({0xF0, 0x8F, 0xBF, 0xBF}), "overlong, 4 bytes");
static_assert(!Utf8({0xED, 0xA0, 0x80}) && !Utf8({0xED, 0xBF, 0xBF}), "surrogates");
static_assert(!Utf8({0xF4, 0x90, 0x80, 0x80}) && !Utf8({0xF5, 0x80, 0x80, 0x80}), "past 10FFFF");
static_assert(!Utf8({0xFE}) && !Utf8({0xFF}));
static_assert(!Utf8({0xC2}) && !Utf8({0xE1, 0x80}) && !Utf8({0xF1, 0x80, 0x80}), "cut short");
static_assert(!Utf8({0xC2, 'a'}) && !Utf8({0xE1, 0x80, 'a'}) && !Utf8({0xF1, 0x80, 0x80, 'a'}));

TEST_CASE("every code point is accepted and every surrogate refused", "[wasm][byte_reader]") {
  for (std::uint32_t point = 0x80; point <= 0x10FFFF; ++point) {
    const auto tail = [point](unsigned shift) {
      return static_cast<std::uint8_t>(0x80 | ((point >> shift) & 0x3F));
    };
    Bytes bytes;
    if (point < 0x800) {
      bytes = {static_cast<std::uint8_t>(0xC0 | point >> 6), tail(0)};
    } else if (point < 0x10000) {
      bytes = {static_cast<std::uint8_t>(0xE0 | point >> 12), tail(6), tail(0)};
    } else {
      bytes = {static_cast<std::uint8_t>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
    }
    const bool is_surrogate = point >= 0xD800 && point < 0xE000;
    if (IsUtf8(bytes) == is_surrogate) {
      FAIL("code point " << point);
    }
    if (point == 0x7FF) point = 0xD000;  // the ends of the ranges are what matters
    if (point == 0xE010) point = 0xFFF0;
    if (point == 0x10010) point = 0x10FFF0;
  }
  SUCCEED();
}

TEST_CASE("a name is a length and UTF-8", "[wasm][byte_reader]") {
  const Bytes good{0x03, 'a', 0xC3, 0xA4, 'z'};
  ByteReader reader{good};
  ByteRange name;
  REQUIRE(reader.ReadName(name));
  CHECK(name.offset == 1);
  CHECK(name.size == 3);
  CHECK(reader.Peek() == 'z');

  const Bytes bad{0x03, 'a', 0xC3, 'b'};
  ByteReader refuses{bad};
  CHECK_FALSE(refuses.ReadName(name));
  CHECK(refuses.FirstFault().code == ErrorCode::MalformedUtf8);
  CHECK(refuses.FirstFault().offset == 2);

  const Bytes cut{0x03, 'a', 'b'};
  ByteReader past{cut};
  CHECK_FALSE(past.ReadName(name));
  CHECK(past.FirstFault().code == ErrorCode::LengthOutOfBounds);
  CHECK(past.FirstFault().arguments[0].bits == 3);
  CHECK(past.FirstFault().arguments[1].bits == 2);
}

TEST_CASE("offsets count from the first byte of the module", "[wasm][byte_reader]") {
  const Bytes bytes{9, 9, 9, 0x80, 0x01, 7, 9};
  ByteReader reader{bytes, {3, 3}};
  CHECK(reader.Offset() == 3);
  CHECK(reader.Remaining() == 3);
  std::uint32_t value = 0;
  REQUIRE(reader.ReadU32(value));
  CHECK(value == 128);
  CHECK(reader.Offset() == 5);
  CHECK(reader.Since(3).size == 2);
  REQUIRE(reader.Skip(1));
  CHECK(reader.AtEnd());
  CHECK(reader.Peek() == -1);
  CHECK_FALSE(reader.Skip(1));
  CHECK(reader.FirstFault().code == ErrorCode::UnexpectedEnd);
  CHECK(reader.FirstFault().offset == 6);
}

TEST_CASE("the first fault stays and ends reading", "[wasm][byte_reader]") {
  const Bytes bytes{0x80, 0x80, 0x80, 0x80, 0x10, 1, 2, 3};
  ByteReader reader{bytes};
  std::uint32_t value = 0;
  std::uint8_t byte = 0;
  CHECK_FALSE(reader.ReadU32(value));
  CHECK(reader.AtEnd());
  CHECK_FALSE(reader.ReadByte(byte));
  CHECK_FALSE(reader.Fail(ErrorCode::BadMagic, 0));
  CHECK(reader.FirstFault().code == ErrorCode::IntegerTooLarge);
  CHECK(reader.FirstFault().offset == 0);
}

TEST_CASE("lengths near 4 GiB do not wrap", "[wasm][byte_reader]") {
  const Bytes bytes{0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2};
  ByteRange range;
  std::uint32_t count = 0;
  CHECK_FALSE(ByteReader{bytes}.ReadName(range));
  CHECK_FALSE(ByteReader{bytes}.ReadCount(count));
  CHECK_FALSE(ByteReader{bytes}.Skip(0xFFFFFFFF));
  CHECK_FALSE(ByteReader{bytes}.ReadRange(0xFFFFFFFFFFFFFFFF, range));
  CHECK_FALSE(ByteReader{bytes}.ReadRange(8, range));
  CHECK(ByteReader{bytes}.ReadRange(7, range));
}

TEST_CASE("a count is at most the bytes that remain", "[wasm][byte_reader]") {
  std::uint32_t count = 0;
  CHECK(ByteReader{Bytes{0x02, 0, 0}}.ReadCount(count));
  CHECK(count == 2);
  CHECK_FALSE(ByteReader{Bytes{0x03, 0, 0}}.ReadCount(count));
}

TEST_CASE("fixed-width words are little-endian", "[wasm][byte_reader]") {
  const Bytes bytes{1, 2, 3, 4, 5, 6, 7, 8};
  std::uint32_t word = 0;
  std::uint64_t wide = 0;
  REQUIRE(ByteReader{bytes}.ReadFixed32(word));
  CHECK(word == 0x04030201);
  REQUIRE(ByteReader{bytes}.ReadFixed64(wide));
  CHECK(wide == 0x0807060504030201);
  CHECK_FALSE(ByteReader(bytes, {1, 7}).ReadFixed64(wide));
  CHECK_FALSE(ByteReader(bytes, {5, 3}).ReadFixed32(word));
}

constexpr std::uint32_t OpcodeOf(const Bytes& bytes) {
  std::uint32_t code = 0;
  return ByteReader{bytes}.ReadOpcode(code) ? code : 0xFFFFFFFF;
}

TEST_CASE("opcodes combine with their prefix", "[wasm][byte_reader]") {
  CHECK(OpcodeOf({0x6A}) == static_cast<std::uint32_t>(Opcode::I32Add));
  CHECK(OpcodeOf({0xFC, 0x0A}) == static_cast<std::uint32_t>(Opcode::MemoryCopy));
  CHECK(OpcodeOf({0xFD, 0x80, 0x01}) == static_cast<std::uint32_t>(Opcode::I16x8Abs));
  CHECK(OpcodeOf({0xFD, 0x80, 0x81, 0x80, 0x00}) == static_cast<std::uint32_t>(Opcode::I16x8Abs));
  CHECK(OpcodeOf({0xFD}) == 0xFFFFFFFF);
  CHECK(OpcodeOf({0xFE, 0x00}) == static_cast<std::uint32_t>(Opcode::MemoryAtomicNotify));
  CHECK(OpcodeOf({0xFE, 0x4E}) == static_cast<std::uint32_t>(Opcode::I64AtomicRmw32CmpxchgU));
  CHECK_FALSE(FindOpcode(OpcodeOf({0xFE, 0x4F})).IsValid());
  CHECK_FALSE(FindOpcode(OpcodeOf({0xFC, 0x7F})).IsValid());
}

TEST_CASE("numbers past a prefix's room are no instruction", "[wasm][byte_reader]") {
  // 0xFC 0x100 and 0xFD 0x100 must not run into the next prefix's codes.
  for (const Bytes& bytes :
       {Bytes{0xFC, 0x80, 0x02}, Bytes{0xFC, 0xFF, 0x03}, Bytes{0xFD, 0x80, 0x02},
        Bytes{0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, Bytes{0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}}) {
    CHECK_FALSE(FindOpcode(OpcodeOf(bytes)).IsValid());
  }
  CHECK(OpcodeBytes(OpcodeOf({0x12})).bits == 0x12);
  CHECK(OpcodeBytes(OpcodeOf({0xFC, 0x7F})).bits == 0xFC7F);
  CHECK(OpcodeBytes(OpcodeOf({0xFD, 0x80, 0x02})).bits == 0xFD0100);
}

}  // namespace
