// SPDX-License-Identifier: Apache-2.0
/// @file
/// RuntimeConfig and CoreFeatures: values, defaults, and what a runtime makes of them.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

TEST_CASE("a runtime configuration starts with the documented defaults") {
  const tenon::RuntimeConfig config;
  CHECK(config.Engine() == tenon::EngineKind::Auto);
  CHECK(config.CoreFeatures() == tenon::CoreFeatures::V2());
  CHECK(config.MemoryLimitPages() == 65536);
  CHECK(config.MemoryLimitBytes() == UINT64_MAX);
  CHECK_FALSE(config.MemoryCapacityFromMax());
  CHECK(config.MemoryAllocator() == nullptr);
  CHECK(config.TableLimit() == 10'000'000);
  CHECK(config.InstanceLimit() == UINT64_MAX);
  CHECK(config.StackLimit() == std::uint64_t{1} << 20);
  CHECK_FALSE(config.CloseOnContextDone());
  CHECK_FALSE(config.CanonicalNaN());
  CHECK_FALSE(config.CustomSections());
  CHECK_FALSE(config.CompilationCache().has_value());
  CHECK_FALSE(config.FunctionListenerFactory());
  CHECK_FALSE(config.CloseNotifier());
  CHECK_FALSE(config.CompilationProgress());
  CHECK(config.CodeMap() == tenon::CodeMapKind::None);
  CHECK_FALSE(config.GdbJit());
}

TEST_CASE("every With of a runtime configuration returns a changed copy") {
  struct NoStorage : tenon::MemoryAllocator {
    std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t, std::uint64_t) noexcept override {
      return nullptr;
    }
  };
  const tenon::RuntimeConfig base;
  const auto allocator = std::make_shared<NoStorage>();
  const tenon::CompilationCache cache;
  const tenon::RuntimeConfig changed =
      base.WithEngine(tenon::EngineKind::Interpreter)
          .WithCoreFeatures(tenon::CoreFeatures::V1())
          .WithMemoryLimitPages(7)
          .WithMemoryLimitBytes(8)
          .WithMemoryCapacityFromMax(true)
          .WithMemoryAllocator(allocator)
          .WithTableLimit(9)
          .WithInstanceLimit(10)
          .WithStackLimit(1 << 18)
          .WithCloseOnContextDone(true)
          .WithCanonicalNaN(true)
          .WithCustomSections(true)
          .WithCompilationCache(cache)
          .WithFunctionListenerFactory([](const tenon::FunctionDefinition&) { return nullptr; })
          .WithCloseNotifier([](const std::string&, std::uint32_t) {})
          .WithCompilationProgress([](std::uint32_t, std::uint32_t) {})
          .WithCodeMap(tenon::CodeMapKind::JitDump)
          .WithGdbJit(true);
  CHECK(changed.Engine() == tenon::EngineKind::Interpreter);
  CHECK(changed.CoreFeatures() == tenon::CoreFeatures::V1());
  CHECK(changed.MemoryLimitPages() == 7);
  CHECK(changed.MemoryLimitBytes() == 8);
  CHECK(changed.MemoryCapacityFromMax());
  CHECK(changed.MemoryAllocator() == allocator);
  CHECK(changed.TableLimit() == 9);
  CHECK(changed.InstanceLimit() == 10);
  CHECK(changed.StackLimit() == 1 << 18);
  CHECK(changed.CloseOnContextDone());
  CHECK(changed.CanonicalNaN());
  CHECK(changed.CustomSections());
  CHECK(changed.CompilationCache() == cache);
  CHECK(changed.FunctionListenerFactory());
  CHECK(changed.CloseNotifier());
  CHECK(changed.CompilationProgress());
  CHECK(changed.CodeMap() == tenon::CodeMapKind::JitDump);
  CHECK(changed.GdbJit());

  CHECK(base.Engine() == tenon::EngineKind::Auto);
  CHECK(base.CoreFeatures() == tenon::CoreFeatures::V2());
  CHECK(base.MemoryLimitPages() == 65536);
  CHECK(base.MemoryAllocator() == nullptr);
  CHECK_FALSE(base.CompilationCache().has_value());
  CHECK_FALSE(base.CloseNotifier());
}

