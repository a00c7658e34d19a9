// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of instance.hpp.
#pragma once

#include <new>

#include <tenon/system.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>

namespace tenon::inline TENON_ABI::vm {

inline Instance::Instance(std::shared_ptr<Store> owner, const CompiledState& compiled)
    : store{std::move(owner)},
      code{compiled.code},
      host{compiled.host},
      listeners{compiled.listeners} {
  const std::size_t size =
      sizeof(abi::InstanceHeader) + code->module.imported_functions * sizeof(abi::ImportRecord);
  header_block_ = std::make_unique<std::byte[]>(size + alignof(abi::InstanceHeader));
  void* place = header_block_.get();
  std::size_t space = size + alignof(abi::InstanceHeader);
  std::align(alignof(abi::InstanceHeader), size, place, space);
  header = new (place) abi::InstanceHeader{};
  header->memory = &EmptyMemory();
  header->memory_base = header->memory->base;
  header->module = module_view;
  header->memory_handle = memory_view;
  header->owner = this;
}

inline Instance::~Instance() {
  store->ForgetImporter(*this);
  // Without Close, memories live on for the handles that refer to them.
  store->types.Release(types);
  ForgetResources();
}

TENON_DECL void Instance::ForgetResources() noexcept {
  if (!std::exchange(uses_resources, false)) return;
  for (const MemoryPointer& memory : memories) memory->ForgetUser();
  for (const auto& table : tables) table->ForgetUser();
}

TENON_DECL void Instance::ReleaseResources() noexcept {
  if (!std::exchange(uses_resources, false)) return;
  for (const MemoryPointer& memory : memories) memory->RemoveUser();
  for (const auto& table : tables) table->RemoveUser();
  header->memory = &EmptyMemory();
  header->memory_base = header->memory->base;
}

TENON_DECL const wasm::Export* Instance::FindExport(std::string_view export_name) const {
  return code->externs.FindExport(Module(), export_name);
}

TENON_DECL std::optional<std::uint32_t> Instance::FindExport(ExternKind kind,
                                                             std::string_view export_name) const {
  const wasm::Export* found = FindExport(export_name);
  if (found == nullptr || found->kind != kind) return std::nullopt;
  return found->index;
}

TENON_DECL void Retain(Instance& instance) noexcept {
  if (instance.handles.fetch_add(1, std::memory_order_relaxed) == 0) {
    instance.store->HandlesAppeared(instance);
  }
}

TENON_DECL void Release(Instance& instance) noexcept {
  if (instance.handles.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    const std::shared_ptr<Store> store = instance.store;
    store->HandlesGone(instance);
  }
}

TENON_DECL Instance& OwnerOf(const abi::FunctionRecord& function) noexcept {
  return InstanceOf(*function.instance);
}

}  // namespace tenon::inline TENON_ABI::vm
