// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compares two engines on one module, and makes a module that shows a difference small.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine.hpp"
#include "generator.hpp"

namespace differential {

/// How much ran.
struct Totals {
  std::uint64_t modules = 0;
  std::uint64_t executions = 0;  ///< on each engine
  std::uint64_t mismatches = 0;

  std::string Text() const;
};

/// A difference that was found.
struct Mismatch {
  std::string origin;  ///< seed and profile, or a file
  std::string difference;
  Bytes module;
  Bytes reduced;  ///< empty if it was not tried
  std::string reduced_difference;
};

/// Everything that is to be known of a mismatch, with the instructions of the smaller module.
std::string Report(const Mismatch& mismatch, const Configuration& a, const Configuration& b);

/// The instructions of all function bodies, one a line.
std::string Listing(const Bytes& module);

/// Two engines, each with and without canonical NaNs. Not copied: engines hold host functions that
/// refer to them.
class Comparison {
 public:
  Comparison(Configuration a, Configuration b, bool compares_backtraces = false);

  /// Makes the module of a seed, in the profile of the seed if none is given, and compares. Odd
  /// seeds see the bits of NaNs, on engines that make them canonical.
  std::optional<Mismatch> Run(std::uint64_t seed, std::optional<Profile> profile = std::nullopt,
                              bool reduces = true);
  /// The same for any module, with the arguments that modules of that seed get. What looks at the
  /// bits of NaNs needs engines that make them canonical.
  std::optional<Mismatch> RunModule(const Bytes& module, std::string_view origin,
                                    std::uint64_t seed, bool observes_nan_bits);

  const Totals& Counts() const { return totals_; }
  /// What runs now, for handlers of crashes.
  const Bytes& Current() const { return current_; }
  const std::string& Origin() const { return origin_; }
  const Configuration& A() const { return plain_a_.Settings(); }
  const Configuration& B() const { return plain_b_.Settings(); }

 private:
  std::optional<std::string> Compare(const Bytes& module, const RunPlan& plan, bool is_canonical,
                                     bool counts);
  void Reduce(Choices choices, const GeneratorOptions& options, const RunPlan& plan,
              Mismatch& mismatch);

  Engine plain_a_, plain_b_, canonical_a_, canonical_b_;
  bool compares_backtraces_;
  Totals totals_;
  Bytes current_;
  std::string origin_;
};

}  // namespace differential
