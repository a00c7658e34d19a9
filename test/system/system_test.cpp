// SPDX-License-Identifier: Apache-2.0
/// @file
/// SystemConfig and System: validation, defaults, streams, independence of copies.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"

using namespace tenon_test;
using tenon::ErrorCode;
using tenon::OutputStream;
using tenon::System;
using tenon::SystemConfig;

namespace {

std::span<const std::uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void CheckRefused(const SystemConfig& config, ErrorCode id, std::string_view text) {
  const auto error = Thrown<tenon::ConfigError>([&] { System{config}; });
  CHECK(error.Id() == id);
  CHECK(std::string{error.what()} == text);
}

}  // namespace

TEST_CASE("arguments and environment with a NUL are refused") {
  using namespace std::string_literals;
  CheckRefused(SystemConfig{}.WithArgs({"a", "b\0c"s}), ErrorCode::ArgsNul,
               "args invalid: contains NUL character");
  CheckRefused(SystemConfig{}.WithEnv("a\0"s, "b"), ErrorCode::EnvironNul,
               "environ invalid: contains NUL character");
  CheckRefused(SystemConfig{}.WithEnv("a", "\0b"s), ErrorCode::EnvironNul,
               "environ invalid: contains NUL character");
}

TEST_CASE("environment keys must not be empty or contain an equals sign") {
  CheckRefused(SystemConfig{}.WithEnv("", "b"), ErrorCode::EnvironEmptyKey,
               "environ invalid: empty key");
  CheckRefused(SystemConfig{}.WithEnv("a=b", ""), ErrorCode::EnvironKeyEquals,
               "environ invalid: key contains '=' character");
  CHECK_NOTHROW(System{SystemConfig{}.WithEnv("a", "=b=")});
}

TEST_CASE("empty arguments and values are allowed") {
  const System system{SystemConfig{}.WithArgs({"", ""}).WithEnv("a", "")};
  CHECK(system.Args() == std::vector<std::string>{"", ""});
  CHECK(system.Environ() == std::vector<std::string>{"a="});
}

TEST_CASE("arguments are counted and measured up to the limits") {
  std::vector<std::string> many(SystemConfig::kMaximumArguments);
  CHECK_NOTHROW(System{SystemConfig{}.WithArgs(many)});
  many.emplace_back();
  CheckRefused(SystemConfig{}.WithArgs(many), ErrorCode::ArgsCount,
               "args invalid: exceeds maximum count: 1000001 > 1000000");

  std::string longest(SystemConfig::kMaximumStringBytes - 1, 'x');
  CHECK_NOTHROW(System{SystemConfig{}.WithArgs({longest})});
  longest += 'x';
  CheckRefused(SystemConfig{}.WithArgs({longest}), ErrorCode::ArgsSize,
               "args invalid: exceeds maximum size: 67108865 > 67108864 bytes");
}

TEST_CASE("the environment is measured up to the limit, keys included") {
  std::string longest(SystemConfig::kMaximumStringBytes - 4, 'x');
  CHECK_NOTHROW(System{SystemConfig{}.WithEnv("ab", longest)});
  CheckRefused(SystemConfig{}.WithEnv("abc", longest), ErrorCode::EnvironSize,
               "environ invalid: exceeds maximum size: 67108865 > 67108864 bytes");
}

TEST_CASE("clock resolutions lie between a nanosecond and an hour") {
  const auto clock = [] { return std::uint64_t{0}; };
  const std::uint64_t hour = SystemConfig::kMaximumResolution;
  CHECK_NOTHROW(System{SystemConfig{}.WithWalltime(clock, 1).WithNanotime(clock, hour)});
  CheckRefused(SystemConfig{}.WithWalltime(clock, 0), ErrorCode::WalltimeResolution,
               "invalid Walltime resolution: 0");
  CheckRefused(SystemConfig{}.WithNanotime(clock, hour + 1), ErrorCode::NanotimeResolution,
               "invalid Nanotime resolution: 3600000000001");
  CheckRefused(SystemConfig{}.WithCputime(clock, 0), ErrorCode::CputimeResolution,
               "invalid Cputime resolution: 0");
}

