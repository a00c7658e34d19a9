// SPDX-License-Identifier: Apache-2.0
/// @file
/// Validation of declarations and function bodies.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/core_features.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/validator.hpp>

#include "../support/validated_module.hpp"

using namespace tenon::wasm;
using tenon::CoreFeatures;
using tenon::ErrorCode;
using tenon::ExternKind;
using tenon::Feature;
using tenon::HeapType;
using tenon::ValueType;
using tenon_test::ValidatedModule;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64, F32 = ValueType::F32,
                    F64 = ValueType::F64, V128 = ValueType::V128, Func = ValueType::FuncRef,
                    Extern = ValueType::ExternRef;

using Body = void (*)(CodeBuilder&);

// What the bodies under test find around them.
constexpr std::uint32_t kTypeNone = 0;   // () -> ()
constexpr std::uint32_t kTypeMixed = 1;  // (i32, i64) -> f32
constexpr std::uint32_t kTypePair = 2;   // () -> (i32, i32)
constexpr std::uint32_t kTypeUnary = 3;  // i32 -> i32
constexpr std::uint32_t kFuncMixed = 1;
constexpr std::uint32_t kTableExtern = 1;      // table 0 holds funcref
constexpr std::uint32_t kGlobalFixed = 0;      // i32, imported
constexpr std::uint32_t kGlobalMutable = 1;    // i64
constexpr std::uint32_t kGlobalReference = 2;  // externref, mutable

/// Function 0 has this body, type () -> () and locals 0: i32, 1: f64, 2: v128.
ModuleBuilder Surroundings(const CodeBuilder& code) {
  ModuleBuilder module;
  module.Type({}, {});
  module.Type({I32, I64}, {F32});
  module.Type({}, {I32, I32});
  module.Type({I32}, {I32});
  module.ImportGlobal("env", "fixed", {I32, false});
  module.Function(kTypeNone, {I32, F64, V128}, code);
  module.Function(kTypeMixed, {}, [](CodeBuilder& inner) { inner.F32Const(0); });
  module.Table(Func, 1);
  module.Table(Extern, 1);
  module.Memory(1);
  module.Global({I64, true}, ConstantExpression::I64(0));
  module.Global({Extern, true}, ConstantExpression::RefNull(HeapType::Extern));
  module.PassiveElement(ElementItems::Functions({1}));
  module.PassiveElement(ElementItems::Expressions(Extern, {}));
  module.PassiveData("abc");
  module.RequireDataCount();
  return module;
}

std::vector<std::uint8_t> ModuleOf(Body body) {
  CodeBuilder code;
  body(code);
  return Surroundings(code).Build();
}

/// The fault without its place.
std::string TextOf(const ValidatedModule& checked) {
  const std::string text = checked.Text();
  return text.substr(0, text.rfind(" ("));
}

std::string BodyText(Body body, CoreFeatures features = CoreFeatures::V2()) {
  const ValidatedModule checked{ModuleOf(body), features};
  if (!checked.fault.IsNone() && checked.fault.function != 0) return "elsewhere: " + checked.Text();
  return TextOf(checked);
}

std::string RawBodyText(std::initializer_list<std::uint8_t> bytes) {
  CodeBuilder code;
  code.Raw(bytes);
  const ValidatedModule checked{Surroundings(code).Build()};
  if (!checked.fault.IsNone() && checked.fault.function != 0) return "elsewhere: " + checked.Text();
  return TextOf(checked);
}

std::string DeclarationText(const ModuleBuilder& module,
                            CoreFeatures features = CoreFeatures::V2()) {
  const ValidatedModule checked{module.Build(), features};
  if (checked.are_declarations_valid && !checked.fault.IsNone()) return "body: " + checked.Text();
  return TextOf(checked);
}

}  // namespace

TEST_CASE("an instruction whose operands have other types names both") {
  CHECK(BodyText([](CodeBuilder& c) { c.F32Const(0).Emit(Opcode::I32Eqz).Drop(); }) ==
        "type mismatch: expected i32, found f32");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).F64Const(0).Emit(Opcode::F64Add).Drop(); }) ==
        "type mismatch: expected f64, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.I64Const(0).Memory(Opcode::I32Load).Drop(); }) ==
        "type mismatch: expected i32, found i64");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Emit(Opcode::I32x4Neg).Drop(); }) ==
        "type mismatch: expected v128, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.LocalGet(2).Emit(Opcode::I32Eqz).Drop(); }) ==
        "type mismatch: expected i32, found v128");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).LocalSet(1); }) ==
        "type mismatch: expected f64, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).GlobalSet(kGlobalMutable); }) ==
        "type mismatch: expected i64, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.I64Const(0).I64Const(0).Call(kFuncMixed).Drop(); }) ==
        "type mismatch: expected i32, found i64");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).I32Const(0).TableSet(0); }) ==
        "type mismatch: expected funcref, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).RefNull(HeapType::Func).TableSet(1); }) ==
        "type mismatch: expected externref, found funcref");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).CallIndirect(kTypeNone, kTableExtern); }) ==
        "type mismatch: expected funcref, found externref");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).I32Const(0).I32Const(0).TableCopy(0, kTableExtern);
        }) == "type mismatch: expected funcref, found externref");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(1).F32Const(1).I32Const(1).Select().Drop(); }) ==
        "type mismatch: expected i32, found f32");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(1).I32Const(1).I32Const(1).Select({I64}).Drop();
        }) == "type mismatch: expected i64, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.F32Const(0).Begin(Opcode::If).End(); }) ==
        "type mismatch: expected i32, found f32");
}

