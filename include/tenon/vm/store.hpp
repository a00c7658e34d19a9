// SPDX-License-Identifier: Apache-2.0
/// @file
/// What all instances of a runtime share.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/vm/engine.hpp>
#include <tenon/vm/group.hpp>
#include <tenon/vm/memory_instance.hpp>
#include <tenon/vm/reference_table.hpp>
#include <tenon/vm/settings.hpp>
#include <tenon/vm/type_registry.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::vm {

class DeadlineTimer;

/// Leaves the timer of a forked child's parent where it is: what its thread waits for can be
/// neither joined nor destroyed.
struct DeadlineTimerDeleter {
  TENON_DECL void operator()(DeadlineTimer* timer) const noexcept;
};

/// The state behind a Runtime. Kept alive by the runtime and by every instance and compiled module.
/// Any thread.
class Store : public std::enable_shared_from_this<Store> {
 public:
  Store(StoreSettings chosen_settings, const Engine& chosen_engine);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Throws ConfigError if the runtime was closed.
  TENON_DECL void RequireOpen() const;

  /// The open instance of this name; an empty handle if there is none.
  TENON_DECL InstanceHandle Find(std::string_view name);
  /// The names of the open instances.
  TENON_DECL std::vector<std::string> Names();
  /// Enters `instance` in a new group and, unless it is hidden, counts it and reserves its name if
  /// it is not "". Throws LinkError if the name is taken or the instance limit reached.
  TENON_DECL void Enter(Instance& instance);
  /// Lets others find an entered instance, once it is initialised. Throws ConfigError if the
  /// runtime was closed meanwhile.
  TENON_DECL void Publish(Instance& instance);
  /// Makes one group of the groups of two instances. Throws LinkError if both execute.
  TENON_DECL void Join(Instance& instance, Instance& other);

  /// The instance's import records are filled: those who define the functions learn of it.
  TENON_DECL void EnterImporter(Instance& instance);
  TENON_DECL void ForgetImporter(Instance& instance) noexcept;

  /// See Module::CloseWithExitCode.
  TENON_DECL void Close(Instance& instance, std::uint32_t exit_code) noexcept;
  /// After a failed instantiation: the name is free again, and the instance lives on only for those
  /// who already refer to its functions; without them it goes with its last handle.
  TENON_DECL void Abandon(Instance& instance) noexcept;
  /// Closes everything, newest first.
  TENON_DECL void CloseAll(std::uint32_t exit_code) noexcept;

  /// The first handle to an instance was made, or the last one went.
  TENON_DECL void HandlesAppeared(Instance& instance) noexcept;
  TENON_DECL void HandlesGone(Instance& instance) noexcept;

  /// Whether `function`, which may be any address, is one that the group keeps alive: a member's,
  /// or one of a host module that a member calls. Does not look behind the address.
  TENON_DECL bool Keeps(const Group& group, const abi::FunctionRecord* function) noexcept;

  /// Lets code of all members look for what is pending or asked.
  TENON_DECL void DrawAttention(Group& group) noexcept;
  /// Takes that back. What was asked before can be found after it.
  TENON_DECL void ClearAttention(Group& group) noexcept;

  /// At the end of an outermost call: frees what instances closed meanwhile have left, and what
  /// host functions dropped.
  TENON_DECL void ReleaseDeferred(Group& group) noexcept;

  /// Returns when nobody frees anything of a group any more that saw no call in it.
  void WaitForRelease() { const std::lock_guard lock{mutex_}; }

  /// The timer of this process.
  TENON_DECL DeadlineTimer& Timer();

  const StoreSettings settings;
  const Engine& engine;
  TypeRegistry types;
  MemorySettings memory_settings;
  ReferenceChunks reference_chunks;

 private:
  /// DrawAttention. Needs the mutex.
  static void Draw(Group& group) noexcept;
  /// A handle was made to an instance without any. Needs the mutex.
  static void Claim(Instance& instance) noexcept;
  void DestroyGroup(Group* group) noexcept;
  /// Functions of a closed instance do not run any more. Needs the mutex.
  void DisableFunctions(Instance& instance) noexcept;
  void DestroyInstance(Instance* instance) noexcept;
  /// Tells the close notifier of an instance that was not closed.
  void NotifyEnd(Instance& instance) noexcept;
  /// Whether another member can reach a function of the instance, and whether nobody at all can
  /// reach an instance that was closed or failed. Need the mutex; nothing may execute in the group.
  static bool IsReferenced(const Instance& instance) noexcept;
  static bool IsLost(const Instance& instance) noexcept;
  /// A handle to an instance that may have none. Needs the mutex.
  static InstanceHandle Keep(Instance& instance) noexcept;
  /// Whether all members were closed or failed. Needs the mutex.
  static bool CanNothingRun(const Group& group) noexcept;
  /// A member whose references to host objects are to end; null if there is none. Needs the mutex;
  /// nothing may execute in the group.
  static Instance* NextToEnd(const Group& group) noexcept;
  /// Whether there are references to end and no other thread does it: the caller has to, by
  /// EndReferencesBegun. Needs the mutex.
  static bool BeginEndingReferences(Group& group) noexcept;
  /// Ends references in the group of `instance`, to which the caller has a handle.
  void EndReferencesBegun(Instance& instance) noexcept;
  /// Takes the members out of lists and counts. Needs the mutex.
  void ForgetGroup(Group& group) noexcept;
  /// Takes the instance out of names and counts; the handle that the name held. Needs the mutex.
  InstanceHandle Forget(Instance& instance) noexcept;

  std::mutex mutex_;
  std::map<std::string, InstanceHandle, std::less<>> names_;
  wasm::FlatArray<Instance*> open_;  ///< in order of instantiation
  std::uint64_t open_count_ = 0;
  std::uint64_t sequence_ = 0;
  std::atomic<std::uint64_t> close_state_{0};
  std::unique_ptr<DeadlineTimer, DeadlineTimerDeleter> timer_;
};

/// Stops the call that runs as `activation` of `group`, if it still does. Any thread; the group
/// must be alive.
TENON_DECL void Interrupt(Store& store, Group& group, std::uint64_t activation,
                          std::uint32_t exit_code) noexcept;

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/store.ipp>
#endif
