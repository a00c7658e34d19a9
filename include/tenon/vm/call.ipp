// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of call.hpp, and entry.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <typeinfo>
#include <utility>

#include <pthread.h>

#include <tenon/call_context.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/asymmetric_fence.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/call_stack.hpp>
#include <tenon/vm/deadline_timer.hpp>
#include <tenon/vm/float_modes.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Most frames in a backtrace.
inline constexpr std::size_t kBacktraceFrames = 64;
inline std::vector<BacktraceFrame> CollectBacktrace(const Group& group) {
  std::vector<BacktraceFrame> backtrace;
  CallStack stack{group};
  while (backtrace.size() < kBacktraceFrames && stack.Next()) {
    const abi::FunctionRecord& function = stack.Function();
    const Instance& instance = OwnerOf(function);
    backtrace.push_back({FunctionDebugName(*instance.code, instance.name, function.index),
                         function.index, stack.ModuleOffset()});
  }
  return backtrace;
}

/// The calling thread's stack; both 0 if the system does not tell.
struct ThreadStack {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
  bool Contains(std::uintptr_t address) const { return low <= address && address < high; }
};

inline ThreadStack FindThreadStack() noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  const auto begin = reinterpret_cast<std::uintptr_t>(low);
  return {begin, begin + size};
}

inline const ThreadStack& OwnStack() noexcept {
  static thread_local const ThreadStack stack = FindThreadStack();
  return stack;
}

/// What is pending, to be thrown.
[[gnu::cold, gnu::noinline]] inline std::exception_ptr TakePending(Instance& instance,
                                                                   bool is_outermost) {
  Group& group = *instance.group;
  Pending& pending = group.pending_state;
  // Also if a host function made another exception of it: the guest was stopped in the middle.
  if (is_outermost && group.interrupt_is_exit.load() &&
      group.interrupt.Load() == group.activation.Load()) {
    instance.store->Close(instance, group.interrupt_code.load());
  }
  if (pending.kind == Pending::Kind::Exit) {
    // Stays pending for an outer guest, in case the host function between swallows the exception.
    if (is_outermost) {
      group.pending = nullptr;
    } else {
      instance.store->DrawAttention(group);
    }
    return std::make_exception_ptr(ExitError{pending.exit_code});
  }
  group.pending = nullptr;
  if (pending.kind == Pending::Kind::Exception) return std::exchange(pending.exception, nullptr);
  ++group.trap_count;
  return std::make_exception_ptr(Trap{pending.trap, pending.message, std::move(pending.backtrace)});
}

/// The state of one call from host code while it runs.
class Activation {
 public:
  explicit Activation(Instance& instance)
      : store_{*instance.store},
        group_{*instance.group},
        instance_{instance},
        previous_context_{group_.call_context},
        previous_budget_{group_.call_budget},
        previous_stack_limit_{group_.stack_limit},
        is_outermost_{group_.activation.LoadRelaxed() == 0} {}
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;
  ~Activation() {
    if (has_begun_) End();
  }

  /// Null, or why the call cannot be made.
  std::exception_ptr Begin(const CallContext* context) {
    return is_outermost_ ? BeginOutermost(context) : BeginNested(context);
  }

  /// Null if the call returned, else what it ended with.
  std::exception_ptr Finish() {
    if (group_.pending == nullptr) [[likely]]
      return nullptr;
    return TakePending(instance_, is_outermost_);
  }

 private:
  struct StopRequest {
    Store* store;
    Group* group;
    std::uint64_t activation;
    void operator()() const noexcept {
      Interrupt(*store, *group, activation, ExitError::kContextCanceled);
    }
  };

