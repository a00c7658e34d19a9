// SPDX-License-Identifier: Apache-2.0
/// @file
/// The modules whose code is compared with the recorded one. They are part of the record: who
/// changes one writes it anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <tenon/read_file.hpp>
#include <tenon/wasm/opcode.hpp>

#include "../support/guests.hpp"
#include "../support/guests_memory.hpp"
#include "../support/guests_types.hpp"

namespace tenon_test::corpus {

using guests::Bytes;
using guests::Guest;
using guests::kF32;
using guests::kF64;
using guests::kI32;
using guests::kI64;
using guests::Opcode;
using guests::Signature;
using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::Immediate;
using tenon::wasm::OpcodeInfo;

struct CorpusModule {
  std::string name;
  Bytes bytes;
};

inline ValueType TypeOfLetter(char letter) {
  switch (letter) {
    case 'l':
      return kI64;
    case 'f':
      return kF32;
    case 'd':
      return kF64;
    case 'v':
      return ValueType::V128;
    default:
      return kI32;
  }
}

/// Whether EmitInstruction knows how to.
inline bool IsPlain(const OpcodeInfo& info) {
  return info.IsValid() && info.signature != "*" &&
         (info.immediate == Immediate::None || info.immediate == Immediate::Memory ||
          info.immediate == Immediate::Lane || info.immediate == Immediate::MemoryLane) &&
         tenon::CoreFeatures::V2().IsEnabled(info.feature);
}

inline void EmitInstruction(CodeBuilder& code, const OpcodeInfo& info) {
  const auto lane = static_cast<std::uint8_t>(info.LaneCount() - 1);
  switch (info.immediate) {
    case Immediate::Memory:
      code.Memory(info.opcode, {.offset = 24});
      break;
    case Immediate::Lane:
      code.Lane(info.opcode, lane);
      break;
    case Immediate::MemoryLane:
      code.MemoryLane(info.opcode, {.offset = 40}, lane);
      break;
    default:
      code.Emit(info.opcode);
      break;
  }
}

inline void EmitConstant(CodeBuilder& code, ValueType type) {
  if (type == kI64) {
    code.I64Const(-5);
  } else if (type == kF32) {
    code.F32Const(1.5f);
  } else if (type == kF64) {
    code.F64Const(-0.25);
  } else if (type == kI32) {
    code.I32Const(7);
  } else {
    code.V128Const({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  }
}

inline void EmitLoad(CodeBuilder& code, ValueType type) {
  code.LocalGet(0);
  code.Memory(type == kI64   ? Opcode::I64Load
              : type == kF32 ? Opcode::F32Load
              : type == kF64 ? Opcode::F64Load
              : type == kI32 ? Opcode::I32Load
                             : Opcode::V128Load);
}

/// Each instruction that takes nothing but operands, on parameters, on a constant, on a value from
/// memory, and before a branch; all of that `copies` times.
inline Bytes EveryInstruction(int copies = 1) {
  Guest guest;
  guest.Memory(1);
  for (int copy = 0; copy < copies; ++copy) {
    for (std::uint32_t number = 0; number < tenon::wasm::kOpcodeLimit; ++number) {
      const OpcodeInfo& info = tenon::wasm::FindOpcode(number);
      if (!IsPlain(info)) continue;
      const std::size_t colon = info.signature.find(':');
      Signature type;
      for (const char letter : info.signature.substr(0, colon)) {
        type.parameters.push_back(TypeOfLetter(letter));
      }
      for (const char letter : info.signature.substr(colon + 1)) {
        type.results.push_back(TypeOfLetter(letter));
      }
      const std::string name = std::to_string(copy) + " " + std::string{info.text};
      const auto count = static_cast<std::uint32_t>(type.parameters.size());
      guest.Add(name, type, [&](CodeBuilder& code) {
        guests::GetAll(code, count);
        EmitInstruction(code, info);
      });
      if (count == 0) continue;
      // All but the last operand are parameters behind an address.
      Signature behind_address = type;
      behind_address.parameters.pop_back();
      behind_address.parameters.insert(behind_address.parameters.begin(), kI32);
      const auto operands = [&](CodeBuilder& code, auto emit_last) {
        for (std::uint32_t i = 1; i < count; ++i) code.LocalGet(i);
        emit_last(code, type.parameters.back());
        EmitInstruction(code, info);
      };
      guest.AddHidden(name + " constant", behind_address,
                      [&](CodeBuilder& code) { operands(code, EmitConstant); });
      guest.AddHidden(name + " loaded", behind_address,
                      [&](CodeBuilder& code) { operands(code, EmitLoad); });
      if (type.results != std::vector<ValueType>{kI32}) continue;
      guest.AddHidden(name + " branch", {type.parameters, {kI64}}, [&](CodeBuilder& code) {
        guests::GetAll(code, count);
        EmitInstruction(code, info);
        code.If(
            kI64, [](CodeBuilder& then) { then.I64Const(3); },
            [](CodeBuilder& otherwise) { otherwise.I64Const(1LL << 40); });
      });
    }
  }
  return guest.Build();
}

/// Functions of numbers only, that need tables of jumps and constants, and call each other:
/// "pick"(i32) -> i32, "mix"(f64) -> f64, "lanes"(i32) -> i32, "both"(i32) -> i32.
inline Bytes Positions() {
  Guest guest;
  const std::uint32_t pick = guest.Add("pick", {{kI32}, {kI32}}, [](CodeBuilder& code) {
    constexpr std::uint32_t kTargets = 12;
    std::vector<std::uint32_t> labels;
    for (std::uint32_t i = 0; i < kTargets; ++i) labels.push_back(i);
    for (std::uint32_t i = 0; i <= kTargets; ++i) code.Begin(Opcode::Block);
    code.LocalGet(0).BrTable(labels, kTargets);
    for (std::uint32_t i = 0; i < kTargets; ++i) {
      code.End().I32Const(static_cast<std::int32_t>(1000 + i * i)).Return();
    }
    code.End().I32Const(-1);
  });
  guest.Add("mix", {{kF64}, {kF64}}, [](CodeBuilder& code) {
    code.LocalGet(0).F64Const(1.25).Emit(Opcode::F64Mul).F64Const(1e100).Emit(Opcode::F64Min);
    code.Emit(Opcode::F64Neg).F64Const(0.5).Emit(Opcode::F64Add).Emit(Opcode::F64Abs);
  });
  const std::uint32_t lanes = guest.Add("lanes", {{kI32}, {kI32}}, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32x4Splat);
    code.V128Const({1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}).Emit(Opcode::I32x4Mul);
    code.V128Const({}).Shuffle({8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19});
    code.Lane(Opcode::I32x4ExtractLane, 0);
  });
  guest.Add("both", {{kI32}, {kI32}}, [&](CodeBuilder& code) {
    code.LocalGet(0).Call(pick).LocalGet(0).Call(lanes).Emit(Opcode::I32Add);
  });
  return guest.Build();
}

/// Control flow, calls with many parameters and results, and more values than registers.
inline Bytes Shapes() {
  Guest guest;
  guest.Memory(1);
  const std::uint32_t table = guest.Table(ValueType::FuncRef, 4);
  Signature wide;
  for (int i = 0; i < 5; ++i) {
    for (const ValueType type : {kI32, kI64, kF32, kF64, ValueType::V128}) {
      wide.parameters.push_back(type);
      wide.results.push_back(type);
    }
  }
  const auto count = static_cast<std::uint32_t>(wide.parameters.size());
  const std::uint32_t rotate = guest.Add("rotate", wide, [&](CodeBuilder& code) {
    for (std::uint32_t i = 0; i < count; ++i) code.LocalGet((i + 5) % count);
  });
  guest.Add("rotate_twice", wide, [&](CodeBuilder& code) {
    guests::GetAll(code, count);
    code.Call(rotate).Call(rotate);
  });
  guest.Add("indirect", {{kI32, kI32}, {kI32}}, [&](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).CallIndirect(guest.TypeOf({{kI32}, {kI32}}), table);
  });
  guest.Add("factorial", {{kI32}, {kI32}}, [&](CodeBuilder& code) {
    code.LocalGet(0).If(
        kI32,
        [&](CodeBuilder& then) {
          then.LocalGet(0).LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).Call(2 + 1);
          then.Emit(Opcode::I32Mul);
        },
        [](CodeBuilder& otherwise) { otherwise.I32Const(1); });
  });
  guest.Add("sum", {{kI32, kI32}, {kI64}},
            [](CodeBuilder& code) {
              code.Loop({}, [](CodeBuilder& loop) {
                loop.LocalGet(2).LocalGet(0).Memory(Opcode::I64Load32S).LocalGet(0);
                loop.Memory(Opcode::I64Load8U, {.offset = 4}).Emit(Opcode::I64Add);
                loop.Emit(Opcode::I64Add).LocalSet(2);
                loop.LocalGet(0).I32Const(8).Emit(Opcode::I32Add).LocalTee(0);
                loop.LocalGet(1).Emit(Opcode::I32LtU).BrIf(0);
              });
              code.LocalGet(2);
            },
            {kI64});
  // All values live at once, across a call.
  guest.Add("pressure", {{kI32}, {kI32}}, [&](CodeBuilder& code) {
    constexpr std::int32_t kValues = 40;
    for (std::int32_t i = 1; i <= kValues; ++i) {
      code.LocalGet(0).I32Const(i * 3).Emit(i % 2 == 0 ? Opcode::I32Xor : Opcode::I32Mul);
    }
    code.LocalGet(0).Call(3);
    for (std::int32_t i = 0; i < kValues; ++i) code.Emit(Opcode::I32Add);
  });
  return guest.Build();
}

