// SPDX-License-Identifier: Apache-2.0
/// @file
/// The host module `spectest` that spec scripts import.
#pragma once

#include <tenon/tenon.hpp>

namespace spec {

/// An anonymous instance of the module, made with the library's own builder. It has no table64, and
/// shared_memory in place of memory if `is_shared`.
inline tenon::Module InstantiateSpectest(const tenon::Runtime& runtime, bool is_shared = false) {
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("spectest");
  builder.NewFunctionBuilder().WithFunc([] {}).Export("print");
  builder.NewFunctionBuilder().WithFunc([](std::int32_t) {}).Export("print_i32");
  builder.NewFunctionBuilder().WithFunc([](std::int64_t) {}).Export("print_i64");
  builder.NewFunctionBuilder().WithFunc([](float) {}).Export("print_f32");
  builder.NewFunctionBuilder().WithFunc([](double) {}).Export("print_f64");
  builder.NewFunctionBuilder().WithFunc([](std::int32_t, float) {}).Export("print_i32_f32");
  builder.NewFunctionBuilder().WithFunc([](double, double) {}).Export("print_f64_f64");
  builder.ExportGlobal("global_i32", std::int32_t{666});
  builder.ExportGlobal("global_i64", std::int64_t{666});
  builder.ExportGlobal("global_f32", 666.6f);
  builder.ExportGlobal("global_f64", 666.6);
  builder.ExportTable("table", tenon::ValueType::FuncRef, 10, 20);
  if (is_shared) {
    builder.ExportSharedMemory("shared_memory", 1, 2);
  } else {
    builder.ExportMemory("memory", 1, 2);
  }
  return runtime.InstantiateModule(builder.Compile(), tenon::ModuleConfig{}.WithName(""));
}

}  // namespace spec
