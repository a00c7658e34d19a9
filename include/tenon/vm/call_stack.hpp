// SPDX-License-Identifier: Apache-2.0
/// @file
/// The functions in execution, whichever engine runs them.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/vm/engine.hpp>
#include <tenon/vm/group.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Walks the guest functions in execution in a linkage group, and the host functions that they
/// called, innermost first. For the thread that executes them, while it does.
class CallStack {
 public:
  TENON_DECL explicit CallStack(const Group& group) noexcept;

  /// Goes on to the next function, in the beginning to the innermost. False: there are no more.
  TENON_DECL bool Next() noexcept;
  /// The current function.
  const abi::FunctionRecord& Function() const noexcept { return *cursor_.function; }
  /// Offset of the instruction it is in, from the module's first byte; 0 in host functions.
  TENON_DECL std::uint32_t ModuleOffset() const noexcept;

 private:
  const Engine* engine_ = nullptr;
  const Frame* frame_ = nullptr;  ///< current one, if the engine links them
  bool has_begun_ = false;
  const Group* group_;
  FrameCursor cursor_;
};

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/call_stack.ipp>
#endif