  std::exception_ptr BeginOutermost(const CallContext* context) {
    const std::uint64_t activation = ++group_.last_activation;
    group_.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
    group_.prepared_for.StoreRelease(0);
    group_.entry_stack_pointer = 0;
    group_.exit_stack_pointer = 0;
    group_.outermost = &instance_;
    group_.interrupt_is_exit.store(false, std::memory_order_relaxed);
    group_.pending = nullptr;
    group_.stack_limit = NativeStackLimit(StackBytes());
    group_.is_on_thread_stack = IsOnThreadStack();
    ShowContext(context != nullptr ? *context : CallContext{});
    has_begun_ = true;
    if (context != nullptr) LimitTo(context->Budget());
    // In this order against Store::Close, which sets the instance's state and then looks here.
    group_.activation.Store(activation);
    if (group_.end_work.Load() != abi::kEndWorkNone) store_.WaitForRelease();
    if (instance_.IsClosed()) return std::make_exception_ptr(ExitError{instance_.ExitCode()});
    if (context == nullptr || !store_.settings.close_on_context_done) return nullptr;
    if (context->StopToken().stop_possible()) {
      stop_callback_.emplace(context->StopToken(), StopRequest{&store_, &group_, activation});
    }
    if (const auto& deadline = context->Deadline(); deadline.has_value()) {
      timer_ = &store_.Timer();
      ticket_ = timer_->Add(*deadline, group_, activation);
    }
    return nullptr;
  }

  std::exception_ptr BeginNested(const CallContext* context) {
    if (group_.thread.load(std::memory_order_relaxed) != std::this_thread::get_id()) {
      return std::make_exception_ptr(
          ConfigError{ErrorCode::CrossThreadEntry, ErrorText(ErrorCode::CrossThreadEntry)});
    }
    // A host function swallowed what is unwinding its guest; it cannot call on.
    if (group_.pending != nullptr) {
      return std::make_exception_ptr(ExitError{group_.pending_state.exit_code});
    }
    if (instance_.IsClosed()) return std::make_exception_ptr(ExitError{instance_.ExitCode()});
    if (IsOnOtherStack()) group_.stack_limit = NativeStackLimit(StackBytes());
    if (CurrentStackPointer() < group_.stack_limit) {
      return std::make_exception_ptr(Trap{
          TrapCode::StackOverflow, TrapText(TrapCode::StackOverflow), CollectBacktrace(group_)});
    }
    has_begun_ = true;
    if (context != nullptr) {
      ShowContext(*context);
      LimitTo(context->Budget());
    }
    return nullptr;
  }

  /// Whether a host function has switched to a fiber's stack, or back from one.
  bool IsOnOtherStack() const {
    if (group_.is_on_thread_stack && IsOnThreadStack()) [[likely]]
      return false;
    // So far below the limit it is the same stack, overflowing.
    constexpr std::uintptr_t kOverflow = std::uintptr_t{16} * 1024;
    const std::uintptr_t from_limit = CurrentStackPointer() - group_.stack_limit;
    return from_limit > kForeignStack && from_limit < 0 - kOverflow;
  }

  /// The interpreter's guests have a stack of their own.
  std::uint64_t StackBytes() const {
    return store_.engine.next_frame != nullptr ? store_.settings.stack_bytes : UINT64_MAX;
  }

  /// Host functions get a copy, so that what they write to it ends with this call.
  void ShowContext(CallContext context) {
    group_.call_context = &shown_context_.emplace(std::move(context));
  }

  void LimitTo(const Budget& budget) {
    if (!budget) return;
    budget_ = {budget, previous_budget_};
    group_.call_budget = &budget_;
  }

  void End() {
    group_.call_context = previous_context_;
    group_.call_budget = previous_budget_;
    group_.stack_limit = previous_stack_limit_;
    if (!is_outermost_) return;
    stop_callback_.reset();
    if (timer_ != nullptr) timer_->Remove(ticket_);
    group_.outermost = nullptr;
    group_.activation.Store(0);
    if (group_.end_work.Load() != abi::kEndWorkNone) store_.ReleaseDeferred(group_);
  }

