// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of instantiate.hpp.
#pragma once

#include <algorithm>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/function_shape.hpp>
#include <tenon/error.hpp>
#include <tenon/system.hpp>
#include <tenon/vm/bulk.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/constant.hpp>
#include <tenon/vm/host_call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/instantiate.hpp>
#include <tenon/vm/linker.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

[[gnu::cold]] constexpr std::uint16_t CountSlots(std::span<const ValueType> types) {
  std::uint32_t slots = 0;
  for (const ValueType type : types) slots += type.SlotCount();
  return static_cast<std::uint16_t>(slots);
}

/// Fills an instance that nobody else sees yet.
class InstanceMaker {
 public:
  InstanceMaker(Instance& instance, const std::vector<ResolvedImport>& imports)
      : instance_{instance}, module_{instance.Module()}, imports_{imports} {}

  [[gnu::cold]] void Run() {
    MakeTypes();
    MakeTables();
    MakeMemories();
    if (instance_.store->engine.link != nullptr) {
      instance_.linked_code = instance_.store->engine.link(instance_);
    }
    MakeFunctions();
    MakeGlobals();
    MakeElements();
    instance_.dropped_data.assign(module_.data.size(), false);
    FillHeader();
  }

 private:
  template <class F>
  void ForImports(ExternKind kind, F visit) {
    for (std::size_t i = 0; i < imports_.size(); ++i) {
      if (module_.imports[i].kind == kind) {
        visit(*imports_[i].exporter.Get(), imports_[i].index);
      }
    }
  }

  [[gnu::cold]] void MakeTypes() {
    instance_.types.reserve(module_.types.size());
    for (std::uint32_t i = 0; i < module_.types.size(); ++i) {
      instance_.types.push_back(
          instance_.store->types.Intern(module_.Parameters(i), module_.Results(i)));
    }
  }

  [[gnu::cold]] void MakeFunctions() {
    const auto own = instance_.IsHost() ? module_.functions.size() : module_.bodies.size();
    instance_.records = std::make_unique<abi::FunctionRecord[]>(own);
    instance_.functions.reserve(module_.functions.size());
    ForImports(ExternKind::Func, [&](Instance& exporter, std::uint32_t index) {
      instance_.functions.push_back(exporter.functions[index]);
    });
    const auto first = static_cast<std::uint32_t>(instance_.functions.size());
    for (std::uint32_t i = 0; i < own; ++i) {
      abi::FunctionRecord& record = instance_.records[i];
      record.index = first + i;
      const std::uint32_t type = module_.functions[record.index];
      record.type = instance_.types[type];
      record.instance = instance_.header;
      record.parameter_slots = CountSlots(module_.Parameters(type));
      record.result_slots = CountSlots(module_.Results(type));
      record.shape = ShapeOf(module_.Parameters(type), module_.Results(type));
      if (instance_.IsHost()) {
        const abi::HostFunction& host = instance_.host->functions[i].callable->Get();
        record.code = host.signature->thunk;
        record.invoke = host.signature->invoke;
        record.context = host.state;
        record.flags = host.signature->flags | abi::kFunctionIsHost;
      } else {
        record.context = instance_.header;
        instance_.store->engine.bind(instance_.Code(), i, record);
      }
      if (!instance_.IsHost() && std::ranges::find(module_.Parameters(type), ValueType::FuncRef) !=
                                     module_.Parameters(type).end()) {
        record.flags |= abi::kFunctionTakesFunctions;
        record.host_entry = nullptr;
      }
      const bool has_listener =
          !instance_.listeners.empty() && instance_.listeners[record.index] != nullptr;
      if (has_listener) {
        instance_.listened.resize(module_.functions.size());
        instance_.listened[record.index] = std::make_unique<const FunctionDefinition>(
            DefineFunction(*instance_.code, instance_.host.get(), instance_.name, record.index));
        record.invoke = instance_.store->settings.invoke_listened;
        record.host_entry = nullptr;
      }
      const bool is_charged = instance_.IsHost() && instance_.host->functions[i].policy.cost != 0;
      if (is_charged && !has_listener) record.invoke = InvokeCharged;
      Adapt(type, has_listener || is_charged, record);
      instance_.functions.push_back(&record);
    }
  }

