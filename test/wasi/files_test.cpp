// SPDX-License-Identifier: Apache-2.0
/// @file
/// Files as a guest sees them, in directories of the host's, in memory and in file systems of
/// users'.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::FSConfig;
using tenon::SystemConfig;
using tenon::wasi::Errno;
using tenon::wasi::Expected;
using tenon::wasi::File;
using tenon::wasi::FileType;
using tenon::wasi::MemoryFileSystem;
using tenon::wasi::OpenOptions;
using tenon::wasi::PathResolution;

namespace {

constexpr std::uint32_t kRoot = FileGuest::kRoot;
using Names = std::set<std::string>;

/// The same tree in each kind of file system: "file" with "0123456789", "dir/inner" with "inner".
class Tree {
 public:
  explicit Tree(int kind) {
    if (kind == 2) {
      auto memory = std::make_shared<MemoryFileSystem>();
      memory->WriteFile("file", "0123456789");
      memory->WriteFile("dir/inner", "inner");
      config_ = FSConfig{}.WithFSMount(memory, "/");
      return;
    }
    std::filesystem::create_directory(folder_.Path() / "dir");
    WriteText(folder_.Path() / "file", "0123456789");
    WriteText(folder_.Path() / "dir/inner", "inner");
    config_ = kind == 0 ? FSConfig{}.WithDirMount(folder_.Path().string(), "/")
                        : MountRoot(folder_.Path(), PathResolution::Walk);
  }
  SystemConfig System() const { return SystemConfig{}.WithFSConfig(config_); }

 private:
  TemporaryFolder folder_;
  FSConfig config_;
};

Tree EachTree() {
  const int kind = GENERATE(0, 1, 2);
  return Tree{kind};
}

std::string Contents(FileGuest& guest, std::string_view path) {
  std::string text;
  if (guest.Open(kRoot, path) != Errno::Success) return "(none)";
  guest.Read(guest.opened, text);
  guest.Close(guest.opened);
  return text;
}

/// A file system of a user's: paths and texts, read only. Remembers what it was asked for.
class TextFiles : public tenon::wasi::FileSystem {
 public:
  std::map<std::string, std::string> texts;
  std::vector<std::string> asked;

  Expected<std::unique_ptr<File>> Open(std::string_view path, const OpenOptions& options) override {
    asked.emplace_back(path);
    if (options.write || options.create) return Errno::Rofs;
    const auto found = texts.find(std::string{path});
    if (found != texts.end()) return std::unique_ptr<File>{new Text{found->second}};
    std::set<std::string> names;
    const std::string prefix = path.empty() ? "" : std::string{path} + "/";
    for (const auto& [name, text] : texts) {
      if (name.starts_with(prefix)) {
        names.insert(name.substr(prefix.size(), name.find('/', prefix.size()) - prefix.size()));
      }
    }
    if (names.empty()) return Errno::Noent;
    return std::unique_ptr<File>{new Folder{names}};
  }

 private:
  struct Text : File {
    explicit Text(std::string_view contents) : text{contents} {}
    FileType Type() const override { return FileType::RegularFile; }
    Expected<std::size_t> ReadAt(std::span<std::uint8_t> buffer, std::uint64_t offset) override {
      if (offset >= text.size()) return std::size_t{0};
      return text.copy(reinterpret_cast<char*>(buffer.data()), buffer.size(), offset);
    }
    std::string text;
  };
  struct Folder : File {
    explicit Folder(std::set<std::string> entries) : names{std::move(entries)} {}
    FileType Type() const override { return FileType::Directory; }
    Expected<std::vector<tenon::wasi::DirectoryEntry>> ReadDirectory() override {
      std::vector<tenon::wasi::DirectoryEntry> entries;
      for (const std::string& name : names) entries.push_back({name, 0, FileType::Unknown});
      return entries;
    }
    std::set<std::string> names;
  };
};

}  // namespace

TEST_CASE("a guest reads, writes, seeks and cuts files") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  constexpr std::uint64_t kRights = FileGuest::kFileRights | std::uint64_t{1} << 22;
  REQUIRE(guest.Open(kRoot, "file", 0, kRights) == Errno::Success);
  const std::uint32_t file = guest.opened;
  CHECK(file == 4);
  std::string text;
  CHECK(guest.Read(file, text, 4) == Errno::Success);
  CHECK(text == "0123");
  CHECK(guest.Call("fd_tell", file, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 4);
  CHECK(guest.Write(file, "xy") == Errno::Success);
  CHECK(guest.Call("fd_seek", file, std::int64_t{-5}, 2u, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 5);
  CHECK(guest.Read(file, text) == Errno::Success);
  CHECK(text == "y6789");
  CHECK(guest.Read(file, text) == Errno::Success);
  CHECK(text.empty());
  CHECK(guest.Call("fd_seek", file, std::int64_t{-1}, 0u, 0u) == Errno::Inval);
  CHECK(guest.Call("fd_seek", file, std::int64_t{INT64_MAX}, 1u, 0u) == Errno::Inval);
  CHECK(guest.Call("fd_seek", file, std::int64_t{INT64_MIN}, 1u, 0u) == Errno::Inval);

  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{3}) == Errno::Success);
  CHECK(guest.Call("fd_filestat_get", file, 64u) == Errno::Success);
  CHECK(guest.U64(64 + 32) == 3);
  CHECK(guest.U64(64 + 24) == 1);  // links
  CHECK((guest.U64(64 + 16) & 0xFF) == 4);
  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{6}) == Errno::Success);
  CHECK(guest.Close(file) == Errno::Success);
  CHECK(Contents(guest, "file") == std::string("012\0\0\0", 6));
}

