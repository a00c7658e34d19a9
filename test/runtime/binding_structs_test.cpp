// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs, called by guests on each engine.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/aggregate.hpp>
#include <tenon/tenon.hpp>

#include "../support/bound_guest.hpp"

using tenon::Flat;
using tenon::HostModuleBuilder;
using tenon::In;
using tenon::Indirect;
using tenon::InOut;
using tenon::Out;
using tenon::TrapCode;
using tenon::ValueType;
using tenon::View;
using namespace tenon_test;

namespace {

using U32 = std::uint32_t;

struct Point {
  std::int32_t x, y;
};
struct Named {
  std::uint8_t kind;
  tenon::GuestPtr<char> name;
  tenon::GuestSize length;
  double weight;
};

/// Its default constructor throws when a test says so.
class Choosy {
 public:
  Choosy() {
    if (refuses) throw std::runtime_error{"no more of these"};
  }
  static inline bool refuses = false;
  U32 number = 0;
};

}  // namespace

template <>
struct tenon::Fields<Choosy> : tenon::FieldList<&Choosy::number> {};

TEST_CASE("struct through guest pointer") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{engine, [](HostModuleBuilder& env) {
                       env.NewFunctionBuilder()
                           .WithFunc([](In<Named> in, Out<Named> out) {
                             *out = *in;
                             out->weight *= 2;
                             return in->length + in->name.Offset();
                           })
                           .WithParameterNames("in", "out")
                           .Export("copy");
                       env.NewFunctionBuilder()
                           .WithFunc([](View<Point> view, InOut<std::span<Point>> points) {
                             for (std::size_t i = 0; i < view.Size(); ++i) {
                               const Point point = view[i];
                               view[i] = Point{point.y, point.x};
                               (*points)[i].x += point.x;
                             }
                           })
                           .Export("swap");
                     }};
    guest.memory.WriteByte(33, 7);
    guest.SetU32(37, 1000);
    guest.SetU32(41, 24);
    guest.memory.WriteFloat64Le(49, 1.5);
    CHECK(guest.Call<U32>("copy", U32{33}, U32{101}) == 1024);
    CHECK(guest.memory.ReadByte(101) == 7);
    CHECK(guest.memory.ReadFloat64Le(117) == 3);
    std::string message;
    CHECK(TrapOf([&] { guest.Call<U32>("copy", U32{33}, U32{65536 - 23}); }, &message) ==
          TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access (parameter 1 \"out\")");
    guest.SetU32(200, 1);
    guest.SetU32(204, 2);
    guest.Call<void>("swap", U32{200}, U32{1}, U32{301}, U32{1});
    CHECK(guest.U32(200) == 2);
    CHECK(guest.U32(204) == 1);
    CHECK(guest.U32(301) == 1);
    CHECK(TrapOf([&] { guest.Call<void>("swap", U32{200}, U32{2}, U32{204}, U32{2}); }) ==
          TrapCode::OverlappingParameters);
  }
}

TEST_CASE("the form of structs is chosen for a function or a module, and named in errors") {
  struct Functions {
    static Point Swap(Point point) { return {point.y, point.x}; }
    static std::int32_t Dot(const Point& a, Point b, std::int32_t scale) {
      return (a.x * b.x + a.y * b.y) * scale;
    }
  };
  using tenon::StructForm;
  for (const tenon::EngineKind engine : Engines()) {
    std::int32_t seen = 0;
    BoundGuest guest{
        engine, [&seen](HostModuleBuilder& env) {
          env.NewFunctionBuilder().WithFunc<StructForm::Flat>(Functions::Swap).Export("flat");
          env.NewFunctionBuilder()
              .WithFunc<StructForm::Flat>([&seen](Point point) { seen = point.y; })
              .Export("flat, no result");
          env.NewFunctionBuilder()
              .WithFunc<StructForm::Indirect>(
                  [factor = 2](Point point) { return Point{point.x * factor, point.y * factor}; })
              .WithParameterNames("point")
              .Export("indirect");
          auto flat = env.WithStructs<StructForm::Flat>();
          flat.NewFunctionBuilder().WithFunc(Functions::Dot).Export("flat dot");
          flat.NewFunctionBuilder().WithFunc([](std::int32_t n) { return n + 1; }).Export("plain");
          auto indirect = env.WithStructs<StructForm::Indirect>();
          indirect.NewFunctionBuilder()
              .WithFunc([&seen](const Point& point) { seen = point.x; })
              .Export("indirect, no result");
          indirect.NewFunctionBuilder()
              .WithFunc(Functions::Dot)
              .WithPrecondition([](const Indirect<Point>& a, const Indirect<Point>&, std::int32_t) {
                return a->x != 99;
              })
              .Export("indirect dot");
        }};
    CHECK(guest.Call<std::pair<int, int>>("flat", 1, 2) == std::pair{2, 1});
    CHECK(guest.Call<int>("flat dot", 1, 2, 3, 4, 10) == 110);
    CHECK(guest.Call<int>("plain", 1) == 2);
    guest.Call<void>("flat, no result", 1, 5);
    CHECK(seen == 5);
    guest.SetU32(40, 6);
    guest.SetU32(44, 7);
    guest.Call<void>("indirect", U32{48}, U32{40});
    CHECK(guest.U32(48) == 12);
    CHECK(guest.U32(52) == 14);
    guest.Call<void>("indirect, no result", U32{48});
    CHECK(seen == 12);
    CHECK(guest.Call<int>("indirect dot", U32{40}, U32{48}, 1) == 170);
    std::string message;
    CHECK(TrapOf([&] { guest.Call<void>("indirect", U32{48}, U32{65533}); }, &message) ==
          TrapCode::OutOfBoundsMemoryAccess);
    CHECK(message == "out of bounds memory access (parameter 0 \"point\")");
    guest.SetU32(40, 99);
    CHECK(TrapOf([&] { guest.Call<int>("indirect dot", U32{40}, U32{48}, 1); }) ==
          TrapCode::PreconditionFailed);

    // The link report spells the form.
    tenon::wasm::ModuleBuilder wrong;
    wrong.ImportFunction("env", "flat dot", wrong.Type({ValueType::I64}, {}));
    wrong.ImportFunction("env", "indirect dot", wrong.Type({ValueType::I64}, {}));
    try {
      guest.runtime.Instantiate(wrong.Build());
      FAIL("linked");
    } catch (const tenon::LinkError& error) {
      REQUIRE(error.Problems().size() == 2);
      CHECK(error.Problems()[0].cpp.find("Flat<") != std::string::npos);
      CHECK(error.Problems()[1].cpp.find("Indirect<") != std::string::npos);
    }
  }
}

