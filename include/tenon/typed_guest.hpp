// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instances of guests that are embedded in the program: what they import and export is checked by
/// the compiler.
///
///     constexpr unsigned char kBytes[] = {...};
///     constexpr auto kGuest = tenon::ParseInterface<kBytes>();
///     constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"mix">(Mix));
///
///     tenon::Runtime runtime;
///     auto guest = kGuest.Instantiate(runtime, kEnv);
///     std::int32_t sum = guest.Call<"sum">(3, 4);
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
// clang-format off
#include <tenon/bind/refusal.hpp>
#include <tenon/typed/interface_refusal.hpp>
// clang-format on

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind.hpp>
#include <tenon/call_context.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/fixed_text.hpp>
#include <tenon/guest_interface.hpp>
#include <tenon/host_interface.hpp>
#include <tenon/module.hpp>
#include <tenon/module_config.hpp>
#include <tenon/runtime.hpp>
#include <tenon/typed/interface.hpp>
#include <tenon/typed/nearest.hpp>
#include <tenon/typed/wire.hpp>
#include <tenon/typed_function.hpp>

namespace tenon::inline TENON_ABI {

namespace typed {

/// What stands for the result type that the guest's signature gives.
struct AsDeclared {};

enum class ImportFault : std::uint8_t { None, Signature, Missing, Kind, Module };

struct ImportVerdict {
  ImportFault fault = ImportFault::None;
  std::size_t import = 0;
  std::size_t host = 0;
  std::size_t function = 0;
};

/// What is given for imports to come from: by itself nothing of the kind.
template <class T>
struct HostOf {
  static constexpr bool kIsHost = false;
};
template <FixedText kName, class... Functions>
struct HostOf<HostInterface<kName, Functions...>> {
  using Description = HostInterface<kName, Functions...>;
  static constexpr bool kIsHost = true;
  static constexpr bool kIsLinked = false;
};
template <class Interface>
struct HostOf<MountedHost<Interface>> : HostOf<Interface> {};
template <FixedText kName>
struct HostOf<LinkedModule<kName>> {
  using Description = LinkedModule<kName>;
  static constexpr bool kIsHost = true;
  static constexpr bool kIsLinked = true;
};

/// The position of the first that is nothing to import from, or their number.
template <class... Given>
consteval std::size_t FindNoHost() {
  std::size_t position = 0;
  static_cast<void>(((HostOf<Given>::kIsHost ? (++position, true) : false) && ...));
  return position;
}

template <class Tables, class Host>
consteval ImportVerdict JudgeImport(std::size_t import, std::size_t host) {
  if constexpr (HostOf<Host>::kIsLinked) {
    return {};
  } else {
    using Description = typename HostOf<Host>::Description;
    const ExternRow& row = Tables::kTables.imports[import];
    if (row.kind != ExternKind::Func) return {ImportFault::Kind, import, host, 0};
    const std::size_t found = Description::Find(Tables::Text(row.name));
    if (found == Description::kNone) return {ImportFault::Missing, import, host, 0};
    if (!(Description::WasmTypeAt(found) == Tables::SignatureOf(row))) {
      return {ImportFault::Signature, import, host, found};
    }
    return {};
  }
}

/// The first import that would not link. Where several hosts have a name, the first one counts.
template <class Tables, class... Hosts>
consteval ImportVerdict JudgeImports() {
  for (std::size_t i = 0; i < Tables::kSizes.imports; ++i) {
    [[maybe_unused]] const std::string_view module =
        Tables::Text(Tables::kTables.imports[i].module);
    std::size_t position = 0;
    bool is_given = false;
    ImportVerdict verdict;
    static_cast<void>(
        ((HostOf<Hosts>::Description::kModule == module
              ? (is_given = true, verdict = JudgeImport<Tables, Hosts>(i, position), true)
              : (++position, false)) ||
         ...));
    if (!is_given) return {ImportFault::Module, i, 0, 0};
    if (verdict.fault != ImportFault::None) return verdict;
  }
  return {};
}

template <class Tables, std::size_t kImport>
struct ImportName {
  static constexpr Draft Get() {
    Draft draft;
    draft += Tables::Text(Tables::kTables.imports[kImport].module);
    draft += ".";
    draft += Tables::Text(Tables::kTables.imports[kImport].name);
    return draft;
  }
};
/// The names of imports without their modules, as a list.
template <class Tables>
struct ImportNames {
  static constexpr std::string_view NameAt(std::size_t position) {
    return Tables::Text(Tables::kTables.imports[position].name);
  }
};
template <class Tables, std::size_t kImport>
struct ImportType {
  static constexpr Draft Get() {
    return SignatureDraft(Tables::SignatureOf(Tables::kTables.imports[kImport]));
  }
};
template <class Tables, std::size_t kExport>
struct ExportType {
  static constexpr Draft Get() {
    return SignatureDraft(Tables::SignatureOf(Tables::kTables.exports[kExport]));
  }
};
template <class Description, std::size_t kFunction>
struct HostType {
  static constexpr Draft Get() { return SignatureDraft(Description::WasmTypeAt(kFunction)); }
};

/// The C++ signature of a function of a description, as programs write it.
template <class S>
struct Written;
template <class R, class... P>
struct Written<bind::Signature<R, P...>> {
  using Type = R(P...);
};
template <std::size_t kFunction, FixedText kModule, class... Functions>
auto CppSignatureIn(const HostInterface<kModule, Functions...>&) -> typename Written<
    typename bind::detail::TypeAt<kFunction, Functions...>::Type::CppSignature>::Type*;

/// The refusal that a verdict calls for.
template <class Tables, ImportVerdict kVerdict, class... Hosts>
consteval auto ImportRefusal() {
  using bind::detail::TypeAt;
  constexpr auto kImport = FixedOf<ImportName<Tables, kVerdict.import>>();
  if constexpr (kVerdict.fault == ImportFault::Module) {
    return TypeTag<RefusedImportModule<kImport>>{};
  } else if constexpr (kVerdict.fault == ImportFault::Kind) {
    return TypeTag<RefusedImportKind<kImport>>{};
  } else {
    using Description =
        typename HostOf<typename TypeAt<kVerdict.host, Hosts...>::Type>::Description;
    using Wanted = Guest<FixedOf<ImportType<Tables, kVerdict.import>>()>;
    if constexpr (kVerdict.fault == ImportFault::Signature) {
      using Cpp = std::remove_pointer_t<decltype(CppSignatureIn<kVerdict.function>(
          std::declval<const Description&>()))>;
      return TypeTag<RefusedSignature<
          kImport, Wanted, Host<FixedOf<HostType<Description, kVerdict.function>>(), Cpp>>>{};
    } else {
      using Near =
          typename NearestIn<Description,
                             FixedOf<NameIn<ImportNames<Tables>, kVerdict.import>>()>::Type;
      return TypeTag<RefusedMissingImport<kImport, Wanted, Near>>{};
    }
  }
}

/// The names of exports, as a list; "" of what is no function.
template <class Tables>
struct ExportNames {
  static constexpr std::size_t kNameCount = Tables::kSizes.exports;
  static constexpr std::string_view NameAt(std::size_t position) {
    const ExternRow& row = Tables::kTables.exports[position];
    return row.kind == ExternKind::Func ? Tables::Text(row.name) : std::string_view{};
  }
};

/// The types of a call of one export: how results and arguments cross, or why they do not.
template <class Tables, std::size_t kExport>
struct ExportedCall {
  static constexpr const ExternRow& kRow = Tables::kTables.exports[kExport];
  static constexpr std::size_t kParameters = kRow.parameters.count;
  static constexpr std::size_t kResults = kRow.results.count;
  using Type = Guest<FixedOf<ExportType<Tables, kExport>>()>;

