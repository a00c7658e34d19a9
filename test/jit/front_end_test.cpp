// SPDX-License-Identifier: Apache-2.0
/// @file
/// The intermediate representation that the front end builds.
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/folding.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "front_end_support.hpp"
#include "ir_evaluator.hpp"

using namespace tenon::wasm;
using tenon::HeapType;
using tenon::ValueType;
using tenon::jit::CompileOptions;
using tenon::jit::MemoryStyle;
using tenon_test::IrText;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64, F32 = ValueType::F32,
                    F64 = ValueType::F64, V128 = ValueType::V128;

CodeBuilder Code() { return {}; }

CompileOptions Checked() {
  CompileOptions options;
  options.memory = MemoryStyle::Checked;
  return options;
}

/// What an i32 expression of parameters (i32, i32, i64) becomes: its instructions, a line each, and
/// what is returned.
std::string Expression(const CodeBuilder& code, ValueType result = I32) {
  const std::string text = IrText({I32, I32, I64}, {result}, {}, code);
  const std::string head = "b0:\n  v0:i32 = param[0]\n  v1:i32 = param[1]\n  v2:i64 = param[2]\n";
  REQUIRE(text.starts_with(head));
  return text.substr(head.size());
}

std::string Binary(Opcode opcode, std::int32_t constant) {
  return Expression(Code().LocalGet(0).I32Const(constant).Emit(opcode));
}

}  // namespace

TEST_CASE("a local that a loop sets has a phi in its header, others have none") {
  CHECK(IrText({I32}, {I32}, {I32},
               Code()
                   .LocalGet(0)
                   .LocalSet(1)
                   .Begin(Opcode::Loop)
                   .LocalGet(1)
                   .LocalGet(0)
                   .Emit(Opcode::I32Sub)
                   .LocalTee(1)
                   .BrIf(0)
                   .End()
                   .LocalGet(1)) == R"(b0:
  v0:i32 = param[0]
  jump b1
b1(loop) <- b0, b1:
  v1:i32 = phi b0:v0, b1:v2
  v2:i32 = i32.sub v1, v0
  branch v2, b1, b2
b2 <- b1:
  return v2
)");
}

TEST_CASE("a local set in one arm has a phi behind the if; where it was never set it is zero") {
  CHECK(IrText({I32, I32}, {I32}, {I32},
               Code().LocalGet(0).Begin(Opcode::If).LocalGet(1).LocalSet(2).End().LocalGet(2)) ==
        R"(b0:
  v0:i32 = param[0]
  v1:i32 = param[1]
  branch v0, b1, b2
b1 <- b0:
  jump b2
b2 <- b1, b0:
  v2:i32 = phi b1:v1, b0:0
  return v2
)");
}

TEST_CASE("a local that is set to the same value on all ways has no phi") {
  CHECK(IrText({I32, I32}, {I32}, {I32},
               Code()
                   .LocalGet(0)
                   .Begin(Opcode::If)
                   .LocalGet(1)
                   .LocalSet(2)
                   .Emit(Opcode::Else)
                   .LocalGet(1)
                   .LocalSet(2)
                   .End()
                   .LocalGet(2)) == R"(b0:
  v0:i32 = param[0]
  v1:i32 = param[1]
  branch v0, b1, b2
b1 <- b0:
  jump b3
b2 <- b0:
  jump b3
b3 <- b1, b2:
  return v1
)");
}

TEST_CASE("a loop that is not branched to is a block") {
  CHECK(IrText({I32}, {I32}, {}, Code().Begin(Opcode::Loop, I32).LocalGet(0).End()) == R"(b0:
  v0:i32 = param[0]
  return v0
)");
}

TEST_CASE("operands of loops and results of blocks become phis") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({I32, I32}, {I32});
  builder.Function(type, {}, [&](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).Loop(BlockType::Index(type), [](CodeBuilder& c) {
      c.Emit(Opcode::I32Mul).LocalGet(1).LocalGet(0).BrIf(0).Drop();
    });
  });
  // The second operand is the same each time, so that only the first has a phi.
  CHECK(IrText(builder) == R"(b0:
  v0:i32 = param[0]
  v1:i32 = param[1]
  jump b1
b1(loop) <- b0, b1:
  v2:i32 = phi b0:v0, b1:v3
  v3:i32 = i32.mul v2, v1
  branch v0, b1, b2
b2 <- b1:
  return v3
)");
}

