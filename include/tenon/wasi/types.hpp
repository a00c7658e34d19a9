// SPDX-License-Identifier: Apache-2.0
/// @file
/// Types of WASI preview 1, as guests have them in memory, and parameters of its functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/fwd.hpp>
#include <tenon/guest_pointer.hpp>
#include <tenon/memory.hpp>
#include <tenon/struct.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file_type.hpp>

// clang-format off
/// The one table of rights: X(name, bit).
#define TENON_WASI_RIGHTS(X) \
  X(FdDatasync, 0) \
  X(FdRead, 1) \
  X(FdSeek, 2) \
  X(FdFdstatSetFlags, 3) \
  X(FdSync, 4) \
  X(FdTell, 5) \
  X(FdWrite, 6) \
  X(FdAdvise, 7) \
  X(FdAllocate, 8) \
  X(PathCreateDirectory, 9) \
  X(PathCreateFile, 10) \
  X(PathLinkSource, 11) \
  X(PathLinkTarget, 12) \
  X(PathOpen, 13) \
  X(FdReaddir, 14) \
  X(PathReadlink, 15) \
  X(PathRenameSource, 16) \
  X(PathRenameTarget, 17) \
  X(PathFilestatGet, 18) \
  X(PathFilestatSetSize, 19) \
  X(PathFilestatSetTimes, 20) \
  X(FdFilestatGet, 21) \
  X(FdFilestatSetSize, 22) \
  X(FdFilestatSetTimes, 23) \
  X(PathSymlink, 24) \
  X(PathRemoveDirectory, 25) \
  X(PathUnlinkFile, 26) \
  X(PollFdReadwrite, 27) \
  X(SockShutdown, 28) \
  X(SockAccept, 29)
// clang-format on

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

/// The two layouts of preview 1: that of `wasi_snapshot_preview1` and the one before it.
enum class Version : std::uint8_t { Preview1, Unstable };

/// A set of rights.
using Rights = std::uint64_t;

namespace right {
#define TENON_DETAIL_ROW(name, bit) inline constexpr Rights k##name = Rights{1} << bit;
TENON_WASI_RIGHTS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW

#define TENON_DETAIL_ROW(name, bit) | k##name
inline constexpr Rights kAll = 0 TENON_WASI_RIGHTS(TENON_DETAIL_ROW);
#undef TENON_DETAIL_ROW

/// What can be done with a directory, and what with another file.
inline constexpr Rights kDirectory =
    kFdFdstatSetFlags | kFdSync | kFdDatasync | kFdAdvise | kPathCreateDirectory | kPathCreateFile |
    kPathLinkSource | kPathLinkTarget | kPathOpen | kFdReaddir | kPathReadlink | kPathRenameSource |
    kPathRenameTarget | kPathFilestatGet | kPathFilestatSetSize | kPathFilestatSetTimes |
    kFdFilestatGet | kFdFilestatSetTimes | kPathSymlink | kPathRemoveDirectory | kPathUnlinkFile |
    kPollFdReadwrite;
inline constexpr Rights kFile = kFdDatasync | kFdRead | kFdSeek | kFdFdstatSetFlags | kFdSync |
                                kFdTell | kFdWrite | kFdAdvise | kFdAllocate | kFdFilestatGet |
                                kFdFilestatSetSize | kFdFilestatSetTimes | kPollFdReadwrite;
inline constexpr Rights kSocket =
    kFdRead | kFdWrite | kFdFdstatSetFlags | kFdFilestatGet | kPollFdReadwrite | kSockShutdown;
inline constexpr Rights kListener =
    kFdFdstatSetFlags | kFdFilestatGet | kPollFdReadwrite | kSockAccept;
inline constexpr Rights kInput = kFdRead | kFdFdstatSetFlags | kFdFilestatGet | kPollFdReadwrite;
inline constexpr Rights kOutput =
    kFdWrite | kFdFdstatSetFlags | kFdFilestatGet | kPollFdReadwrite | kFdSync | kFdDatasync;
}  // namespace right

// Flags, in sets of the width that operands have.
inline constexpr std::uint32_t kLookupSymlinkFollow = 1;
inline constexpr std::uint32_t kLookupFlags = 1;
inline constexpr std::uint32_t kOpenCreate = 1;
inline constexpr std::uint32_t kOpenDirectory = 2;
inline constexpr std::uint32_t kOpenExclusive = 4;
inline constexpr std::uint32_t kOpenTruncate = 8;
inline constexpr std::uint32_t kOpenFlags = 15;
inline constexpr std::uint32_t kFdAppend = 1;
inline constexpr std::uint32_t kFdDsync = 2;
inline constexpr std::uint32_t kFdNonblock = 4;
inline constexpr std::uint32_t kFdRsync = 8;
inline constexpr std::uint32_t kFdSync = 16;
inline constexpr std::uint32_t kFdSyncFlags = kFdDsync | kFdRsync | kFdSync;
inline constexpr std::uint32_t kFdFlags = 31;
inline constexpr std::uint32_t kSetAccessed = 1;
inline constexpr std::uint32_t kSetAccessedNow = 2;
inline constexpr std::uint32_t kSetModified = 4;
inline constexpr std::uint32_t kSetModifiedNow = 8;
inline constexpr std::uint32_t kSetTimesFlags = 15;
inline constexpr std::uint32_t kAdviceCount = 6;

