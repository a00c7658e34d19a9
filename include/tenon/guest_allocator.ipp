// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of guest_allocator.hpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>

#include <tenon/error.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

/// How the functions of an allocator are called; of those with other parameters the handles are
/// empty.
struct GuestAllocatorState {
  Module module;
  Memory memory;
  std::string name;  ///< of the function that allocates, for errors
  TypedFunction<std::uint32_t(std::uint32_t)> allocate;
  TypedFunction<std::uint32_t(std::uint32_t, std::uint32_t)> allocate_aligned;
  TypedFunction<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)> realloc;
  TypedFunction<std::uint32_t(std::uint32_t, std::uint32_t)> allocate_object;
  TypedFunction<std::uint32_t(std::uint32_t)> pin;
  TypedFunction<void(std::uint32_t)> free;
  TypedFunction<void(std::uint32_t, std::uint32_t)> free_sized;
  TypedFunction<void(std::uint32_t, std::uint32_t, std::uint32_t)> free_aligned;

  /// What the function that allocates can be relied on to align to.
  std::uint32_t GuaranteedAlignment(std::uint32_t wanted) const {
    constexpr std::uint32_t kOfMalloc = 8;
    return allocate ? std::min(wanted, kOfMalloc) : wanted;
  }
  std::uint32_t Call(std::uint32_t size, std::uint32_t alignment, GuestClass object_class,
                     const CallContext* context) const {
    const auto call = [context](const auto& function, auto... arguments) {
      return context != nullptr ? function(*context, arguments...) : function(arguments...);
    };
    if (allocate) return call(allocate, size);
    if (allocate_aligned) return call(allocate_aligned, size, alignment);
    if (realloc) return call(realloc, 0u, 0u, alignment, size);
    return call(allocate_object, size, static_cast<std::uint32_t>(object_class));
  }
  void Pin(std::uint32_t object, const CallContext* context) const {
    if (!pin) return;
    static_cast<void>(context != nullptr ? pin(*context, object) : pin(object));
  }
  void Free(const GuestBlock& block, const CallContext* context) const {
    const auto call = [context](const auto& function, auto... arguments) {
      context != nullptr ? function(*context, arguments...) : function(arguments...);
    };
    if (free) {
      call(free, block.base);
    } else if (free_sized) {
      call(free_sized, block.base, block.size);
    } else if (free_aligned) {
      call(free_aligned, block.base, block.size, block.alignment);
    }
  }
};

/// Whether a function takes `parameters` i32 and returns `results`.
inline bool HasShape(const FunctionDefinition& function, std::size_t parameters,
                     std::size_t results) {
  const auto is_i32 = [](ValueType type) { return type == ValueType::I32; };
  return function.parameter_types.size() == parameters && function.result_types.size() == results &&
         std::ranges::all_of(function.parameter_types, is_i32) &&
         std::ranges::all_of(function.result_types, is_i32);
}

[[noreturn]] inline void RefuseAllocator(const FunctionDefinition& function, const char* purpose) {
  throw ConfigError{ErrorCode::AllocatorSignature,
                    FormatError(ErrorCode::AllocatorSignature,
                                {function.DebugName(), purpose, function.Signature()})};
}

/// A state without functions.
inline std::shared_ptr<GuestAllocatorState> BeginAllocator(const Module& module) {
  const auto state = std::make_shared<GuestAllocatorState>();
  state->module = module;
  state->memory = module.DefaultMemory();
  if (!state->memory) {
    throw ConfigError{ErrorCode::AllocatorMemory,
                      FormatError(ErrorCode::AllocatorMemory, {module.Name()})};
  }
  if (state->memory.IsShared()) {
    throw ConfigError{ErrorCode::AllocatorSharedMemory,
                      FormatError(ErrorCode::AllocatorSharedMemory, {module.Name()})};
  }
  return state;
}

/// Whether a function's own memory is this one. One without memory hands pointers on.
inline bool UsesMemory(const Function& function, const Memory& memory) {
  const auto& memories = vm::OwnerOf(*function.Record()).memories;
  return memories.empty() || memories[0].get() == memory.Get();
}

[[noreturn]] inline void RefuseMemory(const FunctionDefinition& function,
                                      const std::string& allocator) {
  throw ConfigError{
      ErrorCode::AllocatorMemoryMismatch,
      FormatError(ErrorCode::AllocatorMemoryMismatch, {function.DebugName(), allocator})};
}

}  // namespace detail

