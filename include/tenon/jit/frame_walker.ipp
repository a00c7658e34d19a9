// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of frame_walker.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/jit/code_registry.hpp>
#include <tenon/jit/frame_walker.hpp>
#include <tenon/jit/mapped_code.hpp>
#include <tenon/jit/stub_emitter.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// A word of a stack that other functions wrote. Sanitizers take it for theirs.
[[gnu::no_sanitize_address]] inline std::uintptr_t ReadStack(std::uintptr_t address) noexcept {
  return *reinterpret_cast<const std::uintptr_t*>(address);
}
inline std::uintptr_t ReadStack(std::uintptr_t base, std::int32_t offset) noexcept {
  return ReadStack(base + static_cast<std::uintptr_t>(std::intptr_t{offset}));
}

/// What of the stack belongs to compiled code: who a return address belongs to.
enum class FrameKind : std::uint8_t { Body, External, SlotEntry, Unknown };

class FrameWalker {
 public:
  explicit FrameWalker(vm::FrameCursor& cursor)
      : cursor_{cursor}, code_{reinterpret_cast<const MappedCode*>(cursor.words[kCode])} {}

  bool Next() noexcept {
    bool found = false;
    switch (cursor_.words[kState]) {
      case kBegin: {
        const abi::ExecContext& exec = *cursor_.exec;
        found = EnterActivation(exec.entry_stack_pointer, exec.exit_stack_pointer);
        break;
      }
      case kHostFunction:
        found = ShowFunction();
        break;
      case kFunction:
        found = ShowInlining() || Step();
        break;
      default:
        break;
    }
    if (!found) cursor_.words[kState] = kEnd;
    cursor_.words[kCode] = reinterpret_cast<std::uintptr_t>(code_);
    return found;
  }

 private:
  enum Word : std::size_t { kState, kCode, kPc, kFrame, kInstance, kInlining };
  enum State : std::uintptr_t { kBegin, kHostFunction, kFunction, kEnd };

  FrameKind Classify(std::uintptr_t return_address) noexcept {
    // A call may be the last instruction of a function.
    const std::uintptr_t address = return_address - 1;
    if (code_ == nullptr || address - code_->CodeBegin() >= code_->View().Code().size()) {
      code_ = CodeRegistry::Global().Find(address);
      if (code_ == nullptr) return FrameKind::Unknown;
    }
    const CodeHeader& header = code_->View().Header();
    const std::uintptr_t offset = address - code_->CodeBegin();
    if (header.bodies.Contains(offset)) return FrameKind::Body;
    if (header.externals.Contains(offset)) return FrameKind::External;
    if (header.slot_entries.Contains(offset)) return FrameKind::SlotEntry;
    return FrameKind::Unknown;
  }

  /// The innermost frame of the activation that began at `entry` and called out at `exit`.
  bool EnterActivation(std::uintptr_t entry, std::uintptr_t exit) noexcept {
    while (entry != 0 && exit == 0) {
      exit = ReadStack(entry, kEntryFrameFormerExit - kEntryFrameInstance);
      entry = ReadStack(entry, kEntryFrameFormerEntry - kEntryFrameInstance);
    }
    if (entry == 0) return false;
    const std::uintptr_t pc = ReadStack(exit, -8);
    if (Classify(pc) != FrameKind::Body) return false;
    const CodeView& view = code_->View();
    const FunctionRow* row = view.FindFunction(Offset(pc - 1));
    if (row == nullptr) return false;
    const SiteRow* call = view.FindCall(Offset(pc));
    const bool is_prologue = call != nullptr && call->IsPrologue();
    cursor_.words[kPc] = pc;
    cursor_.words[kFrame] = is_prologue ? exit : exit + row->frame_size;
    if (!FindInstance()) return false;
    // A function that found no room has not begun: the call is its caller's last instruction.
    if (is_prologue) return Step();
    if (call != nullptr && ShowHostFunction(*call)) return true;
    return ShowFunction();
  }

  std::uint32_t Offset(std::uintptr_t address) const noexcept {
    return static_cast<std::uint32_t>(address - code_->CodeBegin());
  }

