// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of code_announcement.hpp.
#pragma once

#include <utility>
#include <vector>

#include <tenon/jit/code_announcement.hpp>
#include <tenon/jit/code_symbols.hpp>
#include <tenon/jit/gdb_interface.hpp>
#include <tenon/jit/perf_map.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Code that debuggers know; they forget it before it goes.
struct RegisteredCode {
  RegisteredCode(std::shared_ptr<const MappedCode> mapped, std::span<const CodeSymbol> symbols)
      : code{std::move(mapped)}, registration{code->View().Code(), symbols} {}

  std::shared_ptr<const MappedCode> code;
  GdbRegistration registration;
};

}  // namespace detail

[[gnu::cold]] TENON_DECL std::shared_ptr<const MappedCode> AnnounceCode(
    std::shared_ptr<const MappedCode> code, const wasm::Module& module,
    const vm::CompileConduct& conduct) {
  if (conduct.code_map == CodeMapKind::None && !conduct.gdb_jit) return code;
  const std::vector<CodeSymbol> symbols = NameCode(module, code->View());
  if (conduct.code_map == CodeMapKind::PerfMap) AppendToPerfMap(code->CodeBegin(), symbols);
  if (conduct.code_map == CodeMapKind::JitDump) {
    JitDump::Global().Append(code->View().Code(), symbols);
  }
  if (!conduct.gdb_jit) return code;
  auto registered = std::make_shared<const detail::RegisteredCode>(std::move(code), symbols);
  const MappedCode* const mapped = registered->code.get();
  return {std::move(registered), mapped};
}

}  // namespace tenon::inline TENON_ABI::jit
