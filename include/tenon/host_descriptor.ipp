// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of host_descriptor.hpp.
#pragma once

#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL HostDescriptor::Closer::~Closer() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tenon::inline TENON_ABI
