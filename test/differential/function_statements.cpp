// SPDX-License-Identifier: Apache-2.0
/// @file
/// Generated instructions that leave nothing, and the frame of a function.
#include <algorithm>
#include <bit>

#include "function_generator.hpp"

namespace differential {

namespace {

/// Elements of tables below this are what call_indirect counts on.
constexpr std::uint32_t kFirstFreeElement = 6;

}  // namespace

tenon::ValueType PickType(Choices& choices, const Weights& weights) {
  std::size_t sum = 0;
  for (const std::uint8_t weight : weights.types) sum += weight;
  std::size_t at = choices.Below(sum);
  for (std::size_t i = 0; i < kAllTypes.size(); ++i) {
    if (at < weights.types[i]) return kAllTypes[i];
    at -= weights.types[i];
  }
  return tenon::ValueType::I32;
}

FunctionGenerator::FunctionGenerator(Choices& choices, const ModulePlan& plan,
                                     const CallableFunction& function)
    : choices_{choices}, plan_{plan}, function_{function}, locals_{function.type.parameters} {
  scratch_.fill(kNoFunction);
}

std::vector<tenon::ValueType> FunctionGenerator::Locals() const {
  return {locals_.begin() + static_cast<std::ptrdiff_t>(function_.type.parameters.size()),
          locals_.end()};
}

std::uint32_t FunctionGenerator::AddLocal(ValueType type) {
  locals_.push_back(type);
  return static_cast<std::uint32_t>(locals_.size() - 1);
}

std::uint32_t FunctionGenerator::Scratch(ValueType type) {
  std::uint32_t& local = scratch_[type == ValueType::F32 ? 0 : type == ValueType::F64 ? 1 : 2];
  if (local == kNoFunction) local = AddLocal(type);
  return local;
}

std::uint32_t FunctionGenerator::FindLocal(ValueType type, bool is_written) {
  if (writable_ == 0) return kNoFunction;
  const std::size_t first = choices_.Below(writable_);
  // Written locals are few, so that something reads what was written.
  const std::size_t count = is_written ? std::min<std::size_t>(writable_, 64) : writable_;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t local = (first + i) % writable_;
    if (locals_[local] == type) return static_cast<std::uint32_t>(local);
  }
  return kNoFunction;
}

std::uint32_t FunctionGenerator::FindLabel() {
  const std::size_t first = choices_.Below(labels_.size());
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    const std::size_t depth = (first + i) % labels_.size();
    if (labels_[labels_.size() - 1 - depth].is_target) return static_cast<std::uint32_t>(depth);
  }
  return kNoFunction;
}

void FunctionGenerator::Generate() {
  const std::size_t count = choices_.Below(plan_.weights.locals + 1);
  for (std::size_t i = 0; i < count; ++i) AddLocal(PickType(choices_, plan_.weights));
  writable_ = locals_.size();
  budget_ = static_cast<std::int64_t>(plan_.weights.budget / 4 +
                                      choices_.Below(plan_.weights.budget + 1));
  if (function_.is_leaf) budget_ /= 4;
  labels_.push_back({function_.type.results, true});
  // Compilers treat functions that return at once on their own.
  for (std::size_t i = choices_.Chance(30) ? 1 + choices_.Below(3) : 0; i > 0; --i) {
    EarlyCondition();
    code_.Begin(Opcode::If);
    FixedResults();
    code_.Return().End();
  }
  const bool is_conditional = choices_.Chance(20);
  if (is_conditional) {
    EarlyCondition();
    code_.Begin(Opcode::If);
    labels_.push_back({{}, true});
  }
  if (!function_.is_leaf) FuelCheck();
  Statements();
  if (choices_.Chance(60)) Observe();
  if (!is_conditional) return Expressions(function_.type.results);
  labels_.pop_back();
  code_.End();
  FixedResults();
}

