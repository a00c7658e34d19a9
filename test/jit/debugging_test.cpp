// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the compiler tells profilers, debuggers and waiting users.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <elf.h>
#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/jit/code_symbols.hpp>
#include <tenon/jit/gdb_interface.hpp>
#include <tenon/jit/jit.hpp>
#include <tenon/jit/perf_map.hpp>
#include <tenon/tenon.hpp>
#include <tenon/vm/code.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using tenon::CodeMapKind;
using tenon::Runtime;
using tenon::RuntimeConfig;
namespace jit = tenon::jit;

extern "C" tenon::jit::detail::GdbDescriptor __jit_debug_descriptor;

namespace {

RuntimeConfig Compiling() {
  return RuntimeConfig{}.WithEngine(tenon::EngineKind::Jit).WithCompilationThreads(1);
}

std::shared_ptr<const jit::MappedCode> MappedOf(const tenon::CompiledModule& compiled) {
  const auto& code = static_cast<const jit::JitCode&>(*compiled.State()->code->engine_code);
  return code.Variant(code.FirstStyle());
}

/// Where the code of a function of guests::Arithmetic() begins, and its size.
std::pair<std::uint64_t, std::uint64_t> PlaceOf(const tenon::CompiledModule& compiled,
                                                std::uint32_t function) {
  const auto mapped = MappedOf(compiled);
  const jit::FunctionRow& row = mapped->View().Functions()[function];
  return {mapped->CodeBegin() + row.body, row.size};
}

std::string ReadText(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string PerfMapPath() { return "/tmp/perf-" + std::to_string(getpid()) + ".map"; }

template <class T>
T ReadAt(std::string_view bytes, std::size_t offset) {
  REQUIRE(offset + sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

guests::Bytes NamelessAndNasty() {
  guests::Guest guest;
  guest.AddHidden("two\nlines\x01", {{}, {}}, [](auto&) {});
  guest.Function(guest.TypeOf({{}, {}}), {}, [](auto&) {});
  return guest.Build();
}

}  // namespace

TEST_CASE("names cover all compiled code, once") {
  for (const auto& bytes : {guests::Arithmetic(), guests::Loops(), NamelessAndNasty()}) {
    const Runtime runtime{Compiling()};
    const tenon::CompiledModule compiled = runtime.CompileModule(bytes);
    const auto mapped = MappedOf(compiled);
    const auto symbols = jit::NameCode(compiled.State()->code->module, mapped->View());
    REQUIRE(symbols.size() > mapped->View().Functions().size());
    std::uint64_t end = 0;
    for (const jit::CodeSymbol& symbol : symbols) {
      CHECK(symbol.offset >= end);
      CHECK(symbol.offset - end < 64);  // padding
      CHECK(symbol.size != 0);
      end = std::uint64_t{symbol.offset} + symbol.size;
    }
    CHECK(end == mapped->View().Code().size());
  }
}

TEST_CASE("names are those of the name section, on one line") {
  const Runtime runtime{Compiling()};
  const tenon::CompiledModule nasty = runtime.CompileModule(NamelessAndNasty());
  const auto symbols = jit::NameCode(nasty.State()->code->module, MappedOf(nasty)->View());
  CHECK(symbols[0].name == "wasm.two?lines?");
  CHECK(symbols[1].name == "wasm.[1]");
  const tenon::CompiledModule named = runtime.CompileModule(guests::Arithmetic());
  CHECK(jit::NameCode(named.State()->code->module, MappedOf(named)->View())[0].name == "guest.add");
}

TEST_CASE("the perf map has a line for each function, behind what it had") {
  const std::string path = PerfMapPath();
  unlink(path.c_str());
  {
    const Runtime silent{Compiling()};
    static_cast<void>(silent.CompileModule(guests::Arithmetic()));
    CHECK(access(path.c_str(), F_OK) != 0);
  }
  std::ofstream{path} << "1000 10 other\n";
  const Runtime runtime{Compiling().WithCodeMap(CodeMapKind::PerfMap)};
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::Arithmetic());
  std::istringstream text{ReadText(path)};
  unlink(path.c_str());
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> places;
  std::string first;
  for (std::string line; std::getline(text, line);) {
    if (first.empty()) first = line;
    std::istringstream words{line};
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    words >> std::hex >> begin >> size;
    REQUIRE(words.get() == ' ');
    std::string name;
    std::getline(words, name);
    places[name] = {begin, size};
  }
  CHECK(first == "1000 10 other");
  CHECK(places["guest.add"] == PlaceOf(compiled, 0));
  CHECK(places["guest.add64"] == PlaceOf(compiled, 1));
  CHECK(places.contains("guest.[stubs]"));
}

TEST_CASE("a link in the place of the perf map is not followed") {
  const std::string path = PerfMapPath();
  const std::string victim = path + ".victim";
  unlink(path.c_str());
  REQUIRE(symlink(victim.c_str(), path.c_str()) == 0);
  const Runtime runtime{Compiling().WithCodeMap(CodeMapKind::PerfMap)};
  CHECK(runtime.CompileModule(guests::Arithmetic()).CodeSize() > 0);
  CHECK(access(victim.c_str(), F_OK) != 0);
  unlink(path.c_str());
}

TEST_CASE("the jitdump of a process holds its functions with their code") {
  char folder[] = "/tmp/jitdump-test-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  setenv("JITDUMPDIR", folder, 1);
  const Runtime runtime{Compiling().WithCodeMap(CodeMapKind::JitDump)};
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::Arithmetic());
  // A child has a file of its own.
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(runtime.CompileModule(guests::Loops()));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  unsetenv("JITDUMPDIR");

  const auto read = [&](pid_t process) {
    const std::string pattern =
        std::string{folder} + "/tenon-*/jit-" + std::to_string(process) + ".dump";
    glob_t found{};
    REQUIRE(glob(pattern.c_str(), 0, nullptr, &found) == 0);
    REQUIRE(found.gl_pathc == 1);
    const std::string path = found.gl_pathv[0];
    globfree(&found);
    const std::string bytes = ReadText(path);
    unlink(path.c_str());
    rmdir(path.substr(0, path.rfind('/')).c_str());
    CHECK(ReadAt<std::uint32_t>(bytes, 0) == 0x4A695444);
    CHECK(ReadAt<std::uint32_t>(bytes, 4) == 1);
    CHECK(ReadAt<std::uint32_t>(bytes, 8) == 40);
    CHECK(ReadAt<std::uint32_t>(bytes, 12) == EM_X86_64);
    CHECK(ReadAt<std::uint32_t>(bytes, 20) == static_cast<std::uint32_t>(process));
    std::map<std::string, std::pair<std::uint64_t, std::string>> functions;
    std::uint64_t time = ReadAt<std::uint64_t>(bytes, 24);
    std::uint64_t index = 0;
    for (std::size_t offset = 40; offset < bytes.size();) {
      const std::size_t size = ReadAt<std::uint32_t>(bytes, offset + 4);
      REQUIRE(offset + size <= bytes.size());
      CHECK(ReadAt<std::uint32_t>(bytes, offset) == 0);
      CHECK(ReadAt<std::uint64_t>(bytes, offset + 8) >= time);
      time = ReadAt<std::uint64_t>(bytes, offset + 8);
      CHECK(ReadAt<std::uint32_t>(bytes, offset + 16) == static_cast<std::uint32_t>(process));
      const auto address = ReadAt<std::uint64_t>(bytes, offset + 32);
      CHECK(ReadAt<std::uint64_t>(bytes, offset + 24) == address);
      const auto code_size = ReadAt<std::uint64_t>(bytes, offset + 40);
      CHECK(ReadAt<std::uint64_t>(bytes, offset + 48) == index++);
      const std::string name = bytes.c_str() + offset + 56;
      REQUIRE(size == 56 + name.size() + 1 + code_size);
      functions[name] = {address, bytes.substr(offset + size - code_size, code_size)};
      offset += size;
    }
    return functions;
  };
  const auto own = read(getpid());
  const auto [begin, size] = PlaceOf(compiled, 0);
  REQUIRE(own.contains("guest.add"));
  CHECK(own.at("guest.add").first == begin);
  CHECK(own.at("guest.add").second ==
        std::string(reinterpret_cast<const char*>(begin), static_cast<std::size_t>(size)));
  const auto childs = read(child);
  CHECK(childs.contains("guest.recurse"));
  CHECK_FALSE(childs.contains("guest.add"));
  CHECK(rmdir(folder) == 0);
}

namespace {

std::vector<const jit::detail::GdbCodeEntry*> GdbEntries() {
  std::vector<const jit::detail::GdbCodeEntry*> entries;
  const jit::detail::GdbCodeEntry* previous = nullptr;
  for (const auto* entry = __jit_debug_descriptor.first; entry != nullptr; entry = entry->next) {
    CHECK(entry->previous == previous);
    previous = entry;
    entries.push_back(entry);
  }
  return entries;
}

/// Addresses and sizes by name, as a debugger finds them in a symbol file.
std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> SymbolsOf(std::string_view file) {
  const auto header = ReadAt<Elf64_Ehdr>(file, 0);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  REQUIRE(header.e_machine == EM_X86_64);
  REQUIRE(header.e_type == ET_REL);
  const auto section = [&](std::size_t number) {
    return ReadAt<Elf64_Shdr>(file, header.e_shoff + number * header.e_shentsize);
  };
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> symbols;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const Elf64_Shdr strings = section(table.sh_link);
    for (std::size_t row = table.sh_info; row < table.sh_size / sizeof(Elf64_Sym); ++row) {
      const auto symbol = ReadAt<Elf64_Sym>(file, table.sh_offset + row * sizeof(Elf64_Sym));
      CHECK(ELF64_ST_TYPE(symbol.st_info) == STT_FUNC);
      REQUIRE(symbol.st_name < strings.sh_size);
      symbols[file.data() + strings.sh_offset + symbol.st_name] = {
          section(symbol.st_shndx).sh_addr + symbol.st_value, symbol.st_size};
    }
  }
  return symbols;
}

}  // namespace