TEST_CASE("br_table leads to each block once; return is a branch to the function's end") {
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .Begin(Opcode::Block)
                   .Begin(Opcode::Block)
                   .LocalGet(0)
                   .BrTable({0, 1, 0}, 1)
                   .End()
                   .I32Const(1)
                   .Return()
                   .End()
                   .I32Const(2)) == R"(b0:
  v0:i32 = param[0]
  switch v0, b1, b2, b1, b2
b1 <- b0:
  jump b3
b2 <- b0:
  jump b3
b3 <- b1, b2:
  v1:i32 = phi b1:1, b2:2
  return v1
)");
}

TEST_CASE("a br_table of two is a branch, one with a single target a jump") {
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .Begin(Opcode::Block)
                   .Begin(Opcode::Block)
                   .LocalGet(0)
                   .BrTable({0}, 1)
                   .End()
                   .Unreachable()
                   .End()
                   .I32Const(2)) == R"(b0:
  v0:i32 = param[0]
  branch v0, b2, b1
b1(cold) <- b0:
  trap[1]
b2 <- b0:
  return 2
)");
  CHECK(IrText({I32}, {}, {}, Code().LocalGet(0).BrTable({0, 0, 0}, 0)) == R"(b0:
  v0:i32 = param[0]
  jump b1
b1 <- b0:
  return
)");
}

TEST_CASE("a constant condition leaves one way, and the code of the other away") {
  const std::string first = "b0:\n  v0:i32 = param[0]\n  return v0\n";
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .I32Const(0)
                   .Begin(Opcode::If, I32)
                   .I32Const(5)
                   .LocalSet(0)
                   .Begin(Opcode::Loop)
                   .I32Const(1)
                   .LocalTee(0)
                   .BrIf(0)
                   .End()
                   .I32Const(7)
                   .Emit(Opcode::Else)
                   .LocalGet(0)
                   .End()) == first);
  CHECK(IrText({I32}, {I32}, {},
               Code().Begin(Opcode::Block).I32Const(0).BrIf(0).End().LocalGet(0)) == first);
  CHECK(IrText({I32}, {I32}, {},
               Code().I32Const(0).Begin(Opcode::If).Unreachable().End().LocalGet(0)) == first);
}

TEST_CASE("sets in code that is not reached do not count") {
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .Begin(Opcode::Block)
                   .Begin(Opcode::Block)
                   .LocalGet(0)
                   .BrIf(0)
                   .Br(1)
                   .End()
                   .I32Const(9)
                   .LocalSet(0)
                   .Unreachable()
                   .End()
                   .LocalGet(0)) == R"(b0:
  v0:i32 = param[0]
  branch v0, b2, b1
b1 <- b0:
  jump b3
b2(cold) <- b0:
  trap[1]
b3 <- b1:
  return v0
)");
}

TEST_CASE("accesses within the guard need no check, others are checked once") {
  const CodeBuilder code = Code()
                               .LocalGet(0)
                               .Memory(Opcode::I32Load, {2, 8})
                               .LocalGet(0)
                               .Memory(Opcode::I32Load, {2, 0x7FFFFFFF})
                               .Emit(Opcode::I32Add)
                               .LocalGet(0)
                               .Memory(Opcode::I32Load8U, {0, 0x7FFFFFFF})
                               .Emit(Opcode::I32Add);
  CHECK(IrText({I32}, {I32}, {}, code) == R"(b0:
  v0:i32 = param[0]
  v1:i64 = memory.base
  v2:i32 = i32.load[8 checked] v0, v1
  check.bounds[2147483651] v0
  v3:i32 = i32.load[2147483647 checked] v0, v1
  v4:i32 = i32.add v2, v3
  v5:i32 = i32.load8_u[2147483647 checked] v0, v1
  v6:i32 = i32.add v4, v5
  return v6
)");
}

