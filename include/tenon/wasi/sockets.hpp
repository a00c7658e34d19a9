// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI functions of sockets, the `sock_` ones.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

// As in descriptors.hpp. What is no socket is ENOTSOCK.

/// Waits for a connection, unless the listener is non-blocking. `flags`: none, or non-blocking.
TENON_DECL Errno SockAccept(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t flags,
                            Place<std::uint32_t> accepted);
/// `flags`: to look only (1), to wait until the buffers are full (2).
TENON_DECL Errno SockRecv(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size,
                          Place<std::uint16_t> out_flags);
/// `flags` must be 0.
TENON_DECL Errno SockSend(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size);
/// `how`: receiving (1), sending (2), both (3).
TENON_DECL Errno SockShutdown(Module& caller, std::uint32_t fd, std::uint32_t how);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/sockets.ipp>
#endif
