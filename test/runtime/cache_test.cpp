// SPDX-License-Identifier: Apache-2.0
/// @file
/// CompilationCache: what is shared between runtimes, what is not, and who may die first.
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

const guests::Signature kToI32{{}, {guests::kI32}};

std::int32_t Increment(const tenon::Module& guest) {
  return guest.ExportedFunction<std::int32_t()>("increment")();
}

}  // namespace

TEST_CASE("N runtimes with a stateful env each share one compilation and no state") {
  constexpr std::int32_t kRuntimes = 5;
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const auto bytes = guests::Forwarder("env", "next", kToI32);
  std::vector<std::unique_ptr<tenon::Runtime>> runtimes;
  std::vector<std::unique_ptr<std::int32_t>> states;
  std::vector<tenon::Module> modules;
  for (std::int32_t i = 0; i < kRuntimes; ++i) {
    runtimes.push_back(std::make_unique<tenon::Runtime>(config));
    states.push_back(std::make_unique<std::int32_t>(i * 100));
    runtimes.back()
        ->NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([state = states.back().get()] { return ++*state; })
        .Export("next")
        .Instantiate();
    modules.push_back(runtimes.back()->Instantiate(bytes));
  }
  for (std::int32_t round = 1; round <= 2; ++round) {
    for (std::int32_t i = 0; i < kRuntimes; ++i) {
      CHECK(modules[static_cast<std::size_t>(i)].ExportedFunction<std::int32_t()>("run")() ==
            i * 100 + round);
    }
  }
  const tenon::CacheStatistics statistics = cache.Statistics();
  CHECK(statistics.misses == 2);  // the host module's signatures, the guest
  CHECK(statistics.hits == 2 * (kRuntimes - 1));
  CHECK(statistics.entries == 2);
  CHECK(statistics.bytes > bytes.size());
}

TEST_CASE("a cache counts one miss for each different module and one hit for each repetition") {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  CHECK(cache.Statistics().misses == 0);
  const auto first = runtime.CompileModule(guests::Counter());
  CHECK(cache.Statistics().misses == 1);
  CHECK(cache.Statistics().hits == 0);
  const auto second = runtime.CompileModule(guests::Arithmetic());
  const auto again = runtime.CompileModule(guests::Counter());
  CHECK(cache.Statistics().misses == 2);
  CHECK(cache.Statistics().hits == 1);
  CHECK(cache.Statistics().entries == 2);
}

TEST_CASE("copies of a cache handle are the same cache") {
  const tenon::CompilationCache cache;
  const tenon::CompilationCache copy = cache;
  CHECK(copy == cache);
  CHECK(std::hash<tenon::CompilationCache>{}(copy) == std::hash<tenon::CompilationCache>{}(cache));
  CHECK_FALSE(copy == tenon::CompilationCache{});
  tenon::Runtime{tenon::RuntimeConfig{}.WithCompilationCache(copy)}.CompileModule(
      guests::Counter());
  CHECK(cache.Statistics().misses == 1);
}

TEST_CASE("the cache may die before the runtimes that use it") {
  std::optional<tenon::CompilationCache> cache{std::in_place};
  std::optional<tenon::RuntimeConfig> config{tenon::RuntimeConfig{}.WithCompilationCache(*cache)};
  const tenon::Runtime runtime{*config};
  const auto compiled = runtime.CompileModule(guests::Counter());
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  config.reset();
  cache.reset();
  CHECK(Increment(guest) == 1);
  CHECK(Increment(runtime.InstantiateModule(compiled)) == 1);
  CHECK(Increment(runtime.Instantiate(guests::Counter())) == 1);
}

TEST_CASE("the cache may outlive the runtimes, and serves later ones") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  for (int i = 0; i < 3; ++i) {
    const tenon::Runtime runtime{config};
    CHECK(Increment(runtime.Instantiate(guests::Counter())) == 1);
  }
  CHECK(cache.Statistics().misses == 1);
  CHECK(cache.Statistics().hits == 2);
}

TEST_CASE("callables die with their host module, not with the cache") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const auto define = [](const tenon::Runtime& runtime, std::shared_ptr<std::int32_t> state) {
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([state = std::move(state)] { return *state; })
        .Export("f")
        .Instantiate();
  };
  auto state = std::make_shared<std::int32_t>(1);
  const std::weak_ptr<std::int32_t> capture = state;
  {
    const tenon::Runtime runtime{config};
    define(runtime, std::move(state));
    CHECK_FALSE(capture.expired());
  }
  CHECK(capture.expired());
  CHECK(cache.Statistics().entries > 0);

  const tenon::Runtime runtime{config};
  define(runtime, std::make_shared<std::int32_t>(2));
  CHECK(runtime.FindModule("env").ExportedFunction<std::int32_t()>("f")() == 2);
  CHECK(cache.Statistics().hits == 1);
}

TEST_CASE("the order of a builder's calls does not matter to the cache, its signatures do") {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const auto unary = [](std::int32_t) {};
  const auto nullary = [] {};
  const auto compile = [&](bool reversed, bool swapped) {
    tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
    const char* const names[2] = {swapped ? "b" : "a", swapped ? "a" : "b"};
    if (!reversed) builder.NewFunctionBuilder().WithFunc(unary).Export(names[0]);
    builder.NewFunctionBuilder().WithFunc(nullary).Export(names[1]);
    if (reversed) builder.NewFunctionBuilder().WithFunc(unary).Export(names[0]);
    builder.Compile();
  };
  compile(false, false);
  compile(true, false);
  CHECK(cache.Statistics().misses == 1);
  CHECK(cache.Statistics().hits == 1);
  compile(false, true);
  CHECK(cache.Statistics().misses == 2);
}