void FunctionGenerator::EarlyCondition() {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < function_.type.parameters.size(); ++i) {
    if (function_.type.parameters[i].IsNumber()) numbers.push_back(i);
  }
  if (numbers.empty()) {
    code_.GlobalGet(plan_.fuel).I32Const(3).Emit(Opcode::I32And);
    return;
  }
  const std::uint32_t parameter = choices_.Pick(numbers);
  const ValueType type = function_.type.parameters[parameter];
  code_.LocalGet(parameter);
  if (type == ValueType::I32) {
    const std::size_t form = choices_.Below(3);
    if (form == 1) code_.Emit(Opcode::I32Eqz);
    if (form == 2) code_.I32Const(2).Emit(Opcode::I32LtS);
  } else if (type == ValueType::I64) {
    code_.I64Const(2).Emit(choices_.Chance(50) ? Opcode::I64LtU : Opcode::I64GtS);
  } else if (type == ValueType::F32) {
    code_.F32Const(1).Emit(choices_.Chance(50) ? Opcode::F32Lt : Opcode::F32Ne);
  } else {
    code_.F64Const(1).Emit(choices_.Chance(50) ? Opcode::F64Ge : Opcode::F64Eq);
  }
}

void FunctionGenerator::FuelCheck() {
  code_.GlobalGet(plan_.fuel).I32Const(1).Emit(Opcode::I32Sub).GlobalSet(plan_.fuel);
  code_.GlobalGet(plan_.fuel).I32Const(0).Emit(Opcode::I32LtS);
  code_.Begin(Opcode::If);
  LeaveFunction();
  code_.End();
}

void FunctionGenerator::LeaveFunction() {
  if (plan_.fuel_traps) {
    code_.Unreachable();
    return;
  }
  FixedResults();
  code_.Return();
}

void FunctionGenerator::FixedResults() {
  for (const ValueType type : function_.type.results) {
    if (type.IsReference()) {
      code_.RefNull(type.Heap());
    } else if (type == ValueType::I32) {
      code_.I32Const(-1);
    } else if (type == ValueType::I64) {
      code_.I64Const(-2);
    } else if (type == ValueType::F32) {
      code_.F32Const(-3);
    } else if (type == ValueType::F64) {
      code_.F64Const(-4);
    } else {
      code_.V128Const({5, 4, 3, 2, 1});
    }
  }
}

void FunctionGenerator::Observe() {
  // What no result shows would be lost.
  std::size_t shown = 0;
  for (std::uint32_t local = 0; local < writable_ && shown < 10; ++local) {
    const ValueType type = locals_[local];
    if (type.IsReference()) continue;
    ++shown;
    code_.GlobalGet(plan_.checksum).I64Const(static_cast<std::int64_t>(5 + local));
    code_.Emit(Opcode::I64Rotl).LocalGet(local);
    if (type == ValueType::I32) {
      code_.Emit(Opcode::I64ExtendI32U);
    } else if (type == ValueType::F32) {
      CanonicalScalar(type);
      code_.Emit(Opcode::I32ReinterpretF32).Emit(Opcode::I64ExtendI32U);
    } else if (type == ValueType::F64) {
      CanonicalScalar(type);
      code_.Emit(Opcode::I64ReinterpretF64);
    } else if (type.IsVector()) {
      code_.Lane(Opcode::I64x2ExtractLane, 0).LocalGet(local);
      code_.Lane(Opcode::I64x2ExtractLane, 1).Emit(Opcode::I64Sub);
    }
    code_.Emit(Opcode::I64Xor).GlobalSet(plan_.checksum);
  }
}

void FunctionGenerator::Statements() {
  while (budget_ > 0) {
    const std::size_t mark = choices_.Mark();
    const bool goes_on = choices_.Chance(plan_.weights.budget > 500 ? 98 : 88);
    if (goes_on) Statement();
    choices_.Note(mark);
    if (!goes_on) break;
  }
}

void FunctionGenerator::Statement() {
  --budget_;
  const Weights& weights = plan_.weights;
  if (choices_.Chance(weights.stores)) return StoreStatement();
  if (choices_.Chance(weights.blocks)) return BlockStatement();
  if (choices_.Chance(weights.calls)) return CallStatement();
  if (choices_.Chance(weights.tables)) return TableStatement();
  switch (choices_.Below(16)) {
    case 0:
      code_.Emit(Opcode::Nop);
      return;
    case 1:
      return BranchStatement();
    case 2:
      return TableBranch();
    case 3:
      return SwapStatement();
    case 4:
      return BulkMemoryStatement();
    case 5:
      return LeaveStatement();
    case 6:
      return TrapStatement();
    case 7:
      return CountedLoop();
    case 8:
      return StoreStatement();
    case 9: {
      const ValueType type = PickType(choices_, weights);
      Expression(type);
      code_.Drop();
      return;
    }
    default:
      return Assignment();
  }
}

