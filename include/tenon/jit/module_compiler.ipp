// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of module_compiler.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include <tenon/jit/function_compiler.hpp>
#include <tenon/jit/module_compiler.hpp>
#include <tenon/wasm/sorted_positions.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// A thread of its own pays off from so many bytes of code on.
inline constexpr std::uint32_t kBytesPerThread = 64 * 1024;
/// Bytes of code that a worker takes at a time, one function at least.
inline constexpr std::uint32_t kBytesPerTurn = 4 * 1024;

/// Hands functions to workers, large ones first so that none is left at the end.
class FunctionQueue {
 public:
  explicit FunctionQueue(const wasm::Module& module)
      : module_{module},
        order_{wasm::SortedPositions(module.bodies.size(),
                                     [&](std::uint32_t left, std::uint32_t right) {
                                       return module.bodies[left].size > module.bodies[right].size;
                                     })} {}

  std::span<const std::uint32_t> Take() {
    const std::lock_guard lock{mutex_};
    const std::size_t first = next_;
    for (std::uint64_t bytes = 0; next_ < order_.size() && bytes < kBytesPerTurn; ++next_) {
      bytes += module_.bodies[order_[next_]].size;
    }
    return std::span{order_}.subspan(first, next_ - first);
  }
  void Stop() {
    const std::lock_guard lock{mutex_};
    next_ = order_.size();
  }

 private:
  const wasm::Module& module_;
  FlatArray<std::uint32_t> order_;
  std::mutex mutex_;
  std::size_t next_ = 0;
};

/// Counts functions that are done, and tells of them.
class ProgressCounter {
 public:
  ProgressCounter(const ProgressFunction* progress, std::uint32_t total)
      : progress_{progress}, total_{total}, step_{std::max(total / 100, 1u)} {}

  /// Any thread.
  void Add(std::uint32_t functions) { done_.fetch_add(functions, std::memory_order_relaxed); }
  /// One thread: tells if there is something worth telling.
  [[gnu::cold]] void Report() {
    if (progress_ == nullptr) return;
    const std::uint32_t done = done_.load(std::memory_order_relaxed);
    if (done - told_ < step_ && (done != total_ || told_ == total_)) return;
    told_ = done;
    (*progress_)(done, total_);
  }

 private:
  const ProgressFunction* progress_;
  const std::uint32_t total_;
  const std::uint32_t step_;
  std::atomic<std::uint32_t> done_{0};
  std::uint32_t told_ = 0;
};

}  // namespace detail

[[gnu::cold]] TENON_DECL void CompileFunctions(const FrontEndInput& input, std::uint32_t threads,
                                               std::vector<CompiledFunction>& out,
                                               const ProgressFunction* progress) {
  const wasm::Module& module = input.module;
  const auto count = static_cast<std::uint32_t>(module.bodies.size());
  out.resize(count);
  threads = std::min(threads, module.code_section.size / detail::kBytesPerThread);
  detail::ProgressCounter counter{progress, count};
  if (threads <= 1) {
    FunctionCompiler compiler{input};
    for (std::uint32_t i = 0; i < count; ++i) {
      compiler.Compile(i, out[i]);
      counter.Add(1);
      counter.Report();
    }
    return;
  }
  detail::FunctionQueue queue{module};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&](bool reports) noexcept {
    try {
      FunctionCompiler compiler{input};
      for (;;) {
        const std::span<const std::uint32_t> functions = queue.Take();
        if (functions.empty()) return;
        for (const std::uint32_t function : functions) compiler.Compile(function, out[function]);
        counter.Add(static_cast<std::uint32_t>(functions.size()));
        if (reports) counter.Report();
      }
    } catch (...) {
      queue.Stop();
      const std::lock_guard lock{error_mutex};
      if (error == nullptr) error = std::current_exception();
    }
  };
  std::vector<std::thread> helpers;
  helpers.reserve(threads - 1);
  try {
    for (std::uint32_t i = 1; i < threads; ++i) helpers.emplace_back(work, false);
  } catch (const std::system_error&) {
    // Those that there are, and this one, do it all.
    threads = static_cast<std::uint32_t>(helpers.size()) + 1;
  }
  work(true);
  for (std::thread& helper : helpers) helper.join();
  if (error != nullptr) std::rethrow_exception(error);
  counter.Report();
}

}  // namespace tenon::inline TENON_ABI::jit
