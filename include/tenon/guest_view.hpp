// SPDX-License-Identifier: Apache-2.0
/// @file
/// Elements in guest memory that are read and written one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/guest_access.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>

namespace tenon::inline TENON_ABI {

/// A parameter of a host function: elements of type T in the calling guest's memory, passed as
/// offset and number of elements. `View<const T>` is for reading, `View<T>` for writing too.
///
/// T is a number, enum, bool, V128, GuestPtr or GuestSize; a struct with <tenon/aggregate.hpp> or a
/// list of fields. Elements are converted on each access, so they may lie at any address, and a
/// View stays valid when the memory grows and moves, which a std::span does not survive. The range
/// is checked before the function is entered, in 64 bits; an empty one may lie anywhere up to the
/// end of memory.
///
/// Of a shared memory, whose elements other threads may write to, each access reads or writes the
/// bytes of its element once. A number at an address that is a multiple of its size is whole.
///
/// Copies refer to the same elements. Valid until the host function returns; one thread at a time.
template <class T>
class View {
 public:
  using Value = std::remove_const_t<T>;

  /// Stands for one element: reads as its value, and writes what is assigned to it.
  class Reference {
   public:
    operator Value() const { return view_.Load(index_); }
    const Reference& operator=(const Value& value) const noexcept
      requires(!std::is_const_v<T>)
    {
      bind::detail::StoreGuest<bind::GuestLayout<Value>>(*view_.caller_->memory, view_.At(index_),
                                                         value);
      return *this;
    }
    const Reference& operator=(const Reference& other) const
      requires(!std::is_const_v<T>)
    {
      return *this = static_cast<Value>(other);
    }
    Reference(const Reference&) noexcept = default;

   private:
    friend class View;
    Reference(const View& view, std::size_t index) noexcept : view_{view}, index_{index} {}

    View view_;
    std::size_t index_;
  };

  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;

    Value operator*() const { return view_.Load(index_); }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator former = *this;
      ++index_;
      return former;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.index_ == b.index_;
    }

   private:
    friend class View;
    Iterator(const View& view, std::size_t index) noexcept : view_{view}, index_{index} {}

    View view_;
    std::size_t index_;
  };

  /// For the library: `count` elements at `offset`, which were checked.
  View(const abi::InstanceHeader* caller, std::uint64_t offset, std::uint64_t count) noexcept
      : caller_{caller}, offset_{offset}, count_{count} {}

  /// Number of elements, as the guest said.
  std::size_t Size() const noexcept { return count_; }
  bool IsEmpty() const noexcept { return count_ == 0; }
  /// Where the first element lies, in bytes from the start of memory.
  std::uint64_t Offset() const noexcept { return offset_; }

  /// The element, to be read or assigned. Throws Trap (TrapCode::OutOfBoundsMemoryAccess) if there
  /// is none of this index; if the function lets that pass, the guest's call ends with the trap.
  Reference operator[](std::size_t index) const {
    if (index >= count_) [[unlikely]] {
      caller_->operations->throw_trap(TrapCode::OutOfBoundsMemoryAccess,
                                      "index beyond the end of a View");
    }
    return Reference{*this, index};
  }
  /// Values in order. What is written meanwhile is seen.
  Iterator begin() const noexcept { return Iterator{*this, 0}; }
  Iterator end() const noexcept { return Iterator{*this, count_}; }

 private:
  std::uint64_t At(std::size_t index) const noexcept {
    return offset_ + index * bind::GuestLayout<Value>::kSize;
  }
  // Not `Value`, which would be an error of its own for the array types that are refused.
  auto Load(std::size_t index) const {
    return bind::detail::LoadGuest<bind::GuestLayout<Value>>(*caller_->memory, At(index));
  }

  const abi::InstanceHeader* caller_;
  std::uint64_t offset_;
  std::uint64_t count_;
};

namespace bind {

template <class T, WireKind kOffset>
struct MemoryParameter<tenon::View<T>, kOffset> {
  using Value = std::remove_const_t<T>;

  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (std::is_array_v<T>) {
      facts.refusal = Refusal::CArray;
    } else if constexpr (!HasGuestLayout<Value>) {
      facts.refusal = detail::RefusalOfLayout<Value>();
    } else {
      facts = detail::FactsOfMemory(ParameterKind::Marshalled, kOffset, 2, !std::is_const_v<T>);
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return detail::CheckRange<GuestLayout<Value>::kSize, 1>(caller, Get<kOffset>(operands[0]),
                                                            Get<kOffset>(operands[1]), parameter);
  }
  static tenon::View<T> Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    return {caller, Get<kOffset>(operands[0]), Get<kOffset>(operands[1])};
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    return detail::AppendRange<GuestLayout<Value>::kSize>(
        Get<kOffset>(operands[0]), Get<kOffset>(operands[1]), parameter, false, into);
  }
};

template <class T>
struct Marshaller<tenon::View<T>> : MemoryParameter<tenon::View<T>, kOffsetWire> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
