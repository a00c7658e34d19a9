// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/listen.hpp.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/error.hpp>
#include <tenon/host_descriptor.hpp>
#include <tenon/wasi/listen.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::wasi {

TENON_DECL HostDescriptor ListenTcp(const std::string& host, std::uint16_t port) {
  ::addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  ::addrinfo* found = nullptr;
  const std::string port_text = std::to_string(port);
  const auto fail = [&](const char* why) {
    return ConfigError{ErrorCode::SocketListen,
                       FormatError(ErrorCode::SocketListen, {host + ":" + port_text, why})};
  };
  const int status =
      ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port_text.c_str(), &hints, &found);
  if (status != 0) throw fail(::gai_strerror(status));
  const std::unique_ptr<::addrinfo, void (*)(::addrinfo*)> addresses{found, ::freeaddrinfo};
  int error = EADDRNOTAVAIL;
  for (const ::addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int descriptor = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
      error = errno;
      continue;
    }
    HostDescriptor socket = HostDescriptor::Own(descriptor);
    const int reuse = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    if (::bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        ::listen(descriptor, SOMAXCONN) == 0) {
      return socket;
    }
    error = errno;
  }
  throw fail(std::strerror(error));
}

TENON_DECL std::uint16_t PortOf(const HostDescriptor& socket) {
  ::sockaddr_storage address{};
  ::socklen_t size = sizeof address;
  if (::getsockname(socket.Get(), reinterpret_cast<::sockaddr*>(&address), &size) != 0) return 0;
  std::uint16_t port = 0;
  if (address.ss_family == AF_INET) {
    ::sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    port = in.sin_port;
  } else if (address.ss_family == AF_INET6) {
    ::sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    port = in.sin6_port;
  }
  return ::ntohs(port);
}

}  // namespace tenon::inline TENON_ABI::wasi
