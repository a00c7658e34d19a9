// SPDX-License-Identifier: Apache-2.0
// Several runtimes, each with a host module "env" of its own state, share one cache: the guest is
// compiled once, and the equal names do not collide.
//
// usage: multiple_runtimes [guest.wasm]

#include <cstdint>
#include <cstdio>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

// One tenant: a runtime, the state behind its "env", and its instance of the guest.
struct Tenant {
  Tenant(const tenon::CompilationCache& cache, const std::vector<std::uint8_t>& wasm)
      : runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)} {
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([this] { return ++counter; })
        .Export("next")
        .Instantiate();
    guest = runtime.Instantiate(wasm);
  }
  // The lambda refers to this object.
  Tenant(const Tenant&) = delete;
  Tenant& operator=(const Tenant&) = delete;

  int counter = 0;
  tenon::Runtime runtime;
  tenon::Module guest;
};

constexpr int kTenants = 3;

void Run(const char* path) {
  const std::vector<std::uint8_t> wasm = tenon::ReadFile(path);
  const tenon::CompilationCache cache;
  Tenant tenants[kTenants] = {{cache, wasm}, {cache, wasm}, {cache, wasm}};

  for (int i = 0; i < kTenants; ++i) {
    const auto advance = tenants[i].guest.ExportedFunction<int(int)>("advance");
    advance(i + 1);
    std::printf("tenant %d: the guest advanced its counter to %d\n", i, advance(10));
  }

  const tenon::CacheStatistics statistics = cache.Statistics();
  std::printf("%d runtimes, 2 modules each (the guest and \"env\")\n", kTenants);
  std::printf("cache: %llu compiled, %llu found, %zu entries\n",
              static_cast<unsigned long long>(statistics.misses),
              static_cast<unsigned long long>(statistics.hits), statistics.entries);
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
