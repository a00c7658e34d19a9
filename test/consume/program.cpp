// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a stranger's first program is made of, built against an installed tenon by
/// check_consume.py.
#include <array>
#include <cstdint>

#include <tenon/tenon.hpp>

namespace {

// (module (import "env" "add" (func (param i32 i32) (result i32)))
//   (func (export "run") (result i32) (call 0 (i32.const 40) (i32.const 2))))
constexpr std::array<std::uint8_t, 59> kGuest{
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,                                //
    0x01, 0x0b, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x01, 0x7f,  //
    0x02, 0x0b, 0x01, 0x03, 'e',  'n',  'v',  0x03, 'a',  'd',  'd',  0x00, 0x00,  //
    0x03, 0x02, 0x01, 0x01,                                                        //
    0x07, 0x07, 0x01, 0x03, 'r',  'u',  'n',  0x00, 0x01,                          //
    0x0a, 0x0a, 0x01, 0x08, 0x00, 0x41, 0x28, 0x41, 0x02, 0x10, 0x00, 0x0b};

}  // namespace

int main() {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t a, std::int32_t b) { return a + b; })
      .Export("add")
      .Instantiate();
  tenon::Module guest = runtime.Instantiate(kGuest);
  return guest.ExportedFunction<std::int32_t()>("run")() == 42 ? 0 : 1;
}
