// SPDX-License-Identifier: Apache-2.0
/// @file
/// Pipes, sockets and terminals that are full or empty: guests wait for them, and end meanwhile.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using std::chrono::milliseconds;
using tenon::HostDescriptor;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

constexpr std::uint32_t kList = 1024;
constexpr std::uint32_t kCount = 256;
constexpr std::uint32_t kData = 8192;
/// More than the descriptors below take at a time.
constexpr std::uint32_t kMuch = 48 * 1024;

/// Two ends that are connected, of which a guest gets one.
struct Ends {
  HostDescriptor guest;
  HostDescriptor host;
};

Ends PipeToHost(int flags = 0) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | flags) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
  return {HostDescriptor::Own(ends[1]), HostDescriptor::Own(ends[0])};
}

Ends SocketPair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const int small = 4096;
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  return {HostDescriptor::Own(ends[0]), HostDescriptor::Own(ends[1])};
}

/// The guest's end is a terminal.
Ends Terminal() {
  const HostDescriptor host = HostDescriptor::Own(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(::grantpt(host.Get()) == 0);
  REQUIRE(::unlockpt(host.Get()) == 0);
  char name[64];
  REQUIRE(::ptsname_r(host.Get(), name, sizeof name) == 0);
  const HostDescriptor guest = HostDescriptor::Own(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(guest.Get() >= 0);
  ::termios raw{};
  REQUIRE(::tcgetattr(guest.Get(), &raw) == 0);
  ::cfmakeraw(&raw);
  REQUIRE(::tcsetattr(guest.Get(), TCSANOW, &raw) == 0);
  return {guest, host};
}

/// A guest whose calls can be ended.
class StoppableGuest {
 public:
  explicit StoppableGuest(const SystemConfig& system)
      : runtime_{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)} {
    const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime_);
    runtime_.InstantiateModule(wasi);
    module = runtime_.Instantiate(ForwarderOf(wasi), tenon::ModuleConfig{}.WithSystem(system));
    memory = module.DefaultMemory();
    memory.WriteUint32Le(kList, kData);
    memory.WriteUint32Le(kList + 4, kMuch);
  }

  /// Whether a deadline ended the call.
  template <class... Arguments>
  bool EndsAtDeadline(std::string_view name, Arguments... arguments) {
    const auto function = module.ExportedFunction<Errno(Arguments...)>(name);
    const auto context = tenon::CallContext{}.WithTimeout(milliseconds{30});
    return Thrown<tenon::ExitError>([&] { function(context, arguments...); }).ExitCode() ==
           tenon::ExitError::kDeadlineExceeded;
  }
  bool WriteEnds(std::uint32_t fd) { return EndsAtDeadline("fd_write", fd, kList, 1u, kCount); }
  bool ReadEnds(std::uint32_t fd) { return EndsAtDeadline("fd_read", fd, kList, 1u, kCount); }

 private:
  tenon::Runtime runtime_;

 public:
  tenon::Module module;
  tenon::Memory memory;
};

