// SPDX-License-Identifier: Apache-2.0
// expect: tenon: Mount needs the object whose member function a Method is
/// @file
/// A member function mounted without its object.

#include <tenon/typed_guest.hpp>

struct Game {
  void Tick() {}
};
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Method<"tick", &Game::Tick>());

#if TENON_MUST_NOT_COMPILE
auto Start(const tenon::Runtime& runtime) { return kEnv.Mount(runtime); }
#else
auto Start(const tenon::Runtime& runtime, Game& game) { return kEnv.Mount(runtime, game); }
#endif
