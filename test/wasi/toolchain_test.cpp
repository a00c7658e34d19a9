// SPDX-License-Identifier: Apache-2.0
/// @file
/// Programs compiled by clang with wasi-libc. Without them (clang-19, wasm-ld, wasi-libc) these
/// tests say that they were skipped.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
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
#include "sandbox.hpp"
#include "show_errno.hpp"

using namespace tenon_test;

namespace {

/// The module that clang makes of a C program; nullopt where the toolchain is missing.
std::optional<std::vector<std::uint8_t>> CompileC(std::string_view source,
                                                  const std::string& flags = "") {
  char folder[] = "/tmp/tenon-wasi-XXXXXX";
  if (mkdtemp(folder) == nullptr) return std::nullopt;
  const std::string path = folder;
  std::FILE* file = std::fopen((path + "/program.c").c_str(), "wb");
  if (file == nullptr) return std::nullopt;
  std::fwrite(source.data(), 1, source.size(), file);
  std::fclose(file);
  const std::string command = "cd " + path +
                              " && clang-19 --target=wasm32-wasi -O1 program.c -o program.wasm " +
                              flags + " >log 2>&1";
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

/// Reads JSON from a file, turns it into a tree and back, and compares; copies a tree of
/// directories; sorts the lines of a file through a temporary one.
constexpr std::string_view kFiles = R"(
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Node { char kind; char* text; struct Node* first; struct Node* next; char* key; } Node;
static const char* at;
static Node* New(char kind) { Node* n = calloc(1, sizeof *n); n->kind = kind; return n; }
static char* Word(int quoted) {
  const char* begin = at;
  if (quoted) { while (*at != '"') at += *at == '\\' ? 2 : 1; }
  else { while (*at && !strchr(",]} \n", *at)) ++at; }
  char* text = strndup(begin, at - begin);
  if (quoted) ++at;
  return text;
}
static void Space(void) { while (*at == ' ' || *at == '\n') ++at; }
static Node* Parse(void) {
  Space();
  if (*at == '"') { ++at; Node* n = New('s'); n->text = Word(1); return n; }
  if (*at != '[' && *at != '{') { Node* n = New('w'); n->text = Word(0); return n; }
  Node* n = New(*at++);
  Node** end = &n->first;
  for (Space(); *at != ']' && *at != '}'; Space()) {
    char* key = 0;
    if (n->kind == '{') { ++at; key = Word(1); Space(); ++at; }
    *end = Parse();
    (*end)->key = key;
    end = &(*end)->next;
    Space();
    if (*at == ',') ++at;
  }
  ++at;
  return n;
}
static void Print(FILE* out, Node* n) {
  if (n->kind == 's') fprintf(out, "\"%s\"", n->text);
  else if (n->kind == 'w') fprintf(out, "%s", n->text);
  else {
    fputc(n->kind, out);
    for (Node* c = n->first; c; c = c->next) {
      if (c->key) fprintf(out, "\"%s\":", c->key);
      Print(out, c);
      if (c->next) fputc(',', out);
    }
    fputc(n->kind == '{' ? '}' : ']', out);
  }
}
static char* Slurp(const char* path) {
  FILE* file = fopen(path, "rb");
  if (!file) return 0;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char* text = calloc(size + 1, 1);
  if (fread(text, 1, size, file) != (size_t)size) exit(90);
  fclose(file);
  return text;
}
static void Copy(const char* from, const char* to) {
  struct stat info;
  if (lstat(from, &info)) exit(91);
  if (S_ISLNK(info.st_mode)) {
    char target[100] = "";
    readlink(from, target, sizeof target - 1);
    if (symlink(target, to)) exit(92);
  } else if (S_ISDIR(info.st_mode)) {
    if (mkdir(to, 0777)) exit(93);
    DIR* dir = opendir(from);
    for (struct dirent* e; (e = readdir(dir));) {
      if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
      char a[200], b[200];
      snprintf(a, sizeof a, "%s/%s", from, e->d_name);
      snprintf(b, sizeof b, "%s/%s", to, e->d_name);
      Copy(a, b);
    }
    closedir(dir);
  } else {
    char* text = Slurp(from);
    FILE* out = fopen(to, "wb");
    if (!out || fputs(text, out) < 0 || fclose(out)) exit(94);
  }
}
static int Compare(const void* a, const void* b) { return strcmp(*(char**)a, *(char**)b); }
int main(void) {
  at = Slurp("/data/tree.json");
  if (!at) return 1;
  const char* whole = at;
  Node* tree = Parse();
  FILE* out = fopen("/data/again.json", "w");
  Print(out, tree);
  fclose(out);
  char* again = Slurp("/data/again.json");
  printf("json %s\n", strcmp(whole, again) ? "differs" : "round");

  Copy("/data/tree", "/data/copy");
  char* inner = Slurp("/data/copy/sub/inner");
  char* linked = Slurp("/data/copy/link");
  printf("copy %s %s\n", inner ? inner : "?", linked ? linked : "?");

  char* lines[10];
  int count = 0;
  for (char* line = strtok(Slurp("/data/lines"), "\n"); line; line = strtok(0, "\n")) {
    lines[count++] = line;
  }
  qsort(lines, count, sizeof *lines, Compare);
  int fd = open("/data/.temporary", O_CREAT | O_EXCL | O_RDWR, 0600);
  for (int i = 0; i < count; ++i) dprintf(fd, "%s\n", lines[i]);
  if (lseek(fd, 0, SEEK_SET) || fsync(fd) || ftruncate(fd, 4)) return 2;
  close(fd);
  if (rename("/data/.temporary", "/data/lines")) return 3;
  printf("first %s", Slurp("/data/lines"));
  printf("again %d\n", open("/data/tree.json", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0 &&
                           errno == EEXIST);
  printf("none %d\n", unlink("/data/none") < 0 && errno == ENOENT);
  return 0;
}
)";

constexpr std::string_view kCallbacks = R"(
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
IMPORT(each) int each(int (*function)(int), int count);
IMPORT(open) int open_counter(int first);
IMPORT(next) int next_of(int counter);
IMPORT(drop) void drop(int handle);

static int Twice(int n) { return 2 * n; }
static int counter;
static int Next(int n) { return next_of(counter) + n; }

int main(void) {
  counter = open_counter(10);
  const int sum = each(Twice, 4) + each(Next, 3) + each(0, 3);
  drop(counter);
  return sum;
}
)";

}  // namespace

