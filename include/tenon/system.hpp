// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a guest sees of the outside world: arguments, environment, streams, clocks, randomness,
/// directories, sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/fs_config.hpp>
#include <tenon/host_descriptor.hpp>

namespace tenon::inline TENON_ABI {

/// Fills the start of the buffer with the next bytes; the number of bytes, 0 at the end of the
/// stream. The buffer is guest memory, valid until the callback returns; the callback must not
/// call into the guest.
using InputStream = std::function<std::size_t(std::span<std::uint8_t> buffer)>;
/// Takes bytes from the start; the number taken. 0 for a non-empty buffer means that the stream
/// failed. The buffer is guest memory, valid until the callback returns; the callback must not
/// call into the guest.
using OutputStream = std::function<std::size_t(std::span<const std::uint8_t> bytes)>;
/// Nanoseconds of a clock.
using ClockSource = std::function<std::uint64_t()>;
/// Waits so many nanoseconds.
using SleepFunction = std::function<void(std::uint64_t nanoseconds)>;
/// Fills the buffer with random bytes.
using RandomSource = std::function<void(std::span<std::uint8_t> buffer)>;

namespace detail {

/// What grows by `append`, as std::string.
template <class T>
concept AppendableText =
    requires(T& text, const char* bytes) { text.append(bytes, std::size_t{}); };
/// What takes bytes by `write`, as std::ostream.
template <class T>
concept WritableStream = requires(T& stream, const char* bytes) {
  stream.write(bytes, std::ptrdiff_t{});
  stream.good();
};

/// write(2), or pwritev2(2) with `flags`, that gives EPIPE where nobody reads a pipe or socket any
/// more, and no SIGPIPE, which would end the process. -1 and errno on failure.
TENON_DECL std::ptrdiff_t WriteWithoutSignal(int descriptor, std::span<const std::uint8_t> bytes,
                                             int flags = 0);

}  // namespace detail

/// What a guest may see of the outside world. By default nothing of the host: no arguments and no
/// environment, empty standard input, output discarded, a wall clock that starts at 2022-01-01
/// 00:00 UTC and a monotonic clock that starts at 0, both 1 ms further with each reading and by
/// what the guest sleeps, which takes no time, a clock of used processor time, 1 ms further with
/// each reading, a fixed random sequence, no directories, no sockets.
///
/// A value: every With... returns a changed copy that shares nothing changeable with the original.
/// Any thread. The callbacks are called by whichever thread runs the guest; what they throw leaves
/// the guest like the exception of a host function. One SystemConfig may be used for many
/// instances, which then share the callbacks' state, but not the default clocks and randomness.
class SystemConfig {
 public:
  /// Most arguments.
  static constexpr std::size_t kMaximumArguments = 1'000'000;
  /// Most bytes of all arguments together, and of all environment variables, a NUL after each.
  static constexpr std::size_t kMaximumStringBytes = std::size_t{64} << 20;
  /// Coarsest resolution of a clock: one hour in nanoseconds.
  static constexpr std::uint64_t kMaximumResolution = 3600ull * 1'000'000'000;

  SystemConfig() = default;

