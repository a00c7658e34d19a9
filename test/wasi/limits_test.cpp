// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a guest can make the host do is bounded.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
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
using tenon::wasi::DirectoryEntry;
using tenon::wasi::Errno;
using tenon::wasi::Expected;
using tenon::wasi::File;
using tenon::wasi::FileType;
using tenon::wasi::MemoryFileSystem;
using tenon::wasi::OpenOptions;

namespace {

constexpr std::uint32_t kRoot = FileGuest::kRoot;
constexpr std::uint64_t kSizeRights = 1u << 22 | 1u << 8;  // to set the size, to allocate

/// What the process may write to a file, as long as this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const ::rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  ::rlimit before_{};
};

/// A directory of as many entries as one likes.
struct Crowd : tenon::wasi::FileSystem {
  struct Folder : File {
    explicit Folder(std::size_t entry_count) : count{entry_count} {}
    FileType Type() const override { return FileType::Directory; }
    Expected<std::vector<DirectoryEntry>> ReadDirectory() override {
      return std::vector<DirectoryEntry>(count, DirectoryEntry{"x", 1, FileType::RegularFile});
    }
    std::size_t count;
  };
  explicit Crowd(std::size_t entry_count) : count{entry_count} {}
  Expected<std::unique_ptr<File>> Open(std::string_view, const OpenOptions&) override {
    return std::unique_ptr<File>{std::make_unique<Folder>(count)};
  }
  std::size_t count;
};

}  // namespace

TEST_CASE("random bytes by the million end with the call") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime);
  runtime.InstantiateModule(wasi);
  std::stop_source stop;
  std::size_t asked = 0;
  const auto source = [&](std::span<std::uint8_t> buffer) {
    asked += buffer.size();
    stop.request_stop();
  };
  tenon::Module module = runtime.Instantiate(
      ForwarderOf(wasi), tenon::ModuleConfig{}.WithSystem(SystemConfig{}.WithRandSource(source)));
  constexpr std::uint32_t kSize = 16u << 20;
  REQUIRE(module.DefaultMemory().Grow(kSize / 65536));
  const auto random_get =
      module.ExportedFunction<Errno(std::uint32_t, std::uint32_t)>("random_get");
  const auto context = tenon::CallContext{}.WithStopToken(stop.get_token());
  Thrown<tenon::ExitError>([&] { random_get(context, 0, kSize); });
  CHECK(asked > 0);
  CHECK(asked <= kSize / 8);
}

TEST_CASE("many random bytes are those of many small requests") {
  const auto bytes = [](std::uint32_t step) {
    const WasiGuest guest;
    constexpr std::uint32_t kSize = 5u << 20;
    tenon::Memory memory = guest.memory;
    REQUIRE(memory.Grow(kSize / 65536));
    for (std::uint32_t at = 0; at < kSize; at += step) {
      REQUIRE(guest.Call("random_get", at, step) == Errno::Success);
    }
    return guest.Text(0, kSize);
  };
  CHECK(bytes(5u << 20) == bytes(64u << 10));
}

TEST_CASE("a file that grows beyond what the process may write is an error, and no signal") {
  const TemporaryFolder folder;
  WriteText(folder.Path() / "full", std::string(4096, 'x'));
  const FileSizeLimit limit{4096};
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithDirMount(folder.Path().string(), "/"))};
  REQUIRE(guest.Open(kRoot, "new", FileGuest::kCreate, FileGuest::kFileRights | kSizeRights) ==
          Errno::Success);
  const std::uint32_t file = guest.opened;
  CHECK(guest.Write(file, "text") == Errno::Success);
  CHECK(guest.Call("fd_seek", file, std::int64_t{8192}, 0u, 64u) == Errno::Success);
  CHECK(guest.Write(file, "text") == Errno::Fbig);
  CHECK(guest.Call("fd_filestat_set_size", file, std::uint64_t{8192}) == Errno::Fbig);
  CHECK(guest.Call("fd_allocate", file, std::uint64_t{0}, std::uint64_t{8192}) == Errno::Fbig);
  REQUIRE(guest.Open(kRoot, "full", 0, FileGuest::kFileRights, 1, 1) == Errno::Success);
  CHECK(guest.Write(guest.opened, "text") == Errno::Fbig);  // appended
  CHECK(std::filesystem::file_size(folder.Path() / "new") == 4);
}

TEST_CASE("output to a file beyond what the process may write is an error, and no signal") {
  const TemporaryFolder folder;
  const FileSizeLimit limit{4096};
  const std::string path = (folder.Path() / "output").string();
  const auto output =
      tenon::HostDescriptor::Own(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  FileGuest guest{SystemConfig{}.WithStdout(output)};
  CHECK(guest.Write(1, std::string(4096, 'x')) == Errno::Success);
  CHECK(guest.Write(1, "x") == Errno::Fbig);
  // Functions of the host's that write there get no signal either.
  for (const std::uint32_t stream : {1u, 2u}) {
    tenon::System system{SystemConfig{}.WithStdout(output).WithStderr(output)};
    CHECK(system.WriteOutput(stream, std::vector<std::uint8_t>(10)) == 0);
  }
  CHECK(std::filesystem::file_size(path) == 4096);
}

TEST_CASE("a pipe in a directory holds up no guest that opens it") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder.Path() / "pipe").c_str(), 0600) == 0);
  FileGuest guest{
      SystemConfig{}.WithFSConfig(FSConfig{}.WithDirMount(folder.Path().string(), "/"))};
  CHECK(guest.Open(kRoot, "pipe", 0, FileGuest::kWrite) == Errno::Nxio);
  REQUIRE(guest.Open(kRoot, "pipe") == Errno::Success);
  // It cannot seek, and does not look as if it could.
  CHECK(guest.Call("fd_fdstat_get", guest.opened, 64u) == Errno::Success);
  CHECK((guest.U64(72) & (1u << 2 | 1u << 5)) == 0);
  CHECK(guest.Call("fd_tell", guest.opened, 64u) == Errno::Spipe);
}

