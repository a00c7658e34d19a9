// SPDX-License-Identifier: Apache-2.0
// Host objects as externref, a class and an enum of the program's own as numbers, and typed handles
// to the guest's functions.
//
// usage: typed_handles [guest.wasm]

#include <cstdint>
#include <cstdio>

#include <tenon/tenon.hpp>

namespace {

struct Sensor {
  int id;
  double celsius;
};

// A class of the program's own that crosses as f64.
struct Temperature {
  double celsius;
};

enum class SensorId : std::int32_t { Kitchen = 1, Cellar = 2 };

}  // namespace

template <>
struct tenon::WasmType<Temperature> {
  using Wire = double;
  static Temperature FromWasm(double value) { return {value}; }
  static double ToWasm(const Temperature& value) { return value.celsius; }
};

namespace {

void Run(const char* path) {
  Sensor kitchen{1, 21.5};
  Sensor cellar{2, 12.0};

  tenon::Runtime runtime;
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder()
      .WithFunc([&](SensorId id) {
        if (id == SensorId::Kitchen) return tenon::ExternRef{&kitchen};
        if (id == SensorId::Cellar) return tenon::ExternRef{&cellar};
        return tenon::ExternRef{};
      })
      .Export("find_sensor");
  env.NewFunctionBuilder()
      .WithFunc([](tenon::ExternRef sensor) { return sensor.IsNull(); })
      .Export("is_missing");
  env.NewFunctionBuilder()
      .WithFunc([](tenon::ExternRef sensor) {
        return Temperature{static_cast<const Sensor*>(sensor.Get())->celsius};
      })
      .Export("read_sensor");
  env.Instantiate();
  const tenon::Module guest = runtime.Instantiate(tenon::ReadFile(path));

  // The signature is checked here, once; a call is then a call.
  const auto hotter = guest.ExportedFunction<Temperature(SensorId, tenon::ExternRef)>("hotter");
  std::printf("hotter of kitchen and cellar: %.2f\n",
              hotter(SensorId::Kitchen, tenon::ExternRef{&cellar}).celsius);
  std::printf("hotter of cellar and nothing: %.2f\n",
              hotter(SensorId::Cellar, tenon::ExternRef{}).celsius);
  std::printf("hotter of sensor 7 and nothing: %.2f\n",
              hotter(SensorId{7}, tenon::ExternRef{}).celsius);

  const auto pass = guest.ExportedFunction<tenon::ExternRef(tenon::ExternRef)>("pass");
  std::printf("the guest passes back the same object: %s\n",
              pass(tenon::ExternRef{&kitchen}).Get() == &kitchen ? "yes" : "no");

  // A handle of the wrong type is never made.
  try {
    guest.ExportedFunction<std::int64_t(std::int64_t)>("hotter");
  } catch (const tenon::ConfigError& error) {
    std::printf("error: %s\n", error.what());
  }
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
