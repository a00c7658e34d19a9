// SPDX-License-Identifier: Apache-2.0
/// @file
/// The front end on random functions: what it builds computes what the interpreter computes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/front_end.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "front_end_support.hpp"
#include "ir_evaluator.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon::jit::CompileOptions;
using tenon::jit::MemoryStyle;
using tenon_test::IrEvaluator;
using tenon_test::IrState;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64;
constexpr std::uint32_t kLocalsOfEach = 5;          ///< locals 0 to 4 are i32, 5 to 9 are i64
constexpr std::uint32_t kFuel = 2 * kLocalsOfEach;  ///< an i32 that bounds the loops

/// Writes the body of a function (i32, i64) -> (i32, i64), with parameters at 0 and kLocalsOfEach.
class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_{seed} {}

  std::vector<std::uint8_t> Module() {
    ModuleBuilder module;
    module.Memory(1, 1);
    module.Global({I32, true}, ConstantExpression::I32(1));
    module.Global({I64, true}, ConstantExpression::I64(2));
    // Types 0 to 3: what blocks take and give.
    signatures_ = {{{I32, I64}, {I32, I64}}, {{I32}, {I32}}, {{I64, I32}, {I32}}, {{}, {I64, I32}}};
    for (const Signature& signature : signatures_) {
      module.Type(signature.parameters, signature.results);
    }
    std::vector<ValueType> locals;
    for (std::uint32_t i = 2; i < 2 * kLocalsOfEach; ++i) {
      locals.push_back(i < kLocalsOfEach + 1 ? I32 : I64);
    }
    locals.push_back(I32);
    // The parameters are locals 0 and 1: the second is copied to where i64 locals stand.
    labels_.push_back({{I32, I64}});
    code_.I32Const(200).LocalSet(kFuel);
    Statements(4);
    Expression(I32, 2);
    Expression(I64, 2);
    const std::uint32_t function = module.Function(0, locals, code_);
    module.Export("run", tenon::ExternKind::Func, function);
    module.Export("memory", tenon::ExternKind::Memory, 0);
    return module.Build();
  }

 private:
  struct Signature {
    std::vector<ValueType> parameters;
    std::vector<ValueType> results;
  };
  struct Label {
    std::vector<ValueType> takes;
  };

  std::uint32_t Below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  bool Chance(std::uint32_t percent) { return Below(100) < percent; }

  /// Local 0 is i32, 1 is i64, 2 to kLocalsOfEach i32, the rest up to kFuel i64.
  std::uint32_t Local(ValueType type) {
    const std::uint32_t choice = Below(kLocalsOfEach);
    if (type == I32) return choice == 0 ? 0 : choice + 1;
    return choice == 0 ? 1 : choice + kLocalsOfEach;
  }

  void Expression(ValueType type, int depth) {
    if (depth <= 0 || Chance(20)) {
      if (Chance(30)) {
        constexpr std::int64_t kNumbers[] = {0, 1, -1, 2, 8, 31, 32, 255, -2147483648LL, 65536};
        const std::int64_t number = kNumbers[Below(10)];
        if (type == I32) {
          code_.I32Const(static_cast<std::int32_t>(number));
        } else {
          code_.I64Const(number);
        }
      } else if (Chance(10)) {
        code_.GlobalGet(type == I32 ? 0 : 1);
      } else {
        code_.LocalGet(Local(type));
      }
      return;
    }
    switch (Below(10)) {
      case 0: {
        Expression(type, depth - 1);
        code_.LocalTee(Local(type));
        return;
      }
      case 1:
        Expression(type, depth - 1);
        Expression(type, depth - 1);
        Expression(I32, depth - 1);
        code_.Select();
        return;
      case 2:
        if (type == I32) {
          Expression(I64, depth - 1);
          code_.Emit(Opcode::I32WrapI64);
        } else {
          Expression(I32, depth - 1);
          code_.Emit(Chance(50) ? Opcode::I64ExtendI32S : Opcode::I64ExtendI32U);
        }
        return;
      case 3: {
        Expression(I32, depth - 1);
        if (Chance(90)) code_.I32Const(0xFFF).Emit(Opcode::I32And);
        static constexpr Opcode kLoads[] = {Opcode::I32Load, Opcode::I32Load8S,  Opcode::I32Load16U,
                                            Opcode::I64Load, Opcode::I64Load32S, Opcode::I64Load8U};
        code_.Memory(kLoads[Below(3) + (type == I32 ? 0 : 3)], {0, Below(64)});
        return;
      }
      case 4: {
        static constexpr Opcode kUnary[] = {
            Opcode::I32Clz,      Opcode::I32Ctz,       Opcode::I32Popcnt,    Opcode::I32Eqz,
            Opcode::I32Extend8S, Opcode::I32Extend16S, Opcode::I64Clz,       Opcode::I64Extend32S,
            Opcode::I64Extend8S, Opcode::I64Popcnt,    Opcode::I64Extend16S, Opcode::I64Ctz};
        Expression(type, depth - 1);
        code_.Emit(kUnary[Below(6) + (type == I32 ? 0 : 6)]);
        return;
      }
      case 5:
        if (type == I32) {
          const bool is_wide = Chance(50);
          Expression(is_wide ? I64 : I32, depth - 1);
          Expression(is_wide ? I64 : I32, depth - 1);
          code_.Emit(static_cast<Opcode>(
              static_cast<std::uint32_t>(is_wide ? Opcode::I64Eq : Opcode::I32Eq) + Below(10)));
          if (Chance(30)) code_.Emit(Opcode::I32Eqz);
          return;
        }
        [[fallthrough]];
      default:
        Expression(type, depth - 1);
        Expression(type, depth - 1);
        // Division traps now and then.
        std::uint32_t number = Below(15);
        if (number >= 3 && number <= 6 && Chance(70)) number = 0;
        code_.Emit(static_cast<Opcode>(
            static_cast<std::uint32_t>(type == I32 ? Opcode::I32Add : Opcode::I64Add) + number));
        return;
    }
  }

  void Values(const std::vector<ValueType>& types) {
    for (const ValueType type : types) Expression(type, 1);
  }
  /// Takes values of these types from the stack.
  void Keep(const std::vector<ValueType>& types) {
    for (std::size_t i = types.size(); i-- > 0;) code_.LocalSet(Local(types[i]));
  }

  std::uint32_t AnyLabel() { return Below(static_cast<std::uint32_t>(labels_.size())); }
  const Label& LabelAt(std::uint32_t depth) { return labels_[labels_.size() - 1 - depth]; }

  void Statements(int depth) {
    const std::uint32_t count = 1 + Below(5);
    for (std::uint32_t i = 0; i < count; ++i) Statement(depth);
  }

  void Statement(int depth) {
    switch (depth <= 0 ? Below(4) : Below(12)) {
      case 0:
      case 1: {
        const ValueType type = Chance(50) ? I32 : I64;
        Expression(type, 3);
        code_.LocalSet(Local(type));
        return;
      }
      case 2: {
        const bool is_wide = Chance(50);
        Expression(I32, 2);
        if (Chance(90)) code_.I32Const(0xFFF).Emit(Opcode::I32And);
        Expression(is_wide ? I64 : I32, 2);
        code_.Memory(is_wide ? Opcode::I64Store : Opcode::I32Store8, {0, Below(32)});
        return;
      }
      case 3: {
        const bool is_wide = Chance(50);
        Expression(is_wide ? I64 : I32, 2);
        code_.GlobalSet(is_wide ? 1 : 0);
        return;
      }
      case 4:
      case 5:
        return Construct(Opcode::Block, depth);
      case 6:
        return Construct(Opcode::Loop, depth);
      case 7:
      case 8:
        return Construct(Opcode::If, depth);
      case 9:
      case 10: {
        const std::uint32_t label = AnyLabel();
        Values(LabelAt(label).takes);
        Expression(I32, Chance(10) ? 0 : 2);
        code_.BrIf(label);
        Keep(LabelAt(label).takes);
        return;
      }
      default:
        return Leave();
    }
  }

  /// Ends the code of a construct; what follows is not reachable, but written all the same.
  void Leave() {
    const std::uint32_t label = AnyLabel();
    switch (Below(4)) {
      case 0:
        Values(LabelAt(label).takes);
        code_.Br(label);
        return;
      case 1: {
        std::vector<std::uint32_t> targets;
        for (std::uint32_t i = Below(5); i-- > 0;) {
          const std::uint32_t other = AnyLabel();
          if (LabelAt(other).takes == LabelAt(label).takes) targets.push_back(other);
        }
        Values(LabelAt(label).takes);
        Expression(I32, 1);
        code_.BrTable(targets, label);
        return;
      }
      case 2:
        Values({I32, I64});
        code_.Return();
        return;
      default:
        if (Chance(15)) code_.Unreachable();
        return;
    }
  }

  void Construct(Opcode opcode, int depth) {
    Signature signature;
    BlockType type;
    switch (Below(4)) {
      case 0:
        break;
      case 1:
        signature.results = {I64};
        type = I64;
        break;
      default: {
        const std::uint32_t index = Below(4);
        signature = signatures_[index];
        type = BlockType::Index(index);
        break;
      }
    }
    Values(signature.parameters);
    if (opcode == Opcode::If) Expression(I32, Chance(15) ? 0 : 2);
    code_.Begin(opcode, type);
    labels_.push_back({opcode == Opcode::Loop ? signature.parameters : signature.results});
    Arm(signature, opcode == Opcode::Loop, depth);
    if (opcode == Opcode::If && (Chance(60) || signature.parameters != signature.results)) {
      code_.Emit(Opcode::Else);
      Arm(signature, false, depth);
    }
    code_.End();
    labels_.pop_back();
    Keep(signature.results);
  }

  void Arm(const Signature& signature, bool is_loop, int depth) {
    Keep(signature.parameters);
    if (is_loop) {
      code_.LocalGet(kFuel).I32Const(1).Emit(Opcode::I32Sub).LocalTee(kFuel);
      code_.Emit(Opcode::I32Eqz).Begin(Opcode::If);
      code_.I32Const(7).I64Const(9).Return().End();
    }
    Statements(depth - 1);
    if (is_loop && Chance(70)) {
      Values(signature.parameters);
      Expression(I32, 2);
      code_.BrIf(0);
      Keep(signature.parameters);
    }
    Values(signature.results);
  }

  std::mt19937 random_;
  CodeBuilder code_;
  std::vector<Label> labels_;
  std::vector<Signature> signatures_;
};

