// SPDX-License-Identifier: Apache-2.0
/// @file
/// GuestAllocator and GuestBuffer: guest memory that the host owns.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scripted_guest.hpp"

using namespace tenon_test;
using Slots = ScriptedGuest::Slots;

namespace {

using guests::CodeBuilder;
using guests::kI32;

struct Export {
  const char* name;
  guests::Signature type;
};

/// A module "guest" with these functions, which return 0, and a memory if asked for.
guests::Bytes Exporting(const std::vector<Export>& exports, bool has_memory = true) {
  guests::Guest guest;
  guest.NameModule("guest");
  for (const Export& exported : exports) {
    guest.Add(exported.name, exported.type, [&](CodeBuilder& code) {
      for (std::size_t i = 0; i < exported.type.results.size(); ++i) code.I32Const(0);
    });
  }
  if (has_memory) guest.Memory(1);
  return guest.Build();
}

const guests::Signature kUnary{{kI32}, {kI32}};
const guests::Signature kBinary{{kI32, kI32}, {kI32}};
const guests::Signature kSink{{kI32}, {}};

}  // namespace

TEST_CASE("a buffer is a copy in the guest's memory, which goes back when the buffer goes") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const std::vector<double> numbers = {1.5, -2.5};
  {
    const tenon::GuestBuffer buffer = allocator.Copy(numbers);
    CHECK(buffer.Offset() == 1024);
    CHECK(buffer.Size() == 16);
    CHECK(guest.asked == std::vector<std::uint32_t>{16});
    CHECK(guest.memory.ReadFloat64Le(1032) == -2.5);
    CHECK(buffer.Bytes().size() == 16);
    CHECK(guest.freed.empty());
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
}

TEST_CASE("a copied string ends with a zero that is not counted") {
  ScriptedGuest guest{EachEngine()};
  guest.memory.WriteUint32Le(1024, 0xFFFFFFFF);
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const tenon::GuestBuffer text = allocator.CopyString("abc");
  CHECK(text.Size() == 3);
  CHECK(guest.asked == std::vector<std::uint32_t>{4});
  CHECK(guest.memory.ViewString(1024, 4) == std::string_view{"abc\0", 4});
  const tenon::GuestBuffer empty = allocator.CopyString("");
  CHECK(guest.memory.ReadByte(empty.Offset()) == 0);
}

TEST_CASE("moving a buffer moves what it owns") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  tenon::GuestBuffer first = allocator.Allocate(16);
  tenon::GuestBuffer second = allocator.Allocate(32);
  const std::uint32_t offset = first.Offset();
  second = std::move(first);
  CHECK(guest.freed == std::vector<std::uint32_t>{1040});
  CHECK(second.Offset() == offset);
  CHECK(second.Size() == 16);
  {
    const tenon::GuestBuffer third{std::move(second)};
    CHECK(third.Offset() == offset);
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});
}

TEST_CASE("a buffer can be freed early and left to the guest") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  {
    tenon::GuestBuffer freed = allocator.Allocate(16);
    freed.Free();
    CHECK(guest.freed == std::vector<std::uint32_t>{1024});
    CHECK(freed.Size() == 0);
    CHECK(freed.Bytes().empty());
    tenon::GuestBuffer released = allocator.Allocate(16);
    CHECK(released.Release() == 1040);
    CHECK(released.Size() == 0);
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
}

TEST_CASE("nothing asks the guest for nothing") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const tenon::GuestBuffer buffer = allocator.Copy(std::span<const double>{});
  CHECK(buffer.Size() == 0);
  CHECK(buffer.Offset() % alignof(double) == 0);
  CHECK(guest.asked.empty());
}

TEST_CASE("memory is aligned for what is put there, also where malloc aligns less") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.heap = 1032;
  {
    const tenon::GuestBuffer buffer = allocator.Allocate(20, 64);
    CHECK(buffer.Offset() == 1088);
    CHECK(guest.asked == std::vector<std::uint32_t>{20 + 56});
    CHECK(buffer.Bytes().size() == 20);
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{1032});
}

