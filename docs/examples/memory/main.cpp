// SPDX-License-Identifier: Apache-2.0
// Data in the guest's memory: checked reads and writes from outside, spans as parameters from
// inside, growth.
//
// usage: memory [guest.wasm]

#include <cctype>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <tenon/tenon.hpp>

namespace {

// A span is a view of guest memory: what is written to it is there for the guest.
void Shout(std::span<char> text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
}

void Run(const char* path) {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(Shout)
      .WithParameterNames("text")
      .Export("shout")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(tenon::ReadFile(path));
  tenon::Memory memory = guest.DefaultMemory();
  std::printf("memory: %llu KiB\n", static_cast<unsigned long long>(memory.Size() / 1024));

  // Text into the guest: its own allocator says where.
  const auto allocate = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("allocate");
  const auto shout_reversed =
      guest.ExportedFunction<void(std::uint32_t, std::uint32_t)>("shout_reversed");
  const std::string_view text = "stressed desserts";
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::uint32_t offset = allocate(size);
  memory.WriteString(offset, text);
  shout_reversed(offset, size);
  std::printf("\"%s\" became \"%s\"\n", std::string{text}.c_str(),
              std::string{memory.ViewString(offset, size).value()}.c_str());

  // Numbers are little-endian, offsets are 64 bits wide and never wrap, nothing throws.
  memory.WriteUint32Le(offset, 0x11223344);
  std::printf("first byte of 0x11223344: 0x%02x\n", unsigned{memory.ReadByte(offset).value()});
  std::printf("read at the end: %s\n",
              memory.ReadUint32Le(memory.Size() - 4) ? "value" : "nullopt");
  std::printf("read past the end: %s\n",
              memory.ReadUint32Le(memory.Size() - 3) ? "value" : "nullopt");
  std::printf("write past the end: %s\n", memory.WriteByte(memory.Size(), 1) ? "true" : "false");

  // Growth, by the host and by the guest.
  std::printf("grow by 2 pages from page %llu\n",
              static_cast<unsigned long long>(memory.Grow(2).value()));
  allocate(1024 * 1024);
  std::printf("memory after allocate(1 MiB): more than 1 MiB: %s\n",
              memory.Size() > (1u << 20) ? "yes" : "no");
  std::printf("grow by 65536 pages: %s\n", memory.Grow(65536) ? "granted" : "refused");

  // A guest that hands the host a wrong pointer is stopped before the host function is entered.
  const auto shout_at = guest.ExportedFunction<void(std::uint32_t, std::uint32_t)>("shout_at");
  try {
    shout_at(0xFFFFFFF0, 32);
  } catch (const tenon::Trap& trap) {
    std::printf("trap: %s\n", tenon::TrapText(trap.Code()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Run(argc > 1 ? argv[1] : "guest.wasm");
  } catch (const tenon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
