// SPDX-License-Identifier: Apache-2.0
/// @file
/// Configurations in words, and as settings of a runtime.
#include <algorithm>
#include <cstring>
#include <memory>

#include <sys/mman.h>

#include <tenon/cpu_features.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/instruction_walker.hpp>

#include "engine.hpp"

namespace differential {

namespace {

using tenon::wasm::Opcode;

std::optional<tenon::EngineKind> KindOf(std::string_view name) {
  if (name == "interpreter") return tenon::EngineKind::Interpreter;
  if (name == "jit") return tenon::EngineKind::Jit;
  return std::nullopt;
}

/// Ends at a page that faults, and is somewhere else after each change of its size: compiled code
/// that trusts guard pages, or keeps the old address, does not survive it.
class MovingMemory : public tenon::LinearMemory {
 public:
  ~MovingMemory() override { Unmap(); }

  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    void* const mapped =
        mmap(nullptr, size + kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    if (size != 0 && mprotect(mapped, size, PROT_READ | PROT_WRITE) != 0) {
      munmap(mapped, size + kGuard);
      return nullptr;
    }
    if (size_ != 0) std::memcpy(mapped, base_, size_);
    Unmap();
    base_ = static_cast<std::uint8_t*>(mapped);
    size_ = size;
    return base_;
  }

 private:
  static constexpr std::uint64_t kGuard = 65536;

  void Unmap() {
    if (base_ != nullptr) munmap(base_, size_ + kGuard);
  }

  std::uint8_t* base_ = nullptr;
  std::uint64_t size_ = 0;
};

class MovingAllocator : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t, std::uint64_t) noexcept override {
    return std::make_unique<MovingMemory>();
  }
};

std::optional<Opcode> FindOpcodeByName(std::string_view name) {
  for (std::uint32_t code = 0; code < tenon::wasm::kOpcodeLimit; ++code) {
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::FindOpcode(code);
    if (info.IsValid() && info.text == name) return info.opcode;
  }
  return std::nullopt;
}

std::size_t EncodedSize(Opcode opcode) {
  const auto code = static_cast<std::uint32_t>(opcode);
  return code < 0x100 ? 1 : (code & 0xFF) < 0x80 ? 2 : 3;
}

std::optional<PlantedFault> ParseFault(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<Opcode> from = FindOpcodeByName(text.substr(0, colon));
  const std::optional<Opcode> to = FindOpcodeByName(text.substr(colon + 1));
  if (!from || !to || EncodedSize(*from) != EncodedSize(*to)) return std::nullopt;
  for (const Opcode one : {*from, *to}) {
    if (tenon::wasm::Info(one).immediate != tenon::wasm::Immediate::None) return std::nullopt;
  }
  return PlantedFault{*from, *to};
}

}  // namespace

std::string Configuration::Text() const {
  std::string text = engine;
  text += memory == MemoryStyle::Guarded ? ",guarded" : ",checked";
  text += is_cpu_floor ? ",floor" : ",native";
  if (fault) {
    text += ",plant=";
    text += tenon::wasm::Info(fault->from).text;
    text += ':';
    text += tenon::wasm::Info(fault->to).text;
  }
  return text;
}

std::optional<Configuration> ParseConfiguration(std::string_view text) {
  Configuration configuration;
  for (bool is_first = true;; is_first = false) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    if (is_first) {
      if (part != "interpreter" && part != "jit") return std::nullopt;
      configuration.engine = part;
    } else if (part == "guarded" || part == "checked") {
      configuration.memory = part == "guarded" ? MemoryStyle::Guarded : MemoryStyle::Checked;
    } else if (part == "native" || part == "floor") {
      configuration.is_cpu_floor = part == "floor";
    } else if (part.starts_with("plant=")) {
      configuration.fault = ParseFault(part.substr(6));
      if (!configuration.fault) return std::nullopt;
    } else {
      return std::nullopt;
    }
    if (comma == text.size()) return configuration;
    text.remove_prefix(comma + 1);
  }
}

bool IsAvailable(const Configuration& configuration) {
  if (!KindOf(configuration.engine)) return false;
  if (configuration.engine == "interpreter") return true;
  try {
    return tenon::Runtime{RuntimeConfigOf(configuration)}.EngineName() == configuration.engine;
  } catch (const tenon::ConfigError&) {
    return false;
  }
}

tenon::RuntimeConfig RuntimeConfigOf(const Configuration& configuration) {
  // Room for every call that fuel allows, in frames of any size.
  tenon::RuntimeConfig config = tenon::RuntimeConfig{}
                                    .WithEngine(*KindOf(configuration.engine))
                                    .WithCoreFeatures(kFeatures)
                                    .WithCanonicalNaN(configuration.has_canonical_nan)
                                    .WithMemoryLimitPages(16)
                                    .WithTableLimit(64)
                                    .WithStackLimit(std::uint64_t{4} << 20);
  if (configuration.memory == MemoryStyle::Checked) {
    config = config.WithMemoryAllocator(std::make_shared<MovingAllocator>());
  }
  return configuration.is_cpu_floor ? config.WithCpuFeatures(tenon::CpuFeatures::Floor()) : config;
}

std::vector<Configuration> AvailableConfigurations() {
  std::vector<Configuration> available;
  for (const char* text : {"interpreter", "interpreter,checked", "jit", "jit,checked", "jit,floor",
                           "jit,checked,floor"}) {
    const std::optional<Configuration> configuration = ParseConfiguration(text);
    if (IsAvailable(*configuration)) available.push_back(*configuration);
  }
  return available;
}

Bytes WithFault(const Bytes& module, PlantedFault fault) {
  Bytes changed = module;
  tenon::wasm::Module decoded;
  if (!tenon::wasm::Decode(module, {kFeatures, {}}, decoded).IsNone()) return changed;
  for (const tenon::wasm::ByteRange body : decoded.bodies) {
    tenon::wasm::WalkBody(module, body, [&](Opcode opcode, std::uint32_t offset) {
      if (opcode != fault.from) return;
      const auto code = static_cast<std::uint32_t>(fault.to);
      const std::size_t size = EncodedSize(fault.to);
      // The prefix stays; the number behind it is a LEB128.
      if (size == 1) changed[offset] = static_cast<std::uint8_t>(code);
      if (size == 2) changed[offset + 1] = static_cast<std::uint8_t>(code);
      if (size == 3) {
        changed[offset + 1] = static_cast<std::uint8_t>((code & 0x7F) | 0x80);
        changed[offset + 2] = static_cast<std::uint8_t>((code & 0xFF) >> 7);
      }
    });
  }
  return changed;
}

}  // namespace differential