/// The folder of the project: $TENON_SOURCE_ROOT, or the next one above the current folder; "" if
/// neither is it.
inline std::string SourceRoot() {
  const auto is_root = [](const std::string& folder) {
    return access((folder + "/docs/examples/quickstart/guest.wasm").c_str(), R_OK) == 0;
  };
  if (const char* const named = std::getenv("TENON_SOURCE_ROOT"); named != nullptr) return named;
  std::string folder = ".";
  for (int level = 0; level < 6; ++level, folder += "/..") {
    if (is_root(folder)) return folder;
  }
  return {};
}

/// The whole corpus.
inline std::vector<CorpusModule> Modules(const std::string& root) {
  std::vector<CorpusModule> modules{
      {"every_instruction", EveryInstruction()},
      {"positions", Positions()},
      {"shapes", Shapes()},
      {"arithmetic", guests::Arithmetic()},
      {"loops", guests::Loops()},
      {"reentrant", guests::Reentrant("env", "up")},
      {"memory", guests::MemoryUser({})},
      {"imported_memory", guests::MemoryUser({1, 2, guests::Import{"env", "memory"}})},
      {"tables", guests::TablesWithMemory()},
      {"globals", guests::Globals()},
      {"simd", guests::Simd()},
      {"references", guests::References()},
      {"nan", guests::Nan()},
      {"bulk", guests::NeedsBulkMemory()},
      {"starts", guests::Starts()},
      {"only_imports", guests::Reexport("env", "add")},
  };
  for (const char* const example :
       {"host_exception", "memory", "multiple_results", "multiple_runtimes", "quickstart",
        "typed_handles", "wasi_hello"}) {
    modules.push_back({std::string{"examples/"} + example,
                       tenon::ReadFile(root + "/docs/examples/" + example + "/guest.wasm")});
  }
  return modules;
}

}  // namespace tenon_test::corpus
