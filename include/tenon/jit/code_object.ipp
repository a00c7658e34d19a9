// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of code_object.hpp.
#pragma once

#include <algorithm>
#include <cstring>

#include <tenon/abi/digest.hpp>
#include <tenon/jit/code_object.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

inline constexpr std::uint64_t kCodeMagic = 0x65646F636E6E6574;  // "tenncode"
/// Calls reach 2 GiB either way; this leaves room for the tables in 32-bit offsets too.
inline constexpr std::uint64_t kMostCode = std::uint64_t{1} << 30;
inline constexpr std::uint8_t kPadding = 0xCC;  // int3

constexpr std::uint64_t AlignUp(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

template <class Row>
CodeRange TakeRange(std::uint64_t& end, std::size_t count) {
  const CodeRange range{static_cast<std::uint32_t>(end), static_cast<std::uint32_t>(count)};
  end += AlignUp(count * sizeof(Row), 8);
  return range;
}

template <class Row>
void WriteRow(std::span<std::uint8_t> object, CodeRange range, std::size_t position,
              const Row& row) {
  std::memcpy(object.data() + range.first + position * sizeof(Row), &row, sizeof(Row));
}

inline void WriteSites(std::span<std::uint8_t> object, CodeRange range, std::size_t first,
                       const FlatArray<CodeSite>& sites, std::uint32_t body,
                       std::size_t first_inlining) {
  for (const CodeSite& site : sites) {
    SiteRow row{body + site.code_offset, site.wasm_offset, site.function, 0};
    if (site.inlined_at != kNoCode) {
      row.inlined_at = static_cast<std::uint32_t>(first_inlining + site.inlined_at + 1) * 2;
    }
    row.inlined_at |= site.is_prologue ? 1u : 0u;
    WriteRow(object, range, first++, row);
  }
}

inline const SiteRow* FindSite(std::span<const SiteRow> sites, std::uint32_t offset) noexcept {
  const auto found = std::ranges::lower_bound(sites, offset, {}, &SiteRow::code_offset);
  return found == sites.end() || found->code_offset != offset ? nullptr : &*found;
}

}  // namespace detail

TENON_DECL CodeObjectBuilder::CodeObjectBuilder(const CodeObjectInput& input) : input_{input} {
  PlanStubs();
  if (PlaceCode()) PlaceTables();
}

[[gnu::cold]] inline void CodeObjectBuilder::PlanStubs() {
  const wasm::Module& module = input_.module;
  StubPlan plan{module, input_.escapes, FlatArray<bool>(module.types.size()), input_.adapters};
  for (std::size_t i = 0; i < input_.escapes.size(); ++i) {
    if (!input_.escapes[i]) continue;
    const std::uint32_t type = module.functions[module.imported_functions + i];
    plan.slot_entries[type] = true;
    plan.adapters[type] = true;
  }
  EmitStubs(plan, stubs_);
}

[[gnu::cold]] inline bool CodeObjectBuilder::PlaceCode() {
  const wasm::Module& module = input_.module;
  std::uint64_t end = 0;
  rows_.reserve(input_.functions.size());
  for (std::size_t i = 0; i < input_.functions.size(); ++i) {
    const CompiledFunction& function = input_.functions[i];
    end = detail::AlignUp(end, function.alignment);
    FunctionRow row;
    row.body = static_cast<std::uint32_t>(end);
    row.size = static_cast<std::uint32_t>(function.code.size());
    row.frame_size = function.frame_size;
    rows_.push_back(row);
    calls_ += function.calls.size();
    faults_ += function.faults.size();
    inlinings_ += function.inlinings.size();
    end += function.code.size();
    if (end > detail::kMostCode) return false;
  }
  end = detail::AlignUp(end, kFunctionAlignment);
  stub_base_ = static_cast<std::uint32_t>(end);
  code_size_ = end + stubs_.code.size();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (stubs_.externals[i] == kNoCode) continue;
    const std::uint32_t type = module.functions[module.imported_functions + i];
    rows_[i].external = stub_base_ + stubs_.externals[i];
    rows_[i].slot_entry = stub_base_ + stubs_.slot_entries[type];
    rows_[i].host_entry = stub_base_ + stubs_.host_entries[type];
  }
  return code_size_ <= detail::kMostCode;
}

