// SPDX-License-Identifier: Apache-2.0
/// @file
/// Copies of what a guest points to, with their direction in the type.
///
/// - `In<T>`: the guest passes `const T*`. The value is copied out of memory, once, before the
///   function is entered.
/// - `Out<T>`: `T*`. The function gets a value-initialised T, which is written to memory after it
///   returned.
/// - `InOut<T>`: `T*`. Both.
/// - `In<std::span<const E>>`, `In<std::string_view>`, `Out<std::span<E>>`, `InOut<std::span<E>>`:
///   a pointer and the number of elements, which are treated likewise.
///
/// T and E are numbers, enums, bool, V128, GuestPtr or GuestSize; structs with
/// <tenon/aggregate.hpp> or a list of fields. The range is checked before the function is entered,
/// in 64 bits. It may have any alignment: the host works on copies, which nothing that the guest
/// does meanwhile changes. A null pointer to a single T traps with TrapCode::NullReference; in a
/// std::optional of any of these types it is none.
///
/// Values are written back when the function returned normally, from the first parameter to the
/// last, before its result is converted; nothing is written if it threw. The bytes of an Out or
/// InOut must not overlap those of another parameter that is written (Out, InOut, View<T>,
/// std::span<T>): the call traps with TrapCode::OverlappingParameters, which names both.
///
/// Copies of more than 256 bytes of elements are allocated: no more elements than fit into the
/// guest's memory, each with the size that it has on the host. What a guest points to with a
/// std::span or View parameter never is.
///
/// Of a shared memory each byte is read once, and written once, as others see it: what the copy has
/// is what the function works on, whatever other threads write meanwhile.
///
/// All three are references to the copy, valid until the host function returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/shared_bytes.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/guest_access.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/view.hpp>

namespace tenon::inline TENON_ABI {

/// What a guest passes to be read. See above.
template <class T>
class In {
 public:
  /// Refers to `value`; for the library, and for calling a host function without a guest.
  explicit constexpr In(const T& value) noexcept : value_{&value} {}

  constexpr const T& operator*() const noexcept { return *value_; }
  constexpr const T* operator->() const noexcept { return value_; }
  constexpr operator const T&() const noexcept { return *value_; }

 private:
  const T* value_;
};

/// A place that a guest passes to be written. See above.
template <class T>
class Out {
 public:
  /// Refers to `value`; for the library, and for calling a host function without a guest.
  explicit constexpr Out(T& value) noexcept : value_{&value} {}

  constexpr T& operator*() const noexcept { return *value_; }
  constexpr T* operator->() const noexcept { return value_; }

 private:
  T* value_;
};

/// A place that a guest passes to be read and written. See above.
template <class T>
class InOut {
 public:
  /// Refers to `value`; for the library, and for calling a host function without a guest.
  explicit constexpr InOut(T& value) noexcept : value_{&value} {}

  constexpr T& operator*() const noexcept { return *value_; }
  constexpr T* operator->() const noexcept { return value_; }

 private:
  T* value_;
};

namespace bind {
namespace detail {

/// Elements that are copied: few of them in place, more on the heap.
template <class E>
class CopyBuffer {
  static_assert(std::is_trivially_destructible_v<E>);

 public:
  explicit CopyBuffer(std::size_t count) {
    if (count > kInlineCount) {
      heap_ = ::operator new(count * sizeof(E), std::align_val_t{alignof(E)});
    }
    elements_ = static_cast<E*>(heap_ != nullptr ? heap_ : inline_);
  }
  CopyBuffer(const CopyBuffer&) = delete;
  CopyBuffer& operator=(const CopyBuffer&) = delete;
  ~CopyBuffer() {
    if (heap_ != nullptr) ::operator delete(heap_, std::align_val_t{alignof(E)});
  }

  E* Elements() noexcept { return elements_; }

 private:
  static constexpr std::size_t kInlineBytes = 256;
  static constexpr std::size_t kInlineCount = kInlineBytes / sizeof(E);

  alignas(E) unsigned char inline_[kInlineBytes];
  void* heap_ = nullptr;
  E* elements_;
};

enum class Direction : std::uint8_t { In, Out, InOut };

/// Of a copy that takes so many operands, all offsets or lengths.
template <Direction kDirection>
consteval ParameterFacts CopyFacts(WireKind offset, std::uint8_t width) {
  ParameterFacts facts =
      FactsOfMemory(ParameterKind::Marshalled, offset, width, kDirection != Direction::In);
  facts.needs_holder = true;
  facts.writes_back = kDirection != Direction::In;
  return facts;
}

/// One value behind a pointer.
template <class T, Direction kDirection, class Argument, WireKind kOffset>
struct CopyMarshaller {
  using Layout = GuestLayout<T>;

  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (std::is_array_v<T>) {
      facts.refusal = Refusal::CArray;
    } else if constexpr (kDirection != Direction::In && std::is_const_v<T>) {
      facts.refusal = Refusal::ConstOut;
    } else if constexpr (!HasGuestLayout<T>) {
      facts.refusal = RefusalOfLayout<T>();
    } else {
      facts = CopyFacts<kDirection>(kOffset, 1);
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return CheckPointer<Layout::kSize>(caller, bind::Get<kOffset>(*operands), parameter);
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    return AppendRange<Layout::kSize, Native<kOffset>>(bind::Get<kOffset>(*operands), 1, parameter,
                                                       true, into);
  }

  class Holder {
   public:
    Holder(abi::InstanceHeader* caller, const Operand* operands)
        : caller_{caller}, offset_{bind::Get<kOffset>(*operands)}, value_(First(caller, offset_)) {}

