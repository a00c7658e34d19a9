// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of compile.hpp.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include <tenon/abi/digest.hpp>
#include <tenon/cache/code_map.hpp>
#include <tenon/cache/compile.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/name_section.hpp>
#include <tenon/wasm/sha256.hpp>
#include <tenon/wasm/validator.hpp>

namespace tenon::inline TENON_ABI::cache {

namespace detail {

inline wasm::DecodeOptions DecodeOptionsOf(const vm::Store& store, bool is_host) {
  wasm::DecodeOptions options;
  options.features = is_host ? CoreFeatures::V2() : store.settings.features;
  return options;
}

inline vm::CompileSettings CompileSettingsOf(const vm::Store& store) {
  vm::CompileSettings settings;
  settings.interruptible = store.settings.close_on_context_done;
  settings.canonical_nan = store.settings.canonical_nan;
  return settings;
}

/// SHA-256 over the module and everything that changes what is made of it.
inline vm::CodeKey KeyOf(const vm::Store& store, std::span<const std::uint8_t> bytes, bool is_host,
                         const vm::CompileSettings& settings) {
  wasm::Sha256 hash;
  const auto update_number = [&](std::uint64_t number) {
    std::array<std::uint8_t, 8> little_endian{};
    for (std::size_t i = 0; i < 8; ++i) {
      little_endian[i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    hash.Update(little_endian);
  };
  const std::string_view engine = store.engine.name;
  update_number(engine.size());
  hash.Update({reinterpret_cast<const std::uint8_t*>(engine.data()), engine.size()});
  update_number(abi::LayoutDigest());
  update_number(is_host ? 1 : 0);
  update_number(store.settings.features.Bits());
  update_number(settings.interruptible ? 1 : 0);
  update_number(settings.canonical_nan ? 1 : 0);
  update_number(settings.listeners.size());
  for (const bool listens : settings.listeners) update_number(listens ? 1 : 0);
  update_number(bytes.size());
  hash.Update(bytes);
  return hash.Finish();
}

[[noreturn]] inline void ThrowFault(const wasm::Module& module, const wasm::Fault& fault) {
  std::string_view name;
  wasm::NameSection names;
  if (fault.function != wasm::kNoIndex) {
    names = wasm::ParseNames(module);
    name = names.Function(fault.function);
  }
  const std::string text = wasm::FormatFault(module, fault, name);
  if (fault.IsValidation()) {
    throw ValidationError{fault.code, text, fault.offset, fault.function};
  }
  throw DecodeError{fault.code, text, fault.offset};
}

inline std::shared_ptr<vm::ModuleCode> DecodeCode(const vm::Store& store,
                                                  std::vector<std::uint8_t> bytes, bool is_host) {
  auto code = std::make_shared<vm::ModuleCode>();
  code->bytes = std::move(bytes);
  code->is_host = is_host;
  const wasm::Fault fault =
      wasm::Decode(code->bytes, DecodeOptionsOf(store, is_host), code->module);
  if (!fault.IsNone()) {
    if (code->module.bytes.empty()) code->module.bytes = code->bytes;
    ThrowFault(code->module, fault);
  }
  code->names = wasm::ParseNames(code->module);
  code->SortExports();
  return code;
}

/// Everything but the function bodies.
inline wasm::ValidationContext ValidateDeclarations(const vm::Store& store,
                                                    const vm::ModuleCode& code) {
  const wasm::DecodeOptions options = DecodeOptionsOf(store, code.is_host);
  wasm::ValidationContext context;
  const wasm::Fault fault =
      wasm::ValidateModule(code.module, options.features, options.limits, context);
  if (!fault.IsNone()) ThrowFault(code.module, fault);
  return context;
}

inline void CompileBodies(const vm::Store& store, const vm::CompileSettings& settings,
                          const wasm::ValidationContext& context, vm::ModuleCode& code) {
  const wasm::Fault fault = store.engine.compile(context, settings, code.engine_code);
  if (!fault.IsNone()) ThrowFault(code.module, fault);
}

using Listeners = std::vector<std::shared_ptr<FunctionListener>>;

inline Listeners AskListeners(const vm::Store& store, const vm::ModuleCode& code,
                              const vm::HostCallables* host, const std::string& name) {
  Listeners listeners;
  bool any = false;
  const auto count = static_cast<std::uint32_t>(code.module.functions.size());
  listeners.resize(count);
  for (std::uint32_t i = code.is_host ? 0 : code.module.imported_functions; i < count; ++i) {
    listeners[i] = store.settings.listener_factory(vm::DefineFunction(code, host, name, i));
    any |= listeners[i] != nullptr;
  }
  if (!any) listeners.clear();
  return listeners;
}

inline std::shared_ptr<vm::CompiledState> Compile(const std::shared_ptr<vm::Store>& store,
                                                  std::vector<std::uint8_t> bytes, bool is_host,
                                                  std::string name,
                                                  std::shared_ptr<const vm::HostCallables> host) {
  auto state = std::make_shared<vm::CompiledState>();
  state->store = store;
  state->host = std::move(host);
  vm::CompileSettings settings = CompileSettingsOf(*store);
  std::shared_ptr<vm::ModuleCode> decoded;
  wasm::ValidationContext context;
  if (store->settings.listener_factory) {
    // Which functions are listened to is part of the key, so the module is needed first.
    decoded = DecodeCode(*store, bytes, is_host);
    context = ValidateDeclarations(*store, *decoded);
    const std::string shown = is_host ? name : std::string{decoded->names.ModuleName()};
    state->listeners = AskListeners(*store, *decoded, state->host.get(), shown);
    for (const auto& listener : state->listeners) settings.listeners.push_back(listener != nullptr);
  }
  const vm::CodeKey key = KeyOf(*store, bytes, is_host, settings);
  const auto make = [&]() -> std::shared_ptr<const vm::ModuleCode> {
    if (decoded == nullptr) {
      decoded = DecodeCode(*store, std::move(bytes), is_host);
      context = ValidateDeclarations(*store, *decoded);
    }
    decoded->key = key;
    CompileBodies(*store, settings, context, *decoded);
    return decoded;
  };
  state->code =
      store->settings.cache != nullptr ? store->settings.cache->FindOrMake(key, make) : make();
  state->name = is_host ? std::move(name) : std::string{state->code->names.ModuleName()};
  return state;
}

}  // namespace detail

TENON_DECL std::shared_ptr<vm::CompiledState> CompileGuest(const std::shared_ptr<vm::Store>& store,
                                                           std::span<const std::uint8_t> bytes) {
  return detail::Compile(store, {bytes.begin(), bytes.end()}, false, {}, nullptr);
}

TENON_DECL std::shared_ptr<vm::CompiledState> CompileHost(
    const std::shared_ptr<vm::Store>& store, std::vector<std::uint8_t> bytes, std::string name,
    std::shared_ptr<const vm::HostCallables> host) {
  return detail::Compile(store, std::move(bytes), true, std::move(name), std::move(host));
}

}  // namespace tenon::inline TENON_ABI::cache