TEST_CASE("invalid settings surface when a module is instantiated") {
  const tenon::Runtime runtime;
  const std::vector<std::uint8_t> empty{0, 'a', 's', 'm', 1, 0, 0, 0};
  const auto config = tenon::ModuleConfig{}.WithSystem(SystemConfig{}.WithEnv("", "x"));
  CHECK(Thrown<tenon::ConfigError>([&] { runtime.Instantiate(empty, config); }).Id() ==
        ErrorCode::EnvironEmptyKey);
}

TEST_CASE("a host function reaches its caller's System") {
  const tenon::Runtime runtime;
  const std::vector<std::uint8_t> empty{0, 'a', 's', 'm', 1, 0, 0, 0};
  const tenon::Module guest = runtime.Instantiate(
      empty, tenon::ModuleConfig{}.WithSystem(SystemConfig{}.WithArgs({"tool"})));
  CHECK(guest.System().Args() == std::vector<std::string>{"tool"});
  CHECK(&guest.System() == &tenon::Module{guest}.System());
}

TEST_CASE("every With of a SystemConfig leaves the original alone") {
  const SystemConfig base = SystemConfig{}.WithArgs({"a"}).WithEnv("K", "base");
  const SystemConfig changed = base.WithArgs({"b", "c"})
                                   .WithEnv("K", "changed")
                                   .WithEnv("L", "1")
                                   .WithStdinText("text")
                                   .WithInheritedStdio()
                                   .WithSystemClocks()
                                   .WithSystemRandom()
                                   .WithOsyield([] {});
  CHECK(base.Args() == std::vector<std::string>{"a"});
  REQUIRE(base.Env().size() == 1);
  CHECK(base.Env()[0].second == "base");
  CHECK(base.StdinText().empty());
  CHECK_FALSE(base.Stdin());
  CHECK_FALSE(base.Stdout());
  CHECK_FALSE(base.Stderr());
  CHECK_FALSE(base.Walltime());
  CHECK_FALSE(base.Nanotime());
  CHECK_FALSE(base.Cputime());
  CHECK_FALSE(base.RandSource());
  CHECK_FALSE(base.Osyield());
  CHECK(changed.Args().size() == 2);
  CHECK(changed.Env().size() == 2);
  CHECK(changed.Env()[0].second == "changed");
}

TEST_CASE("changing a SystemConfig after a System was made from it changes nothing there") {
  SystemConfig config = SystemConfig{}.WithEnv("K", "1").WithStdinText("one");
  System system{config};
  config = config.WithEnv("K", "2").WithStdinText("two");
  CHECK(system.Environ() == std::vector<std::string>{"K=1"});
  std::uint8_t buffer[8];
  CHECK(system.ReadStdin(buffer) == 3);
  CHECK(buffer[0] == 'o');
}

TEST_CASE("input text starts anew for each System") {
  const SystemConfig config = SystemConfig{}.WithStdinText("abc");
  for (int i = 0; i < 2; ++i) {
    System system{config};
    std::uint8_t buffer[2];
    CHECK(system.ReadStdin(buffer) == 2);
    CHECK(buffer[0] == 'a');
    CHECK(system.ReadStdin(buffer) == 1);
    CHECK(buffer[0] == 'c');
    CHECK(system.ReadStdin(buffer) == 0);
    CHECK(system.ReadStdin({}) == 0);
  }
}

TEST_CASE("the later of input stream and input text counts") {
  const auto stream = [](std::span<std::uint8_t> buffer) {
    buffer[0] = 's';
    return std::size_t{1};
  };
  std::uint8_t buffer[4];
  System text_last{SystemConfig{}.WithStdin(stream).WithStdinText("t")};
  CHECK(text_last.ReadStdin(buffer) == 1);
  CHECK(buffer[0] == 't');
  System stream_last{SystemConfig{}.WithStdinText("t").WithStdin(stream)};
  CHECK(stream_last.ReadStdin(buffer) == 1);
  CHECK(buffer[0] == 's');
}

