// SPDX-License-Identifier: Apache-2.0
/// @file
/// Modules at the limits of what is accepted: they compile in little memory and run right.
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kF64;
using guests::kI32;
using guests::kI64;
using guests::Opcode;
using guests::Signature;
using tenon::Value;
using tenon::ValueType;

namespace {

const Signature kUnary{{kI32}, {kI32}};

/// Results of "run" for a few arguments: those of the interpreter in every set-up. Compiling takes
/// at most `bytes_per_byte` of memory for each byte of the module, beside a few megabytes.
void RunEverywhere(const guests::Bytes& bytes, const std::vector<std::int32_t>& arguments,
                   std::uint64_t bytes_per_byte = 40) {
  std::vector<std::int64_t> expected;
  InEverySetup([&](const Setup& setup) {
    const Runtime runtime{setup.config};
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t before = ResidentBytes();
    const tenon::Module guest = runtime.Instantiate(bytes, kAnonymous);
    const std::uint64_t after = ResidentBytes();
    // Lazily returned memory and sanitizers aside.
    if (!kIsSanitized) {
      CHECK(after < before + bytes_per_byte * bytes.size() + (std::uint64_t{64} << 20));
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{60});
    }
    const auto run = guest.ExportedFunction<Unary>("run");
    std::vector<std::int64_t> results;
    for (const std::int32_t argument : arguments) {
      try {
        results.push_back(run(argument));
      } catch (const tenon::Trap& trap) {
        results.push_back((std::int64_t{1} << 40) + static_cast<std::int64_t>(trap.Code()));
      }
    }
    if (expected.empty()) expected = results;
    CHECK(results == expected);
  });
}

}  // namespace

TEST_CASE("a function of fifty thousand instructions and a thousand locals") {
  Guest guest;
  guest.Memory(1, 1);
  std::mt19937 random{7};
  constexpr std::uint32_t kLocals = 1000;
  std::vector<ValueType> locals(kLocals / 2, kI32);
  locals.insert(locals.end(), kLocals / 2, kI64);
  guest.Add(
      "run", kUnary,
      [&](CodeBuilder& code) {
        const auto local = [&] { return 1 + static_cast<std::uint32_t>(random() % (kLocals / 2)); };
        constexpr Opcode kOperations[] = {Opcode::I32Add, Opcode::I32Xor, Opcode::I32Mul,
                                          Opcode::I32Rotl, Opcode::I32ShrU};
        constexpr Opcode kWide[] = {Opcode::I64Add, Opcode::I64Xor, Opcode::I64Mul};
        for (int i = 0; i < 50'000 / 12; ++i) {
          code.LocalGet(local()).LocalGet(local()).Emit(kOperations[random() % 5]);
          code.LocalGet(0).Emit(kOperations[random() % 5]).LocalSet(local());
          code.LocalGet(kLocals / 2 + local()).LocalGet(local()).Emit(Opcode::I64ExtendI32U);
          code.Emit(kWide[random() % 3]).LocalSet(kLocals / 2 + local());
          if (i % 7 == 0) {
            code.LocalGet(local()).I32Const(1).Emit(Opcode::I32And).Begin(Opcode::If);
            code.LocalGet(local()).LocalSet(local()).End();
          }
          if (i % 11 == 0) {
            code.I32Const(static_cast<std::int32_t>(random() % 60000)).LocalGet(local());
            code.Memory(Opcode::I32Store);
          }
        }
        code.I32Const(0);
        for (std::uint32_t i = 1; i <= kLocals / 2; ++i) {
          code.LocalGet(i).Emit(Opcode::I32Xor);
          code.LocalGet(kLocals / 2 + i).Emit(Opcode::I32WrapI64).Emit(Opcode::I32Add);
        }
      },
      locals);
  RunEverywhere(guest.Build(), {0, 1, -1, 12345, 1 << 30});
}