TEST_CASE("fd_pread and fd_pwrite leave the position alone") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kFileRights) == Errno::Success);
  const std::uint32_t file = guest.opened;
  guest.WriteBuffers(0, {{100, 2}, {200, 3}});
  CHECK(guest.Call("fd_pread", file, 0u, 2u, std::uint64_t{7}, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 3);
  CHECK(guest.Text(100, 2) == "78");
  CHECK(guest.Text(200, 1) == "9");
  CHECK(guest.Call("fd_pwrite", file, 0u, 2u, std::uint64_t{1}, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 5);
  CHECK(guest.Call("fd_pread", file, 0u, 1u, std::uint64_t{1} << 63, 64u) == Errno::Inval);
  std::string text;
  CHECK(guest.Read(file, text, 4) == Errno::Success);
  CHECK(text.substr(0, 3) == "078");
}

TEST_CASE("files are created, appended to, and not created where they must be new") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  constexpr std::uint32_t kNew = FileGuest::kCreate | FileGuest::kExclusive;
  constexpr std::uint32_t kAppend = 1;
  REQUIRE(guest.Open(kRoot, "new", kNew, FileGuest::kFileRights) == Errno::Success);
  CHECK(guest.Write(guest.opened, "one") == Errno::Success);
  CHECK(guest.Close(guest.opened) == Errno::Success);
  CHECK(guest.Open(kRoot, "new", kNew, FileGuest::kFileRights) == Errno::Exist);
  REQUIRE(guest.Open(kRoot, "new", 0, FileGuest::kFileRights, 1, kAppend) == Errno::Success);
  CHECK(guest.Write(guest.opened, "+two") == Errno::Success);
  CHECK(guest.Call("fd_tell", guest.opened, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 7);
  CHECK(guest.Close(guest.opened) == Errno::Success);
  CHECK(Contents(guest, "new") == "one+two");
  REQUIRE(guest.Open(kRoot, "new", FileGuest::kTruncate, FileGuest::kFileRights) == Errno::Success);
  CHECK(guest.Close(guest.opened) == Errno::Success);
  CHECK(Contents(guest, "new").empty());
  CHECK(guest.Open(kRoot, "missing") == Errno::Noent);
  CHECK(guest.Open(kRoot, "file/below") == Errno::Notdir);
  CHECK(guest.Open(kRoot, "dir", 0, FileGuest::kFileRights) == Errno::Isdir);
  CHECK(guest.Open(kRoot, "file", FileGuest::kDirectory) == Errno::Notdir);
}

TEST_CASE("directories are made, listed, renamed and removed") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  CHECK(guest.Names(kRoot) == Names{"dir", "file"});
  CHECK(guest.Path("path_create_directory", kRoot, "dir/sub") == Errno::Success);
  CHECK(guest.Path("path_create_directory", kRoot, "dir/sub") == Errno::Exist);
  CHECK(guest.Path("path_create_directory", kRoot, "nowhere/sub") == Errno::Noent);
  REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
  const std::uint32_t dir = guest.opened;
  CHECK(guest.Names(dir) == Names{"inner", "sub"});
  CHECK(guest.Rename(dir, "inner", "sub/moved") == Errno::Success);
  CHECK(guest.Names(dir) == Names{"sub"});
  CHECK(Contents(guest, "dir/sub/moved") == "inner");
  CHECK(guest.Path("path_remove_directory", kRoot, "dir/sub") == Errno::Notempty);
  CHECK(guest.Path("path_unlink_file", kRoot, "dir/sub") == Errno::Isdir);
  CHECK(guest.Path("path_remove_directory", kRoot, "file") == Errno::Notdir);
  CHECK(guest.Rename(kRoot, "dir", "dir/sub/loop") == Errno::Inval);
  CHECK(guest.Path("path_unlink_file", dir, "sub/moved") == Errno::Success);
  CHECK(guest.Path("path_remove_directory", dir, "sub") == Errno::Success);
  CHECK(guest.Names(dir).empty());
  CHECK(guest.Path("path_unlink_file", kRoot, "file") == Errno::Success);
  CHECK(guest.Path("path_unlink_file", kRoot, "file") == Errno::Noent);
  CHECK(guest.Names(kRoot) == Names{"dir"});
}

TEST_CASE("a directory that is open goes where it is renamed to, and stays usable when removed") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
  const std::uint32_t dir = guest.opened;
  REQUIRE(guest.Rename(kRoot, "dir", "elsewhere") == Errno::Success);
  CHECK(guest.Names(dir) == Names{"inner"});
  CHECK(guest.Path("path_unlink_file", dir, "inner") == Errno::Success);
  CHECK(guest.Path("path_remove_directory", kRoot, "elsewhere") == Errno::Success);
  CHECK(guest.Open(dir, "new", FileGuest::kCreate, FileGuest::kFileRights) == Errno::Noent);
  CHECK(guest.Names(dir).empty());
}

