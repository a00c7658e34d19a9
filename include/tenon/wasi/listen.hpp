// SPDX-License-Identifier: Apache-2.0
/// @file
/// Sockets to give to guests.
#pragma once

#include <cstdint>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// A socket that listens for TCP connections, for SystemConfig::WithSocket. `host`: a name or
/// address of this machine, "" for all of them; port 0: any that is free. Throws ConfigError.
TENON_DECL HostDescriptor ListenTcp(const std::string& host, std::uint16_t port);

/// The port that a socket is bound to; 0 if it is none.
TENON_DECL std::uint16_t PortOf(const HostDescriptor& socket);

}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/listen.ipp>
#endif
