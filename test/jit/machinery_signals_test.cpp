// SPDX-License-Identifier: Apache-2.0
/// @file
/// Signals beside running guests: real faults of the host, handlers before and after the library's,
/// storms of timers, and several copies of the library in one process. Most cases run in a process
/// of their own.
#include <atomic>
#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/time.h>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::kI32;

namespace {

[[gnu::noinline]] void TouchNull() {
  volatile int* volatile null = nullptr;
  *null = 1;
}

/// A guest with a memory, and a host function "act" that a guest "run" calls.
class Host {
 public:
  explicit Host(const RuntimeConfig& config, std::function<void()> act) : runtime_{config} {
    runtime_.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([act = std::move(act)](std::int32_t value) -> std::int32_t {
          act();
          return value;
        })
        .Export("act")
        .Instantiate();
    memory_ = runtime_.Instantiate(guests::MemoryUser({}), kAnonymous);
    load_ = memory_.ExportedFunction<Unary>("load32");
    const Runtime& runtime = runtime_;
    caller_ =
        runtime.Instantiate(guests::Forwarder("env", "act", {{kI32}, {kI32}}, true), kAnonymous);
    run_ = caller_.ExportedFunction<Unary>("run");
  }

  void Run() const { run_(1); }
  bool Traps() const {
    for (const std::int32_t address : {65533, 65536, 1 << 30, -4}) {
      try {
        load_(address);
        return false;
      } catch (const tenon::Trap& trap) {
        if (trap.Code() != TrapCode::OutOfBoundsMemoryAccess) return false;
      }
    }
    return load_(65532) == 0;
  }

 private:
  Runtime runtime_;
  tenon::Module memory_, caller_;
  tenon::TypedFunction<Unary> load_, run_;
};

void Handle(int signal_number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(signal_number, &action, nullptr);
}
void HandlePlainly(int signal_number, void (*handler)(int), int flags = 0) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal_number, &action, nullptr);
}

volatile std::sig_atomic_t seen = 0;
struct sigaction former;
sigjmp_buf way_out;

void Count(int) { seen = seen + 1; }
void CountInfo(int, siginfo_t*, void*) { seen = seen + 1; }
void ExitInfo(int, siginfo_t* info, void* context) {
  _exit(info != nullptr && context != nullptr && info->si_addr == nullptr ? kGood : 1);
}
void ExitPlainly(int) { _exit(kGood); }
void JumpOut(int, siginfo_t*, void*) { siglongjmp(way_out, 1); }
void PassOn(int signal_number, siginfo_t* info, void* context) {
  seen = seen + 1;
  former.sa_sigaction(signal_number, info, context);
}

/// Forks with the standard handlers.
int Child(const std::function<int()>& body) {
  return RunInChild([&] {
    for (const int signal_number : {SIGSEGV, SIGBUS}) signal(signal_number, SIG_DFL);
    return body();
  });
}

}  // namespace

TEST_CASE("a fault in a host function, on a foreign thread or by raise() ends the process") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    CHECK(Child([&] {
            const Host host{setup.config, TouchNull};
            if (!host.Traps()) return 1;
            host.Run();
            return 2;
          }) == -SIGSEGV);
    CHECK(Child([&] {
            const Host host{setup.config, [] { raise(SIGSEGV); }};
            if (!host.Traps()) return 1;
            host.Run();
            return 2;
          }) == -SIGSEGV);
    CHECK(Child([&] {
            const Host host{setup.config, [] { std::thread{TouchNull}.join(); }};
            host.Run();
            return 2;
          }) == -SIGSEGV);
    CHECK(Child([&] {
            const Host host{setup.config, [] {}};
            std::thread{[] { pthread_kill(pthread_self(), SIGBUS); }}.join();
            return 2;
          }) == -SIGBUS);
  });
}

