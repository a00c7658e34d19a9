// SPDX-License-Identifier: Apache-2.0
/// @file
/// Extensions of the processor, under the name by which this room knew them first.
#pragma once

#include <tenon/cpu_features.hpp>