TEST_CASE("a large directory is listed in pieces, each entry once") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  Names expected;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "file number " + std::to_string(i);
    REQUIRE(guest.Open(kRoot, "dir/" + name, FileGuest::kCreate) == Errno::Success);
    REQUIRE(guest.Close(guest.opened) == Errno::Success);
    expected.insert(name);
  }
  expected.insert("inner");
  REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
  const std::uint32_t dir = guest.opened;
  CHECK(guest.Names(dir) == expected);
  // Cookies are the guest's to invent.
  CHECK(guest.Call("fd_readdir", dir, 0u, 64u, std::uint64_t{503}, 128u) == Errno::Success);
  CHECK(guest.U32(128) == 0);
  CHECK(guest.Call("fd_readdir", dir, 0u, 64u, std::uint64_t{504}, 128u) == Errno::Inval);
  CHECK(guest.Call("fd_readdir", dir, 0u, 64u, UINT64_MAX, 128u) == Errno::Inval);
  // A buffer that is full cuts the last entry.
  for (const std::uint32_t size : {0u, 1u, 23u, 24u, 25u, 60u}) {
    CHECK(guest.Call("fd_readdir", dir, 0u, size, std::uint64_t{0}, 128u) == Errno::Success);
    CHECK(guest.U32(128) == std::min(size, 24u + 1 + 24 + 2 + 24 + 6));
  }
}

TEST_CASE("links have the same file, and symbolic ones a text") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  CHECK(guest.Link(kRoot, "file", "dir/second") == Errno::Success);
  CHECK(guest.Stat(kRoot, "dir/second") == Errno::Success);
  CHECK(guest.U64(512 + 24) == 2);
  CHECK(guest.Path("path_unlink_file", kRoot, "file") == Errno::Success);
  CHECK(Contents(guest, "dir/second") == "0123456789");
  CHECK(guest.Link(kRoot, "dir", "dir2") == Errno::Perm);
  CHECK(guest.Link(kRoot, "dir/second", "dir/inner") == Errno::Exist);

  CHECK(guest.Symlink(kRoot, "dir/second", "symbolic") == Errno::Success);
  CHECK(guest.Symlink(kRoot, "other", "symbolic") == Errno::Exist);
  CHECK(Contents(guest, "symbolic") == "0123456789");
  std::string target;
  CHECK(guest.ReadLink(kRoot, "symbolic", target) == Errno::Success);
  CHECK(target == "dir/second");
  CHECK(guest.ReadLink(kRoot, "dir/second", target) == Errno::Inval);
  CHECK(guest.Stat(kRoot, "symbolic", 0) == Errno::Success);
  CHECK((guest.U64(512 + 16) & 0xFF) == 7);
  CHECK(guest.Stat(kRoot, "symbolic", 1) == Errno::Success);
  CHECK((guest.U64(512 + 16) & 0xFF) == 4);
  CHECK(guest.Symlink(kRoot, "loop", "loop") == Errno::Success);
  CHECK(guest.Open(kRoot, "loop") == Errno::Loop);
  CHECK(guest.Open(kRoot, "loop/x") == Errno::Loop);
}

