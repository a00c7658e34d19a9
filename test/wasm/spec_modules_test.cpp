// SPDX-License-Identifier: Apache-2.0
/// @file
/// Decoder and validator against the modules of the official test suite.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/interp/side_table.hpp>
#include <tenon/wasm/fault.hpp>

#include "../support/json.hpp"
#include "../support/validated_module.hpp"

using tenon::wasm::Fault;
using tenon_test::ValidatedModule;

namespace {

/// Folder of the scripts for WebAssembly 2.0: in $TENON_SPEC_DIR, else in shared/spec beside the
/// working directory or one of its parents. Empty if there is none.
std::filesystem::path SpecFolder() {
  if (const char* const given = std::getenv("TENON_SPEC_DIR"); given != nullptr) {
    return std::filesystem::path{given} / "core2";
  }
  std::filesystem::path folder = std::filesystem::current_path();
  while (true) {
    const std::filesystem::path found = folder / "shared" / "spec" / "core2";
    if (std::filesystem::is_directory(found)) return found;
    if (folder == folder.parent_path()) return {};
    folder = folder.parent_path();
  }
}

std::vector<std::uint8_t> ReadBytes(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

struct SpecModule {
  std::string place;  ///< script and line
  bool is_valid = false;
  std::vector<std::uint8_t> bytes;
};

/// The binary modules of all scripts.
std::vector<SpecModule> ReadModules(const std::filesystem::path& folder) {
  std::vector<SpecModule> modules;
  for (const auto& file : std::filesystem::directory_iterator{folder}) {
    if (file.path().extension() != ".json") continue;
    const std::vector<std::uint8_t> text = ReadBytes(file.path());
    const support::Json script = support::Json::Parse(std::string{text.begin(), text.end()});
    for (const support::Json& command : script.At("commands").Items()) {
      const support::Json* const name = command.Find("filename");
      const support::Json* const form = command.Find("module_type");
      if (name == nullptr || (form != nullptr && form->Text() != "binary")) continue;
      const std::string& type = command.At("type").Text();
      modules.push_back({file.path().filename().string() + ":" + command.At("line").Text(),
                         type != "assert_invalid" && type != "assert_malformed",
                         ReadBytes(folder / name->Text())});
    }
  }
  return modules;
}

}  // namespace

TEST_CASE("modules of the test suite are accepted or refused as it says") {
  const std::filesystem::path folder = SpecFolder();
  if (folder.empty() || !std::filesystem::is_directory(folder)) {
    WARN("skipped: no spec scripts; set TENON_SPEC_DIR");
    return;
  }
  const std::vector<SpecModule> modules = ReadModules(folder);
  CHECK(modules.size() > 4000);
  for (const SpecModule& module : modules) {
    const ValidatedModule checked{module.bytes};
    INFO(module.place << ": " << checked.Text());
    CHECK(checked.fault.IsNone() == module.is_valid);
    if (!checked.are_declarations_valid) continue;
    tenon::interp::SideTable table;
    const Fault fault = BuildSideTable(checked.context, table);
    CHECK(fault.code == checked.fault.code);
    CHECK(fault.offset == checked.fault.offset);
  }
}

TEST_CASE("damaged modules give a fault with a place, or a valid module") {
  const std::filesystem::path folder = SpecFolder();
  if (folder.empty() || !std::filesystem::is_directory(folder)) {
    WARN("skipped: no spec scripts; set TENON_SPEC_DIR");
    return;
  }
  constexpr int kRounds = 20;
  constexpr std::size_t kLargest = 20'000;
  std::mt19937 random{20220419};
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  for (const SpecModule& module : ReadModules(folder)) {
    if (module.bytes.size() < 9 || module.bytes.size() > kLargest) continue;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<std::uint8_t> bytes = module.bytes;
      const std::size_t changes = 1 + below(3);
      for (std::size_t i = 0; i < changes; ++i) {
        std::uint8_t& byte = bytes[8 + below(bytes.size() - 8)];
        byte = below(2) == 0 ? static_cast<std::uint8_t>(random())
                             : static_cast<std::uint8_t>(byte ^ (1u << below(8)));
      }
      const ValidatedModule checked{bytes};
      INFO(module.place << ", round " << round << ": " << checked.Text());
      if (checked.fault.offset > bytes.size()) FAIL("the fault is outside the module");
      if (!checked.are_declarations_valid) continue;
      tenon::interp::SideTable table;
      const Fault fault = BuildSideTable(checked.context, table);
      if (fault.code != checked.fault.code) FAIL("the sink changed the outcome");
    }
  }
}
