// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host functions, and what is recorded of a run.
#include "engine.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <stdexcept>
#include <tuple>

#include "choices.hpp"
#include "constants.hpp"

namespace differential {

namespace {

using tenon::ValueType;
using tenon::abi::Slot;

constexpr std::uint64_t kNan32 = 0x7FC00000, kNan64 = 0x7FF8000000000000;

/// What host functions throw that is no trap.
struct HostError : std::runtime_error {
  explicit HostError(std::int32_t value) : std::runtime_error{"host error"}, detail{value} {}
  std::int32_t detail;
};

std::uint64_t IdOf(tenon::FuncRef reference) {
  if (reference.IsNull()) return 0;
  const tenon::FunctionDefinition definition = tenon::Function{reference}.Definition();
  return 1 + definition.index + (definition.is_host_function ? 10000u : 0u);
}

std::uint64_t Mix(std::uint64_t state, std::uint64_t value) {
  state = (state ^ value) * 0x9E3779B97F4A7C15;
  return state ^ state >> 29;
}

}  // namespace

/// The functions of module `host`: log their arguments and answer with a mixture of them.
class Engine::Host {
 public:
  explicit Host(bool observes_nan_bits) : observes_nan_bits_{observes_nan_bits} {}

  Observation* seen = nullptr;
  std::uint32_t reentered = 0;

  /// What is compared of a value: NaNs are all alike unless engines make them canonical.
  std::uint64_t Visible(ValueType type, std::uint64_t bits) const {
    if (type == ValueType::I32) return bits & 0xFFFFFFFF;
    if (type == ValueType::F32) {
      bits &= 0xFFFFFFFF;
      return !observes_nan_bits_ && (bits & 0x7FFFFFFF) > 0x7F800000 ? kNan32 : bits;
    }
    if (type == ValueType::F64) {
      return !observes_nan_bits_ && (bits & INT64_MAX) > 0x7FF0000000000000 ? kNan64 : bits;
    }
    if (type == ValueType::FuncRef) {
      return IdOf(tenon::FuncRef{reinterpret_cast<const tenon::abi::FunctionRecord*>(bits)});
    }
    return bits;
  }
  /// Appends the visible part of all values; returns the slots they took.
  std::size_t Append(std::span<const ValueType> types, const Slot* slots) {
    std::size_t at = 0;
    for (const ValueType type : types) {
      seen->data.push_back(Visible(type, slots[at++]));
      if (type.IsVector()) seen->data.push_back(slots[at++]);
    }
    return at;
  }
  void Begin(RecordKind kind, std::uint32_t name) {
    const auto at = static_cast<std::uint32_t>(seen->data.size());
    seen->records.push_back({kind, name, at, at});
  }
  void End() { seen->records.back().end = static_cast<std::uint32_t>(seen->data.size()); }