void FunctionGenerator::Assignment() {
  const ValueType type = PickType(choices_, plan_.weights);
  if (choices_.Chance(15)) {
    for (const GlobalInfo& global : plan_.globals) {
      if (global.type.type != type || !global.type.is_mutable || choices_.Below(2) != 0) continue;
      if (global.index == plan_.fuel || global.index == plan_.checksum) continue;
      Expression(type);
      code_.GlobalSet(global.index);
      return;
    }
  }
  Expression(type);
  ConsumeTop(type);
}

void FunctionGenerator::StoreStatement() { Operate(choices_.Pick(Stores())); }

void FunctionGenerator::Block(Opcode opcode, const BlockSignature& signature) {
  const Types& parameters = signature.type.parameters;
  const Types& results = signature.type.results;
  Expressions(parameters);
  if (opcode == Opcode::If) Condition();
  const bool is_simple = parameters.empty() && results.size() < 2 && choices_.Chance(70);
  tenon::wasm::BlockType type = tenon::wasm::BlockType::Index(signature.index);
  if (is_simple) type = results.empty() ? tenon::wasm::BlockType{} : results[0];
  code_.Begin(opcode, type);
  labels_.push_back({opcode == Opcode::Loop ? parameters : results, true});
  BlockBody(parameters, results, opcode == Opcode::Loop);
  if (opcode == Opcode::If && (parameters != results || choices_.Chance(60))) {
    code_.Emit(Opcode::Else);
    BlockBody(parameters, results, false);
  }
  labels_.pop_back();
  code_.End();
}

void FunctionGenerator::BlockBody(const Types& on_stack, const Types& results, bool is_loop) {
  if (is_loop) FuelCheck();
  const bool waits = choices_.Chance(35);  // the parameters lie under what the body does
  if (!waits) Consume(on_stack);
  Statements();
  if (waits && on_stack == results && choices_.Chance(60)) return;
  if (waits) Consume(on_stack);
  if (is_loop && choices_.Chance(70)) {
    Expressions(on_stack);
    Condition();
    code_.BrIf(0);
    if (on_stack == results && choices_.Chance(50)) return;
    Consume(on_stack);
  }
  if (choices_.Chance(8)) {
    const std::uint32_t label = FindLabel();
    if (label != kNoFunction) {
      Expressions(LabelTypes(label));
      code_.Br(label);
      // Unreachable code must be skipped as well.
      if (choices_.Chance(50)) return;
    }
  }
  Expressions(results);
}

void FunctionGenerator::BlockStatement() {
  if (labels_.size() > plan_.weights.nesting) return Assignment();
  const BlockSignature& signature = choices_.Pick(plan_.signatures);
  constexpr std::array kKinds{Opcode::Block, Opcode::If, Opcode::Loop};
  Block(choices_.Pick(kKinds), signature);
  Consume(signature.type.results);
}

void FunctionGenerator::CountedLoop() {
  if (in_counted_loop_ || labels_.size() > plan_.weights.nesting) return Assignment();
  in_counted_loop_ = true;
  // A count that nothing else writes, as compilers make them.
  const std::uint32_t counter = AddLocal(ValueType::I32);
  const auto trips = static_cast<std::int32_t>(1 + choices_.Below(7));
  const auto step = static_cast<std::int32_t>(1 + choices_.Below(3));
  code_.I32Const(trips * step).LocalSet(counter);
  const bool is_tested_first = choices_.Chance(40);
  if (is_tested_first) {
    code_.Begin(Opcode::Block);
    labels_.push_back({{}, true});
    Condition();
    code_.BrIf(0);
  }
  code_.Begin(Opcode::Loop);
  labels_.push_back({{}, false});
  readable_counters_.push_back(counter);
  Statements();
  readable_counters_.pop_back();
  code_.LocalGet(counter).I32Const(step).Emit(Opcode::I32Sub).LocalTee(counter);
  if (choices_.Chance(50)) code_.I32Const(0).Emit(Opcode::I32GtS);
  code_.BrIf(0);
  labels_.pop_back();
  code_.End();
  if (is_tested_first) {
    labels_.pop_back();
    code_.End();
  }
  in_counted_loop_ = false;
}