TEST_CASE("an instruction without its operands names what it expected") {
  CHECK(BodyText([](CodeBuilder& c) { c.Emit(Opcode::I32Eqz).Drop(); }) ==
        "type mismatch: expected i32, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) { c.Drop(); }) ==
        "type mismatch: expected a value, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) { c.Emit(Opcode::RefIsNull).Drop(); }) ==
        "type mismatch: expected a reference, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) { c.I64Const(0).Call(kFuncMixed).Drop(); }) ==
        "type mismatch: expected i32, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).Begin(Opcode::Block).Emit(Opcode::I32Eqz).Drop().End().Drop();
        }) == "type mismatch: expected i32, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) { c.Begin(Opcode::Block, I32).Br(0).End().Drop(); }) ==
        "type mismatch: expected i32, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) { c.Begin(Opcode::Block, I32).End().Drop(); }) ==
        "type mismatch: expected i32, but the stack is empty");
}

TEST_CASE("a block must leave its results and nothing else") {
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0); }) ==
        "type mismatch: 1 values remain on the stack at the end of the block");
  CHECK(BodyText([](CodeBuilder& c) { c.LocalGet(2).I32Const(0); }) ==
        "type mismatch: 2 values remain on the stack at the end of the block");
  CHECK(BodyText([](CodeBuilder& c) { c.Unreachable().I32Const(0); }) ==
        "type mismatch: 1 values remain on the stack at the end of the block");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).Begin(Opcode::If).I32Const(0).Emit(Opcode::Else).End();
        }) == "type mismatch: 1 values remain on the stack at the end of the block");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).Begin(Opcode::If, I32).I32Const(0).End().Drop();
        }) == "type mismatch: if without else must have equal parameters and results");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(7).I32Const(0).Begin(Opcode::If, BlockType::Index(kTypeUnary)).End().Drop();
        }) == "");
}

TEST_CASE("operands that are not what select and ref.is_null take are refused") {
  CHECK(BodyText([](CodeBuilder& c) {
          c.RefNull(HeapType::Func).RefNull(HeapType::Func).I32Const(0).Select().Drop();
        }) == "type mismatch: select without type needs numbers or vectors, found funcref");
  CHECK(BodyText([](CodeBuilder& c) {
          c.Unreachable().RefNull(HeapType::Extern).I32Const(0).Select().Drop();
        }) == "type mismatch: select without type needs numbers or vectors, found externref");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Emit(Opcode::RefIsNull).Drop(); }) ==
        "type mismatch: expected a reference, found i32");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Select(tenon::wasm::ValueTypeList{}); }) ==
        "invalid result arity 0");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Select({I32, I32}); }) ==
        "invalid result arity 2");
}

TEST_CASE("the targets of br_table take equally many values of fitting types") {
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).I32Const(0).I32Const(0).BrTable({0}, 1).End().Drop();
        }) == "type mismatch: br_table targets have 1 and 0 values");
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).Begin(Opcode::Block, F32);
          c.I32Const(0).I32Const(0).BrTable({1}, 0).End().Drop().I32Const(0).End().Drop();
        }) == "type mismatch: expected f32, found i32");
  // A value of unknown type fits them all, one of a known type does not.
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).Begin(Opcode::Block, F32);
          c.Unreachable().BrTable({1}, 0).End().Drop().I32Const(0).End().Drop();
        }) == "");
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).Begin(Opcode::Block, F32);
          c.Unreachable().I32Const(0).I32Const(0).BrTable({1}, 0);
          c.End().Drop().I32Const(0).End().Drop();
        }) == "type mismatch: expected f32, found i32");
  // The count is bounded by the bytes that are left.
  CHECK(RawBodyText({0x41, 0x00, 0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00}) ==
        "length 4294967295 is out of bounds, 2 bytes remain");
}