  void AddTo(tenon::HostModuleBuilder builder) {
    builder.NewFunctionBuilder().WithFunc([this] { Answer<std::int32_t>(0); }).Export("nothing");
    Typed<std::int32_t, std::int32_t>(builder, 1, "i_i");
    Typed<std::int64_t, std::int64_t, std::int32_t>(builder, 2, "l_li");
    Typed<float, float>(builder, 3, "f_f");
    Typed<double, double, float>(builder, 4, "d_df");
    Typed<tenon::V128, tenon::V128>(builder, 5, "v_v");
    Typed<tenon::V128, tenon::V128, std::int32_t>(builder, 6, "v_vi");
    builder.NewFunctionBuilder()
        .WithFunc([this](std::int32_t i, std::int64_t l, double d) {
          const std::uint64_t mixed = Log(7, i, l, d);
          return std::tuple{From<double>(mixed), From<std::int32_t>(Mix(mixed, 1)),
                            From<std::int64_t>(Mix(mixed, 2))};
        })
        .Export("dil_ild");
    Typed<std::int64_t, std::int32_t, double, std::int64_t, float, std::int32_t, std::int32_t,
          double, std::int64_t, std::int32_t, std::int32_t, float, std::int64_t>(builder, 8,
                                                                                 "l_many");
    AddUntyped(builder, 9, "wide");
    AddUntyped(builder, 10, "references");
    builder.NewFunctionBuilder()
        .WithFunc([this](std::int32_t value) {
          const auto answer = Answer<std::int32_t>(11, value);
          if ((value & 15) == 5) throw tenon::Trap{"host trap"};
          return answer;
        })
        .Export("trap");
    builder.NewFunctionBuilder()
        .WithFunc([this](std::int32_t value) {
          const auto answer = Answer<std::int32_t>(12, value);
          if ((value & 15) == 9) throw HostError{value};
          return answer;
        })
        .Export("throw");
    builder.NewFunctionBuilder()
        .WithHostFunction(
            [this](tenon::Module& caller, std::span<Slot> slots) {
              Log(13, static_cast<std::int32_t>(slots[0]));
              tenon::Memory memory = caller.DefaultMemory();
              const std::optional<std::uint64_t> before = memory.Grow(slots[0] & 1);
              slots[0] = before.value_or(0xFFFFFFFF);
            },
            {ValueType::I32}, {ValueType::I32})
        .Export("grow");
    builder.NewFunctionBuilder()
        .WithHostFunction(
            [this](tenon::Module& caller, std::span<Slot> slots) { Reenter(caller, slots); },
            {ValueType::I32}, {ValueType::I32})
        .Export("reenter");
  }

  /// Functions of other modules that a module imports.
  void AddUnknown(tenon::HostModuleBuilder& builder, const tenon::FunctionDefinition& function,
                  std::uint32_t id) {
    AddUntyped(builder, id, function.import->name, function.parameter_types, function.result_types);
  }

 private:
  static std::uint64_t BitsOf(std::int32_t value) { return static_cast<std::uint32_t>(value); }
  static std::uint64_t BitsOf(std::int64_t value) { return static_cast<std::uint64_t>(value); }
  std::uint64_t BitsOf(float value) const {
    return Visible(ValueType::F32, std::bit_cast<std::uint32_t>(value));
  }
  std::uint64_t BitsOf(double value) const {
    return Visible(ValueType::F64, std::bit_cast<std::uint64_t>(value));
  }
  static std::uint64_t BitsOf(const tenon::V128& value) {
    std::uint64_t halves[2];
    std::memcpy(halves, value.bytes, 16);
    return Mix(halves[0], halves[1]);
  }

  /// `mixed` as a value of type T, often one at which instructions change their behaviour.
  template <class T>
  static T From(std::uint64_t mixed) {
    if constexpr (std::is_same_v<T, float>) {
      return std::bit_cast<float>(kF32Constants[mixed % kF32Constants.size()]);
    } else if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<double>(kF64Constants[mixed % kF64Constants.size()]);
    } else if constexpr (std::is_same_v<T, tenon::V128>) {
      tenon::V128 value;
      for (std::size_t i = 0; i < 16; ++i) {
        value.bytes[i] = static_cast<std::uint8_t>(mixed >> 3 * i);
      }
      return value;
    } else {
      return static_cast<T>(mixed % 4 == 0 ? kI64Constants[mixed / 4 % kI64Constants.size()]
                                           : mixed >> (mixed % 64));
    }
  }

  template <class... Args>
  std::uint64_t Log(std::uint32_t id, const Args&... arguments) {
    Begin(RecordKind::HostCall, id);
    (seen->data.push_back(BitsOf(arguments)), ...);
    End();
    std::uint64_t mixed = id;
    ((mixed = Mix(mixed, BitsOf(arguments))), ...);
    return mixed;
  }
  template <class R, class... Args>
  R Answer(std::uint32_t id, const Args&... arguments) {
    return From<R>(Log(id, arguments...));
  }

