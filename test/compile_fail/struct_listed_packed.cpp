// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a packed struct
/// @file
/// A list of fields does not change where they lie.
#include <tenon/bind.hpp>
#include <tenon/struct.hpp>

struct Record {
  std::uint8_t first;
#if TENON_MUST_NOT_COMPILE
  std::uint32_t second; } __attribute__((packed));
#else
  std::uint32_t second; };
#endif

template <>
struct tenon::Fields<Record> : tenon::FieldList<&Record::first, &Record::second> {};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
