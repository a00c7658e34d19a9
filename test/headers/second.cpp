// SPDX-License-Identifier: Apache-2.0
/// @file
/// The other of two translation units that include every header, in the opposite order and twice.
#include "every_header.hpp"
#include "every_header_backwards.hpp"

const void* SecondUnitAddress() { return reinterpret_cast<const void*>(&tenon::TrapText); }

void SecondUnitThrow() { throw tenon::LinkError{tenon::ErrorCode::None, "from the second unit"}; }