  /// Functions that only `invoke` can call get an entry that does so, if the engine needs one.
  [[gnu::cold]] void Adapt(std::uint32_t type, bool has_own_invoke, abi::FunctionRecord& record) {
    const Engine& engine = instance_.store->engine;
    if (engine.adapt == nullptr) return;
    const bool is_dynamic = instance_.IsHost() && record.code == nullptr;
    if (!has_own_invoke && !is_dynamic) return;
    engine.adapt(instance_.Code(), type, record);
    if (is_dynamic && !has_own_invoke) record.invoke = InvokeHostSlots;
  }

  [[gnu::cold]] void MakeTables() {
    ForImports(ExternKind::Table, [&](Instance& exporter, std::uint32_t index) {
      instance_.tables.push_back(exporter.tables[index]);
    });
    const std::uint64_t limit = instance_.store->settings.table_limit;
    for (std::size_t i = instance_.tables.size(); i < module_.tables.size(); ++i) {
      const wasm::TableType& type = module_.tables[i];
      const std::string size = std::to_string(type.limits.minimum);
      if (type.limits.minimum > limit) {
        throw LinkError{ErrorCode::TableLimit,
                        FormatError(ErrorCode::TableLimit, {size, std::to_string(limit)})};
      }
      try {
        instance_.tables.push_back(std::make_shared<TableInstance>(type, limit));
      } catch (const std::bad_alloc&) {
        throw LinkError{ErrorCode::TableAllocation,
                        FormatError(ErrorCode::TableAllocation, {size})};
      }
    }
    for (const auto& table : instance_.tables) instance_.table_records.push_back(&table->Record());
  }

  [[gnu::cold]] void MakeMemories() {
    ForImports(ExternKind::Memory, [&](Instance& exporter, std::uint32_t index) {
      MemoryInstance* memory = exporter.memories[index].get();
      memory->Retain();
      instance_.memories.emplace_back(memory);
    });
    for (std::size_t i = instance_.memories.size(); i < module_.memories.size(); ++i) {
      const wasm::MemoryType& type = module_.memories[i];
      const MemorySettings& settings = instance_.store->memory_settings;
      MemoryPointer memory{MemoryInstance::Create(type, settings)};
      if (memory == nullptr) FailMemory(type, settings);
      memory->Describe(instance_.code, instance_.name, static_cast<std::uint32_t>(i));
      instance_.memories.push_back(std::move(memory));
    }
    for (const MemoryPointer& memory : instance_.memories) {
      memory->AddUser();
      instance_.memory_records.push_back(&memory->Record());
    }
    for (const auto& table : instance_.tables) table->AddUser();
    instance_.uses_resources = true;
  }

  [[noreturn]] static void FailMemory(const wasm::MemoryType& type,
                                      const MemorySettings& settings) {
    const std::string pages = std::to_string(type.limits.minimum);
    if (type.limits.minimum > settings.limit_pages) {
      throw LinkError{
          ErrorCode::MemoryPagesLimit,
          FormatError(ErrorCode::MemoryPagesLimit, {pages, std::to_string(settings.limit_pages)})};
    }
    const std::uint64_t limit = settings.budget->Limit();
    if (limit != UINT64_MAX) {
      const std::uint64_t bytes = MemoryInstance::FirstCapacity(type, settings);
      throw LinkError{
          ErrorCode::MemoryLimit,
          FormatError(ErrorCode::MemoryLimit, {std::to_string(bytes), std::to_string(limit)})};
    }
    throw LinkError{ErrorCode::MemoryAllocation, FormatError(ErrorCode::MemoryAllocation, {pages})};
  }

  [[gnu::cold]] void MakeGlobals() {
    ForImports(ExternKind::Global, [&](Instance& exporter, std::uint32_t index) {
      instance_.globals.push_back(exporter.globals[index]);
      instance_.global_slots.push_back(exporter.globals[index]->Slots());
    });
    const std::size_t imported = instance_.globals.size();
    for (std::size_t i = imported; i < module_.globals.size(); ++i) {
      instance_.globals.push_back(std::make_shared<GlobalInstance>(module_.globals[i]));
      abi::Slot* slots = instance_.globals.back()->Slots();
      if (instance_.IsHost()) {
        instance_.host->globals[i].ToSlots(slots);
      } else {
        abi::Slot value[2] = {0, 0};
        EvaluateConstant(instance_, module_.global_inits[i - imported], value);
        slots[0] = value[0];
        slots[1] = value[1];
      }
      instance_.global_slots.push_back(slots);
    }
  }

