// SPDX-License-Identifier: Apache-2.0
/// @file
/// The stubs between conventions: what goes in comes out, and nothing else changes.
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "code_support.hpp"

using namespace tenon_test;
using tenon::TrapCode;
using tenon::ValueType;
using tenon::abi::ExecContext;
using tenon::abi::FunctionRecord;
using tenon::abi::InstanceHeader;
using tenon::abi::NativeV128;
using tenon::abi::Slot;
using Kind = tenon::jit::Relocation::Kind;

namespace {

constexpr std::size_t kSlots = 128;

const ValueType kAllTypes[] = {ValueType::I32,      ValueType::I64,  ValueType::F32,
                               ValueType::F64,      ValueType::V128, ValueType::FuncRef,
                               ValueType::ExternRef};

Types RandomTypes(std::mt19937& random, std::size_t count) {
  Types types;
  for (std::size_t i = 0; i < count; ++i) types.push_back(kAllTypes[random() % 7]);
  return types;
}

std::vector<Slot> RandomSlots(std::mt19937& random) {
  std::vector<Slot> slots(kSlots);
  for (Slot& slot : slots) slot = std::uint64_t{random()} << 32 | random();
  return slots;
}

/// What a function sees of slots: the upper halves of 32-bit values are zero.
std::vector<Slot> Seen(const Types& types, const std::vector<Slot>& slots) {
  std::vector<Slot> seen;
  for (const ValueType type : types) {
    const bool is_half = type == ValueType::I32 || type == ValueType::F32;
    seen.push_back(is_half ? slots[seen.size()] & 0xFFFFFFFF : slots[seen.size()]);
    if (type.IsVector()) seen.push_back(slots[seen.size()]);
  }
  return seen;
}

std::vector<Slot> Front(const std::vector<Slot>& slots, const Types& types) {
  return {slots.begin(), slots.begin() + SlotsOf(types)};
}

void MakePending(InstanceHeader* caller) { caller->exec->pending = caller; }

/// Sets the registers that callees keep, enters, and tells which were not kept.
class Checker : public Xbyak::CodeGenerator {
 public:
  Checker() {
    using namespace Xbyak::util;
    const std::pair<Xbyak::Reg64, std::uint64_t> kept[] = {{rbx, 0x1111222233334444},
                                                           {r12, 0x5555666677778888},
                                                           {r13, 0x99AABBCCDDEEFF00},
                                                           {r14, 0x123456789ABCDEF0},
                                                           {r15, 0x0FEDCBA987654321}};
    const Xbyak::Reg64 saved[] = {rbx, rbp, r12, r13, r14, r15};
    for (const Xbyak::Reg64& reg : saved) push(reg);
    sub(rsp, 8);
    for (const auto& [reg, value] : kept) mov(reg, value);
    mov(rbp, rsp);
    call(rcx);
    xor_(ecx, ecx);
    for (const auto& [reg, value] : kept) {
      mov(rax, value);
      cmp(reg, rax);
      setne(al);
      or_(cl, al);
    }
    cmp(rbp, rsp);
    setne(al);
    or_(cl, al);
    movzx(eax, cl);
    add(rsp, 8);
    for (std::size_t i = std::size(saved); i-- != 0;) pop(saved[i]);
    ret();
  }
  /// Whether the entry kept all registers.
  bool Enter(const tenon::jit::MappedCode& code, std::uint32_t function, FakeInstance& instance,
             Slot* slots) {
    const tenon::jit::EntryPoint& entry = code.Entry(function);
    const auto check =
        getCode<std::uint64_t (*)(InstanceHeader*, const void*, Slot*, tenon::jit::SlotEntry)>();
    return check(&instance.header, entry.body, slots, entry.enter) == 0;
  }
};

}  // namespace

TEST_CASE("slot entries pass operands and results of every number and mix") {
  std::mt19937 random{20261122};
  Checker checker;
  for (int round = 0; round < 400; ++round) {
    const FunctionShape shape{RandomTypes(random, random() % 25),
                              RandomTypes(random, random() % 25)};
    std::vector<Slot> taken(kSlots, 0);
    std::vector<Slot> slots = RandomSlots(random);
    const std::vector<Slot> given = RandomSlots(random);
    const std::vector<Slot> before = slots;
    const auto code = MapCode(ModuleOf({shape}), {RecorderBody(shape, taken.data(), given.data())});
    REQUIRE(code != nullptr);
    FakeInstance instance;
    instance.exec.entry_stack_pointer = 77;
    instance.exec.exit_stack_pointer = 88;
    REQUIRE(checker.Enter(*code, 0, instance, slots.data()));
    CHECK(Front(taken, shape.parameters) == Seen(shape.parameters, before));
    CHECK(Seen(shape.results, slots) == Seen(shape.results, given));
    CHECK(instance.exec.entry_stack_pointer == 77);
    CHECK(instance.exec.exit_stack_pointer == 88);
  }
}

