// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of listener.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/error.hpp>
#include <tenon/listener.hpp>
#include <tenon/memory.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/call_stack.hpp>
#include <tenon/vm/host_call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

/// The callee first, then the guest functions below it.
class FrameIterator final : public StackIterator {
 public:
  FrameIterator(const FunctionDefinition& callee, const vm::CallStack& below)
      : callee_{callee}, below_{below} {
    next_.emplace(below_);
  }

  void Reset() override {
    next_.emplace(below_);
    started_ = false;
    is_callee_ = true;
  }

  bool Next() override {
    if (!started_) {
      started_ = true;
      return true;
    }
    if (!next_->Next()) return false;
    const abi::FunctionRecord& function = next_->Function();
    const vm::Instance& instance = vm::OwnerOf(function);
    definition_ =
        vm::DefineFunction(*instance.code, instance.host.get(), instance.name, function.index);
    offset_ = next_->ModuleOffset();
    is_callee_ = false;
    return true;
  }
  const FunctionDefinition& Function() const override { return is_callee_ ? callee_ : definition_; }
  std::uint32_t ModuleOffset() const override { return is_callee_ ? 0 : offset_; }

 private:
  const FunctionDefinition& callee_;
  const vm::CallStack below_;
  std::optional<vm::CallStack> next_;
  FunctionDefinition definition_;
  std::uint32_t offset_ = 0;
  bool started_ = false;
  bool is_callee_ = true;
};

inline std::vector<Value> ValuesOf(std::span<const ValueType> types, const abi::Slot* slots) {
  std::vector<Value> values;
  values.reserve(types.size());
  for (const ValueType type : types) {
    values.push_back(Value::FromSlots(type, slots));
    slots += type.SlotCount();
  }
  return values;
}

inline std::exception_ptr ErrorOf(const vm::Pending& pending) {
  switch (pending.kind) {
    case vm::Pending::Kind::Exit:
      return std::make_exception_ptr(ExitError{pending.exit_code});
    case vm::Pending::Kind::Exception:
      return pending.exception;
    case vm::Pending::Kind::Trap:
      break;
  }
  return std::make_exception_ptr(Trap{pending.trap, pending.message, pending.backtrace});
}

inline void CallListened(const abi::FunctionRecord& callee, abi::InstanceHeader& caller,
                         abi::Slot* slots) {
  vm::Instance& owner = vm::OwnerOf(callee);
  FunctionListener& listener = *owner.listeners[callee.index];
  // Host functions see the calling module; so do their listeners.
  Module& module = *static_cast<Module*>(owner.IsHost() ? caller.module : callee.instance->module);
  const FunctionDefinition& definition = *owner.listened[callee.index];
  {
    vm::CallStack below{vm::GroupOf(caller)};
    // Engines show a host function that a guest calls; it is here already.
    if (owner.IsHost()) {
      vm::CallStack innermost = below;
      if (innermost.Next() && &innermost.Function() == &callee) below = innermost;
    }
    FrameIterator stack{definition, below};
    const std::vector<Value> arguments = ValuesOf(definition.parameter_types, slots);
    listener.Before(module, definition,
                    {arguments, definition.parameter_names, definition.parameter_cpp_types}, stack);
  }
  if (owner.IsHost()) {
    if (vm::ChargeCall(callee, caller)) vm::InvokeHost(callee, caller, slots);
  } else {
    abi::FunctionRecord plain = callee;
    owner.store->engine.bind(owner.Code(), callee.index - owner.Module().imported_functions, plain);
    plain.invoke(&callee, &caller, slots);
  }
  vm::Group& group = vm::GroupOf(caller);
  if (group.pending != nullptr) {
    const vm::Pending saved = group.pending_state;
    group.pending = nullptr;
    listener.Abort(module, definition, ErrorOf(saved));
    group.pending_state = saved;
    group.pending = &group.pending_state;
    // The callee may be of another instance, and Abort may have run guests: the caller looks here.
    caller.attention.StoreRelease(reinterpret_cast<std::uintptr_t>(&caller));
    return;
  }
  const std::vector<Value> results = ValuesOf(definition.result_types, slots);
  listener.After(module, definition,
                 {results, definition.result_names, definition.result_cpp_types});
}

