// SPDX-License-Identifier: Apache-2.0
/// @file
/// Sockets that a guest was given, and connections that it accepts.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::HostDescriptor;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

constexpr std::uint32_t kListener = 3;

/// A connection from this process, on any thread: checks nothing itself.
class Client {
 public:
  explicit Client(const HostDescriptor& listener)
      : socket_{HostDescriptor::Own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))} {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(tenon::wasi::PortOf(listener));
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_.Get(), reinterpret_cast<const ::sockaddr*>(&address),
                              sizeof address) == 0;
  }
  /// Whether all of it went.
  [[nodiscard]] bool Send(std::string_view text) const {
    return is_connected_ && ::send(socket_.Get(), text.data(), text.size(), 0) ==
                                static_cast<::ssize_t>(text.size());
  }
  std::string Receive() const {
    char buffer[256];
    const ::ssize_t count = ::recv(socket_.Get(), buffer, sizeof buffer, 0);
    return {buffer, static_cast<std::size_t>(count < 0 ? 0 : count)};
  }
  void Close() { socket_ = {}; }

 private:
  HostDescriptor socket_;
  bool is_connected_ = false;
};

Errno Accept(FileGuest& guest, std::uint32_t& accepted, std::uint32_t flags = 0) {
  const Errno error = guest.Call("sock_accept", kListener, flags, 64u);
  if (error == Errno::Success) accepted = guest.U32(64);
  return error;
}

Errno Receive(FileGuest& guest, std::uint32_t fd, std::string& text, std::uint32_t flags = 0,
              std::uint32_t size = 100) {
  guest.WriteBuffers(1024, {{2048, size / 2}, {4096, size - size / 2}});
  const Errno error = guest.Call("sock_recv", fd, 1024u, 2u, flags, 64u, 68u);
  if (error != Errno::Success) return error;
  const std::uint32_t count = guest.U32(64);
  const std::uint32_t first = std::min(count, size / 2);
  text = guest.Text(2048, first) + guest.Text(4096, count - first);
  return error;
}

Errno Send(FileGuest& guest, std::uint32_t fd, std::string_view text) {
  guest.memory.WriteString(2048, text);
  guest.WriteBuffers(1024, {{2048, static_cast<std::uint32_t>(text.size())}});
  return guest.Call("sock_send", fd, 1024u, 1u, 0u, 64u);
}

}  // namespace

TEST_CASE("a guest accepts a connection, receives and sends") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  FileGuest guest{SystemConfig{}.WithSocket(listener)};
  Client client{listener};
  std::uint32_t connection = 0;
  REQUIRE(Accept(guest, connection) == Errno::Success);
  CHECK(connection == 4);
  REQUIRE(client.Send("ping"));
  std::string text;
  CHECK(Receive(guest, connection, text, 1) == Errno::Success);  // only looks
  CHECK(text == "ping");
  CHECK(Receive(guest, connection, text, 0, 4) == Errno::Success);
  CHECK(text == "ping");
  CHECK(guest.U32(68) % 65536 == 0);
  CHECK(Send(guest, connection, "pong") == Errno::Success);
  CHECK(guest.U32(64) == 4);
  CHECK(client.Receive() == "pong");
  // Sockets are files too.
  CHECK(guest.Write(connection, "file") == Errno::Success);
  CHECK(client.Receive() == "file");
  REQUIRE(client.Send("back"));
  CHECK(guest.Read(connection, text) == Errno::Success);
  CHECK(text == "back");
  CHECK(guest.Call("fd_fdstat_get", connection, 0u) == Errno::Success);
  CHECK((guest.U32(0) & 0xFF) == 6);
  CHECK(guest.Call("fd_seek", connection, std::int64_t{0}, 0u, 0u) == Errno::Spipe);
}