  template <class R, class... Args>
  void Typed(tenon::HostModuleBuilder& builder, std::uint32_t id, const char* name) {
    builder.NewFunctionBuilder()
        .WithFunc([this, id](Args... arguments) { return Answer<R>(id, arguments...); })
        .Export(name);
  }
  void AddUntyped(tenon::HostModuleBuilder& builder, std::uint32_t id, const char* name) {
    const Signature& type = ImportableFunctions()[id].type;
    AddUntyped(builder, id, name, type.parameters, type.results);
  }
  void AddUntyped(tenon::HostModuleBuilder& builder, std::uint32_t id, const std::string& name,
                  const std::vector<ValueType>& parameters, const std::vector<ValueType>& results) {
    builder.NewFunctionBuilder()
        .WithHostFunction([this, id, parameters, results](
                              std::span<Slot> slots) { Untyped(id, parameters, results, slots); },
                          parameters, results)
        .Export(name);
  }
  void Untyped(std::uint32_t id, const std::vector<ValueType>& parameters,
               const std::vector<ValueType>& results, std::span<Slot> slots) {
    Begin(RecordKind::HostCall, id);
    const std::size_t begin = seen->data.size();
    const std::vector<Slot> arguments{slots.begin(), slots.end()};
    Append(parameters, slots.data());
    End();
    std::uint64_t mixed = id;
    for (std::size_t i = begin; i < seen->data.size(); ++i) mixed = Mix(mixed, seen->data[i]);
    std::size_t at = 0;
    for (const ValueType type : results) {
      mixed = Mix(mixed, 77);
      if (type == ValueType::F32) {
        slots[at] = kF32Constants[mixed % kF32Constants.size()];
      } else if (type == ValueType::F64) {
        slots[at] = kF64Constants[mixed % kF64Constants.size()];
      } else if (type.IsReference()) {
        slots[at] = ReferenceAmong(parameters, arguments, type);
      } else {
        slots[at] = static_cast<Slot>(From<std::int64_t>(mixed));
      }
      if (type.IsVector()) slots[++at] = mixed;
      ++at;
    }
  }
  /// The first argument of that type; null if there is none.
  static Slot ReferenceAmong(const std::vector<ValueType>& types, const std::vector<Slot>& slots,
                             ValueType type) {
    std::size_t at = 0;
    for (const ValueType one : types) {
      if (one == type) return slots[at];
      at += one.SlotCount();
    }
    return 0;
  }

  void Reenter(const tenon::Module& caller, std::span<Slot> slots) {
    const auto value = static_cast<std::int32_t>(slots[0]);
    Log(14, value);
    const tenon::Function callback = caller.ExportedFunction("callback");
    if (!callback || reentered >= 3) return;
    ++reentered;
    const std::exception_ptr error = callback.TryCallWithStack(slots);
    --reentered;
    if (error == nullptr) return;
    if ((value & 1) != 0) std::rethrow_exception(error);
    slots[0] = 0xFFFFFF9D;  // caught midway
  }

  const bool observes_nan_bits_;
};

Engine::Engine(const Configuration& configuration)
    : configuration_{configuration},
      runtime_{RuntimeConfigOf(configuration)},
      host_{std::make_unique<Host>(configuration.has_canonical_nan)} {
  tenon::HostModuleBuilder builder = runtime_.NewHostModuleBuilder("host");
  host_->AddTo(builder);
  host_module_ = builder.Compile();
  env_module_ = runtime_.CompileModule(EnvironmentModule());
}

Engine::~Engine() = default;