TEST_CASE("with explicit checks the check holds for good, the base until the memory may move") {
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .LocalGet(0)
                   .I32Const(5)
                   .Memory(Opcode::I32Store, {2, 8})
                   .LocalGet(0)
                   .I64Const(6)
                   .Memory(Opcode::I64Store, {3, 8})
                   .I32Const(1)
                   .MemoryGrow()
                   .Drop()
                   .LocalGet(0)
                   .Memory(Opcode::I32Load, {2, 4}),
               Checked()) == R"(b0:
  v0:i32 = param[0]
  check.bounds[12] v0
  v1:i64 = memory.base
  i32.store[8 checked] v0, 5, v1
  check.bounds[16] v0
  i64.store[8 checked] v0, 6, v1
  v2:i32 = memory.grow 1
  v3:i64 = memory.base
  v4:i32 = i32.load[4 checked] v0, v3
  return v4
)");
}

TEST_CASE("a check in one arm does not hold in the other or behind") {
  CHECK(IrText({I32, I32}, {I32}, {},
               Code()
                   .LocalGet(0)
                   .Begin(Opcode::If)
                   .LocalGet(1)
                   .Memory(Opcode::I32Load8U)
                   .Drop()
                   .End()
                   .LocalGet(1)
                   .Memory(Opcode::I32Load8U),
               Checked()) == R"(b0:
  v0:i32 = param[0]
  v1:i32 = param[1]
  branch v0, b1, b2
b1 <- b0:
  check.bounds[1] v1
  v2:i64 = memory.base
  v3:i32 = i32.load8_u[0 checked] v1, v2
  jump b2
b2 <- b1, b0:
  check.bounds[1] v1
  v4:i64 = memory.base
  v5:i32 = i32.load8_u[0 checked] v1, v4
  return v5
)");
}

TEST_CASE("globals are read again after stores to what may be the same, and after calls") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {I32, I32});
  builder.ImportGlobal("m", "a", {I32, true});
  builder.ImportGlobal("m", "b", {I32, true});
  builder.ImportGlobal("m", "c", {I32, false});
  builder.Global({I32, true}, ConstantExpression::I32(0));
  const std::uint32_t function = builder.DeclareFunction(type);
  builder.DefineFunction(function, {},
                         Code()
                             .GlobalGet(0)
                             .GlobalGet(3)
                             .GlobalGet(2)
                             .GlobalSet(1)
                             .GlobalGet(0)
                             .GlobalGet(1)
                             .GlobalGet(3)
                             .Call(function)
                             .GlobalGet(3)
                             .GlobalGet(2)
                             .Return());
  CompileOptions as_it_is;
  as_it_is.optimize = false;
  CHECK(IrText(builder, as_it_is) == R"(b0:
  v0:i64 = global.address[0]
  v1:i32 = load.global v0
  v2:i64 = global.address[3]
  v3:i32 = load.global v2
  v4:i64 = global.address[2]
  v5:i32 = load.global v4
  v6:i64 = global.address[1]
  store.global v6, v5
  v7:i32 = load.global v0
  v8 = call[0]
  v9:i32 = result[0] v8
  v10:i32 = result[1] v8
  v11:i32 = load.global v2
  jump b1
b1 <- b0:
  return v11, v5
)");
}

TEST_CASE("what computes floats is followed by a canonical NaN, loops and entries by a check") {
  CompileOptions options;
  options.canonical_nan = options.interruptible = true;
  CHECK(IrText({F32, F64, V128}, {F32, V128}, {},
               Code()
                   .LocalGet(0)
                   .LocalGet(1)
                   .Emit(Opcode::F32DemoteF64)
                   .Emit(Opcode::F32Add)
                   .Emit(Opcode::F32Neg)
                   .LocalGet(2)
                   .LocalGet(2)
                   .Emit(Opcode::F64x2Add),
               options) == R"(b0:
  v0:f32 = param[0]
  v1:f64 = param[1]
  v2:v128 = param[2]
  check.interrupt
  v3:f32 = f32.demote_f64 v1
  v4:f32 = canonical v3
  v5:f32 = f32.add v0, v4
  v6:f32 = canonical v5
  v7:f32 = f32.neg v6
  v8:v128 = f64x2.add v2, v2
  v9:v128 = canonical.64x2 v8
  return v7, v9
)");
  CHECK(IrText({I32}, {}, {I32},
               Code().Loop({},
                           [](CodeBuilder& c) {
                             c.LocalGet(1).LocalTee(0).LocalSet(1).LocalGet(0).BrIf(0);
                           }),
               options) == R"(b0:
  v0:i32 = param[0]
  check.interrupt
  jump b1
b1(loop) <- b0, b1:
  check.interrupt
  branch 0, b1, b2
b2 <- b1:
  return
)");
}

