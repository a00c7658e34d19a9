// SPDX-License-Identifier: Apache-2.0
/// @file
/// Code of a fixed set of modules: the same as recorded, whatever the number of threads, wherever
/// it lies.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/code_object.hpp>
#include <tenon/jit/jit.hpp>
#include <tenon/jit/mapped_code.hpp>
#include <tenon/jit/module_compiler.hpp>
#include <tenon/jit/xbyak.hpp>
#include <tenon/wasm/sha256.hpp>

#include "../support/validated_module.hpp"
#include "code_support.hpp"
#include "codegen_corpus.hpp"

using namespace tenon_test;
namespace jit = tenon::jit;

namespace {

/// Settings that change the code.
struct Variant {
  const char* name;
  tenon::CpuFeatures cpu;
  bool guard_pages;
  bool has_everything =
      false;  ///< interruption, canonical NaN, and listeners of every other function
};

constexpr Variant kVariants[] = {
    {"guarded-floor", tenon::CpuFeatures::Floor(), true},
    {"guarded-all", tenon::CpuFeatures::All(), true},
    {"checked-floor", tenon::CpuFeatures::Floor(), false},
    {"checked-all", tenon::CpuFeatures::All(), false},
    {"checked-floor-everything", tenon::CpuFeatures::Floor(), false, true},
    {"guarded-all-everything", tenon::CpuFeatures::All(), true, true},
};

/// The code object that the engine makes.
std::vector<std::uint8_t> CompileObject(const ValidatedModule& module, const Variant& variant,
                                        std::uint32_t threads) {
  tenon::vm::CompileSettings settings;
  settings.cpu = variant.cpu;
  settings.guard_pages = variant.guard_pages;
  settings.conduct.threads = threads;
  if (variant.has_everything) {
    settings.interruptible = true;
    settings.canonical_nan = true;
    for (std::size_t i = 0; i < module.module.functions.size(); ++i) {
      settings.listeners.push_back(i % 2 == 0);
    }
  }
  tenon::vm::EngineCodePointer code;
  REQUIRE(jit::CompileWith(jit::CompileFunctions, module.context, settings, code).IsNone());
  const auto& compiled = static_cast<const jit::JitCode&>(*code);
  const auto bytes = compiled.Variant(compiled.FirstStyle())->View().Bytes();
  return {bytes.begin(), bytes.end()};
}

/// Of the code and all tables, without the header, in which revisions stand.
std::string HashOf(const std::vector<std::uint8_t>& object) {
  const auto digest = tenon::wasm::HashSha256(std::span{object}.subspan(sizeof(jit::CodeHeader)));
  std::string text;
  for (const std::uint8_t byte : digest) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

/// What codegen_golden.txt holds.
struct Golden {
  std::uint32_t revision = 0;
  int xbyak = 0;
  std::map<std::string, std::string> hashes;  ///< by "module variant"
};

Golden ReadGolden(const std::string& path) {
  Golden golden;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words{line};
    std::string first;
    words >> first;
    if (first == "revision") {
      words >> golden.revision;
    } else if (first == "xbyak") {
      words >> golden.xbyak;
    } else {
      std::string module;
      std::string variant;
      words >> module >> variant;
      module += ' ';
      golden.hashes[module += variant] = first;
    }
  }
  return golden;
}

void WriteGolden(const std::string& path, const Golden& golden) {
  std::ofstream file{path};
  file << "# Hashes of the code of test/jit/codegen_corpus.hpp, written by its test with\n"
          "# TENON_WRITE_GOLDEN=1 in the environment.\n"
       << "revision " << golden.revision << "\nxbyak " << golden.xbyak << "\n";
  for (const auto& [name, hash] : golden.hashes) file << hash << " " << name << "\n";
  REQUIRE(file.flush().good());
}

Golden CurrentCode(const std::string& root) {
  Golden golden{jit::kCodegenRevision, static_cast<int>(Xbyak::VERSION), {}};
  for (const corpus::CorpusModule& entry : corpus::Modules(root)) {
    const ValidatedModule module{entry.bytes};
    INFO(entry.name << ": " << module.Text());
    REQUIRE(module.fault.IsNone());
    for (const Variant& variant : kVariants) {
      golden.hashes[entry.name + " " + variant.name] = HashOf(CompileObject(module, variant, 1));
    }
  }
  return golden;
}

/// Names in both that have different code.
std::vector<std::string> ChangedCode(const Golden& before, const Golden& now) {
  std::vector<std::string> changed;
  for (const auto& [name, hash] : now.hashes) {
    const auto found = before.hashes.find(name);
    if (found != before.hashes.end() && found->second != hash) changed.push_back(name);
  }
  return changed;
}

/// Why the record and the code do not fit, with what to do about it; "" if they do.
std::string Complaint(const Golden& golden, const Golden& now) {
  const std::vector<std::string> changed = ChangedCode(golden, now);
  const std::string how =
      "run this test with TENON_WRITE_GOLDEN=1 in the environment, and commit "
      "test/jit/codegen_golden.txt";
  if (!changed.empty() && golden.revision == now.revision && golden.xbyak == now.xbyak) {
    constexpr std::size_t kShown = 12;
    std::string names;
    for (std::size_t i = 0; i < std::min(changed.size(), kShown); ++i) names += "\n  " + changed[i];
    if (changed.size() > kShown) {
      names += "\n  and " + std::to_string(changed.size() - kShown) + " more";
    }
    return "other code than recorded comes out, but kCodegenRevision is still " +
           std::to_string(now.revision) +
           ", so caches would go on using the old one. If the change is meant, raise "
           "kCodegenRevision in include/tenon/jit/code_object.hpp; then " +
           how + ". Changed:" + names;
  }
  if (golden.revision == now.revision && golden.xbyak == now.xbyak && golden.hashes == now.hashes) {
    return {};
  }
  return "the record is of kCodegenRevision " + std::to_string(golden.revision) + ", xbyak " +
         std::to_string(golden.xbyak) + " and " + std::to_string(golden.hashes.size()) +
         " objects, the code of " + std::to_string(now.revision) + ", " +
         std::to_string(now.xbyak) + " and " + std::to_string(now.hashes.size()) + " (" +
         std::to_string(changed.size()) + " changed): " + how;
}

}  // namespace

