// SPDX-License-Identifier: Apache-2.0
/// @file
/// GuestFunction: functions of a guest, called with views of the host's data.
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scripted_guest.hpp"

using namespace tenon_test;
using Slots = ScriptedGuest::Slots;

TEST_CASE("a string is in the guest's memory for the time of a call") {
  ScriptedGuest guest{EachEngine()};
  std::string seen;
  std::size_t freed_before_return = 1;
  guest.scripts["use"] = [&](const Slots& slots) {
    seen = guest.memory.ViewString(slots[0], slots[1]).value();
    freed_before_return = guest.freed.size();
    return Slots{7};
  };
  const auto use = guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  CHECK(use("hello") == 7);
  CHECK(seen == "hello");
  CHECK(freed_before_return == 0);
  CHECK(guest.asked == std::vector<std::uint32_t>{5});
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
  CHECK(use(std::string_view{}) == 7);
  CHECK(seen.empty());
  CHECK(guest.asked.size() == 1);
}

TEST_CASE("elements of a span are counted, and scalars go beside it") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["mixed"] = [&](const Slots& slots) {
    CHECK(static_cast<std::uint32_t>(slots[0]) == 3);
    CHECK(static_cast<std::uint32_t>(slots[2]) == 2);
    const double factor = std::bit_cast<double>(slots[3]);
    const double sum = guest.memory.ReadFloat64Le(static_cast<std::uint32_t>(slots[1])).value() +
                       guest.memory.ReadFloat64Le(static_cast<std::uint32_t>(slots[1]) + 8).value();
    return Slots{std::bit_cast<std::uint64_t>(factor * sum)};
  };
  const auto mixed =
      guest.module.ExportedFunction<double(std::uint8_t, std::span<const double>, double)>(
          "mixed", tenon::GuestAllocator::Find(guest.module));
  const std::array<double, 2> numbers = {1.5, 2.5};
  CHECK(mixed(3, numbers, 10) == 40);
  CHECK(mixed(tenon::CallContext{}, 3, numbers, 0.5) == 2);
  CHECK(mixed.TryCall(3, numbers, 1).Value() == 4);
}

TEST_CASE("a span that is not const comes back changed") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use4"] = [&](const Slots& slots) {
    CHECK(guest.memory.ReadUint16Le(slots[0]) == 5);
    guest.memory.WriteUint16Le(slots[0] + 2, 0xABCD);
    guest.memory.WriteByte(slots[2], 'X');
    return Slots{1};
  };
  const auto use = guest.module.ExportedFunction<int(std::span<std::uint16_t>, std::string_view)>(
      "use4", tenon::GuestAllocator::Find(guest.module));
  std::array<std::uint16_t, 2> numbers = {5, 6};
  const std::string text = "text";
  CHECK(use(numbers, text) == 1);
  CHECK(numbers == std::array<std::uint16_t, 2>{5, 0xABCD});
  CHECK(text == "text");
}

TEST_CASE("arguments are allocated from left to right and freed from right to left") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use4"] = [&](const Slots&) { return Slots{0}; };
  const auto use =
      guest.module.ExportedFunction<int(std::string_view, std::span<const std::int64_t>)>(
          "use4", tenon::GuestAllocator::Find(guest.module));
  const std::array<std::int64_t, 3> numbers = {1, 2, 3};
  use("left", numbers);
  CHECK(guest.asked == std::vector<std::uint32_t>{4, 24});
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});
}

TEST_CASE("arguments are freed when the call throws, and spans stay as they were") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use"] = [&](const Slots& slots) -> Slots {
    guest.memory.WriteByte(slots[0], 9);
    throw std::runtime_error{"use"};
  };
  const auto use = guest.module.ExportedFunction<int(std::span<std::uint8_t>)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  std::array<std::uint8_t, 1> bytes = {1};
  CHECK(TextOf<std::runtime_error>([&] { use(bytes); }) == "use");
  CHECK(bytes[0] == 1);
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
  CHECK_THROWS_AS(std::rethrow_exception(use.TryCall(bytes).Error()), std::runtime_error);
}

TEST_CASE("arguments that came first are freed when a later one finds no room") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["malloc"] = [&, first = true](const Slots&) mutable {
    return Slots{std::exchange(first, false) ? 2048u : 0u};
  };
  bool was_called = false;
  guest.scripts["use4"] = [&](const Slots&) {
    was_called = true;
    return Slots{0};
  };
  const auto use = guest.module.ExportedFunction<int(std::string_view, std::string_view)>(
      "use4", tenon::GuestAllocator::Find(guest.module));
  CHECK_THROWS_AS(use("one", "two"), tenon::AllocationError);
  CHECK(guest.freed == std::vector<std::uint32_t>{2048});
  CHECK_FALSE(was_called);
}

