// SPDX-License-Identifier: Apache-2.0
/// @file
/// Disks that are full or read-only, and file systems that can do less than others.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/tenon.hpp>

#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"
#include "child_process.hpp"

using namespace tenon_test;
using tenon::CacheProblemKind;
using tenon::cache::DirectoryStore;

namespace {

/// What a child process came to: 0, or 77 where the machine does not let it try.
void ExpectDone(int code, const char* what_is_missing) {
  if (code == 77) {
    WARN(what_is_missing);
  } else {
    CHECK(code == 0);
  }
}

}  // namespace

TEST_CASE("a full disk costs a report, not the guest") {
  const ScratchDirectory scratch;
  const pid_t child = Spawn([&] {
    // As a full disk does, this lets some bytes through and then no more.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{5000, 5000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const CachedRun run = RunCached(scratch.Path(), AnswerModule(21));
    const bool is_right = run.answer == 21 && run.statistics.writes == 0 &&
                          run.problems.size() == 1 &&
                          run.problems[0].kind == CacheProblemKind::NotWritten;
    return is_right ? 0 : 1;
  });
  CHECK(ExitCodeOf(child) == 0);
  CHECK(scratch.Files("").empty());
}

TEST_CASE("a small file system that others filled costs a report, and is used once it has room") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), 0, "size=64k,mode=700", [&] {
    const std::string filling = scratch / "filling";
    WriteBytes(filling, std::vector<std::uint8_t>(64 << 10));
    const CachedRun full = RunCached(scratch.Path(), AnswerModule(1));
    if (full.answer != 1 || full.statistics.writes != 0 || full.problems.size() != 1) return 1;
    if (full.problems[0].kind != CacheProblemKind::NotWritten) return 2;
    if (full.problems[0].text.find("No space left") == std::string::npos) return 3;
    if (!scratch.Files(".tmp").empty()) return 4;
    std::filesystem::remove(filling);
    if (RunCached(scratch.Path(), AnswerModule(1)).statistics.writes != 1) return 5;
    return RunCached(scratch.Path(), AnswerModule(1)).statistics.loads == 1 ? 0 : 6;
  });
  ExpectDone(code, "this user cannot mount file systems");
}

TEST_CASE("on a small file system the entries used least recently make room for others") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), 0, "size=64k,mode=700", [&] {
    constexpr std::int32_t kGuests = 12;
    std::uint64_t evictions = 0;
    for (std::int32_t i = 0; i < kGuests; ++i) {
      const CachedRun run = RunCached(scratch.Path(), AnswerModule(i));
      if (run.answer != i || run.statistics.writes != 1 || !run.problems.empty()) return 1;
      evictions += run.statistics.evictions;
      usleep(5000);  // times of files are those of the system's clock ticks
    }
    if (evictions == 0) return 2;
    // No more than there had to be.
    if (scratch.Files(".tenon").size() < 3) return 3;
    tenon::CacheOptions look;
    look.mode = tenon::CacheMode::ReadOnly;
    for (std::int32_t i = kGuests - 2; i < kGuests; ++i) {
      if (RunCached(scratch.Path(), AnswerModule(i), look).statistics.loads != 1) return 4;
    }
    return scratch.Files(".tmp").empty() ? 0 : 5;
  });
  ExpectDone(code, "this user cannot mount file systems");
}

TEST_CASE("where the file system has no programs, code is copied") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), MS_NOEXEC, "size=1m,mode=700", [&] {
    RunCached(scratch.Path(), AnswerModule(5));
    const CachedRun run = RunCached(scratch.Path(), AnswerModule(5));
    if (run.answer != 5 || run.statistics.loads != 1 || !run.problems.empty()) return 1;
    return run.statistics.mapped_loads == 0 ? 0 : 2;
  });
  ExpectDone(code, "this user cannot mount file systems");
}

