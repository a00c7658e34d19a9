// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arguments and result patterns of spec scripts.
#pragma once

#include <string>

#include <tenon/value.hpp>

#include "../support/json.hpp"

namespace spec {

/// The value that an argument of a script stands for. Host reference number n is the ExternRef with
/// the value n + 1. Throws std::runtime_error for types that tenon::Value does not carry.
tenon::Value ReadArgument(const support::Json& argument);

/// Whether a result is what the pattern asks for.
bool Matches(const tenon::Value& value, const support::Json& pattern);

/// For messages: type, and the value in a form that shows all its bits.
std::string Describe(const tenon::Value& value);
std::string Describe(const support::Json& pattern);

}  // namespace spec
