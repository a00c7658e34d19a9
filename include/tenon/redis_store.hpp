// SPDX-License-Identifier: Apache-2.0
/// @file
/// A cache that a fleet shares in Redis. Needs hiredis (link with -lhiredis), which no other header
/// of tenon does.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/cache_store.hpp>

namespace tenon::inline TENON_ABI {

/// How to reach a Redis server. A plain value.
struct RedisOptions {
  /// A name or an address. A name is resolved for the first connection and after a failure, which
  /// takes as long as the system's resolver takes: no option here ends that sooner.
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      ///< empty: the server's default user
  std::string password;  ///< empty: no authentication
  std::string prefix = "tenon:";
  /// Longest wait for a connection, and for each part of an answer.
  std::uint32_t timeout_ms = 500;
  /// Longest time that the cache spends on one call in all, but for resolving `host`; however
  /// steadily a server sends.
  std::uint32_t total_timeout_ms = 5'000;
  /// After a failure the server is left alone for so long.
  std::uint32_t retry_after_ms = 5'000;
  /// Entries go when they were not used for so long. 0: the server decides.
  std::uint32_t expire_seconds = 30 * 24 * 60 * 60;
  /// Larger values are not taken.
  std::uint64_t max_bytes = std::uint64_t{512} << 20;
};

/// Entries in a Redis server, for CacheOptions::remote. Any thread: each has a connection while it
/// needs one; so has a process that was forked. Failures are exceptions, which the cache reports; a
/// server that does not answer costs a time-out, and then nothing until it is asked again.
class RedisStore final : public CacheStore {
 public:
  /// Connects when it is used.
  explicit RedisStore(RedisOptions options = {}) : options_{std::move(options)} {}

  std::optional<CacheBlob> Get(const CacheKey& key) override {
    const Clock::time_point deadline = Deadline();
    const std::string name = NameOf(key);
    const Reply size = Command({"STRLEN", name}, deadline);
    if (size->type != REDIS_REPLY_INTEGER) Fail("an answer of another type");
    if (size->integer <= 0) return std::nullopt;
    if (static_cast<std::uint64_t>(size->integer) > options_.max_bytes) {
      Fail("a value of " + std::to_string(size->integer) + " bytes, which max_bytes forbids");
    }
    const Reply reply = Command({"GET", name}, deadline);
    if (reply->type == REDIS_REPLY_NIL) return std::nullopt;
    if (reply->type != REDIS_REPLY_STRING) Fail("an answer of another type");
    const std::span bytes{reinterpret_cast<const std::uint8_t*>(reply->str),
                          static_cast<std::size_t>(reply->len)};
    return CacheBlob{bytes, reply, CacheBlob::Kind::Shared};
  }

  void Put(const CacheKey& key, std::span<const std::uint8_t> entry) override {
    const std::string_view value{reinterpret_cast<const char*>(entry.data()), entry.size()};
    const std::string seconds = std::to_string(options_.expire_seconds);
    if (options_.expire_seconds == 0) {
      Command({"SET", NameOf(key), value}, Deadline());
    } else {
      Command({"SET", NameOf(key), value, "EX", seconds}, Deadline());
    }
  }

  void Touch(const CacheKey& key) override {
    if (options_.expire_seconds == 0) return;
    Command({"EXPIRE", NameOf(key), std::to_string(options_.expire_seconds)}, Deadline());
  }

  void Remove(const CacheKey& key) override { Command({"DEL", NameOf(key)}, Deadline()); }

 private:
  using Clock = std::chrono::steady_clock;
  using Reply = std::shared_ptr<const redisReply>;
  using Words = std::span<const std::string_view>;
  using Addresses = std::shared_ptr<const addrinfo>;

  /// A socket, and what was read from it. Waiting is the store's business, as hiredis would wait
  /// for each byte anew.
  struct Connection {
    explicit Connection(int number) : socket{number}, reader{redisReaderCreate()} {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
      if (reader != nullptr) redisReaderFree(reader);
      close(socket);
    }

    const int socket;
    redisReader* const reader;
  };
  using ConnectionPointer = std::unique_ptr<Connection>;

  Clock::time_point Deadline() const {
    return Clock::now() + std::chrono::milliseconds{options_.total_timeout_ms};
  }

  std::string NameOf(const CacheKey& key) const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string name = options_.prefix;
    for (const std::uint8_t byte : key) {
      name += kDigits[byte >> 4];
      name += kDigits[byte & 15];
    }
    return name;
  }

  [[noreturn]] void Fail(const std::string& reason) const {
    throw std::runtime_error{"redis " + options_.host + ":" + std::to_string(options_.port) + ": " +
                             reason};
  }

  /// The server failed: connections are as good as closed.
  [[noreturn]] void GiveUp(const std::string& reason) {
    {
      const std::lock_guard lock{mutex_};
      idle_.clear();
      addresses_ = nullptr;
      not_before_ = Clock::now() + std::chrono::milliseconds{options_.retry_after_ms};
    }
    Fail(reason);
  }

