// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of guest_function.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tenon/definition.hpp>
#include <tenon/error.hpp>
#include <tenon/guest_function.hpp>
#include <tenon/memory.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::detail {

TENON_DECL GuestCallForm FindGuestCallForm(const Function& function, const GuestCallShapes& shapes,
                                           bool is_managed) {
  const FunctionDefinition definition = function.Definition();
  const std::vector<ValueType>& results = definition.result_types;
  std::span<const ValueType> parameters = definition.parameter_types;
  GuestCallForm form;
  bool fits = true;
  const bool is_text = shapes.result == bind::GuestResultKind::Text;
  if (!is_text) {
    fits = std::ranges::equal(results, shapes.results);
  } else if (results == std::vector{ValueType::I32}) {
    form.text = is_managed ? GuestTextForm::Object : GuestTextForm::Terminated;
  } else if (results == std::vector{ValueType::I64}) {
    form.text = GuestTextForm::Packed;
  } else if (results == std::vector{ValueType::I32, ValueType::I32}) {
    form.text = GuestTextForm::Pair;
  } else if (results.empty() && !parameters.empty() && parameters.front() == ValueType::I32) {
    form.text = GuestTextForm::Area;
    parameters = parameters.subspan(1);
  } else {
    fits = false;
  }
  if (fits && std::ranges::equal(parameters, shapes.pairs)) return form;
  form.has_objects = true;
  if (fits && is_managed && std::ranges::equal(parameters, shapes.objects)) return form;
  std::string called_as = SignatureText(shapes.pairs, shapes.results);
  if (is_text) {
    called_as = SignatureText(shapes.pairs, std::vector{ValueType::I32}) +
                " (or i64, or (i32, i32), or an i32 more in front, for text)";
  } else if (shapes.result == bind::GuestResultKind::Place) {
    called_as += " (the i32 in front is the place for the result)";
  }
  throw ConfigError{ErrorCode::SignatureMismatch,
                    FormatError(ErrorCode::SignatureMismatch,
                                {definition.DebugName(), called_as, definition.Signature()})};
}

TENON_DECL void CheckGuestObject(const GuestAllocator& allocator, std::uint32_t offset,
                                 std::uint64_t size) {
  if (allocator.GuestMemory().View(offset, size).has_value()) return;
  const TrapCode code = TrapCode::OutOfBoundsMemoryAccess;
  throw Trap{
      code, std::string{TrapText(code)} + ": the result is an object outside of the memory", {}};
}

}  // namespace tenon::inline TENON_ABI::detail