TEST_CASE("a hundred thousand blocks, loops or conditions within one another") {
  for (const Opcode kind : {Opcode::Block, Opcode::Loop, Opcode::If}) {
    Guest guest;
    constexpr std::uint32_t kDepth = 100'000;
    guest.Add("run", kUnary, [&](CodeBuilder& code) {
      for (std::uint32_t i = 0; i < kDepth; ++i) {
        if (kind == Opcode::If) code.LocalGet(0);
        code.Begin(kind);
      }
      code.LocalGet(0).I32Const(5).Emit(Opcode::I32Add).LocalSet(0);
      if (kind != Opcode::Loop) code.LocalGet(0).I32Const(6).Emit(Opcode::I32Eq).BrIf(kDepth / 2);
      for (std::uint32_t i = 0; i < kDepth; ++i) {
        if (i % 64 == 0) code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add).LocalSet(0);
        code.End();
      }
      code.LocalGet(0);
    });
    // A condition of five bytes is three blocks of the compiler's, with an edge each.
    RunEverywhere(guest.Build(), {0, 1, 2}, kind == Opcode::If ? 600 : 60);
  }
}

TEST_CASE("a br_table of 65,000 entries, each with a place of its own or all with one") {
  for (const bool distinct : {false, true}) {
    Guest guest;
    constexpr std::uint32_t kEntries = 65'000;
    const std::uint32_t blocks = distinct ? 5'000 : 8;
    guest.Add("run", kUnary, [&](CodeBuilder& code) {
      for (std::uint32_t i = 0; i <= blocks; ++i) code.Begin(Opcode::Block);
      std::vector<std::uint32_t> labels;
      for (std::uint32_t i = 0; i < kEntries; ++i) labels.push_back(i * 7 % blocks);
      code.LocalGet(0).BrTable(labels, blocks);
      for (std::uint32_t i = 0; i < blocks; ++i) {
        code.End().I32Const(static_cast<std::int32_t>(i) * 3 + 1).Return();
      }
      code.End().I32Const(-1);
    });
    RunEverywhere(guest.Build(),
                  {0, 1, 2, 7, 8, 64'999, 65'000, 65'535, 65'536, -1, INT32_MIN, INT32_MAX});
  }
}

