// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 of a function to call is a Ref or a Callback: pass ExternRef
/// @file
/// A Ref passed to a guest, which must be given to its module first.
#include <tenon/bind.hpp>

struct File {};

#if TENON_MUST_NOT_COMPILE
using Call = tenon::bind::CallSignature<void(int, tenon::Ref<File>)>;
#else
using Call = tenon::bind::CallSignature<void(int, tenon::ExternRef)>;
#endif
static_assert(Call::kResultCount == 0);
