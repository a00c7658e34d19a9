// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of asymmetric_fence.hpp.
#pragma once

#include <tenon/vm/asymmetric_fence.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tenon::inline TENON_ABI::vm {

namespace detail {

// The thread sanitizer knows nothing of membarrier.
#if defined(__linux__) && defined(SYS_membarrier) && !TENON_DETAIL_THREAD_SANITIZER

// Values of linux/membarrier.h, which not every system has.
inline constexpr int kPrivateExpedited = 1 << 3;
inline constexpr int kRegisterPrivateExpedited = 1 << 4;

TENON_DECL bool PrepareHeavyFence() noexcept {
  return syscall(SYS_membarrier, kRegisterPrivateExpedited, 0, 0) == 0;
}

[[gnu::cold]] inline void FenceOthers() noexcept {
  if (syscall(SYS_membarrier, kPrivateExpedited, 0, 0) == 0) return;
  // A forked child registers anew.
  syscall(SYS_membarrier, kRegisterPrivateExpedited, 0, 0);
  syscall(SYS_membarrier, kPrivateExpedited, 0, 0);
}

#else

[[gnu::cold]] TENON_DECL bool PrepareHeavyFence() noexcept { return false; }
[[gnu::cold]] inline void FenceOthers() noexcept {}

#endif

}  // namespace detail

[[gnu::cold]] TENON_DECL void HeavyFence() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (detail::kHeavyFenceReachesAll) detail::FenceOthers();
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace tenon::inline TENON_ABI::vm
