// SPDX-License-Identifier: Apache-2.0
/// @file
/// Parameters and results that stand for something of the host's or the guest's: Ref and Callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/function_shape.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/fwd.hpp>
#include <tenon/ref.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class HandleKind : std::uint8_t { None, Reference, Callback };

/// What kind of handle a type is, and the wire kind it crosses as.
template <class T>
struct HandleTraits {
  static constexpr HandleKind kKind = HandleKind::None;
};
template <class T>
struct HandleTraits<Ref<T, AsExternRef>> {
  static constexpr HandleKind kKind = HandleKind::Reference;
  static constexpr WireKind kWire = WireKind::ExternRef;
};
template <class T>
struct HandleTraits<Ref<T, AsHandle>> {
  static constexpr HandleKind kKind = HandleKind::Reference;
  static constexpr WireKind kWire = WireKind::I32;
};
template <class S>
struct HandleTraits<Callback<S, AsFuncRef>> {
  static constexpr HandleKind kKind = HandleKind::Callback;
  static constexpr WireKind kWire = WireKind::FuncRef;
  using Signature = S;
};
template <class S>
struct HandleTraits<Callback<S, AsTableIndex>> {
  static constexpr HandleKind kKind = HandleKind::Callback;
  static constexpr WireKind kWire = WireKind::I32;
  using Signature = S;
};

/// Defined by call_signature.hpp.
template <class S>
struct CallSignature;

namespace detail {

/// The entry that a token refers to, whatever its bits are: null if it is of no chunk of the
/// caller's linkage group. Whether the token is still the entry's is for the caller to see.
inline abi::ReferenceEntry* EntryOf(const abi::InstanceHeader* caller,
                                    std::uint64_t token) noexcept {
  const abi::ReferenceDirectory* const directory = caller->exec->references;
  if (directory == nullptr) return nullptr;
  const auto index = static_cast<std::uint32_t>(token) & abi::kReferenceIndexMask;
  abi::ReferenceChunk* const chunk =
      __atomic_load_n(&directory->chunks[index >> abi::kReferenceChunkBits], __ATOMIC_ACQUIRE);
  if (chunk == nullptr || __atomic_load_n(&chunk->group, __ATOMIC_RELAXED) != caller->exec) {
    return nullptr;
  }
  return &chunk->entries[index & (abi::kReferenceChunkSize - 1)];
}

/// The live entry of a token as it crosses; null if there is none. Half a token is none, unless it
/// was given out so. The type is not looked at.
template <class Token>
inline abi::ReferenceEntry* LiveEntryOf(const abi::InstanceHeader* caller, Token token) noexcept {
  abi::ReferenceEntry* const entry = EntryOf(caller, token);
  if (entry == nullptr || static_cast<Token>(entry->token) != token || entry->type == nullptr) {
    return nullptr;
  }
  const bool is_whole = sizeof(Token) == sizeof(entry->token);
  return is_whole || (entry->flags & abi::kReferenceIsHandle) != 0 ? entry : nullptr;
}

[[gnu::cold, gnu::noinline]] inline void FailReference(abi::InstanceHeader* caller, bool is_live,
                                                       std::uint32_t parameter) noexcept {
  caller->operations->raise_parameter_trap(
      caller, is_live ? TrapCode::ReferenceTypeMismatch : TrapCode::StaleReference, parameter);
}

/// Takes a Ref from its operand; see Parameter.
template <class T>
struct ReferenceParameter;
template <class T, class Form>
struct ReferenceParameter<Ref<T, Form>> {
  static constexpr WireKind kWire = HandleTraits<Ref<T, Form>>::kWire;

  static bool Accepts(const abi::ReferenceEntry& entry) noexcept {
    return std::is_void_v<T> || entry.type == Ref<T, Form>::TypeTag();
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    const Native<kWire> token = Get<kWire>(*operands);
    if (token == 0) return true;
    const abi::ReferenceEntry* const entry = LiveEntryOf(caller, token);
    if (entry != nullptr && Accepts(*entry)) [[likely]]
      return true;
    FailReference(caller, entry != nullptr, parameter);
    return false;
  }
  /// Looks again: a conversion since the check may have ended the reference, which is null then.
  static Ref<T, Form> Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    const Native<kWire> token = Get<kWire>(*operands);
    abi::ReferenceEntry* const entry = token != 0 ? LiveEntryOf(caller, token) : nullptr;
    return entry != nullptr && Accepts(*entry) ? Ref<T, Form>{*entry} : Ref<T, Form>{};
  }
};

