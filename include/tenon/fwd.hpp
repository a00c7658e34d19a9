// SPDX-License-Identifier: Apache-2.0
/// @file
/// Names of the public classes, for code that mentions them without using them, and the
/// customisation point through which a program maps its own types.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

class CallContext;
class CString;
class CompilationCache;
class CompiledModule;
class ExternRef;
class FuncRef;
class Function;
struct FunctionDefinition;
class Global;
class GuestAllocator;
class GuestBuffer;
template <class Signature>
class GuestFunction;
template <class T>
class GuestObject;
class HostFunctionBuilder;
class HostModuleBuilder;
class Memory;
class Module;
class ModuleConfig;
class Runtime;
class RuntimeConfig;
class Table;
struct V128;

template <class T>
class In;
template <class T>
class Out;
template <class T>
class InOut;
template <class S>
class Flat;
template <class S>
class Indirect;
template <class P>
class Wide;

struct AsExternRef;
struct AsHandle;
struct AsFuncRef;
struct AsTableIndex;
template <class T, class Form = AsExternRef>
class Ref;
template <class Signature, class Form = AsFuncRef>
class Callback;

/// Maps a class or enum of yours to one WebAssembly value. Specialise it; the library leaves it
/// undefined. A specialisation for an enum replaces the built-in mapping of that enum.
///
/// ```cpp
/// template <>
/// struct tenon::WasmType<Celsius> {
///   using Wire = std::int32_t;                     // what crosses: any built-in scalar type
///   static Celsius FromWasm(std::int32_t value);   // parameters of host functions
///   static std::int32_t ToWasm(const Celsius&);    // results of host functions
///   static bool Accepts(std::int32_t value);       // optional; must not throw
/// };
/// ```
///
/// - `Wire` is a type that maps by itself: integers, bool, characters, enums, float, double, V128,
///   ExternRef, FuncRef. Its range rules apply first.
/// - `Accepts`, if there, is asked before anything is converted; false ends the call with
///   TrapCode::ValueOutOfRange.
/// - `FromWasm` and `ToWasm` may throw: the exception leaves the guest call as if the host function
///   had thrown it. They run on the calling thread and must not call into the guest.
/// - Only the direction that is used has to exist.
template <class T>
struct WasmType;

/// Maps a result type of yours to another result type. Specialise it; the library leaves it
/// undefined. Before it is asked, nothing else is known of the type: it replaces the mapping of
/// optional and expected types too.
///
/// ```cpp
/// template <>
/// struct tenon::WasmResult<Parsed> {
///   using Values = std::pair<std::int32_t, double>;  // what crosses: any type that can be a
///   result static Values ToWasm(Parsed&& result);           // results of host functions; may
///   throw static Parsed FromWasm(Values values);           // results of guest functions; may
///   throw
/// };
/// ```
///
/// Only the direction that is used has to exist.
template <class T>
struct WasmResult;
/// Parameter types, one after the other; see WasmOperands.
template <class... T>
struct Parts {};

/// Maps a class of yours to several operands of a host function. Specialise it; the library leaves
/// it undefined.
///
/// ```cpp
/// template <>
/// struct tenon::WasmOperands<Label> {
///   using Parts = tenon::Parts<std::string_view, std::uint32_t>;  // three operands
///   static Label FromWasm(std::string_view text, std::uint32_t colour);
/// };
/// ```
///
/// - `Parts` are types that a host function can have as parameters, except Module, Memory,
///   CallContext, In, Out and InOut. They are checked by their own rules, and a trap names the
///   parameter of type T.
/// - `FromWasm` takes the parts and returns a T. It may throw: the exception leaves the guest call
/// as
///   if the host function had thrown it. Conversions run from the first parameter to the last. A T
///   may keep a view that it is given as long as the host function runs.
template <class T>
struct WasmOperands;

/// Lists the fields of a struct that crosses, in the order in which C declares them, for structs
/// whose fields cannot be found out: with C arrays, private members or constructors, or if
/// Boost.PFR is not wanted. Specialise it, with <tenon/struct.hpp>; the library leaves it
/// undefined.
///
/// ```cpp
/// template <>
/// struct tenon::Fields<Packet> : tenon::FieldList<&Packet::length, &Packet::bytes> {
///   static constexpr const char* kNames[] = {"length", "bytes"};  // optional
/// };
/// ```
template <class S>
struct Fields;

}  // namespace tenon::inline TENON_ABI
