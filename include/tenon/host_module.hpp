// SPDX-License-Identifier: Apache-2.0
/// @file
/// Modules made of C++ functions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/bind.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/link_policy.hpp>
#include <tenon/module.hpp>
#include <tenon/precondition.hpp>
#include <tenon/struct_form.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
class HostModuleState;
class Store;
}  // namespace vm

class HostModuleBuilder;
class ModuleConfig;

template <class Source>
class BoundFunctionBuilder;
template <StructForm kForm>
class StructModuleBuilder;

/// Defines one host function. A small handle to shared state: copies continue the same definition.
/// Its methods throw no tenon::Error; what is wrong is reported by HostModuleBuilder::Compile.
class HostFunctionBuilder {
 public:
  /// Any C++ callable: a free function, a lambda with or without captures, a function object, a
  /// std::function. Its signature is deduced and checked while compiling; it is moved (or copied,
  /// if given as an lvalue) once, and may be entered by several runtimes and threads at once.
  template <class F>
    requires(!std::is_function_v<F>)
  BoundFunctionBuilder<detail::CallableSource<F>> WithFunc(F&& function) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction(std::forward<F>(function))});
  }
  /// For generic and overloaded callables: `WithFunc<int(int)>(f)`.
  template <class Signature, class F>
    requires(std::is_function_v<Signature> && (std::is_class_v<std::decay_t<F>> ||
                                               !std::is_convertible_v<std::decay_t<F>, Signature*>))
  BoundFunctionBuilder<detail::NamedSource<Signature, F>> WithFunc(F&& function) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction<Signature>(std::forward<F>(function))});
  }
  /// The same for functions; chooses among overloaded ones.
  template <class Signature>
    requires std::is_function_v<Signature>
  BoundFunctionBuilder<detail::NamedSource<Signature, Signature*>> WithFunc(
      std::type_identity_t<Signature>* function) {
    return WithHostFunction(bind::OwnedHostFunction{bind::MakeHostFunction<Signature>(function)});
  }
  /// The same with all plain structs that the callable takes or returns in this form, as in
  /// `WithFunc<StructForm::Flat>(f)`. Needs <tenon/aggregate.hpp>, or lists of their fields.
  template <StructForm kForm, class F>
    requires std::is_function_v<detail::FormedFunction<kForm, F>>
  BoundFunctionBuilder<detail::NamedSource<detail::FormedFunction<kForm, F>, F>> WithFunc(
      F&& function) {
    return WithHostFunction(bind::OwnedHostFunction{
        bind::MakeHostFunction<detail::FormedFunction<kForm, F>>(std::forward<F>(function))});
  }
  /// The same with pointers and lengths in this form, as in `WithFunc<Addresses::I64>(f)` for
  /// guests whose memory has 64-bit addresses.
  template <Addresses kForm, class F>
    requires std::is_function_v<bind::detail::AddressedFunction<kForm, F>>
  BoundFunctionBuilder<detail::NamedSource<bind::detail::AddressedFunction<kForm, F>, F>> WithFunc(
      F&& function) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction<bind::detail::AddressedFunction<kForm, F>>(
            std::forward<F>(function))});
  }
  /// Refuses a callable whose signature is not known.
  template <Addresses, class F>
  BoundFunctionBuilder<detail::CallableSource<F>> WithFunc(F&& function) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction(std::forward<F>(function))});
  }
  /// Refuses a callable whose signature is not known.
  template <StructForm, class F>
  BoundFunctionBuilder<detail::CallableSource<F>> WithFunc(F&& function) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction(std::forward<F>(function))});
  }
  /// A free function as template argument: its body is inlined into the call path.
  template <auto Function>
    requires(!std::is_member_function_pointer_v<decltype(Function)>)
  BoundFunctionBuilder<detail::ConstantSource<Function>> WithFunc() {
    return WithHostFunction(bind::OwnedHostFunction{bind::MakeHostFunction<Function>()});
  }
  /// A member function and the object it is called on, which must outlive the module.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  BoundFunctionBuilder<detail::MethodSource<Member, Object>> WithFunc(Member member,
                                                                      Object&& object) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction(member, std::forward<Object>(object))});
  }

  /// The same with the member function as template argument.
  template <auto Method, class Object>
    requires std::is_member_function_pointer_v<decltype(Method)>
  BoundFunctionBuilder<detail::ConstantMethodSource<Method, Object>> WithFunc(Object&& object) {
    return WithHostFunction(
        bind::OwnedHostFunction{bind::MakeHostFunction<Method>(std::forward<Object>(object))});
  }

  /// A function whose type is known at run time only. `slots` holds the operands on entry and the
  /// results on return, each v128 taking two; it is as long as the longer of both.
  TENON_DECL HostFunctionBuilder
  WithHostFunction(std::function<void(std::span<abi::Slot> slots)> function,
                   std::vector<ValueType> parameters, std::vector<ValueType> results);
  /// The same with the calling module.
  TENON_DECL HostFunctionBuilder
  WithHostFunction(std::function<void(Module& caller, std::span<abi::Slot> slots)> function,
                   std::vector<ValueType> parameters, std::vector<ValueType> results);
  /// A callable whose C++ type was erased by bind::MakeHostFunction.
  TENON_DECL HostFunctionBuilder WithHostFunction(bind::OwnedHostFunction function);

  /// See BoundFunctionBuilder: it comes directly behind WithFunc, which knows the parameters.
  template <class Predicate>
  HostFunctionBuilder WithPrecondition(Predicate&&) {
    static_assert(bind::detail::kAccepted<Predicate>, TENON_REFUSED_PRECONDITION_PLACE);
    return *this;
  }

  /// Name for traces and the name section. Default: the export name.
  TENON_DECL HostFunctionBuilder WithName(std::string name);
  /// One name for each C++ parameter (special parameters excluded); a view `text` names the
  /// operands `text` and `text_len`. All or none.
  TENON_DECL HostFunctionBuilder WithParameterNames(std::vector<std::string> names);
  template <class... Names>
    requires(sizeof...(Names) > 0 && (std::is_convertible_v<Names, std::string> && ...))
  HostFunctionBuilder WithParameterNames(Names&&... names) {
    return WithParameterNames(std::vector<std::string>{std::string{std::forward<Names>(names)}...});
  }
  /// One name for each wasm result. All or none.
  TENON_DECL HostFunctionBuilder WithResultNames(std::vector<std::string> names);
  template <class... Names>
    requires(sizeof...(Names) > 0 && (std::is_convertible_v<Names, std::string> && ...))
  HostFunctionBuilder WithResultNames(Names&&... names) {
    return WithResultNames(std::vector<std::string>{std::string{std::forward<Names>(names)}...});
  }

  /// Only modules that were granted this label (ModuleConfig::WithGrants) can import the function;
  /// others do not link. Further calls add labels, all of which are needed. Without any, every
  /// module can. A module that was granted it may hand the function on, by a table or a reference.
  TENON_DECL HostFunctionBuilder WithCapability(std::string capability);

  /// What a call takes from budgets before it is made: those of the CallContexts of the calls from
  /// the host that are in progress, and of all guests that have a function on the stack, whichever
  /// makes the call (ModuleConfig::WithBudget). If one has too little, nothing is taken, the
  /// function is not entered and the guest traps with TrapCode::BudgetExhausted. Default: 0.
  TENON_DECL HostFunctionBuilder WithCost(std::uint64_t units);
  /// Marks the function for TracedFunctionListenerFactory.
  TENON_DECL HostFunctionBuilder WithTrace();

  /// Ends the definition: exports the function under `name`, replacing one of the same name unless
  /// HostModuleBuilder::WithShadowing says otherwise.
  TENON_DECL HostModuleBuilder Export(std::string name);

 protected:
  /// What was given last; null if there is nothing.
  TENON_DECL std::shared_ptr<const bind::OwnedHostFunction> Callable() const;

 private:
  friend class HostModuleBuilder;
  HostFunctionBuilder(std::shared_ptr<vm::HostModuleState> state, std::size_t function)
      : state_{std::move(state)}, function_{function} {}

  std::shared_ptr<vm::HostModuleState> state_;
  std::size_t function_;
};