TEST_CASE(
    "a directory that is gone, or above which nobody can look, costs reports, not the guest") {
  const ScratchDirectory scratch;
  const bool is_gone = GENERATE(true, false);
  const int code = ExitCodeOf(Spawn([&] {
    const std::string inner = scratch / "outer/inner";
    std::filesystem::create_directories(inner);
    std::filesystem::permissions(inner, std::filesystem::perms::owner_all);
    std::filesystem::current_path(inner);
    if (is_gone) {
      std::filesystem::remove_all(scratch / "outer");
    } else if (geteuid() == 0) {
      // The administrator can look everywhere.
      if (chown(inner.c_str(), 12345, 12345) != 0 || setuid(12345) != 0) return 77;
    }
    if (!is_gone && chmod(".", 0600) != 0) return 77;
    const CachedRun run = RunCached(".", AnswerModule(5));
    return run.answer == 5 && !run.problems.empty() ? 0 : 1;
  }));
  ExpectDone(code, "this user cannot give files away");
}

TEST_CASE("where the system has no locks, entries are written without") {
  const ScratchDirectory scratch;
  const int code = ExitCodeOf(Spawn([&] {
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_flock, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (!Install(steps)) return 77;
    // A process that finds no end is ended.
    alarm(60);
    if (RunCached(scratch.Path(), AnswerModule(5)).answer != 5) return 1;
    const CachedRun again = RunCached(scratch.Path(), AnswerModule(5));
    return again.answer == 5 && again.statistics.loads == 1 ? 0 : 2;
  }));
  ExpectDone(code, "this system has no filters of calls");
}

TEST_CASE("what dead processes left is removed where only files open for writing are locked") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(5));
  const std::string entry = scratch.Files(".tenon").at(0);
  const std::string lock = std::filesystem::path{entry}.replace_extension(".lock").string();
  const std::string temporary =
      std::filesystem::path{entry}.parent_path() / "0123456789abcdef.12.3.tmp";
  WriteBytes(lock, {});
  WriteBytes(temporary, {1});
  const int code = ExitCodeOf(Spawn([&] {
    // As if a file that is open for reading could not be locked.
    constexpr std::uint32_t kFlags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kFlags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EBADF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (!Install(steps)) return 77;
    MakeStore(scratch).Trim(UINT64_MAX);
    return 0;
  }));
  if (code == 77) {
    WARN("this system has no filters of calls");
  } else {
    CHECK(code == 0);
    CHECK(Leftovers(scratch).empty());
    CHECK(std::filesystem::exists(entry));
  }
}

TEST_CASE("where no file can be locked, entries are evicted all the same") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  RunCached(scratch.Path(), AnswerModule(2));
  const int code = ExitCodeOf(Spawn([&] {
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_flock, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (!Install(steps)) return 77;
    DirectoryStore store = MakeStore(scratch);
    store.Trim(std::filesystem::file_size(scratch.Files(".tenon").at(0)));
    return store.Evictions() == 1 ? 0 : 1;
  }));
  if (code == 77) {
    WARN("this system has no filters of calls");
  } else {
    CHECK(code == 0);
    CHECK(scratch.Files(".tenon").size() == 1);
  }
}

TEST_CASE("where the system maps no files, they are copied") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(5));
  const int code = ExitCodeOf(Spawn([&] {
    // What the cache maps files with, and nothing else.
    constexpr std::uint32_t kFlags = MAP_PRIVATE | MAP_POPULATE;
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[3])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kFlags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENODEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (!Install(steps)) return 77;
    const CachedRun run = RunCached(scratch.Path(), AnswerModule(5));
    if (run.answer != 5 || run.statistics.loads != 1 || !run.problems.empty()) return 1;
    return run.statistics.mapped_loads == 0 ? 0 : 2;
  }));
  ExpectDone(code, "this system has no filters of calls");
}

TEST_CASE("a file system that is read-only costs a report, and what is there is used") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), 0, "size=1m,mode=700", [&] {
    RunCached(scratch.Path(), AnswerModule(5));
    if (mount(nullptr, scratch.Path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return 77;
    }
    const CachedRun hit = RunCached(scratch.Path(), AnswerModule(5));
    if (hit.answer != 5 || hit.statistics.loads != 1 || !hit.problems.empty()) return 1;
    const CachedRun miss = RunCached(scratch.Path(), AnswerModule(6));
    if (miss.answer != 6 || miss.problems.size() != 1) return 2;
    return miss.problems[0].text.find("Read-only file system") != std::string::npos ? 0 : 3;
  });
  ExpectDone(code, "this user cannot mount file systems");
}
