// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs a test on every engine.
#pragma once

#include <catch2/catch.hpp>

#include <tenon/runtime.hpp>
#include <tenon/runtime_config.hpp>

namespace tenon_test {

/// A runtime of one engine: the test case that asks for it runs once for each. Where the compiler
/// is not available, the second time is the first again.
inline tenon::Runtime MakeRuntime(const tenon::RuntimeConfig& config = {}) {
  const auto engine = GENERATE(tenon::EngineKind::Interpreter, tenon::EngineKind::Auto);
  return tenon::Runtime{config.WithEngine(engine)};
}

}  // namespace tenon_test
