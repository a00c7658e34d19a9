// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guest modules for the tests of the runtime API. Each says in text form what it is made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/wasm/module_builder.hpp>

namespace tenon_test::guests {

using Bytes = std::vector<std::uint8_t>;
using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::ElementItems;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;
using Kind = tenon::ExternKind;

inline constexpr ValueType kI32 = ValueType::I32, kI64 = ValueType::I64, kF32 = ValueType::F32,
                           kF64 = ValueType::F64;

/// A function type.
struct Signature {
  std::vector<ValueType> parameters;
  std::vector<ValueType> results;
};

/// Where an import comes from.
struct Import {
  std::string module;
  std::string name;
};

/// A module builder with a shorthand for exported, named functions.
class Guest : public ModuleBuilder {
 public:
  std::uint32_t TypeOf(const Signature& type) { return Type(type.parameters, type.results); }

  /// A function that is exported and named `name`.
  template <class Body>
  std::uint32_t Add(std::string_view name, const Signature& type, Body&& body,
                    const std::vector<ValueType>& locals = {}) {
    const std::uint32_t function = Function(TypeOf(type), locals, std::forward<Body>(body));
    NameFunction(function, name);
    Export(name, Kind::Func, function);
    return function;
  }
  /// A function that is named but not exported.
  template <class Body>
  std::uint32_t AddHidden(std::string_view name, const Signature& type, Body&& body) {
    const std::uint32_t function =
        Function(TypeOf(type), std::vector<ValueType>{}, std::forward<Body>(body));
    NameFunction(function, name);
    return function;
  }
  std::uint32_t AddImport(std::string_view module, std::string_view name, const Signature& type) {
    const std::uint32_t function = ImportFunction(module, name, TypeOf(type));
    NameFunction(function, name);
    return function;
  }
};

inline tenon::wasm::Limits LimitsOf(std::uint64_t minimum, std::optional<std::uint64_t> maximum) {
  tenon::wasm::Limits limits;
  limits.minimum = minimum;
  limits.maximum = maximum.value_or(0);
  limits.has_maximum = maximum.has_value();
  return limits;
}

/// Pushes all parameters.
inline void GetAll(CodeBuilder& code, std::size_t count) {
  for (std::uint32_t i = 0; i < count; ++i) code.LocalGet(i);
}

/// (module)
inline Bytes Empty() { return ModuleBuilder{}.Build(); }

/// Imports a function; "run" of the same type passes its parameters to it and returns its results.
/// With a memory of one page, "memory", if asked for.
inline Bytes Forwarder(std::string_view module, std::string_view name, const Signature& type,
                       bool with_memory = false) {
  Guest guest;
  const std::uint32_t import = guest.AddImport(module, name, type);
  guest.Add("run", type, [&](CodeBuilder& code) {
    GetAll(code, type.parameters.size());
    code.Call(import);
  });
  if (with_memory) guest.Export("memory", Kind::Memory, guest.Memory(1, 1));
  return guest.Build();
}

/// Imports two functions () -> i32; "first" and "second" call them.
inline Bytes TwoImports(const Import& first, const Import& second) {
  Guest guest;
  const Signature type{{}, {kI32}};
  const std::uint32_t one = guest.AddImport(first.module, first.name, type);
  const std::uint32_t two = guest.AddImport(second.module, second.name, type);
  guest.Add("first", type, [&](CodeBuilder& code) { code.Call(one); });
  guest.Add("second", type, [&](CodeBuilder& code) { code.Call(two); });
  return guest.Build();
}

/// Imports env.`name` of type (i32, i32) -> i32 and exports it again under the same name.
inline Bytes Reexport(std::string_view module, std::string_view name) {
  Guest guest;
  guest.Export(name, Kind::Func, guest.AddImport(module, name, {{kI32, kI32}, {kI32}}));
  return guest.Build();
}

/// Module "guest": functions of numbers, several results, and traps ("deep_trap" calls "middle",
/// which is not exported and calls "trap").
inline Bytes Arithmetic() {
  Guest guest;
  guest.NameModule("guest");
  const auto binary = [&](std::string_view name, ValueType type, Opcode opcode) {
    return guest.Add(name, {{type, type}, {type}},
                     [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(opcode); });
  };
  const std::uint32_t add = binary("add", kI32, Opcode::I32Add);
  guest.NameLocal(add, 0, "x");
  guest.NameLocal(add, 1, "y");
  binary("add64", kI64, Opcode::I64Add);
  binary("addf", kF32, Opcode::F32Add);
  binary("addd", kF64, Opcode::F64Add);
  binary("divide", kI32, Opcode::I32DivS);
  guest.Add("truncate", {{kF32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32TruncF32S); });
  guest.Add("swap", {{kI32, kI64}, {kI64, kI32}},
            [](CodeBuilder& code) { code.LocalGet(1).LocalGet(0); });
  guest.Add("triple", {{kI32}, {kI32, kI32, kI32}}, [](CodeBuilder& code) {
    for (std::int32_t i = 1; i <= 3; ++i) code.LocalGet(0).I32Const(i).Emit(Opcode::I32Mul);
  });
  guest.Add("nothing", {}, [](CodeBuilder&) {});
  const std::uint32_t trap = guest.Add("trap", {}, [](CodeBuilder& code) { code.Unreachable(); });
  const std::uint32_t middle =
      guest.AddHidden("middle", {}, [&](CodeBuilder& code) { code.Call(trap); });
  guest.Add("deep_trap", {}, [&](CodeBuilder& code) { code.Call(middle); });
  return guest.Build();
}

/// (global "count" (mut i32)) (func "increment" (result i32)): adds 1 and returns the count.
inline Bytes Counter() {
  Guest guest;
  const std::uint32_t count = guest.Global({kI32, true}, ConstantExpression::I32(0));
  guest.Export("count", Kind::Global, count);
  guest.Add("increment", {{}, {kI32}}, [&](CodeBuilder& code) {
    code.GlobalGet(count).I32Const(1).Emit(Opcode::I32Add).GlobalSet(count).GlobalGet(count);
  });
  return guest.Build();
}

/// Module "guest": "fib"(i32), endless "spin", "spin_br_table" and "spin_calls" (calls without
/// loops, for ages), and "recurse", which counts its depth in the global "depth".
inline Bytes Loops() {
  Guest guest;
  guest.NameModule("guest");
  const Signature unary{{kI32}, {kI32}};
  const std::uint32_t fib = guest.DeclareFunction(guest.TypeOf(unary));
  guest.NameFunction(fib, "fib");
  guest.Export("fib", Kind::Func, fib);
  guest.DefineFunction(fib, {}, [&](CodeBuilder& code) {
    code.LocalGet(0).I32Const(2).Emit(Opcode::I32LtU);
    code.If(
        kI32, [](CodeBuilder& then) { then.LocalGet(0); },
        [&](CodeBuilder& otherwise) {
          otherwise.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).Call(fib);
          otherwise.LocalGet(0).I32Const(2).Emit(Opcode::I32Sub).Call(fib);
          otherwise.Emit(Opcode::I32Add);
        });
  });
  const std::uint32_t depth = guest.Global({kI32, true}, ConstantExpression::I32(0));
  guest.Export("depth", Kind::Global, depth);
  const std::uint32_t recurse = guest.DeclareFunction(guest.TypeOf(unary));
  guest.NameFunction(recurse, "recurse");
  guest.Export("recurse", Kind::Func, recurse);
  guest.DefineFunction(recurse, {}, [&](CodeBuilder& code) {
    code.GlobalGet(depth).I32Const(1).Emit(Opcode::I32Add).GlobalSet(depth);
    code.LocalGet(0).Call(recurse).I32Const(1).Emit(Opcode::I32Add);
  });
  guest.Add("spin", {},
            [](CodeBuilder& code) { code.Loop({}, [](CodeBuilder& loop) { loop.Br(0); }); });
  guest.Add("spin_br_table", {}, [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& loop) { loop.I32Const(0).BrTable({0}, 0); });
  });
  guest.Add("spin_calls", {}, [&](CodeBuilder& code) { code.I32Const(60).Call(fib).Drop(); });
  return guest.Build();
}

