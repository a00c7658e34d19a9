// SPDX-License-Identifier: Apache-2.0
/// @file
/// Decoding of every section, and the fault of every way in which one can be malformed.
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "module_bytes.hpp"

namespace {

using namespace tenon::wasm;
using namespace tenon_test;
using tenon::CoreFeatures;
using tenon::ErrorCode;
using tenon::ErrorText;
using tenon::Feature;
using tenon::ValueType;

Fault FaultOf(const Bytes& bytes, CoreFeatures features = CoreFeatures::V2()) {
  DecodeOptions options;
  options.features = features;
  Module module;
  return Decode(bytes, options, module);
}

Fault FaultOfText(std::string_view text) { return FaultOf({text.begin(), text.end()}); }

/// The fault of a module that is one section.
Fault FaultOfSection(SectionId id, const Bytes& content,
                     CoreFeatures features = CoreFeatures::V2()) {
  return FaultOf(WithHeader({Section(id, content)}), features);
}

CoreFeatures Without(Feature feature) { return CoreFeatures::V2().SetEnabled(feature, false); }

/// Checks code and offset, which counts from the section's content.
void CheckFault(const Fault& fault, ErrorCode code, std::uint32_t offset_in_section) {
  CAPTURE(ErrorText(fault.code), ErrorText(code));
  CHECK(fault.code == code);
  CHECK(fault.offset == 10 + offset_in_section);
}

TEST_CASE("what is no module is named as what it is", "[wasm][decoder]") {
  CHECK(FaultOf({}).code == ErrorCode::EmptyModule);
  CHECK(FaultOfText("(module)").code == ErrorCode::NotAModuleText);
  CHECK(FaultOfText("\xEF\xBB\xBF \n\t(module $m)").code == ErrorCode::NotAModuleText);
  CHECK(FaultOfText("<!DOCTYPE html>").code == ErrorCode::NotAModuleHtml);
  CHECK(FaultOfText("\r\n<HTML>").code == ErrorCode::NotAModuleHtml);
  CHECK(FaultOf({0x1F, 0x8B, 0x08}).code == ErrorCode::NotAModuleGzip);
  CHECK(FaultOf({0x00, 0x61, 0x73, 0x6D, 0x0D, 0x00, 0x01, 0x00}).code ==
        ErrorCode::NotAModuleComponent);
  CHECK(FaultOfText("\x7F"
                    "ELF")
            .code == ErrorCode::BadMagic);
  CHECK(FaultOfText("(mod").code == ErrorCode::BadMagic);
  CHECK(FaultOfText("   ").code == ErrorCode::BadMagic);
  CHECK(FaultOf({0xEF, 0xBB, 0xBF}).code == ErrorCode::BadMagic);
}

TEST_CASE("other versions are refused with their number", "[wasm][decoder]") {
  const Fault fault = FaultOf({0x00, 0x61, 0x73, 0x6D, 0x02, 0x00, 0x00, 0x00});
  CHECK(fault.code == ErrorCode::BadVersion);
  CHECK(fault.offset == 4);
  CHECK(fault.arguments[0].bits == 2);
}

TEST_CASE("a header cut short is an unexpected end", "[wasm][decoder]") {
  const Bytes header = WithHeader({});
  for (std::size_t size = 1; size < header.size(); ++size) {
    const Fault fault =
        FaultOf({header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(fault.code == ErrorCode::UnexpectedEnd);
    CHECK(fault.offset == size);
  }
  CHECK(FaultOf(header).IsNone());
}

TEST_CASE("sections stand in their order, each at most once", "[wasm][decoder]") {
  const SectionId ordered[] = {SectionId::Type,      SectionId::Import, SectionId::Function,
                               SectionId::Table,     SectionId::Memory, SectionId::Global,
                               SectionId::Export,    SectionId::Start,  SectionId::Element,
                               SectionId::DataCount, SectionId::Code,   SectionId::Data};
  for (const SectionId first : ordered) {
    for (const SectionId second : ordered) {
      CAPTURE(int(first), int(second));
      const bool in_order = &first != &second && detail::kSectionOrder[std::size_t(first)] <
                                                     detail::kSectionOrder[std::size_t(second)];
      const Bytes bytes = WithHeader({Section(first, {0x00}), Section(second, {0x00})});
      const Fault fault = FaultOf(bytes);
      CHECK(fault.code == (in_order ? ErrorCode::None : ErrorCode::SectionOrder));
      if (!in_order) CHECK(fault.arguments[0].bits == std::uint64_t(second));
    }
  }
}

TEST_CASE("custom sections may stand anywhere, any number of times", "[wasm][decoder]") {
  const Bytes custom = Section(SectionId::Custom, Join({Name("x"), {1, 2, 3}}));
  const Bytes bytes = WithHeader({custom, Section(SectionId::Type, {0x00}), custom, custom,
                                  Section(SectionId::Memory, {0x00}), custom});
  Module module;
  REQUIRE(Decode(bytes, {}, module).IsNone());
  REQUIRE(module.custom_sections.size() == 4);
  CHECK(module.Text(module.custom_sections[3].name) == "x");
  CHECK(module.custom_sections[3].data.size == 3);
  CHECK(FaultOfSection(SectionId::Custom, {}).code == ErrorCode::UnexpectedEnd);
  CHECK(FaultOfSection(SectionId::Custom, {0x02, 'a'}).code == ErrorCode::LengthOutOfBounds);
  CHECK(FaultOfSection(SectionId::Custom, {0x01, 0xFF}).code == ErrorCode::MalformedUtf8);
}

TEST_CASE("section ids and sizes are checked", "[wasm][decoder]") {
  const Fault unknown = FaultOf(WithHeader({RawSection(13, {})}));
  CHECK(unknown.code == ErrorCode::UnknownSection);
  CHECK(unknown.offset == 8);
  CHECK(unknown.arguments[0].bits == 13);
  CHECK(FaultOf(WithHeader({RawSection(0x80, {})})).code == ErrorCode::UnknownSection);
  CHECK(FaultOf(WithHeader({{0x01}})).code == ErrorCode::UnexpectedEnd);
  CHECK(FaultOf(WithHeader({{0x01, 0x02, 0x00}})).code == ErrorCode::LengthOutOfBounds);
  CHECK(FaultOf(WithHeader({{0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}})).code ==
        ErrorCode::LengthOutOfBounds);

  const Fault longer = FaultOfSection(SectionId::Type, {0x00, 0x00, 0x00});
  CheckFault(longer, ErrorCode::SectionSizeMismatch, 1);
  CHECK(longer.arguments[0].bits == 3);
  CHECK(longer.arguments[1].bits == 1);
  CHECK(FaultOfSection(SectionId::Start, {0x00, 0x00}).code == ErrorCode::SectionSizeMismatch);
  CHECK(FaultOfSection(SectionId::Type, {}).code == ErrorCode::UnexpectedEnd);
}

TEST_CASE("a section cannot read past its end", "[wasm][decoder]") {
  // The function type continues in the bytes of the next section.
  const Bytes bytes = WithHeader({RawSection(1, {0x01, 0x60}), RawSection(0, {0x00})});
  const Fault fault = FaultOf(bytes);
  CheckFault(fault, ErrorCode::UnexpectedEnd, 2);
}

TEST_CASE("malformed types are refused", "[wasm][decoder]") {
  CheckFault(FaultOfSection(SectionId::Type, {0x01, 0x5F, 0x00}), ErrorCode::MalformedTypeForm, 1);
  CheckFault(FaultOfSection(SectionId::Type, {0x01, 0x60, 0x01, 0x40, 0x00}),
             ErrorCode::MalformedValueType, 3);
  CheckFault(FaultOfSection(SectionId::Type, {0x01, 0x60, 0x00, 0x01, 0x6E}),
             ErrorCode::MalformedValueType, 4);
  CheckFault(FaultOfSection(SectionId::Type, {0x02, 0x60, 0x00, 0x00}), ErrorCode::UnexpectedEnd,
             4);
}

TEST_CASE("malformed imports are refused", "[wasm][decoder]") {
  const Bytes names{0x01, 0x01, 'm', 0x01, 'n'};
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x04, 0x00, 0x00}})),
             ErrorCode::MalformedImportKind, 5);
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x01, 0x7F, 0x00, 0x00}})),
             ErrorCode::MalformedReferenceType, 6);
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x01, 0x70, 0x02, 0x00}})),
             ErrorCode::MalformedLimits, 7);
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x02, 0x03, 0x00, 0x00}})),
             ErrorCode::FeatureDisabled, 6);
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x02, 0x0B, 0x00, 0x00}})),
             ErrorCode::MalformedLimits, 6);
  CheckFault(FaultOfSection(SectionId::Import, Join({names, {0x03, 0x7F, 0x02}})),
             ErrorCode::MalformedMutability, 7);
  CheckFault(FaultOfSection(SectionId::Import, {0x01, 0x01, 0xC0, 0x00, 0x00, 0x00}),
             ErrorCode::MalformedUtf8, 2);
}