TEST_CASE("indices beyond their spaces are refused in bodies") {
  CHECK(BodyText([](CodeBuilder& c) { c.Call(2); }) == "unknown function 2");
  CHECK(BodyText([](CodeBuilder& c) { c.RefFunc(2).Drop(); }) == "unknown function 2");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).CallIndirect(4); }) == "unknown type 4");
  CHECK(BodyText([](CodeBuilder& c) { c.Begin(Opcode::Block, BlockType::Index(4)).End(); }) ==
        "unknown type 4");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).CallIndirect(0, 2); }) == "unknown table 2");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).TableGet(2).Drop(); }) == "unknown table 2");
  CHECK(BodyText([](CodeBuilder& c) { c.TableCopy(0, 2); }) == "unknown table 2");
  CHECK(BodyText([](CodeBuilder& c) { c.TableInit(2, 0); }) == "unknown elem segment 2");
  CHECK(BodyText([](CodeBuilder& c) { c.ElemDrop(2); }) == "unknown elem segment 2");
  CHECK(BodyText([](CodeBuilder& c) { c.MemoryInit(1); }) == "unknown data segment 1");
  CHECK(BodyText([](CodeBuilder& c) { c.DataDrop(1); }) == "unknown data segment 1");
  CHECK(BodyText([](CodeBuilder& c) { c.GlobalGet(3).Drop(); }) == "unknown global 3");
  CHECK(BodyText([](CodeBuilder& c) { c.LocalGet(3).Drop(); }) == "unknown local 3");
  CHECK(BodyText([](CodeBuilder& c) { c.Br(1); }) == "unknown label 1");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).BrTable({0, 1}, 0); }) == "unknown label 1");
}

TEST_CASE("element segments fit the tables that table.init writes") {
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).I32Const(0).I32Const(0).TableInit(0, kTableExtern);
        }) == "type mismatch: element segment of funcref for a table of externref");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).I32Const(0).I32Const(0).TableInit(1, 1); }) ==
        "");
}

TEST_CASE("memory instructions need a memory, an alignment and lanes within bounds") {
  ModuleBuilder module;
  const std::uint32_t type = module.Type({}, {});
  module.Function(type, {}, [](CodeBuilder& c) { c.I32Const(0).Memory(Opcode::I32Load).Drop(); });
  CHECK(TextOf(ValidatedModule{module.Build()}) == "unknown memory 0");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Memory(Opcode::I32Load, {3, 0}).Drop(); }) ==
        "alignment must not be larger than natural: 2^3 of at most 2^2");
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).Memory(Opcode::V128Load, {5, 0}).Drop(); }) ==
        "alignment must not be larger than natural: 2^5 of at most 2^4");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).Memory(Opcode::I32Load, {2, 0xFFFFFFFF}).Drop();
        }) == "");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).Memory(Opcode::I32Load, {2, 0x100000000}).Drop();
        }) == "integer too large");
  CHECK(RawBodyText({0x41, 0x00, 0x28, 0x40, 0x00, 0x00, 0x1A}) == "malformed memop flags 64");
  CHECK(RawBodyText({0x3F, 0x01, 0x1A}) == "zero byte expected");
  CHECK(RawBodyText({0xFC, 0x0A, 0x00, 0x01}) == "zero byte expected");
  CHECK(BodyText([](CodeBuilder& c) { c.LocalGet(2).Lane(Opcode::I32x4ExtractLane, 4).Drop(); }) ==
        "invalid lane index 4, the limit is 4");
  CHECK(BodyText([](CodeBuilder& c) { c.LocalGet(2).Lane(Opcode::I32x4ExtractLane, 3).Drop(); }) ==
        "");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(0).LocalGet(2).MemoryLane(Opcode::V128Load64Lane, {}, 2).Drop();
        }) == "invalid lane index 2, the limit is 2");
  CHECK(BodyText([](CodeBuilder& c) {
          c.LocalGet(2).LocalGet(2).Shuffle({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 32});
          c.Drop();
        }) == "invalid lane index 32, the limit is 32");
}

TEST_CASE("globals that are not mutable keep their value") {
  CHECK(BodyText([](CodeBuilder& c) { c.I32Const(0).GlobalSet(kGlobalFixed); }) ==
        "global 0 is immutable");
  CHECK(BodyText([](CodeBuilder& c) { c.RefNull(HeapType::Extern).GlobalSet(kGlobalReference); }) ==
        "");
}

TEST_CASE("ref.func in a body names a function that is declared outside bodies") {
  CHECK(BodyText([](CodeBuilder& c) { c.RefFunc(1).Drop(); }) == "");
  CHECK(BodyText([](CodeBuilder& c) { c.RefFunc(0).Drop(); }) == "undeclared function reference 0");
  CodeBuilder code;
  code.RefFunc(0).Drop();
  ModuleBuilder exported = Surroundings(code);
  exported.Export("f", ExternKind::Func, 0);
  CHECK(ValidatedModule{exported.Build()}.Text() == "");
  ModuleBuilder global = Surroundings(code);
  global.Global({Func, false}, ConstantExpression::RefFunc(0));
  CHECK(ValidatedModule{global.Build()}.Text() == "");
  ModuleBuilder segment = Surroundings(code);
  segment.DeclarativeElement(ElementItems::Expressions(Func, {ConstantExpression::RefFunc(0)}));
  CHECK(ValidatedModule{segment.Build()}.Text() == "");
  // The start function alone declares nothing.
  ModuleBuilder start = Surroundings(code);
  start.Start(0);
  CHECK(TextOf(ValidatedModule{start.Build()}) == "undeclared function reference 0");
}