  FloatModes float_modes_;
  Store& store_;
  Group& group_;
  Instance& instance_;
  void* previous_context_;
  const CallBudget* previous_budget_;
  std::uintptr_t previous_stack_limit_;
  bool is_outermost_;
  bool has_begun_ = false;
  std::optional<CallContext> shown_context_;
  CallBudget budget_;
  std::optional<std::stop_callback<StopRequest>> stop_callback_;
  DeadlineTimer* timer_ = nullptr;  ///< of a call with a deadline
  DeadlineTimer::Ticket ticket_;
};

inline Pending& BeginPending(abi::InstanceHeader& header, Pending::Kind kind) noexcept {
  Group& group = GroupOf(header);
  Pending& pending = group.pending_state;
  pending.kind = kind;
  pending.exception = nullptr;
  pending.backtrace.clear();
  group.pending = &pending;
  header.attention.StoreRelease(reinterpret_cast<std::uintptr_t>(&header));
  return pending;
}

/// The name of a C++ parameter, counted with the special ones; "" if it has none.
inline std::string_view HostParameterName(const abi::FunctionRecord& function,
                                          std::uint32_t parameter) noexcept {
  const Instance& instance = OwnerOf(function);
  if (!instance.IsHost()) return {};
  const abi::HostSignature& signature =
      *instance.host->functions[function.index].callable->Get().signature;
  if (parameter < signature.special_count) return {};
  const std::uint32_t position = parameter - signature.special_count;
  if (position >= signature.cpp_parameter_count) return {};
  std::uint32_t operand = signature.result_operands;
  for (std::uint32_t i = 0; i < position; ++i) operand += signature.parameter_widths[i];
  return instance.code->names.Local(function.index, operand);
}

inline void CaptureExceptionOperation(abi::InstanceHeader* caller) noexcept {
  CaptureException(*caller);
}
inline void RaiseTrapOperation(abi::InstanceHeader* caller, TrapCode code,
                               const char* detail) noexcept {
  RaiseTrap(*caller, code, detail);
}
/// Appends ` (parameter 1 "name")`, or the same for two parameters, to the pending trap's text.
inline void AppendParameters(abi::InstanceHeader* caller,
                             std::initializer_list<std::uint32_t> parameters) {
  Group& group = GroupOf(*caller);
  std::string& message = group.pending_state.message;
  // Without a calling guest there is no frame of the host function.
  CallStack stack{group};
  const bool has_frame = !InstanceOf(*caller).IsHost() && stack.Next();
  const char* separator = " (";
  for (const std::uint32_t parameter : parameters) {
    message += separator;
    separator = " and ";
    if (parameter == abi::kResultPlace) {
      message += "the place for the result";
      continue;
    }
    message.append("parameter ").append(std::to_string(parameter));
    const std::string_view name =
        has_frame ? HostParameterName(stack.Function(), parameter) : std::string_view{};
    if (!name.empty()) message.append(" \"").append(name).append("\"");
  }
  message += ')';
}

inline void RaiseParameterTrapOperation(abi::InstanceHeader* caller, TrapCode code,
                                        std::uint32_t parameter) noexcept {
  RaiseTrap(*caller, code, nullptr);
  AppendParameters(caller, {parameter});
}
inline void RaiseOverlapTrapOperation(abi::InstanceHeader* caller, std::uint32_t first,
                                      std::uint32_t second) noexcept {
  RaiseTrap(*caller, TrapCode::OverlappingParameters, nullptr);
  AppendParameters(caller, {first, second});
}
inline void ThrowTrapOperation(TrapCode code, const char* detail) {
  std::string message = TrapText(code);
  if (detail != nullptr) message.append(": ").append(detail);
  throw Trap{code, message, {}};
}
inline bool MayHoldOperation(abi::InstanceHeader* caller,
                             const abi::FunctionRecord* function) noexcept {
  Instance& instance = InstanceOf(*caller);
  // A host module that is called from the host is no guest: it gives the reference back.
  return instance.IsHost() || instance.store->Keeps(*instance.group, function);
}

