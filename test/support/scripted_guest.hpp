// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest whose allocator and functions are lambdas of the test, so that they can be hostile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "guests.hpp"

namespace tenon_test {

/// Module "guest" with a memory of one page that may grow to 16. Each exported function calls the
/// lambda of its name:
/// - "malloc" (i32) -> i32 and "free" (i32), as in C;
/// - "use" (i32, i32) -> i32, "use4" (i32, i32, i32, i32) -> i32, "mixed" (i32, i32, i32, f64) ->
/// f64;
/// - "text" (i32) -> i32, "packed" (i32) -> i64, "pair" (i32) -> (i32, i32), "area" (i32, i32);
/// "trap" (i32, i32) -> i32 traps.
class ScriptedGuest {
 public:
  using Slots = std::vector<tenon::abi::Slot>;
  using Script = std::function<Slots(const Slots&)>;

  explicit ScriptedGuest(const tenon::RuntimeConfig& config = {}) : runtime{config} {
    using tenon::ValueType;
    guests::Guest guest;
    guest.NameModule("guest");
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    const std::pair<const char*, guests::Signature> functions[] = {
        {"malloc", {{guests::kI32}, {guests::kI32}}},
        {"free", {{guests::kI32}, {}}},
        {"use", {{guests::kI32, guests::kI32}, {guests::kI32}}},
        {"use4", {std::vector<ValueType>(4, guests::kI32), {guests::kI32}}},
        {"mixed", {{guests::kI32, guests::kI32, guests::kI32, guests::kF64}, {guests::kF64}}},
        {"text", {{guests::kI32}, {guests::kI32}}},
        {"packed", {{guests::kI32}, {guests::kI64}}},
        {"pair", {{guests::kI32}, {guests::kI32, guests::kI32}}},
        {"area", {{guests::kI32, guests::kI32}, {}}},
    };
    std::vector<std::uint32_t> imports;
    for (const auto& [name, type] : functions)
      imports.push_back(guest.AddImport("env", name, type));
    std::size_t next = 0;
    for (const auto& [name, type] : functions) {
      const std::uint32_t import = imports[next++];
      guest.Add(name, type, [&](guests::CodeBuilder& code) {
        guests::GetAll(code, type.parameters.size());
        code.Call(import);
      });
      env.NewFunctionBuilder()
          .WithHostFunction(
              [this, script = std::string{name},
               types = type.parameters](std::span<tenon::abi::Slot> slots) {
                Slots operands;
                for (std::size_t i = 0; i < types.size(); ++i) {
                  // The upper half of an i32 means nothing.
                  operands.push_back(types[i] == guests::kI32 ? slots[i] & 0xFFFFFFFF : slots[i]);
                }
                std::ranges::copy(scripts.at(script)(operands), slots.begin());
              },
              type.parameters, type.results)
          .Export(name);
    }
    guest.Add("trap", {{guests::kI32, guests::kI32}, {guests::kI32}},
              [](guests::CodeBuilder& code) { code.Unreachable(); });
    guest.Memory(tenon::wasm::MemoryType{guests::LimitsOf(1, 16)});
    env.Instantiate();
    module = runtime.Instantiate(guest.Build());
    memory = module.DefaultMemory();
    // A heap that only grows, and remembers.
    scripts["malloc"] = [this](const Slots& slots) {
      asked.push_back(static_cast<std::uint32_t>(slots[0]));
      const std::uint32_t result = heap;
      heap += (asked.back() + 15) / 16 * 16;
      return Slots{result};
    };
    scripts["free"] = [this](const Slots& slots) {
      freed.push_back(static_cast<std::uint32_t>(slots[0]));
      return Slots{};
    };
  }
  ScriptedGuest(const ScriptedGuest&) = delete;
  ScriptedGuest& operator=(const ScriptedGuest&) = delete;

  std::map<std::string, Script> scripts;
  std::vector<std::uint32_t> asked;  ///< sizes that malloc was called with
  std::vector<std::uint32_t> freed;  ///< pointers that free was called with
  std::uint32_t heap = 1024;         ///< what malloc returns next
  tenon::Runtime runtime;
  tenon::Module module;
  tenon::Memory memory;
};

/// Engines that run here.
inline std::vector<tenon::EngineKind> Engines() {
  std::vector<tenon::EngineKind> engines = {tenon::EngineKind::Interpreter};
  if (tenon::Runtime{}.EngineName() != "interpreter") engines.push_back(tenon::EngineKind::Jit);
  return engines;
}

/// A configuration with each of them: the test case runs once for each.
inline tenon::RuntimeConfig EachEngine() {
  return tenon::RuntimeConfig{}.WithEngine(GENERATE(from_range(Engines())));
}

}  // namespace tenon_test
