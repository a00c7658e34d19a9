// SPDX-License-Identifier: Apache-2.0
/// @file
/// Cursor over the bytes of a module that reads the primitives of the binary format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

/// Length of the longest prefix of `bytes` that consists of whole, valid UTF-8 sequences
/// (no overlong forms, no surrogates, nothing past U+10FFFF).
constexpr std::size_t ValidUtf8Prefix(std::span<const std::uint8_t> bytes) {
  const std::size_t size = bytes.size();
  const std::uint8_t* const data = bytes.data();
  std::size_t i = 0;
  while (true) {
    // In few steps, of which constant expressions have a limit.
    while (i < size && data[i] < 0x80) ++i;
    if (i == size) break;
    const std::uint32_t lead = data[i];
    const std::size_t length = lead < 0xC2   ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || size - i < length) return i;
    // Only the second byte's range depends on the lead byte.
    const std::uint32_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const std::uint32_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[i + 1] < low || bytes[i + 1] > high) return i;
    for (std::size_t k = 2; k < length; ++k) {
      if ((bytes[i + k] & 0xC0) != 0x80) return i;
    }
    i += length;
  }
  return size;
}

}  // namespace detail

/// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7).
constexpr bool IsUtf8(std::span<const std::uint8_t> bytes) {
  return detail::ValidUtf8Prefix(bytes) == bytes.size();
}

/// Reads forward over a module, or over a range of one. Offsets always count from the module's
/// first byte. Every Read... returns false at the first fault, which is kept: from then on the
/// reader is at its end and everything else fails too. The module's bytes must outlive the reader.
class ByteReader {
 private:
  // Templates come first: clang evaluates a constant only with templates defined before their use.
  constexpr bool FailEnd() { return Fail(ErrorCode::UnexpectedEnd, Offset()); }

