// SPDX-License-Identifier: Apache-2.0
/// @file
/// Files that are no modules are named as what they are.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

std::vector<std::uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

void CheckNamed(const std::vector<std::uint8_t>& bytes, tenon::ErrorCode id,
                const std::string& text) {
  const tenon::Runtime runtime;
  const auto error = Thrown<tenon::DecodeError>([&] { runtime.CompileModule(bytes); });
  CHECK(error.Id() == id);
  CHECK_THAT(error.what(), Catch::Contains(text));
  CHECK(error.ByteOffset() <= 8);
}

}  // namespace

TEST_CASE("an empty file is said to be empty") {
  CheckNamed({}, tenon::ErrorCode::EmptyModule, "the module is empty (0 bytes)");
}

TEST_CASE("text is said to be text") {
  const std::string expected =
      "not a WebAssembly module but text (first bytes \"(module\"); assemble it first";
  CheckNamed(Bytes("(module (func))"), tenon::ErrorCode::NotAModuleText, expected);
  CheckNamed(Bytes(" \n\t(module)"), tenon::ErrorCode::NotAModuleText, expected);
}

TEST_CASE("a component is said to be a component") {
  CheckNamed({0x00, 0x61, 0x73, 0x6D, 0x0D, 0x00, 0x01, 0x00},
             tenon::ErrorCode::NotAModuleComponent, "a WebAssembly component, not a core module");
}

TEST_CASE("gzip data is said to be compressed") {
  CheckNamed({0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03},
             tenon::ErrorCode::NotAModuleGzip,
             "not a WebAssembly module but gzip data; decompress it first");
}

TEST_CASE("an HTML page is said to be one") {
  const std::string expected = "not a WebAssembly module but an HTML page";
  CheckNamed(Bytes("<!DOCTYPE html><html>"), tenon::ErrorCode::NotAModuleHtml, expected);
  CheckNamed(Bytes("<html><body>404</body></html>"), tenon::ErrorCode::NotAModuleHtml, expected);
}

TEST_CASE("anything else lacks the magic number, or has another version") {
  CheckNamed(Bytes("\x7F"
                   "ELF\x02\x01\x01"),
             tenon::ErrorCode::BadMagic,
             "not a WebAssembly module: the first 4 bytes are not 00 61 73 6d");
  CheckNamed(Bytes("x"), tenon::ErrorCode::BadMagic, "not a WebAssembly module");
  CheckNamed({0x00, 0x61, 0x73, 0x6D, 0x02, 0x00, 0x00, 0x00}, tenon::ErrorCode::BadVersion,
             "unknown binary version 2, expected 1");
}

TEST_CASE("a module cut anywhere is an error, never a crash") {
  const tenon::Runtime runtime;
  const auto bytes = guests::Arithmetic();
  int accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    try {
      runtime.CompileModule(std::span{bytes.data(), size});
      ++accepted;
    } catch (const tenon::Error&) {
    }
  }
  CHECK(accepted <= 3);  // a cut at a section's end can leave a module
}

TEST_CASE("a validation error names the function and the place") {
  const tenon::Runtime runtime;
  const auto error =
      Thrown<tenon::ValidationError>([&] { runtime.CompileModule(guests::Invalid()); });
  CHECK(error.Id() == tenon::ErrorCode::TypeMismatch);
  CHECK(error.FunctionIndex() == 1);
  CHECK(error.ByteOffset() > 8);
  CHECK_THAT(error.what(), Catch::Contains("type mismatch: expected i32, found i64"));
  CHECK_THAT(error.what(), Catch::Contains("broken"));
}

TEST_CASE("Git LFS pointers, JSON and scripts are said to be what they are") {
  CheckNamed(Bytes("version https://git-lfs.github.com/spec/v1\noid sha256:00"),
             tenon::ErrorCode::NotAModuleLfs,
             "not a WebAssembly module but a Git LFS pointer; fetch the file with git lfs pull");
  for (const char* text : {"{\"error\": 404}", "{}", "\n{ \"a\": 1}", "[{\"a\": 1}]", "[\"a\"]"}) {
    CheckNamed(Bytes(text), tenon::ErrorCode::NotAModuleJson, "not a WebAssembly module but JSON");
  }
  CheckNamed(Bytes("#!/bin/sh\n"), tenon::ErrorCode::NotAModuleScript,
             "not a WebAssembly module but a script (first bytes \"#!\")");
}