TEST_CASE("times are set as asked") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  CHECK(guest.SetTimes(kRoot, "file") == Errno::Success);
  CHECK(guest.Stat(kRoot, "file") == Errno::Success);
  CHECK(guest.U64(512 + 40) == 1'000'000'000);
  CHECK(guest.U64(512 + 48) == 2'000'000'000);
  CHECK(guest.Symlink(kRoot, "file", "symbolic") == Errno::Success);
  CHECK(guest.SetTimes(kRoot, "symbolic", 0) == Errno::Success);
  CHECK(guest.Stat(kRoot, "symbolic", 0) == Errno::Success);
  CHECK(guest.U64(512 + 48) == 2'000'000'000);
  constexpr std::uint64_t kSetTimes = std::uint64_t{1} << 23;
  REQUIRE(guest.Open(kRoot, "dir/inner", 0, FileGuest::kFileRights | kSetTimes) == Errno::Success);
  CHECK(guest.Call("fd_filestat_set_times", guest.opened, std::uint64_t{5'000'000'000},
                   std::uint64_t{0}, 1u) == Errno::Success);
  CHECK(guest.Call("fd_filestat_get", guest.opened, 512u) == Errno::Success);
  CHECK(guest.U64(512 + 40) == 5'000'000'000);
  CHECK(guest.Call("fd_filestat_set_times", guest.opened, std::uint64_t{0}, std::uint64_t{0}, 3u) ==
        Errno::Inval);
  CHECK(guest.Call("fd_filestat_set_times", guest.opened, std::uint64_t{0}, std::uint64_t{0},
                   16u) == Errno::Inval);
}

TEST_CASE("a file in memory that is written, cut or made larger has the time of that") {
  const auto files = std::make_shared<MemoryFileSystem>(
      MemoryFileSystem::kDefaultLimit, [] { return std::uint64_t{9'000'000'000}; });
  files->WriteFile("file", "0123456789");
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kFileRights | 1u << 8 | 1u << 22) ==
          Errno::Success);
  const std::function<Errno()> changes[] = {
      [&] { return guest.Write(guest.opened, "x"); },
      [&] { return guest.Call("fd_filestat_set_size", guest.opened, std::uint64_t{5}); },
      [&] { return guest.Call("fd_allocate", guest.opened, std::uint64_t{0}, std::uint64_t{20}); }};
  for (const auto& change : changes) {
    REQUIRE(guest.SetTimes(kRoot, "file") == Errno::Success);
    CHECK(change() == Errno::Success);
    CHECK(guest.Stat(kRoot, "file") == Errno::Success);
    CHECK(guest.U64(512 + 48) == 9'000'000'000);
    CHECK(guest.U64(512 + 56) == 9'000'000'000);
  }
}

TEST_CASE("a read-only mount can be read and not changed") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.Path() / "dir");
  WriteText(folder.Path() / "file", "text");
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithReadOnlyDirMount(folder.Path().string(), "/"))};
  CHECK(Contents(guest, "file") == "text");
  CHECK(guest.Open(kRoot, "file", 0, FileGuest::kFileRights) == Errno::Rofs);
  CHECK(guest.Open(kRoot, "new", FileGuest::kCreate) == Errno::Rofs);
  CHECK(guest.Open(kRoot, "file", FileGuest::kCreate) == Errno::Success);
  CHECK(guest.Open(kRoot, "file", FileGuest::kCreate | FileGuest::kExclusive) == Errno::Exist);
  CHECK(guest.Open(kRoot, "file", FileGuest::kTruncate) == Errno::Rofs);
  CHECK(guest.Path("path_create_directory", kRoot, "new") == Errno::Rofs);
  CHECK(guest.Path("path_unlink_file", kRoot, "file") == Errno::Rofs);
  CHECK(guest.Path("path_remove_directory", kRoot, "dir") == Errno::Rofs);
  CHECK(guest.Rename(kRoot, "file", "new") == Errno::Rofs);
  CHECK(guest.Link(kRoot, "file", "new") == Errno::Rofs);
  CHECK(guest.Symlink(kRoot, "file", "new") == Errno::Rofs);
  CHECK(guest.SetTimes(kRoot, "file") == Errno::Rofs);
  constexpr std::uint64_t kEverything =
      (std::uint64_t{1} << 28) - 1 - FileGuest::kWrite;  // of files
  REQUIRE(guest.Open(kRoot, "file", 0, kEverything) == Errno::Success);
  const std::uint32_t file = guest.opened;
  CHECK(guest.Call("fd_filestat_set_times", file, std::uint64_t{0}, std::uint64_t{0}, 1u) ==
        Errno::Rofs);
  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{0}) != Errno::Success);
  CHECK(guest.Call("fd_allocate", file, std::uint64_t{0}, std::uint64_t{100}) != Errno::Success);
  REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
  CHECK(guest.Open(guest.opened, "new", FileGuest::kCreate) == Errno::Rofs);
  CHECK(ReadText(folder.Path() / "file") == "text");
  CHECK(std::distance(std::filesystem::directory_iterator{folder.Path()}, {}) == 2);
}

TEST_CASE("of several mounts the one with the longest prefix counts") {
  const auto outer = std::make_shared<MemoryFileSystem>();
  const auto inner = std::make_shared<MemoryFileSystem>();
  outer->WriteFile("file", "outer");
  outer->WriteFile("data/file", "hidden");
  outer->WriteFile("database/file", "database");
  inner->WriteFile("file", "inner");
  FileGuest guest{SystemConfig{}.WithFSConfig(
      FSConfig{}.WithFSMount(outer, "/").WithReadOnlyFSMount(inner, "/data"))};
  CHECK(Contents(guest, "file") == "outer");
  CHECK(Contents(guest, "data/file") == "inner");
  CHECK(Contents(guest, "./data//./file") == "inner");
  CHECK(Contents(guest, "database/file") == "database");
  CHECK(Contents(guest, "data/../file") == "outer");
  REQUIRE(guest.OpenDirectory(kRoot, "data/") == Errno::Success);
  CHECK(guest.Names(guest.opened) == Names{"file"});
  CHECK(guest.Open(kRoot, "data/new", FileGuest::kCreate) == Errno::Rofs);
  CHECK(guest.Rename(kRoot, "file", "data/file") == Errno::Rofs);
  // The second mount is descriptor 4.
  CHECK(guest.Open(4, "file") == Errno::Success);
  CHECK(guest.Open(4, "../file") == Errno::Notcapable);
}

TEST_CASE("files are not moved between file systems") {
  const auto one = std::make_shared<MemoryFileSystem>();
  const auto other = std::make_shared<MemoryFileSystem>();
  one->WriteFile("file", "text");
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(one, "/").WithFSMount(other, "/other"))};
  CHECK(guest.Rename(kRoot, "file", "other/file") == Errno::Xdev);
  CHECK(guest.Link(kRoot, "file", "other/file") == Errno::Xdev);
  CHECK(one->ReadFile("file"));
}

