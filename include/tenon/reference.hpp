// SPDX-License-Identifier: Apache-2.0
/// @file
/// References as host code sees them: ExternRef and FuncRef.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>

namespace tenon::inline TENON_ABI {

/// A host value of pointer size that a guest can hold but not look into (`externref`). The library
/// neither owns nor follows it; what it means and how long it is valid is the host's business.
/// Trivially copyable.
class ExternRef {
 public:
  /// The null reference.
  constexpr ExternRef() = default;
  /// Refers to `pointer`; a null pointer gives the null reference.
  explicit ExternRef(void* pointer) : value_{reinterpret_cast<std::uintptr_t>(pointer)} {}
  /// Carries any pointer-sized number; 0 gives the null reference.
  explicit constexpr ExternRef(std::uintptr_t value) : value_{value} {}

  constexpr bool IsNull() const { return value_ == 0; }
  /// The pointer given at construction, null for the null reference.
  void* Get() const { return reinterpret_cast<void*>(value_); }
  /// The number given at construction, 0 for the null reference.
  constexpr std::uintptr_t Value() const { return value_; }

  friend constexpr bool operator==(ExternRef, ExternRef) = default;

 private:
  std::uintptr_t value_ = 0;
};

/// A reference to a function of some instance or host module (`funcref`). Trivially copyable. A
/// guest may be given only functions of its own linkage group, and of host modules that the group
/// calls.
///
/// It does not keep its function alive: it is valid as long as the linkage group of the instance
/// that defines the function lives (every instance that imports from it, or exports to it, is in
/// that group), or, once that instance was closed, as long as another instance or a handle refers
/// to it. Keep its Module, or a Function, to hold on to it.
class FuncRef {
 public:
  /// The null reference.
  constexpr FuncRef() = default;
  /// Refers to `record`; null gives the null reference.
  explicit constexpr FuncRef(const abi::FunctionRecord* record) : record_{record} {}

  constexpr bool IsNull() const { return record_ == nullptr; }
  /// The function's record, null for the null reference.
  constexpr const abi::FunctionRecord* Record() const { return record_; }

  /// Whether both refer to the same function, or both are null.
  friend constexpr bool operator==(FuncRef, FuncRef) = default;

 private:
  const abi::FunctionRecord* record_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI
