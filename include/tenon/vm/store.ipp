// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of store.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <tenon/error.hpp>
#include <tenon/vm/asymmetric_fence.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/deadline_timer.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/reference_table.ipp>
#include <tenon/vm/store.hpp>
#include <tenon/vm/wait_queue.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Asks the call that runs as `activation` to stop, also if it waits.
inline void Ask(Group& group, std::uint64_t activation) noexcept {
  std::uint64_t current = group.interrupt.Load();
  while (current < activation && !group.interrupt.CompareExchange(current, activation)) {
  }
  const std::lock_guard lock{group.waiting_mutex};
  if (group.waits_in != nullptr) group.waits_in->Alert();
}

}  // namespace detail

inline Store::Store(StoreSettings chosen_settings, const Engine& chosen_engine)
    : settings{std::move(chosen_settings)}, engine{chosen_engine} {
  memory_settings.limit_pages = settings.memory_limit_pages;
  memory_settings.capacity_from_max = settings.memory_capacity_from_max;
  memory_settings.allocator = settings.memory_allocator;
  memory_settings.budget = std::make_shared<MemoryBudget>(settings.memory_limit_bytes);
}

inline Store::~Store() = default;

TENON_DECL void Store::RequireOpen() const {
  const std::uint64_t state = close_state_.load(std::memory_order_acquire);
  if (state != 0) {
    throw ConfigError{ErrorCode::RuntimeClosed,
                      FormatError(ErrorCode::RuntimeClosed, {std::to_string(state >> 1)})};
  }
}

TENON_DECL InstanceHandle Store::Find(std::string_view name) {
  const std::lock_guard lock{mutex_};
  const auto found = names_.find(name);
  return found == names_.end() ? InstanceHandle{} : found->second;
}

[[gnu::cold]] TENON_DECL std::vector<std::string> Store::Names() {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> names;
  for (const auto& [name, handle] : names_) {
    if (handle) names.push_back(name);
  }
  return names;
}

[[gnu::cold]] TENON_DECL void Store::Enter(Instance& instance) {
  auto group = std::make_unique<Group>();
  group->instances.push_back(&instance);
  instance.header->exec = group.get();
  instance.group = group.get();
  const std::lock_guard lock{mutex_};
  RequireOpen();
  if (!instance.is_hidden && open_count_ >= settings.instance_limit) {
    throw LinkError{
        ErrorCode::InstanceLimit,
        FormatError(ErrorCode::InstanceLimit, {std::to_string(settings.instance_limit)})};
  }
  const bool is_named = !instance.is_hidden && !instance.name.empty();
  if (is_named && names_.contains(instance.name)) {
    throw LinkError{ErrorCode::ModuleAlreadyInstantiated,
                    FormatError(ErrorCode::ModuleAlreadyInstantiated, {instance.name})};
  }
  group.release()->live_instances = 1;
  instance.live_claims = 1;
  instance.handles.store(1, std::memory_order_relaxed);
  instance.sequence = ++sequence_;
  if (instance.is_hidden) return;
  instance.is_counted = true;
  ++open_count_;
  // An empty handle: the name is taken, but nobody finds the instance before Publish.
  instance.holds_name = is_named;
  if (instance.holds_name) names_.emplace(instance.name, InstanceHandle{});
}

TENON_DECL void Store::Publish(Instance& instance) {
  const std::lock_guard lock{mutex_};
  RequireOpen();
  if (instance.is_hidden) return;
  open_.push_back(&instance);
  // The caller has a handle, so making another does not need the lock.
  if (instance.holds_name) names_.find(instance.name)->second = InstanceHandle{&instance};
}

[[gnu::cold]] TENON_DECL void Store::Join(Instance& instance, Instance& other) {
  // Released after the lock, as it may be the last handle of an instance.
  std::vector<InstanceHandle> released;
  const std::lock_guard lock{mutex_};
  Group* target = other.group;
  Group* source = instance.group;
  if (target == source) return;
  const bool source_busy = source->activation.Load() != 0;
  const bool target_busy = target->activation.Load() != 0;
  if (source_busy && target_busy) {
    throw LinkError{ErrorCode::GroupsBusy, ErrorText(ErrorCode::GroupsBusy)};
  }
  const bool source_larger = source->instances.size() > target->instances.size();
  if (source_busy || (!target_busy && source_larger)) std::swap(target, source);
  target->instances.reserve(target->instances.size() + source->instances.size());
  for (Instance* moved : source->instances) {
    moved->group = target;
    moved->header->exec = target;
    target->instances.push_back(moved);
  }
  target->live_instances += source->live_instances;
  target->trap_count += source->trap_count;
  if (source->end_work.Load() != abi::kEndWorkNone) target->end_work.Store(abi::kEndWorkRelease);
  target->is_ending_references |= source->is_ending_references;
  // What was asked of the call that runs is asked of the code of new members too.
  if (target->activation.Load() != 0) Draw(*target);
  target->reference_table.Join(*target, source->reference_table);
  target->was_joined.store(true, std::memory_order_relaxed);
  delete source;
  // A host module that is a member now must not be counted by other members.
  for (Instance* member : target->instances) {
    std::erase_if(member->host_imports, [&](InstanceHandle& host) {
      if (host.Get()->group != target) return false;
      released.push_back(std::move(host));
      return true;
    });
  }
}