TEST_CASE("external entries take the platform's convention") {
  std::mt19937 random{1};
  std::vector<Slot> taken(kSlots, 0);
  std::vector<Slot> given = RandomSlots(random);
  FakeInstance instance;
  const auto enter = [&](const FunctionShape& shape) {
    const auto code = MapCode(ModuleOf({shape}), {RecorderBody(shape, taken.data(), given.data())});
    REQUIRE(code != nullptr);
    return std::pair{code, code->External(0)};
  };
  constexpr std::uint64_t kJunk = 0xDEADBEEF00000000;
  SECTION("seven integers, three of them on the stack, i32 zero-extended") {
    const FunctionShape shape{{ValueType::I32, ValueType::I64, ValueType::I32, ValueType::I32,
                               ValueType::I32, ValueType::I64, ValueType::I32},
                              {ValueType::I64}};
    const auto [code, entry] = enter(shape);
    using Code =
        std::uint64_t (*)(void*, InstanceHeader*, std::uint64_t, std::uint64_t, std::uint64_t,
                          std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);
    CHECK(reinterpret_cast<Code>(entry)(&instance.header, &instance.header, 1, kJunk | 2, 3, 4, 5,
                                        kJunk | 6, 7) == given[0]);
    CHECK(Front(taken, shape.parameters) == std::vector<Slot>{1, kJunk | 2, 3, 4, 5, kJunk | 6, 7});
  }
  SECTION("twenty of all kinds, vectors on the stack, three results") {
    FunctionShape shape;
    for (int i = 0; i < 5; ++i) {
      for (const ValueType type :
           {ValueType::I32, ValueType::V128, ValueType::F64, ValueType::I64}) {
        shape.parameters.push_back(type);
      }
    }
    shape.results = {ValueType::I32, ValueType::V128, ValueType::F32};
    const auto [code, entry] = enter(shape);
    NativeV128 v[5];
    std::vector<Slot> expected;
    const auto bits = [](double number) {
      Slot slot = 0;
      std::memcpy(&slot, &number, 8);
      return slot;
    };
    for (std::uint64_t i = 0; i < 5; ++i) {
      const Slot parts[2] = {random(), random()};
      std::memcpy(&v[i], parts, 16);
      expected.insert(expected.end(), {i, parts[0], parts[1], bits(1.5 * double(i)), kJunk | i});
    }
    Slot results[4] = {};
    using Code = void (*)(void*, InstanceHeader*, std::uint64_t, NativeV128, double, std::uint64_t,
                          std::uint64_t, NativeV128, double, std::uint64_t, std::uint64_t,
                          NativeV128, double, std::uint64_t, std::uint64_t, NativeV128, double,
                          std::uint64_t, std::uint64_t, NativeV128, double, std::uint64_t, Slot*);
    reinterpret_cast<Code>(entry)(&instance.header, &instance.header, 0, v[0], 0.0, kJunk | 0, 1,
                                  v[1], 1.5, kJunk | 1, 2, v[2], 3.0, kJunk | 2, 3, v[3], 4.5,
                                  kJunk | 3, 4, v[4], 6.0, kJunk | 4, results);
    CHECK(Front(taken, shape.parameters) == expected);
    CHECK(std::vector<Slot>(results, results + 4) ==
          std::vector<Slot>(given.begin(), given.begin() + 4));
  }
  SECTION("another group's caller comes by way of the record") {
    const FunctionShape shape{{ValueType::I64}, {ValueType::I64}};
    const auto [code, entry] = enter(shape);
    FakeInstance caller;
    instance.records[0].invoke = [](const FunctionRecord* callee, InstanceHeader* from,
                                    Slot* slots) {
      slots[0] += callee->instance != from ? 1u : 0u;
    };
    using Code = std::uint64_t (*)(void*, InstanceHeader*, std::uint64_t);
    CHECK(reinterpret_cast<Code>(entry)(&instance.header, &caller.header, 41) == 42);
  }
}