TEST_CASE("a handler that was there before gets the host's faults, and guests trap") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    for (const int flags : {0, SA_ONSTACK, SA_NODEFER, SA_RESTART}) {
      CHECK(Child([&] {
              Handle(SIGSEGV, ExitInfo, flags);
              const Host host{setup.config, TouchNull};
              if (!host.Traps()) return 1;
              host.Run();
              return 2;
            }) == kGood);
      CHECK(Child([&] {
              HandlePlainly(SIGSEGV, ExitPlainly, flags);
              const Host host{setup.config, TouchNull};
              if (!host.Traps()) return 1;
              host.Run();
              return 2;
            }) == kGood);
      CHECK(Child([&] {
              HandlePlainly(SIGSEGV, Count, flags);
              const Host host{setup.config, [] { raise(SIGSEGV); }};
              for (int i = 0; i < 3; ++i) {
                if (!host.Traps()) return 1;
                host.Run();
              }
              return seen == 3 ? kGood : 2;
            }) == kGood);
      CHECK(Child([&] {
              Handle(SIGSEGV, JumpOut, flags);
              const Host host{setup.config, [] {
                                if (sigsetjmp(way_out, 1) == 0) TouchNull();
                              }};
              for (int i = 0; i < 3; ++i) {
                if (!host.Traps()) return 1;
                host.Run();
              }
              return host.Traps() ? kGood : 2;
            }) == kGood);
    }
    CHECK(Child([&] {
            signal(SIGSEGV, SIG_IGN);
            const Host host{setup.config, [] { raise(SIGSEGV); }};
            for (int i = 0; i < 3; ++i) {
              if (!host.Traps()) return 1;
              host.Run();
            }
            return kGood;
          }) == kGood);
    CHECK(Child([&] {
            signal(SIGSEGV, SIG_IGN);
            const Host host{setup.config, TouchNull};
            host.Run();
            return 1;
          }) == -SIGSEGV);
  });
}

TEST_CASE("a handler that asks to be called once is called once") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    CHECK(Child([&] {
            HandlePlainly(SIGSEGV, Count, static_cast<int>(SA_RESETHAND));
            const Host host{setup.config, [] { raise(SIGSEGV); }};
            host.Run();
            if (seen != 1 || !host.Traps()) return 1;
            host.Run();
            return 2;
          }) == -SIGSEGV);
  });
}

TEST_CASE("a handler's mask holds for it when the library passes a fault on") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    CHECK(Child([&] {
            struct sigaction action{};
            sigemptyset(&action.sa_mask);
            sigaddset(&action.sa_mask, SIGUSR1);
            action.sa_handler = [](int) {
              sigset_t blocked;
              pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
              if (sigismember(&blocked, SIGUSR1) == 1 && sigismember(&blocked, SIGSEGV) == 1) {
                seen = seen + 1;
              }
            };
            sigaction(SIGSEGV, &action, nullptr);
            const Host host{setup.config, [] { raise(SIGSEGV); }};
            host.Run();
            // Traps leave no signal blocked.
            if (!host.Traps()) return 1;
            sigset_t blocked;
            pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
            if (sigismember(&blocked, SIGSEGV) == 1 || sigismember(&blocked, SIGUSR1) == 1) {
              return 2;
            }
            return seen == 1 ? kGood : 3;
          }) == kGood);
  });
}

TEST_CASE("a handler installed later that passes on what is not its own leaves traps working") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    if (setup.name != "compiler, guard pages") return;
    CHECK(Child([&] {
            const Host host{setup.config, TouchNull};
            sigaction(SIGSEGV, nullptr, &former);
            Handle(SIGSEGV, PassOn, SA_ONSTACK);
            for (int i = 0; i < 3; ++i) {
              if (!host.Traps()) return 1;
            }
            if (seen != 12) return 2;
            host.Run();
            return 3;
          }) == -SIGSEGV);
    CHECK(Child([&] {
            // Instances come and go below and above the other handler.
            for (int i = 0; i < 20; ++i) {
              const Host host{setup.config, [] {}};
              if (!host.Traps()) return 1;
              if (i % 5 == 2) {
                sigaction(SIGSEGV, nullptr, &former);
                Handle(SIGSEGV, PassOn, 0);
                if (!host.Traps()) return 2;
              }
            }
            return kGood;
          }) == kGood);
    CHECK(Child([&] {
            // The host's handler asks the library, which has none of its own.
            Handle(
                SIGSEGV,
                [](int signal_number, siginfo_t* info, void* context) {
                  if (!tenon::HandleFault(signal_number, info, context)) _exit(kGood);
                },
                SA_ONSTACK);
            const Host host{setup.config.WithSignalHandlers(tenon::SignalHandlers::Host),
                            TouchNull};
            if (!host.Traps()) return 1;
            host.Run();
            return 2;
          }) == kGood);
  });
}

