// SPDX-License-Identifier: Apache-2.0
/// @file
/// The one table of compile-time error texts. `docs/errors.md` is made from it; refusal.hpp asserts
/// with it.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

// A text is one literal, because static_assert accepts nothing else in C++20. `n` is the position
// of the parameter in the C++ signature as written, counted from 0, as a string literal.

#define TENON_REFUSED_RAW_POINTER(n)                                  \
  "tenon: parameter " n                                               \
  " is a raw pointer: take std::string_view, std::span<T>, In<T> or " \
  "Out<T> for guest memory, std::uint32_t for an offset into it, "    \
  "ExternRef for a host object"
#define TENON_REFUSED_REFERENCE(n)                              \
  "tenon: parameter " n                                         \
  " is a reference: take it by value (only Module, Memory and " \
  "CallContext can be taken by reference), or name the signature, as in WithFunc<int(int)>(f)"
#define TENON_REFUSED_LONG_DOUBLE(n) \
  "tenon: parameter " n " is long double, which WebAssembly does not have: take double"
#define TENON_REFUSED_OWNING_CONTAINER(n)                             \
  "tenon: parameter " n                                               \
  " is a container that owns its elements: take std::string_view or " \
  "std::span<const T>"
#define TENON_REFUSED_UNFIXED_ENUM(n)                           \
  "tenon: parameter " n                                         \
  " is an enum without a fixed underlying type: declare it as " \
  "enum E : std::int32_t, or enum class"
#define TENON_REFUSED_VIEW_ELEMENT(n)                             \
  "tenon: parameter " n                                           \
  " is a view whose elements cannot be shared with a guest: use " \
  "integers of 8 to 64 bits, float, double, std::byte or V128 (std::uint8_t instead of bool)"
#define TENON_REFUSED_FIXED_EXTENT(n) \
  "tenon: parameter " n " is a span of fixed extent: take std::span<T> and check its size()"
#define TENON_REFUSED_NO_LAYOUT(n)                                                              \
  "tenon: parameter " n                                                                         \
  " points to a type without layout in guest memory: use numbers, enums, "                      \
  "bool, V128, GuestPtr, GuestSize, std::array of at least one of them, or views of them; for " \
  "structs include <tenon/aggregate.hpp>"
#define TENON_REFUSED_C_ARRAY(n) \
  "tenon: parameter " n " points to a C array: write std::array<T, N> for it"
#define TENON_REFUSED_COPIED_ELEMENT(n) \
  "tenon: parameter " n                 \
  " copies elements of a type with a destructor: take tenon::View<T>, which makes them one by one"
#define TENON_REFUSED_WIDE_VALUE(n)                                                          \
  "tenon: parameter " n                                                                      \
  " is Wide of a type without an address: write it alone; Wide<P> is for std::string_view, " \
  "std::span, View, CString, In, Out, InOut and Indirect"
#define TENON_REFUSED_ATOMIC_NUMBER(n)                                          \
  "tenon: parameter " n                                                         \
  " is a GuestAtomic of something that is no number of 8 to 64 bits: take an "  \
  "integer or an enum that is not const (std::uint8_t instead of bool), or In " \
  "and Out for copies"
#define TENON_REFUSED_CONST_OUT(n)                                \
  "tenon: parameter " n                                           \
  " is an Out or InOut of something const: take std::span<T> in " \
  "it, or In to read"
#define TENON_REFUSED_TOO_MANY_VALUES(n)                        \
  "tenon: parameter " n                                         \
  " is a Flat struct of more than 64 values: take it by guest " \
  "pointer, in In<S>"
#define TENON_REFUSED_SPECIAL_FORM(n)                              \
  "tenon: parameter " n                                            \
  " is a special parameter in a form that cannot be passed: take " \
  "Module& or const Module& (or by value), Memory likewise, CallContext& only by reference"
