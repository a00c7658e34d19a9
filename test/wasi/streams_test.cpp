// SPDX-License-Identifier: Apache-2.0
/// @file
/// Standard streams as a guest sees them: buffers, errors, descriptors.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

constexpr std::uint32_t kEnd = WasiGuest::kMemorySize;
constexpr std::uint32_t kMax = 0xFFFFFFFF;
constexpr std::uint32_t kList = 1024;   // where tests write lists of buffers
constexpr std::uint32_t kResult = 512;  // where counts go
constexpr std::uint32_t kUntouched = 77;

/// fd_write or fd_read with these buffers.
Errno Transfer(WasiGuest& guest, std::string_view name, std::uint32_t descriptor,
               const std::vector<std::pair<std::uint32_t, std::uint32_t>>& buffers) {
  guest.WriteBuffers(kList, buffers);
  guest.memory.WriteUint32Le(kResult, kUntouched);
  return guest.Call(name, descriptor, kList, static_cast<std::uint32_t>(buffers.size()), kResult);
}

}  // namespace

TEST_CASE("fd_write gathers buffers and counts their bytes") {
  std::string out;
  std::string err;
  WasiGuest guest{SystemConfig{}.WithStdout(Into(out)).WithStderr(Into(err))};
  guest.memory.WriteString(0, "hello, world");
  CHECK(Transfer(guest, "fd_write", 1, {{0, 5}, {100, 0}, {5, 7}}) == Errno::Success);
  CHECK(out == "hello, world");
  CHECK(guest.U32(kResult) == 12);
  CHECK(err.empty());
  CHECK(Transfer(guest, "fd_write", 2, {{7, 5}}) == Errno::Success);
  CHECK(err == "world");
  CHECK(guest.U32(kResult) == 5);
}

