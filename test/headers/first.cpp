// SPDX-License-Identifier: Apache-2.0
/// @file
/// One of two translation units that include every header; check_link.py generates the lists.
#include "every_header.hpp"

const void* SecondUnitAddress();
void SecondUnitThrow();

int main() {
  // A function that both units have is one function, and an exception keeps its type between them.
  if (SecondUnitAddress() != reinterpret_cast<const void*>(&tenon::TrapText)) return 1;
  try {
    SecondUnitThrow();
  } catch (const tenon::LinkError&) {
    return 0;
  }
  return 1;
}
