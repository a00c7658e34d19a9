// SPDX-License-Identifier: Apache-2.0
/// @file
/// Why a guest that is embedded in the program cannot be used as it is: the texts, and the
/// static_asserts behind them.
///
/// Written out for the reasons that bind/refusal.hpp gives.
#pragma once

#include <cstddef>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/fixed_text.hpp>

#define TENON_REFUSED_GUEST_BYTES                                                             \
  "tenon: the bytes of an embedded guest are a constexpr array of unsigned char with static " \
  "storage: constexpr unsigned char kGuest[] = {...}, or a string literal in place of the braces"
#define TENON_REFUSED_GUEST_MODULE                                                            \
  "tenon: the embedded bytes are no valid WebAssembly module: the note has the fault, as in " \
  "docs/errors.md, and the offset of the byte"
#define TENON_REFUSED_IMPORT_SIGNATURE                                                           \
  "tenon: a host function does not have the signature under which the guest imports it: change " \
  "one of the two, which the note shows"
#define TENON_REFUSED_IMPORT_MISSING                                                           \
  "tenon: the guest imports a function that the host module does not have: the note shows it " \
  "and the nearest that it has"
#define TENON_REFUSED_IMPORT_KIND                                                            \
  "tenon: the guest imports what is no function, and host modules described as values have " \
  "functions only: give tenon::Linked<\"module\">() and define the module with HostModuleBuilder"
#define TENON_REFUSED_IMPORT_MODULE                                                     \
  "tenon: the guest imports from a module that was not given: give its HostModule, or " \
  "tenon::Linked<\"module\">() if the runtime will have it; the note shows the import"
#define TENON_REFUSED_HOST                                                                        \
  "tenon: what a guest imports from is given as a HostModule, as what its Mount returned, or as " \
  "tenon::Linked<\"module\">(): not as the type that the note shows"
#define TENON_REFUSED_EXPORT_MISSING                                                             \
  "tenon: the guest exports no function of this name: the note shows the name, and the nearest " \
  "that it exports"
#define TENON_REFUSED_ARGUMENT_COUNT                                                          \
  "tenon: the guest's function takes another number of arguments: the note shows the number " \
  "given and the guest's signature"
#define TENON_REFUSED_CALL_RESULT                                                              \
  "tenon: the guest's function has another result than the type that was asked for: the note " \
  "shows both"
#define TENON_REFUSED_HOST_FUNCTION                                                        \
  "tenon: the host module has no function of this name: the note shows the name, and the " \
  "nearest that it has"
#define TENON_REFUSED_HOST_TWICE \
  "tenon: a host module has two functions of one name, which the note shows: rename one"
#define TENON_REFUSED_METHOD_OBJECT                                                              \
  "tenon: Mount needs the object whose member function a Method is: give one of the class that " \
  "the note shows"
// `n` is the position of the argument, counted from 0, as a string literal.
#define TENON_REFUSED_ARGUMENT(n)                                                             \
  "tenon: argument " n                                                                        \
  " does not fit the parameter of the guest's function without loss: convert it to the type " \
  "that the note shows"

/// Refusals of what is done with an embedded guest: X(name, text).
#define TENON_INTERFACE_REFUSALS(X)                   \
  X(GuestBytes, TENON_REFUSED_GUEST_BYTES)            \
  X(GuestModule, TENON_REFUSED_GUEST_MODULE)          \
  X(ImportSignature, TENON_REFUSED_IMPORT_SIGNATURE)  \
  X(ImportMissing, TENON_REFUSED_IMPORT_MISSING)      \
  X(ImportKind, TENON_REFUSED_IMPORT_KIND)            \
  X(ImportModule, TENON_REFUSED_IMPORT_MODULE)        \
  X(HostType, TENON_REFUSED_HOST)                     \
  X(ExportMissing, TENON_REFUSED_EXPORT_MISSING)      \
  X(ArgumentCount, TENON_REFUSED_ARGUMENT_COUNT)      \
  X(Argument, TENON_REFUSED_ARGUMENT("N"))            \
  X(CallResultType, TENON_REFUSED_CALL_RESULT)        \
  X(HostFunctionMissing, TENON_REFUSED_HOST_FUNCTION) \
  X(HostFunctionTwice, TENON_REFUSED_HOST_TWICE)      \
  X(MethodObject, TENON_REFUSED_METHOD_OBJECT)

