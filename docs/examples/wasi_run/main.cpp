// SPDX-License-Identifier: Apache-2.0
// Runs a WebAssembly program of WASI preview 1 from the command line, with the machine's clocks and
// randomness, this program's streams, and the directories that the options name. Exits as the guest
// does, with 255 for a code beyond that; 1 if it traps or cannot be run, 124 if its time was up, 2
// if the options are wrong.

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <tenon/assemblyscript.hpp>
#include <tenon/emscripten.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

namespace {

constexpr const char* kHelp = R"(usage: wasi_run [OPTION...] FILE [ARGUMENT...]

  --dir=HOST[:GUEST][:ro]  gives the program a directory, under the name GUEST (default: HOST),
                           to read only with :ro
  --env=NAME=VALUE         an environment variable
  --env-inherit            those of this process
  --listen=HOST:PORT       gives the program a listening TCP socket
  --timeout=SECONDS        ends the program when it has run so long
  --engine=NAME            interpreter, jit, or auto (default)
  --cache=DIR              keeps compiled code in a directory, and takes it from there
  --invoke=NAME            calls this export with the arguments as numbers, instead of _start, and
                           prints its results
  --trace                  writes every call of the system interface to the error stream
  --help, -h

The exit code is the program's; 1 if it traps or cannot be run, 2 for wrong options, 124 if its time
was up.
)";

constexpr int kUsage = 2;
constexpr int kTimedOut = 124;

/// Options that make no sense.
struct UsageError {
  std::string text;
};

struct Options {
  tenon::RuntimeConfig runtime;
  tenon::ModuleConfig module;
  tenon::FSConfig directories;
  std::optional<std::chrono::nanoseconds> timeout;
  tenon::CallContext context;
  std::vector<std::string> arguments;  // that of the program first
  std::string invoke;
};

double SecondsOf(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(seconds > 0) || seconds > 1e9) {
    throw UsageError{"--timeout needs a number of seconds, not \"" + text + "\""};
  }
  return seconds;
}

void AddDirectory(Options& options, const std::string& text) {
  std::string value = text;
  const bool read_only = value.ends_with(":ro");
  if (read_only) value.resize(value.size() - 3);
  const std::size_t colon = value.rfind(':');
  const std::string host = value.substr(0, colon);
  const std::string guest = colon == std::string::npos ? value : value.substr(colon + 1);
  if (host.empty() || guest.empty() ||
      (host.find(':') != std::string::npos && !std::filesystem::is_directory(host))) {
    throw UsageError{"--dir needs HOST[:GUEST][:ro], not \"" + text + "\""};
  }
  options.directories = read_only ? options.directories.WithReadOnlyDirMount(host, guest)
                                  : options.directories.WithDirMount(host, guest);
}

void AddListener(Options& options, const std::string& value) {
  const std::size_t colon = value.rfind(':');
  std::uint16_t port = 0;
  const char* const end = value.data() + value.size();
  const char* const begin = colon == std::string::npos ? end : value.data() + colon + 1;
  const auto [rest, error] = std::from_chars(begin, end, port);
  if (begin == end || rest != end || error != std::errc{}) {
    throw UsageError{"--listen needs HOST:PORT, not \"" + value + "\""};
  }
  std::string host = value.substr(0, colon);
  // An address of IPv6 has colons of its own.
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const tenon::HostDescriptor socket = tenon::wasi::ListenTcp(host, port);
  if (port == 0) std::fprintf(stderr, "listening on port %u\n", tenon::wasi::PortOf(socket));
  options.module = options.module.WithSystem(options.module.System().WithSocket(socket));
}

void AddVariable(Options& options, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError{"--env needs NAME=VALUE, not \"" + value + "\""};
  options.module = options.module.WithEnv(value.substr(0, equals), value.substr(equals + 1));
}

