// SPDX-License-Identifier: Apache-2.0
/// @file
/// Linkage groups: instances that can reach each other's functions, and what they execute.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/budget.hpp>
#include <tenon/call_context.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/reference_table.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::vm {

class Instance;
class WaitQueue;

/// What unwinds a guest until host code takes it over.
struct Pending {
  enum class Kind : std::uint8_t { Trap, Exit, Exception };

  Kind kind = Kind::Trap;
  TrapCode trap = TrapCode::None;
  std::uint32_t exit_code = 0;
  std::string message;
  std::vector<BacktraceFrame> backtrace;
  std::exception_ptr exception;
};

/// A function in execution, as the interpreter links them.
struct Frame {
  Frame* previous;  ///< the caller's
  const abi::FunctionRecord* function;
  const std::uint8_t* pc;  ///< next instruction, kept at calls and traps; host: null
  abi::Slot* locals;
};

/// A budget of a call from host code, and those of the calls around it.
struct CallBudget {
  Budget budget;
  const CallBudget* outer = nullptr;
};

/// The stack on which the interpreter keeps locals, frames and operands. Reserved when first used.
class ValueStack {
 public:
  ValueStack() = default;
  TENON_DECL ~ValueStack();
  ValueStack(const ValueStack&) = delete;
  ValueStack& operator=(const ValueStack&) = delete;

  /// False if the machine refuses.
  TENON_DECL bool Reserve(std::uint64_t bytes) noexcept;
  bool IsReserved() const noexcept { return begin_ != nullptr; }

  abi::Slot* Begin() const noexcept { return begin_; }
  abi::Slot* End() const noexcept { return end_; }

 private:
  abi::Slot* begin_ = nullptr;
  abi::Slot* end_ = nullptr;
};

/// Instances that import each other's functions, tables or globals: they live and die together and
/// share one ExecContext. Its members other than the context's atomics are guarded by the store's
/// mutex while nothing executes, and belong to the executing thread otherwise.
struct Group : abi::ExecContext {
  Group() : abi::ExecContext{} {}

  wasm::FlatArray<Instance*> instances;  ///< owned
  std::uint64_t live_instances = 0;      ///< claims of members (live_claims); at 0 the group goes
  std::atomic<std::uint32_t> interrupt_code{0};  ///< exit code of a stop request or deadline
  std::atomic<bool> interrupt_is_exit{false};    ///< else: look for closed instances
  std::uint64_t trap_count = 0;             ///< traps that ended calls; of both where groups join
  std::atomic<std::thread::id> thread;      ///< of the current outermost call
  Instance* outermost = nullptr;            ///< instance of the current outermost call, if any
  const CallBudget* call_budget = nullptr;  ///< of the innermost call that was given one
  std::atomic<bool> was_joined{false};      ///< has had more than one member
  bool is_on_thread_stack = true;           ///< where that call was made
  bool is_ending_references = false;        ///< a thread ends those of closed members
  std::mutex waiting_mutex;
  WaitQueue* waits_in = nullptr;  ///< where its thread waits; guarded by waiting_mutex
  ValueStack stack;
  abi::Slot* stack_top = nullptr;  ///< where a nested call may begin
  Frame* frame = nullptr;          ///< innermost guest frame
  std::uint32_t native_depth = 0;  ///< nested entries into the engine
  Pending pending_state;

  /// Made for a plain call whose host functions ask for one.
  std::optional<CallContext> plain_context;
  ReferenceTable reference_table;
};

inline Group& GroupOf(const abi::InstanceHeader& header) noexcept {
  return *static_cast<Group*>(header.exec);
}

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/group.ipp>
#endif