TEST_CASE("vector immediates are kept") {
  CHECK(IrText({I32, V128}, {V128}, {},
               Code()
                   .LocalGet(0)
                   .LocalGet(1)
                   .MemoryLane(Opcode::V128Load16Lane, {1, 6}, 3)
                   .LocalGet(1)
                   .Shuffle({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 31})
                   .V128Const({1, 2, 3})
                   .Emit(Opcode::I8x16Add)
                   .LocalGet(0)
                   .Lane(Opcode::I8x16ReplaceLane, 15)) == R"(b0:
  v0:i32 = param[0]
  v1:v128 = param[1]
  v2:i64 = memory.base
  v3:v128 = v128.load16_lane[3][6 checked] v0, v1, v2
  v4:v128 = i8x16.shuffle[v128:000102030405060708090a0b0c0d0e1f] v3, v1
  v5:v128 = i8x16.add v4, v128:01020300000000000000000000000000
  v6:v128 = i8x16.replace_lane[15] v5, v0
  return v6
)");
}

TEST_CASE("references are integers") {
  CHECK(IrText({I32}, {I32}, {},
               Code()
                   .LocalGet(0)
                   .TableGet(0)
                   .Emit(Opcode::RefIsNull)
                   .RefNull(HeapType::Func)
                   .Emit(Opcode::RefIsNull)
                   .Emit(Opcode::I32Add)
                   .RefNull(HeapType::Func)
                   .I32Const(4)
                   .TableGrow(0)
                   .Emit(Opcode::I32Add)) == R"(b0:
  v0:i32 = param[0]
  v1:i64 = table.get[0] v0
  v2:i32 = i64.eqz v1
  v3:i32 = i32.add v2, 1
  v4:i32 = table.grow[0] 0, 4
  v5:i32 = i32.add v3, v4
  return v5
)");
}

TEST_CASE("indirect calls name type, table and index") {
  ModuleBuilder builder;
  builder.Table(ValueType::FuncRef, 1);
  builder.Table(ValueType::FuncRef, 1);
  const std::uint32_t type = builder.Type({I32, I64}, {F64});
  builder.Function(type, {}, Code().LocalGet(0).LocalGet(1).LocalGet(0).CallIndirect(type, 1));
  CHECK(IrText(builder) == R"(b0:
  v0:i32 = param[0]
  v1:i64 = param[1]
  v2:f64 = call_indirect[0][1] v0, v1, v0
  return v2
)");
}

