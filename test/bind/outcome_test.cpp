// SPDX-License-Identifier: Apache-2.0
/// @file
/// Results that may be missing, or errors: optionals, tenon::Result, mapped types.
#include <bit>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::Errno;
using tenon::NegativeErrno;
using tenon::TrapCode;
using tenon::ValueType;

namespace {

constexpr ValueType kI32 = ValueType::I32;
constexpr ValueType kI64 = ValueType::I64;
constexpr ValueType kF64 = ValueType::F64;

std::uint32_t Low(tenon::abi::Slot slot) { return static_cast<std::uint32_t>(slot); }

/// What crosses in place of it is chosen by a trait.
struct Parsed {
  double value;
  bool is_good;
};

enum class DeviceError : std::uint16_t { None, Gone = 7 };

/// An error of a class type, with a number.
struct Fault {
  std::int32_t number;
};

}  // namespace

template <>
struct tenon::WasmResult<Parsed> {
  using Values = std::pair<double, bool>;
  static Values ToWasm(Parsed&& parsed) { return {parsed.value, parsed.is_good}; }
  static Parsed FromWasm(Values values) { return {values.first, values.second}; }
};
template <>
struct tenon::WasmType<Fault> {
  using Wire = std::int32_t;
  static std::int32_t ToWasm(const Fault& fault) { return fault.number; }
  static Fault FromWasm(std::int32_t number) { return {number}; }
};
template <>
inline constexpr auto tenon::kErrorForm<Fault> = tenon::ErrorForm::Negative;

TEST_CASE("an optional result is a flag and the value") {
  FakeInstance fake;
  auto half = Bind([](std::uint32_t n) -> std::optional<double> {
    if (n % 2 != 0) return std::nullopt;
    return n / 2.0;
  });
  CHECK(Results(half.Get()) == std::vector{kI32, kF64});
  auto slots = fake.Slots(half.Get(), {10});
  CHECK(Low(slots[0]) == 1);
  CHECK(std::bit_cast<double>(slots[1]) == 5.0);
  slots = fake.Slots(half.Get(), {11});
  CHECK(Low(slots[0]) == 0);
  CHECK(slots[1] == 0);
  CHECK(slots[2] == 0xABABABABABABABAB);
}

TEST_CASE("a result in the leading form is an error number and the value") {
  FakeInstance fake;
  auto open = Bind([](std::uint32_t n) -> tenon::Result<std::uint64_t> {
    if (n == 0) return Errno{ENOENT};
    return n + (std::uint64_t{1} << 40);
  });
  CHECK(Results(open.Get()) == std::vector{kI32, kI64});
  auto slots = fake.Slots(open.Get(), {3});
  CHECK(Low(slots[0]) == 0);
  CHECK(slots[1] == (std::uint64_t{1} << 40) + 3);
  slots = fake.Slots(open.Get(), {0});
  CHECK(Low(slots[0]) == ENOENT);
  CHECK(slots[1] == 0);
  CHECK(fake.raised == 0);
}

TEST_CASE("a result without value is the error number alone") {
  FakeInstance fake;
  auto close = Bind([](std::uint32_t n) -> tenon::Result<void> {
    if (n == 0) return Errno{EBADF};
    return {};
  });
  CHECK(Results(close.Get()) == std::vector{kI32});
  CHECK(fake.Native<std::uint32_t>(close.Get(), 1u) == 0);
  CHECK(fake.Native<std::uint32_t>(close.Get(), 0u) == EBADF);
  // An error number by itself is no more than an enum.
  auto plain = Bind([](Errno number) { return number; });
  CHECK(fake.Native<std::uint32_t>(plain.Get(), 5u) == 5);
}

TEST_CASE("a result in the negative form is the value or minus the error's number") {
  FakeInstance fake;
  auto read = Bind([](std::int32_t n) -> tenon::Result<std::int32_t, NegativeErrno> {
    if (n < 0) return NegativeErrno{EAGAIN};
    return n;
  });
  CHECK(Results(read.Get()) == std::vector{kI32});
  CHECK(fake.Native<std::uint32_t>(read.Get(), 12u) == 12);
  CHECK(fake.Native<std::uint32_t>(read.Get(), 0xFFFFFFFFu) == 0u - EAGAIN);
  auto wide = Bind([](std::uint32_t n) -> tenon::Result<std::uint64_t, NegativeErrno> {
    if (n == 0) return NegativeErrno{EIO};
    return std::uint64_t{n} << 32;
  });
  CHECK(Results(wide.Get()) == std::vector{kI64});
  CHECK(fake.Native<std::uint64_t>(wide.Get(), 1u) == std::uint64_t{1} << 32);
  CHECK(static_cast<std::int64_t>(fake.Native<std::uint64_t>(wide.Get(), 0u)) == -EIO);
  auto nothing = Bind([](std::uint32_t n) -> tenon::Result<void, NegativeErrno> {
    if (n == 0) return NegativeErrno{EIO};
    return {};
  });
  CHECK(fake.Native<std::uint32_t>(nothing.Get(), 1u) == 0);
  CHECK(fake.Native<std::uint32_t>(nothing.Get(), 0u) == 0u - EIO);
  CHECK(fake.raised == 0);
}

