// SPDX-License-Identifier: Apache-2.0
/// @file
/// Calls every function of WASI with arguments and memory that no sane guest has. Sanitizers find
/// what goes wrong; besides, nothing may change outside of the guest's directory, and an answer is
/// an error number. The same seed makes the same calls.
///
/// usage: wasi_fuzz [ROUNDS] [SEED]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "forwarder.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMemorySize = 65536;
constexpr unsigned kLastErrno = 76;

class Fuzzer {
 public:
  Fuzzer(std::uint64_t seed, fs::path folder, bool is_traced)
      : random_{seed}, folder_{std::move(folder)}, runtime_{ConfigOf(is_traced)} {
    for (const std::string_view name :
         {tenon::wasi::kModuleName, tenon::wasi::kUnstableModuleName}) {
      const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime_, name);
      runtime_.InstantiateModule(wasi);
      forwarders_.push_back(runtime_.CompileModule(tenon_test::ForwarderOf(wasi)));
    }
  }

  /// False if a call answered nonsense.
  bool Run(unsigned rounds) {
    for (unsigned round = 0; round < rounds; ++round) {
      MakeGuest();
      const unsigned calls = 400;
      for (unsigned i = 0; i < calls; ++i) {
        if (!CallOne()) return false;
        if (guest_.IsClosed()) MakeGuest();
      }
    }
    std::printf("%llu calls, %llu of them succeeded\n", static_cast<unsigned long long>(calls_),
                static_cast<unsigned long long>(successes_));
    return successes_ > calls_ / 100;
  }

 private:
  static tenon::RuntimeConfig ConfigOf(bool is_traced) {
    const auto config = tenon::RuntimeConfig{}.WithCloseOnContextDone(true);
    if (!is_traced) return config;
    return config.WithFunctionListenerFactory(
        tenon::wasi::NewLoggingListenerFactory([](const std::string&) {}));
  }

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  template <class T, std::size_t kSize>
  T OneOf(const std::array<T, kSize>& values) {
    return values[Below(kSize)];
  }

  void MakeGuest() {
    const fs::path inside = folder_ / "inside";
    fs::remove_all(inside);
    fs::create_directories(inside / "d/e");
    std::ofstream{inside / "f"} << "0123456789";
    fs::create_symlink("f", inside / "l");
    fs::create_symlink("../outside", inside / "o");
    const auto memory = std::make_shared<tenon::wasi::MemoryFileSystem>(1u << 20);
    memory->WriteFile("f", "0123456789");
    memory->MakeDirectory("d");
    const auto directory =
        tenon::HostDescriptor::Own(::open(inside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto walk =
        std::make_shared<tenon::wasi::HostDirectory>(directory, tenon::wasi::PathResolution::Walk);
    int sockets[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets);
    peer_ = tenon::HostDescriptor::Own(sockets[1]);
    const auto config =
        tenon::ModuleConfig{}
            .WithName("")
            .WithArgs({"fuzz", "argument"})
            .WithEnv("NAME", "value")
            .WithSystem(tenon::SystemConfig{}
                            .WithArgs({"fuzz", "argument"})
                            .WithEnv("NAME", "value")
                            .WithStdinText(std::string(100, 'x'))
                            .WithOpenFileLimit(40)
                            .WithSocket(tenon::HostDescriptor::Own(sockets[0]))
                            .WithFSConfig(tenon::FSConfig{}
                                              .WithDirMount(inside.string(), "/")
                                              .WithFSMount(walk, "/walk")
                                              .WithFSMount(memory, "/memory")
                                              .WithReadOnlyDirMount(inside.string(), "/ro")));
    guest_ = runtime_.InstantiateModule(forwarders_[Below(forwarders_.size())], config);
    memory_ = guest_.DefaultMemory();
    functions_.clear();
    for (const auto& definition : guest_.ExportedFunctionDefinitions()) {
      functions_.push_back(guest_.ExportedFunction(definition.export_names.at(0)));
    }
  }

  /// Puts something there that a function may take for what it expects.
  void Scribble() {
    const std::uint32_t at = static_cast<std::uint32_t>(Below(kMemorySize - 512));
    switch (Below(4)) {
      case 0: {
        constexpr std::array<std::string_view, 20> kPaths = {
            "f",          "d",     "d/e",  "l",      "o/x", "..",     "../outside/secret",
            "/",          ".",     "",     "d/../f", "new", "walk/f", "memory/f",
            "memory/d/n", "d/new", "./f/", "o",      "l/",  "ro/f"};
        const std::string_view path = OneOf(kPaths);
        memory_.WriteString(at, path);
        path_ = at;
        path_length_ = static_cast<std::uint32_t>(path.size());
        break;
      }
      case 1:
        for (std::uint32_t i = 0; i < 4; ++i) {
          memory_.WriteUint32Le(at + 8 * i, Pointer());
          memory_.WriteUint32Le(at + 8 * i + 4, static_cast<std::uint32_t>(Below(2000)));
        }
        list_ = at;
        break;
      case 2:
        // Subscriptions.
        for (std::uint32_t i = 0; i < 3; ++i) {
          memory_.WriteByte(at + 48 * i + 8, static_cast<std::uint8_t>(Below(4)));
          memory_.WriteUint32Le(at + 48 * i + 16, static_cast<std::uint32_t>(Below(12)));
          memory_.WriteUint64Le(at + 48 * i + 24, Below(1000));
          memory_.WriteUint16Le(at + 48 * i + 40, static_cast<std::uint16_t>(Below(3)));
        }
        list_ = at;
        break;
      default:
        for (std::uint32_t i = 0; i < 64; ++i) {
          memory_.WriteUint64Le(at + 8 * i, random_());
        }
    }
  }

  std::uint32_t Pointer() {
    constexpr std::array<std::uint32_t, 12> kEdges = {0,
                                                      1,
                                                      kMemorySize - 1,
                                                      kMemorySize - 4,
                                                      kMemorySize - 8,
                                                      kMemorySize - 24,
                                                      kMemorySize,
                                                      0x7FFFFFFF,
                                                      0x80000000,
                                                      0xFFFFFFFF,
                                                      0xFFFFFFF8,
                                                      kMemorySize + 1};
    switch (Below(8)) {
      case 0:
        return OneOf(kEdges);
      case 1:
      case 2:
      case 3:
        return path_;
      case 4:
        return list_;
      default:
        return static_cast<std::uint32_t>(Below(kMemorySize));
    }
  }

  std::uint32_t Number() {
    constexpr std::array<std::uint32_t, 8> kEdges = {0,          0xFFFFFFFF, 0x7FFFFFFF, 0x80000000,
                                                     0x10000000, 0x20000000, 65536,      4097};
    switch (Below(8)) {
      case 0:
        return OneOf(kEdges);
      case 1:
      case 2:
        return static_cast<std::uint32_t>(Below(12));
      case 3:
      case 4:
        return path_length_;
      default:
        return Pointer();
    }
  }

  std::uint64_t LongNumber() {
    constexpr std::array<std::uint64_t, 6> kEdges = {
        0,        UINT64_MAX,    std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1,
        1u << 30, (1u << 30) - 1};
    const std::uint64_t kind = Below(4);
    if (kind == 0) return OneOf(kEdges);
    if (kind == 1) return random_();
    // Rights that files have, positions in them, cookies.
    return kind == 2 ? 0x0E6000FEu & random_() : Below(20);
  }

  bool CallOne() {
    Scribble();
    const tenon::Function& function = functions_[Below(functions_.size())];
    const tenon::FunctionDefinition& definition = function.Definition();
    std::vector<tenon::Value> arguments;
    for (std::size_t i = 0; i < definition.parameter_types.size(); ++i) {
      if (definition.parameter_types[i] == tenon::ValueType::I64) {
        arguments.emplace_back(static_cast<std::int64_t>(LongNumber()));
      } else if (i == 0 && Below(10) != 0) {
        arguments.emplace_back(static_cast<std::int32_t>(Below(12)));
      } else {
        arguments.emplace_back(static_cast<std::int32_t>(Number()));
      }
    }
    ++calls_;
    try {
      const auto results =
          function.Call(tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{50}), arguments);
      if (results.empty()) return true;
      const std::uint32_t answer = results[0].U32();
      if (answer == 0) ++successes_;
      if (answer <= kLastErrno) return true;
      std::printf("%s answered %u\n", definition.DebugName().c_str(), answer);
      return false;
    } catch (const tenon::ExitError&) {
      return true;
    }
  }

  std::mt19937_64 random_;
  fs::path folder_;
  tenon::Runtime runtime_;
  std::vector<tenon::CompiledModule> forwarders_;
  tenon::HostDescriptor peer_;
  tenon::Module guest_;
  tenon::Memory memory_;
  std::vector<tenon::Function> functions_;
  std::uint32_t path_ = 0;
  std::uint32_t path_length_ = 0;
  std::uint32_t list_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t successes_ = 0;
};

std::string Outside(const fs::path& folder) {
  std::ostringstream text;
  text << std::distance(fs::recursive_directory_iterator{folder / "outside"}, {})
       << std::ifstream{folder / "outside/secret"}.rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned rounds = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 50;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 1;
  // Guests that ask for room on the host's disk do not get it here.
  ::signal(SIGXFSZ, SIG_IGN);
  const ::rlimit limit{1u << 20, 1u << 20};
  ::setrlimit(RLIMIT_FSIZE, &limit);

  std::string name = (fs::temp_directory_path() / "tenon-wasi-fuzz-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 1;
  const fs::path folder = name;
  fs::create_directories(folder / "outside");
  std::ofstream{folder / "outside/secret"} << "SECRET";
  const std::string before = Outside(folder);
  // Half of them with a trace, which reads what guests pass, too.
  bool passed = Fuzzer{seed, folder, false}.Run(rounds - rounds / 2) &&
                Fuzzer{seed + 1, folder, true}.Run(std::max(rounds / 2, 1u));
  if (Outside(folder) != before) {
    std::printf("something changed outside\n");
    passed = false;
  }
  fs::remove_all(folder);
  return passed ? 0 : 1;
}
