// SPDX-License-Identifier: Apache-2.0
/// @file
/// Function: untyped calls with values and with a stack of slots.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <unordered_set>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

static_assert(sizeof(tenon::Function) == sizeof(void*));

TEST_CASE("Call takes values and returns values") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  using tenon::Value;
  CHECK(guest.ExportedFunction("add").Call({Value{2}, Value{3}}) == std::vector<Value>{Value{5}});
  CHECK(guest.ExportedFunction("add64").Call(
            {Value{std::int64_t{1} << 40}, Value{std::int64_t{1}}}) ==
        std::vector<Value>{Value{(std::int64_t{1} << 40) + 1}});
  CHECK(guest.ExportedFunction("addf").Call({Value{1.5f}, Value{2.0f}})[0].F32() == 3.5f);
  CHECK(guest.ExportedFunction("addd").Call({Value{0.25}, Value{0.5}})[0].F64() == 0.75);
  CHECK(guest.ExportedFunction("nothing").Call().empty());
  CHECK(guest.ExportedFunction("nothing").Call({}).empty());
  const std::vector<Value> arguments{Value{20}, Value{22}};
  CHECK(guest.ExportedFunction("add").Call(arguments)[0].I32() == 42);
}

TEST_CASE("Call with the wrong number of arguments says how many are expected") {
  const tenon::Runtime runtime;
  const tenon::Function add = runtime.Instantiate(guests::Arithmetic()).ExportedFunction("add");
  const auto error = Thrown<tenon::ConfigError>([&] { add.Call({tenon::Value{1}}); });
  CHECK(error.Id() == tenon::ErrorCode::ParameterCount);
  CHECK(std::string{error.what()} == "expected 2 params, but passed 1");
  CHECK(TextOf<tenon::ConfigError>([&] {
          add.Call({tenon::Value{1}, tenon::Value{1}, tenon::Value{1}});
        }) == "expected 2 params, but passed 3");
}

TEST_CASE("Call with an argument of the wrong type names its position and both types") {
  const tenon::Runtime runtime;
  const tenon::Function add = runtime.Instantiate(guests::Arithmetic()).ExportedFunction("add");
  const auto error =
      Thrown<tenon::ConfigError>([&] { add.Call({tenon::Value{1}, tenon::Value{1.0}}); });
  CHECK(error.Id() == tenon::ErrorCode::ParameterType);
  CHECK(std::string{error.what()} == "param[1]: expected i32, but passed f64");
}

TEST_CASE("CallWithStack takes operands and leaves results in the same slots") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  std::vector<tenon::abi::Slot> stack{40, 2};
  guest.ExportedFunction("add").CallWithStack(stack);
  CHECK(static_cast<std::uint32_t>(stack[0]) == 42);

  SECTION("junk in the upper half of an i32 operand does not matter") {
    stack = {0xDEADBEEF'00000001, 0xFFFFFFFF'00000002};
    guest.ExportedFunction("add").CallWithStack(stack);
    CHECK(static_cast<std::uint32_t>(stack[0]) == 3);
  }
  SECTION("more room than needed is left alone") {
    stack = {1, 2, 77};
    guest.ExportedFunction("add").CallWithStack(stack);
    CHECK(static_cast<std::uint32_t>(stack[0]) == 3);
    CHECK(stack[2] == 77);
  }
  SECTION("no slots are needed where there are no operands and results") {
    CHECK_NOTHROW(guest.ExportedFunction("nothing").CallWithStack({}));
  }
  SECTION("several results") {
    stack = {5, 6};
    guest.ExportedFunction("swap").CallWithStack(stack);
    CHECK(stack[0] == 6);
    CHECK(static_cast<std::uint32_t>(stack[1]) == 5);
  }
}

TEST_CASE("CallWithStack refuses a stack that is too small for operands or results") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  std::vector<tenon::abi::Slot> stack{1};
  const auto error =
      Thrown<tenon::ConfigError>([&] { guest.ExportedFunction("add").CallWithStack(stack); });
  CHECK(error.Id() == tenon::ErrorCode::StackSize);
  CHECK(std::string{error.what()} == "need 2 params, but stack size is 1");
  CHECK(stack[0] == 1);
  CHECK_THROWS_AS(
      runtime.Instantiate(guests::Counter()).ExportedFunction("increment").CallWithStack({}),
      tenon::ConfigError);
}