void ChooseEngine(Options& options, const std::string& name) {
  if (name == "interpreter") {
    options.runtime = options.runtime.WithEngine(tenon::EngineKind::Interpreter);
  } else if (name == "jit") {
    options.runtime = options.runtime.WithEngine(tenon::EngineKind::Jit);
  } else if (name != "auto") {
    throw UsageError{"--engine is interpreter, jit or auto, not \"" + name + "\""};
  }
}

void ChooseCache(Options& options, const std::string& directory) {
  if (directory.empty()) throw UsageError{"--cache needs a directory"};
  // The library goes without a cache where it cannot have one; who asks for one wants to know.
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    throw std::runtime_error{"cannot make directory \"" + directory + "\": " + error.message()};
  }
  options.runtime =
      options.runtime.WithCompilationCache(tenon::CompilationCache::Directory(directory));
}

constexpr std::string_view kWithValue[] = {"--dir",    "--env",   "--listen", "--timeout",
                                           "--engine", "--cache", "--invoke"};
constexpr std::string_view kWithoutValue[] = {"--env-inherit", "--trace", "--help", "-h"};

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Reads one option of kWithValue.
void ReadValue(Options& options, std::string_view name, const std::string& value) {
  if (name == "--dir") {
    AddDirectory(options, value);
  } else if (name == "--env") {
    AddVariable(options, value);
  } else if (name == "--listen") {
    AddListener(options, value);
  } else if (name == "--timeout") {
    options.runtime = options.runtime.WithCloseOnContextDone(true);
    options.timeout = std::chrono::nanoseconds{static_cast<std::int64_t>(SecondsOf(value) * 1e9)};
  } else if (name == "--engine") {
    ChooseEngine(options, value);
  } else if (name == "--cache") {
    ChooseCache(options, value);
  } else if (name == "--invoke") {
    if (value.empty()) throw UsageError{"--invoke needs the name of a function"};
    options.invoke = value;
  }
}

/// Reads one option of kWithoutValue.
void ReadSwitch(Options& options, std::string_view name) {
  if (name == "--help" || name == "-h") {
    std::fputs(kHelp, stdout);
    std::exit(0);
  }
  if (name == "--env-inherit") {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      if (std::string_view{*variable}.find('=') != 0) AddVariable(options, *variable);
    }
    return;
  }
  options.runtime =
      options.runtime.WithFunctionListenerFactory(tenon::wasi::NewLoggingListenerFactory(
          [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }));
}

Options ReadOptions(int argc, char** argv) {
  Options options;
  int i = 1;
  for (; i < argc && std::string_view{argv[i]}.starts_with('-'); ++i) {
    const std::string_view option = argv[i];
    if (option == "--") {
      ++i;
      break;
    }
    // --name=value or --name value
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    const bool has_value = equals != std::string_view::npos;
    if (IsOneOf(kWithoutValue, name)) {
      if (has_value) throw UsageError{std::string{name} + " takes no value"};
      ReadSwitch(options, name);
    } else if (IsOneOf(kWithValue, name)) {
      if (!has_value && i + 1 == argc) throw UsageError{std::string{name} + " needs a value"};
      ReadValue(options, name, std::string{has_value ? option.substr(equals + 1) : argv[++i]});
    } else {
      throw UsageError{"there is no option " + std::string{name}};
    }
  }
  options.arguments.assign(argv + i, argv + argc);
  if (options.arguments.empty()) throw UsageError{"no program to run"};
  return options;
}

/// Tells how far the compiler is, once that takes long, and takes it back at the end.
class Progress {
 public:
  void operator()(std::uint32_t done, std::uint32_t all) {
    if (isatty(STDERR_FILENO) == 0 || std::chrono::steady_clock::now() - start_ < kPatience) return;
    const std::uint32_t percent = all == 0 ? 100 : static_cast<std::uint32_t>(100ull * done / all);
    if (percent == shown_) return;
    shown_ = percent;
    std::fprintf(stderr, "\rcompiling: %u %%%s", percent, done == all ? "\r\033[K" : "");
  }

