// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a guest sees of the outside world: arguments, environment, streams, clocks, randomness.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>

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
/// Fills the buffer with random bytes.
using RandomSource = std::function<void(std::span<std::uint8_t> buffer)>;

/// What a guest may see of the outside world. By default nothing of the host: no arguments and no
/// environment, empty standard input, output discarded, a wall clock that starts at 2022-01-01
/// 00:00 UTC and a monotonic clock that starts at 0, both 1 ms further with each reading, a fixed
/// random sequence.
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
    return Changed(&SystemConfig::stdin_, std::move(stream));
  }
  /// Standard input with these contents, from the start for each instance.
  [[nodiscard]] TENON_DECL SystemConfig WithStdinText(std::string text) const;
  [[nodiscard]] SystemConfig WithStdout(OutputStream stream) const {
    return Changed(&SystemConfig::stdout_, std::move(stream));
  }
  [[nodiscard]] SystemConfig WithStderr(OutputStream stream) const {
    return Changed(&SystemConfig::stderr_, std::move(stream));
  }
  /// The process's own standard streams. Output goes through stdio and is flushed at once; input
  /// is read from descriptor 0 past any buffer of the host's.
  [[nodiscard]] TENON_DECL SystemConfig WithInheritedStdio() const;
  /// Nanoseconds since 1970-01-01 UTC; `resolution` in nanoseconds, 1 to kMaximumResolution.
  [[nodiscard]] TENON_DECL SystemConfig WithWalltime(ClockSource clock,
                                                     std::uint64_t resolution = 1000) const;
  /// Nanoseconds since some fixed moment; never goes back. `resolution` in nanoseconds, 1 to
  /// kMaximumResolution.
  [[nodiscard]] TENON_DECL SystemConfig WithNanotime(ClockSource clock,
                                                     std::uint64_t resolution = 1) const;
  /// The machine's own clocks.
  [[nodiscard]] TENON_DECL SystemConfig WithSystemClocks() const;
  /// Called for sched_yield. Default: nothing happens.
  [[nodiscard]] SystemConfig WithYield(std::function<void()> yield) const {
    return Changed(&SystemConfig::yield_, std::move(yield));
  }
  [[nodiscard]] SystemConfig WithRandomSource(RandomSource source) const {
    return Changed(&SystemConfig::random_, std::move(source));
  }
  /// Random bytes of the machine, good enough for keys. Throws ConfigError, out of the guest, if
  /// the machine has none.
  [[nodiscard]] TENON_DECL SystemConfig WithSystemRandom() const;

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
  const std::function<void()>& Yield() const { return yield_; }
  const RandomSource& Random() const { return random_; }

 private:
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
  std::uint64_t walltime_resolution_ = 1000;
  std::uint64_t nanotime_resolution_ = 1;
  std::function<void()> yield_;
  RandomSource random_;
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

  /// Descriptors 0, 1 and 2 until the guest closes them.
  TENON_DECL bool IsOpen(std::uint32_t descriptor) const noexcept;
  /// False if it was not open.
  TENON_DECL bool CloseDescriptor(std::uint32_t descriptor) noexcept;
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
  TENON_DECL void Yield();
  TENON_DECL void Random(std::span<std::uint8_t> buffer);

 private:
  SystemConfig config_;
  std::vector<std::string> environ_;
  std::array<bool, 3> open_ = {true, true, true};
  std::size_t stdin_position_ = 0;
  std::uint64_t fake_walltime_ = 1640995200ull * 1'000'000'000;
  std::uint64_t fake_nanotime_ = 0;
  std::uint64_t random_position_ = 0;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/system.ipp>
#endif