/// Reads the other end until so many bytes came, on a thread.
class SlowReader {
 public:
  SlowReader(const HostDescriptor& from, std::size_t count)
      : thread_{[this, from, count] {
          std::this_thread::sleep_for(milliseconds{20});
          while (bytes_.size() < count) {
            ::pollfd wait{from.Get(), POLLIN, 0};
            char buffer[1000];
            if (::poll(&wait, 1, 10'000) <= 0) return;
            const ::ssize_t got = ::read(from.Get(), buffer, sizeof buffer);
            if (got <= 0) return;
            bytes_.append(buffer, static_cast<std::size_t>(got));
          }
        }} {}
  SlowReader(const SlowReader&) = delete;
  SlowReader& operator=(const SlowReader&) = delete;
  ~SlowReader() {
    if (thread_.joinable()) thread_.join();
  }
  const std::string& Bytes() {
    thread_.join();
    return bytes_;
  }

 private:
  std::string bytes_;
  std::thread thread_;
};

std::string Pattern(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + ",";
  text.resize(size);
  return text;
}

/// Writes a pattern by one call, with a list of two buffers.
Errno WritePattern(FileGuest& guest, std::string_view function, std::uint32_t fd) {
  guest.memory.WriteString(kData, Pattern(kMuch));
  guest.WriteBuffers(kList, {{kData, 20'000}, {kData + 20'000, kMuch - 20'000}});
  if (function == "sock_send") return guest.Call(function, fd, kList, 2u, 0u, kCount);
  return guest.Call(function, fd, kList, 2u, kCount);
}

bool IsBlocking(const HostDescriptor& descriptor) {
  return (::fcntl(descriptor.Get(), F_GETFL) & O_NONBLOCK) == 0;
}

}  // namespace

TEST_CASE("a deadline ends a guest that writes to a full pipe, socket or terminal") {
  const Ends pipe = PipeToHost();
  CHECK(StoppableGuest{SystemConfig{}.WithStdout(pipe.guest)}.WriteEnds(1));
  CHECK(IsBlocking(pipe.guest));
  CHECK(StoppableGuest{SystemConfig{}.WithStderr(PipeToHost(O_NONBLOCK).guest)}.WriteEnds(2));
  const Ends terminal = Terminal();
  CHECK(StoppableGuest{SystemConfig{}.WithStdout(terminal.guest)}.WriteEnds(1));
  const Ends stream = SocketPair();
  CHECK(StoppableGuest{SystemConfig{}.WithStdout(stream.guest)}.WriteEnds(1));
  const Ends socket = SocketPair();
  CHECK(StoppableGuest{SystemConfig{}.WithSocket(socket.guest)}.WriteEnds(3));
  const Ends sending = SocketPair();
  StoppableGuest sender{SystemConfig{}.WithSocket(sending.guest)};
  CHECK(sender.EndsAtDeadline("sock_send", 3u, kList, 1u, 0u, kCount));
}

TEST_CASE("a deadline ends a guest that writes to a full pipe which has a name") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder.Path() / "fifo").c_str(), 0600) == 0);
  const HostDescriptor reader =
      HostDescriptor::Own(::open((folder.Path() / "fifo").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::fcntl(reader.Get(), F_SETPIPE_SZ, 4096) >= 4096);
  StoppableGuest guest{
      SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithDirMount(folder.Path().string(), "/"))};
  guest.memory.WriteString(2048, "fifo");
  const auto open = guest.module.ExportedFunction<Errno(
      std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t,
      std::uint64_t, std::uint32_t, std::uint32_t)>("path_open");
  constexpr std::uint64_t kWrite = 1 << 6;
  REQUIRE(open(3, 0, 2048, 4, 0, kWrite, 0, 0, kCount) == Errno::Success);
  CHECK(guest.WriteEnds(4));
}

