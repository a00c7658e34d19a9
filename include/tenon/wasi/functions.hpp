// SPDX-License-Identifier: Apache-2.0
/// @file
/// The functions of WASI preview 1.
#pragma once

#include <tenon/abi/config.hpp>

// clang-format off
/// The one table of the functions, from which both versions are made: X(name, C++ function, names of
/// the C++ parameters...), where a parameter of two operands names `p` and `p_len`. Names are those of
/// the specification; where a result goes to memory, its name with "result." in front is that of the
/// place. The functions in V are templates on the version.
#define TENON_WASI_FUNCTIONS(X, V) \
  X(args_get, ArgsGet, "argv", "argv_buf") \
  X(args_sizes_get, ArgsSizesGet, "result.argc", "result.argv_buf_size") \
  X(environ_get, EnvironGet, "environ", "environ_buf") \
  X(environ_sizes_get, EnvironSizesGet, "result.environc", "result.environ_buf_size") \
  X(clock_res_get, ClockResGet, "id", "result.resolution") \
  X(clock_time_get, ClockTimeGet, "id", "precision", "result.time") \
  X(fd_advise, FdAdvise, "fd", "offset", "len", "advice") \
  X(fd_allocate, FdAllocate, "fd", "offset", "len") \
  X(fd_close, FdClose, "fd") \
  X(fd_datasync, FdDatasync, "fd") \
  X(fd_fdstat_get, FdFdstatGet, "fd", "result.stat") \
  X(fd_fdstat_set_flags, FdFdstatSetFlags, "fd", "flags") \
  X(fd_fdstat_set_rights, FdFdstatSetRights, "fd", "fs_rights_base", "fs_rights_inheriting") \
  V(fd_filestat_get, FdFilestatGet, "fd", "result.buf") \
  X(fd_filestat_set_size, FdFilestatSetSize, "fd", "size") \
  X(fd_filestat_set_times, FdFilestatSetTimes, "fd", "atim", "mtim", "fst_flags") \
  X(fd_pread, FdPread, "fd", "iovs", "offset", "result.nread") \
  X(fd_prestat_get, FdPrestatGet, "fd", "result.buf") \
  X(fd_prestat_dir_name, FdPrestatDirName, "fd", "path") \
  X(fd_pwrite, FdPwrite, "fd", "iovs", "offset", "result.nwritten") \
  X(fd_read, FdRead, "fd", "iovs", "result.nread") \
  X(fd_readdir, FdReaddir, "fd", "buf", "cookie", "result.bufused") \
  X(fd_renumber, FdRenumber, "fd", "to") \
  V(fd_seek, FdSeek, "fd", "offset", "whence", "result.newoffset") \
  X(fd_sync, FdSync, "fd") \
  X(fd_tell, FdTell, "fd", "result.offset") \
  X(fd_write, FdWrite, "fd", "iovs", "result.nwritten") \
  X(path_create_directory, PathCreateDirectory, "fd", "path") \
  V(path_filestat_get, PathFilestatGet, "fd", "flags", "path", "result.buf") \
  X(path_filestat_set_times, PathFilestatSetTimes, "fd", "flags", "path", "atim", "mtim", "fst_flags") \
  X(path_link, PathLink, "old_fd", "old_flags", "old_path", "new_fd", "new_path") \
  X(path_open, PathOpen, "fd", "dirflags", "path", "oflags", "fs_rights_base", "fs_rights_inheriting", "fdflags", "result.opened_fd") \
  X(path_readlink, PathReadlink, "fd", "path", "buf", "result.bufused") \
  X(path_remove_directory, PathRemoveDirectory, "fd", "path") \
  X(path_rename, PathRename, "fd", "old_path", "new_fd", "new_path") \
  X(path_symlink, PathSymlink, "old_path", "fd", "new_path") \
  X(path_unlink_file, PathUnlinkFile, "fd", "path") \
  V(poll_oneoff, PollOneoff, "in", "out", "nsubscriptions", "result.nevents") \
  X(proc_exit, ProcExit, "rval") \
  X(proc_raise, ProcRaise, "sig") \
  X(sched_yield, SchedYield) \
  X(random_get, RandomGet, "buf") \
  X(sock_accept, SockAccept, "fd", "flags", "result.fd") \
  X(sock_recv, SockRecv, "fd", "ri_data", "ri_flags", "result.ro_datalen", "result.ro_flags") \
  X(sock_send, SockSend, "fd", "si_data", "si_flags", "result.so_datalen") \
  X(sock_shutdown, SockShutdown, "fd", "how")
// clang-format on