tenon::Module Engine::Instantiate(const tenon::CompiledModule& compiled, Observation& seen) {
  const tenon::ModuleConfig anonymous = tenon::ModuleConfig{}.WithName("").WithStartFunctions({});
  const tenon::Module host = runtime_.InstantiateModule(host_module_, anonymous);
  bool needs_env = !compiled.ImportedMemories().empty() || !compiled.ImportedTables().empty() ||
                   !compiled.ImportedGlobals().empty();
  std::map<std::string, tenon::HostModuleBuilder> others;
  for (const tenon::FunctionDefinition& function : compiled.ImportedFunctions()) {
    const std::string& module = function.import->module;
    needs_env = needs_env || module == "env";
    if (module == "env" || module == "host") continue;
    tenon::HostModuleBuilder& builder =
        others.try_emplace(module, runtime_.NewHostModuleBuilder(module)).first->second;
    seen.names.push_back(module + "." + function.import->name);
    host_->AddUnknown(builder, function, static_cast<std::uint32_t>(seen.names.size() - 1));
  }
  tenon::ModuleConfig config = anonymous.WithImport("host", host);
  for (auto& [name, builder] : others) {
    config = config.WithImport(name, runtime_.InstantiateModule(builder.Compile(), anonymous));
  }
  env_ = {};
  if (needs_env) {
    env_ = runtime_.InstantiateModule(env_module_, anonymous.WithImport("host", host));
    config = config.WithImport("env", env_);
  }
  return runtime_.InstantiateModule(compiled, config);
}

namespace {

struct Ending {
  Outcome outcome = Outcome::Returned;
  std::uint64_t detail = 0;
  tenon::TrapCode trap = tenon::TrapCode::None;
};

Ending EndingOf(const std::exception_ptr& error, const RunPlan& plan) {
  if (error == nullptr) return {};
  try {
    std::rethrow_exception(error);
  } catch (const tenon::Trap& trap) {
    std::uint64_t detail = static_cast<std::uint64_t>(trap.Code());
    if (plan.compares_backtraces) {
      for (const tenon::BacktraceFrame& frame : trap.Backtrace()) {
        detail = Mix(detail, frame.function_index) ^ frame.module_offset << 8;
      }
    }
    return {Outcome::Trapped, detail, trap.Code()};
  } catch (const HostError& host) {
    return {Outcome::HostThrew, static_cast<std::uint64_t>(host.detail), {}};
  } catch (const tenon::ExitError& exit) {
    return {Outcome::Exited, exit.ExitCode(), {}};
  } catch (const tenon::Error& refused) {
    return {Outcome::Refused, static_cast<std::uint64_t>(refused.Id()), {}};
  }
}

}  // namespace

void Engine::Call(const tenon::Module& module, const tenon::FunctionDefinition& function,
                  std::uint64_t seed, const RunPlan& plan, Observation& seen) {
  const auto name = static_cast<std::uint32_t>(seen.names.size());
  seen.names.push_back(function.export_names.front());
  if (tenon::Global fuel = module.ExportedGlobal("fuel");
      fuel && fuel.IsMutable() && fuel.Type() == ValueType::I32) {
    fuel.Set(plan.fuel);
  }
  if (const tenon::Function limit = module.ExportedFunction("hangLimitInitializer")) limit.Call();

  std::vector<Slot> slots;
  Random random{seed};
  for (const ValueType type : function.parameter_types) {
    if (type == ValueType::FuncRef) {
      const auto& exported = module.ExportedFunction(function.export_names.front());
      const bool is_null = random.Below(2) == 0;
      slots.push_back(is_null ? 0 : reinterpret_cast<std::uintptr_t>(exported.Record()));
    } else if (type.IsReference()) {
      slots.push_back(random.Below(4));
    } else {
      const ConstantBits bits = InterestingBits(random, type);
      // What the upper half of a slot holds must not matter.
      const bool is_half = type == ValueType::I32 || type == ValueType::F32;
      slots.push_back(is_half ? bits.low | random.Bits() << 32 : bits.low);
      if (type.IsVector()) slots.push_back(bits.high);
    }
  }
  host_->Begin(RecordKind::Call, name);
  host_->Append(function.parameter_types, slots.data());
  host_->End();
  std::size_t result_slots = 0;
  for (const ValueType type : function.result_types) result_slots += type.SlotCount();
  if (slots.size() < result_slots) slots.resize(result_slots, 0xDEAD);
  const tenon::Function callee = module.ExportedFunction(function.export_names.front());
  const Ending ending = EndingOf(callee.TryCallWithStack(slots), plan);
  host_->Begin(RecordKind::Call, name);
  seen.data.push_back(static_cast<std::uint64_t>(ending.outcome));
  seen.data.push_back(ending.detail);
  if (ending.outcome == Outcome::Returned) host_->Append(function.result_types, slots.data());
  host_->End();
  ++seen.executions;
  if (ending.outcome == Outcome::Trapped) {
    ++seen.traps_by_code[static_cast<std::size_t>(ending.trap)];
  }
}

