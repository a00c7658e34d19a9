// SPDX-License-Identifier: Apache-2.0
/// @file
/// What happens before a trap is seen, what comes after is not, and no trap is lost or invented.
#include "edge_support.hpp"

using namespace differential::edge;

namespace {

constexpr std::int32_t kOutside = 65536;

const Answer kOutOfBounds = Trapped(TrapCode::OutOfBoundsMemoryAccess);
const Answer kDivideByZero = Trapped(TrapCode::IntegerDivideByZero);

/// A guest with one page and a mutable global i32 "seen".
class TrapGuest : public Guest {
 public:
  TrapGuest() {
    Memory(1);
    seen = Global({kI, true}, ConstantExpression::I32(0));
    Export("seen", tenon::ExternKind::Global, seen);
  }
  std::uint32_t seen = 0;
};

std::int32_t SeenOf(const tenon::Module& module) {
  return module.ExportedGlobal("seen").Get<std::int32_t>();
}

}  // namespace

TEST_CASE("stores and globals written before a trap stay, those after it do not happen") {
  TrapGuest guest;
  const auto store = [](CodeBuilder& code, std::int32_t address, std::int32_t value) {
    code.I32Const(address).I32Const(value).Memory(Opcode::I32Store);
  };
  guest.Add("load", {{kI}, {}}, [&](CodeBuilder& code) {
    store(code, 0, 1);
    code.I32Const(1).GlobalSet(guest.seen);
    code.LocalGet(0).Memory(Opcode::I32Load).Drop();
    store(code, 0, 2);
    code.I32Const(2).GlobalSet(guest.seen);
  });
  guest.Add("store", {{kI}, {}}, [&](CodeBuilder& code) {
    store(code, 4, 1);
    code.LocalGet(0).I32Const(7).Memory(Opcode::I32Store);
    store(code, 4, 2);
  });
  guest.Add("divide", {{kI}, {kI}}, [&](CodeBuilder& code) {
    store(code, 8, 1);
    code.I32Const(10).LocalGet(0).Emit(Opcode::I32DivU);
    store(code, 8, 2);
  });
  guest.Add("unreachable", {{kI}, {}}, [&](CodeBuilder& code) {
    store(code, 12, 1);
    code.LocalGet(0);
    code.If({}, [](CodeBuilder& then) { then.Unreachable(); });
    store(code, 12, 2);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const tenon::Memory memory = module.DefaultMemory();
    CHECK(Call(module, "load", {65533}) == kOutOfBounds);
    CHECK(SeenOf(module) == 1);
    CHECK(*memory.ReadUint32Le(0) == 1);
    CHECK(Call(module, "load", {65532}) == Returned({}));
    CHECK(SeenOf(module) == 2);
    CHECK(*memory.ReadUint32Le(0) == 2);
    CHECK(Call(module, "store", {0xFFFFFFFF}) == kOutOfBounds);
    CHECK(*memory.ReadUint32Le(4) == 1);
    CHECK(Call(module, "divide", {0}) == kDivideByZero);
    CHECK(*memory.ReadUint32Le(8) == 1);
    CHECK(Call(module, "divide", {5}) == Returned({2}));
    CHECK(*memory.ReadUint32Le(8) == 2);
    CHECK(Call(module, "unreachable", {1}) == Trapped(TrapCode::Unreachable));
    CHECK(*memory.ReadUint32Le(12) == 1);
  });
}

