// SPDX-License-Identifier: Apache-2.0
/// @file
/// Attempts to leave a directory of the host's. Each is made with both ways of resolving paths.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/sanitized.hpp"
#include "forwarder.hpp"
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::wasi::Errno;
using tenon::wasi::PathResolution;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kRoot = FileGuest::kRoot;

/// base/sandbox is the guest's, base/outside is not.
struct Place {
  Place() {
    fs::create_directories(Inside() / "dir/sub");
    fs::create_directories(Outside() / "dir");
    WriteText(Inside() / "inside.txt", "INSIDE");
    WriteText(Inside() / "dir/inside.txt", "INSIDE");
    WriteText(Outside() / "secret.txt", "SECRET");
    fs::create_symlink("secret.txt", Outside() / "link");
    const std::string outside = Outside().string();
    fs::create_symlink("../outside/secret.txt", Inside() / "up_file");
    fs::create_symlink(outside + "/secret.txt", Inside() / "absolute_file");
    fs::create_symlink("../outside", Inside() / "up_dir");
    fs::create_symlink(outside, Inside() / "absolute_dir");
    fs::create_symlink("chain2", Inside() / "chain1");
    fs::create_symlink("up_dir", Inside() / "chain2");
    fs::create_symlink("../../outside", Inside() / "dir/up2");
    fs::create_symlink("dir/../../outside/secret.txt", Inside() / "mixed");
    fs::create_symlink("../outside/new", Inside() / "up_new");
    fs::create_symlink(outside + "/new", Inside() / "absolute_new");
    fs::create_symlink("/", Inside() / "root");
    fs::create_symlink("..", Inside() / "parent");
    fs::create_symlink("dir/sub/../../..", Inside() / "grandparent");
    fs::create_symlink("/proc/self/cwd", Inside() / "proc_cwd");
    fs::create_symlink("/proc/self/root", Inside() / "proc_root");
    // A number that no descriptor of the guest has.
    const int opened = ::open(outside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    outside_descriptor = ::fcntl(opened, F_DUPFD_CLOEXEC, 200);
    ::close(opened);
    fs::create_symlink("/proc/self/fd/" + std::to_string(outside_descriptor), Inside() / "proc_fd");
    before = Snapshot();
  }
  ~Place() { ::close(outside_descriptor); }

  fs::path Inside() const { return folder.Path() / "sandbox"; }
  fs::path Outside() const { return folder.Path() / "outside"; }

  /// Everything outside, with contents and times.
  std::map<std::string, std::string> Snapshot() const {
    std::map<std::string, std::string> entries;
    for (const auto& entry : fs::recursive_directory_iterator{folder.Path()}) {
      const std::string name = entry.path().lexically_relative(folder.Path()).string();
      if (name.starts_with("sandbox")) continue;
      const auto time = fs::last_write_time(entry.path()).time_since_epoch().count();
      entries[name] = std::to_string(time) + (entry.is_regular_file() ? ReadText(entry) : "");
    }
    return entries;
  }

  TemporaryFolder folder;
  int outside_descriptor = -1;
  std::map<std::string, std::string> before;
};

/// Opens, and reads if that worked: never what is outside.
Errno OpenAndRead(FileGuest& guest, std::string_view path, std::uint32_t dirflags = 1,
                  std::uint32_t directory = kRoot) {
  const Errno error = guest.Open(directory, path, 0, FileGuest::kReadRights, dirflags);
  if (error != Errno::Success) return error;
  std::string text;
  guest.Read(guest.opened, text);
  return text.find("SECRET") == std::string::npos ? Errno::Io : Errno::Success;
}

using Attempt = std::function<Errno(FileGuest&, Place&)>;

Attempt Opening(std::string path) {
  return [path](FileGuest& guest, Place&) { return OpenAndRead(guest, path); };
}
Attempt OpeningDirectory(std::string path) {
  return [path](FileGuest& guest, Place&) { return guest.OpenDirectory(kRoot, path); };
}
Attempt Creating(std::string path, std::uint32_t flags = FileGuest::kCreate) {
  return [path, flags](FileGuest& guest, Place&) {
    return guest.Open(kRoot, path, flags, FileGuest::kFileRights);
  };
}
Attempt Using(std::string function, std::string path) {
  return [function, path](FileGuest& guest, Place&) { return guest.Path(function, kRoot, path); };
}
Attempt Stating(std::string path, std::uint32_t flags = 1) {
  return [path, flags](FileGuest& guest, Place&) { return guest.Stat(kRoot, path, flags); };
}
Attempt Renaming(std::string from, std::string to) {
  return [from, to](FileGuest& guest, Place&) { return guest.Rename(kRoot, from, to); };
}
Attempt Linking(std::string from, std::string to) {
  return [from, to](FileGuest& guest, Place&) { return guest.Link(kRoot, from, to); };
}

/// None of them may succeed.
const std::vector<std::pair<const char*, Attempt>>& Attempts() {
  static const std::vector<std::pair<const char*, Attempt>> attempts = {
      {"up and over", Opening("../outside/secret.txt")},
      {"down and up", Opening("dir/../../outside/secret.txt")},
      {"far down and up", Opening("dir/sub/../../../outside/secret.txt")},
      {"with a dot in front", Opening("./../outside/secret.txt")},
      {"with doubled slashes", Opening("dir//..//..//outside//secret.txt")},
      {"out and in again", Opening("../sandbox/inside.txt")},
      {"an absolute path",
       [](FileGuest& guest, Place& place) {
         return OpenAndRead(guest, (place.Outside() / "secret.txt").string());
       }},
      {"an absolute path into the sandbox",
       [](FileGuest& guest, Place& place) {
         return guest.Open(kRoot, (place.Inside() / "inside.txt").string());
       }},
      {"the password file", Opening("/etc/passwd")},
      {"two slashes in front", Opening("//etc/passwd")},
      {"a thousand times up",
       [](FileGuest& guest, Place&) {
         std::string path;
         for (int i = 0; i < 1000; ++i) path += "../";
         return guest.Open(kRoot, path + "etc/passwd");
       }},
      {"the parent", OpeningDirectory("..")},
      {"the parent with a slash", OpeningDirectory("../")},
      {"the parent of a directory's parent", OpeningDirectory("dir/../..")},
      {"a relative link to a file", Opening("up_file")},
      {"an absolute link to a file", Opening("absolute_file")},
      {"a file through a relative link", Opening("up_dir/secret.txt")},
      {"a file through an absolute link", Opening("absolute_dir/secret.txt")},
      {"a file through links to links", Opening("chain1/secret.txt")},
      {"a file through a link in a directory", Opening("dir/up2/secret.txt")},
      {"a link that goes down first", Opening("mixed")},
      {"back through a link", Opening("up_dir/../outside/secret.txt")},
      {"a link to the parent", Opening("parent/outside/secret.txt")},
      {"a link to the parent that goes down first", Opening("grandparent/outside/secret.txt")},
      {"a link to the root", Opening("root/etc/passwd")},
      {"the link to the root itself", OpeningDirectory("root")},
      {"a link to a directory", OpeningDirectory("up_dir")},
      {"a link to a directory with a slash", OpeningDirectory("up_dir/")},
      {"a link to a directory with a slash, not to be followed",
       [](FileGuest& guest, Place&) { return guest.OpenDirectory(kRoot, "up_dir/", 0); }},
      {"an absolute link to a directory", OpeningDirectory("absolute_dir")},
      {"a link's dot", OpeningDirectory("up_dir/.")},
      {"the working directory by /proc", Opening("proc_cwd/meson.build")},
      {"the root by /proc", Opening("proc_root/etc/passwd")},
      {"a descriptor by /proc", Opening("proc_fd/secret.txt")},
      {"a descriptor by /proc, itself", OpeningDirectory("proc_fd")},
      {"a subdirectory's parent",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
         return guest.Open(guest.opened, "../inside.txt");
       }},
      {"over a subdirectory's parent",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir/sub") == Errno::Success);
         return OpenAndRead(guest, "../../../outside/secret.txt", 1, guest.opened);
       }},
      {"a subdirectory's link to its parent",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
         const std::uint32_t dir = guest.opened;
         REQUIRE(guest.Symlink(dir, "../inside.txt", "link") == Errno::Success);
         return guest.Open(dir, "link");
       }},
      {"a subdirectory in the place of the root",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
         REQUIRE(guest.Call("fd_renumber", guest.opened, kRoot) == Errno::Success);
         return guest.Open(kRoot, "../inside.txt");
       }},
      {"a link of the guest's own",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.Symlink(kRoot, "../outside/secret.txt", "mine") == Errno::Success);
         return OpenAndRead(guest, "mine");
       }},
      {"an absolute link of the guest's own",
       [](FileGuest& guest, Place&) { return guest.Symlink(kRoot, "/etc/passwd", "mine"); }},
      {"a link that was fine where it was made",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.Symlink(kRoot, "../../outside/secret.txt", "dir/mine") == Errno::Success);
         REQUIRE(guest.Rename(kRoot, "dir/mine", "dir/sub/mine") == Errno::Success);
         return OpenAndRead(guest, "dir/sub/../sub/../../dir/up2/secret.txt");
       }},
      {"a second name of a link",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.Link(kRoot, "up_file", "second") == Errno::Success);
         return OpenAndRead(guest, "second");
       }},
      {"a hard link to what is outside", Linking("../outside/secret.txt", "stolen")},
      {"a hard link through a link", Linking("up_dir/secret.txt", "stolen")},
      {"a hard link outside", Linking("inside.txt", "../outside/new")},
      {"a hard link outside through a link", Linking("inside.txt", "up_dir/new")},
      {"moving in", Renaming("../outside/secret.txt", "stolen")},
      {"moving in through a link", Renaming("up_dir/secret.txt", "stolen")},
      {"moving out", Renaming("inside.txt", "../outside/new")},
      {"moving out through a link", Renaming("inside.txt", "up_dir/new")},
      {"moving a directory out", Renaming("dir", "up_dir/new")},
      {"moving the root", Renaming(".", "dir/sub/new")},
      {"moving the root's parent", Renaming("..", "new")},
      {"creating outside", Creating("../outside/new")},
      {"creating through a link", Creating("up_dir/new")},
      {"creating through an absolute link", Creating("absolute_dir/new")},
      {"creating what a link leads to", Creating("up_new")},
      {"creating what an absolute link leads to", Creating("absolute_new")},
      {"creating only what is new", Creating("up_new", FileGuest::kCreate | FileGuest::kExclusive)},
      {"cutting what a link leads to", Creating("up_file", FileGuest::kTruncate)},
      {"cutting through a link", Creating("up_dir/secret.txt", FileGuest::kTruncate)},
      {"writing what a link leads to", Creating("up_file", 0)},
      {"a directory outside", Using("path_create_directory", "../outside/new")},
      {"a directory through a link", Using("path_create_directory", "up_dir/new")},
      {"a directory where a link leads", Using("path_create_directory", "up_new")},
      {"a directory where a link leads, with a slash", Using("path_create_directory", "up_new/")},
      {"removing a file outside", Using("path_unlink_file", "../outside/secret.txt")},
      {"removing a file through a link", Using("path_unlink_file", "up_dir/secret.txt")},
      {"removing a directory outside", Using("path_remove_directory", "../outside/dir")},
      {"removing a directory through a link", Using("path_remove_directory", "up_dir/dir")},
      {"removing the parent", Using("path_remove_directory", "..")},
      {"asking about a file outside", Stating("../outside/secret.txt")},
      {"asking about a file through a link", Stating("up_dir/secret.txt")},
      {"asking about what a link leads to", Stating("up_file")},
      {"asking about what an absolute link leads to", Stating("absolute_file")},
      {"asking about a link with a slash", Stating("up_dir/", 0)},
      {"asking about the parent", Stating("..")},
      {"times of a file outside",
       [](FileGuest& guest, Place&) { return guest.SetTimes(kRoot, "../outside/secret.txt"); }},
      {"times of what a link leads to",
       [](FileGuest& guest, Place&) { return guest.SetTimes(kRoot, "up_file"); }},
      {"times through a link",
       [](FileGuest& guest, Place&) { return guest.SetTimes(kRoot, "up_dir/secret.txt", 0); }},
      {"reading a link outside",
       [](FileGuest& guest, Place&) {
         std::string target;
         return guest.ReadLink(kRoot, "../outside/link", target);
       }},
      {"reading a link through a link",
       [](FileGuest& guest, Place&) {
         std::string target;
         return guest.ReadLink(kRoot, "up_dir/link", target);
       }},
      {"a link made outside",
       [](FileGuest& guest, Place&) { return guest.Symlink(kRoot, "x", "../outside/new"); }},
      {"a link made through a link",
       [](FileGuest& guest, Place&) { return guest.Symlink(kRoot, "x", "up_dir/new"); }},
      {"a NUL that hides the rest",
       [](FileGuest& guest, Place&) {
         return guest.Open(kRoot, std::string_view{"inside.txt\0/../../outside/secret.txt", 36});
       }},
      {"a descriptor of the host's",
       [](FileGuest& guest, Place& place) {
         return guest.OpenDirectory(static_cast<std::uint32_t>(place.outside_descriptor), ".");
       }},
      {"a link to a directory, not to be followed",
       [](FileGuest& guest, Place&) { return guest.OpenDirectory(kRoot, "up_dir", 0); }},
      {"creating what a link leads to that is not to be followed",
       [](FileGuest& guest, Place&) {
         return guest.Open(kRoot, "up_new", FileGuest::kCreate, FileGuest::kFileRights, 0);
       }},
      {"with any flags",
       [](FileGuest& guest, Place&) {
         for (std::uint32_t flags = 0; flags < 16 * 32 * 2; ++flags) {
           for (const char* path : {"../outside/new", "up_new", "up_file", "up_dir/new", ".."}) {
             const Errno error = guest.Open(kRoot, path, flags % 16, FileGuest::kFileRights,
                                            flags / 16 % 2, flags / 32);
             if (error == Errno::Success) return error;
           }
         }
         return Errno::Notcapable;
       }},
      {"the parent of a directory that was moved",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir/sub") == Errno::Success);
         REQUIRE(guest.Rename(kRoot, "dir/sub", "moved") == Errno::Success);
         return guest.Open(guest.opened, "../inside.txt");
       }},
      {"the parent of a directory that was removed",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir/sub") == Errno::Success);
         REQUIRE(guest.Path("path_remove_directory", kRoot, "dir/sub") == Errno::Success);
         return guest.OpenDirectory(guest.opened, "..");
       }},
      {"a link in the place of a directory that is open",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.OpenDirectory(kRoot, "dir") == Errno::Success);
         const std::uint32_t dir = guest.opened;
         REQUIRE(guest.Rename(kRoot, "dir", "moved") == Errno::Success);
         REQUIRE(guest.Symlink(kRoot, "../outside", "dir") == Errno::Success);
         const Errno error = OpenAndRead(guest, "secret.txt", 1, dir);
         return error == Errno::Success ? error : OpenAndRead(guest, "dir/secret.txt");
       }},
      {"a file in the place of the root",
       [](FileGuest& guest, Place&) {
         REQUIRE(guest.Open(kRoot, "inside.txt") == Errno::Success);
         REQUIRE(guest.Call("fd_renumber", guest.opened, kRoot) == Errno::Success);
         return OpenAndRead(guest, "../outside/secret.txt");
       }},
      {"a link of a thousand steps up",
       [](FileGuest& guest, Place&) {
         std::string target;
         for (int i = 0; i < 1000; ++i) target += "../";
         REQUIRE(guest.Symlink(kRoot, target + "etc/passwd", "dir/mine") == Errno::Success);
         return guest.Open(kRoot, "dir/mine");
       }},
      {"more links than anybody follows",
       [](FileGuest& guest, Place&) {
         std::string target = "../outside/secret.txt";
         for (int i = 0; i < 50; ++i) {
           const std::string name = "step" + std::to_string(i);
           REQUIRE(guest.Symlink(kRoot, target, name) == Errno::Success);
           target = name;
         }
         return OpenAndRead(guest, target);
       }},
      {"a socket of the host's",
       [](FileGuest& guest, Place& place) {
         const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
         ::sockaddr_un address{};
         address.sun_family = AF_UNIX;
         const std::string path = (place.Inside() / "socket").string();
         REQUIRE(path.size() < sizeof address.sun_path);
         path.copy(address.sun_path, path.size());
         REQUIRE(::bind(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) ==
                 0);
         REQUIRE(::listen(socket, 1) == 0);
         const Errno error = guest.Open(kRoot, "socket", 0, FileGuest::kFileRights);
         ::close(socket);
         return error;
       }},
      {"backslashes", Opening("..\\outside\\secret.txt")},
      {"three dots", Opening(".../outside/secret.txt")},
      {"moving onto the parent", Renaming("inside.txt", "..")},
      {"moving onto the parent from below", Renaming("dir", "dir/sub/../../..")},
      {"a hard link in the place of the parent", Linking("inside.txt", "..")},
      {"a link in the place of the parent",
       [](FileGuest& guest, Place&) { return guest.Symlink(kRoot, "x", ".."); }},
      {"times of the parent", [](FileGuest& guest, Place&) { return guest.SetTimes(kRoot, ".."); }},
  };
  return attempts;
}

