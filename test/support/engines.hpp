// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs a test on every engine that this machine can run.
#pragma once

#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/runtime.hpp>

namespace tenon_test {

/// Calls `body(config)` with a configuration for each engine.
template <class Body>
void OnEachEngine(Body body) {
  std::vector<tenon::EngineKind> engines{tenon::EngineKind::Interpreter};
  if (tenon::Runtime{}.EngineName() == "jit") engines.push_back(tenon::EngineKind::Jit);
  for (const tenon::EngineKind engine : engines) {
    INFO((engine == tenon::EngineKind::Jit ? "engine: jit" : "engine: interpreter"));
    body(tenon::RuntimeConfig{}.WithEngine(engine));
  }
}

}  // namespace tenon_test