/// What compilers show below a refusal. Every template here fails to compile when its size is asked
/// for.
namespace tenon::inline TENON_ABI::typed {

/// The signature that a guest has for a function.
template <FixedText kSignature>
struct Guest;
/// The signature that a C++ type is for guests.
template <FixedText kSignature, class Type>
struct Host;
/// The nearest names, best first.
template <FixedText... kNames>
struct Nearest;

template <class...>
inline constexpr bool kNever = false;

template <class Bytes>
struct RefusedBytes {
  static_assert(kNever<Bytes>, TENON_REFUSED_GUEST_BYTES);
};
template <ErrorCode kFault, std::size_t kOffset>
struct RefusedModule {
  static_assert(kNever<RefusedModule>, TENON_REFUSED_GUEST_MODULE);
};
template <FixedText kImport, class Guest, class Host>
struct RefusedSignature {
  static_assert(kNever<Host>, TENON_REFUSED_IMPORT_SIGNATURE);
};
template <FixedText kImport, class Guest, class Nearest>
struct RefusedMissingImport {
  static_assert(kNever<Guest>, TENON_REFUSED_IMPORT_MISSING);
};
template <FixedText kImport>
struct RefusedImportKind {
  static_assert(kNever<FixedText<sizeof(kImport)>>, TENON_REFUSED_IMPORT_KIND);
};
template <FixedText kImport>
struct RefusedImportModule {
  static_assert(kNever<FixedText<sizeof(kImport)>>, TENON_REFUSED_IMPORT_MODULE);
};
template <class Given>
struct RefusedHost {
  static_assert(kNever<Given>, TENON_REFUSED_HOST);
};
template <FixedText kExport, class Nearest>
struct RefusedExport {
  static_assert(kNever<Nearest>, TENON_REFUSED_EXPORT_MISSING);
};
template <FixedText kExport, class Guest, std::size_t kGiven>
struct RefusedCount {
  static_assert(kNever<Guest>, TENON_REFUSED_ARGUMENT_COUNT);
};
template <FixedText kExport, class Guest, class Wanted>
struct RefusedResult {
  static_assert(kNever<Guest>, TENON_REFUSED_CALL_RESULT);
};
template <FixedText kName, class Nearest>
struct RefusedHostFunction {
  static_assert(kNever<Nearest>, TENON_REFUSED_HOST_FUNCTION);
};
template <FixedText kName>
struct RefusedTwice {
  static_assert(kNever<FixedText<sizeof(kName)>>, TENON_REFUSED_HOST_TWICE);
};
template <FixedText kName, class Object>
struct RefusedObject {
  static_assert(kNever<Object>, TENON_REFUSED_METHOD_OBJECT);
};
template <std::size_t kPosition, FixedText kExport, class Guest, class Given, class Wanted>
struct RefusedArgument {
  static_assert(kPosition != 0, TENON_REFUSED_ARGUMENT("0"));
  static_assert(kPosition != 1, TENON_REFUSED_ARGUMENT("1"));
  static_assert(kPosition != 2, TENON_REFUSED_ARGUMENT("2"));
  static_assert(kPosition != 3, TENON_REFUSED_ARGUMENT("3"));
  static_assert(kPosition != 4, TENON_REFUSED_ARGUMENT("4"));
  static_assert(kPosition != 5, TENON_REFUSED_ARGUMENT("5"));
  static_assert(kPosition != 6, TENON_REFUSED_ARGUMENT("6"));
  static_assert(kPosition != 7, TENON_REFUSED_ARGUMENT("7"));
  static_assert(kPosition < 8, TENON_REFUSED_ARGUMENT("8 or later"));
};

}  // namespace tenon::inline TENON_ABI::typed
