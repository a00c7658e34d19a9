// SPDX-License-Identifier: Apache-2.0
/// @file
/// A fleet that shares its cache in Redis: a server on a loopback port, and its failures.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
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
  int Number() const { return number_; }
  void Listen() { REQUIRE(listen(number_, 16) == 0); }

 private:
  int number_;
  std::uint16_t port_ = 0;
};

/// What only looks like a Redis server: a thread that serves one connection after the other.
class ImpostorServer {
 public:
  /// `serve` gets the connection's socket and its number, and returns when it is to be closed.
  explicit ImpostorServer(std::function<void(int socket, int number)> serve) {
    socket_.Listen();
    thread_ = std::thread{[this, serve = std::move(serve)] {
      for (int number = 0;; ++number) {
        const int connection = accept4(socket_.Number(), nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        serve(connection, number);
        close(connection);
      }
    }};
  }
  ImpostorServer(const ImpostorServer&) = delete;
  ImpostorServer& operator=(const ImpostorServer&) = delete;
  ~ImpostorServer() {
    shutdown(socket_.Number(), SHUT_RDWR);
    thread_.join();
  }

  RedisOptions Options() const {
    RedisOptions options;
    options.port = socket_.Port();
    options.timeout_ms = 200;
    options.total_timeout_ms = 500;
    options.retry_after_ms = 0;
    return options;
  }

  static bool Send(int socket, const std::string& bytes) {
    return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// Waits for a request; false once there are no more.
  static bool Receive(int socket) {
    char buffer[1 << 12];
    return recv(socket, buffer, sizeof(buffer), 0) > 0;
  }

 private:
  LoopbackSocket socket_;
  std::thread thread_;
};

/// What a call threw, and how long that took.
struct Failure {
  std::string text;
  std::chrono::milliseconds time{};
};

Failure FailureOf(const std::function<void()>& call) {
  Failure failure;
  const auto begin = std::chrono::steady_clock::now();
  try {
    call();
  } catch (const std::runtime_error& error) {
    failure.text = error.what();
  }
  failure.time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  return failure;
}

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

TEST_CASE("nothing in Redis is no entry, and replaced") {
  const RedisServer server;
  const ScratchDirectory first;
  const auto module = AnswerModule(63);
  RunCached(first.Path(), module, With(server.Store()));
  server.Store()->Put(KeyIn(first), {});
  const ScratchDirectory second;
  CHECK(RunCached(second.Path(), module, With(server.Store())).statistics.misses == 1);
  const ScratchDirectory third;
  CHECK(RunCached(third.Path(), module, With(server.Store())).statistics.remote_loads == 1);
}

TEST_CASE("a server that sends one byte after the other is given up when the time is over") {
  const ImpostorServer server{[](int socket, int) {
    if (!ImpostorServer::Receive(socket)) return;
    if (!ImpostorServer::Send(socket, "+")) return;
    while (ImpostorServer::Send(socket, "x")) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }};
  RedisStore store{server.Options()};
  const Failure failure = FailureOf([&] { store.Get({}); });
  CHECK(failure.text.find("did not answer in time") != std::string::npos);
  CHECK(failure.time.count() >= 500);
  CHECK(failure.time.count() < 5000);
}

TEST_CASE("a server that reads one byte after the other is given up when the time is over") {
  std::atomic<bool> is_over{false};
  const ImpostorServer server{[&](int socket, int) {
    char byte = 0;
    while (!is_over && recv(socket, &byte, 1, 0) == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }};
  RedisStore store{server.Options()};
  const std::vector<std::uint8_t> entry(64 << 20);
  const Failure failure = FailureOf([&] { store.Put({}, entry); });
  is_over = true;
  CHECK(failure.text.find("did not answer in time") != std::string::npos);
  CHECK(failure.time.count() < 5000);
}

TEST_CASE("a value that is larger than asked for is neither fetched nor taken") {
  const RedisServer server;
  RedisOptions options = server.Options();
  options.max_bytes = 1000;
  RedisStore store{options};
  server.Store()->Put({}, std::vector<std::uint8_t>(1000));
  CHECK(store.Get({}).has_value());
  server.Store()->Put({}, std::vector<std::uint8_t>(1001));
  CHECK(FailureOf([&] { store.Get({}); }).text.find("1001 bytes") != std::string::npos);
}

TEST_CASE("a remote entry that is larger than the cache may be is compiled, and not kept") {
  const RedisServer server;
  const ScratchDirectory first;
  const auto module = AnswerModule(64);
  RunCached(first.Path(), module, With(server.Store()));
  CacheOptions options = With(server.Store());
  options.max_bytes = 100;
  const ScratchDirectory second;
  const CachedRun run = RunCached(second.Path(), module, options);
  CHECK(run.answer == 64);
  CHECK(run.statistics.writes == 0);
  REQUIRE(run.problems.size() == 2);
  CHECK(run.problems[0].kind == CacheProblemKind::NotRead);
  CHECK(run.problems[1].kind == CacheProblemKind::NotWritten);
  CHECK(run.problems[0].text.find("larger than the cache may be") != std::string::npos);
}

TEST_CASE("a server that sends more than it said, or something else, is given up") {
  std::string answer;
  SECTION("more") { answer = "$2000000\r\n" + std::string(2'000'000, 'x') + "\r\n"; }
  SECTION("a text without an end") { answer = "+" + std::string(2'000'000, 'x'); }
  SECTION("a list") { answer = "*1000000000\r\n"; }
  SECTION("what is no answer") { answer = "HTTP/1.1 400 Bad Request\r\n\r\n"; }
  SECTION("a size that is none") { answer = "$-17\r\n"; }
  const ImpostorServer server{[&](int socket, int) {
    if (!ImpostorServer::Receive(socket) || !ImpostorServer::Send(socket, ":5\r\n")) return;
    if (ImpostorServer::Receive(socket)) ImpostorServer::Send(socket, answer);
    ImpostorServer::Receive(socket);
  }};
  RedisOptions options = server.Options();
  options.max_bytes = 100'000;
  RedisStore store{options};
  const Failure failure = FailureOf([&] { store.Get({}); });
  CHECK_FALSE(failure.text.empty());
  CHECK(failure.time.count() < 5000);
}

TEST_CASE("connections that the server closed are made again, and no signal ends the process") {
  std::atomic<int> connections{0};
  const ImpostorServer server{[&](int socket, int) {
    ++connections;
    if (ImpostorServer::Receive(socket)) ImpostorServer::Send(socket, "+OK\r\n");
  }};
  RedisStore store{server.Options()};
  for (int i = 0; i < 5; ++i) store.Put({}, std::vector<std::uint8_t>{1});
  CHECK(connections == 5);
}

TEST_CASE("a server that falls silent costs one time-out") {
  std::atomic<int> connections{0};
  const ImpostorServer server{[&](int socket, int) {
    ++connections;
    if (ImpostorServer::Receive(socket)) ImpostorServer::Send(socket, "+OK\r\n");
    while (ImpostorServer::Receive(socket)) continue;
  }};
  RedisStore store{server.Options()};
  store.Put({}, std::vector<std::uint8_t>{1});
  CHECK_FALSE(FailureOf([&] { store.Put({}, std::vector<std::uint8_t>{1}); }).text.empty());
  CHECK(connections == 1);
}

TEST_CASE("a process that was forked has connections of its own") {
  const RedisServer server;
  RedisStore store{server.Options()};
  const tenon::CacheKey key{1};
  store.Put(key, std::vector<std::uint8_t>{0});
  const auto use = [&](std::uint8_t number) {
    const tenon::CacheKey mine{number};
    for (int i = 0; i < 200; ++i) {
      store.Put(mine, std::vector<std::uint8_t>(1000, number));
      const auto blob = store.Get(mine);
      if (!blob.has_value() || blob->bytes.size() != 1000 || blob->bytes[0] != number) return false;
    }
    return true;
  };
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool is_right = false;
    try {
      is_right = use(2);
    } catch (const std::exception&) {
      is_right = false;
    }
    _exit(is_right ? 0 : 1);
  }
  CHECK(use(3));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a name that nobody knows costs a report") {
  RedisOptions options;
  options.host = "no such host.invalid";
  const ScratchDirectory scratch;
  const CachedRun run =
      RunCached(scratch.Path(), AnswerModule(5), With(std::make_shared<RedisStore>(options)));
  CHECK(run.answer == 5);
  CHECK(Count(run, CacheProblemKind::NotRead) == 1);
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