TEST_CASE("of two traps the first in order of evaluation counts") {
  TrapGuest guest;
  const auto load = [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::I32Load); };
  const auto divide = [](CodeBuilder& code) { code.I32Const(1).LocalGet(1).Emit(Opcode::I32DivS); };
  const tenon_test::guests::Signature type{{kI, kI}, {kI}};
  guest.Add("load then divide", type, [&](CodeBuilder& code) {
    load(code);
    divide(code);
    code.Emit(Opcode::I32Add);
  });
  guest.Add("divide then load", type, [&](CodeBuilder& code) {
    divide(code);
    load(code);
    code.Emit(Opcode::I32Add);
  });
  guest.Add("load divided", type, [&](CodeBuilder& code) {
    load(code);
    code.LocalGet(1).Emit(Opcode::I32DivS);
  });
  guest.Add("divided by load", type, [&](CodeBuilder& code) {
    code.I32Const(1).LocalGet(1).Emit(Opcode::I32RemU);
    load(code);
    code.Emit(Opcode::I32DivS);
  });
  guest.Add("address divided", type, [&](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).Emit(Opcode::I32DivU).Memory(Opcode::I32Load);
  });
  guest.Add("value before store", type, [&](CodeBuilder& code) {
    code.LocalGet(0);
    divide(code);
    code.Memory(Opcode::I32Store).I32Const(0);
  });
  guest.Add("truncate then load", type, [&](CodeBuilder& code) {
    code.F32ConstBits(0x7FC00000).Emit(Opcode::I32TruncF32S);
    load(code);
    code.Emit(Opcode::I32Add);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    CHECK(Call(module, "load then divide", {kOutside, 0}) == kOutOfBounds);
    CHECK(Call(module, "load then divide", {0, 0}) == kDivideByZero);
    CHECK(Call(module, "divide then load", {kOutside, 0}) == kDivideByZero);
    CHECK(Call(module, "divide then load", {kOutside, 1}) == kOutOfBounds);
    CHECK(Call(module, "load divided", {kOutside, 0}) == kOutOfBounds);
    CHECK(Call(module, "load divided", {0, 0}) == kDivideByZero);
    CHECK(Call(module, "divided by load", {kOutside, 0}) == kDivideByZero);
    CHECK(Call(module, "divided by load", {kOutside, 1}) == kOutOfBounds);
    CHECK(Call(module, "divided by load", {0, 1}) == kDivideByZero);
    CHECK(Call(module, "address divided", {kOutside, 0}) == kDivideByZero);
    CHECK(Call(module, "address divided", {kOutside, 1}) == kOutOfBounds);
    CHECK(Call(module, "value before store", {kOutside, 0}) == kDivideByZero);
    CHECK(Call(module, "value before store", {kOutside, 1}) == kOutOfBounds);
    CHECK(Call(module, "truncate then load", {kOutside, 1}) ==
          Trapped(TrapCode::InvalidConversionToInteger));
  });
}

TEST_CASE("instructions whose result nobody uses still trap") {
  TrapGuest guest;
  guest.Table(ValueType::FuncRef, 2);
  const auto dead = [&](std::string_view name, std::vector<ValueType> parameters, auto&& body) {
    guest.Add(name, {std::move(parameters), {}}, [&](CodeBuilder& code) {
      body(code);
      code.Drop();
    });
  };
  dead("load", {kI}, [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::I64Load); });
  dead("load byte", {kI}, [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::I32Load8U); });
  dead("load vector", {kI}, [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::V128Load); });
  dead("divide", {kI},
       [](CodeBuilder& code) { code.I32Const(1).LocalGet(0).Emit(Opcode::I32DivU); });
  dead("remainder", {kL},
       [](CodeBuilder& code) { code.I64Const(1).LocalGet(0).Emit(Opcode::I64RemS); });
  dead("overflow", {kI},
       [](CodeBuilder& code) { code.I32Const(INT32_MIN).LocalGet(0).Emit(Opcode::I32DivS); });
  dead("truncate", {kD}, [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32TruncF64S); });
  dead("table", {kI}, [](CodeBuilder& code) { code.LocalGet(0).TableGet(0); });
  // A load that only feeds a value that is multiplied by zero.
  guest.Add("times zero", {{kI}, {kI}}, [](CodeBuilder& code) {
    code.LocalGet(0).Memory(Opcode::I32Load).I32Const(0).Emit(Opcode::I32Mul);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    CHECK(Call(module, "load", {65529}) == kOutOfBounds);
    CHECK(Call(module, "load", {65528}) == Returned({}));
    CHECK(Call(module, "load byte", {kOutside}) == kOutOfBounds);
    CHECK(Call(module, "load vector", {65521}) == kOutOfBounds);
    CHECK(Call(module, "divide", {0}) == kDivideByZero);
    CHECK(Call(module, "remainder", {0}) == kDivideByZero);
    CHECK(Call(module, "overflow", {0xFFFFFFFF}) == Trapped(TrapCode::IntegerOverflow));
    CHECK(Call(module, "overflow", {0}) == kDivideByZero);
    CHECK(Call(module, "truncate", {Bits(1e10)}) == Trapped(TrapCode::IntegerOverflow));
    CHECK(Call(module, "truncate", {0x7FF8000000000000}) ==
          Trapped(TrapCode::InvalidConversionToInteger));
    CHECK(Call(module, "table", {2}) == Trapped(TrapCode::OutOfBoundsTableAccess));
    CHECK(Call(module, "times zero", {kOutside}) == kOutOfBounds);
  });
}

