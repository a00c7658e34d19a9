// SPDX-License-Identifier: Apache-2.0
/// @file
/// The arrays of which the compiler is made.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Blocks of so many bytes or more are pages of their own: they grow without being copied, and are
/// the system's again as soon as they are let go.
inline constexpr std::size_t kMappedBytes = std::size_t{32} * 1024;

/// Makes a block of `bytes`, which is not 0, of one of `old_bytes`, which may be; keeps its
/// contents as far as they fit. Throws std::bad_alloc.
TENON_DECL void* ResizeBlock(void* block, std::size_t old_bytes, std::size_t bytes);
TENON_DECL void FreeBlock(void* block, std::size_t bytes) noexcept;

}  // namespace detail

/// A vector of plain things, with the names of std::vector. Beside those it has two virtues: large
/// ones grow without being copied and give back what they had; and what puts elements in is small
/// enough to be compiled in place.
template <class T>
class FlatArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  FlatArray() = default;
  explicit FlatArray(std::size_t count) { resize(count); }
  FlatArray(std::size_t count, const T& value) { assign(count, value); }
  FlatArray(std::initializer_list<T> values) { assign(values.begin(), values.end()); }
  FlatArray(const FlatArray& other) { assign(other.begin(), other.end()); }
  FlatArray(FlatArray&& other) noexcept { swap(other); }
  FlatArray& operator=(const FlatArray& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  FlatArray& operator=(FlatArray&& other) noexcept {
    swap(other);
    return *this;
  }
  ~FlatArray() { detail::FreeBlock(begin_, capacity() * sizeof(T)); }

  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t capacity() const { return static_cast<std::size_t>(limit_ - begin_); }
  bool empty() const { return begin_ == end_; }
  T* data() { return begin_; }
  const T* data() const { return begin_; }
  T* begin() { return begin_; }
  T* end() { return end_; }
  const T* begin() const { return begin_; }
  const T* end() const { return end_; }
  auto rbegin() { return std::reverse_iterator{end()}; }
  auto rend() { return std::reverse_iterator{begin()}; }
  auto rbegin() const { return std::reverse_iterator{end()}; }
  auto rend() const { return std::reverse_iterator{begin()}; }
  T& operator[](std::size_t i) { return begin_[i]; }
  const T& operator[](std::size_t i) const { return begin_[i]; }
  T& front() { return *begin_; }
  const T& front() const { return *begin_; }
  T& back() { return end_[-1]; }
  const T& back() const { return end_[-1]; }

  void clear() { end_ = begin_; }
  void reserve(std::size_t count) {
    if (count > capacity()) Move(count);
  }
  void push_back(const T& value) {
    // The value may be an element.
    const T copy = value;
    if (end_ == limit_) [[unlikely]]
      Grow(1);
    *end_++ = copy;
  }
  template <class... Values>
  T& emplace_back(Values&&... values) {
    push_back(T(std::forward<Values>(values)...));
    return back();
  }
  void pop_back() { --end_; }
  void resize(std::size_t count) { resize(count, T{}); }
  void resize(std::size_t count, const T& value) {
    const std::size_t old = size();
    if (count > old) {
      const T copy = value;
      Ensure(count);
      std::fill(begin_ + old, begin_ + count, copy);
    }
    end_ = begin_ + count;
  }
  void assign(std::size_t count, const T& value) {
    const T copy = value;
    clear();
    resize(count, copy);
  }
  /// The range is not of this array.
  template <std::forward_iterator Iterator>
  void assign(Iterator first, Iterator last) {
    clear();
    insert(end(), first, last);
  }
  /// At the end only; the range is not of this array.
  template <std::forward_iterator Iterator>
  void insert(const T*, const Iterator& first, const Iterator& last) {
    const auto count = static_cast<std::size_t>(std::distance(first, last));
    Ensure(size() + count);
    end_ = std::copy(first, last, end_);
  }
  void swap(FlatArray& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(limit_, other.limit_);
  }

  /// Gives its memory back if it has more than `bytes`.
  void Release(std::size_t bytes) {
    if (capacity() * sizeof(T) > bytes) FlatArray{}.swap(*this);
  }

  friend bool operator==(const FlatArray& left, const FlatArray& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end());
  }

 private:
  /// Room for `count` elements, more than that if it has to move.
  void Ensure(std::size_t count) {
    if (count > capacity()) Grow(count - size());
  }
  [[gnu::noinline]] void Grow(std::size_t by) {
    constexpr std::size_t kLeast = sizeof(T) >= 64 ? 1 : 64 / sizeof(T);
    Move(std::max({size() + by, capacity() * 2, kLeast}));
  }
  void Move(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc{};
    const std::size_t used = size();
    begin_ =
        static_cast<T*>(detail::ResizeBlock(begin_, capacity() * sizeof(T), count * sizeof(T)));
    end_ = begin_ + used;
    limit_ = begin_ + count;
  }

  T* begin_ = nullptr;
  T* end_ = nullptr;
  T* limit_ = nullptr;
};

/// Lets go of the memory of arrays that a large function has made large, so that another step can
/// have it; others keep theirs.
template <class... Arrays>
void ReleaseLarge(Arrays&... arrays) {
  constexpr std::size_t kKeptBytes = std::size_t{128} * 1024;
  (arrays.Release(kKeptBytes), ...);
}

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/flat_array.ipp>
#endif
