// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the compiler must know of function bodies before it reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A loop that can be reached, as positions in its function's log of local.set and local.tee.
struct LoopFacts {
  std::uint32_t first_set = 0;   ///< of the first inside it
  std::uint32_t set_end = 0;     ///< behind the last inside it
  std::uint32_t back_edges = 0;  ///< branches to it; 0: it is no more than a block
};

/// One function. "Reachable" is what wasm::ValidationSink says it is.
struct BodyFacts {
  std::uint32_t code_offset = 0;  ///< of the first instruction, from the module's first byte
  std::uint32_t code_end = 0;     ///< behind the final `end`
  std::uint32_t first_set = 0;    ///< in ModuleFacts::sets
  std::uint32_t set_count = 0;
  std::uint32_t first_loop = 0;  ///< in ModuleFacts::loops
  std::uint32_t loop_count = 0;
  std::uint32_t locals = 0;  ///< parameters included
  std::uint32_t max_stack_slots = 0;
  std::uint32_t blocks = 0;    ///< block, loop and if
  std::uint32_t branches = 0;  ///< br, br_if, return; targets of br_table
  std::uint32_t calls = 0;
  std::uint32_t indirect_calls = 0;
  std::uint32_t memory_uses = 0;  ///< instructions on a memory
  bool has_vector = false;        ///< any parameter, local, result or operand
  bool grows_memory = false;
  bool calls_itself = false;

  std::uint32_t CodeSize() const { return code_end - code_offset; }
  bool IsLeaf() const { return calls == 0 && indirect_calls == 0; }
};

/// Of all functions of a module that are not imported, or of a range of them.
struct ModuleFacts {
  std::uint32_t first_function = 0;  ///< the defined function that functions[0] is
  FlatArray<BodyFacts> functions;
  FlatArray<std::uint32_t> sets;  ///< locals that reachable local.set and local.tee name, in order
  FlatArray<LoopFacts> loops;     ///< reachable loops in order of their beginning
  FlatArray<std::uint32_t> call_sites;  ///< by function index: reachable calls in `functions`

  bool Has(std::uint32_t defined_function) const {
    return defined_function >= first_function &&
           defined_function - first_function < functions.size();
  }
  const BodyFacts& Of(std::uint32_t defined_function) const {
    return functions[defined_function - first_function];
  }
  std::span<const std::uint32_t> Sets(const BodyFacts& facts) const {
    return std::span{sets}.subspan(facts.first_set, facts.set_count);
  }
  std::span<const LoopFacts> Loops(const BodyFacts& facts) const {
    return std::span{loops}.subspan(facts.first_loop, facts.loop_count);
  }
};

/// Adds the facts of each function that proves valid to `facts`; functions must be validated in
/// order. After a fault `facts` holds a part of the function that has it.
class BodyFactsSink : public wasm::NullSink {
 public:
  explicit BodyFactsSink(ModuleFacts& facts) : facts_{facts} {}

  TENON_DECL void BeginFunction(const wasm::FunctionInfo& function);
  TENON_DECL void EndFunction(const wasm::FunctionSummary& summary);
  TENON_DECL void BeginBlock(const wasm::BlockInfo& block);
  TENON_DECL void EndBlock(std::uint32_t offset);
  TENON_DECL void Branch(const wasm::BranchInfo& branch);
  TENON_DECL void UseMemory(wasm::Opcode opcode, std::uint32_t memory);
  void Return(std::uint32_t) { ++body_.branches; }
  void SetLocal(std::uint32_t local) { facts_.sets.push_back(local); }
  void Call(std::uint32_t function) {
    ++body_.calls;
    if (facts_.call_sites.size() <= function) facts_.call_sites.resize(std::size_t{function} + 1);
    ++facts_.call_sites[function];
    body_.calls_itself = body_.calls_itself || function == function_;
  }
  void CallIndirect(std::uint32_t, std::uint32_t) { ++body_.indirect_calls; }

 private:
  std::uint32_t SetPosition() const {
    return static_cast<std::uint32_t>(facts_.sets.size()) - body_.first_set;
  }

  ModuleFacts& facts_;
  BodyFacts body_;
  std::uint32_t function_ = 0;
  /// By open label: position in ModuleFacts::loops, or kNoLoop.
  FlatArray<std::uint32_t> labels_;
  static constexpr std::uint32_t kNoLoop = 0xFFFFFFFF;
};

/// Validates all function bodies of a module and gathers their facts. Returns the first fault, or
/// none; after a fault `out` is unspecified.
TENON_DECL wasm::Fault GatherFacts(const wasm::ValidationContext& context, ModuleFacts& out);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/body_facts.ipp>
#endif