TEST_CASE("Close ends a guest that writes to a full pipe") {
  const Ends pipe = PipeToHost();
  StoppableGuest guest{SystemConfig{}.WithStdout(pipe.guest)};
  std::jthread closer{[&] {
    std::this_thread::sleep_for(milliseconds{30});
    guest.module.CloseWithExitCode(7);
  }};
  const auto write =
      guest.module
          .ExportedFunction<Errno(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>(
              "fd_write");
  const auto exit = Thrown<tenon::ExitError>([&] { write(1, kList, 1, kCount); });
  CHECK(exit.ExitCode() == 7);
}

TEST_CASE("a deadline ends a guest that reads from a terminal or a socket") {
  const Ends terminal = Terminal();
  CHECK(StoppableGuest{SystemConfig{}.WithStdin(terminal.guest)}.ReadEnds(0));
  const Ends socket = SocketPair();
  CHECK(StoppableGuest{SystemConfig{}.WithSocket(socket.guest)}.ReadEnds(3));
  const Ends receiving = SocketPair();
  StoppableGuest receiver{SystemConfig{}.WithSocket(receiving.guest)};
  CHECK(receiver.EndsAtDeadline("sock_recv", 3u, kList, 1u, 0u, kCount, kCount + 4));
}

TEST_CASE("a deadline ends a guest that waits for more of a message than comes") {
  for (const std::uint32_t flags : {2u, 3u}) {
    const Ends socket = SocketPair();
    REQUIRE(::send(socket.host.Get(), "part", 4, 0) == 4);
    StoppableGuest guest{SystemConfig{}.WithSocket(socket.guest)};
    CHECK(guest.EndsAtDeadline("sock_recv", 3u, kList, 1u, flags, kCount, kCount + 4));
  }
}

TEST_CASE("what a guest writes to a full pipe, socket or terminal arrives whole") {
  const std::string pattern = Pattern(kMuch);
  const std::vector<std::pair<const char*, std::function<Ends()>>> kinds = {
      {"pipe", [] { return PipeToHost(); }},
      {"pipe of the host's that does not block", [] { return PipeToHost(O_NONBLOCK); }},
      {"socket", SocketPair},
      {"terminal", Terminal}};
  for (const auto& [name, make] : kinds) {
    INFO(name);
    const Ends ends = make();
    FileGuest guest{SystemConfig{}.WithStdout(ends.guest)};
    SlowReader reader{ends.host, pattern.size()};
    CHECK(WritePattern(guest, "fd_write", 1) == Errno::Success);
    CHECK(guest.U32(kCount) == kMuch);
    CHECK(reader.Bytes() == pattern);
  }
  const Ends ends = SocketPair();
  FileGuest guest{SystemConfig{}.WithSocket(ends.guest)};
  SlowReader reader{ends.host, pattern.size()};
  CHECK(WritePattern(guest, "sock_send", 3) == Errno::Success);
  CHECK(guest.U32(kCount) == kMuch);
  CHECK(reader.Bytes() == pattern);
}

TEST_CASE("a guest that does not want to wait writes what there is room for") {
  const Ends pipe = PipeToHost();
  const Ends socket = SocketPair();
  FileGuest guest{SystemConfig{}.WithStdout(pipe.guest).WithSocket(socket.guest)};
  for (const auto& [fd, function] :
       {std::pair{1u, "fd_write"}, std::pair{3u, "fd_write"}, std::pair{3u, "sock_send"}}) {
    REQUIRE(guest.Call("fd_fdstat_set_flags", fd, 4u) == Errno::Success);
    Errno error = WritePattern(guest, function, fd);
    if (error == Errno::Success) {
      CHECK(guest.U32(kCount) > 0);
      CHECK(guest.U32(kCount) < kMuch);
      error = WritePattern(guest, function, fd);
      if (error == Errno::Success) error = WritePattern(guest, function, fd);
    }
    CHECK(error == Errno::Again);
  }
  // The host's descriptors are as they were.
  CHECK(IsBlocking(pipe.guest));
  CHECK(IsBlocking(socket.guest));
}

TEST_CASE("a guest can wait for a whole message, looked at or taken") {
  for (const std::uint32_t flags : {3u, 2u}) {
    const Ends socket = SocketPair();
    FileGuest guest{SystemConfig{}.WithSocket(socket.guest)};
    std::jthread sender{[&] {
      for (const std::string_view part : {"ab", "cd", "efgh"}) {
        std::this_thread::sleep_for(milliseconds{15});
        ::send(socket.host.Get(), part.data(), part.size(), 0);
      }
    }};
    guest.WriteBuffers(kList, {{kData, 3}, {kData + 100, 3}});
    CHECK(guest.Call("sock_recv", 3u, kList, 2u, flags, kCount, kCount + 4) == Errno::Success);
    sender.join();
    CHECK(guest.U32(kCount) == 6);
    CHECK(guest.Text(kData, 3) + guest.Text(kData + 100, 3) == "abcdef");
    std::string rest;
    CHECK(guest.Read(3, rest) == Errno::Success);
    CHECK(rest == (flags == 3 ? "abcdefgh" : "gh"));
  }
}

TEST_CASE("a message that ends early is not waited for") {
  for (const std::uint32_t flags : {3u, 2u}) {
    Ends socket = SocketPair();
    FileGuest guest{SystemConfig{}.WithSocket(socket.guest)};
    REQUIRE(::send(socket.host.Get(), "end", 3, 0) == 3);
    socket.host = {};
    guest.WriteBuffers(kList, {{kData, 100}});
    CHECK(guest.Call("sock_recv", 3u, kList, 1u, flags, kCount, kCount + 4) == Errno::Success);
    CHECK(guest.U32(kCount) == 3);
  }
}

TEST_CASE("guests that have a socket together do not change it for each other") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  const SystemConfig config = SystemConfig{}.WithSocket(listener);
  FileGuest impatient{config};
  REQUIRE(impatient.Call("fd_fdstat_set_flags", 3u, 4u) == Errno::Success);
  CHECK(impatient.Call("sock_accept", 3u, 0u, kCount) == Errno::Again);
  FileGuest patient{config};
  REQUIRE(patient.Call("fd_fdstat_get", 3u, kCount) == Errno::Success);
  CHECK((patient.U32(kCount) >> 16) == 0);
  StoppableGuest other{config};
  CHECK(other.EndsAtDeadline("sock_accept", 3u, 0u, kCount));
}

TEST_CASE("input that cannot be read is an error and no end") {
  const Ends pipe = PipeToHost();
  FileGuest guest{SystemConfig{}.WithStdin(pipe.guest)};
  std::string text;
  CHECK(guest.Read(0, text) == Errno::Badf);
  const HostDescriptor folder = HostDescriptor::Own(::open("/tmp", O_RDONLY | O_CLOEXEC));
  FileGuest other{SystemConfig{}.WithStdin(folder)};
  CHECK(other.Read(0, text) == Errno::Isdir);
}
