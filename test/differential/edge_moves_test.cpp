// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parallel moves: permuted arguments and results of all types through all kinds of calls, and
/// values that change places at branches.
#include <algorithm>

#include "edge_support.hpp"

using namespace differential::edge;

namespace {

/// Values for a list of types, all different, as slots.
std::vector<Slot> ValuesOf(const std::vector<ValueType>& types) {
  std::vector<Slot> slots;
  Slot next = 0x0101010101010101;
  for (const ValueType type : types) {
    for (std::uint32_t i = 0; i < type.SlotCount(); ++i) {
      // No NaNs among the floats: 0x01... to 0x3C... .
      const bool is_half = type == kI || type == kF;
      slots.push_back(is_half ? next & 0xFFFFFFFF : next);
      next += 0x0101010101010101;
    }
  }
  return slots;
}

/// Slots of value `index` among values of `types`.
std::vector<Slot> SlotsAt(const std::vector<ValueType>& types, const std::vector<Slot>& slots,
                          std::size_t index) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < index; ++i) at += types[i].SlotCount();
  return {slots.begin() + static_cast<std::ptrdiff_t>(at),
          slots.begin() + static_cast<std::ptrdiff_t>(at + types[index].SlotCount())};
}

/// A list of types and where each value goes: parameter `order[i]` becomes value i.
struct Permutation {
  std::string name;
  std::vector<ValueType> types;
  std::vector<std::size_t> order;

  std::vector<ValueType> Permuted() const {
    std::vector<ValueType> permuted;
    for (const std::size_t from : order) permuted.push_back(types[from]);
    return permuted;
  }
  std::vector<Slot> Apply(const std::vector<Slot>& slots) const {
    std::vector<Slot> permuted;
    for (const std::size_t from : order) {
      const std::vector<Slot> value = SlotsAt(types, slots, from);
      permuted.insert(permuted.end(), value.begin(), value.end());
    }
    return permuted;
  }
};

std::vector<Permutation> Permutations() {
  const std::vector<std::vector<ValueType>> type_lists{
      std::vector<ValueType>(20, kI),
      std::vector<ValueType>(20, kL),
      std::vector<ValueType>(20, kD),
      std::vector<ValueType>(20, kV),
      {kI, kL, kF, kD, kV, kI, kL, kF, kD, kV, kI, kL, kF, kD, kV, kI, kL, kF, kD, kV},
      {kV, kI, kV, kI, kV, kI, kV, kI, kV, kI, kF, kF, kF, kF, kF, kL, kL, kL, kL, kL},
      {kI, kD},
      {kV, kV},
  };
  std::vector<Permutation> permutations;
  for (const std::vector<ValueType>& types : type_lists) {
    const std::size_t count = types.size();
    std::vector<std::vector<std::size_t>> orders(4, std::vector<std::size_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      orders[0][i] = i;
      orders[1][i] = count - 1 - i;    // swaps
      orders[2][i] = (i + 1) % count;  // one long cycle
      orders[3][i] = i / 2;            // one value in two places
    }
    for (std::vector<std::size_t>& order : orders) {
      permutations.push_back({std::to_string(permutations.size()), types, std::move(order)});
    }
  }
  return permutations;
}

/// Exports, for each permutation, "direct N", "import N", "indirect N" and "host N": (types) ->
/// (permuted), which pass the permuted values to a function that returns its parameters. `other.N`
/// and `host.N` are imported for that.
differential::Bytes Caller(const std::vector<Permutation>& permutations) {
  Guest guest;
  struct Imports {
    std::uint32_t other, host;
  };
  std::vector<Imports> imports;
  for (const Permutation& one : permutations) {
    const tenon_test::guests::Signature type{one.Permuted(), one.Permuted()};
    imports.push_back(
        {guest.AddImport("other", one.name, type), guest.AddImport("host", one.name, type)});
  }
  const std::uint32_t table = guest.Table(ValueType::FuncRef, permutations.size());
  std::vector<std::uint32_t> same;
  for (std::size_t i = 0; i < permutations.size(); ++i) {
    const Permutation& one = permutations[i];
    const std::vector<ValueType> results = one.Permuted();
    same.push_back(guest.AddHidden("same", {results, results}, [&](CodeBuilder& code) {
      tenon_test::guests::GetAll(code, results.size());
    }));
    const auto add = [&](const char* way, auto&& call) {
      guest.Add(std::string{way} + one.name, {one.types, results}, [&](CodeBuilder& code) {
        for (const std::size_t from : one.order) {
          code.LocalGet(static_cast<std::uint32_t>(from));
        }
        call(code);
      });
    };
    add("direct ", [&](CodeBuilder& code) { code.Call(same.back()); });
    add("import ", [&](CodeBuilder& code) { code.Call(imports[i].other); });
    add("host ", [&](CodeBuilder& code) { code.Call(imports[i].host); });
    add("indirect ", [&](CodeBuilder& code) {
      code.I32Const(static_cast<std::int32_t>(i));
      code.CallIndirect(guest.Type(results, results), table);
    });
    add("return ", [](CodeBuilder&) {});
  }
  guest.ActiveElement(table, ConstantExpression::I32(0), ElementItems::Functions(same));
  return guest.Build();
}

