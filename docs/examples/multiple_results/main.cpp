// SPDX-License-Identifier: Apache-2.0
// Functions with several results, in both directions: std::tuple, std::pair and std::array are what
// WebAssembly calls multi-value.
//
// usage: multiple_results [guest.wasm]

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

// (i32, i32) -> (f64, f64): the span is an offset and a number of elements in guest memory.
std::pair<double, double> MinMax(std::span<const double> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

void Run(const char* path) {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(MinMax)
      .WithParameterNames("values")
      .WithResultNames("low", "high")
      .Export("min_max")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(tenon::ReadFile(path));

  using Division = std::tuple<std::int32_t, std::int32_t>;
  const auto divide = guest.ExportedFunction<Division(std::int32_t, std::int32_t)>("divide");
  const auto [quotient, remainder] = divide(47, 10);
  std::printf("47 / 10 = %d, remainder %d\n", quotient, remainder);

  // Results of one type may come as an array.
  const auto sample_range = guest.ExportedFunction<std::array<double, 2>()>("sample_range");
  const std::array<double, 2> range = sample_range();
  std::printf("samples from %.2f to %.2f\n", range[0], range[1]);

  // The same untyped, for programs that learn signatures at run time.
  const tenon::Function untyped = guest.ExportedFunction("divide");
  const std::vector<tenon::Value> results = untyped.Call({std::int32_t{-7}, std::int32_t{2}});
  std::printf("divide: %s\n", untyped.Definition().Signature().c_str());
  std::printf("-7 / 2 = %d, remainder %d\n", results.at(0).I32(), results.at(1).I32());
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
