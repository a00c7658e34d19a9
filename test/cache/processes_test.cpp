// SPDX-License-Identifier: Apache-2.0
/// @file
/// Cache directories that processes share, and what is left when they die or the disk is full.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/tenon.hpp>

#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CacheKey;
using tenon::CacheOptions;
using tenon::CacheProblemKind;
using tenon::cache::DirectoryStore;
using tenon::cache::KeyLock;

namespace {

/// Runs `body` in a process of its own, which ends with what it returns.
pid_t Spawn(const std::function<int()>& body) {
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

int ExitCodeOf(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Numbers that processes count together.
struct Totals {
  std::atomic<std::uint64_t> misses{0};
  std::atomic<std::uint64_t> loads{0};
  std::atomic<std::uint64_t> evictions{0};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> problems{0};
  std::atomic<std::uint64_t> open_files{0};  ///< that were not open before
};

class SharedTotals {
 public:
  SharedTotals()
      : place_{mmap(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0)} {
    REQUIRE(place_ != MAP_FAILED);
    totals_ = new (place_) Totals;
  }
  SharedTotals(const SharedTotals&) = delete;
  SharedTotals& operator=(const SharedTotals&) = delete;
  ~SharedTotals() { munmap(place_, sizeof(Totals)); }
  Totals* operator->() { return totals_; }
  Totals& operator*() { return *totals_; }

 private:
  void* place_;
  Totals* totals_;
};

std::size_t OpenDescriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

constexpr int kProcesses = 8;
constexpr int kThreads = 8;

/// Every thread of every process runs `modules` guests, each with a handle of its own.
void Hammer(const std::string& path, std::int32_t modules, const CacheOptions& options,
            Totals& totals) {
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(Spawn([&] {
      const std::size_t open_files = OpenDescriptors();
      std::vector<std::thread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, p, t] {
          for (std::int32_t i = 0; i < modules; ++i) {
            const std::int32_t answer = (i + p + t) % modules;
            try {
              const CachedRun run = RunCached(path, AnswerModule(answer), options);
              totals.wrong += run.answer == answer ? 0 : 1;
              totals.misses += run.statistics.misses;
              totals.loads += run.statistics.loads;
              totals.evictions += run.statistics.evictions;
              totals.problems += run.statistics.problems;
            } catch (...) {
              ++totals.wrong;
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      totals.open_files += OpenDescriptors() - open_files;
      return 0;
    }));
  }
  for (const pid_t child : children) CHECK(ExitCodeOf(child) == 0);
}

/// Files that somebody should have removed.
std::vector<std::string> Leftovers(const ScratchDirectory& scratch) {
  std::vector<std::string> files = scratch.Files(".tmp");
  for (const std::string& file : scratch.Files(".lock")) {
    if (!file.ends_with("/trim.lock")) files.push_back(file);
  }
  return files;
}

DirectoryStore MakeStore(const ScratchDirectory& scratch) {
  return DirectoryStore{{scratch.Path(), tenon::cache::VersionDirectoryName(), 0, 0, false, false}};
}

CacheKey KeyOf(std::uint8_t byte) {
  CacheKey key{};
  key.fill(byte);
  return key;
}

}  // namespace

TEST_CASE("8 processes of 8 threads compile each module once") {
  const ScratchDirectory scratch;
  SharedTotals totals;
  constexpr std::int32_t kModules = 3;
  Hammer(scratch.Path(), kModules, {}, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->misses == kModules);
  CHECK(totals->loads == kModules * (kProcesses * kThreads - 1));
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  CHECK(scratch.Files(".tenon").size() == kModules);
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("8 processes of 8 threads compile each module once while others' entries are evicted") {
  const ScratchDirectory scratch;
  constexpr std::int32_t kModules = 3;
  constexpr std::int32_t kOthers = 30;
  RunCached(scratch.Path(), AnswerModule(kModules));
  const std::string file = scratch.Files(".tenon").at(0);
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours{1};
  std::filesystem::last_write_time(file, long_ago);
  for (std::int32_t i = 1; i < kOthers; ++i) {
    std::string other = file;
    other.replace(other.size() - 8, 2, std::to_string(10 + i));
    if (other == file) continue;
    std::filesystem::copy_file(file, other, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::last_write_time(other, long_ago);
  }
  CacheOptions options;
  options.max_bytes = std::filesystem::file_size(file) * 10;
  SharedTotals totals;
  Hammer(scratch.Path(), kModules, options, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->misses == kModules);
  CHECK(totals->loads == kModules * (kProcesses * kThreads - 1));
  CHECK(totals->evictions >= 20);
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  MakeStore(scratch).Trim(options.max_bytes);
  CHECK(scratch.Files(".tenon").size() <= 10);
  for (std::int32_t i = 0; i < kModules; ++i) {
    CHECK(RunCached(scratch.Path(), AnswerModule(i), options).statistics.loads == 1);
  }
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("8 processes of 8 threads get the right code while entries are evicted") {
  const ScratchDirectory scratch;
  const std::size_t descriptors = OpenDescriptors();
  RunCached(scratch.Path(), AnswerModule(0));
  CHECK(OpenDescriptors() == descriptors);
  CacheOptions options;
  options.max_bytes = std::filesystem::file_size(scratch.Files(".tenon").at(0)) * 5 / 2;
  SharedTotals totals;
  Hammer(scratch.Path(), 4, options, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->evictions > 0);
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  MakeStore(scratch).Trim(options.max_bytes);
  CHECK(scratch.Files(".tenon").size() == 2);
  CHECK(scratch.Files(".use").size() <= 2);
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("one of those that wait for a lock gets it when it is given up") {
  const ScratchDirectory scratch;
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  std::atomic<bool> is_held{true};
  std::thread waiting;
  {
    const KeyLock lock = store.Lock(KeyOf(1), 0, timed_out);
    REQUIRE(lock);
    // Other keys are free.
    CHECK(store.Lock(KeyOf(2), 0, timed_out));
    waiting = std::thread{[&] {
      bool is_late = false;
      const KeyLock mine = store.Lock(KeyOf(1), 20'000, is_late);
      CHECK(mine);
      CHECK_FALSE(is_held);
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    is_held = false;
  }
  waiting.join();
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("a lock that is held for too long is not waited for") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(12);
  RunCached(scratch.Path(), module);
  const std::string file = scratch.Files(".tenon").at(0);
  const CacheKey key = DirectoryStore::KeyOfPath(file).value();
  std::filesystem::remove(file);
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  const KeyLock lock = store.Lock(key, 0, timed_out);
  CacheOptions options;
  options.lock_timeout_ms = 30;
  const CachedRun run = RunCached(scratch.Path(), module, options);
  CHECK(run.answer == 12);
  CHECK(run.statistics.misses == 1);
  CHECK(run.statistics.lock_timeouts == 1);
  REQUIRE(run.problems.size() == 1);
  CHECK(run.problems[0].kind == CacheProblemKind::LockTimeout);
}

TEST_CASE("who holds all keys for good is waited for once") {
  const ScratchDirectory scratch;
  DirectoryStore store = MakeStore(scratch);
  std::vector<CacheKey> keys;
  for (std::int32_t i = 0; i < 3; ++i) {
    RunCached(scratch.Path(), AnswerModule(i));
    for (const std::string& file : scratch.Files(".tenon")) {
      keys.push_back(DirectoryStore::KeyOfPath(file).value());
      std::filesystem::remove(file);
    }
  }
  std::vector<KeyLock> held;
  bool timed_out = false;
  for (const CacheKey& key : keys) held.push_back(store.Lock(key, 0, timed_out));
  std::vector<std::string> reports;
  CacheOptions options;
  options.lock_timeout_ms = 800;
  options.on_problem = [&](const tenon::CacheProblem& problem) { reports.push_back(problem.text); };
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  std::vector<std::chrono::milliseconds> times;
  for (std::int32_t i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    runtime.CompileModule(AnswerModule(i));
    times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin));
  }
  CHECK(times[0].count() >= 800);
  CHECK((times[1] + times[2]).count() < 1600);
  CHECK(cache.Statistics().misses == 3);
  CHECK(cache.Statistics().lock_timeouts == 3);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].ends_with("after 800 ms"));
  CHECK(reports[2].ends_with("after 100 ms"));
}

TEST_CASE("the lock of a killed process is free") {
  const ScratchDirectory scratch;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = Spawn([&] {
    DirectoryStore store = MakeStore(scratch);
    bool timed_out = false;
    const KeyLock lock = store.Lock(KeyOf(1), 0, timed_out);
    const char byte = lock ? 1 : 0;
    if (write(ready[1], &byte, 1) != 1) return 1;
    for (;;) pause();
  });
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  CHECK(byte == 1);
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  CHECK_FALSE(store.Lock(KeyOf(1), 0, timed_out));
  CHECK(timed_out);
  kill(child, SIGKILL);
  CHECK(ExitCodeOf(child) == -SIGKILL);
  CHECK(store.Lock(KeyOf(1), 0, timed_out));
  CHECK(Leftovers(scratch).empty());
  close(ready[0]);
  close(ready[1]);
}

namespace {

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

Killed KillAt(int stop, const std::function<void()>& body) {
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

}  // namespace

TEST_CASE("a process that is killed at any step of a write leaves a cache that works") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(55);
  RunCached(scratch.Path(), module);
  const std::string file = scratch.Files(".tenon").at(0);
  const CacheKey key = DirectoryStore::KeyOfPath(file).value();
  const auto good = ReadBytes(file);
  const bool replaces_damage = GENERATE(false, true);
  int stop = 2;
  std::size_t wrong = 0;
  for (;; stop += kStep) {
    std::filesystem::remove(file);
    if (replaces_damage) WriteBytes(file, {good.begin(), good.begin() + 100});
    const Killed killed = KillAt(stop, [&] {
      DirectoryStore store = MakeStore(scratch);
      bool timed_out = false;
      const KeyLock lock = store.Lock(key, 0, timed_out);
      store.Put(key, good);
    });
    if (killed == Killed::CannotTrace) {
      WARN("this system does not let processes be traced");
      return;
    }
    const auto after = ReadBytes(file);
    const bool is_whole = after == good;
    const bool is_untouched = replaces_damage ? after.size() == 100 : after.empty();
    const CachedRun run = RunCached(scratch.Path(), module);
    const CachedRun again = RunCached(scratch.Path(), module);
    MakeStore(scratch).Trim(UINT64_MAX);
    const bool is_right = (is_whole || is_untouched) && run.answer == 55 && again.answer == 55 &&
                          again.statistics.loads == 1 && again.problems.empty() &&
                          Leftovers(scratch).empty();
    wrong += is_right ? 0 : 1;
    if (killed == Killed::Finished) break;
  }
  CHECK(wrong == 0);
  CHECK(stop > 30);
}

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

namespace {

/// Runs `body` where `path` is a file system of its own with these options; 77 if that cannot be.
int WithFileSystem(const std::string& path, unsigned long flags, const char* options,
                   const std::function<int()>& body) {
  return ExitCodeOf(Spawn([&] {
    if (unshare(CLONE_NEWNS) != 0) return 77;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (mount("tenon", path.c_str(), "tmpfs", flags, options) != 0) return 77;
    return body();
  }));
}

}  // namespace

TEST_CASE("a small file system that is full costs a report, not the guest") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), 0, "size=40k,mode=700", [&] {
    std::size_t written = 0;
    std::size_t refused = 0;
    for (std::int32_t i = 0; i < 8; ++i) {
      const CachedRun run = RunCached(scratch.Path(), AnswerModule(i));
      if (run.answer != i) return 1;
      written += run.statistics.writes;
      for (const auto& problem : run.problems) {
        if (problem.text.find("No space left") == std::string::npos) return 2;
        ++refused;
      }
    }
    if (written == 0 || refused == 0) return 3;
    return scratch.Files(".tmp").empty() ? 0 : 4;
  });
  if (code == 77) {
    WARN("this user cannot mount file systems");
  } else {
    CHECK(code == 0);
  }
}

TEST_CASE("where the file system has no programs, code is copied") {
  const ScratchDirectory scratch;
  const int code = WithFileSystem(scratch.Path(), MS_NOEXEC, "size=1m,mode=700", [&] {
    RunCached(scratch.Path(), AnswerModule(5));
    const CachedRun run = RunCached(scratch.Path(), AnswerModule(5));
    if (run.answer != 5 || run.statistics.loads != 1 || !run.problems.empty()) return 1;
    return run.statistics.mapped_loads == 0 ? 0 : 2;
  });
  if (code == 77) {
    WARN("this user cannot mount file systems");
  } else {
    CHECK(code == 0);
  }
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
  if (code == 77) {
    WARN("this user cannot give files away");
  } else {
    CHECK(code == 0);
  }
}

namespace {

/// Lets the filter judge all calls of this process from now on. Whether the system has such
/// filters.
bool Install(std::span<sock_filter> steps) {
  const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

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
  if (code == 77) {
    WARN("this system has no filters of calls");
  } else {
    CHECK(code == 0);
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
  if (code == 77) {
    WARN("this system has no filters of calls");
  } else {
    CHECK(code == 0);
  }
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
  if (code == 77) {
    WARN("this user cannot mount file systems");
  } else {
    CHECK(code == 0);
  }
}
