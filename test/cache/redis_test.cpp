// SPDX-License-Identifier: Apache-2.0
/// @file
/// A fleet that shares its cache in Redis: a server on a loopback port, and its failures.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/redis_store.hpp>
#include <tenon/tenon.hpp>

#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CacheOptions;
using tenon::CacheProblemKind;
using tenon::RedisOptions;
using tenon::RedisStore;

namespace {

/// A socket that is bound to a free loopback port.
class LoopbackSocket {
 public:
  LoopbackSocket() : number_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(getsockname(number_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;
  ~LoopbackSocket() { close(number_); }

  std::uint16_t Port() const { return port_; }
  void Listen() { REQUIRE(listen(number_, 16) == 0); }

 private:
  int number_;
  std::uint16_t port_ = 0;
};

/// A Redis server of this test's own.
class RedisServer {
 public:
  explicit RedisServer(const std::string& password = "") {
    {
      const LoopbackSocket free_port;
      options_.port = free_port.Port();
    }
    options_.password = password;
    options_.retry_after_ms = 0;
    const std::string port = std::to_string(options_.port);
    process_ = fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      const int null = open("/dev/null", O_RDWR);
      dup2(null, 1);
      dup2(null, 2);
      std::vector<const char*> words{
          "redis-server", "--port", port.c_str(),           "--bind", "127.0.0.1",
          "--save",       "",       "--appendonly",         "no",     "--daemonize",
          "no",           "--dir",  scratch_.Path().c_str()};
      if (!password.empty()) {
        words.push_back("--requirepass");
        words.push_back(password.c_str());
      }
      words.push_back(nullptr);
      execvp(words[0], const_cast<char* const*>(words.data()));
      _exit(1);
    }
    RedisStore store{options_};
    for (int i = 0;; ++i) {
      try {
        store.Get({});
        break;
      } catch (const std::runtime_error&) {
        REQUIRE(i < 500);
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
      }
    }
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { Stop(); }

  void Stop() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  const RedisOptions& Options() const { return options_; }
  std::shared_ptr<RedisStore> Store() const { return std::make_shared<RedisStore>(options_); }

 private:
  ScratchDirectory scratch_;
  RedisOptions options_;
  pid_t process_ = -1;
};

CacheOptions With(std::shared_ptr<tenon::CacheStore> store, std::uint8_t key = 1) {
  CacheOptions options;
  options.mac_key.assign(32, key);
  options.remote = std::move(store);
  return options;
}

tenon::CacheKey KeyIn(const ScratchDirectory& scratch) {
  const std::string file = scratch.Files(".tenon").at(0);
  const std::string name = file.substr(file.rfind('/') + 1);
  tenon::CacheKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(std::stoi(name.substr(2 * i, 2), nullptr, 16));
  }
  return key;
}

std::size_t Count(const CachedRun& run, CacheProblemKind kind) {
  std::size_t count = 0;
  for (const tenon::CacheProblem& problem : run.problems) count += problem.kind == kind ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("machines share through Redis what one of them compiled") {
  const RedisServer server;
  const ScratchDirectory first;
  const ScratchDirectory second;
  const auto module = AnswerModule(61);
  const CachedRun compiled = RunCached(first.Path(), module, With(server.Store()));
  CHECK(compiled.statistics.misses == 1);
  CHECK(compiled.statistics.writes == 2);
  const CachedRun remote = RunCached(second.Path(), module, With(server.Store()));
  CHECK(remote.answer == 61);
  CHECK(remote.statistics.misses == 0);
  CHECK(remote.statistics.remote_loads == 1);
  // The pages are those of the file that it became.
  CHECK(remote.statistics.mapped_loads == 1);
  const CachedRun local = RunCached(second.Path(), module, With(server.Store()));
  CHECK(local.answer == 61);
  CHECK(local.statistics.loads == 1);
  CHECK(local.statistics.remote_loads == 0);
  CHECK(compiled.problems.empty());
  CHECK(remote.problems.empty());
}

TEST_CASE("what others put into Redis is never executed, and replaced") {
  const RedisServer server;
  const ScratchDirectory first;
  const auto module = AnswerModule(62);
  RunCached(first.Path(), module, With(server.Store()));
  const tenon::CacheKey key = KeyIn(first);
  auto entry = ReadBytes(first.Files(".tenon").at(0));
  SECTION("one byte") { entry.back() ^= 1; }
  SECTION("a piece") { entry.resize(entry.size() / 2); }
  SECTION("nothing") { entry.clear(); }
  SECTION("another key's") {
    const ScratchDirectory other;
    RunCached(other.Path(), module, With(nullptr, 2));
    entry = ReadBytes(other.Files(".tenon").at(0));
  }
  server.Store()->Put(key, entry);
  const ScratchDirectory second;
  const CachedRun run = RunCached(second.Path(), module, With(server.Store()));
  CHECK(run.answer == 62);
  CHECK(run.statistics.loads == 0);
  CHECK(run.statistics.rejected >= 1);
  const ScratchDirectory third;
  CHECK(RunCached(third.Path(), module, With(server.Store())).statistics.remote_loads == 1);
}

TEST_CASE("entries are removed from Redis, and expire") {
  const RedisServer server;
  RedisOptions options = server.Options();
  options.expire_seconds = 1;
  RedisStore store{options};
  const std::vector<std::uint8_t> entry{1, 2, 3};
  const tenon::CacheKey one{1};
  const tenon::CacheKey two{2};
  store.Put(one, entry);
  store.Put(two, entry);
  const auto blob = store.Get(one);
  REQUIRE(blob.has_value());
  CHECK(std::vector<std::uint8_t>{blob->bytes.begin(), blob->bytes.end()} == entry);
  store.Touch(one);
  store.Remove(one);
  CHECK_FALSE(store.Get(one).has_value());
  CHECK(store.Get(two).has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds{1200});
  CHECK_FALSE(store.Get(two).has_value());
}

TEST_CASE("a password opens the server, and nothing else does") {
  const RedisServer server{"secret"};
  const auto store = server.Store();
  store->Put({}, std::vector<std::uint8_t>{1});
  CHECK(store->Get({}).has_value());
  RedisOptions options = server.Options();
  options.password = "guess";
  CHECK_THROWS_AS(RedisStore{options}.Get({}), std::runtime_error);
  options.password = "";
  CHECK_THROWS_AS(RedisStore{options}.Get({}), std::runtime_error);
}

TEST_CASE("a server that goes costs reports, not guests, and is used when it comes back") {
  RedisServer server;
  const ScratchDirectory scratch;
  const auto store = server.Store();
  RunCached(scratch.Path(), AnswerModule(1), With(store));
  server.Stop();
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(2), With(store));
  CHECK(run.answer == 2);
  CHECK(run.statistics.misses == 1);
  CHECK(run.statistics.writes == 1);
  CHECK(Count(run, CacheProblemKind::NotRead) >= 1);
  CHECK(Count(run, CacheProblemKind::NotWritten) == 1);
  // What is in the directory needs no server.
  const CachedRun local = RunCached(scratch.Path(), AnswerModule(1), With(store));
  CHECK(local.statistics.loads == 1);
  CHECK(local.problems.empty());
}

TEST_CASE("a server that does not answer costs a time-out, and then nothing for a while") {
  LoopbackSocket silent;
  silent.Listen();  // connections are made by the system, and nobody takes them
  RedisOptions options;
  options.port = silent.Port();
  options.timeout_ms = 100;
  options.retry_after_ms = 60'000;
  const ScratchDirectory scratch;
  const auto begin = std::chrono::steady_clock::now();
  const auto store = std::make_shared<RedisStore>(options);
  for (std::int32_t i = 0; i < 20; ++i) {
    CHECK(RunCached(scratch.Path(), AnswerModule(i), With(store)).answer == i);
  }
  // 20 guests ask and tell the store three times each.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
}

TEST_CASE("threads share a store") {
  const RedisServer server;
  RedisStore store{server.Options()};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uint8_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<std::uint8_t> entry(1000u + t, t);
      const tenon::CacheKey key{t};
      for (int i = 0; i < 50; ++i) {
        store.Put(key, entry);
        const auto blob = store.Get(key);
        const bool is_right =
            blob.has_value() && blob->bytes.size() == entry.size() && blob->bytes[0] == t;
        wrong += is_right ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
