// SPDX-License-Identifier: Apache-2.0
/// @file
/// Globals as the host sees them.
#pragma once

#include <cstdint>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/definition.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI {

/// A handle to a global. Keeps its module alive. One thread at a time.
class Global {
 public:
  Global() noexcept = default;

  explicit operator bool() const noexcept { return global_ != nullptr; }
  friend bool operator==(const Global& a, const Global& b) noexcept {
    return a.global_ == b.global_;
  }

  /// Throws ConfigError if the handle is empty.
  TENON_DECL ValueType Type() const;
  TENON_DECL bool IsMutable() const;
  TENON_DECL Value Get() const;
  /// Throws ConfigError if the global is immutable or of another type.
  TENON_DECL void Set(const Value& value);
  /// "global(42)" or "mutable global(42)"; references as "null" or "ref".
  TENON_DECL std::string String() const;
  TENON_DECL GlobalDefinition Definition() const;

  /// Get as a C++ type: std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, double,
  /// V128, ExternRef or FuncRef. Throws ConfigError if the global is of another type.
  template <class T>
  T Get() const {
    constexpr bool kIsValueType = requires { Value{T{}}; };
    static_assert(kIsValueType, TENON_REFUSED_GLOBAL_TYPE);
    if constexpr (kIsValueType) {
      const Value value = GetAs(Value{T{}}.Type());
      abi::Slot slots[2] = {0, 0};
      value.ToSlots(slots);
      T result;
      std::memcpy(&result, slots, sizeof(T));
      return result;
    } else {
      return T();
    }
  }

  /// For the library's own rooms.
  Global(InstanceHandle instance, vm::GlobalInstance* global) noexcept
      : instance_{std::move(instance)}, global_{global} {}

 private:
  TENON_DECL Value GetAs(ValueType type) const;

  InstanceHandle instance_;
  vm::GlobalInstance* global_ = nullptr;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/global.ipp>
#endif
