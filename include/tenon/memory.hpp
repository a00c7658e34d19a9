// SPDX-License-Identifier: Apache-2.0
/// @file
/// Linear memory as the host sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/shared_bytes.hpp>
#include <tenon/definition.hpp>
#include <tenon/guest_atomic.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
class MemoryInstance;
TENON_DECL void Retain(MemoryInstance& memory) noexcept;
TENON_DECL void Release(MemoryInstance& memory) noexcept;
TENON_DECL const abi::MemoryRecord& Record(const MemoryInstance& memory) noexcept;
}  // namespace vm

/// A handle to a linear memory. Access never throws: reads out of bounds give nullopt, writes out
/// of bounds give false and write nothing. Offsets are bytes from the start.
///
/// An empty handle, and one whose modules were all closed, is a memory of size 0. Copies refer to
/// the same memory and keep it alive beyond the last Module handle. One thread at a time, or any
/// thread where the memory is shared, but not while another thread closes the last module that uses
/// it: closing frees it at once, unless a call runs.
///
/// What other threads write to a shared memory meanwhile may be seen in part, except that numbers
/// at addresses that are multiples of their size are whole. Nothing is read twice.
class Memory {
 public:
  Memory() noexcept = default;
  Memory(const Memory& other) noexcept : memory_{other.memory_} {
    if (memory_ != nullptr) vm::Retain(*memory_);
  }
  Memory(Memory&& other) noexcept : memory_{std::exchange(other.memory_, nullptr)} {}
  Memory& operator=(Memory other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Memory() {
    if (memory_ != nullptr) vm::Release(*memory_);
  }

  explicit operator bool() const noexcept { return memory_ != nullptr; }
  friend bool operator==(const Memory&, const Memory&) noexcept = default;

  /// Whether guests on several threads may use it: it was declared so, with Feature::Threads.
  bool IsShared() const noexcept {
    return memory_ != nullptr && (vm::Record(*memory_).flags & abi::kMemoryShared) != 0;
  }
  /// Bytes that can be accessed now; at most 2^32, or 2^34 with 64-bit addresses.
  std::uint64_t Size() const noexcept {
    return memory_ == nullptr ? 0 : vm::Record(*memory_).size.LoadRelaxed();
  }
  /// Adds `delta` pages of 64 KiB. The former number of pages; nullopt if the limits or the machine
  /// refuse, in which case nothing changed; also while a host function runs that was given a raw
  /// view (std::string_view, std::span, CString) of a memory that can move. Spans from View stay
  /// valid where the memory cannot move (the default) and are dangling otherwise.
  TENON_DECL std::optional<std::uint64_t> Grow(std::uint64_t delta) noexcept;
  /// The number at `offset`, to be read and changed together with guests on other threads; nullopt
  /// if it is out of bounds or `offset` is no multiple of its size, or if the memory can move (a
  /// MemoryAllocator that says so, where the memory is not shared). Valid until the memory is
  /// closed.
  template <class T>
  std::optional<GuestAtomic<T>> Atomic(std::uint64_t offset) const noexcept {
    static_assert(bind::detail::kIsAtomicNumber<T>,
                  "tenon: Memory::Atomic<T> is for integers and enums of 8 to 64 bits that are not "
                  "const (std::uint8_t instead of bool)");
    if (offset % sizeof(T) != 0 || !Contains(offset, sizeof(T)) || !IsImmovable()) {
      return std::nullopt;
    }
    return GuestAtomic<T>{Base() + offset};
  }
  /// Wakes up to `count` guests that wait at `offset` (memory.atomic.wait), the oldest first: how
  /// many; nullopt if the offset is no multiple of 4 or out of bounds. Any thread.
  TENON_DECL std::optional<std::uint32_t> Notify(std::uint64_t offset,
                                                 std::uint32_t count) noexcept;
  /// As the module that created it declares it.
  TENON_DECL MemoryDefinition Definition() const;

  std::optional<std::uint8_t> ReadByte(std::uint64_t offset) const noexcept {
    return Read<std::uint8_t>(offset);
  }
  std::optional<std::uint16_t> ReadUint16Le(std::uint64_t offset) const noexcept {
    return Read<std::uint16_t>(offset);
  }
  std::optional<std::uint32_t> ReadUint32Le(std::uint64_t offset) const noexcept {
    return Read<std::uint32_t>(offset);
  }
  std::optional<std::uint64_t> ReadUint64Le(std::uint64_t offset) const noexcept {
    return Read<std::uint64_t>(offset);
  }
  std::optional<float> ReadFloat32Le(std::uint64_t offset) const noexcept {
    return Read<float>(offset);
  }
  std::optional<double> ReadFloat64Le(std::uint64_t offset) const noexcept {
    return Read<double>(offset);
  }
  bool WriteByte(std::uint64_t offset, std::uint8_t value) noexcept { return Write(offset, value); }
  bool WriteUint16Le(std::uint64_t offset, std::uint16_t value) noexcept {
    return Write(offset, value);
  }
  bool WriteUint32Le(std::uint64_t offset, std::uint32_t value) noexcept {
    return Write(offset, value);
  }
  bool WriteUint64Le(std::uint64_t offset, std::uint64_t value) noexcept {
    return Write(offset, value);
  }
  bool WriteFloat32Le(std::uint64_t offset, float value) noexcept { return Write(offset, value); }
  bool WriteFloat64Le(std::uint64_t offset, double value) noexcept { return Write(offset, value); }

  /// Copies bytes out of the memory: false, and nothing is copied, if they are out of bounds.
  bool Read(std::uint64_t offset, std::span<std::uint8_t> into) const noexcept {
    return ReadBytes(offset, into.data(), into.size());
  }

  /// The bytes themselves, for reading and writing; nullopt also of a shared memory, whose bytes
  /// other threads may change at any time: Read copies them. Valid until the memory is closed, and,
  /// for a memory that can move (a MemoryAllocator that says so), until the next Grow by anybody.
  std::optional<std::span<std::uint8_t>> View(std::uint64_t offset,
                                              std::uint64_t length) const noexcept {
    if (IsShared()) return std::nullopt;
    return ViewUnsynchronized(offset, length);
  }
  /// View, of shared memories too. Those who race with guests there must not trust what they read,
  /// nor read it twice, and plain C++ reads and writes are data races; system calls are not.
  std::optional<std::span<std::uint8_t>> ViewUnsynchronized(std::uint64_t offset,
                                                            std::uint64_t length) const noexcept {
    if (!Contains(offset, length)) return std::nullopt;
    return std::span{Base() + offset, static_cast<std::size_t>(length)};
  }
  /// View as text.
  std::optional<std::string_view> ViewString(std::uint64_t offset,
                                             std::uint64_t length) const noexcept {
    if (IsShared() || !Contains(offset, length)) return std::nullopt;
    return std::string_view{reinterpret_cast<const char*>(Base()) + offset,
                            static_cast<std::size_t>(length)};
  }
  bool Write(std::uint64_t offset, std::span<const std::uint8_t> bytes) noexcept {
    return WriteBytes(offset, bytes.data(), bytes.size());
  }
  bool WriteString(std::uint64_t offset, std::string_view text) noexcept {
    return WriteBytes(offset, text.data(), text.size());
  }

  /// For the library's own rooms.
  static Memory FromInstance(vm::MemoryInstance* memory) noexcept {
    if (memory != nullptr) vm::Retain(*memory);
    return Memory{memory};
  }
  vm::MemoryInstance* Get() const noexcept { return memory_; }

 private:
  explicit Memory(vm::MemoryInstance* memory) noexcept : memory_{memory} {}

  std::uint8_t* Base() const noexcept {
    static std::uint8_t nothing[1];
    return memory_ == nullptr ? nothing : vm::Record(*memory_).base;
  }
  bool IsImmovable() const noexcept {
    return memory_ != nullptr && (vm::Record(*memory_).flags & abi::kMemoryImmovable) != 0;
  }
  bool Contains(std::uint64_t offset, std::uint64_t length) const noexcept {
    const std::uint64_t size = Size();
    return offset <= size && length <= size - offset;
  }
  template <class T>
  std::optional<T> Read(std::uint64_t offset) const noexcept {
    T value;
    if (!ReadBytes(offset, &value, sizeof(T))) return std::nullopt;
    return value;
  }
  bool ReadBytes(std::uint64_t offset, void* into, std::uint64_t length) const noexcept {
    if (!Contains(offset, length)) return false;
    const auto size = static_cast<std::size_t>(length);
    if (IsShared()) [[unlikely]] {
      abi::CopyFromShared(into, Base() + offset, size);
    } else if (size != 0) {
      std::memmove(into, Base() + offset, size);
    }
    return true;
  }
  template <class T>
    requires(!std::is_class_v<T>)
  bool Write(std::uint64_t offset, T value) noexcept {
    return WriteBytes(offset, &value, sizeof(T));
  }
  bool WriteBytes(std::uint64_t offset, const void* bytes, std::uint64_t length) noexcept {
    if (!Contains(offset, length)) return false;
    if (IsShared()) [[unlikely]] {
      const auto size = static_cast<std::size_t>(length);
      // As below, but numbers are whole.
      if (size > sizeof(std::uint64_t)) {
        abi::MoveShared(Base() + offset, static_cast<const std::uint8_t*>(bytes), size);
      } else {
        abi::CopyToShared(Base() + offset, bytes, size);
      }
      return true;
    }
    // The source may be a view of the same memory.
    if (length != 0) std::memmove(Base() + offset, bytes, static_cast<std::size_t>(length));
    return true;
  }

  vm::MemoryInstance* memory_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI

template <>
struct std::hash<tenon::Memory> {
  std::size_t operator()(const tenon::Memory& handle) const noexcept {
    return std::hash<const void*>{}(handle.Get());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/memory.ipp>
#endif
