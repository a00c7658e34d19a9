// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instantiated modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/bind/handles.hpp>
#include <tenon/budget.hpp>
#include <tenon/definition.hpp>
#include <tenon/function.hpp>
#include <tenon/fwd.hpp>
#include <tenon/global.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/memory.hpp>
#include <tenon/ref.hpp>
#include <tenon/table.hpp>
#include <tenon/typed_function.hpp>

namespace tenon::inline TENON_ABI {

class System;

/// A handle to an instantiated module, guest or host. One pointer; copies refer to the same
/// instance. The empty handle is what FindModule gives for unknown names; its members throw
/// ConfigError, but for operator bool, == and the destructor.
///
/// A named module lives until it or its runtime is closed; an anonymous one until then or until its
/// last handle goes. One thread at a time for all modules of one linkage group (those that import
/// each other), except Close, CloseWithExitCode and IsClosed, which any thread may call, also while
/// the module runs; but not beside host code that uses the module's Memory, Table or views of them
/// outside of a call, because outside of a call they go at once.
class Module {
 public:
  Module() noexcept = default;

  explicit operator bool() const noexcept { return static_cast<bool>(instance_); }
  friend bool operator==(const Module&, const Module&) noexcept = default;

  /// The name it was instantiated under; "" for an anonymous module.
  TENON_DECL const std::string& Name() const;
  /// "Module[name]".
  TENON_DECL std::string String() const;

  /// The exported function of this name; an empty handle if there is none.
  TENON_DECL Function ExportedFunction(std::string_view name) const;
  /// The exported function of this name with a C++ signature, as in
  /// `ExportedFunction<std::int32_t(std::int32_t)>("run")`. Throws ConfigError if there is none or
  /// it has another type.
  template <class Signature>
  TypedFunction<Signature> ExportedFunction(std::string_view name) const {
    // Here, so that the error is short.
    static_assert(sizeof(typename bind::detail::FunctionFault<Signature>::Type) != 0);
    return RequireFunction(name).template As<Signature>();
  }
  /// The same with parameters and results that live in the guest's memory, as in
  /// `ExportedFunction<GuestString(std::string_view, std::span<const double>)>("f", allocator)`.
  /// See GuestFunction. Defined in <tenon/guest_function.hpp>.
  template <class Signature>
  GuestFunction<Signature> ExportedFunction(std::string_view name,
                                            const GuestAllocator& allocator) const;
  TENON_DECL std::vector<FunctionDefinition> ExportedFunctionDefinitions() const;

  /// Memory 0, exported or not; an empty handle if the module has none.
  TENON_DECL Memory DefaultMemory() const;
  /// The exported memory, table or global of this name; an empty handle if there is none.
  TENON_DECL Memory ExportedMemory(std::string_view name) const;
  TENON_DECL Table ExportedTable(std::string_view name) const;
  TENON_DECL Global ExportedGlobal(std::string_view name) const;
  TENON_DECL std::vector<MemoryDefinition> ExportedMemoryDefinitions() const;

  /// CloseWithExitCode(0).
  void Close() const { CloseWithExitCode(0); }
  /// Closes the module: frees its name at once, and its memory as soon as no call runs in it. Later
  /// calls throw ExitError with the first code given. A call that is running is stopped if the
  /// runtime has WithCloseOnContextDone. Does nothing if it was closed before.
  TENON_DECL void CloseWithExitCode(std::uint32_t exit_code) const;
  TENON_DECL bool IsClosed() const;
  /// Whether the running call into this module is to end: it was closed, or, with
  /// WithCloseOnContextDone, the call's deadline has passed or its stop was requested. For host
  /// functions that wait: the call ends as soon as they return. The calling guest's thread.
  TENON_DECL bool IsStopRequested() const;

  /// Gives the module a reference to a host object: the value to pass to its functions, as what
  /// host functions return does. Throws Trap with TrapCode::ReferenceLimit; ConfigError if the Ref
  /// is one of another linkage group already.
  template <class T>
  ExternRef Issue(Ref<T> reference) const {
    return ExternRef{static_cast<std::uintptr_t>(
        IssueRequest(reference.Entry(), reference.Request(), [&] { reference.ForgetOwner(); }))};
  }
  template <class T>
  std::uint32_t Issue(Handle<T> handle) const {
    return static_cast<std::uint32_t>(
        IssueRequest(handle.Entry(), handle.Request(), [&] { handle.ForgetOwner(); }));
  }
  /// The host object that a value of the module's refers to; null if it refers to none, or to one
  /// of another class.
  template <class T>
  Ref<T> Resolve(ExternRef value) const {
    const auto token = std::uint64_t{value.Value()};
    const bind::Operand operand{token};
    return bind::detail::ReferenceParameter<Ref<T>>::Make(Header(), &operand);
  }
  template <class T>
  Handle<T> Resolve(std::uint32_t value) const {
    const bind::Operand operand{value};
    return bind::detail::ReferenceParameter<Handle<T>>::Make(Header(), &operand);
  }

  /// The budget it was given by ModuleConfig::WithBudget, to be read and added to; empty if none.
  TENON_DECL tenon::Budget Budget() const;
  /// Arguments, environment, streams and clocks the module was instantiated with.
  TENON_DECL tenon::System& System() const;

  /// For the library's own rooms.
  explicit Module(vm::Instance* instance) noexcept : instance_{instance} {}
  vm::Instance* Get() const noexcept { return instance_.Get(); }

 private:
  TENON_DECL Function RequireFunction(std::string_view name) const;
  TENON_DECL abi::InstanceHeader* Header() const;
  TENON_DECL std::uint64_t IssueReference(const abi::ReferenceEntry* entry,
                                          const abi::ReferenceRequest& request) const;
  template <class Forget>
  std::uint64_t IssueRequest(const abi::ReferenceEntry* entry, const abi::ReferenceRequest& request,
                             Forget&& forget) const {
    const std::uint64_t token = IssueReference(entry, request);
    if (entry == nullptr) forget();
    return token;
  }

  InstanceHandle instance_;
};

}  // namespace tenon::inline TENON_ABI

template <>
struct std::hash<tenon::Module> {
  std::size_t operator()(const tenon::Module& module) const noexcept {
    return std::hash<const void*>{}(module.Get());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/module.ipp>
#endif
