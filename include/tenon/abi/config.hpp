// SPDX-License-Identifier: Apache-2.0
/// @file
/// Version, the documented switches, and the inline namespace that keeps incompatible builds apart.
///
/// Switches (define them for every translation unit of a program, or for none):
/// - `TENON_SEPARATE_COMPILATION`: declarations only; exactly one translation unit of the program
///   is `tenon/tenon.cpp`. Without it every function is inline in the headers.
/// - `TENON_NO_JIT`: leaves the compiler out; guests run on the interpreter. With
///   TENON_SEPARATE_COMPILATION only the unit that is `tenon/tenon.cpp` looks at it.
#pragma once

/// Version of the library, as in `major.minor.patch`.
#define TENON_VERSION_MAJOR 0
#define TENON_VERSION_MINOR 1
#define TENON_VERSION_PATCH 0

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ == 1)
#error "tenon: -ffast-math and its parts break WebAssembly's floating point rules; compile without"
#endif

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "tenon: needs C++20 (-std=c++20)"
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tenon: needs a little-endian machine"
#endif

/// Whether this translation unit can hold the compiler: x86-64 Linux, and xbyak is found.
#if defined(__x86_64__) && defined(__linux__) && !defined(TENON_NO_JIT)
#if __has_include(<xbyak/xbyak.h>)
#define TENON_HAS_JIT 1
#endif
#endif
#if !defined(TENON_HAS_JIT)
#define TENON_HAS_JIT 0
#endif

#if defined(TENON_SEPARATE_COMPILATION)
#define TENON_DECL
#else
#define TENON_DECL inline
#endif

// Everything that changes the layout or the inline code of a type is part of its mangled name, so
// that objects built with different settings fail to link instead of crashing.
#if defined(__has_feature)
#define TENON_DETAIL_HAS_FEATURE(name) __has_feature(name)
#else
#define TENON_DETAIL_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || TENON_DETAIL_HAS_FEATURE(thread_sanitizer)
#define TENON_DETAIL_THREAD_SANITIZER 1
#else
#define TENON_DETAIL_THREAD_SANITIZER 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TENON_DETAIL_HAS_FEATURE(address_sanitizer)
#define TENON_DETAIL_ABI_SANITIZER asan
#elif TENON_DETAIL_THREAD_SANITIZER
#define TENON_DETAIL_ABI_SANITIZER tsan
#else
#define TENON_DETAIL_ABI_SANITIZER plain
#endif

#if defined(_GLIBCXX_DEBUG)
#define TENON_DETAIL_ABI_LIBRARY debug
#else
#define TENON_DETAIL_ABI_LIBRARY release
#endif

#if defined(TENON_SEPARATE_COMPILATION)
#define TENON_DETAIL_ABI_MODE compiled
#elif TENON_HAS_JIT
#define TENON_DETAIL_ABI_MODE header_only_jit
#else
#define TENON_DETAIL_ABI_MODE header_only
#endif

#define TENON_DETAIL_ABI_JOIN2(major, minor, mode, sanitizer, library) \
  v##major##_##minor##_##mode##_##sanitizer##_##library
#define TENON_DETAIL_ABI_JOIN(major, minor, mode, sanitizer, library) \
  TENON_DETAIL_ABI_JOIN2(major, minor, mode, sanitizer, library)

/// The inline namespace directly below `tenon`.
#define TENON_ABI                                                                        \
  TENON_DETAIL_ABI_JOIN(TENON_VERSION_MAJOR, TENON_VERSION_MINOR, TENON_DETAIL_ABI_MODE, \
                        TENON_DETAIL_ABI_SANITIZER, TENON_DETAIL_ABI_LIBRARY)