TEST_CASE("a call that traps leaves its arguments to the guest, and the next call works") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const auto trap = guest.module.ExportedFunction<int(std::string_view)>("trap", allocator);
  CHECK_THROWS_AS(trap("text"), tenon::Trap);
  CHECK(guest.freed.empty());
  guest.scripts["use"] = [](const Slots&) { return Slots{1}; };
  CHECK(guest.module.ExportedFunction<int(std::string_view)>("use", allocator)("text") == 1);
  CHECK(guest.freed == std::vector<std::uint32_t>{1040});
}

TEST_CASE("a guest that closes itself in a call is not called again to free") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use"] = [&](const Slots&) {
    guest.module.CloseWithExitCode(5);
    return Slots{1};
  };
  const auto use = guest.module.ExportedFunction<int(std::span<std::uint8_t>)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  std::array<std::uint8_t, 1> bytes = {1};
  CHECK(Thrown<tenon::ExitError>([&] { use(bytes); }).ExitCode() == 5);
  CHECK(guest.freed.empty());
  CHECK(Thrown<tenon::ExitError>([&] { use(bytes); }).ExitCode() == 5);
}

TEST_CASE("a handle may go while it is called") {
  ScriptedGuest guest{EachEngine()};
  auto use = guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  guest.scripts["use"] = [&](const Slots&) {
    use = {};
    return Slots{1};
  };
  CHECK(use("text") == 1);
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
  CHECK_FALSE(use);
  CHECK(TextOf<tenon::ConfigError>([&] { use("text"); }) == "GuestFunction: the handle is empty");
}

TEST_CASE("a handle may go while its allocator runs") {
  ScriptedGuest guest{EachEngine()};
  auto use = guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  guest.scripts["malloc"] = [&](const Slots&) {
    use = {};
    return Slots{2048};
  };
  guest.scripts["use"] = [&](const Slots&) { return Slots{1}; };
  CHECK(use("text") == 1);
  CHECK(guest.freed == std::vector<std::uint32_t>{2048});
}

TEST_CASE("an allocator of another memory is refused") {
  const tenon::RuntimeConfig config = EachEngine();
  ScriptedGuest guest{config};
  const ScriptedGuest other{config};
  const auto allocator = tenon::GuestAllocator::Find(other.module);
  const auto error = Thrown<tenon::ConfigError>(
      [&] { guest.module.ExportedFunction<int(std::string_view)>("use", allocator); });
  CHECK(error.Id() == tenon::ErrorCode::AllocatorMemoryMismatch);
  CHECK(std::string{error.what()} ==
        "function guest.use does not run in the memory that guest.malloc allocates from: take an "
        "allocator of the module that defines it");
  CHECK_THROWS_AS((tenon::GuestFunction<int(std::string_view)>{guest.module.ExportedFunction("use"),
                                                               allocator}),
                  tenon::ConfigError);
}

TEST_CASE("a module without memory may hand pointers on to the one that has it") {
  ScriptedGuest guest{EachEngine()};
  std::string seen;
  guest.scripts["use"] = [&](const Slots& slots) {
    seen = guest.memory.ViewString(slots[0], slots[1]).value();
    return Slots{7};
  };
  const guests::Signature type{{guests::kI32, guests::kI32}, {guests::kI32}};
  guests::Guest shim;
  const std::uint32_t use = shim.AddImport("guest", "use", type);
  shim.Add("hand_on", type, [&](guests::CodeBuilder& code) {
    guests::GetAll(code, 2);
    code.Call(use);
  });
  const tenon::Module module =
      guest.runtime.Instantiate(shim.Build(), tenon::ModuleConfig{}.WithName("shim"));
  const auto hand_on = module.ExportedFunction<int(std::string_view)>(
      "hand_on", tenon::GuestAllocator::Find(guest.module));
  CHECK(hand_on("text") == 7);
  CHECK(seen == "text");
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
}

TEST_CASE("a function of a closed guest ends with its exit code before anything is allocated") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const tenon::Function use = guest.module.ExportedFunction("use");
  guest.module.CloseWithExitCode(3);
  const tenon::GuestFunction<int(std::string_view)> closed{use, allocator};
  CHECK(Thrown<tenon::ExitError>([&] { closed("text"); }).ExitCode() == 3);
  CHECK(guest.asked.empty());
}

