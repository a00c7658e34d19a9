// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of assemblyscript.hpp.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/assemblyscript.hpp>
#include <tenon/error.hpp>
#include <tenon/host_module.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
#include <tenon/system.hpp>

namespace tenon::inline TENON_ABI::assemblyscript {

namespace detail {

inline constexpr std::uint32_t kAbortCode = 255;
inline constexpr std::uint32_t kStdout = 1;
inline constexpr std::uint32_t kStderr = 2;
inline constexpr std::uint32_t kReplacement = 0xFFFD;

TENON_DECL void AppendUtf8(std::string& text, std::uint32_t code) {
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

/// A String of the guest: UTF-16, its bytes counted in the word in front of it. Nothing for null
/// and for what is no string.
TENON_DECL std::optional<std::string> TextOf(const Memory& memory, std::uint32_t pointer) {
  if (pointer < 4) return std::nullopt;
  const auto size = memory.ReadUint32Le(pointer - 4);
  if (!size || *size % 2 != 0) return std::nullopt;
  if (!memory.ViewUnsynchronized(pointer, *size)) return std::nullopt;
  std::string text;
  for (std::uint64_t i = 0; i < *size; i += 2) {
    std::uint32_t code = memory.ReadUint16Le(pointer + i).value_or(0);
    if (code >= 0xD800 && code < 0xE000) {
      const std::uint32_t low =
          code < 0xDC00 && i + 2 < *size ? memory.ReadUint16Le(pointer + i + 2).value_or(0) : 0u;
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
        i += 2;
      } else {
        code = kReplacement;
      }
    }
    AppendUtf8(text, code);
  }
  return text;
}

TENON_DECL void WriteLine(Module& caller, std::uint32_t stream, const std::string& line) {
  caller.System().WriteOutput(stream,
                              {reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
}

TENON_DECL void Abort(Module& caller, Memory& memory, bool writes, std::uint32_t message,
                      std::uint32_t file_name, std::uint32_t line, std::uint32_t column) {
  if (writes) {
    const auto text = TextOf(memory, message);
    const auto file = TextOf(memory, file_name);
    // Guests can leave out names to be smaller.
    WriteLine(caller, kStderr,
              text.value_or("abort") + " at " + file.value_or("unknown") + ":" +
                  std::to_string(line) + ":" + std::to_string(column) + "\n");
  }
  caller.CloseWithExitCode(kAbortCode);
  throw ExitError{kAbortCode};
}

TENON_DECL void WriteTrace(Module& caller, Memory& memory, std::uint32_t stream,
                           std::uint32_t message, std::uint32_t count,
                           const std::array<double, 5>& numbers) {
  std::string line = "trace: " + TextOf(memory, message).value_or("");
  for (std::size_t i = 0; i < numbers.size() && i < count; ++i) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, numbers[i]).ptr;
    line += i == 0 ? " " : ",";
    line.append(digits, end);
  }
  WriteLine(caller, stream, line + "\n");
}

TENON_DECL double Seed(Module& caller) {
  std::uint64_t bits = 0;
  std::uint8_t bytes[8];
  caller.System().Random(bytes);
  for (const std::uint8_t byte : bytes) bits = bits << 8 | byte;
  // A number as Math.random gives it: the guest uses all its bits.
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace detail

TENON_DECL HostModuleBuilder AddFunctions(HostModuleBuilder builder, const Options& options) {
  using U32 = std::uint32_t;
  builder.NewFunctionBuilder()
      .WithFunc([writes = options.AbortMessage()](Module& caller, Memory& memory, U32 message,
                                                  U32 file_name, U32 line, U32 column) {
        detail::Abort(caller, memory, writes, message, file_name, line, column);
      })
      .WithParameterNames("message", "fileName", "lineNumber", "columnNumber")
      .Export("abort");
  builder.NewFunctionBuilder()
      .WithFunc([trace = options.Trace()](Module& caller, Memory& memory, U32 message, U32 count,
                                          double a, double b, double c, double d, double e) {
        if (trace == Trace::Off) return;
        detail::WriteTrace(caller, memory,
                           trace == Trace::Stdout ? detail::kStdout : detail::kStderr, message,
                           count, {a, b, c, d, e});
      })
      .WithParameterNames("message", "nArgs", "arg0", "arg1", "arg2", "arg3", "arg4")
      .Export("trace");
  builder.NewFunctionBuilder().WithFunc<&detail::Seed>().WithResultNames("rand").Export("seed");
  return builder;
}

TENON_DECL Module Instantiate(const Runtime& runtime, const Options& options) {
  return AddFunctions(runtime.NewHostModuleBuilder("env"), options).Instantiate();
}

}  // namespace tenon::inline TENON_ABI::assemblyscript
