// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI for guests whose memory is shared: what they pass is read once, and buffers are filled.
#include <cstdint>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasi/memory_file_system.hpp>

#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

/// fd_read, fd_seek and fd_write.
constexpr std::uint64_t kRights = 1u << 1 | 1u << 2 | 1u << 6;

}  // namespace

TEST_CASE("programs whose memory is shared use WASI as others do") {
  std::string out;
  const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
  WasiGuest guest{SystemConfig{}
                      .WithStdout(Into(out))
                      .WithArgs({"program", "two"})
                      .WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/")),
                  true};
  REQUIRE(guest.memory.IsShared());

  guest.memory.WriteString(64, "hello, world");
  guest.WriteBuffers(1024, {{64, 5}, {69, 7}});
  CHECK(guest.Call("fd_write", 1u, 1024u, 2u, 512u) == Errno::Success);
  CHECK(out == "hello, world");
  CHECK(guest.U32(512) == 12);

  CHECK(guest.Call("args_get", 2000u, 2100u) == Errno::Success);
  CHECK(guest.Text(guest.U32(2004), 3) == "two");
  CHECK(guest.Call("random_get", 3000u, 16u) == Errno::Success);
  CHECK(guest.Text(3000, 16) != std::string(16, '\0'));

  guest.memory.WriteString(4000, "folder");
  CHECK(guest.Call("path_create_directory", 3u, 4000u, 6u) == Errno::Success);
  CHECK(guest.Call("path_create_directory", 3u, 4000u, 6u) == Errno::Exist);
  guest.memory.WriteString(4100, "folder/text");
  CHECK(guest.Call("path_open", 3u, 0u, 4100u, 11u, 1u, kRights, std::uint64_t{0}, 0u, 4200u) ==
        Errno::Success);
  const std::uint32_t descriptor = guest.U32(4200);
  CHECK(guest.Call("fd_write", descriptor, 1024u, 2u, 512u) == Errno::Success);
  guest.WriteBuffers(1100, {{5000, 4}, {6000, 100}});
  CHECK(guest.Call("fd_pread", descriptor, 1100u, 2u, std::uint64_t{2}, 512u) == Errno::Success);
  CHECK(guest.U32(512) == 10);
  CHECK(guest.Text(5000, 4) == "llo,");
  CHECK(guest.Text(6000, 6) == " world");
  CHECK(guest.Call("path_filestat_get", 3u, 0u, 4100u, 11u, 7000u) == Errno::Success);
  CHECK(guest.U64(7032) == 12);

  CHECK(guest.Call("path_create_directory", 3u, 65534u, 6u) == Errno::Fault);
  guest.WriteBuffers(1200, {{65534, 3}});
  CHECK(guest.Call("fd_write", 1u, 1200u, 1u, 512u) == Errno::Fault);
}
