// SPDX-License-Identifier: Apache-2.0
/// @file
/// Hostile modules: cut short, with flipped bits, and with counts that claim too much.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "module_bytes.hpp"
#include "spec_files.hpp"

namespace {

using namespace tenon::wasm;
using namespace tenon_test;
using tenon::ExternKind;
using tenon::HeapType;
using tenon::ValueType;

/// A module that uses every section and every form of segment.
Bytes RichModule() {
  ModuleBuilder builder;
  const std::uint32_t type =
      builder.Type({ValueType::I32, ValueType::V128}, {ValueType::I64, ValueType::ExternRef});
  const std::uint32_t empty = builder.Type({}, {});
  builder.ImportFunction("env", "function", empty);
  builder.ImportTable("env", "table", {});
  builder.ImportMemory("env", "memory", {});
  builder.ImportGlobal("env", "global", {ValueType::F64, true});
  const std::uint32_t function =
      builder.Function(type, {ValueType::F32}, [](CodeBuilder& code) { code.DataDrop(0); });
  builder.Table(ValueType::ExternRef, 3, 300);
  builder.Memory(1, 70000);
  builder.Global({ValueType::V128, false}, ConstantExpression::V128({1, 2, 3}));
  builder.Global({ValueType::F64, true}, ConstantExpression::F64(1.5));
  builder.Export("f", ExternKind::Func, function);
  builder.Export("t\xC3\xA4", ExternKind::Table, 1);
  builder.Start(function);
  const ElementItems functions = ElementItems::Functions({0, 1, 200});
  const ElementItems references = ElementItems::Expressions(
      ValueType::FuncRef,
      {ConstantExpression::RefFunc(1), ConstantExpression::RefNull(HeapType::Func)});
  for (const ElementItems& items : {functions, references}) {
    builder.ActiveElement(0, ConstantExpression::GlobalGet(0), items);
    builder.ActiveElement(1, ConstantExpression::I32(-1), items);
    builder.PassiveElement(items);
    builder.DeclarativeElement(items);
  }
  builder.ActiveData(ConstantExpression::I32(0), "data");
  builder.ActiveData(ConstantExpression::I64(1), "more", 1);
  builder.PassiveData("passive");
  builder.NameFunction(0, "import");
  builder.Custom("custom", {std::uint8_t{1}, std::uint8_t{2}});
  return builder.Build();
}

template <class T>
std::size_t MemoryOf(const std::vector<T>& vector) {
  return vector.capacity() * sizeof(T);
}

/// Bytes that a module holds beside its input.
std::size_t MemoryOf(const Module& module) {
  return MemoryOf(module.type_pool) + MemoryOf(module.types) + MemoryOf(module.imports) +
         MemoryOf(module.functions) + MemoryOf(module.tables) + MemoryOf(module.memories) +
         MemoryOf(module.globals) + MemoryOf(module.exports) + MemoryOf(module.bodies) +
         MemoryOf(module.global_inits) + MemoryOf(module.elements) + MemoryOf(module.data) +
         MemoryOf(module.custom_sections);
}

/// Checks what everybody relies on who uses a module that was decoded without fault.
bool IsConsistent(const Module& module) {
  const auto inside = [&](ByteRange range) {
    return std::uint64_t{range.offset} + range.size <= module.bytes.size();
  };
  const auto all = [](const auto& items, const auto& holds) {
    return std::all_of(items.begin(), items.end(), holds);
  };
  return all(module.types,
             [&](const TypeDefinition& type) {
               return std::uint64_t{type.first} + type.parameter_count + type.result_count <=
                      module.type_pool.size();
             }) &&
         all(module.imports,
             [&](const Import& import) { return inside(import.module) && inside(import.name); }) &&
         all(module.exports, [&](const Export& entry) { return inside(entry.name); }) &&
         all(module.bodies, inside) && all(module.global_inits, inside) &&
         all(module.elements,
             [&](const ElementSegment& segment) {
               return inside(segment.offset) && inside(segment.items) &&
                      segment.count <= segment.items.size;
             }) &&
         all(module.data,
             [&](const DataSegment& segment) {
               return inside(segment.offset) && inside(segment.bytes);
             }) &&
         all(module.custom_sections,
             [&](const CustomSection& custom) {
               return inside(custom.name) && inside(custom.data);
             }) &&
         module.functions.size() == module.imported_functions + module.bodies.size() &&
         module.globals.size() == module.imported_globals + module.global_inits.size() &&
         module.tables.size() >= module.imported_tables &&
         module.memories.size() >= module.imported_memories &&
         (module.data_count == kNoIndex || module.data_count == module.data.size());
}

/// Decodes bytes that may be anything. The copy has exactly their size, so that the address
/// sanitizer sees a read past the end.
Fault Survive(const Bytes& bytes, std::size_t size) {
  const Bytes copy{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
  Module module;
  const Fault fault = Decode(copy, {}, module);
  const bool is_bounded = MemoryOf(module) <= 24 * copy.size() + 256;
  const bool is_sound = fault.IsNone() ? IsConsistent(module) : fault.offset <= copy.size();
  if (!is_bounded || !is_sound) {
    CAPTURE(copy, MemoryOf(module));
    CHECK(is_bounded);
    CHECK(is_sound);
  }
  return fault;
}

TEST_CASE("a module cut short is refused, but between sections", "[wasm][decoder][fuzz]") {
  const Bytes bytes = RichModule();
  REQUIRE(Survive(bytes, bytes.size()).IsNone());
  unsigned accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    accepted += Survive(bytes, size).IsNone() ? 1u : 0u;
  }
  // After the header; after types and imports; and where only custom sections are missing. Where
  // functions have no code yet, and the data count no data, the module is refused.
  CHECK(accepted == 5);
}

TEST_CASE("a module survives any flipped bit", "[wasm][decoder][fuzz]") {
  const Bytes bytes = RichModule();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes changed = bytes;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << (bit % 8)));
    Survive(changed, changed.size());
  }
}