/// Exchanges two names in one step.
bool Exchange(const fs::path& one, const fs::path& other) {
  constexpr unsigned kExchange = 2;
  return ::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), kExchange) == 0;
}

/// Calls `disturb` in another thread as long as it lives.
class Disturbance {
 public:
  explicit Disturbance(std::function<void()> disturb)
      : thread_{[this, disturb = std::move(disturb)] {
          while (!stop_) disturb();
        }} {}
  Disturbance(const Disturbance&) = delete;
  Disturbance& operator=(const Disturbance&) = delete;
  ~Disturbance() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// Calls `attempt` for a while.
template <class Body>
int ForAWhile(Body attempt) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{2};
  int count = 0;
  while (std::chrono::steady_clock::now() < end) {
    attempt();
    ++count;
  }
  return count;
}

PathResolution EachResolution() {
  const auto resolution = GENERATE(PathResolution::Automatic, PathResolution::Walk);
  return resolution;
}

}  // namespace

TEST_CASE("no attempt to leave a directory succeeds, or changes anything outside") {
  CHECK(Attempts().size() >= 40);
  for (const auto resolution : {PathResolution::Automatic, PathResolution::Walk}) {
    for (const auto& [name, attempt] : Attempts()) {
      DYNAMIC_SECTION((resolution == PathResolution::Walk ? "walk: " : "openat2: ") << name) {
        Place place;
        FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
        const Errno error = attempt(guest, place);
        CHECK(error != Errno::Success);
        CHECK(error != Errno::Fault);
        CHECK(place.Snapshot() == place.before);
        CHECK(ReadText(place.Inside() / "inside.txt") == "INSIDE");
      }
    }
  }
}