  /// Program name and arguments.
  [[nodiscard]] SystemConfig WithArgs(std::vector<std::string> args) const {
    return Changed(&SystemConfig::args_, std::move(args));
  }
  /// Sets an environment variable, replacing one of the same name.
  [[nodiscard]] TENON_DECL SystemConfig WithEnv(std::string key, std::string value) const;
  [[nodiscard]] SystemConfig WithStdin(InputStream stream) const {
    SystemConfig changed = Changed(&SystemConfig::stdin_, std::move(stream));
    changed.descriptors_[0] = {};
    return changed;
  }
  /// Standard input from a descriptor of the host's, which guests can poll as well.
  [[nodiscard]] SystemConfig WithStdin(HostDescriptor descriptor) const {
    SystemConfig changed = Changed(&SystemConfig::stdin_, InputStream{});
    changed.descriptors_[0] = std::move(descriptor);
    return changed;
  }
  /// Standard input from a std::istream or the like, which must outlive the guest.
  template <class Stream>
    requires requires(Stream& stream, char* into) {
      stream.read(into, 1);
      stream.gcount();
    }
  [[nodiscard]] SystemConfig WithStdin(Stream& stream) const {
    return WithStdin(InputStream{[&stream](std::span<std::uint8_t> buffer) {
      stream.read(reinterpret_cast<char*>(buffer.data()),
                  static_cast<std::ptrdiff_t>(buffer.size()));
      return static_cast<std::size_t>(stream.gcount());
    }});
  }
  /// Standard input with these contents, from the start for each instance.
  [[nodiscard]] TENON_DECL SystemConfig WithStdinText(std::string text) const;
  [[nodiscard]] SystemConfig WithStdout(OutputStream stream) const {
    return WithOutput(&SystemConfig::stdout_, std::move(stream), 1, {});
  }
  /// Standard output to a descriptor of the host's.
  [[nodiscard]] SystemConfig WithStdout(HostDescriptor descriptor) const {
    return WithOutput(&SystemConfig::stdout_, {}, 1, std::move(descriptor));
  }
  /// Standard output to a std::string, which grows, or a std::ostream; it must outlive the guest.
  template <class Stream>
    requires detail::AppendableText<Stream> || detail::WritableStream<Stream>
  [[nodiscard]] SystemConfig WithStdout(Stream& stream) const {
    return WithStdout(OutputTo(stream));
  }
  [[nodiscard]] SystemConfig WithStderr(OutputStream stream) const {
    return WithOutput(&SystemConfig::stderr_, std::move(stream), 2, {});
  }
  /// Standard error output to a descriptor of the host's.
  [[nodiscard]] SystemConfig WithStderr(HostDescriptor descriptor) const {
    return WithOutput(&SystemConfig::stderr_, {}, 2, std::move(descriptor));
  }
  /// Standard error output to a std::string, which grows, or a std::ostream; it must outlive the
  /// guest.
  template <class Stream>
    requires detail::AppendableText<Stream> || detail::WritableStream<Stream>
  [[nodiscard]] SystemConfig WithStderr(Stream& stream) const {
    return WithStderr(OutputTo(stream));
  }
  /// The process's own standard streams. Output goes through stdio and is flushed at once; input
  /// is read from descriptor 0 past any buffer of the host's. Signals are those of any program that
  /// writes there: SIGPIPE where nobody reads any more, SIGXFSZ beyond the largest file.
  [[nodiscard]] TENON_DECL SystemConfig WithInheritedStdio() const;
  /// Nanoseconds since 1970-01-01 UTC; `resolution` in nanoseconds, 1 to kMaximumResolution.
  [[nodiscard]] TENON_DECL SystemConfig WithWalltime(ClockSource clock,
                                                     std::uint64_t resolution = 1000) const;
  /// Nanoseconds since some fixed moment; never goes back. `resolution` in nanoseconds, 1 to
  /// kMaximumResolution.
  [[nodiscard]] TENON_DECL SystemConfig WithNanotime(ClockSource clock,
                                                     std::uint64_t resolution = 1) const;
  /// Nanoseconds of processor time that the guest has used; never goes back. `resolution` in
  /// nanoseconds, 1 to kMaximumResolution.
  [[nodiscard]] TENON_DECL SystemConfig WithCputime(ClockSource clock,
                                                    std::uint64_t resolution = 1) const;
  /// The machine's own clocks.
  [[nodiscard]] TENON_DECL SystemConfig WithSysWalltime() const;
  [[nodiscard]] TENON_DECL SystemConfig WithSysNanotime() const;
  /// The processor time of the thread that runs the guest: of nothing else that the host does
  /// meanwhile, but also of what that thread did for others before. A guest that other threads go
  /// on with sees it stand still until theirs is further.
  [[nodiscard]] TENON_DECL SystemConfig WithSysCputime() const;
  /// Called when a guest sleeps.
  [[nodiscard]] SystemConfig WithNanosleep(SleepFunction sleep) const {
    SystemConfig changed = Changed(&SystemConfig::nanosleep_, std::move(sleep));
    changed.sleeps_really_ = false;
    return changed;
  }
  /// Guests that sleep do so; the deadline, stop token or Close of their call wakes them.
  [[nodiscard]] SystemConfig WithSysNanosleep() const {
    SystemConfig changed = Changed(&SystemConfig::nanosleep_, SleepFunction{});
    changed.sleeps_really_ = true;
    return changed;
  }
  /// The machine's own clocks, and its time for sleeping.
  [[nodiscard]] SystemConfig WithSystemClocks() const {
    return WithSysWalltime().WithSysNanotime().WithSysCputime().WithSysNanosleep();
  }
  /// Called when a guest gives way to other threads. Default: nothing happens.
  [[nodiscard]] SystemConfig WithOsyield(std::function<void()> yield) const {
    return Changed(&SystemConfig::yield_, std::move(yield));
  }
  [[nodiscard]] SystemConfig WithRandSource(RandomSource source) const {
    return Changed(&SystemConfig::random_, std::move(source));
  }
  /// Random bytes of the machine, good enough for keys. Throws ConfigError, out of the guest, if
  /// the machine has none.
  [[nodiscard]] TENON_DECL SystemConfig WithSystemRandom() const;
  /// The directories of the guest. Default: none.
  [[nodiscard]] SystemConfig WithFSConfig(tenon::FSConfig directories) const {
    return Changed(&SystemConfig::fs_config_, std::move(directories));
  }
  /// Adds a listening socket, or a connected one, that the guest finds open when it starts, behind
  /// its directories; see wasi::ListenTcp. A guest finds sockets blocking, whatever they are for
  /// the host. A listener is made non-blocking for all who have it, so that of several guests that
  /// wait for the same connection none is stuck when another gets it.
  [[nodiscard]] SystemConfig WithSocket(HostDescriptor socket) const {
    SystemConfig changed = *this;
    changed.sockets_.push_back(std::move(socket));
    return changed;
  }
  /// How many files, directories and sockets the guest may have open at a time, the standard
  /// streams and what it is given included. Default: 256.
  [[nodiscard]] SystemConfig WithOpenFileLimit(std::uint32_t limit) const {
    return Changed(&SystemConfig::open_file_limit_, limit);
  }

