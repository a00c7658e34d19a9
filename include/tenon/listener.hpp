// SPDX-License-Identifier: Apache-2.0
/// @file
/// Hooks around function calls.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/definition.hpp>
#include <tenon/module.hpp>
#include <tenon/typed_value.hpp>

namespace tenon::inline TENON_ABI {

/// Walks the calls that are in progress: the function being entered or left first, then its guest
/// callers, innermost first. Valid during Before and Abort only.
class StackIterator {
 public:
  virtual ~StackIterator() = default;
  /// Moves to the next frame (the first call moves to the innermost). False: no more frames.
  virtual bool Next() = 0;
  /// The function of the current frame.
  virtual const FunctionDefinition& Function() const = 0;
  /// Back to before the first frame.
  virtual void Reset() = 0;
  /// Offset of the current instruction in the module's bytes; 0 in a host function.
  virtual std::uint32_t ModuleOffset() const = 0;
};

/// Called around every call of one function. May be entered by several threads when several
/// instances of a module run. Exceptions leave the guest like those of host functions.
class FunctionListener {
 public:
  virtual ~FunctionListener() = default;
  virtual void Before(Module& module, const FunctionDefinition& function,
                      const TypedValues& arguments, StackIterator& stack) = 0;
  virtual void After(Module& module, const FunctionDefinition& function,
                     const TypedValues& results) = 0;
  /// In place of After when the call ends with a trap, an exit or an exception.
  virtual void Abort(Module& module, const FunctionDefinition& function,
                     const std::exception_ptr& error) = 0;
};

/// Decides while compiling which functions are listened to: a listener, or null for none. Part of
/// RuntimeConfig; called once for each function of each compiled module.
using FunctionListenerFactory =
    std::function<std::shared_ptr<FunctionListener>(const FunctionDefinition&)>;

/// Asks every one of `factories` and gives all their listeners each call, in order.
TENON_DECL FunctionListenerFactory
MultiFunctionListenerFactory(std::vector<FunctionListenerFactory> factories);

/// Asks `factory` about host functions that were defined with HostFunctionBuilder::WithTrace only.
TENON_DECL FunctionListenerFactory TracedFunctionListenerFactory(FunctionListenerFactory factory);

/// Writes one line before and one after each call through `write`, indented by depth:
/// "--> env.add(x=1,y=2)" and "<-- 3". A std::string_view parameter of a host function is written
/// as the text it refers to, cut after 64 bytes: `--> env.log(text="hello")`.
TENON_DECL FunctionListenerFactory NewLoggingListenerFactory(
    std::function<void(const std::string& line)> write, bool host_functions_only = false);

/// What host functions are about. A function of WASI is in one scope by its name; any other host
/// function is in the scopes that its capabilities (HostFunctionBuilder::WithCapability) name:
/// "clock", "proc", "filesystem", "memory", "poll", "random", "sock".
enum class LogScopes : std::uint32_t {
  None = 0,
  Clock = 1u << 0,
  Proc = 1u << 1,
  Filesystem = 1u << 2,
  Memory = 1u << 3,
  Poll = 1u << 4,
  Random = 1u << 5,
  Sock = 1u << 6,
  All = 0xFFFFFFFF,  ///< also functions that are in no scope
};
constexpr LogScopes operator|(LogScopes a, LogScopes b) {
  return static_cast<LogScopes>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr LogScopes operator&(LogScopes a, LogScopes b) {
  return static_cast<LogScopes>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}

/// The scopes of a function; None for those of guests and for host functions that are in none.
TENON_DECL LogScopes LogScopesOf(const FunctionDefinition& function);

/// NewLoggingListenerFactory of the host functions in any of these scopes.
TENON_DECL FunctionListenerFactory NewHostLoggingListenerFactory(
    std::function<void(const std::string& line)> write, LogScopes scopes = LogScopes::All);

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/listener.ipp>
#endif
