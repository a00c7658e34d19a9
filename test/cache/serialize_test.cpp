// SPDX-License-Identifier: Apache-2.0
/// @file
/// CompiledModule::Serialize and Runtime::Deserialize.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/address_space_limit.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A runtime that counts compilations.
struct CountingRuntime {
  explicit CountingRuntime(const tenon::RuntimeConfig& config = {})
      : runtime{config.WithCompilationProgress([this](std::uint32_t done, std::uint32_t total) {
          compiled += done == total ? 1 : 0;
        })} {}
  CountingRuntime(const CountingRuntime&) = delete;
  CountingRuntime& operator=(const CountingRuntime&) = delete;

  int compiled = 0;
  tenon::Runtime runtime;
};

std::int32_t AnswerOf(const tenon::Runtime& runtime, const tenon::CompiledModule& compiled) {
  return runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(""))
      .ExportedFunction<std::int32_t()>("answer")();
}

}  // namespace

TEST_CASE("a serialized module runs in another runtime without being compiled") {
  const tenon::Runtime first;
  const Bytes bytes = first.CompileModule(AnswerModule(31)).Serialize();
  CountingRuntime second;
  const auto compiled = second.runtime.Deserialize(bytes);
  CHECK(AnswerOf(second.runtime, compiled) == 31);
  CHECK(second.compiled == 0);
  // What was loaded serializes to the same.
  CHECK(compiled.Serialize() == bytes);
}

TEST_CASE("a serialized module need not be aligned, and may go at once") {
  const tenon::Runtime first;
  Bytes bytes = first.CompileModule(AnswerModule(32)).Serialize();
  bytes.insert(bytes.begin(), 0);
  CountingRuntime second;
  const auto compiled = second.runtime.Deserialize(std::span{bytes}.subspan(1));
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xCC});
  CHECK(AnswerOf(second.runtime, compiled) == 32);
  CHECK(second.compiled == 0);
}

TEST_CASE("a module that was serialized for other settings is compiled") {
  const tenon::Runtime first;
  const Bytes bytes = first.CompileModule(AnswerModule(33)).Serialize();
  const auto config =
      GENERATE(tenon::RuntimeConfig{}.WithCloseOnContextDone(true),
               tenon::RuntimeConfig{}.WithCpuFeatures(tenon::CpuFeatures::Floor()),
               tenon::RuntimeConfig{}.WithSignalHandlers(tenon::SignalHandlers::None),
               tenon::RuntimeConfig{}.WithCanonicalNaN(true));
  CountingRuntime second{config};
  CHECK(AnswerOf(second.runtime, second.runtime.Deserialize(bytes)) == 33);
  CHECK(second.compiled == 1);
}

TEST_CASE("a serialized module runs in memories that it has no code for") {
  guests::Guest guest;
  guest.Memory(1, 1);
  guest.Add("answer", {{}, {guests::kI32}}, [](guests::CodeBuilder& code) {
    code.I32Const(65532).I32Const(34).Memory(guests::Opcode::I32Store);
    code.I32Const(65532).Memory(guests::Opcode::I32Load);
  });
  const tenon::Runtime first;
  const auto compiled = first.CompileModule(guest.Build());
  const Bytes bytes = compiled.Serialize();
  const tenon::Runtime second;
  const auto loaded = second.Deserialize(bytes);
  const std::size_t size = loaded.CodeSize();
  const AddressSpaceLimit limit{std::uint64_t{2} << 30};  // too little for guard pages
  CHECK(AnswerOf(second, loaded) == 34);
  CHECK(loaded.CodeSize() > size);
  // Nor is that code in what is serialized from now on.
  CHECK(loaded.Serialize() == bytes);
}

TEST_CASE("no changed, truncated or extended serialized module is taken") {
  const tenon::Runtime runtime;
  Bytes bytes = runtime.CompileModule(AnswerModule(35)).Serialize();
  std::size_t taken = 0;
  const auto try_it = [&](std::span<const std::uint8_t> changed) {
    try {
      runtime.Deserialize(changed);
      ++taken;
    } catch (const tenon::ConfigError& error) {
      if (error.Id() != tenon::ErrorCode::SerializedModule) throw;
    }
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool is_signature = i >= 32 && i < 64;  // means nothing without a key
    if (is_signature) continue;
    bytes[i] ^= static_cast<std::uint8_t>(1u << i % 8);
    try_it(bytes);
    bytes[i] ^= static_cast<std::uint8_t>(1u << i % 8);
  }
  for (std::size_t size = 0; size < bytes.size(); size += size < 300 ? 1 : 11) {
    try_it(std::span{bytes}.first(size));
  }
  bytes.push_back(0);
  try_it(bytes);
  CHECK(taken == 0);
}

TEST_CASE("a signed module is taken with its key and refused with another") {
  const Bytes key(32, 1);
  const Bytes other(32, 2);
  CountingRuntime counting;
  const tenon::Runtime& runtime = counting.runtime;
  const auto compiled = runtime.CompileModule(AnswerModule(36));
  const Bytes is_signed = compiled.Serialize(key);
  CHECK(AnswerOf(runtime, runtime.Deserialize(is_signed, key)) == 36);
  CHECK(counting.compiled == 1);
  for (const Bytes& bytes : {is_signed, compiled.Serialize()}) {
    const auto error = Thrown<tenon::ConfigError>([&] { runtime.Deserialize(bytes, other); });
    CHECK(error.Id() == tenon::ErrorCode::SerializedModule);
    CHECK(std::string{error.what()}.find("not signed") != std::string::npos);
  }
}

TEST_CASE("a serialized module fills a cache") {
  const tenon::Runtime first;
  const Bytes bytes = first.CompileModule(AnswerModule(37)).Serialize();
  const tenon::CompilationCache cache;
  const tenon::Runtime second{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  second.Deserialize(bytes);
  CHECK(AnswerOf(second, second.CompileModule(AnswerModule(37))) == 37);
  CHECK(cache.Statistics().loads == 1);
  CHECK(cache.Statistics().hits == 1);
  CHECK(cache.Statistics().misses == 0);
}

TEST_CASE("host modules have nothing to serialize") {
  const tenon::Runtime runtime;
  const auto host = runtime.NewHostModuleBuilder("env")
                        .NewFunctionBuilder()
                        .WithFunc([] { return 1; })
                        .Export("one")
                        .Compile();
  CHECK(Thrown<tenon::ConfigError>([&] { host.Serialize(); }).Id() ==
        tenon::ErrorCode::SerializeRefused);
}

TEST_CASE("what one engine serialized is a module to the other") {
  const tenon::Runtime compiler;
  const tenon::Runtime interpreter{
      tenon::RuntimeConfig{}.WithEngine(tenon::EngineKind::Interpreter)};
  const Bytes compiled = compiler.CompileModule(AnswerModule(38)).Serialize();
  const Bytes interpreted = interpreter.CompileModule(AnswerModule(38)).Serialize();
  CHECK(AnswerOf(interpreter, interpreter.Deserialize(compiled)) == 38);
  CHECK(AnswerOf(interpreter, interpreter.Deserialize(interpreted)) == 38);
  CHECK(AnswerOf(compiler, compiler.Deserialize(interpreted)) == 38);
}
