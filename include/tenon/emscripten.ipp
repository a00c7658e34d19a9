// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of emscripten.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/definition.hpp>
#include <tenon/emscripten.hpp>
#include <tenon/error.hpp>
#include <tenon/function.hpp>
#include <tenon/host_module.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
#include <tenon/system.hpp>
#include <tenon/table.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI::emscripten {

namespace detail {

inline constexpr std::uint64_t kPageSize = 65536;
inline constexpr std::uint64_t kMostPages = 65536;
/// ENOSYS as a system call of emscripten's returns it; its numbers are those of WASI.
inline constexpr std::int32_t kNoSuchCall = -52;

/// An export of the guest's that has one of two names, the newer one first.
TENON_DECL Function FindEither(const Module& module, std::string_view newer,
                               std::string_view older) {
  Function function = module.ExportedFunction(newer);
  if (!function) function = module.ExportedFunction(older);
  if (!function) throw Trap{"the guest does not export " + std::string{newer}};
  return function;
}

/// One of the invoke_ functions: the first operand is an index into the guest's table, the others
/// are those of the function there.
class Invoke {
 public:
  Invoke(std::vector<ValueType> parameters, std::vector<ValueType> results)
      : parameters_{std::move(parameters)}, results_{std::move(results)} {}

  void operator()(Module& caller, std::span<abi::Slot> slots) const {
    const Function function = Find(caller, static_cast<std::uint32_t>(slots[0]));
    const Function get_stack = FindEither(caller, "emscripten_stack_get_current", "stackSave");
    abi::Slot stack_pointer[1] = {};
    get_stack.CallWithStack(stack_pointer);
    std::vector<abi::Slot> values(slots.begin() + 1, slots.end());
    values.resize(std::max(values.size(), slots.size()));
    const std::exception_ptr error = function.TryCallWithStack(values);
    if (error == nullptr) {
      std::copy(values.begin(), values.end(), slots.begin());
      return;
    }
    try {
      std::rethrow_exception(error);
    } catch (const Longjmp&) {
      FindEither(caller, "_emscripten_stack_restore", "stackRestore").CallWithStack(stack_pointer);
      abi::Slot threw[2] = {1, 0};
      FindEither(caller, "setThrew", "_setThrew").CallWithStack(threw);
      std::fill(slots.begin(), slots.end(), abi::Slot{0});
    }
  }

 private:
  Function Find(const Module& caller, std::uint32_t index) const {
    const Function function =
        caller.ExportedTable("__indirect_function_table").LookupFunction(index);
    if (!function) throw Trap{"invoke of no function: element " + std::to_string(index)};
    // Types are numbers within a runtime; the one that was compared before need not be again.
    const std::uint64_t type = std::uint64_t{function.Record()->type} + 1;
    if (known_type_->load(std::memory_order_relaxed) == type) return function;
    const FunctionDefinition definition = function.Definition();
    if (definition.parameter_types != parameters_ || definition.result_types != results_) {
      throw Trap{"invoke of a function of another type: " + definition.Signature()};
    }
    known_type_->store(type, std::memory_order_relaxed);
    return function;
  }

