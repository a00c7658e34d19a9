// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests for declarations, features, references and vectors. Included by guests.hpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "guests.hpp"

namespace tenon_test::guests {

/// Imports one extern of each kind from env: "function" (i32, i64) -> f32, "table" 2 to 5 funcref,
/// "memory" from 1 page, "global" mutable f64.
inline Bytes ImportsAllKinds() {
  Guest guest;
  guest.AddImport("env", "function", {{kI32, kI64}, {kF32}});
  guest.ImportTable("env", "table", {ValueType::FuncRef, LimitsOf(2, 5)});
  guest.ImportMemory("env", "memory", {LimitsOf(1, std::nullopt)});
  guest.ImportGlobal("env", "global", {kF64, true});
  return guest.Build();
}

/// Exports one extern of each kind: "function" (also "alias") () -> (), "table" 2 to 5 funcref,
/// "memory" 1 to 3 pages, "global" mutable f64.
inline Bytes ExportsAllKinds() {
  Guest guest;
  const std::uint32_t function = guest.Add("function", {}, [](CodeBuilder&) {});
  guest.Export("alias", Kind::Func, function);
  guest.Export("table", Kind::Table, guest.Table(ValueType::FuncRef, 2, 5));
  guest.Export("memory", Kind::Memory, guest.Memory(1, 3));
  guest.Export("global", Kind::Global, guest.Global({kF64, true}, ConstantExpression::F64(0)));
  return guest.Build();
}

/// Custom sections "meta" (1, 2, 3) and "empty".
inline Bytes CustomSections() {
  Guest guest;
  guest.Add("nothing", {}, [](CodeBuilder&) {});
  guest.Custom("meta", {1, 2, 3});
  guest.Custom("empty", {});
  return guest.Build();
}

/// "answer" is 42; the name section is garbage.
inline Bytes BrokenNameSection() {
  ModuleBuilder builder;
  const std::uint32_t answer =
      builder.Function(builder.Type({}, {kI32}), {}, [](CodeBuilder& code) { code.I32Const(42); });
  builder.Export("answer", Kind::Func, answer);
  builder.Custom("name", {0x00, 0xFF, 0xFF, 0xFF, 0x7F, 0x01});
  return builder.Build();
}

/// "run" is unreachable and has no name in a name section.
inline Bytes NamelessTrap() {
  ModuleBuilder builder;
  const std::uint32_t run =
      builder.Function(builder.Type({}, {}), {}, [](CodeBuilder& code) { code.Unreachable(); });
  builder.Export("run", Kind::Func, run);
  return builder.Build();
}

/// Function 1, "broken", adds an i64 where an i32 is expected.
inline Bytes Invalid() {
  Guest guest;
  guest.Add("nothing", {}, [](CodeBuilder&) {});
  guest.Add("broken", {{kI32, kI64}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  return guest.Build();
}

/// Uses i32.extend8_s.
inline Bytes NeedsSignExtension() {
  Guest guest;
  guest.Add("f", {{kI32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32Extend8S); });
  return guest.Build();
}

/// Uses i32.trunc_sat_f32_s.
inline Bytes NeedsSaturatingConversion() {
  Guest guest;
  guest.Add("f", {{kF32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32TruncSatF32S); });
  return guest.Build();
}

/// Has a function of two results.
inline Bytes NeedsMultiValue() {
  Guest guest;
  guest.Add("f", {{}, {kI32, kI32}}, [](CodeBuilder& code) { code.I32Const(1).I32Const(2); });
  return guest.Build();
}

/// Uses memory.fill.
inline Bytes NeedsBulkMemory() {
  Guest guest;
  guest.Memory(1);
  guest.Add("f", {},
            [](CodeBuilder& code) { code.I32Const(0).I32Const(0).I32Const(0).MemoryFill(); });
  return guest.Build();
}

/// Has a parameter of externref.
inline Bytes NeedsReferenceTypes() {
  Guest guest;
  guest.Add("f", {{ValueType::ExternRef}, {}}, [](CodeBuilder&) {});
  return guest.Build();
}

/// "identity" (v128), "splat" (i32) -> v128, "mixed" (i32, v128, f64) -> (f64, v128, i32).
inline Bytes Simd() {
  Guest guest;
  constexpr auto kV128 = ValueType::V128;
  guest.Add("identity", {{kV128}, {kV128}}, [](CodeBuilder& code) { code.LocalGet(0); });
  guest.Add("splat", {{kI32}, {kV128}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32x4Splat); });
  guest.Add("mixed", {{kI32, kV128, kF64}, {kF64, kV128, kI32}},
            [](CodeBuilder& code) { code.LocalGet(2).LocalGet(1).LocalGet(0); });
  return guest.Build();
}

/// "extern_identity", "func_identity", "is_null"(externref), "answer" (42), "own" -> its funcref,
/// "call"(funcref) -> i32, and a table "externs" of 4 externref with "store"(i32, externref) and
/// "fetch"(i32).
inline Bytes References() {
  Guest guest;
  constexpr auto kExtern = ValueType::ExternRef;
  constexpr auto kFunc = ValueType::FuncRef;
  const std::uint32_t externs = guest.Table(kExtern, 4);
  const std::uint32_t scratch = guest.Table(kFunc, 1);
  guest.Export("externs", Kind::Table, externs);
  guest.Add("extern_identity", {{kExtern}, {kExtern}}, [](CodeBuilder& code) { code.LocalGet(0); });
  guest.Add("func_identity", {{kFunc}, {kFunc}}, [](CodeBuilder& code) { code.LocalGet(0); });
  guest.Add("is_null", {{kExtern}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::RefIsNull); });
  const std::uint32_t answer =
      guest.Add("answer", {{}, {kI32}}, [](CodeBuilder& code) { code.I32Const(42); });
  guest.Add("own", {{}, {kFunc}}, [&](CodeBuilder& code) { code.RefFunc(answer); });
  const std::uint32_t type = guest.TypeOf({{}, {kI32}});
  guest.Add("call", {{kFunc}, {kI32}}, [&](CodeBuilder& code) {
    code.I32Const(0).LocalGet(0).TableSet(scratch).I32Const(0).CallIndirect(type, scratch);
  });
  guest.Add("store", {{kI32, kExtern}, {}},
            [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).TableSet(externs); });
  guest.Add("fetch", {{kI32}, {kExtern}},
            [&](CodeBuilder& code) { code.LocalGet(0).TableGet(externs); });
  return guest.Build();
}