[[gnu::cold]] TENON_DECL void Store::EnterImporter(Instance& instance) {
  if (instance.IsHost()) return;
  wasm::FlatArray<Instance*> owners;
  owners.reserve(instance.Module().imported_functions);
  for (std::uint32_t i = 0; i < instance.Module().imported_functions; ++i) {
    owners.push_back(&OwnerOf(*instance.functions[i]));
  }
  std::ranges::sort(owners);
  owners.erase(std::ranges::unique(owners).begin(), owners.end());
  const std::lock_guard lock{mutex_};
  instance.import_owners.reserve(owners.size());
  for (Instance* owner : owners) {
    owner->importers.push_back(&instance);
    instance.import_owners.push_back(owner);
    // It may have been closed since its records were copied.
    if (owner->IsClosed()) DisableFunctions(*owner);
  }
}

[[gnu::cold]] TENON_DECL void Store::ForgetImporter(Instance& instance) noexcept {
  if (instance.import_owners.empty()) return;
  const std::lock_guard lock{mutex_};
  for (Instance* owner : instance.import_owners) {
    // Instances go newest first, as a rule.
    wasm::FlatArray<Instance*>& importers = owner->importers;
    const auto found = std::find(importers.rbegin(), importers.rend(), &instance);
    if (found != importers.rend()) importers.erase(std::next(found).base());
  }
}

[[gnu::cold]] inline void Store::DisableFunctions(Instance& instance) noexcept {
  const std::size_t count = instance.functions.empty() ? 0
                            : instance.IsHost()        ? instance.functions.size()
                                                       : instance.Module().bodies.size();
  abi::FunctionRecord* const first = instance.records.get();
  for (std::size_t i = 0; i < count; ++i) {
    __atomic_fetch_or(&first[i].flags, abi::kFunctionClosed, __ATOMIC_RELAXED);
    // Whoever reads the two separately gets along with the former context.
    if (engine.adapt == nullptr) continue;
    __atomic_store_n(&first[i].code, ClosedCode(first[i]), __ATOMIC_RELAXED);
  }
  if (engine.adapt == nullptr || count == 0) return;
  for (Instance* importer : instance.importers) {
    auto* import = reinterpret_cast<abi::ImportRecord*>(importer->header + 1);
    for (std::uint32_t i = 0; i < importer->Module().imported_functions; ++i) {
      if (&OwnerOf(*import[i].function) != &instance) continue;
      __atomic_store_n(&import[i].code, ClosedCode(*import[i].function), __ATOMIC_RELAXED);
    }
  }
}

[[gnu::cold]] TENON_DECL void Store::Close(Instance& instance, std::uint32_t exit_code) noexcept {
  const std::uint64_t closed = std::uint64_t{exit_code} * 2 + 1;
  std::uint64_t open = 0;
  if (!instance.close_state.compare_exchange_strong(open, closed)) return;
  InstanceHandle name_handle;
  {
    const std::lock_guard lock{mutex_};
    name_handle = Forget(instance);
  }
  if (settings.close_notifier) settings.close_notifier(instance.name, exit_code);
  {
    const std::lock_guard lock{mutex_};
    DisableFunctions(instance);
    Group& group = *instance.group;
    group.end_work.Store(abi::kEndWorkRelease);
    // Against a call that begins or ends now: it sees what was written here, or is seen here.
    HeavyFence();
    const std::uint64_t activation = group.activation.Load();
    if (activation != 0) {
      detail::Ask(group, activation);
      if (settings.close_on_context_done) Draw(group);
      return;
    }
    instance.ReleaseResources();
    // Else another thread may look at the references; the next call in the group ends them.
    if (!CanNothingRun(group) || !BeginEndingReferences(group)) return;
  }
  EndReferencesBegun(instance);
}

inline bool Store::CanNothingRun(const Group& group) noexcept {
  return std::ranges::all_of(group.instances,
                             [](const Instance* member) { return member->HasEnded(); });
}

