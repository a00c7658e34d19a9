// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a program that only describes bindings includes: no engine, no heavy standard headers.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>

// IWYU pragma: begin_exports
#include <tenon/abi/host_function.hpp>
#include <tenon/bind/call_signature.hpp>
#include <tenon/bind/host_function.hpp>
#include <tenon/bind/nullable.hpp>
#include <tenon/c_string.hpp>
#include <tenon/fwd.hpp>
#include <tenon/guest_atomic.hpp>
#include <tenon/guest_pointer.hpp>
#include <tenon/guest_view.hpp>
#include <tenon/in_out.hpp>
#include <tenon/ref.hpp>
#include <tenon/reference.hpp>
#include <tenon/result.hpp>
#include <tenon/wide.hpp>
// IWYU pragma: end_exports