/// Floating point instructions on bits: "f32_..." take and return i32, "f64_..." i64, "promote"
/// (i32) -> i64, "demote" (i64) -> i32, "f32x4_add" v128.
inline Bytes Nan() {
  Guest guest;
  const auto float32 = [&](std::string_view name, std::uint32_t operands,
                           const std::vector<Opcode>& opcodes) {
    guest.Add(name, {std::vector<ValueType>(operands, kI32), {kI32}}, [&](CodeBuilder& code) {
      for (std::uint32_t i = 0; i < operands; ++i) {
        code.LocalGet(i).Emit(Opcode::F32ReinterpretI32);
      }
      for (const Opcode opcode : opcodes) code.Emit(opcode);
      code.Emit(Opcode::I32ReinterpretF32);
    });
  };
  float32("f32_add", 2, {Opcode::F32Add});
  float32("f32_sub", 2, {Opcode::F32Sub});
  float32("f32_mul", 2, {Opcode::F32Mul});
  float32("f32_div", 2, {Opcode::F32Div});
  float32("f32_min", 2, {Opcode::F32Min});
  float32("f32_max", 2, {Opcode::F32Max});
  float32("f32_sqrt", 1, {Opcode::F32Sqrt});
  float32("f32_ceil", 1, {Opcode::F32Ceil});
  float32("f32_floor", 1, {Opcode::F32Floor});
  float32("f32_trunc", 1, {Opcode::F32Trunc});
  float32("f32_nearest", 1, {Opcode::F32Nearest});
  float32("f32_neg", 1, {Opcode::F32Neg});
  float32("f32_abs", 1, {Opcode::F32Abs});
  float32("f32_pass", 1, {});
  guest.Add("f64_sqrt", {{kI64}, {kI64}}, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F64ReinterpretI64).Emit(Opcode::F64Sqrt);
    code.Emit(Opcode::I64ReinterpretF64);
  });
  guest.Add("f64_add", {{kI64, kI64}, {kI64}}, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F64ReinterpretI64);
    code.LocalGet(1).Emit(Opcode::F64ReinterpretI64);
    code.Emit(Opcode::F64Add).Emit(Opcode::I64ReinterpretF64);
  });
  guest.Add("promote", {{kI32}, {kI64}}, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F32ReinterpretI32).Emit(Opcode::F64PromoteF32);
    code.Emit(Opcode::I64ReinterpretF64);
  });
  guest.Add("demote", {{kI64}, {kI32}}, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F64ReinterpretI64).Emit(Opcode::F32DemoteF64);
    code.Emit(Opcode::I32ReinterpretF32);
  });
  constexpr auto kV128 = ValueType::V128;
  guest.Add("f32x4_add", {{kV128, kV128}, {kV128}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::F32x4Add); });
  return guest.Build();
}

}  // namespace tenon_test::guests
