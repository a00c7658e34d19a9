// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the compilation of one function leaves, before functions are joined to a CodeObject.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/jit/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A rel32 field that must point to something outside the function. The field is the last thing of
/// its instruction.
struct Relocation {
  enum class Kind : std::uint8_t {
    Function,   ///< body of defined function `target`
    TrapStub,   ///< the stub that raises TrapCode `target`; reached by `call`
    Unwind,     ///< the stub that leaves the guest with what is pending; reached by `jmp`
    Interrupt,  ///< the stub that asks the runtime whether to stop; reached by `call`, keeps all
                ///< registers, returns if the guest goes on
  };
  std::uint32_t offset = 0;  ///< of the field, from the function's first byte
  Kind kind = Kind::Function;
  std::uint32_t target = 0;
};

/// A place whose address identifies a wasm instruction.
struct CodeSite {
  std::uint32_t code_offset = 0;  ///< faults: of the machine instruction; calls: of the return
                                  ///< address; from the function's first byte
  std::uint32_t wasm_offset = 0;  ///< from the module's first byte
  std::uint32_t function = 0;     ///< index of the wasm function it belongs to (inlined or own)
  std::uint32_t inlined_at = 0xFFFFFFFF;  ///< position in `inlinings`, or none
  /// At a call site: whether rsp has not been moved yet (the check in the prologue).
  bool is_prologue = false;
};

/// A call that was replaced by the callee's body.
struct Inlining {
  std::uint32_t function = 0;     ///< the function with the call
  std::uint32_t wasm_offset = 0;  ///< of the call
  std::uint32_t inlined_at = 0xFFFFFFFF;
};

/// Of functions whose code does not ask for more.
inline constexpr std::uint32_t kFunctionAlignment = 16;

struct CompiledFunction {
  std::vector<std::uint8_t> code;  ///< position independent; begins with the body's entry
  FlatArray<Relocation> relocations;
  FlatArray<CodeSite> faults;  ///< memory accesses that may fault, by rising offset
  FlatArray<CodeSite> calls;   ///< calls of all kinds and trap sites, by rising offset
  FlatArray<Inlining> inlinings;
  std::uint32_t frame_size = 0;                  ///< rbp - rsp in the body
  std::uint32_t alignment = kFunctionAlignment;  ///< of the first byte
};

}  // namespace tenon::inline TENON_ABI::jit