  /// Frames do not say whose they are, but the stub through which the instance was entered does.
  bool FindInstance() noexcept {
    const MappedCode* const saved_code = code_;
    std::uintptr_t frame = cursor_.words[kFrame];
    FrameKind kind = FrameKind::Body;
    while (kind == FrameKind::Body) {
      kind = Classify(ReadStack(frame, 8));
      frame = ReadStack(frame);
    }
    code_ = saved_code;
    if (kind == FrameKind::Unknown) return false;
    cursor_.words[kInstance] = ReadStack(
        frame, kind == FrameKind::External ? kExternalFrameInstance : kEntryFrameInstance);
    return true;
  }

  const abi::InstanceHeader& Header() const noexcept {
    return *reinterpret_cast<const abi::InstanceHeader*>(cursor_.words[kInstance]);
  }

  bool Show(std::uint32_t function, std::uint32_t module_offset) noexcept {
    if (function >= vm::InstanceOf(Header()).functions.size()) return false;
    cursor_.function = Header().functions[function];
    cursor_.module_offset = module_offset;
    return true;
  }

  /// Whether the call is one of a host function; shows that.
  bool ShowHostFunction(const SiteRow& call) noexcept {
    const wasm::Module& module = vm::InstanceOf(Header()).Module();
    const std::uint64_t size = module.bytes.size();
    std::uint64_t next = call.wasm_offset;
    if (next >= size || module.bytes[static_cast<std::size_t>(next)] !=
                            static_cast<std::uint8_t>(wasm::Opcode::Call)) {
      return false;
    }
    ++next;
    std::uint64_t function = 0;
    for (unsigned shift = 0; shift < 35 && next < size; shift += 7) {
      const std::uint64_t byte = module.bytes[static_cast<std::size_t>(next++)];
      function |= (byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    if (function >= module.imported_functions) return false;
    if ((vm::FlagsOf(*Header().functions[function]) & abi::kFunctionIsHost) == 0) return false;
    cursor_.words[kState] = kHostFunction;
    return Show(static_cast<std::uint32_t>(function), 0);
  }

  bool ShowFunction() noexcept {
    const std::uintptr_t pc = cursor_.words[kPc];
    const CodeView& view = code_->View();
    const SiteRow* site = view.FindCall(Offset(pc));
    if (site == nullptr) site = view.FindFault(Offset(pc - 1));
    cursor_.words[kState] = kFunction;
    if (site != nullptr) {
      cursor_.words[kInlining] = site->Inlining();
      return Show(site->function, site->wasm_offset);
    }
    const FunctionRow* row = view.FindFunction(Offset(pc - 1));
    if (row == nullptr) return false;
    cursor_.words[kInlining] = kNoCode;
    const auto defined = static_cast<std::uint32_t>(row - view.Functions().data());
    return Show(vm::InstanceOf(Header()).Module().imported_functions + defined, 0);
  }

  /// The function that the one shown last was inlined in.
  bool ShowInlining() noexcept {
    if (cursor_.words[kInlining] == kNoCode) return false;
    const Inlining& inlining = code_->View().Inlinings()[cursor_.words[kInlining]];
    cursor_.words[kInlining] = inlining.inlined_at;
    return Show(inlining.function, inlining.wasm_offset);
  }

  /// The frame below.
  bool Step() noexcept {
    std::uintptr_t frame = cursor_.words[kFrame];
    std::uintptr_t pc = ReadStack(frame, 8);
    frame = ReadStack(frame);
    FrameKind kind = Classify(pc);
    while (kind == FrameKind::External) {
      cursor_.words[kInstance] = ReadStack(frame, kExternalFrameCaller);
      pc = ReadStack(frame, 8);
      frame = ReadStack(frame);
      kind = Classify(pc);
    }
    if (kind == FrameKind::SlotEntry) {
      return EnterActivation(ReadStack(frame, kEntryFrameFormerEntry),
                             ReadStack(frame, kEntryFrameFormerExit));
    }
    cursor_.words[kPc] = pc;
    cursor_.words[kFrame] = frame;
    return kind == FrameKind::Body && ShowFunction();
  }

  vm::FrameCursor& cursor_;
  const MappedCode* code_;
};

}  // namespace detail

TENON_DECL bool NextCompiledFrame(vm::FrameCursor& cursor) noexcept {
  return detail::FrameWalker{cursor}.Next();
}

}  // namespace tenon::inline TENON_ABI::jit
