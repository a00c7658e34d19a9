// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests and host functions that call one another over different memories, left at every level in
/// every way.
#include <cstdint>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kF64;
using guests::kI32;
using guests::kI64;
using guests::Opcode;
using guests::Signature;

namespace {

/// How the innermost level of a chain ends.
enum class Ending : std::int32_t { Return, Throw, Trap, HostTrap, Exit, OutOfBounds };
constexpr Ending kEndings[] = {Ending::Return,   Ending::Throw, Ending::Trap,
                               Ending::HostTrap, Ending::Exit,  Ending::OutOfBounds};

/// (depth, ending) -> i32. Imports `module`.`name` of that type. "go" writes `tag` + depth into its
/// own memory, keeps many values alive in registers of all kinds across the call, and afterwards
/// returns the callee's result + 1 if everything is as it was, -1000000 if not. At depth 0 it ends
/// as asked, by itself where it can; the others are left to the import.
guests::Bytes Level(std::string_view module, std::string_view name, std::int32_t tag) {
  Guest guest;
  const Signature type{{kI32, kI32}, {kI32}};
  const std::uint32_t import = guest.AddImport(module, name, type);
  guest.Export("memory", guests::Kind::Memory, guest.Memory(1, 1));
  // Eight of each kind: more than there are callee-saved registers.
  std::vector<tenon::ValueType> locals(8, kI32);
  locals.insert(locals.end(), 8, kI64);
  locals.insert(locals.end(), 8, kF64);
  locals.push_back(kI32);
  constexpr std::uint32_t kFirst32 = 2, kFirst64 = 10, kFirstFloat = 18, kResult = 26;
  guest.Add(
      "go", type,
      [&](CodeBuilder& code) {
        const auto is = [&](Ending ending) -> CodeBuilder& {
          return code.LocalGet(1).I32Const(static_cast<std::int32_t>(ending)).Emit(Opcode::I32Eq);
        };
        code.LocalGet(0).Emit(Opcode::I32Eqz).Begin(Opcode::If);
        is(Ending::Return).Begin(Opcode::If).I32Const(0).Return().End();
        is(Ending::Trap).Begin(Opcode::If).Unreachable().End();
        is(Ending::OutOfBounds).Begin(Opcode::If);
        code.I32Const(65536).Memory(Opcode::I32Load).Return().End();
        code.End();
        code.I32Const(16).LocalGet(0).I32Const(tag).Emit(Opcode::I32Add).Memory(Opcode::I32Store);
        for (std::uint32_t i = 0; i < 8; ++i) {
          code.LocalGet(0).I32Const(static_cast<std::int32_t>(i) + tag).Emit(Opcode::I32Mul);
          code.LocalTee(kFirst32 + i).Emit(Opcode::I64ExtendI32S);
          code.I64Const(0x123456789).Emit(Opcode::I64Mul).LocalTee(kFirst64 + i);
          code.Emit(Opcode::F64ConvertI64S).LocalSet(kFirstFloat + i);
        }
        code.LocalGet(0).LocalGet(1).Call(import).LocalSet(kResult);
        for (std::uint32_t i = 0; i < 8; ++i) {
          const auto wrong = [&](Opcode differs) {
            code.Emit(differs).Begin(Opcode::If).I32Const(-1000000).Return().End();
          };
          code.LocalGet(0).I32Const(static_cast<std::int32_t>(i) + tag).Emit(Opcode::I32Mul);
          code.LocalGet(kFirst32 + i);
          wrong(Opcode::I32Ne);
          code.LocalGet(kFirst32 + i).Emit(Opcode::I64ExtendI32S).I64Const(0x123456789);
          code.Emit(Opcode::I64Mul).LocalGet(kFirst64 + i);
          wrong(Opcode::I64Ne);
          code.LocalGet(kFirst64 + i).Emit(Opcode::F64ConvertI64S).LocalGet(kFirstFloat + i);
          wrong(Opcode::F64Ne);
        }
        code.I32Const(16).Memory(Opcode::I32Load);
        code.LocalGet(0).I32Const(tag).Emit(Opcode::I32Add).Emit(Opcode::I32Ne);
        code.Begin(Opcode::If).I32Const(-1000000).Return().End();
        code.LocalGet(kResult).I32Const(1).Emit(Opcode::I32Add);
      },
      locals);
  return guest.Build();
}

/// Counts the objects that a host function must destroy.
class Counted {
 public:
  explicit Counted(int& count) : count_{count} { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

/// What a call ended with.
std::string OutcomeOf(
    const tenon::TypedFunction<std::int32_t(std::int32_t, std::int32_t)>& function,
    std::int32_t depth, Ending ending) {
  try {
    return std::to_string(function(depth, static_cast<std::int32_t>(ending)));
  } catch (const tenon::ExitError& error) {
    return "exit " + std::to_string(error.ExitCode());
  } catch (const tenon::Trap& trap) {
    return "trap " + trap.Message() + " " + std::to_string(trap.Backtrace().size());
  } catch (const std::runtime_error& error) {
    return std::string{"thrown "} + error.what();
  }
}

/// A -> B -> host -> A, `depth` times; the host function at `catches_at` swallows what comes.
class Chain {
 public:
  explicit Chain(const RuntimeConfig& config) : runtime_{config} {
    runtime_.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([this](std::int32_t depth, std::int32_t ending) { return Up(depth, ending); })
        .Export("up")
        .Instantiate();
    b_ = runtime_.Instantiate(Level("env", "up", 2000), ModuleConfig{}.WithName("b"));
    a_ = runtime_.Instantiate(Level("b", "go", 1000), ModuleConfig{}.WithName("a"));
    go_ = a_.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("go");
  }

  std::string Run(std::int32_t depth, Ending ending, std::int32_t catches_at) {
    catches_at_ = catches_at;
    return OutcomeOf(go_, depth, ending);
  }
  bool MemoriesAreTheirOwn(std::int32_t depth) const {
    return a_.DefaultMemory().ReadUint32Le(16) == static_cast<std::uint32_t>(1000 + depth) &&
           b_.DefaultMemory().ReadUint32Le(16) == static_cast<std::uint32_t>(2000 + depth);
  }
  int Alive() const { return alive_; }
  int Caught() const { return caught_; }

 private:
  std::int32_t Up(std::int32_t depth, std::int32_t ending) {
    const Counted counted{alive_};
    const std::string text(100, 'x');  // on the heap: a leak would show
    if (depth == 0 && ending == static_cast<std::int32_t>(Ending::Throw)) {
      throw std::runtime_error{"thrown"};
    }
    if (depth == 0 && ending == static_cast<std::int32_t>(Ending::HostTrap)) {
      throw tenon::Trap{"host"};
    }
    if (depth == 0) throw tenon::ExitError{7};
    // A's memory says who runs; the level outside must find its own again.
    const auto saved_a = a_.DefaultMemory().ReadUint32Le(16);
    const auto saved_b = b_.DefaultMemory().ReadUint32Le(16);
    std::int32_t result = 0;
    const auto restore = [&] {
      a_.DefaultMemory().WriteUint32Le(16, *saved_a);
      b_.DefaultMemory().WriteUint32Le(16, *saved_b);
    };
    try {
      result = go_(depth - 1, ending);
    } catch (...) {
      restore();
      if (depth != catches_at_) throw;
      ++caught_;
      return 100000;
    }
    restore();
    return result;
  }

  Runtime runtime_;
  tenon::Module a_, b_;
  tenon::TypedFunction<std::int32_t(std::int32_t, std::int32_t)> go_;
  std::int32_t catches_at_ = -1;
  int alive_ = 0;
  int caught_ = 0;
};

}  // namespace

TEST_CASE("A -> B -> host -> A, left at every level in every way, is the same on every engine") {
  const auto run = [](const Setup& setup) {
    Chain chain{setup.config};
    std::vector<std::string> outcomes;
    for (const Ending ending : kEndings) {
      for (std::int32_t depth = 0; depth < 6; ++depth) {
        for (std::int32_t catches_at = 0; catches_at <= depth; ++catches_at) {
          outcomes.push_back(chain.Run(depth, ending, catches_at));
          // The chain is whole again whatever happened.
          outcomes.push_back(chain.Run(3, Ending::Return, -1));
          REQUIRE(outcomes.back() == "6");
          REQUIRE(chain.MemoriesAreTheirOwn(3));
        }
      }
    }
    CHECK(chain.Alive() == 0);
    CHECK(chain.Caught() > 20);
    return outcomes;
  };
  const std::vector<std::string> expected = run(Setups()[0]);
  InEverySetup([&](const Setup& setup) {
    const auto outcomes = run(setup);
    REQUIRE(outcomes.size() == expected.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) REQUIRE(outcomes[i] == expected[i]);
  });
}

TEST_CASE("a million rounds of A -> B -> host -> A leave no memory behind") {
  InEverySetup([](const Setup& setup) {
    constexpr std::int32_t kDepth = 40;
    constexpr std::int32_t kRounds = kIsSanitized ? 20'000 : 1'000'000;
    Chain chain{setup.config};
    std::uint64_t settled = 0;
    for (std::int32_t call = 0; call < kRounds / kDepth; ++call) {
      const Ending ending = kEndings[static_cast<std::size_t>(call) % std::size(kEndings)];
      const std::int32_t catches_at = call % (2 * kDepth) - kDepth;
      const std::string outcome = chain.Run(kDepth, ending, catches_at);
      if (ending == Ending::Return) REQUIRE(outcome == std::to_string(2 * kDepth));
      if (call == kRounds / kDepth / 10) settled = ResidentBytes();
    }
    CHECK(chain.Alive() == 0);
    CHECK(chain.MemoriesAreTheirOwn(kDepth));
    constexpr std::uint64_t kNoise = std::uint64_t{2} << 20;
    if (!kIsSanitized) CHECK(ResidentBytes() < settled + kNoise);
  });
}

#if defined(__x86_64__)

// Calls a function with an argument; whether it kept all registers that a callee must keep.
asm(R"(
  .text
  .type tenon_test_keeps_registers, @function
tenon_test_keeps_registers:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  sub $8, %rsp
  mov %rdi, %rax
  mov %rsi, %rdi
  mov $0x1111, %rbp
  mov $0x2222, %rbx
  mov $0x3333, %r12
  mov $0x4444, %r13
  mov $0x5555, %r14
  mov $0x6666, %r15
  call *%rax
  xor %eax, %eax
  cmp $0x1111, %rbp
  jne 1f
  cmp $0x2222, %rbx
  jne 1f
  cmp $0x3333, %r12
  jne 1f
  cmp $0x4444, %r13
  jne 1f
  cmp $0x5555, %r14
  jne 1f
  cmp $0x6666, %r15
  jne 1f
  inc %eax
1:
  add $8, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
  .size tenon_test_keeps_registers, . - tenon_test_keeps_registers
)");
extern "C" int tenon_test_keeps_registers(void (*function)(void*), void* argument);

TEST_CASE("the registers that a callee keeps are kept however a call ends") {
  InEverySetup([](const Setup& setup) {
    Chain chain{setup.config};
    for (const Ending ending : kEndings) {
      for (std::int32_t depth = 0; depth < 4; ++depth) {
        for (std::int32_t catches_at = -1; catches_at <= depth; ++catches_at) {
          struct Arguments {
            Chain& chain;
            std::int32_t depth;
            Ending ending;
            std::int32_t catches_at;
          } arguments{chain, depth, ending, catches_at};
          const int kept = tenon_test_keeps_registers(
              [](void* argument) {
                const auto& call = *static_cast<const Arguments*>(argument);
                call.chain.Run(call.depth, call.ending, call.catches_at);
              },
              &arguments);
          REQUIRE(kept == 1);
        }
      }
    }
  });
}

#endif

TEST_CASE("nothing is left behind by tens of thousands of rounds of failures") {
  InEverySetup([](const Setup& setup) {
    Chain chain{setup.config};
    const auto rounds = [&](int count) {
      for (int i = 0; i < count; ++i) {
        const Ending ending = kEndings[i % 6];
        chain.Run(2, ending, i % 4);
      }
      REQUIRE(chain.Run(2, Ending::Return, -1) == "4");
    };
    rounds(3000);
    const std::uint64_t before = ResidentBytes();
    rounds(kIsSanitized ? 500 : setup.is_compiled ? 50'000 : 20'000);
    // Far less than one byte for each of several exceptions, strings and backtraces in a round.
    if (!kIsSanitized) CHECK(ResidentBytes() < before + (std::uint64_t{1} << 20));
    CHECK(chain.Alive() == 0);
  });
}
