// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs scripts of the WebAssembly specification tests that were converted to JSON.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/core_features.hpp>
#include <tenon/runtime_config.hpp>
#include <tenon/wasm/opcode.hpp>

#include "script_runner.hpp"

namespace {

constexpr const char* kHelp = R"(usage: spectest [OPTION...] FILE.json...

Runs the commands of spec scripts through tenon's public API. Every failure is one line with file,
line, command and reason. Ends with `N passed, N failed, N skipped`; the exit status is 1 if any
failed, 2 if the arguments are wrong or the engine is not there.

  --engine=NAME        interpreter, jit, or auto (default)
  --explicit-checks    compares addresses with the memory's size instead of relying on guard pages
  --cpu=floor          uses no processor extension beyond SSE4.1
  --features=LIST      comma-separated names as in the proposals. `-name` disables a feature of
                       WebAssembly 2.0, `+name` adds one to them; a list without signs enables
                       these alone on top of the minimum viable product. Names: mutable-global,
                       sign-extension-ops, nontrapping-float-to-int-conversion, multi-value,
                       bulk-memory-operations, reference-types, simd, memory64,
                       threads
  --skip-list=FILE     commands to skip: rows of file, command index (as in NOT-2.0.tsv). Default:
                       NOT-2.0.tsv in the folder above the script's, if there is one
  --skip-list=         skips nothing
  --counts=OUT         writes a row `file passed failed skipped` for each script
  --opcode-coverage=OUT  writes a row `code name 0|1` for each row of the opcode table; 1 if a
                       function that contains the instruction was called
  --timeout=SECONDS    for each script (default 300)
  --no-fork            runs everything in this process, for debuggers
  --verbose            prints a line a script, and notes where error texts differ from the scripts'
)";

struct Arguments {
  spec::RunOptions run;
  bool has_skip_list = false;
  std::string skip_list;
  std::string counts;
  std::string opcode_coverage;
  unsigned timeout = 300;
  bool use_fork = true;
  std::vector<std::string> files;
};

[[noreturn]] void Refuse(const std::string& reason) {
  std::fprintf(stderr, "spectest: %s (see --help)\n", reason.c_str());
  std::exit(2);
}

tenon::Feature FindFeature(std::string_view name) {
#define TENON_DETAIL_ROW(feature, bit, text) \
  if (name == text) return tenon::Feature::feature;
  TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  Refuse("unknown feature " + std::string{name});
}

tenon::CoreFeatures ParseFeatures(std::string_view list) {
  const bool changes = list.starts_with('-') || list.starts_with('+');
  tenon::CoreFeatures features = changes ? tenon::CoreFeatures::V2() : tenon::CoreFeatures{};
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view name = list.substr(0, comma);
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    if (name.empty()) continue;
    const bool disables = name.starts_with('-');
    if ((disables || name.starts_with('+')) != changes) {
      Refuse("--features has names with and without signs");
    }
    if (changes) name.remove_prefix(1);
    features = features.SetEnabled(FindFeature(name), !disables);
  }
  return features;
}

void SelectEngine(Arguments& arguments, const std::string& name) {
  if (name == "auto") return;
  arguments.run.engine = name;
  if (name == "interpreter") {
    arguments.run.config = arguments.run.config.WithEngine(tenon::EngineKind::Interpreter);
  } else if (name == "jit") {
    arguments.run.config = arguments.run.config.WithEngine(tenon::EngineKind::Jit);
  } else {
    Refuse("unknown engine " + name);
  }
}

Arguments ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const std::string value{equals == argument.npos ? "" : argument.substr(equals + 1)};
    if (!argument.starts_with("--")) {
      arguments.files.emplace_back(argument);
    } else if (name == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (name == "--engine") {
      SelectEngine(arguments, value);
    } else if (name == "--explicit-checks") {
      arguments.run.config = arguments.run.config.WithSignalHandlers(tenon::SignalHandlers::None);
    } else if (name == "--cpu") {
      if (value != "floor") Refuse("unknown set of processor extensions " + value);
      arguments.run.config = arguments.run.config.WithCpuFeatures(tenon::CpuFeatures::Floor());
    } else if (name == "--features") {
      arguments.run.config = arguments.run.config.WithCoreFeatures(ParseFeatures(value));
    } else if (name == "--skip-list") {
      arguments.has_skip_list = true;
      arguments.skip_list = value;
    } else if (name == "--counts") {
      arguments.counts = value;
    } else if (name == "--opcode-coverage") {
      arguments.opcode_coverage = value;
    } else if (name == "--timeout") {
      arguments.timeout = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (name == "--no-fork") {
      arguments.use_fork = false;
    } else if (name == "--verbose") {
      arguments.run.is_verbose = true;
    } else {
      Refuse("unknown option " + std::string{argument});
    }
  }
  if (arguments.files.empty()) Refuse("no script given");
  arguments.run.collect_opcodes = !arguments.opcode_coverage.empty();
  return arguments;
}