/// Where a guest has a T or wants one. Any number; checked when it is used. Unlike GuestPtr, whose
/// null it may be, 0 is an address.
template <class T>
class Place {
 public:
  explicit constexpr Place(std::uint32_t offset) noexcept : offset_{offset} {}
  constexpr std::uint32_t Offset() const noexcept { return offset_; }

  /// Whether there is room for `count` of them.
  bool IsIn(const Memory& memory, std::uint64_t count = 1) const noexcept {
    return memory.ViewUnsynchronized(offset_, Layout::kSize * count).has_value();
  }
  std::optional<T> Read(const Memory& memory, std::uint64_t index = 0) const {
    std::uint8_t bytes[Layout::kSize];
    if (!memory.Read(offset_ + index * Layout::kSize, std::span<std::uint8_t>{bytes})) {
      return std::nullopt;
    }
    return Layout::Load(bytes);
  }
  /// EFAULT, with nothing written, where it is out of bounds.
  Errno Write(Memory& memory, const T& value, std::uint64_t index = 0) const {
    // The padding of a struct as well, so that runs repeat.
    std::uint8_t bytes[Layout::kSize] = {};
    Layout::Store(bytes, value);
    const bool is_written =
        memory.Write(offset_ + index * Layout::kSize, std::span<const std::uint8_t>{bytes});
    return is_written ? Errno::Success : Errno::Fault;
  }

 private:
  using Layout = bind::GuestLayout<T>;
  std::uint32_t offset_;
};

/// Text in guest memory: two operands. Checked when it is used.
struct Text {
  std::uint32_t offset;
  std::uint32_t length;

  /// Whether it is in bounds.
  bool IsIn(const Memory& memory) const {
    return memory.ViewUnsynchronized(offset, length).has_value();
  }
  /// Copied once, as guests with shared memories could change it. It must be in bounds.
  std::string Copy(const Memory& memory) const {
    std::string copy(length, '\0');
    memory.Read(offset, {reinterpret_cast<std::uint8_t*>(copy.data()), copy.size()});
    return copy;
  }
};

/// Bytes in guest memory to be filled by the system: two operands. Checked when they are used.
struct Buffer {
  std::uint32_t offset;
  std::uint32_t length;

  std::optional<std::span<std::uint8_t>> In(const Memory& memory) const {
    return memory.ViewUnsynchronized(offset, length);
  }
};

/// A list of buffers in guest memory: two operands. Checked when it is used.
struct BufferListOperands {
  std::uint32_t offset;
  std::uint32_t count;
};

struct Fdstat {
  FileType type;
  std::uint16_t flags;
  Rights rights_base;
  Rights rights_inheriting;
};

template <Version kVersion>
struct Filestat {
  std::uint64_t device;
  std::uint64_t inode;
  FileType type;
  std::uint64_t links;
  std::uint64_t size;
  std::uint64_t accessed;
  std::uint64_t modified;
  std::uint64_t changed;
};
template <>
struct Filestat<Version::Unstable> {
  std::uint64_t device;
  std::uint64_t inode;
  FileType type;
  std::uint32_t links;
  std::uint64_t size;
  std::uint64_t accessed;
  std::uint64_t modified;
  std::uint64_t changed;
};

struct Prestat {
  std::uint8_t tag;
  std::uint32_t name_length;
};

struct DirectoryEntryHead {
  std::uint64_t next;
  std::uint64_t inode;
  std::uint32_t name_length;
  FileType type;
};

/// What a subscription waits for. For descriptors `id` is theirs, and the rest has no meaning.
template <Version kVersion>
struct SubscriptionBody {
  std::uint32_t id;
  std::uint64_t timeout;
  std::uint64_t precision;
  std::uint16_t flags;
};
template <>
struct SubscriptionBody<Version::Unstable> {
  std::uint64_t identifier;
  std::uint32_t id;
  std::uint64_t timeout;
  std::uint64_t precision;
  std::uint16_t flags;
};

template <Version kVersion>
struct Subscription {
  std::uint64_t user_data;
  std::uint8_t tag;
  SubscriptionBody<kVersion> body;
};

struct Event {
  std::uint64_t user_data;
  Errno error;
  std::uint8_t type;
  std::uint64_t bytes;
  std::uint16_t flags;
};

