// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arguments of a GuestFunction, which are in the guest's memory for the time of a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/guest_call.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_buffer.hpp>

namespace tenon::inline TENON_ABI::detail {

/// A block that is given back.
class ScopedGuestBlock {
 public:
  ScopedGuestBlock(const GuestCallScope& scope, const GuestBlock& block)
      : scope_{scope}, block_{block} {}
  ScopedGuestBlock(const ScopedGuestBlock&) = delete;
  ScopedGuestBlock& operator=(const ScopedGuestBlock&) = delete;
  ~ScopedGuestBlock() { scope_.allocator.FreeBlock(block_, scope_.context); }

  std::uint32_t Offset() const noexcept { return block_.offset; }

 private:
  const GuestCallScope& scope_;
  GuestBlock block_;
};

/// One argument of a call, in the guest's memory as long as this lives. `PassTo` calls something
/// with its operands; `Store` writes them and returns where the next go; `CopyBack` is for what the
/// guest may have changed.
template <class T, bind::LoweredKind kKind = bind::detail::Lowered<T>::kKind>
class GuestArgument {
 public:
  GuestArgument(const GuestCallScope&, const T& value) : value_{value} {}
  abi::Slot* Store(abi::Slot* slots, bool) const {
    using Mapping = bind::Scalar<std::remove_const_t<T>>;
    bind::ToSlot(slots, Mapping::To(value_));
    return slots + bind::SlotsOf(Mapping::kWire);
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(value_);
  }
  void CopyBack() const noexcept {}

 private:
  const T& value_;
};

template <class T>
class GuestArgument<T, bind::LoweredKind::Elements> {
  using Lowered = bind::detail::Lowered<T>;
  using View = typename Lowered::Argument;
  using Value = typename Lowered::Value;

 public:
  GuestArgument(const GuestCallScope& scope, const View& view)
      : scope_{scope},
        view_{view},
        block_{scope,
               LowerValues<Lowered::kIsCopiedIn, Value>(scope, view.data(), view.size(), kClass)} {}

  abi::Slot* Store(abi::Slot* slots, bool is_object) const {
    *slots++ = block_.Offset();
    if (!is_object) *slots++ = static_cast<std::uint32_t>(view_.size());
    return slots;
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(block_.Offset(), static_cast<std::uint32_t>(view_.size()));
  }
  void CopyBack() const {
    if constexpr (Lowered::kIsCopiedBack) {
      RaiseValues(scope_, block_.Offset(), view_.data(), view_.size());
    }
  }

 private:
  static constexpr GuestClass kClass =
      std::is_same_v<Value, char16_t> ? GuestClass::String : GuestClass::ArrayBuffer;

  const GuestCallScope& scope_;
  const View& view_;
  ScopedGuestBlock block_;
};

template <class T>
class GuestArgument<T, bind::LoweredKind::Value> {
  using Lowered = bind::detail::Lowered<T>;
  using Value = typename Lowered::Value;

 public:
  GuestArgument(const GuestCallScope& scope, typename Lowered::Argument value)
      : scope_{scope},
        value_{value},
        block_{scope, LowerValues<Lowered::kIsCopiedIn, Value>(scope, std::addressof(value), 1,
                                                               GuestClass::ArrayBuffer)} {}

  abi::Slot* Store(abi::Slot* slots, bool) const {
    *slots = block_.Offset();
    return slots + 1;
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(block_.Offset());
  }
  void CopyBack() const {
    if constexpr (Lowered::kIsCopiedBack) {
      RaiseValues(scope_, block_.Offset(), std::addressof(value_), 1);
    }
  }

 private:
  const GuestCallScope& scope_;
  typename Lowered::Argument value_;
  ScopedGuestBlock block_;
};

template <class T>
class GuestArgument<T, bind::LoweredKind::Text> {
 public:
  GuestArgument(const GuestCallScope& scope, std::string_view text)
      : block_{scope, Lower(scope, text)} {}

  abi::Slot* Store(abi::Slot* slots, bool) const {
    *slots = block_.Offset();
    return slots + 1;
  }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee(block_.Offset());
  }
  void CopyBack() const noexcept {}

 private:
  static GuestBlock Lower(const GuestCallScope& scope, std::string_view text) {
    const std::uint64_t size = std::uint64_t{text.size()} + 1;
    const GuestBlock block =
        scope.allocator.AllocateBlock(size, 1, GuestClass::ArrayBuffer, scope.context);
    std::uint8_t* const to = scope.allocator.BytesAt(block.offset, size);
    // It may be a view of the same memory.
    if (!text.empty()) std::memmove(to, text.data(), text.size());
    to[text.size()] = 0;
    return block;
  }

  ScopedGuestBlock block_;
};

template <class T>
class GuestArgument<T, bind::LoweredKind::Flat> {
  using Value = typename bind::detail::Lowered<T>::Value;
  using Layout = bind::FlatLayout<Value>;
  using Indices = std::make_index_sequence<Layout::kCount>;

 public:
  GuestArgument(const GuestCallScope&, const Value& value) : value_{value} {}

  abi::Slot* Store(abi::Slot* slots, bool) const { return StoreLeaves(slots, Indices{}); }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return PassLeaves(callee, Indices{});
  }
  void CopyBack() const noexcept {}

 private:
  template <std::size_t... I>
  abi::Slot* StoreLeaves(abi::Slot* slots, std::index_sequence<I...>) const {
    ((slots = StoreLeaf<typename Layout::template Leaf<I>>(slots, Layout::template Get<I>(value_))),
     ...);
    return slots;
  }
  template <class Leaf>
  static abi::Slot* StoreLeaf(abi::Slot* slots, const Leaf& leaf) {
    bind::ToSlot(slots, bind::Scalar<Leaf>::To(leaf));
    return slots + bind::SlotsOf(bind::Scalar<Leaf>::kWire);
  }
  template <class Callee, std::size_t... I>
  decltype(auto) PassLeaves(const Callee& callee, std::index_sequence<I...>) const {
    return callee(Layout::template Get<I>(value_)...);
  }

  const Value& value_;
};

/// Arguments, made from left to right and given back from right to left.
template <class... A>
class GuestArguments {
 public:
  explicit GuestArguments(const GuestCallScope&) {}
  abi::Slot* Store(abi::Slot* slots, bool) const { return slots; }
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return callee();
  }
  void CopyBack() const {}
};
template <class First, class... Rest>
class GuestArguments<First, Rest...> {
 public:
  GuestArguments(const GuestCallScope& scope, const bind::GuestArgumentOf<First>& first,
                 const bind::GuestArgumentOf<Rest>&... rest)
      : first_{scope, first}, rest_{scope, rest...} {}
  abi::Slot* Store(abi::Slot* slots, bool has_objects) const {
    return rest_.Store(first_.Store(slots, has_objects), has_objects);
  }
  /// Calls `callee` with all operands, and returns what it returns.
  template <class Callee>
  decltype(auto) PassTo(const Callee& callee) const {
    return first_.PassTo([&](const auto&... own) -> decltype(auto) {
      return rest_.PassTo([&](const auto&... others) { return callee(own..., others...); });
    });
  }
  void CopyBack() const {
    first_.CopyBack();
    rest_.CopyBack();
  }

 private:
  GuestArgument<First> first_;
  GuestArguments<Rest...> rest_;
};

}  // namespace tenon::inline TENON_ABI::detail