TEST_CASE("guests compute and trap in storms of timer signals") {
  InEverySetup([](const Setup& setup) {
    for (const int flags : {0, SA_ONSTACK}) {
      const Runtime runtime{setup.config};
      const tenon::Module loops = runtime.Instantiate(guests::Loops(), kAnonymous);
      const auto fib = loops.ExportedFunction<Unary>("fib");
      const auto recurse = loops.ExportedFunction<Unary>("recurse");
      const Host host{setup.config, [] {}};
      std::vector<std::uint8_t> stack(std::size_t{64} << 10);
      stack_t alternate{};
      stack_t former_stack{};
      alternate.ss_sp = stack.data();
      alternate.ss_size = stack.size();
      REQUIRE(sigaltstack(&alternate, &former_stack) == 0);
      struct sigaction former_alarm{};
      struct sigaction former_profile{};
      sigaction(SIGALRM, nullptr, &former_alarm);
      sigaction(SIGPROF, nullptr, &former_profile);
      seen = 0;
      HandlePlainly(SIGALRM, Count, flags | SA_RESTART);
      Handle(SIGPROF, CountInfo, flags | SA_RESTART);
      const itimerval often{{0, 200}, {0, 200}};
      setitimer(ITIMER_REAL, &often, nullptr);
      setitimer(ITIMER_PROF, &often, nullptr);
      int wrong = 0;
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{400};
      while (std::chrono::steady_clock::now() < until) {
        if (fib(15) != 610) ++wrong;
        if (!host.Traps()) ++wrong;
        try {
          recurse(1);
          ++wrong;
        } catch (const tenon::Trap& trap) {
          if (trap.Code() != TrapCode::StackOverflow) ++wrong;
        }
        host.Run();
      }
      const itimerval never{};
      setitimer(ITIMER_REAL, &never, nullptr);
      setitimer(ITIMER_PROF, &never, nullptr);
      sigaction(SIGALRM, &former_alarm, nullptr);
      sigaction(SIGPROF, &former_profile, nullptr);
      alternate.ss_flags = SS_DISABLE;
      sigaltstack((former_stack.ss_flags & SS_DISABLE) != 0 ? &alternate : &former_stack, nullptr);
      CHECK(wrong == 0);
      CHECK(seen > 20);
    }
  });
}

TEST_CASE("a signal handler's own guest call does not disturb the interrupted guest") {
  if (kIsSanitized) return;
  // Not from asynchronous signals, but a host function may raise one and answer it with a guest.
  InEverySetup([](const Setup& setup) {
    static const tenon::TypedFunction<Unary>* inner;
    const Runtime runtime{setup.config};
    const tenon::Module loops = runtime.Instantiate(guests::Loops(), kAnonymous);
    const auto fib = loops.ExportedFunction<Unary>("fib");
    inner = &fib;
    struct sigaction former_user{};
    sigaction(SIGUSR1, nullptr, &former_user);
    HandlePlainly(SIGUSR1, [](int) { seen = (*inner)(10); });
    const Host host{setup.config, [] { raise(SIGUSR1); }};
    for (int i = 0; i < 100; ++i) {
      seen = 0;
      host.Run();
      REQUIRE(seen == 55);
    }
    sigaction(SIGUSR1, &former_user, nullptr);
    CHECK(host.Traps());
  });
}