TEST_CASE("an allocator that fails or lies is an error, and nothing is written") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  std::uint32_t answer = 0;
  guest.scripts["malloc"] = [&](const Slots&) { return Slots{answer}; };
  const std::vector<std::uint64_t> data = {~std::uint64_t{0}, ~std::uint64_t{0}};
  const auto error_of = [&](std::uint32_t pointer) {
    answer = pointer;
    return Thrown<tenon::AllocationError>(
        [&] { static_cast<void>(allocator.Copy(std::span{data})); });
  };
  const auto null = error_of(0);
  CHECK(null.Id() == tenon::ErrorCode::AllocationNull);
  CHECK(std::string{null.what()} ==
        "guest allocator guest.malloc: no memory for 16 bytes, it returned null");
  for (const std::uint32_t pointer : {65536u - 8, 65536u, 65544u, 0x80000000u, 0xFFFFFFF8u}) {
    const auto error = error_of(pointer);
    CHECK(error.Id() == tenon::ErrorCode::AllocationBounds);
    CHECK(std::string{error.what()} == "guest allocator guest.malloc: 16 bytes at " +
                                           std::to_string(pointer) +
                                           " are outside of the memory of 65536 bytes");
  }
  const auto unaligned = error_of(1028);
  CHECK(unaligned.Id() == tenon::ErrorCode::AllocationUnaligned);
  CHECK(std::string{unaligned.what()} == "guest allocator guest.malloc: 1028 is not aligned to 8");
  CHECK(guest.memory.View(0, 65536)->size() == 65536);
  const auto all = guest.memory.View(0, 65536);
  for (const std::uint8_t byte : *all) REQUIRE(byte == 0);
  CHECK(guest.freed.empty());
  answer = 65536 - 16;
  CHECK(allocator.Copy(std::span{data}).Offset() == 65536 - 16);
}

TEST_CASE("more than 32 bits of bytes are refused without asking the guest") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const auto error = Thrown<tenon::AllocationError>(
      [&] { static_cast<void>(allocator.Allocate(std::uint64_t{1} << 32)); });
  CHECK(error.Id() == tenon::ErrorCode::AllocationSize);
  CHECK_THROWS_AS(static_cast<void>(allocator.Allocate(0xFFFFFFFF, 16)), tenon::AllocationError);
  CHECK_THROWS_AS(static_cast<void>(allocator.Allocate(~std::uint64_t{0})), tenon::AllocationError);
  CHECK(guest.asked.empty());
  CHECK_THROWS_AS(static_cast<void>(allocator.Allocate(0xFFFFFFFF)), tenon::AllocationError);
  CHECK(guest.asked == std::vector<std::uint32_t>{0xFFFFFFFF});
}

TEST_CASE("a guest whose malloc grows the memory gets its bytes in the grown one") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["malloc"] = [&](const Slots&) {
    const std::uint64_t pages = guest.memory.Grow(1).value();
    return Slots{pages * 65536};
  };
  const tenon::GuestBuffer buffer = allocator.CopyString("over the edge");
  CHECK(buffer.Offset() == 65536);
  CHECK(guest.memory.ViewString(65536, 13) == "over the edge");
}

TEST_CASE("a buffer of a closed guest is inert") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  {
    const tenon::GuestBuffer buffer = allocator.Allocate(16);
    guest.module.Close();
    CHECK(buffer.Bytes().empty());
    CHECK_THROWS_AS(static_cast<void>(allocator.Allocate(16)), tenon::ExitError);
  }
  CHECK(guest.freed.empty());
}

TEST_CASE("a buffer may outlive every other handle and the runtime") {
  std::optional<ScriptedGuest> guest;
  guest.emplace(EachEngine());
  std::optional<tenon::GuestBuffer> buffer =
      tenon::GuestAllocator::Find(guest->module).Allocate(16);
  guest.reset();
  CHECK(buffer->Bytes().empty());
  CHECK_NOTHROW(buffer.reset());
}

TEST_CASE("a buffer that a trap of its guest found in place is left to the guest") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const auto trap = guest.module.ExportedFunction<int(int, int)>("trap");
  {
    const tenon::GuestBuffer before = allocator.Allocate(16);
    CHECK_THROWS_AS(trap(0, 0), tenon::Trap);
    const tenon::GuestBuffer after = allocator.Allocate(16);
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{1040});
}

TEST_CASE("what free ends with does not leave a destructor") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  int calls = 0;
  guest.scripts["free"] = [&](const Slots&) -> Slots {
    ++calls;
    throw std::runtime_error{"free"};
  };
  CHECK_NOTHROW([&] { const tenon::GuestBuffer buffer = allocator.Allocate(16); }());
  guest.scripts["free"] = [&](const Slots&) -> Slots {
    ++calls;
    throw tenon::Trap{"free"};
  };
  CHECK_NOTHROW([&] { const tenon::GuestBuffer buffer = allocator.Allocate(16); }());
  CHECK(calls == 2);
  guest.scripts["free"] = [&](const Slots&) -> Slots {
    guest.module.CloseWithExitCode(3);
    throw tenon::ExitError{3};
  };
  CHECK_NOTHROW([&] { const tenon::GuestBuffer buffer = allocator.Allocate(16); }());
  CHECK(guest.module.IsClosed());
}