TEST_CASE("the kernel's own links in /proc lead nowhere, even where /proc is mounted") {
  const PathResolution resolution = EachResolution();
  const Place place;
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot("/proc", resolution))};
  REQUIRE(guest.Open(kRoot, "self/status") == Errno::Success);
  const std::string descriptor = "self/fd/" + std::to_string(place.outside_descriptor);
  for (const std::string& path :
       {std::string{"self/root/etc/passwd"}, std::string{"self/cwd/."}, std::string{"self/exe"},
        std::string{"thread-self/root/etc/passwd"}, std::string{"1/root/etc/passwd"},
        std::string{"self/root/../etc/passwd"}, descriptor, descriptor + "/secret.txt",
        descriptor + "/../outside/secret.txt"}) {
    INFO(path);
    CHECK(guest.Open(kRoot, path) != Errno::Success);
    CHECK(guest.OpenDirectory(kRoot, path) != Errno::Success);
    CHECK(guest.Stat(kRoot, path) != Errno::Success);
  }
  // The links themselves can be looked at.
  CHECK(guest.Stat(kRoot, "self/exe", 0) == Errno::Success);
  CHECK(guest.Link(kRoot, "self/exe", "self/mine") != Errno::Success);
}

TEST_CASE("paths that stay inside work, however they wind") {
  const PathResolution resolution = EachResolution();
  const Place place;
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
  REQUIRE(guest.Symlink(kRoot, "dir/sub", "down") == Errno::Success);
  REQUIRE(guest.Symlink(kRoot, "../inside.txt", "dir/back") == Errno::Success);
  for (const char* path :
       {"inside.txt", "./inside.txt", "dir/../inside.txt", "dir//./sub/../../inside.txt",
        "dir/inside.txt", "down/../inside.txt", "down/../../inside.txt", "dir/back"}) {
    INFO(path);
    REQUIRE(guest.Open(kRoot, path) == Errno::Success);
    std::string text;
    CHECK(guest.Read(guest.opened, text) == Errno::Success);
    CHECK(text == "INSIDE");
  }
  CHECK(guest.Open(kRoot, "inside.txt/") == Errno::Notdir);
  CHECK(guest.Open(kRoot, "inside.txt/.") == Errno::Notdir);
  CHECK(guest.Open(kRoot, "up_file", 0, FileGuest::kReadRights, 0) == Errno::Loop);
  std::string target;
  CHECK(guest.ReadLink(kRoot, "up_file", target) == Errno::Success);
  CHECK(target == "../outside/secret.txt");
}

