// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a thunk may ask of the engine. The binding room reaches the engine through this table only.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::abi {

/// A function type.
struct FunctionTypes {
  const ValueType* parameters;
  const ValueType* results;
  std::uint32_t parameter_count;
  std::uint32_t result_count;
};
/// Stands for a parameter where the place is meant to which a struct is returned.
inline constexpr std::uint32_t kResultPlace = 0xFFFFFFFF;

/// One table per engine build, reached as `caller->operations`. No entry throws but throw_trap.
struct Operations {
  /// Called inside a catch block: the exception being handled becomes the pending one.
  void (*capture_exception)(InstanceHeader* caller) noexcept;
  /// Makes a trap pending. `detail`, which may be null, is copied and appended to the trap's text;
  /// it is the text of a HostTrap.
  void (*raise_trap)(InstanceHeader* caller, TrapCode code, const char* detail) noexcept;
  /// Makes a trap pending that names a C++ parameter of the host function, counted from 0 as in its
  /// signature, special parameters included; or kResultPlace.
  void (*raise_parameter_trap)(InstanceHeader* caller, TrapCode code,
                               std::uint32_t parameter) noexcept;
  /// Whether the caller may be given this function, which may be any address: its linkage group
  /// must own it, or the host modules that the group calls. Never looks behind the address.
  bool (*may_hold)(InstanceHeader* caller, const FunctionRecord* function) noexcept;
  /// The CallContext of a call that was made without one; `exec->call_context` refers to it then.
  void* (*call_context)(InstanceHeader* caller) noexcept;
  /// Makes an exit pending.
  void (*raise_exit)(InstanceHeader* caller, std::uint32_t exit_code) noexcept;
  /// Makes TrapCode::OverlappingParameters pending with the positions of both parameters, counted
  /// as those of raise_parameter_trap.
  void (*raise_overlap_trap)(InstanceHeader* caller, std::uint32_t first,
                             std::uint32_t second) noexcept;
  /// Throws tenon::Trap out of a host function, which the function may let pass: the call then ends
  /// with that trap. `detail` as for raise_trap. Never returns.
  void (*throw_trap)(TrapCode code, const char* detail);
  /// Gives the caller a reference to a host object: its token, or 0 if a limit refuses.
  std::uint64_t (*issue_reference)(InstanceHeader* caller,
                                   const ReferenceRequest& request) noexcept;
  /// The element of the table that C's function pointers are indices into; null beyond its end.
  const Slot* (*function_element)(InstanceHeader* caller, std::uint32_t index) noexcept;
  /// Whether `function` has this type.
  bool (*is_of_type)(const FunctionRecord* function, const FunctionTypes& wanted) noexcept;
  /// Whether `function` has the type that a parameter wants; makes the trap pending that names both
  /// types if not.
  bool (*check_callback)(InstanceHeader* caller, const FunctionRecord* function,
                         const FunctionTypes& wanted, std::uint32_t parameter) noexcept;
};

}  // namespace tenon::inline TENON_ABI::abi
