// SPDX-License-Identifier: Apache-2.0
/// @file
/// The interpreter's loop.
///
/// Registers: `pc` next byte of the body; `sp` first free slot; `top` the top of the operand stack,
/// which is not in memory; `fp` the locals; `branches` the next entry of the side table. Where an
/// instruction needs its operands in memory, SPILL puts `top` there and FILL takes it back; the
/// slot below the first operand is there for an empty stack's `top`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/interp/atomic_access.hpp>
#include <tenon/interp/code_reader.hpp>
#include <tenon/interp/function_entry.hpp>
#include <tenon/interp/memory_accesses.hpp>
#include <tenon/interp/operate.hpp>
#include <tenon/interp/rare_access.hpp>
#include <tenon/interp/vector_operations.hpp>
#include <tenon/vm/bulk.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/group.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::interp {

namespace detail {

/// Where the handler of each instruction is. Functions with vectors have their own, because some
/// instructions must ask there how many slots a value takes; so have functions whose memory has
/// 64-bit addresses or is shared.
struct Handlers {
  const void* narrow[256];
  const void* wide[256];
  const void* narrow_rare[256];
  const void* wide_rare[256];
  const void* misc[256];
  const void* simd[256];

  void Set(wasm::Opcode opcode, const void* handler) {
    const auto code = static_cast<std::uint32_t>(opcode);
    (code < 0x100 ? narrow : code < 0x200 ? misc : simd)[code & 0xFF] = handler;
  }
  const void* const* Of(const FunctionEntry& entry) const {
    if (entry.has_rare_memory) return entry.is_wide ? wide_rare : narrow_rare;
    return entry.is_wide ? wide : narrow;
  }
};

/// Runs `callee` until it returns or something is pending. `fp` holds its operands on entry and its
/// results on return. With `handlers_out` it does nothing but fill that.
template <int = 0>
[[gnu::noinline]] void Execute(vm::Group* group_pointer, const abi::FunctionRecord* callee,
                               abi::Slot* fp, Handlers* handlers_out);

inline const Handlers& AllHandlers() {
  static const Handlers handlers = [] {
    Handlers filled;
    Execute(nullptr, nullptr, nullptr, &filled);
    return filled;
  }();
  return handlers;
}

// Labels as values are what makes a portable interpreter fast; both supported compilers have them.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

// The instructions with a handler of their own; the others are functions of their operands, and of
// a lane number.
// clang-format off
#define TENON_DETAIL_HANDLERS(X) \
  X(Unreachable) X(Nop) X(Block) X(Loop) X(If) X(Else) X(End) X(Br) X(BrIf) X(BrTable) \
  X(Return) X(Call) X(CallIndirect) X(Drop) X(Select) X(SelectT) X(LocalGet) X(LocalSet) \
  X(LocalTee) X(GlobalGet) X(GlobalSet) X(TableGet) X(TableSet) X(I32Load) X(I64Load) \
  X(F32Load) X(F64Load) X(I32Load8S) X(I32Load8U) X(I32Load16S) X(I32Load16U) \
  X(I64Load8S) X(I64Load8U) X(I64Load16S) X(I64Load16U) X(I64Load32S) X(I64Load32U) \
  X(I32Store) X(I64Store) X(F32Store) X(F64Store) X(I32Store8) X(I32Store16) X(I64Store8) \
  X(I64Store16) X(I64Store32) X(MemorySize) X(MemoryGrow) X(I32Const) X(I64Const) \
  X(F32Const) X(F64Const) X(RefNull) X(RefIsNull) X(RefFunc) X(MemoryInit) X(DataDrop) \
  X(MemoryCopy) X(MemoryFill) X(TableInit) X(ElemDrop) X(TableCopy) X(TableGrow) \
  X(TableSize) X(TableFill) X(V128Load) X(V128Load8x8S) X(V128Load8x8U) X(V128Load16x4S) \
  X(V128Load16x4U) X(V128Load32x2S) X(V128Load32x2U) X(V128Load8Splat) X(V128Load16Splat) \
  X(V128Load32Splat) X(V128Load64Splat) X(V128Store) X(V128Const) X(I8x16Shuffle) \
  X(V128Load8Lane) X(V128Load16Lane) X(V128Load32Lane) X(V128Load64Lane) \
  X(V128Store8Lane) X(V128Store16Lane) X(V128Store32Lane) X(V128Store64Lane) \
  X(V128Load32Zero) X(V128Load64Zero)
// clang-format on

#define TENON_DETAIL_NEXT() goto* dispatch[*pc++]
#define TENON_DETAIL_SPILL() (*sp++ = top)
#define TENON_DETAIL_FILL() (top = *--sp)
#define TENON_DETAIL_TRAP(code) \
  do {                          \
    trap = (code);              \
    goto raise_trap;            \
  } while (false)

template <int>
[[gnu::noinline]] void Execute(vm::Group* group_pointer, const abi::FunctionRecord* callee,
                               abi::Slot* fp, Handlers* handlers_out) {
  if (handlers_out != nullptr) {
    for (int i = 0; i < 256; ++i) {
      handlers_out->narrow[i] = &&Invalid;
      handlers_out->wide[i] = &&Invalid;
      handlers_out->misc[i] = &&Invalid;
      handlers_out->simd[i] = &&OperateVector;
    }
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  handlers_out->Set(wasm::Opcode::name, &&name);
    TENON_SCALAR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name) handlers_out->Set(wasm::Opcode::name, &&name);
    TENON_DETAIL_HANDLERS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    handlers_out->narrow[wasm::kPrefixMisc] = &&PrefixMisc;
    handlers_out->narrow[wasm::kPrefixSimd] = &&PrefixSimd;
    handlers_out->narrow[wasm::kPrefixAtomic] = &&PrefixAtomic;
    std::copy_n(handlers_out->narrow, 256, handlers_out->wide);
    handlers_out->wide[static_cast<int>(wasm::Opcode::LocalGet)] = &&LocalGetWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::LocalSet)] = &&LocalSetWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::LocalTee)] = &&LocalTeeWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::GlobalGet)] = &&GlobalGetWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::GlobalSet)] = &&GlobalSetWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::Drop)] = &&DropWide;
    handlers_out->wide[static_cast<int>(wasm::Opcode::Select)] = &&SelectWide;
    std::copy_n(handlers_out->narrow, 256, handlers_out->narrow_rare);
    std::copy_n(handlers_out->wide, 256, handlers_out->wide_rare);
    for (std::uint32_t code = 0; code < 256; ++code) {
      if (wasm::FindOpcode(code).immediate != wasm::Immediate::Memory) continue;
      handlers_out->narrow_rare[code] = handlers_out->wide_rare[code] = &&RareScalar;
    }
    handlers_out->narrow_rare[wasm::kPrefixSimd] = &&PrefixSimdRare;
    handlers_out->wide_rare[wasm::kPrefixSimd] = &&PrefixSimdRare;
    return;
  }

  const Handlers& handlers = AllHandlers();
  vm::Group& group = *group_pointer;
  abi::Slot* const stack_end = group.stack.End();
  vm::Frame* const outer_frame = group.frame;
  abi::Slot* const entry_locals = fp;

  const std::uint8_t* pc = nullptr;
  abi::Slot* sp = nullptr;
  abi::Slot top = 0;
  const BranchEntry* branches = nullptr;
  const void* const* dispatch = nullptr;
  const std::uint8_t* end = nullptr;
  abi::InstanceHeader* header = callee->instance;
  std::uint8_t* memory_base = nullptr;
  std::uint64_t memory_size = 0;
  InterpreterFrame* frame = nullptr;
  const FunctionEntry* entry = nullptr;
  std::uint64_t watched_activation = 0;
  bool canonical_nan = false;
  std::uint32_t vector_code = 0;
  TrapCode trap = TrapCode::None;

  sp = fp + callee->parameter_slots;
  goto enter;

  // --- Control ---------------------------------------------------------------------------------

