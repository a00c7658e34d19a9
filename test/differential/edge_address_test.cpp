// SPDX-License-Identifier: Apache-2.0
/// @file
/// Addresses: what is in the upper half of a register, large offsets, the last byte, sums that
/// wrap.
#include "edge_support.hpp"

using namespace differential::edge;

namespace {

constexpr std::uint32_t kSize = 65536;

/// An access and what it gives for the bytes F1 E2 D3 C4 B5 A6 97 88 79 6A 5B 4C 3D 2E 1F 80, of
/// which it reads the last ones.
struct Access {
  Opcode opcode;
  std::uint32_t bytes;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

constexpr std::array<std::uint8_t, 16> kEnd{0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88,
                                            0x79, 0x6A, 0x5B, 0x4C, 0x3D, 0x2E, 0x1F, 0x80};

const std::vector<Access> kLoads{
    {Opcode::I32Load, 4, 0x801F2E3D},
    {Opcode::I64Load, 8, 0x801F2E3D4C5B6A79},
    {Opcode::F32Load, 4, 0x801F2E3D},
    {Opcode::F64Load, 8, 0x801F2E3D4C5B6A79},
    {Opcode::I32Load8S, 1, 0xFFFFFF80},
    {Opcode::I32Load8U, 1, 0x80},
    {Opcode::I32Load16S, 2, 0xFFFF801F},
    {Opcode::I32Load16U, 2, 0x801F},
    {Opcode::I64Load8S, 1, 0xFFFFFFFFFFFFFF80},
    {Opcode::I64Load8U, 1, 0x80},
    {Opcode::I64Load16S, 2, 0xFFFFFFFFFFFF801F},
    {Opcode::I64Load16U, 2, 0x801F},
    {Opcode::I64Load32S, 4, 0xFFFFFFFF801F2E3D},
    {Opcode::I64Load32U, 4, 0x801F2E3D},
    {Opcode::V128Load, 16, 0x8897A6B5C4D3E2F1, 0x801F2E3D4C5B6A79},
    {Opcode::V128Load8x8S, 8, 0x004C005B006A0079, 0xFF80001F002E003D},
    {Opcode::V128Load8x8U, 8, 0x004C005B006A0079, 0x0080001F002E003D},
    {Opcode::V128Load16x4S, 8, 0x00004C5B00006A79, 0xFFFF801F00002E3D},
    {Opcode::V128Load16x4U, 8, 0x00004C5B00006A79, 0x0000801F00002E3D},
    {Opcode::V128Load32x2S, 8, 0x000000004C5B6A79, 0xFFFFFFFF801F2E3D},
    {Opcode::V128Load32x2U, 8, 0x000000004C5B6A79, 0x00000000801F2E3D},
    {Opcode::V128Load8Splat, 1, 0x8080808080808080, 0x8080808080808080},
    {Opcode::V128Load16Splat, 2, 0x801F801F801F801F, 0x801F801F801F801F},
    {Opcode::V128Load32Splat, 4, 0x801F2E3D801F2E3D, 0x801F2E3D801F2E3D},
    {Opcode::V128Load64Splat, 8, 0x801F2E3D4C5B6A79, 0x801F2E3D4C5B6A79},
    {Opcode::V128Load32Zero, 4, 0x801F2E3D, 0},
    {Opcode::V128Load64Zero, 8, 0x801F2E3D4C5B6A79, 0},
    {Opcode::V128Load8Lane, 1, 0x8000, 0},
    {Opcode::V128Load16Lane, 2, 0x801F0000, 0},
    {Opcode::V128Load32Lane, 4, 0x801F2E3D00000000, 0},
    {Opcode::V128Load64Lane, 8, 0, 0x801F2E3D4C5B6A79},
};

/// Stores of all bits set; V128 lane stores of lane 1.
const std::vector<Access> kStores{
    {Opcode::I32Store, 4},        {Opcode::I64Store, 8},        {Opcode::F32Store, 4},
    {Opcode::F64Store, 8},        {Opcode::I32Store8, 1},       {Opcode::I32Store16, 2},
    {Opcode::I64Store8, 1},       {Opcode::I64Store16, 2},      {Opcode::I64Store32, 4},
    {Opcode::V128Store, 16},      {Opcode::V128Store8Lane, 1},  {Opcode::V128Store16Lane, 2},
    {Opcode::V128Store32Lane, 4}, {Opcode::V128Store64Lane, 8},
};

ValueType ValueOf(Opcode opcode) {
  const std::string_view signature = tenon::wasm::Info(opcode).signature;
  const char code = signature.back() == ':' ? signature[1] : signature.back();
  return code == 'i' ? kI : code == 'l' ? kL : code == 'f' ? kF : code == 'd' ? kD : kV;
}

bool IsLane(Opcode opcode) {
  return tenon::wasm::Info(opcode).immediate == tenon::wasm::Immediate::MemoryLane;
}

void EmitAccess(CodeBuilder& code, Opcode opcode, std::uint64_t offset) {
  const MemoryArgument argument{MemoryArgument::kNaturalAlign, offset};
  if (IsLane(opcode)) {
    code.MemoryLane(opcode, argument, 1);
  } else {
    code.Memory(opcode, argument);
  }
}

void EmitOnes(CodeBuilder& code, ValueType type) {
  std::array<std::uint8_t, 16> ones{};
  ones.fill(0xFF);
  if (type == kI) code.I32Const(-1);
  if (type == kL) code.I64Const(-1);
  if (type == kF) code.F32ConstBits(0xFFFFFFFF);
  if (type == kD) code.F64ConstBits(UINT64_MAX);
  if (type == kV) code.V128Const(ones);
}

std::string NameOf(std::string_view way, Opcode opcode, std::uint64_t offset) {
  return std::string{way} + " " + std::string{tenon::wasm::Info(opcode).text} + " " +
         std::to_string(offset);
}

constexpr std::array<std::uint64_t, 7> kOffsets{0,          1,          0x1FFFFFF, 0x2000000,
                                                0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};

/// Ways in which an address comes to an access. Each exports functions (i32) -> ...
const std::vector<std::string_view> kWays{"argument", "result", "spill", "wrap", "local"};

/// Pushes parameter 0 as an i32 by one of kWays. `call` is (i32) -> i32 and gives its argument.
void EmitAddress(CodeBuilder& code, std::string_view way, std::uint32_t call,
                 std::uint32_t first_local) {
  if (way == "argument") code.LocalGet(0);
  if (way == "result") code.LocalGet(0).Call(call);
  if (way == "wrap") {
    code.LocalGet(0).Emit(Opcode::I64ExtendI32U).I64Const(static_cast<std::int64_t>(kJunk));
    code.Emit(Opcode::I64Or).Emit(Opcode::I32WrapI64);
  }
  if (way == "local") code.LocalGet(0).LocalSet(first_local).LocalGet(first_local);
  if (way == "spill") {
    // More values than registers, all alive across a call; the address is one of them.
    for (std::int32_t i = 0; i < 24; ++i) {
      code.LocalGet(0).I32Const(i).Emit(Opcode::I32Add);
    }
    code.I32Const(0).Call(call).Drop();
    for (int i = 0; i < 23; ++i) code.Drop();
  }
}

differential::Bytes AccessModule(std::span<const Access> accesses, bool stores,
                                 std::span<const std::uint64_t> offsets, std::uint64_t pages) {
  Guest guest;
  guest.Memory(pages);
  const std::uint32_t same = guest.AddHidden("same", {{kI}, {kI}}, [](CodeBuilder& code) {
    // Computed in 64 bits, so that the upper half is not zero by accident.
    code.LocalGet(0).Emit(Opcode::I64ExtendI32U).I64Const(static_cast<std::int64_t>(kJunk));
    code.Emit(Opcode::I64Add).Emit(Opcode::I32WrapI64);
  });
  for (const Access& access : accesses) {
    const ValueType value = ValueOf(access.opcode);
    for (const std::uint64_t offset : offsets) {
      for (const std::string_view way : kWays) {
        const tenon_test::guests::Signature type{
            {kI}, stores ? std::vector<ValueType>{} : std::vector<ValueType>{value}};
        guest.Add(NameOf(way, access.opcode, offset), type,
                  [&](CodeBuilder& code) {
                    EmitAddress(code, way, same, 1);
                    if (stores) {
                      EmitOnes(code, value);
                    } else if (IsLane(access.opcode)) {
                      code.V128Const({});
                    }
                    EmitAccess(code, access.opcode, offset);
                  },
                  {kI});
      }
    }
  }
  return guest.Build();
}

Answer Expected(const Access& access) {
  if (ValueOf(access.opcode) == kV) return Returned({access.low, access.high});
  return Returned({access.low});
}

void WriteEnd(tenon::Memory memory) { REQUIRE(memory.Write(memory.Size() - 16, kEnd)); }

}  // namespace

TEST_CASE("loads reach the last byte and not one further, whatever the upper half holds") {
  const differential::Bytes bytes = AccessModule(kLoads, false, kOffsets, 1);
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    WriteEnd(module.DefaultMemory());
    for (const Access& access : kLoads) {
      for (const std::string_view way : kWays) {
        for (const std::uint64_t offset : {0u, 1u}) {
          const std::string name = NameOf(way, access.opcode, offset);
          INFO(name);
          const std::uint64_t last = kSize - access.bytes - offset;
          CHECK(Call(module, name, {last}) == Expected(access));
          const Answer out = Trapped(TrapCode::OutOfBoundsMemoryAccess);
          CHECK(Call(module, name, {last + 1}) == out);
          CHECK(Call(module, name, {kSize - 1}) ==
                (access.bytes + offset == 1 ? Expected(access) : out));
          CHECK(Call(module, name, {kSize}) == out);
          CHECK(Call(module, name, {0x7FFFFFFF}) == out);
          CHECK(Call(module, name, {0x80000000}) == out);
          CHECK(Call(module, name, {0xFFFFFFFF}) == out);
        }
      }
    }
  });
}

