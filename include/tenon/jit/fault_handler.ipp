// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of fault_handler.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>

#include <dlfcn.h>
#include <ucontext.h>

#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/jit/code_registry.hpp>
#include <tenon/jit/fault_handler.hpp>
#include <tenon/jit/mapped_code.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

inline constexpr int kFaultSignals[] = {SIGSEGV, SIGBUS};
inline constexpr std::size_t kFaultSignalCount = std::size(kFaultSignals);

/// How many times we can be installed on top of somebody who was installed on top of us and may
/// pass signals down: each time as another function, so that they do not go round in circles.
inline constexpr std::size_t kFaultLayers = 8;

/// What handlers need to know; they read it without a lock.
struct FaultHandlerState {
  std::mutex mutex;
  std::weak_ptr<const FaultHandlers> handlers;
  /// Who handled the signals before us, by layer.
  struct sigaction former[kFaultLayers][kFaultSignalCount];
  /// Our layers that are still in place behind somebody else's.
  std::size_t buried[kFaultSignalCount] = {};
};

/// Never destroyed: signals come until the very end.
inline FaultHandlerState& FaultState() noexcept {
  alignas(FaultHandlerState) static unsigned char storage[sizeof(FaultHandlerState)];
  static FaultHandlerState& state = *new (storage) FaultHandlerState{};
  return state;
}

/// Whether `address` lies in the part of the instance's memory that faults by design.
inline bool IsGuardAddress(const abi::InstanceHeader& header, std::uintptr_t address) noexcept {
  // An access that begins inside the memory may fault behind it.
  constexpr std::uintptr_t kWidest = 16;
  const abi::MemoryRecord& memory = *header.memory;
  const auto base = reinterpret_cast<std::uintptr_t>(memory.base);
  // What was behind the end of a shared memory may be in it now.
  return address >= base && address - base < memory.reserved_size &&
         ((memory.flags & abi::kMemoryShared) != 0 ||
          address - base + kWidest > memory.size.LoadRelaxed());
}

/// Passes a signal to `former` as if we did not exist.
inline void Chain(const struct sigaction& former, int signal, siginfo_t* info, void* context) {
  if ((former.sa_flags & SA_SIGINFO) != 0) {
    former.sa_sigaction(signal, info, context);
    return;
  }
  // Sent by a program rather than caused by an instruction, which would fault again.
  const bool was_sent = info == nullptr || info->si_code <= 0;
  if (former.sa_handler == SIG_IGN && was_sent) return;
  if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(signal);
    return;
  }
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigemptyset(&standard.sa_mask);
  sigaction(signal, &standard, nullptr);
  if (was_sent) raise(signal);
}

/// Ours.
template <std::size_t kLayer>
void OnFault(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (!RedirectFault(signal, info, context)) {
    const std::size_t i = signal == kFaultSignals[0] ? 0 : 1;
    struct sigaction& former = FaultState().former[kLayer][i];
    const struct sigaction handler = former;
    if ((handler.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) {
      former.sa_handler = SIG_DFL;
      former.sa_flags &= ~(SA_SIGINFO | static_cast<int>(SA_RESETHAND));
    }
    Chain(handler, signal, info, context);
  }
  errno = saved_errno;
}

using FaultHandler = void (*)(int, siginfo_t*, void*);
inline constexpr FaultHandler kFaultHandlers[kFaultLayers] = {
    OnFault<0>, OnFault<1>, OnFault<2>, OnFault<3>, OnFault<4>, OnFault<5>, OnFault<6>, OnFault<7>};

inline bool IsOurs(const struct sigaction& action) noexcept {
  if ((action.sa_flags & SA_SIGINFO) == 0) return false;
  for (const FaultHandler handler : kFaultHandlers) {
    if (action.sa_sigaction == handler) return true;
  }
  return false;
}

/// Keeps the shared object that this code is part of, as somebody still refers to it.
inline void StayLoaded() noexcept {
  Dl_info object;
  if (dladdr(reinterpret_cast<void*>(kFaultHandlers[0]), &object) == 0 ||
      object.dli_fname == nullptr) {
    return;
  }
  dlopen(object.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace detail

TENON_DECL bool RedirectFault(int signal, siginfo_t* info, void* context) noexcept {
  if ((signal != SIGSEGV && signal != SIGBUS) || info == nullptr || context == nullptr ||
      info->si_code <= 0) {
    return false;
  }
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
  const MappedCode* code = CodeRegistry::Global().Find(pc);
  if (code == nullptr) return false;
  if (code->View().FindFault(static_cast<std::uint32_t>(pc - code->CodeBegin())) == nullptr) {
    return false;
  }
  const auto* header = reinterpret_cast<const abi::InstanceHeader*>(registers[REG_R15]);
  if (!detail::IsGuardAddress(*header, reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    return false;
  }
  registers[REG_RSP] -= 8;
  const std::uintptr_t return_address = pc + 1;
  std::memcpy(reinterpret_cast<void*>(registers[REG_RSP]), &return_address, 8);
  constexpr auto kTrap = static_cast<std::size_t>(TrapCode::OutOfBoundsMemoryAccess);
  const std::uintptr_t stub = code->CodeBegin() + code->View().Header().traps[kTrap];
  registers[REG_RIP] = static_cast<greg_t>(stub);
  return true;
}

inline FaultHandlers::FaultHandlers() {
  detail::FaultHandlerState& state = detail::FaultState();
  for (std::size_t i = 0; i < detail::kFaultSignalCount; ++i) {
    struct sigaction current{};
    sigaction(detail::kFaultSignals[i], nullptr, &current);
    const std::size_t layer = state.buried[i];
    if (detail::IsOurs(current) || layer == detail::kFaultLayers) continue;
    state.former[layer][i] = current;
    struct sigaction ours{};
    ours.sa_sigaction = detail::kFaultHandlers[layer];
    ours.sa_mask = current.sa_mask;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (current.sa_flags & (SA_NODEFER | SA_RESTART));
    sigaction(detail::kFaultSignals[i], &ours, nullptr);
  }
}

TENON_DECL std::shared_ptr<const FaultHandlers> FaultHandlers::Install() {
  detail::FaultHandlerState& state = detail::FaultState();
  const std::lock_guard lock{state.mutex};
  std::shared_ptr<const FaultHandlers> handlers = state.handlers.lock();
  if (handlers == nullptr) {
    handlers.reset(new FaultHandlers);
    state.handlers = handlers;
  }
  return handlers;
}

TENON_DECL FaultHandlers::~FaultHandlers() {
  detail::FaultHandlerState& state = detail::FaultState();
  const std::lock_guard lock{state.mutex};
  // Others were installed in between the last reference and this.
  if (!state.handlers.expired()) return;
  for (std::size_t i = 0; i < detail::kFaultSignalCount; ++i) {
    struct sigaction current{};
    sigaction(detail::kFaultSignals[i], nullptr, &current);
    if (detail::IsOurs(current)) {
      if (state.buried[i] < detail::kFaultLayers) {
        sigaction(detail::kFaultSignals[i], &state.former[state.buried[i]][i], nullptr);
      }
    } else if (state.buried[i] < detail::kFaultLayers) {
      // Whoever came later may pass signals on to us.
      ++state.buried[i];
      detail::StayLoaded();
    }
  }
}

}  // namespace tenon::inline TENON_ABI::jit