TEST_CASE("integer identities") {
  const auto same = "  return v0\n";
  const auto gives = [](const char* instruction) {
    return std::string{"  v3:i32 = "} + instruction + "\n  return v3\n";
  };
  CHECK(Binary(Opcode::I32Add, 0) == same);
  CHECK(Binary(Opcode::I32Sub, 5) == gives("i32.add v0, -5"));
  CHECK(Binary(Opcode::I32Mul, 0) == "  return 0\n");
  CHECK(Binary(Opcode::I32Mul, 1) == same);
  CHECK(Binary(Opcode::I32Mul, 8) == gives("i32.shl v0, 3"));
  CHECK(Binary(Opcode::I32Mul, INT32_MIN) == gives("i32.shl v0, 31"));
  CHECK(Binary(Opcode::I32DivU, 1) == same);
  CHECK(Binary(Opcode::I32DivU, INT32_MIN) == gives("i32.shr_u v0, 31"));
  CHECK(Binary(Opcode::I32DivU, 0) == gives("i32.div_u v0, 0"));
  CHECK(Binary(Opcode::I32RemU, 8) == gives("i32.and v0, 7"));
  CHECK(Binary(Opcode::I32RemU, 1) == "  return 0\n");
  CHECK(Binary(Opcode::I32DivS, 1) == same);
  CHECK(Binary(Opcode::I32DivS, -1) == gives("i32.div_s v0, -1"));
  CHECK(Binary(Opcode::I32RemS, -1) == "  return 0\n");
  CHECK(Binary(Opcode::I32And, 0) == "  return 0\n");
  CHECK(Binary(Opcode::I32And, -1) == same);
  CHECK(Binary(Opcode::I32Or, -1) == "  return -1\n");
  CHECK(Binary(Opcode::I32Shl, 32) == same);
  CHECK(Binary(Opcode::I32ShrS, 33) == gives("i32.shr_s v0, 1"));
  CHECK(Binary(Opcode::I32Rotl, 64) == same);
  CHECK(Binary(Opcode::I32Eq, 0) == gives("i32.eqz v0"));
  CHECK(Binary(Opcode::I32LtU, 0) == "  return 0\n");
  CHECK(Binary(Opcode::I32LtU, 1) == gives("i32.eqz v0"));
  CHECK(Binary(Opcode::I32GtU, 0) == gives("i32.ne v0, 0"));
  CHECK(Binary(Opcode::I32LeU, -1) == "  return 1\n");

  CHECK(Expression(Code().LocalGet(0).LocalGet(0).Emit(Opcode::I32Xor)) == "  return 0\n");
  CHECK(Expression(Code().LocalGet(0).LocalGet(0).Emit(Opcode::I32GeS)) == "  return 1\n");
  CHECK(Expression(Code().I32Const(3).LocalGet(0).Emit(Opcode::I32LtS)) == gives("i32.gt_s v0, 3"));
  CHECK(Expression(Code().LocalGet(0).I32Const(3).Emit(Opcode::I32LtS).Emit(Opcode::I32Eqz)) ==
        "  v3:i32 = i32.lt_s v0, 3\n  v4:i32 = i32.ge_s v0, 3\n  return v4\n");
  CHECK(Expression(Code().LocalGet(2).Emit(Opcode::I32WrapI64).Emit(Opcode::I64ExtendI32U), I64) ==
        "  v3:i32 = i32.wrap_i64 v2\n  v4:i64 = i64.extend_i32_u v3\n  return v4\n");
  CHECK(Expression(Code().LocalGet(0).Emit(Opcode::I64ExtendI32S).Emit(Opcode::I32WrapI64)) ==
        "  v3:i64 = i64.extend_i32_s v0\n  return v0\n");
  CHECK(Expression(Code().LocalGet(0).LocalGet(0).LocalGet(1).Select()) == same);
}