[[gnu::cold]] inline void CodeObjectBuilder::PlaceTables() {
  header_.magic = detail::kCodeMagic;
  header_.revision = kCodegenRevision;
  header_.layout_digest = abi::LayoutDigest();
  header_.options_digest = input_.options_digest;
  std::uint64_t end = detail::AlignUp(sizeof(CodeHeader), 8);
  header_.functions = detail::TakeRange<FunctionRow>(end, rows_.size());
  header_.faults = detail::TakeRange<SiteRow>(end, faults_);
  header_.calls = detail::TakeRange<SiteRow>(end, calls_);
  header_.inlinings = detail::TakeRange<Inlining>(end, inlinings_);
  header_.adapters = detail::TakeRange<std::uint32_t>(end, stubs_.adapters.size());
  end = detail::AlignUp(end, kCodeAlignment);
  if (end > 2 * detail::kMostCode) return;
  header_.code_offset = static_cast<std::uint32_t>(end);
  header_.code_size = static_cast<std::uint32_t>(code_size_);
  header_.size = end + code_size_;
  header_.bodies = {0, stub_base_};
  header_.externals = {stub_base_ + stubs_.external_range.first, stubs_.external_range.count};
  header_.slot_entries = {stub_base_ + stubs_.slot_entry_range.first,
                          stubs_.slot_entry_range.count};
  header_.unwind = stub_base_ + stubs_.unwind;
  header_.interrupt = stub_base_ + stubs_.interrupt;
  for (std::size_t i = 0; i < kTrapCodes; ++i) header_.traps[i] = stub_base_ + stubs_.traps[i];
}

inline std::uint32_t CodeObjectBuilder::TargetOf(const Relocation& relocation) const {
  switch (relocation.kind) {
    case Relocation::Kind::Function:
      return rows_[relocation.target].body;
    case Relocation::Kind::TrapStub:
      return header_.traps[relocation.target];
    case Relocation::Kind::Unwind:
      return header_.unwind;
    case Relocation::Kind::Interrupt:
      break;
  }
  return header_.interrupt;
}

inline void CodeObjectBuilder::WriteCode(std::span<std::uint8_t> code) const {
  std::uint32_t end = 0;
  const auto copy = [&](std::uint32_t offset, const std::vector<std::uint8_t>& bytes,
                        const FlatArray<Relocation>& relocations) {
    std::uint8_t* const target = code.data() + offset;
    std::memset(code.data() + end, detail::kPadding, offset - end);
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
    for (const Relocation& relocation : relocations) {
      const std::uint32_t distance = TargetOf(relocation) - (offset + relocation.offset + 4);
      std::memcpy(target + relocation.offset, &distance, sizeof(distance));
    }
    end = offset + static_cast<std::uint32_t>(bytes.size());
  };
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const CompiledFunction& function = input_.functions[i];
    copy(rows_[i].body, function.code, function.relocations);
  }
  copy(stub_base_, stubs_.code, stubs_.relocations);
}

[[gnu::cold]] inline void CodeObjectBuilder::WriteTables(std::span<std::uint8_t> object) const {
  std::size_t faults = 0;
  std::size_t calls = 0;
  std::size_t inlinings = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const CompiledFunction& function = input_.functions[i];
    const std::uint32_t body = rows_[i].body;
    detail::WriteRow(object, header_.functions, i, rows_[i]);
    detail::WriteSites(object, header_.faults, faults, function.faults, body, inlinings);
    detail::WriteSites(object, header_.calls, calls, function.calls, body, inlinings);
    faults += function.faults.size();
    calls += function.calls.size();
    const std::size_t first_inlining = inlinings;
    for (Inlining inlining : function.inlinings) {
      if (inlining.inlined_at != kNoCode) {
        inlining.inlined_at += static_cast<std::uint32_t>(first_inlining);
      }
      detail::WriteRow(object, header_.inlinings, inlinings++, inlining);
    }
  }
  for (std::size_t i = 0; i < stubs_.adapters.size(); ++i) {
    const std::uint32_t adapter = stubs_.adapters[i];
    detail::WriteRow(object, header_.adapters, i,
                     adapter == kNoCode ? kNoCode : stub_base_ + adapter);
  }
}

[[gnu::cold]] TENON_DECL void CodeObjectBuilder::Write(std::span<std::uint8_t> target) const {
  std::memcpy(target.data(), &header_, sizeof(header_));
  WriteTables(target);
  WriteCode(target.subspan(header_.code_offset));
}

[[gnu::cold]] TENON_DECL std::vector<std::uint8_t> BuildCodeObject(const CodeObjectInput& input) {
  const CodeObjectBuilder builder{input};
  std::vector<std::uint8_t> object(builder.Size());
  if (!object.empty()) builder.Write(object);
  return object;
}

TENON_DECL const FunctionRow* CodeView::FindFunction(std::uint32_t offset) const noexcept {
  const std::span<const FunctionRow> rows = Functions();
  const auto above = std::ranges::upper_bound(rows, offset, {}, &FunctionRow::body);
  if (above == rows.begin()) return nullptr;
  const FunctionRow& row = *(above - 1);
  return offset - row.body < row.size ? &row : nullptr;
}