TEST_CASE("a cached module is not a way around a runtime's features") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  tenon::Runtime{config}.CompileModule(guests::NeedsMultiValue());
  const tenon::Runtime strict{config.WithCoreFeatures(tenon::CoreFeatures::V1())};
  CHECK(Thrown<tenon::Error>([&] { strict.CompileModule(guests::NeedsMultiValue()); }).Id() ==
        tenon::ErrorCode::FeatureDisabled);
}

TEST_CASE("a compilation that fails is not remembered as a success") {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  auto bytes = guests::Counter();
  bytes.resize(bytes.size() - 3);
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(runtime.CompileModule(bytes), tenon::DecodeError);
  CHECK(cache.Statistics().entries == 0);
}

TEST_CASE("runtimes that share a cache keep their own settings") {
  const tenon::CompilationCache cache;
  const auto base = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const auto bytes = guests::CustomSections();

  SECTION("custom sections") {
    CHECK(tenon::Runtime{base}.CompileModule(bytes).CustomSections().empty());
    CHECK(tenon::Runtime{base.WithCustomSections(true)}
              .CompileModule(bytes)
              .CustomSections()
              .size() == 2);
    CHECK(tenon::Runtime{base}.CompileModule(bytes).CustomSections().empty());
  }
  SECTION("canonical NaN") {
    const auto nan = guests::Nan();
    const auto divide = [&](const tenon::RuntimeConfig& config) {
      const tenon::Runtime runtime{config};
      return runtime.Instantiate(nan).ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>(
          "f32_add")(0x7FC12345, 0);
    };
    CHECK(divide(base) == 0x7FC12345);
    CHECK(divide(base.WithCanonicalNaN(true)) == 0x7FC00000);
    CHECK(divide(base) == 0x7FC12345);
  }
  SECTION("memory limits") {
    const auto memory = guests::MemoryUser({1, 10});
    const tenon::Runtime wide{base};
    const tenon::Runtime narrow{base.WithMemoryLimitPages(2)};
    CHECK(wide.Instantiate(memory).DefaultMemory().Grow(5) == 1);
    CHECK_FALSE(narrow.Instantiate(memory).DefaultMemory().Grow(5).has_value());
  }
}

TEST_CASE("each runtime's own listener hears its modules, though the code is shared") {
  struct Listener : tenon::FunctionListener {
    void Before(tenon::Module&, const tenon::FunctionDefinition&, const tenon::TypedValues&,
                tenon::StackIterator&) override {
      ++calls;
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {}
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {}
    int calls = 0;
  };
  const tenon::CompilationCache cache;
  const auto base = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const auto first = std::make_shared<Listener>();
  const auto second = std::make_shared<Listener>();
  const auto with = [&](const std::shared_ptr<Listener>& listener) {
    return base.WithFunctionListenerFactory(
        [listener](const tenon::FunctionDefinition&) { return listener; });
  };
  const tenon::Runtime quiet{base};
  const tenon::Runtime one{with(first)};
  const tenon::Runtime two{with(second)};
  Increment(quiet.Instantiate(guests::Counter()));
  Increment(one.Instantiate(guests::Counter()));
  const tenon::Module guest = two.Instantiate(guests::Counter());
  Increment(guest);
  Increment(guest);
  CHECK(first->calls == 1);
  CHECK(second->calls == 2);
}

TEST_CASE("Clear forgets the entries and harms no module") {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const auto compiled = runtime.CompileModule(guests::Counter());
  cache.Clear();
  CHECK(cache.Statistics().entries == 0);
  CHECK(cache.Statistics().bytes == 0);
  CHECK(Increment(runtime.InstantiateModule(compiled)) == 1);
  CHECK(Increment(runtime.Instantiate(guests::Counter())) == 1);
  CHECK(cache.Statistics().misses == 2);
}

TEST_CASE("indirect calls match types in every runtime that shares a module") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const tenon::Runtime first{config};
  const tenon::Runtime second{config};
  // Types numbered differently in the two runtimes before the shared module arrives.
  first.Instantiate(guests::Arithmetic());
  second.Instantiate(guests::Simd());
  const auto call = [](const tenon::Runtime& runtime, std::int32_t index) {
    return runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName(""))
        .ExportedFunction<std::int32_t(std::int32_t)>("call")(index);
  };
  CHECK(call(first, 1) == 2);
  CHECK(call(second, 1) == 2);
  CHECK_THROWS_AS(call(second, 2), tenon::Trap);
}

TEST_CASE("a cache that was moved from is an empty handle") {
  tenon::CompilationCache cache;
  const tenon::CompilationCache taken = std::move(cache);
  CHECK(Thrown<tenon::ConfigError>([&] { cache.Statistics(); }).Id() ==
        tenon::ErrorCode::EmptyHandle);
  CHECK_THROWS_AS(cache.Clear(), tenon::ConfigError);
  CHECK(taken.Statistics().entries == 0);
}
