// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of call.hpp, and entry.hpp.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <tenon/call_context.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/deadline_timer.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Most frames in a backtrace.
inline constexpr std::size_t kBacktraceFrames = 64;
/// Stack kept free below the limit, for host functions and the library itself.
inline constexpr std::uintptr_t kStackReserve = 48 * 1024;

inline BacktraceFrame DescribeFrame(const abi::FunctionRecord& function, const std::uint8_t* pc) {
  const Instance& instance = OwnerOf(function);
  std::uint32_t offset = 0;
  if (!instance.IsHost() && pc != nullptr) {
    offset = static_cast<std::uint32_t>(pc - instance.Module().bytes.data());
  }
  return {FunctionDebugName(*instance.code, instance.name, function.index), function.index, offset};
}

inline std::vector<BacktraceFrame> CollectBacktrace(const Group& group) {
  std::vector<BacktraceFrame> backtrace;
  for (const Frame* frame = group.frame;
       frame != nullptr && backtrace.size() < kBacktraceFrames; frame = frame->previous) {
    backtrace.push_back(DescribeFrame(*frame->function, frame->pc));
  }
  return backtrace;
}

inline std::uintptr_t ThreadStackLow() noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<std::uintptr_t>(low);
}

inline std::uintptr_t CurrentStackPointer() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

/// The state of one call from host code while it runs.
class Activation {
 public:
  Activation(Instance& instance, const CallContext* context)
      : store_{*instance.store}, group_{*instance.group}, previous_context_{group_.call_context} {
    is_outermost_ = group_.activation.load(std::memory_order_relaxed) == 0;
    if (is_outermost_) {
      Begin(instance, context);
    } else {
      if (group_.thread.load(std::memory_order_relaxed) != std::this_thread::get_id()) {
        throw ConfigError{ErrorCode::CrossThreadEntry, ErrorText(ErrorCode::CrossThreadEntry)};
      }
      // A host function swallowed what is unwinding its guest; it cannot call on.
      if (group_.pending != nullptr) throw ExitError{group_.pending_state.exit_code};
      if (instance.IsClosed()) throw ExitError{instance.ExitCode()};
      if (CurrentStackPointer() < group_.stack_limit) {
        throw Trap{TrapCode::StackOverflow, TrapText(TrapCode::StackOverflow),
                   CollectBacktrace(group_)};
      }
      if (context != nullptr) group_.call_context = const_cast<CallContext*>(context);
    }
  }
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

  ~Activation() {
    group_.call_context = previous_context_;
    if (!is_outermost_) return;
    stop_callback_.reset();
    if (ticket_.has_value()) store_.Timer().Remove(*ticket_);
    group_.outermost = nullptr;
    group_.activation.store(0);
    if (group_.release_deferred.load()) store_.ReleaseDeferred(group_);
  }

  /// Throws what the call ended with, if it did not return normally.
  void Finish(Instance& instance) {
    if (group_.pending == nullptr) return;
    Pending& pending = group_.pending_state;
    if (pending.kind == Pending::Kind::Exit) {
      const std::uint32_t exit_code = pending.exit_code;
      // Stays pending for an outer guest, in case the host function between swallows the exception.
      if (is_outermost_) {
        group_.pending = nullptr;
        if (group_.interrupt_is_exit.load() &&
            group_.interrupt.load() == group_.activation.load()) {
          store_.Close(instance, exit_code);
        }
      }
      throw ExitError{exit_code};
    }
    group_.pending = nullptr;
    if (pending.kind == Pending::Kind::Exception) {
      std::rethrow_exception(std::exchange(pending.exception, nullptr));
    }
    throw Trap{pending.trap, pending.message, std::move(pending.backtrace)};
  }

 private:
  struct StopRequest {
    Group* group;
    std::uint64_t activation;
    void operator()() const noexcept {
      Interrupt(*group, activation, ExitError::kContextCanceled);
    }
  };

  void Begin(Instance& instance, const CallContext* context) {
    const std::uint64_t activation = ++group_.last_activation;
    group_.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
    group_.outermost = &instance;
    group_.interrupt_is_exit.store(false, std::memory_order_relaxed);
    group_.pending = nullptr;
    group_.stack_limit = NativeStackLimit();
    group_.call_context = const_cast<CallContext*>(context);
    group_.activation.store(activation);
    if (instance.IsClosed()) {
      group_.call_context = nullptr;
      group_.outermost = nullptr;
      group_.activation.store(0);
      if (group_.release_deferred.load()) store_.ReleaseDeferred(group_);
      throw ExitError{instance.ExitCode()};
    }
    if (context == nullptr || !store_.settings.close_on_context_done) return;
    if (context->StopToken().stop_possible()) {
      stop_callback_.emplace(context->StopToken(), StopRequest{&group_, activation});
    }
    if (context->Deadline().has_value()) {
      ticket_ = store_.Timer().Add(*context->Deadline(), group_, activation);
    }
  }