TEST_CASE("a module survives any byte replaced by a huge number", "[wasm][decoder][fuzz]") {
  const Bytes bytes = RichModule();
  for (std::size_t at = 8; at < bytes.size(); ++at) {
    for (const Bytes& number : std::initializer_list<Bytes>{
             {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, {0xFF, 0xFF, 0xFF, 0xFF, 0x07}, {0x80, 0x80, 0x40}}) {
      Bytes changed = bytes;
      const auto place = changed.begin() + static_cast<std::ptrdiff_t>(at);
      changed.insert(changed.erase(place), number.begin(), number.end());
      Survive(changed, changed.size());
    }
  }
}

TEST_CASE("counts that claim too much take no memory", "[wasm][decoder][fuzz]") {
  for (std::uint8_t id = 1; id < detail::kSectionCount; ++id) {
    for (const std::uint64_t count : {500u, 999u, 1000u, 99'999u, 999'999u, 0xFFFFFFFFu}) {
      for (const std::uint8_t filler : Bytes{0x00, 0x01, 0x60, 0x70, 0x7F, 0x80}) {
        const Bytes bytes =
            WithHeader({RawSection(id, Join({Unsigned(count), Bytes(1000, filler)}))});
        CAPTURE(int(id), count, int(filler));
        const Fault fault = Survive(bytes, bytes.size());
        // Custom sections and the like aside, no thousand equal bytes make this many entries, but
        // for functions, whose code is then missing.
        CHECK_FALSE(fault.IsNone());
      }
    }
  }
}

TEST_CASE("memory stays proportional for sections full of smallest entries",
          "[wasm][decoder][fuzz]") {
  struct Case {
    SectionId id;
    Bytes entry;
  };
  const Case cases[] = {
      {SectionId::Type, {0x60, 0x00, 0x00}},
      {SectionId::Type, {0x60, 0x01, 0x7F, 0x01, 0x7F}},
      {SectionId::Import, {0x00, 0x00, 0x00, 0x00}},
      {SectionId::Import, {0x00, 0x00, 0x01, 0x70, 0x00, 0x00}},
      {SectionId::Import, {0x00, 0x00, 0x03, 0x7F, 0x00}},
      {SectionId::Table, {0x70, 0x00, 0x00}},
      {SectionId::Global, {0x7F, 0x00, 0x0B}},
      {SectionId::Export, {0x00, 0x00, 0x00}},
      {SectionId::Element, {0x01, 0x00, 0x00}},
      {SectionId::Data, {0x01, 0x00}},
  };
  for (const Case& c : cases) {
    Bytes content = Unsigned(50'000);
    for (unsigned i = 0; i < 50'000; ++i)
      content.insert(content.end(), c.entry.begin(), c.entry.end());
    const Bytes bytes = WithHeader({Section(c.id, content)});
    CAPTURE(int(c.id), c.entry);
    CHECK(Survive(bytes, bytes.size()).IsNone());
  }
  Bytes customs = WithHeader({});
  for (unsigned i = 0; i < 50'000; ++i) customs.insert(customs.end(), {0x00, 0x01, 0x00});
  CHECK(Survive(customs, customs.size()).IsNone());
}

TEST_CASE("modules of the specification's tests survive mutation", "[wasm][decoder][fuzz][spec]") {
  const std::filesystem::path directory = SpecDirectory();
  if (directory.empty()) {
    WARN("no specification tests: set TENON_SPEC_DIR");
    return;
  }
  std::uint32_t random = 1;
  std::size_t turn = 0;
  for (const SpecModule& spec : FindSpecModules(directory / "core2")) {
    if (++turn % 20 != 0) continue;
    const Bytes bytes = ReadBytes(spec.path);
    const std::size_t step = bytes.size() / 512 + 1;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      Survive(bytes, at);
      random = random * 1664525 + 1013904223;
      Bytes changed = bytes;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << (random >> 29)));
      Survive(changed, changed.size());
    }
  }
}

}  // namespace
