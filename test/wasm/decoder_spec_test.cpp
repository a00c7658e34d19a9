// SPDX-License-Identifier: Apache-2.0
/// @file
/// The decoder on the modules of the specification's own tests.
#include <filesystem>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/wasm/decoder.hpp>

#include "module_bytes.hpp"
#include "spec_files.hpp"

namespace {

using namespace tenon::wasm;
using namespace tenon_test;
using tenon::ErrorText;

TEST_CASE("modules of the specification's tests decode", "[wasm][decoder][spec]") {
  const std::filesystem::path directory = SpecDirectory();
  if (directory.empty()) {
    WARN("no specification tests: set TENON_SPEC_DIR");
    return;
  }
  unsigned decoded = 0;
  for (const SpecModule& spec : FindSpecModules(directory / "core2")) {
    // Invalid modules are the validator's, and some of them are of a later version.
    if (spec.type == "assert_malformed" || spec.type == "assert_invalid") continue;
    const Bytes bytes = ReadBytes(spec.path);
    Module module;
    const Fault fault = Decode(bytes, {}, module);
    CAPTURE(spec.path, ErrorText(fault.code), fault.offset);
    REQUIRE(fault.IsNone());
    ++decoded;
  }
  CHECK(decoded >= 1400);
}

TEST_CASE("malformed modules of the specification's tests are refused", "[wasm][decoder][spec]") {
  const std::filesystem::path directory = SpecDirectory();
  if (directory.empty()) {
    WARN("no specification tests: set TENON_SPEC_DIR");
    return;
  }
  unsigned refused = 0;
  unsigned accepted = 0;
  for (const SpecModule& spec : FindSpecModules(directory / "core2")) {
    if (spec.type != "assert_malformed") continue;
    const Bytes bytes = ReadBytes(spec.path);
    Module module;
    if (!Decode(bytes, {}, module).IsNone()) {
      ++refused;
      continue;
    }
    // The fault is in a function body, which the validator reads.
    CAPTURE(spec.path, spec.text);
    CHECK_FALSE(module.bodies.empty());
    ++accepted;
  }
  CHECK(refused >= 684);
  CHECK(accepted <= 20);
}

}  // namespace