/// Before, the call itself, After or Abort.
inline void InvokeListened(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                           abi::Slot* slots) {
  try {
    if (vm::CurrentStackPointer() < caller->exec->stack_limit) {
      vm::RaiseTrap(*caller, TrapCode::StackOverflow);
      return;
    }
    CallListened(*callee, *caller, slots);
  } catch (...) {
    vm::CaptureException(*caller);
  }
}

/// Several listeners of one function.
class MultiListener final : public FunctionListener {
 public:
  explicit MultiListener(std::vector<std::shared_ptr<FunctionListener>> listeners)
      : listeners_{std::move(listeners)} {}

  void Before(Module& module, const FunctionDefinition& function, const TypedValues& arguments,
              StackIterator& stack) override {
    for (const auto& listener : listeners_) {
      stack.Reset();
      listener->Before(module, function, arguments, stack);
    }
  }
  void After(Module& module, const FunctionDefinition& function,
             const TypedValues& results) override {
    for (const auto& listener : listeners_) listener->After(module, function, results);
  }
  void Abort(Module& module, const FunctionDefinition& function,
             const std::exception_ptr& error) override {
    for (const auto& listener : listeners_) listener->Abort(module, function, error);
  }

 private:
  std::vector<std::shared_ptr<FunctionListener>> listeners_;
};

/// Text in the guest's memory, in quotes and cut if it is long; none if it is out of bounds.
[[gnu::cold]] TENON_DECL std::optional<std::string> QuotedText(const Memory& memory,
                                                               std::uint32_t offset,
                                                               std::uint32_t size) {
  constexpr std::uint32_t kMost = 64;
  const auto bytes = memory.ViewString(offset, std::min(size, kMost));
  if (!bytes.has_value()) return std::nullopt;
  std::string text = "\"";
  for (const char letter : *bytes) {
    const bool is_plain = static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7F;
    if (letter == '"' || letter == '\\') text += '\\';
    text += is_plain ? letter : '.';
  }
  return text + (size > kMost ? "\"..." : "\"");
}

/// Writes a line before and after each call of one function.
class LoggingListener : public FunctionListener {
 public:
  using Write = std::function<void(const std::string&)>;

  explicit LoggingListener(std::shared_ptr<const Write> write) : write_{std::move(write)} {}

  void Before(Module& module, const FunctionDefinition& function, const TypedValues& arguments,
              StackIterator&) override {
    const std::string text = ArgumentsText(module, arguments);
    (*write_)(Indent(Depth()++) + "--> " + function.DebugName() + "(" + text + ")");
  }
  void After(Module& module, const FunctionDefinition&, const TypedValues& results) override {
    const std::string text = ResultsText(module, results);
    (*write_)(Indent(--Depth()) + (text.empty() ? "<--" : "<-- ") + text);
  }
  [[gnu::cold]] void Abort(Module&, const FunctionDefinition&,
                           const std::exception_ptr& error) override {
    std::string text = "unknown exception";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& exception) {
      text = exception.what();
    } catch (...) {
      text = "exception of a type outside std::exception";
    }
    (*write_)(Indent(--Depth()) + "<-- error: " + text.substr(0, text.find('\n')));
  }

 protected:
  [[gnu::cold]] virtual std::string ArgumentsText(Module& module, const TypedValues& arguments) {
    std::string line;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i != 0) line += ",";
      const std::optional<std::string> text = TextOfView(module, arguments, i, IsView);
      if (!text.has_value()) {
        line += arguments[i].Text();
        continue;
      }
      if (!arguments[i].Name().empty()) line.append(arguments[i].Name()).append("=");
      line += *text;
      ++i;
    }
    return line;
  }
  [[gnu::cold]] virtual std::string ResultsText(Module&, const TypedValues& results) {
    return results.Text();
  }

  static bool IsView(std::string_view cpp_type) { return cpp_type == "std::string_view"; }

  /// The text that an argument and the one behind it refer to, in quotes, if their type is that of
  /// a view of characters in the caller's memory.
  [[gnu::cold]] static std::optional<std::string> TextOfView(Module& module,
                                                             const TypedValues& arguments,
                                                             std::size_t index,
                                                             bool (*is_view)(std::string_view)) {
    if (index + 1 >= arguments.size() || !is_view(arguments[index].CppType()) ||
        !is_view(arguments[index + 1].CppType())) {
      return std::nullopt;
    }
    // Out of bounds: the function will not be entered.
    return QuotedText(module.DefaultMemory(), arguments[index].U32(), arguments[index + 1].U32());
  }

 private:
  static std::size_t& Depth() {
    static thread_local std::size_t depth = 0;
    return depth;
  }
  static std::string Indent(std::size_t depth) { return std::string(depth, '\t'); }

  std::shared_ptr<const Write> write_;
};

}  // namespace detail

