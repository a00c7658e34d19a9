// SPDX-License-Identifier: Apache-2.0
/// @file
/// Code objects from machine code that tests write themselves, and instances to run it in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/runtime_calls.hpp>
#include <tenon/jit/code_registry.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/mapped_code.hpp>
#include <tenon/jit/xbyak.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon_test {

using Types = std::vector<tenon::ValueType>;

struct FunctionShape {
  Types parameters;
  Types results;
};

inline std::uint32_t SlotsOf(const Types& types) {
  std::uint32_t slots = 0;
  for (const tenon::ValueType type : types) slots += type.SlotCount();
  return slots;
}

/// A module that declares one function of each shape, and no more.
inline tenon::wasm::Module ModuleOf(const std::vector<FunctionShape>& shapes) {
  tenon::wasm::Module module;
  for (const FunctionShape& shape : shapes) {
    tenon::wasm::TypeDefinition type;
    type.first = static_cast<std::uint32_t>(module.type_pool.size());
    type.parameter_count = static_cast<std::uint32_t>(shape.parameters.size());
    type.result_count = static_cast<std::uint32_t>(shape.results.size());
    for (const Types& list : {shape.parameters, shape.results}) {
      module.type_pool.insert(module.type_pool.end(), list.begin(), list.end());
    }
    module.functions.push_back(static_cast<std::uint32_t>(module.types.size()));
    module.types.push_back(type);
    module.bodies.push_back({0, 0});
  }
  return module;
}

/// Writes one function.
class BodyWriter : public Xbyak::CodeGenerator {
 public:
  BodyWriter() : Xbyak::CodeGenerator{std::size_t{1} << 16} {}

  void Begin(std::uint32_t frame_size = 0) {
    push(rbp);
    mov(rbp, rsp);
    if (frame_size != 0) sub(rsp, frame_size);
    function_.frame_size = frame_size;
  }
  void End() {
    leave();
    ret();
  }
  void Relocated(std::uint8_t opcode, tenon::jit::Relocation::Kind kind, std::uint32_t target) {
    db(opcode);
    function_.relocations.push_back({static_cast<std::uint32_t>(getSize()), kind, target});
    dd(0);
  }
  /// A call with its site.
  void CallTo(tenon::jit::Relocation::Kind kind, std::uint32_t target, std::uint32_t wasm_offset,
              bool is_prologue = false) {
    Relocated(0xE8, kind, target);
    function_.calls.push_back(
        {static_cast<std::uint32_t>(getSize()), wasm_offset, 0, 0xFFFFFFFF, is_prologue});
  }
  /// The next instruction may fault.
  void FaultSite(std::uint32_t wasm_offset) {
    function_.faults.push_back(
        {static_cast<std::uint32_t>(getSize()), wasm_offset, 0, 0xFFFFFFFF, false});
  }
  tenon::jit::CompiledFunction Take() {
    function_.code.assign(getCode(), getCode() + getSize());
    return std::move(function_);
  }

 private:
  tenon::jit::CompiledFunction function_;
};