TEST_CASE("the smallest number divided by -1 overflows, its remainder is 0") {
  Guest guest;
  for (const Opcode opcode : {Opcode::I32DivS, Opcode::I32RemS}) {
    guest.Add(tenon::wasm::Info(opcode).text, {{kI, kI}, {kI}},
              [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(opcode); });
  }
  for (const Opcode opcode : {Opcode::I64DivS, Opcode::I64RemS}) {
    guest.Add(tenon::wasm::Info(opcode).text, {{kL, kL}, {kL}},
              [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(opcode); });
  }
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const Answer overflow = Trapped(TrapCode::IntegerOverflow);
    CHECK(Call(module, "i32.div_s", {0x80000000, 0xFFFFFFFF}) == overflow);
    CHECK(Call(module, "i32.rem_s", {0x80000000, 0xFFFFFFFF}) == Returned({0}));
    CHECK(Call(module, "i32.div_s", {0x80000001, 0xFFFFFFFF}) == Returned({0x7FFFFFFF}));
    CHECK(Call(module, "i32.rem_s", {0xFFFFFFF9, 4}) == Returned({0xFFFFFFFD}));
    CHECK(Call(module, "i64.div_s", {0x8000000000000000, UINT64_MAX}) == overflow);
    CHECK(Call(module, "i64.rem_s", {0x8000000000000000, UINT64_MAX}) == Returned({0}));
    CHECK(Call(module, "i64.div_s", {0x80000000, UINT64_MAX}) == Returned({0xFFFFFFFF80000000}));
  });
}

TEST_CASE("nothing of a loop that makes no trip traps") {
  TrapGuest guest;
  // for (i = 0; i < n; ++i) sum += body(p): the body depends on nothing that changes.
  const auto loop = [&](std::string_view name, auto&& body) {
    guest.Add(name, {{kI, kI}, {kI}},
              [&](CodeBuilder& code) {
                code.Block({}, [&](CodeBuilder& block) {
                  block.LocalGet(0).Emit(Opcode::I32Eqz).BrIf(0);
                  block.Loop({}, [&](CodeBuilder& inner) {
                    body(inner);
                    inner.LocalGet(2).Emit(Opcode::I32Add).LocalSet(2);
                    inner.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
                  });
                });
                code.LocalGet(2);
              },
              {kI});
    // The same with the test at the top of the loop.
    guest.Add(std::string{name} + " at top", {{kI, kI}, {kI}},
              [&](CodeBuilder& code) {
                code.Block({}, [&](CodeBuilder& block) {
                  block.Loop({}, [&](CodeBuilder& inner) {
                    inner.LocalGet(0).Emit(Opcode::I32Eqz).BrIf(1);
                    body(inner);
                    inner.LocalGet(2).Emit(Opcode::I32Add).LocalSet(2);
                    inner.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalSet(0).Br(0);
                  });
                });
                code.LocalGet(2);
              },
              {kI});
  };
  loop("load", [](CodeBuilder& code) { code.LocalGet(1).Memory(Opcode::I32Load); });
  loop("divide", [](CodeBuilder& code) { code.I32Const(12).LocalGet(1).Emit(Opcode::I32DivS); });
  loop("truncate", [](CodeBuilder& code) {
    code.LocalGet(1).Emit(Opcode::F32ReinterpretI32).Emit(Opcode::I32TruncF32S);
  });
  // The first trip stores before it traps: what is hoisted must not overtake the store.
  loop("store then load", [](CodeBuilder& code) {
    code.I32Const(16).LocalGet(0).Memory(Opcode::I32Store);
    code.LocalGet(1).Memory(Opcode::I32Load);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const tenon::Memory memory = module.DefaultMemory();
    for (const std::string suffix : {"", " at top"}) {
      INFO(suffix);
      CHECK(Call(module, "load" + suffix, {0, kOutside}) == Returned({0}));
      CHECK(Call(module, "load" + suffix, {3, kOutside}) == kOutOfBounds);
      CHECK(Call(module, "divide" + suffix, {0, 0}) == Returned({0}));
      CHECK(Call(module, "divide" + suffix, {2, 0}) == kDivideByZero);
      CHECK(Call(module, "divide" + suffix, {2, 5}) == Returned({4}));
      CHECK(Call(module, "truncate" + suffix, {0, 0x7F800000}) == Returned({0}));
      CHECK(Call(module, "truncate" + suffix, {1, 0x7F800000}) ==
            Trapped(TrapCode::IntegerOverflow));
      CHECK(Call(module, "store then load" + suffix, {9, kOutside}) == kOutOfBounds);
      CHECK(*memory.ReadUint32Le(16) == 9);
      // Loads what it stored: 2 + 1.
      CHECK(Call(module, "store then load" + suffix, {2, 16}) == Returned({3}));
    }
  });
}

