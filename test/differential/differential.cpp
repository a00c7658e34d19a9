// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs random modules on two engines and compares everything that can be seen.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "comparison.hpp"

namespace {

using differential::Bytes;
using differential::Comparison;
using differential::Mismatch;

constexpr const char* kHelp = R"(usage: differential [OPTION...] [FILE.wasm...]

Runs the same modules on two engines and compares results, traps, memories, globals, tables and
calls of host functions. Without files it makes random modules. Ends with `N modules, N executions,
N mismatches`; the exit status is 1 if there were mismatches, 2 if the arguments are wrong, 77 if an
engine or wasm-opt is not there.

  --seeds=A..B        modules to make: B is the first that is not (default 1..1001). Files are
                      called with the arguments of seed A, to repeat what a report tells
  --profile=NAME      of all modules, instead of one that follows from the seed: mixed, numeric,
                      simd, memory, calls, tables, pressure, nested, straight,
                      huge (only if asked for)
  --engine-a=SETUP    interpreter or jit, with any of these behind it, after commas:
  --engine-b=SETUP      guarded or checked  memories with guard pages, or moving without them
                        native or floor     this processor, or SSE4.1 alone
                        plant=NAME:NAME     compiles one instruction as another, to see it found
                      (default a: interpreter; b: jit)
  --memory=STYLE      guarded or checked, for both engines
  --cpu=LEVEL         native or floor, for both engines
  --backtraces        compares where traps were, too
  --ttf[=COMMAND]     a second source: lets `wasm-opt -ttf` (or COMMAND) make the modules
  --time=SECONDS      stops after that time
  --dump=FOLDER       writes the modules of mismatches and reports to FOLDER
  --no-reduce         does not look for smaller modules
  --stop-after=N      ends after N mismatches (default 10)
  --timeout=SECONDS   for one module (default 60); what crashes or hangs is left in
                      differential-crash.wasm in the folder of --dump, or the current one
)";

struct Arguments {
  std::uint64_t first = 1, last = 1001;
  std::optional<differential::Profile> profile;
  std::string a = "interpreter", b = "jit";
  std::string memory, cpu;
  bool compares_backtraces = false;
  std::optional<std::string> ttf;
  double seconds = 0;
  std::string dump;
  bool reduces = true;
  std::uint64_t stop_after = 10;
  unsigned timeout = 60;
  std::vector<std::string> files;
};

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string name = argument.substr(0, equals);
    const std::string value = argument.substr(std::min(equals + 1, argument.size()));
    if (name == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (name == "--seeds") {
      const std::size_t dots = value.find("..");
      if (dots == std::string::npos) throw Usage{"--seeds=A..B"};
      arguments.first = std::stoull(value.substr(0, dots));
      arguments.last = std::stoull(value.substr(dots + 2));
    } else if (name == "--profile") {
      arguments.profile = differential::FindProfile(value);
      if (!arguments.profile) throw Usage{"no profile " + value};
    } else if (name == "--engine-a") {
      arguments.a = value;
    } else if (name == "--engine-b") {
      arguments.b = value;
    } else if (name == "--memory") {
      arguments.memory = "," + value;
    } else if (name == "--cpu") {
      arguments.cpu = "," + value;
    } else if (name == "--backtraces") {
      arguments.compares_backtraces = true;
    } else if (name == "--ttf") {
      arguments.ttf = value.empty() ? "wasm-opt" : value;
    } else if (name == "--time") {
      arguments.seconds = std::stod(value);
    } else if (name == "--dump") {
      arguments.dump = value;
    } else if (name == "--no-reduce") {
      arguments.reduces = false;
    } else if (name == "--stop-after") {
      arguments.stop_after = std::stoull(value);
    } else if (name == "--timeout") {
      arguments.timeout = static_cast<unsigned>(std::stoul(value));
    } else if (name.starts_with("--")) {
      throw Usage{"unknown option " + name};
    } else {
      arguments.files.push_back(argument);
    }
  }
  return arguments;
}

differential::Configuration SetupOf(const std::string& text) {
  const std::optional<differential::Configuration> found = differential::ParseConfiguration(text);
  if (!found) throw Usage{"not a set-up of an engine: " + text};
  return *found;
}

Bytes ReadFile(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return Bytes{std::istreambuf_iterator<char>{file}, {}};
}

void WriteFile(const std::string& path, const void* bytes, std::size_t size) {
  std::ofstream{path, std::ios::binary}.write(static_cast<const char*>(bytes),
                                              static_cast<std::streamsize>(size));
}

/// Where `wasm-opt -ttf` makes a module from random bytes.
class ModuleSource {
 public:
  explicit ModuleSource(std::string command) : command_{std::move(command)} {
    char folder[] = "/tmp/differential-XXXXXX";
    if (mkdtemp(folder) == nullptr) throw std::runtime_error{"no temporary folder"};
    folder_ = folder;
  }
  ~ModuleSource() { std::filesystem::remove_all(folder_); }
  ModuleSource(const ModuleSource&) = delete;
  ModuleSource& operator=(const ModuleSource&) = delete;

  bool IsThere() const {
    return std::system(("command -v " + command_ + " >/dev/null 2>&1").c_str()) == 0;
  }