  Store& store_;
  Group& group_;
  void* previous_context_;
  bool is_outermost_;
  std::optional<std::stop_callback<StopRequest>> stop_callback_;
  std::optional<DeadlineTimer::Ticket> ticket_;
};

inline Pending& BeginPending(abi::InstanceHeader& header, Pending::Kind kind) noexcept {
  Group& group = GroupOf(header);
  Pending& pending = group.pending_state;
  pending.kind = kind;
  pending.exception = nullptr;
  pending.backtrace.clear();
  group.pending = &pending;
  return pending;
}

inline void CaptureExceptionOperation(abi::InstanceHeader* caller) noexcept {
  CaptureException(*caller);
}
inline void RaiseTrapOperation(abi::InstanceHeader* caller, TrapCode code,
                               const char* detail) noexcept {
  RaiseTrap(*caller, code, detail);
}
inline void RaiseParameterTrapOperation(abi::InstanceHeader* caller, TrapCode code,
                                        std::uint32_t parameter) noexcept {
  RaiseTrap(*caller, code, nullptr);
  GroupOf(*caller).pending_state.message += " (parameter " + std::to_string(parameter) + ")";
}

inline constexpr abi::Operations kThunkOperations{
    .capture_exception = CaptureExceptionOperation,
    .raise_trap = RaiseTrapOperation,
    .raise_parameter_trap = RaiseParameterTrapOperation,
};

}  // namespace detail

TENON_DECL const abi::Operations& ThunkOperations() noexcept { return detail::kThunkOperations; }

TENON_DECL std::uintptr_t NativeStackLimit() noexcept {
  static thread_local const std::uintptr_t low = detail::ThreadStackLow();
  const std::uintptr_t here = detail::CurrentStackPointer();
  constexpr std::uintptr_t kUnknownStack = std::uintptr_t{64} << 20;
  // Code that runs on a stack of its own (a fiber) is told by its distance from the thread's.
  if (low == 0 || here < low || here - low > kUnknownStack) {
    return here > detail::kStackReserve ? here - detail::kStackReserve : 0;
  }
  return low + detail::kStackReserve;
}

TENON_DECL void RaiseTrap(abi::InstanceHeader& header, TrapCode code, const char* detail) noexcept {
  Pending& pending = detail::BeginPending(header, Pending::Kind::Trap);
  pending.trap = code;
  pending.message = TrapText(code);
  if (detail != nullptr) {
    pending.message += ": ";
    pending.message += detail;
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
    if (!trap.Backtrace().empty() || trap.Code() != TrapCode::HostTrap) {
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
  if (group.interrupt_is_exit.load()) {
    RaiseExit(header, group.interrupt_code.load());
    return true;
  }
  for (const Frame* frame = group.frame; frame != nullptr; frame = frame->previous) {
    const Instance& instance = OwnerOf(*frame->function);
    if (instance.IsClosed()) {
      RaiseExit(header, instance.ExitCode());
      return true;
    }
  }
  std::uint64_t current = group.activation.load(std::memory_order_relaxed);
  group.interrupt.compare_exchange_strong(current, 0);
  return false;
}

TENON_DECL void Call(const abi::FunctionRecord& function, abi::Slot* slots,
                     const CallContext* context) {
  Instance& instance = OwnerOf(function);
  detail::Activation activation{instance, context};
  function.invoke(&function, instance.header, slots);
  activation.Finish(instance);
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
  throw ConfigError{
      ErrorCode::SignatureMismatch,
      FormatError(ErrorCode::SignatureMismatch,
                  {FunctionDebugName(*instance.code, instance.name, function->index),
                   SignatureText(parameters, results),
                   SignatureText(module.Parameters(type), module.Results(type))})};
}

TENON_DECL void ThrowEmptyHandle(const char* kind) {
  throw ConfigError{ErrorCode::EmptyHandle, FormatError(ErrorCode::EmptyHandle, {kind})};
}

TENON_DECL void ThrowTrap(TrapCode code) { throw Trap{code, TrapText(code), {}}; }

}  // namespace tenon::inline TENON_ABI::vm
