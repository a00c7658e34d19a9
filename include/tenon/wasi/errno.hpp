// SPDX-License-Identifier: Apache-2.0
/// @file
/// Error numbers of WASI preview 1.
#pragma once

#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>

// clang-format off
/// The one table of error numbers: X(name, number, text, meaning).
#define TENON_WASI_ERRNOS(X) \
  X(Success, 0, "ESUCCESS", "no error") \
  X(TooBig, 1, "E2BIG", "argument list too long") \
  X(Acces, 2, "EACCES", "permission denied") \
  X(Addrinuse, 3, "EADDRINUSE", "address in use") \
  X(Addrnotavail, 4, "EADDRNOTAVAIL", "address not available") \
  X(Afnosupport, 5, "EAFNOSUPPORT", "address family not supported") \
  X(Again, 6, "EAGAIN", "resource unavailable, try again") \
  X(Already, 7, "EALREADY", "connection already in progress") \
  X(Badf, 8, "EBADF", "bad file descriptor") \
  X(Badmsg, 9, "EBADMSG", "bad message") \
  X(Busy, 10, "EBUSY", "device or resource busy") \
  X(Canceled, 11, "ECANCELED", "operation canceled") \
  X(Child, 12, "ECHILD", "no child processes") \
  X(Connaborted, 13, "ECONNABORTED", "connection aborted") \
  X(Connrefused, 14, "ECONNREFUSED", "connection refused") \
  X(Connreset, 15, "ECONNRESET", "connection reset") \
  X(Deadlk, 16, "EDEADLK", "resource deadlock would occur") \
  X(Destaddrreq, 17, "EDESTADDRREQ", "destination address required") \
  X(Dom, 18, "EDOM", "argument out of the function's domain") \
  X(Dquot, 19, "EDQUOT", "reserved") \
  X(Exist, 20, "EEXIST", "file exists") \
  X(Fault, 21, "EFAULT", "bad address") \
  X(Fbig, 22, "EFBIG", "file too large") \
  X(Hostunreach, 23, "EHOSTUNREACH", "host is unreachable") \
  X(Idrm, 24, "EIDRM", "identifier removed") \
  X(Ilseq, 25, "EILSEQ", "illegal byte sequence") \
  X(Inprogress, 26, "EINPROGRESS", "operation in progress") \
  X(Intr, 27, "EINTR", "interrupted function") \
  X(Inval, 28, "EINVAL", "invalid argument") \
  X(Io, 29, "EIO", "input/output error") \
  X(Isconn, 30, "EISCONN", "socket is connected") \
  X(Isdir, 31, "EISDIR", "is a directory") \
  X(Loop, 32, "ELOOP", "too many levels of symbolic links") \
  X(Mfile, 33, "EMFILE", "too many open files") \
  X(Mlink, 34, "EMLINK", "too many links") \
  X(Msgsize, 35, "EMSGSIZE", "message too large") \
  X(Multihop, 36, "EMULTIHOP", "reserved") \
  X(Nametoolong, 37, "ENAMETOOLONG", "file name too long") \
  X(Netdown, 38, "ENETDOWN", "network is down") \
  X(Netreset, 39, "ENETRESET", "connection aborted by the network") \
  X(Netunreach, 40, "ENETUNREACH", "network unreachable") \
  X(Nfile, 41, "ENFILE", "too many files open in the system") \
  X(Nobufs, 42, "ENOBUFS", "no buffer space available") \
  X(Nodev, 43, "ENODEV", "no such device") \
  X(Noent, 44, "ENOENT", "no such file or directory") \
  X(Noexec, 45, "ENOEXEC", "executable file format error") \
  X(Nolck, 46, "ENOLCK", "no locks available") \
  X(Nolink, 47, "ENOLINK", "reserved") \
  X(Nomem, 48, "ENOMEM", "not enough memory") \
  X(Nomsg, 49, "ENOMSG", "no message of the desired type") \
  X(Noprotoopt, 50, "ENOPROTOOPT", "protocol not available") \
  X(Nospc, 51, "ENOSPC", "no space left on device") \
  X(Nosys, 52, "ENOSYS", "function not supported") \
  X(Notconn, 53, "ENOTCONN", "the socket is not connected") \
  X(Notdir, 54, "ENOTDIR", "not a directory") \
  X(Notempty, 55, "ENOTEMPTY", "directory not empty") \
  X(Notrecoverable, 56, "ENOTRECOVERABLE", "state not recoverable") \
  X(Notsock, 57, "ENOTSOCK", "not a socket") \
  X(Notsup, 58, "ENOTSUP", "not supported") \
  X(Notty, 59, "ENOTTY", "inappropriate I/O control operation") \
  X(Nxio, 60, "ENXIO", "no such device or address") \
  X(Overflow, 61, "EOVERFLOW", "value too large for its type") \
  X(Ownerdead, 62, "EOWNERDEAD", "previous owner died") \
  X(Perm, 63, "EPERM", "operation not permitted") \
  X(Pipe, 64, "EPIPE", "broken pipe") \
  X(Proto, 65, "EPROTO", "protocol error") \
  X(Protonosupport, 66, "EPROTONOSUPPORT", "protocol not supported") \
  X(Prototype, 67, "EPROTOTYPE", "wrong protocol type for the socket") \
  X(Range, 68, "ERANGE", "result too large") \
  X(Rofs, 69, "EROFS", "read-only file system") \
  X(Spipe, 70, "ESPIPE", "invalid seek") \
  X(Srch, 71, "ESRCH", "no such process") \
  X(Stale, 72, "ESTALE", "reserved") \
  X(Timedout, 73, "ETIMEDOUT", "connection timed out") \
  X(Txtbsy, 74, "ETXTBSY", "text file busy") \
  X(Xdev, 75, "EXDEV", "cross-device link") \
  X(Notcapable, 76, "ENOTCAPABLE", "capabilities insufficient")
// clang-format on

namespace tenon::inline TENON_ABI::wasi {

/// What a function of WASI answers. Numbers are those of the specification.
enum class Errno : std::uint16_t {
#define TENON_DETAIL_ROW(name, number, text, meaning) name = number,
  TENON_WASI_ERRNOS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// Name of an error number, as in "EBADF"; "" for an unknown one.
constexpr std::string_view ErrnoName(Errno error) {
  switch (error) {
#define TENON_DETAIL_ROW(name, number, text, meaning) \
  case Errno::name:                                   \
    return text;
    TENON_WASI_ERRNOS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  }
  return {};
}

}  // namespace tenon::inline TENON_ABI::wasi
