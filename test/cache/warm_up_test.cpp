// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runtime::WarmUp: modules that are prepared before they are needed.
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CodeOrigin;
using tenon::WarmUpResult;

namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes kNoModule = {1, 2, 3};

std::vector<CodeOrigin> OriginsOf(const std::vector<WarmUpResult>& results) {
  std::vector<CodeOrigin> origins;
  for (const WarmUpResult& result : results) origins.push_back(result.origin);
  return origins;
}

std::int32_t AnswerOf(const tenon::Runtime& runtime, const tenon::CompiledModule& compiled) {
  return runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(""))
      .ExportedFunction<std::int32_t()>("answer")();
}

tenon::Runtime RuntimeOn(const tenon::CompilationCache& cache) {
  return tenon::Runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
}

}  // namespace

TEST_CASE("warming up says of each module where its code came from") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const tenon::Runtime runtime = RuntimeOn(cache);
  runtime.CompileModule(AnswerModule(2));
  const std::vector<Bytes> modules = {AnswerModule(1), AnswerModule(2), AnswerModule(3),
                                      AnswerModule(3)};
  const auto results = runtime.WarmUp(modules);
  CHECK(OriginsOf(results) == std::vector{CodeOrigin::Loaded, CodeOrigin::InMemory,
                                          CodeOrigin::Compiled, CodeOrigin::InMemory});
  for (const WarmUpResult& result : results) {
    CHECK(result.error == nullptr);
    CHECK(result.reason.empty());
  }
  CHECK(AnswerOf(runtime, results[0].module) == 1);
  CHECK(AnswerOf(runtime, results[3].module) == 3);
}

TEST_CASE("a module that is refused does not stop the others") {
  const tenon::Runtime runtime;
  const auto results = runtime.WarmUp({AnswerModule(1), kNoModule, AnswerModule(2)});
  CHECK(OriginsOf(results) ==
        std::vector{CodeOrigin::Compiled, CodeOrigin::Refused, CodeOrigin::Compiled});
  CHECK_FALSE(results[1].module);
  REQUIRE(results[1].error != nullptr);
  CHECK(results[1].reason ==
        Thrown<tenon::DecodeError>([&] { std::rethrow_exception(results[1].error); }).what());
  CHECK(AnswerOf(runtime, results[2].module) == 2);
}

TEST_CASE("what a cache must have and has not is refused with the reason") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  tenon::CacheOptions options;
  options.mode = tenon::CacheMode::MustHit;
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const auto results = RuntimeOn(cache).WarmUp({AnswerModule(2), AnswerModule(1)});
  CHECK(OriginsOf(results) == std::vector{CodeOrigin::Refused, CodeOrigin::Loaded});
  CHECK(results[0].reason.find(scratch.Path()) != std::string::npos);
}

TEST_CASE("whatever is thrown while a module is compiled is its result's") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
      [](const tenon::FunctionDefinition&) -> std::shared_ptr<tenon::FunctionListener> {
        throw 42;
      })};
  const auto results = runtime.WarmUp({AnswerModule(1)});
  REQUIRE(results.size() == 1);
  CHECK(results[0].origin == CodeOrigin::Refused);
  CHECK_THROWS_AS(std::rethrow_exception(results[0].error), int);
  CHECK_FALSE(results[0].reason.empty());
}

TEST_CASE("modules that were warmed up are in memory for those who come later") {
  const tenon::CompilationCache cache;
  RuntimeOn(cache).WarmUp({AnswerModule(1)});  // neither results nor runtime stay
  const tenon::Runtime later = RuntimeOn(cache);
  CHECK(OriginsOf(later.WarmUp({AnswerModule(1)})) == std::vector{CodeOrigin::InMemory});
  CHECK(cache.Statistics().misses == 1);
  cache.Clear();
  CHECK(OriginsOf(later.WarmUp({AnswerModule(1)})) == std::vector{CodeOrigin::Compiled});
}

TEST_CASE("any range of bytes can be warmed up, and is read as it goes") {
  const tenon::Runtime runtime;
  const Bytes module = AnswerModule(7);
  const std::array<std::span<const std::uint8_t>, 2> spans = {module, kNoModule};
  CHECK(OriginsOf(runtime.WarmUp(spans)) == std::vector{CodeOrigin::Compiled, CodeOrigin::Refused});
  CHECK(runtime.WarmUp(std::vector<Bytes>{}).empty());
  std::vector<int> read;
  const auto made = std::views::iota(0, 3) | std::views::transform([&](int answer) {
                      read.push_back(answer);
                      return AnswerModule(answer);
                    });
  const auto results = runtime.WarmUp(made);
  CHECK(read == std::vector{0, 1, 2});
  for (int i = 0; i < 3; ++i) {
    CHECK(AnswerOf(runtime, results.at(static_cast<std::size_t>(i)).module) == i);
  }
}

TEST_CASE("what reading a range throws comes out of warming up") {
  const tenon::Runtime runtime;
  const auto failing = std::views::iota(0, 2) | std::views::transform([](int i) -> Bytes {
                         if (i == 1) throw std::runtime_error{"gone"};
                         return AnswerModule(i);
                       });
  CHECK_THROWS_AS(runtime.WarmUp(failing), std::runtime_error);
}

TEST_CASE("a runtime that is closed warms up nothing") {
  tenon::Runtime runtime;
  runtime.Close();
  CHECK_THROWS_AS(runtime.WarmUp({AnswerModule(1)}), tenon::ConfigError);
}

TEST_CASE("threads that warm up the same modules compile each once") {
  const ScratchDirectory scratch;
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const tenon::Runtime runtime = RuntimeOn(cache);
  const std::vector<Bytes> modules = {AnswerModule(1), AnswerModule(2), AnswerModule(3)};
  std::atomic<int> compiled{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (const WarmUpResult& result : runtime.WarmUp(modules)) {
        compiled += result.origin == CodeOrigin::Compiled ? 1 : 0;
        refused += result.origin == CodeOrigin::Refused ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(compiled == 3);
  CHECK(refused == 0);
  CHECK(cache.Statistics().misses == 3);
}