TEST_CASE("mounts have the names of the configuration, and can be replaced in it") {
  const auto files = std::make_shared<MemoryFileSystem>();
  const FSConfig base = FSConfig{}.WithFSMount(files, "");
  const FSConfig derived = base.WithFSMount(files, "/data").WithReadOnlyFSMount(files, "/");
  CHECK(base.Mounts().size() == 1);
  CHECK_FALSE(base.Mounts()[0].read_only);
  FileGuest guest{SystemConfig{}.WithFSConfig(derived)};
  CHECK(guest.Call("fd_prestat_get", 3u, 0u) == Errno::Success);
  CHECK(guest.U32(0) == 0);
  CHECK(guest.U32(4) == 1);
  CHECK(guest.Call("fd_prestat_get", 4u, 0u) == Errno::Success);
  CHECK(guest.U32(4) == 5);
  CHECK(guest.Call("fd_prestat_dir_name", 4u, 16u, 4u) == Errno::Nametoolong);
  CHECK(guest.Call("fd_prestat_dir_name", 4u, 16u, 5u) == Errno::Success);
  CHECK(guest.Text(16, 5) == "/data");
  CHECK(guest.Call("fd_prestat_get", 5u, 0u) == Errno::Badf);
  CHECK(guest.Open(kRoot, "new", FileGuest::kCreate) == Errno::Rofs);
  CHECK(guest.Open(4, "new", FileGuest::kCreate) == Errno::Success);
}

TEST_CASE("mounts that cannot be are refused when they are configured") {
  CHECK(Thrown<tenon::ConfigError>([] {
          static_cast<void>(FSConfig{}.WithDirMount("/nowhere/at/all", "/"));
        }).Id() == tenon::ErrorCode::MountOpen);
  CHECK(Thrown<tenon::ConfigError>([] {
          static_cast<void>(FSConfig{}.WithDirMount("/dev/null", "/"));
        }).Id() == tenon::ErrorCode::MountOpen);
  CHECK(Thrown<tenon::ConfigError>([] {
          static_cast<void>(FSConfig{}.WithDirMount("/tmp", std::string("/\0x", 3)));
        }).Id() == tenon::ErrorCode::MountPathNul);
  CHECK(Thrown<tenon::ConfigError>([] {
          static_cast<void>(FSConfig{}.WithFSMount(nullptr, "/"));
        }).Id() == tenon::ErrorCode::MountNull);
}

TEST_CASE("a file system of the user's sees clean paths") {
  const auto files = std::make_shared<TextFiles>();
  files->texts = {{"readme", "hello"}, {"docs/a", "A"}, {"docs/deep/b", "B"}};
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  CHECK(Contents(guest, "./docs/../readme") == "hello");
  CHECK(files->asked.back() == "readme");
  CHECK(guest.Names(kRoot) == Names{"docs", "readme"});
  CHECK(files->asked.back().empty());
  REQUIRE(guest.OpenDirectory(kRoot, "docs") == Errno::Success);
  const std::uint32_t docs = guest.opened;
  CHECK(guest.Names(docs) == Names{"a", "deep"});
  CHECK(guest.Open(docs, "deep//b") == Errno::Success);
  CHECK(files->asked.back() == "docs/deep/b");
  CHECK(guest.Open(docs, "../readme") == Errno::Notcapable);
  CHECK(guest.Open(docs, "a/") == Errno::Notdir);
  CHECK(guest.Open(docs, "a", 0, FileGuest::kFileRights) == Errno::Rofs);
  CHECK(guest.Stat(kRoot, "docs/a") == Errno::Success);
  CHECK(guest.Path("path_create_directory", kRoot, "new") == Errno::Nosys);
  CHECK(guest.Path("path_create_directory", kRoot, ".") == Errno::Exist);
  CHECK(guest.Path("path_unlink_file", kRoot, "readme") == Errno::Nosys);
  CHECK(guest.Rename(kRoot, "readme", "other") == Errno::Nosys);
}

TEST_CASE("a guest can have so many files open and no more") {
  const auto files = std::make_shared<MemoryFileSystem>();
  files->WriteFile("file", "text");
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/")).WithOpenFileLimit(7)};
  std::vector<std::uint32_t> opened;
  while (guest.Open(kRoot, "file") == Errno::Success) opened.push_back(guest.opened);
  CHECK(opened == std::vector<std::uint32_t>{4, 5, 6});
  CHECK(guest.Open(kRoot, "file") == Errno::Mfile);
  CHECK(guest.Close(5) == Errno::Success);
  CHECK(guest.Open(kRoot, "file") == Errno::Success);
  CHECK(guest.opened == 5);
  CHECK(guest.Open(kRoot, "new", FileGuest::kCreate) == Errno::Mfile);
  CHECK(guest.Open(kRoot, "new") == Errno::Mfile);
  CHECK_FALSE(files->ReadFile("new"));
}

TEST_CASE("descriptors are renumbered onto open ones") {
  const auto files = std::make_shared<MemoryFileSystem>();
  files->WriteFile("file", "text");
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  REQUIRE(guest.Open(kRoot, "file") == Errno::Success);
  CHECK(guest.Call("fd_renumber", 4u, 9u) == Errno::Badf);
  CHECK(guest.Call("fd_renumber", 9u, 4u) == Errno::Badf);
  CHECK(guest.Call("fd_renumber", 4u, 4u) == Errno::Success);
  CHECK(guest.Call("fd_renumber", 4u, 0u) == Errno::Success);
  CHECK(guest.Close(4) == Errno::Badf);
  std::string text;
  CHECK(guest.Read(0, text) == Errno::Success);
  CHECK(text == "text");
}