TEST_CASE("data segments in bodies need the data count section") {
  ModuleBuilder module;
  module.Function(module.Type({}, {}), {}, [](CodeBuilder& c) { c.Raw({0xFC, 0x09, 0x00}); });
  module.Memory(1);
  module.PassiveData("a");
  std::vector<std::uint8_t> bytes = module.Build();
  CHECK(TextOf(ValidatedModule{bytes}) == "data count section required");
}

TEST_CASE("what cannot be reached is typed as the specification says") {
  CHECK(BodyText([](CodeBuilder& c) {
          c.Unreachable().Emit(Opcode::I32Add).Drop().Select().Emit(Opcode::F32Neg).Drop();
        }) == "");
  CHECK(BodyText([](CodeBuilder& c) {
          c.Unreachable().Select().LocalSet(2).Select().LocalSet(1);
        }) == "");
  CHECK(BodyText([](CodeBuilder& c) { c.Unreachable().I64Const(0).Emit(Opcode::I32Add).Drop(); }) ==
        "type mismatch: expected i32, found i64");
  CHECK(BodyText([](CodeBuilder& c) { c.Br(0).Call(7); }) == "unknown function 7");
  // br_if leaves the label's types behind, whatever stood there.
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).Unreachable().BrIf(0).Emit(Opcode::F32Neg).Drop();
          c.I32Const(0).End().Drop();
        }) == "type mismatch: expected f32, found i32");
  CHECK(BodyText([](CodeBuilder& c) {
          c.Begin(Opcode::Block, I32).Unreachable().Select().LocalTee(2).Drop();
          c.Emit(Opcode::RefIsNull).End().Drop();
        }) == "");
  // A block inside starts over with a stack of its own.
  CHECK(BodyText([](CodeBuilder& c) {
          c.Unreachable().Begin(Opcode::Block).Emit(Opcode::I32Eqz).Drop().End();
        }) == "type mismatch: expected i32, but the stack is empty");
  CHECK(BodyText([](CodeBuilder& c) {
          c.I32Const(1).Begin(Opcode::If, I32).Unreachable().Emit(Opcode::Else).I32Const(1).End();
          c.Drop();
        }) == "");
}

TEST_CASE("malformed bodies are refused with the place of the fault") {
  CHECK(RawBodyText({0x05}) == "else without matching if");
  CHECK(RawBodyText({0x41, 0x00, 0x04, 0x40, 0x05, 0x05, 0x0B}) == "else without matching if");
  CHECK(RawBodyText({0x02, 0x40}) == "END opcode expected");
  CHECK(RawBodyText({0x0B, 0x01}) == "function body size mismatch: 10 bytes declared, 8 used");
  CHECK(RawBodyText({0x06}) == "illegal opcode 0x6");
  CHECK(RawBodyText({0xFC, 0x12}) == "illegal opcode 0xfc12");
  CHECK(RawBodyText({0xFD, 0x9A, 0x01}) == "illegal opcode 0xfd9a");
  CHECK(RawBodyText({0xFD, 0x80, 0x04}) == "illegal opcode 0xfd0200");
  CHECK(RawBodyText({0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) == "illegal opcode 0xfcffff");
  CHECK(RawBodyText({0x02, 0x41, 0x0B}) == "malformed value type 0x41");
  CHECK(RawBodyText({0x02, 0xBF, 0x7F, 0x0B}) == "malformed block type");
  CHECK(RawBodyText({0x02, 0x80, 0x80, 0x80, 0x80, 0x70, 0x0B}) == "malformed block type");
  CHECK(RawBodyText({0xD0, 0x01, 0x1A}) == "malformed heap type");
  CHECK(RawBodyText({0x41, 0x80, 0x80, 0x80, 0x80, 0x70, 0x1A}) == "integer too large");
  CHECK(RawBodyText({0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1A}) ==
        "integer representation too long");
  CHECK(RawBodyText({0x43, 0x00, 0x00}) == "unexpected end of section or function");
  CHECK(RawBodyText({0xFD, 0x0C, 0x00}) == "unexpected end of section or function");
}

TEST_CASE("a type index of any length opens a block") {
  CHECK(RawBodyText({0x02, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0B}) == "");
}

TEST_CASE("a fault has the offset of its instruction and the index of its function") {
  CodeBuilder code;
  code.I32Const(0).Drop().F32Const(0).Emit(Opcode::I32Eqz).Drop();
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {});
  builder.ImportFunction("env", "f", type);
  builder.Function(type, {}, [](CodeBuilder&) {});
  builder.Function(type, {I32, I32}, code);
  const ValidatedModule checked{builder.Build()};
  CHECK(checked.fault.code == ErrorCode::TypeMismatch);
  CHECK(checked.fault.function == 2);
  REQUIRE(checked.fault.offset < checked.bytes.size());
  CHECK(checked.bytes[checked.fault.offset] == 0x45);
  const std::uint32_t body = checked.module.bodies[1].offset;
  // One group of locals (3 bytes), i32.const, drop, f32.const.
  CHECK(checked.fault.offset == body + 3 + 2 + 1 + 5);
  CHECK(FormatFault(checked.module, checked.fault, "main") ==
        "type mismatch: expected i32, found f32 (function 2 \"main\", i32.eqz at byte 0x" +
            [&] {
              constexpr char kDigits[] = "0123456789abcdef";
              return std::string{kDigits[checked.fault.offset >> 4],
                                 kDigits[checked.fault.offset & 15]};
            }() +
            ")");
}