TEST_CASE("a value that reads as an error, and an error that reads as a value, trap") {
  FakeInstance fake;
  auto value =
      Bind([](std::uint32_t n) -> tenon::Result<std::uint32_t, NegativeErrno> { return n; });
  CHECK(fake.Native<std::uint32_t>(value.Get(), 0x7FFFFFFFu) == 0x7FFFFFFF);
  CHECK(fake.raised == 0);
  CHECK(fake.Native<std::uint32_t>(value.Get(), 0x80000000u) == 0);
  CHECK(fake.trap == TrapCode::ResultOutOfRange);
  fake.Clear();
  auto negative =
      Bind([](std::int32_t n) -> tenon::Result<int, NegativeErrno> { return NegativeErrno{n}; });
  CHECK(fake.Native<std::uint32_t>(negative.Get(), 0u) == 0);
  CHECK(fake.trap == TrapCode::ResultOutOfRange);
  fake.Clear();
  CHECK(fake.Native<std::uint32_t>(negative.Get(), 0x80000000u) == 0);
  CHECK(fake.trap == TrapCode::ResultOutOfRange);
  fake.Clear();
  auto leading = Bind([](std::int32_t n) -> tenon::Result<void> { return Errno{n}; });
  CHECK(fake.Native<std::uint32_t>(leading.Get(), 0u) == 0);
  CHECK(fake.trap == TrapCode::ResultOutOfRange);
  fake.Clear();
  CHECK(fake.Native<std::uint32_t>(leading.Get(), 0xFFFFFFFFu) == 0xFFFFFFFF);
  CHECK(fake.raised == 0);
}

TEST_CASE("errors may be any enum, and any class with a number") {
  FakeInstance fake;
  auto device = Bind([]() -> tenon::Result<float, DeviceError> { return DeviceError::Gone; });
  CHECK(Low(fake.Slots(device.Get(), {})[0]) == 7);
  auto standard =
      Bind([]() -> tenon::Result<float, std::errc> { return std::errc::permission_denied; });
  CHECK(Low(fake.Slots(standard.Get(), {})[0]) == EACCES);
  auto fault = Bind([]() -> tenon::Result<int, Fault> { return Fault{11}; });
  CHECK(fake.Native<std::uint32_t>(fault.Get()) == 0u - 11u);
  auto same = Bind([](int n) -> tenon::Result<int, int> {
    if (n == 0) return tenon::Failure{9};
    return n;
  });
  CHECK(Low(fake.Slots(same.Get(), {0})[0]) == 9);
  CHECK(Low(fake.Slots(same.Get(), {4})[1]) == 4);
}

TEST_CASE("results hold tuples and each other") {
  FakeInstance fake;
  using Inner = std::optional<std::tuple<std::int32_t, double>>;
  auto nested = Bind([](std::uint32_t n) -> tenon::Result<Inner> {
    if (n == 0) return Errno{EIO};
    if (n == 1) return Inner{};
    return Inner{{-1, 2.5}};
  });
  CHECK(Results(nested.Get()) == std::vector{kI32, kI32, kI32, kF64});
  auto slots = fake.Slots(nested.Get(), {0});
  CHECK(Low(slots[0]) == EIO);
  CHECK((slots[1] | slots[2] | slots[3]) == 0);
  slots = fake.Slots(nested.Get(), {1});
  CHECK((slots[0] | slots[1] | slots[2] | slots[3]) == 0);
  slots = fake.Slots(nested.Get(), {2});
  CHECK(Low(slots[0]) == 0);
  CHECK(Low(slots[1]) == 1);
  CHECK(Low(slots[2]) == 0xFFFFFFFF);
  CHECK(std::bit_cast<double>(slots[3]) == 2.5);
  auto in_tuple = Bind(
      [] { return std::tuple{std::optional<tenon::V128>{tenon::V128{}}, std::optional<int>{5}}; });
  CHECK(Results(in_tuple.Get()) == std::vector{kI32, ValueType::V128, kI32, kI32});
  slots = fake.Slots(in_tuple.Get(), {});
  CHECK(Low(slots[0]) == 1);
  CHECK(Low(slots[3]) == 1);
  CHECK(Low(slots[4]) == 5);
}

TEST_CASE("a trait chooses what a result crosses as") {
  FakeInstance fake;
  auto parse = Bind([] { return Parsed{1.5, true}; });
  CHECK(Results(parse.Get()) == std::vector{kF64, kI32});
  const auto slots = fake.Slots(parse.Get(), {});
  CHECK(std::bit_cast<double>(slots[0]) == 1.5);
  CHECK(Low(slots[1]) == 1);
  auto maybe = Bind([] { return std::optional<Parsed>{}; });
  CHECK(Results(maybe.Get()) == std::vector{kI32, kF64, kI32});
}