namespace {

struct Invocation {
  const FunctionRecord* callee = nullptr;
  InstanceHeader* caller = nullptr;
  std::vector<Slot> operands;
  std::vector<Slot> results;
};
Invocation invocation;

void RecordInvocation(const FunctionRecord* callee, InstanceHeader* caller, Slot* slots) {
  invocation.callee = callee;
  invocation.caller = caller;
  invocation.operands.assign(slots, slots + callee->parameter_slots);
  std::copy(invocation.results.begin(), invocation.results.end(), slots);
}

}  // namespace

TEST_CASE("adapters turn a native call into one with slots") {
  std::mt19937 random{2};
  FakeInstance instance;
  FunctionRecord& record = instance.records[0];
  record.invoke = RecordInvocation;
  invocation.results = RandomSlots(random);
  const auto adapter = [&](const FunctionShape& shape) {
    record.parameter_slots = static_cast<std::uint16_t>(SlotsOf(shape.parameters));
    invocation.results.resize(SlotsOf(shape.results));
    const auto code = MapCode(ModuleOf({shape}), {RecorderBody(shape, nullptr, nullptr)});
    REQUIRE(code != nullptr);
    return std::pair{code, code->Adapter(0)};
  };
  SECTION("seven integers and a result, zero-extended") {
    const auto [code, entry] = adapter({Types(7, ValueType::I64), {ValueType::I32}});
    using Code =
        std::uint64_t (*)(void*, InstanceHeader*, std::uint64_t, std::uint64_t, std::uint64_t,
                          std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);
    CHECK(reinterpret_cast<Code>(entry)(&record, &instance.header, 1, 2, 3, 4, 5, 6, 7) ==
          static_cast<std::uint32_t>(invocation.results[0]));
    CHECK(invocation.operands == std::vector<Slot>{1, 2, 3, 4, 5, 6, 7});
    CHECK(invocation.callee == &record);
    CHECK(invocation.caller == &instance.header);
  }
  SECTION("ten floats, a vector among them on the stack, and a float result") {
    Types parameters(10, ValueType::F64);
    parameters[8] = ValueType::V128;
    const auto [code, entry] = adapter({parameters, {ValueType::F64}});
    NativeV128 vector;
    const Slot parts[2] = {random(), random()};
    std::memcpy(&vector, parts, 16);
    using Code = double (*)(void*, InstanceHeader*, double, double, double, double, double, double,
                            double, double, NativeV128, double);
    const double result =
        reinterpret_cast<Code>(entry)(&record, &instance.header, 0, 1, 2, 3, 4, 5, 6, 7, vector, 9);
    CHECK(std::memcmp(&result, invocation.results.data(), 8) == 0);
    REQUIRE(invocation.operands.size() == 11);
    CHECK(invocation.operands[8] == parts[0]);
    CHECK(invocation.operands[9] == parts[1]);
    const double last = 9;
    CHECK(std::memcmp(&last, &invocation.operands[10], 8) == 0);
  }
  SECTION("twenty results") {
    const auto [code, entry] = adapter({{ValueType::F32}, Types(20, ValueType::I64)});
    Slot results[20] = {};
    using Code = void (*)(void*, InstanceHeader*, float, Slot*);
    reinterpret_cast<Code>(entry)(&record, &instance.header, 1.0f, results);
    CHECK(std::vector<Slot>(results, results + 20) == invocation.results);
  }
  SECTION("a vector comes back") {
    const auto [code, entry] = adapter({{}, {ValueType::V128}});
    using Code = NativeV128 (*)(void*, InstanceHeader*);
    const NativeV128 result = reinterpret_cast<Code>(entry)(&record, &instance.header);
    CHECK(std::memcmp(&result, invocation.results.data(), 16) == 0);
  }
}

