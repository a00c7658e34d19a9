// SPDX-License-Identifier: Apache-2.0
/// @file
/// Errors, types and faults as text.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/error_text.hpp>
#include <tenon/wasm/error_format.hpp>

using tenon::ErrorCode;
using tenon::Feature;
using tenon::FormatError;
using tenon::HeapType;
using tenon::SignatureText;
using tenon::TypeName;
using tenon::ValueType;
using namespace tenon::wasm;

TEST_CASE("arguments take the place of their numbers in an error text") {
  CHECK(FormatError(ErrorCode::ModuleNotInstantiated, {"env"}) == "module[env] not instantiated");
  CHECK(FormatError(ErrorCode::ImportNotFound, {"func", "env", "f"}) ==
        "import func \"env\".\"f\": module \"env\" exports no func of this name");
  CHECK(FormatError(ErrorCode::AlreadyClosed, {}) == "already closed");
  CHECK(FormatError(ErrorCode::None, {"x"}).empty());
}

TEST_CASE("placeholders in arguments are not filled, those without arguments stay") {
  CHECK(FormatError(ErrorCode::TypeMismatch, {"{1}", "{0}"}) ==
        "type mismatch: expected {1}, found {0}");
  CHECK(FormatError(ErrorCode::TypeMismatch, {"i32"}) == "type mismatch: expected i32, found {1}");
}

TEST_CASE("types are spelled as in the text format") {
  CHECK(TypeName(ValueType::I32) == "i32");
  CHECK(TypeName(ValueType::I64) == "i64");
  CHECK(TypeName(ValueType::F32) == "f32");
  CHECK(TypeName(ValueType::F64) == "f64");
  CHECK(TypeName(ValueType::V128) == "v128");
  CHECK(TypeName(ValueType::FuncRef) == "funcref");
  CHECK(TypeName(ValueType::ExternRef) == "externref");
  CHECK(TypeName(ValueType::Reference(HeapType::Concrete(3), true)) == "(ref null 3)");
  CHECK(TypeName(ValueType::Reference(HeapType::Concrete(0), false)) == "(ref 0)");
  CHECK(TypeName(ValueType::Reference(HeapType::Func, false)) == "(ref func)");
  CHECK(TypeName(ValueType::Reference(HeapType::NoExtern, true)) == "(ref null noextern)");
}

TEST_CASE("signatures show parameters and results") {
  const ValueType pair[] = {ValueType::I32, ValueType::I64};
  const ValueType one[] = {ValueType::F64};
  CHECK(SignatureText({}, {}) == "() -> ()");
  CHECK(SignatureText(pair, one) == "(i32, i64) -> f64");
  CHECK(SignatureText(one, pair) == "(f64) -> (i32, i64)");
}

TEST_CASE("each kind of fault argument is written in its own way") {
  const std::string_view name = "a\n\"\x7F\\z";
  std::vector<std::uint8_t> bytes(name.begin(), name.end());
  Module module;
  module.bytes = bytes;
  const auto text = [&](FaultArgument first) {
    Fault fault;
    fault.code = ErrorCode::TypeMismatch;
    fault.arguments[0] = first;
    fault.arguments[1] = "x";
    const std::string all = FormatFault(module, fault);
    return all.substr(24, all.rfind(", found") - 24);
  };
  CHECK(text(std::uint64_t{18446744073709551615u}) == "18446744073709551615");
  CHECK(text(FaultArgument::Byte(0)) == "0x0");
  CHECK(text(FaultArgument::Byte(0xFD9A)) == "0xfd9a");
  CHECK(text(ValueType::V128) == "v128");
  CHECK(text(Feature::Simd) == "simd");
  CHECK(text(Opcode::I8x16Shuffle) == "i8x16.shuffle");
  CHECK(text("literal") == "literal");
  CHECK(text(ByteRange{0, static_cast<std::uint32_t>(name.size())}) == "a\\0a\\22\\7f\\5cz");
  CHECK(text(ByteRange{1, 6}) == "?");
}

TEST_CASE("overlong names are cut between characters") {
  // 255 letters, then a character of two bytes that the limit would split.
  const std::string name = std::string(255, 'n') + "\xC3\xA9" + "tail";
  std::vector<std::uint8_t> bytes(name.begin(), name.end());
  Module module;
  module.bytes = bytes;
  Fault fault;
  fault.code = ErrorCode::DuplicateExport;
  fault.arguments[0] = ByteRange{0, static_cast<std::uint32_t>(name.size())};
  CHECK(FormatFault(module, fault) == "duplicate export name \"" + std::string(255, 'n') + "...\"");
}

TEST_CASE("a fault's place is its function, instruction and byte, as far as they are known") {
  const std::vector<std::uint8_t> bytes = {0, 0, 0x6A, 0xFC, 0x8A, 0x00, 0xFD, 0x80, 0x02, 0xFC};
  Module module;
  module.bytes = bytes;
  Fault fault;
  fault.code = ErrorCode::TypeMismatchIf;
  const std::string text = "type mismatch: if without else must have equal parameters and results";
  CHECK(FormatFault(module, fault) == text);
  fault.offset = 2;
  CHECK(FormatFault(module, fault) == text + " (at byte 0x2)");
  fault.function = 12;
  CHECK(FormatFault(module, fault) == text + " (function 12, i32.add at byte 0x2)");
  CHECK(FormatFault(module, fault, "main") ==
        text + " (function 12 \"main\", i32.add at byte 0x2)");
  CHECK(FormatFault(module, fault, "a\tb") ==
        text + " (function 12 \"a\\09b\", i32.add at byte 0x2)");
  fault.offset = 3;
  CHECK(FormatFault(module, fault) == text + " (function 12, memory.copy at byte 0x3)");
  for (const std::uint32_t no_instruction : {6u, 9u, 10u, 0xFFFFFFFFu}) {
    fault.offset = no_instruction;
    CHECK(FormatFault(module, fault).find("(function 12 at byte 0x") != std::string::npos);
  }
  // Malformed bytes need not be an instruction.
  fault.code = ErrorCode::IntegerTooLong;
  fault.offset = 2;
  CHECK(FormatFault(module, fault) == "integer representation too long (function 12 at byte 0x2)");
}