TEST_CASE("malformed declarations are refused", "[wasm][decoder]") {
  CheckFault(FaultOfSection(SectionId::Table, {0x01, 0x7F, 0x00, 0x00}),
             ErrorCode::MalformedReferenceType, 1);
  CheckFault(FaultOfSection(SectionId::Table, {0x01, 0x70, 0x08, 0x00}), ErrorCode::MalformedLimits,
             2);
  CheckFault(FaultOfSection(SectionId::Memory, {0x01, 0x08, 0x00}), ErrorCode::MalformedLimits, 1);
  CheckFault(FaultOfSection(SectionId::Memory, {0x01, 0x04, 0x00}), ErrorCode::FeatureDisabled, 1);
  CheckFault(FaultOfSection(SectionId::Table, {0x01, 0x70, 0x04, 0x00}), ErrorCode::Table64, 2);
  CheckFault(FaultOfSection(SectionId::Memory, {0x01, 0x01, 0x00}), ErrorCode::UnexpectedEnd, 3);
  CheckFault(FaultOfSection(SectionId::Global, {0x01, 0x7F, 0x02, 0x0B}),
             ErrorCode::MalformedMutability, 2);
  CheckFault(FaultOfSection(SectionId::Export, {0x01, 0x01, 'x', 0x04, 0x00}),
             ErrorCode::MalformedExportKind, 3);
  CheckFault(FaultOfSection(SectionId::Function, {0x01, 0x80}), ErrorCode::UnexpectedEnd, 2);
}