using Outcome = std::optional<std::pair<std::uint32_t, std::uint64_t>>;

}  // namespace

TEST_CASE("random functions compute the same as IR and on the interpreter", "[one_thread]") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(tenon::EngineKind::Interpreter)};
  constexpr std::uint32_t kFunctions = 3000;
  std::size_t finished = 0;
  for (std::uint32_t seed = 0; seed < kFunctions; ++seed) {
    INFO("seed " << seed);
    const std::vector<std::uint8_t> bytes = Generator{seed}.Module();
    const ModuleForJit module{bytes};
    REQUIRE(module.validated.Text() == "");
    CompileOptions options;
    options.memory = seed % 2 == 0 ? MemoryStyle::Guarded : MemoryStyle::Checked;
    options.interruptible = seed % 3 == 0;
    options.locals_in_frame = seed % 5 == 0;
    const tenon::jit::Function function = BuildIr(module, options);
    const tenon::Module guest = runtime.Instantiate(bytes);
    const auto run =
        guest.ExportedFunction<std::tuple<std::int32_t, std::int64_t>(std::int32_t, std::int64_t)>(
            "run");
    IrState state{std::vector<std::uint8_t>(65536), {1, 2}};
    for (const std::int64_t input :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-77}, std::int64_t{0x123456789ABC}}) {
      Outcome expected;
      try {
        const auto [first, second] = run(static_cast<std::int32_t>(input), input * 3);
        expected = {static_cast<std::uint32_t>(first), static_cast<std::uint64_t>(second)};
        ++finished;
      } catch (const tenon::Trap&) {
      }
      const std::uint64_t arguments[] = {static_cast<std::uint32_t>(input),
                                         static_cast<std::uint64_t>(input * 3)};
      const auto results = IrEvaluator{function, state}.Run(arguments);
      Outcome found;
      if (results) found = {static_cast<std::uint32_t>(results->at(0)), results->at(1)};
      if (found != expected) {
        INFO(PrintIr(function));
        FAIL("input " << input);
      }
    }
    const auto bytes_of_guest = guest.ExportedMemory("memory").View(0, 65536);
    REQUIRE(bytes_of_guest.has_value());
    CHECK(std::equal(state.memory.begin(), state.memory.end(), bytes_of_guest->begin()));
  }
  CHECK(finished > kFunctions);
}