TEST_CASE("output goes nowhere by default, and succeeds") {
  WasiGuest guest;
  CHECK(Transfer(guest, "fd_write", 1, {{0, 5}, {0, 5}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 10);
  CHECK(Transfer(guest, "fd_write", 2, {{0, kEnd}}) == Errno::Success);
  CHECK(guest.U32(kResult) == kEnd);
}

TEST_CASE("fd_write of nothing writes a count of 0 and does not ask the stream") {
  int calls = 0;
  WasiGuest guest{SystemConfig{}.WithStdout([&](std::span<const std::uint8_t> bytes) {
    ++calls;
    return bytes.size();
  })};
  CHECK(Transfer(guest, "fd_write", 1, {}) == Errno::Success);
  CHECK(guest.U32(kResult) == 0);
  CHECK(Transfer(guest, "fd_write", 1, {{0, 0}, {kEnd, 0}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 0);
  CHECK(guest.Call("fd_write", 1u, kEnd, 0u, kResult) == Errno::Success);
  CHECK(calls == 0);
}

TEST_CASE("a stream that takes a part at a time is asked until it has all") {
  std::string out;
  WasiGuest guest{SystemConfig{}.WithStdout([&](std::span<const std::uint8_t> bytes) {
    out.push_back(static_cast<char>(bytes[0]));
    return std::size_t{1};
  })};
  guest.memory.WriteString(0, "abcd");
  CHECK(Transfer(guest, "fd_write", 1, {{0, 2}, {2, 2}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 4);
  CHECK(out == "abcd");
}

TEST_CASE("a stream that fails gives EIO, or the bytes that it took before") {
  std::size_t room = 3;
  WasiGuest guest{SystemConfig{}.WithStdout([&](std::span<const std::uint8_t> bytes) {
    const std::size_t taken = std::min(room, bytes.size());
    room -= taken;
    return taken;
  })};
  CHECK(Transfer(guest, "fd_write", 1, {{0, 2}, {2, 2}, {4, 2}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 3);
  CHECK(Transfer(guest, "fd_write", 1, {{0, 2}}) == Errno::Io);
  CHECK(guest.U32(kResult) == kUntouched);
}

TEST_CASE("a stream that claims more than it was given is not believed") {
  WasiGuest guest{SystemConfig{}
                      .WithStdout([](std::span<const std::uint8_t>) { return SIZE_MAX; })
                      .WithStdin([](std::span<std::uint8_t>) { return SIZE_MAX; })};
  CHECK(Transfer(guest, "fd_write", 1, {{0, 5}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 5);
  CHECK(Transfer(guest, "fd_read", 0, {{0, 5}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 5);
}

TEST_CASE("fd_write with a pointer out of bounds writes nothing at all") {
  std::string out;
  WasiGuest guest{SystemConfig{}.WithStdout(Into(out))};
  using Buffers = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  for (const Buffers& buffers : {Buffers{{0, 4}, {kEnd - 3, 4}}, Buffers{{0, 4}, {kEnd + 1, 0}},
                                 Buffers{{0, 4}, {kMax, kMax}}, Buffers{{0, 4}, {1, kEnd}}}) {
    CHECK(Transfer(guest, "fd_write", 1, buffers) == Errno::Fault);
    CHECK(guest.U32(kResult) == kUntouched);
  }
  guest.WriteBuffers(0, {{0, 4}});
  CHECK(guest.Call("fd_write", 1u, 0u, 1u, kEnd - 3) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, 0u, 1u, kMax) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, kEnd - 7, 1u, kResult) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, kMax, 1u, kResult) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, kEnd + 1, 0u, kResult) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, 0u, kEnd / 8 + 1, kResult) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, 0u, kMax, kResult) == Errno::Fault);
  CHECK(guest.Call("fd_write", 1u, 0u, 0x20000000u, kResult) == Errno::Fault);
  CHECK(out.empty());
}

TEST_CASE("of a long list of buffers one call writes the first 1024") {
  std::string out;
  WasiGuest guest{SystemConfig{}.WithStdout(Into(out))};
  guest.memory.WriteString(0, "xy");
  std::vector<std::pair<std::uint32_t, std::uint32_t>> buffers(1024, {0, 1});
  buffers.push_back({1, 1});
  CHECK(Transfer(guest, "fd_write", 1, buffers) == Errno::Success);
  CHECK(guest.U32(kResult) == 1024);
  CHECK(out == std::string(1024, 'x'));
}

TEST_CASE("buffers that add up to 4 GiB are refused before anything is written") {
  std::string out;
  WasiGuest guest{SystemConfig{}.WithStdout(Into(out))};
  REQUIRE(guest.memory.Grow(63).has_value());  // to 4 MiB
  std::vector<std::pair<std::uint32_t, std::uint32_t>> buffers(1024, {0, 4u << 20});
  CHECK(Transfer(guest, "fd_write", 1, buffers) == Errno::Inval);
  CHECK(out.empty());
}

TEST_CASE("fd_read gives standard input in pieces, then the end") {
  WasiGuest guest{SystemConfig{}.WithStdinText("hello")};
  CHECK(Transfer(guest, "fd_read", 0, {{0, 3}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 3);
  CHECK(guest.Text(0, 4) == std::string("hel\0", 4));
  CHECK(Transfer(guest, "fd_read", 0, {{0, 0}, {8, 100}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 2);
  CHECK(guest.Text(8, 2) == "lo");
  for (int i = 0; i < 2; ++i) {
    CHECK(Transfer(guest, "fd_read", 0, {{0, 3}}) == Errno::Success);
    CHECK(guest.U32(kResult) == 0);
  }
}

TEST_CASE("standard input is empty by default") {
  WasiGuest guest;
  CHECK(Transfer(guest, "fd_read", 0, {{0, 3}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 0);
}

TEST_CASE("fd_read asks the stream once, for the first buffer that can take something") {
  std::vector<std::size_t> asked;
  WasiGuest guest{SystemConfig{}.WithStdin([&](std::span<std::uint8_t> buffer) {
    asked.push_back(buffer.size());
    buffer[0] = 'x';
    return std::size_t{1};
  })};
  CHECK(Transfer(guest, "fd_read", 0, {{0, 0}, {10, 4}, {20, 8}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 1);
  CHECK(asked == std::vector<std::size_t>{4});
  CHECK(Transfer(guest, "fd_read", 0, {{0, 0}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 0);
  CHECK(asked.size() == 1);
}

TEST_CASE("fd_read with a pointer out of bounds takes nothing from the stream") {
  WasiGuest guest{SystemConfig{}.WithStdinText("hello")};
  CHECK(Transfer(guest, "fd_read", 0, {{0, 2}, {kEnd - 1, 2}}) == Errno::Fault);
  CHECK(guest.Call("fd_read", 0u, kList, 1u, kEnd - 3) == Errno::Fault);
  CHECK(guest.Call("fd_read", 0u, kMax, 1u, kResult) == Errno::Fault);
  CHECK(Transfer(guest, "fd_read", 0, {{0, 5}}) == Errno::Success);
  CHECK(guest.U32(kResult) == 5);
}

TEST_CASE("streams go one way, and other descriptors do not exist") {
  WasiGuest guest{SystemConfig{}.WithStdinText("hello")};
  CHECK(Transfer(guest, "fd_write", 0, {{0, 1}}) == Errno::Badf);
  for (const std::uint32_t descriptor : {1u, 2u, 3u, 4u, kMax}) {
    CHECK(Transfer(guest, "fd_read", descriptor, {{0, 1}}) == Errno::Badf);
  }
  for (const std::uint32_t descriptor : {3u, 4u, kMax}) {
    CHECK(Transfer(guest, "fd_write", descriptor, {{0, 1}}) == Errno::Badf);
    CHECK(guest.Call("fd_fdstat_get", descriptor, 0u) == Errno::Badf);
    CHECK(guest.Call("fd_close", descriptor) == Errno::Badf);
    CHECK(guest.Call("fd_seek", descriptor, std::int64_t{0}, 0u, 0u) == Errno::Badf);
    CHECK(guest.Call("fd_tell", descriptor, 0u) == Errno::Badf);
    CHECK(guest.Call("fd_prestat_get", descriptor, 0u) == Errno::Badf);
    CHECK(guest.Call("fd_prestat_dir_name", descriptor, 0u, 0u) == Errno::Badf);
  }
}

TEST_CASE("a closed stream is gone, for its instance only") {
  std::string out;
  const SystemConfig system = SystemConfig{}.WithStdout(Into(out));
  WasiGuest guest{system};
  WasiGuest other{system};
  CHECK(guest.Call("fd_close", 1u) == Errno::Success);
  CHECK(guest.Call("fd_close", 1u) == Errno::Badf);
  CHECK(Transfer(guest, "fd_write", 1, {{0, 1}}) == Errno::Badf);
  CHECK(guest.Call("fd_fdstat_get", 1u, 0u) == Errno::Badf);
  CHECK(guest.Call("fd_seek", 1u, std::int64_t{0}, 0u, 0u) == Errno::Badf);
  CHECK(Transfer(guest, "fd_write", 2, {{0, 1}}) == Errno::Success);
  CHECK(guest.Call("fd_close", 0u) == Errno::Success);
  CHECK(Transfer(guest, "fd_read", 0, {{0, 1}}) == Errno::Badf);
  CHECK(Transfer(other, "fd_write", 1, {{0, 1}}) == Errno::Success);
  CHECK(out.size() == 1);
}

TEST_CASE("streams cannot seek") {
  const WasiGuest guest;
  for (const std::uint32_t descriptor : {0u, 1u, 2u}) {
    for (const std::uint32_t whence : {0u, 1u, 2u}) {
      CHECK(guest.Call("fd_seek", descriptor, std::int64_t{-1}, whence, kMax) == Errno::Spipe);
    }
    CHECK(guest.Call("fd_seek", descriptor, std::int64_t{0}, 3u, 0u) == Errno::Inval);
    CHECK(guest.Call("fd_tell", descriptor, kMax) == Errno::Spipe);
  }
}

TEST_CASE("fd_fdstat_get describes streams of unknown kind that can be read or written") {
  WasiGuest guest;
  for (const std::uint32_t descriptor : {0u, 1u, 2u}) {
    for (std::uint32_t i = 0; i < 32; ++i) guest.memory.WriteByte(64 + i, 0xAA);
    REQUIRE(guest.Call("fd_fdstat_get", descriptor, 64u) == Errno::Success);
    CHECK(guest.U64(64) == 0);  // filetype and flags
    constexpr std::uint64_t kRead = 2;
    constexpr std::uint64_t kWrite = 64;
    constexpr std::uint64_t kSeekAndTell = 4 + 32;
    const std::uint64_t rights = guest.U64(72);
    CHECK((rights & (kRead | kWrite)) == (descriptor == 0 ? kRead : kWrite));
    CHECK((rights & kSeekAndTell) == 0);
    CHECK(guest.U64(80) == 0);  // inherited rights
    CHECK(guest.U64(88) == 0xAAAAAAAAAAAAAAAAu);
  }
  CHECK(guest.Call("fd_fdstat_get", 1u, kEnd - 24) == Errno::Success);
  CHECK(guest.Call("fd_fdstat_get", 1u, kEnd - 23) == Errno::Fault);
  CHECK(guest.Call("fd_fdstat_get", 1u, kMax) == Errno::Fault);
}

TEST_CASE("what a stream throws leaves the guest with its type") {
  struct DiskFull {};
  WasiGuest guest{SystemConfig{}.WithStdout(
      [](std::span<const std::uint8_t>) -> std::size_t { throw DiskFull{}; })};
  CHECK_THROWS_AS(Transfer(guest, "fd_write", 1, {{0, 1}}), DiskFull);
  CHECK(Transfer(guest, "fd_write", 2, {{0, 1}}) == Errno::Success);
}