TEST_CASE("debuggers see functions from compilation until their code goes") {
  CHECK(__jit_debug_descriptor.version == 1);
  REQUIRE(GdbEntries().empty());
  const Runtime silent{Compiling()};
  const tenon::CompiledModule unseen = silent.CompileModule(guests::Arithmetic());
  CHECK(GdbEntries().empty());
  {
    const Runtime runtime{Compiling().WithGdbJit(true)};
    tenon::CompiledModule compiled = runtime.CompileModule(guests::Arithmetic());
    REQUIRE(GdbEntries().size() == 1);
    const auto* const entry = GdbEntries()[0];
    const auto symbols = SymbolsOf({reinterpret_cast<const char*>(entry->file), entry->file_size});
    CHECK(symbols.at("guest.add") == PlaceOf(compiled, 0));
    CHECK(symbols.at("guest.divide") == PlaceOf(compiled, 4));
    tenon::Module instance = runtime.InstantiateModule(compiled);
    const tenon::CompiledModule second = runtime.CompileModule(guests::Loops());
    CHECK(GdbEntries().size() == 2);
    // The instance still needs it.
    compiled = {};
    CHECK(GdbEntries().size() == 2);
    CHECK(instance.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(1, 2) == 3);
    instance.Close();
    instance = {};
    CHECK(GdbEntries().size() == 1);
  }
  CHECK(GdbEntries().empty());
}

