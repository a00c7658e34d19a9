// SPDX-License-Identifier: Apache-2.0
// Runs an ordinary program (guest.c, compiled with wasi-libc) several times. A guest sees what its
// SystemConfig gives it and nothing else of the host.
//
// usage: wasi_hello [guest.wasm]

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

namespace {

void Run(const char* path) {
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  const tenon::CompiledModule program = runtime.CompileModule(tenon::ReadFile(path));

  // By default output goes nowhere. Here it is kept.
  std::string output;
  const tenon::SystemConfig system =
      tenon::SystemConfig{}.WithStdout([&output](std::span<const std::uint8_t> bytes) {
        output.append(bytes.begin(), bytes.end());
        return bytes.size();
      });
  // Instances without a name do not collide, so there can be any number of them.
  const tenon::ModuleConfig config = tenon::ModuleConfig{}.WithName("");

  // Instantiating runs _start, the program's main.
  runtime.InstantiateModule(program, config.WithSystem(system));
  runtime.InstantiateModule(
      program, config.WithSystem(system.WithArgs({"hello", "tenon"}).WithEnv("MOOD", "good")));
  std::printf("%s", output.c_str());

  try {
    runtime.InstantiateModule(program, config.WithSystem(system.WithArgs({"hello", "you", "3"})));
  } catch (const tenon::ExitError& exit) {
    std::printf("exit code %u\n", exit.ExitCode());
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