TEST_CASE("a C program hands over function pointers and holds host objects by handle") {
  // Else the linker drops a table through which the program itself never calls.
  const auto bytes = CompileC(kCallbacks, "-Wl,--export-table");
  if (!bytes) {
    WARN("skipped: clang-19 with wasi-libc is missing");
    return;
  }
  struct Counter {
    int next;
  };
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder()
      .WithFunc([](tenon::FunctionPointer<int(int)> function, int count) {
        int sum = 0;
        for (int i = 0; function && i < count; ++i) sum += function(i);
        return sum;
      })
      .Export("each");
  env.NewFunctionBuilder()
      .WithFunc([](int first) {
        return tenon::Handle<Counter>::Own(std::make_unique<Counter>(Counter{first}));
      })
      .Export("open");
  env.NewFunctionBuilder()
      .WithFunc([](tenon::Handle<Counter> counter) { return counter->next++; })
      .Export("next");
  env.NewFunctionBuilder().WithFunc(tenon::DropHandle).Export("drop");
  env.Instantiate();
  const auto exit = Thrown<tenon::ExitError>(
      [&] { runtime.Instantiate(*bytes, tenon::ModuleConfig{}.WithName("program")); });
  // 0 + 2 + 4 + 6, and 10 + 0, 11 + 1, 12 + 2
  CHECK(exit.ExitCode() == 48);
}

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

TEST_CASE("a C program reads JSON, copies directories and sorts lines, on the host and in memory") {
  const auto bytes = CompileC(kFiles);
  if (!bytes) {
    WARN("skipped: clang-19 with wasi-libc is missing");
    return;
  }
  const std::string json = R"({"a":[1,2.5,{"b":"text \" here"}],"c":[],"d":{"e":true,"f":null}})";
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.Path() / "tree/sub");
  std::filesystem::create_symlink("sub/inner", folder.Path() / "tree/link");
  WriteText(folder.Path() / "tree/sub/inner", "INNER");
  WriteText(folder.Path() / "tree.json", json);
  WriteText(folder.Path() / "lines", "zoo\nbee\nant\n");
  const auto memory = std::make_shared<tenon::wasi::MemoryFileSystem>();
  memory->WriteFile("tree/sub/inner", "INNER");
  memory->Symlink("sub/inner", "tree/link");
  memory->WriteFile("tree.json", json);
  memory->WriteFile("lines", "zoo\nbee\nant\n");

  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  const auto compiled = runtime.CompileModule(*bytes);
  for (const auto& files : {tenon::FSConfig{}.WithDirMount(folder.Path().string(), "/data"),
                            tenon::FSConfig{}.WithFSMount(memory, "/data")}) {
    std::string out;
    runtime.InstantiateModule(
        compiled, tenon::ModuleConfig{}.WithName("").WithStdout(out).WithFSConfig(files));
    CHECK(out == "json round\ncopy INNER INNER\nfirst ant\nagain 1\nnone 1\n");
  }
  CHECK(ReadText(folder.Path() / "again.json") == json);
}
