// SPDX-License-Identifier: Apache-2.0
/// @file
/// The allocator of a guest, as the host uses it to hand data in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/call_context.hpp>
#include <tenon/function.hpp>
#include <tenon/fwd.hpp>
#include <tenon/typed_function.hpp>

namespace tenon::inline TENON_ABI {

class GuestBuffer;
class Memory;
class Module;

namespace detail {

struct GuestAllocatorState;

/// Bytes that a guest's allocator handed out. Size 0: none, nothing is to be freed.
struct GuestBlock {
  std::uint32_t offset = 0;      ///< of the data; aligned
  std::uint32_t base = 0;        ///< what the allocator returned
  std::uint32_t size = 0;        ///< what it was asked for
  std::uint32_t alignment = 1;   ///< what it was asked for
  std::uint64_t trap_count = 0;  ///< of the guest when it returned
};

template <class Elements>
concept SpanSource = requires(const Elements& elements) { std::span{elements}; };

/// What an AssemblyScript guest takes a block for, by the number of its class.
enum class GuestClass : std::uint32_t { ArrayBuffer = 1, String = 2 };

}  // namespace detail

/// A handle to the functions by which a guest hands out its memory and takes it back. With it a
/// host puts strings, arrays and structs where the guest keeps its own:
///
/// - `module.ExportedFunction<R(std::string_view, std::span<const double>)>(name, allocator)` does
///   so for the time of one call (see GuestFunction);
/// - `Allocate`, `Copy` and `CopyString` do so for as long as a GuestBuffer lives, `CopyObject` for
///   as long as a GuestObject does.
///
/// The guest is not trusted: what its allocator returns is checked, in 64 bits, before anything is
/// written. Errors are AllocationError; a trap or exception in the guest's own code leaves as
/// itself.
///
/// Copies refer to the same allocator. Keeps the guest's instance alive. One thread at a time, as
/// all handles of the guest's linkage group.
class GuestAllocator {
 public:
  /// An empty handle, whose members throw ConfigError.
  GuestAllocator() noexcept = default;

  /// The allocator that a module exports: `malloc` and `free`; else AssemblyScript's `__new`,
  /// `__pin` and `__unpin`; else `cabi_realloc`. Throws ConfigError if it has none of them, or one
  /// of another type.
  ///
  /// What came from `cabi_realloc` is not freed by the host: in the canonical ABI it belongs to the
  /// function that it is passed to.
  TENON_DECL static GuestAllocator Find(const Module& module);

  /// Functions of other names, or of another instance with the same memory. The memory is memory 0
  /// of `module`.
  ///
  /// `allocate` has one of these types, and returns null (0) if there is no room:
  /// - `(i32 size) -> i32`;
  /// - `(i32 size, i32 alignment) -> i32`;
  /// - `(i32 old_pointer, i32 old_size, i32 alignment, i32 size) -> i32`, as cabi_realloc.
  ///
  /// `free` is empty if nothing is to be freed, or has no results and one of these types:
  /// - `(i32 pointer)`;
  /// - `(i32 pointer, i32 size)`;
  /// - `(i32 pointer, i32 size, i32 alignment)`.
  ///
  /// Throws ConfigError if one of them has another type or another memory, or if the module has no
  /// memory.
  ///
  /// What comes from a function without alignment must be aligned to 8 bytes, or less where less is
  /// needed; for more the host asks for more bytes, and aligns within them.
  TENON_DECL GuestAllocator(const Module& module, const Function& allocate,
                            const Function& free = {});
  template <class A, class F>
  GuestAllocator(const Module& module, const TypedFunction<A>& allocate,
                 const TypedFunction<F>& free)
      : GuestAllocator{module, allocate.Untyped(), free.Untyped()} {}

  explicit operator bool() const noexcept { return state_ != nullptr; }
  friend bool operator==(const GuestAllocator&, const GuestAllocator&) noexcept = default;

