// SPDX-License-Identifier: Apache-2.0
/// @file
/// The counted pointer to an instance that all handles are made of.
#pragma once

#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
class Instance;
class TableInstance;
class GlobalInstance;
TENON_DECL void Retain(Instance& instance) noexcept;
TENON_DECL void Release(Instance& instance) noexcept;
/// The instance that defines a function.
TENON_DECL Instance& OwnerOf(const abi::FunctionRecord& function) noexcept;
}  // namespace vm

/// Keeps an instance, and with it its linkage group, alive. One pointer.
class InstanceHandle {
 public:
  InstanceHandle() noexcept = default;
  /// Retains.
  explicit InstanceHandle(vm::Instance* instance) noexcept : instance_{instance} {
    if (instance_ != nullptr) vm::Retain(*instance_);
  }
  InstanceHandle(const InstanceHandle& other) noexcept : InstanceHandle{other.instance_} {}
  InstanceHandle(InstanceHandle&& other) noexcept
      : instance_{std::exchange(other.instance_, nullptr)} {}
  InstanceHandle& operator=(InstanceHandle other) noexcept {
    std::swap(instance_, other.instance_);
    return *this;
  }
  ~InstanceHandle() {
    if (instance_ != nullptr) vm::Release(*instance_);
  }

  vm::Instance* Get() const noexcept { return instance_; }
  explicit operator bool() const noexcept { return instance_ != nullptr; }
  friend bool operator==(const InstanceHandle&, const InstanceHandle&) noexcept = default;

 private:
  vm::Instance* instance_ = nullptr;
};

/// Keeps the instance that defines a function alive. One pointer.
class FunctionHandle {
 public:
  FunctionHandle() noexcept = default;
  /// Retains the instance of `function`, which may be null.
  explicit FunctionHandle(const abi::FunctionRecord* function) noexcept : function_{function} {
    if (function_ != nullptr) vm::Retain(vm::OwnerOf(*function_));
  }
  /// Takes over a count of the instance's, or borrows it for as long as the handle is used, if the
  /// handle is never destroyed.
  static FunctionHandle Adopt(const abi::FunctionRecord* function) noexcept {
    FunctionHandle handle;
    handle.function_ = function;
    return handle;
  }
  FunctionHandle(const FunctionHandle& other) noexcept : FunctionHandle{other.function_} {}
  FunctionHandle(FunctionHandle&& other) noexcept
      : function_{std::exchange(other.function_, nullptr)} {}
  FunctionHandle& operator=(FunctionHandle other) noexcept {
    std::swap(function_, other.function_);
    return *this;
  }
  ~FunctionHandle() {
    if (function_ != nullptr) vm::Release(vm::OwnerOf(*function_));
  }

  const abi::FunctionRecord* Get() const noexcept { return function_; }
  friend bool operator==(const FunctionHandle&, const FunctionHandle&) noexcept = default;

 private:
  const abi::FunctionRecord* function_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI
