// SPDX-License-Identifier: Apache-2.0
/// @file
/// A program of its own, built with -fno-exceptions -fno-rtti: binding works without either. Exits
/// with the number of the first check that fails.
#include <cstdint>
#include <string_view>
#include <tuple>

#include <tenon/bind.hpp>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this file is built with -fno-exceptions -fno-rtti"
#endif

namespace {

using tenon::abi::InstanceHeader;
using tenon::bind::MakeHostFunction;
using tenon::bind::OwnedHostFunction;

tenon::TrapCode trap = tenon::TrapCode::None;

void Capture(InstanceHeader*) noexcept {}
void Raise(InstanceHeader*, tenon::TrapCode code, const char*) noexcept { trap = code; }
void RaiseParameter(InstanceHeader*, tenon::TrapCode code, std::uint32_t) noexcept { trap = code; }
std::uint32_t exit_code = 0;
void RaiseExit(InstanceHeader*, std::uint32_t code) noexcept { exit_code = code; }

}  // namespace

int main() {
  std::uint8_t bytes[16] = {'a', 'b', 'c'};
  tenon::abi::MemoryRecord memory{bytes, tenon::abi::AtomicWord{sizeof(bytes)}, sizeof(bytes), 0, 0,
                                  0};
  tenon::abi::Operations operations{};
  operations.capture_exception = &Capture;
  operations.raise_trap = &Raise;
  operations.raise_parameter_trap = &RaiseParameter;
  operations.raise_exit = &RaiseExit;
  InstanceHeader header{};
  header.memory = &memory;
  header.operations = &operations;

  std::uint32_t total = 1;
  OwnedHostFunction sum{MakeHostFunction([&total](std::string_view text, std::uint8_t more) {
    for (char c : text) total += static_cast<unsigned char>(c);
    return total + more;
  })};
  using Code =
      std::uint32_t (*)(void*, InstanceHeader*, std::uint32_t, std::uint32_t, std::uint32_t);
  const auto code = reinterpret_cast<Code>(sum.Get().signature->thunk);
  if (code(sum.Get().state, &header, 0, 3, 5) != 1 + 'a' + 'b' + 'c' + 5) return 1;
  if (code(sum.Get().state, &header, 0, 17, 5) != 0) return 2;
  if (trap != tenon::TrapCode::OutOfBoundsMemoryAccess) return 3;
  if (code(sum.Get().state, &header, 0, 3, 256) != 0) return 4;
  if (trap != tenon::TrapCode::ValueOutOfRange) return 5;

  OwnedHostFunction split{
      MakeHostFunction([](std::uint64_t v) { return std::tuple{std::uint32_t(v), v >> 32}; })};
  tenon::abi::Slot slots[2] = {0x0000000200000001, 0};
  tenon::abi::FunctionRecord record{};
  record.code = split.Get().signature->thunk;
  record.context = split.Get().state;
  split.Get().signature->invoke(&record, &header, slots);
  if (slots[0] != 1 || slots[1] != 2) return 6;
  OwnedHostFunction finish{
      MakeHostFunction([](std::uint32_t n) -> tenon::Result<std::uint32_t, tenon::Ending> {
        if (n == 1) return tenon::Exit{7};
        if (n == 2) return tenon::HostTrap{"stop"};
        return n;
      })};
  using Finish = std::uint32_t (*)(void*, InstanceHeader*, std::uint32_t);
  const auto call = reinterpret_cast<Finish>(finish.Get().signature->thunk);
  if (call(finish.Get().state, &header, 3) != 3) return 7;
  if (call(finish.Get().state, &header, 1) != 0 || exit_code != 7) return 8;
  if (call(finish.Get().state, &header, 2) != 0) return 9;
  if (trap != tenon::TrapCode::HostTrap) return 10;
  return 0;
}