TEST_CASE("divisions by constants are multiplications and shifts") {
  CHECK(Binary(Opcode::I32DivS, 8) == R"(  v3:i32 = i32.shr_s v0, 31
  v4:i32 = i32.shr_u v3, 29
  v5:i32 = i32.add v0, v4
  v6:i32 = i32.shr_s v5, 3
  return v6
)");
  CHECK(Binary(Opcode::I32DivS, -2) == R"(  v3:i32 = i32.shr_u v0, 31
  v4:i32 = i32.add v0, v3
  v5:i32 = i32.shr_s v4, 1
  v6:i32 = i32.sub 0, v5
  return v6
)");
  CHECK(Binary(Opcode::I32RemS, 4) == R"(  v3:i32 = i32.shr_s v0, 31
  v4:i32 = i32.shr_u v3, 30
  v5:i32 = i32.add v0, v4
  v6:i32 = i32.and v5, 3
  v7:i32 = i32.sub v6, v4
  return v7
)");
  CHECK(Binary(Opcode::I32DivU, 10) == R"(  v3:i64 = i64.extend_i32_u v0
  v4:i64 = i64.mul v3, 3435973837
  v5:i64 = i64.shr_u v4, 35
  v6:i32 = i32.wrap_i64 v5
  return v6
)");
  CHECK(Binary(Opcode::I32DivU, 7) == R"(  v3:i64 = i64.extend_i32_u v0
  v4:i64 = i64.mul v3, 613566757
  v5:i64 = i64.shr_u v4, 32
  v6:i32 = i32.wrap_i64 v5
  v7:i32 = i32.sub v0, v6
  v8:i32 = i32.shr_u v7, 1
  v9:i32 = i32.add v6, v8
  v10:i32 = i32.shr_u v9, 2
  return v10
)");
  CHECK(Binary(Opcode::I32DivU, -5) == R"(  v3:i32 = i32.ge_u v0, -5
  return v3
)");
  CHECK(Binary(Opcode::I32RemU, 10) == R"(  v3:i64 = i64.extend_i32_u v0
  v4:i64 = i64.mul v3, 3435973837
  v5:i64 = i64.shr_u v4, 35
  v6:i32 = i32.wrap_i64 v5
  v7:i32 = i32.mul v6, 10
  v8:i32 = i32.sub v0, v7
  return v8
)");
  CHECK(Binary(Opcode::I32DivS, -10) == R"(  v3:i64 = i64.extend_i32_s v0
  v4:i64 = i64.mul v3, 1717986919
  v5:i64 = i64.shr_s v4, 34
  v6:i32 = i32.wrap_i64 v5
  v7:i32 = i32.shr_u v0, 31
  v8:i32 = i32.add v6, v7
  v9:i32 = i32.sub 0, v8
  return v9
)");
  for (const std::int32_t constant : {0, -1}) {
    CHECK(Binary(Opcode::I32DivS, constant).find("i32.div_s") != std::string::npos);
  }
  CHECK(Binary(Opcode::I32RemS, 0).find("i32.rem_s") != std::string::npos);
}

TEST_CASE("divisions by constants compute what divisions do") {
  using tenon::jit::Evaluate;
  using tenon::jit::IrOpcode;
  constexpr std::int64_t kEdges[] = {0,          1,         2,         3,
                                     5,          7,         10,        100,
                                     641,        1000003,   INT32_MAX, INT32_MIN,
                                     0x55555555, 0x10001,   65536,     1 << 30,
                                     0x7FFFFFFE, INT64_MAX, INT64_MIN, std::int64_t{1} << 33};
  std::vector<std::int64_t> numbers;
  for (const std::int64_t edge : kEdges) {
    for (const std::uint64_t distance : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1}}) {
      const std::uint64_t number = static_cast<std::uint64_t>(edge) + distance;
      numbers.push_back(static_cast<std::int64_t>(number));
      numbers.push_back(static_cast<std::int64_t>(0 - number));
    }
  }
  for (const bool is_wide : {false, true}) {
    const Opcode first = is_wide ? Opcode::I64DivS : Opcode::I32DivS;
    const ValueType type = is_wide ? I64 : I32;
    for (std::uint32_t number = 0; number < 4; ++number) {
      const auto opcode = static_cast<Opcode>(static_cast<std::uint32_t>(first) + number);
      for (const std::int64_t divisor : numbers) {
        ModuleBuilder builder;
        CodeBuilder code = Code().LocalGet(0);
        if (is_wide) {
          code.I64Const(divisor);
        } else {
          code.I32Const(static_cast<std::int32_t>(divisor));
        }
        builder.Function(builder.Type({type}, {type}), {}, code.Emit(opcode));
        const tenon::jit::Function function =
            tenon_test::BuildIr(tenon_test::ModuleForJit{builder.Build()});
        tenon_test::IrState state;
        for (const std::int64_t dividend : numbers) {
          const auto bits = [&](std::int64_t value) {
            return is_wide ? static_cast<std::uint64_t>(value) : static_cast<std::uint32_t>(value);
          };
          std::uint64_t expected = 0;
          const bool is_defined = Evaluate(static_cast<IrOpcode>(opcode), bits(dividend),
                                           bits(divisor), true, expected);
          const std::uint64_t arguments[] = {bits(dividend)};
          const auto found = tenon_test::IrEvaluator{function, state}.Run(arguments);
          INFO(dividend << " by " << divisor << ", opcode " << static_cast<int>(opcode));
          if (is_defined != found.has_value()) FAIL("traps differ");
          if (is_defined && bits(static_cast<std::int64_t>(found->at(0))) != expected) {
            FAIL(found->at(0) << " for " << expected);
          }
        }
      }
    }
  }
}