TENON_DECL GuestAllocator::GuestAllocator(const Module& module, const Function& allocate,
                                          const Function& free) {
  const auto state = detail::BeginAllocator(module);
  const FunctionDefinition allocates = allocate.Definition();
  state->name = allocates.DebugName();
  if (detail::HasShape(allocates, 1, 1)) {
    state->allocate = decltype(state->allocate)::FromChecked(allocate);
  } else if (detail::HasShape(allocates, 2, 1)) {
    state->allocate_aligned = decltype(state->allocate_aligned)::FromChecked(allocate);
  } else if (detail::HasShape(allocates, 4, 1)) {
    state->realloc = decltype(state->realloc)::FromChecked(allocate);
  } else {
    detail::RefuseAllocator(allocates, "allocate");
  }
  if (!detail::UsesMemory(allocate, state->memory)) {
    detail::RefuseMemory(allocates, "module[" + module.Name() + "]");
  }
  if (free) {
    const FunctionDefinition frees = free.Definition();
    if (detail::HasShape(frees, 1, 0)) {
      state->free = decltype(state->free)::FromChecked(free);
    } else if (detail::HasShape(frees, 2, 0)) {
      state->free_sized = decltype(state->free_sized)::FromChecked(free);
    } else if (detail::HasShape(frees, 3, 0)) {
      state->free_aligned = decltype(state->free_aligned)::FromChecked(free);
    } else {
      detail::RefuseAllocator(frees, "free");
    }
    if (!detail::UsesMemory(free, state->memory)) detail::RefuseMemory(frees, state->name);
  }
  state_ = state;
}

TENON_DECL GuestAllocator GuestAllocator::Find(const Module& module) {
  const Function malloc = module.ExportedFunction("malloc");
  const Function free = module.ExportedFunction("free");
  if (malloc && free) return GuestAllocator{module, malloc, free};

  const Function create = module.ExportedFunction("__new");
  const Function pin = module.ExportedFunction("__pin");
  const Function unpin = module.ExportedFunction("__unpin");
  if (create && pin && unpin) {
    const auto state = detail::BeginAllocator(module);
    const FunctionDefinition creates = create.Definition();
    if (!detail::HasShape(creates, 2, 1)) detail::RefuseAllocator(creates, "allocate");
    if (!detail::HasShape(pin.Definition(), 1, 1)) {
      detail::RefuseAllocator(pin.Definition(), "pin");
    }
    if (!detail::HasShape(unpin.Definition(), 1, 0)) {
      detail::RefuseAllocator(unpin.Definition(), "unpin");
    }
    state->name = creates.DebugName();
    state->allocate_object = decltype(state->allocate_object)::FromChecked(create);
    state->pin = decltype(state->pin)::FromChecked(pin);
    state->free = decltype(state->free)::FromChecked(unpin);
    GuestAllocator found;
    found.state_ = state;
    return found;
  }

  if (const Function realloc = module.ExportedFunction("cabi_realloc")) {
    if (!detail::HasShape(realloc.Definition(), 4, 1)) {
      detail::RefuseAllocator(realloc.Definition(), "allocate");
    }
    return GuestAllocator{module, realloc};
  }
  throw ConfigError{ErrorCode::AllocatorNotFound,
                    FormatError(ErrorCode::AllocatorNotFound, {module.Name()})};
}

TENON_DECL const detail::GuestAllocatorState& GuestAllocator::State() const {
  if (state_ == nullptr) vm::ThrowEmptyHandle("GuestAllocator");
  return *state_;
}

TENON_DECL const Memory& GuestAllocator::GuestMemory() const { return State().memory; }
TENON_DECL bool GuestAllocator::IsManaged() const { return bool{State().allocate_object}; }

TENON_DECL void GuestAllocator::RequireFunctionOf(const Function& function) const {
  const detail::GuestAllocatorState& state = State();
  // A linkage group lives as one.
  if (vm::OwnerOf(*function.Record()).group != state.module.Get()->group ||
      !detail::UsesMemory(function, state.memory)) {
    detail::RefuseMemory(function.Definition(), state.name);
  }
}