TEST_CASE("rights can be given up, are needed, and are handed down") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  constexpr std::uint64_t kTell = 1u << 5;
  REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kRead | kTell) == Errno::Success);
  const std::uint32_t file = guest.opened;
  CHECK(guest.Call("fd_fdstat_get", file, 0u) == Errno::Success);
  CHECK(guest.U64(8) == (FileGuest::kRead | kTell));
  CHECK(guest.Call("fd_seek", file, std::int64_t{0}, 1u, 64u) == Errno::Success);
  CHECK(guest.Call("fd_seek", file, std::int64_t{0}, 0u, 64u) == Errno::Notcapable);
  CHECK(guest.Call("fd_filestat_get", file, 64u) == Errno::Notcapable);
  CHECK(guest.Write(file, "x") == Errno::Badf);
  CHECK(guest.Call("fd_fdstat_set_rights", file, FileGuest::kRead | FileGuest::kWrite,
                   std::uint64_t{0}) == Errno::Notcapable);
  CHECK(guest.Call("fd_fdstat_set_rights", file, kTell, std::uint64_t{0}) == Errno::Success);
  std::string text;
  CHECK(guest.Read(file, text) == Errno::Badf);

  constexpr std::uint64_t kPathOpen = 1u << 13;
  CHECK(guest.Call("fd_fdstat_set_rights", kRoot, kPathOpen, FileGuest::kRead) == Errno::Success);
  CHECK(guest.Open(kRoot, "file", 0, FileGuest::kRead) == Errno::Success);
  CHECK(guest.Open(kRoot, "file", 0, FileGuest::kFileRights) == Errno::Notcapable);
  CHECK(guest.Open(kRoot, "new", FileGuest::kCreate, 0) == Errno::Notcapable);
  CHECK(guest.Path("path_create_directory", kRoot, "new") == Errno::Notcapable);
}

TEST_CASE("files whose writes wait for the storage need a right to wait that is handed down") {
  const Tree tree = EachTree();
  constexpr std::uint64_t kDatasync = 1u << 0;
  constexpr std::uint64_t kSync = 1u << 4;
  constexpr std::uint32_t kDsyncFlag = 2;
  for (const std::uint32_t flag : {8u, 16u}) {  // rsync, sync
    FileGuest guest{tree.System()};
    REQUIRE(guest.Call("fd_fdstat_get", kRoot, 64u) == Errno::Success);
    const std::uint64_t base = guest.U64(72);
    const std::uint64_t inheriting = guest.U64(80);
    const auto open = [&](std::uint32_t flags) {
      return guest.Open(kRoot, "file", 0, FileGuest::kFileRights, 1, flags);
    };
    CHECK(open(kDsyncFlag) == Errno::Success);
    CHECK(open(flag) == Errno::Success);
    const auto hand_down = [&](std::uint64_t rights) {
      return guest.Call("fd_fdstat_set_rights", kRoot, base, rights);
    };
    REQUIRE(hand_down(inheriting & ~kSync) == Errno::Success);
    CHECK(open(flag) == Errno::Notcapable);
    CHECK(open(kDsyncFlag) == Errno::Success);
    REQUIRE(hand_down(inheriting & ~kSync & ~kDatasync) == Errno::Success);
    CHECK(open(kDsyncFlag) == Errno::Notcapable);
    CHECK(open(0) == Errno::Success);
    CHECK(open(1) == Errno::Success);  // append
  }
}

TEST_CASE("the right to wait for all of a file includes that to wait for its data") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  REQUIRE(guest.Call("fd_fdstat_get", kRoot, 64u) == Errno::Success);
  constexpr std::uint64_t kDatasync = 1u << 0;
  REQUIRE(guest.Call("fd_fdstat_set_rights", kRoot, guest.U64(72), guest.U64(80) & ~kDatasync) ==
          Errno::Success);
  constexpr std::uint32_t kDsync = 2;
  CHECK(guest.Open(kRoot, "file", 0, FileGuest::kFileRights, 1, kDsync) == Errno::Success);
}

TEST_CASE("a descriptor tells the flags that it was opened with, and no others") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  // append, dsync, nonblock, rsync, sync
  for (const std::uint32_t flags : {0u, 1u, 2u, 4u, 8u, 16u, 10u, 27u}) {
    REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kFileRights | 1u << 3, 1, flags) ==
            Errno::Success);
    INFO(flags);
    CHECK(guest.Call("fd_fdstat_get", guest.opened, 64u) == Errno::Success);
    CHECK(guest.U32(64) >> 16 == flags);
    CHECK(guest.Call("fd_fdstat_set_flags", guest.opened, flags ^ 4u) == Errno::Success);
    CHECK(guest.Call("fd_fdstat_get", guest.opened, 64u) == Errno::Success);
    CHECK(guest.U32(64) >> 16 == (flags ^ 4u));
  }
}

