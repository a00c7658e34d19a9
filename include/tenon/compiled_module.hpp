// SPDX-License-Identifier: Apache-2.0
/// @file
/// Modules that were compiled and can be instantiated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/definition.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
struct CompiledState;
}  // namespace vm

/// A handle to compiled code with its declarations. Any thread may use it, and it may be
/// instantiated any number of times at once. An empty or closed handle throws ConfigError from its
/// members.
class CompiledModule {
 public:
  CompiledModule() noexcept = default;

  explicit operator bool() const noexcept { return static_cast<bool>(state_); }
  friend bool operator==(const CompiledModule&, const CompiledModule&) noexcept = default;

  /// From the name section, or the builder's name; may be empty.
  TENON_DECL std::string Name() const;
  TENON_DECL bool IsHostModule() const;

  TENON_DECL std::vector<FunctionDefinition> ImportedFunctions() const;
  TENON_DECL std::vector<TableDefinition> ImportedTables() const;
  TENON_DECL std::vector<MemoryDefinition> ImportedMemories() const;
  TENON_DECL std::vector<GlobalDefinition> ImportedGlobals() const;
  TENON_DECL std::vector<FunctionDefinition> ExportedFunctions() const;
  TENON_DECL std::vector<TableDefinition> ExportedTables() const;
  TENON_DECL std::vector<MemoryDefinition> ExportedMemories() const;
  TENON_DECL std::vector<GlobalDefinition> ExportedGlobals() const;
  /// Custom sections other than "name", if the runtime keeps them
  /// (RuntimeConfig::WithCustomSections).
  TENON_DECL std::vector<CustomSectionDefinition> CustomSections() const;
  /// Bytes of code and side tables made for it.
  TENON_DECL std::size_t CodeSize() const;

  /// The module with its code, for Runtime::Deserialize: in this process or another one, to be kept
  /// in a file or built into a program. Signed with `mac_key` (HMAC-SHA-256) unless that is empty.
  /// It is the code for memories as the runtime expects them: with guard pages, or without if it
  /// has no signal handlers or a memory allocator. What instances with other memories needed is not
  /// in it, and made anew when they need it. Throws ConfigError for host modules.
  TENON_DECL std::vector<std::uint8_t> Serialize(std::span<const std::uint8_t> mac_key = {}) const;

  /// Makes this and all copies of it unusable. Instances live on, and so do other compilations that
  /// share the code through a cache.
  TENON_DECL void Close();

  /// For the library's own rooms.
  explicit CompiledModule(std::shared_ptr<vm::CompiledState> state) noexcept
      : state_{std::move(state)} {}
  const std::shared_ptr<vm::CompiledState>& State() const noexcept { return state_; }

 private:
  std::shared_ptr<vm::CompiledState> state_;
};

}  // namespace tenon::inline TENON_ABI

template <>
struct std::hash<tenon::CompiledModule> {
  std::size_t operator()(const tenon::CompiledModule& handle) const noexcept {
    return std::hash<const void*>{}(handle.State().get());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/compiled_module.ipp>
#endif
