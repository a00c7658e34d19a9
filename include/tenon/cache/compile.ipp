// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of compile.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/digest.hpp>
#include <tenon/cache/code_map.hpp>
#include <tenon/cache/compile.hpp>
#include <tenon/cache/entry.hpp>
#include <tenon/cache/file.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/name_section.hpp>
#include <tenon/wasm/sha256.hpp>
#include <tenon/wasm/validator.hpp>

namespace tenon::inline TENON_ABI::cache {

namespace detail {

[[gnu::cold]] inline wasm::DecodeOptions DecodeOptionsOf(const vm::Store& store, bool is_host) {
  wasm::DecodeOptions options;
  // What the builder of a host module lets through.
  options.features = is_host ? CoreFeatures::V2()
                                   .SetEnabled(Feature::Memory64, true)
                                   .SetEnabled(Feature::Threads, true)
                             : store.settings.features;
  return options;
}

[[gnu::cold]] inline vm::CompileSettings CompileSettingsOf(const vm::Store& store) {
  vm::CompileSettings settings;
  settings.interruptible = store.settings.close_on_context_done;
  settings.canonical_nan = store.settings.canonical_nan;
  settings.guard_pages = store.settings.signal_handlers != SignalHandlers::None &&
                         store.settings.memory_allocator == nullptr;
  settings.cpu = store.settings.cpu;
  settings.conduct.threads = store.settings.compilation_threads;
  if (store.settings.compilation_progress) {
    settings.conduct.progress = &store.settings.compilation_progress;
  }
  settings.conduct.code_map = store.settings.code_map;
  settings.conduct.gdb_jit = store.settings.gdb_jit;
  return settings;
}

/// Of the code for the memories that are expected, and of the code for all.
struct Keys {
  vm::CodeKey key;
  vm::CodeKey checked;
};

/// SHA-256 over the module and everything that changes what is made of it. Code for memories that
/// were not expected is the code of runtimes that never expect guard pages.
[[gnu::cold]] inline Keys KeysOf(const vm::Store& store, std::span<const std::uint8_t> bytes,
                                 bool is_host, const vm::CompileSettings& settings) {
  wasm::Sha256 hash;
  const auto update_number = [&](std::uint64_t number) {
    std::array<std::uint8_t, 8> little_endian{};
    for (std::size_t i = 0; i < 8; ++i) {
      little_endian[i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    hash.Update(little_endian);
  };
  const std::string_view engine = store.engine.name;
  update_number(LibraryVersion());
  update_number(engine.size());
  hash.Update({reinterpret_cast<const std::uint8_t*>(engine.data()), engine.size()});
  update_number(store.engine.revision());
  update_number(abi::LayoutDigest());
  update_number(is_host ? 1 : 0);
  update_number(store.settings.features.Bits());
  update_number(settings.interruptible ? 1 : 0);
  update_number(settings.canonical_nan ? 1 : 0);
  update_number(settings.cpu.Bits());
  update_number(settings.listeners.size());
  for (const bool listens : settings.listeners) update_number(listens ? 1 : 0);
  update_number(bytes.size());
  hash.Update(bytes);
  const auto finish = [](wasm::Sha256 whole, bool guard_pages) {
    whole.Update(std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(guard_pages ? 1 : 0)});
    return whole.Finish();
  };
  return {finish(hash, settings.guard_pages), finish(hash, false)};
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

/// `bytes` must live as long as `storage`.
[[gnu::cold]] inline std::shared_ptr<vm::ModuleCode> DecodeStored(
    const vm::Store& store, std::span<const std::uint8_t> bytes,
    std::shared_ptr<const void> storage, bool is_host) {
  auto code = std::make_shared<vm::ModuleCode>();
  code->storage = std::move(storage);
  code->is_host = is_host;
  const wasm::Fault fault = wasm::Decode(bytes, DecodeOptionsOf(store, is_host), code->module);
  if (!fault.IsNone()) {
    if (code->module.bytes.empty()) code->module.bytes = bytes;
    ThrowFault(code->module, fault);
  }
  code->names = wasm::ParseNames(code->module);
  code->externs = vm::ExternIndex{code->module};
  return code;
}

/// The same of a copy of `bytes`.
[[gnu::cold]] inline std::shared_ptr<vm::ModuleCode> DecodeCode(const vm::Store& store,
                                                                std::span<const std::uint8_t> bytes,
                                                                bool is_host) {
  auto copy = std::make_shared<const std::vector<std::uint8_t>>(bytes.begin(), bytes.end());
  const std::span<const std::uint8_t> stored{*copy};
  return DecodeStored(store, stored, std::move(copy), is_host);
}

/// Everything but the function bodies.
[[gnu::cold]] inline wasm::ValidationContext ValidateDeclarations(const vm::Store& store,
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

[[gnu::cold]] inline Listeners AskListeners(const vm::Store& store, const vm::ModuleCode& code,
                                            const vm::HostCallables* host,
                                            const std::string& name) {
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

[[gnu::cold]] inline EntryIdentity IdentityOf(const vm::Store& store, const vm::CodeKey& key,
                                              const vm::CompileSettings& settings) {
  EntryIdentity identity;
  identity.key = key;
  const std::string_view engine = store.engine.name;
  std::ranges::copy(engine.substr(0, identity.engine.size()), identity.engine.begin());
  identity.engine_revision = store.engine.revision();
  identity.version = LibraryVersion();
  identity.layout = abi::LayoutDigest();
  identity.cpu = settings.cpu.Bits();
  return identity;
}

/// Makes code of an entry that was checked; refused if it does not fit after all.
[[gnu::cold]] inline vm::Restored RestoreCode(const vm::Store& store, const FoundEntry& entry,
                                              const vm::CompileSettings& settings,
                                              std::shared_ptr<vm::ModuleCode>& out) {
  try {
    auto code = DecodeStored(store, entry.view.module, entry.owner, false);
    const wasm::ValidationContext context = ValidateDeclarations(store, *code);
    code->key = entry.view.header.key;
    const vm::Restored restored = store.engine.restore(
        context, settings, {entry.view.object, entry.owner}, code->engine_code);
    if (restored != vm::Restored::Refused) out = std::move(code);
    return restored;
  } catch (const Error&) {
    return vm::Restored::Refused;
  }
}

/// Calls a function at the end.
class Finally {
 public:
  explicit Finally(const std::function<void()>& function) : function_{function} {}
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;
  ~Finally() { function_(); }

 private:
  const std::function<void()>& function_;
};

/// Code of a module for memories that were not expected, between the levels of a persistent cache
/// and the engine. It is an entry of its own.
[[gnu::cold]] inline void SupplyVariant(
    PersistentCache& cache, const EntryIdentity& identity, const wasm::Module& module,
    const std::function<vm::Restored(const vm::StoredObject&)>& restore,
    const std::function<std::span<const std::uint8_t>()>& compile,
    const std::function<void()>& done) {
  PersistentCache::Request request{cache, identity};
  const Finally finally{done};
  const auto restore_entry = [&](const FoundEntry& entry) {
    try {
      return restore({entry.view.object, entry.owner});
    } catch (const Error&) {
      // The compiler meets with the same, and says so.
      return vm::Restored::Refused;
    }
  };
  if (request.Load(restore_entry)) {
    cache.CountVariant(true);
    return;
  }
  const std::span<const std::uint8_t> object = compile();
  cache.CountVariant(false);
  request.Keep(module.bytes, [&] { return object; });
}

/// `serialized`: where code for the module may come from besides the store's cache; or null.
/// `origin` is set unless it is null.
[[gnu::cold]] inline std::shared_ptr<vm::CompiledState> Compile(
    const std::shared_ptr<vm::Store>& store, std::span<const std::uint8_t> bytes, bool is_host,
    std::string name, std::shared_ptr<const vm::HostCallables> host,
    const FoundEntry* serialized = nullptr, CodeOrigin* origin = nullptr) {
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
  const auto compile = [&] {
    if (decoded == nullptr) {
      decoded = DecodeCode(*store, bytes, is_host);
      context = ValidateDeclarations(*store, *decoded);
    }
    CompileBodies(*store, settings, context, *decoded);
  };
  const Keys keys = KeysOf(*store, bytes, is_host, settings);
  const vm::CodeKey& key = keys.key;
  const std::shared_ptr<CodeMap>& map = store->settings.cache;
  const bool is_kept = map != nullptr && map->Persistent() != nullptr && !is_host &&
                       bytes.size() >= store->engine.least_stored;
  if (is_kept && settings.guard_pages && store->engine.link != nullptr) {
    // The code holds this, and the cache may hold the code.
    settings.conduct.variant_keeper =
        [cache = map->Persistent(), identity = IdentityOf(*store, keys.checked, settings)](
            const wasm::Module& module, const auto& restore, const auto& make, const auto& done) {
          SupplyVariant(*cache, identity, module, restore, make, done);
        };
  }
  // Outlives the time that others wait for the code.
  std::optional<PersistentCache::Request> request;
  const auto make = [&](bool& was_loaded) -> std::shared_ptr<const vm::ModuleCode> {
    std::shared_ptr<vm::ModuleCode> restored;
    const auto restore = [&](const FoundEntry& entry) {
      return RestoreCode(*store, entry, settings, restored);
    };
    was_loaded = serialized != nullptr &&
                 CompareEntry(serialized->view.header, IdentityOf(*store, key, settings)) ==
                     EntryFault::None &&
                 restore(*serialized) != vm::Restored::Refused;
    if (was_loaded) return restored;
    // The code of host modules is their callables, which have no bytes.
    if (is_kept) {
      request.emplace(*map->Persistent(), IdentityOf(*store, key, settings));
      was_loaded = request->Load(restore);
      if (was_loaded) return restored;
    }
    compile();
    decoded->key = key;
    std::vector<std::uint8_t> object;
    const auto give_object = [&] {
      object = store->engine.store(*decoded->engine_code);
      return std::span<const std::uint8_t>{object};
    };
    if (request.has_value()) request->Keep(decoded->module.bytes, give_object);
    return decoded;
  };
  bool was_loaded = false;
  CodeOrigin found = CodeOrigin::InMemory;
  const auto make_and_note = [&](bool& loaded) {
    std::shared_ptr<const vm::ModuleCode> code = make(loaded);
    found = loaded ? CodeOrigin::Loaded : CodeOrigin::Compiled;
    return code;
  };
  state->code = map != nullptr ? map->FindOrMake(key, make_and_note) : make_and_note(was_loaded);
  if (origin != nullptr) *origin = found;
  state->name = is_host ? std::move(name) : std::string{state->code->names.ModuleName()};
  return state;
}

}  // namespace detail

TENON_DECL std::shared_ptr<vm::CompiledState> CompileGuest(const std::shared_ptr<vm::Store>& store,
                                                           std::span<const std::uint8_t> bytes,
                                                           CodeOrigin* origin) {
  return detail::Compile(store, bytes, false, {}, nullptr, nullptr, origin);
}

TENON_DECL std::shared_ptr<vm::CompiledState> CompileHost(
    const std::shared_ptr<vm::Store>& store, std::vector<std::uint8_t> bytes, std::string name,
    std::shared_ptr<const vm::HostCallables> host) {
  return detail::Compile(store, bytes, true, std::move(name), std::move(host));
}

[[gnu::cold]] TENON_DECL std::vector<std::uint8_t> Serialize(
    const vm::CompiledState& state, std::span<const std::uint8_t> mac_key) {
  const vm::Store& store = *state.store;
  const vm::ModuleCode& code = *state.code;
  if (code.is_host) {
    throw ConfigError{
        ErrorCode::SerializeRefused,
        FormatError(ErrorCode::SerializeRefused, {"the callables of host modules have no bytes"})};
  }
  return BuildEntry(detail::IdentityOf(store, code.key, detail::CompileSettingsOf(store)),
                    code.module.bytes, store.engine.store(*code.engine_code), mac_key);
}

[[gnu::cold]] TENON_DECL std::shared_ptr<vm::CompiledState> Deserialize(
    const std::shared_ptr<vm::Store>& store, std::span<const std::uint8_t> entry,
    std::span<const std::uint8_t> mac_key) {
  // What is checked must not change any more, and code needs pages of its own.
  FileMapping copy = MapCopy(entry);
  FoundEntry found;
  const EntryFault fault = CheckEntry(copy.bytes, {mac_key, false}, found.view);
  if (fault != EntryFault::None) {
    throw ConfigError{ErrorCode::SerializedModule,
                      FormatError(ErrorCode::SerializedModule, {EntryFaultText(fault)})};
  }
  found.owner = std::move(copy.owner);
  return detail::Compile(store, found.view.module, false, {}, nullptr, &found);
}

}  // namespace tenon::inline TENON_ABI::cache