struct Iovec {
  std::uint32_t offset;
  std::uint32_t length;
};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::wasi

namespace tenon::inline TENON_ABI {

template <class T>
struct WasmType<wasi::detail::Place<T>> {
  using Wire = std::uint32_t;
  static constexpr wasi::detail::Place<T> FromWasm(std::uint32_t offset) noexcept {
    return wasi::detail::Place<T>{offset};
  }
};

namespace wasi::detail {

/// The two operands of T as a parameter.
template <class T>
struct TwoOperands {
  using Parts = tenon::Parts<std::uint32_t, std::uint32_t>;
  static constexpr T FromWasm(std::uint32_t offset, std::uint32_t count) noexcept {
    return {offset, count};
  }
};

}  // namespace wasi::detail

template <>
struct WasmOperands<wasi::detail::Text> : wasi::detail::TwoOperands<wasi::detail::Text> {};
template <>
struct WasmOperands<wasi::detail::Buffer> : wasi::detail::TwoOperands<wasi::detail::Buffer> {};
template <>
struct WasmOperands<wasi::detail::BufferListOperands>
    : wasi::detail::TwoOperands<wasi::detail::BufferListOperands> {};

template <>
struct Fields<wasi::detail::Fdstat>
    : FieldList<&wasi::detail::Fdstat::type, &wasi::detail::Fdstat::flags,
                &wasi::detail::Fdstat::rights_base, &wasi::detail::Fdstat::rights_inheriting> {};
template <wasi::detail::Version kVersion>
struct Fields<wasi::detail::Filestat<kVersion>>
    : FieldList<
          &wasi::detail::Filestat<kVersion>::device, &wasi::detail::Filestat<kVersion>::inode,
          &wasi::detail::Filestat<kVersion>::type, &wasi::detail::Filestat<kVersion>::links,
          &wasi::detail::Filestat<kVersion>::size, &wasi::detail::Filestat<kVersion>::accessed,
          &wasi::detail::Filestat<kVersion>::modified, &wasi::detail::Filestat<kVersion>::changed> {
};
template <>
struct Fields<wasi::detail::Prestat>
    : FieldList<&wasi::detail::Prestat::tag, &wasi::detail::Prestat::name_length> {};
template <>
struct Fields<wasi::detail::DirectoryEntryHead>
    : FieldList<&wasi::detail::DirectoryEntryHead::next, &wasi::detail::DirectoryEntryHead::inode,
                &wasi::detail::DirectoryEntryHead::name_length,
                &wasi::detail::DirectoryEntryHead::type> {};
template <>
struct Fields<wasi::detail::SubscriptionBody<wasi::detail::Version::Preview1>>
    : FieldList<&wasi::detail::SubscriptionBody<wasi::detail::Version::Preview1>::id,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Preview1>::timeout,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Preview1>::precision,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Preview1>::flags> {};
template <>
struct Fields<wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>>
    : FieldList<&wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>::identifier,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>::id,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>::timeout,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>::precision,
                &wasi::detail::SubscriptionBody<wasi::detail::Version::Unstable>::flags> {};
template <wasi::detail::Version kVersion>
struct Fields<wasi::detail::Subscription<kVersion>>
    : FieldList<&wasi::detail::Subscription<kVersion>::user_data,
                &wasi::detail::Subscription<kVersion>::tag,
                &wasi::detail::Subscription<kVersion>::body> {};
template <>
struct Fields<wasi::detail::Event>
    : FieldList<&wasi::detail::Event::user_data, &wasi::detail::Event::error,
                &wasi::detail::Event::type, &wasi::detail::Event::bytes,
                &wasi::detail::Event::flags> {};
template <>
struct Fields<wasi::detail::Iovec>
    : FieldList<&wasi::detail::Iovec::offset, &wasi::detail::Iovec::length> {};

}  // namespace tenon::inline TENON_ABI

// The sizes that the specification gives.
namespace tenon::inline TENON_ABI::wasi::detail {
static_assert(bind::GuestLayout<Fdstat>::kSize == 24);
static_assert(bind::GuestLayout<Filestat<Version::Preview1>>::kSize == 64);
static_assert(bind::GuestLayout<Filestat<Version::Unstable>>::kSize == 56);
static_assert(bind::GuestLayout<Prestat>::kSize == 8);
static_assert(bind::GuestLayout<DirectoryEntryHead>::kSize == 24);
static_assert(bind::GuestLayout<Subscription<Version::Preview1>>::kSize == 48);
static_assert(bind::GuestLayout<Subscription<Version::Unstable>>::kSize == 56);
static_assert(bind::GuestLayout<Event>::kSize == 32);
static_assert(bind::GuestLayout<Iovec>::kSize == 8);
}  // namespace tenon::inline TENON_ABI::wasi::detail