inline void* CallContextOperation(abi::InstanceHeader* caller) noexcept {
  Group& group = GroupOf(*caller);
  if (!group.plain_context.has_value()) group.plain_context.emplace();
  group.call_context = &*group.plain_context;
  std::uint64_t work = abi::kEndWorkNone;
  group.end_work.CompareExchange(work, abi::kEndWorkContext);
  return group.call_context;
}
inline void RaiseExitOperation(abi::InstanceHeader* caller, std::uint32_t exit_code) noexcept {
  RaiseExit(*caller, exit_code);
}

inline std::uint64_t IssueReferenceOperation(abi::InstanceHeader* caller,
                                             const abi::ReferenceRequest& request) noexcept {
  return IssueReference(InstanceOf(*caller), request);
}
inline const abi::Slot* FunctionElementOperation(abi::InstanceHeader* caller,
                                                 std::uint32_t index) noexcept {
  const abi::TableRecord* const table = InstanceOf(*caller).function_table;
  return table != nullptr && index < table->size ? table->elements + index : nullptr;
}
inline bool IsOfTypeOperation(const abi::FunctionRecord* function,
                              const abi::FunctionTypes& wanted) noexcept {
  const wasm::Module& module = OwnerOf(*function).Module();
  const std::uint32_t type = module.functions[function->index];
  return std::ranges::equal(module.Parameters(type),
                            std::span{wanted.parameters, wanted.parameter_count}) &&
         std::ranges::equal(module.Results(type), std::span{wanted.results, wanted.result_count});
}
inline bool CheckCallbackOperation(abi::InstanceHeader* caller, const abi::FunctionRecord* function,
                                   const abi::FunctionTypes& wanted,
                                   std::uint32_t parameter) noexcept {
  if (IsOfTypeOperation(function, wanted)) return true;
  const wasm::Module& module = OwnerOf(*function).Module();
  const std::uint32_t type = module.functions[function->index];
  RaiseParameterTrapOperation(caller, TrapCode::IndirectCallTypeMismatch, parameter);
  GroupOf(*caller)
      .pending_state.message.append(": the host takes ")
      .append(SignatureText(std::span{wanted.parameters, wanted.parameter_count},
                            std::span{wanted.results, wanted.result_count}))
      .append(", the guest gave ")
      .append(SignatureText(module.Parameters(type), module.Results(type)));
  return false;
}

inline constexpr abi::Operations kThunkOperations{
    .capture_exception = CaptureExceptionOperation,
    .raise_trap = RaiseTrapOperation,
    .raise_parameter_trap = RaiseParameterTrapOperation,
    .may_hold = MayHoldOperation,
    .call_context = CallContextOperation,
    .raise_exit = RaiseExitOperation,
    .raise_overlap_trap = RaiseOverlapTrapOperation,
    .throw_trap = ThrowTrapOperation,
    .issue_reference = IssueReferenceOperation,
    .function_element = FunctionElementOperation,
    .is_of_type = IsOfTypeOperation,
    .check_callback = CheckCallbackOperation,
};

}  // namespace detail

TENON_DECL const abi::Operations& ThunkOperations() noexcept { return detail::kThunkOperations; }

TENON_DECL bool IsOnThreadStack() noexcept {
  return detail::OwnStack().Contains(CurrentStackPointer());
}

TENON_DECL std::uintptr_t NativeStackLimit(std::uint64_t bytes) noexcept {
  const detail::ThreadStack& stack = detail::OwnStack();
  const std::uintptr_t here = CurrentStackPointer();
  const auto below = [here](std::uint64_t distance) {
    return here > distance ? here - static_cast<std::uintptr_t>(distance) : 0;
  };
  if (!stack.Contains(here)) return below(std::min<std::uint64_t>(bytes, kForeignStack));
  return std::max(stack.low + kStackReserve, below(bytes));
}

