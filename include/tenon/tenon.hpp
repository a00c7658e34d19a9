// SPDX-License-Identifier: Apache-2.0
/// @file
/// Everything that a host program uses.
#pragma once

#if !defined(__cpp_exceptions)
#error "tenon: the engine needs exceptions; with -fno-exceptions include tenon/bind.hpp only"
#else

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>

// IWYU pragma: begin_exports
#include <tenon/bind.hpp>
#include <tenon/budget.hpp>
#include <tenon/cache.hpp>
#include <tenon/call_context.hpp>
#include <tenon/call_result.hpp>
#include <tenon/callback.hpp>
#include <tenon/code_map_kind.hpp>
#include <tenon/code_origin.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/core_features.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/definition.hpp>
#include <tenon/error.hpp>
#include <tenon/fault.hpp>
#include <tenon/fs_config.hpp>
#include <tenon/function.hpp>
#include <tenon/global.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_buffer.hpp>
#include <tenon/guest_function.hpp>
#include <tenon/guest_object.hpp>
#include <tenon/guest_string.hpp>
#include <tenon/host_descriptor.hpp>
#include <tenon/host_module.hpp>
#include <tenon/link_policy.hpp>
#include <tenon/listener.hpp>
#include <tenon/memory.hpp>
#include <tenon/memory_allocator.hpp>
#include <tenon/module.hpp>
#include <tenon/module_config.hpp>
#include <tenon/read_file.hpp>
#include <tenon/ref.hpp>
#include <tenon/reference.hpp>
#include <tenon/result.hpp>
#include <tenon/runtime.hpp>
#include <tenon/runtime_config.hpp>
#include <tenon/signal_handlers.hpp>
#include <tenon/system.hpp>
#include <tenon/table.hpp>
#include <tenon/typed_function.hpp>
#include <tenon/typed_value.hpp>
#include <tenon/value.hpp>
#include <tenon/version.hpp>
#include <tenon/warm_up.hpp>
// IWYU pragma: end_exports

#endif
