// SPDX-License-Identifier: Apache-2.0
/// @file
/// The exceptions of the library.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI {

/// Root of all exceptions thrown by the library. Exceptions thrown by host functions are not
/// wrapped: they leave Call with their own type.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode id, const std::string& text) : std::runtime_error{text}, id_{id} {}

  /// Which text of `docs/errors.md` this is; None for traps and exits.
  ErrorCode Id() const noexcept { return id_; }

 private:
  ErrorCode id_;
};

/// The bytes are not a module.
class DecodeError : public Error {
 public:
  DecodeError(ErrorCode id, const std::string& text, std::uint32_t offset)
      : Error{id, text}, offset_{offset} {}
  /// Of the offending byte, from the first byte of the module.
  std::uint32_t ByteOffset() const noexcept { return offset_; }

 private:
  std::uint32_t offset_;
};

/// The module is well-formed but breaks a validation rule, or needs a feature that is disabled.
class ValidationError : public Error {
 public:
  ValidationError(ErrorCode id, const std::string& text, std::uint32_t offset,
                  std::uint32_t function)
      : Error{id, text}, offset_{offset}, function_{function} {}
  /// Of the offending byte, from the first byte of the module.
  std::uint32_t ByteOffset() const noexcept { return offset_; }
  /// Index of the function in whose body the fault is; 0xFFFFFFFF if it is elsewhere.
  std::uint32_t FunctionIndex() const noexcept { return function_; }

 private:
  std::uint32_t offset_;
  std::uint32_t function_;
};

/// One import that does not link.
struct ImportProblem {
  ErrorCode id = ErrorCode::None;      ///< why
  ExternKind kind = ExternKind::Func;  ///< of what is imported
  std::string module;                  ///< as the guest names it
  std::string name;
  std::string expected;    ///< the type that the guest wants, as in "(i32, i64) -> i32"
  std::string found;       ///< the type of what there is; "" if there is nothing
  std::string cpp;         ///< its C++ signature, as in "int(int, int)"; "" if it has none
  std::string hint;        ///< the nearest name of what is there; "" if none is near
  std::string capability;  ///< the label that was not granted; "" if it is about something else
  std::string text;        ///< all of this in a line
};

/// Instantiation failed before any guest code ran: imports, names, limits.
class LinkError : public Error {
 public:
  using Error::Error;
  LinkError(ErrorCode id, const std::string& text, std::vector<ImportProblem> problems)
      : Error{id, text},
        problems_{std::make_shared<const std::vector<ImportProblem>>(std::move(problems))} {}

  /// The imports that do not link, in their order, if that is what failed: at most 1000. Valid as
  /// long as the error or a copy of it.
  std::span<const ImportProblem> Problems() const noexcept {
    return problems_ == nullptr ? std::span<const ImportProblem>{} : *problems_;
  }

 private:
  std::shared_ptr<const std::vector<ImportProblem>> problems_;
};

/// The library was used against its rules: an empty or closed handle, a wrong signature or
/// argument, a builder or configuration that contradicts itself.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A guest's allocator gave no memory, or none that can be used. Nothing was written.
class AllocationError : public Error {
 public:
  using Error::Error;
};

/// One guest or host function on the stack of a trap.
struct BacktraceFrame {
  std::string function;          ///< as in FunctionDefinition::DebugName()
  std::uint32_t function_index;  ///< in its module
  std::uint32_t module_offset;   ///< of the instruction in the module's bytes; 0 for host functions
};

/// The guest was stopped by a rule of WebAssembly, or by a host function that threw a Trap.
///
/// what() is "wasm trap: " and the text of the code, then one line a frame, innermost first.
class Trap : public Error {
 public:
  /// For host functions that end the guest with a reason of their own.
  explicit Trap(const std::string& message) : Trap{TrapCode::HostTrap, message, {}} {}
  Trap(TrapCode code, const std::string& message, std::vector<BacktraceFrame> backtrace)
      : Error{ErrorCode::None, Describe(message, backtrace)},
        code_{code},
        message_{message},
        backtrace_{std::move(backtrace)} {}

  TrapCode Code() const noexcept { return code_; }
  /// what() without prefix and backtrace.
  const std::string& Message() const noexcept { return message_; }
  /// Innermost frame first; at most 64 frames.
  const std::vector<BacktraceFrame>& Backtrace() const noexcept { return backtrace_; }

 private:
  static std::string Describe(const std::string& message,
                              const std::vector<BacktraceFrame>& backtrace) {
    std::string text = "wasm trap: " + message;
    if (!backtrace.empty()) text += "\nwasm stack trace:";
    for (const BacktraceFrame& frame : backtrace) {
      text += "\n\t" + frame.function;
      if (frame.module_offset != 0) text += " at byte " + std::to_string(frame.module_offset);
    }
    return text;
  }

  TrapCode code_;
  std::string message_;
  std::vector<BacktraceFrame> backtrace_;
};

/// The module was closed: by exit, by Close, by a stop request or a deadline. Thrown by a host
/// function it ends the guest's call; the module is closed only if the host function closes it too.
class ExitError : public Error {
 public:
  /// ExitCode() after a stop request.
  static constexpr std::uint32_t kContextCanceled = 0xFFFFFFFF;
  /// ExitCode() after a deadline.
  static constexpr std::uint32_t kDeadlineExceeded = 0xEFFFFFFF;

  explicit ExitError(std::uint32_t exit_code)
      : Error{exit_code == kContextCanceled    ? ErrorCode::ContextCanceled
              : exit_code == kDeadlineExceeded ? ErrorCode::DeadlineExceeded
                                               : ErrorCode::ModuleClosed,
              Describe(exit_code)},
        exit_code_{exit_code} {}

  std::uint32_t ExitCode() const noexcept { return exit_code_; }

 private:
  static std::string Describe(std::uint32_t exit_code) {
    if (exit_code == kContextCanceled) return ErrorText(ErrorCode::ContextCanceled);
    if (exit_code == kDeadlineExceeded) return ErrorText(ErrorCode::DeadlineExceeded);
    std::string text = ErrorText(ErrorCode::ModuleClosed);
    return text.replace(text.find("{0}"), 3, std::to_string(exit_code));
  }

  std::uint32_t exit_code_;
};

}  // namespace tenon::inline TENON_ABI
