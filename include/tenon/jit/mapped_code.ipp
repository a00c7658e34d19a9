// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of mapped_code.hpp.
#pragma once

#include <cstring>
#include <utility>

#include <tenon/jit/code_registry.hpp>
#include <tenon/jit/mapped_code.hpp>

// Of the compiler's runtime library; GCC's takes whole .eh_frame sections.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" void __register_frame(void* begin);
extern "C" void __deregister_frame(void* begin);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace tenon::inline TENON_ABI::jit {

inline MappedCode::MappedCode(ExecutableMemory memory)
    : memory_{std::move(memory)}, view_{memory_.Bytes()} {
  entries_.reserve(view_.Functions().size());
  for (const FunctionRow& row : view_.Functions()) {
    entries_.push_back({At<SlotEntry>(row.slot_entry), At<const void*>(row.body)});
  }
  DescribeFrames();
}

[[gnu::cold]] inline std::shared_ptr<const MappedCode> MappedCode::Register(
    ExecutableMemory memory) {
  const std::shared_ptr<const MappedCode> code{new MappedCode{std::move(memory)}};
  CodeRegistry::Global().Add(code->CodeBegin(), code->CodeBegin() + code->view_.Code().size(),
                             *code);
  return code;
}

[[gnu::cold]] TENON_DECL std::shared_ptr<const MappedCode> MappedCode::Map(
    std::span<const std::uint8_t> object, std::string& reason) {
  ExecutableMemory memory =
      ExecutableMemory::Map(object, CodeView{object}.Header().code_offset, reason);
  return memory ? Register(std::move(memory)) : nullptr;
}

[[gnu::cold]] TENON_DECL std::shared_ptr<const MappedCode> MappedCode::Map(
    const CodeObjectBuilder& builder, std::string& reason) {
  ExecutableMemory memory = ExecutableMemory::Map(builder.Size(), reason);
  if (!memory) return nullptr;
  builder.Write(memory.WritableBytes());
  return memory.Seal(builder.CodeOffset(), reason) ? Register(std::move(memory)) : nullptr;
}

TENON_DECL std::shared_ptr<const MappedCode> MappedCode::Adopt(std::span<const std::uint8_t> object,
                                                               std::shared_ptr<const void> owner,
                                                               std::string& reason) {
  ExecutableMemory memory = ExecutableMemory::Adopt(object, std::move(owner),
                                                    CodeView{object}.Header().code_offset, reason);
  return memory ? Register(std::move(memory)) : nullptr;
}

TENON_DECL MappedCode::~MappedCode() {
  CodeRegistry::Global().Remove(CodeBegin());
  __deregister_frame(unwind_tables_.data());
}

/// Tells unwinders that all frames are linked by rbp (which is not yet so in a prologue).
[[gnu::cold]] inline void MappedCode::DescribeFrames() {
  // clang-format off
  static constexpr std::uint8_t kCommonEntry[] = {
      20, 0, 0, 0,     // length
      0, 0, 0, 0,      // a common entry
      1, 0,            // version, no augmentation
      1, 0x78, 16,     // code alignment, data alignment -8, the return address is register 16
      0x0C, 6, 16,     // the frame's address is rbp + 16
      0x86, 2,         // rbp is saved at -16
      0x90, 1,         // the return address at -8
      0, 0, 0, 0};     // padding
  // clang-format on
  constexpr std::uint32_t kEntryLength = 20;
  const std::uint32_t to_common = sizeof(kCommonEntry) + 4;
  const std::uint64_t range[] = {CodeBegin(), view_.Code().size()};
  unwind_tables_.resize(sizeof(kCommonEntry) + 4 + kEntryLength + 4);
  std::uint8_t* out = unwind_tables_.data();
  std::memcpy(out, kCommonEntry, sizeof(kCommonEntry));
  out += sizeof(kCommonEntry);
  std::memcpy(out, &kEntryLength, 4);
  std::memcpy(out + 4, &to_common, 4);
  std::memcpy(out + 8, range, sizeof(range));
  __register_frame(unwind_tables_.data());
}

}  // namespace tenon::inline TENON_ABI::jit
