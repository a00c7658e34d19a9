// SPDX-License-Identifier: Apache-2.0
// The one translation unit of a program that defines TENON_SEPARATE_COMPILATION.
#if !defined(TENON_SEPARATE_COMPILATION)
#error "tenon: compile tenon.cpp only with TENON_SEPARATE_COMPILATION defined everywhere"
#endif

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

// Bodies.
#include <tenon/cache.ipp>
#include <tenon/cache/compile.ipp>
#include <tenon/compiled_module.ipp>
#include <tenon/definition.ipp>
#include <tenon/function.ipp>
#include <tenon/global.ipp>
#include <tenon/host_module.ipp>
#include <tenon/interp/interpreter.ipp>
#include <tenon/interp/side_table.ipp>
#include <tenon/listener.ipp>
#include <tenon/memory.ipp>
#include <tenon/module.ipp>
#include <tenon/module_config.ipp>
#include <tenon/read_file.ipp>
#include <tenon/runtime.ipp>
#include <tenon/system.ipp>
#include <tenon/table.ipp>
#include <tenon/vm/bulk.ipp>
#include <tenon/vm/call.ipp>
#include <tenon/vm/code.ipp>
#include <tenon/vm/extern_index.ipp>
#include <tenon/vm/group.ipp>
#include <tenon/vm/instance.ipp>
#include <tenon/vm/instantiate.ipp>
#include <tenon/vm/linker.ipp>
#include <tenon/vm/memory_instance.ipp>
#include <tenon/vm/reserved_memory.ipp>
#include <tenon/vm/store.ipp>
#include <tenon/wasi.ipp>
#include <tenon/wasm/code_builder.ipp>
#include <tenon/wasm/error_format.ipp>
#include <tenon/wasm/module_builder.ipp>
#include <tenon/wasm/name_section.ipp>
#include <tenon/wasm/validator.ipp>
#include <tenon/wasm/validator_sink.ipp>
#include <tenon/wasm/validator_state.ipp>