/// Imports `module`.`name` (i32) -> i32 at the bottom of "outer" -> "middle" -> "inner" -> import.
/// Globals "entered" and "left" count how often "outer" began and ended.
inline Bytes Deep(std::string_view module, std::string_view name) {
  Guest guest;
  const Signature type{{kI32}, {kI32}};
  const std::uint32_t import = guest.AddImport(module, name, type);
  const std::uint32_t entered = guest.Global({kI32, true}, ConstantExpression::I32(0));
  const std::uint32_t left = guest.Global({kI32, true}, ConstantExpression::I32(0));
  guest.Export("entered", Kind::Global, entered);
  guest.Export("left", Kind::Global, left);
  const auto count = [](CodeBuilder& code, std::uint32_t global) {
    code.GlobalGet(global).I32Const(1).Emit(Opcode::I32Add).GlobalSet(global);
  };
  const auto calls = [&](std::uint32_t function) {
    return [function](CodeBuilder& code) { code.LocalGet(0).Call(function); };
  };
  const std::uint32_t inner = guest.AddHidden("inner", type, calls(import));
  const std::uint32_t middle = guest.AddHidden("middle", type, calls(inner));
  guest.Add("outer", type, [&](CodeBuilder& code) {
    count(code, entered);
    code.LocalGet(0).Call(middle);
    count(code, left);
  });
  return guest.Build();
}

/// Module "guest" imports `module`.`name` (i32) -> i32. "down"(n) is 0 for n = 0, else
/// import(n) + 1; "trap" is unreachable.
inline Bytes Reentrant(std::string_view module, std::string_view name) {
  Guest guest;
  guest.NameModule("guest");
  const Signature type{{kI32}, {kI32}};
  const std::uint32_t up = guest.AddImport(module, name, type);
  guest.Add("down", type, [&](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32Eqz);
    code.If(
        kI32, [](CodeBuilder& then) { then.I32Const(0); },
        [&](CodeBuilder& otherwise) {
          otherwise.LocalGet(0).Call(up).I32Const(1).Emit(Opcode::I32Add);
        });
  });
  guest.Add("trap", {}, [](CodeBuilder& code) { code.Unreachable(); });
  return guest.Build();
}

