// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call is a Ref: name it ExternRef
/// @file
/// A Ref received from a guest, which must be looked up in its module.
#include <tenon/bind.hpp>

struct File {};

#if TENON_MUST_NOT_COMPILE
using Call = tenon::bind::CallSignature<tenon::Ref<File>()>;
#else
using Call = tenon::bind::CallSignature<tenon::ExternRef()>;
#endif
static_assert(Call::kResultCount < 2);
