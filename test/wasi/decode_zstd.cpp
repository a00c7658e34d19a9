// SPDX-License-Identifier: Apache-2.0
// Decompresses standard input by a decoder that emscripten compiled as a standalone module, and
// writes what comes out to standard output.
//
// usage: decode_zstd interpreter|auto MODULE

#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/emscripten.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

namespace {

std::string ReadInput() {
  std::string text;
  char part[4096];
  while (const std::size_t count = std::fread(part, 1, sizeof part, stdin))
    text.append(part, count);
  return text;
}

std::string Decode(std::string_view engine, const char* path, const std::string& compressed) {
  tenon::RuntimeConfig config;
  if (engine == "interpreter") config = config.WithEngine(tenon::EngineKind::Interpreter);
  const tenon::Runtime runtime{config};
  const tenon::CompiledModule compiled = runtime.CompileModule(tenon::ReadFile(path));
  tenon::wasi::Instantiate(runtime);
  tenon::emscripten::InstantiateForModule(runtime, compiled);
  const tenon::Module decoder = runtime.InstantiateModule(
      compiled, tenon::ModuleConfig{}.WithStartFunctions({"_initialize"}));
  const auto allocate = decoder.ExportedFunction<std::uint32_t(std::uint32_t)>("malloc");
  const auto size_of = decoder.ExportedFunction<std::uint64_t(std::uint32_t, std::uint32_t)>(
      "ZSTD_findDecompressedSize");
  const auto decompress = decoder.ExportedFunction<std::uint32_t(
      std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>("ZSTD_decompress");
  const auto is_error = decoder.ExportedFunction<std::uint32_t(std::uint32_t)>("ZSTD_isError");

  const auto length = static_cast<std::uint32_t>(compressed.size());
  const std::uint32_t source = allocate(length);
  tenon::Memory memory = decoder.DefaultMemory();
  if (!memory.WriteString(source, compressed)) throw std::runtime_error{"no place for the input"};
  const auto size = static_cast<std::uint32_t>(size_of(source, length));
  const std::uint32_t target = allocate(size);
  const std::uint32_t count = decompress(target, size, source, length);
  if (is_error(count) != 0) throw std::runtime_error{"the input is damaged"};
  const auto text = memory.ViewString(target, count);
  if (!text) throw std::runtime_error{"the output is nowhere"};
  return std::string{*text};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const std::string text = Decode(argv[1], argv[2], ReadInput());
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "decode_zstd: %s\n", error.what());
    return 1;
  }
}
