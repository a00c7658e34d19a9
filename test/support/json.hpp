// SPDX-License-Identifier: Apache-2.0
/// @file
/// A small JSON reader for the test tools.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// A JSON value (RFC 8259). Numbers keep their text. Escapes above U+007F are not supported, since
/// the files that the tests read hold UTF-8 directly.
class Json {
 public:
  enum class Kind : std::uint8_t { Null, Boolean, Number, String, Array, Object };
  using Member = std::pair<std::string, Json>;

  /// Reads one value that makes up the whole text. Throws std::runtime_error with the offset of the
  /// first fault.
  static Json Parse(std::string_view text);

  Kind Type() const { return kind_; }
  bool IsString() const { return kind_ == Kind::String; }
  bool IsArray() const { return kind_ == Kind::Array; }
  bool IsObject() const { return kind_ == Kind::Object; }

  /// Contents of a string, digits of a number, "true" or "false".
  const std::string& Text() const { return text_; }
  /// A number without fraction and exponent, or a string of decimal digits.
  template <class Integer>
  Integer As() const {
    Integer value{};
    const char* const end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data(), end, value);
    if (error != std::errc{} || stop != end) throw std::runtime_error{"bad number: " + text_};
    return value;
  }
  /// Items of an array.
  const std::vector<Json>& Items() const { return items_; }
  /// Members of an object, in order.
  const std::vector<Member>& Members() const { return members_; }
  /// The member of this name, or null.
  const Json* Find(std::string_view name) const {
    for (const Member& member : members_) {
      if (member.first == name) return &member.second;
    }
    return nullptr;
  }
  /// The member of this name. Throws std::runtime_error if there is none.
  const Json& At(std::string_view name) const {
    const Json* const found = Find(name);
    if (found == nullptr) throw std::runtime_error{"no member \"" + std::string{name} + "\""};
    return *found;
  }

 private:
  class Parser;

  Kind kind_ = Kind::Null;
  std::string text_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

class Json::Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Json ReadDocument() {
    Json value = ReadValue(0);
    SkipSpace();
    if (at_ != text_.size()) Fail("text behind the value");
    return value;
  }

 private:
  static constexpr int kMaxDepth = 100;

  [[noreturn]] void Fail(const std::string& reason) const {
    throw std::runtime_error{"JSON, byte " + std::to_string(at_) + ": " + reason};
  }
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[at_]) != text_.npos) ++at_;
  }
  char Peek() {
    SkipSpace();
    if (at_ == text_.size()) Fail("unexpected end");
    return text_[at_];
  }
  void Expect(char wanted) {
    if (Peek() != wanted) Fail(std::string{"expected '"} + wanted + "'");
    ++at_;
  }
  /// Consumes `wanted` if it is next.
  bool Accept(char wanted) {
    if (Peek() != wanted) return false;
    ++at_;
    return true;
  }

  Json ReadValue(int depth) {
    if (depth > kMaxDepth) Fail("too deep");
    Json value;
    switch (Peek()) {
      case '{':
        value.kind_ = Kind::Object;
        ReadList('}', [&] {
          std::string name = ReadString();
          Expect(':');
          value.members_.emplace_back(std::move(name), ReadValue(depth + 1));
        });
        break;
      case '[':
        value.kind_ = Kind::Array;
        ReadList(']', [&] { value.items_.push_back(ReadValue(depth + 1)); });
        break;
      case '"':
        value.kind_ = Kind::String;
        value.text_ = ReadString();
        break;
      default:
        ReadWord(value);
    }
    return value;
  }

  template <class ReadItem>
  void ReadList(char close, ReadItem read_item) {
    ++at_;
    if (Accept(close)) return;
    do {
      read_item();
    } while (Accept(','));
    Expect(close);
  }

  void ReadWord(Json& value) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view{",]} \t\r\n"}.find(text_[at_]) == text_.npos) {
      ++at_;
    }
    value.text_ = std::string{text_.substr(begin, at_ - begin)};
    if (value.text_ == "null") {
      value.kind_ = Kind::Null;
    } else if (value.text_ == "true" || value.text_ == "false") {
      value.kind_ = Kind::Boolean;
    } else if (value.text_.find_first_not_of("+-.0123456789eE") == std::string::npos &&
               !value.text_.empty()) {
      value.kind_ = Kind::Number;
    } else {
      at_ = begin;
      Fail("expected a value");
    }
  }

  std::string ReadString() {
    Expect('"');
    std::string result;
    for (;;) {
      if (at_ == text_.size()) Fail("unexpected end of a string");
      const char c = text_[at_++];
      if (c == '"') return result;
      result += c == '\\' ? ReadEscape() : c;
    }
  }

  char ReadEscape() {
    if (at_ == text_.size()) Fail("unexpected end of a string");
    const char c = text_[at_++];
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (const std::size_t index = kNames.find(c); index != kNames.npos) return kValues[index];
    unsigned code = 0;
    if (c != 'u' || text_.size() - at_ < 4) Fail("bad escape");
    const char* const begin = text_.data() + at_;
    if (std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4 || code > 0x7F) {
      Fail("bad escape");
    }
    at_ += 4;
    return static_cast<char>(code);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline Json Json::Parse(std::string_view text) { return Parser{text}.ReadDocument(); }

}  // namespace support
