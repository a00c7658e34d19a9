// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests with memories, tables and globals. Included by guests.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guests.hpp"

namespace tenon_test::guests {

/// Limits in pages, and where the memory comes from; its own if nowhere.
struct MemoryOptions {
  std::uint32_t minimum = 1;
  std::optional<std::uint32_t> maximum;
  std::optional<Import> import = std::nullopt;
};

/// A memory, exported as "memory", with "size", "grow", "load8", "load32", "store32" and
/// "grow_then_load"(address): grows by one page and loads 32 bits in the same function.
inline Bytes MemoryUser(const MemoryOptions& options) {
  Guest guest;
  const tenon::wasm::MemoryType type{LimitsOf(options.minimum, options.maximum)};
  const std::uint32_t memory =
      options.import ? guest.ImportMemory(options.import->module, options.import->name, type)
                     : guest.Memory(type);
  guest.Export("memory", Kind::Memory, memory);
  guest.Add("size", {{}, {kI32}}, [](CodeBuilder& code) { code.MemorySize(); });
  guest.Add("grow", {{kI32}, {kI32}}, [](CodeBuilder& code) { code.LocalGet(0).MemoryGrow(); });
  guest.Add("load8", {{kI32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::I32Load8U); });
  guest.Add("load32", {{kI32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Memory(Opcode::I32Load); });
  guest.Add("store32", {{kI32, kI32}, {}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Memory(Opcode::I32Store); });
  guest.Add("grow_then_load", {{kI32}, {kI32}}, [](CodeBuilder& code) {
    code.I32Const(1).MemoryGrow().Drop().LocalGet(0).Memory(Opcode::I32Load);
  });
  return guest.Build();
}

/// A memory of one page that is not exported.
inline Bytes HiddenMemory() {
  Guest guest;
  guest.Memory(1);
  return guest.Build();
}

/// Imports a function () -> (); "run" stores 1 at 0, calls it, and returns 32 bits from 0.
inline Bytes CallsThenLoads(std::string_view module, std::string_view name) {
  Guest guest;
  const std::uint32_t import = guest.AddImport(module, name, {});
  guest.Memory(1);
  guest.Add("run", {{}, {kI32}}, [&](CodeBuilder& code) {
    code.I32Const(0).I32Const(1).Memory(Opcode::I32Store);
    code.Call(import).I32Const(0).Memory(Opcode::I32Load);
  });
  return guest.Build();
}

using Segments = std::vector<std::pair<std::int32_t, std::string>>;

/// Imports `module`.memory and writes the segments into it.
inline Bytes DataSegments(std::string_view module, const Segments& segments) {
  Guest guest;
  guest.ImportMemory(module, "memory", {LimitsOf(1, std::nullopt)});
  for (const auto& [offset, text] : segments) {
    guest.ActiveData(ConstantExpression::I32(offset), std::string_view{text});
  }
  return guest.Build();
}

/// DataSegments that also imports a function `module`.missing.
inline Bytes DataSegmentsAndMissingImport(std::string_view module, const Segments& segments) {
  Guest guest;
  guest.AddImport(module, "missing", {});
  guest.ImportMemory(module, "memory", {LimitsOf(1, std::nullopt)});
  for (const auto& [offset, text] : segments) {
    guest.ActiveData(ConstantExpression::I32(offset), std::string_view{text});
  }
  return guest.Build();
}

/// Adds "call"(i32) -> i32, which calls element i of table 0 as () -> i32.
inline void AddTableCall(Guest& guest) {
  const std::uint32_t type = guest.TypeOf({{}, {kI32}});
  guest.Add("call", {{kI32}, {kI32}},
            [&](CodeBuilder& code) { code.LocalGet(0).CallIndirect(type); });
}

/// Adds the parts of Tables.
inline void AddTables(Guest& guest) {
  guest.NameModule("guest");
  const std::uint32_t table = guest.Table(ValueType::FuncRef, 4, 8);
  guest.Export("table", Kind::Table, table);
  const Signature type{{}, {kI32}};
  const std::uint32_t one = guest.Add("one", type, [](CodeBuilder& code) { code.I32Const(1); });
  const std::uint32_t two = guest.Add("two", type, [](CodeBuilder& code) { code.I32Const(2); });
  const std::uint32_t other = guest.AddHidden("other", {{kI32}, {}}, [](CodeBuilder&) {});
  guest.ActiveElement(table, ConstantExpression::I32(0),
                      ElementItems::Functions({one, two, other}));
  AddTableCall(guest);
  guest.Add("size", type, [](CodeBuilder& code) { code.TableSize(0); });
  guest.Add("grow", {{kI32}, {kI32}}, [](CodeBuilder& code) {
    code.RefNull(tenon::HeapType::Func).LocalGet(0).TableGrow(0);
  });
}

/// Module "guest" with a table of 4 to 8 functions, "table": "one", "two", one of type (i32), null.
/// "call", "size" and "grow" use it.
inline Bytes Tables() {
  Guest guest;
  AddTables(guest);
  return guest.Build();
}

/// Tables with a memory of one page, for counting what is alive.
inline Bytes TablesWithMemory() {
  Guest guest;
  AddTables(guest);
  guest.Memory(1, 1);
  return guest.Build();
}

struct ImportsTableOptions {
  std::string module = "owner";
  std::int32_t offset = 0;
  std::uint32_t count = 1;  ///< elements of the first segment
  std::optional<std::int32_t> second_offset = std::nullopt;
  bool start_traps = false;
};

/// Imports `module`.table and writes its function "three" into it at `offset`.
inline Bytes ImportsTable(const ImportsTableOptions& options) {
  Guest guest;
  const std::uint32_t table =
      guest.ImportTable(options.module, "table", {ValueType::FuncRef, LimitsOf(0, std::nullopt)});
  guest.Export("table", Kind::Table, table);
  const std::uint32_t three =
      guest.Add("three", {{}, {kI32}}, [](CodeBuilder& code) { code.I32Const(3); });
  const std::vector<std::uint32_t> functions(options.count, three);
  guest.ActiveElement(table, ConstantExpression::I32(options.offset),
                      ElementItems::Functions(functions));
  if (options.second_offset) {
    guest.ActiveElement(table, ConstantExpression::I32(*options.second_offset),
                        ElementItems::Functions({three}));
  }
  AddTableCall(guest);
  if (options.start_traps) {
    guest.Start(guest.AddHidden("start", {}, [](CodeBuilder& code) { code.Unreachable(); }));
  }
  return guest.Build();
}

/// Imports a table and does nothing with it.
inline Bytes OnlyImportsTable(std::string_view module, std::string_view name, ValueType element,
                              std::uint32_t minimum, std::optional<std::uint32_t> maximum) {
  Guest guest;
  guest.ImportTable(module, name, {element, LimitsOf(minimum, maximum)});
  return guest.Build();
}

/// A table with this minimum.
inline Bytes HugeTable(std::uint32_t minimum) {
  Guest guest;
  guest.Table(ValueType::FuncRef, minimum);
  return guest.Build();
}

/// Globals of all types, named by type: "i32" (42), "i64" (-5), "f32" (1.5), "f64" (2.5), and
/// mutable "mutable_i32" (7), "mutable_v128" (bytes 0 to 15), "mutable_extern" and "mutable_func"
/// (null). "get" and "set" are of mutable_i32, "get_v128" of mutable_v128.
inline Bytes Globals() {
  Guest guest;
  std::array<std::uint8_t, 16> bytes{};
  for (std::uint8_t i = 0; i < 16; ++i) bytes[i] = i;
  const auto add = [&](std::string_view name, ValueType type, bool is_mutable,
                       const ConstantExpression& value) {
    const std::uint32_t global = guest.Global({type, is_mutable}, value);
    guest.Export(name, Kind::Global, global);
    return global;
  };
  add("i32", kI32, false, ConstantExpression::I32(42));
  add("i64", kI64, false, ConstantExpression::I64(-5));
  add("f32", kF32, false, ConstantExpression::F32(1.5f));
  add("f64", kF64, false, ConstantExpression::F64(2.5));
  const std::uint32_t number = add("mutable_i32", kI32, true, ConstantExpression::I32(7));
  const std::uint32_t vector =
      add("mutable_v128", ValueType::V128, true, ConstantExpression::V128(bytes));
  add("mutable_extern", ValueType::ExternRef, true,
      ConstantExpression::RefNull(tenon::HeapType::Extern));
  add("mutable_func", ValueType::FuncRef, true, ConstantExpression::RefNull(tenon::HeapType::Func));
  guest.Add("get", {{}, {kI32}}, [&](CodeBuilder& code) { code.GlobalGet(number); });
  guest.Add("set", {{kI32}, {}}, [&](CodeBuilder& code) { code.LocalGet(0).GlobalSet(number); });
  guest.Add("get_v128", {{}, {ValueType::V128}},
            [&](CodeBuilder& code) { code.GlobalGet(vector); });
  return guest.Build();
}

/// Imports a global and exports it again as "global". "get" reads it, "set" (if mutable) writes it;
/// an immutable one also initialises the global "copy".
inline Bytes ImportsGlobal(std::string_view module, std::string_view name, ValueType type,
                           bool is_mutable) {
  Guest guest;
  const std::uint32_t global = guest.ImportGlobal(module, name, {type, is_mutable});
  guest.Export("global", Kind::Global, global);
  guest.Add("get", {{}, {type}}, [&](CodeBuilder& code) { code.GlobalGet(global); });
  if (is_mutable) {
    guest.Add("set", {{type}, {}}, [&](CodeBuilder& code) { code.LocalGet(0).GlobalSet(global); });
  } else {
    const std::uint32_t copy = guest.Global({type, false}, ConstantExpression::GlobalGet(global));
    guest.Export("copy", Kind::Global, copy);
  }
  return guest.Build();
}

}  // namespace tenon_test::guests
