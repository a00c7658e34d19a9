// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs a test on every engine that this machine can run.
#pragma once

#include <vector>

#include <catch2/catch.hpp>

#include <tenon/core_features.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/runtime.hpp>
#include <tenon/runtime_config.hpp>
#include <tenon/signal_handlers.hpp>

namespace tenon_test {

/// A runtime of one engine: the test case that asks for it runs once for each. Where the compiler
/// is not available, the second time is the first again.
inline tenon::Runtime MakeRuntime(const tenon::RuntimeConfig& config = {}) {
  const auto engine = GENERATE(tenon::EngineKind::Interpreter, tenon::EngineKind::Auto);
  return tenon::Runtime{config.WithEngine(engine)};
}

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

/// The same, and where there is a compiler also with checks in place of guard pages and without
/// extensions of the processor.
template <class Body>
void OnEachVariant(tenon::CoreFeatures features, Body body) {
  OnEachEngine([&](const tenon::RuntimeConfig& engine) {
    const tenon::RuntimeConfig config = engine.WithCoreFeatures(features);
    body(config);
    if (config.Engine() == tenon::EngineKind::Interpreter) return;
    INFO("explicit checks, least processor");
    body(config.WithSignalHandlers(tenon::SignalHandlers::None)
             .WithCpuFeatures(tenon::CpuFeatures::Floor()));
  });
}

}  // namespace tenon_test
