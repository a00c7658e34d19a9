// SPDX-License-Identifier: Apache-2.0
/// @file
/// Text that ends with a zero byte in guest memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>

namespace tenon::inline TENON_ABI {

/// A parameter of a host function: the guest's `const char*`, one operand. It is a view of the
/// bytes up to the first zero byte, which data() is followed by; whether they are UTF-8 is not
/// looked at.
///
/// If there is no zero byte before the end of memory, the call traps with
/// TrapCode::UnterminatedString before the function is entered; so it does for a null pointer, with
/// TrapCode::NullReference. For a text that may be absent take a std::optional<CString>. Valid as
/// long as a std::string_view parameter is.
class CString : public std::string_view {
 public:
  using std::string_view::string_view;
  explicit constexpr CString(std::string_view text) noexcept : std::string_view{text} {}

  /// The same bytes, with their zero byte.
  constexpr const char* CStr() const noexcept { return data(); }
};

namespace bind {

template <WireKind kOffset>
struct MemoryParameter<CString, kOffset> {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts = detail::FactsOfMemory(ParameterKind::Marshalled, kOffset, 1, false);
    facts.pins = true;
    facts.is_raw = true;
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    const Native<kOffset> offset = Get<kOffset>(*operands);
    if (!detail::CheckUnshared(caller, parameter)) [[unlikely]]
      return false;
    if (!detail::CheckPointer<1>(caller, offset, parameter)) [[unlikely]]
      return false;
    if (FindEnd(*caller->memory, offset) == nullptr) [[unlikely]] {
      detail::FailParameter(caller, TrapCode::UnterminatedString, parameter);
      return false;
    }
    return true;
  }
  static CString Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    const Native<kOffset> offset = Get<kOffset>(*operands);
    const abi::MemoryRecord& memory = *caller->memory;
    const char* begin = reinterpret_cast<const char*>(memory.base) + offset;
    // Looked for again, because a conversion before this one may have overwritten it.
    const auto* end = static_cast<const char*>(FindEnd(memory, offset));
    if (end == nullptr) [[unlikely]]
      return CString{std::string_view{""}};
    return CString{std::string_view{begin, static_cast<std::size_t>(end - begin)}};
  }

 private:
  static const void* FindEnd(const abi::MemoryRecord& memory, std::uint64_t offset) noexcept {
    return std::memchr(memory.base + offset, 0,
                       static_cast<std::size_t>(memory.size.LoadRelaxed() - offset));
  }
};

template <>
struct Marshaller<CString> : MemoryParameter<CString, kOffsetWire> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