TEST_CASE("what was loaded or stored at an address is not loaded again") {
  const auto load = [](std::uint32_t offset) {
    return Code().LocalGet(0).Memory(Opcode::I32Load, {2, offset});
  };
  const auto store = [](std::uint32_t address, std::uint32_t offset, std::int32_t value) {
    return Code().LocalGet(address).I32Const(value).Memory(Opcode::I32Store, {2, offset});
  };
  const auto loads = [](const CodeBuilder& code) {
    const std::string text = IrText({I32, I32}, {I32, I32}, {}, code);
    std::size_t count = 0;
    for (std::size_t at = text.find("i32.load"); at != std::string::npos;
         at = text.find("i32.load", at + 1)) {
      ++count;
    }
    return count;
  };
  CHECK(loads(load(8).Append(load(8))) == 1);
  CHECK(loads(load(8).Append(load(12))) == 2);
  CHECK(loads(store(0, 8, 5).Append(load(8)).Append(load(8))) == 0);
  // Other places of the same address are known to be others; those of other addresses are not.
  CHECK(loads(load(8).Append(store(0, 12, 5)).Append(load(8))) == 1);
  CHECK(loads(load(8).Append(store(0, 4, 5)).Append(load(8))) == 1);
  CHECK(loads(load(8).Append(store(0, 9, 5)).Append(load(8))) == 2);
  CHECK(loads(load(8).Append(store(0, 5, 5)).Append(load(8))) == 2);
  CHECK(loads(load(8).Append(store(1, 12, 5)).Append(load(8))) == 2);
  CHECK(loads(load(8).I32Const(0).I32Const(0).I32Const(0).MemoryFill().Append(load(8))) == 2);
  CHECK(loads(load(8).LocalGet(1).MemoryGrow().Drop().Append(load(8))) == 2);
  CHECK(loads(load(8).LocalGet(1).Begin(Opcode::If).End().Append(load(8))) == 2);
  CHECK(loads(load(8)
                  .Begin(Opcode::Block)
                  .LocalGet(1)
                  .BrIf(0)
                  .Append(load(8))
                  .Drop()
                  .End()
                  .LocalGet(1)) == 1);
}

TEST_CASE("a sum that cannot wrap becomes part of the offset") {
  const auto load = [](const CodeBuilder& address, std::uint32_t offset) {
    return Expression(Code().Append(address).Memory(Opcode::I32Load8U, {0, offset}));
  };
  const auto sum = [](const CodeBuilder& address, std::int32_t constant) {
    return Code().Append(address).I32Const(constant).Emit(Opcode::I32Add);
  };
  const CodeBuilder masked = Code().LocalGet(0).I32Const(0xFFFF).Emit(Opcode::I32And);
  const auto folds = [&](const CodeBuilder& address, std::uint32_t offset, std::uint32_t total) {
    return load(address, offset).find('[' + std::to_string(total) + ' ') != std::string::npos;
  };
  CHECK(load(sum(masked, 100), 8) == R"(  v3:i64 = memory.base
  v4:i32 = i32.and v0, 65535
  v5:i32 = i32.add v4, 100
  v6:i32 = i32.load8_u[108 checked] v4, v3
  return v6
)");
  CHECK(folds(sum(masked, 100), 8, 108));
  CHECK_FALSE(folds(sum(Code().LocalGet(0), 100), 8, 108));
  // Without mask, and with one that leaves room for a wrap.
  CHECK_FALSE(folds(sum(masked, -100), 8, 0xFFFFFF9C + 8));
  const CodeBuilder wide = Code().LocalGet(0).I32Const(-4).Emit(Opcode::I32And);
  CHECK_FALSE(folds(sum(wide, 4), 8, 12));
  CHECK(folds(sum(wide, 3), 8, 11));
  // Scaled indices.
  const CodeBuilder scaled = Code().Append(masked).I32Const(3).Emit(Opcode::I32Shl);
  CHECK(folds(sum(scaled, 16), 0, 16));
  // What would need a check that the sum does not.
  CHECK_FALSE(folds(sum(masked, 32 << 20), 0, 32 << 20));
}

