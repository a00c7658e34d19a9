// SPDX-License-Identifier: Apache-2.0
/// @file
/// An instance: everything a module owns or refers to at run time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/budget.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/vm/group.hpp>
#include <tenon/vm/memory_instance.hpp>
#include <tenon/vm/table_instance.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI {

class System;

namespace vm {

class Store;

struct MemoryReleaser {
  void operator()(MemoryInstance* memory) const noexcept { memory->Release(); }
};
using MemoryPointer = std::unique_ptr<MemoryInstance, MemoryReleaser>;

/// An instance. Belongs to its group; handles count on it.
class Instance {
 public:
  Instance(std::shared_ptr<Store> owner, const CompiledState& compiled);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  bool IsClosed() const noexcept { return close_state.load(std::memory_order_acquire) != 0; }
  /// Meaningful once closed.
  std::uint32_t ExitCode() const noexcept {
    return static_cast<std::uint32_t>(close_state.load(std::memory_order_acquire) >> 1);
  }
  /// Closed, or never instantiated to the end.
  bool HasEnded() const noexcept { return is_abandoned || IsClosed(); }
  bool IsHost() const noexcept { return code->is_host; }
  const wasm::Module& Module() const noexcept { return code->module; }

  /// The export of this name and kind; nullopt if there is none.
  TENON_DECL std::optional<std::uint32_t> FindExport(ExternKind kind, std::string_view name) const;
  /// The export of this name, whatever its kind; null if there is none.
  TENON_DECL const wasm::Export* FindExport(std::string_view name) const;

  /// Functions that the instance itself defines.
  std::size_t RecordCount() const noexcept {
    if (records == nullptr) return 0;
    return IsHost() ? functions.size() : Module().bodies.size();
  }
  /// Whether `function`, which may be any address, is one of them.
  bool Defines(const abi::FunctionRecord* function) const noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(function) -
                        reinterpret_cast<std::uintptr_t>(records.get());
    return offset < RecordCount() * sizeof(abi::FunctionRecord) &&
           offset % sizeof(abi::FunctionRecord) == 0;
  }

  /// Memory and tables go; the code of other instances sees them empty. Nothing may execute here.
  TENON_DECL void ReleaseResources() noexcept;
  /// Memory and tables live as long as others use them.
  TENON_DECL void ForgetResources() noexcept;

  /// What the engine runs for this instance.
  const EngineCode& Code() const noexcept {
    return linked_code != nullptr ? *linked_code : *code->engine_code;
  }

  std::shared_ptr<Store> store;
  std::shared_ptr<const ModuleCode> code;
  std::shared_ptr<const HostCallables> host;
  std::vector<std::shared_ptr<FunctionListener>> listeners;
  /// What these are told of their functions, by index; null where none listens.
  std::vector<std::unique_ptr<const FunctionDefinition>> listened;
  std::string name;

  abi::InstanceHeader* header;
  Group* group = nullptr;

  std::shared_ptr<const EngineCode> linked_code;  ///< null: the module's
  wasm::FlatArray<abi::TypeId> types;
  std::unique_ptr<abi::FunctionRecord[]> records;         ///< of the functions it defines
  wasm::FlatArray<const abi::FunctionRecord*> functions;  ///< index space
  std::vector<std::shared_ptr<TableInstance>> tables;
  wasm::FlatArray<abi::TableRecord*> table_records;
  std::vector<MemoryPointer> memories;
  wasm::FlatArray<abi::MemoryRecord*> memory_records;
  std::vector<std::shared_ptr<GlobalInstance>> globals;
  wasm::FlatArray<abi::Slot*> global_slots;
  /// References of the element segments, by index; empty ones were dropped.
  std::vector<wasm::FlatArray<abi::Slot>> elements;
  wasm::FlatArray<bool> dropped_data;
  std::vector<InstanceHandle> host_imports;  ///< host modules whose functions it calls
  // Guarded by the store's mutex.
  wasm::FlatArray<Instance*> import_owners;  ///< who defines the functions it imports, each once
  wasm::FlatArray<Instance*> importers;      ///< who has copies of its functions' entries
  /// How often its handles appeared and are not yet known to be gone: the thread that dropped the
  /// last handle is between the two until it has the mutex, and refers to the instance.
  std::uint64_t live_claims = 0;

  /// Of C's function pointers; null if there is none.
  const abi::TableRecord* function_table = nullptr;
  abi::ReferenceEntry* newest_reference = nullptr;  ///< host objects that it was given
  std::uint64_t live_references = 0;

  std::unique_ptr<System> system;
  Budget budget;  ///< empty: none
  /// 0 while open, else exit code * 2 + 1.
  std::atomic<std::uint64_t> close_state{0};
  std::atomic<std::uint64_t> handles{0};
  bool uses_resources = false;  ///< counted as a user of its memories and tables
  bool is_counted = false;      ///< counted against the instance limit
  bool is_hidden = false;       ///< a part of those who import from it: unnamed and not counted
  bool is_abandoned = false;    ///< its instantiation failed, or nobody but importers needs it
  bool holds_name = false;      ///< entered under its name, found or not yet
  std::uint64_t sequence = 0;   ///< order of instantiation

  /// The handles that host functions see: one pointer each, not counted.
  alignas(void*) std::byte module_view[sizeof(void*)];
  alignas(void*) std::byte memory_view[sizeof(void*)];

 private:
  std::unique_ptr<std::byte[]> header_block_;
};

inline Instance& InstanceOf(const abi::InstanceHeader& header) noexcept {
  return *static_cast<Instance*>(header.owner);
}

}  // namespace vm
}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/instance.ipp>
#endif
