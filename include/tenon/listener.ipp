// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of listener.hpp.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tenon/error.hpp>
#include <tenon/global.hpp>
#include <tenon/listener.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/call_stack.hpp>
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
  const FunctionDefinition definition =
      vm::DefineFunction(*owner.code, owner.host.get(), owner.name, callee.index);
  {
    vm::CallStack below{vm::GroupOf(caller)};
    // Engines show a host function that a guest calls; it is here already.
    if (owner.IsHost()) {
      vm::CallStack innermost = below;
      if (innermost.Next() && &innermost.Function() == &callee) below = innermost;
    }
    FrameIterator stack{definition, below};
    listener.Before(module, definition, ValuesOf(definition.parameter_types, slots), stack);
  }
  if (owner.IsHost()) {
    const abi::HostFunction& host = owner.host->functions[callee.index].callable->Get();
    abi::FunctionRecord plain = callee;
    plain.code = host.signature->thunk;
    plain.context = host.state;
    host.signature->invoke(&plain, &caller, slots);
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
    return;
  }
  listener.After(module, definition, ValuesOf(definition.result_types, slots));
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

  void Before(Module& module, const FunctionDefinition& function, std::span<const Value> arguments,
              StackIterator& stack) override {
    for (const auto& listener : listeners_) {
      stack.Reset();
      listener->Before(module, function, arguments, stack);
    }
  }
  void After(Module& module, const FunctionDefinition& function,
             std::span<const Value> results) override {
    for (const auto& listener : listeners_) listener->After(module, function, results);
  }
  void Abort(Module& module, const FunctionDefinition& function,
             const std::exception_ptr& error) override {
    for (const auto& listener : listeners_) listener->Abort(module, function, error);
  }

 private:
  std::vector<std::shared_ptr<FunctionListener>> listeners_;
};

/// Writes a line before and after each call of one function.
class LoggingListener final : public FunctionListener {
 public:
  using Write = std::function<void(const std::string&)>;

  explicit LoggingListener(std::shared_ptr<const Write> write) : write_{std::move(write)} {}

  void Before(Module&, const FunctionDefinition& function, std::span<const Value> arguments,
              StackIterator&) override {
    std::string line = Indent(Depth()++) + "--> " + function.DebugName() + "(";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i != 0) line += ",";
      if (!function.parameter_names.empty()) line += function.parameter_names[i] + "=";
      line += ValueText(arguments[i]);
    }
    (*write_)(line + ")");
  }
  void After(Module&, const FunctionDefinition& function, std::span<const Value> results) override {
    std::string line = Indent(--Depth()) + "<--";
    for (std::size_t i = 0; i < results.size(); ++i) {
      line += i == 0 ? " " : ",";
      if (!function.result_names.empty()) line += function.result_names[i] + "=";
      line += ValueText(results[i]);
    }
    (*write_)(line);
  }
  void Abort(Module&, const FunctionDefinition&, const std::exception_ptr& error) override {
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

}  // namespace tenon::inline TENON_ABI