/// Gives the caller a reference: its token, 0 for null. False if that left a trap pending.
template <class T, class Form>
inline bool GiveReference(abi::InstanceHeader* caller, Ref<T, Form>& ref,
                          std::uint64_t& token) noexcept {
  token = 0;
  if (ref.IsNull()) return true;
  if (abi::ReferenceEntry* const entry = ref.Entry(); entry != nullptr) {
    // One that a guest has already goes back as it is.
    if (LiveEntryOf(caller, entry->token) != entry) {
      caller->operations->raise_trap(caller, TrapCode::ResultOutOfRange,
                                     "a reference of another linkage group, or one that was ended");
      return false;
    }
    token = entry->token;
    return true;
  }
  token = caller->operations->issue_reference(caller, ref.Request());
  if (token == 0) {
    caller->operations->raise_trap(caller, TrapCode::ReferenceLimit, nullptr);
    return false;
  }
  ref.ForgetOwner();
  return true;
}

/// Takes a Callback from its operand; see Parameter. `Callback` is defined by callback.hpp.
template <class T>
struct CallbackParameter {
  static constexpr WireKind kWire = HandleTraits<T>::kWire;
  using Shape = CallSignature<typename HandleTraits<T>::Signature>;
  static constexpr abi::FunctionTypes kTypes = {Shape::Parameters().data(), Shape::Results().data(),
                                                Shape::kParameterCount, Shape::kResultCount};
  static constexpr std::uint64_t kShape =
      abi::ShapeOf(kTypes.parameters, kTypes.parameter_count, kTypes.results, kTypes.result_count);

  static const abi::FunctionRecord* Find([[maybe_unused]] abi::InstanceHeader* caller,
                                         Native<kWire> native) noexcept {
    if constexpr (kWire == WireKind::FuncRef) {
      return reinterpret_cast<const abi::FunctionRecord*>(native);
    } else {
      const abi::Slot* const element = caller->operations->function_element(caller, native);
      return element == nullptr ? nullptr : reinterpret_cast<const abi::FunctionRecord*>(*element);
    }
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    const Native<kWire> native = Get<kWire>(*operands);
    const abi::FunctionRecord* const function = Find(caller, native);
    if (function != nullptr && function->shape == kShape && kShape != 0) [[likely]]
      return true;
    if (native == 0 && function == nullptr) return true;
    return CheckSlowly(caller, function, native, parameter);
  }
  /// Looks again: a conversion since the check may have changed the table.
  static T Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    const abi::FunctionRecord* const function = Find(caller, Get<kWire>(*operands));
    return T{function != nullptr && Fits(caller, function) ? function : nullptr};
  }

 private:
  static bool Fits([[maybe_unused]] abi::InstanceHeader* caller,
                   const abi::FunctionRecord* function) noexcept {
    if constexpr (kShape != 0) {
      return function->shape == kShape;
    } else {
      return caller->operations->is_of_type(function, kTypes);
    }
  }
  [[gnu::cold, gnu::noinline]] static bool CheckSlowly(abi::InstanceHeader* caller,
                                                       const abi::FunctionRecord* function,
                                                       Native<kWire> native,
                                                       std::uint32_t parameter) noexcept {
    if (function != nullptr) {
      return caller->operations->check_callback(caller, function, kTypes, parameter);
    }
    bool is_beyond = false;
    if constexpr (kWire == WireKind::I32) {
      is_beyond = caller->operations->function_element(caller, native) == nullptr;
    }
    caller->operations->raise_parameter_trap(
        caller, is_beyond ? TrapCode::UndefinedElement : TrapCode::UninitializedElement, parameter);
    return false;
  }
};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