TEST_CASE("each opcode of a disabled feature names it") {
  const auto text = [](Feature feature, Body body) {
    const CoreFeatures features = CoreFeatures::V2().SetEnabled(feature, false);
    ModuleBuilder module;
    module.Type({}, {});
    module.Memory(1);
    CodeBuilder code;
    body(code);
    module.Function(0, {}, code);
    return TextOf(ValidatedModule{module.Build(), features});
  };
  CHECK(text(Feature::SignExtension, [](CodeBuilder& c) {
          c.I32Const(0).Emit(Opcode::I32Extend8S).Drop();
        }) == "feature \"sign-extension-ops\" is disabled, needed by i32.extend8_s");
  CHECK(text(Feature::SaturatingFloatToInt,
             [](CodeBuilder& c) { c.F32Const(0).Emit(Opcode::I32TruncSatF32S).Drop(); }) ==
        "feature \"nontrapping-float-to-int-conversion\" is disabled, needed by "
        "i32.trunc_sat_f32_s");
  CHECK(text(Feature::BulkMemory, [](CodeBuilder& c) {
          c.I32Const(0).I32Const(0).I32Const(0).MemoryFill();
        }) == "feature \"bulk-memory-operations\" is disabled, needed by memory.fill");
  CHECK(text(Feature::ReferenceTypes, [](CodeBuilder& c) { c.RefNull(HeapType::Func).Drop(); }) ==
        "feature \"reference-types\" is disabled, needed by ref.null");
  CHECK(text(Feature::ReferenceTypes, [](CodeBuilder& c) { c.Begin(Opcode::Block, Func); }) ==
        "feature \"reference-types\" is disabled, needed by funcref");
  CHECK(text(Feature::Simd, [](CodeBuilder& c) { c.V128Const({}).Drop(); }) ==
        "feature \"simd\" is disabled, needed by v128.const");
  const auto multi_value = [](tenon::wasm::ValueTypeList parameters) {
    ModuleBuilder module;
    module.Type({}, {});
    const std::uint32_t type = module.Type(parameters, {});
    module.Function(0, {}, [&](CodeBuilder& c) {
      for (std::size_t i = 0; i < parameters.Size(); ++i) c.I32Const(0);
      c.Begin(Opcode::Block, BlockType::Index(type));
      for (std::size_t i = 0; i < parameters.Size(); ++i) c.Drop();
      c.End();
    });
    return TextOf(
        ValidatedModule{module.Build(), CoreFeatures::V2().SetEnabled(Feature::MultiValue, false)});
  };
  CHECK(multi_value({}) == "");
  CHECK(multi_value({I32}) == "feature \"multi-value\" is disabled, needed by a block type");
}

TEST_CASE("without reference types call_indirect ends with a zero byte") {
  const CoreFeatures features = CoreFeatures::V2().SetEnabled(Feature::ReferenceTypes, false);
  const auto text = [&](std::initializer_list<std::uint8_t> bytes) {
    CodeBuilder code;
    code.I32Const(0).Raw(bytes);
    ModuleBuilder module;
    module.Function(module.Type({}, {}), {}, code);
    module.Table(Func, 1);
    return TextOf(ValidatedModule{module.Build(), features});
  };
  CHECK(text({0x11, 0x00, 0x00}) == "");
  CHECK(text({0x11, 0x00, 0x80, 0x00}) == "zero byte expected");
  CHECK(text({0x11, 0x00, 0x01}) == "zero byte expected");
}

TEST_CASE("mutable globals cross module borders only with their feature") {
  ModuleBuilder imported;
  imported.ImportGlobal("env", "g", {I32, true});
  ModuleBuilder exported;
  exported.Export("g", ExternKind::Global,
                  exported.Global({I32, true}, ConstantExpression::I32(0)));
  CHECK(DeclarationText(imported, CoreFeatures{}) ==
        "feature \"mutable-global\" is disabled, needed by an imported mutable global");
  CHECK(DeclarationText(exported, CoreFeatures{}) ==
        "feature \"mutable-global\" is disabled, needed by an exported mutable global");
  CHECK(DeclarationText(imported, CoreFeatures::V1()) == "");
  CHECK(DeclarationText(exported, CoreFeatures::V1()) == "");
}

