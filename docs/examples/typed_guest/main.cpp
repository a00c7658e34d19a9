// SPDX-License-Identifier: Apache-2.0
// A guest inside the program: the compiler compares what it imports with a host module described as
// a value, and its exports are called by name. guest_bytes.hpp is made from guest.wasm by the
// build.

#include <cstdint>
#include <cstdio>
#include <string_view>

#include <tenon/typed_guest.hpp>

#include "guest_bytes.hpp"

namespace {

// A die that always rolls the same numbers.
class Die {
 public:
  std::int32_t Roll(std::int32_t sides) {
    state_ = state_ * 1103515245 + 12345;
    return static_cast<std::int32_t>(state_ >> 16) % sides + 1;
  }

 private:
  std::uint32_t state_ = 1;
};

void Log(std::string_view text) {
  std::printf("guest: %.*s\n", static_cast<int>(text.size()), text.data());
}

constexpr auto kGuest = tenon::ParseInterface<kGuestBytes>();
constexpr auto kEnv =
    tenon::HostModule<"env">(tenon::Fn<"log", Log>(), tenon::Method<"roll", &Die::Roll>());

static_assert(kGuest.ExportsFunction("play"));

void Run() {
  // The description works without a guest, too.
  Die die;
  std::printf("rolled by the host: %d\n", kEnv.Call<"roll">(die, 6));

  tenon::Runtime runtime;
  const auto env = kEnv.Mount(runtime, die);
  const auto guest = kGuest.Instantiate(runtime, env);
  std::printf("best of 10: %d\n", guest.Call<"play">(10, 6));
  std::printf("average: %.1f\n", guest.Call<"average">());
  // These do not compile; the messages name what would:
  //   guest.Call<"pay">(10, 6);        the guest exports no function of this name
  //   guest.Call<"play">(10);          takes another number of arguments
  //   guest.Call<"play">(10, 6.5);     argument 1 does not fit without loss
}

}  // namespace

int main() {
  try {
    Run();
  } catch (const tenon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
