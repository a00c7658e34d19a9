// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions on float lanes; conventions in simd.hpp.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/lanes.hpp>
#include <tenon/interp/numeric.hpp>

namespace tenon::inline TENON_ABI::interp {

// f32x4 comparisons

inline V128 F32x4Eq(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x == y; });
}
inline V128 F32x4Ne(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x != y; });
}
inline V128 F32x4Lt(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x < y; });
}
inline V128 F32x4Gt(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x > y; });
}
inline V128 F32x4Le(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x <= y; });
}
inline V128 F32x4Ge(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x >= y; });
}

// f32x4 arithmetic

inline V128 F32x4Abs(V128 v) { return detail::Map<std::uint32_t>(v, detail::Scalar<F32Abs>{}); }
inline V128 F32x4Neg(V128 v) { return detail::Map<std::uint32_t>(v, detail::Scalar<F32Neg>{}); }
inline V128 F32x4Ceil(V128 v) { return detail::Map<float>(v, detail::Scalar<F32Ceil>{}); }
inline V128 F32x4Floor(V128 v) { return detail::Map<float>(v, detail::Scalar<F32Floor>{}); }
inline V128 F32x4Trunc(V128 v) { return detail::Map<float>(v, detail::Scalar<F32Trunc>{}); }
inline V128 F32x4Nearest(V128 v) { return detail::Map<float>(v, detail::Scalar<F32Nearest>{}); }
inline V128 F32x4Sqrt(V128 v) { return detail::Map<float>(v, detail::Scalar<F32Sqrt>{}); }
inline V128 F32x4Add(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x + y; });
}
inline V128 F32x4Sub(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x - y; });
}
inline V128 F32x4Mul(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x * y; });
}
inline V128 F32x4Div(V128 a, V128 b) {
  return detail::Apply<float>(a, b, [](auto x, auto y) { return x / y; });
}
inline V128 F32x4Min(V128 a, V128 b) { return detail::Map<float>(a, b, detail::Scalar<F32Min>{}); }
inline V128 F32x4Max(V128 a, V128 b) { return detail::Map<float>(a, b, detail::Scalar<F32Max>{}); }
/// b < a ? b : a, in each lane; so a where either is a NaN or both are zeros.
inline V128 F32x4Pmin(V128 a, V128 b) { return detail::Choose(F32x4Lt(b, a), b, a); }
/// a < b ? b : a, in each lane; so a where either is a NaN or both are zeros.
inline V128 F32x4Pmax(V128 a, V128 b) { return detail::Choose(F32x4Lt(a, b), b, a); }

// f64x2 comparisons

inline V128 F64x2Eq(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x == y; });
}
inline V128 F64x2Ne(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x != y; });
}
inline V128 F64x2Lt(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x < y; });
}
inline V128 F64x2Gt(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x > y; });
}
inline V128 F64x2Le(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x <= y; });
}
inline V128 F64x2Ge(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x >= y; });
}

// f64x2 arithmetic

inline V128 F64x2Abs(V128 v) { return detail::Map<std::uint64_t>(v, detail::Scalar<F64Abs>{}); }
inline V128 F64x2Neg(V128 v) { return detail::Map<std::uint64_t>(v, detail::Scalar<F64Neg>{}); }
inline V128 F64x2Ceil(V128 v) { return detail::Map<double>(v, detail::Scalar<F64Ceil>{}); }
inline V128 F64x2Floor(V128 v) { return detail::Map<double>(v, detail::Scalar<F64Floor>{}); }
inline V128 F64x2Trunc(V128 v) { return detail::Map<double>(v, detail::Scalar<F64Trunc>{}); }
inline V128 F64x2Nearest(V128 v) { return detail::Map<double>(v, detail::Scalar<F64Nearest>{}); }
inline V128 F64x2Sqrt(V128 v) { return detail::Map<double>(v, detail::Scalar<F64Sqrt>{}); }
inline V128 F64x2Add(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x + y; });
}
inline V128 F64x2Sub(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x - y; });
}
inline V128 F64x2Mul(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x * y; });
}
inline V128 F64x2Div(V128 a, V128 b) {
  return detail::Apply<double>(a, b, [](auto x, auto y) { return x / y; });
}
inline V128 F64x2Min(V128 a, V128 b) { return detail::Map<double>(a, b, detail::Scalar<F64Min>{}); }
inline V128 F64x2Max(V128 a, V128 b) { return detail::Map<double>(a, b, detail::Scalar<F64Max>{}); }
/// b < a ? b : a, in each lane; so a where either is a NaN or both are zeros.
inline V128 F64x2Pmin(V128 a, V128 b) { return detail::Choose(F64x2Lt(b, a), b, a); }
/// a < b ? b : a, in each lane; so a where either is a NaN or both are zeros.
inline V128 F64x2Pmax(V128 a, V128 b) { return detail::Choose(F64x2Lt(a, b), b, a); }

// conversions

inline V128 I32x4TruncSatF32x4S(V128 v) {
  return detail::Convert<std::uint32_t, float>(v, 0, detail::Scalar<I32TruncSatF32S>{});
}
inline V128 I32x4TruncSatF32x4U(V128 v) {
  return detail::Convert<std::uint32_t, float>(v, 0, detail::Scalar<I32TruncSatF32U>{});
}
inline V128 I32x4TruncSatF64x2SZero(V128 v) {
  return detail::ConvertZero<std::uint32_t, double>(v, detail::Scalar<I32TruncSatF64S>{});
}
inline V128 I32x4TruncSatF64x2UZero(V128 v) {
  return detail::ConvertZero<std::uint32_t, double>(v, detail::Scalar<I32TruncSatF64U>{});
}
inline V128 F32x4ConvertI32x4S(V128 v) {
  return detail::Convert<float, std::uint32_t>(v, 0, detail::Scalar<F32ConvertI32S>{});
}
inline V128 F32x4ConvertI32x4U(V128 v) {
  return detail::Convert<float, std::uint32_t>(v, 0, detail::Scalar<F32ConvertI32U>{});
}
inline V128 F64x2ConvertLowI32x4S(V128 v) {
  return detail::Convert<double, std::uint32_t>(v, 0, detail::Scalar<F64ConvertI32S>{});
}
inline V128 F64x2ConvertLowI32x4U(V128 v) {
  return detail::Convert<double, std::uint32_t>(v, 0, detail::Scalar<F64ConvertI32U>{});
}
inline V128 F32x4DemoteF64x2Zero(V128 v) {
  return detail::ConvertZero<float, double>(v, detail::Scalar<F32DemoteF64>{});
}
inline V128 F64x2PromoteLowF32x4(V128 v) {
  return detail::Convert<double, float>(v, 0, detail::Scalar<F64PromoteF32>{});
}

}  // namespace tenon::inline TENON_ABI::interp
