// SPDX-License-Identifier: Apache-2.0
/// @file
/// A program of its own, with a Boost.PFR that knows names of fields: operands of flattened structs
/// have them. Exits with the number of the first check that fails.
#include <cstdint>
#include <string_view>

#include <tenon/aggregate.hpp>
#include <tenon/bind.hpp>

namespace {

struct Point {
  std::int32_t x, y;
  // Pieces of a longer text, as a Boost.PFR that cuts them out of a function's name has them.
  static constexpr std::string_view kText = "x, ordinate";
  static constexpr std::string_view kNames[] = {kText.substr(0, 1), kText.substr(3)};
};

std::int32_t Height(tenon::Flat<Point> point, std::int32_t scale) { return point->y * scale; }

}  // namespace

int main() {
  const tenon::bind::OwnedHostFunction height{tenon::bind::MakeHostFunction(Height)};
  const tenon::abi::HostSignature& signature = *height.Get().signature;
  if (signature.parameter_count != 3 || signature.operand_names == nullptr) return 1;
  const char* const* names = signature.operand_names;
  if (names[0] == nullptr || names[0] != std::string_view{"x"}) return 2;
  if (names[1] == nullptr || names[1] != std::string_view{"ordinate"}) return 3;
  return names[2] == nullptr ? 0 : 4;
}
