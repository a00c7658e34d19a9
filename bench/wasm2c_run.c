// SPDX-License-Identifier: Apache-2.0
/// @file
/// A kernel that wasm2c turned back into C, with the name under which native_main.c calls it.
#include "guest.h"

int run(int n);

int run(int n) {
  static Z_guest_instance_t instance;
  static int is_ready;
  if (!is_ready) {
    wasm_rt_init();
    Z_guest_init_module();
    Z_guest_instantiate(&instance);
    is_ready = 1;
  }
  return (int)Z_guestZ_run(&instance, (u32)n);
}
