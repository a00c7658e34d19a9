// SPDX-License-Identifier: Apache-2.0
/// @file
/// C++ signatures of host functions as people read them.
#pragma once

#include <cstdint>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/abi/host_function.hpp>

namespace tenon::inline TENON_ABI::vm {

/// The type that a text of bind::Spell is about, with fundamental types as the compiler names them.
TENON_DECL std::string CppTypeName(const char* spelling);

/// The C++ signature of a host function, as in "int(tenon::Module&, std::string_view)"; "" if it
/// was not made from a C++ type.
TENON_DECL std::string CppSignature(const abi::HostSignature& signature);

/// The type of a parameter, counted without special ones; "" if it was not made from a C++ type.
TENON_DECL std::string CppParameterType(const abi::HostSignature& signature,
                                        std::uint32_t parameter);

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/spelling.ipp>
#endif
