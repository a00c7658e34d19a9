// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI as a module: its functions and types, names, replacement of single functions.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::wasi::Errno;

namespace {

/// Parameters of every function of preview 1, as in the specification: 'i' is i32, 'I' is i64. All
/// but proc_exit have one result, i32.
const std::map<std::string, std::string> kParameters = {
    {"args_get", "ii"},
    {"args_sizes_get", "ii"},
    {"clock_res_get", "ii"},
    {"clock_time_get", "iIi"},
    {"environ_get", "ii"},
    {"environ_sizes_get", "ii"},
    {"fd_advise", "iIIi"},
    {"fd_allocate", "iII"},
    {"fd_close", "i"},
    {"fd_datasync", "i"},
    {"fd_fdstat_get", "ii"},
    {"fd_fdstat_set_flags", "ii"},
    {"fd_fdstat_set_rights", "iII"},
    {"fd_filestat_get", "ii"},
    {"fd_filestat_set_size", "iI"},
    {"fd_filestat_set_times", "iIIi"},
    {"fd_pread", "iiiIi"},
    {"fd_prestat_dir_name", "iii"},
    {"fd_prestat_get", "ii"},
    {"fd_pwrite", "iiiIi"},
    {"fd_read", "iiii"},
    {"fd_readdir", "iiiIi"},
    {"fd_renumber", "ii"},
    {"fd_seek", "iIii"},
    {"fd_sync", "i"},
    {"fd_tell", "ii"},
    {"fd_write", "iiii"},
    {"path_create_directory", "iii"},
    {"path_filestat_get", "iiiii"},
    {"path_filestat_set_times", "iiiiIIi"},
    {"path_link", "iiiiiii"},
    {"path_open", "iiiiiIIii"},
    {"path_readlink", "iiiiii"},
    {"path_remove_directory", "iii"},
    {"path_rename", "iiiiii"},
    {"path_symlink", "iiiii"},
    {"path_unlink_file", "iii"},
    {"poll_oneoff", "iiii"},
    {"proc_exit", "i"},
    {"proc_raise", "i"},
    {"random_get", "ii"},
    {"sched_yield", ""},
    {"sock_accept", "iii"},
    {"sock_recv", "iiiiii"},
    {"sock_send", "iiiii"},
    {"sock_shutdown", "ii"},
};

std::string Letters(const std::vector<tenon::ValueType>& types) {
  std::string letters;
  for (const tenon::ValueType type : types) {
    letters += type == tenon::ValueType::I32 ? 'i' : type == tenon::ValueType::I64 ? 'I' : '?';
  }
  return letters;
}

}  // namespace

TEST_CASE("WASI has the 46 functions of preview 1 with the specification's types") {
  const tenon::Runtime runtime;
  const tenon::CompiledModule compiled = tenon::wasi::Compile(runtime);
  CHECK(compiled.Name() == "wasi_snapshot_preview1");
  CHECK(compiled.IsHostModule());
  std::map<std::string, std::string> found;
  for (const tenon::FunctionDefinition& function : compiled.ExportedFunctions()) {
    REQUIRE(function.export_names.size() == 1);
    const std::string& name = function.export_names[0];
    INFO(name);
    found[name] = Letters(function.parameter_types);
    CHECK(Letters(function.result_types) == (name == "proc_exit" ? "" : "i"));
    CHECK(function.parameter_names.size() == function.parameter_types.size());
  }
  CHECK(kParameters.size() == 46);
  CHECK(found == kParameters);
}

TEST_CASE("WASI functions have the specification's parameter and result names") {
  const tenon::Runtime runtime;
  std::map<std::string, tenon::FunctionDefinition> functions;
  for (const auto& function : tenon::wasi::Compile(runtime).ExportedFunctions()) {
    functions[function.export_names.at(0)] = function;
  }
  using Names = std::vector<std::string>;
  CHECK(functions["fd_write"].parameter_names ==
        Names{"fd", "iovs", "iovs_len", "result.nwritten"});
  CHECK(functions["fd_write"].result_names == Names{"errno"});
  CHECK(functions["fd_prestat_dir_name"].parameter_names ==
        Names{"fd", "result.path", "result.path_len"});
  CHECK(functions["path_open"].parameter_names ==
        Names{"fd", "dirflags", "path", "path_len", "oflags", "fs_rights_base",
              "fs_rights_inheriting", "fdflags", "result.opened_fd"});
  CHECK(functions["random_get"].parameter_names == Names{"buf", "buf_len"});
  CHECK(functions["sock_recv"].parameter_names ==
        Names{"fd", "ri_data", "ri_data_len", "ri_flags", "result.ro_datalen", "result.ro_flags"});
  CHECK(functions["proc_exit"].parameter_names == Names{"rval"});
  CHECK(functions["proc_exit"].result_names.empty());
  CHECK(functions["fd_write"].name == "fd_write");
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
  CHECK(static_cast<int>(Errno::Success) == 0);
  CHECK(static_cast<int>(Errno::Badf) == 8);
  CHECK(static_cast<int>(Errno::Fault) == 21);
  CHECK(static_cast<int>(Errno::Inval) == 28);
  CHECK(static_cast<int>(Errno::Io) == 29);
  CHECK(static_cast<int>(Errno::Nosys) == 52);
  CHECK(static_cast<int>(Errno::Spipe) == 70);
  CHECK(static_cast<int>(Errno::Notcapable) == 76);
  CHECK(tenon::wasi::ErrnoName(Errno::TooBig) == "E2BIG");
  CHECK(tenon::wasi::ErrnoName(Errno::Success) == "ESUCCESS");
  CHECK(tenon::wasi::ErrnoName(Errno{77}).empty());
}
