// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI functions of file descriptors, for the three standard streams.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/errno.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

// Parameters have the names and order of the specification. A descriptor other than an open one of
// the three gives EBADF. Pointers come from the guest and may be anything; where one is out of
// bounds the answer is EFAULT, and nothing was read or written.

TENON_DECL Errno FdClose(Module& caller, std::uint32_t fd);
TENON_DECL Errno FdFdstatGet(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t stat);
/// No directory is preopened: always EBADF.
TENON_DECL Errno FdPrestatGet(std::uint32_t fd, std::uint32_t prestat);
/// No directory is preopened: always EBADF.
TENON_DECL Errno FdPrestatDirName(std::uint32_t fd, std::uint32_t path, std::uint32_t path_len);
/// Reads from standard input once, into the first buffer that is not empty.
TENON_DECL Errno FdRead(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t iovs,
                        std::uint32_t iovs_len, std::uint32_t nread);
/// Streams cannot seek: ESPIPE.
TENON_DECL Errno FdSeek(Module& caller, std::uint32_t fd, std::int64_t offset, std::uint32_t whence,
                        std::uint32_t newoffset);
/// Streams have no position: ESPIPE.
TENON_DECL Errno FdTell(Module& caller, std::uint32_t fd, std::uint32_t offset);
/// Writes to standard output or error. A stream that fails gives EIO, or success with fewer bytes
/// if it took some.
TENON_DECL Errno FdWrite(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t iovs,
                         std::uint32_t iovs_len, std::uint32_t nwritten);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/streams.ipp>
#endif
