// SPDX-License-Identifier: Apache-2.0
// Runs a program of WASI as wasi_run does, with one difference: the directory that it sees as /data
// is a file system in memory, which begins as a copy of a directory of the host's and is copied
// back when the program has ended.
//
// usage: run_in_memory --engine=interpreter|auto --env=NAME=VALUE --dir=HOST:/data MODULE
// [ARGUMENT...]

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

namespace {

namespace fs = std::filesystem;
using tenon::wasi::MemoryFileSystem;

/// What follows a name at the beginning of an option.
std::string ValueOf(const char* option, std::string_view name) {
  const std::string_view text = option;
  if (!text.starts_with(name)) throw std::runtime_error{std::string{"no option "} + option};
  return std::string{text.substr(name.size())};
}

void CopyIn(const fs::path& from, MemoryFileSystem& to) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{from}) {
    if (!entry.is_regular_file()) throw std::runtime_error{"only files can be copied"};
    const std::vector<std::uint8_t> bytes = tenon::ReadFile(entry.path());
    to.WriteFile(fs::relative(entry.path(), from).string(),
                 {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
}

void CopyOut(MemoryFileSystem& from, const std::string& name, const fs::path& to) {
  tenon::wasi::OpenOptions options;
  options.directory = true;
  const auto folder = from.Open(name, options);
  if (!folder) throw std::runtime_error{"no directory " + name};
  const auto entries = (*folder)->ReadDirectory();
  if (!entries) throw std::runtime_error{"cannot read directory " + name};
  fs::create_directories(to);
  for (const tenon::wasi::DirectoryEntry& entry : *entries) {
    if (entry.name == "." || entry.name == "..") continue;
    const std::string path = name + "/" + entry.name;
    if (entry.type == tenon::wasi::FileType::Directory) {
      CopyOut(from, path, to / entry.name);
    } else {
      const auto contents = from.ReadFile(path);
      if (!contents) throw std::runtime_error{"cannot read " + path};
      std::ofstream{to / entry.name, std::ios::binary} << *contents;
    }
  }
}

int Run(int argc, char** argv) {
  if (argc < 5) throw std::runtime_error{"too few arguments"};
  tenon::RuntimeConfig runtime_config;
  if (ValueOf(argv[1], "--engine=") == "interpreter") {
    runtime_config = runtime_config.WithEngine(tenon::EngineKind::Interpreter);
  }
  const std::string variable = ValueOf(argv[2], "--env=");
  const std::size_t equals = variable.find('=');
  std::string host = ValueOf(argv[3], "--dir=");
  host.resize(host.rfind(":/data"));

  const auto files = std::make_shared<MemoryFileSystem>(MemoryFileSystem::kDefaultLimit, [] {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds{std::chrono::system_clock::now().time_since_epoch()}.count());
  });
  CopyIn(host, *files);
  const tenon::Runtime runtime{runtime_config};
  tenon::wasi::Instantiate(runtime);
  const tenon::CompiledModule program = runtime.CompileModule(tenon::ReadFile(argv[4]));
  std::vector<std::string> arguments(argv + 4, argv + argc);
  arguments[0] = fs::path{arguments[0]}.filename().string();
  const auto config = tenon::ModuleConfig{}.WithName("").WithSystem(
      tenon::SystemConfig{}
          .WithInheritedStdio()
          .WithSystemClocks()
          .WithSystemRandom()
          .WithArgs(std::move(arguments))
          .WithEnv(variable.substr(0, equals), variable.substr(equals + 1))
          .WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/data")));
  int code = 0;
  try {
    runtime.InstantiateModule(program, config);
  } catch (const tenon::ExitError& exit) {
    code = static_cast<int>(exit.ExitCode());
  } catch (const tenon::Trap& trap) {
    std::fprintf(stderr, "run_in_memory: %s\n", trap.what());
    code = 1;
  }
  fs::remove_all(host);
  CopyOut(*files, ".", host);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "run_in_memory: %s\n", error.what());
    return 2;
  }
}
