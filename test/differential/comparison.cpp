// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs modules on two engines; reduces those on which they differ.
#include "comparison.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>
#include <vector>

#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/instruction_walker.hpp>

namespace differential {

namespace {

/// Runs that a reduction may take.
constexpr int kReductionRuns = 3000;

Configuration Canonical(Configuration configuration) {
  configuration.has_canonical_nan = true;
  return configuration;
}

std::string Number(std::uint64_t value) { return std::to_string(value); }

/// Sequences without the part, or with the simplest choice instead.
std::vector<std::uint64_t> Without(const std::vector<std::uint64_t>& values, Choices::Span span,
                                   std::size_t zeros) {
  std::vector<std::uint64_t> changed{values.begin(),
                                     values.begin() + static_cast<std::ptrdiff_t>(span.begin)};
  changed.resize(changed.size() + zeros, 0);
  changed.insert(changed.end(), values.begin() + static_cast<std::ptrdiff_t>(span.end),
                 values.end());
  return changed;
}

std::vector<Choices::Span> LargestFirst(std::vector<Choices::Span> spans) {
  std::sort(spans.begin(), spans.end(), [](Choices::Span left, Choices::Span right) {
    const std::size_t left_size = left.end - left.begin, right_size = right.end - right.begin;
    return left_size != right_size ? left_size > right_size : left.begin < right.begin;
  });
  return spans;
}

}  // namespace

std::string Totals::Text() const {
  return Number(modules) + " modules, " + Number(executions) + " executions, " +
         Number(mismatches) + " mismatches";
}

std::string Listing(const Bytes& module) {
  tenon::wasm::Module decoded;
  if (!tenon::wasm::Decode(module, {kFeatures, {}}, decoded).IsNone()) return "not a module\n";
  std::string text;
  for (std::uint32_t i = 0; i < decoded.bodies.size(); ++i) {
    const std::uint32_t function = decoded.imported_functions + i;
    text += "function " + Number(function) + ", type " + Number(decoded.functions[function]) + ":";
    std::vector<std::pair<tenon::wasm::Opcode, std::uint32_t>> instructions;
    tenon::wasm::WalkBody(module, decoded.bodies[i],
                          [&](tenon::wasm::Opcode opcode, std::uint32_t offset) {
                            instructions.emplace_back(opcode, offset);
                          });
    std::size_t indent = 1;
    for (std::size_t k = 0; k < instructions.size(); ++k) {
      using tenon::wasm::Opcode;
      const auto [opcode, offset] = instructions[k];
      const bool ends = opcode == Opcode::End || opcode == Opcode::Else;
      if (ends && indent > 0) --indent;
      char line[64];
      std::snprintf(line, sizeof line, "\n%8" PRIx32 ": ", offset);
      text += line + std::string(2 * std::min<std::size_t>(indent, 20), ' ');
      text += tenon::wasm::Info(opcode).text;
      if (opcode == Opcode::Block || opcode == Opcode::Loop || opcode == Opcode::If ||
          opcode == Opcode::Else) {
        ++indent;
      }
      // The immediates as they stand in the module.
      const auto code = static_cast<std::uint32_t>(opcode);
      const std::uint32_t begin = offset + (code < 0x100 ? 1 : (code & 0xFF) < 0x80 ? 2 : 3);
      const std::uint32_t end =
          k + 1 < instructions.size() ? instructions[k + 1].second : decoded.bodies[i].End();
      for (std::uint32_t at = begin; at < end; ++at) {
        std::snprintf(line, sizeof line, " %02x", module[at]);
        text += line;
      }
    }
    text += '\n';
  }
  return text;
}

std::string Report(const Mismatch& mismatch, const Configuration& a, const Configuration& b) {
  std::string text = "MISMATCH " + mismatch.origin + "\na: " + a.Text() + "\nb: " + b.Text() +
                     "\n" + mismatch.difference;
  if (mismatch.reduced.empty()) {
    return text + "module of " + Number(mismatch.module.size()) + " bytes\n";
  }
  return text + "reduced from " + Number(mismatch.module.size()) + " to " +
         Number(mismatch.reduced.size()) + " bytes:\n" + mismatch.reduced_difference +
         Listing(mismatch.reduced);
}

Comparison::Comparison(Configuration a, Configuration b, bool compares_backtraces)
    : plain_a_{a},
      plain_b_{b},
      canonical_a_{Canonical(std::move(a))},
      canonical_b_{Canonical(std::move(b))},
      compares_backtraces_{compares_backtraces} {}

std::optional<std::string> Comparison::Compare(const Bytes& module, const RunPlan& plan,
                                               bool is_canonical, bool counts) {
  current_ = module;
  const Observation a = (is_canonical ? canonical_a_ : plain_a_).Run(module, plan);
  const Observation b = (is_canonical ? canonical_b_ : plain_b_).Run(module, plan);
  if (counts) {
    ++totals_.modules;
    totals_.executions += a.executions;
  }
  if (!a.invalid.empty() && a.invalid == b.invalid) return "refused: " + a.invalid + "\n";
  return FindDifference(a, b);
}

std::optional<Mismatch> Comparison::Run(std::uint64_t seed, std::optional<Profile> profile,
                                        bool reduces) {
  const GeneratorOptions options{profile.value_or(ProfileOf(seed)), seed % 2 != 0};
  RunPlan plan;
  plan.seed = seed;
  plan.compares_backtraces = compares_backtraces_;
  Choices choices{seed};
  Mismatch mismatch;
  origin_ = mismatch.origin =
      "seed " + Number(seed) + ", profile " + std::string{ProfileName(options.profile)};
  mismatch.module = GenerateModule(choices, options);
  std::optional<std::string> difference =
      Compare(mismatch.module, plan, options.observes_nan_bits, true);
  if (!difference) return std::nullopt;
  ++totals_.mismatches;
  mismatch.difference = std::move(*difference);
  if (reduces) Reduce(std::move(choices), options, plan, mismatch);
  return mismatch;
}

std::optional<Mismatch> Comparison::RunModule(const Bytes& module, std::string_view origin,
                                              std::uint64_t seed, bool observes_nan_bits) {
  RunPlan plan;
  plan.seed = seed;
  plan.compares_backtraces = compares_backtraces_;
  origin_ = origin;
  std::optional<std::string> difference = Compare(module, plan, observes_nan_bits, true);
  if (!difference) return std::nullopt;
  ++totals_.mismatches;
  return Mismatch{origin_, std::move(*difference), module, {}, {}};
}

void Comparison::Reduce(Choices choices, const GeneratorOptions& options, const RunPlan& plan,
                        Mismatch& mismatch) {
  mismatch.reduced = mismatch.module;
  mismatch.reduced_difference = mismatch.difference;
  int runs = 0;
  const auto improves = [&](std::vector<std::uint64_t> values) {
    ++runs;
    Choices changed{std::move(values)};
    Bytes module = GenerateModule(changed, options);
    if (module.size() >= mismatch.reduced.size()) return false;
    std::optional<std::string> difference = Compare(module, plan, options.observes_nan_bits, false);
    if (!difference) return false;
    mismatch.reduced = std::move(module);
    mismatch.reduced_difference = std::move(*difference);
    choices = std::move(changed);
    return true;
  };
  // A sequence that stops early is the same module with the rest as simple as can be.
  for (std::size_t keep = choices.Taken().size() / 2; keep > 0 && runs < kReductionRuns;) {
    std::vector<std::uint64_t> values = choices.Taken();
    values.resize(std::min(values.size(), keep));
    if (improves(std::move(values))) {
      keep = std::min(keep, choices.Taken().size()) / 2;
    } else {
      const std::size_t step = (choices.Taken().size() - keep) / 2;
      if (step < 8 || keep + step >= choices.Taken().size()) break;
      keep += step;
    }
  }
  // Then every statement and operand, the larger first, until nothing helps any more.
  for (bool improved = true; improved && runs < kReductionRuns;) {
    improved = false;
    std::vector<Choices::Span> spans = LargestFirst(choices.Spans());
    for (std::size_t i = 0; i < spans.size() && runs < kReductionRuns; ++i) {
      // A statement goes, or its number of operands changes; an operand becomes 0.
      if (improves(Without(choices.Taken(), spans[i], 0)) ||
          improves(Without(choices.Taken(), spans[i], 3))) {
        improved = true;
        spans = LargestFirst(choices.Spans());
      }
    }
  }
  // Last, single numbers: constants, counts.
  for (std::size_t i = 0; i < choices.Taken().size() && runs < kReductionRuns; ++i) {
    if (choices.Taken()[i] == 0) continue;
    std::vector<std::uint64_t> values = choices.Taken();
    values[i] = 0;
    improves(std::move(values));
  }
}

}  // namespace differential