TEST_CASE("a thousand parameters and a thousand results go through every kind of call") {
  constexpr std::uint32_t kCount = 1000;
  std::vector<ValueType> types;
  constexpr ValueType kKinds[] = {kI32, kF64, kI64, ValueType::F32, ValueType::V128};
  for (std::uint32_t i = 0; i < kCount; ++i) types.push_back(kKinds[i % 5]);
  std::vector<ValueType> reversed(types.rbegin(), types.rend());
  const Signature type{types, reversed};
  Guest library;
  library.Add("reverse", type, [&](CodeBuilder& code) {
    for (std::uint32_t i = kCount; i-- != 0;) code.LocalGet(i);
  });
  const auto library_bytes = library.Build();
  Guest guest;
  const std::uint32_t imported = guest.AddImport("library", "reverse", type);
  const std::uint32_t by_slots = guest.AddImport("env", "reverse", type);
  const std::uint32_t own = guest.AddHidden("own", type, [&](CodeBuilder& code) {
    for (std::uint32_t i = kCount; i-- != 0;) code.LocalGet(i);
  });
  const std::uint32_t table = guest.Table(ValueType::FuncRef, 3);
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({own, imported, by_slots}));
  const auto add = [&](std::string_view name, auto call) {
    guest.Add(name, type, [&](CodeBuilder& code) {
      guests::GetAll(code, kCount);
      call(code);
    });
  };
  add("direct", [&](CodeBuilder& code) { code.Call(own); });
  add("import", [&](CodeBuilder& code) { code.Call(imported); });
  add("host", [&](CodeBuilder& code) { code.Call(by_slots); });
  for (std::int32_t i = 0; i < 3; ++i) {
    add("indirect" + std::to_string(i),
        [&](CodeBuilder& code) { code.I32Const(i).CallIndirect(guest.TypeOf(type), table); });
  }
  const auto bytes = guest.Build();
  InEverySetup([&](const Setup& setup) {
    const Runtime runtime{setup.config};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithHostFunction(
            [&](std::span<tenon::abi::Slot> slots) {
              std::vector<std::vector<tenon::abi::Slot>> values;
              std::size_t slot = 0;
              for (const ValueType value : types) {
                values.emplace_back();
                for (std::uint32_t i = 0; i < value.SlotCount(); ++i) {
                  values.back().push_back(slots[slot++]);
                }
              }
              slot = 0;
              for (auto value = values.rbegin(); value != values.rend(); ++value) {
                for (const tenon::abi::Slot half : *value) slots[slot++] = half;
              }
            },
            types, reversed)
        .Export("reverse")
        .Instantiate();
    runtime.Instantiate(library_bytes, ModuleConfig{}.WithName("library"));
    const tenon::Module module = runtime.Instantiate(bytes, kAnonymous);
    std::vector<tenon::abi::Slot> arguments;
    std::vector<tenon::abi::Slot> expected;
    for (std::uint32_t i = 0; i < kCount; ++i) {
      for (std::uint32_t half = 0; half < types[i].SlotCount(); ++half) {
        arguments.push_back(i * 1000 + half + 1);
      }
    }
    std::size_t end = arguments.size();
    for (std::uint32_t i = kCount; i-- != 0;) {
      end -= types[i].SlotCount();
      for (std::uint32_t half = 0; half < types[i].SlotCount(); ++half) {
        expected.push_back(arguments[end + half]);
      }
    }
    for (const char* name : {"direct", "import", "host", "indirect0", "indirect1", "indirect2"}) {
      INFO(name);
      for (int round = 0; round < 2; ++round) {
        auto slots = arguments;
        const auto error = module.ExportedFunction(name).TryCallWithStack(slots);
        REQUIRE(error == nullptr);
        REQUIRE(slots == expected);
      }
    }
  });
}

TEST_CASE("a hundred thousand tiny functions") {
  Guest guest;
  const std::uint32_t type = guest.TypeOf(kUnary);
  constexpr std::int32_t kCount = 100'000;
  std::uint32_t last = 0;
  for (std::int32_t i = 0; i < kCount; ++i) {
    last = guest.Function(type, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).I32Const(i).Emit(i % 2 == 0 ? Opcode::I32Add : Opcode::I32Xor);
      // Calls of the one before, so that not all is inlined to nothing; not too deep.
      if (i % 100 != 0) code.Call(last);
    });
  }
  guest.Add("run", kUnary, [&](CodeBuilder& code) { code.LocalGet(0).Call(last); });
  RunEverywhere(guest.Build(), {0, 1, 99});
}

TEST_CASE("fifty thousand locals, read and written in loops") {
  Guest guest;
  constexpr std::uint32_t kLocals = 49'000;
  guest.Add(
      "run", kUnary,
      [&](CodeBuilder& code) {
        code.Loop({}, [&](CodeBuilder& outer) {
          for (std::uint32_t i = 1; i < kLocals; i += 37) {
            outer.LocalGet(i).LocalGet(0).Emit(Opcode::I32Add).LocalSet(i + 1);
          }
          outer.Loop({}, [&](CodeBuilder& inner) {
            for (std::uint32_t i = 2; i < kLocals; i += 91) {
              inner.LocalGet(i).I32Const(3).Emit(Opcode::I32Add).LocalSet(i - 1);
            }
            inner.LocalGet(1).I32Const(20).Emit(Opcode::I32LtS).Emit(Opcode::Drop);
          });
          outer.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0);
          outer.I32Const(0).Emit(Opcode::I32GtS).BrIf(0);
        });
        code.LocalGet(1).LocalGet(kLocals - 5).Emit(Opcode::I32Add);
      },
      std::vector<ValueType>(kLocals, kI32));
  RunEverywhere(guest.Build(), {0, 1, 3});
}
