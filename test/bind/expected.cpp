// SPDX-License-Identifier: Apache-2.0
/// @file
/// A program of its own, built as C++23: host functions return std::expected where the library has
/// it. Exits with the number of the first check that fails.
#include <cerrno>
#include <cstdint>
#include <expected>
#include <system_error>

#include <tenon/bind.hpp>

#if defined(__cpp_lib_expected)
namespace {

std::expected<std::uint32_t, std::errc> Half(std::uint32_t n) {
  if (n % 2 != 0) return std::unexpected{std::errc::invalid_argument};
  return n / 2;
}

std::expected<void, tenon::Exit> Check(std::uint32_t n) {
  if (n != 0) return std::unexpected{tenon::Exit{n}};
  return {};
}

std::uint32_t exit_code = 0;

}  // namespace

int main() {
  using tenon::abi::InstanceHeader;
  using tenon::bind::OwnedHostFunction;
  tenon::abi::Operations operations{};
  operations.raise_exit = [](InstanceHeader*, std::uint32_t code) noexcept { exit_code = code; };
  InstanceHeader header{};
  header.operations = &operations;
  const OwnedHostFunction half{tenon::bind::MakeHostFunction(Half)};
  if (half.Get().signature->result_count != 2) return 1;
  using Code = void (*)(void*, InstanceHeader*, std::uint32_t, tenon::abi::Slot*);
  const auto code = reinterpret_cast<Code>(half.Get().signature->thunk);
  tenon::abi::Slot slots[2] = {9, 9};
  code(half.Get().state, &header, 8, slots);
  if (slots[0] != 0 || slots[1] != 4) return 2;
  code(half.Get().state, &header, 7, slots);
  if (slots[0] != EINVAL || slots[1] != 0) return 3;
  const OwnedHostFunction check{tenon::bind::MakeHostFunction(Check)};
  using Nothing = void (*)(void*, InstanceHeader*, std::uint32_t);
  reinterpret_cast<Nothing>(check.Get().signature->thunk)(check.Get().state, &header, 5);
  if (exit_code != 5) return 4;
  using Call = tenon::bind::CallSignature<std::expected<std::int32_t, tenon::NegativeErrno>()>;
  const tenon::abi::Slot error = 0u - std::uint32_t{EIO};
  if (Call::Load(&error).error() != tenon::NegativeErrno{EIO}) return 5;
  return 0;
}
#else
int main() { return 77; }  // skipped
#endif
