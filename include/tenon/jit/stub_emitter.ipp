// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of stub_emitter.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>

#include <tenon/abi/runtime_calls.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/stub_emitter.hpp>
#include <tenon/jit/xbyak.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Writes stubs into a buffer of fixed size.
class StubWriter : private Xbyak::CodeGenerator {
  using Type = jit::Type;

 public:
  StubWriter(StubArea& area, std::size_t capacity)
      : Xbyak::CodeGenerator{capacity, Reserve(area, capacity)}, area_{area} {}

  /// Most bytes that the stubs of one function type take.
  static std::size_t Bound(std::size_t values) { return 320 + 32 * values; }
  static constexpr std::size_t kCommonBound = 2048;

  [[gnu::cold]] std::uint32_t Position() const { return static_cast<std::uint32_t>(getSize()); }
  [[gnu::cold]] void Align() { align(16); }
  [[gnu::cold]] void Finish() { area_.code.resize(getSize()); }

  /// Leaves the guest with what is pending.
  [[gnu::cold]] void Unwind() {
    area_.unwind = Position();
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    mov(rsp, ptr[rax + offsetof(abi::ExecContext, entry_stack_pointer)]);
    LeaveEntry();
  }

  /// Makes traps pending.
  [[gnu::cold]] void Traps() {
    for (std::size_t code = 0; code < kTrapCodes; ++code) {
      area_.traps[code] = Position();
      mov(edx, static_cast<std::uint32_t>(code));
      if (code + 1 != kTrapCodes) jmp(trap_, T_NEAR);
    }
    L(trap_);
    lea(rcx, ptr[rsp + 8]);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    mov(ptr[rax + offsetof(abi::ExecContext, exit_stack_pointer)], rcx);
    sub(rsp, 8);
    mov(rdi, r15);
    xor_(esi, esi);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, runtime_calls)]);
    call(ptr[rax + offsetof(abi::RuntimeCalls, raise_trap)]);
    JumpTo(area_.unwind);
  }

  /// Leaves the guest if something is pending, else asks whether it may go on; keeps all registers.
  [[gnu::cold]] void Interrupt() {
    constexpr std::uint32_t kVectorBytes = 16 * 16;
    const Xbyak::Reg64 saved[] = {rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11};
    constexpr std::uint32_t kSavedBytes = 9 * 8;
    area_.interrupt = Position();
    push(rax);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    cmp(qword[rax + offsetof(abi::ExecContext, pending)], 0);
    pop(rax);
    jne(At(area_.unwind));
    for (const Xbyak::Reg64& reg : saved) push(reg);
    sub(rsp, kVectorBytes);
    for (unsigned i = 0; i < 16; ++i)
      movups(ptr[rsp + std::size_t{16} * i], Xbyak::Xmm(static_cast<int>(i)));
    lea(rcx, ptr[rsp + kVectorBytes + kSavedBytes + 8]);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    mov(ptr[rax + offsetof(abi::ExecContext, exit_stack_pointer)], rcx);
    mov(rdi, r15);
    xor_(esi, esi);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, runtime_calls)]);
    call(ptr[rax + offsetof(abi::RuntimeCalls, interrupt)]);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    cmp(qword[rax + offsetof(abi::ExecContext, pending)], 0);
    jne(At(area_.unwind));
    for (unsigned i = 0; i < 16; ++i)
      movups(Xbyak::Xmm(static_cast<int>(i)), ptr[rsp + std::size_t{16} * i]);
    add(rsp, kVectorBytes);
    for (std::size_t i = std::size(saved); i-- != 0;) pop(saved[i]);
    ret();
  }

  /// From host code, with operands in slots.
  [[gnu::cold]] void SlotEntryOf(std::span<const ValueType> parameters,
                                 std::span<const ValueType> results) {
    push(rbp);
    mov(rbp, rsp);
    push(rbx);
    push(r12);
    push(r13);
    push(r14);
    push(r15);
    mov(r15, rdi);
    mov(rbx, rdx);
    mov(rax, rsi);
    mov(r11, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    push(qword[r11 + offsetof(abi::ExecContext, entry_stack_pointer)]);
    push(qword[r11 + offsetof(abi::ExecContext, exit_stack_pointer)]);
    push(r15);
    mov(ptr[r11 + offsetof(abi::ExecContext, entry_stack_pointer)], rsp);
    mov(qword[r11 + offsetof(abi::ExecContext, exit_stack_pointer)], 0);

    ParameterPlaces counted{kIntegerParameterCount};
    for (const ValueType type : parameters) counted.Next(TypeOf(type));
    if (results.size() > 1) counted.Next(Type::I64);
    if (counted.StackBytes() != 0) sub(rsp, counted.StackBytes());
    ParameterPlaces places{kIntegerParameterCount};
    std::uint32_t slot = 0;
    for (const ValueType value_type : parameters) {
      const Type type = TypeOf(value_type);
      Load(type, places.Next(type), ptr[rbx + std::size_t{8} * slot]);
      slot += value_type.SlotCount();
    }
    if (results.size() > 1) {
      const ParameterPlace place = places.Next(Type::I64);
      if (place.reg != kNoRegister) {
        mov(Xbyak::Reg64(place.reg), rbx);
      } else {
        mov(ptr[rsp + place.stack_offset], rbx);
      }
    }
    call(rax);
    if (results.size() == 1) StoreResult(TypeOf(results[0]));
    lea(rsp, ptr[rbp - std::size_t{-kEntryFrameInstance}]);
    mov(rax, ptr[r15 + offsetof(abi::InstanceHeader, exec)]);
    LeaveEntry();
  }

  /// From host code that executes nothing yet, in the thunk convention with the FunctionRecord as
  /// context. Its frame is that of a slot entry; there is nothing that it would have to restore.
  [[gnu::cold]] void HostEntryOf(std::span<const ValueType> parameters,
                                 std::span<const ValueType> results) {
    push(rbp);
    mov(rbp, rsp);
    push(rbx);
    push(r12);
    push(r13);
    push(r14);
    push(r15);
    mov(r15, rsi);
    mov(r11, ptr[rsi + offsetof(abi::InstanceHeader, exec)]);
    mov(rax, ptr[rdi + offsetof(abi::FunctionRecord, body)]);
    push(0);
    push(0);
    push(rsi);
    mov(qword[r11 + offsetof(abi::ExecContext, exit_stack_pointer)], 0);
    mov(ptr[r11 + offsetof(abi::ExecContext, entry_stack_pointer)], rsp);
    PassToBody(parameters, results.size());
    call(rax);
    // The callee has kept the other registers.
    mov(r15, ptr[rbp - 40]);
    leave();
    ret();
  }

  /// From the thunk convention to the body of a function of this module.
  [[gnu::cold]] void External(std::uint32_t defined_function, std::uint32_t function,
                              std::uint32_t adapter, std::span<const ValueType> parameters,
                              std::size_t results) {
    // A group that executes elsewhere, or not at all, is entered by way of the host.
    Xbyak::Label foreign;
    mov(rax, ptr[rdi + offsetof(abi::InstanceHeader, exec)]);
    cmp(rax, ptr[rsi + offsetof(abi::InstanceHeader, exec)]);
    jne(foreign, T_NEAR);
    push(rbp);
    mov(rbp, rsp);
    push(r15);
    push(rdi);
    mov(r15, rdi);
    PassToBody(parameters, results);
    db(0xE8);
    area_.relocations.push_back({Position(), Relocation::Kind::Function, defined_function});
    dd(0);
    mov(r15, ptr[rbp - std::size_t{-kExternalFrameCaller}]);
    leave();
    ret();
    L(foreign);
    mov(rdi, ptr[rdi + offsetof(abi::InstanceHeader, functions)]);
    mov(rdi, ptr[rdi + std::size_t{8} * function]);
    JumpTo(adapter);
  }

  /// From the thunk convention, with the FunctionRecord as context, to its `invoke`.
  [[gnu::cold]] void Adapter(std::span<const ValueType> parameters,
                             std::span<const ValueType> results) {
    const std::uint32_t parameter_slots = CountSlots(parameters);
    const std::uint32_t result_slots = CountSlots(results);
    const std::uint32_t area = 8 * std::max(parameter_slots, result_slots);
    push(rbp);
    mov(rbp, rsp);
    sub(rsp, ((area + 15) & ~15u) + 16);
    ParameterPlaces places{kThunkIntegerParameterCount};
    std::uint32_t slot = 0;
    for (const ValueType value_type : parameters) {
      const Type type = TypeOf(value_type);
      Store(type, places.Next(type), ptr[rsp + std::size_t{8} * slot]);
      slot += value_type.SlotCount();
    }
    if (results.size() > 1) Store(Type::I64, places.Next(Type::I64), ptr[rbp - 8]);
    mov(rdx, rsp);
    call(ptr[rdi + offsetof(abi::FunctionRecord, invoke)]);
    if (results.size() == 1) {
      LoadResult(TypeOf(results[0]));
    } else if (results.size() > 1) {
      mov(rdi, ptr[rbp - 8]);
      mov(rsi, rsp);
      mov(ecx, result_slots);
      rep();
      movsq();
    }
    leave();
    ret();
  }

 private:
  /// Parameters from where the thunk convention has them to where bodies expect them.
  [[gnu::cold]] void PassToBody(std::span<const ValueType> parameters, std::size_t results) {
    ParameterPlaces counted{kIntegerParameterCount};
    for (const ValueType type : parameters) counted.Next(TypeOf(type));
    if (results > 1) counted.Next(Type::I64);
    if (counted.StackBytes() != 0) sub(rsp, counted.StackBytes());
    ParameterPlaces from{kThunkIntegerParameterCount};
    ParameterPlaces to{kIntegerParameterCount};
    const auto pass = [&](Type type) {
      const ParameterPlace source = from.Next(type);
      const ParameterPlace target = to.Next(type);
      if (source.reg == kNoRegister) {
        Load(type, target, ptr[rbp + 16 + source.stack_offset]);
      }
    };
    for (const ValueType type : parameters) pass(TypeOf(type));
    if (results > 1) pass(Type::I64);
  }

  static std::uint8_t* Reserve(StubArea& area, std::size_t capacity) {
    area.code.resize(capacity);
    return area.code.data();
  }

  [[gnu::cold]] static std::uint32_t CountSlots(std::span<const ValueType> types) {
    std::uint32_t slots = 0;
    for (const ValueType type : types) slots += type.SlotCount();
    return slots;
  }

  [[gnu::cold]] const void* At(std::uint32_t target) const { return area_.code.data() + target; }
  [[gnu::cold]] void JumpTo(std::uint32_t target) { jmp(At(target), T_NEAR); }

  /// rsp is the entry's recorded stack pointer, rax the ExecContext.
  [[gnu::cold]] void LeaveEntry() {
    add(rsp, 8);
    pop(qword[rax + offsetof(abi::ExecContext, exit_stack_pointer)]);
    pop(qword[rax + offsetof(abi::ExecContext, entry_stack_pointer)]);
    pop(r15);
    pop(r14);
    pop(r13);
    pop(r12);
    pop(rbx);
    pop(rbp);
    ret();
  }

  [[gnu::cold]] static Xbyak::Xmm Vector(Register reg) { return Xbyak::Xmm(reg - kXmm0); }

  /// From memory to a place, by way of r10 or xmm15 if that is on the stack.
  [[gnu::cold]] void Load(Type type, ParameterPlace place, const Xbyak::Address& from) {
    const Xbyak::Address target = ptr[rsp + place.stack_offset];
    const bool on_stack = place.reg == kNoRegister;
    if (type == Type::V128) {
      const Xbyak::Xmm reg = on_stack ? xmm15 : Vector(place.reg);
      movups(reg, from);
      if (on_stack) movups(target, reg);
    } else if ((type == Type::F32 || type == Type::F64) && !on_stack) {
      movsd(Vector(place.reg), from);
    } else {
      const int reg = on_stack ? kR10 : place.reg;
      if (type == Type::I32) {
        mov(Xbyak::Reg32(reg), from);
      } else {
        mov(Xbyak::Reg64(reg), from);
      }
      if (on_stack) mov(target, r10);
    }
  }

  /// From a place of the thunk convention to memory.
  [[gnu::cold]] void Store(Type type, ParameterPlace place, const Xbyak::Address& to) {
    const Xbyak::Address source = ptr[rbp + 16 + place.stack_offset];
    const bool on_stack = place.reg == kNoRegister;
    if (type == Type::V128) {
      const Xbyak::Xmm reg = on_stack ? xmm15 : Vector(place.reg);
      if (on_stack) movups(reg, source);
      movups(to, reg);
    } else if ((type == Type::F32 || type == Type::F64) && !on_stack) {
      movsd(to, Vector(place.reg));
    } else {
      const Xbyak::Reg64 reg(on_stack ? kR10 : place.reg);
      if (on_stack) mov(reg, source);
      mov(to, reg);
    }
  }

  [[gnu::cold]] void StoreResult(Type type) {
    if (type == Type::V128) {
      movups(ptr[rbx], xmm0);
    } else if (type == Type::F32) {
      movd(eax, xmm0);
      mov(ptr[rbx], rax);
    } else if (type == Type::F64) {
      movsd(ptr[rbx], xmm0);
    } else {
      mov(ptr[rbx], rax);
    }
  }

  [[gnu::cold]] void LoadResult(Type type) {
    if (type == Type::V128) {
      movups(xmm0, ptr[rsp]);
    } else if (type == Type::F32 || type == Type::F64) {
      movsd(xmm0, ptr[rsp]);
    } else if (type == Type::I32) {
      mov(eax, ptr[rsp]);
    } else {
      mov(rax, ptr[rsp]);
    }
  }

  StubArea& area_;
  Xbyak::Label trap_;
};

