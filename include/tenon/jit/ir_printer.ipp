// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of ir_printer.hpp.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_printer.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

class IrPrinter {
 public:
  explicit IrPrinter(const Function& function)
      : function_{function}, numbers_(function.instructions.size(), kNone) {}

  std::string Run() {
    std::uint32_t number = 0;
    ForEachInstruction([&](ValueId value) {
      if (function_[value].type != Type::None || IsCallOfMany(value)) numbers_[value] = number++;
    });
    for (const BlockId block : function_.order) Heading(block);
    return std::move(text_);
  }

 private:
  static constexpr std::string_view Name(Type type) {
    constexpr std::string_view kNames[] = {"none", "i32", "i64", "f32", "f64", "v128"};
    return kNames[static_cast<std::size_t>(type)];
  }

  template <class Visit>
  void ForEachInstruction(Visit visit) const {
    for (const BlockId block : function_.order) {
      for (ValueId value = function_.blocks[block].first; value != kNone;
           value = function_.next[value]) {
        visit(value);
      }
    }
  }

  /// Calls of several results have a number for those to name.
  bool IsCallOfMany(ValueId value) const {
    const ValueId behind = function_.next[value];
    return behind != kNone && function_[behind].opcode == IrOpcode::CallResult &&
           function_[behind].operands[0] == value;
  }

  template <class Number>
  void Append(Number number, int base = 10) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number, base);
    text_.append(digits, end.ptr);
  }
  void AppendHex(std::uint64_t bits, int digits) {
    text_ += "0x";
    for (int i = digits; i-- > 0;) text_ += "0123456789abcdef"[bits >> (4 * i) & 15];
  }

  void Heading(BlockId id) {
    const Block& block = function_.blocks[id];
    text_ += 'b';
    Append(id);
    if (block.is_loop_header) text_ += "(loop)";
    if (block.is_cold) text_ += "(cold)";
    for (std::size_t i = 0; i < block.predecessors.size(); ++i) {
      text_ += i == 0 ? " <- b" : ", b";
      Append(block.predecessors[i]);
    }
    text_ += ":\n";
    for (ValueId value = block.first; value != kNone; value = function_.next[value]) {
      text_ += "  ";
      Line(block, value);
      text_ += '\n';
    }
  }

  void Vector(std::uint64_t index) {
    text_ += "v128:";
    for (const std::uint8_t byte : function_.vectors[index].bytes) {
      text_ += "0123456789abcdef"[byte >> 4];
      text_ += "0123456789abcdef"[byte & 15];
    }
  }

  void Value(ValueId value) {
    const Instruction& instruction = function_[value];
    switch (instruction.opcode) {
      case IrOpcode::I32Const:
        return Append(static_cast<std::int32_t>(instruction.immediate));
      case IrOpcode::I64Const:
        return Append(static_cast<std::int64_t>(instruction.immediate));
      case IrOpcode::F32Const:
        text_ += "f32:";
        return AppendHex(instruction.immediate, 8);
      case IrOpcode::F64Const:
        text_ += "f64:";
        return AppendHex(instruction.immediate, 16);
      case IrOpcode::V128Const:
        return Vector(instruction.immediate);
      default:
        break;
    }
    text_ += 'v';
    if (numbers_[value] == kNone) {
      // Not in any block: the function is broken, and this shows it.
      text_ += "?";
      Append(value);
    } else {
      Append(numbers_[value]);
    }
  }

  void Successor(const Block& block, std::size_t index) {
    text_ += 'b';
    Append(block.successors[index]);
  }

  void Line(const Block& block, ValueId value) {
    const Instruction& instruction = function_[value];
    if (numbers_[value] != kNone) {
      Value(value);
      if (instruction.type != Type::None) {
        text_ += ':';
        text_ += Name(instruction.type);
      }
      text_ += " = ";
    }
    text_ += Text(instruction.opcode);
    Immediate(instruction);
    std::string_view separator = " ";
    const auto next = [&] {
      text_ += separator;
      separator = ", ";
    };
    if (HasList(instruction.opcode)) {
      const auto list = function_.List(instruction);
      for (std::size_t i = 0; i < list.size(); ++i) {
        next();
        if (instruction.opcode == IrOpcode::Phi) {
          text_ += 'b';
          Append(block.predecessors[i]);
          text_ += ':';
        }
        Value(list[i]);
      }
    } else {
      for (const ValueId operand : instruction.operands) {
        if (operand == kNone) continue;
        next();
        Value(operand);
      }
    }
    if (instruction.opcode == IrOpcode::Jump || instruction.opcode == IrOpcode::Branch) {
      for (std::size_t i = 0; i < block.successors.size(); ++i) {
        next();
        Successor(block, i);
      }
    } else if (instruction.opcode == IrOpcode::Switch) {
      for (const std::uint32_t target : function_.switches[instruction.immediate].targets) {
        next();
        Successor(block, target);
      }
    }
  }

  void Immediate(const Instruction& instruction) {
    const auto low = static_cast<std::uint32_t>(instruction.immediate);
    const auto high = static_cast<std::uint32_t>(instruction.immediate >> 32);
    const auto bracket = [&](auto number) {
      text_ += '[';
      Append(number);
      text_ += ']';
    };
    switch (instruction.opcode) {
      case IrOpcode::Parameter:
      case IrOpcode::LoadLocal:
      case IrOpcode::StoreLocal:
      case IrOpcode::CallResult:
      case IrOpcode::Trap:
      case IrOpcode::GlobalAddress:
      case IrOpcode::RefFunc:
      case IrOpcode::BoundsCheck:
      case IrOpcode::Call:
      case IrOpcode::TableGet:
      case IrOpcode::TableSet:
      case IrOpcode::TableSize:
      case IrOpcode::DataDrop:
      case IrOpcode::ElemDrop:
      case IrOpcode::TableGrow:
      case IrOpcode::TableFill:
        return bracket(instruction.immediate);
      case IrOpcode::CallIndirect:
      case IrOpcode::MemoryInit:
      case IrOpcode::TableInit:
      case IrOpcode::TableCopy:
        bracket(low);
        return bracket(high);
      case IrOpcode::I8x16Shuffle:
        text_ += '[';
        Vector(instruction.immediate);
        text_ += ']';
        return;
      default:
        break;
    }
    if (!IsWasm(instruction.opcode)) return;
    switch (wasm::Info(ToWasm(instruction.opcode)).immediate) {
      case wasm::Immediate::Lane:
        return bracket(low);
      case wasm::Immediate::MemoryLane:
        bracket(high);
        [[fallthrough]];
      case wasm::Immediate::Memory:
      case wasm::Immediate::Atomic:
        text_ += '[';
        Append(low);
        if ((instruction.flags & kInstructionChecked) != 0) text_ += " checked";
        text_ += ']';
        return;
      default:
        return;
    }
  }

  const Function& function_;
  std::vector<std::uint32_t> numbers_;
  std::string text_;
};

}  // namespace detail

TENON_DECL std::string PrintIr(const Function& function) {
  return detail::IrPrinter{function}.Run();
}

}  // namespace tenon::inline TENON_ABI::jit
