// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a module imports and exports, read by the compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/fixed_text.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::typed {

/// A function's type, by views of static storage.
struct Signature {
  std::span<const ValueType> parameters;
  std::span<const ValueType> results;

  friend constexpr bool operator==(const Signature& a, const Signature& b) {
    if (a.parameters.size() != b.parameters.size() || a.results.size() != b.results.size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.parameters.size(); ++i) {
      if (a.parameters[i] != b.parameters[i]) return false;
    }
    for (std::size_t i = 0; i < a.results.size(); ++i) {
      if (a.results[i] != b.results[i]) return false;
    }
    return true;
  }
};

/// A run of elements of a table's pool.
struct Run {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// An import or export.
struct ExternRow {
  Run module;  ///< imports only
  Run name;
  ExternKind kind = ExternKind::Func;
  Run parameters;  ///< functions only
  Run results;
};

/// How large the tables of a module are, or what is wrong with it.
struct InterfaceSizes {
  ErrorCode fault = ErrorCode::None;
  std::size_t offset = 0;  ///< of the fault
  std::size_t bytes = 0;   ///< of the module
  std::size_t text = 0;
  std::size_t types = 0;
  std::size_t imports = 0;
  std::size_t exports = 0;
};

template <std::size_t kText, std::size_t kTypes, std::size_t kImports, std::size_t kExports>
struct InterfaceTables {
  char text[kText + 1]{};
  ValueType types[kTypes + 1]{};
  ExternRow imports[kImports + 1]{};
  ExternRow exports[kExports + 1]{};
};

/// The runtime decides which features it accepts.
consteval CoreFeatures EveryFeature() {
  CoreFeatures all;
#define TENON_DETAIL_ROW(name, bit, text) all = all.SetEnabled(Feature::name, true);
  TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  return all;
}

/// Whether the function has a type: the decoder leaves indices to the validator.
constexpr bool HasType(const wasm::Module& module, std::uint32_t function) {
  return function < module.functions.size() && module.functions[function] < module.types.size() &&
         module.types[module.functions[function]].kind == wasm::TypeKind::Function;
}

/// Compilers limit how much is evaluated, so the rest of the module is left to the runtime.
constexpr wasm::DecodeOptions InterfaceOptions() {
  wasm::DecodeOptions options;
  options.features = EveryFeature();
  options.interface_only = true;
  return options;
}

/// The size of a module in an array whose last byte may be the terminator of a string literal: then
/// the sections end in front of it.
constexpr std::size_t SizeWithoutTerminator(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kHeader = 8;
  if (bytes.size() <= kHeader || bytes.back() != 0) return bytes.size();
  wasm::ByteReader reader{bytes, {kHeader, static_cast<std::uint32_t>(bytes.size() - kHeader - 1)}};
  while (!reader.AtEnd()) {
    std::uint8_t id = 0;
    std::uint32_t size = 0;
    wasm::ByteRange range;
    if (!reader.ReadByte(id) || !reader.ReadU32(size) || !reader.ReadRange(size, range)) {
      return bytes.size();
    }
  }
  return bytes.size() - 1;
}

consteval InterfaceSizes Measure(std::span<const std::uint8_t> bytes) {
  InterfaceSizes sizes;
  sizes.bytes = SizeWithoutTerminator(bytes);
  wasm::Module module;
  const wasm::Fault fault = wasm::Decode(bytes.first(sizes.bytes), InterfaceOptions(), module);
  sizes.fault = fault.code;
  sizes.offset = fault.offset;
  if (!fault.IsNone()) return sizes;
  // Few steps for each name: compilers limit them.
  for (const wasm::Import& import : module.imports) {
    sizes.text += std::size_t{import.module.size} + import.name.size;
    if (import.kind == ExternKind::Func && !HasType(module, import.index)) {
      sizes.fault = ErrorCode::UnknownType;
    }
  }
  for (const wasm::Export& exported : module.exports) {
    sizes.text += exported.name.size;
    if (exported.kind == ExternKind::Func && !HasType(module, exported.index)) {
      sizes.fault = ErrorCode::UnknownFunction;
    }
  }
  sizes.types = module.type_pool.size();
  sizes.imports = module.imports.size();
  sizes.exports = module.exports.size();
  return sizes;
}

template <std::size_t kText, std::size_t kTypes, std::size_t kImports, std::size_t kExports>
consteval auto Fill(std::span<const std::uint8_t> bytes) {
  InterfaceTables<kText, kTypes, kImports, kExports> tables;
  wasm::Module module;
  if (!wasm::Decode(bytes, InterfaceOptions(), module).IsNone()) return tables;
  for (std::size_t i = 0; i < kTypes; ++i) tables.types[i] = module.type_pool[i];
  char* const text = tables.text;
  const std::uint8_t* const data = bytes.data();
  std::uint32_t used = 0;
  const auto add_text = [&](wasm::ByteRange range) {
    const Run run{used, range.size};
    for (const std::uint8_t *at = data + range.offset, *end = at + range.size; at != end; ++at) {
      text[used++] = static_cast<char>(*at);
    }
    return run;
  };
  const auto row_of = [&](wasm::ByteRange name, ExternKind kind, std::uint32_t index) {
    ExternRow row;
    row.name = add_text(name);
    row.kind = kind;
    if (kind == ExternKind::Func) {
      const wasm::TypeDefinition& type = module.types[module.functions[index]];
      row.parameters = {type.first, type.parameter_count};
      row.results = {type.first + type.parameter_count, type.result_count};
    }
    return row;
  };
  for (std::size_t i = 0; i < kImports; ++i) {
    const wasm::Import& import = module.imports[i];
    const Run from = add_text(import.module);
    tables.imports[i] = row_of(import.name, import.kind, import.index);
    tables.imports[i].module = from;
  }
  for (std::size_t i = 0; i < kExports; ++i) {
    const wasm::Export& exported = module.exports[i];
    tables.exports[i] = row_of(exported.name, exported.kind, exported.index);
  }
  return tables;
}

/// Whether `kBytes` can be decoded by the compiler: text of `char` cannot be read as bytes.
template <class Bytes>
inline constexpr bool kIsByteArray = false;
template <std::size_t kSize>
inline constexpr bool kIsByteArray<const unsigned char[kSize]> = true;
template <class Array>
  requires requires(const Array& array) {
    typename std::tuple_size<Array>::type;
    requires std::is_same_v<decltype(array.data()), const unsigned char*>;
  }
inline constexpr bool kIsByteArray<const Array> = true;

/// The tables of the module in `kBytes`, which is valid.
template <const auto& kBytes>
struct Interface {
  static constexpr InterfaceSizes kSizes = Measure(kBytes);
  static constexpr auto kTables = Fill<kSizes.text, kSizes.types, kSizes.imports, kSizes.exports>(
      std::span<const std::uint8_t>{kBytes}.first(kSizes.bytes));

