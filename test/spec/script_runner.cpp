// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs the commands of one spec script through the public API.
#include "script_runner.hpp"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/instruction_walker.hpp>

#include "spectest_module.hpp"
#include "value_pattern.hpp"

namespace spec {

using support::Json;

namespace {

/// A command that did not do what the script says.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const char* KindOf(const std::exception& error) {
  if (dynamic_cast<const tenon::DecodeError*>(&error) != nullptr) return "DecodeError";
  if (dynamic_cast<const tenon::ValidationError*>(&error) != nullptr) return "ValidationError";
  if (dynamic_cast<const tenon::LinkError*>(&error) != nullptr) return "LinkError";
  if (dynamic_cast<const tenon::Trap*>(&error) != nullptr) return "Trap";
  if (dynamic_cast<const tenon::ExitError*>(&error) != nullptr) return "ExitError";
  if (dynamic_cast<const tenon::ConfigError*>(&error) != nullptr) return "ConfigError";
  if (dynamic_cast<const tenon::Error*>(&error) != nullptr) return "Error";
  return "exception";
}

/// The position of commands that no list of what is to be skipped names.
constexpr std::uint32_t kNested = UINT32_MAX;

/// Kind and first line of what an exception says.
std::string Describe(const std::exception& error) {
  const std::string_view text = error.what();
  return std::string{KindOf(error)} + ": " + std::string{text.substr(0, text.find('\n'))};
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

std::string ReadText(const std::string& path) {
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(path);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

/// Bytes and declarations of a module, for those who listen to its functions.
struct ScriptRunner::OpcodeSource {
  std::vector<std::uint8_t> bytes;
  tenon::wasm::Module module;
};

ScriptRunner::ScriptRunner(std::string path, const RunOptions& options, Progress& progress)
    : path_{std::move(path)}, folder_{FolderOf(path_)}, options_{options}, progress_{progress} {}

/// The nested commands of a thread. They have a runner of their own.
struct ScriptRunner::Thread {
  Progress progress;
  std::unique_ptr<ScriptRunner> runner;
  support::Json commands;
  std::thread thread;
};

ScriptRunner::~ScriptRunner() {
  for (auto& [name, entry] : threads_) {
    if (entry->thread.joinable()) entry->thread.join();
  }
}

ScriptRunner::ScriptRunner(const ScriptRunner& outer, const Json& command, Progress& progress)
    : ScriptRunner{outer.path_, outer.options_, progress} {
  runtime_ = outer.runtime_;
  registry_["spectest"] = outer.registry_.at("spectest");
  for (const Json& name : command.At("shared").Items()) {
    instances_[name.Text()] = outer.FindInstance(&name);
  }
}

void ScriptRunner::StartThread(const Json& command) {
  auto entry = std::make_unique<Thread>();
  entry->runner.reset(new ScriptRunner{*this, command, entry->progress});
  entry->commands = command.At("commands");
  Thread& started = *entry;
  threads_[command.At("name").Text()] = std::move(entry);
  started.thread = std::thread{[&started] {
    for (const Json& nested : started.commands.Items()) started.runner->RunCommand(nested, kNested);
  }};
}

void ScriptRunner::JoinThread(const Json& command) {
  const auto found = threads_.find(command.At("thread").Text());
  if (found == threads_.end()) throw Failure{"no such thread"};
  const std::unique_ptr<Thread> entry = std::move(found->second);
  threads_.erase(found);
  entry->thread.join();
  progress_.passed += entry->progress.passed;
  progress_.skipped += entry->progress.skipped;
  progress_.notes += entry->progress.notes;
  if (entry->progress.failed != 0) {
    throw Failure{std::to_string(entry->progress.failed) + " commands failed in the thread"};
  }
}

void ScriptRunner::Run() {
  tenon::RuntimeConfig config = options_.config;
  if (options_.collect_opcodes) config = config.WithFunctionListenerFactory(OpcodeCollector());
  runtime_ = std::make_shared<tenon::Runtime>(config);
  if (!options_.engine.empty() && runtime_->EngineName() != options_.engine) {
    progress_.engine_is_missing = true;
    return;
  }
  registry_["spectest"] = InstantiateSpectest(*runtime_);

  const Json script = Json::Parse(ReadText(path_));
  std::uint32_t index = 0;
  for (const Json& command : script.At("commands").Items()) RunCommand(command, index++);
}

void ScriptRunner::RunCommand(const Json& command, std::uint32_t index) {
  const std::string& type = command.At("type").Text();
  progress_.line = command.At("line").As<std::uint32_t>();
  if (options_.skip.contains(index) || command.Find("obsolete") != nullptr) {
    if (type == "module" || type == "module_instance") ForgetInstance(command);
    ++progress_.skipped;
    return;
  }
  std::string reason;
  try {
    if (Execute(command) == Outcome::Skipped) {
      ++progress_.skipped;
    } else {
      ++progress_.passed;
    }
    return;
  } catch (const Failure& failure) {
    reason = failure.what();
  } catch (const std::exception& error) {
    reason = "unexpected " + Describe(error);
  }
  ++progress_.failed;
  std::printf("FAIL %s:%u: %s: %s\n", path_.c_str(), progress_.line, type.c_str(), reason.c_str());
  std::fflush(stdout);
}

ScriptRunner::Outcome ScriptRunner::Execute(const Json& command) {
  const std::string& type = command.At("type").Text();
  if (type == "module") {
    InstantiateFile(command);
  } else if (type == "module_definition") {
    DefineModule(command);
  } else if (type == "module_instance") {
    InstantiateDefined(command);
  } else if (type == "register") {
    Register(command);
  } else if (type == "action") {
    Perform(command.At("action"));
  } else if (type == "assert_return") {
    AssertReturn(command);
  } else if (type == "assert_trap") {
    AssertTrap(command, std::nullopt);
  } else if (type == "assert_exhaustion") {
    AssertTrap(command, tenon::TrapCode::StackOverflow);
  } else if (type == "assert_exception") {
    AssertException(command);
  } else if (type == "assert_invalid") {
    return AssertRejected(command, false);
  } else if (type == "assert_malformed") {
    return AssertRejected(command, true);
  } else if (type == "assert_unlinkable") {
    AssertUnlinkable(command);
  } else if (type == "assert_uninstantiable") {
    AssertUninstantiable(command);
  } else if (type == "thread") {
    StartThread(command);
  } else if (type == "wait") {
    JoinThread(command);
  } else {
    throw Failure{"unknown command"};
  }
  return Outcome::Passed;
}

void ScriptRunner::InstantiateFile(const Json& command) {
  ForgetInstance(command);
  DefineModule(command);
  BindInstance(command, Instantiate(latest_));
}

void ScriptRunner::DefineModule(const Json& command) {
  latest_ = tenon::CompiledModule{};
  const Json* const name = command.Find("name");
  if (name != nullptr) modules_.erase(name->Text());
  latest_ = Compile(command);
  if (name != nullptr) modules_[name->Text()] = latest_;
}

void ScriptRunner::InstantiateDefined(const Json& command) {
  ForgetInstance(command);
  tenon::CompiledModule compiled = latest_;
  if (const Json* const name = command.Find("module")) {
    const auto found = modules_.find(name->Text());
    if (found == modules_.end()) throw Failure{"no module " + name->Text()};
    compiled = found->second;
  }
  if (!compiled) throw Failure{"no module to instantiate"};
  BindInstance(command, Instantiate(compiled));
}

void ScriptRunner::Register(const Json& command) {
  tenon::Module& entry = registry_[command.At("as").Text()];
  if (entry) kept_alive_.push_back(entry);
  entry = tenon::Module{};
  entry = FindInstance(command.Find("name"));
}

void ScriptRunner::AssertReturn(const Json& command) {
  const std::vector<tenon::Value> results = Perform(command.At("action"));
  const std::vector<Json>& patterns = command.At("expected").Items();
  if (results.size() != patterns.size()) {
    throw Failure{"expected " + std::to_string(patterns.size()) + " results, got " +
                  std::to_string(results.size())};
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!Matches(results[i], patterns[i])) {
      throw Failure{"result " + std::to_string(i) + ": expected " + Describe(patterns[i]) +
                    ", got " + Describe(results[i])};
    }
  }
}

void ScriptRunner::AssertTrap(const Json& command, std::optional<tenon::TrapCode> wanted) {
  try {
    Perform(command.At("action"));
  } catch (const tenon::Trap& trap) {
    if (wanted && trap.Code() != *wanted) {
      throw Failure{std::string{"expected trap \""} + tenon::TrapText(*wanted) + "\", got " +
                    Describe(trap)};
    }
    CheckTrapText(trap, command);
    return;
  }
  throw Failure{"expected a trap, but it returned"};
}

void ScriptRunner::AssertException(const Json& command) {
  try {
    Perform(command.At("action"));
  } catch (const tenon::Error& error) {
    const std::string_view kind = KindOf(error);
    if (kind == "Error") return;
    throw Failure{"expected an exception, got " + Describe(error)};
  }
  throw Failure{"expected an exception, but it returned"};
}

ScriptRunner::Outcome ScriptRunner::AssertRejected(const Json& command, bool is_malformed) {
  if (command.At("module_type").Text() != "binary") return Outcome::Skipped;
  std::string got;
  try {
    Compile(command);
  } catch (const tenon::DecodeError& error) {
    got = Describe(error);
  } catch (const tenon::ValidationError& error) {
    got = Describe(error);
    if (is_malformed) Note("malformed module rejected by validation: " + got);
  }
  if (got.empty()) throw Failure{"expected rejection (" + command.At("text").Text() + ")"};
  const std::string& text = command.At("text").Text();
  if (got.find(text) == std::string::npos) Note("expected \"" + text + "\", got " + got);
  return Outcome::Passed;
}

void ScriptRunner::AssertUnlinkable(const Json& command) {
  const tenon::CompiledModule compiled = Compile(command);
  try {
    Instantiate(compiled);
  } catch (const tenon::LinkError&) {
    return;
  }
  throw Failure{"expected a link error (" + command.At("text").Text() + ")"};
}

void ScriptRunner::AssertUninstantiable(const Json& command) {
  const tenon::CompiledModule compiled = Compile(command);
  try {
    Instantiate(compiled);
  } catch (const tenon::Trap& trap) {
    CheckTrapText(trap, command);
    return;
  }
  throw Failure{"expected a trap (" + command.At("text").Text() + ")"};
}

tenon::CompiledModule ScriptRunner::Compile(const Json& command) {
  std::vector<std::uint8_t> bytes = tenon::ReadFile(folder_ + command.At("filename").Text());
  if (!options_.collect_opcodes) return runtime_->CompileModule(bytes);
  opcode_source_ = std::make_shared<OpcodeSource>();
  opcode_source_->bytes = std::move(bytes);
  tenon::wasm::Decode(opcode_source_->bytes, {options_.config.CoreFeatures(), {}},
                      opcode_source_->module);
  return runtime_->CompileModule(opcode_source_->bytes);
}

tenon::Module ScriptRunner::Instantiate(const tenon::CompiledModule& compiled) {
  // A host module has one memory, and so has what imports it.
  bool wants_shared = false;
  for (const tenon::MemoryDefinition& memory : compiled.ImportedMemories()) {
    wants_shared = wants_shared || (memory.import && memory.import->name == "shared_memory");
  }
  const auto resolve = [&](std::string_view module_name) {
    if (wants_shared && module_name == "spectest") {
      if (!shared_spectest_) shared_spectest_ = InstantiateSpectest(*runtime_, true);
      return shared_spectest_;
    }
    const auto found = registry_.find(module_name);
    return found == registry_.end() ? tenon::Module{} : found->second;
  };
  return runtime_->InstantiateModule(
      compiled,
      tenon::ModuleConfig{}.WithName("").WithStartFunctions({}).WithImportResolver(resolve));
}

std::vector<tenon::Value> ScriptRunner::Perform(const Json& action) {
  const tenon::Module instance = FindInstance(action.Find("module"));
  const std::string& type = action.At("type").Text();
  const std::string& field = action.At("field").Text();
  if (type == "get") {
    const tenon::Global global = instance.ExportedGlobal(field);
    if (!global) throw Failure{"no exported global \"" + field + "\""};
    return {global.Get()};
  }
  if (type != "invoke") throw Failure{"unknown action " + type};
  const tenon::Function function = instance.ExportedFunction(field);
  if (!function) throw Failure{"no exported function \"" + field + "\""};
  std::vector<tenon::Value> arguments;
  for (const Json& argument : action.At("args").Items()) {
    arguments.push_back(ReadArgument(argument));
  }
  return function.Call(arguments);
}

tenon::Module ScriptRunner::FindInstance(const Json* name) const {
  if (name == nullptr) {
    if (!current_) throw Failure{"no current instance"};
    return current_;
  }
  const auto found = instances_.find(name->Text());
  if (found == instances_.end()) throw Failure{"no instance " + name->Text()};
  return found->second;
}

void ScriptRunner::BindInstance(const Json& command, const tenon::Module& instance) {
  current_ = instance;
  if (const Json* const name = command.Find("name")) instances_[name->Text()] = instance;
}

/// What follows must not run on the instance before if this one cannot be made.
void ScriptRunner::ForgetInstance(const Json& command) {
  current_ = tenon::Module{};
  if (const Json* const name = command.Find("name")) instances_.erase(name->Text());
}

void ScriptRunner::CheckTrapText(const tenon::Trap& trap, const Json& command) {
  const std::string_view wanted = command.At("text").Text();
  const std::string_view got = tenon::TrapText(trap.Code());
  // Either may say more: "uninitialized element 2".
  if (!got.starts_with(wanted) && !wanted.starts_with(got)) {
    Note("expected \"" + std::string{wanted} + "\", got " + Describe(trap));
  }
}

void ScriptRunner::Note(const std::string& text) {
  ++progress_.notes;
  if (!options_.is_verbose) return;
  std::printf("note %s:%u: %s\n", path_.c_str(), progress_.line, text.c_str());
}

tenon::FunctionListenerFactory ScriptRunner::OpcodeCollector() {
  class Listener final : public tenon::FunctionListener {
   public:
    Listener(std::shared_ptr<OpcodeSource> source, tenon::wasm::ByteRange body, Progress& progress)
        : source_{std::move(source)}, body_{body}, progress_{progress} {}
    void Before(tenon::Module&, const tenon::FunctionDefinition&, const tenon::TypedValues&,
                tenon::StackIterator&) override {
      if (was_called_) return;
      was_called_ = true;
      tenon::wasm::WalkBody(source_->bytes, body_,
                            [this](tenon::wasm::Opcode opcode, std::uint32_t) {
                              progress_.executed[static_cast<std::uint16_t>(opcode)] = true;
                            });
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {}
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {}

   private:
    const std::shared_ptr<OpcodeSource> source_;
    const tenon::wasm::ByteRange body_;
    Progress& progress_;
    bool was_called_ = false;
  };
  return
      [this](
          const tenon::FunctionDefinition& function) -> std::shared_ptr<tenon::FunctionListener> {
        if (!opcode_source_ || function.import) return nullptr;
        const tenon::wasm::Module& module = opcode_source_->module;
        const std::uint32_t defined = function.index - module.imported_functions;
        if (defined >= module.bodies.size()) return nullptr;
        return std::make_shared<Listener>(opcode_source_, module.bodies[defined], progress_);
      };
}

}  // namespace spec