 private:
  static constexpr auto kPatience = std::chrono::milliseconds{500};
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::uint32_t shown_ = ~0u;
};

/// The argument of an invoked function, of the type that it wants.
tenon::Value ValueOf(const std::string& text, tenon::ValueType type) {
  using tenon::ValueType;
  const char* const begin = text.c_str();
  char* end = nullptr;
  tenon::Value value;
  bool fits = true;
  errno = 0;
  if (type == ValueType::I32) {
    // Signed or not, as I64.
    const long long number = std::strtoll(begin, &end, 0);
    fits = number >= INT32_MIN && number <= UINT32_MAX;
    value = tenon::Value{static_cast<std::int32_t>(number)};
  } else if (type == ValueType::I64 && text.starts_with('-')) {
    value = tenon::Value{std::int64_t{std::strtoll(begin, &end, 0)}};
  } else if (type == ValueType::I64) {
    value = tenon::Value{static_cast<std::int64_t>(std::strtoull(begin, &end, 0))};
  } else if (type == ValueType::F32) {
    value = tenon::Value{std::strtof(begin, &end)};
  } else if (type == ValueType::F64) {
    value = tenon::Value{std::strtod(begin, &end)};
  } else {
    throw UsageError{"arguments can be numbers only"};
  }
  if (text.empty() || *end != '\0') throw UsageError{"\"" + text + "\" is no number"};
  const bool is_integer = type == ValueType::I32 || type == ValueType::I64;
  if (!fits || (is_integer && errno == ERANGE)) {
    throw UsageError{text + " does not fit in an " + std::string{tenon::ValueTypeName(type)}};
  }
  return value;
}

void Print(const tenon::Value& value) {
  using tenon::ValueType;
  if (value.Type() == ValueType::I32) {
    std::printf("%d\n", value.I32());
  } else if (value.Type() == ValueType::I64) {
    std::printf("%lld\n", static_cast<long long>(value.I64()));
  } else if (value.Type() == ValueType::F32) {
    std::printf("%.9g\n", static_cast<double>(value.F32()));
  } else if (value.Type() == ValueType::F64) {
    std::printf("%.17g\n", value.F64());
  } else {
    std::printf("(%s)\n", std::string{tenon::ValueTypeName(value.Type())}.c_str());
  }
}

/// The names of a program's functions that --invoke takes, at most a few.
std::string FunctionsOf(const tenon::CompiledModule& program) {
  constexpr std::size_t kMost = 10;
  std::string names;
  std::size_t count = 0;
  for (const tenon::FunctionDefinition& function : program.ExportedFunctions()) {
    if (++count > kMost) return names + ", ...";
    names += (names.empty() ? "" : ", ") + function.export_names.at(0);
  }
  return names.empty() ? "none" : names;
}

void Invoke(const tenon::Module& module, const tenon::CompiledModule& program,
            const Options& options) {
  const tenon::Function function = module.ExportedFunction(options.invoke);
  if (!function) {
    throw UsageError{"the program exports no function " + options.invoke +
                     "; those that it exports: " + FunctionsOf(program)};
  }
  const std::vector<tenon::ValueType>& types = function.Definition().parameter_types;
  if (options.arguments.size() - 1 != types.size()) {
    throw UsageError{options.invoke + " takes " + std::to_string(types.size()) +
                     (types.size() == 1 ? " argument" : " arguments") + ", not " +
                     std::to_string(options.arguments.size() - 1)};
  }
  std::vector<tenon::Value> arguments;
  arguments.reserve(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    arguments.push_back(ValueOf(options.arguments[i + 1], types[i]));
  }
  for (const tenon::Value& result : function.Call(options.context, arguments)) Print(result);
}

/// Tells which file it is that cannot be run.
tenon::CompiledModule Compile(const tenon::Runtime& runtime, const std::string& path) {
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(path);
  try {
    return runtime.CompileModule(bytes);
  } catch (const tenon::Error& error) {
    throw std::runtime_error{"cannot run \"" + path + "\": " + error.what()};
  }
}

