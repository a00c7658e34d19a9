// SPDX-License-Identifier: Apache-2.0
/// @file
/// Error numbers of the host's system calls.
#pragma once

#include <cerrno>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>

// clang-format off
/// The one table of what <cerrno> has: X(macro, name in Errno).
#define TENON_WASI_HOST_ERRORS(X) \
  X(E2BIG, TooBig) X(EACCES, Acces) X(EADDRINUSE, Addrinuse) X(EADDRNOTAVAIL, Addrnotavail) \
  X(EAFNOSUPPORT, Afnosupport) X(EAGAIN, Again) X(EALREADY, Already) X(EBADF, Badf) \
  X(EBADMSG, Badmsg) X(EBUSY, Busy) X(ECANCELED, Canceled) X(ECHILD, Child) \
  X(ECONNABORTED, Connaborted) X(ECONNREFUSED, Connrefused) X(ECONNRESET, Connreset) \
  X(EDEADLK, Deadlk) X(EDESTADDRREQ, Destaddrreq) X(EDOM, Dom) X(EDQUOT, Dquot) \
  X(EEXIST, Exist) X(EFAULT, Fault) X(EFBIG, Fbig) X(EHOSTUNREACH, Hostunreach) X(EIDRM, Idrm) \
  X(EILSEQ, Ilseq) X(EINPROGRESS, Inprogress) X(EINTR, Intr) X(EINVAL, Inval) X(EIO, Io) \
  X(EISCONN, Isconn) X(EISDIR, Isdir) X(ELOOP, Loop) X(EMFILE, Mfile) X(EMLINK, Mlink) \
  X(EMSGSIZE, Msgsize) X(EMULTIHOP, Multihop) X(ENAMETOOLONG, Nametoolong) X(ENETDOWN, Netdown) X(ENETRESET, Netreset) \
  X(ENETUNREACH, Netunreach) X(ENFILE, Nfile) X(ENOBUFS, Nobufs) X(ENODEV, Nodev) \
  X(ENOENT, Noent) X(ENOEXEC, Noexec) X(ENOLCK, Nolck) X(ENOLINK, Nolink) X(ENOMEM, Nomem) X(ENOMSG, Nomsg) \
  X(ENOPROTOOPT, Noprotoopt) X(ENOSPC, Nospc) X(ENOSYS, Nosys) X(ENOTCONN, Notconn) \
  X(ENOTDIR, Notdir) X(ENOTEMPTY, Notempty) X(ENOTRECOVERABLE, Notrecoverable) \
  X(ENOTSOCK, Notsock) X(EOPNOTSUPP, Notsup) X(ENOTTY, Notty) X(ENXIO, Nxio) \
  X(EOVERFLOW, Overflow) X(EOWNERDEAD, Ownerdead) X(EPERM, Perm) X(EPIPE, Pipe) X(EPROTO, Proto) \
  X(EPROTONOSUPPORT, Protonosupport) X(EPROTOTYPE, Prototype) X(ERANGE, Range) X(EROFS, Rofs) \
  X(ESPIPE, Spipe) X(ESRCH, Srch) X(ESTALE, Stale) X(ETIMEDOUT, Timedout) X(ETXTBSY, Txtbsy) \
  X(EXDEV, Xdev)
// clang-format on

namespace tenon::inline TENON_ABI::wasi::detail {

/// What a guest is told of an error of the host; EIO for those that WASI does not have.
inline Errno ErrnoOf(int error) noexcept {
  switch (error) {
    case 0:
      return Errno::Success;
#define TENON_DETAIL_ROW(macro, name) \
  case macro:                         \
    return Errno::name;
      TENON_WASI_HOST_ERRORS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      return Errno::Io;
  }
}

/// Of a system call that gives -1 on failure.
inline Errno ErrnoOfCall(long result) noexcept {
  return result < 0 ? ErrnoOf(errno) : Errno::Success;
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