TEST_CASE("a returned exit or trap ends the guest") {
  FakeInstance fake;
  auto exit = Bind([](std::uint32_t n) -> tenon::Result<std::uint32_t, tenon::Exit> {
    if (n != 0) return tenon::Exit{n};
    return 5u;
  });
  CHECK(Results(exit.Get()) == std::vector{kI32});
  CHECK(fake.Native<std::uint32_t>(exit.Get(), 0u) == 5);
  CHECK(fake.raised == 0);
  CHECK(fake.Native<std::uint32_t>(exit.Get(), 3u) == 0);
  CHECK(fake.exit_code == 3u);
  fake.Clear();
  auto both = Bind([](std::uint32_t n) -> tenon::Result<void, tenon::Ending> {
    if (n == 1) return tenon::Exit{4};
    if (n == 2) return tenon::HostTrap{"no such device"};
    return {};
  });
  CHECK(Results(both.Get()).empty());
  fake.Native<void>(both.Get(), 0u);
  CHECK(fake.raised == 0);
  fake.Native<void>(both.Get(), 1u);
  CHECK(fake.exit_code == 4u);
  fake.Clear();
  fake.Native<void>(both.Get(), 2u);
  CHECK(fake.trap == TrapCode::HostTrap);
  CHECK(std::string_view{fake.detail} == "no such device");
}

TEST_CASE("what a result holds is moved and destroyed once") {
  FakeInstance fake;
  struct Counted {
    explicit Counted(std::shared_ptr<int> owner) : value{std::move(owner)} {}
    std::shared_ptr<int> value;
  };
  const auto value = std::make_shared<int>(3);
  tenon::Result<Counted, Errno> held = Counted{value};
  CHECK(value.use_count() == 2);
  {
    tenon::Result<Counted, Errno> moved = std::move(held);
    CHECK(*moved->value == 3);
    const tenon::Result<Counted, Errno> copied = moved;
    CHECK(value.use_count() == 3);
    CHECK(copied.has_value());
  }
  CHECK(value.use_count() == 1);
  const tenon::Result<std::unique_ptr<int>> failed = Errno{EIO};
  CHECK(!failed);
  CHECK(failed.error() == Errno{EIO});
  CHECK_FALSE(std::is_copy_constructible_v<tenon::Result<std::unique_ptr<int>>>);
}

TEST_CASE("functions of guests return optionals and results by the same table") {
  using Optional = tenon::bind::CallSignature<std::optional<std::uint8_t>(int)>;
  CHECK(Optional::kResultCount == 2);
  CHECK(Optional::Load(std::vector<tenon::abi::Slot>{1, 200}.data()) == std::uint8_t{200});
  CHECK(Optional::Load(std::vector<tenon::abi::Slot>{0, 900}.data()) == std::nullopt);
  CHECK(Optional::CheckResults(std::vector<tenon::abi::Slot>{0, 900}.data()) == TrapCode::None);
  CHECK(Optional::CheckResults(std::vector<tenon::abi::Slot>{1, 900}.data()) ==
        TrapCode::ValueOutOfRange);

  using Leading = tenon::bind::CallSignature<tenon::Result<double>()>;
  const auto value =
      Leading::Load(std::vector<tenon::abi::Slot>{0, std::bit_cast<std::uint64_t>(2.5)}.data());
  CHECK(*value == 2.5);
  const auto error = Leading::Load(std::vector<tenon::abi::Slot>{EIO, 0}.data());
  CHECK(!error);
  CHECK(error.error() == Errno{EIO});

  using Negative = tenon::bind::CallSignature<tenon::Result<std::int64_t, NegativeErrno>()>;
  CHECK(*Negative::Load(std::vector<tenon::abi::Slot>{7}.data()) == 7);
  CHECK(Negative::Load(std::vector<tenon::abi::Slot>{0u - std::uint64_t{EIO}}.data()).error() ==
        NegativeErrno{EIO});
  CHECK(Negative::CheckResults(std::vector<tenon::abi::Slot>{std::uint64_t{1} << 63}.data()) ==
        TrapCode::ValueOutOfRange);
  using Narrow = tenon::bind::CallSignature<tenon::Result<std::int32_t, NegativeErrno>()>;
  CHECK(Narrow::CheckResults(std::vector<tenon::abi::Slot>{0x80000000}.data()) ==
        TrapCode::ValueOutOfRange);

  using Mapped = tenon::bind::CallSignature<Parsed()>;
  CHECK(Mapped::Load(std::vector<tenon::abi::Slot>{std::bit_cast<std::uint64_t>(4.0), 1}.data())
            .is_good);
  using Nothing = tenon::bind::CallSignature<tenon::Result<void>()>;
  CHECK(Nothing::Load(std::vector<tenon::abi::Slot>{0}.data()).has_value());
}