TEST_CASE("sizes of tables and memories are in order and in range") {
  const auto memory = [](std::uint64_t minimum, std::optional<std::uint64_t> maximum = {}) {
    ModuleBuilder module;
    module.Memory(minimum, maximum);
    return DeclarationText(module);
  };
  CHECK(memory(65536, 65536) == "");
  CHECK(memory(2, 1) == "size minimum must not be greater than maximum: 2 > 1");
  CHECK(memory(65537) == "memory size must be at most 65536 pages (4 GiB): 65537");
  CHECK(memory(0, 65537) == "memory size must be at most 65536 pages (4 GiB): 65537");
  ModuleBuilder table;
  table.Table(Func, 11, 10);
  CHECK(DeclarationText(table) == "size minimum must not be greater than maximum: 11 > 10");
  ModuleBuilder largest;
  largest.Table(Func, 0xFFFFFFFF, 0xFFFFFFFF);
  CHECK(DeclarationText(largest) == "");
  ModuleBuilder imported;
  imported.ImportMemory("env", "m", {{3, 2, true, false, false}});
  CHECK(DeclarationText(imported) == "size minimum must not be greater than maximum: 3 > 2");
}

TEST_CASE("a configured page limit is named when a memory starts beyond it") {
  ModuleBuilder module;
  module.Memory(5, 100);
  ImplementationLimits limits;
  limits.memory_pages = 5;
  CHECK(ValidatedModule{module.Build(), CoreFeatures::V2(), limits}.Text() == "");
  limits.memory_pages = 4;
  CHECK(TextOf(ValidatedModule{module.Build(), CoreFeatures::V2(), limits}) ==
        "the module exceeds a limit: memory pages 5, the limit is 4");
}

TEST_CASE("there is one memory, and one table without reference types") {
  ModuleBuilder memories;
  memories.ImportMemory("env", "m", {{1, 1, true, false, false}});
  memories.Memory(1);
  CHECK(DeclarationText(memories) == "multiple memories");
  Module tables;
  tables.tables.resize(2);
  CHECK(ValidateModule(tables, CoreFeatures::V1(), {}).code == ErrorCode::MultipleTables);
  CHECK(ValidateModule(tables, CoreFeatures::V2(), {}).IsNone());
}

TEST_CASE("exports name what exists, each by a name of its own") {
  const auto text = [](ExternKind kind) {
    ModuleBuilder module;
    module.Export("x", kind, 0);
    return DeclarationText(module);
  };
  CHECK(text(ExternKind::Func) == "unknown function 0");
  CHECK(text(ExternKind::Table) == "unknown table 0");
  CHECK(text(ExternKind::Memory) == "unknown memory 0");
  CHECK(text(ExternKind::Global) == "unknown global 0");
  ModuleBuilder twice;
  twice.Memory(1);
  twice.Table(Func, 1);
  twice.Export("b", ExternKind::Memory, 0);
  twice.Export("a", ExternKind::Table, 0);
  twice.Export("", ExternKind::Memory, 0);
  CHECK(DeclarationText(twice) == "");
  twice.Export("a", ExternKind::Memory, 0);
  const ValidatedModule checked{twice.Build()};
  CHECK(TextOf(checked) == "duplicate export name \"a\"");
  CHECK(checked.fault.offset == checked.module.exports[3].name.offset);
}

TEST_CASE("functions, imports and the start function have known types") {
  ModuleBuilder unknown;
  unknown.Function(3, {}, [](CodeBuilder&) {});
  CHECK(DeclarationText(unknown) == "unknown type 3");
  ModuleBuilder imported;
  imported.ImportFunction("env", "f", 3);
  CHECK(DeclarationText(imported) == "unknown type 3");
  ModuleBuilder start;
  start.Start(0);
  CHECK(DeclarationText(start) == "unknown function 0");
  ModuleBuilder last;
  last.Start(0xFFFFFFFF);
  CHECK(DeclarationText(last) == "unknown function 4294967295");
  ModuleBuilder typed;
  typed.Start(typed.ImportFunction("env", "f", typed.Type({I32}, {})));
  CHECK(DeclarationText(typed) == "start function must have no parameters and no results");
  Module structured;
  structured.types.push_back({});
  structured.types.back().kind = TypeKind::Struct;
  structured.functions.push_back(0);
  structured.imported_functions = 1;
  CHECK(ValidateModule(structured, CoreFeatures::V2(), {}).code == ErrorCode::UnknownType);
}