  /// Empty if it made none.
  Bytes Make(std::uint64_t seed) const {
    differential::Random random{seed};
    std::string bytes(200 + random.Below(4000), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
    WriteFile(folder_ + "/random", bytes.data(), bytes.size());
    std::filesystem::remove(folder_ + "/module.wasm");
    const std::string line =
        command_ + " " + folder_ + "/random -ttf --enable-mutable-globals --enable-sign-ext" +
        " --enable-nontrapping-float-to-int --enable-multivalue --enable-bulk-memory" +
        " --enable-simd -o " + folder_ + "/module.wasm >/dev/null 2>&1";
    return std::system(line.c_str()) == 0 ? ReadFile(folder_ + "/module.wasm") : Bytes{};
  }

 private:
  std::string command_;
  std::string folder_;
};

class Runner {
 public:
  Runner(const Arguments& arguments, Comparison& comparison)
      : arguments_{arguments}, comparison_{comparison} {}

  void Run() {
    if (!arguments_.files.empty()) {
      for (const std::string& file : arguments_.files) {
        Take(comparison_.RunModule(ReadFile(file), file, arguments_.first,
                                   arguments_.first % 2 != 0));
      }
      return;
    }
    std::optional<ModuleSource> source;
    if (arguments_.ttf) source.emplace(*arguments_.ttf);
    for (std::uint64_t seed = arguments_.first; seed < arguments_.last && !IsOver(); ++seed) {
      alarm(arguments_.timeout);
      if (source) {
        const Bytes module = source->Make(seed);
        if (module.empty()) continue;
        Take(comparison_.RunModule(module, "ttf " + std::to_string(seed), seed, true));
      } else {
        Take(comparison_.Run(seed, arguments_.profile, arguments_.reduces));
      }
    }
  }

 private:
  bool IsOver() const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return comparison_.Counts().mismatches >= arguments_.stop_after ||
           (arguments_.seconds > 0 && passed.count() > arguments_.seconds);
  }

  void Take(const std::optional<Mismatch>& mismatch) {
    if (!mismatch) return;
    const std::string report = Report(*mismatch, comparison_.A(), comparison_.B());
    std::fputs(report.c_str(), stdout);
    if (arguments_.dump.empty()) return;
    std::filesystem::create_directories(arguments_.dump);
    const std::string base =
        arguments_.dump + "/mismatch-" + std::to_string(comparison_.Counts().mismatches);
    WriteFile(base + ".wasm", mismatch->module.data(), mismatch->module.size());
    if (!mismatch->reduced.empty()) {
      WriteFile(base + "-reduced.wasm", mismatch->reduced.data(), mismatch->reduced.size());
    }
    WriteFile(base + ".txt", report.data(), report.size());
  }

  const Arguments& arguments_;
  Comparison& comparison_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// For the signal handler.
const Comparison* g_comparison = nullptr;
char g_crash_file[4096] = "differential-crash.wasm";

void WriteAll(int file, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(file, at, size);
    if (written <= 0) return;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

/// Leaves the module behind and ends. Nothing here allocates.
void EndWithModule(int signal) {
  if (g_comparison == nullptr) _exit(1);
  const Bytes& module = g_comparison->Current();
  const int file = open(g_crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) WriteAll(file, module.data(), module.size());
  constexpr std::string_view kHang = "MISMATCH hang: ", kCrash = "MISMATCH crash: ";
  const std::string_view text = signal == SIGALRM ? kHang : kCrash;
  WriteAll(STDOUT_FILENO, text.data(), text.size());
  WriteAll(STDOUT_FILENO, g_comparison->Origin().data(), g_comparison->Origin().size());
  WriteAll(STDOUT_FILENO, ", module in ", 12);
  WriteAll(STDOUT_FILENO, g_crash_file, std::char_traits<char>::length(g_crash_file));
  WriteAll(STDOUT_FILENO, "\n", 1);
  _exit(1);
}

/// To be called before the library installs its handlers: it passes on what is not its own.
void CatchCrashes(const std::string& folder) {
  if (!folder.empty()) {
    std::filesystem::create_directories(folder);
    std::snprintf(g_crash_file, sizeof g_crash_file, "%s/differential-crash.wasm", folder.c_str());
  }
  static char stack[65536];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_handler = EndWithModule;
  action.sa_flags = SA_ONSTACK;
  for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(number, &action, nullptr);
  }
}

constexpr int kSkipped = 77;

int Run(const Arguments& arguments) {
  CatchCrashes(arguments.dump);
  const auto a = SetupOf(arguments.a + arguments.memory + arguments.cpu);
  const auto b = SetupOf(arguments.b + arguments.memory + arguments.cpu);
  for (const differential::Configuration& one : {a, b}) {
    if (differential::IsAvailable(one)) continue;
    std::printf("skipped: %s is not available\n", one.Text().c_str());
    return kSkipped;
  }
  if (arguments.ttf && !ModuleSource{*arguments.ttf}.IsThere()) {
    std::printf("skipped: %s (binaryen) is not installed\n", arguments.ttf->c_str());
    return kSkipped;
  }
  Comparison comparison{a, b, arguments.compares_backtraces};
  g_comparison = &comparison;
  Runner{arguments, comparison}.Run();
  alarm(0);
  std::printf("%s\n", comparison.Counts().Text().c_str());
  return comparison.Counts().mismatches == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(Parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "differential: %s\n%s", error.what(), kHelp);
    return 2;
  }
}