  /// `size` bytes of the guest's memory, aligned to `alignment`, a power of two (else ConfigError).
  /// What is in them is the guest's affair. Size 0 asks the guest for nothing.
  GuestBuffer Allocate(std::uint64_t size, std::uint32_t alignment = 8) const;
  /// The same under a stop token or deadline: a guest's allocator may run for ever.
  GuestBuffer Allocate(const CallContext& context, std::uint64_t size,
                       std::uint32_t alignment = 8) const;
  /// A copy of elements, laid out and aligned as C for wasm32 has them: numbers, enums, bool, V128,
  /// GuestPtr, GuestSize; structs with <tenon/aggregate.hpp> or a list of fields. They must not lie
  /// in a memory of the guest that can move.
  template <class T, std::size_t kExtent>
  GuestBuffer Copy(std::span<T, kExtent> elements) const;
  template <class T, std::size_t kExtent>
  GuestBuffer Copy(const CallContext& context, std::span<T, kExtent> elements) const;
  /// Of whatever a std::span can be made of: std::vector, std::array, C arrays.
  template <detail::SpanSource Elements>
  GuestBuffer Copy(const Elements& elements) const;
  template <detail::SpanSource Elements>
  GuestBuffer Copy(const CallContext& context, const Elements& elements) const;
  /// A copy of a text, with a zero behind it that Size() does not count.
  GuestBuffer CopyString(std::string_view text) const;
  GuestBuffer CopyString(const CallContext& context, std::string_view text) const;
  /// A copy of one value, of a type that elements of Copy can have. Defined in
  /// <tenon/guest_object.hpp>.
  template <class T>
  GuestObject<T> CopyObject(const T& value) const;
  template <class T>
  GuestObject<T> CopyObject(const CallContext& context, const T& value) const;

  /// The memory that is allocated from.
  TENON_DECL const Memory& GuestMemory() const;
  /// Whether it hands out objects of AssemblyScript's garbage collector, whose texts are UTF-16.
  TENON_DECL bool IsManaged() const;

  /// For the library's own rooms. Whoever calls these has a copy of the handle for as long: the
  /// guest that they run may drop all others.
  /// @{
  TENON_DECL detail::GuestBlock AllocateBlock(std::uint64_t size, std::uint32_t alignment,
                                              detail::GuestClass object_class,
                                              const CallContext* context) const;
  /// AllocateBlock, with `size` bytes copied in.
  TENON_DECL detail::GuestBlock CopyBlock(const void* bytes, std::uint64_t size,
                                          std::uint32_t alignment, detail::GuestClass object_class,
                                          const CallContext* context) const;
  /// Takes a pointer over that the guest allocated itself and gave to the host.
  TENON_DECL detail::GuestBlock AdoptBlock(std::uint32_t pointer, std::uint32_t size,
                                           std::uint32_t alignment,
                                           const CallContext* context) const;
  /// Does nothing if the guest was closed, or trapped since the block was made. Throws nothing:
  /// what the guest's function ends with is dropped.
  TENON_DECL void FreeBlock(const detail::GuestBlock& block,
                            const CallContext* context) const noexcept;
  /// Bytes of a block, until the guest runs. Throws ExitError if the guest was closed.
  TENON_DECL std::uint8_t* BytesAt(std::uint32_t offset, std::uint64_t size) const;
  /// Copies out of a block what the guest made of it. Throws ExitError if the guest was closed.
  TENON_DECL void CopyOut(std::uint32_t offset, void* bytes, std::uint64_t size) const;
  /// Throws ConfigError unless a function reads and writes the memory that is allocated from, and
  /// lives as long as it.
  TENON_DECL void RequireFunctionOf(const Function& function) const;
  /// @}

 private:
  const detail::GuestAllocatorState& State() const;

  std::shared_ptr<const detail::GuestAllocatorState> state_;
};

}  // namespace tenon::inline TENON_ABI

#include <tenon/guest_buffer.hpp>

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/guest_allocator.ipp>
#endif
