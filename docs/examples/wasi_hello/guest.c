// SPDX-License-Identifier: Apache-2.0
// An ordinary C program, compiled with wasi-libc.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print(const char* text) { write(STDOUT_FILENO, text, strlen(text)); }

int main(int argc, char** argv) {
  print("hello, ");
  print(argc > 1 ? argv[1] : "world");
  print("\n");
  const char* mood = getenv("MOOD");
  if (mood != NULL) {
    print("in a ");
    print(mood);
    print(" mood\n");
  }
  return argc > 2 ? atoi(argv[2]) : 0;
}