Invalid:
  __builtin_unreachable();

Unreachable:
  TENON_DETAIL_TRAP(TrapCode::Unreachable);

Nop:
  TENON_DETAIL_NEXT();

Block:
Loop:
  SkipLeb(pc);
  TENON_DETAIL_NEXT();

If: {
  const bool condition = static_cast<std::uint32_t>(top) != 0;
  TENON_DETAIL_FILL();
  if (condition) {
    SkipLeb(pc);
    ++branches;
  } else {
    pc += branches->pc_delta - 1;
    branches += branches->table_delta;
  }
  TENON_DETAIL_NEXT();
}

Else:
  pc += branches->pc_delta - 1;
  branches += branches->table_delta;
  TENON_DETAIL_NEXT();

End:
  if (pc != end) TENON_DETAIL_NEXT();
  goto Return;

Br:
  --pc;
take_branch: {
  // `pc` is at the branch's opcode, `branches` at the entry to follow.
  const BranchEntry& taken = *branches;
  pc += taken.pc_delta;
  branches += taken.table_delta;
  if (taken.drop != 0) {
    if (taken.arity == 0) {
      sp -= taken.drop;
      top = *sp;
    } else if (taken.arity == 1) {
      sp -= taken.drop;
    } else {
      TENON_DETAIL_SPILL();
      std::memmove(sp - taken.arity - taken.drop, sp - taken.arity,
                   taken.arity * sizeof(abi::Slot));
      sp -= taken.drop;
      TENON_DETAIL_FILL();
    }
  }
  if (taken.pc_delta <= 0 && header->exec->interrupt.LoadRelaxed() == watched_activation)
      [[unlikely]] {
    goto interrupted;
  }
  TENON_DETAIL_NEXT();
}

