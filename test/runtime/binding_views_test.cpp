// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters that stand for guest memory, called by guests on each engine.
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/bound_guest.hpp"

using tenon::CString;
using tenon::GuestPtr;
using tenon::GuestSize;
using tenon::HostModuleBuilder;
using tenon::In;
using tenon::InOut;
using tenon::Memory;
using tenon::Out;
using tenon::TrapCode;
using tenon::View;
using namespace tenon_test;

namespace {

using U32 = std::uint32_t;

/// Storage that is another one after each growth.
class MovingMemory : public tenon::LinearMemory {
 public:
  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    std::vector<std::uint8_t> moved(static_cast<std::size_t>(size));
    if (!bytes_.empty()) std::memcpy(moved.data(), bytes_.data(), bytes_.size());
    bytes_.swap(moved);
    return bytes_.data();
  }

 private:
  std::vector<std::uint8_t> bytes_;
};
class MovingAllocator : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t, std::uint64_t) noexcept override {
    return std::make_unique<MovingMemory>();
  }
};

}  // namespace

TEST_CASE("guest T*, checked") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{engine, [](HostModuleBuilder& env) {
                       env.NewFunctionBuilder()
                           .WithFunc([](In<double> in, Out<U32> out, InOut<std::int16_t> inout) {
                             *out = static_cast<U32>(*in * 2);
                             *inout = static_cast<std::int16_t>(*inout + 1);
                           })
                           .WithParameterNames("in", "out", "inout")
                           .Export("f");
                       env.NewFunctionBuilder()
                           .WithFunc([](Memory& memory, GuestPtr<U32> pointer, GuestSize count) {
                             U32 sum = 0;
                             for (U32 i = 0; i < count; ++i)
                               sum += pointer.Read(memory, i).value_or(1000);
                             const bool written = pointer.Write(memory, sum);
                             return written ? sum : U32{0};
                           })
                           .Export("sum");
                     }};
    guest.memory.WriteFloat64Le(33, 21.25);  // at no multiple of 8
    guest.memory.WriteUint16Le(51, 9);
    guest.Call<void>("f", U32{33}, U32{61}, U32{51});
    CHECK(guest.U32(61) == 42);
    CHECK(guest.memory.ReadUint16Le(51) == 10);
    std::string message;
    const auto trap = [&](U32 in, U32 out, U32 inout) {
      return TrapOf([&] { guest.Call<void>("f", in, out, inout); }, &message);
    };
    CHECK(trap(65536 - 8, 61, 51) == TrapCode::None);
    CHECK(trap(65536 - 7, 61, 51) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access (parameter 0 \"in\")");
    CHECK(trap(33, 0xFFFFFFFF, 51) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(trap(33, 61, 0) == TrapCode::NullReference);
    CHECK(message == "null reference (parameter 2 \"inout\")");
    CHECK(trap(33, 61, 63) == TrapCode::OverlappingParameters);
    CHECK(message ==
          "parameters of the host function overlap in memory (parameter 1 \"out\" and parameter 2 "
          "\"inout\")");
    // Reading where something else is written is no overlap: In is a copy.
    CHECK(trap(60, 61, 51) == TrapCode::None);

    guest.SetU32(101, 5);
    guest.SetU32(105, 6);
    CHECK(guest.Call<U32>("sum", U32{101}, U32{2}) == 11);
    CHECK(guest.U32(101) == 11);
    CHECK(guest.Call<U32>("sum", U32{0}, U32{2}) == 0);
    CHECK(guest.Call<U32>("sum", U32{65532}, U32{2}) == 1000);
  }
}

