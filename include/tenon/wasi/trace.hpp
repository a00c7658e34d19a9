// SPDX-License-Identifier: Apache-2.0
/// @file
/// A readable log of what guests ask of WASI.
#pragma once

#include <functional>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/listener.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// As tenon::NewHostLoggingListenerFactory, but what WASI's functions are given and answer is
/// written as one reads it: paths as text, error numbers by name, and the numbers that a call wrote
/// to the guest's memory in place of their addresses:
///
///     --> wasi_snapshot_preview1.path_open(fd=3,dirflags=1,path="notes.txt",oflags=0,...)
///     <-- opened_fd=4,error=ESUCCESS
///
/// `write` is called with each line, without an end, in the thread of the call.
TENON_DECL FunctionListenerFactory NewLoggingListenerFactory(
    std::function<void(const std::string& line)> write, LogScopes scopes = LogScopes::All);

}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/trace.ipp>
#endif