inline bool Store::BeginEndingReferences(Group& group) noexcept {
  // In this order: the thread that ends them does so without the mutex, but looks again.
  if (group.is_ending_references || NextToEnd(group) == nullptr) return false;
  group.is_ending_references = true;
  return true;
}

inline Instance* Store::NextToEnd(const Group& group) noexcept {
  const bool is_over = CanNothingRun(group);
  const auto found = std::ranges::find_if(group.instances, [=](const Instance* member) {
    return member->newest_reference != nullptr && (is_over || member->IsClosed());
  });
  return found == group.instances.end() ? nullptr : *found;
}

inline void Store::EndReferencesBegun(Instance& instance) noexcept {
  for (;;) {
    InstanceHandle next;
    {
      const std::lock_guard lock{mutex_};
      // Not always the same: groups join.
      Group& group = *instance.group;
      Instance* const member = NextToEnd(group);
      if (member == nullptr) {
        group.is_ending_references = false;
        return;
      }
      // What host objects do as they go may drop its last handle.
      next = Keep(*member);
    }
    vm::EndReferences(*next.Get());
  }
}

inline InstanceHandle Store::Keep(Instance& instance) noexcept {
  if (instance.handles.fetch_add(1, std::memory_order_relaxed) == 0) Claim(instance);
  InstanceHandle handle{&instance};
  instance.handles.fetch_sub(1, std::memory_order_relaxed);
  return handle;
}

TENON_DECL void Store::Abandon(Instance& instance) noexcept {
  InstanceHandle name_handle;
  const std::lock_guard lock{mutex_};
  name_handle = Forget(instance);
  instance.is_abandoned = true;
}

inline bool Store::IsReferenced(const Instance& instance) noexcept {
  const auto is_own = [&](abi::Slot slot) {
    return instance.Defines(reinterpret_cast<const abi::FunctionRecord*>(slot));
  };
  const auto refers = [&](const Instance* member) {
    if (member == &instance) return false;
    const std::size_t imports = member->IsHost() ? 0 : member->Module().imported_functions;
    for (std::size_t i = 0; i < imports; ++i) {
      if (instance.Defines(member->functions[i])) return true;
    }
    for (const abi::TableRecord* table : member->table_records) {
      if (std::any_of(table->elements, table->elements + table->size, is_own)) return true;
    }
    for (const auto& global : member->globals) {
      if (global->Type().type.IsReference() && is_own(*global->Slots())) return true;
    }
    return false;
  };
  return std::ranges::any_of(instance.group->instances, refers);
}

inline InstanceHandle Store::Forget(Instance& instance) noexcept {
  InstanceHandle name_handle;
  if (std::exchange(instance.holds_name, false)) {
    const auto found = names_.find(instance.name);
    name_handle = std::move(found->second);
    names_.erase(found);
  }
  erase(open_, &instance);
  if (std::exchange(instance.is_counted, false)) --open_count_;
  return name_handle;
}

[[gnu::cold]] TENON_DECL void Store::CloseAll(std::uint32_t exit_code) noexcept {
  std::uint64_t open = 0;
  if (!close_state_.compare_exchange_strong(open, std::uint64_t{exit_code} * 2 + 1)) return;
  for (;;) {
    InstanceHandle newest;
    {
      const std::lock_guard lock{mutex_};
      if (open_.empty()) break;
      // An instance without handles is kept by its group; retaining it here would need the lock.
      newest = Keep(*open_.back());
    }
    Close(*newest.Get(), exit_code);
  }
}

TENON_DECL void Store::HandlesAppeared(Instance& instance) noexcept {
  const std::lock_guard lock{mutex_};
  Claim(instance);
}

inline void Store::Claim(Instance& instance) noexcept {
  ++instance.live_claims;
  ++instance.group->live_instances;
}

TENON_DECL void Store::HandlesGone(Instance& instance) noexcept {
  Group* group = nullptr;
  bool is_last = false;
  {
    const std::lock_guard lock{mutex_};
    group = instance.group;
    --instance.live_claims;
    is_last = --group->live_instances == 0;
    if (!is_last && !instance.HasEnded()) return;
    // As in Close: a call that begins now waits for the mutex. Without a handle none can begin.
    group->end_work.Store(abi::kEndWorkRelease);
    if (!is_last) HeavyFence();
    // A host function dropped the handle; the call that it belongs to ends first.
    if (group->activation.Load() != 0) return;
    if (is_last) {
      ForgetGroup(*group);
    } else if (!IsLost(instance)) {
      return;
    } else {
      erase(group->instances, &instance);
      // Another may get its address.
      std::uint64_t prepared = reinterpret_cast<std::uintptr_t>(instance.header);
      group->prepared_for.CompareExchange(prepared, 0);
    }
  }
  if (is_last) {
    DestroyGroup(group);
  } else {
    DestroyInstance(&instance);
  }
}