  static constexpr std::span<const std::uint8_t> Bytes() {
    return std::span<const std::uint8_t>{kBytes}.first(kSizes.bytes);
  }
  static constexpr std::string_view Text(Run run) { return {kTables.text + run.first, run.count}; }
  static constexpr std::span<const ValueType> Types(Run run) {
    return std::span<const ValueType>{kTables.types}.subspan(run.first, run.count);
  }
  static constexpr Signature SignatureOf(const ExternRow& row) {
    return {Types(row.parameters), Types(row.results)};
  }
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  /// The exported function of this name, or kNone.
  static constexpr std::size_t FindExport(std::string_view name) {
    for (std::size_t i = 0; i < kSizes.exports; ++i) {
      if (kTables.exports[i].kind == ExternKind::Func && Text(kTables.exports[i].name) == name) {
        return i;
      }
    }
    return kNone;
  }
};

/// Text of bounded length that is written while compiling.
struct Draft {
  static constexpr std::size_t kCapacity = 512;

  char text[kCapacity]{};
  std::size_t size = 0;

  constexpr Draft& operator+=(std::string_view added) {
    for (const char character : added) {
      if (size < kCapacity) text[size++] = character;
    }
    return *this;
  }
  constexpr std::string_view View() const { return {text, size}; }
};

/// "(i32, i64) -> f32", as run-time errors spell it.
constexpr Draft SignatureDraft(const Signature& signature) {
  const auto add_list = [](Draft& draft, std::span<const ValueType> types) {
    draft += "(";
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (i != 0) draft += ", ";
      draft += ShortTypeName(types[i]);
    }
    draft += ")";
  };
  Draft draft;
  add_list(draft, signature.parameters);
  draft += " -> ";
  if (signature.results.size() == 1) {
    draft += ShortTypeName(signature.results[0]);
  } else {
    add_list(draft, signature.results);
  }
  return draft;
}

/// A name of a list, which has `NameAt(position)`, as text.
template <class List, std::size_t kPosition>
struct NameIn {
  static constexpr Draft Get() {
    Draft draft;
    return draft += List::NameAt(kPosition);
  }
};

/// The text of a source, which has `static constexpr Draft Get()`, as template argument.
template <class Source>
consteval auto FixedOf() {
  constexpr Draft kDraft = Source::Get();
  FixedText<kDraft.size + 1> fixed;
  for (std::size_t i = 0; i < kDraft.size; ++i) fixed.text[i] = kDraft.text[i];
  return fixed;
}

}  // namespace tenon::inline TENON_ABI::typed