TEST_CASE("GuestFunctions are equal, and hash alike, by function and allocator") {
  ScriptedGuest guest;
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  using Use = tenon::GuestFunction<int(std::string_view)>;
  const Use use = guest.module.ExportedFunction<int(std::string_view)>("use", allocator);
  const Use same = guest.module.ExportedFunction<int(std::string_view)>("use", allocator);
  const Use trap = guest.module.ExportedFunction<int(std::string_view)>("trap", allocator);
  const std::unordered_set<Use> set = {use, same, trap};
  CHECK(set.size() == 2);
  CHECK(use != guest.module.ExportedFunction<int(std::string_view)>(
                   "use", tenon::GuestAllocator::Find(guest.module)));
}

TEST_CASE("the context of a call holds for its allocations") {
  ScriptedGuest guest{EachEngine().WithCloseOnContextDone(true)};
  const auto use = guest.module.ExportedFunction<int(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = tenon::CallContext{}.WithStopToken(stop.get_token());
  CHECK(Thrown<tenon::ExitError>([&] { use(stopped, "text"); }).ExitCode() ==
        tenon::ExitError::kContextCanceled);
  CHECK(guest.asked.empty());
}

TEST_CASE("the context of a call holds for a guest that pins what it returns for ever") {
  using guests::CodeBuilder;
  using guests::kI32;
  guests::Guest guest;
  guest.Memory(1);
  const guests::Signature unary{{kI32}, {kI32}};
  guest.Add("__new", {{kI32, kI32}, {kI32}}, [](CodeBuilder& code) { code.I32Const(1024); });
  guest.Add("__pin", unary, [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& loop) { loop.Br(0); });
    code.I32Const(0);
  });
  guest.Add("__unpin", {{kI32}, {}}, [](CodeBuilder&) {});
  guest.Add("text", {{}, {kI32}}, [](CodeBuilder& code) { code.I32Const(64); });
  const tenon::Runtime runtime{EachEngine().WithCloseOnContextDone(true)};
  const tenon::Module module = runtime.Instantiate(guest.Build());
  const auto text =
      module.ExportedFunction<tenon::GuestString()>("text", tenon::GuestAllocator::Find(module));
  const auto context = tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{5});
  CHECK(Thrown<tenon::ExitError>([&] { static_cast<void>(text(context)); }).ExitCode() ==
        tenon::ExitError::kDeadlineExceeded);
}

TEST_CASE("a lookup with views names what it was called as and what the function is") {
  ScriptedGuest guest;
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  CHECK(TextOf<tenon::ConfigError>(
            [&] { guest.module.ExportedFunction<int(std::string_view, int)>("use", allocator); }) ==
        "function guest.use: signature mismatch: called as (i32, i32, i32) -> i32, but it is "
        "(i32, i32) -> i32");
  CHECK(TextOf<tenon::ConfigError>([&] {
          guest.module.ExportedFunction<tenon::GuestString(std::string_view)>("mixed", allocator);
        }) ==
        "function guest.mixed: signature mismatch: called as (i32, i32) -> i32 (or i64, or "
        "(i32, i32), or an i32 more in front, for text), but it is (i32, i32, i32, f64) -> f64");
  CHECK(Thrown<tenon::ConfigError>([&] {
          guest.module.ExportedFunction<int(std::string_view)>("usee", allocator);
        }).Id() == tenon::ErrorCode::ExportNotFound);
  CHECK_THROWS_AS(guest.module.ExportedFunction<int(std::string_view)>("use", {}),
                  tenon::ConfigError);
}

TEST_CASE("a result that does not fit is a trap, and the arguments are freed") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use"] = [](const Slots&) { return Slots{300}; };
  const auto use = guest.module.ExportedFunction<std::uint8_t(std::string_view)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  CHECK(Thrown<tenon::Trap>([&] { use("text"); }).Code() == tenon::TrapCode::ValueOutOfRange);
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
}