void FunctionGenerator::BranchStatement() {
  const std::uint32_t label = FindLabel();
  if (label == kNoFunction) return;
  Expressions(LabelTypes(label));
  Condition();
  code_.BrIf(label);
  Consume(LabelTypes(label));
}

void FunctionGenerator::TableBranch() {
  const std::uint32_t label = FindLabel();
  if (label == kNoFunction) return;
  const Types types = LabelTypes(label);
  Condition();
  code_.Begin(Opcode::If);
  labels_.push_back({{}, true});
  std::vector<std::uint32_t> targets;
  for (std::uint32_t depth = 0; depth < labels_.size(); ++depth) {
    if (labels_[labels_.size() - 1 - depth].is_target && LabelTypes(depth) == types) {
      targets.push_back(depth);
    }
  }
  Expressions(types);
  Expression(ValueType::I32);
  if (choices_.Chance(70)) code_.I32Const(7).Emit(Opcode::I32And);
  std::vector<std::uint32_t> table;
  const std::size_t count = choices_.Below(choices_.Chance(3) ? 200 : 9);
  for (std::size_t i = 0; i < count; ++i) table.push_back(choices_.Pick(targets));
  code_.BrTable(table, choices_.Pick(targets));
  labels_.pop_back();
  code_.End();
}

void FunctionGenerator::LeaveStatement() {
  Condition();
  code_.Begin(Opcode::If);
  labels_.push_back({{}, true});
  if (choices_.Chance(60)) {
    const std::uint32_t label = FindLabel();
    if (label != kNoFunction) {
      Expressions(LabelTypes(label));
      code_.Br(label);
    }
  } else {
    Expressions(function_.type.results);
    code_.Return();
  }
  labels_.pop_back();
  code_.End();
}

void FunctionGenerator::TrapStatement() {
  Condition();
  if (!IsRisky()) code_.Emit(Opcode::I32Eqz).I32Const(-1).Emit(Opcode::I32GtS).Emit(Opcode::I32Eqz);
  code_.Begin(Opcode::If);
  code_.Unreachable();
  code_.End();
}

void FunctionGenerator::SwapStatement() {
  // Locals that change places are parallel moves at the next branch.
  const ValueType type = PickType(choices_, plan_.weights);
  const std::size_t count = 2 + choices_.Below(4);
  std::vector<std::uint32_t> locals;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t local = FindLocal(type, true);
    if (local != kNoFunction) locals.push_back(local);
  }
  for (const std::uint32_t local : locals) code_.LocalGet(local);
  for (const std::uint32_t local : locals) code_.LocalSet(local);
}

void FunctionGenerator::CallStatement() {
  if (function_.is_leaf) return Assignment();
  const CallableFunction& callee = choices_.Pick(plan_.functions);
  Call(callee);
  Consume(callee.type.results);
}

void FunctionGenerator::Call(const CallableFunction& callee) {
  Expressions(callee.type.parameters);
  if (choices_.Chance(40) && CallThroughTable(callee)) return;
  code_.Call(callee.index);
}

bool FunctionGenerator::CallThroughTable(const CallableFunction& callee) {
  for (std::uint32_t table = 0; table < plan_.tables.size(); ++table) {
    const TableInfo& info = plan_.tables[table];
    for (std::uint32_t at = 0; at < info.functions.size(); ++at) {
      if (info.functions[at] != callee.index) continue;
      if (IsRisky()) {
        Expression(ValueType::I32);
        code_.I32Const(15).Emit(Opcode::I32And);
      } else if (choices_.Chance(30)) {  // an index that is no constant
        Get(ValueType::I32);
        code_.I32Const(0).Emit(Opcode::I32And).I32Const(static_cast<std::int32_t>(at));
        code_.Emit(Opcode::I32Or);
      } else {
        code_.I32Const(static_cast<std::int32_t>(at));
      }
      code_.CallIndirect(callee.type_index, table);
      return true;
    }
  }
  return false;
}

