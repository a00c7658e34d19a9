// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reading and writing descriptors of the host's without waiting.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include <signal.h>

#include <tenon/abi/config.hpp>
#include <tenon/abi/without_signal.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_type.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// What a system call that counts bytes gave, or its error.
TENON_DECL Expected<std::size_t> CountOf(std::ptrdiff_t result);

/// A descriptor of the host's, which must stay open, that is read and written without ever waiting:
/// whether the descriptor itself waits is others' business too, and is left as it is.
class HostStream {
 public:
  /// None.
  HostStream() = default;
  TENON_DECL HostStream(int descriptor, FileType type);

  /// As read(2); EAGAIN where that would wait.
  TENON_DECL Expected<std::size_t> Read(std::span<std::uint8_t> buffer);
  /// As write(2); EAGAIN where that would wait, and no signal where nobody reads any more.
  TENON_DECL Expected<std::size_t> Write(std::span<const std::uint8_t> bytes);
  /// How many bytes write(2) would take now without waiting; 0 if it would wait.
  TENON_DECL std::size_t Room() const;
  /// A system call that may make a regular file larger. Where that goes beyond what the process may
  /// write (RLIMIT_FSIZE) it is EFBIG, and not the signal that the kernel has for it.
  template <class Call>
  auto WithinFileSize(Call call) const {
    return is_limited_ ? tenon::detail::WithoutSignal(SIGXFSZ, EFBIG, call) : call();
  }

 private:
  enum class Kind : std::uint8_t { NeverWaits, Pipe, Socket, Terminal, Device };

  TENON_DECL bool IsReady(short events) const;

  int descriptor_ = -1;
  Kind kind_ = Kind::NeverWaits;
  /// Whether the process had a limit for the size of files when this was opened.
  bool is_limited_ = false;
  /// Whether kernel and driver have RWF_NOWAIT, as far as is known.
  bool has_nowait_ = true;
};

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_stream.ipp>
#endif
