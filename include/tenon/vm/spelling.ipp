// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of spelling.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tenon/vm/spelling.hpp>

#define TENON_DETAIL_TEXT2(name) #name
#define TENON_DETAIL_TEXT(name) TENON_DETAIL_TEXT2(name)

namespace tenon::inline TENON_ABI::vm {

namespace detail {

[[gnu::cold]] inline void ReplaceAll(std::string& text, std::string_view from,
                                     std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace detail

[[gnu::cold]] TENON_DECL std::string CppTypeName(const char* spelling) {
  std::string text = spelling;
  constexpr std::string_view kBegin = "S = ";
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.rfind(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return "";
  text = text.substr(begin + kBegin.size(), end - begin - kBegin.size());
  // What nobody wrote, and what compilers write in different ways.
  detail::ReplaceAll(text, TENON_DETAIL_TEXT(TENON_ABI) "::", "");
  detail::ReplaceAll(text, "std::__cxx11::", "std::");
  detail::ReplaceAll(text, "std::basic_string_view<char>", "std::string_view");
  detail::ReplaceAll(text, ", 18446744073709551615>", ">");
  detail::ReplaceAll(text, " >", ">");
  detail::ReplaceAll(text, " &", "&");
  detail::ReplaceAll(text, " *", "*");
  return text;
}

[[gnu::cold]] TENON_DECL std::string CppSignature(const abi::HostSignature& signature) {
  if (signature.spellings == nullptr) return "";
  std::string text = CppTypeName(signature.spellings[0]) + "(";
  const std::uint32_t count = signature.special_count + signature.cpp_parameter_count;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i != 0) text += ", ";
    text += CppTypeName(signature.spellings[1 + i]);
  }
  return text + ")";
}

TENON_DECL std::string CppParameterType(const abi::HostSignature& signature,
                                        std::uint32_t parameter) {
  if (signature.spellings == nullptr) return "";
  return CppTypeName(signature.spellings[1 + signature.special_count + parameter]);
}

}  // namespace tenon::inline TENON_ABI::vm

#undef TENON_DETAIL_TEXT
#undef TENON_DETAIL_TEXT2