TEST_CASE("a directory that others exchange for a link never leads out") {
  const PathResolution resolution = EachResolution();
  Place place;
  fs::create_directory(place.Inside() / "target");
  WriteText(place.Inside() / "target/secret.txt", "INSIDE");
  WriteText(place.Outside() / "victim", "VICTIM");
  fs::create_symlink("../outside", place.Inside() / "exchange");
  place.before = place.Snapshot();
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
  int inside = 0;
  int outside = 0;
  {
    const Disturbance disturbance{
        [&] { Exchange(place.Inside() / "target", place.Inside() / "exchange"); }};
    ForAWhile([&] {
      std::string text;
      if (guest.Open(kRoot, "target/secret.txt") == Errno::Success) {
        guest.Read(guest.opened, text);
        ++(text == "INSIDE" ? inside : outside);
        guest.Close(guest.opened);
      }
      if (guest.Open(kRoot, "target/new", FileGuest::kCreate, FileGuest::kFileRights) ==
          Errno::Success) {
        guest.Close(guest.opened);
      }
      guest.Path("path_unlink_file", kRoot, "target/victim");
      guest.Path("path_create_directory", kRoot, "target/folder");
      guest.Path("path_remove_directory", kRoot, "target/folder");
      guest.Rename(kRoot, "target/new", "target/renamed");
      guest.Link(kRoot, "inside.txt", "target/linked");
      guest.Symlink(kRoot, "x", "target/symbolic");
      guest.SetTimes(kRoot, "target/secret.txt");
    });
  }
  CHECK(outside == 0);
  CHECK(inside > 0);
  CHECK(place.Snapshot() == place.before);
}

