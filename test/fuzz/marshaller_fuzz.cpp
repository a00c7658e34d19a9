// SPDX-License-Identifier: Apache-2.0
/// @file
/// Hands hostile pointers, lengths, strings, handles, indices and structs to every kind of
/// parameter, on each engine, and compares what comes of it, and every byte of memory, with a
/// model.
///
/// usage: marshaller_fuzz [--seed=N] [--count=N]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hostile_operands.hpp"
#include "marshaller_host.hpp"
#include "marshaller_model.hpp"

namespace tenon_test::marshal {

std::string Outcome::Text() const {
  static constexpr const char* kKinds[] = {"returned", "trapped", "exited", "threw"};
  std::string text = kKinds[static_cast<std::size_t>(kind)];
  text += " " + std::to_string(code) + " at " + std::to_string(first) + ", " +
          std::to_string(second) + "; saw " + std::to_string(digest) + "; results";
  for (const U64 result : results) text += " " + std::to_string(result);
  return text;
}

namespace {

/// After so many calls everything is closed and made anew.
constexpr U64 kRound = 5000;

struct Count {
  U64 returned = 0;
  U64 refused = 0;
};

class Fuzz {
 public:
  explicit Fuzz(U64 seed) : seed_{seed}, operands_{seed}, counts_(Cases().size()) {}

  /// Whether all went as it should; says what did not.
  bool Run(U64 count) {
    for (U64 first = 0; first < count; first += kRound) {
      Begin();
      for (number_ = first; number_ < std::min(count, first + kRound); ++number_) {
        Poke();
        if (!One()) return false;
      }
      if (!End()) return false;
    }
    return AllWereReached(count);
  }
  void Print() const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      std::printf("%-14s %8llu accepted %8llu refused\n", std::string{Cases()[i].name}.c_str(),
                  static_cast<unsigned long long>(counts_[i].returned),
                  static_cast<unsigned long long>(counts_[i].refused));
    }
  }

 private:
  void Begin() {
    worlds_.clear();
    worlds_.push_back(std::make_unique<World>(tenon::EngineKind::Interpreter, true));
#if TENON_HAS_JIT
    worlds_.push_back(std::make_unique<World>(tenon::EngineKind::Jit, true));
    worlds_.push_back(std::make_unique<World>(tenon::EngineKind::Jit, false));
#endif
    std::vector<U8> memory(kPage);
    for (U8& byte : memory) byte = static_cast<U8>(operands_.Next());
    for (const auto& world : worlds_) std::ranges::copy(memory, world->Memory().begin());
    model_ = std::make_unique<Model>(std::move(memory));
    former_tokens_.clear();
  }
  bool End() {
    for (const auto& world : worlds_) {
      if (const int left = world->End(); left != 0) {
        return Fail(*world, std::to_string(left) + " host objects are left at the end");
      }
    }
    return true;
  }

  /// Writes something to all memories.
  void Poke() {
    if (operands_.Below(4) != 0) return;
    const std::size_t size = model_->Memory().size();
    const std::size_t length = 1 + operands_.Below(64);
    const std::size_t from =
        operands_.Below(4) == 0 ? size - length : operands_.Below(size - length);
    const bool is_text = operands_.Below(3) != 0;
    for (std::size_t i = from; i < from + length; ++i) {
      const auto byte = static_cast<U8>(is_text ? 1 + operands_.Below(255) : operands_.Below(2));
      model_->Memory()[i] = byte;
      for (const auto& world : worlds_) world->Memory()[i] = byte;
    }
  }

  bool One() {
    case_ = operands_.Below(Cases().size());
    tried_ = operands_.For(Cases()[case_], *model_, former_tokens_);
    const auto live = model_->References();
    Outcome expected;
    for (const auto& world : worlds_) {
      const Outcome outcome = world->Call(case_, tried_);
      if (world == worlds_.front()) {
        expected = model_->Call(case_, tried_, outcome);
        if (model_->HasIssued() && !Issue(outcome)) return false;
      }
      if (outcome != expected) {
        return Fail(*world, outcome.Text() + "\n  but should: " + expected.Text());
      }
      const auto memory = world->Memory();
      const std::vector<U8>& bytes = model_->Memory();
      if (memory.size() != bytes.size() ||
          std::memcmp(memory.data(), bytes.data(), bytes.size()) != 0) {
        const auto at = std::ranges::mismatch(memory, bytes).in1 - memory.begin();
        return Fail(*world, "its memory differs at " + std::to_string(at));
      }
      if (world->LiveThings() != model_->LiveThings()) {
        return Fail(*world, std::to_string(world->LiveThings()) + " host objects live, not " +
                                std::to_string(model_->LiveThings()));
      }
    }
    for (const auto& [token, reference] : live) {
      if (!model_->References().contains(token)) former_tokens_.push_back(token);
    }
    ++(expected.kind == Outcome::Kind::Returned ? counts_[case_].returned : counts_[case_].refused);
    return true;
  }
  /// Tells the model of a reference that all worlds must have given the same number.
  bool Issue(const Outcome& outcome) {
    if (outcome.results.size() != 1) return Fail(*worlds_.front(), "no reference was given");
    const U64 given = outcome.results[0];
    const bool is_handle = Cases()[case_].name != "open ref";
    const U64 token = is_handle ? worlds_.front()->TokenOf(static_cast<U32>(given)) : given;
    const U64 seen = is_handle ? token & 0xFFFFFFFF : token;
    if (token == 0 || seen != given || model_->References().contains(token)) {
      return Fail(*worlds_.front(), "the reference " + std::to_string(given) + " is no new one");
    }
    model_->Issued(token);
    return true;
  }

  bool AllWereReached(U64 count) const {
    if (count < 1000 * counts_.size()) return true;
    bool all = true;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i].returned == 0) {
        std::printf("%s was never accepted\n", std::string{Cases()[i].name}.c_str());
        all = false;
      }
    }
    return all;
  }

  bool Fail(const World& world, const std::string& what) const {
    std::printf("seed %llu, input %llu, %s: %s(", static_cast<unsigned long long>(seed_),
                static_cast<unsigned long long>(number_), world.Name().c_str(),
                std::string{Cases()[case_].name}.c_str());
    for (const U64 operand : tried_) {
      std::printf(" 0x%llx", static_cast<unsigned long long>(operand));
    }
    std::printf(" ), memory of 0x%zx bytes\n  %s\n", model_->Memory().size(), what.c_str());
    return false;
  }

  U64 seed_;
  HostileOperands operands_;
  std::vector<std::unique_ptr<World>> worlds_;
  std::unique_ptr<Model> model_;
  std::vector<U64> former_tokens_;
  std::vector<Count> counts_;
  U64 number_ = 0;
  std::size_t case_ = 0;
  std::vector<U64> tried_;
};

}  // namespace
}  // namespace tenon_test::marshal

int main(int argc, char** argv) {
  unsigned long long seed = 1;
  unsigned long long count = 60000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument{argv[i]};
    if (argument.starts_with("--seed=")) {
      seed = std::strtoull(argv[i] + 7, nullptr, 10);
    } else if (argument.starts_with("--count=")) {
      count = std::strtoull(argv[i] + 8, nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: marshaller_fuzz [--seed=N] [--count=N]\n");
      return 2;
    }
  }
  tenon_test::marshal::Fuzz fuzz{seed};
  const bool is_good = fuzz.Run(count);
  fuzz.Print();
  std::printf("seed %llu: %llu inputs, %s\n", seed, count,
              is_good ? "all as they should" : "FAILED");
  return is_good ? 0 : 1;
}
