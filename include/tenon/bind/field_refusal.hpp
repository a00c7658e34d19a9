// SPDX-License-Identifier: Apache-2.0
/// @file
/// Why a struct cannot cross: the texts, by reason and field, and the static_asserts behind them.
///
/// Written out for the reasons that refusal.hpp gives.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/refusal.hpp>

// `n` is the position of the field in its struct, counted from 0, as a string literal.
#define TENON_REFUSED_FIELD_POINTER(n)                                     \
  "tenon: field " n                                                        \
  " is a host pointer: declare it tenon::GuestPtr<T>, which is a guest's " \
  "pointer"
#define TENON_REFUSED_FIELD_REFERENCE(n) \
  "tenon: field " n " is a reference: declare it tenon::GuestPtr<T>, which is a guest's pointer"
#define TENON_REFUSED_FIELD_LONG_DOUBLE(n) \
  "tenon: field " n " is long double, which WebAssembly does not have: use double"
#define TENON_REFUSED_FIELD_CONTAINER(n)                                             \
  "tenon: field " n                                                                  \
  " is a string, view or container of the host: declare a tenon::GuestPtr<T> and a " \
  "tenon::GuestSize, or std::array<T, N>"
#define TENON_REFUSED_FIELD_UNFIXED_ENUM(n)                                                    \
  "tenon: field " n                                                                            \
  " is an enum without a fixed underlying type: declare it as enum E : std::int32_t, or enum " \
  "class"
#define TENON_REFUSED_FIELD_CONSTANT(n) \
  "tenon: field " n " is const or volatile, and cannot be read from a guest: drop the qualifier"
#define TENON_REFUSED_FIELD_EMPTY_ARRAY(n) \
  "tenon: field " n " is a std::array of no elements, which C does not have: leave it out"
#define TENON_REFUSED_FIELD_UNMAPPED(n)                                                    \
  "tenon: field " n                                                                        \
  " has a type without layout in guest memory: use numbers, enums, bool, V128, GuestPtr, " \
  "GuestSize, std::array, std::optional or structs of them"
#define TENON_REFUSED_STRUCT_C_ARRAY                                                             \
  "tenon: a struct with a C array as field, which Boost.PFR miscounts: use std::array, or list " \
  "the fields with tenon::Fields<S>"
#define TENON_REFUSED_STRUCT_BIT_FIELD                                                           \
  "tenon: a struct with bit-fields, which have no layout that a host could rely on: declare an " \
  "integer and take it apart"
#define TENON_REFUSED_STRUCT_BASE                                                                 \
  "tenon: a struct with a base class, whose fields Boost.PFR cannot see: make the base a field, " \
  "or list the fields with tenon::Fields<S>"
#define TENON_REFUSED_STRUCT_GAP                                                           \
  "tenon: a struct with a gap between its fields, from an unnamed bit-field or a field's " \
  "own alignas: declare a field of integers there, so that both sides see the same"
#define TENON_REFUSED_STRUCT_PACKED \
  "tenon: a packed struct: drop the packing, or read its bytes from a std::span<const std::byte>"
#define TENON_REFUSED_STRUCT_TOO_MANY                                                              \
  "tenon: a struct of more than 32 fields, or of none: group them in structs, or list the fields " \
  "with tenon::Fields<S>"

#define TENON_REFUSED_STRUCT_NO_DEFAULT                                                          \
  "tenon: a struct without default constructor, which is made before its fields are read: give " \
  "it one"

/// Refusals of a field: X(name, text at position "N").
#define TENON_FIELD_REFUSALS(X)                         \
  X(HostPointer, TENON_REFUSED_FIELD_POINTER("N"))      \
  X(Reference, TENON_REFUSED_FIELD_REFERENCE("N"))      \
  X(LongDouble, TENON_REFUSED_FIELD_LONG_DOUBLE("N"))   \
  X(Container, TENON_REFUSED_FIELD_CONTAINER("N"))      \
  X(UnfixedEnum, TENON_REFUSED_FIELD_UNFIXED_ENUM("N")) \
  X(Constant, TENON_REFUSED_FIELD_CONSTANT("N"))        \
  X(EmptyArray, TENON_REFUSED_FIELD_EMPTY_ARRAY("N"))   \
  X(Unmapped, TENON_REFUSED_FIELD_UNMAPPED("N"))

/// Refusals of a struct as a whole: X(name, text).
#define TENON_STRUCT_REFUSALS(X)               \
  X(CArray, TENON_REFUSED_STRUCT_C_ARRAY)      \
  X(BitField, TENON_REFUSED_STRUCT_BIT_FIELD)  \
  X(Base, TENON_REFUSED_STRUCT_BASE)           \
  X(PackedStruct, TENON_REFUSED_STRUCT_PACKED) \
  X(Gap, TENON_REFUSED_STRUCT_GAP)             \
  X(TooManyFields, TENON_REFUSED_STRUCT_TOO_MANY) X(NoDefault, TENON_REFUSED_STRUCT_NO_DEFAULT)