TEST_CASE("several buffers are one datagram, written and read") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
  const HostDescriptor mine = HostDescriptor::Own(ends[1]);
  FileGuest guest{SystemConfig{}.WithSocket(HostDescriptor::Own(ends[0]))};
  constexpr std::uint32_t kSocket = 3;
  guest.memory.WriteString(2048, "one, two");
  guest.WriteBuffers(1024, {{2048, 4}, {0, 0}, {2052, 1}, {2053, 3}});
  REQUIRE(guest.Call("fd_write", kSocket, 1024u, 4u, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 8);
  char buffer[100];
  CHECK(::recv(mine.Get(), buffer, sizeof buffer, MSG_DONTWAIT) == 8);
  CHECK(std::string_view(buffer, 8) == "one, two");
  CHECK(::recv(mine.Get(), buffer, sizeof buffer, MSG_DONTWAIT) < 0);

  REQUIRE(::send(mine.Get(), "abcdefgh", 8, 0) == 8);
  REQUIRE(::send(mine.Get(), "ij", 2, 0) == 2);
  guest.WriteBuffers(1024, {{3000, 3}, {4000, 2}});
  REQUIRE(guest.Call("fd_read", kSocket, 1024u, 2u, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 5);
  CHECK(guest.Text(3000, 3) == "abc");
  CHECK(guest.Text(4000, 2) == "de");
  REQUIRE(guest.Call("fd_read", kSocket, 1024u, 2u, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 2);
  CHECK(guest.Text(3000, 3) == "ijc");
  // Nothing is asked for nothing, or when something does not fit in memory.
  CHECK(guest.Call("fd_read", kSocket, 1024u, 0u, 64u) == Errno::Success);
  guest.WriteBuffers(1024, {{65530, 7}});
  CHECK(guest.Call("fd_write", kSocket, 1024u, 1u, 64u) == Errno::Fault);
  CHECK(guest.Call("fd_read", kSocket, 1024u, 1u, 64u) == Errno::Fault);
  CHECK(guest.Call("fd_fdstat_set_flags", kSocket, 4u) == Errno::Success);
  guest.WriteBuffers(1024, {{3000, 3}});
  CHECK(guest.Call("fd_read", kSocket, 1024u, 1u, 64u) == Errno::Again);
  // More than a datagram can be.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> many(17, {0, 65536});
  guest.WriteBuffers(1024, many);
  CHECK(guest.Call("fd_write", kSocket, 1024u, 17u, 64u) == Errno::Msgsize);
}

TEST_CASE("sending and receiving end with shutdown and with the peer") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("localhost", 0);
  FileGuest guest{SystemConfig{}.WithSocket(listener)};
  Client client{listener};
  std::uint32_t connection = 0;
  REQUIRE(Accept(guest, connection) == Errno::Success);
  CHECK(guest.Call("sock_shutdown", connection, 0u) == Errno::Inval);
  CHECK(guest.Call("sock_shutdown", connection, 4u) == Errno::Inval);
  CHECK(guest.Call("sock_shutdown", connection, 2u) == Errno::Success);
  CHECK(client.Receive().empty());
  CHECK(Send(guest, connection, "x") == Errno::Pipe);
  client.Close();
  std::string text = "old";
  CHECK(Receive(guest, connection, text) == Errno::Success);
  CHECK(text.empty());
}

TEST_CASE("a listener that has no connection yet says so, or is waited for") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  FileGuest guest{SystemConfig{}.WithSocket(listener)};
  std::uint32_t connection = 0;
  CHECK(guest.Call("fd_fdstat_set_flags", kListener, 4u) == Errno::Success);
  CHECK(Accept(guest, connection) == Errno::Again);
  CHECK(guest.Call("fd_fdstat_set_flags", kListener, 0u) == Errno::Success);
  bool is_sent = false;
  std::thread later{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{30});
    is_sent = Client{listener}.Send("late");
  }};
  CHECK(Accept(guest, connection, 4) == Errno::Success);
  later.join();
  CHECK(is_sent);
  CHECK(guest.Call("fd_fdstat_get", connection, 0u) == Errno::Success);
  CHECK((guest.U32(0) >> 16 & 4) == 4);
}

TEST_CASE("what is no socket, or not the right one, is refused") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  FileGuest guest{SystemConfig{}.WithSocket(listener)};
  std::string text;
  CHECK(guest.Call("sock_accept", 0u, 0u, 64u) == Errno::Notsock);
  CHECK(guest.Call("sock_accept", 9u, 0u, 64u) == Errno::Badf);
  CHECK(guest.Call("sock_accept", kListener, 1u, 64u) == Errno::Inval);
  CHECK(guest.Call("sock_accept", kListener, 0u, 65533u) == Errno::Fault);
  CHECK(Receive(guest, 0, text) == Errno::Notsock);
  CHECK(Receive(guest, kListener, text) == Errno::Badf);
  CHECK(guest.Call("sock_shutdown", kListener, 3u) == Errno::Notcapable);
  CHECK(Send(guest, 1, "x") == Errno::Notsock);
  CHECK(guest.Call("sock_shutdown", 1u, 3u) == Errno::Notsock);
  CHECK(guest.Call("sock_shutdown", 9u, 3u) == Errno::Badf);
  CHECK(guest.Call("fd_prestat_get", kListener, 64u) == Errno::Badf);
}

TEST_CASE("accepted connections count against the limit of open files") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  FileGuest guest{SystemConfig{}.WithSocket(listener).WithOpenFileLimit(5)};
  const Client one{listener};
  const Client two{listener};
  std::uint32_t connection = 0;
  CHECK(Accept(guest, connection) == Errno::Success);
  CHECK(Accept(guest, connection) == Errno::Mfile);
  CHECK(guest.Close(connection) == Errno::Success);
  CHECK(Accept(guest, connection) == Errno::Success);
}

TEST_CASE("an address that is taken, or none, is refused when it is asked for") {
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  const std::uint16_t port = tenon::wasi::PortOf(listener);
  CHECK(port != 0);
  CHECK(Thrown<tenon::ConfigError>([&] { tenon::wasi::ListenTcp("127.0.0.1", port); }).Id() ==
        tenon::ErrorCode::SocketListen);
  CHECK(tenon::wasi::PortOf({}) == 0);
}
