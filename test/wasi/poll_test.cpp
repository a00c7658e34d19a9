// SPDX-License-Identifier: Apache-2.0
/// @file
/// Waiting: clocks, files, pipes, sockets, and calls that end meanwhile.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using tenon::HostDescriptor;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

constexpr std::uint32_t kIn = 8192;
constexpr std::uint32_t kOut = 16384;
constexpr std::uint32_t kCount = 256;
constexpr std::uint64_t kMillisecond = 1'000'000;

struct Event {
  std::uint64_t user_data;
  std::uint32_t error;
  std::uint32_t type;
  std::uint64_t bytes;
  std::uint32_t flags;
};

/// A list of subscriptions, written to a guest's memory as it grows.
class Subscriptions {
 public:
  explicit Subscriptions(WasiGuest& guest) : guest_{guest} {}

  Subscriptions& Clock(std::uint64_t user_data, std::uint32_t id, std::uint64_t timeout,
                       std::uint16_t flags = 0) {
    const std::uint32_t at = Begin(user_data, 0);
    guest_.memory.WriteUint32Le(at + 16, id);
    guest_.memory.WriteUint64Le(at + 24, timeout);
    guest_.memory.WriteUint64Le(at + 32, 0);
    guest_.memory.WriteUint16Le(at + 40, flags);
    return *this;
  }
  Subscriptions& Readable(std::uint64_t user_data, std::uint32_t fd) {
    guest_.memory.WriteUint32Le(Begin(user_data, 1) + 16, fd);
    return *this;
  }
  Subscriptions& Writable(std::uint64_t user_data, std::uint32_t fd) {
    guest_.memory.WriteUint32Le(Begin(user_data, 2) + 16, fd);
    return *this;
  }
  Errno Poll() { return guest_.Call("poll_oneoff", kIn, kOut, count_, kCount); }
  std::vector<Event> Wait() {
    REQUIRE(Poll() == Errno::Success);
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < guest_.U32(kCount); ++i) {
      const std::uint32_t at = kOut + 32 * i;
      const std::uint32_t word = guest_.U32(at + 8);
      events.push_back({guest_.U64(at), word & 0xFFFF, word >> 16 & 0xFF, guest_.U64(at + 16),
                        guest_.U32(at + 24) & 0xFFFF});
    }
    return events;
  }

 private:
  std::uint32_t Begin(std::uint64_t user_data, std::uint8_t type) {
    const std::uint32_t at = kIn + 48 * count_++;
    guest_.memory.WriteUint64Le(at, user_data);
    guest_.memory.WriteByte(at + 8, type);
    return at;
  }

  WasiGuest& guest_;
  std::uint32_t count_ = 0;
};

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    out = HostDescriptor::Own(ends[0]);
    in = HostDescriptor::Own(ends[1]);
  }
  /// Checks nothing itself, for other threads.
  bool TryWrite(std::string_view text) const {
    return ::write(in.Get(), text.data(), text.size()) == static_cast<::ssize_t>(text.size());
  }
  void Write(std::string_view text) const { REQUIRE(TryWrite(text)); }
  HostDescriptor out;
  HostDescriptor in;
};

}  // namespace

