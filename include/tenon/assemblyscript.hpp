// SPDX-License-Identifier: Apache-2.0
/// @file
/// What programs compiled by AssemblyScript import.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>

/// Functions of AssemblyScript's module "env": `abort` writes why to the guest's error stream,
/// closes the module and ends the call with exit code 255; `trace` writes text and numbers; `seed`
/// gives a number from the guest's random source.
namespace tenon::inline TENON_ABI::assemblyscript {

/// Where `trace` writes.
enum class Trace : std::uint8_t { Off, Stdout, Stderr };

/// A value: every With... returns a changed copy.
class Options {
 public:
  /// `abort` writes nothing.
  [[nodiscard]] Options WithAbortMessageDisabled() const {
    Options changed = *this;
    changed.abort_message_ = false;
    return changed;
  }
  [[nodiscard]] Options WithTraceToStdout() const { return WithTrace(Trace::Stdout); }
  [[nodiscard]] Options WithTraceToStderr() const { return WithTrace(Trace::Stderr); }

  bool AbortMessage() const { return abort_message_; }
  assemblyscript::Trace Trace() const { return trace_; }

 private:
  Options WithTrace(assemblyscript::Trace trace) const {
    Options changed = *this;
    changed.trace_ = trace;
    return changed;
  }

  bool abort_message_ = true;
  assemblyscript::Trace trace_ = assemblyscript::Trace::Off;
};

/// Makes the module "env". Throws LinkError if the runtime has a module of this name.
TENON_DECL Module Instantiate(const Runtime& runtime, const Options& options = {});

/// Adds the functions to a module of your own, which may export others.
TENON_DECL HostModuleBuilder AddFunctions(HostModuleBuilder builder, const Options& options = {});

}  // namespace tenon::inline TENON_ABI::assemblyscript

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/assemblyscript.ipp>
#endif