TEST_CASE("what malloc ends with leaves Allocate as itself") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["malloc"] = [](const Slots&) -> Slots { throw std::runtime_error{"malloc"}; };
  CHECK(TextOf<std::runtime_error>([&] { static_cast<void>(allocator.Allocate(1)); }) == "malloc");
}

TEST_CASE("an allocator is found by the names of C, AssemblyScript and the canonical ABI") {
  const tenon::Runtime runtime;
  const Export malloc{"malloc", kUnary}, free{"free", kSink};
  const Export create{"__new", kBinary}, pin{"__pin", kUnary}, unpin{"__unpin", kSink};
  const Export realloc{"cabi_realloc", {std::vector(4, kI32), {kI32}}};
  const auto find = [&](const std::vector<Export>& exports, bool has_memory = true) {
    return tenon::GuestAllocator::Find(
        runtime.Instantiate(Exporting(exports, has_memory), tenon::ModuleConfig{}.WithName("")));
  };
  CHECK_FALSE(find({malloc, free, create, pin, unpin}).IsManaged());
  CHECK(find({create, pin, unpin, realloc}).IsManaged());
  CHECK_FALSE(find({malloc, realloc}).IsManaged());
  CHECK(Thrown<tenon::ConfigError>([&] { find({malloc, create, pin}); }).Id() ==
        tenon::ErrorCode::AllocatorNotFound);
  CHECK(Thrown<tenon::ConfigError>([&] { find({malloc, free}, false); }).Id() ==
        tenon::ErrorCode::AllocatorMemory);
  const auto wide = Thrown<tenon::ConfigError>(
      [&] { find({{"malloc", {{guests::kI64}, {guests::kI32}}}, free}); });
  CHECK(wide.Id() == tenon::ErrorCode::AllocatorSignature);
  CHECK(std::string{wide.what()} ==
        "function .malloc cannot be used to allocate guest memory: it is (i64) -> i32");
  CHECK(TextOf<tenon::ConfigError>([&] { find({malloc, {"free", kUnary}}); }) ==
        "function .free cannot be used to free guest memory: it is (i32) -> i32");
  CHECK_THROWS_AS(find({create, {"__pin", kSink}, unpin}), tenon::ConfigError);
  CHECK_THROWS_AS(find({{"cabi_realloc", kUnary}}), tenon::ConfigError);
}

TEST_CASE("an allocator can be given, with or without sizes and alignments") {
  ScriptedGuest guest{EachEngine()};
  std::vector<Slots> calls;
  const auto record = [&](const Slots& slots) {
    calls.push_back(slots);
    return Slots{2048};
  };
  guest.scripts["use"] = record;                     // (size, alignment)
  guest.scripts["use4"] = record;                    // (old pointer, old size, alignment, size)
  guest.scripts["area"] = [&](const Slots& slots) {  // (pointer, size)
    calls.push_back(slots);
    return Slots{};
  };
  const tenon::Function use = guest.module.ExportedFunction("use");
  const tenon::Function use4 = guest.module.ExportedFunction("use4");
  const tenon::Function area = guest.module.ExportedFunction("area");
  {
    const tenon::GuestBuffer buffer =
        tenon::GuestAllocator{guest.module, use, area}.Allocate(10, 32);
    CHECK(buffer.Offset() == 2048);
  }
  {
    const tenon::GuestBuffer buffer = tenon::GuestAllocator{guest.module, use4}.Allocate(10, 32);
  }
  CHECK(calls == std::vector<Slots>{{10, 32}, {2048, 10}, {0, 0, 32, 10}});
  using Allocate = std::uint32_t(std::uint32_t, std::uint32_t);
  using Free = void(std::uint32_t);
  const tenon::GuestAllocator typed{guest.module, guest.module.ExportedFunction<Allocate>("use"),
                                    guest.module.ExportedFunction<Free>("free")};
  CHECK(typed.Allocate(8).Offset() == 2048);
  CHECK(guest.freed == std::vector<std::uint32_t>{2048});
  CHECK_THROWS_AS((tenon::GuestAllocator{guest.module, guest.module.ExportedFunction("mixed")}),
                  tenon::ConfigError);
  CHECK_THROWS_AS((tenon::GuestAllocator{guest.module, use, use}), tenon::ConfigError);
  CHECK_THROWS_AS((tenon::GuestAllocator{guest.module, tenon::Function{}}), tenon::ConfigError);
}