  /// Waits for a socket; false if that takes too long.
  bool Await(int socket, short events, Clock::time_point deadline) const {
    const Clock::time_point end =
        std::min(deadline, Clock::now() + std::chrono::milliseconds{options_.timeout_ms});
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
      if (left <= 0) return false;
      pollfd place{socket, events, 0};
      const int ready = poll(&place, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  void RequireReady(int socket, short events, Clock::time_point deadline) {
    if (!Await(socket, events, deadline)) GiveUp("it did not answer in time");
  }

  Addresses Resolve() {
    {
      const std::lock_guard lock{mutex_};
      if (addresses_ != nullptr) return addresses_;
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const std::string port = std::to_string(options_.port);
    const int error = getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &list);
    if (error != 0) GiveUp(gai_strerror(error));
    Addresses found{list, [](const addrinfo* all) { freeaddrinfo(const_cast<addrinfo*>(all)); }};
    const std::lock_guard lock{mutex_};
    return addresses_ = std::move(found);
  }

  /// Null: `reason` says why not.
  ConnectionPointer ConnectTo(const addrinfo& address, Clock::time_point deadline,
                              std::string& reason) const {
    const int number =
        socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = errno;
    if (number >= 0) {
      auto connection = std::make_unique<Connection>(number);
      socklen_t size = sizeof(error);
      error = connect(number, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
      if (error == EINPROGRESS) {
        const bool is_ready = Await(number, POLLOUT, deadline);
        if (!is_ready || getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
          error = ETIMEDOUT;
        }
      }
      if (connection->reader == nullptr) error = ENOMEM;
      if (error == 0) return connection;
    }
    reason = std::strerror(error);
    return nullptr;
  }

  ConnectionPointer Connect(Clock::time_point deadline) {
    const Addresses addresses = Resolve();
    std::string reason;
    ConnectionPointer connection;
    for (const addrinfo* address = addresses.get(); address != nullptr && connection == nullptr;
         address = address->ai_next) {
      connection = ConnectTo(*address, deadline, reason);
    }
    if (connection == nullptr) GiveUp(reason);
    if (!options_.password.empty()) {
      std::vector<std::string_view> login{"AUTH"};
      if (!options_.user.empty()) login.push_back(options_.user);
      login.push_back(options_.password);
      const Reply reply = Ask(*connection, login, deadline);
      if (reply == nullptr) GiveUp(kClosed);
      if (reply->type == REDIS_REPLY_ERROR) GiveUp(TextOf(*reply));
    }
    return connection;
  }

  static std::string RequestOf(Words words) {
    std::string request = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string_view word : words) {
      request.append("$").append(std::to_string(word.size())).append("\r\n");
      request.append(word).append("\r\n");
    }
    return request;
  }

  /// False if the connection is closed. Signals nobody.
  bool Write(const Connection& connection, std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
      const ssize_t sent = send(connection.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        RequireReady(connection.socket, POLLOUT, deadline);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  /// Null if the connection is closed.
  Reply Read(const Connection& connection, Clock::time_point deadline) {
    constexpr std::string_view kKinds = "$:+-";
    constexpr std::uint64_t kMostBesides = 1 << 12;  // texts of errors, and what frames a value
    char buffer[16 << 10];
    std::uint64_t received = 0;
    for (;;) {
      const ssize_t size = recv(connection.socket, buffer, sizeof(buffer), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) {
        RequireReady(connection.socket, POLLIN, deadline);
        continue;
      }
      if (size <= 0) return nullptr;
      if (Clock::now() >= deadline) GiveUp("it did not answer in time");
      // Lists have sizes that memory is taken for at once; nothing here is answered by one.
      if (received == 0 && kKinds.find(buffer[0]) == std::string_view::npos) {
        GiveUp("an answer of another type");
      }
      received += static_cast<std::uint64_t>(size);
      if (received > options_.max_bytes + kMostBesides) GiveUp("a longer answer than max_bytes");
      void* reply = nullptr;
      if (redisReaderFeed(connection.reader, buffer, static_cast<std::size_t>(size)) != REDIS_OK ||
          redisReaderGetReply(connection.reader, &reply) != REDIS_OK) {
        GiveUp(connection.reader->errstr);
      }
      if (reply == nullptr) continue;
      return Reply{static_cast<redisReply*>(reply), [](const redisReply* answer) {
                     freeReplyObject(const_cast<redisReply*>(answer));
                   }};
    }
  }

  /// Null if the connection is closed.
  Reply Ask(const Connection& connection, Words words, Clock::time_point deadline) {
    return Write(connection, RequestOf(words), deadline) ? Read(connection, deadline) : nullptr;
  }

  /// Null if there is none.
  ConnectionPointer TakeIdle() {
    const std::lock_guard lock{mutex_};
    if (Clock::now() < not_before_) Fail("left alone after a failure");
    // Those of the process that forked this one are not to be shared.
    if (process_ != getpid()) idle_.clear();
    process_ = getpid();
    if (idle_.empty()) return nullptr;
    ConnectionPointer connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  /// The words live as long as the full expression of the caller.
  Reply Command(std::initializer_list<std::string_view> words, Clock::time_point deadline) {
    const Words all{words.begin(), words.size()};
    ConnectionPointer connection = TakeIdle();
    Reply reply;
    if (connection != nullptr) reply = Ask(*connection, all, deadline);
    if (reply == nullptr) {
      // There was none, or the server closed it, as it does with those that were idle for long.
      connection = Connect(deadline);
      reply = Ask(*connection, all, deadline);
    }
    if (reply == nullptr) GiveUp(kClosed);
    {
      const std::lock_guard lock{mutex_};
      idle_.push_back(std::move(connection));
    }
    if (reply->type == REDIS_REPLY_ERROR) Fail(TextOf(*reply));
    return reply;
  }

  static std::string TextOf(const redisReply& reply) {
    return {reply.str, static_cast<std::size_t>(reply.len)};
  }

  static constexpr const char* kClosed = "it closed the connection";

  const RedisOptions options_;
  std::mutex mutex_;
  std::vector<ConnectionPointer> idle_;
  Addresses addresses_;  ///< null: not known
  pid_t process_ = -1;   ///< whose connections are idle
  Clock::time_point not_before_{};
};

}  // namespace tenon::inline TENON_ABI