void FunctionGenerator::BulkMemoryStatement() {
  const auto length = [&](std::uint32_t limit) {
    if (IsRisky()) return Expression(ValueType::I32);
    if (choices_.Chance(50)) {
      code_.I32Const(static_cast<std::int32_t>(choices_.Index(limit)));
      return;
    }
    Expression(ValueType::I32);
    code_.I32Const(static_cast<std::int32_t>(std::bit_floor(limit) - 1)).Emit(Opcode::I32And);
  };
  const auto memory_length = [&](std::uint32_t limit) {
    if (plan_.has_memory64 && IsRisky()) return Expression(ValueType::I64);
    length(limit);
    if (plan_.has_memory64) code_.Emit(Opcode::I64ExtendI32U);
  };
  switch (choices_.Below(4)) {
    case 0:
      Address(1, 0);
      Expression(ValueType::I32);
      memory_length(300);
      code_.MemoryFill();
      return;
    case 1:
      Address(1, 0);
      Address(1, 0);
      memory_length(300);
      code_.MemoryCopy();
      return;
    case 2:
      Address(1, 0);
      code_.I32Const(static_cast<std::int32_t>(choices_.Index(plan_.data_size / 2)));
      length(plan_.data_size / 2);
      code_.MemoryInit(choices_.Index(plan_.data_segments));
      return;
    default:
      // A dropped segment is empty: later uses trap.
      if (IsRisky() || IsRisky()) code_.DataDrop(choices_.Index(plan_.data_segments));
  }
}

void FunctionGenerator::TableStatement() {
  const std::uint32_t table = choices_.Index(plan_.tables.size());
  const TableInfo& info = plan_.tables[table];
  const auto number = [&](std::uint32_t value) {
    code_.I32Const(static_cast<std::int32_t>(value));
  };
  const auto element = [&] {
    if (IsRisky()) return Expression(ValueType::I32);
    number(kFirstFreeElement + choices_.Index(info.size - kFirstFreeElement));
  };
  switch (choices_.Below(6)) {
    case 0:
    case 1:
      element();
      Expression(info.element);
      code_.TableSet(table);
      return;
    case 2:
      number(kFirstFreeElement);
      Expression(info.element);
      number(choices_.Index(info.size - kFirstFreeElement + (IsRisky() ? 2 : 1)));
      code_.TableFill(table);
      return;
    case 3: {
      const std::uint32_t source = choices_.Index(plan_.tables.size());
      if (plan_.tables[source].element != info.element) return;
      element();
      number(choices_.Index(3));
      number(choices_.Index(IsRisky() ? 8 : 2));
      code_.TableCopy(table, source);
      return;
    }
    case 4: {
      const std::uint32_t segment = choices_.Index(plan_.elements.size());
      if (plan_.elements[segment].type != info.element) return;
      element();
      const std::uint32_t size = plan_.elements[segment].size;
      number(size == 0 ? 0 : choices_.Index(size));
      number(IsRisky() ? choices_.Index(8) : size == 0 ? 0 : choices_.Index(2));
      code_.TableInit(segment, table);
      return;
    }
    default:
      if (IsRisky() || IsRisky()) code_.ElemDrop(choices_.Index(plan_.elements.size()));
  }
}

void FunctionGenerator::Consume(const Types& types) {
  for (std::size_t i = types.size(); i > 0; --i) ConsumeTop(types[i - 1]);
}

void FunctionGenerator::ConsumeTop(ValueType type) {
  const std::uint32_t local = FindLocal(type, true);
  const std::size_t choice = choices_.Below(8);
  if (local == kNoFunction || choice == 0) {
    code_.Drop();
  } else if (choice == 1) {
    code_.LocalTee(local).Drop();
  } else if (choice == 2 && type == ValueType::I32) {
    code_.LocalGet(local).Emit(Opcode::I32Add).LocalSet(local);
  } else if (choice == 2 && type == ValueType::I64) {
    code_.LocalGet(local).Emit(Opcode::I64Xor).LocalSet(local);
  } else {
    code_.LocalSet(local);
  }
}

void FunctionGenerator::Expressions(const Types& types) {
  for (const ValueType type : types) Expression(type);
}

}  // namespace differential