BrIf: {
  const bool condition = static_cast<std::uint32_t>(top) != 0;
  TENON_DETAIL_FILL();
  if (condition) {
    --pc;
    goto take_branch;
  }
  SkipLeb(pc);
  ++branches;
  TENON_DETAIL_NEXT();
}

BrTable: {
  const auto index = static_cast<std::uint32_t>(top);
  TENON_DETAIL_FILL();
  const std::uint8_t* const opcode = pc - 1;
  const std::uint32_t count = ReadLeb(pc);
  branches += index < count ? index : count;
  pc = opcode;
  goto take_branch;
}

Return: {
  const std::uint32_t results = entry->result_slots;
  abi::Slot* const target = fp;
  vm::Frame* const caller = frame->previous;
  if (results == 1) {
    // Stays in `top`.
    *target = top;
    sp = target;
  } else {
    TENON_DETAIL_SPILL();
    std::memmove(target, sp - results, results * sizeof(abi::Slot));
    sp = target + results;
  }
  group.frame = caller;
  if (caller == outer_frame) {
    return;
  }
  if (results != 1) TENON_DETAIL_FILL();
  frame = static_cast<InterpreterFrame*>(caller);
  entry = frame->entry;
  pc = frame->pc;
  branches = frame->branches;
  fp = frame->locals;
  end = entry->end;
  dispatch = handlers.Of(*entry);
  if (frame->function->instance != header) {
    header = frame->function->instance;
    watched_activation = entry->is_interruptible ? group.last_activation : UINT64_MAX;
    canonical_nan = entry->canonical_nan;
  }
  memory_base = header->memory->base;
  memory_size = header->memory->size.LoadRelaxed();
  TENON_DETAIL_NEXT();
}

Call: {
  callee = header->functions[ReadLeb(pc)];
  TENON_DETAIL_SPILL();
  goto call;
}

CallIndirect: {
  const std::uint32_t type = ReadLeb(pc);
  const std::uint32_t table_index = ReadLeb(pc);
  const abi::TableRecord& table = *header->tables[table_index];
  const auto element = static_cast<std::uint32_t>(top);
  if (element >= table.size) TENON_DETAIL_TRAP(TrapCode::UndefinedElement);
  callee = reinterpret_cast<const abi::FunctionRecord*>(table.elements[element]);
  if (callee == nullptr) TENON_DETAIL_TRAP(TrapCode::UninitializedElement);
  if (callee->type != header->types[type]) TENON_DETAIL_TRAP(TrapCode::IndirectCallTypeMismatch);
  goto call;
}

call:
  // The operands end at `sp`; `pc` is behind the call.
  frame->pc = pc;
  frame->branches = branches;
  if (callee->invoke != Invoke) goto call_host;
  if (callee->instance != header) {
    if ((vm::FlagsOf(*callee) & abi::kFunctionClosed) != 0) goto closed;
    header = callee->instance;
  }
  fp = sp - callee->parameter_slots;
  goto enter;