TEST_CASE("records/lists/strings by reflection") {
  for (const tenon::EngineKind engine : Engines()) {
    BoundGuest guest{
        engine, [](HostModuleBuilder& env) {
          env.NewFunctionBuilder()
              .WithFunc([](Flat<Point> a, Flat<Point> b) -> Flat<Point> {
                return Point{a->x + b->x, a->y + b->y};
              })
              .WithParameterNames("a", "b")
              .Export("add");
          env.NewFunctionBuilder()
              .WithFunc([](std::string_view name, In<std::span<const Point>> points) {
                int sum = static_cast<int>(name.size());
                for (const Point& point : *points) sum += point.x * point.y;
                return sum;
              })
              .WithParameterNames("name", "points")
              .Export("area");
          env.NewFunctionBuilder()
              .WithFunc([](std::int32_t scale, Indirect<Point> point) -> Indirect<Point> {
                return Point{point->x * scale, point->y * scale};
              })
              .WithParameterNames("scale", "point")
              .Export("scale");
        }};
    const auto sum = guest.Call<std::pair<int, int>>("add", 1, 2, 30, 40);
    CHECK(sum == std::pair{31, 42});
    const auto typed =
        guest.module.ExportedFunction<Flat<Point>(int, int, int, int)>("add")(1, 2, 3, 4);
    CHECK(typed->x == 4);
    CHECK(typed->y == 6);

    guest.SetU32(40, 6);
    guest.SetU32(44, 7);
    guest.SetU32(48, 8);
    guest.SetU32(52, 9);
    CHECK(guest.Call<int>("area", U32{0}, U32{5}, U32{40}, U32{2}) == 5 + 6 * 7 + 8 * 9);
    guest.Call<void>("scale", U32{81}, 10, U32{40});
    CHECK(guest.U32(81) == 60);
    CHECK(guest.U32(85) == 70);
    std::string message;
    CHECK(TrapOf([&] { guest.Call<void>("scale", U32{0}, 10, U32{40}); }, &message) ==
          TrapCode::NullReference);
    CHECK(message == "null reference (the place for the result)");
    CHECK(TrapOf([&] { guest.Call<void>("scale", U32{81}, 10, U32{0}); }, &message) ==
          TrapCode::NullReference);
    CHECK(message == "null reference (parameter 1 \"point\")");

    const auto definitions = [&](const char* name) {
      for (const tenon::FunctionDefinition& function : guest.host.ExportedFunctions()) {
        if (function.export_names.at(0) == name) return function.parameter_names;
      }
      return std::vector<std::string>{};
    };
    CHECK(definitions("scale") == std::vector<std::string>{"result", "scale", "point"});
#if defined(BOOST_PFR_CORE_NAME_ENABLED) && BOOST_PFR_CORE_NAME_ENABLED
    CHECK(definitions("add") == std::vector<std::string>{"a_x", "a_y", "b_x", "b_y"});
#else
    CHECK(definitions("add") == std::vector<std::string>{"a_0", "a_1", "b_0", "b_1"});
#endif
  }
}

TEST_CASE("a struct's constructor that throws ends the call with what it threw") {
  for (const tenon::EngineKind engine : Engines()) {
    int calls = 0;
    BoundGuest guest{
        engine, [&](HostModuleBuilder& env) {
          env.NewFunctionBuilder().WithFunc([&](In<Choosy>) { ++calls; }).Export("in");
          env.NewFunctionBuilder().WithFunc([&](Out<Choosy>) { ++calls; }).Export("out");
          env.NewFunctionBuilder()
              .WithFunc([&](In<std::span<const Choosy>>) { ++calls; })
              .Export("span");
          env.NewFunctionBuilder()
              .WithFunc([&](View<Choosy> view) {
                const Choosy first = view[0];
                calls += first.number == 7 ? 1 : 100;
              })
              .Export("view");
          env.NewFunctionBuilder().WithFunc([&](Flat<Choosy>) { ++calls; }).Export("flat");
        }};
    guest.SetU32(16, 7);
    const auto call_all = [&](auto call) {
      call([&] { guest.Call<void>("in", U32{16}); });
      call([&] { guest.Call<void>("out", U32{32}); });
      call([&] { guest.Call<void>("span", U32{16}, U32{1}); });
      call([&] { guest.Call<void>("view", U32{16}, U32{1}); });
      call([&] { guest.Call<void>("flat", U32{7}); });
    };
    Choosy::refuses = true;
    call_all([](auto call) { CHECK_THROWS_AS(call(), std::runtime_error); });
    Choosy::refuses = false;
    CHECK(calls == 0);
    call_all([](auto call) { CHECK_NOTHROW(call()); });
    CHECK(calls == 5);
  }
}
