// SPDX-License-Identifier: Apache-2.0
/// @file
/// The log of what guests ask of WASI.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::LogScopes;
using tenon::wasi::Errno;

namespace {

using Lines = std::vector<std::string>;

/// A forwarder whose calls of WASI are written to `lines`.
struct TracedGuest {
  explicit TracedGuest(LogScopes scopes = LogScopes::All)
      : runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
            tenon::wasi::NewLoggingListenerFactory(
                [this](const std::string& line) { lines.push_back(line); }, scopes))} {}

  void Start(const tenon::CompiledModule& wasi) {
    runtime.InstantiateModule(wasi);
    const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
    files->WriteFile("notes.txt", "0123456789");
    guest = runtime.Instantiate(ForwarderOf(wasi), tenon::ModuleConfig{}.WithFSConfig(
                                                       tenon::FSConfig{}.WithFSMount(files, "/")));
    memory = guest.ExportedMemory("memory");
  }
  template <class... Arguments>
  Errno Call(const char* name, Arguments... arguments) {
    return guest.ExportedFunction<Errno(Arguments...)>(name)(arguments...);
  }
  Lines Take() { return std::exchange(lines, {}); }

  Lines lines;
  tenon::Runtime runtime;
  tenon::Module guest;
  tenon::Memory memory;
};

}  // namespace

TEST_CASE("a trace has paths as text, results as numbers and errors by name") {
  for (const std::string name : {"wasi_snapshot_preview1", "wasi_unstable"}) {
    TracedGuest traced;
    traced.Start(tenon::wasi::Compile(traced.runtime, name));
    traced.memory.WriteString(1024, "notes.txt");
    CHECK(traced.Call("path_open", 3u, 1u, 1024u, 9u, 0u, std::uint64_t{6}, std::uint64_t{0}, 0u,
                      64u) == Errno::Success);
    CHECK(traced.Take() == Lines{"--> " + name +
                                     ".path_open(fd=3,dirflags=1,path=\"notes.txt\",oflags=0,"
                                     "fs_rights_base=6,fs_rights_inheriting=0,fdflags=0)",
                                 "<-- opened_fd=4,error=ESUCCESS"});
    CHECK(traced.Call("path_unlink_file", 3u, 1025u, 8u) == Errno::Noent);
    CHECK(traced.Take() ==
          Lines{"--> " + name + ".path_unlink_file(fd=3,path=\"otes.txt\")", "<-- error=ENOENT"});
    // Of 64 bits, and two of them.
    CHECK(traced.Call("clock_time_get", 0u, std::uint64_t{1}, 64u) == Errno::Success);
    CHECK(traced.Take() == Lines{"--> " + name + ".clock_time_get(id=0,precision=1)",
                                 "<-- time=1640995200000000000,error=ESUCCESS"});
    CHECK(traced.Call("args_sizes_get", 64u, 68u) == Errno::Success);
    CHECK(traced.Take() ==
          Lines{"--> " + name + ".args_sizes_get()", "<-- argc=0,argv_buf_size=0,error=ESUCCESS"});
    // Structs are not written out.
    CHECK(traced.Call("fd_filestat_get", 3u, 64u) == Errno::Success);
    CHECK(traced.Take() == Lines{"--> " + name + ".fd_filestat_get(fd=3)", "<-- error=ESUCCESS"});
  }
}

TEST_CASE("a trace takes any address") {
  TracedGuest traced;
  traced.Start(tenon::wasi::Compile(traced.runtime));
  CHECK(traced.Call("fd_read", 0u, 0u, 1u, 0xFFFFFFFFu) == Errno::Fault);
  CHECK(traced.Take() ==
        Lines{"--> wasi_snapshot_preview1.fd_read(fd=0,iovs=0,iovs_len=1)", "<-- error=EFAULT"});
  CHECK(traced.Call("path_unlink_file", 3u, 65530u, 100u) == Errno::Fault);
  CHECK(traced.Take() ==
        Lines{"--> wasi_snapshot_preview1.path_unlink_file(fd=3,path=65530,path_len=100)",
              "<-- error=EFAULT"});
}

TEST_CASE("a trace tells how a call ended that did not return") {
  TracedGuest traced;
  traced.Start(tenon::wasi::Compile(traced.runtime));
  Thrown<tenon::ExitError>(
      [&] { traced.guest.ExportedFunction<void(std::uint32_t)>("proc_exit")(3u); });
  CHECK(traced.Take() == Lines{"--> wasi_snapshot_preview1.proc_exit(rval=3)",
                               "<-- error: module closed with exit_code(3)"});
}

TEST_CASE(
    "a trace has functions that replace the library's, and those of the scopes it was asked for") {
  TracedGuest traced{LogScopes::Random | LogScopes::Proc};
  tenon::HostModuleBuilder builder =
      tenon::wasi::AddFunctions(traced.runtime.NewHostModuleBuilder("wasi_snapshot_preview1"));
  builder.NewFunctionBuilder().WithFunc([](std::uint32_t) { return 99u; }).Export("proc_raise");
  traced.Start(builder.Compile());
  CHECK(traced.Call("sched_yield") == Errno::Success);
  CHECK(traced.Take().empty());
  CHECK(traced.Call("proc_raise", 6u) == Errno{99});
  CHECK(traced.Take() == Lines{"--> wasi_snapshot_preview1.proc_raise(6)", "<-- 99"});
  CHECK(traced.Call("random_get", 0u, 4u) == Errno::Success);
  CHECK(traced.Take() ==
        Lines{"--> wasi_snapshot_preview1.random_get(buf=0,buf_len=4)", "<-- error=ESUCCESS"});
}