  const std::vector<std::string>& Args() const { return args_; }
  /// In order of first setting.
  const std::vector<std::pair<std::string, std::string>>& Env() const { return env_; }
  const InputStream& Stdin() const { return stdin_; }
  /// The text of WithStdinText; used while Stdin() is empty.
  const std::string& StdinText() const { return stdin_text_; }
  const OutputStream& Stdout() const { return stdout_; }
  const OutputStream& Stderr() const { return stderr_; }
  const ClockSource& Walltime() const { return walltime_; }
  std::uint64_t WalltimeResolution() const { return walltime_resolution_; }
  const ClockSource& Nanotime() const { return nanotime_; }
  std::uint64_t NanotimeResolution() const { return nanotime_resolution_; }
  const ClockSource& Cputime() const { return cputime_; }
  std::uint64_t CputimeResolution() const { return cputime_resolution_; }
  const SleepFunction& Nanosleep() const { return nanosleep_; }
  /// Whether sleeping takes the machine's time.
  bool SleepsReally() const { return sleeps_really_; }
  const std::function<void()>& Osyield() const { return yield_; }
  const RandomSource& RandSource() const { return random_; }
  const tenon::FSConfig& FSConfig() const { return fs_config_; }
  const std::vector<HostDescriptor>& Sockets() const { return sockets_; }
  std::uint32_t OpenFileLimit() const { return open_file_limit_; }
  /// The host's descriptor behind standard stream 0, 1 or 2; none if it is a function or text.
  const HostDescriptor& StreamDescriptor(std::uint32_t stream) const {
    return descriptors_[stream];
  }

 private:
  SystemConfig WithOutput(OutputStream SystemConfig::* member, OutputStream stream,
                          std::size_t number, HostDescriptor descriptor) const {
    SystemConfig changed = Changed(member, std::move(stream));
    changed.descriptors_[number] = std::move(descriptor);
    return changed;
  }
  template <class Stream>
  static OutputStream OutputTo(Stream& stream) {
    return [&stream](std::span<const std::uint8_t> bytes) -> std::size_t {
      const char* begin = reinterpret_cast<const char*>(bytes.data());
      if constexpr (detail::AppendableText<Stream>) {
        stream.append(begin, bytes.size());
        return bytes.size();
      } else {
        stream.write(begin, static_cast<std::ptrdiff_t>(bytes.size()));
        return stream.good() ? bytes.size() : 0;
      }
    };
  }
  template <class Member, class T>
  SystemConfig Changed(Member SystemConfig::* member, T value) const {
    SystemConfig changed = *this;
    changed.*member = std::move(value);
    return changed;
  }