#define TENON_REFUSED_SPECIAL_NOT_LEADING(n)                         \
  "tenon: parameter " n                                              \
  " is Module, Memory or CallContext behind an ordinary parameter: " \
  "move it to the front"
#define TENON_REFUSED_SPECIAL_REPEATED(n) \
  "tenon: parameter " n " repeats Module, Memory or CallContext: take each at most once"
#define TENON_REFUSED_SPECIAL_IN_CALL(n)                               \
  "tenon: parameter " n                                                \
  " of a function to call is Module, Memory or CallContext: leave it " \
  "out, the guest's function knows its own module"
#define TENON_REFUSED_VIEW_IN_CALL(n)                            \
  "tenon: parameter " n                                          \
  " of a function to call lies in the guest's memory: give the " \
  "guest's allocator, as in ExportedFunction<R(A...)>(name, "    \
  "tenon::GuestAllocator::Find(module))"
#define TENON_REFUSED_ONLY_FROM_GUEST(n)                                  \
  "tenon: parameter " n                                                   \
  " of a function to call is of a kind that only guests pass (View, "     \
  "WasmOperands, std::optional): take std::span<T>, std::string_view or " \
  "In<T>, which are copied to the guest, or GuestPtr<T>, which may be null"
#define TENON_REFUSED_OWNS_GUEST_MEMORY(n)                 \
  "tenon: parameter " n                                    \
  " of a function to call owns memory of the guest: take " \
  "tenon::GuestPtr<T> (or std::uint32_t) and give its Pointer() (or Offset())"
#define TENON_REFUSED_HANDLE_IN_CALL(n)                                \
  "tenon: parameter " n                                                \
  " of a function to call is a Ref or a Callback: pass ExternRef (or " \
  "std::uint32_t for a Handle) from Module::Issue, FuncRef for a function"
#define TENON_REFUSED_BAD_WASM_TYPE(n)                                \
  "tenon: parameter " n                                               \
  " has an incomplete tenon::WasmType<T>: give it `using Wire = ` a " \
  "built-in type, `static T FromWasm(Wire)` to receive it, `static Wire ToWasm(T)` to send it"
#define TENON_REFUSED_BAD_WASM_OPERANDS(n)                                  \
  "tenon: parameter " n                                                     \
  " has an incomplete tenon::WasmOperands<T>: give it `using Parts = "      \
  "tenon::Parts<...>` of parameter types (no Module, Memory, CallContext, " \
  "In, Out, InOut) and `static T FromWasm(` those `)`"
#define TENON_REFUSED_UNMAPPED(n)                                            \
  "tenon: parameter " n                                                      \
  " has a type without a WebAssembly value: specialise tenon::WasmType<T> "  \
  "for it, or take numbers; for a struct include <tenon/aggregate.hpp> and " \
  "take In<T> (by guest pointer), Flat<T> (one value a field) or Indirect<T>"

#define TENON_REFUSED_RESULT_POINTER                                                           \
  "tenon: the result is a raw pointer: return std::uint32_t for an offset into guest memory, " \
  "ExternRef for a host object"
#define TENON_REFUSED_RESULT_REFERENCE "tenon: the result is a reference: return it by value"
#define TENON_REFUSED_RESULT_LONG_DOUBLE \
  "tenon: the result is long double, which WebAssembly does not have: return double"
#define TENON_REFUSED_RESULT_VIEW                                                               \
  "tenon: the result is a view or a container: write the data to a std::span<T> parameter, or " \
  "to the guest's Memory, and return its length"
#define TENON_REFUSED_RESULT_VIEW_IN_CALL                                                      \
  "tenon: the result of a function to call is a view, a string or a container: for text name " \
  "tenon::GuestString or std::string and give the guest's allocator, as in "                   \
  "ExportedFunction<R(A...)>(name, tenon::GuestAllocator::Find(module)); for elements add a "  \
  "parameter Out<std::span<T>>"
