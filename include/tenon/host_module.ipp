// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of host_module.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <tenon/cache/compile.hpp>
#include <tenon/error.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module_config.ipp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/host_module_state.hpp>
#include <tenon/vm/instantiate.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module_builder.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

/// A host function whose type is known at run time only: its own signature and state.
struct DynamicHostFunction {
  std::function<void(Module&, std::span<abi::Slot>)> function;
  std::vector<ValueType> parameters;
  std::vector<ValueType> results;
  std::vector<std::uint8_t> widths;
  abi::HostSignature signature{};
};

inline void InvokeDynamic(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                          abi::Slot* slots) {
  try {
    const auto& dynamic = *static_cast<const DynamicHostFunction*>(callee->context);
    const std::size_t count = std::max(callee->parameter_slots, callee->result_slots);
    dynamic.function(*static_cast<Module*>(caller->module), std::span{slots, count});
    for (const ValueType type : dynamic.results) {
      if (type == ValueType::FuncRef && !bind::detail::CheckFunction(caller, *slots)) return;
      slots += type.SlotCount();
    }
  } catch (...) {
    vm::CaptureException(*caller);
  }
}

[[gnu::cold]] inline bind::OwnedHostFunction MakeDynamic(
    std::function<void(Module&, std::span<abi::Slot>)> function, std::vector<ValueType> parameters,
    std::vector<ValueType> results, std::uint32_t flags) {
  auto dynamic = std::make_unique<DynamicHostFunction>();
  dynamic->function = std::move(function);
  dynamic->parameters = std::move(parameters);
  dynamic->results = std::move(results);
  dynamic->widths.assign(dynamic->parameters.size(), 1);
  dynamic->signature = {
      .parameters = dynamic->parameters.data(),
      .results = dynamic->results.data(),
      .parameter_count = static_cast<std::uint32_t>(dynamic->parameters.size()),
      .result_count = static_cast<std::uint32_t>(dynamic->results.size()),
      .parameter_widths = dynamic->widths.data(),
      .cpp_parameter_count = static_cast<std::uint32_t>(dynamic->widths.size()),
      .flags = flags,
      .thunk = nullptr,
      .invoke = InvokeDynamic,
      .special_count = 0,
      .spellings = nullptr,
      .result_operands = 0,
      .operand_names = nullptr,
  };
  const abi::HostSignature* signature = &dynamic->signature;
  return bind::OwnedHostFunction{abi::HostFunction{
      signature, dynamic.release(),
      [](void* state) noexcept { delete static_cast<DynamicHostFunction*>(state); }}};
}

/// The values themselves stay out of the bytes, which are the cache's key.
[[gnu::cold]] inline wasm::ConstantExpression DefaultOf(ValueType type) {
  if (type == ValueType::I32) return wasm::ConstantExpression::I32(0);
  if (type == ValueType::I64) return wasm::ConstantExpression::I64(0);
  if (type == ValueType::F32) return wasm::ConstantExpression::F32(0);
  if (type == ValueType::F64) return wasm::ConstantExpression::F64(0);
  if (type == ValueType::V128) return wasm::ConstantExpression::V128({});
  return wasm::ConstantExpression::RefNull(type.Heap());
}

/// Turns what a builder collected into a module.
class HostModuleEncoder {
 public:
  explicit HostModuleEncoder(const vm::HostModuleState& state)
      : state_{state}, features_{state.store->settings.features} {}

  [[gnu::cold]] std::shared_ptr<vm::CompiledState> Run() {
    CheckDrafts();
    if (!IsName(state_.name)) Fail(ErrorCode::BuilderModuleName, {Shown(state_.name)});
    if (!state_.name.empty()) builder_.NameModule(state_.name);
    for (const auto& [name, exported] : state_.exports) {
      std::visit([&](const auto& item) { Add(name, item); }, exported);
    }
    return cache::CompileHost(state_.store, builder_.Build(), state_.name,
                              std::make_shared<const vm::HostCallables>(std::move(callables_)));
  }

