// SPDX-License-Identifier: Apache-2.0
/// @file
/// Programs compiled by clang with wasi-libc. Without them (clang-19, wasm-ld, wasi-libc) these
/// tests say that they were skipped.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

#include "../support/expect_error.hpp"
#include "forwarder.hpp"

using namespace tenon_test;

namespace {

/// The module that clang makes of a C program; nullopt where the toolchain is missing.
std::optional<std::vector<std::uint8_t>> CompileC(std::string_view source) {
  char folder[] = "/tmp/tenon-wasi-XXXXXX";
  if (mkdtemp(folder) == nullptr) return std::nullopt;
  const std::string path = folder;
  std::FILE* file = std::fopen((path + "/program.c").c_str(), "wb");
  if (file == nullptr) return std::nullopt;
  std::fwrite(source.data(), 1, source.size(), file);
  std::fclose(file);
  const std::string command = "cd " + path +
                              " && clang-19 --target=wasm32-wasi -O1 program.c -o program.wasm"
                              " >log 2>&1";
  std::optional<std::vector<std::uint8_t>> bytes;
  if (std::system(command.c_str()) == 0) bytes = tenon::ReadFile(path + "/program.wasm");
  static_cast<void>(std::system(("rm -r " + path).c_str()));
  return bytes;
}

constexpr std::string_view kHello = R"(
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  char line[64];
  printf("hello from %s\n", argc > 0 ? argv[0] : "nowhere");
  for (int i = 1; i < argc; ++i) printf("argument %d: %s\n", i, argv[i]);
  const char* language = getenv("LANGUAGE");
  if (language != NULL) printf("language: %s\n", language);
  while (fgets(line, sizeof line, stdin) != NULL) printf("read: %s", line);
  fprintf(stderr, "to the error stream\n");
  return argc > 1 ? atoi(argv[1]) : 0;
}
)";

constexpr std::string_view kSystem = R"(
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  printf("%lld.%03ld\n", (long long)now.tv_sec, now.tv_nsec / 1000000);
  unsigned char bytes[4];
  printf("%d\n", getentropy(bytes, sizeof bytes));
  printf("%02x%02x%02x%02x\n", bytes[0], bytes[1], bytes[2], bytes[3]);
  printf("%d\n", fopen("/nowhere", "r") == NULL);
  printf("%d %d\n", lseek(1, 0, SEEK_CUR) == -1, errno == ESPIPE);
  printf("%d\n", isatty(1));
  return 0;
}
)";

}  // namespace

TEST_CASE("a C program prints, reads, and exits with a code") {
  const auto bytes = CompileC(kHello);
  if (!bytes) {
    WARN("skipped: clang-19 with wasi-libc is missing");
    return;
  }
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  const auto compiled = runtime.CompileModule(*bytes);

  std::string out;
  std::string err;
  const auto streams = tenon::SystemConfig{}.WithStdout(Into(out)).WithStderr(Into(err));
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  tenon::Module plain = runtime.InstantiateModule(compiled, anonymous.WithSystem(streams));
  CHECK(out == "hello from nowhere\n");
  CHECK(err == "to the error stream\n");

  out.clear();
  const auto system = streams.WithArgs({"tool", "7", "two words"})
                          .WithEnv("LANGUAGE", "en")
                          .WithStdinText("first\nsecond");
  const auto exit = Thrown<tenon::ExitError>(
      [&] { runtime.InstantiateModule(compiled, anonymous.WithSystem(system)); });
  CHECK(exit.ExitCode() == 7);
  CHECK(out ==
        "hello from tool\nargument 1: 7\nargument 2: two words\nlanguage: en\nread: first\n"
        "read: second");
}

TEST_CASE("a C program sees the sandbox's clock, randomness and files") {
  const auto bytes = CompileC(kSystem);
  if (!bytes) {
    WARN("skipped: clang-19 with wasi-libc is missing");
    return;
  }
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  std::string out;
  runtime.Instantiate(
      *bytes, tenon::ModuleConfig{}.WithSystem(tenon::SystemConfig{}.WithStdout(Into(out))));
  CHECK(out == "1640995200.000\n0\n956eeb2f\n1\n1 1\n0\n");
}