namespace detail {

[[gnu::cold]] inline void CallClosedGuest(void* context, abi::InstanceHeader* caller) noexcept {
  RaiseExit(*caller, InstanceOf(*static_cast<const abi::InstanceHeader*>(context)).ExitCode());
}
[[gnu::cold]] inline void CallClosedRecord(void* context, abi::InstanceHeader* caller) noexcept {
  RaiseExit(*caller, OwnerOf(*static_cast<const abi::FunctionRecord*>(context)).ExitCode());
}
/// The context is the callable's, so the function must be found.
[[gnu::cold]] inline void CallClosedHost(void*, abi::InstanceHeader* caller) noexcept {
  const auto is_closed_host = [](const abi::FunctionRecord& function) {
    const Instance& owner = OwnerOf(function);
    return owner.IsHost() && owner.IsClosed();
  };
  CallStack stack{GroupOf(*caller)};
  if (stack.Next() && is_closed_host(stack.Function())) {
    RaiseExit(*caller, OwnerOf(stack.Function()).ExitCode());
    return;
  }
  // An indirect call: of a function that is imported too, or else of one that came as a reference.
  for (const abi::FunctionRecord* function : InstanceOf(*caller).functions) {
    if (!is_closed_host(*function)) continue;
    RaiseExit(*caller, OwnerOf(*function).ExitCode());
    return;
  }
  RaiseExit(*caller, 0);
}

}  // namespace detail

TENON_DECL abi::NativeCode ClosedCode(const abi::FunctionRecord& function) noexcept {
  auto* code = detail::CallClosedGuest;
  if (function.context == &function) {
    code = detail::CallClosedRecord;
  } else if ((FlagsOf(function) & abi::kFunctionIsHost) != 0) {
    code = detail::CallClosedHost;
  }
  return reinterpret_cast<abi::NativeCode>(code);
}

TENON_DECL void RaiseTrap(abi::InstanceHeader& header, TrapCode code, const char* detail) noexcept {
  Pending& pending = detail::BeginPending(header, Pending::Kind::Trap);
  pending.trap = code;
  if (code == TrapCode::HostTrap && detail != nullptr) {
    pending.message = detail;
  } else {
    pending.message = TrapText(code);
    if (detail != nullptr) pending.message.append(": ").append(detail);
  }
  pending.backtrace = detail::CollectBacktrace(GroupOf(header));
}

TENON_DECL void RaiseExit(abi::InstanceHeader& header, std::uint32_t exit_code) noexcept {
  detail::BeginPending(header, Pending::Kind::Exit).exit_code = exit_code;
}

TENON_DECL void CaptureException(abi::InstanceHeader& header) noexcept {
  try {
    throw;
  } catch (const ExitError& exit) {
    RaiseExit(header, exit.ExitCode());
  } catch (const Trap& trap) {
    // One raised by the host function itself has no backtrace yet.
    Pending& pending = detail::BeginPending(header, Pending::Kind::Exception);
    const bool is_own = trap.Backtrace().empty() && typeid(trap) == typeid(Trap);
    if (!is_own) {
      pending.exception = std::current_exception();
    } else {
      pending.kind = Pending::Kind::Trap;
      pending.trap = trap.Code();
      pending.message = trap.Message();
      pending.backtrace = detail::CollectBacktrace(GroupOf(header));
    }
  } catch (...) {
    detail::BeginPending(header, Pending::Kind::Exception).exception = std::current_exception();
  }
}