TEST_CASE("bulk operations that do not fit write nothing") {
  TrapGuest guest;
  guest.PassiveData("0123456789");
  guest.Add("fill", {{kI, kI}, {}},
            [](CodeBuilder& code) { code.LocalGet(0).I32Const(0xEE).LocalGet(1).MemoryFill(); });
  guest.Add("copy", {{kI, kI, kI}, {}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).LocalGet(2).MemoryCopy(); });
  guest.Add("init", {{kI, kI, kI}, {}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).LocalGet(2).MemoryInit(0); });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const tenon::Memory memory = module.DefaultMemory();
    CHECK(Call(module, "fill", {65530, 7}) == kOutOfBounds);
    CHECK(Call(module, "fill", {1, 0xFFFFFFFF}) == kOutOfBounds);
    CHECK(Call(module, "fill", {65537, 0}) == kOutOfBounds);
    CHECK(Call(module, "fill", {65536, 0}) == Returned({}));
    CHECK(*memory.ReadByte(65530) == 0);
    CHECK(Call(module, "fill", {65530, 6}) == Returned({}));
    CHECK(*memory.ReadByte(65535) == 0xEE);
    CHECK(Call(module, "copy", {0, 65530, 7}) == kOutOfBounds);
    CHECK(Call(module, "copy", {65530, 0, 7}) == kOutOfBounds);
    CHECK(*memory.ReadByte(0) == 0);
    CHECK(Call(module, "init", {0, 4, 7}) == kOutOfBounds);
    CHECK(Call(module, "init", {65530, 0, 7}) == kOutOfBounds);
    CHECK(*memory.ReadByte(0) == 0);
    CHECK(Call(module, "init", {0, 4, 6}) == Returned({}));
    CHECK(*memory.ReadByte(5) == '9');
    // Overlapping, in both directions.
    CHECK(Call(module, "copy", {2, 0, 6}) == Returned({}));
    CHECK(*memory.ReadUint64Le(0) == 0x3938373635343534);
    CHECK(Call(module, "copy", {0, 2, 6}) == Returned({}));
    CHECK(*memory.ReadUint64Le(0) == 0x3938393837363534);
  });
}

TEST_CASE("indirect calls check the index, then null, then the type") {
  TrapGuest guest;
  const std::uint32_t type = guest.Type({kI}, {kI});
  const std::uint32_t other =
      guest.AddHidden("other", {{kL}, {kL}}, [](CodeBuilder& code) { code.LocalGet(0); });
  const std::uint32_t right = guest.AddHidden("right", {{kI}, {kI}}, [](CodeBuilder& code) {
    code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add);
  });
  const std::uint32_t table = guest.Table(ValueType::FuncRef, 3);
  guest.ActiveElement(table, ConstantExpression::I32(0), ElementItems::Functions({right, other}));
  guest.Add("call", {{kI, kI}, {kI}}, [&](CodeBuilder& code) {
    code.I32Const(1).GlobalSet(guest.seen);
    code.LocalGet(1).LocalGet(0).CallIndirect(type, table);
    code.I32Const(2).GlobalSet(guest.seen);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    CHECK(Call(module, "call", {0, 41}) == Returned({42}));
    CHECK(SeenOf(module) == 2);
    CHECK(Call(module, "call", {1, 41}) == Trapped(TrapCode::IndirectCallTypeMismatch));
    CHECK(SeenOf(module) == 1);
    CHECK(Call(module, "call", {2, 41}) == Trapped(TrapCode::UninitializedElement));
    CHECK(Call(module, "call", {3, 41}) == Trapped(TrapCode::UndefinedElement));
    CHECK(Call(module, "call", {0x80000000, 41}) == Trapped(TrapCode::UndefinedElement));
    CHECK(Call(module, "call", {0xFFFFFFFF, 41}) == Trapped(TrapCode::UndefinedElement));
  });
}
