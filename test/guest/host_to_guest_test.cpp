// SPDX-License-Identifier: Apache-2.0
/// @file
/// The rows of docs/binding.md under "Host to guest", one a test, on both engines.
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>

#include "../support/exact_memory.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scripted_guest.hpp"

using namespace tenon_test;
using Slots = ScriptedGuest::Slots;

namespace {

struct Setting {
  std::uint8_t level = 0;
  double volume = 0;
};

/// Writes names and arguments.
class Tracer : public tenon::FunctionListener {
 public:
  void Before(tenon::Module&, const tenon::FunctionDefinition& function,
              const tenon::TypedValues& arguments, tenon::StackIterator&) override {
    if (function.is_host_function) return;
    std::string text = function.name;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      text += " " + std::to_string(arguments[i].I32());
    }
    events.push_back(text);
  }
  void After(tenon::Module&, const tenon::FunctionDefinition& function,
             const tenon::TypedValues& results) override {
    if (function.is_host_function || results.empty()) return;
    events.push_back(function.name + " = " + std::to_string(results[0].I32()));
  }
  void Abort(tenon::Module&, const tenon::FunctionDefinition&, const std::exception_ptr&) override {
  }

  std::vector<std::string> events;
};

}  // namespace

template <>
struct tenon::Fields<Setting> : tenon::FieldList<&Setting::level, &Setting::volume> {};

TEST_CASE("typed handle, checked once") {
  const tenon::Runtime runtime{EachEngine()};
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK_THROWS_AS((guest.ExportedFunction<std::int64_t(std::int32_t, std::int32_t)>("add")),
                  tenon::ConfigError);
  CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t(std::int32_t)>("add"), tenon::ConfigError);
  const auto add = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add");
  CHECK(add(40, 2) == 42);
  const auto pair =
      guest.ExportedFunction<std::pair<std::int64_t, std::int32_t>(std::int32_t, std::int64_t)>(
          "swap")(1, 2);
  CHECK(pair == std::pair<std::int64_t, std::int32_t>{2, 1});
}

TEST_CASE("pass span/string/struct into guest") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["use4"] = [&](const Slots& slots) {
    CHECK(guest.memory.ViewString(slots[0], slots[1]) == "text");
    std::uint32_t sum = 0;
    for (std::uint64_t i = 0; i < slots[3]; ++i) {
      sum += guest.memory.ReadUint32Le(slots[2] + 4 * i).value();
      guest.memory.WriteUint32Le(slots[2] + 4 * i, 0);
    }
    return Slots{sum};
  };
  const auto use =
      guest.module.ExportedFunction<std::uint32_t(std::string_view, std::span<std::uint32_t>)>(
          "use4", allocator);
  std::array<std::uint32_t, 3> numbers = {1, 2, 3};
  CHECK(use("text", numbers) == 6);
  CHECK(numbers == std::array<std::uint32_t, 3>{});
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});

  // `void area(struct Setting* result, const struct Setting* from)`, as C returns a struct.
  guest.scripts["area"] = [&](const Slots& slots) {
    guest.memory.WriteByte(slots[0], guest.memory.ReadByte(slots[1]).value());
    guest.memory.WriteFloat64Le(slots[0] + 8, 2 * guest.memory.ReadFloat64Le(slots[1] + 8).value());
    return Slots{};
  };
  const Setting doubled =
      guest.module.ExportedFunction<tenon::Indirect<Setting>(tenon::In<Setting>)>(
          "area", allocator)(Setting{3, 1.5});
  CHECK(doubled.level == 3);
  CHECK(doubled.volume == 3);
  // `int use(struct Setting* changed, struct Setting* made)`
  guest.scripts["use"] = [&](const Slots& slots) {
    guest.memory.WriteFloat64Le(slots[0] + 8, 0.5);
    guest.memory.WriteByte(slots[1], 9);
    return Slots{1};
  };
  Setting changed = doubled, made;
  guest.module.ExportedFunction<int(tenon::InOut<Setting>, tenon::Out<Setting>)>("use", allocator)(
      changed, made);
  CHECK(changed.level == 3);
  CHECK(changed.volume == 0.5);
  CHECK(made.level == 9);
  // Beyond one call.
  {
    const tenon::GuestObject<Setting> kept = allocator.CopyObject(doubled);
    CHECK(kept.Read().volume == 3);
  }
  CHECK(guest.freed.size() == 7);
}

TEST_CASE("re-entrancy") {
  ScriptedGuest guest{EachEngine()};
  const auto use = guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  std::vector<std::string> seen;
  guest.scripts["use"] = [&](const Slots& slots) {
    const std::string text{guest.memory.ViewString(slots[0], slots[1]).value()};
    seen.push_back(text);
    return Slots{text.size() < 4 ? static_cast<std::uint64_t>(use(text + "!")) : text.size()};
  };
  CHECK(use("a") == 4);
  CHECK(seen == std::vector<std::string>{"a", "a!", "a!!", "a!!!"});
  CHECK(guest.freed.size() == 4);
}

TEST_CASE("calls of the allocator are traced like any other") {
  const auto tracer = std::make_shared<Tracer>();
  ScriptedGuest guest{EachEngine().WithFunctionListenerFactory(
      [&](const tenon::FunctionDefinition&) { return tracer; })};
  guest.scripts["use"] = [](const Slots&) { return Slots{7}; };
  guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module))("text");
  CHECK(tracer->events == std::vector<std::string>{"malloc 4", "malloc = 1024", "use 1024 4",
                                                   "use = 7", "free 1024"});
}

TEST_CASE("fuel / epoch / timeout") {
  const tenon::Runtime runtime{EachEngine().WithCloseOnContextDone(true)};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto context = tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{5});
  const auto error =
      Thrown<tenon::ExitError>([&] { guest.ExportedFunction<void()>("spin")(context); });
  CHECK(error.ExitCode() == tenon::ExitError::kDeadlineExceeded);
  CHECK(guest.IsClosed());
}

TEST_CASE("memory limit") {
  ScriptedGuest guest{EachEngine().WithMemoryLimitPages(2)};
  guest.scripts["malloc"] = [&](const Slots&) {
    const auto pages = guest.memory.Grow(1);
    return Slots{pages ? *pages * 65536 : 0};
  };
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const tenon::GuestBuffer buffer = allocator.Allocate(65536);
  CHECK(buffer.Offset() == 65536);
  CHECK(Thrown<tenon::AllocationError>([&] {
          static_cast<void>(allocator.Allocate(65536));
        }).Id() == tenon::ErrorCode::AllocationNull);
}

TEST_CASE("memory allocator hook") {
  ScriptedGuest guest{EachEngine().WithMemoryAllocator(std::make_shared<ExactMemory>())};
  // The memory moves with each allocation, and once more in the call.
  guest.scripts["malloc"] = [&](const Slots&) {
    return Slots{guest.memory.Grow(1).value() * 65536};
  };
  guest.scripts["use4"] = [&](const Slots& slots) {
    CHECK(guest.memory.ViewString(slots[0], slots[1]) == "text");
    guest.memory.Grow(1);
    guest.memory.WriteByte(slots[2], 9);
    return Slots{slots[2]};
  };
  const auto use = guest.module.ExportedFunction<int(std::string_view, std::span<std::uint8_t>)>(
      "use4", tenon::GuestAllocator::Find(guest.module));
  std::array<std::uint8_t, 2> bytes = {1, 2};
  CHECK(use("text", bytes) == 2 * 65536);
  CHECK(bytes == std::array<std::uint8_t, 2>{9, 2});
}
