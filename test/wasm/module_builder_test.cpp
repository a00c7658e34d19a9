// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the module builder writes, seen byte for byte and through the decoder.
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/name_section.hpp>

namespace {

using namespace tenon::wasm;
using tenon::ErrorText;
using tenon::ExternKind;
using tenon::HeapType;
using tenon::ValueType;

using Bytes = std::vector<std::uint8_t>;

Bytes Copy(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

/// A built module with its decoding.
struct Built {
  explicit Built(const ModuleBuilder& builder) : bytes{builder.Build()} {
    const Fault fault = Decode(bytes, {}, module);
    INFO(ErrorText(fault.code) << " at " << fault.offset);
    REQUIRE(fault.IsNone());
  }
  Bytes Range(ByteRange range) const { return Copy(module.Bytes(range)); }
  std::string_view Text(ByteRange range) const { return module.Text(range); }

  Bytes bytes;
  Module module;
};

Bytes Code(const CodeBuilder& code) { return Copy(code.Bytes()); }

TEST_CASE("an empty builder makes the smallest module", "[wasm][module_builder]") {
  CHECK(ModuleBuilder{}.Build() == Bytes{0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00});
}

TEST_CASE("a function module is written byte for byte", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
  const std::uint32_t add = builder.Function(
      type, {}, [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  builder.Export("add", ExternKind::Func, add);
  CHECK(builder.Build() == Bytes{0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00,        //
                                 0x01, 0x07, 0x01, 0x60, 0x02, 0x7F, 0x7F, 0x01, 0x7F,  // types
                                 0x03, 0x02, 0x01, 0x00,                                // functions
                                 0x07, 0x07, 0x01, 0x03, 'a',  'd',  'd',  0x00, 0x00,  // exports
                                 0x0A, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01,
                                 0x6A,  // code
                                 0x0B});
}

TEST_CASE("equal function types share an index", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::vector<ValueType> pair{ValueType::I32, ValueType::I64};
  CHECK(builder.Type({}, {}) == 0);
  CHECK(builder.Type(pair, {}) == 1);
  CHECK(builder.Type({}, pair) == 2);
  CHECK(builder.Type({ValueType::I32, ValueType::I64}, {}) == 1);
  CHECK(builder.Type({}, {}) == 0);
  const Built built{builder};
  REQUIRE(built.module.types.size() == 3);
  CHECK(built.module.Parameters(1).size() == 2);
  CHECK(built.module.Results(2)[1] == ValueType::I64);
}

TEST_CASE("imports come before definitions in every index space", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {});
  Limits limits;
  limits.minimum = 1;
  limits.maximum = 300;
  limits.has_maximum = true;
  CHECK(builder.ImportFunction("env", "f", type) == 0);
  CHECK(builder.ImportTable("env", "t", {ValueType::ExternRef, limits}) == 0);
  CHECK(builder.ImportMemory("env", "m", {limits}) == 0);
  CHECK(builder.ImportGlobal("env", "g", {ValueType::V128, true}) == 0);
  CHECK(builder.ImportFunction("env", "g", type) == 1);
  CHECK(builder.Function(type, {}, CodeBuilder{}) == 2);
  CHECK(builder.Table(ValueType::FuncRef, 2) == 1);
  CHECK(builder.Global({ValueType::F32, false}, ConstantExpression::F32(1.5F)) == 1);

  const Built built{builder};
  const Module& module = built.module;
  REQUIRE(module.imports.size() == 5);
  CHECK(built.Text(module.imports[1].module) == "env");
  CHECK(built.Text(module.imports[1].name) == "t");
  CHECK(module.imports[1].kind == ExternKind::Table);
  CHECK(module.imports[4].index == 1);
  CHECK(module.imported_functions == 2);
  CHECK(module.functions.size() == 3);
  CHECK(module.tables[0] == TableType{ValueType::ExternRef, limits});
  CHECK(module.tables[1].limits.minimum == 2);
  CHECK_FALSE(module.tables[1].limits.has_maximum);
  CHECK(module.memories[0].limits == limits);
  CHECK(module.globals[0] == GlobalType{ValueType::V128, true});
  CHECK(built.Range(module.global_inits[0]) == Bytes{0x43, 0x00, 0x00, 0xC0, 0x3F, 0x0B});
}

TEST_CASE("a declared function traps until it is defined", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {});
  const std::uint32_t import = builder.ImportFunction("m", "f", type);
  const std::uint32_t even = builder.DeclareFunction(type);
  const std::uint32_t odd = builder.DeclareFunction(type);
  builder.DefineFunction(odd, {}, [&](CodeBuilder& code) { code.Call(even).Call(import); });
  builder.Start(odd);
  const Built built{builder};
  CHECK(built.Range(built.module.bodies[0]) == Bytes{0x00, 0x00, 0x0B});
  CHECK(built.Range(built.module.bodies[1]) == Bytes{0x00, 0x10, 0x01, 0x10, 0x00, 0x0B});
  CHECK(built.module.start == odd);
}

TEST_CASE("locals of one type in a row are written as one run", "[wasm][module_builder]") {
  ModuleBuilder builder;
  builder.Function(builder.Type({}, {}),
                   {ValueType::I32, ValueType::I32, ValueType::F64, ValueType::I32}, CodeBuilder{});
  const Built built{builder};
  CHECK(built.Range(built.module.bodies[0]) ==
        Bytes{0x03, 0x02, 0x7F, 0x01, 0x7C, 0x01, 0x7F, 0x0B});
}

TEST_CASE("every form of element segment is written", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {});
  const std::uint32_t function = builder.Function(type, {}, CodeBuilder{});
  builder.Table(ValueType::FuncRef, 10);
  builder.Table(ValueType::ExternRef, 10);
  const ElementItems functions = ElementItems::Functions({function, function});
  const ElementItems expressions = ElementItems::Expressions(
      ValueType::FuncRef,
      {ConstantExpression::RefFunc(function), ConstantExpression::RefNull(HeapType::Func)});
  const ElementItems externs = ElementItems::Expressions(
      ValueType::ExternRef, {ConstantExpression::RefNull(HeapType::Extern)});
  const ConstantExpression offset = ConstantExpression::I32(1);
  CHECK(builder.ActiveElement(0, offset, functions) == 0);
  CHECK(builder.PassiveElement(functions) == 1);
  CHECK(builder.ActiveElement(1, offset, functions) == 2);
  CHECK(builder.DeclarativeElement(functions) == 3);
  CHECK(builder.ActiveElement(0, offset, expressions) == 4);
  CHECK(builder.PassiveElement(expressions) == 5);
  CHECK(builder.ActiveElement(1, offset, externs) == 6);
  CHECK(builder.DeclarativeElement(externs) == 7);

  const Built built{builder};
  REQUIRE(built.module.elements.size() == 8);
  const SegmentMode modes[] = {SegmentMode::Active, SegmentMode::Passive, SegmentMode::Active,
                               SegmentMode::Declarative};
  for (std::uint32_t form = 0; form < 8; ++form) {
    CAPTURE(form);
    const ElementSegment& segment = built.module.elements[form];
    CHECK(segment.mode == modes[form % 4]);
    CHECK(segment.items_are_expressions == (form >= 4));
    CHECK(segment.table == (form % 4 == 2 ? 1u : 0u));
    CHECK(segment.count == (form < 6 ? 2u : 1u));
    CHECK(segment.type == (form < 6 ? ValueType::FuncRef : ValueType::ExternRef));
    const bool is_active = segment.mode == SegmentMode::Active;
    CHECK(built.Range(segment.offset) == (is_active ? Bytes{0x41, 0x01, 0x0B} : Bytes{}));
    const Bytes items = form < 4   ? Bytes{0x00, 0x00}
                        : form < 6 ? Bytes{0xD2, 0x00, 0x0B, 0xD0, 0x70, 0x0B}
                                   : Bytes{0xD0, 0x6F, 0x0B};
    CHECK(built.Range(segment.items) == items);
  }
}

TEST_CASE("data segments are active or passive", "[wasm][module_builder]") {
  ModuleBuilder builder;
  builder.Memory(1, 2);
  const std::array<std::uint8_t, 3> bytes{1, 2, 3};
  CHECK(builder.ActiveData(ConstantExpression::I32(8), "hello") == 0);
  CHECK(builder.PassiveData(bytes) == 1);
  CHECK(builder.ActiveData(ConstantExpression::I32(8), bytes, 7) == 2);
  const Built built{builder};
  REQUIRE(built.module.data.size() == 3);
  CHECK(built.module.data[0].mode == SegmentMode::Active);
  CHECK(built.Text(built.module.data[0].bytes) == "hello");
  CHECK(built.module.data[1].mode == SegmentMode::Passive);
  CHECK(built.Range(built.module.data[1].bytes) == Bytes{1, 2, 3});
  CHECK(built.module.data[2].memory == 7);
  CHECK(built.module.data_count == kNoIndex);
}

TEST_CASE("the data count section is there when code names a data segment",
          "[wasm][module_builder]") {
  ModuleBuilder builder;
  builder.Memory(1);
  const std::uint32_t data = builder.PassiveData("abc");
  builder.Function(builder.Type({}, {}), {}, [&](CodeBuilder& code) { code.DataDrop(data); });
  CHECK(Built{builder}.module.data_count == 1);

  ModuleBuilder asked;
  asked.RequireDataCount();
  CHECK(Built{asked}.module.data_count == 0);
}

TEST_CASE("names and custom sections come last", "[wasm][module_builder]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({ValueType::I32}, {});
  const std::uint32_t first = builder.Function(type, {}, CodeBuilder{});
  const std::uint32_t second = builder.Function(type, {}, CodeBuilder{});
  builder.NameLocal(second, 0, "x");
  builder.NameFunction(second, "second");
  builder.NameFunction(first, "first");
  builder.NameModule("demo");
  builder.Custom("producers", {std::uint8_t{9}});
  const Built built{builder};
  REQUIRE(built.module.custom_sections.size() == 2);
  CHECK(built.Text(built.module.custom_sections[1].name) == "producers");
  CHECK(built.Range(built.module.custom_sections[1].data) == Bytes{9});
  const NameSection names = ParseNames(built.module);
  CHECK(names.ModuleName() == "demo");
  CHECK(names.Function(first) == "first");
  CHECK(names.Function(second) == "second");
  CHECK(names.Local(second, 0) == "x");
}

TEST_CASE("code is written with the immediates of each instruction", "[wasm][code_builder]") {
  CHECK(Code(CodeBuilder{}.I32Const(-1).I32Const(64).I64Const(-65)) ==
        Bytes{0x41, 0x7F, 0x41, 0xC0, 0x00, 0x42, 0xBF, 0x7F});
  CHECK(Code(CodeBuilder{}.I64Const(INT64_MIN)) ==
        Bytes{0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F});
  CHECK(Code(CodeBuilder{}.F32ConstBits(0x7FA00000)) == Bytes{0x43, 0x00, 0x00, 0xA0, 0x7F});
  CHECK(Code(CodeBuilder{}.F64Const(-2.0)) == Bytes{0x44, 0, 0, 0, 0, 0, 0, 0, 0xC0});
  CHECK(Code(CodeBuilder{}.Memory(Opcode::I64Load)) == Bytes{0x29, 0x03, 0x00});
  CHECK(Code(CodeBuilder{}.Memory(Opcode::I64Load, {.align = 1, .offset = 128})) ==
        Bytes{0x29, 0x01, 0x80, 0x01});
  CHECK(Code(CodeBuilder{}.MemoryLane(Opcode::V128Load16Lane, {.offset = 4}, 7)) ==
        Bytes{0xFD, 0x55, 0x01, 0x04, 0x07});
  CHECK(Code(CodeBuilder{}.Lane(Opcode::I8x16ExtractLaneS, 15)) == Bytes{0xFD, 0x15, 0x0F});
  CHECK(Code(CodeBuilder{}.Emit(Opcode::I16x8Abs)) == Bytes{0xFD, 0x80, 0x01});
  CHECK(Code(CodeBuilder{}.BrTable({1, 0, 200}, 2)) ==
        Bytes{0x0E, 0x03, 0x01, 0x00, 0xC8, 0x01, 0x02});
  CHECK(Code(CodeBuilder{}.CallIndirect(3, 1)) == Bytes{0x11, 0x03, 0x01});
  CHECK(Code(CodeBuilder{}.Select({ValueType::ExternRef})) == Bytes{0x1C, 0x01, 0x6F});
  CHECK(Code(CodeBuilder{}.MemoryInit(5).MemoryCopy().MemoryFill()) ==
        Bytes{0xFC, 0x08, 0x05, 0x00, 0xFC, 0x0A, 0x00, 0x00, 0xFC, 0x0B, 0x00});
  CHECK(Code(CodeBuilder{}.TableInit(2, 1).TableCopy(3, 4).ElemDrop(2)) ==
        Bytes{0xFC, 0x0C, 0x02, 0x01, 0xFC, 0x0E, 0x03, 0x04, 0xFC, 0x0D, 0x02});
  CHECK(Code(CodeBuilder{}.RefNull(HeapType::Extern).RefFunc(4).Emit(Opcode::RefIsNull)) ==
        Bytes{0xD0, 0x6F, 0xD2, 0x04, 0xD1});
  CHECK(Code(CodeBuilder{}.Raw({std::uint8_t{0xFF}})) == Bytes{0xFF});
}

TEST_CASE("blocks nest and are closed", "[wasm][code_builder]") {
  CodeBuilder code;
  code.Block(ValueType::I32, [](CodeBuilder& block) {
    block.Loop({}, [](CodeBuilder& loop) { loop.Br(0); });
    block.I32Const(1).If(
        BlockType::Index(70), [](CodeBuilder& then) { then.Emit(Opcode::Nop); },
        [](CodeBuilder& otherwise) { otherwise.Unreachable(); });
  });
  CHECK(Code(code) == Bytes{0x02, 0x7F, 0x03, 0x40, 0x0C, 0x00, 0x0B, 0x41, 0x01, 0x04, 0xC6, 0x00,
                            0x01, 0x05, 0x00, 0x0B, 0x0B});
  CodeBuilder twice;
  twice.Emit(Opcode::Nop).Append(twice).Append(twice);
  CHECK(Code(twice) == Bytes{0x01, 0x01, 0x01, 0x01});
}

}  // namespace