TENON_DECL detail::GuestBlock GuestAllocator::AllocateBlock(std::uint64_t size,
                                                            std::uint32_t alignment,
                                                            detail::GuestClass object_class,
                                                            const CallContext* context) const {
  const detail::GuestAllocatorState& state = State();
  if (!std::has_single_bit(alignment)) {
    throw ConfigError{ErrorCode::AllocationAlignment,
                      FormatError(ErrorCode::AllocationAlignment, {std::to_string(alignment)})};
  }
  detail::GuestBlock block;
  // A view of nothing points to nothing, but an object is an object.
  if (size == 0 && !state.allocate_object) {
    block.offset = alignment;
    return block;
  }
  const std::uint32_t guaranteed = state.GuaranteedAlignment(alignment);
  const std::uint32_t slack = alignment - guaranteed;
  if (size > std::numeric_limits<std::uint32_t>::max() - slack) {
    throw AllocationError{ErrorCode::AllocationSize,
                          FormatError(ErrorCode::AllocationSize, {std::to_string(size)})};
  }
  block.size = static_cast<std::uint32_t>(size) + slack;
  block.alignment = alignment;
  block.base = state.Call(block.size, alignment, object_class, context);
  const vm::Instance& instance = *state.module.Get();
  if (instance.IsClosed()) throw ExitError{instance.ExitCode()};
  if (block.base == 0) {
    throw AllocationError{
        ErrorCode::AllocationNull,
        FormatError(ErrorCode::AllocationNull, {state.name, std::to_string(block.size)})};
  }
  const std::uint64_t memory_size = state.memory.Size();
  if (block.base > memory_size || block.size > memory_size - block.base) {
    throw AllocationError{ErrorCode::AllocationBounds,
                          FormatError(ErrorCode::AllocationBounds,
                                      {state.name, std::to_string(block.size),
                                       std::to_string(block.base), std::to_string(memory_size)})};
  }
  if (block.base % guaranteed != 0) {
    throw AllocationError{
        ErrorCode::AllocationUnaligned,
        FormatError(ErrorCode::AllocationUnaligned,
                    {state.name, std::to_string(block.base), std::to_string(guaranteed)})};
  }
  // Nothing keeps an object but this, and the next allocation may collect.
  state.Pin(block.base, context);
  block.trap_count = vm::TrapCount(instance);
  block.offset = (block.base + slack) & ~(alignment - 1);
  return block;
}

TENON_DECL detail::GuestBlock GuestAllocator::CopyBlock(const void* bytes, std::uint64_t size,
                                                        std::uint32_t alignment,
                                                        detail::GuestClass object_class,
                                                        const CallContext* context) const {
  const detail::GuestBlock block = AllocateBlock(size, alignment, object_class, context);
  Memory memory = State().memory;
  memory.Write(block.offset,
               std::span{static_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size)});
  return block;
}

TENON_DECL detail::GuestBlock GuestAllocator::AdoptBlock(std::uint32_t pointer, std::uint32_t size,
                                                         std::uint32_t alignment,
                                                         const CallContext* context) const {
  const detail::GuestAllocatorState& state = State();
  state.Pin(pointer, context);
  return {pointer, pointer, size, alignment, vm::TrapCount(*state.module.Get())};
}

TENON_DECL void GuestAllocator::FreeBlock(const detail::GuestBlock& block,
                                          const CallContext* context) const noexcept {
  if (state_ == nullptr || block.base == 0) return;
  const vm::Instance& instance = *state_->module.Get();
  if (instance.IsClosed() || vm::TrapCount(instance) != block.trap_count) return;
  try {
    state_->Free(block, context);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // Whoever frees has nobody to tell, and nothing of the host depends on it.
  }
}

TENON_DECL std::uint8_t* GuestAllocator::BytesAt(std::uint32_t offset, std::uint64_t size) const {
  const detail::GuestAllocatorState& state = State();
  const auto view = state.memory.View(offset, size);
  if (!view.has_value()) throw ExitError{state.module.Get()->ExitCode()};
  return view->data();
}

TENON_DECL void GuestAllocator::CopyOut(std::uint32_t offset, void* bytes,
                                        std::uint64_t size) const {
  if (size != 0) std::memmove(bytes, BytesAt(offset, size), static_cast<std::size_t>(size));
}

}  // namespace tenon::inline TENON_ABI