TEST_CASE("the debuggers' list bears many threads") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      const Runtime runtime{Compiling().WithGdbJit(true)};
      for (int round = 0; round < 20; ++round) {
        static_cast<void>(runtime.CompileModule(guests::Arithmetic()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(GdbEntries().empty());
}

namespace {

/// `count` functions with many instructions, together more than a few threads are worth.
guests::Bytes LargeGuest(int count) {
  guests::Guest guest;
  for (int function = 0; function < count; ++function) {
    guest.AddHidden("f", {{guests::kI32}, {guests::kI32}}, [&](auto& code) {
      code.LocalGet(0);
      for (int i = 0; i < 200; ++i) {
        code.I32Const(i * 77 + function).Emit(tenon::wasm::Opcode::I32Xor).LocalGet(0);
        code.Emit(tenon::wasm::Opcode::I32Mul);
      }
    });
  }
  return guest.Build();
}

struct Told {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reports;
  bool is_elsewhere = false;
};

}  // namespace

TEST_CASE("progress rises to all functions, in the thread that compiles the module") {
  const auto bytes = LargeGuest(300);
  for (const std::uint32_t threads : {1u, 4u}) {
    Told told;
    const auto here = std::this_thread::get_id();
    const tenon::CompilationCache cache;
    const Runtime runtime{
        Compiling()
            .WithCompilationThreads(threads)
            .WithCompilationCache(cache)
            .WithCompilationProgress([&](std::uint32_t done, std::uint32_t total) {
              told.reports.emplace_back(done, total);
              told.is_elsewhere |= std::this_thread::get_id() != here;
            })};
    const tenon::CompiledModule compiled = runtime.CompileModule(bytes);
    REQUIRE_FALSE(told.reports.empty());
    CHECK(told.reports.size() <= 101);
    CHECK_FALSE(told.is_elsewhere);
    std::uint32_t before = 0;
    for (const auto& [done, total] : told.reports) {
      CHECK(done > before);
      CHECK(total == 300);
      before = done;
    }
    CHECK(before == 300);
    if (threads == 1) CHECK(told.reports.size() == 100);
    // From the cache.
    const auto count = told.reports.size();
    static_cast<void>(runtime.CompileModule(bytes));
    CHECK(told.reports.size() == count);
  }
}

TEST_CASE("who is told of progress can end the compilation") {
  const auto bytes = LargeGuest(300);
  for (const std::uint32_t threads : {1u, 4u}) {
    bool refuses = true;
    const Runtime runtime{Compiling().WithCompilationThreads(threads).WithCompilationProgress(
        [&](std::uint32_t, std::uint32_t) {
          if (refuses) throw std::runtime_error{"enough"};
        })};
    CHECK_THROWS_WITH(runtime.CompileModule(bytes), "enough");
    refuses = false;
    CHECK(runtime.CompileModule(bytes).CodeSize() > 0);
  }
}

TEST_CASE("what is told of code does not make other code of the same module") {
  const tenon::CompilationCache cache;
  const Runtime plain{Compiling().WithCompilationCache(cache)};
  const Runtime telling{Compiling()
                            .WithCompilationCache(cache)
                            .WithGdbJit(true)
                            .WithCodeMap(CodeMapKind::PerfMap)
                            .WithCompilationProgress([](std::uint32_t, std::uint32_t) {})};
  static_cast<void>(plain.CompileModule(guests::Arithmetic()));
  const tenon::CompiledModule held = plain.CompileModule(guests::Arithmetic());
  static_cast<void>(telling.CompileModule(guests::Arithmetic()));
  CHECK(cache.Statistics().misses == 1);
  CHECK(GdbEntries().empty());
}
