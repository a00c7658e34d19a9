// SPDX-License-Identifier: Apache-2.0
/// @file
/// Mounts below directories that a guest has open.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::FSConfig;
using tenon::SystemConfig;
using tenon::wasi::Errno;
using tenon::wasi::MemoryFileSystem;

namespace {

constexpr std::uint32_t kRoot = FileGuest::kRoot;

std::string Contents(FileGuest& guest, std::uint32_t directory, std::string_view path) {
  std::string text;
  const Errno error = guest.Open(directory, path);
  if (error != Errno::Success) return std::string{tenon::wasi::ErrnoName(error)};
  guest.Read(guest.opened, text);
  guest.Close(guest.opened);
  return text;
}

std::uint32_t Directory(FileGuest& guest, std::uint32_t from, std::string_view path) {
  REQUIRE(guest.OpenDirectory(from, path) == Errno::Success);
  return guest.opened;
}

/// "/" with a/b/file, and in its place a mount.
struct Nested {
  Nested() {
    outer->WriteFile("a/b/file", "covered");
    outer->WriteFile("a/file", "outer");
    outer->WriteFile("x/a/b/file", "elsewhere");
    outer->Symlink("x/a", "link");
    inner->WriteFile("file", "inner");
    inner->WriteFile("deep/c/file", "covered too");
    innermost->WriteFile("file", "innermost");
  }
  SystemConfig System() const {
    return SystemConfig{}.WithFSConfig(FSConfig{}
                                           .WithFSMount(outer, "/")
                                           .WithReadOnlyFSMount(inner, "/a/b")
                                           .WithFSMount(innermost, "/a/b/deep/c"));
  }
  std::shared_ptr<MemoryFileSystem> outer = std::make_shared<MemoryFileSystem>();
  std::shared_ptr<MemoryFileSystem> inner = std::make_shared<MemoryFileSystem>();
  std::shared_ptr<MemoryFileSystem> innermost = std::make_shared<MemoryFileSystem>();
};

}  // namespace

TEST_CASE("a directory that was opened above a mount leads to it") {
  const Nested nested;
  FileGuest guest{nested.System()};
  const std::uint32_t a = Directory(guest, kRoot, "a");
  CHECK(Contents(guest, a, "file") == "outer");
  CHECK(Contents(guest, a, "b/file") == "inner");
  CHECK(Contents(guest, a, "./b//deep/c/file") == "innermost");
  CHECK(guest.Open(a, "b/new", FileGuest::kCreate) == Errno::Rofs);
  const std::uint32_t b = Directory(guest, a, "b");
  CHECK(Contents(guest, b, "file") == "inner");
  CHECK(guest.Open(b, "new", FileGuest::kCreate) == Errno::Rofs);
  const std::uint32_t deep = Directory(guest, b, "deep");
  CHECK(Contents(guest, deep, "c/file") == "innermost");
  CHECK(guest.Open(deep, "c/new", FileGuest::kCreate) == Errno::Success);
  CHECK(guest.Open(deep, "new", FileGuest::kCreate) == Errno::Rofs);
  // A mount is no name that could be taken away.
  CHECK(guest.Rename(a, "b", "moved") == Errno::Rofs);
  CHECK(guest.Path("path_unlink_file", a, "b") != Errno::Success);
  CHECK(guest.Path("path_remove_directory", a, "b") == Errno::Rofs);
}

TEST_CASE("a directory lists the mounts that lie in it, in place of what they cover") {
  const auto root = std::make_shared<MemoryFileSystem>();
  root->WriteFile("file", "");
  root->WriteFile("covered", "a file where there is a mount");
  root->WriteFile("folder/inner", "");
  root->Symlink("folder", "link");
  const auto other = std::make_shared<MemoryFileSystem>();
  const TemporaryFolder host;
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}
                                                  .WithFSMount(root, "/")
                                                  .WithFSMount(other, "/covered")
                                                  .WithDirMount(host.Path().string(), "/host")
                                                  .WithReadOnlyFSMount(other, "/folder/mount")
                                                  .WithFSMount(other, "/missing/deep"))};
  using Names = std::set<std::string>;
  // What lies below a directory that there is not cannot be reached from here either.
  CHECK(guest.Names(kRoot) == Names{"covered", "file", "folder", "host", "link"});
  CHECK(guest.Stat(kRoot, "missing") == Errno::Noent);
  CHECK(guest.Names(Directory(guest, kRoot, "folder")) == Names{"inner", "mount"});
  CHECK(guest.Names(Directory(guest, kRoot, "folder/../folder")).count("inner") == 1);
  CHECK(guest.Names(Directory(guest, kRoot, "covered")).empty());
  // The same entry, type and inode as path_filestat_get tells.
  for (const std::string_view name : {"covered", "host", "folder"}) {
    REQUIRE(guest.Stat(kRoot, name) == Errno::Success);
    const std::uint64_t inode = guest.U64(512 + 8);
    REQUIRE(guest.Call("fd_readdir", kRoot, 32768u, 4096u, std::uint64_t{0}, 256u) ==
            Errno::Success);
    bool is_found = false;
    for (std::uint32_t at = 32768; at < 32768 + guest.U32(256);) {
      const std::uint32_t length = guest.U32(at + 16);
      if (guest.Text(at + 24, length) == name) {
        is_found = true;
        CHECK(guest.U64(at + 8) == inode);
        CHECK((guest.U32(at + 20) & 0xFF) == 3);
      }
      at += 24 + length;
    }
    CHECK(is_found);
  }
}