TEST_CASE("a sleep by default takes no time and moves the fixed clocks on") {
  WasiGuest guest;
  const auto begin = steady_clock::now();
  const auto events = Subscriptions{guest}.Clock(7, 1, 3'600'000 * kMillisecond).Wait();
  CHECK(steady_clock::now() - begin < std::chrono::seconds{5});
  REQUIRE(events.size() == 1);
  CHECK(events[0].user_data == 7);
  CHECK(events[0].error == 0);
  CHECK(events[0].type == 0);
  CHECK(guest.Call("clock_time_get", 1u, std::uint64_t{0}, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 3'600'000 * kMillisecond);
  // Until that hour and a half have passed on the wall.
  constexpr std::uint64_t kEnd = 1640995200'000'000'000 + 5'400'000 * kMillisecond;
  CHECK(Subscriptions{guest}.Clock(8, 0, kEnd, 1).Wait().size() == 1);
  CHECK(guest.Call("clock_time_get", 0u, std::uint64_t{0}, 0u) == Errno::Success);
  CHECK(guest.U64(0) >= kEnd);
}

TEST_CASE("the host's sleep is called with the time that is left") {
  std::vector<std::uint64_t> slept;
  std::uint64_t now = 1000;
  WasiGuest guest{SystemConfig{}
                      .WithNanotime([&] { return now; })
                      .WithNanosleep([&](std::uint64_t nanoseconds) {
                        slept.push_back(nanoseconds);
                        now += nanoseconds;
                      })};
  CHECK(Subscriptions{guest}.Clock(1, 1, 500).Wait().size() == 1);
  CHECK(Subscriptions{guest}.Clock(1, 1, 2000, 1).Wait().size() == 1);
  CHECK(Subscriptions{guest}.Clock(1, 1, 1500, 1).Wait().size() == 1);  // past
  CHECK(Subscriptions{guest}.Clock(1, 1, 0).Wait().size() == 1);
  CHECK(slept == std::vector<std::uint64_t>{500, 500});
}

TEST_CASE("of several clocks the first ones come, together if they are due together") {
  WasiGuest guest;
  const auto events =
      Subscriptions{guest}.Clock(1, 1, 3000).Clock(2, 1, 1000).Clock(3, 0, 1000).Wait();
  REQUIRE(events.size() == 2);
  CHECK(events[0].user_data == 2);
  CHECK(events[1].user_data == 3);
}

TEST_CASE("real sleep takes its time") {
  WasiGuest guest{SystemConfig{}.WithSystemClocks()};
  const auto begin = steady_clock::now();
  CHECK(Subscriptions{guest}.Clock(1, 1, 30 * kMillisecond).Wait().size() == 1);
  CHECK(steady_clock::now() - begin >= milliseconds{30});
}

TEST_CASE("what cannot be waited for is an event with an error") {
  WasiGuest guest;
  const auto events = Subscriptions{guest}
                          .Clock(1, 5, 1000)
                          .Clock(2, 1, 1000, 2)
                          .Readable(3, 77)
                          .Clock(4, 1, 1000)
                          .Clock(5, 2, 1000)
                          .Wait();
  REQUIRE(events.size() == 4);
  CHECK(events[0].error == 28);
  CHECK(events[1].error == 28);
  CHECK(events[2].error == 8);
  CHECK(events[2].type == 1);
  CHECK(events[3].error == 28);
}

TEST_CASE("lists of subscriptions are checked before anything is waited for") {
  WasiGuest guest;
  CHECK(guest.Call("poll_oneoff", kIn, kOut, 0u, kCount) == Errno::Inval);
  CHECK(guest.Call("poll_oneoff", kIn, kOut, 0xFFFFFFFFu, kCount) == Errno::Inval);
  CHECK(guest.Call("poll_oneoff", kIn, kOut, 4097u, kCount) == Errno::Inval);
  CHECK(guest.Call("poll_oneoff", 65536u - 47, kOut, 1u, kCount) == Errno::Fault);
  CHECK(guest.Call("poll_oneoff", kIn, 65536u - 31, 1u, kCount) == Errno::Fault);
  CHECK(guest.Call("poll_oneoff", kIn, kOut, 1u, 65536u - 3) == Errno::Fault);
  CHECK(guest.Call("poll_oneoff", kIn, kOut, 1u, 0xFFFFFFFFu) == Errno::Fault);
}

TEST_CASE("files are always ready, streams without a descriptor too") {
  const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
  files->WriteFile("file", "0123456789");
  FileGuest guest{SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/"))};
  constexpr std::uint64_t kPoll = 1u << 27;
  REQUIRE(guest.Open(3, "file", 0, FileGuest::kReadRights | kPoll) == Errno::Success);
  const auto events = Subscriptions{guest}
                          .Readable(1, guest.opened)
                          .Readable(2, 0)
                          .Writable(3, 1)
                          .Clock(4, 1, 1000)
                          .Wait();
  REQUIRE(events.size() == 3);
  CHECK(events[0].bytes == 10);
  CHECK(events[1].type == 1);
  CHECK(events[2].type == 2);
  for (const Event& event : events) CHECK(event.error == 0);
}

TEST_CASE("what may not be read or written is not waited for") {
  const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
  files->WriteFile("file", "0123456789");
  const HostDescriptor listener = tenon::wasi::ListenTcp("127.0.0.1", 0);
  FileGuest guest{SystemConfig{}.WithSystemClocks().WithSocket(listener).WithFSConfig(
      tenon::FSConfig{}.WithFSMount(files, "/"))};
  constexpr std::uint64_t kPoll = 1u << 27;
  constexpr std::uint32_t kListener = 4;
  REQUIRE(guest.Open(3, "file", 0, FileGuest::kReadRights | kPoll) == Errno::Success);
  const std::uint32_t read_only = guest.opened;
  REQUIRE(guest.Open(3, "file", 0, FileGuest::kWrite | kPoll) == Errno::Success);
  const std::uint32_t write_only = guest.opened;
  REQUIRE(guest.Open(3, "file", 0, FileGuest::kFileRights) == Errno::Success);
  auto events = Subscriptions{guest}
                    .Readable(1, read_only)
                    .Writable(2, read_only)
                    .Readable(3, write_only)
                    .Writable(4, write_only)
                    .Readable(5, guest.opened)
                    .Writable(6, kListener)
                    .Wait();
  REQUIRE(events.size() == 6);
  constexpr std::uint32_t kBadf = 8;
  constexpr std::uint32_t kNotcapable = 76;
  const std::uint32_t errors[] = {0, kBadf, kBadf, 0, kNotcapable, kBadf};
  for (std::size_t i = 0; i < events.size(); ++i) {
    INFO(i);
    CHECK(events[i].user_data == i + 1);
    CHECK(events[i].error == errors[i]);
  }
  // A listener is read by accepting.
  events = Subscriptions{guest}.Readable(1, kListener).Clock(2, 1, kMillisecond).Wait();
  REQUIRE(events.size() == 1);
  CHECK(events[0].user_data == 2);
  REQUIRE(guest.Call("fd_fdstat_set_rights", kListener, kPoll, std::uint64_t{0}) == Errno::Success);
  events = Subscriptions{guest}.Readable(1, kListener).Wait();
  REQUIRE(events.size() == 1);
  CHECK(events[0].error == kNotcapable);
}

TEST_CASE("a guest waits for a pipe, and sees its end") {
  const Pipe pipe;
  WasiGuest guest{SystemConfig{}.WithSystemClocks().WithStdin(pipe.out)};
  auto events = Subscriptions{guest}.Readable(1, 0).Clock(2, 1, 20 * kMillisecond).Wait();
  REQUIRE(events.size() == 1);
  CHECK(events[0].user_data == 2);
  pipe.Write("abc");
  events = Subscriptions{guest}.Readable(1, 0).Clock(2, 1, 20'000 * kMillisecond).Wait();
  REQUIRE(events.size() == 1);
  CHECK(events[0].user_data == 1);
  CHECK(events[0].bytes == 3);
  CHECK(events[0].flags == 0);

  Pipe other;
  WasiGuest reader{SystemConfig{}.WithStdin(other.out)};
  other.in = {};
  events = Subscriptions{reader}.Readable(1, 0).Wait();
  REQUIRE(events.size() == 1);
  CHECK(events[0].flags == 1);  // hang-up
}

TEST_CASE("a pipe that is written later wakes a guest that waits without a limit") {
  const Pipe pipe;
  WasiGuest guest{SystemConfig{}.WithStdin(pipe.out)};
  bool is_written = false;
  std::thread writer{[&] {
    std::this_thread::sleep_for(milliseconds{30});
    is_written = pipe.TryWrite("x");
  }};
  const auto events = Subscriptions{guest}.Readable(1, 0).Wait();
  writer.join();
  CHECK(is_written);
  CHECK(events.size() == 1);
}

TEST_CASE("non-blocking input that has nothing yet says so") {
  const Pipe pipe;
  FileGuest guest{SystemConfig{}.WithStdin(pipe.out)};
  CHECK(guest.Call("fd_fdstat_set_flags", 0u, 4u) == Errno::Success);
  std::string text;
  CHECK(guest.Read(0, text) == Errno::Again);
  // The host's descriptor is as it was.
  CHECK((::fcntl(pipe.out.Get(), F_GETFL) & O_NONBLOCK) == 0);
  pipe.Write("now");
  CHECK(guest.Read(0, text) == Errno::Success);
  CHECK(text == "now");
}

TEST_CASE("a deadline, a stop request and Close end a guest that sleeps") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime);
  runtime.InstantiateModule(wasi);
  const tenon::CompiledModule forwarder = runtime.CompileModule(ForwarderOf(wasi));
  const auto sleep = [&](tenon::Module& module, const tenon::CallContext& context) {
    tenon::Memory memory = module.DefaultMemory();
    memory.WriteUint32Le(kIn + 16, 1);
    memory.WriteUint64Le(kIn + 24, 60'000 * kMillisecond);
    module.ExportedFunction<Errno(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>(
        "poll_oneoff")(context, kIn, kOut, 1, kCount);
  };
  const auto config =
      tenon::ModuleConfig{}.WithName("").WithSystem(SystemConfig{}.WithSystemClocks());
  const auto begin = steady_clock::now();
  {
    tenon::Module module = runtime.InstantiateModule(forwarder, config);
    const auto exit = Thrown<tenon::ExitError>(
        [&] { sleep(module, tenon::CallContext{}.WithTimeout(milliseconds{30})); });
    CHECK(exit.ExitCode() == tenon::ExitError::kDeadlineExceeded);
  }
  {
    tenon::Module module = runtime.InstantiateModule(forwarder, config);
    std::stop_source stop;
    std::thread stopper{[&] {
      std::this_thread::sleep_for(milliseconds{30});
      stop.request_stop();
    }};
    const auto exit = Thrown<tenon::ExitError>(
        [&] { sleep(module, tenon::CallContext{}.WithStopToken(stop.get_token())); });
    stopper.join();
    CHECK(exit.ExitCode() == tenon::ExitError::kContextCanceled);
  }
  {
    tenon::Module module = runtime.InstantiateModule(forwarder, config);
    std::thread closer{[&] {
      std::this_thread::sleep_for(milliseconds{30});
      module.CloseWithExitCode(9);
    }};
    const auto exit = Thrown<tenon::ExitError>([&] { sleep(module, {}); });
    closer.join();
    CHECK(exit.ExitCode() == 9);
  }
  CHECK(steady_clock::now() - begin < std::chrono::seconds{30});
}

TEST_CASE("a deadline ends a guest that reads from a pipe, and one that accepts") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime);
  runtime.InstantiateModule(wasi);
  const tenon::CompiledModule forwarder = runtime.CompileModule(ForwarderOf(wasi));
  const Pipe pipe;
  const auto config = tenon::ModuleConfig{}.WithName("").WithSystem(
      SystemConfig{}.WithStdin(pipe.out).WithSocket(tenon::wasi::ListenTcp("127.0.0.1", 0)));
  const auto context = tenon::CallContext{}.WithTimeout(milliseconds{30});
  const tenon::Module reader = runtime.InstantiateModule(forwarder, config);
  tenon::Memory memory = reader.DefaultMemory();
  memory.WriteUint32Le(kIn, 100);
  memory.WriteUint32Le(kIn + 4, 100);
  const auto read =
      reader.ExportedFunction<Errno(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>(
          "fd_read");
  CHECK(Thrown<tenon::ExitError>([&] { read(context, 0, kIn, 1, kCount); }).ExitCode() ==
        tenon::ExitError::kDeadlineExceeded);
  const tenon::Module server = runtime.InstantiateModule(forwarder, config);
  const auto accept =
      server.ExportedFunction<Errno(std::uint32_t, std::uint32_t, std::uint32_t)>("sock_accept");
  CHECK(Thrown<tenon::ExitError>([&] {
          accept(tenon::CallContext{}.WithTimeout(milliseconds{30}), 3, 0, kCount);
        }).ExitCode() == tenon::ExitError::kDeadlineExceeded);
}

TEST_CASE("a pipe that nobody reads is an error for the guest, and no signal for the host") {
  Pipe pipe;
  FileGuest guest{SystemConfig{}.WithStdout(pipe.in)};
  CHECK(guest.Write(1, "read") == Errno::Success);
  pipe.out = {};
  CHECK(guest.Write(1, "lost") == Errno::Pipe);
}