differential::Bytes Callee(const std::vector<Permutation>& permutations) {
  Guest guest;
  for (const Permutation& one : permutations) {
    const std::vector<ValueType> types = one.Permuted();
    guest.Add(one.name, {types, types},
              [&](CodeBuilder& code) { tenon_test::guests::GetAll(code, types.size()); });
  }
  return guest.Build();
}

/// f(i32 trips, types...) -> types: a loop whose parameters are permuted on each trip.
void AddLoop(Guest& guest, const Permutation& one, bool uses_table) {
  std::vector<ValueType> parameters{kI};
  parameters.insert(parameters.end(), one.types.begin(), one.types.end());
  guest.Add((uses_table ? "table " : "loop ") + one.name, {parameters, one.types},
            [&](CodeBuilder& code) {
              const auto count = static_cast<std::uint32_t>(one.types.size());
              const std::uint32_t first_local = count + 1;
              const std::uint32_t loop_type = guest.Type(one.types, one.types);
              for (std::uint32_t i = 0; i < count; ++i) code.LocalGet(i + 1);
              code.Begin(Opcode::Block, tenon::wasm::BlockType::Index(loop_type));
              code.Begin(Opcode::Loop, tenon::wasm::BlockType::Index(loop_type));
              // Parameters go to locals and come back in another order: moves at the back edge.
              for (std::uint32_t i = count; i > 0; --i) code.LocalSet(first_local + i - 1);
              const auto push = [&](bool permuted) {
                for (std::uint32_t i = 0; i < count; ++i) {
                  const auto from = static_cast<std::uint32_t>(permuted ? one.order[i] : i);
                  code.LocalGet(first_local + from);
                }
              };
              if (uses_table) {
                // 0: out with the values as they are; else again with permuted ones.
                code.LocalGet(0).Emit(Opcode::I32Eqz);
                code.Begin(Opcode::If);
                push(false);
                code.I32Const(1).BrTable({1, 2}, 1);
                code.End();
                push(true);
                code.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).Drop();
                code.LocalGet(0).BrTable({0, 0, 0}, 0);
              } else {
                push(true);
                code.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
              }
              code.End();
              code.End();
            },
            one.types);
}

}  // namespace

TEST_CASE("arguments and results arrive in their places through every kind of call") {
  const std::vector<Permutation> permutations = Permutations();
  const differential::Bytes caller = Caller(permutations);
  const differential::Bytes callee = Callee(permutations);
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    tenon::HostModuleBuilder host = runtime.NewHostModuleBuilder("host");
    for (const Permutation& one : permutations) {
      const std::vector<ValueType> types = one.Permuted();
      host.NewFunctionBuilder()
          .WithHostFunction(
              [types, expected = one.Apply(ValuesOf(one.types))](std::span<Slot> slots) {
                std::size_t at = 0;
                for (const ValueType type : types) {
                  const Slot mask = type == kI || type == kF ? 0xFFFFFFFF : UINT64_MAX;
                  CHECK((slots[at] & mask) == expected[at]);
                  at += type.SlotCount();
                }
              },
              types, types)
          .Export(one.name);
    }
    const tenon::Module host_module = host.Instantiate();
    const tenon::Module other =
        runtime.Instantiate(callee, tenon::ModuleConfig{}.WithName("other"));
    const tenon::Module module = runtime.Instantiate(caller);
    for (const Permutation& one : permutations) {
      const std::vector<Slot> values = ValuesOf(one.types);
      const Answer expected{TrapCode::None, one.Apply(values)};
      for (const std::string way : {"return ", "direct ", "import ", "indirect ", "host "}) {
        INFO(way << one.name);
        CHECK(Call(module, way + one.name, values) == expected);
      }
    }
  });
}

