// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs a module on one engine and writes down everything that can be seen of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/opcode.hpp>

#include "environment.hpp"

namespace differential {

enum class MemoryStyle : std::uint8_t {
  Guarded,  ///< reserved, with guard pages: the default
  Checked,  ///< of an allocator that guarantees nothing, and moves when it grows
};

/// Compiles one instruction as another: a planted fault. Both without immediates, and of the same
/// length in bytes.
struct PlantedFault {
  tenon::wasm::Opcode from{};
  tenon::wasm::Opcode to{};
};

/// How an engine is set up.
struct Configuration {
  std::string engine = "interpreter";  ///< or "jit"
  MemoryStyle memory = MemoryStyle::Guarded;
  bool is_cpu_floor = false;  ///< compiled code uses SSE4.1 and nothing later
  bool has_canonical_nan = false;
  std::optional<PlantedFault> fault;

  /// As ParseConfiguration reads it, without the canonical NaNs.
  std::string Text() const;
};

/// "interpreter" or "jit", then any of ",guarded", ",checked", ",native", ",floor" and
/// ",plant=NAME:NAME" (names of instructions). Nullopt if it is something else.
std::optional<Configuration> ParseConfiguration(std::string_view text);
/// Whether this build has the engine and this machine can run it.
bool IsAvailable(const Configuration& configuration);
/// The settings of a runtime. The engine must be available.
tenon::RuntimeConfig RuntimeConfigOf(const Configuration& configuration);
/// The engines and memory styles that are available here, without planted faults.
std::vector<Configuration> AvailableConfigurations();

/// What is done with a module.
struct RunPlan {
  std::uint64_t seed = 0;           ///< of the arguments
  std::uint32_t argument_sets = 2;  ///< calls of each export
  std::uint32_t fuel = 120;         ///< for each call
  bool compares_backtraces = false;
};

enum class RecordKind : std::uint8_t { Instantiate, Call, HostCall, Memory, Global, Table };

enum class Outcome : std::uint8_t { Returned, Trapped, HostThrew, Exited, Refused };

/// One thing that was seen; NaNs count as one value unless they are canonical.
struct Record {
  RecordKind kind{};
  std::uint32_t name = 0;            ///< in Observation::names
  std::uint32_t begin = 0, end = 0;  ///< in Observation::data
};

/// Everything that was seen, in order. Calls: arguments; then, behind what the call did, outcome,
/// detail (trap code), results.
struct Observation {
  std::vector<Record> records;
  std::vector<std::uint64_t> data;
  std::vector<std::vector<std::uint8_t>> memories;
  std::vector<std::string> names;
  std::string invalid;  ///< why the module was refused by the decoder or validator
  std::uint32_t executions = 0;
  std::array<std::uint32_t, 32> traps_by_code{};
};

/// The first difference in words; nullopt if there is none.
std::optional<std::string> FindDifference(const Observation& a, const Observation& b);

/// An engine with its host functions. One thread.
class Engine {
 public:
  explicit Engine(const Configuration& configuration);
  ~Engine();

  Observation Run(const Bytes& module, const RunPlan& plan);
  const Configuration& Settings() const { return configuration_; }

 private:
  class Host;

  tenon::Module Instantiate(const tenon::CompiledModule& compiled, Observation& seen);
  void Call(const tenon::Module& module, const tenon::FunctionDefinition& function,
            std::uint64_t seed, const RunPlan& plan, Observation& seen);
  void RecordState(const tenon::CompiledModule& compiled, const tenon::Module& module,
                   std::string_view prefix, Observation& seen);

  Configuration configuration_;
  tenon::Runtime runtime_;
  std::unique_ptr<Host> host_;
  tenon::CompiledModule host_module_;
  tenon::CompiledModule env_module_;
  tenon::Module env_;
};

/// `module` with the instruction replaced wherever it stands.
Bytes WithFault(const Bytes& module, PlantedFault fault);

}  // namespace differential
