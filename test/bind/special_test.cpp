// SPDX-License-Identifier: Apache-2.0
/// @file
/// Module, Memory and CallContext parameters come from the calling instance.
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::CallContext;
using tenon::In;
using tenon::Memory;
using tenon::Module;
using tenon::abi::kFunctionHasRawViews;
using tenon::abi::kFunctionIsHost;
using tenon::abi::kFunctionNeedsCaller;
using tenon::abi::kFunctionNeedsMemory;

namespace {

template <class T>
const void* Address(T& object) {
  return &reinterpret_cast<const char&>(object);
}

}  // namespace

TEST_CASE("special parameters take no operands and point into the caller") {
  FakeInstance fake;
  const void* seen[3] = {};
  auto function = Bind([&](Module& module, Memory& memory, CallContext& context, std::uint32_t v) {
    seen[0] = Address(module);
    seen[1] = Address(memory);
    seen[2] = Address(context);
    return v;
  });
  CHECK(function.Get().signature->parameter_count == 1);
  CHECK(Widths(function.Get()) == std::vector<int>{1});
  CHECK(fake.Native<std::uint32_t>(function.Get(), 4u) == 4);
  CHECK(seen[0] == &fake.module_address);
  CHECK(seen[1] == &fake.memory_address);
  CHECK(seen[2] == &fake.context_address);
}

TEST_CASE("special parameters may be const and come in any order") {
  FakeInstance fake;
  const void* seen[3] = {};
  auto function = Bind([&](const CallContext& context, const Memory& memory, const Module& module) {
    seen[0] = Address(module);
    seen[1] = Address(memory);
    seen[2] = Address(context);
  });
  CHECK(function.Get().signature->parameter_count == 0);
  CHECK(function.Get().signature->cpp_parameter_count == 0);
  fake.Slots(function.Get(), {});
  CHECK(seen[0] == &fake.module_address);
  CHECK(seen[1] == &fake.memory_address);
  CHECK(seen[2] == &fake.context_address);
}

TEST_CASE("the flags say what a function needs") {
  const auto flags = [](auto callable) { return Bind(callable).Get().signature->flags; };
  CHECK(flags([] {}) == kFunctionIsHost);
  CHECK(flags([](int, double) {}) == kFunctionIsHost);
  CHECK(flags([](Module&) {}) == (kFunctionIsHost | kFunctionNeedsCaller));
  CHECK(flags([](CallContext&) {}) == (kFunctionIsHost | kFunctionNeedsCaller));
  CHECK(flags([](Memory&) {}) == (kFunctionIsHost | kFunctionNeedsMemory));
  CHECK(flags([](std::string_view) {}) ==
        (kFunctionIsHost | kFunctionNeedsMemory | kFunctionHasRawViews));
  CHECK(flags([](In<std::string_view>) {}) == (kFunctionIsHost | kFunctionNeedsMemory));
  CHECK(flags([](const Module&, std::span<int>) {}) ==
        (kFunctionIsHost | kFunctionNeedsCaller | kFunctionNeedsMemory | kFunctionHasRawViews));
}

TEST_CASE("a named signature may have special parameters") {
  FakeInstance fake;
  const void* seen = nullptr;
  auto function = BindAs<std::uint32_t(Module&, std::uint32_t)>([&](auto& module, auto value) {
    seen = Address(module);
    return value + 1;
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 1u) == 2);
  CHECK(seen == &fake.module_address);
}
