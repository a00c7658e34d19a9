// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds the modules of the specification's test data.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace tenon_test {

/// The folder with the test data: $TENON_SPEC_DIR, else ../shared/spec beside the sources. Empty if
/// there is none.
inline std::filesystem::path SpecDirectory() {
  std::vector<std::filesystem::path> candidates;
  if (const char* directory = std::getenv("TENON_SPEC_DIR")) candidates.emplace_back(directory);
#if defined(TENON_SOURCE_DIR)
  candidates.push_back(std::filesystem::path{TENON_SOURCE_DIR} / ".." / "shared" / "spec");
#endif
  candidates.push_back(std::filesystem::path{".."} / "shared" / "spec");
  for (const std::filesystem::path& candidate : candidates) {
    if (std::filesystem::is_directory(candidate / "core2")) return candidate;
  }
  return {};
}

/// A command of a script that has a binary module.
struct SpecModule {
  std::string type;  ///< such as "module" or "assert_malformed"
  std::string text;  ///< what the reference interpreter says; may be empty
  std::filesystem::path path;
};

/// The value of a string member in a line of a script; "" if it has none.
inline std::string Member(std::string_view line, std::string_view name) {
  const std::string key = '"' + std::string{name} + "\": \"";
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  return std::string{line.substr(begin, line.find('"', begin) - begin)};
}

/// All binary modules of a group of scripts, such as "core2". Scripts have one command a line.
inline std::vector<SpecModule> FindSpecModules(const std::filesystem::path& group) {
  std::vector<SpecModule> found;
  for (const auto& entry : std::filesystem::directory_iterator{group}) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream script{entry.path()};
    for (std::string line; std::getline(script, line);) {
      const std::string file = Member(line, "filename");
      if (!file.ends_with(".wasm")) continue;
      found.push_back({Member(line, "type"), Member(line, "text"), group / file});
    }
  }
  return found;
}

inline std::vector<std::uint8_t> ReadBytes(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace tenon_test