/// Imports two functions (i32) -> i32. "run" calls the outer, "callback" the inner one;
/// "run_then_inner" calls both and adds.
inline Bytes Nested(std::string_view module, std::string_view outer, std::string_view inner) {
  Guest guest;
  const Signature type{{kI32}, {kI32}};
  const std::uint32_t outer_import = guest.AddImport(module, outer, type);
  const std::uint32_t inner_import = guest.AddImport(module, inner, type);
  guest.Add("run", type, [&](CodeBuilder& code) { code.LocalGet(0).Call(outer_import); });
  guest.Add("callback", type, [&](CodeBuilder& code) { code.LocalGet(0).Call(inner_import); });
  guest.Add("run_then_inner", type, [&](CodeBuilder& code) {
    code.LocalGet(0).Call(outer_import).LocalGet(0).Call(inner_import).Emit(Opcode::I32Add);
  });
  return guest.Build();
}

/// Imports a function () -> (); "run" calls it and then spins for ever.
inline Bytes CallsThenSpins(std::string_view module, std::string_view name) {
  Guest guest;
  const std::uint32_t import = guest.AddImport(module, name, {});
  guest.Add("run", {}, [&](CodeBuilder& code) {
    code.Call(import);
    code.Loop({}, [](CodeBuilder& loop) { loop.Br(0); });
  });
  return guest.Build();
}

/// Imports a function (i32) -> i32. "run"(n) spins for ever for n = 0, else returns import(n);
/// "spin_in"(n) spins for ever.
inline Bytes CallsOrSpins(std::string_view module, std::string_view name) {
  Guest guest;
  const Signature type{{kI32}, {kI32}};
  const std::uint32_t import = guest.AddImport(module, name, type);
  const auto spin = [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& loop) { loop.Br(0); }).Unreachable();
  };
  guest.Add("run", type, [&](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32Eqz);
    code.If({}, spin);
    code.LocalGet(0).Call(import);
  });
  guest.Add("spin_in", type, spin);
  return guest.Build();
}

/// Imports env.step (i32) -> i32; "run" calls it. "answer" is 42.
inline Bytes StepAndAnswer() {
  Guest guest;
  const Signature type{{kI32}, {kI32}};
  const std::uint32_t step = guest.AddImport("env", "step", type);
  guest.Add("run", type, [&](CodeBuilder& code) { code.LocalGet(0).Call(step); });
  guest.Add("answer", {{}, {kI32}}, [](CodeBuilder& code) { code.I32Const(42); });
  return guest.Build();
}

/// `count` functions () -> i32 that return their index; the last is exported as "last".
inline Bytes ManyFunctions(std::int32_t count) {
  Guest guest;
  std::uint32_t function = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    function = guest.Function(guest.TypeOf({{}, {kI32}}), {}, [&](CodeBuilder& code) {
      code.Block(kI32, [&](CodeBuilder& block) {
        block.I32Const(i).I32Const(i).BrIf(0).Drop().I32Const(0);
      });
    });
  }
  guest.Export("last", Kind::Func, function);
  return guest.Build();
}

/// Start section and "_start", "a", "b" call env.log(i32) with 0, 1, 2, 3.
inline Bytes Starts() {
  Guest guest;
  const std::uint32_t log = guest.AddImport("env", "log", {{kI32}, {}});
  const auto logs = [&](std::int32_t value) {
    return [log, value](CodeBuilder& code) { code.I32Const(value).Call(log); };
  };
  guest.Start(guest.AddHidden("start", {}, logs(0)));
  guest.Add("_start", {}, logs(1));
  guest.Add("a", {}, logs(2));
  guest.Add("b", {}, logs(3));
  return guest.Build();
}

/// The start function is unreachable.
inline Bytes StartTraps() {
  Guest guest;
  guest.Start(guest.AddHidden("start", {}, [](CodeBuilder& code) { code.Unreachable(); }));
  return guest.Build();
}

/// The start function copies the byte 'x' from a data segment to the global "seen".
inline Bytes StartReadsData() {
  Guest guest;
  guest.Memory(1);
  guest.ActiveData(ConstantExpression::I32(5), "x");
  const std::uint32_t seen = guest.Global({kI32, true}, ConstantExpression::I32(0));
  guest.Export("seen", Kind::Global, seen);
  guest.Start(guest.AddHidden("start", {}, [&](CodeBuilder& code) {
    code.I32Const(5).Memory(Opcode::I32Load8U).GlobalSet(seen);
  }));
  return guest.Build();
}

}  // namespace tenon_test::guests

#include "guests_memory.hpp"
#include "guests_types.hpp"
