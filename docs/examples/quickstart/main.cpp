// SPDX-License-Identifier: Apache-2.0
// Binds C++ functions, runs a guest written in C (guest.c) that calls them, and shows what an error
// looks like.
//
// usage: quickstart [guest.wasm]

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

// Any C++ function can be a guest's import. Its WebAssembly signature is deduced and checked while
// compiling: this one becomes (i32, i32) -> i32.
std::uint32_t Mix(std::uint32_t a, std::uint32_t b) { return a * 31 + b; }

// A leading Module& is the module that calls, here used to reach its memory.
double Average(tenon::Module& caller, std::uint32_t offset, std::uint32_t count) {
  const tenon::Memory memory = caller.DefaultMemory();
  double sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    // Reads are checked: nullopt where the guest's pointer is wrong.
    const auto value = memory.ReadFloat64Le(offset + std::uint64_t{8} * i);
    if (!value) throw tenon::Trap{"average: the values are not in memory"};
    sum += *value;
  }
  return count == 0 ? 0 : sum / count;
}

void Run(const std::string& path) {
  std::vector<std::string> lines;
  int tickets = 0;

  tenon::Runtime runtime;
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder().WithFunc<Mix>().WithParameterNames("a", "b").Export("mix");
  env.NewFunctionBuilder().WithFunc(Average).Export("average");
  // Lambdas keep their state. A std::string_view is two operands, checked before the call.
  env.NewFunctionBuilder()
      .WithFunc([&lines](std::string_view text) { lines.emplace_back(text); })
      .WithParameterNames("text")
      .Export("log");
  env.NewFunctionBuilder().WithFunc([&tickets] { return ++tickets; }).Export("next_ticket");
  env.Instantiate();

  const tenon::Module guest =
      runtime.Instantiate(tenon::ReadFile(path), tenon::ModuleConfig{}.WithName("guest"));

  // A typed handle is checked once, here; then it is called like a function.
  const auto run = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("run");
  const auto average_temperature = guest.ExportedFunction<double()>("average_temperature");
  const auto percent = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("percent");

  std::printf("run(42) = %u\n", run(42));
  std::printf("the guest logged \"%s\" and took %d tickets\n", lines.at(0).c_str(), tickets);
  std::printf("average temperature = %.2f\n", average_temperature());
  std::printf("percent(3, 4) = %d\n", percent(3, 4));

  std::printf("\nAnd an error, percent(1, 0):\n");
  try {
    percent(1, 0);
  } catch (const tenon::Trap& trap) {
    std::printf("%s\n", trap.what());
  }
  std::printf("\nThe guest is still usable: percent(1, 2) = %d\n", percent(1, 2));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Run(argc > 1 ? argv[1] : "guest.wasm");
  } catch (const tenon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
