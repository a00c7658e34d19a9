// SPDX-License-Identifier: Apache-2.0
/// @file
/// From bytes to compiled modules.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/code_origin.hpp>
#include <tenon/vm/code.hpp>

namespace tenon::inline TENON_ABI::vm {
class Store;
}  // namespace tenon::inline TENON_ABI::vm

namespace tenon::inline TENON_ABI::cache {

/// Compiles a guest module through the runtime's cache, if it has one. Sets `origin` unless that is
/// null. Throws DecodeError or ValidationError.
TENON_DECL std::shared_ptr<vm::CompiledState> CompileGuest(const std::shared_ptr<vm::Store>& store,
                                                           std::span<const std::uint8_t> bytes,
                                                           CodeOrigin* origin = nullptr);

/// Compiles a host module: `bytes` is a module whose imports are the host functions, in order.
TENON_DECL std::shared_ptr<vm::CompiledState> CompileHost(
    const std::shared_ptr<vm::Store>& store, std::vector<std::uint8_t> bytes, std::string name,
    std::shared_ptr<const vm::HostCallables> host);

/// An entry (entry.hpp) of a compiled guest, signed with `mac_key` unless that is empty. Throws
/// ConfigError for host modules.
TENON_DECL std::vector<std::uint8_t> Serialize(const vm::CompiledState& state,
                                               std::span<const std::uint8_t> mac_key);

/// What CompileGuest gives for the module in `entry`, with the entry's code if it fits. Throws
/// ConfigError if the entry is damaged or not signed with `mac_key`, and what CompileGuest throws.
TENON_DECL std::shared_ptr<vm::CompiledState> Deserialize(const std::shared_ptr<vm::Store>& store,
                                                          std::span<const std::uint8_t> entry,
                                                          std::span<const std::uint8_t> mac_key);

}  // namespace tenon::inline TENON_ABI::cache

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache/compile.ipp>
#endif