inline bool Store::IsLost(const Instance& instance) noexcept {
  return instance.HasEnded() && instance.handles.load() == 0 && instance.live_claims == 0 &&
         !IsReferenced(instance);
}

inline void Store::ForgetGroup(Group& group) noexcept {
  for (Instance* member : group.instances) {
    erase(open_, member);
    if (std::exchange(member->is_counted, false)) --open_count_;
  }
}

inline void Store::NotifyEnd(Instance& instance) noexcept {
  std::uint64_t open = 0;
  if (!instance.close_state.compare_exchange_strong(open, 1) || instance.is_hidden) return;
  if (settings.close_notifier) settings.close_notifier(instance.name, 0);
}

[[gnu::cold]] inline void Store::DestroyInstance(Instance* instance) noexcept {
  NotifyEnd(*instance);
  vm::EndReferences(*instance);
  delete instance;
}

[[gnu::cold]] inline void Store::DestroyGroup(Group* group) noexcept {
  for (Instance* member : group->instances) NotifyEnd(*member);
  // Newest first: an instance may refer to what older ones own.
  std::sort(group->instances.begin(), group->instances.end(),
            [](const Instance* a, const Instance* b) { return a->sequence > b->sequence; });
  for (Instance* member : group->instances) vm::EndReferences(*member);
  group->reference_table.GiveBack(reference_chunks);
  for (Instance* member : group->instances) delete member;
  delete group;
}

TENON_DECL bool Store::Keeps(const Group& group, const abi::FunctionRecord* function) noexcept {
  const std::lock_guard lock{mutex_};
  return std::ranges::any_of(group.instances, [&](const Instance* member) {
    return member->Defines(function) ||
           std::ranges::any_of(member->host_imports, [&](const InstanceHandle& host) {
             return host.Get()->Defines(function);
           });
  });
}

TENON_DECL void Store::ReleaseDeferred(Group& group) noexcept {
  // The group may be the last to hold on to the store.
  const std::shared_ptr<Store> keep_alive = shared_from_this();
  wasm::FlatArray<Instance*> lost;
  InstanceHandle kept;  // while references of its group's members end
  bool is_last = false;
  {
    const std::lock_guard lock{mutex_};
    if (group.activation.Load() != 0 || group.end_work.Load() == abi::kEndWorkNone) return;
    group.end_work.Store(abi::kEndWorkNone);
    // Neither a closed member nor one that goes.
    group.prepared_for.Store(0);
    is_last = group.live_instances == 0;
    if (is_last) {
      ForgetGroup(group);
    } else {
      for (Instance* member : group.instances) {
        if (member->IsClosed()) member->ReleaseResources();
        if (IsLost(*member)) lost.push_back(member);
      }
      for (Instance* member : lost) erase(group.instances, member);
      if (BeginEndingReferences(group)) kept = Keep(*group.instances.front());
    }
  }
  if (kept) EndReferencesBegun(*kept.Get());
  for (Instance* member : lost) DestroyInstance(member);
  if (is_last) DestroyGroup(&group);
}

TENON_DECL void DeadlineTimerDeleter::operator()(DeadlineTimer* timer) const noexcept {
  if (timer->IsOfThisProcess()) delete timer;
}

TENON_DECL DeadlineTimer& Store::Timer() {
  const std::lock_guard lock{mutex_};
  if (timer_ == nullptr || !timer_->IsOfThisProcess()) timer_.reset(new DeadlineTimer{*this});
  return *timer_;
}

TENON_DECL void Interrupt(Store& store, Group& group, std::uint64_t activation,
                          std::uint32_t exit_code) noexcept {
  if (group.activation.Load() != activation) return;
  group.interrupt_code.store(exit_code);
  group.interrupt_is_exit.store(true);
  detail::Ask(group, activation);
  store.DrawAttention(group);
}

inline void Store::Draw(Group& group) noexcept {
  for (Instance* member : group.instances) {
    member->header->attention.Store(reinterpret_cast<std::uintptr_t>(member->header));
  }
}

TENON_DECL void Store::DrawAttention(Group& group) noexcept {
  const std::lock_guard lock{mutex_};
  Draw(group);
}

TENON_DECL void Store::ClearAttention(Group& group) noexcept {
  const std::lock_guard lock{mutex_};
  for (Instance* member : group.instances) member->header->attention.Store(0);
}

}  // namespace tenon::inline TENON_ABI::vm
