// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host objects that guests refer to: typed, owned or borrowed, with an end that is defined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

/// Its address stands for the type. Not const, so that no linker folds two of them. Default
/// visibility: shared objects agree on it where they can.
template <class T>
[[gnu::visibility("default")]] inline char reference_type = 0;

template <class Owner>
inline constexpr abi::ReferenceOwner kReferenceOwner = {
    [](void* to, void* from) noexcept {
      auto* const owner = std::launder(static_cast<Owner*>(from));
      ::new (to) Owner(std::move(*owner));
      owner->~Owner();
    },
    [](void* owner) noexcept { std::launder(static_cast<Owner*>(owner))->~Owner(); }};

}  // namespace detail

/// How a Ref crosses: as externref.
struct AsExternRef {};
/// How a Ref crosses: as an i32, for guests without reference types, such as C.
struct AsHandle {};

/// A reference to a host object of class T, which guests hold and cannot look into.
///
/// As result of a host function (or by Module::Issue) it gives the guest that called a reference to
/// the object; as parameter it takes one back. What arrives is checked: a number that was never
/// given to the guest's linkage group, or was ended, is TrapCode::StaleReference, an object of
/// another class TrapCode::ReferenceTypeMismatch; both name the parameter. Null arrives as null.
/// Classes match exactly, not their bases. A `Ref<void>` takes references of every class.
///
/// A reference that a guest holds ends, and its object with it if the reference owns it, when
/// - host code calls Drop() on it, as the host functions DropRef and DropHandle do, or
/// - the instance that it was given to is closed: at the end of the call that runs in its linkage
///   group, or at once if none runs and no open instance is linked with it; those of one instance
///   end newest first; or
/// - that instance, or the runtime, goes.
/// While a Ref exists in host code its object lives on. An instance can hold as many references as
/// RuntimeConfig::WithReferenceLimit allows.
///
/// Shared objects (plugins) that both use T agree on it if T has default visibility; else what one
/// gives out is of another class for the other.
///
/// Move-only. One thread at a time, together with all handles of the guest's linkage group.
template <class T, class Form>
class Ref {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && !std::is_const_v<T>),
                "tenon: a Ref refers to objects of a class: name it without const and without &");

 public:
  /// Null.
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}
  Ref(Ref&& other) noexcept
      : object_{std::exchange(other.object_, nullptr)},
        entry_{std::exchange(other.entry_, nullptr)},
        owner_type_{std::exchange(other.owner_type_, nullptr)} {
    if (owner_type_ != nullptr) owner_type_->move(owner_, other.owner_);
  }
  Ref& operator=(Ref&& other) noexcept {
    // What this refers to may own `other`, and goes last.
    Ref taken{std::move(other)};
    const Ref former{std::move(*this)};
    ::new (static_cast<void*>(this)) Ref(std::move(taken));
    return *this;
  }
  ~Ref() {
    if (entry_ != nullptr) {
      if (--entry_->pins == 0 && (entry_->flags & abi::kReferenceEnded) != 0) [[unlikely]] {
        abi::ChunkOf(entry_)->release(entry_);
      }
    } else if (owner_type_ != nullptr) {
      owner_type_->destroy(owner_);
    }
  }

  /// A reference that owns the object: `owner` is a std::unique_ptr, or another smart pointer of at
  /// most two words whose move does not throw. A null pointer gives the null reference.
  template <class Owner>
    requires(!std::is_lvalue_reference_v<Owner> && !std::is_pointer_v<Owner>)
  static Ref Own(Owner&& owner) noexcept {
    static_assert(sizeof(Owner) <= abi::kReferenceOwnerSize && alignof(Owner) <= alignof(void*) &&
                      std::is_nothrow_move_constructible_v<Owner>,
                  "tenon: the owner of a Ref is a smart pointer of at most two words");
    Ref ref;
    if (owner) {
      T* const object = __builtin_addressof(*owner);
      ref.object_ = object;
      ref.owner_type_ = &detail::kReferenceOwner<Owner>;
      ::new (static_cast<void*>(ref.owner_)) Owner(std::forward<Owner>(owner));
    }
    return ref;
  }
  /// A reference that shares the object: `owner` is a std::shared_ptr, or another smart pointer
  /// that can be copied.
  template <class Owner>
    requires(std::is_copy_constructible_v<Owner> && !std::is_pointer_v<Owner>)
  static Ref Share(Owner owner) noexcept {
    return Own(std::move(owner));
  }
  /// A reference to an object that the host keeps for as long as any guest may use the reference.
  template <class U>
    requires(std::is_same_v<U, T>)
  static Ref Borrow(U& object) noexcept {
    Ref ref;
    ref.object_ = __builtin_addressof(object);
    return ref;
  }

  bool IsNull() const noexcept { return object_ == nullptr; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// The object; null for the null reference. Valid while this Ref, or the reference, exists.
  T* Get() const noexcept { return static_cast<T*>(object_); }
  T* operator->() const noexcept { return Get(); }
  std::add_lvalue_reference_t<T> operator*() const noexcept
    requires(!std::is_void_v<T>)
  {
    return *Get();
  }
  /// The owner that the reference was made with, as in `ref.OwnerAs<std::shared_ptr<File>>()`; null
  /// if it is of another type, or if the object is borrowed. To keep a shared object, copy it.
  template <class Owner>
  const Owner* OwnerAs() const noexcept {
    const bool is_issued = entry_ != nullptr;
    const abi::ReferenceOwner* const type = is_issued ? entry_->owner_type : owner_type_;
    if (type != &detail::kReferenceOwner<Owner>) return nullptr;
    return std::launder(reinterpret_cast<const Owner*>(is_issued ? entry_->owner : owner_));
  }

  /// Ends the guest's reference: it arrives nowhere any more. The object goes with the last Ref to
  /// it in host code. Does nothing to null, and to what was never given to a guest or was ended.
  void Drop() const noexcept {
    if (entry_ != nullptr && entry_->type != nullptr) abi::ChunkOf(entry_)->end(entry_);
  }

  /// For the library's own rooms: of a live entry.
  explicit Ref(abi::ReferenceEntry& entry) noexcept : object_{entry.object}, entry_{&entry} {
    ++entry.pins;
  }
  abi::ReferenceEntry* Entry() const noexcept { return entry_; }
  abi::ReferenceRequest Request() noexcept {
    return {TypeTag(), object_, owner_type_, owner_, std::is_same_v<Form, AsHandle>};
  }
  /// The owner was moved out of the request.
  void ForgetOwner() noexcept { owner_type_ = nullptr; }
  static const void* TypeTag() noexcept { return &detail::reference_type<T>; }

 private:
  void* object_ = nullptr;
  abi::ReferenceEntry* entry_ = nullptr;             ///< of a reference that a guest has, pinned
  const abi::ReferenceOwner* owner_type_ = nullptr;  ///< until a guest has it
  alignas(void*) unsigned char owner_[abi::kReferenceOwnerSize];
};

/// A Ref that crosses as an i32, for guests without reference types. 0 is null.
template <class T>
using Handle = Ref<T, AsHandle>;

/// A host function to export: ends a reference of any class. Null is ignored.
inline void DropRef(Ref<void> reference) { reference.Drop(); }
/// The same for handles.
inline void DropHandle(Handle<void> handle) { handle.Drop(); }

}  // namespace tenon::inline TENON_ABI
