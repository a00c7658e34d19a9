// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reading and writing descriptors of the host's without waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
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

 private:
  enum class Kind : std::uint8_t { NeverWaits, Pipe, Socket, Terminal, Device };

  TENON_DECL bool IsReady(short events) const;

  int descriptor_ = -1;
  Kind kind_ = Kind::NeverWaits;
  /// Whether kernel and driver have RWF_NOWAIT, as far as is known.
  bool has_nowait_ = true;
};

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/host_stream.ipp>
#endif