  std::vector<std::string> args_;
  std::vector<std::pair<std::string, std::string>> env_;
  InputStream stdin_;
  std::string stdin_text_;
  OutputStream stdout_;
  OutputStream stderr_;
  ClockSource walltime_;
  ClockSource nanotime_;
  ClockSource cputime_;
  std::uint64_t walltime_resolution_ = 1000;
  std::uint64_t nanotime_resolution_ = 1;
  std::uint64_t cputime_resolution_ = 1;
  SleepFunction nanosleep_;
  bool sleeps_really_ = false;
  std::function<void()> yield_;
  RandomSource random_;
  tenon::FSConfig fs_config_;
  std::vector<HostDescriptor> sockets_;
  std::uint32_t open_file_limit_ = 256;
  HostDescriptor descriptors_[3];
};

/// What a system interface keeps for each instance, as WASI its open files. Derive from it.
class SystemState {
 public:
  virtual ~SystemState() = default;
};

/// The state of a guest's outside world: one for each instance, made from its SystemConfig. One
/// thread at a time. Host functions reach it as `module.System()`.
class System {
 public:
  /// Throws ConfigError if arguments or environment are invalid (a NUL character, an empty key,
  /// '=' in a key, too many or too large), or a clock's resolution is.
  TENON_DECL explicit System(const SystemConfig& config);

  const std::vector<std::string>& Args() const { return config_.Args(); }
  /// "key=value" in order.
  const std::vector<std::string>& Environ() const { return environ_; }

  const SystemConfig& Config() const { return config_; }

  /// The number of bytes read into the start of `buffer`; 0 at the end of the stream.
  TENON_DECL std::size_t ReadStdin(std::span<std::uint8_t> buffer);
  /// The number of bytes written, all of them unless the stream fails. `descriptor` is 1 or 2.
  TENON_DECL std::size_t WriteOutput(std::uint32_t descriptor, std::span<const std::uint8_t> bytes);
  /// Nanoseconds since 1970-01-01 UTC.
  TENON_DECL std::uint64_t Walltime();
  std::uint64_t WalltimeResolution() const { return config_.WalltimeResolution(); }
  /// Nanoseconds since some fixed moment.
  TENON_DECL std::uint64_t Nanotime();
  std::uint64_t NanotimeResolution() const { return config_.NanotimeResolution(); }
  /// Nanoseconds of processor time that the guest has used.
  TENON_DECL std::uint64_t Cputime();
  std::uint64_t CputimeResolution() const { return config_.CputimeResolution(); }
  /// Waits as the configuration says; by default, moves the fixed clocks on.
  TENON_DECL void Nanosleep(std::uint64_t nanoseconds);
  TENON_DECL void Osyield();
  TENON_DECL void Random(std::span<std::uint8_t> buffer);

  /// What a system interface keeps for this instance: made by `make`, a function that gives a
  /// std::unique_ptr of a class derived from SystemState, when it is first asked for. `State` tells
  /// interfaces apart.
  template <class State, class Make>
  State& Keep(Make make) {
    static constexpr char kTag = 0;
    for (const auto& [tag, state] : states_) {
      if (tag == &kTag) return static_cast<State&>(*state);
    }
    std::unique_ptr<State> state = make();
    State& made = *state;
    states_.emplace_back(&kTag, std::move(state));
    return made;
  }

 private:
  SystemConfig config_;
  std::vector<std::string> environ_;
  std::size_t stdin_position_ = 0;
  std::uint64_t fake_walltime_ = 1640995200ull * 1'000'000'000;
  std::uint64_t fake_nanotime_ = 0;
  /// The latest reading of the processor's time.
  std::uint64_t cputime_ = 0;
  std::uint64_t random_position_ = 0;
  /// The signal that writing to the descriptor of standard output and error can give; 0: none.
  int output_signals_[3] = {};
  std::vector<std::pair<const char*, std::unique_ptr<SystemState>>> states_;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/system.ipp>
#endif
