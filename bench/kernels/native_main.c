// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs a kernel natively: `kernel N REPEAT` prints the least and median CPU time and the result.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int run(int n);

static double cpu_time_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  enum { kMaxRepeat = 1000 };
  static double times[kMaxRepeat];
  if (argc != 3) return 2;
  const int n = atoi(argv[1]);
  const int repeat = atoi(argv[2]);
  if (repeat < 1 || repeat > kMaxRepeat) return 2;
  int result = 0;
  for (int i = 0; i < repeat; ++i) {
    const double begin = cpu_time_ns();
    result = run(n);
    times[i] = cpu_time_ns() - begin;
  }
  qsort(times, (size_t)repeat, sizeof times[0], compare);
  printf("{\"call_ns\": {\"min\": %.0f, \"median\": %.0f}, \"result\": [\"%d\"]}\n", times[0],
         times[repeat / 2], result);
  return 0;
}
