// SPDX-License-Identifier: Apache-2.0
/// @file
/// Whether a test runs under a sanitizer that watches memory or threads.
#pragma once

namespace tenon_test {

/// Such sanitizers take faults, memory and address space for themselves, do not know of stacks that
/// programs switch to, and make what repeats for its own sake ten times as slow.
inline constexpr bool kIsSanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

}  // namespace tenon_test
