// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI as a module: its functions and types, names, replacement of single functions.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasi/types.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::wasi::Errno;

namespace {

/// Parameters of a function: types, 'i' is i32 and 'I' is i64, and names, those of places for
/// results with "result." in front.
struct Parameters {
  std::string letters;
  std::string names;
  bool operator==(const Parameters&) const = default;
};

/// Of every function of preview 1, as in the specification. All but proc_exit have one result, i32.
const std::map<std::string, Parameters> kParameters = {
    {"args_get", {"ii", "argv argv_buf"}},
    {"args_sizes_get", {"ii", "result.argc result.argv_buf_size"}},
    {"clock_res_get", {"ii", "id result.resolution"}},
    {"clock_time_get", {"iIi", "id precision result.time"}},
    {"environ_get", {"ii", "environ environ_buf"}},
    {"environ_sizes_get", {"ii", "result.environc result.environ_buf_size"}},
    {"fd_advise", {"iIIi", "fd offset len advice"}},
    {"fd_allocate", {"iII", "fd offset len"}},
    {"fd_close", {"i", "fd"}},
    {"fd_datasync", {"i", "fd"}},
    {"fd_fdstat_get", {"ii", "fd result.stat"}},
    {"fd_fdstat_set_flags", {"ii", "fd flags"}},
    {"fd_fdstat_set_rights", {"iII", "fd fs_rights_base fs_rights_inheriting"}},
    {"fd_filestat_get", {"ii", "fd result.buf"}},
    {"fd_filestat_set_size", {"iI", "fd size"}},
    {"fd_filestat_set_times", {"iIIi", "fd atim mtim fst_flags"}},
    {"fd_pread", {"iiiIi", "fd iovs iovs_len offset result.nread"}},
    {"fd_prestat_dir_name", {"iii", "fd path path_len"}},
    {"fd_prestat_get", {"ii", "fd result.buf"}},
    {"fd_pwrite", {"iiiIi", "fd iovs iovs_len offset result.nwritten"}},
    {"fd_read", {"iiii", "fd iovs iovs_len result.nread"}},
    {"fd_readdir", {"iiiIi", "fd buf buf_len cookie result.bufused"}},
    {"fd_renumber", {"ii", "fd to"}},
    {"fd_seek", {"iIii", "fd offset whence result.newoffset"}},
    {"fd_sync", {"i", "fd"}},
    {"fd_tell", {"ii", "fd result.offset"}},
    {"fd_write", {"iiii", "fd iovs iovs_len result.nwritten"}},
    {"path_create_directory", {"iii", "fd path path_len"}},
    {"path_filestat_get", {"iiiii", "fd flags path path_len result.buf"}},
    {"path_filestat_set_times", {"iiiiIIi", "fd flags path path_len atim mtim fst_flags"}},
    {"path_link",
     {"iiiiiii", "old_fd old_flags old_path old_path_len new_fd new_path new_path_len"}},
    {"path_open",
     {"iiiiiIIii",
      "fd dirflags path path_len oflags fs_rights_base fs_rights_inheriting fdflags "
      "result.opened_fd"}},
    {"path_readlink", {"iiiiii", "fd path path_len buf buf_len result.bufused"}},
    {"path_remove_directory", {"iii", "fd path path_len"}},
    {"path_rename", {"iiiiii", "fd old_path old_path_len new_fd new_path new_path_len"}},
    {"path_symlink", {"iiiii", "old_path old_path_len fd new_path new_path_len"}},
    {"path_unlink_file", {"iii", "fd path path_len"}},
    {"poll_oneoff", {"iiii", "in out nsubscriptions result.nevents"}},
    {"proc_exit", {"i", "rval"}},
    {"proc_raise", {"i", "sig"}},
    {"random_get", {"ii", "buf buf_len"}},
    {"sched_yield", {"", ""}},
    {"sock_accept", {"iii", "fd flags result.fd"}},
    {"sock_recv", {"iiiiii", "fd ri_data ri_data_len ri_flags result.ro_datalen result.ro_flags"}},
    {"sock_send", {"iiiii", "fd si_data si_data_len si_flags result.so_datalen"}},
    {"sock_shutdown", {"ii", "fd how"}},
};

using Names = std::vector<std::string>;
using Offsets = std::vector<std::uint64_t>;

/// Where the fields of a struct begin, and its size.
template <class S>
Offsets Layout() {
  using Layout = tenon::bind::GuestLayout<S>;
  const auto& offsets = Layout::kOffsets;
  Offsets found(std::begin(offsets), std::end(offsets) - 1);
  found.push_back(Layout::kSize);
  return found;
}

std::string Letters(const std::vector<tenon::ValueType>& types) {
  std::string letters;
  for (const tenon::ValueType type : types) {
    letters += type == tenon::ValueType::I32 ? 'i' : type == tenon::ValueType::I64 ? 'I' : '?';
  }
  return letters;
}

}  // namespace

