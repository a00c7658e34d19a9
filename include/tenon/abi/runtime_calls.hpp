// SPDX-License-Identifier: Apache-2.0
/// @file
/// What compiled code may ask of the runtime: instructions that are too rare or too long to be
/// written out in every function.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>

// X(name): entries that stand for a wasm instruction have its name.
// clang-format off
#define TENON_RUNTIME_CALLS(X) \
  X(raise_trap)   /* operand 0: the TrapCode */ \
  X(interrupt)    /* makes an exit pending if the current call was asked to stop */ \
  X(memory_grow) \
  X(memory_init) \
  X(memory_copy) \
  X(memory_fill) \
  X(data_drop)   \
  X(table_init)  \
  X(table_copy)  \
  X(table_fill)  \
  X(table_grow)  \
  X(elem_drop)   \
  /* The immediate of these is the offset. */ \
  X(memory_atomic_notify) \
  X(memory_atomic_wait32) \
  X(memory_atomic_wait64)
// clang-format on

namespace tenon::inline TENON_ABI::abi {

/// `indices` holds the immediates of the instruction in the order of the binary format, the first
/// in the low half; the operands are the instruction's, integers zero-extended. Never throws: traps
/// and exits are left in `exec->pending`, which the caller tests.
using RuntimeCall = std::uint64_t (*)(InstanceHeader* caller, std::uint64_t indices,
                                      std::uint64_t first, std::uint64_t second,
                                      std::uint64_t third);

/// One table per engine build, reached as `instance->runtime_calls`.
struct RuntimeCalls {
#define TENON_DETAIL_ROW(name) RuntimeCall name;
  TENON_RUNTIME_CALLS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

}  // namespace tenon::inline TENON_ABI::abi
