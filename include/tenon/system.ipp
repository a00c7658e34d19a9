// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of system.hpp.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/without_signal.hpp>
#include <tenon/error.hpp>
#include <tenon/system.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

inline constexpr std::uint64_t kMillisecond = 1'000'000;
inline constexpr std::uint64_t kRandomSeed = 42;

/// Adds up strings that a guest receives as one block, and refuses what it cannot receive.
class StringBlock {
 public:
  StringBlock(ErrorCode has_nul, ErrorCode too_large) : has_nul_{has_nul}, too_large_{too_large} {}

  void Add(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
      throw ConfigError{has_nul_, FormatError(has_nul_, {})};
    }
    size_ += text.size() + 1;
    if (size_ > SystemConfig::kMaximumStringBytes) {
      throw ConfigError{
          too_large_, FormatError(too_large_, {std::to_string(size_),
                                               std::to_string(SystemConfig::kMaximumStringBytes)})};
    }
  }

 private:
  ErrorCode has_nul_;
  ErrorCode too_large_;
  std::uint64_t size_ = 0;
};

TENON_DECL void CheckArgumentCount(std::size_t count) {
  if (count <= SystemConfig::kMaximumArguments) return;
  throw ConfigError{
      ErrorCode::ArgsCount,
      FormatError(ErrorCode::ArgsCount,
                  {std::to_string(count), std::to_string(SystemConfig::kMaximumArguments)})};
}

TENON_DECL void CheckResolution(ErrorCode code, std::uint64_t resolution) {
  if (resolution >= 1 && resolution <= SystemConfig::kMaximumResolution) return;
  throw ConfigError{code, FormatError(code, {std::to_string(resolution)})};
}

TENON_DECL std::size_t WriteToFile(std::FILE* file, std::span<const std::uint8_t> bytes) {
  const std::size_t count = std::fwrite(bytes.data(), 1, bytes.size(), file);
  return std::fflush(file) == 0 ? count : 0;
}

TENON_DECL std::size_t ReadFromDescriptor(int descriptor, std::span<std::uint8_t> buffer) {
  while (true) {
    const ::ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return 0;
  }
}