TEST_CASE("faults on many threads at once are all traps") {
  InEverySetup([](const Setup& setup) {
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          const Host host{setup.config, [] {}};
          for (int round = 0; round < 20; ++round) {
            if (!host.Traps()) ++wrong;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  });
}

#if defined(TENON_TEST_PLUGIN_ONE)

namespace {

/// A shared object with a tenon of its own.
class Plugin {
 public:
  explicit Plugin(const char* path) : object_{dlopen(path, RTLD_NOW | RTLD_LOCAL)} {
    if (object_ == nullptr) return;
    open_ = reinterpret_cast<void* (*)()>(dlsym(object_, "MachineryOpen"));
    load_ = reinterpret_cast<int (*)(void*, std::int32_t)>(dlsym(object_, "MachineryLoad"));
    close_ = reinterpret_cast<void (*)(void*)>(dlsym(object_, "MachineryClose"));
  }
  explicit operator bool() const { return close_ != nullptr; }

  void Open() { guest_ = open_(); }
  void Close() { close_(guest_); }
  void Unload() { dlclose(object_); }
  bool Traps() const {
    return load_(guest_, 0) == 0 && load_(guest_, 65532) == 0 && load_(guest_, 65533) == 1 &&
           load_(guest_, -4) == 1;
  }

 private:
  void* object_;
  void* guest_ = nullptr;
  void* (*open_)() = nullptr;
  int (*load_)(void*, std::int32_t) = nullptr;
  void (*close_)(void*) = nullptr;
};

}  // namespace

TEST_CASE("several shared objects that contain tenon get their own faults, opened in any order") {
  if (kIsSanitized || Setups().size() < 2) return;
  const RuntimeConfig config = Setups()[1].config;
  for (const int variant : {0, 1, 2, 3}) {
    const bool closes_in_order = variant % 2 == 0;
    // Their symbols are hidden, or the dynamic linker may unite some.
    const bool is_hidden = variant < 2;
    const char* const path_one = is_hidden ? TENON_TEST_PLUGIN_ONE : TENON_TEST_PLUGIN_THREE;
    const char* const path_two = is_hidden ? TENON_TEST_PLUGIN_TWO : TENON_TEST_PLUGIN_FOUR;
    INFO(path_one << (closes_in_order ? ", in order" : ", in reverse"));
    CHECK(Child([&] {
            Plugin one{path_one};
            Plugin two{path_two};
            if (!one || !two) return 1;
            one.Open();
            if (!one.Traps()) return 2;
            const Host host{config, [] {}};
            two.Open();
            for (int i = 0; i < 10; ++i) {
              if (!one.Traps() || !two.Traps() || !host.Traps()) return 3;
            }
            Plugin& first = closes_in_order ? one : two;
            Plugin& second = closes_in_order ? two : one;
            first.Close();
            if (!second.Traps() || !host.Traps()) return 4;
            first.Unload();
            if (!second.Traps() || !host.Traps()) return 5;
            second.Close();
            second.Unload();
            if (!host.Traps()) return 6;
            return kGood;
          }) == kGood);
    CHECK(Child([&] {
            // A foreign fault goes through all of them and ends the process.
            Plugin one{path_one};
            Plugin two{path_two};
            one.Open();
            two.Open();
            if (closes_in_order) {
              one.Close();
              one.Unload();
            }
            TouchNull();
            return 2;
          }) == -SIGSEGV);
    CHECK(Child([&] {
            // Objects come and go; handlers with them.
            for (int i = 0; i < 10; ++i) {
              Plugin one{path_one};
              Plugin two{path_two};
              one.Open();
              two.Open();
              if (!one.Traps() || !two.Traps()) return 3;
              if (closes_in_order) {
                one.Close();
                one.Unload();
                if (!two.Traps()) return 4;
                two.Close();
                two.Unload();
              } else {
                two.Close();
                two.Unload();
                if (!one.Traps()) return 5;
                one.Close();
                one.Unload();
              }
            }
            return kGood;
          }) == kGood);
  }
}

#endif