  [[gnu::cold]] void MakeElements() {
    instance_.elements.resize(module_.elements.size());
    for (std::size_t i = 0; i < module_.elements.size(); ++i) {
      const wasm::ElementSegment& segment = module_.elements[i];
      wasm::FlatArray<abi::Slot>& elements = instance_.elements[i];
      elements.reserve(segment.count);
      wasm::ByteReader reader{module_.bytes, segment.items};
      while (elements.size() != segment.count) {
        abi::Slot value[2] = {0, 0};
        if (segment.items_are_expressions) {
          EvaluateConstant(instance_, reader, value);
        } else {
          std::uint32_t function = 0;
          reader.ReadU32(function);
          value[0] = reinterpret_cast<abi::Slot>(instance_.functions[function]);
        }
        elements.push_back(value[0]);
      }
    }
  }

  static std::uint64_t ShapeOf(std::span<const ValueType> parameters,
                               std::span<const ValueType> results) {
    return abi::ShapeOf(parameters.data(), parameters.size(), results.data(), results.size());
  }

  /// Where C's function pointers are indices into.
  [[gnu::cold]] const abi::TableRecord* FindFunctionTable() const {
    const auto exported = instance_.FindExport(ExternKind::Table, "__indirect_function_table");
    const std::uint32_t index = exported.value_or(0);
    if (index >= instance_.tables.size() ||
        instance_.tables[index]->Type().element != ValueType::FuncRef) {
      return nullptr;
    }
    return instance_.table_records[index];
  }

  [[gnu::cold]] void FillHeader() {
    abi::InstanceHeader& header = *instance_.header;
    header.types = instance_.types.data();
    header.functions = instance_.functions.data();
    header.tables = instance_.table_records.data();
    header.memories = instance_.memory_records.data();
    header.globals = instance_.global_slots.data();
    header.operations = &ThunkOperations();
    instance_.function_table = FindFunctionTable();
    header.runtime_calls = instance_.store->engine.runtime_calls;
    if (!instance_.memory_records.empty()) {
      header.memory = instance_.memory_records[0];
      const bool immovable = (header.memory->flags & abi::kMemoryImmovable) != 0;
      header.memory_base = immovable ? header.memory->base : nullptr;
    }
    if (instance_.IsHost()) return;
    auto* import = reinterpret_cast<abi::ImportRecord*>(&header + 1);
    for (std::uint32_t i = 0; i < module_.imported_functions; ++i) {
      const abi::FunctionRecord* function = instance_.functions[i];
      new (import + i) abi::ImportRecord{__atomic_load_n(&function->code, __ATOMIC_RELAXED),
                                         function->context, function};
    }
    instance_.store->EnterImporter(instance_);
  }

  Instance& instance_;
  const wasm::Module& module_;
  const std::vector<ResolvedImport>& imports_;
};

inline void RequireInBounds(TrapCode trap) {
  if (trap != TrapCode::None) throw Trap{trap, TrapText(trap), {}};
}

[[gnu::cold]] inline void RunSegments(Instance& instance) {
  const wasm::Module& module = instance.Module();
  for (std::uint32_t i = 0; i < module.elements.size(); ++i) {
    const wasm::ElementSegment& segment = module.elements[i];
    if (segment.mode == wasm::SegmentMode::Active) {
      abi::Slot offset[2] = {0, 0};
      EvaluateConstant(instance, segment.offset, offset);
      RequireInBounds(TableInit(instance, i, segment.table, offset[0], 0, segment.count));
    }
    if (segment.mode != wasm::SegmentMode::Passive) ElementDrop(instance, i);
  }
  for (std::uint32_t i = 0; i < module.data.size(); ++i) {
    const wasm::DataSegment& segment = module.data[i];
    if (segment.mode != wasm::SegmentMode::Active) continue;
    abi::Slot offset[2] = {0, 0};
    EvaluateConstant(instance, segment.offset, offset);
    RequireInBounds(MemoryInit(instance, i, segment.memory, offset[0], 0, segment.bytes.size));
    DataDrop(instance, i);
  }
}