/// Makes the versions of WASI that the program imports from.
void InstantiateWasi(const tenon::Runtime& runtime, const tenon::CompiledModule& program) {
  for (const std::string_view name : {tenon::wasi::kModuleName, tenon::wasi::kUnstableModuleName}) {
    const bool is_imported = std::ranges::any_of(program.ImportedFunctions(),
                                                 [name](const tenon::FunctionDefinition& function) {
                                                   return function.import->module == name;
                                                 });
    if (is_imported) tenon::wasi::Instantiate(runtime, name);
  }
}

/// Makes what the program imports from "env": emscripten's functions, or AssemblyScript's.
void InstantiateEnv(const tenon::Runtime& runtime, const tenon::CompiledModule& program) {
  bool is_needed = false;
  bool is_assemblyscript = false;
  for (const tenon::FunctionDefinition& function : program.ImportedFunctions()) {
    if (function.import->module != "env") continue;
    is_needed = true;
    const std::string& name = function.import->name;
    is_assemblyscript |= name == "trace" || name == "seed" ||
                         (name == "abort" && function.parameter_types.size() == 4);
  }
  if (!is_needed) return;
  tenon::HostModuleBuilder env =
      tenon::emscripten::AddFunctionsForModule(runtime.NewHostModuleBuilder("env"), program);
  if (is_assemblyscript) {
    env = tenon::assemblyscript::AddFunctions(env,
                                              tenon::assemblyscript::Options{}.WithTraceToStderr());
  }
  env.Instantiate();
}

void Run(Options options) {
  const tenon::Runtime runtime{options.runtime.WithCompilationProgress(Progress{})};
  const tenon::CompiledModule program = Compile(runtime, options.arguments.at(0));
  InstantiateWasi(runtime, program);
  InstantiateEnv(runtime, program);

  // As argv[0] programs expect a name.
  std::string name = options.arguments[0].substr(options.arguments[0].rfind('/') + 1);
  std::vector<std::string> arguments = options.arguments;
  arguments[0] = std::move(name);
  const tenon::ModuleConfig config = options.module.WithName("")
                                         .WithStartFunctions({})
                                         .WithArgs(std::move(arguments))
                                         .WithFSConfig(options.directories);
  // Compiling does not count.
  if (options.timeout) options.context = options.context.WithTimeout(*options.timeout);
  // What is called after a start section is chosen here.
  const tenon::Module module = runtime.InstantiateModule(program, config, options.context);
  if (module.ExportedFunction("_initialize")) {
    module.ExportedFunction<void()>("_initialize")(options.context);
  }
  if (!options.invoke.empty()) {
    Invoke(module, program, options);
  } else if (module.ExportedFunction("_start")) {
    module.ExportedFunction<void()>("_start")(options.context);
  } else if (!program.ExportedFunctions().empty()) {
    throw UsageError{"the program exports no _start; --invoke calls one of its functions: " +
                     FunctionsOf(program)};
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options = ReadOptions(argc, argv);
    options.module = options.module.WithSystem(
        options.module.System().WithInheritedStdio().WithSystemClocks().WithSystemRandom());
    Run(std::move(options));
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "wasi_run: %s (--help tells more)\n", error.text.c_str());
    return kUsage;
  } catch (const tenon::ExitError& exit) {
    // Of larger codes the system would keep the last byte, which may be 0.
    constexpr std::uint32_t kLargestCode = 255;
    if (exit.ExitCode() != tenon::ExitError::kDeadlineExceeded) {
      return static_cast<int>(std::min(exit.ExitCode(), kLargestCode));
    }
    std::fprintf(stderr, "wasi_run: the program's time was up\n");
    return kTimedOut;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wasi_run: %s\n", error.what());
    return 1;
  }
}