TEST_CASE("a null pointer is none where the host says so") {
  for (const tenon::EngineKind engine : Engines()) {
    std::string seen;
    BoundGuest guest{
        engine, [&](HostModuleBuilder& env) {
          env.NewFunctionBuilder()
              .WithFunc([&](std::optional<In<U32>> in, std::optional<Out<U32>> out,
                            std::optional<InOut<std::span<U32>>> inout) {
                seen = in ? std::to_string(**in) : "none";
                if (out) **out = 7;
                if (inout) {
                  for (U32& word : **inout) ++word;
                }
              })
              .WithParameterNames("in", "out", "inout")
              .Export("copies");
          env.NewFunctionBuilder()
              .WithFunc([&](std::optional<std::string_view> text,
                            std::optional<std::span<U32>> words,
                            std::optional<View<const U32>> view, std::optional<CString> name) {
                seen = std::string{text ? *text : "no text"} + ", " +
                       (words ? std::to_string(words->size()) : "no words") + ", " +
                       (view ? std::to_string(view->Size()) : "no view") + ", " +
                       std::string{name ? *name : CString{"no name"}};
              })
              .Export("views");
        }};
    constexpr U32 kHuge = 0xFFFFFFFF;
    guest.SetU32(101, 5);
    guest.SetU32(201, 40);
    guest.SetU32(205, 50);
    guest.Call<void>("copies", U32{101}, U32{105}, U32{201}, U32{2});
    CHECK(seen == "5");
    CHECK(guest.U32(105) == 7);
    CHECK(guest.U32(205) == 51);
    // Of an absent span the length means nothing; and what is absent overlaps with nothing.
    guest.memory.WriteUint64Le(0, 0);
    guest.Call<void>("copies", U32{0}, U32{0}, U32{0}, kHuge);
    CHECK(seen == "none");
    CHECK(guest.memory.ReadUint64Le(0) == 0u);
    guest.Call<void>("copies", U32{0}, U32{1}, U32{0}, U32{1});
    CHECK(guest.U32(1) == 7);
    std::string message;
    const auto trap = [&](U32 in, U32 out, U32 inout, U32 count) {
      return TrapOf([&] { guest.Call<void>("copies", in, out, inout, count); }, &message);
    };
    CHECK(trap(65533, 0, 0, 0) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access (parameter 0 \"in\")");
    CHECK(trap(0, 0, 4, kHuge) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(trap(0, 202, 201, 1) == TrapCode::OverlappingParameters);

    guest.memory.WriteString(301, "text");
    guest.memory.WriteByte(305, 0);
    const auto views = [&](U32 text, U32 size, U32 words, U32 count, U32 view, U32 name) {
      guest.Call<void>("views", text, size, words, count, view, count, name);
      return seen;
    };
    CHECK(views(301, 2, 8, 3, 9, 301) == "te, 3, 3, text");
    CHECK(views(0, kHuge, 0, kHuge, 0, 0) == "no text, no words, no view, no name");
    CHECK(views(1, 0, 4, 0, 1, 305) == ", 0, 0, ");
    CHECK(TrapOf([&] { views(0, 0, 5, 1, 0, 0); }) == TrapCode::UnalignedAccess);
  }
}

TEST_CASE("string_view / span (ptr,len) checked") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{engine, [](HostModuleBuilder& env) {
                       env.NewFunctionBuilder()
                           .WithFunc([](std::string_view text, std::span<const U32> words,
                                        View<U32> view, Out<std::span<std::uint16_t>> out) {
                             U32 sum = static_cast<U32>(text.size());
                             for (const U32 word : words) sum += word;
                             for (std::size_t i = 0; i < view.Size(); ++i) view[i] = sum;
                             for (std::uint16_t& element : *out) element = 7;
                             return sum;
                           })
                           .WithParameterNames("text", "words", "view", "out")
                           .Export("f");
                     }};
    guest.SetU32(16, 100);
    guest.SetU32(20, 200);
    const auto call = [&](U32 words, U32 words_count, U32 view, U32 view_count, U32 out,
                          U32 out_count) {
      return guest.Call<U32>("f", U32{8}, U32{3}, words, words_count, view, view_count, out,
                             out_count);
    };
    CHECK(call(16, 2, 33, 2, 43, 3) == 303);
    CHECK(guest.U32(33) == 303);
    CHECK(guest.U32(37) == 303);
    CHECK(guest.memory.ReadUint16Le(47) == 7);
    CHECK(guest.memory.ReadUint16Le(49) == 0);
    std::string message;
    CHECK(TrapOf([&] { call(18, 1, 33, 2, 43, 3); }, &message) == TrapCode::UnalignedAccess);
    CHECK(message == "unaligned memory access by a host function (parameter 1 \"words\")");
    CHECK(TrapOf([&] { call(16, 1, 65533, 1, 43, 3); }, &message) ==
          TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access (parameter 2 \"view\")");
    CHECK(TrapOf([&] { call(16, 1, 33, 0x40000000, 43, 3); }) == TrapCode::OutOfBoundsMemoryAccess);
    CHECK(TrapOf([&] { call(16, 1, 33, 2, 40, 3); }) == TrapCode::OverlappingParameters);
    // Nothing is anywhere up to the end of memory.
    CHECK(call(65536, 0, 65536, 0, 65536, 0) == 3);
    CHECK(TrapOf([&] { call(65540, 0, 0, 0, 0, 0); }) == TrapCode::OutOfBoundsMemoryAccess);
  }
}

TEST_CASE("NUL-terminated string") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{engine, [](HostModuleBuilder& env) {
                       env.NewFunctionBuilder()
                           .WithFunc([](CString text) { return static_cast<U32>(text.size()); })
                           .WithParameterNames("text")
                           .Export("length");
                     }};
    guest.memory.WriteString(100, "four");
    CHECK(guest.Call<U32>("length", U32{100}) == 4);
    CHECK(guest.Call<U32>("length", U32{104}) == 0);
    guest.memory.WriteByte(65535, 'x');
    std::string message;
    CHECK(TrapOf([&] { guest.Call<U32>("length", U32{65535}); }, &message) ==
          TrapCode::UnterminatedString);
    CHECK(message == "string without terminator in memory (parameter 0 \"text\")");
    CHECK(TrapOf([&] { guest.Call<U32>("length", U32{65536}); }) ==
          TrapCode::OutOfBoundsMemoryAccess);
  }
}

