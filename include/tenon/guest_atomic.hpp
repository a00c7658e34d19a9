// SPDX-License-Identifier: Apache-2.0
/// @file
/// Numbers in guest memory that guests and the host change together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>

namespace tenon::inline TENON_ABI {

/// A number in guest memory, reached as the guest's atomic instructions reach it: all accesses of
/// all threads have one order (sequentially consistent), and no value is seen in part.
///
/// T is an integer of 8 to 64 bits or an enum of such a type. As a parameter of a host function it
/// is a pointer, which must not be null (TrapCode::NullReference), must lie in memory
/// (TrapCode::OutOfBoundsMemoryAccess) and be a multiple of T's size (TrapCode::UnalignedAtomic).
/// `Memory::Atomic` makes others. Of a memory that is not shared it is a number like any other.
///
/// Copies refer to the same number. A parameter is valid until the host function returns, others as
/// long as the memory. Any thread.
template <class T>
class GuestAtomic {
 public:
  /// For the library: `place` is aligned.
  explicit GuestAtomic(std::uint8_t* place) noexcept : place_{reinterpret_cast<Word*>(place)} {}

  T Load() const noexcept { return static_cast<T>(__atomic_load_n(place_, __ATOMIC_SEQ_CST)); }
  void Store(T value) const noexcept {
    __atomic_store_n(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST);
  }
  /// The former value, as of all that follow.
  T Exchange(T value) const noexcept {
    return static_cast<T>(
        __atomic_exchange_n(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }
  /// Writes `desired` if the number is `expected`, and says whether it was; else reads the number
  /// into `expected`.
  bool CompareExchange(T& expected, T desired) const noexcept {
    auto known = static_cast<Number>(expected);
    const bool is_equal = __atomic_compare_exchange_n(place_, &known, static_cast<Number>(desired),
                                                      false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    expected = static_cast<T>(known);
    return is_equal;
  }
  // Sums wrap.
  T FetchAdd(T value) const noexcept
    requires(std::is_integral_v<T>)
  {
    return static_cast<T>(__atomic_fetch_add(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }
  T FetchSub(T value) const noexcept
    requires(std::is_integral_v<T>)
  {
    return static_cast<T>(__atomic_fetch_sub(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }
  T FetchAnd(T value) const noexcept
    requires(std::is_integral_v<T>)
  {
    return static_cast<T>(__atomic_fetch_and(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }
  T FetchOr(T value) const noexcept
    requires(std::is_integral_v<T>)
  {
    return static_cast<T>(__atomic_fetch_or(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }
  T FetchXor(T value) const noexcept
    requires(std::is_integral_v<T>)
  {
    return static_cast<T>(__atomic_fetch_xor(place_, static_cast<Number>(value), __ATOMIC_SEQ_CST));
  }

 private:
  // Unsigned: sums of signed numbers would have to be spelled in unsigned ones anyway.
  using Number = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  using Word [[gnu::may_alias]] = Number;

  Word* place_;
};

namespace bind {
namespace detail {

/// bool is left out: guests can write other numbers.
template <class T>
inline constexpr bool kIsAtomicNumber =
    (std::is_integral_v<T> || std::is_enum_v<T>) && !std::is_const_v<T> && !std::is_volatile_v<T> &&
    !std::is_same_v<T, bool> && sizeof(T) <= 8;

}  // namespace detail

template <class T, WireKind kOffset>
struct MemoryParameter<GuestAtomic<T>, kOffset> {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (!detail::kIsAtomicNumber<T>) {
      facts.refusal = Refusal::AtomicNumber;
    } else {
      facts = detail::FactsOfMemory(ParameterKind::Marshalled, kOffset, 1, true);
      facts.pins = true;
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    const Native<kOffset> offset = Get<kOffset>(*operands);
    if (!detail::CheckPointer<sizeof(T)>(caller, offset, parameter)) [[unlikely]]
      return false;
    const auto address = reinterpret_cast<std::uintptr_t>(caller->memory->base) + offset;
    if (address % sizeof(T) == 0) [[likely]]
      return true;
    detail::FailParameter(caller, TrapCode::UnalignedAtomic, parameter);
    return false;
  }
  static GuestAtomic<T> Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    return GuestAtomic<T>{caller->memory->base + Get<kOffset>(*operands)};
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    return detail::AppendRange<sizeof(T), Native<kOffset>>(Get<kOffset>(*operands), 1, parameter,
                                                           false, into);
  }
};

template <class T>
struct Marshaller<GuestAtomic<T>> : MemoryParameter<GuestAtomic<T>, kOffsetWire> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