#define TENON_REFUSED_RESULT_IN_MEMORY                                                           \
  "tenon: the result of a function to call is a struct in the guest's memory: give the guest's " \
  "allocator, as in ExportedFunction<R(A...)>(name, tenon::GuestAllocator::Find(module))"
#define TENON_REFUSED_RESULT_UNFIXED_ENUM                                        \
  "tenon: the result is an enum without a fixed underlying type: declare it as " \
  "enum E : std::int32_t, or enum class"
#define TENON_REFUSED_RESULT_BAD_WASM_TYPE                                                      \
  "tenon: the result has an incomplete tenon::WasmType<T>: give it `using Wire = ` a built-in " \
  "type, `static T FromWasm(Wire)` to receive it, `static Wire ToWasm(T)` to send it"
#define TENON_REFUSED_RESULT_ERROR_TYPE                                                       \
  "tenon: the result's error type has no number to cross as: use tenon::Errno, std::errc or " \
  "another enum of at most 32 bits, or give it a tenon::WasmType whose Wire is std::int32_t"
#define TENON_REFUSED_RESULT_NEGATIVE_FORM                                                      \
  "tenon: the result's error crosses as a negative number, so its value must be an integer or " \
  "void: use an error type of the leading form, such as tenon::Errno"
#define TENON_REFUSED_RESULT_BAD_MAPPING                                                   \
  "tenon: the result has an incomplete tenon::WasmResult<T>: give it `using Values = ` a " \
  "type that can be a result, `static Values ToWasm(T&&)` to send it, `static T "          \
  "FromWasm(Values)` to receive it"
#define TENON_REFUSED_RESULT_CALLBACK                                                          \
  "tenon: the result is a Callback, which only a guest can give: return FuncRef, a reference " \
  "to a function that the guest knows"
#define TENON_REFUSED_RESULT_REFERENCE_IN_CALL                                             \
  "tenon: the result of a function to call is a Ref: name it ExternRef, or std::uint32_t " \
  "for a Handle, and look it up with Module::Resolve<T>(value)"
#define TENON_REFUSED_RESULT_ENDING                                                            \
  "tenon: the result of a function to call cannot end a guest: name its value alone, and use " \
  "TryCall to get an exit or a trap as a value"
#define TENON_REFUSED_RESULT_UNMAPPED                                                            \
  "tenon: the result has a type without a WebAssembly value: specialise tenon::WasmType<T> "     \
  "for it, or return numbers, std::tuple, std::optional or tenon::Result; for a struct include " \
  "<tenon/aggregate.hpp> and return Flat<T> (one result a field) or Indirect<T>"

#define TENON_REFUSED_NOT_CALLABLE                                                           \
  "tenon: this is not callable: pass a function, a lambda, an object with operator(), or a " \
  "member function with its object"
#define TENON_REFUSED_GENERIC                                                                   \
  "tenon: the callable is generic or overloaded, so its signature cannot be deduced: name it, " \
  "as in WithFunc<int(int)>(f)"
#define TENON_REFUSED_RVALUE_CALL                                                      \
  "tenon: the callable can be called only as an rvalue (operator() && or a && member " \
  "function), but a host function is called many times: drop the &&"
#define TENON_REFUSED_VARIADIC                                                         \
  "tenon: the callable has C variadic parameters (...): wrap it in a lambda with the " \
  "parameters that the guest passes"
#define TENON_REFUSED_NULL_FUNCTION \
  "tenon: a null pointer is not a function: pass the function to call"
#define TENON_REFUSED_SIGNATURE                                                     \
  "tenon: the callable cannot be called with the signature that was named: change " \
  "WithFunc<R(A...)> so that f(A...) compiles and converts to R"
#define TENON_REFUSED_NOT_COPYABLE                                                              \
  "tenon: the callable cannot be copied and was not given as an rvalue: pass std::move(f), or " \
  "std::ref(f) to keep it where it is"
#define TENON_REFUSED_NO_OBJECT \
  "tenon: a member function needs its object: pass (&Class::Method, object)"