TEST_CASE("effective addresses have 33 bits") {
  for (const bool stores : {false, true}) {
    const std::vector<Access>& accesses = stores ? kStores : kLoads;
    const differential::Bytes bytes = AccessModule(accesses, stores, kOffsets, 1);
    InEveryConfiguration([&](const tenon::Runtime& runtime) {
      const tenon::Module module = runtime.Instantiate(bytes);
      for (const Access& access : accesses) {
        for (const std::string_view way : kWays) {
          for (const std::uint64_t offset : kOffsets) {
            if (offset < 2) continue;
            const std::string name = NameOf(way, access.opcode, offset);
            INFO(name);
            // Sums of address and offset that would be small in 32 bits are among them.
            for (const std::uint64_t address :
                 {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x7FFFFFFF},
                  std::uint64_t{0x80000000}, std::uint64_t{0x80000010}, std::uint64_t{0xFFFFFFFF},
                  (0x100000000 - offset) & 0xFFFFFFFF, (0x100000008 - offset) & 0xFFFFFFFF}) {
              CHECK(Call(module, name, {address}) == Trapped(TrapCode::OutOfBoundsMemoryAccess));
            }
          }
        }
      }
    });
  }
}

TEST_CASE("stores reach the last byte; one that does not fit writes nothing") {
  const differential::Bytes bytes = AccessModule(kStores, true, kOffsets, 1);
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    tenon::Memory memory = module.DefaultMemory();
    for (const Access& access : kStores) {
      for (const std::string_view way : kWays) {
        const std::string name = NameOf(way, access.opcode, 0);
        INFO(name);
        WriteEnd(memory);
        for (std::uint32_t past = 1; past <= access.bytes; ++past) {
          CHECK(Call(module, name, {kSize - access.bytes + past}) ==
                Trapped(TrapCode::OutOfBoundsMemoryAccess));
        }
        CHECK(*memory.ReadUint64Le(kSize - 16) == 0x8897A6B5C4D3E2F1);
        CHECK(*memory.ReadUint64Le(kSize - 8) == 0x801F2E3D4C5B6A79);
        CHECK(Call(module, name, {kSize - access.bytes}) == Returned({}));
        for (std::uint32_t i = 0; i < 16; ++i) {
          const bool is_written = i >= 16 - access.bytes;
          CHECK(*memory.ReadByte(kSize - 16 + i) == (is_written ? 0xFF : kEnd[i]));
        }
      }
    }
  });
}

