// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs the programs of WebAssembly/wasi-testsuite as their specifications say.
///
/// usage: wasi_suite --suite=FOLDER [--engine=interpreter|jit] [--files=openat2|walk|memory]
///        [PROGRAM...]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/json.hpp"

namespace {

namespace fs = std::filesystem;
using support::Json;

/// What is known to be there; a folder that lost programs must not pass.
constexpr std::size_t kProgramCount = 72;

struct Options {
  fs::path suite;
  tenon::EngineKind engine = tenon::EngineKind::Interpreter;
  std::string files = "openat2";
  std::vector<std::string> programs;
};

std::string Slurp(const fs::path& path) {
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(path.string());
  return std::string(bytes.begin(), bytes.end());
}

/// A folder that is removed again.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tenon-wasi-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a folder"};
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& Path() const { return path_; }

 private:
  fs::path path_;
};

/// Copies what a test may change: with permissions of its own, whatever the original has.
void CopyTree(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  fs::permissions(to, fs::perms::owner_all);
  for (const fs::directory_entry& entry : fs::directory_iterator{from}) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_directory()) {
      CopyTree(entry.path(), target);
    } else {
      fs::copy_file(entry.path(), target);
      fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write);
    }
  }
}

void CopyTree(const fs::path& from, tenon::wasi::MemoryFileSystem& to, const std::string& prefix) {
  for (const fs::directory_entry& entry : fs::directory_iterator{from}) {
    const std::string target = prefix + entry.path().filename().string();
    const tenon::wasi::Errno error =
        entry.is_directory() ? to.MakeDirectory(target) : to.WriteFile(target, Slurp(entry.path()));
    if (error != tenon::wasi::Errno::Success) throw std::runtime_error{"cannot copy " + target};
    if (entry.is_directory()) CopyTree(entry.path(), to, target + "/");
  }
}

tenon::FSConfig Mount(const Options& options, const fs::path& root, const fs::path& copy) {
  if (options.files == "memory") {
    const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
    CopyTree(root, *files, "");
    return tenon::FSConfig{}.WithFSMount(files, "/");
  }
  CopyTree(root, copy);
  fs::create_directories(copy / "writeable");
  if (options.files == "openat2") return tenon::FSConfig{}.WithDirMount(copy.string(), "/");
  const auto directory =
      tenon::HostDescriptor::Own(open(copy.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return tenon::FSConfig{}.WithFSMount(
      std::make_shared<tenon::wasi::HostDirectory>(directory, tenon::wasi::PathResolution::Walk),
      "/");
}

/// What is wrong, if anything.
std::string Run(const Options& options, const fs::path& program) {
  fs::path specification_path = program;
  specification_path.replace_extension(".json");
  const Json specification =
      Json::Parse(fs::exists(specification_path) ? Slurp(specification_path) : std::string{"{}"});
  const TemporaryFolder folder;

  std::string out;
  std::string err;
  tenon::ModuleConfig config = tenon::ModuleConfig{}.WithName("").WithStartFunctions({}).WithSystem(
      tenon::SystemConfig{}.WithSystemClocks().WithSystemRandom().WithStdout(out).WithStderr(err));
  std::vector<std::string> args = {program.filename().string()};
  if (const Json* given = specification.Find("args")) {
    for (const Json& arg : given->Items()) args.push_back(arg.Text());
  }
  config = config.WithArgs(args);
  if (const Json* environment = specification.Find("env")) {
    for (const auto& [key, value] : environment->Members()) {
      config = config.WithEnv(key, value.Text());
    }
  }
  if (const Json* root = specification.Find("root")) {
    config = config.WithFSConfig(
        Mount(options, program.parent_path() / root->Text(), folder.Path() / "root"));
  }
  const Json* const expected_code = specification.Find("exit_code");
  const auto expected = expected_code == nullptr ? 0u : expected_code->As<std::uint32_t>();

  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithEngine(options.engine).WithCloseOnContextDone(true)};
  tenon::wasi::Instantiate(runtime);
  std::uint32_t code = 0;
  try {
    const tenon::Module module =
        runtime.InstantiateModule(runtime.CompileModule(tenon::ReadFile(program.string())), config);
    module.ExportedFunction<void()>("_start")(
        tenon::CallContext{}.WithTimeout(std::chrono::seconds{60}));
  } catch (const tenon::ExitError& exit) {
    code = exit.ExitCode();
  } catch (const std::exception& error) {
    return std::string{error.what()} + "\n" + err;
  }
  if (code != expected) {
    return "exit code " + std::to_string(code) + " instead of " + std::to_string(expected) + "\n" +
           err;
  }
  const Json* const expected_out = specification.Find("stdout");
  if (expected_out != nullptr && out != expected_out->Text()) {
    return "output \"" + out + "\" instead of \"" + expected_out->Text() + "\"";
  }
  return {};
}

bool Read(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--suite=")) {
      options.suite = argument.substr(8);
    } else if (argument == "--engine=jit") {
      options.engine = tenon::EngineKind::Jit;
    } else if (argument == "--engine=interpreter") {
      options.engine = tenon::EngineKind::Interpreter;
    } else if (argument == "--files=openat2" || argument == "--files=walk" ||
               argument == "--files=memory") {
      options.files = argument.substr(8);
    } else if (argument.starts_with("--")) {
      return false;
    } else {
      options.programs.emplace_back(argument);
    }
  }
  return !options.suite.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Read(argc, argv, options)) {
    std::fprintf(stderr, "usage: wasi_suite --suite=FOLDER [--engine=ENGINE] [--files=KIND]\n");
    return 2;
  }
  std::vector<fs::path> programs;
  for (const char* folder : {"c", "rust", "assemblyscript"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator{options.suite / folder}) {
      if (entry.path().extension() == ".wasm") programs.push_back(entry.path());
    }
  }
  std::ranges::sort(programs);
  std::size_t passed = 0;
  std::size_t failed = programs.size() == kProgramCount ? 0 : 1;
  for (const fs::path& program : programs) {
    const std::string name = program.stem().string();
    if (!options.programs.empty() &&
        std::ranges::find(options.programs, name) == options.programs.end()) {
      continue;
    }
    std::string fault;
    try {
      fault = Run(options, program);
    } catch (const std::exception& error) {
      fault = error.what();
    }
    if (fault.empty()) {
      ++passed;
    } else {
      ++failed;
      std::printf("%s: %s\n", name.c_str(), fault.c_str());
    }
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