TEST_CASE("WASI has the 46 functions of preview 1 with the specification's types and names") {
  const tenon::Runtime runtime;
  for (const std::string_view name : {tenon::wasi::kModuleName, tenon::wasi::kUnstableModuleName}) {
    const tenon::CompiledModule compiled = tenon::wasi::Compile(runtime, name);
    CHECK(compiled.Name() == name);
    CHECK(compiled.IsHostModule());
    std::map<std::string, Parameters> found;
    for (const tenon::FunctionDefinition& function : compiled.ExportedFunctions()) {
      REQUIRE(function.export_names.size() == 1);
      const std::string& exported = function.export_names[0];
      INFO(exported);
      CHECK(function.name == exported);
      const bool has_result = exported != "proc_exit";
      CHECK(Letters(function.result_types) == (has_result ? "i" : ""));
      CHECK(function.result_names == Names(has_result ? 1 : 0, "error"));
      std::string names;
      for (const std::string& parameter : function.parameter_names) {
        names += (names.empty() ? "" : " ") + parameter;
      }
      found[exported] = {Letters(function.parameter_types), names};
    }
    CHECK(kParameters.size() == 46);
    CHECK(found.size() == 46);
    for (const auto& [function, parameters] : kParameters) {
      INFO(function);
      CHECK(found[function].letters == parameters.letters);
      CHECK(found[function].names == parameters.names);
    }
  }
}

TEST_CASE("structs lie in memory as the specification has them") {
  using namespace tenon::wasi::detail;
  CHECK(Layout<Fdstat>() == Offsets{0, 2, 8, 16, 24});
  CHECK(Layout<Filestat<Version::Preview1>>() == Offsets{0, 8, 16, 24, 32, 40, 48, 56, 64});
  CHECK(Layout<Filestat<Version::Unstable>>() == Offsets{0, 8, 16, 20, 24, 32, 40, 48, 56});
  CHECK(Layout<Prestat>() == Offsets{0, 4, 8});
  CHECK(Layout<DirectoryEntryHead>() == Offsets{0, 8, 16, 20, 24});
  CHECK(Layout<Subscription<Version::Preview1>>() == Offsets{0, 8, 16, 48});
  CHECK(Layout<SubscriptionBody<Version::Preview1>>() == Offsets{0, 8, 16, 24, 32});
  CHECK(Layout<Subscription<Version::Unstable>>() == Offsets{0, 8, 16, 56});
  CHECK(Layout<SubscriptionBody<Version::Unstable>>() == Offsets{0, 8, 16, 24, 32, 40});
  CHECK(Layout<Event>() == Offsets{0, 8, 10, 16, 24, 32});
  CHECK(Layout<Iovec>() == Offsets{0, 4, 8});
}

