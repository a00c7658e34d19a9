// SPDX-License-Identifier: Apache-2.0
/// @file
/// Names of functions and locals, for backtraces and listeners.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {
class NameSectionParser;
}  // namespace detail

/// The custom section "name" (core specification 2.0, appendix 7.4.1). Immutable; refers to the
/// module's bytes and must not outlive them. Lookups take logarithmic time and give "" where there
/// is no name. Names are valid UTF-8.
class NameSection {
 public:
  /// No names.
  NameSection() = default;

  TENON_DECL std::string_view ModuleName() const;
  /// Name of a function by its index in the module.
  TENON_DECL std::string_view Function(std::uint32_t function) const;
  /// Name of a local; parameters come first.
  TENON_DECL std::string_view Local(std::uint32_t function, std::uint32_t local) const;
  /// Name of a result. No part of the specification: ModuleBuilder::NameResult writes them.
  TENON_DECL std::string_view Result(std::uint32_t function, std::uint32_t result) const;

  bool IsEmpty() const {
    return module_name_.size == 0 && functions_.empty() && locals_.groups.empty() &&
           results_.groups.empty();
  }

 private:
  friend class detail::NameSectionParser;

  struct Name {
    std::uint32_t index = 0;
    ByteRange text;
  };
  /// Names within functions: those of one function are consecutive.
  struct IndirectNames {
    struct Group {
      std::uint32_t function = 0;
      std::uint32_t first = 0;
      std::uint32_t count = 0;
    };
    // Sorted by index.
    FlatArray<Group> groups;
    FlatArray<Name> names;
  };

  TENON_DECL std::string_view Find(std::span<const Name> names, std::uint32_t index) const;
  TENON_DECL std::string_view Find(const IndirectNames& names, std::uint32_t function,
                                   std::uint32_t index) const;

  std::span<const std::uint8_t> bytes_;
  ByteRange module_name_;
  FlatArray<Name> functions_;  ///< sorted by index
  IndirectNames locals_;
  IndirectNames results_;
};

/// Names of a decoded module. Lenient: names are no part of what a module means, so a malformed
/// section is read up to its first fault and the rest ignored. Of several such sections the first
/// counts. Time and memory are linear in the size of the section.
TENON_DECL NameSection ParseNames(const Module& module);

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/name_section.ipp>
#endif