TEST_CASE("TryCallWithStack gives what the call ended with instead of throwing it") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const tenon::Function divide = guest.ExportedFunction("divide");
  STATIC_REQUIRE(noexcept(divide.TryCallWithStack({})));
  std::vector<tenon::abi::Slot> stack{6, 3};
  CHECK(divide.TryCallWithStack(stack) == nullptr);
  CHECK(static_cast<std::uint32_t>(stack[0]) == 2);
  stack = {6, 0};
  const std::exception_ptr trap = divide.TryCallWithStack(stack);
  REQUIRE(trap != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(trap), tenon::Trap);
  const std::exception_ptr small = divide.TryCallWithStack({});
  REQUIRE(small != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(small), tenon::ConfigError);
  const std::exception_ptr empty = tenon::Function{}.TryCallWithStack(stack);
  REQUIRE(empty != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(empty), tenon::ConfigError);
}

TEST_CASE("equal function handles hash alike") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const std::unordered_set<tenon::Function> functions{
      guest.ExportedFunction("add"), guest.ExportedFunction("add"), guest.ExportedFunction("swap")};
  CHECK(functions.size() == 2);
}

TEST_CASE("an empty function handle throws from its members") {
  const tenon::Function empty;
  CHECK_FALSE(empty);
  CHECK(empty == tenon::Function{});
  CHECK(empty.Reference().IsNull());
  const auto error = Thrown<tenon::ConfigError>([&] { empty.Call(); });
  CHECK(error.Id() == tenon::ErrorCode::EmptyHandle);
  CHECK(std::string{error.what()} == "Function: the handle is empty");
  CHECK_THROWS_AS(empty.CallWithStack({}), tenon::ConfigError);
  CHECK_THROWS_AS(empty.Definition(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.As<void()>(), tenon::ConfigError);
}

TEST_CASE("a function handle keeps its instance alive") {
  const tenon::Runtime runtime;
  tenon::Function increment;
  {
    const tenon::Module guest = runtime.Instantiate(guests::Counter());
    increment = guest.ExportedFunction("increment");
  }
  CHECK(increment.Call()[0].I32() == 1);
  const tenon::Function copy = increment;
  increment = tenon::Function{};
  CHECK(copy.Call()[0].I32() == 2);
}

TEST_CASE("a call that trapped leaves the function usable") {
  const tenon::Runtime runtime;
  const tenon::Function divide =
      runtime.Instantiate(guests::Arithmetic()).ExportedFunction("divide");
  CHECK_THROWS_AS(divide.Call({tenon::Value{1}, tenon::Value{0}}), tenon::Trap);
  CHECK(divide.Call({tenon::Value{6}, tenon::Value{3}})[0].I32() == 2);
}

TEST_CASE("values carry their type and bits") {
  using tenon::Value;
  CHECK(Value{}.Type() == tenon::ValueType::I32);
  CHECK(Value{}.I32() == 0);
  CHECK(Value{-1}.I32() == -1);
  CHECK(Value{-1}.U32() == 0xFFFFFFFF);
  CHECK(Value{std::int64_t{-1}}.U64() == UINT64_MAX);
  CHECK(Value{std::int64_t{-1}}.I64() == -1);
  CHECK(Value{1.5f}.Type() == tenon::ValueType::F32);
  CHECK(Value{1.5}.Type() == tenon::ValueType::F64);
  CHECK(Value{1} == Value{1u});
  CHECK(Value{true} == Value{1});
  CHECK(Value{'a'} == Value{97});
  CHECK(Value{std::int8_t{-1}} == Value{-1});
  CHECK(Value{1LL} == Value{std::int64_t{1}});
  CHECK(Value{std::size_t{1}}.Type() == tenon::ValueType::I64);
  CHECK_FALSE(Value{1} == Value{std::int64_t{1}});
  CHECK(Value{tenon::ExternRef{std::uintptr_t{9}}}.Extern().Value() == 9);
  CHECK(Value{tenon::FuncRef{}}.Func().IsNull());
  const tenon::abi::Slot slots[2] = {0xAAAAAAAA'00000007, 5};
  CHECK(Value::FromSlots(tenon::ValueType::I32, slots) == Value{7});
  const Value vector = Value::FromSlots(tenon::ValueType::V128, slots);
  tenon::abi::Slot copied[2] = {0, 0};
  vector.ToSlots(copied);
  CHECK(copied[0] == slots[0]);
  CHECK(copied[1] == 5);
}
