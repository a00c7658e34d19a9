// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of host_call.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tenon/budget.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/call_stack.hpp>
#include <tenon/vm/host_call.hpp>
#include <tenon/vm/instance.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// Whether a call happens in the name of no more than the calling guest.
inline bool IsForCallerAlone(const Group& group) noexcept {
  // Only guests that import each other can call on behalf of another.
  return group.call_budget == nullptr && !group.was_joined.load(std::memory_order_relaxed);
}

/// The budgets that a call happens in the name of, each once.
inline std::vector<Budget> BudgetsOf(abi::InstanceHeader& caller) {
  std::vector<Budget> budgets;
  const auto add = [&budgets](const Budget& budget) {
    if (budget && std::ranges::find(budgets, budget) == budgets.end()) budgets.push_back(budget);
  };
  const Group& group = GroupOf(caller);
  for (const CallBudget* call = group.call_budget; call != nullptr; call = call->outer) {
    add(call->budget);
  }
  const Instance* last = &InstanceOf(caller);
  if (!last->IsHost()) add(last->budget);
  if (!group.was_joined.load(std::memory_order_relaxed)) return budgets;
  for (CallStack stack{group}; stack.Next();) {
    const Instance* owner = &OwnerOf(stack.Function());
    if (owner == last || owner->IsHost()) continue;
    last = owner;
    add(owner->budget);
  }
  return budgets;
}

/// Ends the call of a function that costs more than is left; false.
inline bool RefuseCharge(const abi::FunctionRecord& callee, abi::InstanceHeader& caller,
                         std::uint64_t cost, const Budget& budget) noexcept {
  const Instance& owner = OwnerOf(callee);
  RaiseTrap(caller, TrapCode::BudgetExhausted);
  GroupOf(caller).pending_state.message +=
      ": " + FunctionDebugName(*owner.code, owner.name, callee.index) + " costs " +
      std::to_string(cost) + ", " + std::to_string(budget.Left()) + " left";
  return false;
}

}  // namespace detail

TENON_DECL void InvokeHost(const abi::FunctionRecord& callee, abi::InstanceHeader& caller,
                           abi::Slot* slots) {
  const abi::HostFunction& host = OwnerOf(callee).host->functions[callee.index].callable->Get();
  abi::FunctionRecord plain = callee;
  plain.code = host.signature->thunk;
  plain.context = host.state;
  host.signature->invoke(&plain, &caller, slots);
}

TENON_DECL bool ChargeCall(const abi::FunctionRecord& callee,
                           abi::InstanceHeader& caller) noexcept {
  const Instance& owner = OwnerOf(callee);
  const std::uint64_t cost = owner.host->functions[callee.index].policy.cost;
  if (cost == 0) return true;
  if (detail::IsForCallerAlone(GroupOf(caller))) {
    const Instance& guest = InstanceOf(caller);
    if (guest.IsHost() || !guest.budget || guest.budget.Charge(cost)) return true;
    return detail::RefuseCharge(callee, caller, cost, guest.budget);
  }
  const std::vector<Budget> budgets = detail::BudgetsOf(caller);
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    if (budgets[i].Charge(cost)) continue;
    for (std::size_t j = 0; j < i; ++j) budgets[j].Add(cost);
    return detail::RefuseCharge(callee, caller, cost, budgets[i]);
  }
  return true;
}

TENON_DECL void InvokeHostSlots(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                                abi::Slot* slots) {
  InvokeHost(*callee, *caller, slots);
}

TENON_DECL void InvokeCharged(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                              abi::Slot* slots) {
  if (ChargeCall(*callee, *caller)) InvokeHost(*callee, *caller, slots);
}

}  // namespace tenon::inline TENON_ABI::vm