TEST_CASE("typed host functions get operands of all classes in registers and on the stack") {
  using tenon::V128;
  const std::vector<ValueType> types{kI, kD, kV, kL, kF, kV, kI, kD, kI, kL,
                                     kV, kF, kI, kL, kD, kI, kD, kV, kF, kL};
  Guest guest;
  const std::uint32_t import = guest.AddImport("host", "sum", {types, {kL}});
  guest.Add("run", {types, {kL}}, [&](CodeBuilder& code) {
    tenon_test::guests::GetAll(code, types.size());
    code.Call(import);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module host =
        runtime.NewHostModuleBuilder("host")
            .NewFunctionBuilder()
            .WithFunc([](std::int32_t a, double b, V128 c, std::int64_t d, float e, V128 f,
                         std::int32_t g, double h, std::int32_t i, std::int64_t j, V128 k, float l,
                         std::int32_t m, std::int64_t n, double o, std::int32_t p, double q, V128 r,
                         float s, std::int64_t t) -> std::int64_t {
              return a + 2 * static_cast<std::int64_t>(b) + 3 * c.bytes[0] + 5 * d +
                     7 * static_cast<std::int64_t>(e) + 11 * f.bytes[15] + 13 * g +
                     17 * static_cast<std::int64_t>(h) + 19 * i + 23 * j + 29 * k.bytes[8] +
                     31 * static_cast<std::int64_t>(l) + 37 * m + 41 * n +
                     43 * static_cast<std::int64_t>(o) + 47 * p +
                     53 * static_cast<std::int64_t>(q) + 59 * r.bytes[7] +
                     61 * static_cast<std::int64_t>(s) + 67 * t;
            })
            .Export("sum")
            .Instantiate();
    const tenon::Module module = runtime.Instantiate(bytes);
    // Operand i is i + 1, weighted with the primes above (the first with 1).
    std::vector<Slot> slots;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const std::uint64_t value = i + 1;
      if (types[i] == kF) {
        slots.push_back(Bits(static_cast<float>(value)));
      } else if (types[i] == kD) {
        slots.push_back(Bits(static_cast<double>(value)));
      } else if (types[i] == kV) {
        slots.insert(slots.end(), 2, value * 0x0101010101010101);
      } else {
        slots.push_back(value);
      }
    }
    CHECK(Call(module, "run", slots) == Returned({8368}));
  });
}

TEST_CASE("loop parameters change places on every trip") {
  Guest guest;
  std::vector<Permutation> permutations;
  for (Permutation& one : Permutations()) {
    // Only orders that keep the types in place.
    if (one.Permuted() == one.types) permutations.push_back(std::move(one));
  }
  REQUIRE(permutations.size() > 12);
  for (const bool uses_table : {false, true}) {
    for (const Permutation& one : permutations) AddLoop(guest, one, uses_table);
  }
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    for (const Permutation& one : permutations) {
      for (const std::uint32_t trips : {1u, 2u, 3u, 7u}) {
        INFO(one.name << ", " << trips << " trips");
        const std::vector<Slot> values = ValuesOf(one.types);
        std::vector<Slot> arguments{trips};
        arguments.insert(arguments.end(), values.begin(), values.end());
        std::vector<Slot> expected = values;
        for (std::uint32_t i = 0; i < trips; ++i) expected = one.Apply(expected);
        CHECK(Call(module, "loop " + one.name, arguments) == Answer{TrapCode::None, expected});
        CHECK(Call(module, "table " + one.name, arguments) == Answer{TrapCode::None, expected});
      }
    }
  });
}

TEST_CASE("one br_table carries values to loops and blocks at several depths") {
  Guest guest;
  const std::uint32_t values = guest.Type({}, {kL, kL});
  const std::uint32_t again = guest.Type({kL, kL}, {kL, kL});
  guest.Add("run", {{kI, kL, kL}, {kL, kL}}, [&](CodeBuilder& code) {
    code.LocalGet(1).LocalGet(2);
    code.Begin(Opcode::Loop, tenon::wasm::BlockType::Index(again));  // adds 100 to the second
    code.I64Const(100).Emit(Opcode::I64Add).LocalSet(2).LocalSet(1);
    code.Begin(Opcode::Block, tenon::wasm::BlockType::Index(values));
    code.LocalGet(1).LocalGet(2);
    code.Begin(Opcode::Loop, tenon::wasm::BlockType::Index(again));  // adds 1 to the first
    code.LocalSet(2).I64Const(1).Emit(Opcode::I64Add).LocalSet(1);
    // Swaps the two, then goes where the selector says, which falls by one each time.
    code.LocalGet(2).LocalGet(1).LocalGet(0).LocalGet(0).I32Const(1).Emit(Opcode::I32Sub);
    code.LocalSet(0).BrTable({1, 0, 2, 0, 2}, 3);
    code.End();
    code.End();
    code.End();
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    CHECK(Call(module, "run", {0, 10, 20}) == Returned({120, 11}));
    CHECK(Call(module, "run", {1, 10, 20}) == Returned({11, 121}));
    CHECK(Call(module, "run", {2, 10, 20}) == Returned({121, 112}));
    CHECK(Call(module, "run", {3, 10, 20}) == Returned({12, 222}));
    CHECK(Call(module, "run", {5, 10, 20}) == Returned({120, 11}));
    CHECK(Call(module, "run", {0xFFFFFFFF, 10, 20}) == Returned({120, 11}));
  });
}