TEST_CASE("directories of a mount do not lead above it") {
  const Nested nested;
  FileGuest guest{nested.System()};
  const std::uint32_t b = Directory(guest, Directory(guest, kRoot, "a"), "b");
  CHECK(guest.Open(b, "../file") == Errno::Notcapable);
  CHECK(guest.Open(b, "deep/../../file") == Errno::Notcapable);
  const std::uint32_t c = Directory(guest, b, "deep/c");
  CHECK(guest.Open(c, "../../file") == Errno::Notcapable);
  CHECK(guest.Open(c, "..") == Errno::Notcapable);
}

TEST_CASE("a directory whose place is not certain has no mounts below") {
  const Nested nested;
  FileGuest guest{nested.System()};
  // As it is written that is "/", but a link leads elsewhere: to "x".
  const std::uint32_t x = Directory(guest, kRoot, "link/..");
  CHECK(Contents(guest, x, "a/b/file") == "elsewhere");
  CHECK(Contents(guest, Directory(guest, x, "a"), "b/file") == "elsewhere");
}

TEST_CASE("the way back from a mount leads to what is around it") {
  const auto outer = std::make_shared<MemoryFileSystem>();
  const auto inner = std::make_shared<MemoryFileSystem>();
  outer->WriteFile("a/file", "outer");
  inner->WriteFile("dir/file", "inner");
  // The mount's place is no directory of the outer file system.
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(outer, "/").WithFSMount(inner, "/a/b"))};
  CHECK(Contents(guest, kRoot, "a/b/../file") == "outer");
  CHECK(Contents(guest, kRoot, "a/b/dir/../../file") == "outer");
  CHECK(Contents(guest, kRoot, "a/b/dir/../dir/file") == "inner");
  CHECK(Contents(guest, Directory(guest, kRoot, "a"), "b/../file") == "outer");
  CHECK(guest.Open(kRoot, "a/c/../file") == Errno::Noent);
}

TEST_CASE("a guest gains nothing from two mounts of one directory") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.Path() / "kept");
  WriteText(folder.Path() / "kept/file", "text");
  std::filesystem::create_directory(folder.Path() / "free");
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}
                                      .WithReadOnlyDirMount(folder.Path().string(), "/")
                                      .WithDirMount((folder.Path() / "free").string(), "/free"))};
  const std::uint32_t kept = Directory(guest, kRoot, "kept");
  CHECK(guest.Link(kRoot, "kept/file", "free/mine") == Errno::Rofs);
  CHECK(guest.Rename(kRoot, "kept/file", "free/mine") == Errno::Rofs);
  CHECK(guest.Rename(kRoot, "kept", "free/mine") == Errno::Rofs);
  CHECK(guest.Open(kept, "file", 0, FileGuest::kFileRights) == Errno::Rofs);
  REQUIRE(guest.Symlink(kRoot, "../kept/file", "free/link") == Errno::Success);
  CHECK(guest.Open(kRoot, "free/link", 0, FileGuest::kFileRights) == Errno::Notcapable);
  REQUIRE(guest.Symlink(kRoot, "../kept", "free/up") == Errno::Success);
  CHECK(guest.Open(kRoot, "free/up/file", 0, FileGuest::kFileRights) == Errno::Notcapable);
  CHECK(guest.Open(kRoot, "free/../kept/file", 0, FileGuest::kFileRights) == Errno::Rofs);
  const std::uint32_t free = Directory(guest, kRoot, "free");
  CHECK(guest.Open(free, "../kept/file", 0, FileGuest::kFileRights) == Errno::Notcapable);
  REQUIRE(guest.Call("fd_renumber", free, kept) == Errno::Success);
  CHECK(guest.Open(kept, "new", FileGuest::kCreate) == Errno::Success);
  CHECK(guest.Open(kept, "../kept/file", 0, FileGuest::kFileRights) == Errno::Notcapable);
  CHECK(ReadText(folder.Path() / "kept/file") == "text");
}
