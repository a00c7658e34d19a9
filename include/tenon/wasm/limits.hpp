// SPDX-License-Identifier: Apache-2.0
/// @file
/// Implementation limits: how large the parts of a module may be.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// The limits of the WebAssembly JavaScript Interface (section "Implementation-defined Limits"), so
/// that what runs in browsers is accepted here. Counts include imports. A module that exceeds one
/// faults with LimitExceeded, which names it; exactly the limit is accepted.
struct ImplementationLimits {
  std::uint32_t module_size = 1'073'741'824;  ///< bytes
  std::uint32_t types = 1'000'000;
  std::uint32_t functions = 1'000'000;
  std::uint32_t imports = 1'000'000;
  std::uint32_t exports = 1'000'000;
  std::uint32_t globals = 1'000'000;
  std::uint32_t tables = 100'000;
  std::uint32_t memories = 100;  ///< WebAssembly 2.0 allows one (MultipleMemories)
  std::uint32_t element_segments = 10'000'000;
  std::uint32_t element_segment_items = 10'000'000;  ///< of one segment
  std::uint32_t data_segments = 100'000;
  std::uint32_t parameters = 1'000;           ///< of one function type
  std::uint32_t results = 1'000;              ///< of one function type
  std::uint32_t function_body = 7'654'321;    ///< bytes, with the declarations of locals
  std::uint32_t locals = 50'000;              ///< of one function, with its parameters
  std::uint32_t table_elements = 10'000'000;  ///< of one table; applies when it is made or grown
  std::uint32_t memory_pages = 65'536;        ///< of one memory
  std::uint32_t memory64_pages = 262'144;     ///< of one with 64-bit addresses, when made or grown

  friend constexpr bool operator==(const ImplementationLimits&,
                                   const ImplementationLimits&) = default;
};

}  // namespace tenon::inline TENON_ABI::wasm