TEST_CASE("an index beyond a View traps with the guest's stack") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{
        engine, [](HostModuleBuilder& env) {
          env.NewFunctionBuilder()
              .WithFunc([](View<const U32> view, U32 index) -> U32 { return view[index]; })
              .Export("at");
        }};
    CHECK(guest.Call<U32>("at", U32{0}, U32{4}, U32{3}) == 0);
    std::string message;
    CHECK(TrapOf([&] { guest.Call<U32>("at", U32{0}, U32{4}, U32{4}); }, &message) ==
          TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access: index beyond the end of a View");
  }
}

TEST_CASE("a memory that can move does not grow while a host function has a raw view of it") {
  for (const tenon::EngineKind engine : Engines()) {
    const auto grow = [](tenon::Module& caller) {
      return caller.ExportedFunction<int(int)>("grow")(1);
    };
    const auto define = [&](HostModuleBuilder& env) {
      env.NewFunctionBuilder()
          .WithFunc([grow](tenon::Module& caller, std::string_view text) {
            const bool same = text == "text";
            const bool refused = !caller.DefaultMemory().Grow(1).has_value();
            CHECK(caller.DefaultMemory().Grow(0).has_value());
            const int guest = grow(caller);
            return same && text == "text" && refused == (guest == -1) ? guest : -2;
          })
          .Export("with_text");
      env.NewFunctionBuilder()
          .WithFunc([grow](tenon::Module& caller, View<std::uint8_t> view, In<U32>, Out<U32> out) {
            const int pages = grow(caller);
            view[0] = 'T';
            *out = static_cast<U32>(pages);
            return pages;
          })
          .Export("with_copies");
      env.NewFunctionBuilder()
          .WithFunc([](tenon::Module& caller, std::string_view) {
            // A call within a call: the pins of both count.
            caller.ExportedFunction<int(int, int)>("with_text")(100, 4);
            return caller.ExportedFunction<int(int)>("grow")(1);
          })
          .Export("nested");
      env.NewFunctionBuilder()
          .WithFunc([](std::string_view) { throw std::runtime_error{"no"}; })
          .Export("throws");
    };
    BoundGuest moving{
        engine, define,
        tenon::RuntimeConfig{}.WithMemoryAllocator(std::make_shared<MovingAllocator>())};
    moving.memory.WriteString(100, "text");
    CHECK(moving.Call<int>("with_text", 100, 4) == -1);
    CHECK(moving.Call<int>("nested", 100, 4) == -1);
    CHECK_THROWS_AS(moving.Call<void>("throws", 100, 4), std::runtime_error);
    CHECK(moving.Call<int>("with_copies", 100, 4, 200, 301) == 1);
    CHECK(moving.memory.ReadByte(100) == 'T');
    CHECK(moving.U32(301) == 1);
    CHECK(moving.Call<int>("grow", 1) == 2);

    BoundGuest fixed{engine, define};
    fixed.memory.WriteString(100, "text");
    CHECK(fixed.Call<int>("with_text", 100, 4) == 2);
    CHECK(fixed.Call<int>("nested", 100, 4) == 5);
  }
}