  static consteval WireKind ParameterAt(std::size_t position) {
    return WireOf(Tables::kTables.types[kRow.parameters.first + position]);
  }
  static consteval WireKind ResultAt(std::size_t position) {
    return WireOf(Tables::kTables.types[kRow.results.first + position]);
  }
  template <std::size_t... I>
  static consteval auto DeclaredTag(std::index_sequence<I...>) {
    return TypeTag<typename PlainResults<ResultAt(I)...>::Type>{};
  }
  template <class R>
  static consteval auto ResultTag() {
    if constexpr (std::is_same_v<R, AsDeclared>) {
      return DeclaredTag(std::make_index_sequence<kResults>{});
    } else {
      return TypeTag<R>{};
    }
  }
  /// The first argument that does not fit, or their number.
  template <class... A, std::size_t... I>
  static consteval std::size_t FirstMisfit(std::index_sequence<I...>) {
    std::size_t misfit = sizeof...(A);
    static_cast<void>(
        ((std::is_void_v<Passed<A, ParameterAt(I)>> ? (misfit = I, true) : false) || ...));
    return misfit;
  }
  template <class R, class... A, std::size_t... I>
  static consteval auto FunctionTag(std::index_sequence<I...>) {
    return TypeTag<R(Passed<A, ParameterAt(I)>...)>{};
  }
  template <class R>
  static consteval bool HasResult() {
    const std::span<const ValueType> wanted = Tables::Types(kRow.results);
    const std::span<const ValueType> given = bind::CallSignature<R()>::Results();
    return Signature{{}, wanted} == Signature{{}, given};
  }
};

}  // namespace typed

/// An instance of a guest that is embedded in the program. A handle to a module, with its exported
/// functions found already; copies refer to the same instance, which lives as Module says. One
/// thread at a time.
template <const auto& kBytes>
class TypedGuest {
  using Tables = typed::Interface<kBytes>;