TENON_DECL const SiteRow* CodeView::FindCall(std::uint32_t offset) const noexcept {
  return detail::FindSite(Calls(), offset);
}

TENON_DECL const SiteRow* CodeView::FindFault(std::uint32_t offset) const noexcept {
  return detail::FindSite(Faults(), offset);
}

[[gnu::cold]] TENON_DECL bool IsCodeObject(std::span<const std::uint8_t> bytes,
                                           std::uint64_t options_digest) noexcept {
  if (bytes.size() < sizeof(CodeHeader)) return false;
  CodeHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != detail::kCodeMagic || header.revision != kCodegenRevision ||
      header.layout_digest != abi::LayoutDigest() || header.options_digest != options_digest ||
      header.size != bytes.size() || header.code_offset % kCodeAlignment != 0 ||
      std::uint64_t{header.code_offset} + header.code_size != header.size) {
    return false;
  }
  const auto fits = [&](CodeRange table, std::uint64_t row) {
    return table.first % 4 == 0 && table.first >= sizeof(CodeHeader) &&
           table.first + table.count * row <= header.code_offset;
  };
  const auto in_code = [&](std::uint32_t offset) { return offset < header.code_size; };
  const auto is_range = [&](CodeRange range) {
    return std::uint64_t{range.first} + range.count <= header.code_size;
  };
  if (!fits(header.functions, sizeof(FunctionRow)) || !fits(header.faults, sizeof(SiteRow)) ||
      !fits(header.calls, sizeof(SiteRow)) || !fits(header.inlinings, sizeof(Inlining)) ||
      !fits(header.adapters, sizeof(std::uint32_t)) || !is_range(header.bodies) ||
      !is_range(header.externals) || !is_range(header.slot_entries) || !in_code(header.unwind) ||
      !in_code(header.interrupt) || !std::ranges::all_of(header.traps, in_code)) {
    return false;
  }
  const CodeView view{bytes};
  const auto in_code_or_none = [&](std::uint32_t offset) {
    return offset == kNoCode || in_code(offset);
  };
  const auto inlinings = view.Inlinings();
  const auto is_inlining = [&](std::uint32_t position) {
    return position == kNoCode || position < inlinings.size();
  };
  const auto is_site = [&](const SiteRow& site) {
    return in_code(site.code_offset) && is_inlining(site.Inlining());
  };
  return std::ranges::all_of(view.Functions(),
                             [&](const FunctionRow& row) {
                               return std::uint64_t{row.body} + row.size <= header.code_size &&
                                      in_code_or_none(row.external) &&
                                      in_code_or_none(row.slot_entry) &&
                                      in_code_or_none(row.host_entry);
                             }) &&
         std::ranges::all_of(view.Adapters(), in_code_or_none) &&
         std::ranges::all_of(view.Faults(), is_site) &&
         std::ranges::all_of(view.Calls(), is_site) &&
         std::ranges::all_of(inlinings,
                             [&](const Inlining& row) { return is_inlining(row.inlined_at); });
}

TENON_DECL bool FitsModule(const CodeView& view, const wasm::Module& module,
                           const FlatArray<bool>& escapes, bool adapts_all) noexcept {
  const auto functions = view.Functions();
  const auto adapters = view.Adapters();
  if (functions.size() != module.bodies.size() || adapters.size() != module.types.size()) {
    return false;
  }
  const auto has_adapter = [&](std::uint32_t type) { return adapters[type] != kNoCode; };
  if (adapts_all && !std::ranges::all_of(adapters, [](auto place) { return place != kNoCode; })) {
    return false;
  }
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const FunctionRow& row = functions[i];
    if (escapes[i] &&
        (row.external == kNoCode || row.slot_entry == kNoCode || row.host_entry == kNoCode ||
         !has_adapter(module.functions[module.imported_functions + i]))) {
      return false;
    }
  }
  // Backtraces name the function, and look sites up by halves.
  const auto are_sites = [&](std::span<const SiteRow> sites) {
    return std::ranges::is_sorted(sites, {}, &SiteRow::code_offset) &&
           std::ranges::all_of(
               sites, [&](const SiteRow& site) { return site.function < module.functions.size(); });
  };
  const auto inlinings = view.Inlinings();
  for (std::size_t i = 0; i < inlinings.size(); ++i) {
    // Callers come first, so that no chain of them comes back to where it was.
    const bool is_chained = inlinings[i].inlined_at == kNoCode || inlinings[i].inlined_at < i;
    if (!is_chained || inlinings[i].function >= module.functions.size()) return false;
  }
  return are_sites(view.Faults()) && are_sites(view.Calls()) &&
         std::ranges::is_sorted(functions, {}, &FunctionRow::body);
}

}  // namespace tenon::inline TENON_ABI::jit
