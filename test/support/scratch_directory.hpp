// SPDX-License-Identifier: Apache-2.0
/// @file
/// A directory that goes with the test that made it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace tenon_test {

/// In memory where the system has a file system there, as tests write far more than they keep.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* const base = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    path_ = std::string{base} + "/tenon-test-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"mkdtemp: " + path_};
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& Path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  /// Paths of all files below it whose names end so.
  std::vector<std::string> Files(const std::string& suffix) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{path_}) {
      const std::string name = entry.path().string();
      if (entry.is_regular_file() && name.ends_with(suffix)) files.push_back(name);
    }
    return files;
  }

 private:
  std::string path_;
};

inline std::vector<std::uint8_t> ReadBytes(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

/// Replaces a file, as an attacker would: in place.
inline void WriteBytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace tenon_test