TENON_DECL std::ptrdiff_t WriteWithoutSignal(int descriptor, std::span<const std::uint8_t> bytes,
                                             int flags) {
  const ::iovec whole{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  return WithoutSignal(SIGPIPE, EPIPE, [&]() -> std::ptrdiff_t {
    return flags == 0 ? ::write(descriptor, bytes.data(), bytes.size())
                      : ::pwritev2(descriptor, &whole, 1, -1, flags);
  });
}

/// SIGPIPE where the other side can go, SIGXFSZ where a file can become too large for this process,
/// or 0.
TENON_DECL int OutputSignalOf(int descriptor) {
  struct ::stat stat;
  if (::fstat(descriptor, &stat) != 0) return 0;
  if (S_ISFIFO(stat.st_mode) || S_ISSOCK(stat.st_mode)) return SIGPIPE;
  ::rlimit limit{};
  const bool is_limited = ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
  return S_ISREG(stat.st_mode) && is_limited ? SIGXFSZ : 0;
}

TENON_DECL std::size_t WriteToDescriptor(int descriptor, std::span<const std::uint8_t> bytes,
                                         int signal) {
  const auto write = [&] { return ::write(descriptor, bytes.data(), bytes.size()); };
  while (true) {
    const std::ptrdiff_t count =
        signal == 0 ? write() : WithoutSignal(signal, signal == SIGPIPE ? EPIPE : EFBIG, write);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return 0;
  }
}

TENON_DECL void FillFromMachine(std::span<std::uint8_t> buffer) {
  constexpr std::size_t kLargestRequest = std::size_t{1} << 20;
  while (!buffer.empty()) {
    const ::ssize_t count = ::getrandom(buffer.data(), std::min(buffer.size(), kLargestRequest), 0);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw ConfigError{ErrorCode::SystemRandom,
                        FormatError(ErrorCode::SystemRandom, {std::strerror(errno)})};
    }
    buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
}

/// Word `index` of the SplitMix64 sequence that starts from the seed.
constexpr std::uint64_t FixedRandomWord(std::uint64_t index) {
  std::uint64_t word = kRandomSeed + (index + 1) * 0x9E3779B97F4A7C15u;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
  return word ^ (word >> 31);
}

template <class Clock>
std::uint64_t NanosecondsOf() {
  const auto since_epoch = Clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

}  // namespace detail

TENON_DECL SystemConfig SystemConfig::WithEnv(std::string key, std::string value) const {
  SystemConfig changed = *this;
  for (auto& [existing_key, existing_value] : changed.env_) {
    if (existing_key == key) {
      existing_value = std::move(value);
      return changed;
    }
  }
  changed.env_.emplace_back(std::move(key), std::move(value));
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithStdinText(std::string text) const {
  SystemConfig changed = *this;
  changed.stdin_ = nullptr;
  changed.descriptors_[0] = {};
  changed.stdin_text_ = std::move(text);
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithInheritedStdio() const {
  SystemConfig changed = WithStdin(HostDescriptor::Borrow(STDIN_FILENO));
  changed.stdout_ = [](std::span<const std::uint8_t> bytes) {
    return detail::WriteToFile(stdout, bytes);
  };
  changed.stderr_ = [](std::span<const std::uint8_t> bytes) {
    return detail::WriteToFile(stderr, bytes);
  };
  changed.descriptors_[1] = HostDescriptor::Borrow(STDOUT_FILENO);
  changed.descriptors_[2] = HostDescriptor::Borrow(STDERR_FILENO);
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithWalltime(ClockSource clock,
                                                   std::uint64_t resolution) const {
  SystemConfig changed = *this;
  changed.walltime_ = std::move(clock);
  changed.walltime_resolution_ = resolution;
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithNanotime(ClockSource clock,
                                                   std::uint64_t resolution) const {
  SystemConfig changed = *this;
  changed.nanotime_ = std::move(clock);
  changed.nanotime_resolution_ = resolution;
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithSysWalltime() const {
  return WithWalltime(detail::NanosecondsOf<std::chrono::system_clock>);
}

TENON_DECL SystemConfig SystemConfig::WithSysNanotime() const {
  return WithNanotime(detail::NanosecondsOf<std::chrono::steady_clock>);
}

TENON_DECL SystemConfig SystemConfig::WithCputime(ClockSource clock,
                                                  std::uint64_t resolution) const {
  SystemConfig changed = *this;
  changed.cputime_ = std::move(clock);
  changed.cputime_resolution_ = resolution;
  return changed;
}

TENON_DECL SystemConfig SystemConfig::WithSysCputime() const {
  return WithCputime([]() -> std::uint64_t {
    ::timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
  });
}

TENON_DECL SystemConfig SystemConfig::WithSystemRandom() const {
  return WithRandSource(detail::FillFromMachine);
}

TENON_DECL System::System(const SystemConfig& config) : config_{config} {
  detail::CheckArgumentCount(config_.Args().size());
  detail::StringBlock args{ErrorCode::ArgsNul, ErrorCode::ArgsSize};
  for (const std::string& arg : config_.Args()) args.Add(arg);

  detail::StringBlock variables{ErrorCode::EnvironNul, ErrorCode::EnvironSize};
  environ_.reserve(config_.Env().size());
  for (const auto& [key, value] : config_.Env()) {
    if (key.empty()) {
      throw ConfigError{ErrorCode::EnvironEmptyKey, FormatError(ErrorCode::EnvironEmptyKey, {})};
    }
    if (key.find('=') != std::string::npos) {
      throw ConfigError{ErrorCode::EnvironKeyEquals, FormatError(ErrorCode::EnvironKeyEquals, {})};
    }
    environ_.push_back(std::string{key}.append("=").append(value));
    variables.Add(environ_.back());
  }

  detail::CheckResolution(ErrorCode::WalltimeResolution, config_.WalltimeResolution());
  detail::CheckResolution(ErrorCode::NanotimeResolution, config_.NanotimeResolution());
  detail::CheckResolution(ErrorCode::CputimeResolution, config_.CputimeResolution());

  for (const std::uint32_t stream : {1u, 2u}) {
    const HostDescriptor& descriptor = config_.StreamDescriptor(stream);
    if (descriptor) output_signals_[stream] = detail::OutputSignalOf(descriptor.Get());
  }
}

TENON_DECL std::size_t System::ReadStdin(std::span<std::uint8_t> buffer) {
  if (buffer.empty()) return 0;
  if (const InputStream& stream = config_.Stdin()) {
    return std::min(stream(buffer), buffer.size());
  }
  if (const HostDescriptor& descriptor = config_.StreamDescriptor(0)) {
    return detail::ReadFromDescriptor(descriptor.Get(), buffer);
  }
  const std::string_view rest = std::string_view{config_.StdinText()}.substr(stdin_position_);
  const std::size_t count = std::min(rest.size(), buffer.size());
  if (count != 0) std::memcpy(buffer.data(), rest.data(), count);
  stdin_position_ += count;
  return count;
}

TENON_DECL std::size_t System::WriteOutput(std::uint32_t descriptor,
                                           std::span<const std::uint8_t> bytes) {
  const OutputStream& stream = descriptor == 2 ? config_.Stderr() : config_.Stdout();
  const HostDescriptor& host = config_.StreamDescriptor(descriptor == 2 ? 2 : 1);
  if (!stream && !host) return bytes.size();
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto rest = bytes.subspan(written);
    const std::size_t count =
        stream
            ? stream(rest)
            : detail::WriteToDescriptor(host.Get(), rest, output_signals_[descriptor == 2 ? 2 : 1]);
    const std::size_t taken = std::min(count, rest.size());
    if (taken == 0) break;
    written += taken;
  }
  return written;
}

TENON_DECL std::uint64_t System::Walltime() {
  if (config_.Walltime()) return config_.Walltime()();
  return std::exchange(fake_walltime_, fake_walltime_ + detail::kMillisecond);
}

TENON_DECL std::uint64_t System::Nanotime() {
  if (config_.Nanotime()) return config_.Nanotime()();
  return std::exchange(fake_nanotime_, fake_nanotime_ + detail::kMillisecond);
}

TENON_DECL std::uint64_t System::Cputime() {
  if (!config_.Cputime()) return std::exchange(cputime_, cputime_ + detail::kMillisecond);
  cputime_ = std::max(cputime_, config_.Cputime()());
  return cputime_;
}

TENON_DECL void System::Nanosleep(std::uint64_t nanoseconds) {
  if (config_.Nanosleep()) {
    config_.Nanosleep()(nanoseconds);
    return;
  }
  if (config_.SleepsReally()) {
    constexpr std::uint64_t kLongest = std::uint64_t{1} << 60;
    std::this_thread::sleep_for(std::chrono::nanoseconds{std::min(nanoseconds, kLongest)});
    return;
  }
  fake_walltime_ += nanoseconds;
  fake_nanotime_ += nanoseconds;
}

TENON_DECL void System::Osyield() {
  if (config_.Osyield()) config_.Osyield()();
}

TENON_DECL void System::Random(std::span<std::uint8_t> buffer) {
  if (config_.RandSource()) {
    config_.RandSource()(buffer);
    return;
  }
  // By position, so that the sequence does not depend on how it is cut into requests.
  std::uint64_t word = detail::FixedRandomWord(random_position_ / 8);
  for (std::uint8_t& byte : buffer) {
    byte = static_cast<std::uint8_t>(word >> (random_position_ % 8 * 8));
    if (++random_position_ % 8 == 0) word = detail::FixedRandomWord(random_position_ / 8);
  }
}

}  // namespace tenon::inline TENON_ABI