/// "group/script" of ".../group/script.json".
std::string ScriptName(std::string path) {
  if (path.ends_with(".json")) path.resize(path.size() - 5);
  const std::size_t last = path.rfind('/');
  if (last == std::string::npos || last == 0) return path;
  const std::size_t before = path.rfind('/', last - 1);
  return before == std::string::npos ? path : path.substr(before + 1);
}

using SkipList = std::map<std::string, std::set<std::uint32_t>>;

SkipList ReadSkipList(const std::string& path) {
  SkipList list;
  std::ifstream file{path};
  for (std::string row; std::getline(file, row);) {
    const std::size_t first = row.find('\t');
    if (first == std::string::npos || row.starts_with("file\t")) continue;
    const std::size_t second = row.find('\t', first + 1);
    list[row.substr(0, first)].insert(
        static_cast<std::uint32_t>(std::stoul(row.substr(first + 1, second - first - 1))));
  }
  return list;
}

std::set<std::uint32_t> FindSkipped(const Arguments& arguments, const std::string& file) {
  static std::map<std::string, SkipList> lists;
  std::string path = arguments.skip_list;
  if (!arguments.has_skip_list) {
    const std::size_t slash = file.rfind('/');
    path =
        (slash == std::string::npos ? std::string{} : file.substr(0, slash + 1)) + "../NOT-2.0.tsv";
  }
  if (path.empty()) return {};
  auto found = lists.find(path);
  if (found == lists.end()) found = lists.emplace(path, ReadSkipList(path)).first;
  const auto skipped = found->second.find(ScriptName(file));
  return skipped == found->second.end() ? std::set<std::uint32_t>{} : skipped->second;
}

void RunHere(const std::string& file, const spec::RunOptions& options, spec::Progress& progress) {
  try {
    spec::ScriptRunner{file, options, progress}.Run();
  } catch (const std::exception& error) {
    ++progress.failed;
    std::printf("FAIL %s:%u: script: %s\n", file.c_str(), progress.line, error.what());
  }
  progress.is_finished = true;
  std::fflush(stdout);
}

/// What a child that did not end well says of itself.
std::string DescribeEnd(int status, const spec::Progress& progress) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGALRM) return "timed out";
    return std::string{"crashed: "} + strsignal(signal);
  }
  return "ended with status " + std::to_string(WEXITSTATUS(status)) +
         (progress.is_finished ? " behind its last command" : "");
}

/// Runs a script in a child, so that a crash there loses nothing but the rest of the script.
void RunInChild(const std::string& file, const spec::RunOptions& options, unsigned timeout,
                spec::Progress& progress) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error{"cannot fork"};
  if (child == 0) {
    alarm(timeout);
    RunHere(file, options, progress);
    std::exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error{"cannot wait for a script"};
  }
  if (status == 0 && progress.is_finished) return;
  ++progress.failed;
  std::printf("FAIL %s:%u: script: %s\n", file.c_str(), progress.line,
              DescribeEnd(status, progress).c_str());
}

void WriteCoverage(const std::string& path, const bool* executed) {
  std::ofstream out{path};
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  out << code << '\t' << text << '\t' << executed[code] << '\n';
  TENON_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  if (!out.flush()) throw std::runtime_error{"cannot write " + path};
}

int RunAll(const Arguments& arguments) {
  void* const shared = mmap(nullptr, sizeof(spec::Progress), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::runtime_error{"cannot map memory"};
  std::ofstream counts;
  if (!arguments.counts.empty()) counts.open(arguments.counts);

  bool executed[tenon::wasm::kOpcodeLimit] = {};
  unsigned long passed = 0;
  unsigned long failed = 0;
  unsigned long skipped = 0;
  unsigned long notes = 0;
  for (const std::string& file : arguments.files) {
    spec::RunOptions options = arguments.run;
    options.skip = FindSkipped(arguments, file);
    auto& progress = *new (shared) spec::Progress{};
    if (arguments.use_fork) {
      RunInChild(file, options, arguments.timeout, progress);
    } else {
      RunHere(file, options, progress);
    }
    if (progress.engine_is_missing) Refuse("this build has no engine " + arguments.run.engine);
    passed += progress.passed;
    failed += progress.failed;
    skipped += progress.skipped;
    notes += progress.notes;
    for (std::size_t i = 0; i < tenon::wasm::kOpcodeLimit; ++i) {
      executed[i] = executed[i] || progress.executed[i];
    }
    if (arguments.run.is_verbose) {
      std::printf("%s: %u passed, %u failed, %u skipped\n", file.c_str(), progress.passed,
                  progress.failed, progress.skipped);
    }
    if (counts.is_open()) {
      counts << ScriptName(file) << '\t' << progress.passed << '\t' << progress.failed << '\t'
             << progress.skipped << '\n';
    }
  }
  if (counts.is_open() && !counts.flush()) {
    throw std::runtime_error{"cannot write " + arguments.counts};
  }
  if (arguments.run.collect_opcodes) WriteCoverage(arguments.opcode_coverage, executed);
  if (arguments.run.is_verbose) std::printf("%lu notes\n", notes);
  std::printf("%lu passed, %lu failed, %lu skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return RunAll(ParseArguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "spectest: %s\n", error.what());
    return 2;
  }
}
