// SPDX-License-Identifier: Apache-2.0
/// @file
/// Makes the body of one function of a generated module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenon/wasm/module_builder.hpp>

#include "choices.hpp"
#include "generator.hpp"
#include "operations.hpp"

namespace differential {

/// A type that functions and blocks of the module have.
struct BlockSignature {
  Signature type;
  std::uint32_t index = 0;
};
struct CallableFunction {
  std::uint32_t index = 0;
  std::uint32_t type_index = 0;
  Signature type;
  bool is_leaf = false;  ///< calls nothing
};
struct GlobalInfo {
  std::uint32_t index = 0;
  tenon::wasm::GlobalType type;
};
struct TableInfo {
  tenon::ValueType element;
  std::uint32_t size = 0;
  /// Functions that its elements hold at first; kNoFunction: null.
  std::vector<std::uint32_t> functions;
};
struct ElementInfo {
  tenon::ValueType type;
  std::uint32_t size = 0;
};

inline constexpr std::uint32_t kNoFunction = 0xFFFFFFFF;

/// How much of what.
struct Weights {
  std::array<std::uint8_t, 7> types{};  ///< of values, in the order of kAllTypes
  std::uint32_t budget = 0;             ///< instructions a function, about
  std::uint32_t locals = 0;
  std::uint32_t nesting = 0;  ///< blocks in blocks
  std::uint32_t depth = 0;    ///< operands of operands
  std::uint32_t functions = 0;
  std::uint32_t blocks = 0;  ///< chances in a hundred
  std::uint32_t calls = 0;
  std::uint32_t pressure = 0;
  std::uint32_t stores = 0;
  std::uint32_t tables = 0;
};

/// What the functions of a module have in common.
struct ModulePlan {
  GeneratorOptions options;
  Weights weights;
  std::vector<BlockSignature> signatures;
  std::vector<CallableFunction> functions;  ///< imports first
  std::vector<GlobalInfo> globals;
  std::vector<TableInfo> tables;
  std::vector<ElementInfo> elements;
  std::uint32_t data_segments = 0;
  std::uint32_t data_size = 0;  ///< of each segment
  std::uint32_t memory_pages = 0;
  bool has_memory64 = false;       ///< memory's addresses are i64
  bool has_shared_memory = false;  ///< so that waiting is no trap
  std::uint32_t fuel = 0;          ///< index of the global
  std::uint32_t checksum = 0;      ///< index of the global
  /// Chance in a thousand that an instruction that can trap is left unguarded.
  std::uint32_t risk = 0;
  bool fuel_traps = false;
};

inline constexpr std::array<tenon::ValueType, 7> kAllTypes{
    tenon::ValueType::I32,      tenon::ValueType::I64,  tenon::ValueType::F32,
    tenon::ValueType::F64,      tenon::ValueType::V128, tenon::ValueType::FuncRef,
    tenon::ValueType::ExternRef};

tenon::ValueType PickType(Choices& choices, const Weights& weights);

class FunctionGenerator {
 public:
  FunctionGenerator(Choices& choices, const ModulePlan& plan, const CallableFunction& function);

  void Generate();

  const tenon::wasm::CodeBuilder& Code() const { return code_; }
  /// Without the parameters.
  std::vector<tenon::ValueType> Locals() const;

 private:
  using ValueType = tenon::ValueType;
  using Opcode = tenon::wasm::Opcode;
  using Types = std::vector<ValueType>;

  struct Label {
    Types types;
    bool is_target = true;
  };

  // function_expressions.cpp: instructions that leave one value.
  void Expression(ValueType type);
  void ExpressionOf(ValueType type);
  void ReferenceExpression(ValueType type);
  void Leaf(ValueType type);
  void Constant(ValueType type);
  void Get(ValueType type);
  void GlobalGet(ValueType type);
  void AlignAtomic(std::uint32_t bytes);
  void Atomic(const Operation& operation);
  void Operate(const Operation& operation, bool keeps_nan = false);
  void Operand(const Operation& operation, std::size_t index);
  void Divisor(const Operation& operation);
  void TruncationOperand(const Operation& operation);
  void SelectExpression(ValueType type);
  void Condition();
  void PressureExpression(ValueType type);
  void SizeExpression();
  void GrowExpression();
  /// Of an i64 pages or -1, to an i32 that tells all of it.
  void NarrowPages();
  bool CallExpression(ValueType type);
  void BlockExpression(ValueType type);
  void Address(std::uint32_t bytes, std::uint64_t offset);
  void Address32(std::uint32_t bytes, std::uint32_t offset);
  void Address64(std::uint32_t bytes, std::uint64_t offset);
  std::uint64_t Offset();
  void CanonicalScalar(ValueType type);
  void CanonicalVector(Lanes lanes);
  bool IsRisky() { return plan_.risk != 0 && choices_.Below(1000) >= 1000 - plan_.risk; }

  // function_statements.cpp: instructions that leave nothing.
  void Statements();
  void Statement();
  void Assignment();
  void StoreStatement();
  void BlockStatement();
  void BranchStatement();
  void TableBranch();
  void CallStatement();
  void BulkMemoryStatement();
  void TableStatement();
  void SwapStatement();
  void TrapStatement();
  void LeaveStatement();
  void CountedLoop();
  void Block(Opcode opcode, const BlockSignature& signature);
  void BlockBody(const Types& on_stack, const Types& results, bool checks_fuel);
  void FuelCheck();
  void LeaveFunction();
  /// Results that are constants.
  void FixedResults();
  /// An i32 that is made of a parameter in an instruction or two.
  void EarlyCondition();
  void Observe();
  void Call(const CallableFunction& function);
  bool CallThroughTable(const CallableFunction& function);
  /// Takes values of these types from the stack, the last first.
  void Consume(const Types& types);
  void ConsumeTop(ValueType type);
  void Expressions(const Types& types);

  std::uint32_t FindLocal(ValueType type, bool is_written);
  std::uint32_t AddLocal(ValueType type);
  std::uint32_t Scratch(ValueType type);
  /// A label to branch to, from the innermost; kNoFunction if there is none.
  std::uint32_t FindLabel();
  const Types& LabelTypes(std::uint32_t label) const {
    return labels_[labels_.size() - 1 - label].types;
  }

  Choices& choices_;
  const ModulePlan& plan_;
  const CallableFunction& function_;
  tenon::wasm::CodeBuilder code_;
  Types locals_;              // parameters too
  std::size_t writable_ = 0;  // locals below are for everybody
  std::vector<std::uint32_t> readable_counters_;
  std::array<std::uint32_t, 3> scratch_;
  std::vector<Label> labels_;
  std::int64_t budget_ = 0;
  std::uint32_t depth_ = 0;
  bool in_counted_loop_ = false;
};

}  // namespace differential
