// SPDX-License-Identifier: Apache-2.0
// An exception thrown by a host function crosses the guest and arrives with its own type; the guest
// stays usable.
//
// usage: host_exception [guest.wasm]

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <tenon/tenon.hpp>

namespace {

// An exception type that the library knows nothing of.
class AccountExists : public std::runtime_error {
 public:
  explicit AccountExists(int id)
      : std::runtime_error{"account " + std::to_string(id) + " exists"}, id_{id} {}
  int Id() const { return id_; }

 private:
  int id_;
};

void Run(const char* path) {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](int id) {
        if (id == 13) throw AccountExists{id};
        // A host function can also end the guest as an instruction would.
        if (id < 0) throw tenon::Trap{"negative account number"};
      })
      .WithParameterNames("id")
      .Export("open_account")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(tenon::ReadFile(path), tenon::ModuleConfig{}.WithName("guest"));
  const auto open_all = guest.ExportedFunction<int(int, int)>("open_all");
  const auto opened = guest.ExportedFunction<int()>("opened");

  try {
    open_all(10, 5);
  } catch (const AccountExists& error) {
    std::printf("caught AccountExists: %s (id %d)\n", error.what(), error.Id());
  }
  std::printf("accounts opened before it: %d\n", opened());

  try {
    open_all(-1, 1);
  } catch (const tenon::Trap& trap) {
    std::printf("caught Trap: %s\n", trap.what());
  }

  std::printf("the guest goes on: %d accounts\n", open_all(20, 2));
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
