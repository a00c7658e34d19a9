// SPDX-License-Identifier: Apache-2.0
/// @file
/// Modules that mutation starts from when no files are given.
#include <cstdint>
#include <string_view>
#include <vector>

#include <tenon/wasm/module_builder.hpp>

#include "mutator.hpp"

namespace fuzz {

using tenon::ExternKind;
using tenon::HeapType;
using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::ElementItems;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

namespace {

/// Every kind of section, segment and import.
Bytes EverySection() {
  ModuleBuilder builder;
  const std::uint32_t nothing = builder.Type({}, {});
  const std::uint32_t binary = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
  const std::uint32_t pair = builder.Type({}, {ValueType::I64, ValueType::F64});
  const std::uint32_t log = builder.ImportFunction("env", "log", binary);
  builder.ImportTable("env", "table", {.element = ValueType::FuncRef, .limits = {.minimum = 1}});
  builder.ImportGlobal("env", "global", {.type = ValueType::I32, .is_mutable = false});
  builder.Memory(1, 2);
  builder.Table(ValueType::ExternRef, 3);
  const std::uint32_t counter = builder.Global({.type = ValueType::I32, .is_mutable = true},
                                               ConstantExpression::GlobalGet(0));
  const std::uint32_t add = builder.Function(
      binary, {ValueType::I64, ValueType::I64, ValueType::V128}, [&](CodeBuilder& code) {
        code.LocalGet(0).LocalGet(1).Call(log).LocalGet(0).Emit(Opcode::I32Add);
      });
  const std::uint32_t start = builder.Function(nothing, {}, [&](CodeBuilder& code) {
    code.I32Const(1).GlobalSet(counter);
    code.I32Const(0).I32Const(0).I32Const(2).MemoryInit(1).DataDrop(1);
    code.I32Const(0).I32Const(0).I32Const(1).TableInit(1, 0).ElemDrop(1);
  });
  builder.Function(pair, {}, [](CodeBuilder& code) { code.I64Const(-1).F64Const(0.5); });
  builder.ActiveElement(0, ConstantExpression::I32(0), ElementItems::Functions({add, start}));
  const ConstantExpression items[] = {ConstantExpression::RefFunc(add),
                                      ConstantExpression::RefNull(HeapType::Func)};
  builder.PassiveElement(ElementItems::Expressions(ValueType::FuncRef, items));
  builder.DeclarativeElement(ElementItems::Functions({add}));
  builder.ActiveData(ConstantExpression::I32(16), std::string_view{"active"});
  builder.PassiveData(std::string_view{"passive"});
  builder.Export("add", ExternKind::Func, add);
  builder.Export("memory", ExternKind::Memory, 0);
  builder.Export("table", ExternKind::Table, 1);
  builder.Export("counter", ExternKind::Global, counter);
  builder.Start(start);
  builder.NameModule("sample");
  builder.NameFunction(add, "add");
  builder.NameLocal(add, 0, "left");
  const std::vector<std::uint8_t> note = {1, 2, 3};
  builder.Custom("note", note);
  return builder.Build();
}

/// Nested control flow, jump tables, memory accesses and vectors.
Bytes Instructions() {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({ValueType::I32}, {ValueType::I32});
  builder.Memory(1);
  builder.Table(ValueType::FuncRef, 4, 4);
  const std::uint32_t self = builder.DeclareFunction(type);
  builder.DefineFunction(self, {ValueType::I32, ValueType::V128}, [&](CodeBuilder& code) {
    code.Block({}, [](CodeBuilder& outer) {
      outer.Loop({}, [](CodeBuilder& loop) {
        loop.Block({}, [](CodeBuilder& inner) {
          const std::uint32_t labels[] = {0, 1, 2};
          inner.LocalGet(0).BrTable(labels, 2);
        });
        loop.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
      });
    });
    code.LocalGet(0).If(
        ValueType::I32, [&](CodeBuilder& then) { then.LocalGet(0).I32Const(0).CallIndirect(type); },
        [](CodeBuilder& otherwise) {
          otherwise.I32Const(8).Memory(Opcode::I32Load, {.align = 2, .offset = 4});
        });
    code.LocalSet(1);
    code.I32Const(0).Memory(Opcode::V128Load).LocalGet(2).Emit(Opcode::I8x16Add).LocalSet(2);
    code.LocalGet(2).Lane(Opcode::I8x16ExtractLaneU, 3).Drop();
    code.LocalGet(1);
  });
  builder.ActiveElement(0, ConstantExpression::I32(0), ElementItems::Functions({self}));
  builder.Export("run", ExternKind::Func, self);
  return builder.Build();
}

/// A shared memory, and atomic accesses of every kind.
Bytes Atomics() {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({ValueType::I32, ValueType::I64}, {ValueType::I64});
  builder.Memory(tenon::wasm::MemoryType{
      {.minimum = 1, .maximum = 2, .has_maximum = true, .is_shared = true}});
  const std::uint32_t run = builder.Function(type, {}, [](CodeBuilder& code) {
    code.LocalGet(0).I32Const(1).Memory(Opcode::I32AtomicStore16, {.offset = 6});
    code.LocalGet(0).I32Const(7).Memory(Opcode::MemoryAtomicNotify).Drop();
    code.LocalGet(0).I32Const(1).I64Const(0).Memory(Opcode::MemoryAtomicWait32).Drop();
    code.LocalGet(0).LocalGet(1).I64Const(100).Memory(Opcode::MemoryAtomicWait64).Drop();
    code.Emit(Opcode::AtomicFence);
    code.LocalGet(0).LocalGet(1).Memory(Opcode::I64AtomicRmw32XorU, {.offset = 200}).Drop();
    code.LocalGet(0).Memory(Opcode::I32AtomicLoad8U).I32Const(2).I32Const(3);
    code.Memory(Opcode::I32AtomicRmwCmpxchg).Drop();
    code.LocalGet(0).LocalGet(1).Memory(Opcode::I64AtomicRmwAdd);
  });
  builder.Export("run", ExternKind::Func, run);
  return builder.Build();
}

}  // namespace

std::vector<Sample> Samples() {
  return {
      {"every section", EverySection()}, {"instructions", Instructions()}, {"atomics", Atomics()}};
}

}  // namespace fuzz
