// SPDX-License-Identifier: Apache-2.0
/// @file
/// A code object in executable memory, known to the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/jit/code_object.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/executable_memory.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/stub_emitter.hpp>

namespace tenon::inline TENON_ABI::jit {

/// How host code enters one function; FunctionRecord::engine_code refers to it.
struct EntryPoint {
  SlotEntry enter;
  const void* body;
};

/// Executable code. Immutable; any thread. Nothing of it may execute when it is destroyed.
class MappedCode {
 public:
  /// Null if the machine refuses; `reason` says why then.
  TENON_DECL static std::shared_ptr<const MappedCode> Map(std::span<const std::uint8_t> object,
                                                          std::string& reason);
  /// The same for an object that is written where it is to be. Its Size() must not be 0.
  TENON_DECL static std::shared_ptr<const MappedCode> Map(const CodeObjectBuilder& builder,
                                                          std::string& reason);
  /// The same where the object lies; see ExecutableMemory::Adopt.
  TENON_DECL static std::shared_ptr<const MappedCode> Adopt(std::span<const std::uint8_t> object,
                                                            std::shared_ptr<const void> owner,
                                                            std::string& reason);
  TENON_DECL ~MappedCode();
  MappedCode(const MappedCode&) = delete;
  MappedCode& operator=(const MappedCode&) = delete;

  const CodeView& View() const noexcept { return view_; }
  std::uintptr_t CodeBegin() const noexcept {
    return reinterpret_cast<std::uintptr_t>(view_.Code().data());
  }
  /// Bytes of code, tables and entries.
  std::size_t Size() const noexcept {
    return view_.Bytes().size() + entries_.size() * sizeof(EntryPoint);
  }

  const EntryPoint& Entry(std::uint32_t defined_function) const noexcept {
    return entries_[defined_function];
  }
  /// Null if nothing but the module itself can reach the function.
  abi::NativeCode External(std::uint32_t defined_function) const noexcept {
    return At<abi::NativeCode>(view_.Functions()[defined_function].external);
  }
  /// Null if host code cannot reach the function.
  abi::NativeCode HostEntry(std::uint32_t defined_function) const noexcept {
    return At<abi::NativeCode>(view_.Functions()[defined_function].host_entry);
  }
  /// Null if there was no demand for it.
  abi::NativeCode Adapter(std::uint32_t type) const noexcept {
    return At<abi::NativeCode>(view_.Adapters()[type]);
  }

 private:
  explicit MappedCode(ExecutableMemory memory);
  static std::shared_ptr<const MappedCode> Register(ExecutableMemory memory);
  void DescribeFrames();

  template <class F>
  F At(std::uint32_t offset) const noexcept {
    return offset == kNoCode ? nullptr : reinterpret_cast<F>(CodeBegin() + offset);
  }

  ExecutableMemory memory_;
  CodeView view_;
  FlatArray<EntryPoint> entries_;
  std::vector<std::uint8_t> unwind_tables_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/mapped_code.ipp>
#endif
