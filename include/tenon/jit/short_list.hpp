// SPDX-License-Identifier: Apache-2.0
/// @file
/// Lists that hold few elements nearly always.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A vector with the names of std::vector that holds two elements in itself and asks for memory
/// only beyond that: blocks have one or two neighbours, and there are as many lists as blocks.
template <class T>
class ShortList {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  ShortList() = default;
  ShortList(std::initializer_list<T> values) { Append(values.begin(), values.size()); }
  // Implicit, as lists are given from whatever holds their elements.
  ShortList(std::span<const T> values) { Append(values.data(), values.size()); }
  ShortList(const ShortList& other) { Append(other.data(), other.size_); }
  ShortList(ShortList&& other) noexcept { Take(other); }
  ShortList& operator=(const ShortList& other) {
    if (this != &other) {
      size_ = 0;
      Append(other.data(), other.size_);
    }
    return *this;
  }
  ShortList& operator=(ShortList&& other) noexcept {
    if (this != &other) {
      Free();
      Take(other);
    }
    return *this;
  }
  ~ShortList() { Free(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return IsOwn() ? own_ : elsewhere_; }
  const T* data() const { return IsOwn() ? own_ : elsewhere_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void clear() { size_ = 0; }
  void reserve(std::size_t count) {
    if (count > capacity_) Move(static_cast<std::uint32_t>(count));
  }
  void push_back(T value) {
    if (size_ == capacity_) Move(capacity_ * 2);
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  void assign(std::size_t count, T value) {
    clear();
    reserve(count);
    size_ = static_cast<std::uint32_t>(count);
    std::fill(begin(), end(), value);
  }

 private:
  static constexpr std::uint32_t kOwn = 2;

  bool IsOwn() const { return capacity_ == kOwn; }
  void Append(const T* values, std::size_t count) {
    reserve(size_ + count);
    if (count != 0) std::memcpy(data() + size_, values, count * sizeof(T));
    size_ += static_cast<std::uint32_t>(count);
  }
  void Move(std::uint32_t capacity) {
    T* const larger = new T[capacity];
    std::memcpy(larger, data(), size_ * sizeof(T));
    Free();
    elsewhere_ = larger;
    capacity_ = capacity;
  }
  void Free() {
    if (!IsOwn()) delete[] elsewhere_;
  }
  void Take(ShortList& other) {
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, kOwn);
    if (IsOwn()) {
      std::memcpy(own_, other.own_, sizeof(own_));
    } else {
      elsewhere_ = other.elsewhere_;
    }
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = kOwn;
  union {
    T own_[kOwn] = {};
    T* elsewhere_;
  };
};

}  // namespace tenon::inline TENON_ABI::jit
