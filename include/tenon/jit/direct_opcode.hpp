// SPDX-License-Identifier: Apache-2.0
/// @file
/// Float and vector instructions that are one machine instruction, whose second operand may be in
/// memory.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir_opcode.hpp>

// clang-format off

/// X(opcode, method of DualEmitter)
#define TENON_DETAIL_DIRECT_BINARY(X) \
  X(V128And, Pand) X(V128Or, Por) X(V128Xor, Pxor) X(I8x16Add, Paddb) X(I8x16AddSatS, Paddsb) \
  X(I8x16AddSatU, Paddusb) X(I8x16Sub, Psubb) X(I8x16SubSatS, Psubsb) X(I8x16SubSatU, Psubusb) \
  X(I8x16MinS, Pminsb) X(I8x16MinU, Pminub) X(I8x16MaxS, Pmaxsb) X(I8x16MaxU, Pmaxub) \
  X(I8x16AvgrU, Pavgb) X(I16x8Add, Paddw) X(I16x8AddSatS, Paddsw) X(I16x8AddSatU, Paddusw) \
  X(I16x8Sub, Psubw) X(I16x8SubSatS, Psubsw) X(I16x8SubSatU, Psubusw) X(I16x8Mul, Pmullw) \
  X(I16x8MinS, Pminsw) X(I16x8MinU, Pminuw) X(I16x8MaxS, Pmaxsw) X(I16x8MaxU, Pmaxuw) \
  X(I16x8AvgrU, Pavgw) X(I32x4Add, Paddd) X(I32x4Sub, Psubd) X(I32x4Mul, Pmulld) \
  X(I32x4MinS, Pminsd) X(I32x4MinU, Pminud) X(I32x4MaxS, Pmaxsd) X(I32x4MaxU, Pmaxud) \
  X(I32x4DotI16x8S, Pmaddwd) X(I64x2Add, Paddq) X(I64x2Sub, Psubq) X(I8x16NarrowI16x8S, Packsswb) \
  X(I8x16NarrowI16x8U, Packuswb) X(I16x8NarrowI32x4S, Packssdw) X(I16x8NarrowI32x4U, Packusdw) \
  X(F32x4Add, Addps) X(F32x4Sub, Subps) X(F32x4Mul, Mulps) X(F32x4Div, Divps) X(F64x2Add, Addpd) \
  X(F64x2Sub, Subpd) X(F64x2Mul, Mulpd) X(F64x2Div, Divpd)

#define TENON_DETAIL_DIRECT_FLOATS(X) \
  X(F32Add, Addss) X(F32Sub, Subss) X(F32Mul, Mulss) X(F32Div, Divss) \
  X(F64Add, Addsd) X(F64Sub, Subsd) X(F64Mul, Mulsd) X(F64Div, Divsd)

// clang-format on

namespace tenon::inline TENON_ABI::jit {

/// The load that the instruction can do itself to get its second operand, given AVX (SSE wants
/// vectors aligned and may copy the first operand before); Limit: none.
constexpr IrOpcode LoadOfSecond(IrOpcode opcode) {
  switch (opcode) {
#define TENON_DETAIL_ROW(name, method) case IrOpcode::name:
    TENON_DETAIL_DIRECT_BINARY(TENON_DETAIL_ROW)
    return IrOpcode::V128Load;
    case IrOpcode::F32Add:
    case IrOpcode::F32Sub:
    case IrOpcode::F32Mul:
    case IrOpcode::F32Div:
      return IrOpcode::F32Load;
    case IrOpcode::F64Add:
    case IrOpcode::F64Sub:
    case IrOpcode::F64Mul:
    case IrOpcode::F64Div:
      return IrOpcode::F64Load;
#undef TENON_DETAIL_ROW
    default:
      return IrOpcode::Limit;
  }
}

/// Whether the vector instruction gives the same for its operands in either order.
constexpr bool CommutesLanes(IrOpcode opcode) {
  switch (opcode) {
    case IrOpcode::V128And:
    case IrOpcode::V128Or:
    case IrOpcode::V128Xor:
    case IrOpcode::I8x16Add:
    case IrOpcode::I16x8Add:
    case IrOpcode::I32x4Add:
    case IrOpcode::I64x2Add:
    case IrOpcode::I16x8Mul:
    case IrOpcode::I32x4Mul:
      return true;
    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
