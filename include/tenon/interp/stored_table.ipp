// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of stored_table.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <tenon/interp/stored_table.hpp>

namespace tenon::inline TENON_ABI::interp {

namespace detail {

struct StoredTableHeader {
  std::uint64_t magic = 0x656C626174646973;  // "sidtable"
  std::uint64_t revision = kSideTableRevision;
  std::uint64_t entries = 0;
  std::uint64_t places = 0;
  std::uint64_t searches = 0;
  std::uint64_t runs = 0;
  std::uint64_t functions = 0;
};

/// Rows without padding: what they are made of, as numbers of 32 bits.
struct StoredRun {
  std::uint32_t end;
  std::uint32_t end_slot;
  std::uint32_t is_vector;
};

struct StoredFunction {
  std::uint32_t code_offset;
  std::uint32_t code_end;
  std::uint32_t parameter_slots;
  std::uint32_t local_slots;
  std::uint32_t result_slots;
  std::uint32_t max_stack_slots;
  std::uint32_t first_entry;
  std::uint32_t first_place;
  std::uint32_t place_count;
  std::uint32_t search;
  std::uint32_t is_wide;
};

static_assert(std::has_unique_object_representations_v<StoredTableHeader> &&
              std::has_unique_object_representations_v<BranchEntry> &&
              std::has_unique_object_representations_v<LocalPlace> &&
              std::has_unique_object_representations_v<LocalSearch> &&
              std::has_unique_object_representations_v<StoredRun> &&
              std::has_unique_object_representations_v<StoredFunction>);

inline StoredRun Store(const LocalRun& run) {
  return {run.end, run.end_slot, run.is_vector ? 1u : 0u};
}

inline LocalRun Load(const StoredRun& run) { return {run.end, run.end_slot, run.is_vector != 0}; }

inline StoredFunction Store(const FunctionCode& code) {
  return {code.code_offset,  code.code_end,        code.parameter_slots,  code.local_slots,
          code.result_slots, code.max_stack_slots, code.first_entry,      code.first_place,
          code.place_count,  code.search,          code.is_wide ? 1u : 0u};
}

inline FunctionCode Load(const StoredFunction& code) {
  FunctionCode loaded;
  loaded.code_offset = code.code_offset;
  loaded.code_end = code.code_end;
  loaded.parameter_slots = code.parameter_slots;
  loaded.local_slots = code.local_slots;
  loaded.result_slots = code.result_slots;
  loaded.max_stack_slots = code.max_stack_slots;
  loaded.first_entry = code.first_entry;
  loaded.first_place = code.first_place;
  loaded.place_count = code.place_count;
  loaded.search = code.search;
  loaded.is_wide = code.is_wide != 0;
  return loaded;
}

template <class Row>
void AppendRow(std::vector<std::uint8_t>& bytes, const Row& row) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(&row);
  bytes.insert(bytes.end(), begin, begin + sizeof(Row));
}

/// Takes `count` rows from the front of `bytes`, each by `take(row)`; false if there are fewer.
template <class Row, class Take>
bool TakeRows(std::span<const std::uint8_t>& bytes, std::uint64_t count, Take take) {
  if (count > bytes.size() / sizeof(Row)) return false;
  for (std::uint64_t i = 0; i < count; ++i, bytes = bytes.subspan(sizeof(Row))) {
    alignas(Row) std::uint8_t storage[sizeof(Row)];
    std::memcpy(storage, bytes.data(), sizeof(Row));
    take(*reinterpret_cast<const Row*>(storage));
  }
  return true;
}

/// Whether a range of rows is among `size` rows.
constexpr bool IsAmong(std::uint64_t first, std::uint64_t count, std::uint64_t size) {
  return first + count <= size;
}

/// Slots of a function type's values.
struct TypeSlots {
  std::uint32_t parameters;
  std::uint32_t results;
};

inline std::uint32_t SlotsOf(std::span<const ValueType> types) {
  std::uint32_t slots = 0;
  for (const ValueType type : types) slots += type.SlotCount();
  return slots;
}

inline wasm::FlatArray<TypeSlots> SlotsOfTypes(const wasm::Module& module) {
  wasm::FlatArray<TypeSlots> all;
  for (std::uint32_t type = 0; type < module.types.size(); ++type) {
    all.push_back({SlotsOf(module.Parameters(type)), SlotsOf(module.Results(type))});
  }
  return all;
}

/// Whether the slots of a function's values are those of its type, and a frame of it has a size
/// that can be computed with.
inline bool AreSlotsOf(const FunctionCode& code, const TypeSlots& type) {
  constexpr std::uint64_t kMostSlots = std::uint64_t{1} << 31;
  return code.parameter_slots == type.parameters && code.result_slots == type.results &&
         code.parameter_slots <= code.local_slots &&
         std::uint64_t{code.local_slots} + code.max_stack_slots < kMostSlots;
}

/// Whether the places of a wide function's locals are among its slots, as far as they are written
/// out.
inline bool ArePlacesOf(const SideTable& table, const FunctionCode& code) {
  for (std::uint32_t i = code.first_place; i < code.first_place + code.place_count; ++i) {
    const LocalPlace place = table.places[i];
    if (place.Slot() + (place.IsVector() ? 2u : 1u) > code.local_slots) return false;
  }
  return true;
}

/// Whether the entries from `first` to `end` lead to places of the function and of its entries, and
/// move no more than its operands.
inline bool AreBranchesOf(const SideTable& table, const FunctionCode& code, std::uint32_t end) {
  const std::int64_t length = std::int64_t{code.code_end} - code.code_offset;
  for (std::uint32_t i = code.first_entry; i < end; ++i) {
    const BranchEntry& entry = table.entries[i];
    const std::int64_t next = std::int64_t{i} + entry.table_delta;
    if (entry.pc_delta > length || entry.pc_delta < -length || next < code.first_entry ||
        next > end || std::uint64_t{entry.arity} + entry.drop > code.max_stack_slots) {
      return false;
    }
  }
  return true;
}

inline bool IsFunctionOf(const SideTable& table, const FunctionCode& code, std::uint32_t end,
                         wasm::ByteRange body, const TypeSlots& type) {
  if (code.code_offset < body.offset || code.code_offset > code.code_end ||
      code.code_end != body.End() || code.first_entry > end || end > table.entries.size() ||
      !AreSlotsOf(code, type)) {
    return false;
  }
  const bool may_search = !table.searches.empty();
  if (code.is_wide &&
      (!IsAmong(code.first_place, code.place_count, table.places.size()) ||
       (may_search && code.search >= table.searches.size()) || !ArePlacesOf(table, code))) {
    return false;
  }
  return AreBranchesOf(table, code, end);
}

}  // namespace detail

