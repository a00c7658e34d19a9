// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of perf_map.hpp.
#pragma once

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <string_view>

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/jit/perf_map.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

[[gnu::cold]] inline bool WriteAll(int file, const void* data, std::size_t size) noexcept {
  const auto* next = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t written = write(file, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    next += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

[[gnu::cold]] inline void AppendHexadecimal(std::string& text, std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  text.append(digits.data(), end);
}

// What follows is the format, version 1, of the kernel's
// tools/perf/Documentation/jitdump-specification.

struct JitDumpHeader {
  std::uint32_t magic = 0x4A695444;  // "JiTD"
  std::uint32_t version = 1;
  std::uint32_t size = sizeof(JitDumpHeader);
  std::uint32_t machine = EM_X86_64;
  std::uint32_t reserved = 0;
  std::uint32_t process = 0;
  std::uint64_t time = 0;
  std::uint64_t flags = 0;
};

struct JitDumpLoad {
  std::uint32_t kind = 0;  // JIT_CODE_LOAD
  std::uint32_t size = 0;
  std::uint64_t time = 0;
  std::uint32_t process = 0;
  std::uint32_t thread = 0;
  std::uint64_t virtual_address = 0;
  std::uint64_t code_address = 0;
  std::uint64_t code_size = 0;
  std::uint64_t index = 0;
};
static_assert(sizeof(JitDumpHeader) == 40 && sizeof(JitDumpLoad) == 56);

/// Of the clock that `perf record --clockid mono` uses.
[[gnu::cold]] inline std::uint64_t MonotonicNanoseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

inline void AppendBytes(FlatArray<char>& out, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

}  // namespace detail

[[gnu::cold]] TENON_DECL bool AppendToPerfMap(std::uintptr_t begin,
                                              std::span<const CodeSymbol> symbols) noexcept {
  try {
    std::string text;
    for (const CodeSymbol& symbol : symbols) {
      detail::AppendHexadecimal(text, begin + symbol.offset);
      text += ' ';
      detail::AppendHexadecimal(text, symbol.size);
      text += ' ';
      text += symbol.name;
      text += '\n';
    }
    const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                          S_IRUSR | S_IWUSR);
    if (file < 0) return false;
    struct stat status{};
    const bool is_ours =
        fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
    const bool is_written = is_ours && detail::WriteAll(file, text.data(), text.size());
    close(file);
    return is_written;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

[[gnu::cold]] TENON_DECL JitDump& JitDump::Global() noexcept {
  // Code may be compiled until the very end.
  alignas(JitDump) static unsigned char storage[sizeof(JitDump)];
  static JitDump& dump = *new (storage) JitDump;
  return dump;
}

[[gnu::cold]] inline bool JitDump::Begin(pid_t process) {
  if (file_ >= 0) close(file_);
  file_ = -1;
  process_ = process;
  next_index_ = 0;
  const char* const folder = std::getenv("JITDUMPDIR");
  std::string path = folder == nullptr || *folder == '\0' ? "/tmp" : folder;
  path += "/tenon-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return false;
  path += "/jit-" + std::to_string(process) + ".dump";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  detail::JitDumpHeader header;
  header.process = static_cast<std::uint32_t>(process);
  header.time = detail::MonotonicNanoseconds();
  // perf finds the file because it sees this mapping of executable memory.
  if (!detail::WriteAll(file, &header, sizeof(header)) ||
      mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_EXEC,
           MAP_PRIVATE, file, 0) == MAP_FAILED) {
    close(file);
    return false;
  }
  file_ = file;
  return true;
}

[[gnu::cold]] TENON_DECL bool JitDump::Append(std::span<const std::uint8_t> code,
                                              std::span<const CodeSymbol> symbols) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    const pid_t process = getpid();
    if (process_ != process && !Begin(process)) return false;
    if (file_ < 0) return false;
    FlatArray<char> records;
    for (const CodeSymbol& symbol : symbols) {
      const std::span<const std::uint8_t> bytes = code.subspan(symbol.offset, symbol.size);
      detail::JitDumpLoad record;
      record.size =
          static_cast<std::uint32_t>(sizeof(record) + symbol.name.size() + 1 + bytes.size());
      record.time = detail::MonotonicNanoseconds();
      record.process = static_cast<std::uint32_t>(process);
      record.thread = static_cast<std::uint32_t>(syscall(SYS_gettid));
      record.virtual_address = reinterpret_cast<std::uintptr_t>(bytes.data());
      record.code_address = record.virtual_address;
      record.code_size = bytes.size();
      record.index = next_index_++;
      detail::AppendBytes(records, &record, sizeof(record));
      detail::AppendBytes(records, symbol.name.c_str(), symbol.name.size() + 1);
      detail::AppendBytes(records, bytes.data(), bytes.size());
    }
    return detail::WriteAll(file_, records.data(), records.size());
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
