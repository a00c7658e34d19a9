// SPDX-License-Identifier: Apache-2.0
/// @file
/// Processes of a test's own: killed, without some calls of the system, on a small file system.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/persistent_cache.hpp>

#include "../support/scratch_directory.hpp"

namespace tenon_test {

/// Runs `body` in a process of its own, which ends with what it returns.
inline pid_t Spawn(const std::function<int()>& body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int code = 100;
    try {
      code = body();
    } catch (...) {
      code = 101;
    }
    _exit(code);
  }
  return child;
}

inline int ExitCodeOf(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Files that somebody should have removed.
inline std::vector<std::string> Leftovers(const ScratchDirectory& scratch) {
  std::vector<std::string> files = scratch.Files(".tmp");
  for (const std::string& file : scratch.Files(".lock")) {
    if (!file.ends_with("/trim.lock")) files.push_back(file);
  }
  return files;
}

inline tenon::cache::DirectoryStore MakeStore(const ScratchDirectory& scratch) {
  return tenon::cache::DirectoryStore{
      {scratch.Path(), tenon::cache::VersionDirectoryName(), 0, 0, false, false}};
}

/// Runs `body` in a process that is killed at a stop on the way into or out of a system call; the
/// first stop is the exit of the call that began the tracing.
enum class Killed { Yes, Finished, CannotTrace };

// What a call leaves is what the next one finds. Sanitizers make processes dear, and change nothing
// about files.
#if defined(__SANITIZE_ADDRESS__) || TENON_DETAIL_HAS_FEATURE(address_sanitizer) || \
    TENON_DETAIL_THREAD_SANITIZER
constexpr int kStep = 10;
#else
constexpr int kStep = 2;
#endif

inline Killed KillAt(int stop, const std::function<void()>& body) {
  const pid_t child = Spawn([&] {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return 7;
    raise(SIGSTOP);
    body();
    raise(SIGSTOP);
    return 0;
  });
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (!WIFSTOPPED(status)) return Killed::CannotTrace;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  // The rest of raise(SIGSTOP) comes first: the exit of one call, and glibc's mask of signals.
  for (int stops = 0;; ++stops) {
    const bool is_end = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && stops != 0;
    if (stops == stop || is_end) {
      kill(child, SIGKILL);
      CHECK(ExitCodeOf(child) == -SIGKILL);
      return is_end ? Killed::Finished : Killed::Yes;
    }
    REQUIRE(ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSTOPPED(status));
  }
}

/// Runs `body` where `path` is a file system of its own with these options; 77 if that cannot be.
inline int WithFileSystem(const std::string& path, unsigned long flags, const char* options,
                          const std::function<int()>& body) {
  return ExitCodeOf(Spawn([&] {
    if (unshare(CLONE_NEWNS) != 0) return 77;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (mount("tenon", path.c_str(), "tmpfs", flags, options) != 0) return 77;
    return body();
  }));
}

/// Lets the filter judge all calls of this process from now on. Whether the system has such
/// filters.
inline bool Install(std::span<sock_filter> steps) {
  const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace tenon_test