 public:
  /// Empty; calls throw ConfigError.
  TypedGuest() noexcept = default;

  explicit operator bool() const noexcept { return static_cast<bool>(module_); }

  /// Calls an exported function: `guest.Call<"sum">(3, 4)`. Numbers are passed as they are, or
  /// widened to i64 and f64; anything that could lose something does not compile. The result is
  /// void, a number (signed), a V128, a reference, or a std::tuple of several; another type of the
  /// same kind can be asked for: `Call<"size", std::uint32_t>()`. Costs what TypedFunction costs.
  /// Throws ConfigError if the handle is empty; Trap, ExitError, or what a host function threw.
  template <FixedText kName, class R = typed::AsDeclared, class... A>
  auto Call(const A&... arguments) const {
    return CallWith<kName, R>(nullptr, arguments...);
  }
  /// The same under a stop token or deadline, or with user data.
  template <FixedText kName, class R = typed::AsDeclared, class... A>
  auto Call(const CallContext& context, const A&... arguments) const {
    return CallWith<kName, R>(&context, arguments...);
  }

  /// An exported function with its C++ signature, checked while compiling:
  /// `guest.Function<"sum", std::int32_t(std::int32_t, std::int32_t)>()`. An empty handle of an
  /// empty one.
  template <FixedText kName, class CppSignature>
  TypedFunction<CppSignature> Function() const {
    constexpr std::size_t kFound = Tables::FindExport(kName.View());
    if constexpr (kFound == Tables::kNone) {
      static_cast<void>(sizeof(typed::RefusedExport<kName, NearestTo<kName>>));
      return {};
    } else {
      using Shape = bind::CallSignature<CppSignature>;
      if constexpr (!(typed::Signature{Shape::Parameters(), Shape::Results()} ==
                      Tables::SignatureOf(Tables::kTables.exports[kFound]))) {
        static_cast<void>(
            sizeof(typed::RefusedResult<kName, typename typed::ExportedCall<Tables, kFound>::Type,
                                        CppSignature>));
        return {};
      } else {
        return TypedFunction<CppSignature>::FromChecked(
            tenon::Function::FromRecord(functions_[kFound]));
      }
    }
  }

  /// The instance, for memories, globals and everything else.
  const Module& Untyped() const noexcept { return module_; }

  /// For the library's own rooms: `module` must be an instance of the guest.
  explicit TypedGuest(Module module) : module_{std::move(module)} {
    for (std::size_t i = 0; i < Tables::kSizes.exports; ++i) {
      if (Tables::kTables.exports[i].kind != ExternKind::Func) continue;
      functions_[i] =
          module_.ExportedFunction(Tables::Text(Tables::kTables.exports[i].name)).Record();
    }
  }

 private:
  template <FixedText kName>
  using NearestTo = typename typed::NearestIn<typed::ExportNames<Tables>, kName>::Type;