/// Exporters whose functions, tables or globals the instance can hold on to join its group, and
/// those of memories and globals that both can write to, because they must not run at the same
/// time. Host functions and constants are kept alive by counting.
[[gnu::cold]] inline void JoinGroups(Instance& instance,
                                     const std::vector<ResolvedImport>& imports) {
  const wasm::Module& module = instance.Module();
  for (std::size_t i = 0; i < imports.size(); ++i) {
    Instance& exporter = *imports[i].exporter.Get();
    const ExternKind kind = module.imports[i].kind;
    const std::uint32_t index = module.imports[i].index;
    const bool is_tied =
        kind == ExternKind::Table ||
        (kind == ExternKind::Memory && !module.memories[index].limits.is_shared) ||
        (kind == ExternKind::Global && (!exporter.IsHost() || module.globals[index].is_mutable ||
                                        module.globals[index].type.IsReference())) ||
        (kind == ExternKind::Func && !OwnerOf(*exporter.functions[imports[i].index]).IsHost());
    if (is_tied) instance.store->Join(instance, exporter);
  }
  // Members of the group are kept alive by the group; counting them here would be a cycle.
  for (std::uint32_t i = 0; i < module.imported_functions; ++i) {
    Instance& owner = OwnerOf(*instance.functions[i]);
    const bool is_known =
        owner.group == instance.group ||
        std::ranges::any_of(instance.host_imports,
                            [&](const InstanceHandle& known) { return known.Get() == &owner; });
    if (!is_known) instance.host_imports.emplace_back(&owner);
  }
}

inline std::size_t ParameterCountOf(const Instance& instance, std::uint32_t function) {
  const wasm::Module& module = instance.Module();
  return module.Parameters(module.functions[function]).size();
}

[[gnu::cold]] inline void RunStartFunctions(Instance& instance, const InstanceSettings& settings) {
  if (instance.Module().start != wasm::kNoIndex) {
    abi::Slot slots[1] = {0};
    CallAs(instance, *instance.functions[instance.Module().start], slots, settings.context);
  }
  for (const std::string& name : settings.start_functions) {
    const auto index = instance.FindExport(ExternKind::Func, name);
    if (!index.has_value() || instance.IsHost()) continue;
    const abi::FunctionRecord& function = *instance.functions[*index];
    if (function.parameter_slots != 0) {
      throw LinkError{
          ErrorCode::StartFunctionParameters,
          FormatError(ErrorCode::StartFunctionParameters,
                      {instance.name, name, std::to_string(ParameterCountOf(instance, *index))})};
    }
    wasm::FlatArray<abi::Slot> slots(function.result_slots + std::size_t{1});
    try {
      CallAs(instance, function, slots.data(), settings.context);
    } catch (const ExitError& exit) {
      if (exit.ExitCode() != 0) throw;
      instance.store->Close(instance, 0);
      return;
    }
  }
}

}  // namespace detail

[[gnu::cold]] TENON_DECL InstanceHandle Instantiate(const CompiledState& compiled,
                                                    const InstanceSettings& settings) {
  const std::shared_ptr<Store> store = compiled.store;
  store->RequireOpen();
  if (compiled.is_closed.load() || compiled.code == nullptr) {
    throw LinkError{ErrorCode::SourceNotCompiled, ErrorText(ErrorCode::SourceNotCompiled)};
  }
  const std::vector<ResolvedImport> imports = ResolveImports(compiled, *store, settings);
  auto made = std::make_unique<Instance>(store, compiled);
  made->name = settings.name.value_or(compiled.name);
  made->system = std::make_unique<System>(*settings.system);
  made->budget = settings.budget;
  made->is_hidden = settings.is_hidden;
  detail::InstanceMaker{*made, imports}.Run();
  for (const ResolvedImport& import : imports) {
    if (import.exporter.Get()->is_hidden) import.exporter.Get()->ForgetResources();
  }
  store->Enter(*made);
  Instance& instance = *made.release();
  // Takes over the count that Enter made.
  const InstanceHandle handle{&instance};
  Release(instance);
  store->settings.make_views(instance);
  try {
    detail::JoinGroups(instance, imports);
    detail::RunSegments(instance);
    store->Publish(instance);
    detail::RunStartFunctions(instance, settings);
  } catch (const ExitError& exit) {
    store->Close(instance, exit.ExitCode());
    throw;
  } catch (...) {
    // Functions already written into shared tables stay callable.
    store->Abandon(instance);
    throw;
  }
  return handle;
}

}  // namespace tenon::inline TENON_ABI::vm