  /// Core specification 2.0, section 5.2.2: at most ceil(bits / 7) bytes; the bits of the last one
  /// that the value has no room for must repeat the sign (signed) or be zero (unsigned).
  template <unsigned kBits, bool kSigned>
  constexpr bool ReadLeb(std::uint64_t& value) {
    constexpr unsigned kLastShift = (kBits - 1) / 7 * 7;
    constexpr unsigned kLastBits = kBits - kLastShift;
    const std::uint32_t offset = Offset();
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift <= kLastShift; shift += 7) {
      if (cursor_ == end_) return FailEnd();
      const std::uint8_t byte = *cursor_++;
      const std::uint64_t payload = byte & 0x7F;
      if (shift == kLastShift) {
        constexpr std::uint64_t kUnusedMask =
            (0x7Fu << (kSigned ? kLastBits - 1 : kLastBits)) & 0x7F;
        const std::uint64_t unused = payload & kUnusedMask;
        if (unused != 0 && !(kSigned && unused == kUnusedMask)) {
          return Fail(ErrorCode::IntegerTooLarge, offset);
        }
        if (byte >= 0x80) return Fail(ErrorCode::IntegerTooLong, offset);
      }
      result |= payload << shift;
      if (byte < 0x80) {
        if (kSigned && shift + 7 < 64 && (payload & 0x40) != 0)
          result |= ~std::uint64_t{0} << (shift + 7);
        value = result;
        return true;
      }
    }
    return Fail(ErrorCode::IntegerTooLong, offset);
  }

  template <unsigned kBits>
  constexpr bool ReadSigned(std::int64_t& value) {
    if (cursor_ != end_ && *cursor_ < 0x80) {
      // Bit 6 is the sign.
      value = static_cast<std::int64_t>(*cursor_ ^ 0x40) - 0x40;
      ++cursor_;
      return true;
    }
    std::uint64_t wide = 0;
    if (!ReadLeb<kBits, true>(wide)) return false;
    value = static_cast<std::int64_t>(wide);
    return true;
  }

  template <unsigned kSize>
  constexpr bool ReadFixed(std::uint64_t& value) {
    if (Remaining() < kSize) return FailEnd();
    value = 0;
    for (unsigned i = 0; i < kSize; ++i) value |= std::uint64_t{cursor_[i]} << (8 * i);
    cursor_ += kSize;
    return true;
  }

 public:
  /// Over a whole module of less than 4 GiB.
  explicit constexpr ByteReader(std::span<const std::uint8_t> module)
      : begin_{module.data()}, cursor_{module.data()}, end_{module.data() + module.size()} {}
  /// Over a range that lies within the module.
  constexpr ByteReader(std::span<const std::uint8_t> module, ByteRange range)
      : begin_{module.data()},
        cursor_{module.data() + range.offset},
        end_{module.data() + range.offset + range.size} {}

  /// Of the next byte, from the module's first.
  constexpr std::uint32_t Offset() const { return static_cast<std::uint32_t>(cursor_ - begin_); }
  constexpr std::uint32_t Remaining() const { return static_cast<std::uint32_t>(end_ - cursor_); }
  constexpr bool AtEnd() const { return cursor_ == end_; }
  /// From `offset` (taken earlier with Offset()) to the cursor.
  constexpr ByteRange Since(std::uint32_t offset) const { return {offset, Offset() - offset}; }

  constexpr bool HasFault() const { return !fault_.IsNone(); }
  /// The fault that ended reading; its code is None if there was none.
  constexpr const Fault& FirstFault() const { return fault_; }

  /// Records a fault at `offset`, unless there is one already, and ends reading. Returns false.
  constexpr bool Fail(ErrorCode code, std::uint32_t offset, FaultArgument first = {},
                      FaultArgument second = {}, FaultArgument third = {}) {
    if (fault_.IsNone()) {
      fault_.code = code;
      fault_.offset = offset;
      fault_.arguments[0] = first;
      fault_.arguments[1] = second;
      fault_.arguments[2] = third;
    }
    cursor_ = end_;
    return false;
  }

  /// The next byte without consuming it; -1 at the end.
  constexpr int Peek() const { return cursor_ == end_ ? -1 : *cursor_; }

  constexpr bool ReadByte(std::uint8_t& value) {
    if (cursor_ == end_) return FailEnd();
    value = *cursor_++;
    return true;
  }

  constexpr bool ReadU32(std::uint32_t& value) {
    if (cursor_ != end_ && *cursor_ < 0x80) {
      value = *cursor_++;
      return true;
    }
    std::uint64_t wide = 0;
    if (!ReadLeb<32, false>(wide)) return false;
    value = static_cast<std::uint32_t>(wide);
    return true;
  }

  constexpr bool ReadU64(std::uint64_t& value) {
    if (cursor_ != end_ && *cursor_ < 0x80) {
      value = *cursor_++;
      return true;
    }
    return ReadLeb<64, false>(value);
  }

  constexpr bool ReadS32(std::int32_t& value) {
    std::int64_t wide = 0;
    if (!ReadSigned<32>(wide)) return false;
    value = static_cast<std::int32_t>(wide);
    return true;
  }

  /// 33 bits: block types and heap types.
  constexpr bool ReadS33(std::int64_t& value) { return ReadSigned<33>(value); }

  constexpr bool ReadS64(std::int64_t& value) { return ReadSigned<64>(value); }

  /// 4 bytes, little-endian: a word, or the bits of an f32.
  constexpr bool ReadFixed32(std::uint32_t& value) {
    std::uint64_t wide = 0;
    if (!ReadFixed<4>(wide)) return false;
    value = static_cast<std::uint32_t>(wide);
    return true;
  }

  /// 8 bytes, little-endian: the bits of an f64, or half of a v128.
  constexpr bool ReadFixed64(std::uint64_t& value) { return ReadFixed<8>(value); }

  /// `size` bytes, which are skipped.
  constexpr bool ReadRange(std::uint64_t size, ByteRange& range) {
    if (size > Remaining()) {
      return Fail(ErrorCode::LengthOutOfBounds, Offset(), size, std::uint64_t{Remaining()});
    }
    range = {Offset(), static_cast<std::uint32_t>(size)};
    cursor_ += static_cast<std::uint32_t>(size);
    return true;
  }

  constexpr bool Skip(std::uint32_t size) {
    if (size > Remaining()) return FailEnd();
    cursor_ += size;
    return true;
  }

  /// The length of a vector. Since every entry takes a byte or more, a length beyond the bytes that
  /// remain is a fault, so that a count is never more than the module's size.
  constexpr bool ReadCount(std::uint32_t& count) {
    const std::uint32_t offset = Offset();
    if (!ReadU32(count)) return false;
    if (count > Remaining()) {
      return Fail(ErrorCode::LengthOutOfBounds, offset, std::uint64_t{count},
                  std::uint64_t{Remaining()});
    }
    return true;
  }

  /// A length and that many bytes of UTF-8.
  constexpr bool ReadName(ByteRange& name) {
    std::uint32_t size = 0;
    if (!ReadU32(size) || !ReadRange(size, name)) return false;
    const std::size_t valid = detail::ValidUtf8Prefix({begin_ + name.offset, name.size});
    if (valid != name.size) {
      return Fail(ErrorCode::MalformedUtf8, name.offset + static_cast<std::uint32_t>(valid));
    }
    return true;
  }

  /// An opcode with its prefix, combined as in the code column of the opcode table; look it up with
  /// FindOpcode. Codes that the table has no room for give kOpcodeLimit or more:
  /// kOpcodeLimit + (prefix << 24) + number, the number saturated at 0xFFFF.
  constexpr bool ReadOpcode(std::uint32_t& code) {
    std::uint8_t first = 0;
    if (!ReadByte(first)) return false;
    code = first;
    const std::uint32_t plane = PrefixPlane(first);
    if (plane == 0) return true;
    std::uint32_t number = 0;
    if (!ReadU32(number)) return false;
    if (number < 0x100) {
      code = plane + number;
    } else {
      code = kOpcodeLimit + (std::uint32_t{first} << 24) + (number < 0xFFFF ? number : 0xFFFF);
    }
    return true;
  }

 private:
  const std::uint8_t* begin_;
  const std::uint8_t* cursor_;
  const std::uint8_t* end_;
  Fault fault_;
};

/// How the text of IllegalOpcode names a code that ReadOpcode gave: the bytes as one number.
constexpr FaultArgument OpcodeBytes(std::uint32_t code) {
  if (code < 0x100) return FaultArgument::Byte(code);
  if (code < kOpcodeLimit) {
    return FaultArgument::Byte(std::uint64_t{PrefixOf(code)} << 8 | (code & 0xFF));
  }
  const std::uint64_t rest = code - kOpcodeLimit;
  return FaultArgument::Byte((rest >> 24) << 16 | (rest & 0xFFFF));
}

}  // namespace tenon::inline TENON_ABI::wasm
