// SPDX-License-Identifier: Apache-2.0
/// @file
/// Predicates that see the arguments of a host function before it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind.hpp>
#include <tenon/error.hpp>

namespace tenon::inline TENON_ABI::detail {

/// How a callable was bound. Nothing of it is instantiated unless a precondition is added.
template <class F>
struct CallableSource {
  using Signature = bind::detail::CallableSignature<F>;
  using Target = bind::detail::TargetOf<std::decay_t<F>>;
};
template <class Named, class F>
struct NamedSource {
  using Signature = decltype(bind::detail::NamedSignature<Named>());
  using Target = bind::detail::TargetOf<std::decay_t<F>>;
};
template <auto kFunction>
struct ConstantSource {
  using Signature =
      decltype(bind::detail::DeduceSignature<std::remove_const_t<decltype(kFunction)>>());
  using Target = bind::detail::ConstantTarget<kFunction>;
};
template <class Method, class Object>
struct MethodSource {
  using Signature = decltype(bind::detail::MethodSignature<Method>());
  using Target = bind::detail::MethodTarget<Method, bind::detail::Holder<Object>>;
};
template <auto kMethod, class Object>
struct ConstantMethodSource {
  using Method = decltype(kMethod);
  using Holder = bind::detail::Holder<Object>;
  using Signature = decltype(bind::detail::MethodSignature<Method>());
  using Target =
      std::conditional_t<std::is_pointer_v<Holder>,
                         bind::detail::ConstantMethodTarget<kMethod, std::remove_pointer_t<Holder>>,
                         bind::detail::MethodTarget<Method, Holder>>;
};

/// A bound callable and what is asked before it.
template <class Predicate>
struct PreconditionState {
  std::shared_ptr<const bind::OwnedHostFunction> function;
  Predicate predicate;
};

[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseCall(std::string_view reason) {
  std::string text = TrapText(TrapCode::PreconditionFailed);
  if (!reason.empty()) text.append(": ").append(reason);
  throw Trap{TrapCode::PreconditionFailed, text, {}};
}

/// Throws the trap that an answer stands for, if it refuses.
template <class Answer>
void Judge(const Answer& answer) {
  if constexpr (std::is_same_v<Answer, bool>) {
    if (!answer) RefuseCall("");
  } else if constexpr (std::is_pointer_v<Answer>) {
    if (answer != nullptr && *answer != '\0') RefuseCall(answer);
  } else if constexpr (std::is_convertible_v<const Answer&, std::string_view>) {
    if (const std::string_view reason = answer; !reason.empty()) RefuseCall(reason);
  } else {
    if (answer.has_value()) RefuseCall(*answer);
  }
}

/// Whether an answer is a bool, a text, or an optional text.
template <class Answer>
consteval bool IsAnswer() {
  if constexpr (std::is_void_v<Answer>) {
    return false;
  } else if constexpr (std::is_same_v<Answer, bool> ||
                       std::is_convertible_v<const Answer&, std::string_view>) {
    return true;
  } else {
    return requires(const Answer& answer) {
      answer.has_value();
      requires std::is_convertible_v<decltype(*answer), std::string_view>;
    };
  }
}

/// Asks the predicate with all arguments but the first kSkipped.
template <std::size_t, class Predicate>
decltype(auto) Ask(Predicate& predicate) {
  return predicate();
}
template <std::size_t kSkipped, class Predicate, class First, class... Rest>
decltype(auto) Ask(Predicate& predicate, First& first, Rest&... rest) {
  if constexpr (kSkipped == 0) {
    return predicate(first, rest...);
  } else {
    static_cast<void>(first);
    return Ask<kSkipped - 1>(predicate, rest...);
  }
}

/// The arguments as a predicate sees them: special ones as they are, others constant.
template <bool kIsSpecial, class P>
using Seen =
    std::conditional_t<kIsSpecial, std::remove_reference_t<P>&, const std::remove_cvref_t<P>&>;

/// A parameter list behind its first kSkipped, as a predicate sees it.
template <std::size_t kSkipped, std::size_t kSpecial, class... P>
struct SeenList;
template <std::size_t kSpecial, class... P>
struct SeenList<0, kSpecial, P...> {
  template <std::size_t... I>
  static consteval auto Types(std::index_sequence<I...>)
      -> bind::Signature<void, Seen<(I < kSpecial), P>...>;
  using Type = decltype(Types(std::index_sequence_for<P...>{}));
};
template <std::size_t kSkipped, std::size_t kSpecial, class First, class... P>
  requires(kSkipped > 0)
struct SeenList<kSkipped, kSpecial, First, P...> : SeenList<kSkipped - 1, kSpecial - 1, P...> {};

template <class Predicate, class... A>
consteval bool IsAskable(bind::Signature<void, A...>) {
  return std::is_invocable_v<Predicate&, A...>;
}
template <class Predicate, class... A>
auto AnswerOf(bind::Signature<void, A...>) -> std::invoke_result_t<Predicate&, A...>;

/// Position of the first parameter that cannot take its argument; SIZE_MAX if they are not as many,
/// or all could.
template <class R, class... Q, class... A>
consteval std::size_t FindUnfit(bind::Signature<R, Q...>, bind::Signature<void, A...>) {
  if constexpr (sizeof...(Q) == sizeof...(A)) {
    const bool fits[] = {std::is_convertible_v<A, Q>..., true};
    for (std::size_t i = 0; i < sizeof...(Q); ++i) {
      if (!fits[i]) return i;
    }
  }
  return SIZE_MAX;
}
template <bind::Refusal kReason, class List>
consteval std::size_t FindUnfit(bind::NoSignature<kReason>, List) {
  return SIZE_MAX;
}

/// How a predicate is asked about the arguments of a function, or why it cannot be.
struct PreconditionVerdict {
  bind::detail::Verdict verdict;
  std::size_t skipped = 0;
};

template <class Predicate, class Given, class R, class... P>
consteval PreconditionVerdict JudgePrecondition(bind::Signature<R, P...>) {
  using bind::Refusal;
  using bind::detail::Part;
  constexpr std::size_t kSpecial = bind::kLayout<P...>.special_count;
  using All = typename SeenList<0, kSpecial, P...>::Type;
  using Ordinary = typename SeenList<kSpecial, kSpecial, P...>::Type;
  if constexpr (!bind::detail::IsStorable<Predicate, Given>()) {
    return {{Refusal::NotCopyable}, 0};
  } else if constexpr (IsAskable<Predicate>(Ordinary{})) {
    constexpr bool kIsAnswer =
        IsAnswer<std::remove_cvref_t<decltype(AnswerOf<Predicate>(Ordinary{}))>>();
    return {{kIsAnswer ? Refusal::None : Refusal::PreconditionResult}, kSpecial};
  } else if constexpr (IsAskable<Predicate>(All{})) {
    constexpr bool kIsAnswer =
        IsAnswer<std::remove_cvref_t<decltype(AnswerOf<Predicate>(All{}))>>();
    return {{kIsAnswer ? Refusal::None : Refusal::PreconditionResult}, 0};
  } else {
    using Own = decltype(bind::detail::DeduceSignature<Predicate>());
    constexpr std::size_t kOrdinary = FindUnfit(Own{}, Ordinary{});
    constexpr std::size_t kUnfit = kOrdinary != SIZE_MAX ? kOrdinary : FindUnfit(Own{}, All{});
    if constexpr (kUnfit != SIZE_MAX) {
      return {{Refusal::PreconditionParameter, Part::Parameter, kUnfit}, 0};
    } else {
      return {{Refusal::PreconditionParameters}, 0};
    }
  }
}
/// The callable behind its precondition: both see the same converted arguments.
template <class Target, class Predicate, std::size_t kSkipped>
struct GuardedCallee {
  PreconditionState<Predicate>& state;

  template <class... A>
  decltype(auto) operator()(A&&... arguments) const {
    Judge(Ask<kSkipped>(state.predicate, AsSeen(arguments)...));
    auto&& callee = Target::Get(state.function->Get().state);
    return callee(static_cast<A&&>(arguments)...);
  }

 private:
  template <class A>
  static auto& AsSeen(A& argument) {
    if constexpr (bind::detail::kIsSpecialClass<std::remove_cv_t<A>>) {
      return argument;
    } else {
      return std::as_const(argument);
    }
  }
};

template <class Target, class Predicate, std::size_t kSkipped>
struct GuardedTarget {
  static auto Get(void* context) noexcept {
    return GuardedCallee<Target, Predicate, kSkipped>{
        *static_cast<PreconditionState<Predicate>*>(context)};
  }
};

template <class Source, class Predicate, std::size_t kSkipped>
struct GuardedSource {
  using Signature = typename Source::Signature;
  using Target = GuardedTarget<typename Source::Target, Predicate, kSkipped>;
};

}  // namespace tenon::inline TENON_ABI::detail
