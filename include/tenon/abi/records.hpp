// SPDX-License-Identifier: Apache-2.0
/// @file
/// The records that thunks, generated code, the interpreter and the runtime share.
///
/// Their layout is a contract: generated code holds these offsets, and the digest of abi/digest.hpp
/// is part of every cache key. Nothing here has behaviour.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/atomic_word.hpp>
#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>

namespace tenon::inline TENON_ABI::abi {

struct InstanceHeader;
struct FunctionRecord;
struct Operations;
struct ReferenceDirectory;
struct RuntimeCalls;

/// Canonical number of a function type in the type registry of a runtime. Two functions have the
/// same type exactly when the numbers are equal.
using TypeId = std::uint32_t;

/// Address of native code in the thunk convention: the platform's C calling convention with
/// parameters `(void* context, InstanceHeader* caller, operands...)`. i32 is passed zero-extended
/// to uint64_t (callees may take it as uint32_t), i64 as uint64_t, references as uint64_t, v128 as
/// NativeV128. One result is returned in the same form, zero-extended likewise; several are written
/// to a last parameter `Slot* results`, each v128 taking two slots. After every such call the
/// caller tests `exec->pending`, or its own `attention` first.
using NativeCode = void (*)();

/// The same call with operands in memory: `slots` holds the operands on entry and the results on
/// return (room for the larger of both). `caller` is the calling instance. Never throws; failure is
/// reported through `caller->exec->pending`.
using SlotInvoke = void (*)(const FunctionRecord* callee, InstanceHeader* caller, Slot* slots);

/// Facts about a function that linking and lookup check.
enum FunctionFlags : std::uint32_t {
  kFunctionIsHost = 1u << 0,
  kFunctionNeedsCaller = 1u << 1,     ///< has a Module or CallContext parameter
  kFunctionNeedsMemory = 1u << 2,     ///< reads the calling instance's memory
  kFunctionClosed = 1u << 3,          ///< its module was closed; must not run
  kFunctionTakesFunctions = 1u << 4,  ///< a guest's, with a funcref parameter: host calls check it
  kFunctionHasRawViews = 1u << 5,     ///< reads the calling instance's memory by plain C++ accesses
};

/// A function at run time. Lives as long as the linkage group of its instance; its address is the
/// value of a funcref.
struct FunctionRecord {
  NativeCode code;                ///< entry in the thunk convention; null if only `invoke` exists
  void* context;                  ///< host: the callable's state; guest: its InstanceHeader; the
                                  ///< record itself if `code` does no more than call `invoke`
  TypeId type;                    ///< canonical type
  std::uint32_t flags;            ///< FunctionFlags
  SlotInvoke invoke;              ///< never null
  InstanceHeader* instance;       ///< the instance that defines the function
  std::uint32_t index;            ///< in the function index space of `instance`
  std::uint16_t parameter_slots;  ///< slots of the operands; v128 takes two
  std::uint16_t result_slots;
  const void* engine_code;  ///< private to the engine
  /// Compiled functions: where calls from the same instance go; null otherwise.
  const void* body;
  /// Entry for host code, in the thunk convention with this record as context, if no special care
  /// is needed before it; else null.
  NativeCode host_entry;
  std::uint64_t shape;  ///< of its type, see function_shape.hpp
};

static_assert(offsetof(FunctionRecord, code) == 0);
static_assert(offsetof(FunctionRecord, context) == 8);
static_assert(offsetof(FunctionRecord, type) == 16);
static_assert(offsetof(FunctionRecord, flags) == 20);
static_assert(offsetof(FunctionRecord, invoke) == 24);
static_assert(offsetof(FunctionRecord, instance) == 32);
static_assert(offsetof(FunctionRecord, index) == 40);
static_assert(offsetof(FunctionRecord, engine_code) == 48);
static_assert(offsetof(FunctionRecord, body) == 56);
static_assert(offsetof(FunctionRecord, host_entry) == 64);
static_assert(offsetof(FunctionRecord, shape) == 72);
static_assert(sizeof(FunctionRecord) == 80);

/// What a call to an imported function needs, copied into the importing instance behind its header.
struct ImportRecord {
  NativeCode code;
  void* context;
  const FunctionRecord* function;
};

static_assert(offsetof(ImportRecord, code) == 0);
static_assert(offsetof(ImportRecord, context) == 8);
static_assert(offsetof(ImportRecord, function) == 16);
static_assert(sizeof(ImportRecord) == 24);

/// What a memory guarantees to the code that uses it.
enum MemoryFlags : std::uint32_t {
  kMemoryImmovable = 1u << 0,  ///< `base` never changes
  kMemoryShared = 1u << 1,
  kMemory64 = 1u << 2,
};

/// A linear memory at run time. One record is shared by all instances that use the memory.
struct MemoryRecord {
  std::uint8_t* base;           ///< never null
  AtomicWord size;              ///< bytes that may be accessed now; of shared ones any thread adds
  std::uint64_t reserved_size;  ///< bytes from `base` that fault cleanly when beyond `size`
  std::uint64_t maximum_pages;  ///< 64 KiB pages that grow may reach
  std::uint32_t flags;          ///< MemoryFlags
  std::uint32_t pins;           ///< running host functions with views into a memory that can move;
                                ///< while there are any it does not grow
};

static_assert(offsetof(MemoryRecord, base) == 0);
static_assert(offsetof(MemoryRecord, size) == 8);
static_assert(offsetof(MemoryRecord, reserved_size) == 16);
static_assert(offsetof(MemoryRecord, maximum_pages) == 24);
static_assert(offsetof(MemoryRecord, flags) == 32);
static_assert(sizeof(MemoryRecord) == 40);

/// A table at run time: one slot an element. Shared by all instances that use the table.
struct TableRecord {
  Slot* elements;
  std::uint64_t size;
  std::uint64_t maximum;
};

static_assert(offsetof(TableRecord, elements) == 0);
static_assert(offsetof(TableRecord, size) == 8);
static_assert(offsetof(TableRecord, maximum) == 16);
static_assert(sizeof(TableRecord) == 24);

/// A global at run time: its address is its identity. v128 uses both slots, others the first.
struct alignas(16) GlobalRecord {
  Slot slots[2];
};

static_assert(sizeof(GlobalRecord) == 16);

/// What is being executed in a linkage group: the instances that can reach each other's functions
/// without the host. One thread at a time; only what is atomic is touched by others.
struct ExecContext {
  std::uintptr_t stack_limit;          ///< lowest native stack address guest code may use
  AtomicWord interrupt;                ///< the activation that was asked to stop, else 0
  void* pending;                       ///< non-null while an exception or trap unwinds the guest
  AtomicWord activation;               ///< number of the current outermost call, else 0
  std::uintptr_t entry_stack_pointer;  ///< native stack pointer at the innermost entry
  void* call_context;                  ///< the CallContext of the current outermost call
  std::uintptr_t exit_stack_pointer;   ///< of the compiled code that last called out of its module
  std::uint64_t last_activation;       ///< number of the last outermost call
  AtomicWord end_work;                 ///< EndWork: what is to be done at the end of a call
  /// The InstanceHeader for plain calls of whose functions all of this is prepared, else 0: see
  /// vm::BeginPrepared. They are made by the thread of this number, from at most kSameStack bytes
  /// above this address.
  AtomicWord prepared_for;
  std::uintptr_t known_thread;
  std::uintptr_t known_stack;
  /// Host objects that guests refer to; null before the first one in this group.
  const ReferenceDirectory* references;
};

/// Reasons not to return from an outermost call at once.
enum EndWork : std::uint64_t {
  kEndWorkNone = 0,
  kEndWorkContext = 1,  ///< the call context that was made for a plain call goes
  kEndWorkRelease = 2,  ///< something is to be freed; a member may have been closed
};

static_assert(offsetof(ExecContext, stack_limit) == 0);
static_assert(offsetof(ExecContext, interrupt) == 8);
static_assert(offsetof(ExecContext, pending) == 16);
static_assert(offsetof(ExecContext, activation) == 24);
static_assert(offsetof(ExecContext, entry_stack_pointer) == 32);
static_assert(offsetof(ExecContext, call_context) == 40);
static_assert(offsetof(ExecContext, exit_stack_pointer) == 48);
static_assert(offsetof(ExecContext, last_activation) == 56);
static_assert(offsetof(ExecContext, end_work) == 64);
static_assert(offsetof(ExecContext, prepared_for) == 72);
static_assert(offsetof(ExecContext, references) == 96);

/// Head of every instance: all that code reaches at run time, it reaches from here.
/// `ImportRecord`s of the imported functions follow directly, in index order.
struct alignas(16) InstanceHeader {
  ExecContext* exec;                       ///< of the linkage group
  std::uint8_t* memory_base;               ///< base of memory 0 if immovable, else null
  MemoryRecord* memory;                    ///< memory 0; an empty record if there is none
  const TypeId* types;                     ///< canonical ids by type index
  const FunctionRecord* const* functions;  ///< by function index
  TableRecord* const* tables;              ///< by table index
  MemoryRecord* const* memories;           ///< by memory index
  Slot* const* globals;                    ///< by global index: GlobalRecord::slots
  const Operations* operations;            ///< what thunks may ask of the engine
  void* module;                            ///< the Module that host functions see, borrowed
  void* memory_handle;                     ///< the Memory that host functions see, borrowed
  void* owner;                             ///< the instance that this heads, for the runtime
  const RuntimeCalls* runtime_calls;       ///< what compiled code may ask of the runtime
  /// The header's own address from when something becomes pending that code of this instance has to
  /// see, or its call is asked to stop, until it has looked; else 0. Only a hint to look: both may
  /// be over by then. An address, so that one instruction compares it with the register at hand.
  AtomicWord attention;
};

static_assert(offsetof(InstanceHeader, exec) == 0);
static_assert(offsetof(InstanceHeader, memory_base) == 8);
static_assert(offsetof(InstanceHeader, memory) == 16);
static_assert(offsetof(InstanceHeader, types) == 24);
static_assert(offsetof(InstanceHeader, functions) == 32);
static_assert(offsetof(InstanceHeader, tables) == 40);
static_assert(offsetof(InstanceHeader, memories) == 48);
static_assert(offsetof(InstanceHeader, globals) == 56);
static_assert(offsetof(InstanceHeader, operations) == 64);
static_assert(offsetof(InstanceHeader, module) == 72);
static_assert(offsetof(InstanceHeader, memory_handle) == 80);
static_assert(offsetof(InstanceHeader, owner) == 88);
static_assert(offsetof(InstanceHeader, runtime_calls) == 96);
static_assert(offsetof(InstanceHeader, attention) == 104);
static_assert(sizeof(InstanceHeader) == 112);

}  // namespace tenon::inline TENON_ABI::abi
