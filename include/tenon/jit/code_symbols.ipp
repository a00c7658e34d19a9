// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of code_symbols.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <tenon/jit/code_symbols.hpp>
#include <tenon/wasm/name_section.hpp>

namespace tenon::inline TENON_ABI::jit {

[[gnu::cold]] TENON_DECL std::string OneLine(std::string_view name) {
  std::string line{name};
  for (char& letter : line) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7F) letter = '?';
  }
  return line;
}

[[gnu::cold]] TENON_DECL std::vector<CodeSymbol> NameCode(const wasm::Module& module,
                                                          const CodeView& code) {
  const wasm::NameSection names = wasm::ParseNames(module);
  const std::string_view module_name = names.ModuleName();
  const std::string prefix = OneLine(module_name.empty() ? "wasm" : module_name) + ".";
  const std::span<const FunctionRow> rows = code.Functions();
  const CodeHeader& header = code.Header();
  std::vector<CodeSymbol> symbols;
  symbols.reserve(rows.size() + 5);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t index = module.imported_functions + static_cast<std::uint32_t>(i);
    const std::string_view name = names.Function(index);
    symbols.push_back(
        {rows[i].body, rows[i].size,
         prefix + (name.empty() ? "[" + std::to_string(index) + "]" : OneLine(name))});
  }
  // What lies behind the bodies and is no entry is a stub.
  std::pair<CodeRange, const char*> entries[] = {{header.externals, "[entries]"},
                                                 {header.slot_entries, "[host entries]"}};
  if (entries[1].first.first < entries[0].first.first) std::swap(entries[0], entries[1]);
  std::uint32_t end = header.bodies.first + header.bodies.count;
  const auto add = [&](std::uint32_t until, const char* name) {
    if (until > end) symbols.push_back({end, until - end, prefix + name});
    end = std::max(end, until);
  };
  for (const auto& [range, name] : entries) {
    add(range.first, "[stubs]");
    add(range.first + range.count, name);
  }
  add(header.code_size, "[stubs]");
  return symbols;
}

}  // namespace tenon::inline TENON_ABI::jit
