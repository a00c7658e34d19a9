// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector loads and stores.
#pragma once

#include <cassert>
#include <cstdint>

#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL std::uint32_t EmitVectorMemory(Xbyak::CodeGenerator& out, ConstantPool& constants,
                                          CpuFeatures cpu, wasm::Opcode opcode,
                                          const Xbyak::Address& address,
                                          const VectorOperands& operands) {
  using enum wasm::Opcode;
  detail::DualEmitter e{out, constants, cpu};
  const Xbyak::Xmm d = detail::VectorOf(operands.result);
  const Xbyak::Xmm a = detail::VectorOf(operands.operands[0]);
  const Xbyak::Xmm& s = e.scratch;
  const auto lane = static_cast<std::uint8_t>(operands.lane);
  auto access = static_cast<std::uint32_t>(out.getSize());
  switch (opcode) {
    case V128Load:
      e.avx ? out.vmovups(d, address) : out.movups(d, address);
      break;
    case V128Store:
      e.avx ? out.vmovups(address, a) : out.movups(address, a);
      break;
    case V128Load8x8S:
      e.Pmovsxbw(d, address);
      break;
    case V128Load8x8U:
      e.Pmovzxbw(d, address);
      break;
    case V128Load16x4S:
      e.Pmovsxwd(d, address);
      break;
    case V128Load16x4U:
      e.Pmovzxwd(d, address);
      break;
    case V128Load32x2S:
      e.Pmovsxdq(d, address);
      break;
    case V128Load32x2U:
      e.Pmovzxdq(d, address);
      break;

    case V128Load8Splat:
      if (e.avx2) {
        out.vpbroadcastb(d, address);
      } else {
        e.Clear(s);
        if (!e.avx) e.Move(d, s);
        access = static_cast<std::uint32_t>(out.getSize());
        e.Pinsrb(d, e.avx ? s : d, address, 0);
        e.Pshufb(d, d, s);
      }
      break;
    case V128Load16Splat:
      if (e.avx2) {
        out.vpbroadcastw(d, address);
      } else {
        // Cleared only so that the result does not depend on what was there before.
        e.Clear(d);
        access = static_cast<std::uint32_t>(out.getSize());
        e.Pinsrw(d, d, address, 0);
        e.Pshuflw(d, d, 0);
        e.Pshufd(d, d, 0);
      }
      break;
    case V128Load32Splat:
      if (e.avx) {
        out.vbroadcastss(d, address);
      } else {
        out.movss(d, address);
        out.shufps(d, d, 0);
      }
      break;
    case V128Load64Splat:
      e.Movddup(d, address);
      break;
    case V128Load32Zero:
      e.avx ? out.vmovss(d, address) : out.movss(d, address);
      break;
    case V128Load64Zero:
      e.avx ? out.vmovsd(d, address) : out.movsd(d, address);
      break;

    // Without AVX the operand is in the result's register, so that these are one instruction.
    case V128Load8Lane:
      e.Pinsrb(d, a, address, lane);
      break;
    case V128Load16Lane:
      e.Pinsrw(d, a, address, lane);
      break;
    case V128Load32Lane:
      e.Pinsrd(d, a, address, lane);
      break;
    case V128Load64Lane:
      e.Pinsrq(d, a, address, lane);
      break;
    case V128Store8Lane:
      e.Pextrb(address, a, lane);
      break;
    case V128Store16Lane:
      e.Pextrw(address, a, lane);
      break;
    case V128Store32Lane:
      if (lane == 0) {
        e.avx ? out.vmovss(address, a) : out.movss(address, a);
      } else {
        e.Pextrd(address, a, lane);
      }
      break;
    case V128Store64Lane:
      if (lane == 0) {
        e.avx ? out.vmovsd(address, a) : out.movsd(address, a);
      } else {
        e.avx ? out.vmovhps(address, a) : out.movhps(address, a);
      }
      break;
    default:
      assert(false && "not a vector access");
      break;
  }
  return access;
}

}  // namespace tenon::inline TENON_ABI::jit