TEST_CASE("code changes only with kCodegenRevision") {
  const std::string root = corpus::SourceRoot();
  if (root.empty()) FAIL("TENON_SOURCE_ROOT must name the project's folder");
  const std::string path = root + "/test/jit/codegen_golden.txt";
  const Golden golden = ReadGolden(path);
  const Golden now = CurrentCode(root);
  const std::string complaint = Complaint(golden, now);
  if (std::getenv("TENON_WRITE_GOLDEN") != nullptr) {
    const bool needs_revision = golden.revision == now.revision && golden.xbyak == now.xbyak &&
                                !ChangedCode(golden, now).empty();
    INFO(complaint);
    REQUIRE_FALSE(needs_revision);
    WriteGolden(path, now);
    return;
  }
  INFO(complaint);
  CHECK(complaint.empty());
}

TEST_CASE("the comparison with recorded code says what to do") {
  const Golden golden{3, 7, {{"a guarded", "00"}, {"b guarded", "11"}}};
  CHECK(Complaint(golden, golden).empty());
  Golden changed = golden;
  changed.hashes["b guarded"] = "22";
  CHECK_THAT(Complaint(golden, changed), Catch::Contains("raise kCodegenRevision") &&
                                             Catch::Contains("TENON_WRITE_GOLDEN=1") &&
                                             Catch::EndsWith("Changed:\n  b guarded"));
  changed.revision = 4;
  CHECK_THAT(Complaint(golden, changed), Catch::Contains("kCodegenRevision 3") &&
                                             Catch::Contains("(1 changed)") &&
                                             Catch::Contains("TENON_WRITE_GOLDEN=1"));
  Golden more = golden;
  more.hashes["c guarded"] = "33";
  CHECK_THAT(Complaint(golden, more), Catch::Contains("(0 changed)"));
}

TEST_CASE("any number of threads makes the same code, byte for byte") {
  const ValidatedModule module{corpus::EveryInstruction(36)};
  REQUIRE(module.fault.IsNone());
  // Enough for 8 threads to be used.
  REQUIRE(module.module.code_section.size >= 8 * 64 * 1024);
  const auto alone = CompileObject(module, kVariants[5], 1);
  CHECK(CompileObject(module, kVariants[5], 8) == alone);
}

