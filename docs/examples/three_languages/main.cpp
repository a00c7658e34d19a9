// SPDX-License-Identifier: Apache-2.0
// One host, guests in three languages: strings and arrays into their memory through their own
// allocators, text back, and functions of theirs that the host calls.
//
// usage: three_languages GUEST.wasm...

#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <tenon/tenon.hpp>

namespace {

// A function pointer of a guest is an index into its table, which C and Rust name otherwise than
// AssemblyScript.
void ForEach(const tenon::Module& caller, std::uint32_t count, std::uint32_t callback) {
  tenon::Table table = caller.ExportedTable("__indirect_function_table");
  if (!table) table = caller.ExportedTable("table");
  const auto function = table.LookupFunction(callback).As<double(double)>();
  for (std::uint32_t i = 1; i <= count; ++i) std::printf(" %g", function(i));
  std::printf("\n");
}

tenon::GuestAllocator AllocatorOf(const tenon::Module& guest) {
  // Rust has no malloc that it exports by itself: this guest names its functions as it likes.
  if (const tenon::Function allocate = guest.ExportedFunction("allocate")) {
    return {guest, allocate, guest.ExportedFunction("deallocate")};
  }
  return tenon::GuestAllocator::Find(guest);  // malloc and free, or __new, __pin and __unpin
}

void Greet(const tenon::Module& guest, const tenon::GuestAllocator& allocator) {
  if (allocator.IsManaged()) {  // AssemblyScript has UTF-16
    const auto greet =
        guest.ExportedFunction<tenon::GuestU16String(std::u16string_view)>("greet", allocator);
    const tenon::GuestU16String text = greet(u"Ada");
    std::printf("%s\n", std::string{text.View().begin(), text.View().end()}.c_str());
  } else {
    const auto greet =
        guest.ExportedFunction<tenon::GuestString(std::string_view)>("greet", allocator);
    const tenon::GuestString text = greet("Ada");  // freed at the end of the block
    std::printf("%s\n", std::string{text.View()}.c_str());
  }
}

void Run(const tenon::Runtime& runtime, const char* path) {
  const tenon::Module guest =
      runtime.Instantiate(tenon::ReadFile(path), tenon::ModuleConfig{}.WithName(""));
  const tenon::GuestAllocator allocator = AllocatorOf(guest);
  Greet(guest, allocator);

  std::array<double, 4> values = {1, 2, 3, 6};
  const auto mean = guest.ExportedFunction<double(std::span<const double>)>("mean", allocator);
  std::printf("  mean of 4: %g, of none: %g\n", mean(values), mean({}));
  // What a span that is not const holds after the call is what the guest left in it.
  guest.ExportedFunction<void(std::span<double>, double)>("scale", allocator)(values, 10);
  std::printf("  scaled: %g %g %g %g\n", values[0], values[1], values[2], values[3]);

  std::printf("  squares:");
  guest.ExportedFunction<void(std::uint32_t)>("squares")(4);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const tenon::Runtime runtime;
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    env.NewFunctionBuilder()
        .WithFunc(ForEach)
        .WithParameterNames("count", "callback")
        .Export("for_each");
    // What AssemblyScript calls when something is wrong.
    env.NewFunctionBuilder()
        .WithFunc([](std::uint32_t, std::uint32_t, std::uint32_t line, std::uint32_t) {
          throw tenon::Trap{"abort in line " + std::to_string(line)};
        })
        .Export("abort");
    env.Instantiate();
    for (int i = 1; i < argc; ++i) Run(runtime, argv[i]);
  } catch (const tenon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
