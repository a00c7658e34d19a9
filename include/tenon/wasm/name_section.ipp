// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of the name section.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/detail/section_id.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/name_section.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

/// Fills a NameSection. Every method returns false at the first fault.
class NameSectionParser {
 public:
  explicit NameSectionParser(NameSection& out) : out_{out} {}

  [[gnu::cold]] void Parse(const Module& module, ByteRange section) {
    out_.bytes_ = module.bytes;
    ByteReader reader{module.bytes, section};
    int previous = -1;
    while (!reader.AtEnd()) {
      std::uint8_t id = 0;
      std::uint32_t size = 0;
      ByteRange content;
      if (!reader.ReadByte(id) || !reader.ReadU32(size) || !reader.ReadRange(size, content)) return;
      // Subsections are ordered, each at most once.
      if (id <= previous) return;
      previous = id;
      ByteReader in{module.bytes, content};
      if (!ParseSubsection(in, id)) return;
    }
  }

 private:
  [[gnu::cold]] bool ParseSubsection(ByteReader& in, std::uint8_t id) {
    switch (static_cast<NameSubsection>(id)) {
      case NameSubsection::Module:
        return ParseModuleName(in);
      case NameSubsection::Functions:
        return ParseNameMap(in, out_.functions_);
      case NameSubsection::Locals:
        return ParseIndirect(in, out_.locals_);
      case NameSubsection::Results:
        return ParseIndirect(in, out_.results_);
    }
    return true;
  }

  [[gnu::cold]] bool ParseModuleName(ByteReader& in) {
    ByteRange name;
    if (!in.ReadName(name)) return false;
    out_.module_name_ = name;
    return in.AtEnd();
  }

  /// Appends names, whose indices must ascend so that they can be searched.
  [[gnu::cold]] static bool ParseNameMap(ByteReader& in, FlatArray<NameSection::Name>& names) {
    std::uint32_t count = 0;
    if (!in.ReadCount(count)) return false;
    Reserve(names, std::min(count, in.Remaining() / 2));
    std::uint64_t lowest = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      NameSection::Name name;
      if (!in.ReadU32(name.index) || !in.ReadName(name.text)) return false;
      if (name.index < lowest) return false;
      lowest = std::uint64_t{name.index} + 1;
      names.push_back(name);
    }
    return true;
  }

  /// Room for more, doubling as push_back does, so that many small requests stay linear.
  static void Reserve(FlatArray<NameSection::Name>& names, std::uint32_t more) {
    const std::size_t needed = names.size() + more;
    if (needed > names.capacity()) names.reserve(std::max(needed, names.capacity() * 2));
  }

  [[gnu::cold]] static bool ParseIndirect(ByteReader& in, NameSection::IndirectNames& out) {
    std::uint32_t count = 0;
    if (!in.ReadCount(count)) return false;
    out.groups.reserve(std::min(count, in.Remaining() / 2));
    std::uint64_t lowest = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      NameSection::IndirectNames::Group group;
      if (!in.ReadU32(group.function) || group.function < lowest) return false;
      lowest = std::uint64_t{group.function} + 1;
      group.first = static_cast<std::uint32_t>(out.names.size());
      const bool is_whole = ParseNameMap(in, out.names);
      group.count = static_cast<std::uint32_t>(out.names.size()) - group.first;
      out.groups.push_back(group);
      if (!is_whole) return false;
    }
    return true;
  }

  NameSection& out_;
};

}  // namespace detail

TENON_DECL std::string_view NameSection::Find(std::span<const Name> names,
                                              std::uint32_t index) const {
  const auto place =
      std::lower_bound(names.begin(), names.end(), index,
                       [](const Name& name, std::uint32_t wanted) { return name.index < wanted; });
  if (place == names.end() || place->index != index) return {};
  return {reinterpret_cast<const char*>(bytes_.data()) + place->text.offset, place->text.size};
}

TENON_DECL std::string_view NameSection::ModuleName() const {
  return {reinterpret_cast<const char*>(bytes_.data()) + module_name_.offset, module_name_.size};
}

TENON_DECL std::string_view NameSection::Function(std::uint32_t function) const {
  return Find(functions_, function);
}

TENON_DECL std::string_view NameSection::Find(const IndirectNames& names, std::uint32_t function,
                                              std::uint32_t index) const {
  const auto place = std::lower_bound(names.groups.begin(), names.groups.end(), function,
                                      [](const IndirectNames::Group& group, std::uint32_t wanted) {
                                        return group.function < wanted;
                                      });
  if (place == names.groups.end() || place->function != function) return {};
  return Find(std::span{names.names}.subspan(place->first, place->count), index);
}

TENON_DECL std::string_view NameSection::Local(std::uint32_t function, std::uint32_t local) const {
  return Find(locals_, function, local);
}

TENON_DECL std::string_view NameSection::Result(std::uint32_t function,
                                                std::uint32_t result) const {
  return Find(results_, function, result);
}

[[gnu::cold]] TENON_DECL NameSection ParseNames(const Module& module) {
  NameSection names;
  for (const CustomSection& section : module.custom_sections) {
    if (module.Text(section.name) != "name") continue;
    detail::NameSectionParser{names}.Parse(module, section.data);
    break;
  }
  return names;
}

}  // namespace tenon::inline TENON_ABI::wasm
