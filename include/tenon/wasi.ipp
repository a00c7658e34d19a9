// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi.hpp: the list of the functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasi/process.hpp>
#include <tenon/wasi/process.ipp>
#include <tenon/wasi/streams.hpp>
#include <tenon/wasi/streams.ipp>
#include <tenon/wasi/unsupported.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

TENON_DECL void Export(HostFunctionBuilder builder, std::string_view name,
                       std::initializer_list<const char*> parameters) {
  builder.WithParameterNames(std::vector<std::string>(parameters.begin(), parameters.end()))
      .Export(std::string{name});
}

/// Adds a function that answers an error number.
template <auto kFunction>
void Add(HostModuleBuilder& builder, std::string_view name,
         std::initializer_list<const char*> parameters) {
  Export(builder.NewFunctionBuilder().WithFunc<kFunction>().WithResultNames("errno"), name,
         parameters);
}

TENON_DECL void AddProcessFunctions(HostModuleBuilder& builder) {
  Add<&ArgsGet>(builder, "args_get", {"argv", "argv_buf"});
  Add<&ArgsSizesGet>(builder, "args_sizes_get", {"result.argc", "result.argv_len"});
  Add<&EnvironGet>(builder, "environ_get", {"environ", "environ_buf"});
  Add<&EnvironSizesGet>(builder, "environ_sizes_get", {"result.environc", "result.environv_len"});
  Add<&ClockResGet>(builder, "clock_res_get", {"id", "result.resolution"});
  Add<&ClockTimeGet>(builder, "clock_time_get", {"id", "precision", "result.timestamp"});
  Add<&RandomGet>(builder, "random_get", {"buf", "buf_len"});
  Add<&SchedYield>(builder, "sched_yield", {});
  Export(builder.NewFunctionBuilder().WithFunc<&ProcExit>(), "proc_exit", {"rval"});
}

TENON_DECL void AddStreamFunctions(HostModuleBuilder& builder) {
  Add<&FdClose>(builder, "fd_close", {"fd"});
  Add<&FdFdstatGet>(builder, "fd_fdstat_get", {"fd", "result.stat"});
  Add<&FdPrestatDirName>(builder, "fd_prestat_dir_name", {"fd", "result.path", "result.path_len"});
  Add<&FdPrestatGet>(builder, "fd_prestat_get", {"fd", "result.prestat"});
  Add<&FdRead>(builder, "fd_read", {"fd", "iovs", "iovs_len", "result.nread"});
  Add<&FdSeek>(builder, "fd_seek", {"fd", "offset", "whence", "result.newoffset"});
  Add<&FdTell>(builder, "fd_tell", {"fd", "result.offset"});
  Add<&FdWrite>(builder, "fd_write", {"fd", "iovs", "iovs_len", "result.nwritten"});
}