TENON_DECL FunctionListenerFactory
MultiFunctionListenerFactory(std::vector<FunctionListenerFactory> factories) {
  return [factories = std::move(factories)](
             const FunctionDefinition& function) -> std::shared_ptr<FunctionListener> {
    std::vector<std::shared_ptr<FunctionListener>> listeners;
    for (const FunctionListenerFactory& factory : factories) {
      std::shared_ptr<FunctionListener> listener = factory(function);
      if (listener != nullptr) listeners.push_back(std::move(listener));
    }
    if (listeners.empty()) return nullptr;
    return std::make_shared<detail::MultiListener>(std::move(listeners));
  };
}

TENON_DECL FunctionListenerFactory
NewLoggingListenerFactory(std::function<void(const std::string&)> write, bool host_functions_only) {
  auto shared = std::make_shared<const detail::LoggingListener::Write>(std::move(write));
  return [shared, host_functions_only](
             const FunctionDefinition& function) -> std::shared_ptr<FunctionListener> {
    if (host_functions_only && !function.is_host_function) return nullptr;
    return std::make_shared<detail::LoggingListener>(shared);
  };
}

[[gnu::cold]] TENON_DECL FunctionListenerFactory
TracedFunctionListenerFactory(FunctionListenerFactory factory) {
  return [factory = std::move(factory)](
             const FunctionDefinition& function) -> std::shared_ptr<FunctionListener> {
    return function.is_traced ? factory(function) : nullptr;
  };
}

[[gnu::cold]] TENON_DECL LogScopes LogScopesOf(const FunctionDefinition& function) {
  struct Scope {
    std::string_view capability;
    std::string_view prefixes[2];
    LogScopes scope;
  };
  // WASI names its functions by what they are about.
  static constexpr Scope kScopes[] = {
      {"clock", {"clock_", "clock_"}, LogScopes::Clock},
      {"proc", {"proc_", "proc_"}, LogScopes::Proc},
      {"filesystem", {"fd_", "path_"}, LogScopes::Filesystem},
      {"memory", {"emscripten_notify_memory_", "emscripten_notify_memory_"}, LogScopes::Memory},
      {"poll", {"poll_", "poll_"}, LogScopes::Poll},
      {"random", {"random_", "random_"}, LogScopes::Random},
      {"sock", {"sock_", "sock_"}, LogScopes::Sock},
  };
  LogScopes scopes = LogScopes::None;
  if (!function.is_host_function) return scopes;
  const bool is_named_by_scope = function.module_name == "wasi_snapshot_preview1" ||
                                 function.module_name == "wasi_unstable" ||
                                 function.module_name == "env";
  const std::string_view name =
      function.export_names.empty() ? function.name : function.export_names.front();
  for (const Scope& scope : kScopes) {
    const bool is_env = scope.scope == LogScopes::Memory;
    const bool is_named =
        is_named_by_scope && is_env == (function.module_name == "env") &&
        (name.starts_with(scope.prefixes[0]) || name.starts_with(scope.prefixes[1]));
    const bool is_labelled =
        std::ranges::find(function.capabilities, scope.capability) != function.capabilities.end();
    if (is_named || is_labelled) scopes = scopes | scope.scope;
  }
  return scopes;
}

TENON_DECL FunctionListenerFactory
NewHostLoggingListenerFactory(std::function<void(const std::string&)> write, LogScopes scopes) {
  return [factory = NewLoggingListenerFactory(std::move(write), true),
          scopes](const FunctionDefinition& function) -> std::shared_ptr<FunctionListener> {
    const bool is_in_scope =
        scopes == LogScopes::All || (LogScopesOf(function) & scopes) != LogScopes::None;
    return is_in_scope ? factory(function) : nullptr;
  };
}

}  // namespace tenon::inline TENON_ABI