  template <FixedText kName, class R, class... A>
  auto CallWith(const CallContext* context, const A&... arguments) const {
    constexpr std::size_t kFound = Tables::FindExport(kName.View());
    if constexpr (kFound == Tables::kNone) {
      static_cast<void>(sizeof(typed::RefusedExport<kName, NearestTo<kName>>));
      return 0;
    } else {
      using Exported = typed::ExportedCall<Tables, kFound>;
      if constexpr (sizeof...(A) != Exported::kParameters) {
        static_cast<void>(
            sizeof(typed::RefusedCount<kName, typename Exported::Type, sizeof...(A)>));
        return 0;
      } else {
        using Indices = std::index_sequence_for<A...>;
        using Result = typename decltype(Exported::template ResultTag<R>())::Type;
        constexpr std::size_t kMisfit = Exported::template FirstMisfit<A...>(Indices{});
        if constexpr (kMisfit != sizeof...(A)) {
          static_cast<void>(
              sizeof(typed::RefusedArgument<kMisfit, kName, typename Exported::Type,
                                            typename bind::detail::TypeAt<kMisfit, A...>::Type,
                                            typed::Plain<Exported::ParameterAt(kMisfit)>>));
          return 0;
        } else if constexpr (!Exported::template HasResult<Result>()) {
          static_cast<void>(sizeof(typed::RefusedResult<kName, typename Exported::Type, Result>));
          return 0;
        } else {
          using Called =
              typename decltype(Exported::template FunctionTag<Result, A...>(Indices{}))::Type;
          return TypedFunction<Called>::CallRecord(functions_[kFound], context, arguments...);
        }
      }
    }
  }

  Module module_;
  std::array<const abi::FunctionRecord*, Tables::kSizes.exports + 1> functions_{};
};

namespace typed {

/// Mounts those hosts that are descriptions, for a guest that needs them: closes them again unless
/// it was made.
template <std::size_t kHosts>
class MountedForGuest {
 public:
  template <class... Hosts>
  explicit MountedForGuest(const Runtime& runtime, const Hosts&... hosts) {
    try {
      (MountNow(runtime, hosts), ...);
    } catch (...) {
      Close();
      throw;
    }
  }
  MountedForGuest(const MountedForGuest&) = delete;
  MountedForGuest& operator=(const MountedForGuest&) = delete;
  ~MountedForGuest() { Close(); }

  void Keep() noexcept { count_ = 0; }

 private:
  template <class Host>
  void MountNow(const Runtime& runtime, const Host& host) {
    if constexpr (requires { host.Mount(runtime); }) {
      mounted_[count_] = host.Mount(runtime).Untyped();
      ++count_;
    }
  }
  void Close() noexcept {
    for (; count_ != 0; --count_) mounted_[count_ - 1].Close();
  }

  std::array<Module, kHosts + 1> mounted_;
  std::size_t count_ = 0;
};

}  // namespace typed

template <const auto& kBytes>
template <class... Hosts>
TypedGuest<kBytes> GuestInterface<kBytes>::Instantiate(const Runtime& runtime,
                                                       const ModuleConfig& config,
                                                       const Hosts&... hosts) const {
  constexpr std::size_t kNoHost = typed::FindNoHost<Hosts...>();
  if constexpr (kNoHost != sizeof...(Hosts)) {
    using Given = typename bind::detail::TypeAt<kNoHost, Hosts...>::Type;
    static_cast<void>(sizeof(typed::RefusedHost<Given>));
    return {};
  } else {
    constexpr typed::ImportVerdict kVerdict = typed::JudgeImports<Tables, Hosts...>();
    if constexpr (kVerdict.fault != typed::ImportFault::None) {
      static_cast<void>(
          sizeof(typename decltype(typed::ImportRefusal<Tables, kVerdict, Hosts...>())::Type));
      return {};
    } else {
      const CompiledModule compiled = runtime.CompileModule(Bytes());
      typed::MountedForGuest<sizeof...(Hosts)> mounted{runtime, hosts...};
      TypedGuest<kBytes> guest{runtime.InstantiateModule(compiled, config)};
      mounted.Keep();
      return guest;
    }
  }
}

template <const auto& kBytes>
template <class... Hosts>
TypedGuest<kBytes> GuestInterface<kBytes>::Instantiate(const Runtime& runtime,
                                                       const Hosts&... hosts) const {
  return Instantiate(runtime, ModuleConfig{}.WithName(""), hosts...);
}

}  // namespace tenon::inline TENON_ABI