void Engine::RecordState(const tenon::CompiledModule& compiled, const tenon::Module& module,
                         std::string_view prefix, Observation& seen) {
  const auto begin = [&](RecordKind kind, const std::string& name) {
    host_->Begin(kind, static_cast<std::uint32_t>(seen.names.size()));
    seen.names.push_back(std::string{prefix} + name);
  };
  const auto append = [&](const tenon::Value& value) {
    const ValueType type = value.Type();
    Slot slots[2] = {0, 0};
    value.ToSlots(slots);
    host_->Append(std::span{&type, 1}, slots);
  };
  for (const tenon::GlobalDefinition& global : compiled.ExportedGlobals()) {
    begin(RecordKind::Global, global.export_names.front());
    append(module.ExportedGlobal(global.export_names.front()).Get());
    host_->End();
  }
  for (const tenon::TableDefinition& definition : compiled.ExportedTables()) {
    const tenon::Table table = module.ExportedTable(definition.export_names.front());
    begin(RecordKind::Table, definition.export_names.front());
    for (std::uint64_t i = 0; i < table.Size(); ++i) append(*table.Get(i));
    host_->End();
  }
  const tenon::Memory memory = module.DefaultMemory();
  if (!memory) return;
  const std::span<std::uint8_t> bytes = *memory.ViewUnsynchronized(0, memory.Size());
  begin(RecordKind::Memory, "memory");
  seen.data.push_back(seen.memories.size());
  host_->End();
  seen.memories.emplace_back(bytes.begin(), bytes.end());
}

Observation Engine::Run(const Bytes& module, const RunPlan& plan) {
  Observation seen;
  host_->seen = &seen;
  host_->reentered = 0;
  for (const ImportableFunction& function : ImportableFunctions()) {
    seen.names.push_back(function.module + "." + function.name);
  }
  tenon::CompiledModule compiled;
  try {
    compiled = runtime_.CompileModule(
        configuration_.fault ? WithFault(module, *configuration_.fault) : module);
  } catch (const tenon::Error& error) {
    seen.invalid = error.what();
    return seen;
  }
  tenon::Module instance;
  std::exception_ptr error;
  try {
    instance = Instantiate(compiled, seen);
  } catch (...) {
    error = std::current_exception();
  }
  const Ending ending = EndingOf(error, plan);
  host_->Begin(RecordKind::Instantiate, static_cast<std::uint32_t>(seen.names.size()));
  seen.names.emplace_back("instantiate");
  seen.data.push_back(static_cast<std::uint64_t>(ending.outcome));
  seen.data.push_back(ending.detail);
  host_->End();
  ++seen.executions;

  if (instance) {
    Random seeds{plan.seed};
    const std::vector<tenon::FunctionDefinition> functions = compiled.ExportedFunctions();
    for (std::uint32_t set = 0; set < plan.argument_sets; ++set) {
      for (const tenon::FunctionDefinition& function : functions) {
        const std::uint64_t seed = seeds.Next();
        if (function.import && set != 0) continue;
        Call(instance, function, seed, plan, seen);
      }
    }
    RecordState(compiled, instance, "", seen);
  }
  if (env_) RecordState(env_module_, env_, "env.", seen);
  env_ = {};
  host_->seen = nullptr;
  return seen;
}

}  // namespace differential
