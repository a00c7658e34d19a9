// SPDX-License-Identifier: Apache-2.0
// Works on the directory /data and says what it sees, by the C++ library as Debian has it for WASI:
// without exceptions, file streams and the directories of std::filesystem.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace {

/// Made before main begins, gone after it ends.
struct Witness {
  Witness() { std::cout << "constructed\n"; }
  ~Witness() { std::cout << "destroyed" << std::endl; }
};
const Witness kWitness;

struct Shape {
  virtual ~Shape() = default;
  virtual std::string Name() const = 0;
};
struct Circle : Shape {
  std::string Name() const override { return "circle"; }
};
struct Square : Shape {
  std::string Name() const override { return "square"; }
};

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(DIR* folder) const { closedir(folder); }
};

std::string ReadFile(const std::filesystem::path& path) {
  std::string text;
  const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "rb")};
  if (file == nullptr) return "(" + std::string{std::strerror(errno)} + ")";
  char part[7];
  while (const std::size_t count = std::fread(part, 1, sizeof part, file.get())) {
    text.append(part, count);
  }
  return text;
}

void WriteFile(const std::filesystem::path& path, std::string_view text) {
  const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "wb")};
  if (file == nullptr || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) {
    std::cerr << "cannot write " << path << ": " << std::strerror(errno) << '\n';
    std::exit(90);
  }
}

std::string CountWords(const std::string& text) {
  std::istringstream input{text};
  std::map<std::string, int> counts;
  for (std::string word; input >> word;) ++counts[word];
  std::ostringstream output;
  for (const auto& [word, count] : counts) output << std::setw(6) << word << ' ' << count << '\n';
  return output.str();
}

void Walk(const std::filesystem::path& path, std::vector<std::filesystem::path>& found) {
  const std::unique_ptr<DIR, Close> folder{opendir(path.c_str())};
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    found.push_back(path / name);
    if (entry->d_type == DT_DIR) Walk(path / name, found);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path data = "/data";
  mkdir("/data/made", 0777);
  WriteFile(data / "made" / "counts.txt", CountWords(ReadFile(data / "input.txt")));
  for (int i = 0; i < 300; ++i) WriteFile(data / "made" / ("file" + std::to_string(i)), "x");
  std::vector<std::filesystem::path> found;
  Walk(data, found);
  std::sort(found.begin(), found.end());
  std::cout << "found " << found.size() << ", last " << found.back().filename().string() << '\n';
  std::cout << ReadFile(data / "made" / "counts.txt");
  std::cout << "outside " << ReadFile(data / ".." / "secret.txt") << '\n';

  std::vector<std::unique_ptr<Shape>> shapes;
  shapes.push_back(std::make_unique<Circle>());
  shapes.push_back(std::make_unique<Square>());
  for (const auto& shape : shapes) std::cout << shape->Name() << '\n';
  std::cout << std::boolalpha;
  std::cout << "square " << (dynamic_cast<Square*>(shapes[1].get()) != nullptr) << '\n';
  std::random_device device;
  std::cout << "random " << (device() != device() || device() != device()) << '\n';
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::cout << "after 2020 " << (now > std::chrono::seconds{1'577'836'800}) << '\n';
  const volatile std::size_t much = 0xF000'0000u;
  std::cout << "no more memory " << (operator new(much, std::nothrow) == nullptr) << '\n';
  double sum = 0;
  for (double number; std::cin >> number;) sum += number;
  std::cout << "sum " << std::setprecision(17) << sum << '\n';
  return argc > 1 ? std::atoi(argv[1]) : 0;
}