namespace tenon::inline TENON_ABI::bind {

/// Why a struct has no layout in guest memory.
enum class FieldFault : std::uint8_t {
  None,
#define TENON_DETAIL_ROW(name, text) name,
  TENON_FIELD_REFUSALS(TENON_DETAIL_ROW) TENON_STRUCT_REFUSALS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// `FieldRefused<kFault, kField, Struct, Type>` fails to compile with the text of the fault. Struct
/// and Type, the field's, are there to be seen in the compiler's next note.
template <FieldFault kFault, std::size_t kField, class Struct, class Type>
struct FieldRefused;

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::HostPointer, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_POINTER("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_POINTER("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_POINTER("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_POINTER("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_POINTER("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_POINTER("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_POINTER("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_POINTER("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_POINTER("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_POINTER("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_POINTER("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_POINTER("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_POINTER("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_POINTER("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_POINTER("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_POINTER("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_POINTER("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Reference, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_REFERENCE("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_REFERENCE("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_REFERENCE("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_REFERENCE("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_REFERENCE("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_REFERENCE("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_REFERENCE("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_REFERENCE("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_REFERENCE("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_REFERENCE("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_REFERENCE("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_REFERENCE("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_REFERENCE("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_REFERENCE("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_REFERENCE("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_REFERENCE("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_REFERENCE("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::LongDouble, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_LONG_DOUBLE("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_LONG_DOUBLE("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_LONG_DOUBLE("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_LONG_DOUBLE("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_LONG_DOUBLE("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_LONG_DOUBLE("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_LONG_DOUBLE("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_LONG_DOUBLE("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_LONG_DOUBLE("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_LONG_DOUBLE("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_LONG_DOUBLE("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_LONG_DOUBLE("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_LONG_DOUBLE("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_LONG_DOUBLE("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_LONG_DOUBLE("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_LONG_DOUBLE("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_LONG_DOUBLE("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Container, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_CONTAINER("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_CONTAINER("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_CONTAINER("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_CONTAINER("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_CONTAINER("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_CONTAINER("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_CONTAINER("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_CONTAINER("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_CONTAINER("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_CONTAINER("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_CONTAINER("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_CONTAINER("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_CONTAINER("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_CONTAINER("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_CONTAINER("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_CONTAINER("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_CONTAINER("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::UnfixedEnum, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_UNFIXED_ENUM("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_UNFIXED_ENUM("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_UNFIXED_ENUM("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_UNFIXED_ENUM("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_UNFIXED_ENUM("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_UNFIXED_ENUM("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_UNFIXED_ENUM("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_UNFIXED_ENUM("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_UNFIXED_ENUM("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_UNFIXED_ENUM("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_UNFIXED_ENUM("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_UNFIXED_ENUM("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_UNFIXED_ENUM("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_UNFIXED_ENUM("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_UNFIXED_ENUM("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_UNFIXED_ENUM("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_UNFIXED_ENUM("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Constant, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_CONSTANT("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_CONSTANT("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_CONSTANT("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_CONSTANT("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_CONSTANT("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_CONSTANT("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_CONSTANT("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_CONSTANT("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_CONSTANT("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_CONSTANT("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_CONSTANT("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_CONSTANT("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_CONSTANT("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_CONSTANT("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_CONSTANT("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_CONSTANT("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_CONSTANT("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::EmptyArray, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_EMPTY_ARRAY("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_EMPTY_ARRAY("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_EMPTY_ARRAY("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_EMPTY_ARRAY("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_EMPTY_ARRAY("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_EMPTY_ARRAY("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_EMPTY_ARRAY("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_EMPTY_ARRAY("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_EMPTY_ARRAY("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_EMPTY_ARRAY("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_EMPTY_ARRAY("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_EMPTY_ARRAY("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_EMPTY_ARRAY("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_EMPTY_ARRAY("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_EMPTY_ARRAY("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_EMPTY_ARRAY("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_EMPTY_ARRAY("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Unmapped, kField, Struct, Type> {
  static_assert(kField != 0, TENON_REFUSED_FIELD_UNMAPPED("0"));
  static_assert(kField != 1, TENON_REFUSED_FIELD_UNMAPPED("1"));
  static_assert(kField != 2, TENON_REFUSED_FIELD_UNMAPPED("2"));
  static_assert(kField != 3, TENON_REFUSED_FIELD_UNMAPPED("3"));
  static_assert(kField != 4, TENON_REFUSED_FIELD_UNMAPPED("4"));
  static_assert(kField != 5, TENON_REFUSED_FIELD_UNMAPPED("5"));
  static_assert(kField != 6, TENON_REFUSED_FIELD_UNMAPPED("6"));
  static_assert(kField != 7, TENON_REFUSED_FIELD_UNMAPPED("7"));
  static_assert(kField != 8, TENON_REFUSED_FIELD_UNMAPPED("8"));
  static_assert(kField != 9, TENON_REFUSED_FIELD_UNMAPPED("9"));
  static_assert(kField != 10, TENON_REFUSED_FIELD_UNMAPPED("10"));
  static_assert(kField != 11, TENON_REFUSED_FIELD_UNMAPPED("11"));
  static_assert(kField != 12, TENON_REFUSED_FIELD_UNMAPPED("12"));
  static_assert(kField != 13, TENON_REFUSED_FIELD_UNMAPPED("13"));
  static_assert(kField != 14, TENON_REFUSED_FIELD_UNMAPPED("14"));
  static_assert(kField != 15, TENON_REFUSED_FIELD_UNMAPPED("15"));
  static_assert(kField < 16, TENON_REFUSED_FIELD_UNMAPPED("16 or later"));
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::CArray, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_C_ARRAY);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::BitField, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_BIT_FIELD);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Base, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_BASE);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::PackedStruct, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_PACKED);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::Gap, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_GAP);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::TooManyFields, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_TOO_MANY);
};

template <std::size_t kField, class Struct, class Type>
struct FieldRefused<FieldFault::NoDefault, kField, Struct, Type> {
  static_assert(detail::kAccepted<Struct>, TENON_REFUSED_STRUCT_NO_DEFAULT);
};

}  // namespace tenon::inline TENON_ABI::bind
