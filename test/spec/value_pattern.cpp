// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arguments and result patterns of spec scripts.
#include "value_pattern.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include <tenon/definition.hpp>
#include <tenon/reference.hpp>

namespace spec {

using support::Json;
using tenon::Value;
using tenon::ValueType;

namespace {

std::size_t LaneBytes(std::string_view lane_type) {
  if (lane_type == "i8") return 1;
  if (lane_type == "i16") return 2;
  if (lane_type == "i32" || lane_type == "f32") return 4;
  if (lane_type == "i64" || lane_type == "f64") return 8;
  throw std::runtime_error{"unknown lane type " + std::string{lane_type}};
}

/// Lanes of a v128 in the script; throws unless they make up 16 bytes.
const std::vector<Json>& Lanes(const Json& vector, std::size_t lane_bytes) {
  const std::vector<Json>& lanes = vector.At("value").Items();
  if (lanes.size() * lane_bytes != 16) throw std::runtime_error{"wrong number of lanes"};
  return lanes;
}

tenon::V128 ReadVector(const Json& argument) {
  const std::size_t lane_bytes = LaneBytes(argument.At("lane_type").Text());
  tenon::V128 vector{};
  std::size_t offset = 0;
  for (const Json& lane : Lanes(argument, lane_bytes)) {
    const auto bits = lane.As<std::uint64_t>();
    std::memcpy(vector.bytes + offset, &bits, lane_bytes);
    offset += lane_bytes;
  }
  return vector;
}

/// Whether a number (or lane) of `type` with these bits is what `wanted` says.
bool NumberMatches(std::string_view type, std::uint64_t bits, const Json& wanted) {
  const std::string& text = wanted.Text();
  if (text != "nan:canonical" && text != "nan:arithmetic") {
    return bits == wanted.As<std::uint64_t>();
  }
  const bool is_single = type == "f32";
  const std::uint64_t quiet = is_single ? 0x7fc00000 : 0x7ff8000000000000;
  const std::uint64_t without_sign = is_single ? 0x7fffffff : 0x7fffffffffffffff;
  return (bits & (text == "nan:canonical" ? without_sign : quiet)) == quiet;
}

bool VectorMatches(const tenon::V128& vector, const Json& pattern) {
  const std::string& lane_type = pattern.At("lane_type").Text();
  const std::size_t lane_bytes = LaneBytes(lane_type);
  std::size_t offset = 0;
  for (const Json& lane : Lanes(pattern, lane_bytes)) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, vector.bytes + offset, lane_bytes);
    if (!NumberMatches(lane_type, bits, lane)) return false;
    offset += lane_bytes;
  }
  return true;
}

std::uint64_t FirstSlot(const Value& value) {
  tenon::abi::Slot slots[2] = {0, 0};
  value.ToSlots(slots);
  return slots[0];
}

/// Name of a number type in scripts; empty for other types.
std::string_view NumberName(ValueType type) {
  if (type == ValueType::I32) return "i32";
  if (type == ValueType::I64) return "i64";
  if (type == ValueType::F32) return "f32";
  if (type == ValueType::F64) return "f64";
  return {};
}

bool ReferenceMatches(const Value& value, const Json& pattern) {
  if (!value.Type().IsReference()) return false;
  const std::uint64_t bits = FirstSlot(value);
  const Json* const wanted = pattern.Find("value");
  if (wanted != nullptr && wanted->Text() == "null") return bits == 0;
  const std::string& type = pattern.At("type").Text();
  const tenon::HeapType heap = value.Type().Heap();
  if (wanted != nullptr) {
    return type == "externref" && heap == tenon::HeapType::Extern &&
           bits == wanted->As<std::uint64_t>() + 1;
  }
  if (bits == 0) return false;
  if (type == "funcref") return heap == tenon::HeapType::Func || heap.IsConcrete();
  if (type == "externref") return heap == tenon::HeapType::Extern;
  return false;
}

std::string Hex(std::uint64_t bits) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(bits));
  return text;
}

}  // namespace

Value ReadArgument(const Json& argument) {
  const std::string& type = argument.At("type").Text();
  const Json& value = argument.At("value");
  if (type == "i32") return value.As<std::uint32_t>();
  if (type == "i64") return value.As<std::uint64_t>();
  if (type == "f32" || type == "f64") {
    const tenon::abi::Slot bits[2] = {value.As<std::uint64_t>(), 0};
    return Value::FromSlots(type == "f32" ? ValueType::F32 : ValueType::F64, bits);
  }
  if (type == "v128") return ReadVector(argument);
  const bool is_null = value.Text() == "null";
  if (type == "externref") {
    return is_null ? tenon::ExternRef{}
                   : tenon::ExternRef{std::uintptr_t{value.As<std::uint32_t>()} + 1};
  }
  if (type == "funcref" && is_null) return tenon::FuncRef{};
  throw std::runtime_error{"no such argument in WebAssembly 2.0: " + Describe(argument)};
}

bool Matches(const Value& value, const Json& pattern) {
  const std::string& type = pattern.At("type").Text();
  if (type == "either") {
    for (const Json& choice : pattern.At("values").Items()) {
      if (Matches(value, choice)) return true;
    }
    return false;
  }
  if (type == "v128") return value.Type().IsVector() && VectorMatches(value.Vector(), pattern);
  const std::string_view number = NumberName(value.Type());
  if (!number.empty()) {
    return number == type && NumberMatches(type, FirstSlot(value), pattern.At("value"));
  }
  return ReferenceMatches(value, pattern);
}

std::string Describe(const Value& value) {
  std::string text = tenon::ValueTypeName(value.Type()) + ":";
  if (value.Type().IsVector()) {
    tenon::abi::Slot slots[2];
    value.ToSlots(slots);
    return text + Hex(slots[1]) + "," + Hex(slots[0]);
  }
  const std::uint64_t bits = FirstSlot(value);
  if (value.Type().IsReference() && bits == 0) return text + "null";
  return text + Hex(bits);
}

std::string Describe(const Json& pattern) {
  const std::string& type = pattern.At("type").Text();
  const Json* const value = pattern.Find("value");
  if (value == nullptr) return type;
  std::string text = type + ":";
  if (value->IsArray()) {
    text = type + "." + pattern.At("lane_type").Text() + ":";
    for (const Json& lane : value->Items()) {
      if (text.back() != ':') text += ' ';
      text += lane.Text();
    }
    return text;
  }
  const std::string& digits = value->Text();
  if (digits.find_first_not_of("0123456789") != std::string::npos) return text + digits;
  return text + Hex(value->As<std::uint64_t>());
}

}  // namespace spec
