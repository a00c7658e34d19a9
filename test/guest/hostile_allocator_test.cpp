// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests whose allocators and results are random: nothing of the host is touched outside of the
/// guest's memory (the address sanitizer's set-up looks), and every error is one of the library.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>

#include "../support/exact_memory.hpp"
#include "../support/scripted_guest.hpp"

using namespace tenon_test;
using Slots = ScriptedGuest::Slots;

namespace {

struct Setting {
  std::uint8_t level = 0;
  double volume = 0;
};

/// How many calls are made; TENON_HOSTILE_CALLS replaces the slice of every run.
unsigned long Calls() {
  const char* const text = std::getenv("TENON_HOSTILE_CALLS");
  return text != nullptr ? std::strtoul(text, nullptr, 10) : 4000;
}

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : engine_{seed} {}
  std::uint32_t Below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  /// Near the borders of what is legal, or anything.
  std::uint32_t Pointer(std::uint64_t memory_size) {
    switch (Below(6)) {
      case 0:
        return static_cast<std::uint32_t>(engine_());
      case 1:
        return Below(20);
      case 2:
        return static_cast<std::uint32_t>(memory_size) - 64 + Below(80);
      case 3:
        return 0u - Below(40);
      default:
        return Below(static_cast<std::uint32_t>(memory_size)) & ~7u;
    }
  }

 private:
  std::mt19937 engine_;
};

}  // namespace

template <>
struct tenon::Fields<Setting> : tenon::FieldList<&Setting::level, &Setting::volume> {};

TEST_CASE("hostile allocators and results end in errors of the library or in the guest's memory") {
  ScriptedGuest guest{EachEngine().WithMemoryAllocator(std::make_shared<ExactMemory>())};
  Chance chance{7};
  const auto answer = [&](const Slots&) -> Slots {
    switch (chance.Below(24)) {
      case 0:
        throw std::runtime_error{"hostile"};
      case 1:
        throw tenon::Trap{"hostile"};
      case 2:
        guest.memory.Grow(1);
        break;
      default:
        break;
    }
    return {chance.Pointer(guest.memory.Size())};
  };
  guest.scripts["malloc"] = answer;
  guest.scripts["free"] = [&](const Slots& slots) {
    answer(slots);
    return Slots{};
  };
  guest.scripts["use4"] = answer;
  guest.scripts["text"] = answer;
  guest.scripts["packed"] = [&](const Slots& slots) {
    return Slots{answer(slots)[0] << 32 | answer(slots)[0]};
  };
  guest.scripts["pair"] = [&](const Slots& slots) {
    return Slots{answer(slots)[0], answer(slots)[0]};
  };
  guest.scripts["area"] = [&](const Slots& slots) {
    guest.memory.WriteUint32Le(static_cast<std::uint32_t>(slots[0]),
                               static_cast<std::uint32_t>(answer(slots)[0]));
    guest.memory.WriteUint32Le(static_cast<std::uint32_t>(slots[0]) + 4,
                               static_cast<std::uint32_t>(answer(slots)[0]));
    return Slots{};
  };

  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const auto use = guest.module.ExportedFunction<int(std::string_view, std::span<std::int64_t>)>(
      "use4", allocator);
  const auto text = guest.module.ExportedFunction<tenon::GuestString(int)>("text", allocator);
  const auto wide = guest.module.ExportedFunction<std::u16string(int)>("packed", allocator);
  const auto pair = guest.module.ExportedFunction<tenon::GuestU16String(int)>("pair", allocator);
  const auto area = guest.module.ExportedFunction<std::string(int)>("area", allocator);
  const auto change = guest.module.ExportedFunction<int(
      tenon::InOut<Setting>, tenon::Out<std::span<Setting>>, tenon::CString)>("use4", allocator);
  const auto made = guest.module.ExportedFunction<tenon::Indirect<Setting>(tenon::In<Setting>)>(
      "area", allocator);
  const auto given =
      guest.module.ExportedFunction<tenon::GuestObject<Setting>(int)>("text", allocator);
  std::vector<tenon::GuestBuffer> kept;
  std::size_t returned = 0;
  std::size_t failed = 0;
  for (unsigned long i = 0; i < Calls(); ++i) {
    std::array<std::int64_t, 5> numbers = {1, 2, 3, 4, 5};
    const std::string data(chance.Below(40), 'x');
    std::array<Setting, 4> settings = {};
    try {
      switch (chance.Below(9)) {
        case 0:
          static_cast<void>(text(1).View());
          break;
        case 1:
          static_cast<void>(wide(1));
          break;
        case 2:
          static_cast<void>(pair(1).View());
          break;
        case 3:
          static_cast<void>(area(1));
          break;
        case 5:
          change(settings[0], std::span{settings}.subspan(chance.Below(4)), data);
          break;
        case 6:
          static_cast<void>(made(settings[0])->volume);
          break;
        case 7: {
          tenon::GuestObject<Setting> object = given(1);
          if (object) object.Write(object.Read());
          break;
        }
        case 4:
          kept.push_back(allocator.Allocate(chance.Below(100), 1u << chance.Below(7)));
          for (std::uint8_t& byte : kept.back().Bytes()) byte = 1;
          if (kept.size() > 8) kept.erase(kept.begin());
          break;
        default:
          use(data, std::span{numbers}.first(chance.Below(6)));
      }
      ++returned;
    } catch (const tenon::Error&) {
      ++failed;
    } catch (const std::runtime_error& error) {
      ++failed;
      REQUIRE(std::string{error.what()} == "hostile");
    }
  }
  CHECK(returned > Calls() / 20);
  CHECK(failed > Calls() / 20);
}
