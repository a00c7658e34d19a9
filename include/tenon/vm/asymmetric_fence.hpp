// SPDX-License-Identifier: Apache-2.0
/// @file
/// Fences for two sides of which one runs all the time and the other hardly ever.
///
/// Each side writes its own word, passes its fence, and reads the other's word: then at least one
/// of them sees what the other wrote. The light side pays nothing for it where the system has
/// membarrier(2): the heavy side makes all threads of the process pass a fence.
#pragma once

#include <atomic>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Whether the heavy side can do the light one's work. Until it is known the light side does its
/// own.
TENON_DECL bool PrepareHeavyFence() noexcept;
inline const bool kHeavyFenceReachesAll = PrepareHeavyFence();

}  // namespace detail

[[gnu::always_inline]] inline void LightFence() noexcept {
  if (detail::kHeavyFenceReachesAll) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

TENON_DECL void HeavyFence() noexcept;

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/asymmetric_fence.ipp>
#endif
