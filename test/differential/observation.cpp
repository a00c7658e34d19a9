// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compares what two engines did.
#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "engine.hpp"

namespace differential {

namespace {

std::string Hex(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%" PRIx64, value);
  return text;
}

std::string OutcomeText(std::uint64_t outcome, std::uint64_t detail) {
  switch (static_cast<Outcome>(outcome)) {
    case Outcome::Returned:
      return "returned";
    case Outcome::Trapped: {
      const char* const text =
          detail < 256 ? tenon::TrapText(static_cast<tenon::TrapCode>(detail)) : "";
      return std::string{"trapped: "} + (*text != 0 ? text : "with backtrace " + Hex(detail));
    }
    case Outcome::HostThrew:
      return "host threw " + Hex(detail);
    case Outcome::Exited:
      return "exited with " + Hex(detail);
    case Outcome::Refused:
      return "was refused with error " + std::to_string(detail);
  }
  return "?";
}

/// Whether the record tells how a call ended (and not with what it began).
bool IsEnding(const Observation& seen, std::size_t at) {
  if (seen.records[at].kind == RecordKind::Instantiate) return true;
  if (seen.records[at].kind != RecordKind::Call) return false;
  // Calls from the host do not nest: begin and end alternate.
  std::size_t before = 0;
  for (std::size_t i = 0; i < at; ++i) {
    if (seen.records[i].kind == RecordKind::Call) ++before;
  }
  return before % 2 == 1;
}

std::string Describe(const Observation& seen, std::size_t at) {
  if (at >= seen.records.size()) return "nothing more";
  const Record& record = seen.records[at];
  std::string text;
  switch (record.kind) {
    case RecordKind::Instantiate:
      break;
    case RecordKind::Call:
      text = "export ";
      break;
    case RecordKind::HostCall:
      text = "call of host function ";
      break;
    case RecordKind::Memory:
      break;
    case RecordKind::Global:
      text = "global ";
      break;
    case RecordKind::Table:
      text = "table ";
      break;
  }
  text += seen.names[record.name];
  std::size_t first = record.begin;
  if (IsEnding(seen, at)) {
    text += ' ' + OutcomeText(seen.data[first], seen.data[first + 1]);
    first += 2;
  }
  text += ':';
  for (std::size_t i = first; i < record.end; ++i) text += ' ' + Hex(seen.data[i]);
  return text;
}

/// The call from the host during which record `at` was made.
std::string ContextOf(const Observation& seen, std::size_t at) {
  for (std::size_t i = std::min(at, seen.records.size()); i > 0; --i) {
    if (seen.records[i - 1].kind == RecordKind::Call && !IsEnding(seen, i - 1)) {
      return "in or after " + Describe(seen, i - 1) + "\n";
    }
  }
  return "before the first call\n";
}

std::optional<std::string> MemoryDifference(const std::vector<std::uint8_t>& a,
                                            const std::vector<std::uint8_t>& b) {
  if (a == b) return std::nullopt;
  if (a.size() != b.size()) {
    return "memory has " + Hex(a.size()) + " and " + Hex(b.size()) + " bytes\n";
  }
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin());
  return "memory differs first at " + Hex(static_cast<std::uint64_t>(at - a.begin())) + ": " +
         Hex(*at) + " and " + Hex(*other) + "\n";
}

}  // namespace

std::optional<std::string> FindDifference(const Observation& a, const Observation& b) {
  if (a.invalid != b.invalid) {
    return "refused by one: '" + a.invalid + "' and '" + b.invalid + "'\n";
  }
  const std::size_t count = std::max(a.records.size(), b.records.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (i < a.records.size() && i < b.records.size()) {
      const Record &left = a.records[i], &right = b.records[i];
      const bool is_equal = left.kind == right.kind && left.name == right.name &&
                            std::equal(a.data.begin() + left.begin, a.data.begin() + left.end,
                                       b.data.begin() + right.begin, b.data.begin() + right.end);
      if (is_equal && left.kind != RecordKind::Memory) continue;
      if (is_equal) {
        const std::size_t memory = a.data[left.begin];
        std::optional<std::string> text = MemoryDifference(a.memories[memory], b.memories[memory]);
        if (text) return a.names[left.name] + ": " + *text;
        continue;
      }
    }
    return ContextOf(a, i) + "a: " + Describe(a, i) + "\nb: " + Describe(b, i) + "\n";
  }
  return std::nullopt;
}

}  // namespace differential