TEST_CASE("a file that others exchange for a link never leads out") {
  const PathResolution resolution = EachResolution();
  Place place;
  WriteText(place.Inside() / "file", "INSIDE");
  fs::create_symlink("../outside/secret.txt", place.Inside() / "exchange");
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
  int inside = 0;
  int outside = 0;
  {
    const Disturbance disturbance{
        [&] { Exchange(place.Inside() / "file", place.Inside() / "exchange"); }};
    ForAWhile([&] {
      std::string text;
      if (guest.Open(kRoot, "file", 0, FileGuest::kFileRights) != Errno::Success) return;
      guest.Read(guest.opened, text);
      ++(text == "INSIDE" ? inside : outside);
      guest.Close(guest.opened);
    });
  }
  CHECK(outside == 0);
  CHECK(inside > 0);
  CHECK(place.Snapshot() == place.before);
}

TEST_CASE("the way back from a directory that others move out never leads out") {
  const PathResolution resolution = EachResolution();
  Place place;
  fs::create_directories(place.Inside() / "a/b/c");
  WriteText(place.Inside() / "a/secret.txt", "INSIDE");
  WriteText(place.Inside() / "secret.txt", "INSIDE");
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
  int outside = 0;
  int inside = 0;
  {
    const Disturbance disturbance{[&] {
      ::rename((place.Inside() / "a/b").c_str(), (place.Outside() / "b").c_str());
      ::rename((place.Outside() / "b").c_str(), (place.Inside() / "a/b").c_str());
    }};
    ForAWhile([&] {
      for (const char* path : {"a/b/../secret.txt", "a/b/c/../../secret.txt",
                               "a/b/../../secret.txt", "a/b/c/../../../secret.txt"}) {
        std::string text;
        if (guest.Open(kRoot, path) != Errno::Success) continue;
        guest.Read(guest.opened, text);
        ++(text == "INSIDE" ? inside : outside);
        guest.Close(guest.opened);
      }
    });
  }
  CHECK(outside == 0);
  CHECK(inside > 0);
}