TENON_DECL bool HandleInterrupt(abi::InstanceHeader& header) noexcept {
  Group& group = GroupOf(header);
  // Cleared before looking: whoever asks from now on writes the word again.
  const std::uint64_t activation = group.activation.LoadRelaxed();
  std::uint64_t current = activation;
  group.interrupt.CompareExchange(current, 0);
  if (group.interrupt_is_exit.load()) {
    group.interrupt.Store(activation);
    RaiseExit(header, group.interrupt_code.load());
    return true;
  }
  for (CallStack stack{group}; stack.Next();) {
    const Instance& instance = OwnerOf(stack.Function());
    if (instance.close_state.load() != 0) {
      group.interrupt.Store(activation);
      RaiseExit(header, instance.ExitCode());
      return true;
    }
  }
  return false;
}

namespace detail {

inline std::exception_ptr EnterAs(Instance& caller, const abi::FunctionRecord& function,
                                  abi::Slot* slots, const CallContext* context) {
  Activation activation{caller};
  std::exception_ptr error = activation.Begin(context);
  if (error != nullptr) return error;
  function.invoke(&function, caller.header, slots);
  return activation.Finish();
}

inline std::exception_ptr RefuseWithoutCaller(const Instance& instance,
                                              const abi::FunctionRecord& function) {
  return std::make_exception_ptr(
      ConfigError{ErrorCode::HostFunctionNeedsCaller,
                  FormatError(ErrorCode::HostFunctionNeedsCaller,
                              {FunctionDebugName(*instance.code, instance.name, function.index)})});
}

/// Null if the guest may be given the functions among the operands. Others could be gone while it
/// still holds them, or be of another runtime, whose types have other numbers.
inline std::exception_ptr CheckFunctionArguments(const Instance& instance,
                                                 const abi::FunctionRecord& function,
                                                 const abi::Slot* slots) {
  const wasm::Module& module = instance.Module();
  std::uint32_t position = 0;
  for (const ValueType type : module.Parameters(module.functions[function.index])) {
    const auto* argument = reinterpret_cast<const abi::FunctionRecord*>(*slots);
    if (type == ValueType::FuncRef && argument != nullptr &&
        !instance.store->Keeps(*instance.group, argument)) {
      return std::make_exception_ptr(ConfigError{
          ErrorCode::ParameterForeignFunction,
          FormatError(ErrorCode::ParameterForeignFunction, {std::to_string(position)})});
    }
    slots += type.SlotCount();
    ++position;
  }
  return nullptr;
}

inline std::exception_ptr Enter(const abi::FunctionRecord& function, abi::Slot* slots,
                                const CallContext* context) {
  Instance& instance = OwnerOf(function);
  constexpr std::uint32_t kUnusual =
      abi::kFunctionNeedsCaller | abi::kFunctionNeedsMemory | abi::kFunctionTakesFunctions;
  const std::uint32_t flags = FlagsOf(function);
  if ((flags & kUnusual) != 0) [[unlikely]] {
    std::exception_ptr error = (flags & abi::kFunctionTakesFunctions) != 0
                                   ? CheckFunctionArguments(instance, function, slots)
                                   : RefuseWithoutCaller(instance, function);
    if (error != nullptr) return error;
  }
  return EnterAs(instance, function, slots, context);
}

}  // namespace detail

TENON_DECL void CallAs(Instance& caller, const abi::FunctionRecord& function, abi::Slot* slots,
                       const CallContext* context) {
  std::exception_ptr error = detail::EnterAs(caller, function, slots, context);
  if (error != nullptr) std::rethrow_exception(std::move(error));
}

TENON_DECL void Call(const abi::FunctionRecord& function, abi::Slot* slots,
                     const CallContext* context) {
  std::exception_ptr error = detail::Enter(function, slots, context);
  if (error != nullptr) [[unlikely]]
    std::rethrow_exception(std::move(error));
}