TEST_CASE("constant expressions are found up to their end", "[wasm][decoder]") {
  const auto global = [](const Bytes& expression, CoreFeatures features = CoreFeatures::V2()) {
    return FaultOfSection(SectionId::Global, Join({{0x01, 0x7F, 0x00}, expression}), features);
  };
  Bytes v128(19, 0x0B);
  v128[0] = 0xFD;
  v128[1] = 0x0C;
  for (const Bytes& good : std::initializer_list<Bytes>{
           {0x0B},
           {0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x0B},
           {0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F, 0x0B},
           {0x43, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B},
           {0x44, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B, 0x0B},
           v128,
           {0x23, 0x8B, 0x00, 0x0B},
           {0xD0, 0x70, 0x0B},
           {0xD0, 0x6F, 0x0B},
           {0xD2, 0x0B, 0x0B},
           {0x41, 0x00, 0x41, 0x00, 0x0B}}) {
    const Fault fault = global(good);
    CAPTURE(ErrorText(fault.code), good);
    CHECK(fault.IsNone());
  }
  CheckFault(global({0x20, 0x00, 0x0B}), ErrorCode::ConstantExpressionRequired, 3);
  CheckFault(global({0x41, 0x00, 0x01, 0x0B}), ErrorCode::ConstantExpressionRequired, 5);
  CheckFault(global({0xFD, 0x4D, 0x0B}), ErrorCode::ConstantExpressionRequired, 3);
  CheckFault(global({0xFF, 0x0B}), ErrorCode::IllegalOpcode, 3);
  CHECK(global({0xFF, 0x0B}).arguments[0].bits == 0xFF);
  CheckFault(global({0xFC, 0x40, 0x0B}), ErrorCode::IllegalOpcode, 3);
  CheckFault(global({0xFD, 0x8C, 0x02, 0x0B}), ErrorCode::IllegalOpcode, 3);
  CheckFault(global({0xD0, 0x7F, 0x0B}), ErrorCode::MalformedHeapType, 4);
  CheckFault(global({0x41, 0x00}), ErrorCode::UnexpectedEnd, 5);
  CheckFault(global({0x43, 0x00, 0x00, 0x00}), ErrorCode::UnexpectedEnd, 4);
  CheckFault(global({0x41, 0x80, 0x80, 0x80, 0x80, 0x08, 0x0B}), ErrorCode::IntegerTooLarge, 4);

  const Fault simd = global(v128, Without(Feature::Simd));
  CHECK(simd.code == ErrorCode::FeatureDisabled);
  CHECK(simd.arguments[0].bits == static_cast<std::uint64_t>(Feature::Simd));
  CHECK(simd.arguments[1].bits == static_cast<std::uint64_t>(Opcode::V128Const));
  CHECK(global({0xD2, 0x00, 0x0B}, Without(Feature::ReferenceTypes)).code ==
        ErrorCode::FeatureDisabled);
}

