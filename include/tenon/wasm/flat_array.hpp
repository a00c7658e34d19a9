// SPDX-License-Identifier: Apache-2.0
/// @file
/// The array for whatever is plain.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasm {

// Elements are bytes here, also where they are pointers.
// NOLINTBEGIN(bugprone-sizeof-expression, bugprone-multi-level-implicit-pointer-conversion)

namespace detail {

/// Blocks of so many bytes or more are pages of their own: they grow without being copied, and are
/// the system's again as soon as they are let go.
inline constexpr std::size_t kMappedBytes = std::size_t{32} * 1024;

/// What a FlatArray does with bytes, apart so that it is compiled once for all types of elements.
class FlatStorage {
 protected:
  FlatStorage() = default;
  FlatStorage(const FlatStorage& other) { *this = other; }
  FlatStorage(FlatStorage&& other) noexcept { Swap(other); }
  TENON_DECL FlatStorage& operator=(const FlatStorage& other);
  FlatStorage& operator=(FlatStorage&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~FlatStorage() { Free(); }

  TENON_DECL void Swap(FlatStorage& other) noexcept;
  TENON_DECL void Free() noexcept;
  /// Makes room for `count` elements more, and for some that may follow. Throws std::bad_alloc.
  [[gnu::cold]] TENON_DECL void Grow(std::size_t count, std::size_t element_bytes);
  TENON_DECL void Erase(const void* first, const void* last) noexcept;
  /// Has room for `count` elements, which is not less than there are, and for no more.
  TENON_DECL void SetRoom(std::size_t count, std::size_t element_bytes);

  std::byte* begin_ = nullptr;
  std::byte* end_ = nullptr;
  std::byte* limit_ = nullptr;
};

}  // namespace detail

/// A vector of plain things, with the names of std::vector. Beside those it has three virtues:
/// large ones grow without being copied and give back what they had; what puts elements in is small
/// enough to be compiled in place; and a type of elements more costs the compiler little.
template <class T>
class FlatArray : private detail::FlatStorage {
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
  FlatArray(std::size_t count, const T& value) { resize(count, value); }
  FlatArray(std::initializer_list<T> values) { insert(end(), values.begin(), values.end()); }

  std::size_t size() const { return static_cast<std::size_t>(end() - begin()); }
  std::size_t capacity() const { return static_cast<std::size_t>(limit_ - begin_) / sizeof(T); }
  bool empty() const { return begin_ == end_; }
  T* data() { return begin(); }
  const T* data() const { return begin(); }
  T* begin() { return reinterpret_cast<T*>(begin_); }
  T* end() { return reinterpret_cast<T*>(end_); }
  const T* begin() const { return reinterpret_cast<const T*>(begin_); }
  const T* end() const { return reinterpret_cast<const T*>(end_); }
  auto rbegin() { return std::reverse_iterator{end()}; }
  auto rend() { return std::reverse_iterator{begin()}; }
  auto rbegin() const { return std::reverse_iterator{end()}; }
  auto rend() const { return std::reverse_iterator{begin()}; }
  T& operator[](std::size_t i) { return begin()[i]; }
  const T& operator[](std::size_t i) const { return begin()[i]; }
  T& front() { return *begin(); }
  const T& front() const { return *begin(); }
  T& back() { return end()[-1]; }
  const T& back() const { return end()[-1]; }

  void clear() { end_ = begin_; }
  void reserve(std::size_t count) {
    if (count > capacity()) SetRoom(count, sizeof(T));
  }
  void push_back(const T& value) {
    // The value may be an element.
    const T copy = value;
    if (end_ == limit_) [[unlikely]]
      Grow(1, sizeof(T));
    *end() = copy;
    end_ += sizeof(T);
  }
  template <class... Values>
  T& emplace_back(Values&&... values) {
    push_back(T(std::forward<Values>(values)...));
    return back();
  }
  void pop_back() { end_ -= sizeof(T); }
  void resize(std::size_t count) { resize(count, T{}); }
  void resize(std::size_t count, const T& value) {
    const std::size_t old = size();
    if (count > old) {
      const T copy = value;
      Ensure(count - old);
      std::fill(end(), begin() + count, copy);
    }
    end_ = begin_ + count * sizeof(T);
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
    Ensure(count);
    std::copy(first, last, end());
    end_ += count * sizeof(T);
  }
  void erase(const T* element) { Erase(element, element + 1); }
  void erase(const T* first, const T* last) { Erase(first, last); }
  void shrink_to_fit() {
    if (end_ != limit_) SetRoom(size(), sizeof(T));
  }
  void swap(FlatArray& other) noexcept { Swap(other); }

  /// Gives its memory back if it has more than `bytes`.
  void Release(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - begin_) > bytes) Free();
  }

  friend bool operator==(const FlatArray& left, const FlatArray& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end());
  }
  // NOLINTNEXTLINE(readability-identifier-naming): named as the standard does
  friend void erase(FlatArray& array, const T& value) {
    const T copy = value;
    array.erase(std::remove(array.begin(), array.end(), copy), array.end());
  }

 private:
  void Ensure(std::size_t count) {
    if (count > static_cast<std::size_t>(limit_ - end_) / sizeof(T)) Grow(count, sizeof(T));
  }
};

// NOLINTEND(bugprone-sizeof-expression, bugprone-multi-level-implicit-pointer-conversion)

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/flat_array.ipp>
#endif