/// A HostFunctionBuilder that knows the C++ types of its function.
template <class Source>
class BoundFunctionBuilder : public HostFunctionBuilder {
 public:
  BoundFunctionBuilder(const HostFunctionBuilder& builder) : HostFunctionBuilder{builder} {}

  /// Asks `predicate` before each call, with the arguments that the function will get, constant and
  /// converted once; Module, Memory and CallContext in front are passed if it takes them. It
  /// answers with a bool, or with a text or std::optional of one, which is empty if there is no
  /// objection. A refused call does not enter the function: the guest traps with
  /// TrapCode::PreconditionFailed and the text. Exceptions leave the guest as those of the function
  /// do. Several are asked from the last one given to the first. May be entered by several threads
  /// at once.
  template <class Predicate>
  auto WithPrecondition([[maybe_unused]] Predicate&& predicate) {
    using Stored = std::decay_t<Predicate>;
    using Own = decltype(bind::detail::DeduceSignature<Stored>());
    using Signature = typename Source::Signature;
    if constexpr (bind::detail::JudgeSignature(Signature{}).refusal != bind::Refusal::None) {
      return *this;  // Refused by WithFunc.
    } else {
      constexpr detail::PreconditionVerdict kAnswer =
          detail::JudgePrecondition<Stored, Predicate>(Signature{});
      if constexpr (kAnswer.verdict.refusal == bind::Refusal::None) {
        using Guarded = detail::GuardedSource<Source, Stored, kAnswer.skipped>;
        using State = detail::PreconditionState<Stored>;
        std::shared_ptr<const bind::OwnedHostFunction> function = Callable();
        if (function != nullptr && *function) {
          WithHostFunction(bind::OwnedHostFunction{
              {bind::kHostSignature<typename Guarded::Target, Signature>,
               ::new State{std::move(function), std::forward<Predicate>(predicate)},
               bind::detail::Destroy<State>}});
        }
        return BoundFunctionBuilder<Guarded>{*this};
      } else {
        static_cast<void>(sizeof(bind::detail::RefusalOf<kAnswer.verdict, Own, Stored>));
        return *this;
      }
    }
  }
};