enter: {
  entry = static_cast<const FunctionEntry*>(callee->engine_code);
  if (static_cast<std::size_t>(stack_end - fp) < entry->frame_slots) {
    header = frame != nullptr ? frame->function->instance : header;
    TENON_DETAIL_TRAP(TrapCode::StackOverflow);
  }
  abi::Slot* const frame_place = fp + entry->local_slots;
  while (sp != frame_place) *sp++ = 0;
  frame = new (frame_place)
      InterpreterFrame{{group.frame, callee, entry->begin, fp}, entry, entry->branches};
  group.frame = frame;
  sp = frame_place + kFrameSlots;
  pc = entry->begin;
  end = entry->end;
  branches = entry->branches;
  dispatch = handlers.Of(*entry);
  memory_base = header->memory->base;
  memory_size = header->memory->size.LoadRelaxed();
  watched_activation = entry->is_interruptible ? group.last_activation : UINT64_MAX;
  canonical_nan = entry->canonical_nan;
  if (group.interrupt.LoadRelaxed() == watched_activation) [[unlikely]] {
    goto interrupted;
  }
  TENON_DETAIL_NEXT();
}

call_host: {
  if ((vm::FlagsOf(*callee) & abi::kFunctionClosed) != 0) goto closed;
  abi::Slot* const operands = sp - callee->parameter_slots;
  const std::uint16_t results = callee->result_slots;
  abi::Slot* const saved_top = group.stack_top;
  group.stack_top = results > callee->parameter_slots ? operands + results : sp;
  vm::Frame host_frame{frame, callee, nullptr, operands};
  // A guest function that is not run in place brings a frame of its own.
  if ((vm::FlagsOf(*callee) & abi::kFunctionIsHost) != 0) group.frame = &host_frame;
  callee->invoke(callee, header, operands);
  group.frame = frame;
  group.stack_top = saved_top;
  if (group.pending != nullptr) goto unwind;
  sp = operands + results;
  TENON_DETAIL_FILL();
  memory_base = header->memory->base;
  memory_size = header->memory->size.LoadRelaxed();
  if (group.interrupt.LoadRelaxed() == watched_activation) [[unlikely]] {
    goto interrupted;
  }
  TENON_DETAIL_NEXT();
}

closed:
  vm::RaiseExit(*header, vm::OwnerOf(*callee).ExitCode());
  goto unwind;

interrupted:
  frame->pc = pc;
  if (vm::HandleInterrupt(*header)) goto unwind;
  TENON_DETAIL_NEXT();

raise_trap:
  if (frame != nullptr) frame->pc = pc;
  vm::RaiseTrap(*header, trap);
  goto unwind;

unwind:
  group.frame = outer_frame;
  static_cast<void>(entry_locals);
  return;

  // --- Parametric and variable -----------------------------------------------------------------

Drop:
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

DropWide:
  if (branches->arity == 2) TENON_DETAIL_FILL();
  ++branches;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

Select: {
  const bool condition = static_cast<std::uint32_t>(top) != 0;
  sp -= 2;
  top = condition ? sp[0] : sp[1];
  TENON_DETAIL_NEXT();
}

SelectWide: {
  const bool is_vector = branches->arity == 2;
  ++branches;
  if (!is_vector) goto Select;
  goto select_vector;
}

SelectT: {
  SkipLeb(pc);
  const bool is_vector = *pc == ValueType::V128.Code();
  SkipLeb(pc);
  if (!is_vector) goto Select;
  goto select_vector;
}