TEST_CASE("an allocation under a context ends with it, and so does freeing") {
  ScriptedGuest guest{EachEngine().WithCloseOnContextDone(true)};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  int data = 0;
  const auto context = tenon::CallContext{}.WithUserData(&data);
  const std::array<std::uint16_t, 2> numbers = {1, 2};
  tenon::GuestBuffer buffer = allocator.Allocate(context, 4);
  CHECK(allocator.Copy(context, std::span{numbers}).Size() == 4);
  CHECK(allocator.Copy(context, numbers).Size() == 4);
  CHECK(allocator.CopyString(context, "abc").Size() == 3);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = context.WithStopToken(stop.get_token());
  buffer.Free(stopped);
  CHECK(buffer.Offset() == 0);
  CHECK(guest.freed.size() == 3);  // what was copied, and not this one
  CHECK(guest.module.IsClosed());
  CHECK_THROWS_AS(static_cast<void>(allocator.Allocate(stopped, 4)), tenon::ExitError);
}

TEST_CASE("an alignment that is no power of two is refused before the guest is asked") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  for (const std::uint32_t alignment : {0u, 3u, 24u, 0xFFFFFFFFu}) {
    const auto error =
        Thrown<tenon::ConfigError>([&] { static_cast<void>(allocator.Allocate(16, alignment)); });
    CHECK(error.Id() == tenon::ErrorCode::AllocationAlignment);
    CHECK(std::string{error.what()} ==
          "an alignment of " + std::to_string(alignment) + " bytes is no power of two");
  }
  CHECK(guest.asked.empty());
  CHECK(allocator.Allocate(16, 1).Offset() == 1024);
}

TEST_CASE("an allocator knows its memory, and functions of another one are refused") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  CHECK(allocator.GuestMemory() == guest.memory);
  const tenon::Module other = guest.runtime.Instantiate(Exporting({{"malloc", kUnary}}),
                                                        tenon::ModuleConfig{}.WithName("other"));
  const tenon::Function malloc = guest.module.ExportedFunction("malloc");
  const tenon::Function free = guest.module.ExportedFunction("free");
  const auto error =
      Thrown<tenon::ConfigError>([&] { tenon::GuestAllocator{other, malloc, free}; });
  CHECK(error.Id() == tenon::ErrorCode::AllocatorMemoryMismatch);
  CHECK(std::string{error.what()} ==
        "function guest.malloc does not run in the memory that module[other] allocates from: take "
        "an allocator of the module that defines it");
  CHECK_THROWS_AS((tenon::GuestAllocator{other, other.ExportedFunction("malloc"), free}),
                  tenon::ConfigError);
}

TEST_CASE("a guest may drop the last handle of its allocator while it allocates and frees") {
  ScriptedGuest guest{EachEngine()};
  auto allocator = std::make_unique<tenon::GuestAllocator>();
  const auto malloc = [&](const Slots&) {
    allocator.reset();
    return Slots{2048};
  };
  guest.scripts["malloc"] = malloc;
  const auto with_new_allocator = [&](auto&& use) {
    allocator = std::make_unique<tenon::GuestAllocator>(tenon::GuestAllocator::Find(guest.module));
    use();
    CHECK(allocator == nullptr);
  };
  with_new_allocator([&] { CHECK(allocator->Allocate(8).Offset() == 2048); });
  with_new_allocator([&] { CHECK(allocator->CopyString("text").Bytes().size() == 4); });
  const std::array<std::uint8_t, 3> bytes = {1, 2, 3};
  with_new_allocator([&] { CHECK(allocator->Copy(std::span{bytes}).Bytes()[2] == 3); });
  CHECK(guest.freed == std::vector<std::uint32_t>{2048, 2048, 2048});

  tenon::GuestBuffer buffer = tenon::GuestAllocator::Find(guest.module).Allocate(8);
  guest.scripts["free"] = [&](const Slots&) {
    buffer = {};
    return Slots{};
  };
  buffer.Free();
  CHECK(buffer.Offset() == 0);
}

TEST_CASE("an empty allocator says so, and an empty buffer does nothing") {
  const tenon::GuestAllocator empty;
  CHECK_FALSE(empty);
  CHECK(TextOf<tenon::ConfigError>([&] { static_cast<void>(empty.Allocate(1)); }) ==
        "GuestAllocator: the handle is empty");
  tenon::GuestBuffer buffer;
  CHECK(buffer.Offset() == 0);
  CHECK(buffer.Bytes().empty());
  CHECK_NOTHROW(buffer.Free());
}