/// Defines a host module. A small handle to shared state: every method changes that state and
/// returns another handle to it, so keeping one in a variable is safe. Nothing here throws a
/// tenon::Error but Compile and Instantiate. What is defined is sorted by export name on Compile,
/// which copies it: later changes do not affect the result. One thread at a time.
class HostModuleBuilder {
 public:
  TENON_DECL HostFunctionBuilder NewFunctionBuilder();

  /// Exports a memory of this module's own: pages of 64 KiB.
  TENON_DECL HostModuleBuilder ExportMemory(std::string name, std::uint32_t minimum,
                                            std::optional<std::uint32_t> maximum = std::nullopt);
  /// Exports a memory with 64-bit addresses; the runtime must have Feature::Memory64.
  TENON_DECL HostModuleBuilder ExportMemory64(std::string name, std::uint64_t minimum,
                                              std::optional<std::uint64_t> maximum = std::nullopt);
  /// Exports a memory that several threads may use, each by an instance of its own; the runtime
  /// must have Feature::Threads. Address space for the maximum is reserved at once.
  TENON_DECL HostModuleBuilder ExportSharedMemory(std::string name, std::uint32_t minimum,
                                                  std::uint32_t maximum);
  /// The same with 64-bit addresses; the runtime must have Feature::Memory64 too.
  TENON_DECL HostModuleBuilder ExportSharedMemory64(std::string name, std::uint64_t minimum,
                                                    std::uint64_t maximum);
  /// Exports a table, all null. `element` is FuncRef or ExternRef.
  TENON_DECL HostModuleBuilder ExportTable(std::string name, ValueType element,
                                           std::uint32_t minimum,
                                           std::optional<std::uint32_t> maximum = std::nullopt);
  /// Exports a global. A FuncRef value must be null.
  TENON_DECL HostModuleBuilder ExportGlobal(std::string name, const Value& value,
                                            bool is_mutable = false);

  /// What happens if a name is defined twice: the last definition counts (Allow, the default), or
  /// Compile throws (Refuse).
  TENON_DECL HostModuleBuilder WithShadowing(Shadowing shadowing);

  /// This builder, with plain structs in the signatures of its functions in this form, as if each
  /// WithFunc named it.
  template <StructForm kForm>
  StructModuleBuilder<kForm> WithStructs() const {
    return StructModuleBuilder<kForm>{*this};
  }

  /// Throws ConfigError for what is wrong in the definitions; see the texts in `docs/errors.md`.
  TENON_DECL CompiledModule Compile() const;
  /// Compile, then Runtime::InstantiateModule under the builder's name.
  TENON_DECL Module Instantiate() const;

 private:
  friend class HostFunctionBuilder;
  friend class Runtime;
  explicit HostModuleBuilder(std::shared_ptr<vm::HostModuleState> state)
      : state_{std::move(state)} {}

  std::shared_ptr<vm::HostModuleState> state_;
};

/// A HostFunctionBuilder with a form for plain structs.
template <StructForm kForm>
class StructFunctionBuilder : public HostFunctionBuilder {
 public:
  explicit StructFunctionBuilder(const HostFunctionBuilder& builder)
      : HostFunctionBuilder{builder} {}

  /// HostFunctionBuilder::WithFunc<kForm>.
  template <class F>
    requires std::is_function_v<detail::FormedFunction<kForm, F>>
  BoundFunctionBuilder<detail::NamedSource<detail::FormedFunction<kForm, F>, F>> WithFunc(
      F&& function) {
    // Not by way of the base: compilers print each step to a refusal.
    return WithHostFunction(bind::OwnedHostFunction{
        bind::MakeHostFunction<detail::FormedFunction<kForm, F>>(std::forward<F>(function))});
  }
  template <class F>
  BoundFunctionBuilder<detail::CallableSource<F>> WithFunc(F&& function) {
    return HostFunctionBuilder::WithFunc(std::forward<F>(function));
  }
};

/// A HostModuleBuilder with a form for plain structs, see HostModuleBuilder::WithStructs. The form
/// is this handle's: what Export returns is a builder without.
template <StructForm kForm>
class StructModuleBuilder : public HostModuleBuilder {
 public:
  explicit StructModuleBuilder(const HostModuleBuilder& builder) : HostModuleBuilder{builder} {}

  StructFunctionBuilder<kForm> NewFunctionBuilder() {
    return StructFunctionBuilder<kForm>{HostModuleBuilder::NewFunctionBuilder()};
  }
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/host_module.ipp>
#endif
