// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each vector instruction computes, one function per row of TENON_OPCODES that has a v128 in
/// its signature, except v128.load, v128.store and v128.const, which compute nothing.
///
/// Conventions, beyond those of numeric.hpp:
/// - Operands come in the instruction's order, then its immediate: `ReplaceLane(v, scalar, lane)`.
///   Lane numbers are taken modulo the number of lanes, shuffle's modulo 32; valid modules have no
///   others.
/// - Scalars of f32 and f64 shapes (splat, extract, replace) are bits.
/// - Loads get the loaded bits instead of an address, lane stores return the bits to store.
/// - NaN results follow the scalar instructions; abs, neg, pmin and pmax return bits of an operand
///   untouched but for abs's and neg's sign.
#pragma once

#include <tenon/interp/simd_float.hpp>
#include <tenon/interp/simd_integer.hpp>
#include <tenon/interp/simd_lane.hpp>
