// SPDX-License-Identifier: Apache-2.0
/// @file
/// A shared object that contains tenon and shows nothing of it.
#include <cstdint>
#include <exception>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

/// A memory of one page and (func "load" (param i32) (result i32)).
constexpr std::uint8_t kGuest[] = {
    0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7F, 0x01, 0x7F,
    0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x08, 0x01, 0x04, 'l',  'o',  'a',
    'd',  0x00, 0x00, 0x0A, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x28, 0x02, 0x00, 0x0B,
};

struct Plugin {
  tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(tenon::EngineKind::Jit)};
  tenon::Module guest =
      runtime.Instantiate(std::vector<std::uint8_t>{std::begin(kGuest), std::end(kGuest)});
  tenon::TypedFunction<std::int32_t(std::int32_t)> load =
      guest.ExportedFunction<std::int32_t(std::int32_t)>("load");
};

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void* MachineryOpen() {
  try {
    return new Plugin;
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// 0 for a load of zero, 1 for a trap at an address out of bounds, anything else is wrong.
[[gnu::visibility("default")]] int MachineryLoad(void* plugin, std::int32_t address) {
  try {
    return static_cast<Plugin*>(plugin)->load(address);
  } catch (const tenon::Trap& trap) {
    return trap.Code() == tenon::TrapCode::OutOfBoundsMemoryAccess ? 1 : 2;
  } catch (const std::exception&) {
    return 3;
  }
}

[[gnu::visibility("default")]] void MachineryClose(void* plugin) {
  delete static_cast<Plugin*>(plugin);
}

}  // extern "C"
