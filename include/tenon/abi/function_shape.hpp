// SPDX-License-Identifier: Apache-2.0
/// @file
/// A function type in one word, so that two can be compared without looking anything up.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::abi {

/// The types of parameters and results in four bits each, exactly; 0 for types that do not fit:
/// more than 14 values, or types other than those of WebAssembly 2.0.
constexpr std::uint64_t ShapeOf(const ValueType* parameters, std::size_t parameter_count,
                                const ValueType* results, std::size_t result_count) noexcept {
  constexpr ValueType kTypes[] = {ValueType::I32,      ValueType::I64,  ValueType::F32,
                                  ValueType::F64,      ValueType::V128, ValueType::FuncRef,
                                  ValueType::ExternRef};
  constexpr std::uint64_t kKnown = sizeof(kTypes) / sizeof(kTypes[0]);
  if (parameter_count > 14 || result_count > 14 - parameter_count) return 0;
  std::uint64_t shape = 1;
  const auto append = [&](ValueType type) {
    std::uint64_t code = 0;
    while (code < kKnown && !(kTypes[code] == type)) ++code;
    shape = shape << 4 | code;
    return code < kKnown;
  };
  for (std::size_t i = 0; i < parameter_count; ++i) {
    if (!append(parameters[i])) return 0;
  }
  shape = shape << 4 | 0xF;
  for (std::size_t i = 0; i < result_count; ++i) {
    if (!append(results[i])) return 0;
  }
  return shape;
}

}  // namespace tenon::inline TENON_ABI::abi
