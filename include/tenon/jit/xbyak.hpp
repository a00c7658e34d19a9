// SPDX-License-Identifier: Apache-2.0
/// @file
/// The assembler that everything that writes machine code includes from here.
#pragma once

// xbyak's own warnings are not ours.
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include <xbyak/xbyak.h>
