// SPDX-License-Identifier: Apache-2.0
/// @file
/// A calling instance without an engine: enough of the records for thunks to be called.
#pragma once

#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind.hpp>

namespace tenon_test {

/// What a thunk asked of the engine, and the records it saw.
class FakeInstance {
 public:
  static constexpr std::uint64_t kMemorySize = 256;

  FakeInstance() {
    operations_ = {&Capture,          &RaiseTrap,   &RaiseParameterTrap,
                   &MayHold,          &MakeContext, &RaiseExit,
                   &RaiseOverlapTrap, &ThrowTrap,   nullptr,
                   nullptr,           nullptr,      nullptr};
    memory_.base = bytes_;
    memory_.size.Store(kMemorySize);
    exec_.call_context = &context_address;
    header_.exec = &exec_;
    header_.memory = &memory_;
    header_.operations = &operations_;
    header_.module = &module_address;
    header_.memory_handle = &memory_address;
    header_.owner = this;
    for (std::size_t i = 0; i < kMemorySize; ++i) bytes_[i] = static_cast<std::uint8_t>(i);
  }
  FakeInstance(const FakeInstance&) = delete;
  FakeInstance& operator=(const FakeInstance&) = delete;

  tenon::abi::InstanceHeader* Header() { return &header_; }
  std::uint8_t* Bytes() { return bytes_; }
  tenon::abi::MemoryRecord& Memory() { return memory_; }

  /// Calls the thunk with exactly this C signature, `R(A...)`, but for the zero-extension of i32.
  template <class R, class... A>
  R Native(const tenon::abi::HostFunction& function, A... arguments) {
    using Extended = std::conditional_t<std::is_same_v<R, std::uint32_t>, std::uint64_t, R>;
    using Code = Extended (*)(void*, tenon::abi::InstanceHeader*, A...);
    const auto code = reinterpret_cast<Code>(function.signature->thunk);
    if constexpr (std::is_same_v<R, std::uint32_t>) {
      const std::uint64_t result = code(function.state, &header_, arguments...);
      if (result > UINT32_MAX) ++junk;
      return static_cast<R>(result);
    } else {
      return code(function.state, &header_, arguments...);
    }
  }

  /// Calls through the adapter: operands in slots, results in the slots that are returned.
  std::vector<tenon::abi::Slot> Slots(const tenon::abi::HostFunction& function,
                                      std::initializer_list<tenon::abi::Slot> operands) {
    std::vector<tenon::abi::Slot> slots(operands);
    slots.resize(slots.size() + 8, 0xABABABABABABABAB);
    tenon::abi::FunctionRecord record{};
    record.code = function.signature->thunk;
    record.context = function.state;
    record.invoke = function.signature->invoke;
    record.invoke(&record, &header_, slots.data());
    return slots;
  }

  /// Forgets what was raised.
  void Clear() {
    exec_.pending = nullptr;
    trap = tenon::TrapCode::None;
    parameter = kNoParameter;
    detail = nullptr;
    exit_code.reset();
    second_parameter = kNoParameter;
    exception = nullptr;
    raised = 0;
  }

  static constexpr std::uint32_t kNoParameter = 0xFFFFFFFF;
  tenon::TrapCode trap = tenon::TrapCode::None;
  std::uint32_t parameter = kNoParameter;
  const char* detail = nullptr;
  std::optional<std::uint32_t> exit_code;
  std::uint32_t second_parameter = kNoParameter;  ///< of an overlap
  std::exception_ptr exception;
  int raised = 0;
  int junk = 0;  ///< results whose upper half was not zero
  /// The one function that a guest may be given.
  const tenon::abi::FunctionRecord* held = nullptr;

  char module_address = 0;
  char memory_address = 0;
  char context_address = 0;

 private:
  static FakeInstance& Of(tenon::abi::InstanceHeader* caller) {
    return *static_cast<FakeInstance*>(caller->owner);
  }
  static void Pend(tenon::abi::InstanceHeader* caller) {
    ++Of(caller).raised;
    caller->exec->pending = caller;
  }
  static void Capture(tenon::abi::InstanceHeader* caller) noexcept {
    Of(caller).exception = std::current_exception();
    Pend(caller);
  }
  static void RaiseTrap(tenon::abi::InstanceHeader* caller, tenon::TrapCode code,
                        const char* text) noexcept {
    Of(caller).trap = code;
    Of(caller).detail = text;
    Pend(caller);
  }
  static void RaiseParameterTrap(tenon::abi::InstanceHeader* caller, tenon::TrapCode code,
                                 std::uint32_t parameter) noexcept {
    Of(caller).trap = code;
    Of(caller).parameter = parameter;
    Pend(caller);
  }

  static void RaiseExit(tenon::abi::InstanceHeader* caller, std::uint32_t code) noexcept {
    Of(caller).exit_code = code;
    Pend(caller);
  }
  static void RaiseOverlapTrap(tenon::abi::InstanceHeader* caller, std::uint32_t first,
                               std::uint32_t second) noexcept {
    Of(caller).trap = tenon::TrapCode::OverlappingParameters;
    Of(caller).parameter = first;
    Of(caller).second_parameter = second;
    Pend(caller);
  }
  static void ThrowTrap(tenon::TrapCode code, const char*) { throw code; }

  static void* MakeContext(tenon::abi::InstanceHeader* caller) noexcept {
    return &reinterpret_cast<FakeInstance*>(caller->owner)->context_address;
  }
  static bool MayHold(tenon::abi::InstanceHeader* caller,
                      const tenon::abi::FunctionRecord* function) noexcept {
    return function == Of(caller).held;
  }

  alignas(64) std::uint8_t bytes_[kMemorySize];
  tenon::abi::MemoryRecord memory_{};
  tenon::abi::ExecContext exec_{};
  tenon::abi::Operations operations_{};
  tenon::abi::InstanceHeader header_{};
};

inline std::vector<tenon::ValueType> Parameters(const tenon::abi::HostFunction& function) {
  return {function.signature->parameters,
          function.signature->parameters + function.signature->parameter_count};
}
inline std::vector<tenon::ValueType> Results(const tenon::abi::HostFunction& function) {
  return {function.signature->results,
          function.signature->results + function.signature->result_count};
}
inline std::vector<int> Widths(const tenon::abi::HostFunction& function) {
  return {function.signature->parameter_widths,
          function.signature->parameter_widths + function.signature->cpp_parameter_count};
}

/// Binds and owns.
template <class... F>
tenon::bind::OwnedHostFunction Bind(F&&... callable) {
  return tenon::bind::OwnedHostFunction{
      tenon::bind::MakeHostFunction(std::forward<F>(callable)...)};
}
template <class Signature, class F>
tenon::bind::OwnedHostFunction BindAs(F&& callable) {
  return tenon::bind::OwnedHostFunction{
      tenon::bind::MakeHostFunction<Signature>(std::forward<F>(callable))};
}

}  // namespace tenon_test
