// SPDX-License-Identifier: Apache-2.0
/// @file
/// Faults of compiled code become traps; everybody else's stay theirs. Each case runs in a process
/// of its own.
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/fault.hpp>
#include <tenon/jit/fault_handler.hpp>

#include "code_support.hpp"

using namespace tenon_test;
using tenon::ValueType;
using tenon::abi::InstanceHeader;
using tenon::abi::Slot;
using tenon::jit::FaultHandlers;

namespace {

constexpr std::size_t kReserved = std::size_t{1} << 20;
constexpr int kGood = 42;

/// What a child process ended with: its exit status, or minus the signal.
int RunInChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    // The default, whatever a sanitizer or a test before has installed.
    for (const int signal_number : {SIGSEGV, SIGBUS}) signal(signal_number, SIG_DFL);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// A function that loads from the address that it is given, in an instance with a memory.
struct Guest {
  Guest() {
    using namespace Xbyak::util;
    BodyWriter writer;
    writer.Begin(32);
    writer.FaultSite(50);
    writer.mov(rax, writer.ptr[rdx]);
    writer.End();
    code = MapCode(ModuleOf({{{ValueType::I64}, {ValueType::I64}}}), {writer.Take()});
    base = static_cast<std::uint8_t*>(
        mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    mprotect(base, 4096, PROT_READ | PROT_WRITE);
    instance.memory.base = base;
    instance.memory.size.Store(4096);
    instance.memory.reserved_size = kReserved;
    instance.calls.raise_trap = [](InstanceHeader* caller, std::uint64_t, std::uint64_t trap_code,
                                   std::uint64_t, std::uint64_t) -> std::uint64_t {
      const std::uintptr_t exit = caller->exec->exit_stack_pointer;
      std::uintptr_t pc = 0;
      std::memcpy(&pc, reinterpret_cast<const void*>(exit - 8), 8);
      const auto* found = tenon::jit::CodeRegistry::Global().Find(pc - 1);
      const auto* site =
          found->View().FindFault(static_cast<std::uint32_t>(pc - 1 - found->CodeBegin()));
      if (site != nullptr && site->wasm_offset == 50 && exit % 16 == 0 &&
          trap_code == static_cast<std::uint64_t>(tenon::TrapCode::OutOfBoundsMemoryAccess)) {
        caller->exec->pending = caller;
      }
      return 0;
    };
  }
  /// Whether loading from there traps.
  bool Traps(const void* address) {
    instance.exec.pending = nullptr;
    Slot slots[1] = {reinterpret_cast<std::uintptr_t>(address)};
    Enter(*code, 0, instance, slots);
    return instance.exec.pending != nullptr;
  }
  bool TrapsAsItShould() {
    for (int i = 0; i < 3; ++i) {
      if (Traps(base) || !Traps(base + 4096) || !Traps(base + 4092) ||
          !Traps(base + kReserved - 8)) {
        return false;
      }
    }
    return true;
  }

  std::shared_ptr<const tenon::jit::MappedCode> code;
  FakeInstance instance;
  std::uint8_t* base = nullptr;
};

[[gnu::noinline]] void TouchNull() {
  volatile int* volatile null = nullptr;
  *null = 1;
}

void ExitWithInfo(int, siginfo_t* info, void* context) {
  _exit(info != nullptr && context != nullptr && info->si_addr == nullptr ? kGood : 1);
}
void ExitWithSignal(int signal_number) { _exit(signal_number == SIGSEGV ? kGood : 1); }

void InstallInfo(void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(SIGSEGV, &action, nullptr);
}

struct sigaction replaced;
int foreign_faults = 0;
sigjmp_buf way_out;

}  // namespace

TEST_CASE("a guest's fault in its guard region is a trap, again and again") {
  CHECK(RunInChild([] {
          Guest guest;
          const auto handlers = FaultHandlers::Install();
          return guest.TrapsAsItShould() ? kGood : 1;
        }) == kGood);
}

TEST_CASE("faults are caught on any thread, with an alternate stack or without") {
  CHECK(RunInChild([] {
          Guest guest;
          const auto handlers = FaultHandlers::Install();
          bool good = true;
          std::thread{[&] { good = good && guest.TrapsAsItShould(); }}.join();
          std::thread{[&] {
            std::vector<std::uint8_t> stack(std::size_t{64} << 10);
            stack_t alternate{};
            alternate.ss_sp = stack.data();
            alternate.ss_size = stack.size();
            sigaltstack(&alternate, nullptr);
            good = good && guest.TrapsAsItShould();
            alternate.ss_flags = SS_DISABLE;
            sigaltstack(&alternate, nullptr);
          }}.join();
          return good ? kGood : 1;
        }) == kGood);
}

TEST_CASE("a fault of the host ends the process as ever") {
  CHECK(RunInChild([] {
          const auto handlers = FaultHandlers::Install();
          TouchNull();
          return 1;
        }) == -SIGSEGV);
  CHECK(RunInChild([] {
          const auto handlers = FaultHandlers::Install();
          std::thread{TouchNull}.join();
          return 1;
        }) == -SIGSEGV);
  CHECK(RunInChild([] {
          const auto handlers = FaultHandlers::Install();
          raise(SIGSEGV);
          return 1;
        }) == -SIGSEGV);
  CHECK(RunInChild([] {
          const auto handlers = FaultHandlers::Install();
          raise(SIGBUS);
          return 1;
        }) == -SIGBUS);
  CHECK(RunInChild([] {
          signal(SIGSEGV, SIG_IGN);
          const auto handlers = FaultHandlers::Install();
          raise(SIGSEGV);
          TouchNull();
          return 1;
        }) == -SIGSEGV);
}

TEST_CASE("a compiled load outside the instance's memory is not swallowed") {
  CHECK(RunInChild([] {
          Guest guest;
          const auto handlers = FaultHandlers::Install();
          guest.Traps(nullptr);
          return 1;
        }) == -SIGSEGV);
  CHECK(RunInChild([] {
          Guest guest;
          const auto handlers = FaultHandlers::Install();
          // Where the memory says that there is memory.
          mprotect(guest.base, 4096, PROT_NONE);
          guest.Traps(guest.base);
          return 1;
        }) == -SIGSEGV);
}

TEST_CASE("earlier handlers get what is theirs in the form that they asked for") {
  CHECK(RunInChild([] {
          InstallInfo(ExitWithInfo);
          const auto handlers = FaultHandlers::Install();
          Guest guest;
          if (!guest.TrapsAsItShould()) return 1;
          TouchNull();
          return 2;
        }) == kGood);
  CHECK(RunInChild([] {
          signal(SIGSEGV, ExitWithSignal);
          const auto handlers = FaultHandlers::Install();
          raise(SIGSEGV);
          return 2;
        }) == kGood);
  CHECK(RunInChild([] {
          signal(SIGSEGV, SIG_IGN);
          const auto handlers = FaultHandlers::Install();
          raise(SIGSEGV);
          return kGood;
        }) == kGood);
  CHECK(RunInChild([] {
          InstallInfo([](int, siginfo_t*, void*) { siglongjmp(way_out, 1); });
          const auto handlers = FaultHandlers::Install();
          for (static int i = 0; i < 3; ++i) {
            if (sigsetjmp(way_out, 1) == 0) {
              TouchNull();
              return 1;
            }
          }
          Guest guest;
          return guest.TrapsAsItShould() ? kGood : 2;
        }) == kGood);
}

TEST_CASE("later handlers that pass on what is not theirs leave traps working") {
  const auto chain = [](int signal_number, siginfo_t* info, void* context) {
    ++foreign_faults;
    replaced.sa_sigaction(signal_number, info, context);
  };
  CHECK(RunInChild([&] {
          Guest guest;
          auto handlers = FaultHandlers::Install();
          sigaction(SIGSEGV, nullptr, &replaced);
          InstallInfo(chain);
          if (!guest.TrapsAsItShould() || foreign_faults != 9) return 1;
          // Ours cannot be taken away from beneath; it is put on top of theirs the next time.
          handlers.reset();
          handlers = FaultHandlers::Install();
          if (!guest.TrapsAsItShould() || foreign_faults != 9) return 2;
          TouchNull();
          return 3;
        }) == -SIGSEGV);
}

TEST_CASE("hosts with handlers of their own ask HandleFault") {
  CHECK(RunInChild([] {
          Guest guest;
          InstallInfo([](int signal_number, siginfo_t* info, void* context) {
            if (!tenon::HandleFault(signal_number, info, context)) _exit(kGood);
          });
          if (!guest.TrapsAsItShould()) return 1;
          TouchNull();
          return 2;
        }) == kGood);
}

TEST_CASE("handlers go with their last user") {
  CHECK(RunInChild([] {
          InstallInfo(ExitWithInfo, SA_RESTART);
          auto first = FaultHandlers::Install();
          auto second = FaultHandlers::Install();
          struct sigaction current{};
          first.reset();
          sigaction(SIGSEGV, nullptr, &current);
          if (current.sa_sigaction == ExitWithInfo) return 1;
          second.reset();
          sigaction(SIGSEGV, nullptr, &current);
          return current.sa_sigaction == ExitWithInfo && (current.sa_flags & SA_RESTART) != 0
                     ? kGood
                     : 2;
        }) == kGood);
}
