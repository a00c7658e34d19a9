// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs the commands of one spec script through the public API.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/opcode.hpp>

#include "../support/json.hpp"

namespace spec {

/// What has become of a script so far. Written as it runs, so that it survives a crash when it lies
/// in shared memory.
struct Progress {
  std::uint32_t passed = 0;
  std::uint32_t failed = 0;
  std::uint32_t skipped = 0;
  std::uint32_t notes = 0;  ///< soft disagreements, printed if verbose
  std::uint32_t line = 0;   ///< of the current command
  bool is_finished = false;
  bool engine_is_missing = false;
  /// By opcode: whether a function that contains it was called.
  bool executed[tenon::wasm::kOpcodeLimit] = {};
};

struct RunOptions {
  tenon::RuntimeConfig config;
  std::string engine;  ///< name the runtime must have; empty: any
  bool is_verbose = false;
  bool collect_opcodes = false;
  /// Positions in `commands` of those that are skipped.
  std::set<std::uint32_t> skip;
};

/// Runs one script. Failures go to standard output, one line each.
class ScriptRunner {
 public:
  ScriptRunner(std::string path, const RunOptions& options, Progress& progress);
  ~ScriptRunner();

  void Run();

 private:
  enum class Outcome : std::uint8_t { Passed, Skipped };
  struct OpcodeSource;
  struct Thread;

  /// For the commands of a thread: with the runtime of `outer` and the instances that are named.
  ScriptRunner(const ScriptRunner& outer, const support::Json& command, Progress& progress);

  void RunCommand(const support::Json& command, std::uint32_t index);
  void StartThread(const support::Json& command);
  void JoinThread(const support::Json& command);
  Outcome Execute(const support::Json& command);

  void InstantiateFile(const support::Json& command);
  void DefineModule(const support::Json& command);
  void InstantiateDefined(const support::Json& command);
  void Register(const support::Json& command);
  void AssertReturn(const support::Json& command);
  void AssertTrap(const support::Json& command, std::optional<tenon::TrapCode> wanted);
  void AssertException(const support::Json& command);
  Outcome AssertRejected(const support::Json& command, bool is_malformed);
  void AssertUnlinkable(const support::Json& command);
  void AssertUninstantiable(const support::Json& command);

  tenon::CompiledModule Compile(const support::Json& command);
  tenon::Module Instantiate(const tenon::CompiledModule& compiled);
  std::vector<tenon::Value> Perform(const support::Json& action);
  tenon::Module FindInstance(const support::Json* name) const;
  void BindInstance(const support::Json& command, const tenon::Module& instance);
  void ForgetInstance(const support::Json& command);
  void CheckTrapText(const tenon::Trap& trap, const support::Json& command);
  void Note(const std::string& text);

  tenon::FunctionListenerFactory OpcodeCollector();

  const std::string path_;
  const std::string folder_;
  const RunOptions& options_;
  Progress& progress_;
  std::shared_ptr<OpcodeSource> opcode_source_;  ///< of the module that is being compiled
  std::shared_ptr<tenon::Runtime> runtime_;
  tenon::Module shared_spectest_;  ///< made when it is first asked for
  tenon::Module current_;
  tenon::CompiledModule latest_;
  std::map<std::string, tenon::Module> instances_;
  std::map<std::string, tenon::CompiledModule> modules_;
  std::map<std::string, tenon::Module, std::less<>> registry_;
  std::map<std::string, std::unique_ptr<Thread>> threads_;
  std::vector<tenon::Module> kept_alive_;  ///< were registered under a name that was given anew
};

}  // namespace spec