 private:
  [[noreturn]] static void Fail(ErrorCode code, std::initializer_list<std::string_view> arguments) {
    throw ConfigError{code, FormatError(code, arguments)};
  }
  [[noreturn]] void FailFunction(const std::string& name, ErrorCode code,
                                 std::initializer_list<std::string_view> arguments) const {
    throw ConfigError{code, FormatError(ErrorCode::BuilderFunctionPrefix,
                                        {state_.name, Shown(name), FormatError(code, arguments)})};
  }

  static bool IsName(std::string_view name) {
    return wasm::IsUtf8({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  }
  /// A name for an error text, which is UTF-8 even if the name is not.
  [[gnu::cold]] static std::string Shown(std::string name) {
    if (!IsName(name)) {
      std::ranges::replace_if(
          name, [](char byte) { return static_cast<unsigned char>(byte) > 0x7F; }, '?');
    }
    return name;
  }
  void CheckExportName(std::string_view kind, const std::string& name) const {
    if (!IsName(name)) Fail(ErrorCode::BuilderExportName, {kind, state_.name, Shown(name)});
  }

  [[gnu::cold]] void CheckDrafts() const {
    for (const vm::HostFunctionDraft& draft : state_.functions) {
      if (!draft.is_exported) Fail(ErrorCode::BuilderNotExported, {state_.name, draft.name});
    }
    if (state_.shadowing == Shadowing::Refuse && state_.shadowed.has_value()) {
      Fail(ErrorCode::BuilderShadowed, {state_.name, Shown(*state_.shadowed)});
    }
    constexpr std::size_t limit = 65536;
    const auto exported = std::ranges::count_if(state_.exports, [](const auto& entry) {
      return std::holds_alternative<vm::HostFunctionDraft>(entry.second);
    });
    if (static_cast<std::size_t>(exported) > limit) {
      Fail(ErrorCode::BuilderTooManyFunctions, {std::to_string(limit)});
    }
  }

  [[gnu::cold]] void Add(const std::string& name, const vm::HostFunctionDraft& draft) {
    if (draft.callable == nullptr) FailFunction(name, ErrorCode::BuilderNoCallable, {});
    if (!*draft.callable) FailFunction(name, ErrorCode::BuilderNullCallable, {});
    const abi::HostSignature& signature = *draft.callable->Get().signature;
    const std::span parameters{signature.parameters, signature.parameter_count};
    const std::span results{signature.results, signature.result_count};
    CheckNames(name, draft, signature);
    CheckCounts(name, parameters, results);
    CheckFeatures(name, parameters, results);
    const std::uint32_t function =
        builder_.ImportFunction(state_.name, name, builder_.Type(parameters, results));
    builder_.NameFunction(function, draft.name.empty() ? name : draft.name);
    NameOperands(function, draft, signature);
    for (std::uint32_t i = 0; i < draft.result_names.size(); ++i) {
      builder_.NameResult(function, i, draft.result_names[i]);
    }
    builder_.Export(name, ExternKind::Func, function);
    callables_.functions.push_back({draft.callable, draft.policy});
  }

  /// A parameter `p` of one operand is named `p`, a view `p` and `p_len`; what its type names, as
  /// the fields of a struct, `p_` and that name, or that name if parameters have none.
  [[gnu::cold]] void NameOperands(std::uint32_t function, const vm::HostFunctionDraft& draft,
                                  const abi::HostSignature& signature) {
    const bool has_names = !draft.parameter_names.empty();
    if (!has_names && signature.operand_names == nullptr) return;
    std::uint32_t local = 0;
    for (; local < signature.result_operands; ++local) {
      builder_.NameLocal(function, local, "result");
    }
    for (std::uint32_t i = 0; i < signature.cpp_parameter_count; ++i) {
      const std::uint32_t width = signature.parameter_widths[i];
      for (std::uint32_t n = 0; n < width; ++n, ++local) {
        const char* own =
            signature.operand_names == nullptr ? nullptr : signature.operand_names[local];
        if (!has_names) {
          const bool is_number = own != nullptr && *own >= '0' && *own <= '9';
          if (own != nullptr && !is_number) builder_.NameLocal(function, local, own);
          continue;
        }
        std::string name = draft.parameter_names[i];
        if (own != nullptr) {
          name.append("_").append(own);
        } else if (width == 2) {
          name += n == 0 ? "" : "_len";
        } else if (width > 2) {
          name.append("_").append(std::to_string(n));
        }
        builder_.NameLocal(function, local, name);
      }
    }
  }

  [[gnu::cold]] void CheckNames(const std::string& name, const vm::HostFunctionDraft& draft,
                                const abi::HostSignature& signature) const {
    if (!IsName(name) || !IsName(draft.name) ||
        !std::ranges::all_of(draft.parameter_names, IsName) ||
        !std::ranges::all_of(draft.result_names, IsName)) {
      FailFunction(name, ErrorCode::BuilderFunctionName, {});
    }
    if (!draft.parameter_names.empty() &&
        draft.parameter_names.size() != signature.cpp_parameter_count) {
      FailFunction(name, ErrorCode::BuilderParameterNames,
                   {std::to_string(signature.cpp_parameter_count),
                    std::to_string(draft.parameter_names.size())});
    }
    if (!draft.result_names.empty() && draft.result_names.size() != signature.result_count) {
      FailFunction(
          name, ErrorCode::BuilderResultNames,
          {std::to_string(signature.result_count), std::to_string(draft.result_names.size())});
    }
  }

  [[gnu::cold]] void CheckCounts(const std::string& name, std::span<const ValueType> parameters,
                                 std::span<const ValueType> results) const {
    const wasm::ImplementationLimits limits;
    if (parameters.size() > limits.parameters) {
      FailFunction(
          name, ErrorCode::BuilderValueCount,
          {std::to_string(parameters.size()), "params", std::to_string(limits.parameters)});
    }
    if (results.size() > limits.results) {
      FailFunction(name, ErrorCode::BuilderValueCount,
                   {std::to_string(results.size()), "results", std::to_string(limits.results)});
    }
  }

  [[gnu::cold]] void CheckFeatures(const std::string& name, std::span<const ValueType> parameters,
                                   std::span<const ValueType> results) const {
    if (results.size() > 1 && !features_.IsEnabled(Feature::MultiValue)) {
      FailFunction(name, ErrorCode::BuilderMultiValue, {});
    }
    for (const std::span<const ValueType> types : {parameters, results}) {
      for (const ValueType type : types) {
        const Feature needed = type.IsVector()      ? Feature::Simd
                               : type.IsReference() ? Feature::ReferenceTypes
                                                    : Feature::Mvp;
        if (!features_.IsEnabled(needed)) {
          FailFunction(name, ErrorCode::BuilderFeature, {TypeName(type), FeatureName(needed)});
        }
      }
    }
  }

  [[gnu::cold]] void CheckLimits(std::string_view kind, const std::string& name,
                                 const wasm::Limits& limits, std::uint64_t most) const {
    CheckExportName(kind, name);
    const std::uint64_t largest = std::max(limits.minimum, limits.has_maximum ? limits.maximum : 0);
    if (largest > most) {
      Fail(ErrorCode::BuilderSize,
           {kind, state_.name, name, std::to_string(largest), std::to_string(most)});
    }
    if (limits.has_maximum && limits.minimum > limits.maximum) {
      Fail(ErrorCode::BuilderLimits, {kind, state_.name, name, std::to_string(limits.minimum),
                                      std::to_string(limits.maximum)});
    }
  }

  [[gnu::cold]] void Add(const std::string& name, const wasm::MemoryType& memory) {
    CheckLimits("memory", name, memory.limits,
                memory.limits.is_64 ? wasm::kMaxPages64 : wasm::kMaxPages32);
    if (memory.limits.is_64 && !features_.IsEnabled(Feature::Memory64)) {
      Fail(ErrorCode::BuilderMemory64, {state_.name, name, FeatureName(Feature::Memory64)});
    }
    if (memory.limits.is_shared && !features_.IsEnabled(Feature::Threads)) {
      Fail(ErrorCode::BuilderSharedMemory, {state_.name, name, FeatureName(Feature::Threads)});
    }
    if (std::exchange(has_memory_, true)) {
      Fail(ErrorCode::BuilderTooManyMemories, {state_.name});
    }
    builder_.Export(name, ExternKind::Memory, builder_.Memory(memory));
  }
  [[gnu::cold]] void Add(const std::string& name, const wasm::TableType& table) {
    // A maximum is not allocated; what is, the runtime's limit of elements bounds.
    CheckLimits("table", name, table.limits, UINT32_MAX);
    if (table.element != ValueType::FuncRef && table.element != ValueType::ExternRef) {
      Fail(ErrorCode::BuilderTableElement, {state_.name, name, TypeName(table.element)});
    }
    builder_.Export(name, ExternKind::Table, builder_.Table(table));
  }
  [[gnu::cold]] void Add(const std::string& name, const vm::HostGlobal& global) {
    CheckExportName("global", name);
    const ValueType type = global.value.Type();
    if (type == ValueType::FuncRef && !global.value.Func().IsNull()) {
      Fail(ErrorCode::GlobalForeignFunction, {});
    }
    builder_.Export(name, ExternKind::Global,
                    builder_.Global({type, global.is_mutable}, DefaultOf(type)));
    callables_.globals.push_back(global.value);
  }

  const vm::HostModuleState& state_;
  CoreFeatures features_;
  wasm::ModuleBuilder builder_;
  vm::HostCallables callables_;
  bool has_memory_ = false;
};

/// What a builder handle refers to; a handle that was moved from refers to nothing.
inline vm::HostModuleState& RequireState(const std::shared_ptr<vm::HostModuleState>& state) {
  if (state == nullptr) vm::ThrowEmptyHandle("HostModuleBuilder");
  return *state;
}

}  // namespace detail

[[gnu::cold]] TENON_DECL HostFunctionBuilder HostFunctionBuilder::WithHostFunction(
    std::function<void(std::span<abi::Slot>)> function, std::vector<ValueType> parameters,
    std::vector<ValueType> results) {
  if (!function) return WithHostFunction(bind::OwnedHostFunction{});
  return WithHostFunction(detail::MakeDynamic(
      [function = std::move(function)](Module&, std::span<abi::Slot> slots) { function(slots); },
      std::move(parameters), std::move(results), 0));
}

[[gnu::cold]] TENON_DECL HostFunctionBuilder HostFunctionBuilder::WithHostFunction(
    std::function<void(Module&, std::span<abi::Slot>)> function, std::vector<ValueType> parameters,
    std::vector<ValueType> results) {
  if (!function) return WithHostFunction(bind::OwnedHostFunction{});
  return WithHostFunction(detail::MakeDynamic(std::move(function), std::move(parameters),
                                              std::move(results), abi::kFunctionNeedsCaller));
}

TENON_DECL HostFunctionBuilder
HostFunctionBuilder::WithHostFunction(bind::OwnedHostFunction function) {
  detail::RequireState(state_).functions[function_].callable =
      std::make_shared<const bind::OwnedHostFunction>(std::move(function));
  return *this;
}

TENON_DECL HostFunctionBuilder HostFunctionBuilder::WithName(std::string name) {
  detail::RequireState(state_).functions[function_].name = std::move(name);
  return *this;
}

TENON_DECL HostFunctionBuilder
HostFunctionBuilder::WithParameterNames(std::vector<std::string> names) {
  detail::RequireState(state_).functions[function_].parameter_names = std::move(names);
  return *this;
}

TENON_DECL HostFunctionBuilder
HostFunctionBuilder::WithResultNames(std::vector<std::string> names) {
  detail::RequireState(state_).functions[function_].result_names = std::move(names);
  return *this;
}

[[gnu::cold]] TENON_DECL HostFunctionBuilder
HostFunctionBuilder::WithCapability(std::string capability) {
  detail::RequireState(state_).functions[function_].policy.capabilities.push_back(
      std::move(capability));
  return *this;
}

TENON_DECL HostFunctionBuilder HostFunctionBuilder::WithCost(std::uint64_t units) {
  detail::RequireState(state_).functions[function_].policy.cost = units;
  return *this;
}

TENON_DECL HostFunctionBuilder HostFunctionBuilder::WithTrace() {
  detail::RequireState(state_).functions[function_].policy.is_traced = true;
  return *this;
}

TENON_DECL std::shared_ptr<const bind::OwnedHostFunction> HostFunctionBuilder::Callable() const {
  return detail::RequireState(state_).functions[function_].callable;
}

[[gnu::cold]] TENON_DECL HostModuleBuilder HostFunctionBuilder::Export(std::string name) {
  vm::HostFunctionDraft& draft = detail::RequireState(state_).functions[function_];
  draft.is_exported = true;
  detail::RequireState(state_).AddExport(std::move(name), draft);
  return HostModuleBuilder{state_};
}

TENON_DECL HostFunctionBuilder HostModuleBuilder::NewFunctionBuilder() {
  detail::RequireState(state_).functions.emplace_back();
  return HostFunctionBuilder{state_, detail::RequireState(state_).functions.size() - 1};
}

[[gnu::cold]] TENON_DECL HostModuleBuilder HostModuleBuilder::ExportMemory(
    std::string name, std::uint32_t minimum, std::optional<std::uint32_t> maximum) {
  wasm::MemoryType type;
  type.limits = {
      .minimum = minimum, .maximum = maximum.value_or(0), .has_maximum = maximum.has_value()};
  detail::RequireState(state_).AddExport(std::move(name), type);
  return *this;
}

[[gnu::cold]] TENON_DECL HostModuleBuilder HostModuleBuilder::ExportMemory64(
    std::string name, std::uint64_t minimum, std::optional<std::uint64_t> maximum) {
  wasm::MemoryType type;
  type.limits = {.minimum = minimum,
                 .maximum = maximum.value_or(0),
                 .has_maximum = maximum.has_value(),
                 .is_64 = true};
  detail::RequireState(state_).AddExport(std::move(name), type);
  return *this;
}

[[gnu::cold]] TENON_DECL HostModuleBuilder HostModuleBuilder::ExportSharedMemory(
    std::string name, std::uint32_t minimum, std::uint32_t maximum) {
  wasm::MemoryType type;
  type.limits = {.minimum = minimum, .maximum = maximum, .has_maximum = true, .is_shared = true};
  detail::RequireState(state_).AddExport(std::move(name), type);
  return *this;
}

[[gnu::cold]] TENON_DECL HostModuleBuilder HostModuleBuilder::ExportSharedMemory64(
    std::string name, std::uint64_t minimum, std::uint64_t maximum) {
  wasm::MemoryType type;
  type.limits = {.minimum = minimum,
                 .maximum = maximum,
                 .has_maximum = true,
                 .is_64 = true,
                 .is_shared = true};
  detail::RequireState(state_).AddExport(std::move(name), type);
  return *this;
}

[[gnu::cold]] TENON_DECL HostModuleBuilder
HostModuleBuilder::ExportTable(std::string name, ValueType element, std::uint32_t minimum,
                               std::optional<std::uint32_t> maximum) {
  wasm::TableType type;
  type.element = element;
  type.limits = {
      .minimum = minimum, .maximum = maximum.value_or(0), .has_maximum = maximum.has_value()};
  detail::RequireState(state_).AddExport(std::move(name), type);
  return *this;
}

TENON_DECL HostModuleBuilder HostModuleBuilder::ExportGlobal(std::string name, const Value& value,
                                                             bool is_mutable) {
  detail::RequireState(state_).AddExport(std::move(name), vm::HostGlobal{value, is_mutable});
  return *this;
}

TENON_DECL HostModuleBuilder HostModuleBuilder::WithShadowing(Shadowing shadowing) {
  detail::RequireState(state_).shadowing = shadowing;
  return *this;
}

TENON_DECL CompiledModule HostModuleBuilder::Compile() const {
  detail::RequireState(state_).store->RequireOpen();
  return CompiledModule{detail::HostModuleEncoder{*state_}.Run()};
}

[[gnu::cold]] TENON_DECL Module HostModuleBuilder::Instantiate() const {
  const CompiledModule compiled = Compile();
  const ModuleConfig config;
  return Module{vm::Instantiate(*compiled.State(), detail::InstanceSettingsOf(config)).Get()};
}

}  // namespace tenon::inline TENON_ABI