TENON_DECL std::vector<std::uint8_t> WriteSideTable(const SideTable& table) {
  detail::StoredTableHeader header;
  header.entries = table.entries.size();
  header.places = table.places.size();
  header.searches = table.searches.size();
  header.runs = table.runs.size();
  header.functions = table.functions.size();
  std::vector<std::uint8_t> bytes;
  bytes.reserve(sizeof(header) + table.entries.size() * sizeof(BranchEntry) +
                table.places.size() * sizeof(LocalPlace) +
                table.searches.size() * sizeof(LocalSearch) +
                table.runs.size() * sizeof(detail::StoredRun) +
                table.functions.size() * sizeof(detail::StoredFunction));
  detail::AppendRow(bytes, header);
  for (const BranchEntry& entry : table.entries) detail::AppendRow(bytes, entry);
  for (const LocalPlace& place : table.places) detail::AppendRow(bytes, place);
  for (const LocalSearch& search : table.searches) detail::AppendRow(bytes, search);
  for (const LocalRun& run : table.runs) detail::AppendRow(bytes, detail::Store(run));
  for (const FunctionCode& code : table.functions) detail::AppendRow(bytes, detail::Store(code));
  return bytes;
}

TENON_DECL bool ReadSideTable(std::span<const std::uint8_t> bytes, const wasm::Module& module,
                              SideTable& out) {
  out = {};
  detail::StoredTableHeader header;
  const detail::StoredTableHeader expected;
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  bytes = bytes.subspan(sizeof(header));
  if (header.magic != expected.magic || header.revision != expected.revision) return false;
  const auto keep_in = [](auto& rows) { return [&rows](const auto& row) { rows.push_back(row); }; };
  const auto load_into = [](auto& rows) {
    return [&rows](const auto& row) { rows.push_back(detail::Load(row)); };
  };
  const bool has_all =
      detail::TakeRows<BranchEntry>(bytes, header.entries, keep_in(out.entries)) &&
      detail::TakeRows<LocalPlace>(bytes, header.places, keep_in(out.places)) &&
      detail::TakeRows<LocalSearch>(bytes, header.searches, keep_in(out.searches)) &&
      detail::TakeRows<detail::StoredRun>(bytes, header.runs, load_into(out.runs)) &&
      detail::TakeRows<detail::StoredFunction>(bytes, header.functions, load_into(out.functions));
  if (!has_all || !bytes.empty() || out.functions.size() != module.bodies.size()) return false;
  const bool are_searches = std::ranges::all_of(out.searches, [&](const LocalSearch& search) {
    return search.first_parameter_run <= search.end_parameter_run &&
           search.end_parameter_run <= out.runs.size() && search.first_run <= search.end_run &&
           search.end_run <= out.runs.size();
  });
  if (!are_searches) return false;
  const wasm::FlatArray<detail::TypeSlots> types = detail::SlotsOfTypes(module);
  for (std::size_t i = 0; i < out.functions.size(); ++i) {
    const std::uint32_t type = module.functions[module.imported_functions + i];
    const FunctionCode& code = out.functions[i];
    const std::size_t end =
        i + 1 < out.functions.size() ? out.functions[i + 1].first_entry : out.entries.size();
    if (!detail::IsFunctionOf(out, code, static_cast<std::uint32_t>(end), module.bodies[i],
                              types[type])) {
      return false;
    }
  }
  return true;
}

}  // namespace tenon::inline TENON_ABI::interp