TEST_CASE("constants are folded, but for what traps and for NaNs") {
  CHECK(Expression(Code().I32Const(7).I32Const(-2).Emit(Opcode::I32DivS)) == "  return -3\n");
  CHECK(Expression(Code().I32Const(7).I32Const(0).Emit(Opcode::I32DivS)) ==
        "  v3:i32 = i32.div_s 7, 0\n  return v3\n");
  CHECK(Expression(Code().F64Const(0.5).F64Const(0.25).Emit(Opcode::F64Add), F64) ==
        "  return f64:0x3fe8000000000000\n");
  CHECK(Expression(Code().F32Const(0).F32Const(0).Emit(Opcode::F32Div), F32) ==
        "  v3:f32 = f32.div f32:0x00000000, f32:0x00000000\n  return v3\n");
  CHECK(Expression(Code().F64Const(1e300).Emit(Opcode::I32TruncF64S)) ==
        "  v3:i32 = i32.trunc_f64_s f64:0x7e37e43c8800759c\n  return v3\n");
  CHECK(Expression(Code().F64Const(1e300).Emit(Opcode::I32TruncSatF64S)) ==
        "  return 2147483647\n");
  // A signalling NaN passes where bits are only moved.
  CHECK(Expression(Code().F32ConstBits(0x7FA00000).Emit(Opcode::F32Neg), F32) ==
        "  return f32:0xffa00000\n");
}

TEST_CASE("a pure instruction is used again where it dominates") {
  CHECK(IrText({I32, I32}, {I32}, {},
               Code()
                   .LocalGet(0)
                   .LocalGet(1)
                   .Emit(Opcode::I32Mul)
                   .Begin(Opcode::If)
                   .LocalGet(1)
                   .LocalGet(0)
                   .Emit(Opcode::I32Mul)
                   .LocalGet(0)
                   .LocalGet(1)
                   .Emit(Opcode::I32Sub)
                   .Emit(Opcode::I32Add)
                   .LocalSet(0)
                   .End()
                   .LocalGet(0)
                   .LocalGet(1)
                   .Emit(Opcode::I32Sub)) == R"(b0:
  v0:i32 = param[0]
  v1:i32 = param[1]
  v2:i32 = i32.mul v0, v1
  branch v2, b1, b2
b1 <- b0:
  v3:i32 = i32.sub v0, v1
  v4:i32 = i32.add v2, v3
  jump b2
b2 <- b1, b0:
  v5:i32 = phi b1:v4, b0:v0
  v6:i32 = i32.sub v5, v1
  return v6
)");
}

TEST_CASE("functions that would need too many phis are built without them", "[one_thread][long]") {
  ModuleBuilder builder;
  CodeBuilder code;
  constexpr std::uint32_t kSize = 4000;
  for (std::uint32_t i = 0; i < kSize; ++i) code.Begin(Opcode::Block);
  for (std::uint32_t i = 0; i < kSize; ++i) {
    code.LocalGet(0).BrIf(i).LocalGet(1).LocalSet(i + 2);
  }
  for (std::uint32_t i = 0; i < kSize; ++i) code.End();
  code.I32Const(0);
  for (std::uint32_t i = 0; i < kSize; ++i) code.LocalGet(i + 2).Emit(Opcode::I32Add);
  builder.Function(builder.Type({I32, I32}, {I32}), std::vector<ValueType>(kSize, I32), code);
  const tenon_test::ModuleForJit module{builder.Build()};
  REQUIRE(module.validated.Text() == "");
  tenon::jit::FrontEnd front_end;
  tenon::jit::Function function;
  CHECK(front_end.Build({module.validated.module, module.validated.context, module.facts, {}}, 0,
                        function));
  std::size_t phis = 0;
  for (const tenon::jit::Instruction& instruction : function.instructions) {
    if (instruction.opcode == tenon::jit::IrOpcode::Phi) ++phis;
  }
  CHECK(phis < kSize);
}