select_vector: {
  const bool condition = static_cast<std::uint32_t>(top) != 0;
  sp -= 2;
  if (!condition) {
    sp[-2] = sp[0];
    sp[-1] = sp[1];
  }
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

LocalGet:
  TENON_DETAIL_SPILL();
  top = fp[ReadLeb(pc)];
  TENON_DETAIL_NEXT();

LocalSet:
  fp[ReadLeb(pc)] = top;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

LocalTee:
  fp[ReadLeb(pc)] = top;
  TENON_DETAIL_NEXT();

LocalGetWide: {
  const LocalPlace place = entry->PlaceOf(ReadLeb(pc));
  TENON_DETAIL_SPILL();
  top = fp[place.Slot()];
  if (place.IsVector()) {
    TENON_DETAIL_SPILL();
    top = fp[place.Slot() + 1];
  }
  TENON_DETAIL_NEXT();
}

LocalSetWide: {
  const LocalPlace place = entry->PlaceOf(ReadLeb(pc));
  if (place.IsVector()) {
    fp[place.Slot() + 1] = top;
    TENON_DETAIL_FILL();
  }
  fp[place.Slot()] = top;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

LocalTeeWide: {
  const LocalPlace place = entry->PlaceOf(ReadLeb(pc));
  if (place.IsVector()) {
    fp[place.Slot()] = sp[-1];
    fp[place.Slot() + 1] = top;
  } else {
    fp[place.Slot()] = top;
  }
  TENON_DETAIL_NEXT();
}

GlobalGet:
  TENON_DETAIL_SPILL();
  top = *header->globals[ReadLeb(pc)];
  TENON_DETAIL_NEXT();

GlobalSet:
  *header->globals[ReadLeb(pc)] = top;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

GlobalGetWide: {
  const std::uint32_t index = ReadLeb(pc);
  const abi::Slot* const slots = header->globals[index];
  TENON_DETAIL_SPILL();
  top = slots[0];
  if (vm::InstanceOf(*header).Module().globals[index].type.IsVector()) {
    TENON_DETAIL_SPILL();
    top = slots[1];
  }
  TENON_DETAIL_NEXT();
}

GlobalSetWide: {
  const std::uint32_t index = ReadLeb(pc);
  abi::Slot* const slots = header->globals[index];
  if (vm::InstanceOf(*header).Module().globals[index].type.IsVector()) {
    slots[1] = top;
    TENON_DETAIL_FILL();
  }
  slots[0] = top;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

  // --- References and tables -------------------------------------------------------------------

RefNull:
  SkipLeb(pc);
  TENON_DETAIL_SPILL();
  top = 0;
  TENON_DETAIL_NEXT();

RefIsNull:
  top = top == 0;
  TENON_DETAIL_NEXT();

RefFunc:
  TENON_DETAIL_SPILL();
  top = reinterpret_cast<abi::Slot>(header->functions[ReadLeb(pc)]);
  TENON_DETAIL_NEXT();

TableGet: {
  const abi::TableRecord& table = *header->tables[ReadLeb(pc)];
  const auto index = static_cast<std::uint32_t>(top);
  if (index >= table.size) TENON_DETAIL_TRAP(TrapCode::OutOfBoundsTableAccess);
  top = table.elements[index];
  TENON_DETAIL_NEXT();
}

TableSet: {
  const abi::TableRecord& table = *header->tables[ReadLeb(pc)];
  const abi::Slot value = top;
  const auto index = static_cast<std::uint32_t>(*--sp);
  if (index >= table.size) TENON_DETAIL_TRAP(TrapCode::OutOfBoundsTableAccess);
  table.elements[index] = value;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

TableSize:
  TENON_DETAIL_SPILL();
  top = header->tables[ReadLeb(pc)]->size;
  TENON_DETAIL_NEXT();

TableGrow: {
  const std::uint32_t table = ReadLeb(pc);
  const auto delta = static_cast<std::uint32_t>(top);
  const abi::Slot init = *--sp;
  top = vm::TableGrow(vm::InstanceOf(*header), table, delta, init);
  TENON_DETAIL_NEXT();
}

TableFill: {
  const std::uint32_t table = ReadLeb(pc);
  const auto count = static_cast<std::uint32_t>(top);
  sp -= 2;
  trap = vm::TableFill(vm::InstanceOf(*header), table, static_cast<std::uint32_t>(sp[0]), sp[1],
                       count);
  goto after_bulk;
}

TableInit: {
  const std::uint32_t segment = ReadLeb(pc);
  const std::uint32_t table = ReadLeb(pc);
  const auto count = static_cast<std::uint32_t>(top);
  sp -= 2;
  trap = vm::TableInit(vm::InstanceOf(*header), segment, table, static_cast<std::uint32_t>(sp[0]),
                       static_cast<std::uint32_t>(sp[1]), count);
  goto after_bulk;
}

TableCopy: {
  const std::uint32_t destination = ReadLeb(pc);
  const std::uint32_t source = ReadLeb(pc);
  const auto count = static_cast<std::uint32_t>(top);
  sp -= 2;
  trap = vm::TableCopy(vm::InstanceOf(*header), destination, source,
                       static_cast<std::uint32_t>(sp[0]), static_cast<std::uint32_t>(sp[1]), count);
  goto after_bulk;
}

ElemDrop:
  vm::ElementDrop(vm::InstanceOf(*header), ReadLeb(pc));
  TENON_DETAIL_NEXT();

  // --- Memory ----------------------------------------------------------------------------------

RareScalar:
  vector_code = pc[-1];
rare_access: {
  TENON_DETAIL_SPILL();
  const RareAccessResult done = RareAccess(vector_code, pc, sp, *header->memory);
  pc = done.pc;
  if (done.sp == nullptr) TENON_DETAIL_TRAP(TrapCode::OutOfBoundsMemoryAccess);
  sp = done.sp;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

PrefixAtomic: {
  vector_code = 0x300 + ReadLeb(pc);
  TENON_DETAIL_SPILL();
  frame->pc = pc;
  const AtomicResult done = AccessAtomic(vector_code, pc, sp, *header);
  pc = done.pc;
  if (done.trap != TrapCode::None) TENON_DETAIL_TRAP(done.trap);
  if (group.pending != nullptr) goto unwind;
  sp = done.sp;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

#define TENON_DETAIL_ADDRESS(operand, width)                                           \
  SkipLeb(pc);                                                                         \
  const std::uint64_t address =                                                        \
      std::uint64_t{static_cast<std::uint32_t>(operand)} + std::uint64_t{ReadLeb(pc)}; \
  if (address + (width) > memory_size) [[unlikely]] {                                  \
    TENON_DETAIL_TRAP(TrapCode::OutOfBoundsMemoryAccess);                              \
  }

#define TENON_DETAIL_LOAD(name, Stored, Result)                         \
  name: {                                                               \
    TENON_DETAIL_ADDRESS(top, sizeof(Stored))                           \
    top = static_cast<Result>(LoadFrom<Stored>(memory_base + address)); \
    TENON_DETAIL_NEXT();                                                \
  }

  TENON_DETAIL_LOADS(TENON_DETAIL_LOAD)
#undef TENON_DETAIL_LOAD

#define TENON_DETAIL_STORE(name, Stored)                         \
  name: {                                                        \
    const auto stored = static_cast<Stored>(top);                \
    TENON_DETAIL_ADDRESS(sp[-1], sizeof(Stored))                 \
    std::memcpy(memory_base + address, &stored, sizeof(Stored)); \
    sp -= 2;                                                     \
    top = *sp;                                                   \
    TENON_DETAIL_NEXT();                                         \
  }

  TENON_DETAIL_STORES(TENON_DETAIL_STORE)
#undef TENON_DETAIL_STORE

MemorySize: {
  const std::uint32_t memory = ReadLeb(pc);
  TENON_DETAIL_SPILL();
  top = header->memories[memory]->size.LoadRelaxed() / wasm::kPageSize;
  TENON_DETAIL_NEXT();
}

MemoryGrow: {
  const std::uint32_t memory = ReadLeb(pc);
  top = vm::MemoryGrow(vm::InstanceOf(*header), memory,
                       MemoryOperand(*header->memories[memory], top));
  memory_base = header->memory->base;
  memory_size = header->memory->size.LoadRelaxed();
  TENON_DETAIL_NEXT();
}

MemoryInit: {
  const std::uint32_t segment = ReadLeb(pc);
  const std::uint32_t memory = ReadLeb(pc);
  const auto count = static_cast<std::uint32_t>(top);
  sp -= 2;
  trap = vm::MemoryInit(vm::InstanceOf(*header), segment, memory,
                        MemoryOperand(*header->memories[memory], sp[0]),
                        static_cast<std::uint32_t>(sp[1]), count);
  goto after_bulk;
}

MemoryCopy: {
  const std::uint32_t destination = ReadLeb(pc);
  const std::uint32_t source = ReadLeb(pc);
  const abi::MemoryRecord& to = *header->memories[destination];
  const abi::MemoryRecord& from = *header->memories[source];
  // As wide as the narrower of both.
  const std::uint64_t count = MemoryOperand(to, MemoryOperand(from, top));
  sp -= 2;
  trap = vm::MemoryCopy(vm::InstanceOf(*header), destination, source, MemoryOperand(to, sp[0]),
                        MemoryOperand(from, sp[1]), count);
  goto after_bulk;
}

MemoryFill: {
  const std::uint32_t memory = ReadLeb(pc);
  const abi::MemoryRecord& record = *header->memories[memory];
  const std::uint64_t count = MemoryOperand(record, top);
  sp -= 2;
  trap = vm::MemoryFill(vm::InstanceOf(*header), memory, MemoryOperand(record, sp[0]),
                        static_cast<std::uint8_t>(sp[1]), count);
  goto after_bulk;
}

after_bulk:
  // Three operands are gone; `sp` is where the first one was.
  if (trap != TrapCode::None) goto raise_trap;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

DataDrop:
  vm::DataDrop(vm::InstanceOf(*header), ReadLeb(pc));
  TENON_DETAIL_NEXT();

  // --- Constants -------------------------------------------------------------------------------

I32Const:
  TENON_DETAIL_SPILL();
  top = static_cast<std::uint32_t>(ReadSignedLeb(pc));
  TENON_DETAIL_NEXT();

I64Const:
  TENON_DETAIL_SPILL();
  top = ReadSignedLeb(pc);
  TENON_DETAIL_NEXT();

F32Const:
  TENON_DETAIL_SPILL();
  top = LoadFrom<std::uint32_t>(pc);
  pc += 4;
  TENON_DETAIL_NEXT();

F64Const:
  TENON_DETAIL_SPILL();
  top = LoadFrom<std::uint64_t>(pc);
  pc += 8;
  TENON_DETAIL_NEXT();

  // --- Numeric: from the table -----------------------------------------------------------------

PrefixMisc:
  goto* handlers.misc[ReadLeb(pc)];

PrefixSimd:
  vector_code = ReadLeb(pc);
  goto* handlers.simd[vector_code];

PrefixSimdRare: {
  vector_code = ReadLeb(pc);
  const wasm::OpcodeInfo& info = wasm::FindOpcode(0x200 + vector_code);
  if (info.immediate != wasm::Immediate::Memory && info.immediate != wasm::Immediate::MemoryLane) {
    goto* handlers.simd[vector_code];
  }
  vector_code += 0x200;
  goto rare_access;
}

#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature)               \
  name: {                                                                                      \
    constexpr auto kFunction = [](auto&&... operands) -> decltype(interp::name(operands...)) { \
      return interp::name(operands...);                                                        \
    };                                                                                         \
    ApplyScalar<wasm::Opcode::name>(sp, top, canonical_nan, trap, kFunction);                  \
    if constexpr (MayTrap<wasm::Opcode::name>(kFunction)) {                                    \
      if (trap != TrapCode::None) [[unlikely]]                                                 \
        goto raise_trap;                                                                       \
    }                                                                                          \
    TENON_DETAIL_NEXT();                                                                       \
  }
  TENON_SCALAR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW

OperateVector:
  TENON_DETAIL_SPILL();
  sp = kVectorOperations.rows[vector_code](sp, pc, canonical_nan);
  pc += kVectorOperations.immediate_bytes[vector_code];
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

  // --- Vectors ---------------------------------------------------------------------------------

V128Const:
  TENON_DETAIL_SPILL();
  std::memcpy(sp, pc, 16);
  sp += 2;
  pc += 16;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();

V128Load: {
  TENON_DETAIL_ADDRESS(top, 16)
  std::memcpy(sp, memory_base + address, 16);
  sp += 2;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

V128Store: {
  TENON_DETAIL_SPILL();
  TENON_DETAIL_ADDRESS(sp[-3], 16)
  std::memcpy(memory_base + address, sp - 2, 16);
  sp -= 3;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}

#define TENON_DETAIL_VECTOR_LOAD(name, Stored)                              \
  name: {                                                                   \
    TENON_DETAIL_ADDRESS(top, sizeof(Stored))                               \
    StoreVector(sp, interp::name(LoadFrom<Stored>(memory_base + address))); \
    sp += 2;                                                                \
    TENON_DETAIL_FILL();                                                    \
    TENON_DETAIL_NEXT();                                                    \
  }

  TENON_DETAIL_VECTOR_LOADS(TENON_DETAIL_VECTOR_LOAD)
#undef TENON_DETAIL_VECTOR_LOAD

#define TENON_DETAIL_LANE_LOAD(name, Stored)                                                      \
  name: {                                                                                         \
    TENON_DETAIL_SPILL();                                                                         \
    TENON_DETAIL_ADDRESS(sp[-3], sizeof(Stored))                                                  \
    const std::uint8_t lane = *pc++;                                                              \
    StoreVector(sp - 3,                                                                           \
                interp::name(LoadVector(sp - 2), LoadFrom<Stored>(memory_base + address), lane)); \
    sp -= 1;                                                                                      \
    TENON_DETAIL_FILL();                                                                          \
    TENON_DETAIL_NEXT();                                                                          \
  }

  TENON_DETAIL_LANE_LOADS(TENON_DETAIL_LANE_LOAD)
#undef TENON_DETAIL_LANE_LOAD

#define TENON_DETAIL_LANE_STORE(name, Stored)                     \
  name: {                                                         \
    TENON_DETAIL_SPILL();                                         \
    TENON_DETAIL_ADDRESS(sp[-3], sizeof(Stored))                  \
    const std::uint8_t lane = *pc++;                              \
    const Stored stored = interp::name(LoadVector(sp - 2), lane); \
    std::memcpy(memory_base + address, &stored, sizeof(Stored));  \
    sp -= 3;                                                      \
    TENON_DETAIL_FILL();                                          \
    TENON_DETAIL_NEXT();                                          \
  }

  TENON_DETAIL_LANE_STORES(TENON_DETAIL_LANE_STORE)
#undef TENON_DETAIL_LANE_STORE
#undef TENON_DETAIL_ADDRESS

I8x16Shuffle: {
  TENON_DETAIL_SPILL();
  sp -= 2;
  StoreVector(sp - 2, interp::I8x16Shuffle(LoadVector(sp - 2), LoadVector(sp), pc));
  pc += 16;
  TENON_DETAIL_FILL();
  TENON_DETAIL_NEXT();
}
}

#undef TENON_DETAIL_TRAP
#undef TENON_DETAIL_FILL
#undef TENON_DETAIL_SPILL
#undef TENON_DETAIL_NEXT
#undef TENON_DETAIL_HANDLERS

#pragma GCC diagnostic pop

}  // namespace detail

TENON_DECL void Invoke(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                       abi::Slot* slots) {
  vm::Group& group = vm::GroupOf(*callee->instance);
  const vm::Instance& instance = vm::InstanceOf(*callee->instance);
  if (vm::CurrentStackPointer() < group.stack_limit ||
      (!group.stack.IsReserved() && !group.stack.Reserve(instance.store->settings.stack_bytes))) {
    vm::RaiseTrap(*caller, TrapCode::StackOverflow);
    return;
  }
  abi::Slot* const base = group.stack_top != nullptr ? group.stack_top : group.stack.Begin();
  abi::Slot* const saved_top = group.stack_top;
  const std::size_t needed = callee->parameter_slots > callee->result_slots
                                 ? callee->parameter_slots
                                 : callee->result_slots;
  if (static_cast<std::size_t>(group.stack.End() - base) < needed) {
    vm::RaiseTrap(*caller, TrapCode::StackOverflow);
    return;
  }
  std::copy_n(slots, callee->parameter_slots, base);
  detail::Execute(&group, callee, base, nullptr);
  group.stack_top = saved_top;
  if (group.pending == nullptr) {
    std::copy_n(base, callee->result_slots, slots);
  }
}

}  // namespace tenon::inline TENON_ABI::interp
