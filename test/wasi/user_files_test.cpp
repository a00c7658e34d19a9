// SPDX-License-Identifier: Apache-2.0
/// @file
/// File systems of the user's that are careless: the library does not rely on them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::SystemConfig;
using tenon::wasi::Errno;
using tenon::wasi::Expected;
using tenon::wasi::File;
using tenon::wasi::FileSystem;
using tenon::wasi::FileType;
using tenon::wasi::OpenOptions;

namespace {

/// A file that does not ask how it was opened.
struct Pliable : File {
  FileType Type() const override { return FileType::RegularFile; }
  Expected<std::size_t> ReadAt(std::span<std::uint8_t> buffer, std::uint64_t) override {
    buffer[0] = 'x';
    return std::size_t{1};
  }
  Errno SetSize(std::uint64_t) override { return Errno::Success; }
  Errno Allocate(std::uint64_t, std::uint64_t) override { return Errno::Success; }
};

/// Whatever is asked for is a directory, but for "file".
struct Folders : FileSystem {
  struct Folder : File {
    FileType Type() const override { return FileType::Directory; }
  };
  Expected<std::unique_ptr<File>> Open(std::string_view path, const OpenOptions&) override {
    if (path.ends_with("file")) return std::unique_ptr<File>{new Pliable};
    return std::unique_ptr<File>{new Folder};
  }
};

/// Its directories are file systems, in which directories are none.
struct Nested : FileSystem {
  static inline int alive = 0;
  struct Folder : File {
    Folder() { ++alive; }
    ~Folder() override { --alive; }
    FileType Type() const override { return FileType::Directory; }
    FileSystem* Directory() override { return &inner; }
    Folders inner;
  };
  Expected<std::unique_ptr<File>> Open(std::string_view, const OpenOptions&) override {
    return std::unique_ptr<File>{new Folder};
  }
};

/// Has a directory, and creates what it is asked for.
struct Watched : FileSystem {
  bool created = false;
  Expected<std::unique_ptr<File>> Open(std::string_view path, const OpenOptions& options) override {
    if (path == "dir") return std::unique_ptr<File>{new Folders::Folder};
    if (!options.create) return Errno::Noent;
    created = true;
    return std::unique_ptr<File>{new Pliable};
  }
};

}  // namespace

TEST_CASE("the size of a file on a read-only mount stays, whatever the file would allow") {
  constexpr std::uint64_t kSizes = 1u << 8 | 1u << 22;
  const auto files = std::make_shared<Folders>();
  FileGuest frozen{SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithReadOnlyFSMount(files, "/"))};
  REQUIRE(frozen.Open(FileGuest::kRoot, "file", 0, FileGuest::kReadRights | kSizes) ==
          Errno::Success);
  CHECK(frozen.Call("fd_filestat_set_size", frozen.opened, std::uint64_t{1}) == Errno::Rofs);
  CHECK(frozen.Call("fd_allocate", frozen.opened, std::uint64_t{0}, std::uint64_t{1}) ==
        Errno::Rofs);
  FileGuest free{SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/"))};
  REQUIRE(free.Open(FileGuest::kRoot, "file", 0, FileGuest::kReadRights | kSizes) ==
          Errno::Success);
  CHECK(free.Call("fd_filestat_set_size", free.opened, std::uint64_t{1}) == Errno::Success);
}

TEST_CASE("a directory's file system lives as long as a directory that was opened in it") {
  {
    FileGuest guest{SystemConfig{}.WithFSConfig(
        tenon::FSConfig{}.WithFSMount(std::make_shared<Nested>(), "/"))};
    REQUIRE(guest.OpenDirectory(FileGuest::kRoot, "outer") == Errno::Success);
    const std::uint32_t outer = guest.opened;
    REQUIRE(guest.OpenDirectory(outer, "inner") == Errno::Success);
    const std::uint32_t inner = guest.opened;
    REQUIRE(guest.Close(outer) == Errno::Success);
    CHECK(Nested::alive == 1);
    CHECK(guest.Open(inner, "file") == Errno::Success);
    REQUIRE(guest.Close(inner) == Errno::Success);
    CHECK(Nested::alive == 0);
  }
}

TEST_CASE("no file is created where the path asks for a directory") {
  const auto files = std::make_shared<Watched>();
  FileGuest guest{SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/"))};
  CHECK(guest.Open(FileGuest::kRoot, "new/", FileGuest::kCreate) == Errno::Isdir);
  CHECK_FALSE(files->created);
  CHECK(guest.Open(FileGuest::kRoot, "dir/", FileGuest::kCreate) == Errno::Isdir);
  CHECK(guest.Open(FileGuest::kRoot, "dir/", FileGuest::kCreate | FileGuest::kExclusive) ==
        Errno::Exist);
  CHECK(guest.Open(FileGuest::kRoot, "new", FileGuest::kCreate) == Errno::Success);
  CHECK(files->created);
}

TEST_CASE("who may seek may ask for the position") {
  const auto files = std::make_shared<Folders>();
  FileGuest guest{SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/"))};
  constexpr std::uint64_t kSeek = 1u << 2;
  REQUIRE(guest.Open(FileGuest::kRoot, "file", 0, FileGuest::kRead | kSeek) == Errno::Success);
  CHECK(guest.Call("fd_tell", guest.opened, 64u) == Errno::Success);
  REQUIRE(guest.Open(FileGuest::kRoot, "file", 0, FileGuest::kRead) == Errno::Success);
  CHECK(guest.Call("fd_tell", guest.opened, 64u) == Errno::Notcapable);
}