TENON_DECL void AddUnsupportedFunctions(HostModuleBuilder& builder) {
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  Add<&Unsupported<U32, U64, U64, U32>>(builder, "fd_advise", {"fd", "offset", "len", "advice"});
  Add<&Unsupported<U32, U64, U64>>(builder, "fd_allocate", {"fd", "offset", "len"});
  Add<&Unsupported<U32>>(builder, "fd_datasync", {"fd"});
  Add<&Unsupported<U32, U32>>(builder, "fd_fdstat_set_flags", {"fd", "flags"});
  Add<&Unsupported<U32, U64, U64>>(builder, "fd_fdstat_set_rights",
                                   {"fd", "fs_rights_base", "fs_rights_inheriting"});
  Add<&Unsupported<U32, U32>>(builder, "fd_filestat_get", {"fd", "result.filestat"});
  Add<&Unsupported<U32, U64>>(builder, "fd_filestat_set_size", {"fd", "size"});
  Add<&Unsupported<U32, U64, U64, U32>>(builder, "fd_filestat_set_times",
                                        {"fd", "atim", "mtim", "fst_flags"});
  Add<&Unsupported<U32, U32, U32, U64, U32>>(builder, "fd_pread",
                                             {"fd", "iovs", "iovs_len", "offset", "result.nread"});
  Add<&Unsupported<U32, U32, U32, U64, U32>>(
      builder, "fd_pwrite", {"fd", "iovs", "iovs_len", "offset", "result.nwritten"});
  Add<&Unsupported<U32, U32, U32, U64, U32>>(builder, "fd_readdir",
                                             {"fd", "buf", "buf_len", "cookie", "result.bufused"});
  Add<&Unsupported<U32, U32>>(builder, "fd_renumber", {"fd", "to"});
  Add<&Unsupported<U32>>(builder, "fd_sync", {"fd"});
  Add<&Unsupported<U32, U32, U32>>(builder, "path_create_directory", {"fd", "path", "path_len"});
  Add<&Unsupported<U32, U32, U32, U32, U32>>(
      builder, "path_filestat_get", {"fd", "flags", "path", "path_len", "result.filestat"});
  Add<&Unsupported<U32, U32, U32, U32, U64, U64, U32>>(
      builder, "path_filestat_set_times",
      {"fd", "flags", "path", "path_len", "atim", "mtim", "fst_flags"});
  Add<&Unsupported<U32, U32, U32, U32, U32, U32, U32>>(
      builder, "path_link",
      {"old_fd", "old_flags", "old_path", "old_path_len", "new_fd", "new_path", "new_path_len"});
  Add<&Unsupported<U32, U32, U32, U32, U32, U64, U64, U32, U32>>(
      builder, "path_open",
      {"fd", "dirflags", "path", "path_len", "oflags", "fs_rights_base", "fs_rights_inheriting",
       "fdflags", "result.opened_fd"});
  Add<&Unsupported<U32, U32, U32, U32, U32, U32>>(
      builder, "path_readlink", {"fd", "path", "path_len", "buf", "buf_len", "result.bufused"});
  Add<&Unsupported<U32, U32, U32>>(builder, "path_remove_directory", {"fd", "path", "path_len"});
  Add<&Unsupported<U32, U32, U32, U32, U32, U32>>(
      builder, "path_rename",
      {"fd", "old_path", "old_path_len", "new_fd", "new_path", "new_path_len"});
  Add<&Unsupported<U32, U32, U32, U32, U32>>(
      builder, "path_symlink", {"old_path", "old_path_len", "fd", "new_path", "new_path_len"});
  Add<&Unsupported<U32, U32, U32>>(builder, "path_unlink_file", {"fd", "path", "path_len"});
  Add<&Unsupported<U32, U32, U32, U32>>(builder, "poll_oneoff",
                                        {"in", "out", "nsubscriptions", "result.nevents"});
  Add<&Unsupported<U32>>(builder, "proc_raise", {"sig"});
  Add<&Unsupported<U32, U32, U32>>(builder, "sock_accept", {"fd", "flags", "result.fd"});
  Add<&Unsupported<U32, U32, U32, U32, U32, U32>>(
      builder, "sock_recv",
      {"fd", "ri_data", "ri_data_len", "ri_flags", "result.ro_datalen", "result.ro_flags"});
  Add<&Unsupported<U32, U32, U32, U32, U32>>(
      builder, "sock_send", {"fd", "si_data", "si_data_len", "si_flags", "result.so_datalen"});
  Add<&Unsupported<U32, U32>>(builder, "sock_shutdown", {"fd", "how"});
}

}  // namespace detail

TENON_DECL HostModuleBuilder AddFunctions(HostModuleBuilder builder) {
  detail::AddProcessFunctions(builder);
  detail::AddStreamFunctions(builder);
  detail::AddUnsupportedFunctions(builder);
  return builder;
}

TENON_DECL CompiledModule Compile(const Runtime& runtime, std::string_view name) {
  return AddFunctions(runtime.NewHostModuleBuilder(std::string{name})).Compile();
}

TENON_DECL Module Instantiate(const Runtime& runtime, std::string_view name) {
  return AddFunctions(runtime.NewHostModuleBuilder(std::string{name})).Instantiate();
}

}  // namespace tenon::inline TENON_ABI::wasi