#define TENON_REFUSED_WRONG_OBJECT                                                            \
  "tenon: the member function cannot be called on this object: pass a (non-const, where the " \
  "function is not const) object of its class, or a pointer to one"
#define TENON_REFUSED_CALL_SIGNATURE                                                          \
  "tenon: the type of a function to call is no signature: name result and parameters, as in " \
  "ExportedFunction<int(int)>(name)"
#define TENON_REFUSED_GLOBAL_TYPE                                                                \
  "tenon: a global is read as std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, " \
  "double, V128, ExternRef or FuncRef"
#define TENON_REFUSED_ELEMENT                                                             \
  "tenon: these elements cannot be shared with a guest: use numbers, enums, bool, V128, " \
  "GuestPtr or GuestSize; for structs include <tenon/aggregate.hpp>"
#define TENON_REFUSED_VOLATILE "tenon: volatile values do not exist in WebAssembly: drop volatile"

#define TENON_REFUSED_PRECONDITION_PARAMETER(n)                         \
  "tenon: parameter " n                                                 \
  " of the precondition cannot take the function's argument: take the " \
  "type that the function takes, by value or const reference"
#define TENON_REFUSED_PRECONDITION_PARAMETERS                                                    \
  "tenon: the precondition cannot be called with the function's arguments: take the same ones, " \
  "with or without Module, Memory and CallContext in front"
#define TENON_REFUSED_PRECONDITION_RESULT                                                      \
  "tenon: the precondition's result is no answer: return bool, or the reason of a refusal as " \
  "const char*, std::string or std::optional<std::string>"
#define TENON_REFUSED_PRECONDITION_PLACE                                                          \
  "tenon: this WithPrecondition does not know the function's parameters: put it directly behind " \
  "WithFunc"

/// Refusals of a parameter: X(name, text at position "N").
#define TENON_PARAMETER_REFUSALS(X)                                   \
  X(RawPointer, TENON_REFUSED_RAW_POINTER("N"))                       \
  X(Reference, TENON_REFUSED_REFERENCE("N"))                          \
  X(LongDouble, TENON_REFUSED_LONG_DOUBLE("N"))                       \
  X(OwningContainer, TENON_REFUSED_OWNING_CONTAINER("N"))             \
  X(UnfixedEnum, TENON_REFUSED_UNFIXED_ENUM("N"))                     \
  X(ViewElement, TENON_REFUSED_VIEW_ELEMENT("N"))                     \
  X(FixedExtent, TENON_REFUSED_FIXED_EXTENT("N"))                     \
  X(NoLayout, TENON_REFUSED_NO_LAYOUT("N"))                           \
  X(CArray, TENON_REFUSED_C_ARRAY("N"))                               \
  X(CopiedElement, TENON_REFUSED_COPIED_ELEMENT("N"))                 \
  X(WideValue, TENON_REFUSED_WIDE_VALUE("N"))                         \
  X(AtomicNumber, TENON_REFUSED_ATOMIC_NUMBER("N"))                   \
  X(ConstOut, TENON_REFUSED_CONST_OUT("N"))                           \
  X(SpecialForm, TENON_REFUSED_SPECIAL_FORM("N"))                     \
  X(SpecialNotLeading, TENON_REFUSED_SPECIAL_NOT_LEADING("N"))        \
  X(SpecialRepeated, TENON_REFUSED_SPECIAL_REPEATED("N"))             \
  X(SpecialInCall, TENON_REFUSED_SPECIAL_IN_CALL("N"))                \
  X(ViewInCall, TENON_REFUSED_VIEW_IN_CALL("N"))                      \
  X(OnlyFromGuest, TENON_REFUSED_ONLY_FROM_GUEST("N"))                \
  X(OwnsGuestMemory, TENON_REFUSED_OWNS_GUEST_MEMORY("N"))            \
  X(HandleInCall, TENON_REFUSED_HANDLE_IN_CALL("N"))                  \
  X(BadWasmType, TENON_REFUSED_BAD_WASM_TYPE("N"))                    \
  X(BadWasmOperands, TENON_REFUSED_BAD_WASM_OPERANDS("N"))            \
  X(PreconditionParameter, TENON_REFUSED_PRECONDITION_PARAMETER("N")) \
  X(TooManyValues, TENON_REFUSED_TOO_MANY_VALUES("N"))                \
  X(Unmapped, TENON_REFUSED_UNMAPPED("N"))