TEST_CASE("offsets of 2 GiB and 4 GiB reach a memory of that size") {
  const std::array<std::uint64_t, 4> offsets{0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
  const differential::Bytes bytes = AccessModule(kLoads, false, offsets, 65536);
  for (const differential::Configuration& configuration : differential::AvailableConfigurations()) {
    INFO(configuration.Text());
    const tenon::Runtime runtime{
        differential::RuntimeConfigOf(configuration).WithMemoryLimitPages(65536)};
    tenon::Module module;
    try {
      module = runtime.Instantiate(bytes);
    } catch (const tenon::LinkError& error) {
      WARN("this machine has no room for a memory of 4 GiB: " << error.what());
      return;
    }
    WriteEnd(module.DefaultMemory());
    for (const Access& access : kLoads) {
      for (const std::string_view way : kWays) {
        for (const std::uint64_t offset : offsets) {
          const std::string name = NameOf(way, access.opcode, offset);
          INFO(name);
          const std::uint64_t last = 0x100000000 - access.bytes;
          if (offset > last) {
            CHECK(Call(module, name, {0}) == Trapped(TrapCode::OutOfBoundsMemoryAccess));
            continue;
          }
          CHECK(Call(module, name, {last - offset}) == Expected(access));
          if (last - offset < 0xFFFFFFFF) {
            CHECK(Call(module, name, {last - offset + 1}) ==
                  Trapped(TrapCode::OutOfBoundsMemoryAccess));
          }
        }
      }
    }
  }
}

TEST_CASE("sums and shifts in addresses wrap before the offset is added") {
  Guest guest;
  guest.Memory(1);
  const auto load = [&](std::string_view name, std::vector<ValueType> parameters, auto&& address) {
    guest.Add(name, {std::move(parameters), {kI}}, [&](CodeBuilder& code) {
      address(code);
      code.Memory(Opcode::I32Load, {MemoryArgument::kNaturalAlign, 4});
    });
  };
  load("minus 8", {kI},
       [](CodeBuilder& code) { code.LocalGet(0).I32Const(-8).Emit(Opcode::I32Add); });
  load("plus 2 GiB", {kI},
       [](CodeBuilder& code) { code.LocalGet(0).I32Const(INT32_MIN).Emit(Opcode::I32Add); });
  load("sum", {kI, kI},
       [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  load("difference", {kI, kI},
       [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Sub); });
  load("times 8", {kI},
       [](CodeBuilder& code) { code.LocalGet(0).I32Const(3).Emit(Opcode::I32Shl); });
  load("product", {kI},
       [](CodeBuilder& code) { code.LocalGet(0).I32Const(9).Emit(Opcode::I32Mul); });
  load("base and index", {kI, kI}, [](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).I32Const(2).Emit(Opcode::I32Shl).Emit(Opcode::I32Add);
    code.I32Const(-16).Emit(Opcode::I32Add);
  });
  load("extended", {kI}, [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32Extend8S); });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    tenon::Memory memory = module.DefaultMemory();
    REQUIRE(memory.WriteUint32Le(4, 0xAAAA0004));
    REQUIRE(memory.WriteUint32Le(12, 0xAAAA000C));
    REQUIRE(memory.WriteUint32Le(20, 0xAAAA0014));
    const Answer out = Trapped(TrapCode::OutOfBoundsMemoryAccess);
    const Answer at_4 = Returned({0xAAAA0004}), at_12 = Returned({0xAAAA000C}),
                 at_20 = Returned({0xAAAA0014});
    CHECK(Call(module, "minus 8", {8}) == at_4);
    CHECK(Call(module, "minus 8", {16}) == at_12);
    CHECK(Call(module, "minus 8", {4}) == out);  // 0xFFFFFFFC + 4 is 2^32, not 0
    CHECK(Call(module, "minus 8", {0}) == out);
    CHECK(Call(module, "plus 2 GiB", {0x80000000}) == at_4);
    CHECK(Call(module, "plus 2 GiB", {0x80000010}) == at_20);
    CHECK(Call(module, "plus 2 GiB", {0}) == out);
    CHECK(Call(module, "sum", {0xFFFFFFF0, 0x10}) == at_4);
    CHECK(Call(module, "sum", {0x80000008, 0x80000000}) == at_12);
    CHECK(Call(module, "sum", {0xFFFFFFFF, 0xFFFFFFFF}) == out);
    CHECK(Call(module, "sum", {0xFFFFFFFF, 0}) == out);
    CHECK(Call(module, "difference", {8, 8}) == at_4);
    CHECK(Call(module, "difference", {0, 0xFFFFFFF8}) == at_12);
    CHECK(Call(module, "difference", {0, 1}) == out);
    CHECK(Call(module, "times 8", {0x20000000}) == at_4);
    CHECK(Call(module, "times 8", {0xE0000001}) == at_12);
    CHECK(Call(module, "times 8", {0x80000002}) == at_20);
    CHECK(Call(module, "times 8", {0x10000000}) == out);
    // 9 times it is 2^33 + 1: bytes 5 to 8.
    CHECK(Call(module, "product", {0x38E38E39}) == Returned({0x00AAAA00}));
    CHECK(Call(module, "product", {0}) == at_4);
    CHECK(Call(module, "base and index", {16, 0x40000000}) == at_4);
    CHECK(Call(module, "base and index", {0xFFFFFFFC, 7}) == at_12);
    CHECK(Call(module, "base and index", {0, 3}) == out);
    CHECK(Call(module, "extended", {0xFFFFFF08}) == at_12);
    CHECK(Call(module, "extended", {0x80}) == out);
  });
}
