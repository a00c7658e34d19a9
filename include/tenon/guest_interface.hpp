// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest that is embedded in the program, as the compiler sees it.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
// clang-format off
#include <tenon/typed/interface_refusal.hpp>
// clang-format on

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/typed/interface.hpp>

namespace tenon::inline TENON_ABI {

class ModuleConfig;
class Runtime;
template <const auto& kBytes>
class TypedGuest;

/// The imports and exports of the module in `kBytes`, known while compiling. An empty value, made
/// by ParseInterface; all of it may be used in constant expressions.
template <const auto& kBytes>
class GuestInterface {
  using Tables = typed::Interface<kBytes>;

 public:
  /// The module. Static storage.
  static constexpr std::span<const std::uint8_t> Bytes() { return Tables::Bytes(); }

  static constexpr std::size_t kImportCount = Tables::kSizes.imports;
  static constexpr std::size_t kExportCount = Tables::kSizes.exports;

  /// Whether the guest exports a function of this name.
  static constexpr bool ExportsFunction(std::string_view name) {
    return Tables::FindExport(name) != Tables::kNone;
  }
  /// Parameters and results of an exported function; empty if there is none of this name.
  static constexpr std::span<const ValueType> ParametersOf(std::string_view name) {
    const std::size_t found = Tables::FindExport(name);
    if (found == Tables::kNone) return {};
    return Tables::Types(Tables::kTables.exports[found].parameters);
  }
  static constexpr std::span<const ValueType> ResultsOf(std::string_view name) {
    const std::size_t found = Tables::FindExport(name);
    if (found == Tables::kNone) return {};
    return Tables::Types(Tables::kTables.exports[found].results);
  }
  /// Whether the guest imports something from a module, or under a name of it.
  static constexpr bool Imports(std::string_view module) {
    for (std::size_t i = 0; i < kImportCount; ++i) {
      if (Tables::Text(Tables::kTables.imports[i].module) == module) return true;
    }
    return false;
  }
  static constexpr bool Imports(std::string_view module, std::string_view name) {
    for (std::size_t i = 0; i < kImportCount; ++i) {
      const typed::ExternRow& row = Tables::kTables.imports[i];
      if (Tables::Text(row.module) == module && Tables::Text(row.name) == name) return true;
    }
    return false;
  }

  /// Compiles and instantiates the guest, anonymously, in a runtime. `hosts` are what it imports
  /// from, each a HostModule that has been mounted in the runtime, a HostModule (which is mounted
  /// now), or Linked. What the guest imports and they do not have under the same signature is
  /// refused while compiling; what is Linked is checked by the runtime. Throws as
  /// Runtime::CompileModule and Runtime::InstantiateModule; then what was mounted is closed again.
  /// Defined in <tenon/typed_guest.hpp>.
  template <class... Hosts>
  TypedGuest<kBytes> Instantiate(const Runtime& runtime, const Hosts&... hosts) const;
  /// The same with a configuration, which names the instance.
  template <class... Hosts>
  TypedGuest<kBytes> Instantiate(const Runtime& runtime, const ModuleConfig& config,
                                 const Hosts&... hosts) const;
};

namespace typed {

/// In place of a guest that was refused.
struct NoGuest {};

/// What ParseInterface gives. Refused here rather than in its body, where clang would report that
/// the result is no constant, too.
template <const auto& kBytes>
struct ParsedGuest {
  template <class R, class G>
  struct Judged {
    using Refusal = R;
    using Guest = G;
  };
  static consteval auto Judge() {
    using Bytes = std::remove_reference_t<decltype(kBytes)>;
    if constexpr (!kIsByteArray<Bytes>) {
      return Judged<RefusedBytes<Bytes>, NoGuest>{};
    } else {
      constexpr InterfaceSizes kSizes = Interface<kBytes>::kSizes;
      if constexpr (kSizes.fault != ErrorCode::None) {
        return Judged<RefusedModule<kSizes.fault, kSizes.offset>, NoGuest>{};
      } else {
        return Judged<char, GuestInterface<kBytes>>{};
      }
    }
  }
  using Verdict = decltype(Judge());
  static_assert(sizeof(typename Verdict::Refusal) != 0);
  using Type = typename Verdict::Guest;
};

}  // namespace typed

/// The interface of the module in `kBytes`, a constexpr array of unsigned char with static storage:
///
///     constexpr unsigned char kBytes[] = {...};   // or a string literal, or #embed
///     constexpr auto kGuest = tenon::ParseInterface<kBytes>();
///
/// Bytes that are no module do not compile. Function bodies are not looked at: they are validated
/// by Runtime::CompileModule. Compilers limit what they evaluate; clang's limit allows some
/// thousand exports, and more with -fconstexpr-steps.
template <const auto& kBytes>
consteval typename typed::ParsedGuest<kBytes>::Type ParseInterface() {
  return {};
}

}  // namespace tenon::inline TENON_ABI