TEST_CASE("another process that exchanges directories and links leads nobody out") {
  const PathResolution resolution = EachResolution();
  Place place;
  fs::create_directory(place.Inside() / "target");
  WriteText(place.Inside() / "target/secret.txt", "INSIDE");
  fs::create_symlink("../outside", place.Inside() / "exchange");
  const std::string one = (place.Inside() / "target").string();
  const std::string other = (place.Inside() / "exchange").string();
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(MountRoot(place.Inside(), resolution))};
  const ::pid_t child = ::fork();
  if (child == 0) {
    // It must not outlive a test that fails.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    constexpr unsigned kExchange = 2;
    while (true) {
      ::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), kExchange);
    }
  }
  REQUIRE(child > 0);
  int inside = 0;
  int outside = 0;
  ForAWhile([&] {
    std::string text;
    if (guest.Open(kRoot, "target/secret.txt") != Errno::Success) return;
    guest.Read(guest.opened, text);
    ++(text == "INSIDE" ? inside : outside);
    guest.Close(guest.opened);
  });
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(outside == 0);
  CHECK(inside > 0);
}

TEST_CASE("a text that another thread of the guest changes meanwhile is looked at once") {
  if (tenon_test::kIsSanitized) return;  // The guest races with itself.
  const auto files = std::make_shared<tenon::wasi::MemoryFileSystem>();
  FileGuest guest{tenon::SystemConfig{}.WithFSConfig(tenon::FSConfig{}.WithFSMount(files, "/"))};
  constexpr std::uint32_t kTarget = 1024;
  constexpr std::uint32_t kLink = 2048;
  guest.memory.WriteString(kTarget, "/etc");
  guest.memory.WriteString(kLink, "link");
  const std::span<std::uint8_t> target = guest.memory.View(kTarget, 1).value();
  std::uint8_t& first = target[0];
  int relative = 0;
  int absolute = 0;
  {
    const Disturbance disturbance{[&first] {
      std::atomic_ref{first}.store('x', std::memory_order_relaxed);
      std::atomic_ref{first}.store('/', std::memory_order_relaxed);
    }};
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{500};
    while (std::chrono::steady_clock::now() < end) {
      if (guest.Call("path_symlink", kTarget, 4u, kRoot, kLink, 4u) != Errno::Success) continue;
      ++(files->ReadLink("link")->front() == '/' ? absolute : relative);
      files->Unlink("link");
    }
  }
  CHECK(absolute == 0);
  CHECK(relative > 0);
}
