// SPDX-License-Identifier: Apache-2.0
/// @file
/// A program of its own, which counts what the host allocates while it calls a guest with views and
/// structs: nothing. Exits with the number of the first check that fails.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string_view>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

namespace {

std::size_t allocations = 0;

using namespace tenon_test;
using guests::CodeBuilder;
using guests::kI32;

/// malloc hands out 1024 and then 2048, alternately; "use" returns its last operand.
guests::Bytes Guest() {
  guests::Guest guest;
  guest.Memory(1);
  const std::uint32_t next = guest.Global({kI32, true}, tenon::wasm::ConstantExpression::I32(1024));
  guest.Add("malloc", {{kI32}, {kI32}}, [&](CodeBuilder& code) {
    code.GlobalGet(next);
    code.I32Const(3072).GlobalGet(next).Emit(guests::Opcode::I32Sub).GlobalSet(next);
  });
  guest.Add("free", {{kI32}, {}}, [](CodeBuilder&) {});
  guest.Add("use", {{kI32, kI32, kI32, kI32}, {kI32}}, [](CodeBuilder& code) { code.LocalGet(3); });
  guest.Add("area", {{kI32, kI32, kI32}, {}}, [](CodeBuilder&) {});
  return guest.Build();
}

struct Setting {
  std::uint8_t level = 0;
  double volume = 0;
};

}  // namespace

template <>
struct tenon::Fields<Setting> : tenon::FieldList<&Setting::level, &Setting::volume> {};

namespace {

int Check(tenon::EngineKind engine) {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(engine)};
  const tenon::Module guest = runtime.Instantiate(Guest());
  const auto use = guest.ExportedFunction<std::int32_t(std::string_view, std::span<std::int32_t>)>(
      "use", tenon::GuestAllocator::Find(guest));
  // malloc hands out two places only: results may lie where arguments did.
  const auto area =
      guest.ExportedFunction<tenon::Indirect<Setting>(tenon::In<Setting>, tenon::CString)>(
          "area", tenon::GuestAllocator::Find(guest));
  const auto change =
      guest.ExportedFunction<std::int32_t(tenon::InOut<Setting>, tenon::Out<std::span<Setting>>,
                                          std::int32_t)>("use", tenon::GuestAllocator::Find(guest));
  std::array<Setting, 2> settings = {};
  Setting setting{3, 0.5};
  std::array<std::int32_t, 3> numbers = {1, 2, 3};
  if (use("first", numbers) != 3) return 1;
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) {
    if (use("text", numbers) != 3) return 2;
    if (static_cast<Setting>(area(setting, "text")).volume != 0) return 5;
    if (change(setting, settings, 7) != 7 || setting.volume != 0.5) return 6;
  }
  if (allocations != before) {
    std::printf("%zu allocations in 10 calls\n", allocations - before);
    return 3;
  }
  return before == 0 ? 4 : 0;  // else nothing is counted at all
}

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main() {
  if (const int failed = Check(tenon::EngineKind::Interpreter); failed != 0) return failed;
  return tenon::Runtime{}.EngineName() == "jit" ? Check(tenon::EngineKind::Jit) : 0;
}
