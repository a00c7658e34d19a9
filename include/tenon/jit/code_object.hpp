// SPDX-License-Identifier: Apache-2.0
/// @file
/// The compiled code of a module with its tables: contiguous, self-describing, without pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/code_range.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/stub_emitter.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Changes whenever other code may come of the same module and options.
inline constexpr std::uint32_t kCodegenRevision = 4;

/// A function in a code object. Offsets count from the first byte of the code.
struct FunctionRow {
  std::uint32_t body = 0;
  std::uint32_t size = 0;
  std::uint32_t frame_size = 0;        ///< rbp - rsp in the body
  std::uint32_t external = kNoCode;    ///< entry in the thunk convention
  std::uint32_t slot_entry = kNoCode;  ///< the stub by which host code enters it
  std::uint32_t host_entry = kNoCode;  ///< the same with operands in registers
};

/// A place in the code that belongs to a wasm instruction.
struct SiteRow {
  std::uint32_t code_offset = 0;  ///< calls: of the return address
  std::uint32_t wasm_offset = 0;
  std::uint32_t function = 0;    ///< wasm index
  std::uint32_t inlined_at = 0;  ///< (position among the inlinings + 1) * 2, + 1 in a prologue
  bool IsPrologue() const { return (inlined_at & 1) != 0; }
  /// Position of the inlining, or kNoCode.
  std::uint32_t Inlining() const { return inlined_at < 2 ? kNoCode : inlined_at / 2 - 1; }
};

/// Head of a code object.
struct CodeHeader {
  std::uint64_t magic = 0;
  std::uint32_t revision = 0;
  std::uint32_t reserved = 0;
  std::uint64_t layout_digest = 0;
  std::uint64_t options_digest = 0;
  std::uint64_t size = 0;         ///< of the whole object
  std::uint32_t code_offset = 0;  ///< from the header; a multiple of kCodeAlignment
  std::uint32_t code_size = 0;

  // Ranges of the code, return addresses included.
  CodeRange bodies;
  CodeRange externals;
  CodeRange slot_entries;

  // Stubs, from the first byte of the code.
  std::uint32_t unwind = kNoCode;
  std::uint32_t interrupt = kNoCode;
  std::uint32_t traps[kTrapCodes] = {};

  // Tables: offsets from the header, and numbers of rows.
  CodeRange functions;
  CodeRange faults;
  CodeRange calls;
  CodeRange inlinings;
  CodeRange adapters;  ///< by type: from the thunk convention to FunctionRecord::invoke, or kNoCode
  std::uint32_t unused = 0;  ///< in place of padding, which would be anything
};
static_assert(std::has_unique_object_representations_v<CodeHeader> &&
              std::has_unique_object_representations_v<FunctionRow> &&
              std::has_unique_object_representations_v<SiteRow>);

/// The code begins on a page of its own, so that it alone becomes executable.
inline constexpr std::uint32_t kCodeAlignment = 4096;

/// What code objects are made of.
struct CodeObjectInput {
  const wasm::Module& module;
  std::span<const CompiledFunction> functions;
  /// By defined function: whether anything but direct calls of the module can reach it.
  FlatArray<bool> escapes;
  /// By type: whether records of this type need an adapter.
  FlatArray<bool> adapters;
  std::uint64_t options_digest = 0;
};

/// Joins compiled functions and writes the stubs. What comes of it depends on nothing but the
/// input.
class CodeObjectBuilder {
 public:
  /// Plans the object. `input`, with all that it refers to, must outlive the builder.
  TENON_DECL explicit CodeObjectBuilder(const CodeObjectInput& input);

  /// Bytes of the object; 0 if its code is larger than calls can reach.
  std::size_t Size() const noexcept { return static_cast<std::size_t>(header_.size); }
  /// Where in the object the code begins.
  std::size_t CodeOffset() const noexcept { return header_.code_offset; }
  /// Writes the object to `target`: Size() bytes, at least one, that are zero.
  TENON_DECL void Write(std::span<std::uint8_t> target) const;

 private:
  void PlanStubs();
  bool PlaceCode();
  void PlaceTables();
  std::uint32_t TargetOf(const Relocation& relocation) const;
  void WriteCode(std::span<std::uint8_t> code) const;
  void WriteTables(std::span<std::uint8_t> object) const;

  const CodeObjectInput& input_;
  StubArea stubs_;
  FlatArray<FunctionRow> rows_;
  std::uint32_t stub_base_ = 0;
  std::uint64_t code_size_ = 0;
  std::size_t calls_ = 0;
  std::size_t faults_ = 0;
  std::size_t inlinings_ = 0;
  CodeHeader header_;
};

/// The object in memory of its own; empty if its code is larger than calls can reach.
TENON_DECL std::vector<std::uint8_t> BuildCodeObject(const CodeObjectInput& input);

/// Reads a code object, wherever it is.
class CodeView {
 public:
  CodeView() = default;
  /// `bytes` must be a code object; see IsCodeObject.
  explicit CodeView(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}

  const CodeHeader& Header() const noexcept {
    return *reinterpret_cast<const CodeHeader*>(bytes_.data());
  }
  std::span<const std::uint8_t> Bytes() const noexcept { return bytes_; }
  std::span<const std::uint8_t> Code() const noexcept {
    return bytes_.subspan(Header().code_offset, Header().code_size);
  }
  std::span<const FunctionRow> Functions() const noexcept {
    return Table<FunctionRow>(Header().functions);
  }
  std::span<const SiteRow> Faults() const noexcept { return Table<SiteRow>(Header().faults); }
  std::span<const SiteRow> Calls() const noexcept { return Table<SiteRow>(Header().calls); }
  std::span<const Inlining> Inlinings() const noexcept {
    return Table<Inlining>(Header().inlinings);
  }
  std::span<const std::uint32_t> Adapters() const noexcept {
    return Table<std::uint32_t>(Header().adapters);
  }

  /// The function whose body holds `offset`; null if none does.
  TENON_DECL const FunctionRow* FindFunction(std::uint32_t offset) const noexcept;
  /// The site at exactly `offset`; null if there is none.
  TENON_DECL const SiteRow* FindCall(std::uint32_t offset) const noexcept;
  TENON_DECL const SiteRow* FindFault(std::uint32_t offset) const noexcept;

 private:
  template <class Row>
  std::span<const Row> Table(CodeRange range) const noexcept {
    return {reinterpret_cast<const Row*>(bytes_.data() + range.first), range.count};
  }

  std::span<const std::uint8_t> bytes_;
};

/// Whether `bytes`, aligned to 8, are a code object of this build and of these options, with every
/// table and entry in bounds. Says nothing about what the code does.
TENON_DECL bool IsCodeObject(std::span<const std::uint8_t> bytes,
                             std::uint64_t options_digest) noexcept;

/// Whether a code object has what instances of `module` take from it. `escapes` as in
/// CodeObjectInput; `adapts_all`: whether records of every type need an adapter.
TENON_DECL bool FitsModule(const CodeView& view, const wasm::Module& module,
                           const FlatArray<bool>& escapes, bool adapts_all) noexcept;

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/code_object.ipp>
#endif