TEST_CASE("output is written until the stream has all or fails") {
  std::string out;
  std::size_t room = 5;
  System system{SystemConfig{}.WithStdout([&](std::span<const std::uint8_t> bytes) {
    const std::size_t taken = std::min({room, bytes.size(), std::size_t{2}});
    out.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    room -= taken;
    return taken;
  })};
  CHECK(system.WriteOutput(1, BytesOf("abc")) == 3);
  CHECK(system.WriteOutput(1, BytesOf("defg")) == 2);
  CHECK(system.WriteOutput(1, BytesOf("h")) == 0);
  CHECK(out == "abcde");
  CHECK(system.WriteOutput(2, BytesOf("discarded")) == 9);
}

TEST_CASE("default randomness is one fixed sequence, whatever the requests") {
  System whole{SystemConfig{}};
  System pieces{SystemConfig{}};
  std::uint8_t expected[40];
  whole.Random(expected);
  std::vector<std::uint8_t> found(40);
  for (std::size_t at = 0; at < 40; at += 5) pieces.Random(std::span{found}.subspan(at, 5));
  CHECK(std::equal(found.begin(), found.end(), expected));
  CHECK(std::count(found.begin(), found.end(), 0) < 10);
}

TEST_CASE("a machine that gives no random bytes is an error, not a predictable sequence") {
  // The kernel refuses to write to a page that nobody may write to.
  const std::size_t size = 4096;
  void* const page = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  const SystemConfig config = SystemConfig{}.WithSystemRandom();
  const auto error = Thrown<tenon::ConfigError>(
      [&] { config.RandSource()({static_cast<std::uint8_t*>(page), std::size_t{16}}); });
  CHECK(error.Id() == ErrorCode::SystemRandom);
  CHECK(std::string{error.what()}.starts_with("cannot get random bytes from the machine: "));
  ::munmap(page, size);
}

TEST_CASE("the machine's clocks move and its randomness differs") {
  System system{SystemConfig{}.WithSystemClocks().WithSystemRandom()};
  CHECK(system.Walltime() > 1640995200ull * 1'000'000'000);
  const std::uint64_t before = system.Nanotime();
  CHECK(system.Nanotime() >= before);
  std::vector<std::uint8_t> one(1000);
  std::vector<std::uint8_t> other(1000);
  system.Random(one);
  system.Random(other);
  CHECK(one != other);
  CHECK(std::count(one.end() - 300, one.end(), 0) < 300);
}

TEST_CASE("processor time is a fixed sequence, the host's function, or the thread's own") {
  constexpr std::uint64_t kMillisecond = 1'000'000;
  System fixed{SystemConfig{}};
  CHECK(fixed.Cputime() == 0);
  fixed.Nanosleep(kMillisecond);
  CHECK(fixed.Cputime() == kMillisecond);
  CHECK(fixed.CputimeResolution() == 1);

  std::uint64_t now = 7;
  System given{SystemConfig{}.WithCputime([&] { return now; }, 100)};
  CHECK(given.Cputime() == 7);
  CHECK(given.CputimeResolution() == 100);
  now = 3;
  CHECK(given.Cputime() == 7);
  now = 9;
  CHECK(given.Cputime() == 9);

  System machine{SystemConfig{}.WithSystemClocks()};
  const std::uint64_t begin = machine.Cputime();
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  const std::uint64_t slept = machine.Cputime();
  CHECK(slept - begin < 200 * kMillisecond);
  const std::uint64_t wall = machine.Nanotime();
  while (machine.Cputime() - slept < 20 * kMillisecond) {
    REQUIRE(machine.Nanotime() - wall < 60'000 * kMillisecond);
  }
}

TEST_CASE("a file is read whole, and one that cannot be read is named") {
  char name[] = "/tmp/tenon-read-file-XXXXXX";
  const int descriptor = mkstemp(name);
  REQUIRE(descriptor >= 0);
  const std::string path = name;
  std::FILE* file = fdopen(descriptor, "wb");
  REQUIRE(file != nullptr);
  std::string contents(50000, 'x');
  contents[49999] = '\0';
  REQUIRE(std::fwrite(contents.data(), 1, contents.size(), file) == contents.size());
  std::fclose(file);
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(path);
  CHECK(std::string(bytes.begin(), bytes.end()) == contents);
  std::remove(path.c_str());

  const auto error = Thrown<tenon::ConfigError>([&] { tenon::ReadFile(path); });
  CHECK(error.Id() == ErrorCode::FileRead);
  CHECK_THAT(error.what(), Catch::Contains(path) && Catch::Contains("No such file"));
  CHECK_THROWS_AS(tenon::ReadFile("/"), tenon::ConfigError);
}

TEST_CASE("streams can be C++ streams and strings") {
  std::istringstream in{"some text"};
  std::ostringstream out;
  std::string err = "kept, ";
  System system{SystemConfig{}.WithStdin(in).WithStdout(out).WithStderr(err)};
  std::uint8_t buffer[5];
  CHECK(system.ReadStdin(buffer) == 5);
  CHECK(std::string(buffer, buffer + 5) == "some ");
  CHECK(system.ReadStdin(buffer) == 4);
  CHECK(system.ReadStdin(buffer) == 0);
  CHECK(system.WriteOutput(1, BytesOf("to out")) == 6);
  CHECK(system.WriteOutput(2, BytesOf("to err")) == 6);
  CHECK(out.str() == "to out");
  CHECK(err == "kept, to err");
  out.setstate(std::ios::badbit);
  CHECK(system.WriteOutput(1, BytesOf("lost")) == 0);
}

TEST_CASE("streams can be descriptors of the host, closed with the last configuration") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    const auto reading = tenon::HostDescriptor::Own(ends[0]);
    SystemConfig config = SystemConfig{}.WithStdin(reading);
    {
      System system{
          config.WithStdout(tenon::HostDescriptor::Own(ends[1])).WithStderr(OutputStream{})};
      CHECK(system.WriteOutput(1, BytesOf("through")) == 7);
      CHECK(system.WriteOutput(2, BytesOf("nowhere")) == 7);
      std::uint8_t buffer[100];
      CHECK(system.ReadStdin(buffer) == 7);
    }
    CHECK(::fcntl(ends[1], F_GETFD) == -1);
    // The last setting counts, whatever the one before was.
    std::uint8_t buffer[4];
    System text{config.WithStdinText("text")};
    CHECK(text.ReadStdin(buffer) == 4);
    System function{config.WithStdin([](std::span<std::uint8_t>) { return std::size_t{1}; })};
    CHECK(function.ReadStdin(buffer) == 1);
    CHECK(::fcntl(ends[0], F_GETFD) != -1);
  }
  CHECK(::fcntl(ends[0], F_GETFD) == -1);
}

