// SPDX-License-Identifier: Apache-2.0
/// @file
/// Takes module bytes through validation and the front end, for tests of what comes out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/body_facts.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_printer.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/validated_module.hpp"

namespace tenon_test {

/// A module and the facts of its functions.
struct ModuleForJit {
  explicit ModuleForJit(std::vector<std::uint8_t> bytes) : validated{std::move(bytes)} {
    if (validated.fault.IsNone()) {
      REQUIRE(tenon::jit::GatherFacts(validated.context, facts).IsNone());
    }
  }

  ValidatedModule validated;
  tenon::jit::ModuleFacts facts;
};

/// The IR of one function; a failure of the test if it is not well-formed.
inline tenon::jit::Function BuildIr(const ModuleForJit& module,
                                    const tenon::jit::CompileOptions& options = {},
                                    std::uint32_t defined_function = 0) {
  REQUIRE(module.validated.Text() == "");
  tenon::jit::FrontEnd front_end;
  tenon::jit::Function function;
  REQUIRE(
      front_end.Build({module.validated.module, module.validated.context, module.facts, options},
                      defined_function, function));
  CHECK(VerifyIr(function, module.validated.module) == "");
  return function;
}

/// The same as text.
inline std::string IrText(const tenon::wasm::ModuleBuilder& builder,
                          const tenon::jit::CompileOptions& options = {},
                          std::uint32_t defined_function = 0) {
  return PrintIr(BuildIr(ModuleForJit{builder.Build()}, options, defined_function));
}

/// Of a module with one function, one memory and one table.
inline std::string IrText(tenon::wasm::ValueTypeList parameters, tenon::wasm::ValueTypeList results,
                          tenon::wasm::ValueTypeList locals, const tenon::wasm::CodeBuilder& code,
                          const tenon::jit::CompileOptions& options = {}) {
  tenon::wasm::ModuleBuilder builder;
  builder.Memory(1);
  builder.Table(tenon::ValueType::FuncRef, 1);
  builder.Function(builder.Type(parameters, results), locals, code);
  return IrText(builder, options);
}

}  // namespace tenon_test
