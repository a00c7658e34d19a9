// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest's standard streams as files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Stream 0, 1 or 2 of a System, which must live as long.
class StandardStream : public File {
 public:
  TENON_DECL StandardStream(System& system, std::uint32_t number);

  FileType Type() const override { return type_; }
  TENON_DECL Expected<FileStat> Stat() override;
  bool IsSeekable() const override { return false; }
  TENON_DECL Expected<std::size_t> Read(std::span<std::uint8_t> buffer) override;
  TENON_DECL Expected<std::size_t> Write(std::span<const std::uint8_t> bytes) override;
  FileFlags Flags() const override { return flags_; }
  Errno SetFlags(const FileFlags& flags) override {
    flags_ = flags;
    return Errno::Success;
  }
  Errno Sync(bool /*data_only*/) override { return Errno::Success; }
  int PollDescriptor() const override { return system_.Config().StreamDescriptor(number_).Get(); }
  TENON_DECL std::uint64_t ReadableBytes() override;

 private:
  System& system_;
  std::uint32_t number_;
  FileType type_;
  /// The guest's alone: the host's descriptor is others' too.
  FileFlags flags_;
  /// Of the host's descriptor, if there is one.
  HostStream host_;
};

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/standard_stream.ipp>
#endif