TEST_CASE("fd_pwrite appends to a file that is appended to") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  constexpr std::uint32_t kAppend = 1;
  REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kFileRights, 1, kAppend) == Errno::Success);
  guest.memory.WriteString(1024, "abc");
  guest.WriteBuffers(2048, {{1024, 2}, {1026, 1}});
  CHECK(guest.Call("fd_pwrite", guest.opened, 2048u, 2u, std::uint64_t{0}, 64u) == Errno::Success);
  CHECK(guest.U32(64) == 3);
  CHECK(guest.Call("fd_tell", guest.opened, 64u) == Errno::Success);
  CHECK(guest.U64(64) == 0);
  CHECK(Contents(guest, "file") == "0123456789abc");
}

TEST_CASE("the size of a file stays where it was not opened to write, whatever else is allowed") {
  const Tree tree = EachTree();
  FileGuest guest{tree.System()};
  constexpr std::uint64_t kSizeRights = 1u << 8 | 1u << 22;
  REQUIRE(guest.Open(kRoot, "file", 0, FileGuest::kReadRights | kSizeRights) == Errno::Success);
  CHECK(guest.Call("fd_allocate", guest.opened, std::uint64_t{0}, std::uint64_t{99}) ==
        Errno::Badf);
  CHECK(guest.Call("fd_filestat_set_size", guest.opened, std::uint64_t{1}) == Errno::Badf);
  CHECK(Contents(guest, "file") == "0123456789");
}

