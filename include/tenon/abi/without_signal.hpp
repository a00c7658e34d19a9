// SPDX-License-Identifier: Apache-2.0
/// @file
/// System calls that raise a signal where they fail.
#pragma once

#include <cerrno>

#include <signal.h>
#include <time.h>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::detail {

/// The result of a system call which, where it fails with `error`, raises `signal` in this thread:
/// the failure alone, because the signal would end the process. errno is the call's.
template <class Call>
auto WithoutSignal(int signal, int error, Call call) {
  ::sigset_t kept;
  ::sigset_t before;
  ::sigset_t pending;
  ::sigemptyset(&kept);
  ::sigaddset(&kept, signal);
  ::sigpending(&pending);
  // One that is pending already is somebody else's, and comes when it would have come.
  const bool is_pending = ::sigismember(&pending, signal) == 1;
  ::pthread_sigmask(SIG_BLOCK, &kept, &before);
  const auto result = call();
  const int failure = errno;
  if (result < 0 && failure == error && !is_pending) {
    constexpr ::timespec kNow{};
    ::sigtimedwait(&kept, nullptr, &kNow);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = failure;
  return result;
}

}  // namespace tenon::inline TENON_ABI::detail
