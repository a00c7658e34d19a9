// SPDX-License-Identifier: Apache-2.0
// One host, guests in three languages: strings, arrays and structs into their memory through their
// own allocators, text and structs back, and functions of theirs that the host calls.
//
// usage: three_languages GUEST.wasm...

#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>

namespace {

// What the guests know as a struct of the same fields.
struct Summary {
  std::uint32_t count;
  double mean, largest;
};

}  // namespace

template <>
struct tenon::Fields<Summary>
    : tenon::FieldList<&Summary::count, &Summary::mean, &Summary::largest> {};

namespace {

// The guests' functions arrive as what C has as a function pointer.
void ForEach(std::uint32_t count, tenon::FunctionPointer<double(double)> callback) {
  for (std::uint32_t i = 1; i <= count; ++i) std::printf(" %g", callback(i));
  std::printf("\n");
}

// The guests' structs arrive by pointer.
void Report(tenon::In<Summary> summary) {
  std::printf("  the guest reports %u values, mean %g, largest %g\n", summary->count, summary->mean,
              summary->largest);
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

  // A struct as result is written to a place that the guest is given; structs go in by pointer.
  const auto summarize = guest.ExportedFunction<tenon::Indirect<Summary>(std::span<const double>)>(
      "summarize", allocator);
  const auto merge =
      guest.ExportedFunction<tenon::Indirect<Summary>(tenon::In<Summary>, tenon::In<Summary>)>(
          "merge", allocator);
  const Summary merged = merge(summarize(values), summarize(std::array<double, 1>{180}));
  std::printf("  merged: %u values, mean %g, largest %g\n", merged.count, merged.mean,
              merged.largest);

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
    env.NewFunctionBuilder().WithFunc(Report).WithParameterNames("summary").Export("report");
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