TEST_CASE("constant expressions give one value of the right type") {
  const auto text = [](ValueType type, const ConstantExpression& init) {
    ModuleBuilder module;
    module.ImportGlobal("env", "fixed", {I32, false});
    module.ImportGlobal("env", "changing", {I32, true});
    module.Global({type, false}, init);
    return DeclarationText(module);
  };
  CHECK(text(I32, ConstantExpression::I32(-1)) == "");
  CHECK(text(F64, ConstantExpression::F64(1)) == "");
  CHECK(text(V128, ConstantExpression::V128({})) == "");
  CHECK(text(Extern, ConstantExpression::RefNull(HeapType::Extern)) == "");
  CHECK(text(I32, ConstantExpression::GlobalGet(0)) == "");
  CHECK(text(I32, ConstantExpression::GlobalGet(1)) == "constant expression required");
  CHECK(text(I32, ConstantExpression::GlobalGet(2)) == "unknown global 2");
  CHECK(text(I64, ConstantExpression::I32(0)) == "type mismatch: expected i64, found i32");
  CHECK(text(Func, ConstantExpression::RefNull(HeapType::Extern)) ==
        "type mismatch: expected funcref, found externref");
  CHECK(text(I32, CodeBuilder{}) == "type mismatch: expected i32, but the stack is empty");
  CHECK(text(I32, CodeBuilder{}.I32Const(0).I32Const(0)) ==
        "type mismatch: 1 values remain on the stack at the end of the block");
  CHECK(text(Func, ConstantExpression::RefFunc(0)) == "unknown function 0");
  CHECK(text(I32, CodeBuilder{}.I32Const(0).Emit(Opcode::I32Eqz)) ==
        "constant expression required");
}

TEST_CASE("segments fit their tables and memories") {
  const ConstantExpression zero = ConstantExpression::I32(0);
  ModuleBuilder no_table;
  no_table.ActiveElement(0, zero, ElementItems::Functions({}));
  CHECK(DeclarationText(no_table) == "unknown table 0");
  ModuleBuilder other_type;
  other_type.Table(Extern, 1);
  other_type.ActiveElement(0, zero, ElementItems::Functions({}));
  CHECK(DeclarationText(other_type) ==
        "type mismatch: element segment of funcref for a table of externref");
  ModuleBuilder offset;
  offset.Table(Func, 1);
  offset.ActiveElement(0, ConstantExpression::I64(0), ElementItems::Functions({}));
  CHECK(DeclarationText(offset) == "type mismatch: expected i32, found i64");
  ModuleBuilder items;
  items.PassiveElement(ElementItems::Functions({0}));
  CHECK(DeclarationText(items) == "unknown function 0");
  ModuleBuilder expressions;
  expressions.PassiveElement(
      ElementItems::Expressions(Func, {ConstantExpression::RefNull(HeapType::Extern)}));
  CHECK(DeclarationText(expressions) == "type mismatch: expected funcref, found externref");
  ModuleBuilder no_memory;
  no_memory.ActiveData(zero, "a");
  CHECK(DeclarationText(no_memory) == "unknown memory 0");
  ModuleBuilder data_offset;
  data_offset.Memory(1);
  data_offset.ActiveData(ConstantExpression::F32(0), "a");
  CHECK(DeclarationText(data_offset) == "type mismatch: expected i32, found f32");
}