namespace detail {

/// Finds out what plain calls want to know of the thread and its stack; whether there is enough.
[[gnu::noinline]] inline bool LookAtStack(Group& group, const Store& store) noexcept {
  static constinit std::atomic<std::uintptr_t> last_number = 0;
  if (thread_number == 0) {
    thread_number = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  const std::uintptr_t here = CurrentStackPointer();
  group.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  group.known_thread = thread_number;
  group.known_stack = here - kSameStack / 2;
  group.stack_limit = NativeStackLimit(store.settings.stack_bytes);
  group.is_on_thread_stack = IsOnThreadStack();
  return group.stack_limit <= group.known_stack;
}

}  // namespace detail

TENON_DECL bool BeginPlain(const abi::FunctionRecord& function) noexcept {
  Instance& instance = OwnerOf(function);
  Group& group = GroupOf(*function.instance);
  if (group.activation.LoadRelaxed() != 0) return false;
  group.prepared_for.StoreRelease(0);
  if (!FloatModes::AreSet() || !detail::LookAtStack(group, *instance.store)) return false;
  group.outermost = &instance;
  group.call_context = nullptr;
  group.entry_stack_pointer = 0;
  group.exit_stack_pointer = 0;
  group.interrupt_is_exit.store(false, std::memory_order_relaxed);
  group.activation.StoreRelease(++group.last_activation);
  // As in BeginPrepared.
  LightFence();
  if (instance.IsClosed() || group.end_work.LoadRelaxed() != abi::kEndWorkNone) {
    group.activation.StoreRelease(0);
    return false;
  }
  if (detail::kHeavyFenceReachesAll) {
    group.prepared_for.StoreRelease(reinterpret_cast<std::uintptr_t>(function.instance));
  }
  return true;
}

namespace detail {

TENON_DECL void EndWithWork(const abi::FunctionRecord& function) {
  Group& group = GroupOf(*function.instance);
  std::exception_ptr error;
  if (group.pending != nullptr) error = TakePending(OwnerOf(function), true);
  if (group.plain_context.has_value()) {
    group.plain_context.reset();
    group.call_context = nullptr;
    std::uint64_t work = abi::kEndWorkContext;
    group.end_work.CompareExchange(work, abi::kEndWorkNone);
  }
  group.activation.StoreRelease(0);
  LightFence();
  if (group.end_work.LoadRelaxed() != abi::kEndWorkNone) {
    // Either may go with the group.
    Store& store = *OwnerOf(function).store;
    store.ReleaseDeferred(group);
  }
  if (error != nullptr) std::rethrow_exception(std::move(error));
}

}  // namespace detail

TENON_DECL std::exception_ptr TryCall(const abi::FunctionRecord& function, abi::Slot* slots,
                                      const CallContext* context) noexcept {
  return detail::Enter(function, slots, context);
}

TENON_DECL void CheckSignature(const abi::FunctionRecord* function,
                               std::span<const ValueType> parameters,
                               std::span<const ValueType> results) {
  if (function == nullptr) ThrowEmptyHandle("Function");
  const Instance& instance = OwnerOf(*function);
  const wasm::Module& module = instance.Module();
  const std::uint32_t type = module.functions[function->index];
  if (std::ranges::equal(module.Parameters(type), parameters) &&
      std::ranges::equal(module.Results(type), results)) {
    return;
  }
  throw ConfigError{ErrorCode::SignatureMismatch,
                    FormatError(ErrorCode::SignatureMismatch,
                                {FunctionDebugName(*instance.code, instance.name, function->index),
                                 SignatureText(parameters, results),
                                 SignatureText(module.Parameters(type), module.Results(type))})};
}

TENON_DECL void ThrowEmptyHandle(const char* kind) {
  throw ConfigError{ErrorCode::EmptyHandle, FormatError(ErrorCode::EmptyHandle, {kind})};
}

TENON_DECL std::uint64_t TrapCount(const Instance& instance) noexcept {
  return instance.group->trap_count;
}

TENON_DECL void ThrowTrap(TrapCode code) { throw Trap{code, TrapText(code), {}}; }

}  // namespace tenon::inline TENON_ABI::vm
