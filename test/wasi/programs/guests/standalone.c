// SPDX-License-Identifier: Apache-2.0
// What a standalone module of emscripten can do: streams, arguments, clocks, longjmp, growing; and
// what it cannot: files.

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static jmp_buf place;

__attribute__((noinline)) static void descend(int depth) {
  if (depth == 0) longjmp(place, 5);
  descend(depth - 1);
}

int main(int argc, char** argv) {
  if (argc < 2) abort();
  printf("%d: %s\n", argc, argv[1]);
  const int jumped = setjmp(place);
  if (jumped == 0) descend(3);
  printf("jumped %d\n", jumped);
  char* volatile large = malloc(40 << 20);
  if (large != 0) large[(40 << 20) - 1] = 1;
  printf("grown %d\n", large != 0);
  if (unlink("/file") != 0) printf("unlink %s\n", strerror(errno));
  if (mkdir("/folder", 0777) != 0) printf("mkdir %s\n", strerror(errno));
  char text[100];
  if (getcwd(text, sizeof text) == 0) printf("getcwd %s\n", strerror(errno));
  printf("after 2020 %d\n", time(0) > 1577836800);
  if (fgets(text, sizeof text, stdin) != 0) printf("read %s", text);
  return 9;
}