TEST_CASE("a file system in memory has a limit") {
  const auto files = std::make_shared<MemoryFileSystem>(64 * 1024);
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  REQUIRE(guest.Open(kRoot, "file", FileGuest::kCreate,
                     FileGuest::kFileRights | std::uint64_t{1} << 22 | 1u << 8) == Errno::Success);
  const std::uint32_t file = guest.opened;
  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{1} << 40) == Errno::Nospc);
  CHECK(guest.Call("fd_filestat_set_size", file, UINT64_MAX) == Errno::Nospc);
  CHECK(guest.Call("fd_allocate", file, UINT64_MAX, UINT64_MAX) == Errno::Fbig);
  CHECK(guest.Call("fd_allocate", file, std::uint64_t{1}, std::uint64_t{1} << 50) == Errno::Nospc);
  CHECK(guest.Call("fd_seek", file, INT64_MAX, 0u, 0u) == Errno::Success);
  CHECK(guest.Write(file, "x") == Errno::Nospc);
  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{60'000}) == Errno::Success);
  int folders = 0;
  while (guest.Path("path_create_directory", kRoot, "folder" + std::to_string(folders)) ==
         Errno::Success) {
    ++folders;
  }
  CHECK(folders > 0);
  CHECK(folders < 20);
  CHECK(files->Used() <= 64 * 1024);
  // What goes gives back what it took, once nobody has it open.
  CHECK(guest.Path("path_unlink_file", kRoot, "file") == Errno::Success);
  CHECK(files->Used() > 60'000);
  CHECK(guest.Close(file) == Errno::Success);
  CHECK(files->Used() < 10'000);
}

TEST_CASE("directories in memory may be nested deeper than a stack is") {
  auto files = std::make_shared<MemoryFileSystem>();
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  std::uint32_t directory = kRoot;
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(guest.Path("path_create_directory", directory, "d") == Errno::Success);
    REQUIRE(guest.OpenDirectory(directory, "d") == Errno::Success);
    if (directory != kRoot) REQUIRE(guest.Close(directory) == Errno::Success);
    directory = guest.opened;
  }
  CHECK(guest.Path("path_create_directory", kRoot, "other") == Errno::Success);
}

TEST_CASE("wasi_unstable has the layouts of its time") {
  const auto files = std::make_shared<MemoryFileSystem>();
  files->WriteFile("file", "0123456789");
  const tenon::Runtime runtime;
  const tenon::CompiledModule wasi =
      tenon::wasi::Compile(runtime, tenon::wasi::kUnstableModuleName);
  runtime.InstantiateModule(wasi);
  const tenon::Module guest = runtime.Instantiate(
      ForwarderOf(wasi), tenon::ModuleConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/")));
  tenon::Memory memory = guest.DefaultMemory();
  const auto call = [&](std::string_view name, auto... arguments) {
    return guest.ExportedFunction<Errno(decltype(arguments)...)>(name)(arguments...);
  };
  memory.WriteString(0, "file");
  CHECK(call("path_filestat_get", kRoot, 0u, 0u, 4u, 64u) == Errno::Success);
  CHECK(memory.ReadByte(64 + 16) == 4);
  CHECK(memory.ReadUint32Le(64 + 20) == 1u);   // links
  CHECK(memory.ReadUint64Le(64 + 24) == 10u);  // size
  constexpr std::uint64_t kPoll = 1u << 27;
  CHECK(call("path_open", kRoot, 0u, 0u, 4u, 0u, FileGuest::kReadRights | kPoll, std::uint64_t{0},
             0u, 128u) == Errno::Success);
  const std::uint32_t file = memory.ReadUint32Le(128).value();
  // 0 is the current position, 1 the end, 2 the start.
  CHECK(call("fd_seek", file, std::int64_t{-3}, 1u, 136u) == Errno::Success);
  CHECK(memory.ReadUint64Le(136) == 7u);
  CHECK(call("fd_seek", file, std::int64_t{1}, 0u, 136u) == Errno::Success);
  CHECK(memory.ReadUint64Le(136) == 8u);
  CHECK(call("fd_seek", file, std::int64_t{2}, 2u, 136u) == Errno::Success);
  CHECK(memory.ReadUint64Le(136) == 2u);
  // A subscription to a clock of 1 ms, and one to the file: 56 bytes each.
  memory.WriteUint64Le(1024, 77);
  memory.WriteByte(1024 + 8, 0);
  memory.WriteUint32Le(1024 + 24, 1);
  memory.WriteUint64Le(1024 + 32, 1'000'000);
  memory.WriteUint64Le(1080, 88);
  memory.WriteByte(1080 + 8, 1);
  memory.WriteUint32Le(1080 + 16, file);
  CHECK(call("poll_oneoff", 1024u, 2048u, 2u, 144u) == Errno::Success);
  CHECK(memory.ReadUint32Le(144) == 1u);
  CHECK(memory.ReadUint64Le(2048) == 88u);
  CHECK(memory.ReadUint64Le(2048 + 16) == 8u);  // bytes to read
  CHECK(call("poll_oneoff", 1024u, 2048u, 1u, 144u) == Errno::Success);
  CHECK(memory.ReadUint64Le(2048) == 77u);
}

TEST_CASE("configuration of a module has the members of a system's") {
  const auto files = std::make_shared<MemoryFileSystem>();
  std::string out;
  std::string err;
  const tenon::ModuleConfig base = tenon::ModuleConfig{}.WithArgs({"a"}).WithEnv("A", "1");
  const tenon::ModuleConfig derived = base.WithArgs({"b", "c"})
                                          .WithEnv("A", "2")
                                          .WithStdin(tenon::InputStream{})
                                          .WithStdout(out)
                                          .WithStderr(err)
                                          .WithWalltime([] { return std::uint64_t{5}; }, 7)
                                          .WithNanotime([] { return std::uint64_t{6}; })
                                          .WithNanosleep([](std::uint64_t) {})
                                          .WithOsyield([] {})
                                          .WithRandSource([](std::span<std::uint8_t>) {})
                                          .WithFSConfig(FSConfig{}.WithFSMount(files, "/"));
  CHECK(base.System().Args() == std::vector<std::string>{"a"});
  CHECK(base.System().Env()[0].second == "1");
  CHECK_FALSE(base.System().Walltime());
  CHECK(base.System().FSConfig().Mounts().empty());
  CHECK(derived.System().Args().size() == 2);
  CHECK(derived.System().Env()[0].second == "2");
  CHECK(derived.System().WalltimeResolution() == 7);
  CHECK(derived.System().Nanosleep());
  CHECK(derived.System().Osyield());
  CHECK(derived.System().RandSource());
  CHECK(derived.WithSysNanosleep().System().SleepsReally());
  CHECK_FALSE(derived.WithSysNanosleep().System().Nanosleep());
  CHECK(derived.WithSysWalltime().System().Walltime()() > 1'600'000'000'000'000'000u);
  CHECK(derived.WithSysNanotime().System().Nanotime()() > 0);
  CHECK(derived.System().FSConfig().Mounts().size() == 1);
}

TEST_CASE("the root of a file system that resolves paths is a dot") {
  const TemporaryFolder folder;
  const std::shared_ptr<tenon::wasi::FileSystem> file_systems[] = {
      std::make_shared<MemoryFileSystem>(),
      std::make_shared<tenon::wasi::HostDirectory>(tenon::HostDescriptor::Own(
          ::open(folder.Path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)))};
  for (const auto& files : file_systems) {
    CHECK(files->ResolvesPaths());
    const auto root = files->Open(".", {});
    REQUIRE(root);
    CHECK((*root)->Type() == FileType::Directory);
    CHECK(files->Open("", {}).error() == Errno::Noent);
    CHECK(files->Stat("", true).error() == Errno::Noent);
    CHECK(files->Symlink("", "link") == Errno::Noent);
  }
}

TEST_CASE("guests in several threads share a file system in memory") {
  const auto files = std::make_shared<MemoryFileSystem>();
  const SystemConfig config = SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"));
  const std::uint64_t before = files->Used();
  const auto work = [&](const std::string& own) {
    FileGuest guest{config};
    for (int i = 0; i < 300; ++i) {
      guest.Path("path_create_directory", kRoot, "shared");
      if (guest.Open(kRoot, own, FileGuest::kCreate, FileGuest::kFileRights) == Errno::Success) {
        guest.Write(guest.opened, own);
        guest.Close(guest.opened);
      }
      guest.Rename(kRoot, own, "shared/file");
      if (guest.Open(kRoot, "shared/file") == Errno::Success) {
        std::string text;
        guest.Read(guest.opened, text);
        guest.Path("path_unlink_file", kRoot, "shared/file");
        guest.Close(guest.opened);
      }
      guest.Path("path_remove_directory", kRoot, "shared");
    }
    guest.Path("path_unlink_file", kRoot, own);
  };
  std::thread other{[&] { work("other"); }};
  work("own");
  other.join();
  files->Unlink("shared/file");
  files->RemoveDirectory("shared");
  CHECK(files->Used() == before);
}
