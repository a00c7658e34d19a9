// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call cannot end a guest
/// @file
/// A guest's function whose result would be an exit.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
using Call = tenon::bind::CallSignature<tenon::Result<int, tenon::Exit>()>;
#else
using Call = tenon::bind::CallSignature<tenon::Result<int, tenon::Errno>()>;
#endif
static_assert(Call::kResultCount < 3);