    Argument Get() noexcept { return Argument{value_}; }
    void WriteBack() noexcept {
      if constexpr (kDirection != Direction::In) {
        StoreGuest<Layout>(*caller_->memory, offset_, value_);
      }
    }

   private:
    static T First([[maybe_unused]] abi::InstanceHeader* caller,
                   [[maybe_unused]] Native<kOffset> offset) {
      if constexpr (kDirection == Direction::Out) {
        return T();
      } else {
        return LoadGuest<Layout>(*caller->memory, offset);
      }
    }
    abi::InstanceHeader* caller_;
    Native<kOffset> offset_;
    T value_;
  };
};

/// Elements behind a pointer, with their number. T is a view.
template <class T, Direction kDirection, class Argument, WireKind kOffset>
struct CopiesMarshaller {
  using Traits = ViewTraits<T>;
  using Element = std::remove_const_t<typename Traits::Element>;

  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (!Traits::kIsDynamic) {
      facts.refusal = Refusal::FixedExtent;
    } else if constexpr (std::is_array_v<Element>) {
      facts.refusal = Refusal::CArray;
    } else if constexpr (!HasGuestLayout<Element>) {
      facts.refusal = RefusalOfLayout<Element>();
    } else if constexpr (kDirection != Direction::In && std::is_const_v<typename Traits::Element>) {
      facts.refusal = Refusal::ConstOut;
    } else if constexpr (!std::is_trivially_destructible_v<Element>) {
      facts.refusal = Refusal::CopiedElement;
    } else {
      facts = CopyFacts<kDirection>(kOffset, 2);
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return CheckRange<GuestLayout<Element>::kSize, 1>(caller, bind::Get<kOffset>(operands[0]),
                                                      bind::Get<kOffset>(operands[1]), parameter);
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    return AppendRange<GuestLayout<Element>::kSize>(
        bind::Get<kOffset>(operands[0]), bind::Get<kOffset>(operands[1]), parameter, true, into);
  }

  class Holder {
   public:
    Holder(abi::InstanceHeader* caller, const Operand* operands)
        : caller_{caller},
          offset_{bind::Get<kOffset>(operands[0])},
          count_{bind::Get<kOffset>(operands[1])},
          buffer_{count_},
          view_{buffer_.Elements(), count_} {
      Element* const elements = buffer_.Elements();
      const abi::MemoryRecord& memory = *caller->memory;
      std::uint64_t from = offset_;
      if constexpr (kDirection == Direction::Out) {
        for (std::size_t i = 0; i < count_; ++i) ::new (elements + i) Element();
      } else if constexpr (Layout::kReadsWhole && std::is_trivially_copyable_v<Element>) {
        if ((memory.flags & abi::kMemoryShared) != 0) [[unlikely]] {
          abi::LoadShared(elements, memory.base + from, count_ * sizeof(Element));
        } else if (count_ != 0) {
          std::memcpy(elements, memory.base + from, count_ * sizeof(Element));
        }
      } else {
        for (std::size_t i = 0; i < count_; ++i, from += Layout::kSize) {
          ::new (elements + i) Element(LoadGuest<Layout>(memory, from));
        }
      }
    }

    Argument Get() noexcept { return Argument{view_}; }
    void WriteBack() noexcept {
      if constexpr (kDirection != Direction::In) {
        const abi::MemoryRecord& memory = *caller_->memory;
        std::uint64_t to = offset_;
        const Element* const elements = buffer_.Elements();
        if constexpr (Layout::kWritesWhole) {
          if ((memory.flags & abi::kMemoryShared) != 0) [[unlikely]] {
            abi::StoreShared(memory.base + to, elements, count_ * sizeof(Element));
          } else if (count_ != 0) {
            std::memcpy(memory.base + to, elements, count_ * sizeof(Element));
          }
        } else {
          for (std::size_t i = 0; i < count_; ++i, to += Layout::kSize) {
            StoreGuest<Layout>(memory, to, elements[i]);
          }
        }
      }
    }

   private:
    using Layout = GuestLayout<Element>;

    abi::InstanceHeader* caller_;
    Native<kOffset> offset_;
    std::size_t count_;
    CopyBuffer<Element> buffer_;
    T view_;
  };
};

template <class T, Direction kDirection, class Argument, WireKind kOffset>
struct ChosenCopy {
  using Type = CopyMarshaller<T, kDirection, Argument, kOffset>;
};
template <class T, Direction kDirection, class Argument, WireKind kOffset>
  requires ViewTraits<T>::kIsView
struct ChosenCopy<T, kDirection, Argument, kOffset> {
  using Type = CopiesMarshaller<T, kDirection, Argument, kOffset>;
};

}  // namespace detail

template <class T, WireKind kOffset>
struct MemoryParameter<In<T>, kOffset>
    : detail::ChosenCopy<T, detail::Direction::In, In<T>, kOffset>::Type {};
template <class T, WireKind kOffset>
struct MemoryParameter<Out<T>, kOffset>
    : detail::ChosenCopy<T, detail::Direction::Out, Out<T>, kOffset>::Type {};
template <class T, WireKind kOffset>
struct MemoryParameter<InOut<T>, kOffset>
    : detail::ChosenCopy<T, detail::Direction::InOut, InOut<T>, kOffset>::Type {};

template <class T>
struct Marshaller<In<T>> : MemoryParameter<In<T>, kOffsetWire> {};
template <class T>
struct Marshaller<Out<T>> : MemoryParameter<Out<T>, kOffsetWire> {};
template <class T>
struct Marshaller<InOut<T>> : MemoryParameter<InOut<T>, kOffsetWire> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