TEST_CASE("more than 65536 memory pages are refused by the runtime") {
  const auto config = tenon::RuntimeConfig{}.WithMemoryLimitPages(65537);
  const auto error = Thrown<tenon::ConfigError>([&] { tenon::Runtime{config}; });
  CHECK(error.Id() == tenon::ErrorCode::MemoryLimitPages);
  CHECK(std::string{error.what()} == "memoryLimitPages invalid: 65537 > 65536");
  CHECK_NOTHROW(tenon::Runtime{tenon::RuntimeConfig{}.WithMemoryLimitPages(65536)});
}

TEST_CASE("core features are a set of which the minimum viable product cannot be removed") {
  constexpr tenon::CoreFeatures kV1 = tenon::CoreFeatures::V1();
  STATIC_REQUIRE(kV1.IsEnabled(tenon::Feature::MutableGlobal));
  STATIC_REQUIRE_FALSE(kV1.IsEnabled(tenon::Feature::MultiValue));
  constexpr tenon::CoreFeatures kV2 = tenon::CoreFeatures::V2();
  STATIC_REQUIRE(kV2.IsEnabled(tenon::Feature::Simd));
  constexpr tenon::CoreFeatures kNoSimd = kV2.SetEnabled(tenon::Feature::Simd, false);
  STATIC_REQUIRE_FALSE(kNoSimd.IsEnabled(tenon::Feature::Simd));
  STATIC_REQUIRE(kV2.IsEnabled(tenon::Feature::Simd));
  STATIC_REQUIRE(kNoSimd.SetEnabled(tenon::Feature::Simd, true) == kV2);
  STATIC_REQUIRE(tenon::CoreFeatures{}.IsEnabled(tenon::Feature::Mvp));
  STATIC_REQUIRE(kV2.SetEnabled(tenon::Feature::Mvp, false).IsEnabled(tenon::Feature::Mvp));
  STATIC_REQUIRE(kV1.Bits() != kV2.Bits());
  STATIC_REQUIRE(tenon::FeatureName(tenon::Feature::BulkMemory) == "bulk-memory-operations");
  CHECK(kV1.String() == "mutable-global");
  CHECK(kV1.SetEnabled(tenon::Feature::Simd, true).String() == "mutable-global|simd");
  CHECK(tenon::CoreFeatures{}.String().empty());
}

TEST_CASE("a disabled feature that a module needs is named in the error") {
  struct Row {
    tenon::Feature feature;
    std::vector<std::uint8_t> module;
    std::string name;
  };
  const std::vector<Row> rows = {
      {tenon::Feature::MutableGlobal, guests::Globals(), "mutable-global"},
      {tenon::Feature::SignExtension, guests::NeedsSignExtension(), "sign-extension-ops"},
      {tenon::Feature::SaturatingFloatToInt, guests::NeedsSaturatingConversion(),
       "nontrapping-float-to-int-conversion"},
      {tenon::Feature::MultiValue, guests::NeedsMultiValue(), "multi-value"},
      {tenon::Feature::BulkMemory, guests::NeedsBulkMemory(), "bulk-memory-operations"},
      {tenon::Feature::ReferenceTypes, guests::NeedsReferenceTypes(), "reference-types"},
      {tenon::Feature::Simd, guests::Simd(), "simd"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK_NOTHROW(tenon::Runtime{}.CompileModule(row.module));
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(
        tenon::CoreFeatures::V2().SetEnabled(row.feature, false))};
    const auto error =
        Thrown<tenon::Error>([&] { static_cast<void>(runtime.CompileModule(row.module)); });
    CHECK(error.Id() == tenon::ErrorCode::FeatureDisabled);
    CHECK_THAT(error.what(),
               Catch::Contains("feature \"" + row.name + "\" is disabled, needed by"));
  }
}

TEST_CASE("a set of features is written as the names of its members") {
  CHECK(tenon::CoreFeatures{}.String().empty());
  CHECK(tenon::CoreFeatures::V1().String() == "mutable-global");
  CHECK(tenon::CoreFeatures::V1().SetEnabled(tenon::Feature::Simd, true).String() ==
        "mutable-global|simd");
}