/// What of a function type its stubs depend on.
[[gnu::cold]] inline std::string ShapeOf(const wasm::Module& module, std::uint32_t type) {
  std::string shape;
  for (const ValueType value : module.Parameters(type)) shape += static_cast<char>(TypeOf(value));
  shape += static_cast<char>(Type::None);
  for (const ValueType value : module.Results(type)) shape += static_cast<char>(TypeOf(value));
  return shape;
}

}  // namespace detail

[[gnu::cold]] TENON_DECL void EmitStubs(const StubPlan& plan, StubArea& out) {
  const wasm::Module& module = plan.module;
  const auto types = static_cast<std::uint32_t>(module.types.size());
  const auto values_of = [&](std::uint32_t type) {
    return module.Parameters(type).size() + module.Results(type).size();
  };
  std::size_t capacity = detail::StubWriter::kCommonBound;
  for (std::uint32_t type = 0; type < types; ++type) {
    if (plan.slot_entries[type]) capacity += 2 * detail::StubWriter::Bound(values_of(type));
    if (plan.adapters[type]) capacity += detail::StubWriter::Bound(values_of(type));
  }
  for (std::uint32_t i = 0; i < plan.externals.size(); ++i) {
    const std::uint32_t type = module.functions[module.imported_functions + i];
    if (plan.externals[i]) capacity += detail::StubWriter::Bound(values_of(type));
  }

  detail::StubWriter writer{out, capacity};
  writer.Unwind();
  writer.Align();
  writer.Traps();
  writer.Align();
  writer.Interrupt();

  using Write = void (detail::StubWriter::*)(std::span<const ValueType> parameters,
                                             std::span<const ValueType> results);
  const auto for_each_shape = [&](const FlatArray<bool>& wanted, FlatArray<std::uint32_t>& offsets,
                                  Write write) {
    std::map<std::string, std::uint32_t> stubs;
    offsets.assign(types, kNoCode);
    for (std::uint32_t type = 0; type < types; ++type) {
      if (!wanted[type]) continue;
      writer.Align();
      const auto [stub, is_new] = stubs.emplace(detail::ShapeOf(module, type), writer.Position());
      if (is_new) (writer.*write)(module.Parameters(type), module.Results(type));
      offsets[type] = stub->second;
    }
  };
  for_each_shape(plan.adapters, out.adapters, &detail::StubWriter::Adapter);
  writer.Align();
  out.slot_entry_range.first = writer.Position();
  for_each_shape(plan.slot_entries, out.slot_entries, &detail::StubWriter::SlotEntryOf);
  for_each_shape(plan.slot_entries, out.host_entries, &detail::StubWriter::HostEntryOf);
  out.slot_entry_range.count = writer.Position() - out.slot_entry_range.first;
  writer.Align();
  out.external_range.first = writer.Position();
  out.externals.assign(plan.externals.size(), kNoCode);
  for (std::uint32_t i = 0; i < plan.externals.size(); ++i) {
    if (!plan.externals[i]) continue;
    const std::uint32_t function = module.imported_functions + i;
    const std::uint32_t type = module.functions[function];
    writer.Align();
    out.externals[i] = writer.Position();
    writer.External(i, function, out.adapters[type], module.Parameters(type),
                    module.Results(type).size());
  }
  out.external_range.count = writer.Position() - out.external_range.first;
  writer.Finish();
}

}  // namespace tenon::inline TENON_ABI::jit