TEST_CASE("a borrowed descriptor stays open") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    System system{SystemConfig{}.WithStdin(tenon::HostDescriptor::Borrow(ends[0]))};
  }
  CHECK(::fcntl(ends[0], F_GETFD) != -1);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK_FALSE(tenon::HostDescriptor{});
  CHECK(tenon::HostDescriptor::Borrow(0));
}

TEST_CASE("sleep is the host's function, the machine's time, or none") {
  std::uint64_t slept = 0;
  System own{SystemConfig{}.WithNanosleep([&](std::uint64_t nanoseconds) { slept = nanoseconds; })};
  own.Nanosleep(77);
  CHECK(slept == 77);
  CHECK(own.Nanotime() == 0);

  System fixed{SystemConfig{}};
  const std::uint64_t wall = fixed.Walltime();
  fixed.Nanosleep(5'000'000'000);
  CHECK(fixed.Nanotime() == 5'000'000'000);
  CHECK(fixed.Walltime() == wall + 5'001'000'000);

  System real{SystemConfig{}.WithSystemClocks()};
  const std::uint64_t before = real.Nanotime();
  real.Nanosleep(2'000'000);
  CHECK(real.Nanotime() - before >= 2'000'000);
}

TEST_CASE("a system keeps one state for each interface that asks") {
  struct One : tenon::SystemState {
    int value = 1;
  };
  struct Other : tenon::SystemState {
    int value = 2;
  };
  System system{SystemConfig{}};
  int made = 0;
  const auto make = [&] {
    ++made;
    return std::make_unique<One>();
  };
  One& one = system.Keep<One>(make);
  one.value = 10;
  CHECK(system.Keep<Other>([] { return std::make_unique<Other>(); }).value == 2);
  CHECK(&system.Keep<One>(make) == &one);
  CHECK(system.Keep<One>(make).value == 10);
  CHECK(made == 1);
}
