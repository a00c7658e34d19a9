// SPDX-License-Identifier: Apache-2.0
/// @file
/// Evaluates constant expressions of valid modules.
#pragma once

#include <cstdint>
#include <cstring>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/type_reader.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Copies immediate bytes; false only where validation was skipped.
inline bool ReadBytes(wasm::ByteReader& reader, void* to, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint8_t byte = 0;
    if (!reader.ReadByte(byte)) return false;
    static_cast<std::uint8_t*>(to)[i] = byte;
  }
  return true;
}

}  // namespace detail

/// Evaluates the expression at the reader and moves the reader behind its `end`. The module was
/// validated and the globals the expression names have their values.
inline void EvaluateConstant(const Instance& instance, wasm::ByteReader& reader,
                             abi::Slot (&value)[2]) {
  std::uint8_t code = 0;
  while (reader.ReadByte(code)) {
    switch (static_cast<wasm::Opcode>(code)) {
      case wasm::Opcode::I32Const: {
        std::int32_t number = 0;
        reader.ReadS32(number);
        value[0] = static_cast<std::uint32_t>(number);
        break;
      }
      case wasm::Opcode::I64Const: {
        std::int64_t number = 0;
        reader.ReadS64(number);
        value[0] = static_cast<std::uint64_t>(number);
        break;
      }
      case wasm::Opcode::F32Const:
        value[0] = 0;
        detail::ReadBytes(reader, value, 4);
        break;
      case wasm::Opcode::F64Const:
        detail::ReadBytes(reader, value, 8);
        break;
      case wasm::Opcode::RefNull: {
        HeapType heap = HeapType::Func;
        wasm::ReadHeapType(reader, heap);
        value[0] = 0;
        break;
      }
      case wasm::Opcode::RefFunc: {
        std::uint32_t function = 0;
        reader.ReadU32(function);
        value[0] = reinterpret_cast<abi::Slot>(instance.functions[function]);
        break;
      }
      case wasm::Opcode::GlobalGet: {
        std::uint32_t global = 0;
        reader.ReadU32(global);
        std::memcpy(value, instance.global_slots[global], sizeof(value));
        break;
      }
      case wasm::Opcode::End:
        return;
      default: {
        // The only one left is v128.const, behind the prefix.
        std::uint32_t sub = 0;
        reader.ReadU32(sub);
        detail::ReadBytes(reader, value, 16);
      }
    }
  }
}

inline void EvaluateConstant(const Instance& instance, wasm::ByteRange expression,
                             abi::Slot (&value)[2]) {
  wasm::ByteReader reader{instance.Module().bytes, expression};
  EvaluateConstant(instance, reader, value);
}

}  // namespace tenon::inline TENON_ABI::vm
