// SPDX-License-Identifier: Apache-2.0
/// @file
/// A module embedded in the program is decoded, and refused, by the compiler.
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/decoder.hpp>

namespace {

using namespace tenon::wasm;
using tenon::CoreFeatures;
using tenon::ErrorCode;
using tenon::ExternKind;
using tenon::Feature;
using tenon::ValueType;

using Bytes = std::vector<std::uint8_t>;

// (module
//   (type (func (param i32 i64) (result f32)))
//   (type (func))
//   (import "env" "log" (func (type 1)))
//   (import "env" "base" (global i32))
//   (func (type 0) (f32.const 1))
//   (table 1 2 funcref)
//   (memory 3)
//   (global (mut i64) (i64.const -1))
//   (export "run" (func 1))
//   (export "memory" (memory 0))
//   (elem (i32.const 0) func 1)
//   (data (global.get 0) "hi"))
constexpr std::uint8_t kGuest[] = {
    0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00,              //
    0x01, 0x0A, 0x02, 0x60, 0x02, 0x7F, 0x7E, 0x01, 0x7D, 0x60,  // types
    0x00, 0x00,                                                  //
    0x02, 0x17, 0x02, 0x03, 'e',  'n',  'v',  0x03, 'l',  'o',   // imports
    'g',  0x00, 0x01, 0x03, 'e',  'n',  'v',  0x04, 'b',  'a',   //
    's',  'e',  0x03, 0x7F, 0x00,                                //
    0x03, 0x02, 0x01, 0x00,                                      // functions
    0x04, 0x05, 0x01, 0x70, 0x01, 0x01, 0x02,                    // tables
    0x05, 0x03, 0x01, 0x00, 0x03,                                // memories
    0x06, 0x06, 0x01, 0x7E, 0x01, 0x42, 0x7F, 0x0B,              // globals
    0x07, 0x10, 0x02, 0x03, 'r',  'u',  'n',  0x00, 0x01, 0x06,  // exports
    'm',  'e',  'm',  'o',  'r',  'y',  0x02, 0x00,              //
    0x09, 0x07, 0x01, 0x00, 0x41, 0x00, 0x0B, 0x01, 0x01,        // elements
    0x0A, 0x09, 0x01, 0x07, 0x00, 0x43, 0x00, 0x00, 0x80, 0x3F,  // code
    0x0B,                                                        //
    0x0B, 0x08, 0x01, 0x00, 0x23, 0x00, 0x0B, 0x02, 'h',  'i'};  // data

constexpr bool IsText(const Module& module, ByteRange range, std::string_view text) {
  const std::span<const std::uint8_t> bytes = module.Bytes(range);
  if (bytes.size() != text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (bytes[i] != static_cast<std::uint8_t>(text[i])) return false;
  }
  return true;
}

/// Decodes the guest and asks `question` about it.
template <class Question>
constexpr bool Holds(Question question) {
  Module module;
  return Decode(kGuest, {}, module).IsNone() && question(module);
}

static_assert(Holds([](const Module& module) {
  return module.types.size() == 2 && module.Parameters(0).size() == 2 &&
         module.Parameters(0)[0] == ValueType::I32 && module.Parameters(0)[1] == ValueType::I64 &&
         module.Results(0).size() == 1 && module.Results(0)[0] == ValueType::F32 &&
         module.Parameters(1).empty() && module.Results(1).empty() &&
         module.types[1].group_first == 1 && module.types[1].group_size == 1;
}));

static_assert(Holds([](const Module& module) {
  const Import& log = module.imports[0];
  const Import& base = module.imports[1];
  return module.imports.size() == 2 && IsText(module, log.module, "env") &&
         IsText(module, log.name, "log") && log.kind == ExternKind::Func && log.index == 0 &&
         IsText(module, base.name, "base") && base.kind == ExternKind::Global && base.index == 0 &&
         module.imported_functions == 1 && module.imported_globals == 1 &&
         module.imported_tables == 0 && module.imported_memories == 0;
}));

static_assert(Holds([](const Module& module) {
  const Export& run = module.exports[0];
  const Export& memory = module.exports[1];
  return module.exports.size() == 2 && IsText(module, run.name, "run") &&
         run.kind == ExternKind::Func && run.index == 1 && IsText(module, memory.name, "memory") &&
         memory.kind == ExternKind::Memory && memory.index == 0;
}));

static_assert(Holds([](const Module& module) {
  return module.functions.size() == 2 && module.functions[0] == 1 && module.functions[1] == 0 &&
         module.tables.size() == 1 && module.tables[0].element == ValueType::FuncRef &&
         module.tables[0].limits.minimum == 1 && module.tables[0].limits.maximum == 2 &&
         module.tables[0].limits.has_maximum && module.memories.size() == 1 &&
         module.memories[0].limits.minimum == 3 && !module.memories[0].limits.has_maximum &&
         module.globals.size() == 2 && !module.globals[0].is_mutable &&
         module.globals[1] == GlobalType{ValueType::I64, true};
}));

static_assert(Holds([](const Module& module) {
  return module.bodies.size() == 1 && module.bodies[0].size == 7 &&
         module.elements[0].mode == SegmentMode::Active && module.elements[0].count == 1 &&
         IsText(module, module.data[0].bytes, "hi") && module.start == kNoIndex;
}));

constexpr Bytes AfterHeader(std::initializer_list<std::uint8_t> sections) {
  Bytes bytes{0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};
  bytes.insert(bytes.end(), sections.begin(), sections.end());
  return bytes;
}

constexpr ErrorCode Refusal(const Bytes& bytes, CoreFeatures features = CoreFeatures::V2()) {
  DecodeOptions options;
  options.features = features;
  Module module;
  return Decode(bytes, options, module).code;
}

static_assert(Refusal({}) == ErrorCode::EmptyModule);
static_assert(Refusal({'(', 'm', 'o', 'd', 'u', 'l', 'e', ')'}) == ErrorCode::NotAModuleText);
static_assert(Refusal({0x00, 0x61, 0x73, 0x6D, 0x0D, 0x00, 0x01, 0x00}) ==
              ErrorCode::NotAModuleComponent);
static_assert(Refusal(AfterHeader({})) == ErrorCode::None);
static_assert(Refusal(AfterHeader({0x01, 0x04, 0x01, 0x61, 0x00, 0x00})) ==
              ErrorCode::MalformedTypeForm);
static_assert(Refusal(AfterHeader({0x01, 0x05, 0x01, 0x60, 0x01, 0x7B, 0x00}),
                      CoreFeatures::V2().SetEnabled(Feature::Simd, false)) ==
              ErrorCode::FeatureDisabled);
static_assert(Refusal(AfterHeader({0x03, 0x02, 0x01, 0x00})) == ErrorCode::FunctionCodeMismatch);
static_assert(Refusal(AfterHeader({0x07, 0x05, 0x01, 0x01, 0xFF, 0x00, 0x00})) ==
              ErrorCode::MalformedUtf8);
static_assert(Refusal(AfterHeader({0x06, 0x06, 0x01, 0x7F, 0x00, 0x20, 0x00, 0x0B})) ==
              ErrorCode::ConstantExpressionRequired);

// The place and the numbers of a fault are there too.
constexpr Fault TruncatedGuest() {
  Module module;
  return Decode(std::span{kGuest}.first(30), {}, module);
}
static_assert(TruncatedGuest().code == ErrorCode::LengthOutOfBounds);
static_assert(TruncatedGuest().offset == 22);
static_assert(TruncatedGuest().arguments[0].bits == 23);
static_assert(TruncatedGuest().arguments[1].bits == 8);

// The interface alone: everything else may be wrong, as long as the sections can be told apart.
constexpr Fault InterfaceFault(const Bytes& bytes) {
  DecodeOptions options;
  options.interface_only = true;
  Module module;
  return Decode(bytes, options, module);
}
static_assert(Refusal(AfterHeader({0x0A, 0x03, 0xFF, 0xFF, 0xFF})) != ErrorCode::None);
static_assert(InterfaceFault(AfterHeader({0x0A, 0x03, 0xFF, 0xFF, 0xFF})).IsNone());
static_assert(InterfaceFault(AfterHeader({0x03, 0x02, 0x01, 0x00})).IsNone());
static_assert(InterfaceFault(AfterHeader({0x0A, 0x03, 0xFF, 0xFF})).code ==
              ErrorCode::LengthOutOfBounds);
static_assert(InterfaceFault(AfterHeader({0x07, 0x05, 0x01, 0x01, 0xFF, 0x00, 0x00})).code ==
              ErrorCode::MalformedUtf8);
constexpr bool HasInterface() {
  DecodeOptions options;
  options.interface_only = true;
  Module module;
  return Decode(kGuest, options, module).IsNone() && module.imports.size() == 2 &&
         module.functions.size() == 2 && module.exports.size() == 2 && module.bodies.empty() &&
         module.data.empty();
}
static_assert(HasInterface());

TEST_CASE("decoding at run time agrees with decoding at compile time", "[wasm][decoder]") {
  Module module;
  REQUIRE(Decode(kGuest, {}, module).IsNone());
  CHECK(module.Text(module.exports[0].name) == "run");
}

}  // namespace