TEST_CASE("text that a guest returns is found in each form, owned or copied") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.memory.WriteString(4096, std::string_view{"four\0", 5});
  guest.scripts["text"] = [](const Slots&) { return Slots{4096}; };
  guest.scripts["packed"] = [](const Slots&) { return Slots{std::uint64_t{4096} << 32 | 4}; };
  guest.scripts["pair"] = [](const Slots&) { return Slots{4096, 4}; };
  guest.scripts["area"] = [&](const Slots& slots) {
    CHECK(static_cast<std::uint32_t>(slots[1]) == 1);
    guest.memory.WriteUint32Le(static_cast<std::uint32_t>(slots[0]), 4096);
    guest.memory.WriteUint32Le(static_cast<std::uint32_t>(slots[0]) + 4, 4);
    return Slots{};
  };
  for (const char* const name : {"text", "packed", "pair", "area"}) {
    CAPTURE(name);
    guest.freed.clear();
    {
      const tenon::GuestString text =
          guest.module.ExportedFunction<tenon::GuestString(int)>(name, allocator)(1);
      REQUIRE(text);
      CHECK(text.View() == "four");
      CHECK(text.Offset() == 4096);
      CHECK(text.Size() == 4);
    }
    REQUIRE_FALSE(guest.freed.empty());
    CHECK(guest.freed.back() == 4096);
    guest.freed.clear();
    CHECK(guest.module.ExportedFunction<std::string(int)>(name, allocator)(1) == "four");
    for (const std::uint32_t pointer : guest.freed) CHECK(pointer != 4096);
  }
}

TEST_CASE("a null pointer is no text, and text of length 0 is not freed") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["text"] = [](const Slots&) { return Slots{0}; };
  guest.scripts["pair"] = [](const Slots&) { return Slots{65536, 0}; };
  CHECK_FALSE(guest.module.ExportedFunction<tenon::GuestString(int)>("text", allocator)(1));
  CHECK(guest.module.ExportedFunction<std::string(int)>("text", allocator)(1).empty());
  {
    const auto text = guest.module.ExportedFunction<tenon::GuestString(int)>("pair", allocator)(1);
    CHECK(text);
    CHECK(text.View().empty());
  }
  CHECK(guest.freed.empty());
}

TEST_CASE("text outside of the memory, without an end or unaligned is a trap") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  std::uint64_t pointer = 0, length = 0;
  guest.scripts["text"] = [&](const Slots&) { return Slots{pointer}; };
  guest.scripts["packed"] = [&](const Slots&) { return Slots{pointer << 32 | length}; };
  guest.scripts["pair"] = [&](const Slots&) { return Slots{pointer, length}; };
  const auto code_of = [&](const auto& function) {
    return Thrown<tenon::Trap>([&] { static_cast<void>(function(1)); }).Code();
  };
  const auto text = guest.module.ExportedFunction<tenon::GuestString(int)>("text", allocator);
  const auto packed = guest.module.ExportedFunction<std::string(int)>("packed", allocator);
  const auto pair = guest.module.ExportedFunction<tenon::GuestU16String(int)>("pair", allocator);
  for (const auto& [at, size] : {std::pair<std::uint64_t, std::uint64_t>{65535, 2},
                                 {65536, 1},
                                 {0xFFFFFFFE, 0xFFFFFFFE},
                                 {2, 0xFFFFFFFF}}) {
    pointer = at;
    length = size;
    CAPTURE(at, size);
    CHECK(code_of(packed) == tenon::TrapCode::OutOfBoundsMemoryAccess);
    pointer &= ~std::uint64_t{1};
    CHECK(code_of(pair) == tenon::TrapCode::OutOfBoundsMemoryAccess);
  }
  pointer = 4097;
  length = 1;
  CHECK(code_of(pair) == tenon::TrapCode::UnalignedAccess);
  guest.memory.WriteByte(65535, 'x');
  pointer = 65535;
  CHECK(code_of(text) == tenon::TrapCode::OutOfBoundsMemoryAccess);
  CHECK(guest.freed.empty());
}

TEST_CASE("GuestString can be moved, freed early and left to the guest") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<tenon::GuestString>);
  ScriptedGuest guest{EachEngine()};
  guest.memory.WriteString(4096, std::string_view{"text\0", 5});
  guest.scripts["text"] = [](const Slots&) { return Slots{4096}; };
  const auto function = guest.module.ExportedFunction<tenon::GuestString(int)>(
      "text", tenon::GuestAllocator::Find(guest.module));
  tenon::GuestString first = function(1);
  tenon::GuestString second = std::move(first);
  CHECK_FALSE(first);
  CHECK(first.View().empty());
  CHECK(second.View() == "text");
  second.Free();
  CHECK_FALSE(second);
  CHECK(guest.freed == std::vector<std::uint32_t>{4096});
  CHECK(function(1).Release() == 4096);
  CHECK(guest.freed.size() == 1);
  const auto result = function.TryCall(1);
  CHECK(result.Value().View() == "text");
  guest.module.Close();
  CHECK(result.Value().View().empty());
}
