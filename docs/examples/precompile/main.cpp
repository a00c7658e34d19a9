// SPDX-License-Identifier: Apache-2.0
// Compiles a guest where there is time for it, and runs it where there is none: the result of
// `compile` is a file that `run` takes without compiling. A program could as well have the bytes
// built into it, and give them to Runtime::Deserialize from there.
//
// usage: precompile compile guest.wasm guest.tenon [KEY]
//        precompile run guest.tenon LIMIT [KEY]
//
// With a KEY, text of any length, the file is signed, and nothing that was not signed with it runs.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

std::vector<std::uint8_t> BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

void Compile(const std::string& source, const std::string& target, const std::string& key) {
  const tenon::Runtime runtime;
  const tenon::CompiledModule compiled = runtime.CompileModule(tenon::ReadFile(source));
  const std::vector<std::uint8_t> bytes = compiled.Serialize(BytesOf(key));
  std::ofstream file{target, std::ios::binary};
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error{"cannot write " + target};
  std::printf("compiled, %s\n", key.empty() ? "not signed" : "signed");
}

void Run(const std::string& path, int limit, const std::string& key) {
  bool was_compiled = false;
  const auto config = tenon::RuntimeConfig{}.WithCompilationProgress(
      [&](std::uint32_t, std::uint32_t) { was_compiled = true; });
  const tenon::Runtime runtime{config};
  const tenon::CompiledModule compiled = runtime.Deserialize(tenon::ReadFile(path), BytesOf(key));
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  const int primes = guest.ExportedFunction<int(int)>("count_primes")(limit);
  // It would be compiled if this were another version of the library, or another processor.
  std::printf("%d primes below %d, %s\n", primes, limit,
              was_compiled ? "compiled once more" : "without compiling");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  if (arguments.size() < 3 || (arguments[0] != "compile" && arguments[0] != "run")) {
    std::fprintf(stderr,
                 "usage: precompile compile guest.wasm guest.tenon [KEY]\n"
                 "       precompile run guest.tenon LIMIT [KEY]\n");
    return 2;
  }
  const std::string key = arguments.size() > 3 ? arguments[3] : "";
  try {
    if (arguments[0] == "compile") {
      Compile(arguments[1], arguments[2], key);
    } else {
      Run(arguments[1], std::atoi(arguments[2].c_str()), key);
    }
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