TEST_CASE("one code object runs at two addresses at once") {
  const ValidatedModule module{corpus::Positions()};
  REQUIRE(module.fault.IsNone());
  for (const Variant& variant : {kVariants[0], kVariants[2]}) {
    const auto object = CompileObject(module, variant, 1);
    std::string reason;
    const auto one = jit::MappedCode::Map(object, reason);
    const auto two = jit::MappedCode::Map(object, reason);
    REQUIRE(one != nullptr);
    REQUIRE(two != nullptr);
    REQUIRE(one->CodeBegin() != two->CodeBegin());
    FakeInstance instance;
    for (const auto& code : {one, two}) {
      const auto call = [&](std::uint32_t function, std::uint64_t operand) {
        tenon::abi::Slot slots[1] = {operand};
        Enter(*code, function, instance, slots);
        return slots[0];
      };
      for (std::uint32_t i = 0; i < 12; ++i) {
        CHECK(static_cast<std::uint32_t>(call(0, i)) == 1000 + i * i);
      }
      CHECK(static_cast<std::uint32_t>(call(0, 12)) == 0xFFFFFFFF);
      CHECK(std::bit_cast<double>(call(1, std::bit_cast<std::uint64_t>(2.0))) == 2.0);
      CHECK(static_cast<std::uint32_t>(call(2, 5)) == 15);
      CHECK(static_cast<std::uint32_t>(call(3, 3)) == 1009 + 9);
      const auto bytes = code->View().Bytes();
      CHECK(std::equal(bytes.begin(), bytes.end(), object.begin(), object.end()));
    }
  }
}

namespace {

struct AddressRange {
  std::uint64_t begin;
  std::uint64_t end;
};

/// Where files, the heap and the stack are mapped. What is mapped without a name can be so large
/// (reservations, the shadow of sanitizers) that numbers lie in it by chance.
std::vector<AddressRange> NamedMappings() {
  std::vector<AddressRange> ranges;
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin = 0;
    unsigned long long end = 0;
    if (std::sscanf(line.c_str(), "%llx-%llx", &begin, &end) != 2) continue;
    const bool is_named = line.find('/') != std::string::npos ||
                          line.find("[heap]") != std::string::npos ||
                          line.find("[stack]") != std::string::npos;
    if (is_named) ranges.push_back({begin, end});
  }
  return ranges;
}

/// Whether 8 bytes anywhere in `object` are an address of `ranges`.
bool HoldsAddress(std::span<const std::uint8_t> object, const std::vector<AddressRange>& ranges) {
  for (std::size_t i = 0; i + 8 <= object.size(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, object.data() + i, sizeof(word));
    if (std::ranges::any_of(ranges, [&](const AddressRange& range) {
          return word >= range.begin && word < range.end;
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("code objects hold no address of the process") {
  const std::string root = corpus::SourceRoot();
  REQUIRE_FALSE(root.empty());
  const auto ranges = NamedMappings();
  REQUIRE(ranges.size() >= 3);
  // It can be found.
  std::vector<std::uint8_t> planted(31);
  const auto address = reinterpret_cast<std::uint64_t>(&kVariants);
  std::memcpy(planted.data() + 5, &address, sizeof(address));
  REQUIRE(HoldsAddress(planted, ranges));
  for (const corpus::CorpusModule& entry : corpus::Modules(root)) {
    const ValidatedModule module{entry.bytes};
    for (const Variant& variant : {kVariants[1], kVariants[4]}) {
      INFO(entry.name << " " << variant.name);
      const auto object = CompileObject(module, variant, 1);
      auto places = ranges;
      const auto range_of = [](const auto& bytes) {
        const auto begin = reinterpret_cast<std::uint64_t>(bytes.data());
        return AddressRange{begin, begin + bytes.size()};
      };
      places.push_back(range_of(module.bytes));
      places.push_back(range_of(object));
      CHECK_FALSE(HoldsAddress(object, places));
    }
  }
}

TEST_CASE("code of another assembler is of another revision") {
  CHECK((jit::JitEngine().revision() ^ jit::kCodegenRevision << 16) ==
        static_cast<std::uint32_t>(Xbyak::VERSION));
}