TEST_CASE("rights have the bits of the specification") {
  constexpr std::string_view kOrder =
      "FdDatasync FdRead FdSeek FdFdstatSetFlags FdSync FdTell FdWrite FdAdvise FdAllocate "
      "PathCreateDirectory PathCreateFile PathLinkSource PathLinkTarget PathOpen FdReaddir "
      "PathReadlink PathRenameSource PathRenameTarget PathFilestatGet PathFilestatSetSize "
      "PathFilestatSetTimes FdFilestatGet FdFilestatSetSize FdFilestatSetTimes PathSymlink "
      "PathRemoveDirectory PathUnlinkFile PollFdReadwrite SockShutdown SockAccept";
  std::string order;
#define TENON_TEST_ROW(name, bit)                                        \
  order += (order.empty() ? "" : " ") + std::string{#name};              \
  CHECK(tenon::wasi::detail::right::k##name == std::uint64_t{1} << bit); \
  CHECK(std::ranges::count(order, ' ') == bit);
  TENON_WASI_RIGHTS(TENON_TEST_ROW)
#undef TENON_TEST_ROW
  CHECK(order == kOrder);
}

TEST_CASE("WASI can be instantiated under the old name beside the new one") {
  const tenon::Runtime runtime;
  CHECK(tenon::wasi::Instantiate(runtime).Name() == "wasi_snapshot_preview1");
  const tenon::Module unstable =
      tenon::wasi::Instantiate(runtime, tenon::wasi::kUnstableModuleName);
  CHECK(unstable.Name() == "wasi_unstable");
  CHECK(runtime.FindModule("wasi_unstable") == unstable);
  CHECK(Thrown<tenon::LinkError>([&] { tenon::wasi::Instantiate(runtime); }).Id() ==
        tenon::ErrorCode::ModuleAlreadyInstantiated);
}

TEST_CASE("a guest of the old name finds the functions there") {
  const tenon::Runtime runtime;
  const tenon::CompiledModule wasi =
      tenon::wasi::Compile(runtime, tenon::wasi::kUnstableModuleName);
  runtime.InstantiateModule(wasi);
  const tenon::Module guest = runtime.Instantiate(ForwarderOf(wasi));
  CHECK(guest.ExportedFunction<Errno()>("sched_yield")() == Errno::Success);
}

TEST_CASE("a function of WASI exported again replaces the library's") {
  const tenon::Runtime runtime;
  int yields = 0;
  const tenon::CompiledModule compiled =
      tenon::wasi::AddFunctions(runtime.NewHostModuleBuilder("wasi_snapshot_preview1"))
          .NewFunctionBuilder()
          .WithFunc([&yields] {
            ++yields;
            return Errno::Again;
          })
          .Export("sched_yield")
          .Compile();
  CHECK(compiled.ExportedFunctions().size() == 46);
  runtime.InstantiateModule(compiled);
  const tenon::Module guest = runtime.Instantiate(ForwarderOf(compiled));
  CHECK(guest.ExportedFunction<Errno()>("sched_yield")() == Errno::Again);
  CHECK(yields == 1);
}

TEST_CASE("WASI functions can be added to a module that has others") {
  const tenon::Runtime runtime;
  const auto compiled = tenon::wasi::AddFunctions(runtime.NewHostModuleBuilder("env")
                                                      .NewFunctionBuilder()
                                                      .WithFunc([] { return 7; })
                                                      .Export("seven"))
                            .Compile();
  CHECK(compiled.ExportedFunctions().size() == 47);
}

TEST_CASE("a guest without memory cannot import a WASI function that needs one") {
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  tenon::wasm::ModuleBuilder builder;
  builder.ImportFunction(
      "wasi_snapshot_preview1", "args_get",
      builder.Type({tenon::ValueType::I32, tenon::ValueType::I32}, {tenon::ValueType::I32}));
  CHECK(Thrown<tenon::LinkError>([&] { runtime.Instantiate(builder.Build()); }).Id() ==
        tenon::ErrorCode::ImportNeedsMemory);
}

TEST_CASE("error numbers are those of the specification") {
  constexpr std::string_view kOrder =
      "SUCCESS 2BIG ACCES ADDRINUSE ADDRNOTAVAIL AFNOSUPPORT AGAIN ALREADY BADF BADMSG BUSY "
      "CANCELED CHILD CONNABORTED CONNREFUSED CONNRESET DEADLK DESTADDRREQ DOM DQUOT EXIST FAULT "
      "FBIG HOSTUNREACH IDRM ILSEQ INPROGRESS INTR INVAL IO ISCONN ISDIR LOOP MFILE MLINK MSGSIZE "
      "MULTIHOP NAMETOOLONG NETDOWN NETRESET NETUNREACH NFILE NOBUFS NODEV NOENT NOEXEC NOLCK "
      "NOLINK NOMEM NOMSG NOPROTOOPT NOSPC NOSYS NOTCONN NOTDIR NOTEMPTY NOTRECOVERABLE NOTSOCK "
      "NOTSUP NOTTY NXIO OVERFLOW OWNERDEAD PERM PIPE PROTO PROTONOSUPPORT PROTOTYPE RANGE ROFS "
      "SPIPE SRCH STALE TIMEDOUT TXTBSY XDEV NOTCAPABLE";
  std::istringstream order{std::string{kOrder}};
  std::uint16_t number = 0;
  for (std::string name; order >> name; ++number) {
    CHECK(tenon::wasi::ErrnoName(Errno{number}) == "E" + name);
  }
  CHECK(number == 77);
  CHECK(tenon::wasi::ErrnoName(Errno{77}).empty());
}
