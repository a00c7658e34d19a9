// SPDX-License-Identifier: Apache-2.0
/// @file
/// Names are found, and malformed name sections do no harm.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/name_section.hpp>

#include "module_bytes.hpp"

namespace {

using namespace tenon::wasm;
using namespace tenon_test;

/// A module that has only a name section, with its names.
struct Named {
  explicit Named(const Bytes& content)
      : bytes{WithHeader({Section(SectionId::Custom, Join({Name("name"), content}))})} {
    REQUIRE(Decode(bytes, {}, module).IsNone());
    names = ParseNames(module);
  }
  Bytes bytes;
  Module module;
  NameSection names;
};

Bytes Entry(std::uint32_t index, std::string_view name) {
  return Join({Unsigned(index), Name(name)});
}

std::string Numbered(char prefix, std::uint32_t number) {
  std::string name(1, prefix);
  name += std::to_string(number);
  return name;
}

Bytes Subsection(std::uint8_t id, const Bytes& content) { return RawSection(id, content); }

TEST_CASE("a module without a name section has no names", "[wasm][name_section]") {
  const Bytes bytes = WithHeader({Section(SectionId::Custom, Name("other"))});
  Module module;
  REQUIRE(Decode(bytes, {}, module).IsNone());
  const NameSection names = ParseNames(module);
  CHECK(names.IsEmpty());
  CHECK(names.ModuleName().empty());
  CHECK(names.Function(0).empty());
  CHECK(names.Local(0, 0).empty());
  CHECK(NameSection{}.Function(1).empty());
}

TEST_CASE("modules, functions and locals have names", "[wasm][name_section]") {
  ModuleBuilder builder;
  builder.NameModule("guest");
  for (std::uint32_t i = 0; i < 100; i += 2) {
    builder.NameFunction(i, Numbered('f', i));
    builder.NameLocal(i * 3, i, Numbered('l', i));
    builder.NameLocal(i * 3, i + 1, "next");
  }
  const Bytes bytes = builder.Build();
  Module module;
  REQUIRE(Decode(bytes, {}, module).IsNone());
  const NameSection names = ParseNames(module);
  CHECK_FALSE(names.IsEmpty());
  CHECK(names.ModuleName() == "guest");
  for (std::uint32_t i = 0; i < 100; i += 2) {
    CHECK(names.Function(i) == Numbered('f', i));
    CHECK(names.Function(i + 1).empty());
    CHECK(names.Local(i * 3, i) == Numbered('l', i));
    CHECK(names.Local(i * 3, i + 1) == "next");
    CHECK(names.Local(i * 3, i + 2).empty());
    CHECK(names.Local(i * 3 + 1, i).empty());
  }
  CHECK(names.Function(kNoIndex).empty());
  CHECK(names.Local(kNoIndex, kNoIndex).empty());
}

TEST_CASE("subsections of other kinds are passed over", "[wasm][name_section]") {
  const Named named{Join({Subsection(1, Join({{0x01}, Entry(7, "seven")})),
                          Subsection(4, {0xFF, 0xFF}), Subsection(9, {})})};
  CHECK(named.names.Function(7) == "seven");
}

TEST_CASE("a malformed name section is read up to its fault", "[wasm][name_section]") {
  SECTION("a name that is not UTF-8") {
    const Named named{
        Subsection(1, Join({{0x03}, Entry(1, "a"), {0x02, 0x01, 0xFF}, Entry(3, "c")}))};
    CHECK(named.names.Function(1) == "a");
    CHECK(named.names.Function(2).empty());
    CHECK(named.names.Function(3).empty());
  }
  SECTION("indices that do not ascend") {
    const Named named{Subsection(1, Join({{0x03}, Entry(5, "a"), Entry(5, "b"), Entry(6, "c")}))};
    CHECK(named.names.Function(5) == "a");
    CHECK(named.names.Function(6).empty());
  }
  SECTION("a count of more entries than there are bytes") {
    const Named named{Join(
        {Subsection(0, Name("m")), Subsection(1, Join({Unsigned(0xFFFFFFFF), Entry(0, "a")}))})};
    CHECK(named.names.ModuleName() == "m");
    CHECK(named.names.Function(0).empty());
  }
  SECTION("a subsection longer than the section") {
    const Named named{Join({Subsection(0, Name("m")), {0x01, 0x7F, 0x00}})};
    CHECK(named.names.ModuleName() == "m");
  }
  SECTION("a repeated subsection") {
    const Named named{Join({Subsection(1, Join({{0x01}, Entry(1, "a")})),
                            Subsection(1, Join({{0x01}, Entry(0, "b")}))})};
    CHECK(named.names.Function(1) == "a");
    CHECK(named.names.Function(0).empty());
  }
  SECTION("locals cut short") {
    const Named named{Subsection(
        2, Join({{0x02}, {0x04, 0x01}, Entry(0, "x"), {0x05, 0x02}, Entry(1, "y"), {0x02}}))};
    CHECK(named.names.Local(4, 0) == "x");
    CHECK(named.names.Local(5, 1) == "y");
    CHECK(named.names.Local(5, 2).empty());
  }
}

TEST_CASE("of two name sections the first counts", "[wasm][name_section]") {
  const Bytes first = Join({Name("name"), Subsection(0, Name("one"))});
  const Bytes second = Join({Name("name"), Subsection(0, Name("two"))});
  const Bytes bytes =
      WithHeader({Section(SectionId::Custom, first), Section(SectionId::Custom, second)});
  Module module;
  REQUIRE(Decode(bytes, {}, module).IsNone());
  CHECK(ParseNames(module).ModuleName() == "one");
}

TEST_CASE("a name section survives truncation and flipped bits", "[wasm][name_section]") {
  ModuleBuilder builder;
  builder.NameModule("m");
  builder.NameFunction(1, "one");
  builder.NameFunction(300, "three hundred");
  builder.NameLocal(1, 0, "x");
  builder.NameLocal(1, 2, "y");
  const Bytes whole = builder.Build();
  Module module;
  REQUIRE(Decode(whole, {}, module).IsNone());
  const ByteRange data = module.custom_sections[0].data;
  const Bytes content{whole.begin() + data.offset, whole.begin() + data.offset + data.size};
  const auto use = [](const Bytes& changed) {
    const Named named{changed};
    std::size_t total = named.names.ModuleName().size();
    for (const std::uint32_t function : {0u, 1u, 300u}) {
      total += named.names.Function(function).size();
      for (const std::uint32_t local : {0u, 1u, 2u}) {
        total += named.names.Local(function, local).size();
      }
    }
    CHECK(total <= 3 * changed.size());
  };
  for (std::size_t size = 0; size <= content.size(); ++size) {
    use({content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  for (std::size_t bit = 0; bit < content.size() * 8; ++bit) {
    Bytes changed = content;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << (bit % 8)));
    use(changed);
  }
}

}  // namespace
