// SPDX-License-Identifier: Apache-2.0
/// @file
/// A file descriptor of the host.
#pragma once

#include <memory>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// A file descriptor of this process that a guest may use: a file, pipe, terminal, directory or
/// socket. Copies mean the same descriptor. Any thread.
class HostDescriptor {
 public:
  /// None.
  HostDescriptor() noexcept = default;
  /// Closed with the last copy; copies are in configurations and in instances made from them.
  static HostDescriptor Own(int descriptor) {
    HostDescriptor result{descriptor};
    result.owner_ = std::make_shared<const Closer>(descriptor);
    return result;
  }
  /// The caller's, which keeps it open as long as a guest can use it.
  static HostDescriptor Borrow(int descriptor) noexcept { return HostDescriptor{descriptor}; }

  /// -1 for none.
  int Get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  struct Closer {
    explicit Closer(int descriptor) noexcept : descriptor_{descriptor} {}
    Closer(const Closer&) = delete;
    Closer& operator=(const Closer&) = delete;
    TENON_DECL ~Closer();
    int descriptor_;
  };

  explicit HostDescriptor(int descriptor) noexcept : descriptor_{descriptor} {}

  std::shared_ptr<const Closer> owner_;
  int descriptor_ = -1;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/host_descriptor.ipp>
#endif