TEST_CASE("malformed element segments are refused", "[wasm][decoder]") {
  const auto element = [](const Bytes& bytes) {
    return FaultOfSection(SectionId::Element, Join({{0x01}, bytes}));
  };
  CheckFault(element({0x08, 0x00}), ErrorCode::MalformedElementFlags, 1);
  CheckFault(element({0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), ErrorCode::MalformedElementFlags, 1);
  CheckFault(element({0x01, 0x01, 0x00}), ErrorCode::MalformedElementKind, 2);
  CheckFault(element({0x03, 0x70, 0x00}), ErrorCode::MalformedElementKind, 2);
  CheckFault(element({0x05, 0x7F, 0x00}), ErrorCode::MalformedReferenceType, 2);
  CheckFault(element({0x05, 0x00, 0x00}), ErrorCode::MalformedReferenceType, 2);
  CheckFault(element({0x05, 0x70, 0x01, 0x01, 0x0B}), ErrorCode::ConstantExpressionRequired, 4);
  CheckFault(element({0x01, 0x00, 0x02, 0x00}), ErrorCode::LengthOutOfBounds, 3);
  CheckFault(element({0x01, 0x00, 0x01, 0x80}), ErrorCode::UnexpectedEnd, 5);
}

TEST_CASE("malformed data segments are refused", "[wasm][decoder]") {
  const auto data = [](const Bytes& bytes) {
    return FaultOfSection(SectionId::Data, Join({{0x01}, bytes}));
  };
  CheckFault(data({0x03, 0x00}), ErrorCode::MalformedDataFlags, 1);
  CheckFault(data({0x01, 0x02, 0x00}), ErrorCode::LengthOutOfBounds, 3);
  CheckFault(data({0x00, 0x41, 0x00, 0x0B}), ErrorCode::UnexpectedEnd, 5);
  CHECK(data({0x02, 0x00, 0x41, 0x00, 0x0B, 0x00}).IsNone());
}

TEST_CASE("functions and bodies are as many", "[wasm][decoder]") {
  const Bytes functions = Section(SectionId::Function, {0x02, 0x00, 0x00});
  const Fault missing = FaultOf(WithHeader({functions}));
  CHECK(missing.code == ErrorCode::FunctionCodeMismatch);
  CHECK(missing.arguments[0].bits == 2);
  CHECK(missing.arguments[1].bits == 0);
  const Bytes one = Section(SectionId::Code, {0x01, 0x02, 0x00, 0x0B});
  CHECK(FaultOf(WithHeader({functions, one})).code == ErrorCode::FunctionCodeMismatch);
  CHECK(FaultOf(WithHeader({one})).code == ErrorCode::FunctionCodeMismatch);
  CHECK(FaultOf(WithHeader({Section(SectionId::Code, {0x00})})).IsNone());
}

TEST_CASE("bodies are located within their section", "[wasm][decoder]") {
  const Bytes functions = Section(SectionId::Function, {0x02, 0x00, 0x00});
  const Bytes bytes = WithHeader({functions, Section(SectionId::Code, {0x02, 0x02, 0x00, 0x0B, 0x83,
                                                                       0x00, 0x00, 0x01, 0x0B})});
  Module module;
  REQUIRE(Decode(bytes, {}, module).IsNone());
  REQUIRE(module.bodies.size() == 2);
  CHECK(module.bodies[0].offset == module.code_section.offset + 2);
  CHECK(module.bodies[0].size == 2);
  CHECK(module.bodies[1].size == 3);
  CHECK(module.bodies[1].End() == module.code_section.End());

  const Bytes past =
      WithHeader({functions, Section(SectionId::Code, {0x02, 0x02, 0x00, 0x0B, 0x02, 0x0B})});
  CHECK(FaultOf(past).code == ErrorCode::LengthOutOfBounds);
  const Bytes left =
      WithHeader({functions, Section(SectionId::Code, {0x02, 0x01, 0x0B, 0x01, 0x0B, 0x00})});
  CHECK(FaultOf(left).code == ErrorCode::SectionSizeMismatch);
}

TEST_CASE("the data count agrees with the data section", "[wasm][decoder]") {
  const auto with = [](std::uint8_t count, const Bytes& data) {
    return FaultOf(WithHeader({Section(SectionId::DataCount, {count}), data}));
  };
  CHECK(with(0, {}).IsNone());
  CHECK(with(1, {}).code == ErrorCode::DataCountMismatch);
  CHECK(with(1, Section(SectionId::Data, {0x01, 0x01, 0x00})).IsNone());
  CHECK(with(2, Section(SectionId::Data, {0x01, 0x01, 0x00})).code == ErrorCode::DataCountMismatch);
  CHECK(with(0, Section(SectionId::Data, {0x01, 0x01, 0x00})).code == ErrorCode::DataCountMismatch);
}

TEST_CASE("what needs a disabled feature is refused by its name", "[wasm][decoder]") {
  struct Case {
    Feature feature;
    SectionId section;
    Bytes content;
  };
  const Case cases[] = {
      {Feature::Simd, SectionId::Type, {0x01, 0x60, 0x01, 0x7B, 0x00}},
      {Feature::ReferenceTypes, SectionId::Type, {0x01, 0x60, 0x01, 0x70, 0x00}},
      {Feature::ReferenceTypes, SectionId::Type, {0x01, 0x60, 0x01, 0x6F, 0x00}},
      {Feature::MultiValue, SectionId::Type, {0x01, 0x60, 0x00, 0x02, 0x7F, 0x7F}},
      {Feature::ReferenceTypes, SectionId::Table, {0x01, 0x6F, 0x00, 0x00}},
      {Feature::Simd, SectionId::Global, {0x01, 0x7B, 0x00, 0x0B}},
      {Feature::BulkMemory, SectionId::Element, {0x01, 0x01, 0x00, 0x00}},
      {Feature::BulkMemory, SectionId::Element, {0x01, 0x04, 0x41, 0x00, 0x0B, 0x00}},
      {Feature::ReferenceTypes, SectionId::Element, {0x01, 0x05, 0x6F, 0x00}},
      {Feature::BulkMemory, SectionId::Data, {0x01, 0x01, 0x00}},
      {Feature::BulkMemory, SectionId::Data, {0x01, 0x02, 0x00, 0x41, 0x00, 0x0B, 0x00}},
      {Feature::BulkMemory, SectionId::DataCount, {0x00}},
  };
  for (const Case& c : cases) {
    CAPTURE(int(c.section), c.content, tenon::FeatureName(c.feature));
    CHECK(FaultOfSection(c.section, c.content).IsNone());
    const Fault fault = FaultOfSection(c.section, c.content, Without(c.feature));
    CHECK(fault.code == ErrorCode::FeatureDisabled);
    CHECK(fault.IsValidation());
    CHECK(fault.arguments[0].bits == static_cast<std::uint64_t>(c.feature));
    CHECK(fault.arguments[1].kind != FaultArgument::Kind::None);
  }
}

TEST_CASE("several tables need reference types, imported ones too", "[wasm][decoder]") {
  const CoreFeatures v1 = CoreFeatures::V1();
  const Bytes two{0x02, 0x70, 0x00, 0x00, 0x70, 0x00, 0x00};
  CHECK(FaultOfSection(SectionId::Table, two).IsNone());
  CHECK(FaultOfSection(SectionId::Table, two, v1).code == ErrorCode::MultipleTables);
  CHECK(FaultOfSection(SectionId::Table, {0x01, 0x70, 0x00, 0x00}, v1).IsNone());
  const Bytes import{0x00, 0x00, 0x01, 0x70, 0x00, 0x00};
  CHECK(FaultOfSection(SectionId::Import, Join({{0x01}, import}), v1).IsNone());
  CHECK(FaultOfSection(SectionId::Import, Join({{0x02}, import, import}), v1).code ==
        ErrorCode::MultipleTables);
  CHECK(FaultOf(WithHeader({Vector(SectionId::Import, {import}),
                            Section(SectionId::Table, {0x01, 0x70, 0x00, 0x00})}),
                v1)
            .code == ErrorCode::MultipleTables);
}

TEST_CASE("decoding again starts afresh", "[wasm][decoder]") {
  ModuleBuilder builder;
  builder.Type({ValueType::I32}, {});
  builder.Memory(1);
  builder.Start(0);
  const Bytes first = builder.Build();
  const Bytes second = WithHeader({});
  Module module;
  REQUIRE(Decode(first, {}, module).IsNone());
  CHECK(module.start == 0);
  REQUIRE(Decode(second, {}, module).IsNone());
  CHECK(module.types.empty());
  CHECK(module.memories.empty());
  CHECK(module.start == kNoIndex);
}

}  // namespace
