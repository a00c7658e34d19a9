// SPDX-License-Identifier: Apache-2.0
/// @file
/// Code objects: layout, tables, mapping, and the registry that finds them.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "code_support.hpp"

using namespace tenon_test;
using tenon::ValueType;
using tenon::abi::Slot;
using Kind = tenon::jit::Relocation::Kind;

namespace {

const FunctionShape kUnary{{ValueType::I64}, {ValueType::I64}};

/// f0(n) = f1(n) + 1; f1(n) = n * 3.
std::vector<tenon::jit::CompiledFunction> TwoFunctions() {
  using namespace Xbyak::util;
  BodyWriter first;
  first.Begin(48);
  first.CallTo(Kind::Function, 1, 100);
  first.inc(rax);
  first.FaultSite(104);
  first.End();
  BodyWriter second;
  second.Begin();
  second.lea(rax, second.ptr[rdx + rdx * 2]);
  second.End();
  std::vector<tenon::jit::CompiledFunction> functions;
  functions.push_back(first.Take());
  functions.push_back(second.Take());
  functions[0].inlinings.push_back({0, 90, 0xFFFFFFFF});
  functions[1].inlinings.push_back({1, 91, 0xFFFFFFFF});
  functions[1].inlinings.push_back({1, 92, 0});
  functions[1].calls.push_back({3, 110, 1, 1, false});
  functions[1].calls.push_back({4, 111, 1, 0xFFFFFFFF, true});
  return functions;
}

}  // namespace

TEST_CASE("a code object runs wherever it is mapped, twice at once") {
  const auto module = ModuleOf({kUnary, kUnary});
  const auto object = ObjectOf(module, TwoFunctions());
  CHECK(object == ObjectOf(module, TwoFunctions()));
  std::string reason;
  const auto one = tenon::jit::MappedCode::Map(object, reason);
  const auto two = tenon::jit::MappedCode::Map(object, reason);
  REQUIRE(one != nullptr);
  REQUIRE(two != nullptr);
  CHECK(one->CodeBegin() != two->CodeBegin());
  const auto one_bytes = one->View().Bytes();
  CHECK(std::equal(one_bytes.begin(), one_bytes.end(), two->View().Bytes().begin()));
  FakeInstance instance;
  for (const auto& code : {one, two}) {
    Slot slots[1] = {14};
    Enter(*code, 0, instance, slots);
    CHECK(slots[0] == 43);
  }
}

TEST_CASE("functions and sites are found by offset") {
  const auto object = ObjectOf(ModuleOf({kUnary, kUnary}), TwoFunctions());
  const tenon::jit::CodeView view{object};
  const auto rows = view.Functions();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].body == 0);
  CHECK(rows[1].body % 16 == 0);
  CHECK(rows[0].frame_size == 48);
  CHECK(view.FindFunction(0) == &rows[0]);
  CHECK(view.FindFunction(rows[0].size - 1) == &rows[0]);
  CHECK(view.FindFunction(rows[1].body) == &rows[1]);
  CHECK(view.FindFunction(rows[1].body + rows[1].size) == nullptr);
  REQUIRE(view.Calls().size() == 3);
  CHECK(view.FindCall(view.Calls()[0].code_offset)->wasm_offset == 100);
  CHECK(view.FindCall(view.Calls()[0].code_offset + 1) == nullptr);
  REQUIRE(view.Faults().size() == 1);
  CHECK(view.FindFault(view.Faults()[0].code_offset)->wasm_offset == 104);
  const tenon::jit::SiteRow* inlined = view.FindCall(rows[1].body + 3);
  REQUIRE(inlined != nullptr);
  CHECK(!inlined->IsPrologue());
  REQUIRE(inlined->Inlining() == 2);
  CHECK(view.Inlinings()[2].wasm_offset == 92);
  REQUIRE(view.Inlinings()[2].inlined_at == 1);
  CHECK(view.Inlinings()[1].wasm_offset == 91);
  const tenon::jit::SiteRow* prologue = view.FindCall(rows[1].body + 4);
  REQUIRE(prologue != nullptr);
  CHECK(prologue->IsPrologue());
  CHECK(prologue->Inlining() == tenon::jit::kNoCode);
}

TEST_CASE("what is not a code object of these options is told from what is") {
  const auto object = ObjectOf(ModuleOf({kUnary, kUnary}), TwoFunctions());
  CHECK(tenon::jit::IsCodeObject(object, 7));
  CHECK(!tenon::jit::IsCodeObject(object, 8));
  CHECK(!tenon::jit::IsCodeObject({}, 7));
  for (std::size_t size = 0; size < object.size(); size += 61) {
    CHECK(!tenon::jit::IsCodeObject(std::span{object}.first(size), 7));
  }
  // The header with a large number anywhere is refused, or leads nowhere outside.
  for (std::size_t i = 0; i + 4 <= sizeof(tenon::jit::CodeHeader); i += 4) {
    auto damaged = object;
    const std::uint32_t large = 0x7FFFFFF0;
    std::memcpy(damaged.data() + i, &large, 4);
    if (!tenon::jit::IsCodeObject(damaged, 7)) continue;
    const tenon::jit::CodeView view{damaged};
    CHECK(view.Code().size() <= damaged.size());
    CHECK(view.Functions().size() == 2);
  }
}

TEST_CASE("executable memory that the machine refuses is a reason, not a crash") {
  std::string reason;
  const std::uint8_t byte = 0xC3;
  // No address space is that large.
  const auto memory = tenon::jit::ExecutableMemory::Map({&byte, std::size_t{1} << 62}, 0, reason);
  CHECK(!memory);
  CHECK_THAT(reason, Catch::StartsWith("the system refuses executable memory (mmap: "));
  CHECK(tenon::jit::ExecutableMemoryRefusal().empty());
}

TEST_CASE("the registry knows code from Add to Remove, whoever asks meanwhile") {
  const auto code = MapCode(ModuleOf({kUnary, kUnary}), TwoFunctions());
  REQUIRE(code != nullptr);
  tenon::jit::CodeRegistry registry;
  CHECK(registry.Find(5000) == nullptr);
  registry.Add(4096, 8192, *code);
  CHECK(registry.Find(4095) == nullptr);
  CHECK(registry.Find(4096) == code.get());
  CHECK(registry.Find(8191) == code.get());
  CHECK(registry.Find(8192) == nullptr);
  std::atomic<bool> stop{false};
  std::atomic<int> misses{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        if (registry.Find(5000) != code.get()) ++misses;
      }
    });
  }
  std::vector<std::thread> writers;
  for (std::uintptr_t thread = 1; thread <= 2; ++thread) {
    writers.emplace_back([&, thread] {
      for (int round = 0; round < 500; ++round) {
        const std::uintptr_t begin = thread << 20;
        registry.Add(begin, begin + 16, *code);
        registry.Remove(begin);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(misses == 0);
  CHECK(registry.Find(std::uintptr_t{1} << 20) == nullptr);
  registry.Remove(4096);
  CHECK(registry.Find(4096) == nullptr);
}

TEST_CASE("mapped code is in the process's registry as long as it lives") {
  auto code = MapCode(ModuleOf({kUnary, kUnary}), TwoFunctions());
  REQUIRE(code != nullptr);
  const std::uintptr_t begin = code->CodeBegin();
  CHECK(tenon::jit::CodeRegistry::Global().Find(begin) == code.get());
  code.reset();
  CHECK(tenon::jit::CodeRegistry::Global().Find(begin) == nullptr);
}
