// SPDX-License-Identifier: Apache-2.0
/// @file
/// What generated modules can import: host functions, and a module of guest code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/module_builder.hpp>

namespace differential {

using Bytes = std::vector<std::uint8_t>;

/// What generated modules may use.
inline constexpr tenon::CoreFeatures kFeatures = tenon::CoreFeatures::V2()
                                                     .SetEnabled(tenon::Feature::Memory64, true)
                                                     .SetEnabled(tenon::Feature::Threads, true);

struct Signature {
  std::vector<tenon::ValueType> parameters;
  std::vector<tenon::ValueType> results;

  friend bool operator==(const Signature&, const Signature&) = default;
};

/// Something of module `host` or `env` that can be imported.
struct ImportableFunction {
  std::string module;
  std::string name;
  Signature type;
};
struct ImportableGlobal {
  std::string name;
  tenon::wasm::GlobalType type;
};

/// Functions of `host` (in the order in which their calls are logged), then those of `env`.
const std::vector<ImportableFunction>& ImportableFunctions();
const std::vector<ImportableGlobal>& ImportableGlobals();

/// Sizes of what `env` exports as "memory", "functions" (funcref) and "values" (externref).
inline constexpr std::uint32_t kEnvMemoryPages = 2, kEnvMemoryLimit = 4;
inline constexpr std::uint32_t kEnvTableSize = 10, kEnvTableLimit = 20;

/// Module `env`: memory, tables, globals of all types, and functions that use them and the host.
const Bytes& EnvironmentModule();

}  // namespace differential