TEST_CASE("locals are limited, and any number below the limit is found") {
  const auto module = [](std::uint32_t count, std::uint32_t used) {
    // Two groups: one i64, then the rest as f32.
    CodeBuilder code;
    code.LocalGet(used).Drop();
    ModuleBuilder builder;
    std::vector<ValueType> locals(count, F32);
    locals[0] = I64;
    builder.Function(builder.Type({I32, I32}, {}), locals, code);
    return builder.Build();
  };
  CHECK(ValidatedModule{module(49'998, 49'999)}.Text() == "");
  CHECK(TextOf(ValidatedModule{module(49'998, 50'000)}) == "unknown local 50000");
  CHECK(TextOf(ValidatedModule{module(49'999, 0)}) == "too many locals: 50001, the limit is 50000");
}

TEST_CASE("locals have the type of their group however they are declared") {
  LocalTypes locals;
  const ValueType parameters[] = {F64, V128};
  locals.Reset(parameters, 3, 4);
  locals.Append(3, I64);
  locals.Append(0, F32);
  locals.Append(1000, I32);
  locals.Append(2, V128);
  locals.Append(1, V128);
  CHECK(locals.Size() == 1008);
  CHECK(locals.SlotCount() == 1012);
  CHECK(locals.HasVector());
  CHECK(locals[0] == F64);
  CHECK(locals[1] == V128);
  CHECK(locals[4] == I64);
  CHECK(locals[5] == I32);
  CHECK(locals[6] == I32);
  CHECK(locals[1004] == I32);
  CHECK(locals[1005] == V128);
  CHECK(locals[1007] == V128);
}

TEST_CASE("the operand stack of a function is limited") {
  const auto module = [](std::uint32_t calls) {
    ModuleBuilder builder;
    const std::vector<ValueType> results(1000, I64);
    const std::uint32_t many = builder.ImportFunction("env", "many", builder.Type({}, results));
    CodeBuilder code;
    for (std::uint32_t i = 0; i < calls; ++i) code.Call(many);
    code.Br(0);
    builder.Function(builder.Type({}, {}), {}, code);
    return builder.Build();
  };
  CHECK(ValidatedModule{module(1000)}.Text() == "");
  CHECK(TextOf(ValidatedModule{module(1001)}) ==
        "the module exceeds a limit: operand stack slots 1001000, the limit is 1000000");
}

namespace {

/// Writes down what it is told.
struct RecordingSink : NullSink {
  void BeginFunction(const FunctionInfo& info) {
    log += "fn" + std::to_string(info.function) + (info.has_vector ? "v" : "") + " ";
  }
  void EndFunction(const FunctionSummary& summary) {
    log += "max" + std::to_string(summary.max_stack_slots) + (summary.has_vector ? "v" : "");
  }
  void BeginBlock(const BlockInfo& block) {
    log += std::string{"?blie"[static_cast<int>(block.kind)]} +
           std::to_string(block.parameter_slots) + "/" + std::to_string(block.result_slots) + " ";
  }
  void Else(std::uint32_t, bool is_reachable) { log += is_reachable ? "else " : "else! "; }
  void EndBlock(std::uint32_t) { log += "end "; }
  void Branch(const BranchInfo& branch) {
    log += "br" + std::to_string(branch.depth) + ":" + std::to_string(branch.arity) + "-" +
           std::to_string(branch.drop) + " ";
  }
  void BranchTable(std::uint32_t, std::uint32_t count) {
    log += "table" + std::to_string(count) + " ";
  }
  void Return(std::uint32_t) { log += "return "; }
  void Drop(ValueType type) { log += "drop" + tenon::TypeName(type) + " "; }
  void Select(ValueType type) { log += "select" + tenon::TypeName(type) + " "; }
  void SetLocal(std::uint32_t local) { log += "set" + std::to_string(local) + " "; }
  void Call(std::uint32_t function) { log += "call" + std::to_string(function) + " "; }
  void CallIndirect(std::uint32_t type, std::uint32_t table) {
    log += "indirect" + std::to_string(type) + "," + std::to_string(table) + " ";
  }
  void UseMemory(Opcode opcode, std::uint32_t) { log += std::string{Info(opcode).text} + " "; }
  std::string log;
};

std::string LogOf(Body body) {
  const ValidatedModule checked{ModuleOf(body)};
  REQUIRE(checked.Text() == "");
  ValidationScratch scratch;
  RecordingSink sink;
  REQUIRE(ValidateFunction(checked.context, 0, scratch, sink).IsNone());
  return sink.log;
}

}  // namespace

TEST_CASE("a sink hears of blocks, branches, assignments, calls and memory") {
  CHECK(LogOf([](CodeBuilder& c) {
          c.Begin(Opcode::Loop).I32Const(0).LocalTee(0).BrIf(0).End();
          c.I32Const(0).I64Const(0).Call(kFuncMixed).Drop();
          c.I32Const(0).CallIndirect(kTypePair).Emit(Opcode::I32Add);
          c.Memory(Opcode::I64Load).Drop().MemorySize().Drop();
          c.LocalGet(2).LocalGet(2).I32Const(1).Select().LocalSet(2).Return();
        }) ==
        "fn0v l0/0 set0 br0:0-0 end call1 dropf32 indirect2,0 i64.load dropi64 memory.size dropi32 "
        "selectv128 set2 return end max5v");
  CHECK(LogOf([](CodeBuilder& c) {
          c.I32Const(7).I32Const(1).Begin(Opcode::If, BlockType::Index(kTypeUnary));
          c.LocalGet(2).LocalGet(0).Begin(Opcode::Block, I32).I32Const(2).I32Const(0);
          c.BrTable({0, 1}, 1).End().Drop().Drop().Drop().Unreachable();
          c.Emit(Opcode::Else).Drop().I32Const(3).End().Drop();
        }) ==
        "fn0v i1/1 b0/1 table3 br0:1-0 br1:1-4 br1:1-4 end dropi32 dropi32 dropv128 else! dropi32 "
        "end dropi32 end max6v");
}

TEST_CASE("a sink does not hear of code that cannot be reached") {
  CHECK(LogOf([](CodeBuilder& c) {
          c.Begin(Opcode::Block).Br(0).I32Const(0).LocalSet(0).Begin(Opcode::Loop).Br(0).End();
          c.I32Const(0).Begin(Opcode::If).Emit(Opcode::Else).Return().End();
          for (int i = 0; i < 50; ++i) c.I32Const(0);
          c.Unreachable().End().I32Const(1).LocalSet(0);
        }) == "fn0v b0/0 br0:0-0 end set0 end max1v");
}