TEST_CASE("a trap in depth leaves through the entry, which keeps all registers") {
  using namespace Xbyak::util;
  // (n): calls itself until n is 0 with all registers changed, then traps.
  BodyWriter code;
  Xbyak::Label trap;
  code.Begin(32);
  for (const Xbyak::Reg64& reg : {rbx, r12, r13, r14}) code.mov(reg, 99);
  code.test(rdx, rdx);
  code.jz(trap);
  code.dec(rdx);
  code.CallTo(Kind::Function, 0, 10);
  code.End();
  code.L(trap);
  code.CallTo(Kind::TrapStub, static_cast<std::uint32_t>(TrapCode::IntegerOverflow), 20);
  const FunctionShape shape{{ValueType::I64}, {}};
  const auto mapped = MapCode(ModuleOf({shape}), {code.Take()});
  REQUIRE(mapped != nullptr);
  FakeInstance instance;
  static std::uint64_t raised;
  static const tenon::jit::SiteRow* site;
  raised = 0;
  instance.calls.raise_trap = [](InstanceHeader* caller, std::uint64_t, std::uint64_t trap_code,
                                 std::uint64_t, std::uint64_t) -> std::uint64_t {
    raised = trap_code;
    std::uintptr_t pc = 0;
    std::memcpy(&pc, reinterpret_cast<const void*>(caller->exec->exit_stack_pointer - 8), 8);
    site = nullptr;
    if (const auto* found = tenon::jit::CodeRegistry::Global().Find(pc)) {
      site = found->View().FindCall(static_cast<std::uint32_t>(pc - found->CodeBegin()));
    }
    MakePending(caller);
    return 0;
  };
  Checker checker;
  for (const std::uint64_t depth : {0u, 1u, 7u, 1000u}) {
    Slot slots[1] = {depth};
    instance.exec.pending = nullptr;
    instance.exec.entry_stack_pointer = 5;
    instance.exec.exit_stack_pointer = 6;
    REQUIRE(checker.Enter(*mapped, 0, instance, slots));
    CHECK(raised == static_cast<std::uint64_t>(TrapCode::IntegerOverflow));
    REQUIRE(site != nullptr);
    CHECK(site->wasm_offset == 20);
    CHECK(instance.exec.pending != nullptr);
    CHECK(instance.exec.entry_stack_pointer == 5);
    CHECK(instance.exec.exit_stack_pointer == 6);
  }
}

TEST_CASE("the interrupt stub keeps every register, or leaves") {
  using namespace Xbyak::util;
  BodyWriter code;
  code.Begin(32);
  const Xbyak::Reg64 kept[] = {rbx, r12, r13, r14};
  for (std::size_t i = 0; i < 4; ++i) code.mov(code.ptr[rbp - 8 * (i + 1)], kept[i]);
  const Xbyak::Reg64 integers[] = {rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14};
  for (const Xbyak::Reg64& reg : integers)
    code.mov(reg, 0x100u + static_cast<unsigned>(reg.getIdx()));
  for (int i = 0; i < 16; ++i) {
    code.movd(Xbyak::Xmm(i), Xbyak::Reg32(i < 3 ? i : 8));
    code.pshufd(Xbyak::Xmm(i), Xbyak::Xmm(i), 0);
  }
  code.CallTo(Kind::Interrupt, 0, 30);
  // Adds everything up.
  for (const Xbyak::Reg64& reg : integers) {
    if (reg.getIdx() != 0) code.add(rax, reg);
  }
  for (int i = 0; i < 16; ++i) {
    code.pextrd(ecx, Xbyak::Xmm(i), 3);
    code.add(rax, rcx);
  }
  for (std::size_t i = 0; i < 4; ++i) code.mov(kept[i], code.ptr[rbp - 8 * (i + 1)]);
  code.End();
  const auto mapped = MapCode(ModuleOf({{{}, {ValueType::I64}}}), {code.Take()});
  REQUIRE(mapped != nullptr);
  FakeInstance instance;
  static bool makes_pending;
  instance.calls.interrupt = [](InstanceHeader* caller, std::uint64_t, std::uint64_t, std::uint64_t,
                                std::uint64_t) -> std::uint64_t {
    asm volatile("" ::: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
    asm volatile(
        "pcmpeqb %%xmm0, %%xmm0\n pcmpeqb %%xmm1, %%xmm1\n pcmpeqb %%xmm8, %%xmm8\n"
        "pcmpeqb %%xmm15, %%xmm15\n mov $-1, %%rcx\n mov $-1, %%r11\n" ::
            : "rcx", "r11", "xmm0", "xmm1", "xmm8", "xmm15");
    if (makes_pending) MakePending(caller);
    return 0;
  };
  std::uint64_t expected = 0;
  for (const Xbyak::Reg64& reg : integers) {
    expected += 0x100u + static_cast<unsigned>(reg.getIdx());
  }
  for (unsigned i = 0; i < 16; ++i) expected += 0x100u + (i < 3 ? i : 8);
  Slot slots[1] = {0};
  makes_pending = false;
  Enter(*mapped, 0, instance, slots);
  CHECK(slots[0] == expected);
  makes_pending = true;
  slots[0] = 1;
  Enter(*mapped, 0, instance, slots);
  CHECK(slots[0] == 1);
  CHECK(instance.exec.entry_stack_pointer == 0);
}
