// SPDX-License-Identifier: Apache-2.0
/// @file
/// The functions of WASI that this release answers with ENOSYS, so that guests link and can go on
/// without them.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

template <class... Operands>
Errno Unsupported(Operands...) {
  return Errno::Nosys;
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