/// Refusals of a result or of the callable as a whole: X(name, text).
#define TENON_CALLABLE_REFUSALS(X)                                 \
  X(ResultPointer, TENON_REFUSED_RESULT_POINTER)                   \
  X(ResultReference, TENON_REFUSED_RESULT_REFERENCE)               \
  X(ResultLongDouble, TENON_REFUSED_RESULT_LONG_DOUBLE)            \
  X(ResultView, TENON_REFUSED_RESULT_VIEW)                         \
  X(ResultUnfixedEnum, TENON_REFUSED_RESULT_UNFIXED_ENUM)          \
  X(ResultBadWasmType, TENON_REFUSED_RESULT_BAD_WASM_TYPE)         \
  X(ResultErrorType, TENON_REFUSED_RESULT_ERROR_TYPE)              \
  X(ResultNegativeForm, TENON_REFUSED_RESULT_NEGATIVE_FORM)        \
  X(ResultBadMapping, TENON_REFUSED_RESULT_BAD_MAPPING)            \
  X(ResultEnding, TENON_REFUSED_RESULT_ENDING)                     \
  X(ResultCallback, TENON_REFUSED_RESULT_CALLBACK)                 \
  X(ResultReferenceInCall, TENON_REFUSED_RESULT_REFERENCE_IN_CALL) \
  X(ResultUnmapped, TENON_REFUSED_RESULT_UNMAPPED)                 \
  X(NotCallable, TENON_REFUSED_NOT_CALLABLE)                       \
  X(Generic, TENON_REFUSED_GENERIC)                                \
  X(RvalueCall, TENON_REFUSED_RVALUE_CALL)                         \
  X(Variadic, TENON_REFUSED_VARIADIC)                              \
  X(NullFunction, TENON_REFUSED_NULL_FUNCTION)                     \
  X(SignatureMismatch, TENON_REFUSED_SIGNATURE)                    \
  X(NotCopyable, TENON_REFUSED_NOT_COPYABLE)                       \
  X(NoObject, TENON_REFUSED_NO_OBJECT)                             \
  X(WrongObject, TENON_REFUSED_WRONG_OBJECT)                       \
  X(CallSignature, TENON_REFUSED_CALL_SIGNATURE)                   \
  X(GlobalType, TENON_REFUSED_GLOBAL_TYPE)                         \
  X(PreconditionParameters, TENON_REFUSED_PRECONDITION_PARAMETERS) \
  X(PreconditionResult, TENON_REFUSED_PRECONDITION_RESULT)         \
  X(PreconditionPlace, TENON_REFUSED_PRECONDITION_PLACE)           \
  X(ResultViewInCall, TENON_REFUSED_RESULT_VIEW_IN_CALL)           \
  X(ResultInMemory, TENON_REFUSED_RESULT_IN_MEMORY)                \
  X(Volatile, TENON_REFUSED_VOLATILE)

namespace tenon::inline TENON_ABI::bind {

/// Why a callable was refused.
enum class Refusal : std::uint8_t {
  None,
#define TENON_DETAIL_ROW(name, text) name,
  TENON_PARAMETER_REFUSALS(TENON_DETAIL_ROW) TENON_CALLABLE_REFUSALS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
      BadField,  ///< of a struct: field_refusal.hpp has the text
};

}  // namespace tenon::inline TENON_ABI::bind
