// SPDX-License-Identifier: Apache-2.0
/// @file
/// A cache that a fleet shares in Redis. Needs hiredis (link with -lhiredis), which no other header
/// of tenon does.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
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
#include <pthread.h>
#include <sys/time.h>

#include <tenon/abi/config.hpp>
#include <tenon/cache_store.hpp>

namespace tenon::inline TENON_ABI {

/// How to reach a Redis server. A plain value.
struct RedisOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      ///< empty: the server's default user
  std::string password;  ///< empty: no authentication
  std::string prefix = "tenon:";
  /// Longest wait for a connection, and for each part of an answer.
  std::uint32_t timeout_ms = 500;
  /// After a failure the server is left alone for so long.
  std::uint32_t retry_after_ms = 5'000;
  /// Entries go when they were not used for so long. 0: the server decides.
  std::uint32_t expire_seconds = 30 * 24 * 60 * 60;
};

/// Entries in a Redis server, for CacheOptions::remote. Any thread: each has a connection while it
/// needs one. Failures are exceptions, which the cache reports; a server that does not answer costs
/// a time-out, and then nothing until it is asked again.
class RedisStore final : public CacheStore {
 public:
  /// Connects when it is used.
  explicit RedisStore(RedisOptions options = {}) : options_{std::move(options)} {}

  std::optional<CacheBlob> Get(const CacheKey& key) override {
    const Reply reply = Command({"GET", NameOf(key)});
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
      Command({"SET", NameOf(key), value});
    } else {
      Command({"SET", NameOf(key), value, "EX", seconds});
    }
  }

  void Touch(const CacheKey& key) override {
    if (options_.expire_seconds == 0) return;
    Command({"EXPIRE", NameOf(key), std::to_string(options_.expire_seconds)});
  }

  void Remove(const CacheKey& key) override { Command({"DEL", NameOf(key)}); }

 private:
  using Clock = std::chrono::steady_clock;
  using Reply = std::shared_ptr<const redisReply>;

  struct Disconnect {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
  };
  using Connection = std::unique_ptr<redisContext, Disconnect>;

  /// Keeps SIGPIPE, which hiredis provokes by writing to a closed connection, from this thread.
  class PipeSignalGuard {
   public:
    PipeSignalGuard() {
      sigemptyset(&pipe_);
      sigaddset(&pipe_, SIGPIPE);
      sigset_t pending;
      sigpending(&pending);
      was_pending_ = sigismember(&pending, SIGPIPE) == 1;
      pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    PipeSignalGuard(const PipeSignalGuard&) = delete;
    PipeSignalGuard& operator=(const PipeSignalGuard&) = delete;
    ~PipeSignalGuard() {
      const timespec at_once{};
      if (!was_pending_) {
        while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) continue;
      }
      pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

   private:
    sigset_t pipe_;
    sigset_t before_;
    bool was_pending_;
  };

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
      not_before_ = Clock::now() + std::chrono::milliseconds{options_.retry_after_ms};
    }
    Fail(reason);
  }

  Connection Connect() {
    const timeval timeout{static_cast<time_t>(options_.timeout_ms / 1000),
                          static_cast<suseconds_t>(options_.timeout_ms % 1000 * 1000)};
    Connection connection{redisConnectWithTimeout(options_.host.c_str(), options_.port, timeout)};
    if (connection == nullptr) GiveUp("no memory for a connection");
    if (connection->err != 0) GiveUp(connection->errstr);
    redisSetTimeout(connection.get(), timeout);
    if (!options_.password.empty()) {
      std::vector<std::string_view> login{"AUTH"};
      if (!options_.user.empty()) login.push_back(options_.user);
      login.push_back(options_.password);
      const Reply reply = Send(connection, login);
      if (reply == nullptr) GiveUp(connection->errstr);
      if (reply->type == REDIS_REPLY_ERROR) GiveUp(reply->str);
    }
    return connection;
  }

  /// Null if the connection failed.
  static Reply Send(const Connection& connection, std::span<const std::string_view> words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    void* const reply = redisCommandArgv(connection.get(), static_cast<int>(words.size()),
                                         texts.data(), sizes.data());
    if (reply == nullptr) return nullptr;
    return Reply{static_cast<redisReply*>(reply), [](const redisReply* answer) {
                   freeReplyObject(const_cast<redisReply*>(answer));
                 }};
  }

  /// The words live as long as the full expression of the caller.
  Reply Command(std::initializer_list<std::string_view> words) {
    const PipeSignalGuard guard;
    Connection connection;
    bool was_idle = false;
    {
      const std::lock_guard lock{mutex_};
      if (Clock::now() < not_before_) Fail("left alone after a failure");
      if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
        was_idle = true;
      }
    }
    if (connection == nullptr) connection = Connect();
    const std::span all{words.begin(), words.size()};
    Reply reply = Send(connection, all);
    if (reply == nullptr && was_idle) {
      // The server closes connections that were idle for long.
      connection = Connect();
      reply = Send(connection, all);
    }
    if (reply == nullptr) GiveUp(connection->errstr);
    {
      const std::lock_guard lock{mutex_};
      idle_.push_back(std::move(connection));
    }
    if (reply->type == REDIS_REPLY_ERROR) Fail(std::string{reply->str, ReplySize(*reply)});
    return reply;
  }

  static std::size_t ReplySize(const redisReply& reply) {
    return static_cast<std::size_t>(reply.len);
  }

  const RedisOptions options_;
  std::mutex mutex_;
  std::vector<Connection> idle_;
  Clock::time_point not_before_{};
};

}  // namespace tenon::inline TENON_ABI
