// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/trace.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/definition.hpp>
#include <tenon/listener.hpp>
#include <tenon/listener.ipp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/typed_value.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/trace.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

/// Of one of WASI's functions.
class TraceListener final : public tenon::detail::LoggingListener {
 public:
  using LoggingListener::LoggingListener;

  void Before(Module& module, const FunctionDefinition& function, const TypedValues& arguments,
              StackIterator& stack) override {
    LoggingListener::Before(module, function, arguments, stack);
    std::vector<Written> places;
    for (const TypedValue argument : arguments) {
      const std::size_t width = WidthOf(argument.CppType());
      if (width == 0 || !argument.Name().starts_with(kResult)) continue;
      places.push_back(
          {std::string{argument.Name().substr(kResult.size())}, argument.U32(), width});
    }
    Pending().push_back(std::move(places));
  }
  void Abort(Module& module, const FunctionDefinition& function,
             const std::exception_ptr& error) override {
    Pending().pop_back();
    LoggingListener::Abort(module, function, error);
  }

 protected:
  [[gnu::cold]] std::string ArgumentsText(Module& module, const TypedValues& arguments) override {
    std::string line;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view name = arguments[i].Name();
      if (name.starts_with(kResult)) continue;
      if (!line.empty()) line += ",";
      const std::optional<std::string> text = TextOfView(module, arguments, i, IsPath);
      if (!text.has_value()) {
        line += arguments[i].Text();
        continue;
      }
      line.append(name).append("=").append(*text);
      ++i;
    }
    return line;
  }
  [[gnu::cold]] std::string ResultsText(Module& module, const TypedValues& results) override {
    const std::vector<Written> places = std::move(Pending().back());
    Pending().pop_back();
    if (results.size() != 1) return results.Text();
    const Errno error{static_cast<std::uint16_t>(results[0].U32())};
    std::string line;
    for (const Written& place : places) {
      if (error != Errno::Success) break;
      const Memory memory = module.DefaultMemory();
      const std::uint64_t value = place.width == 2 ? memory.ReadUint16Le(place.offset).value_or(0)
                                  : place.width == 4
                                      ? memory.ReadUint32Le(place.offset).value_or(0)
                                      : memory.ReadUint64Le(place.offset).value_or(0);
      line += place.name + "=" + std::to_string(value) + ",";
    }
    const std::string_view name = ErrnoName(error);
    if (name.empty()) return line + results.Text();
    return line.append(results[0].Name()).append("=").append(name);
  }

 private:
  /// Where a call writes a number.
  struct Written {
    std::string name;
    std::uint32_t offset;
    std::size_t width;
  };
  static constexpr std::string_view kResult = "result.";

  static bool IsPath(std::string_view cpp_type) {
    return IsView(cpp_type) || cpp_type.ends_with("wasi::detail::Text");
  }
  /// Of the number that a Place of this type is for; 0 if it is for something else.
  static std::size_t WidthOf(std::string_view cpp_type) {
    const std::size_t begin = cpp_type.find("Place<");
    if (begin == std::string_view::npos || !cpp_type.ends_with('>')) return 0;
    const std::string_view number = cpp_type.substr(begin);
    if (number.find("unsigned") == std::string_view::npos) return 0;
    if (number.find("short") != std::string_view::npos) return sizeof(std::uint16_t);
    return number.find("long") != std::string_view::npos ? sizeof(std::uint64_t)
                                                         : sizeof(std::uint32_t);
  }
  /// Of the calls that this thread is in.
  static std::vector<std::vector<Written>>& Pending() {
    static thread_local std::vector<std::vector<Written>> pending;
    return pending;
  }
};

}  // namespace detail

TENON_DECL FunctionListenerFactory
NewLoggingListenerFactory(std::function<void(const std::string&)> write, LogScopes scopes) {
  auto shared = std::make_shared<const tenon::detail::LoggingListener::Write>(std::move(write));
  const auto others =
      NewHostLoggingListenerFactory([shared](const std::string& line) { (*shared)(line); }, scopes);
  return [shared, others](const FunctionDefinition& function) -> std::shared_ptr<FunctionListener> {
    std::shared_ptr<FunctionListener> listener = others(function);
    const bool is_wasi =
        function.module_name == "wasi_snapshot_preview1" || function.module_name == "wasi_unstable";
    if (listener == nullptr || !is_wasi) return listener;
    return std::make_shared<detail::TraceListener>(shared);
  };
}

}  // namespace tenon::inline TENON_ABI::wasi