/// A function that stores its operands, as 64 bits each (v128: two), to `taken`, and returns what
/// `given` holds.
inline tenon::jit::CompiledFunction RecorderBody(const FunctionShape& shape,
                                                 tenon::abi::Slot* taken,
                                                 const tenon::abi::Slot* given) {
  using namespace Xbyak::util;
  namespace jit = tenon::jit;
  using Kind = jit::Type;
  BodyWriter code;
  code.Begin();
  code.mov(rax, reinterpret_cast<std::uint64_t>(taken));
  jit::ParameterPlaces places{jit::kIntegerParameterCount};
  std::uint32_t slot = 0;
  for (const tenon::ValueType value_type : shape.parameters) {
    const Kind type = jit::TypeOf(value_type);
    const jit::ParameterPlace place = places.Next(type);
    const bool on_stack = place.reg == jit::kNoRegister;
    const Xbyak::Address source = code.ptr[rbp + 16 + place.stack_offset];
    const Xbyak::Address target = code.ptr[rax + 8 * slot];
    if (type == Kind::I32 || type == Kind::I64) {
      const Xbyak::Reg64 reg(on_stack ? jit::kR10 : place.reg);
      if (on_stack) code.mov(reg, source);
      code.mov(target, reg);
    } else {
      const Xbyak::Xmm reg(on_stack ? 15 : place.reg - jit::kXmm0);
      if (type == Kind::V128) {
        if (on_stack) code.movups(reg, source);
        code.movups(target, reg);
      } else {
        if (on_stack) code.movsd(reg, source);
        code.movsd(target, reg);
        if (type == Kind::F32) code.mov(code.dword[rax + 8 * slot + 4], 0);
      }
    }
    slot += value_type.SlotCount();
  }
  code.mov(r10, reinterpret_cast<std::uint64_t>(given));
  if (shape.results.size() == 1) {
    const Kind type = jit::TypeOf(shape.results[0]);
    if (type == Kind::V128) {
      code.movups(xmm0, code.ptr[r10]);
    } else if (type == Kind::F32 || type == Kind::F64) {
      code.movsd(xmm0, code.ptr[r10]);
    } else if (type == Kind::I32) {
      code.mov(eax, code.ptr[r10]);
    } else {
      code.mov(rax, code.ptr[r10]);
    }
  } else if (shape.results.size() > 1) {
    const jit::ParameterPlace place = places.Next(Kind::I64);
    if (place.reg == jit::kNoRegister) {
      code.mov(r11, code.ptr[rbp + 16 + place.stack_offset]);
    } else {
      code.mov(r11, Xbyak::Reg64(place.reg));
    }
    for (std::uint32_t i = 0; i < SlotsOf(shape.results); ++i) {
      code.mov(rax, code.ptr[r10 + 8 * i]);
      code.mov(code.ptr[r11 + 8 * i], rax);
    }
  }
  for (const Xbyak::Reg64& reg : {rcx, rdx, rsi, rdi, r8, r9, r10, r11}) {
    code.mov(reg, ~std::uint64_t{0});
  }
  code.End();
  return code.Take();
}

/// The records of an instance that compiled code looks at.
struct FakeInstance {
  FakeInstance() {
    header.exec = &exec;
    header.runtime_calls = &calls;
    header.memory = &memory;
    header.functions = functions.data();
    for (std::size_t i = 0; i < records.size(); ++i) {
      records[i].instance = &header;
      records[i].index = static_cast<std::uint32_t>(i);
      functions[i] = &records[i];
    }
  }
  FakeInstance(const FakeInstance&) = delete;
  FakeInstance& operator=(const FakeInstance&) = delete;

  tenon::abi::ExecContext exec{};
  tenon::abi::RuntimeCalls calls{};
  tenon::abi::MemoryRecord memory{};
  std::array<tenon::abi::FunctionRecord, 4> records{};
  std::array<const tenon::abi::FunctionRecord*, 4> functions{};
  tenon::abi::InstanceHeader header{};
};

/// A code object in which everything can be reached from everywhere.
inline std::vector<std::uint8_t> ObjectOf(
    const tenon::wasm::Module& module, const std::vector<tenon::jit::CompiledFunction>& functions) {
  return tenon::jit::BuildCodeObject({module, functions,
                                      tenon::jit::FlatArray<bool>(functions.size(), true),
                                      tenon::jit::FlatArray<bool>(module.types.size(), true), 7});
}

inline std::shared_ptr<const tenon::jit::MappedCode> MapCode(
    const tenon::wasm::Module& module, const std::vector<tenon::jit::CompiledFunction>& functions) {
  std::string reason;
  return tenon::jit::MappedCode::Map(ObjectOf(module, functions), reason);
}

inline void Enter(const tenon::jit::MappedCode& code, std::uint32_t function,
                  FakeInstance& instance, tenon::abi::Slot* slots) {
  const tenon::jit::EntryPoint& entry = code.Entry(function);
  entry.enter(&instance.header, entry.body, slots);
}

}  // namespace tenon_test