TEST_CASE("paths, targets of links and names have a longest") {
  const TemporaryFolder folder;
  const auto files = std::make_shared<MemoryFileSystem>();
  for (const FSConfig& config :
       {FSConfig{}.WithDirMount(folder.Path().string(), "/"), FSConfig{}.WithFSMount(files, "/")}) {
    FileGuest guest{SystemConfig{}.WithFSConfig(config)};
    std::string dots;
    while (dots.size() < 4094) dots += "./";
    CHECK(guest.Open(kRoot, dots + "x") == Errno::Noent);
    CHECK(guest.Open(kRoot, dots + "xx") == Errno::Nametoolong);
    CHECK(guest.Open(kRoot, dots + dots + "../x") == Errno::Nametoolong);
    CHECK(guest.Symlink(kRoot, dots + dots, "link") == Errno::Nametoolong);
    CHECK(guest.Open(kRoot, std::string(256, 'x'), FileGuest::kCreate) == Errno::Nametoolong);
    CHECK(guest.Path("path_create_directory", kRoot, std::string(256, 'x')) == Errno::Nametoolong);
    CHECK(guest.Open(kRoot, std::string(255, 'x'), FileGuest::kCreate) == Errno::Success);
    CHECK(guest.Rename(kRoot, std::string(255, 'x'), std::string(256, 'y')) == Errno::Nametoolong);
    CHECK(guest.Stat(kRoot, std::string(255, 'x')) == Errno::Success);
  }
}

TEST_CASE("a list of buffers that claims to be larger than memory is refused") {
  FileGuest guest{};
  for (const char* const function : {"fd_read", "fd_write"}) {
    const std::uint32_t fd = std::string{function} == "fd_read" ? 0 : 1;
    CHECK(guest.Call(function, fd, 0u, UINT32_MAX, 64u) == Errno::Fault);
    CHECK(guest.Call(function, fd, 0u, 1u << 29, 64u) == Errno::Fault);
    CHECK(guest.Call(function, fd, 0u, 8193u, 64u) == Errno::Fault);
  }
}

TEST_CASE("directories of very many entries are listed as far as memory for it goes") {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  const auto crowd = std::make_shared<Crowd>(kMost);
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(crowd, "/"))};
  constexpr std::uint32_t kData = 32768;
  REQUIRE(guest.Call("fd_readdir", kRoot, kData, 1000u, std::uint64_t{0}, 64u) == Errno::Success);
  CHECK(guest.Call("fd_readdir", kRoot, kData, 1000u, std::uint64_t{kMost + 2}, 64u) ==
        Errno::Success);
  CHECK(guest.U32(64) == 0);
  CHECK(guest.Call("fd_readdir", kRoot, kData, 1000u, std::uint64_t{kMost + 3}, 64u) ==
        Errno::Inval);
  crowd->count = kMost + 1;
  CHECK(guest.Call("fd_readdir", kRoot, kData, 1000u, std::uint64_t{0}, 64u) == Errno::Overflow);
}

TEST_CASE("what a file in memory is renamed to needs no room that it does not take") {
  const auto files = std::make_shared<MemoryFileSystem>(4096);
  FileGuest guest{SystemConfig{}.WithFSConfig(FSConfig{}.WithFSMount(files, "/"))};
  REQUIRE(files->WriteFile("one", "") == Errno::Success);
  REQUIRE(files->WriteFile("two", "") == Errno::Success);
  REQUIRE(guest.Path("path_create_directory", kRoot, "dir") == Errno::Success);
  REQUIRE(guest.Path("path_create_directory", kRoot, "dir/sub") == Errno::Success);
  REQUIRE(files->WriteFile("rest", "") == Errno::Success);
  REQUIRE(files->WriteFile("rest", std::string(4096 - files->Used(), 'x')) == Errno::Success);
  REQUIRE(files->Used() == 4096);
  CHECK(guest.Rename(kRoot, "one", "eno") == Errno::Success);
  CHECK(guest.Rename(kRoot, "eno", "longer") == Errno::Nospc);
  CHECK(guest.Stat(kRoot, "eno") == Errno::Success);
  CHECK(guest.Rename(kRoot, "dir/sub", "bus") == Errno::Success);
  CHECK(guest.Rename(kRoot, "bus", "dir/sub") == Errno::Success);
  CHECK(guest.Rename(kRoot, "eno", "e") == Errno::Success);
  CHECK(files->Used() == 4094);
  CHECK(guest.Rename(kRoot, "e", "two") == Errno::Success);
  CHECK(guest.Stat(kRoot, "e") == Errno::Noent);
  CHECK(files->Used() < 4096 - 500);
  REQUIRE(guest.Stat(kRoot, "two") == Errno::Success);
  CHECK(guest.U64(512 + 24) == 1);  // links
}
