// SPDX-License-Identifier: Apache-2.0
/// @file
/// The reasons for which a guest can be stopped by the rules of WebAssembly.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

/// The one table of traps: X(name, text). Texts follow the wording of the official test suite.
#define TENON_TRAP_CODES(X)                                                     \
  X(Unreachable, "unreachable")                                                 \
  X(OutOfBoundsMemoryAccess, "out of bounds memory access")                     \
  X(OutOfBoundsTableAccess, "out of bounds table access")                       \
  X(UndefinedElement, "undefined element")                                      \
  X(UninitializedElement, "uninitialized element")                              \
  X(IndirectCallTypeMismatch, "indirect call type mismatch")                    \
  X(IntegerDivideByZero, "integer divide by zero")                              \
  X(IntegerOverflow, "integer overflow")                                        \
  X(InvalidConversionToInteger, "invalid conversion to integer")                \
  X(StackOverflow, "call stack exhausted")                                      \
  X(NullReference, "null reference")                                            \
  X(UnalignedAtomic, "unaligned atomic")                                        \
  X(ValueOutOfRange, "value out of range for the host function's parameter")    \
  X(OverlappingParameters, "parameters of the host function overlap in memory") \
  X(UnterminatedString, "string without terminator in memory")                  \
  X(StaleReference, "reference to no host object")                              \
  X(ReferenceTypeMismatch, "reference to a host object of another class")       \
  X(ReferenceLimit, "too many references to host objects")                      \
  X(ResultOutOfRange, "host function's result has no WebAssembly value")        \
  X(HostTrap, "trap raised by a host function")                                 \
  X(UnknownImport, "call of an import that was not there")                      \
  X(BudgetExhausted, "budget exhausted")                                        \
  X(PreconditionFailed, "precondition of a host function failed")               \
  X(UnalignedAccess, "unaligned memory access by a host function")              \
  X(ExpectedSharedMemory, "expected shared memory")                             \
  X(SharedMemoryView, "view of a shared memory by a host function")

namespace tenon::inline TENON_ABI {

/// Why a guest trapped. Values are stable within one minor version.
enum class TrapCode : std::uint8_t {
  None = 0,
#define TENON_DETAIL_ROW(name, text) name,
  TENON_TRAP_CODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// The text of a trap as it appears in Trap::what(); "" for None and unknown values.
constexpr const char* TrapText(TrapCode code) {
  switch (code) {
#define TENON_DETAIL_ROW(name, text) \
  case TrapCode::name:               \
    return text;
    TENON_TRAP_CODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    case TrapCode::None:
      break;
  }
  return "";
}

}  // namespace tenon::inline TENON_ABI
