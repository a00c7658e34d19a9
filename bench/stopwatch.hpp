// SPDX-License-Identifier: Apache-2.0
/// @file
/// CPU and wall time of repeated work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <time.h>

namespace bench {

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Nanoseconds of a clock of the machine.
inline double ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Times of repetitions, in nanoseconds. CPU time is that of all threads of the process, so that
/// other users of the machine matter little.
class Series {
 public:
  /// Runs `work` once and adds its times, also if it throws.
  template <class Work>
  void Time(Work&& work) {
    struct Timer {
      Series& series;
      const double wall = ReadClock(CLOCK_MONOTONIC);
      const double cpu = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
      ~Timer() {
        const double cpu_end = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
        series.cpu_.push_back(cpu_end - cpu);
        series.wall_.push_back(ReadClock(CLOCK_MONOTONIC) - wall);
      }
    };
    const Timer timer{*this};
    std::forward<Work>(work)();
  }

  /// The same for work that is too short for the clock of CPU time, whose reading is a system call:
  /// wall time alone.
  template <class Work>
  void TimeWall(Work&& work) {
    const double begin = ReadClock(CLOCK_MONOTONIC);
    std::forward<Work>(work)();
    wall_.push_back(ReadClock(CLOCK_MONOTONIC) - begin);
  }

  bool IsEmpty() const { return cpu_.empty(); }
  /// The CPU times, in the order of the repetitions.
  const std::vector<double>& Cpu() const { return cpu_; }
  double MinCpu() const { return *std::min_element(cpu_.begin(), cpu_.end()); }
  double MedianCpu() const { return Median(cpu_); }
  double MinWall() const { return *std::min_element(wall_.begin(), wall_.end()); }
  double MedianWall() const { return Median(wall_); }

 private:
  std::vector<double> cpu_;
  std::vector<double> wall_;
};

}  // namespace bench
