// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a unit does that leaves the engine to another: it binds callables, reads and writes memory
/// and calls through handles, but makes no Runtime.
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>

#include <tenon/tenon.hpp>

namespace {

std::uint32_t Checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : bytes) sum = sum * 31 + byte;
  return sum;
}

std::tuple<std::int32_t, double> Both(tenon::Module& caller, tenon::Memory& memory,
                                      std::uint32_t address) {
  memory.WriteUint32Le(address, memory.ReadUint32Le(address).value_or(0) + 1);
  return {static_cast<std::int32_t>(caller.Name().size()), 0.5};
}

}  // namespace

void Bind(tenon::HostModuleBuilder builder, int& calls) {
  builder.NewFunctionBuilder()
      .WithFunc([&calls](std::string_view text) { calls += static_cast<int>(text.size()); })
      .WithName("count")
      .WithParameterNames({"text", "size"})
      .Export("count")
      .NewFunctionBuilder()
      .WithFunc(Checksum)
      .Export("checksum")
      .NewFunctionBuilder()
      .WithFunc(Both)
      .Export("both");
}

double Use(const tenon::Module& module) {
  tenon::Memory memory = module.ExportedMemory("memory");
  const auto run = module.ExportedFunction<double(std::int32_t, std::int64_t)>("run");
  const auto results = module.ExportedFunction("untyped").Call({tenon::Value{1}});
  const tenon::Global global = module.ExportedGlobal("global");
  const tenon::Table table = module.ExportedTable("table");
  if (!memory.WriteString(0, "text") || !memory.Grow(1)) return 0;
  const double sum =
      run(static_cast<std::int32_t>(memory.ReadUint32Le(8).value_or(0)), global.Get().I64());
  return sum + results.at(0).F64() + static_cast<double>(table.Size()) +
         static_cast<double>(module.ExportedFunctionDefinitions().size());
}
