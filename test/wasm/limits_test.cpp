// SPDX-License-Identifier: Apache-2.0
/// @file
/// Every implementation limit that decoding checks, at the edge and past it.
#include <cstdint>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "module_bytes.hpp"

namespace {

using namespace tenon::wasm;
using namespace tenon_test;
using tenon::ErrorCode;
using tenon::ErrorText;
using tenon::ValueType;

// The WebAssembly JavaScript Interface, section "Implementation-defined Limits".
static_assert(ImplementationLimits{}.module_size == 1'073'741'824);
static_assert(ImplementationLimits{}.types == 1'000'000);
static_assert(ImplementationLimits{}.functions == 1'000'000);
static_assert(ImplementationLimits{}.imports == 1'000'000);
static_assert(ImplementationLimits{}.exports == 1'000'000);
static_assert(ImplementationLimits{}.globals == 1'000'000);
static_assert(ImplementationLimits{}.tables == 100'000);
static_assert(ImplementationLimits{}.element_segments == 10'000'000);
static_assert(ImplementationLimits{}.data_segments == 100'000);
static_assert(ImplementationLimits{}.parameters == 1'000);
static_assert(ImplementationLimits{}.results == 1'000);
static_assert(ImplementationLimits{}.function_body == 7'654'321);
static_assert(ImplementationLimits{}.locals == 50'000);
static_assert(ImplementationLimits{}.table_elements == 10'000'000);
static_assert(ImplementationLimits{}.memory_pages == 65'536);

/// A vector of `count` entries that are all the same.
Bytes Repeated(SectionId id, std::uint32_t count, const Bytes& entry) {
  Bytes content = Unsigned(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    content.insert(content.end(), entry.begin(), entry.end());
  }
  return Section(id, content);
}

Bytes WithEmptyFunctions(std::uint32_t count) {
  return WithHeader({Vector(SectionId::Type, {{0x60, 0x00, 0x00}}),
                     Repeated(SectionId::Function, count, {0x00}),
                     Repeated(SectionId::Code, count, {0x02, 0x00, 0x0B})});
}

Bytes WithBodyOf(std::uint32_t size) {
  Bytes body = Unsigned(size);
  body.resize(body.size() + size, 0x01);
  body.back() = 0x0B;
  body[body.size() - size] = 0x00;
  return WithHeader({Vector(SectionId::Type, {{0x60, 0x00, 0x00}}),
                     Vector(SectionId::Function, {{0x00}}), Vector(SectionId::Code, {body})});
}

Bytes WithImports(std::uint32_t count, const Bytes& type) {
  return WithHeader({Repeated(SectionId::Import, count, Join({{0x01, 'm', 0x01, 'f'}, type}))});
}

Bytes WithType(std::uint32_t parameters, std::uint32_t results) {
  ModuleBuilder builder;
  builder.Type(std::vector<ValueType>(parameters, ValueType::I64),
               std::vector<ValueType>(results, ValueType::I64));
  return builder.Build();
}

Bytes WithElements(std::uint32_t count) {
  return WithHeader(
      {Vector(SectionId::Element, {Join({{0x01, 0x00}, Unsigned(count), Bytes(count, 0x00)})})});
}

/// One limit and how to make a module of a given size in it.
struct LimitCase {
  std::string_view what;  ///< as the fault names it
  std::uint32_t ImplementationLimits::* limit;
  Bytes (*make)(std::uint32_t count);
};

const LimitCase kCases[] = {
    {"types", &ImplementationLimits::types,
     [](std::uint32_t n) {
       return WithHeader({Repeated(SectionId::Type, n, {0x60, 0x00, 0x00})});
     }},
    {"parameters", &ImplementationLimits::parameters,
     [](std::uint32_t n) { return WithType(n, 0); }},
    {"results", &ImplementationLimits::results, [](std::uint32_t n) { return WithType(0, n); }},
    {"imports", &ImplementationLimits::imports,
     [](std::uint32_t n) { return WithImports(n, {0x00, 0x00}); }},
    {"functions", &ImplementationLimits::functions, WithEmptyFunctions},
    {"functions", &ImplementationLimits::functions,
     [](std::uint32_t n) { return WithImports(n, {0x00, 0x00}); }},
    {"tables", &ImplementationLimits::tables,
     [](std::uint32_t n) {
       return WithHeader({Repeated(SectionId::Table, n, {0x70, 0x00, 0x00})});
     }},
    {"tables", &ImplementationLimits::tables,
     [](std::uint32_t n) { return WithImports(n, {0x01, 0x70, 0x00, 0x00}); }},
    {"memories", &ImplementationLimits::memories,
     [](std::uint32_t n) { return WithHeader({Repeated(SectionId::Memory, n, {0x00, 0x00})}); }},
    {"memories", &ImplementationLimits::memories,
     [](std::uint32_t n) { return WithImports(n, {0x02, 0x00, 0x00}); }},
    {"globals", &ImplementationLimits::globals,
     [](std::uint32_t n) {
       return WithHeader({Repeated(SectionId::Global, n, {0x7F, 0x00, 0x41, 0x00, 0x0B})});
     }},
    {"globals", &ImplementationLimits::globals,
     [](std::uint32_t n) { return WithImports(n, {0x03, 0x7F, 0x00}); }},
    {"exports", &ImplementationLimits::exports,
     [](std::uint32_t n) {
       return WithHeader({Repeated(SectionId::Export, n, {0x00, 0x00, 0x00})});
     }},
    {"element segments", &ImplementationLimits::element_segments,
     [](std::uint32_t n) {
       return WithHeader({Repeated(SectionId::Element, n, {0x01, 0x00, 0x00})});
     }},
    {"elements of a segment", &ImplementationLimits::element_segment_items, WithElements},
    {"data segments", &ImplementationLimits::data_segments,
     [](std::uint32_t n) { return WithHeader({Repeated(SectionId::Data, n, {0x01, 0x00})}); }},
    {"function body bytes", &ImplementationLimits::function_body, WithBodyOf},
    {"module bytes", &ImplementationLimits::module_size,
     [](std::uint32_t n) {
       Bytes bytes = WithHeader({Section(SectionId::Custom, {0x00})});
       REQUIRE(n >= bytes.size());
       bytes = WithHeader({Section(SectionId::Custom, Bytes(n - bytes.size() + 1, 0x00))});
       REQUIRE(bytes.size() == n);
       return bytes;
     }},
};

void CheckLimit(const LimitCase& limit_case, std::uint32_t limit,
                const ImplementationLimits& limits) {
  DecodeOptions options;
  options.limits = limits;
  Module module;
  const Bytes edge = limit_case.make(limit);
  const Fault none = Decode(edge, options, module);
  CAPTURE(ErrorText(none.code), limit_case.what);
  CHECK(none.IsNone());

  const Bytes past = limit_case.make(limit + 1);
  const Fault fault = Decode(past, options, module);
  REQUIRE(fault.code == ErrorCode::LimitExceeded);
  CHECK(std::string_view{fault.arguments[0].literal} == limit_case.what);
  CHECK(fault.arguments[1].bits == std::uint64_t{limit} + 1);
  CHECK(fault.arguments[2].bits == limit);
}

TEST_CASE("lowered limits hold at the edge and past it", "[wasm][limits]") {
  for (const LimitCase& limit_case : kCases) {
    for (const std::uint32_t limit : {20u, 100u}) {
      ImplementationLimits limits;
      limits.*limit_case.limit = limit;
      CheckLimit(limit_case, limit, limits);
    }
  }
}

TEST_CASE("the default limits hold at the edge and past it", "[wasm][limits]") {
  for (const LimitCase& limit_case : kCases) {
    // Larger ones would take long and much memory; they differ from the others in nothing.
    const std::uint32_t limit = ImplementationLimits{}.*limit_case.limit;
    if (limit <= 1'000'000 || limit_case.what == "function body bytes") {
      ImplementationLimits limits;
      // Imports fill other index spaces, whose limits are what is tested here.
      if (limit_case.what != "imports") limits.imports = 2'000'000;
      CheckLimit(limit_case, limit, limits);
    }
  }
}

TEST_CASE("limits count imports and definitions together", "[wasm][limits]") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({}, {});
  builder.ImportFunction("m", "f", type);
  builder.ImportFunction("m", "g", type);
  builder.Function(type, {}, CodeBuilder{});
  const Bytes bytes = builder.Build();
  DecodeOptions options;
  Module module;
  options.limits.functions = 3;
  CHECK(Decode(bytes, options, module).IsNone());
  options.limits.functions = 2;
  CHECK(Decode(bytes, options, module).code == ErrorCode::LimitExceeded);
}

TEST_CASE("the data count section is held to the limit too", "[wasm][limits]") {
  const Bytes bytes = WithHeader({Section(SectionId::DataCount, Unsigned(100'001))});
  Module module;
  CHECK(Decode(bytes, {}, module).code == ErrorCode::LimitExceeded);
}

}  // namespace