  std::vector<ValueType> parameters_;
  std::vector<ValueType> results_;
  /// A type that fits, and 1.
  std::shared_ptr<std::atomic<std::uint64_t>> known_type_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

inline void ThrowLongjmp() { throw Longjmp{}; }
inline void NotifyMemoryGrowth(std::uint32_t /*memory*/) {}
[[noreturn]] inline void Abort() { throw Trap{"the guest aborted"}; }

TENON_DECL void CopyMemory(Memory& memory, std::uint32_t to, std::uint32_t from,
                           std::uint32_t count) {
  const auto source = memory.ViewUnsynchronized(from, count);
  if (!source || !memory.Write(to, *source)) throw Trap{"memcpy out of bounds"};
}
TENON_DECL std::uint32_t CopyMemoryBig(Memory& memory, std::uint32_t to, std::uint32_t from,
                                       std::uint32_t count) {
  CopyMemory(memory, to, from, count);
  return to;
}

TENON_DECL std::uint32_t ResizeHeap(Memory& memory, std::uint32_t bytes) {
  const std::uint64_t size = memory.Size();
  if (bytes <= size) return 1;
  return memory.Grow((bytes - size + kPageSize - 1) / kPageSize).has_value() ? 1 : 0;
}
TENON_DECL std::uint32_t HeapMaximum(Memory& memory) {
  const std::uint64_t pages =
      std::min(memory.Definition().maximum.value_or(kMostPages), kMostPages);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(pages * kPageSize, UINT32_MAX));
}

TENON_DECL double DateNow(Module& caller) {
  return static_cast<double>(caller.System().Walltime()) / 1e6;
}
TENON_DECL double Now(Module& caller) {
  return static_cast<double>(caller.System().Nanotime()) / 1e6;
}

/// What old versions return besides a result, between a guest's function and the caller of it,
/// which asks for it at once: so guests on several threads and guests within others keep theirs
/// apart.
inline std::uint32_t& TemporaryResult() {
  thread_local std::uint32_t value = 0;
  return value;
}

/// Adds a function of the name if it is one of those above.
TENON_DECL void AddNamed(HostModuleBuilder& builder, const std::string& name) {
  HostFunctionBuilder function = builder.NewFunctionBuilder();
  if (name == "_emscripten_throw_longjmp") {
    function = function.WithFunc(ThrowLongjmp);
  } else if (name == "emscripten_longjmp") {
    function = function.WithFunc([](std::uint32_t, std::uint32_t) { throw Longjmp{}; })
                   .WithParameterNames("env", "value");
  } else if (name == "emscripten_notify_memory_growth") {
    function = function.WithFunc(NotifyMemoryGrowth).WithParameterNames("memory_index");
  } else if (name == "emscripten_memcpy_js" || name == "_emscripten_memcpy_js") {
    function = function.WithFunc(CopyMemory).WithParameterNames("dest", "src", "num");
  } else if (name == "emscripten_memcpy_big") {
    function = function.WithFunc(CopyMemoryBig).WithParameterNames("dest", "src", "num");
  } else if (name == "emscripten_resize_heap") {
    function = function.WithFunc(ResizeHeap).WithParameterNames("requested_size");
  } else if (name == "emscripten_get_heap_max") {
    function = function.WithFunc(HeapMaximum);
  } else if (name == "emscripten_date_now") {
    function = function.WithFunc(DateNow);
  } else if (name == "emscripten_get_now") {
    function = function.WithFunc(Now);
  } else if (name == "setTempRet0") {
    function = function.WithFunc([](std::uint32_t value) { TemporaryResult() = value; });
  } else if (name == "getTempRet0") {
    function = function.WithFunc([] { return TemporaryResult(); });
  } else {
    function = function.WithFunc(Abort);
  }
  function.Export(name);
}

TENON_DECL bool IsKnown(std::string_view name) {
  constexpr std::string_view kNames[] = {"_emscripten_throw_longjmp",
                                         "emscripten_longjmp",
                                         "emscripten_notify_memory_growth",
                                         "emscripten_memcpy_js",
                                         "_emscripten_memcpy_js",
                                         "emscripten_memcpy_big",
                                         "emscripten_resize_heap",
                                         "emscripten_get_heap_max",
                                         "emscripten_date_now",
                                         "emscripten_get_now",
                                         "setTempRet0",
                                         "getTempRet0",
                                         "abort",
                                         "_abort_js"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace detail

TENON_DECL HostModuleBuilder AddFunctionsForModule(HostModuleBuilder builder,
                                                   const CompiledModule& guest) {
  for (const FunctionDefinition& function : guest.ImportedFunctions()) {
    if (function.import->module != "env") continue;
    const std::string& name = function.import->name;
    const std::vector<ValueType>& parameters = function.parameter_types;
    if (name.starts_with("invoke_") && !parameters.empty() && parameters[0] == ValueType::I32) {
      builder.NewFunctionBuilder()
          .WithHostFunction(std::function<void(Module&, std::span<abi::Slot>)>{detail::Invoke{
                                {parameters.begin() + 1, parameters.end()}, function.result_types}},
                            parameters, function.result_types)
          .Export(name);
    } else if (name.starts_with("__syscall_") &&
               function.result_types == std::vector{ValueType::I32}) {
      builder.NewFunctionBuilder()
          .WithHostFunction(
              [](std::span<abi::Slot> slots) {
                slots[0] = static_cast<std::uint32_t>(detail::kNoSuchCall);
              },
              parameters, function.result_types)
          .Export(name);
    } else if (detail::IsKnown(name)) {
      detail::AddNamed(builder, name);
    }
  }
  return builder;
}

TENON_DECL Module InstantiateForModule(const Runtime& runtime, const CompiledModule& guest) {
  return AddFunctionsForModule(runtime.NewHostModuleBuilder("env"), guest).Instantiate();
}

}  // namespace tenon::inline TENON_ABI::emscripten
