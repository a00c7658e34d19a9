// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of marshaller_model.hpp. Knows nothing of tenon but the numbers of its traps.
#include "marshaller_model.hpp"

#include <bit>
#include <set>
#include <utility>

#include "marshaller_checks.hpp"

namespace tenon_test::marshal {

/// One call.
struct Steps : Checks {
  Model& model;
  const Outcome& seen;

  // --- views ---------------------------------------------------------------------------------

  bool Text() {
    Range text;
    if (!TakeRange(0, text, 1, 1)) return false;
    AddText(text.begin, text.count);
    return true;
  }
  bool Spans() {
    Range bytes, words;
    if (!TakeRange(0, bytes, 1, 1) || !TakeRange(1, words, 2, 2)) return false;
    AddBytes(bytes.begin, bytes.count);
    for (U64 i = 0; i < words.count; ++i) {
      const U64 word = Get(words.begin + 2 * i, 2);
      digest.Add(word);
      Put(words.begin + 2 * i, 2, word ^ 0x5A5A);
    }
    return true;
  }
  bool WideSpans() {
    Range words, longs, floats, vectors;
    if (!TakeRange(0, words, 4, 4) || !TakeRange(1, longs, 8, 8) || !TakeRange(2, floats, 4, 4) ||
        !TakeRange(3, vectors, 16, 16)) {
      return false;
    }
    for (U64 i = 0; i < words.count; ++i) digest.Add(Get(words.begin + 4 * i, 4));
    for (U64 i = 0; i < longs.count; ++i) {
      const U64 value = Get(longs.begin + 8 * i, 8);
      digest.Add(value);
      Put(longs.begin + 8 * i, 8, ~value);
    }
    for (U64 i = 0; i < floats.count; ++i) digest.Add(Get(floats.begin + 4 * i, 4));
    AddBytes(vectors.begin, vectors.count * 16);
    return true;
  }
  bool Views() {
    Range words, shorts;
    if (!TakeRange(0, words, 4, 1) || !TakeRange(1, shorts, 2, 1)) return false;
    for (U64 i = 0; i < words.count; ++i) digest.Add(Get(words.begin + 4 * i, 4));
    for (U64 i = 0; i < shorts.count; ++i) {
      const U64 value = Get(shorts.begin + 2 * i, 2);
      digest.Add(value);
      Put(shorts.begin + 2 * i, 2, value + 1);
    }
    const U32 index = Take();
    if (index == 0) return true;
    if (index - 1 >= words.count) return Trap(TrapCode::OutOfBoundsMemoryAccess);
    digest.Add(Get(words.begin + 4 * U64{index - 1}, 4));
    return true;
  }
  bool CStrings() {
    U64 text = 0, length = 0, other = 0, other_length = 0;
    if (!TakeText(0, text, length, false) || !TakeText(1, other, other_length, true)) return false;
    AddText(text, length);
    digest.Add(0);
    digest.Add(other != 0 ? 1 : 0);
    if (other != 0) AddText(other, other_length);
    return true;
  }
  bool Labels() {
    Range texts[2];
    U32 colours[2] = {};
    U32 number = 0;
    for (int i = 0; i < 2; ++i) {
      const int parameter = 2 * i;
      if (i == 1) number = Take();
      if (!TakeRange(parameter, texts[i], 1, 1)) return false;
      colours[i] = Take();
      if (!FitsWord(parameter, colours[i])) return false;
    }
    for (int i = 0; i < 2; ++i) {
      digest.Add(colours[i]);
      AddBytes(texts[i].begin, texts[i].count);
      if (colours[i] % 7 == 3) {
        outcome.kind = Outcome::Kind::Threw;
        outcome.code = 1;
        return false;
      }
    }
    digest.Add(texts[0].count + texts[1].count + number + colours[0] + colours[1]);
    return true;
  }
  std::optional<U64> Grow(U32 pages) {
    const U64 former = Size() / kPage;
    if (pages > kMostPages - former) return std::nullopt;
    memory.resize(Size() + pages * kPage);
    return former;
  }
  bool ViewGrows() {
    Range words;
    if (!TakeRange(1, words, 4, 1)) return false;
    const std::optional<U64> former = Grow(Take());
    digest.Add(former ? *former + 1 : 0);
    for (U64 i = 0; i < words.count; ++i) {
      Put(words.begin + 4 * i, 4, Get(words.begin + 4 * i, 4) + 1);
    }
    return true;
  }
  bool SpanPins() {
    Range bytes;
    if (!TakeRange(1, bytes, 1, 1)) return false;
    digest.Add(0);
    for (U64 i = 0; i < bytes.count; ++i) memory[bytes.begin + i] ^= 1;
    return true;
  }
  bool Pointers() {
    const U64 word = Take();
    const U64 index = Take();
    const U64 wide = TakeLong();
    const U64 wide_index = TakeLong();
    const auto place = [&](U64 pointer, U64 at, unsigned size) -> std::optional<U64> {
      if (pointer == 0 || at > Size() || pointer > Size()) return std::nullopt;
      const U64 begin = pointer + at * size;  // of two numbers of at most 18 bits
      if (begin + size > Size()) return std::nullopt;
      return begin;
    };
    const std::optional<U64> first = place(word, index, 4);
    const std::optional<U64> second = place(wide, wide_index, 8);
    digest.Add(first ? Get(*first, 4) : 12345);
    digest.Add(second ? Get(*second, 8) : 54321);
    if (first) Put(*first, 4, 0xABCD1234);
    if (second) Put(*second, 8, 0x0123456789ABCDEF);
    digest.Add(first ? 1 : 0);
    digest.Add(second ? 1 : 0);
    return true;
  }

  bool WideParameters() {
    Range text, words, bytes;
    if (!TakeWideRange(0, text, 1, 1) || !TakeWideRange(1, words, 4, 1)) return false;
    const U64 c_text = TakeLong();
    U64 length = 0;
    if (!CheckText(2, c_text, length, false)) return false;
    const U64 number = TakeLong();
    if (!CheckPointer(3, number, 2, false) || !TakeWideRange(4, bytes, 1, 1)) return false;
    written = {{3, number, 2, true}, {4, bytes.begin, bytes.count, false}};
    if (!Disjoint()) return false;
    AddText(text.begin, text.count);
    for (U64 i = 0; i < words.count; ++i) digest.Add(Get(words.begin + 4 * i, 4));
    AddText(c_text, length);
    const U64 former = Get(number, 2);
    digest.Add(former);
    for (U64 i = 0; i < bytes.count; ++i) memory[bytes.begin + i] ^= 0xFF;
    Put(number, 2, former + 3);
    return true;
  }
  bool Atomics() {
    U64 added = 0, exchanged = 0, stored = 0;
    if (!TakeAtomic(0, added, 4) || !TakeAtomic(1, exchanged, 8) || !TakeAtomic(2, stored, 1)) {
      return false;
    }
    const U64 former = Get(added, 4);
    digest.Add(former);
    Put(added, 4, former + 3);
    digest.Add(Get(exchanged, 8));
    Put(exchanged, 8, 5);
    digest.Add(Get(stored, 1));
    Put(stored, 1, 9);
    return true;
  }

  // --- copies --------------------------------------------------------------------------------

  bool InAndOut() {
    U64 in = 0, out = 0, inout = 0;
    if (!TakePointer(0, in, 8) || !TakePointer(1, out, 4) || !TakePointer(2, inout, 2)) {
      return false;
    }
    written = {{1, out, 4, true}, {2, inout, 2, true}};
    if (!Disjoint()) return false;
    const U64 bits = Get(in, 8);
    const U64 value = Get(inout, 2);
    digest.Add(bits);
    digest.Add(0);
    digest.Add(value);
    Put(out, 4, bits >> 16);
    Put(inout, 2, value + 3);
    return true;
  }
  bool Copies() {
    Range in, out, inout, bytes;
    if (!TakeRange(0, in, 2, 1) || !TakeRange(1, out, 4, 1) || !TakeRange(2, inout, 1, 1) ||
        !TakeRange(3, bytes, 1, 1)) {
      return false;
    }
    Writes(1, out, 4, true);
    Writes(2, inout, 1, true);
    Writes(3, bytes, 1, false);
    if (!Disjoint()) return false;
    for (U64 i = 0; i < in.count; ++i) digest.Add(Get(in.begin + 2 * i, 2));
    for (U64 i = 0; i < bytes.count; ++i) memory[bytes.begin + i] ^= 0xFF;
    for (U64 i = 0; i < out.count; ++i) {
      digest.Add(0);
      Put(out.begin + 4 * i, 4, in.count + 3 * (i + 1));
    }
    for (U64 i = 0; i < inout.count; ++i) {
      U8& byte = memory[inout.begin + i];
      digest.Add(byte);
      ++byte;
    }
    return true;
  }
  bool Nullables() {
    U64 in = 0;
    Range out, text, view, longs;
    if (!TakePointer(0, in, 4, true) || !TakeRange(1, out, 2, 1, true) ||
        !TakeRange(2, text, 1, 1, true) || !TakeRange(3, view, 4, 1, true) ||
        !TakeRange(4, longs, 8, 8, true)) {
      return false;
    }
    Writes(1, out, 2, true);
    Writes(3, view, 4, false);
    Writes(4, longs, 8, false);
    if (!Disjoint()) return false;
    digest.Add(in != 0 ? Get(in, 4) : ~U64{0});
    digest.Add(text.is_null ? 0 : 1);
    if (!text.is_null) AddText(text.begin, text.count);
    for (U64 i = 0; i < view.count; ++i) {
      Put(view.begin + 4 * i, 4, Get(view.begin + 4 * i, 4) + 1);
    }
    for (U64 i = 0; i < longs.count; ++i) {
      Put(longs.begin + 8 * i, 8, Get(longs.begin + 8 * i, 8) + 1);
    }
    for (U64 i = 0; i < out.count; ++i) Put(out.begin + 2 * i, 2, 7 + i);
    return true;
  }

  // --- structs -------------------------------------------------------------------------------

  void AddPoint(U64 at) {
    digest.Add(Get(at, 4));
    digest.Add(Get(at + 4, 4));
  }
  void AddMixed(U64 at) {
    digest.Add(Get(at, 1));
    digest.Add(Get(at + 8, 8));
    digest.Add(Get(at + 16, 1) != 0 ? 1 : 0);
    digest.Add(Get(at + 18, 2));
    digest.Add(Get(at + 20, 1));
    digest.Add(Get(at + 24, 4));
    digest.Add(Get(at + 28, 4));
  }
  void AddPacket(U64 at) {
    digest.Add(Get(at, 2));
    AddBytes(at + 2, 5);
    digest.Add(Get(at + 8, 4));
  }
  void ChangePacket(U64 at) {
    Put(at, 2, Get(at, 2) ^ 1);
    for (U64 i = 2; i < 7; ++i) Put(at + i, 1, Get(at + i, 1) + 1);
    Put(at + 8, 4, Get(at + 8, 4) + 5);
  }

  bool Structs() {
    U64 in = 0, out = 0, packet = 0, nested = 0;
    if (!TakePointer(0, in, 32) || !TakePointer(1, out, 32) || !TakePointer(2, packet, 12) ||
        !TakePointer(3, nested, 40, true)) {
      return false;
    }
    written = {{1, out, 32, true}, {2, packet, 12, true}};
    if (!Disjoint()) return false;
    AddMixed(in);
    AddPacket(packet);
    digest.Add(nested != 0 ? 1 : 0);
    if (nested != 0) {
      digest.Add(Get(nested, 1));
      AddPoint(nested + 4);
      for (U64 i = 0; i < 3; ++i) digest.Add(Get(nested + 12 + 2 * i, 2));
      const bool has_value = Get(nested + 20, 1) != 0;
      digest.Add(has_value ? 1 : 0);
      if (has_value) digest.Add(Get(nested + 24, 4));
      digest.Add(Get(nested + 32, 8));
    }
    for (int i = 0; i < 7; ++i) digest.Add(0);
    const U64 tag = Get(in, 1), weight = Get(in + 8, 8), flag = Get(in + 16, 1);
    const U64 port = Get(in + 18, 2), colour = Get(in + 20, 1), name = Get(in + 24, 4);
    const U64 size = Get(in + 28, 4);
    Put(out, 1, tag + 1);
    Put(out + 8, 8, weight);
    Put(out + 16, 1, flag != 0 ? 0 : 1);
    Put(out + 18, 2, port ^ 0xFFFF);
    Put(out + 20, 1, colour);
    Put(out + 24, 4, name + 1);
    Put(out + 28, 4, size);
    ChangePacket(packet);
    return true;
  }
  bool StructViews() {
    Range view, points, packets;
    if (!TakeRange(0, view, 32, 1) || !TakeRange(1, points, 8, 1) ||
        !TakeRange(2, packets, 12, 1)) {
      return false;
    }
    Writes(0, view, 32, false);
    Writes(2, packets, 12, true);
    if (!Disjoint()) return false;
    // The points were copied before the view is changed.
    std::vector<U64> coordinates;
    for (U64 i = 0; i < 2 * points.count; ++i) coordinates.push_back(Get(points.begin + 4 * i, 4));
    for (U64 i = 0; i < view.count; ++i) {
      const U64 at = view.begin + 32 * i;
      AddMixed(at);
      Put(at + 16, 1, Get(at + 16, 1) != 0 ? 1 : 0);
      Put(at + 18, 2, Get(at + 18, 2) + 1);
    }
    for (const U64 coordinate : coordinates) digest.Add(coordinate);
    for (U64 i = 0; i < packets.count; ++i) {
      AddPacket(packets.begin + 12 * i);
      ChangePacket(packets.begin + 12 * i);
    }
    return true;
  }
  bool Flattened() {
    const U32 tag = Take();
    const U64 weight = TakeLong();
    const U32 flag = Take(), port = Take(), colour = Take(), name = Take(), size = Take();
    const U32 number = Take();
    const U32 first = Take(), x = Take(), y = Take();
    const U32 numbers[3] = {Take(), Take(), Take()};
    const U32 has_value = Take(), value = Take();
    const U64 last = TakeLong();
    if (!FitsByte(0, tag) || !FitsWord(0, port) || !FitsByte(0, colour) || !FitsByte(2, first)) {
      return false;
    }
    for (const U32 one : numbers) {
      if (!FitsShort(2, one)) return false;
    }
    digest.Add(tag);
    digest.Add(weight);
    digest.Add(flag != 0 ? 1 : 0);
    digest.Add(port);
    digest.Add(colour);
    digest.Add(name);
    digest.Add(size);
    digest.Add(first);
    digest.Add(x);
    digest.Add(y);
    for (const U32 one : numbers) digest.Add(one & 0xFFFF);
    digest.Add(has_value != 0 ? 1 : 0);
    if (has_value != 0) digest.Add(value);
    digest.Add(last);
    const bool keeps = has_value != 0 && flag == 0;
    outcome.results = {tag,          number,     x,     numbers[2],
                       numbers[1],   numbers[0], keeps, keeps ? value : 0u,
                       weight ^ last};
    return true;
  }
  bool IndirectStruct() {
    U64 place = 0, point = 0;
    if (!TakePointer(Outcome::kResultPlace, place, 8)) return false;
    const U32 scale = Take();
    if (!TakePointer(1, point, 8)) return false;
    AddPoint(point);
    const U64 x = Get(point, 4), y = Get(point + 4, 4);
    Put(place, 4, x * scale);
    Put(place + 4, 4, y + scale);
    return true;
  }

  // --- numbers and results -------------------------------------------------------------------

  bool Numbers() {
    const U32 a = Take(), b = Take(), c = Take(), d = Take(), e = Take(), f = Take(), g = Take(),
              h = Take();
    const U64 i = TakeLong(), j = Take(), k = TakeLong();
    if (!Fits(0, a, -128, 127, true) || !FitsByte(1, b) || !FitsShort(2, c) || !FitsWord(3, d) ||
        !Fits(4, e, -128, 127, true) || !FitsByte(6, g)) {
      return false;
    }
    for (const U64 value : {U64{a & 0xFF}, U64{b}, U64{c & 0xFFFF}, U64{d}, U64{e & 0xFF},
                            U64{f != 0 ? 1u : 0u}, U64{g}, U64{h}, i, j, k}) {
      digest.Add(value);
    }
    return true;
  }
  bool Optional() {
    const U32 n = Take();
    outcome.results = n % 3 == 0 ? std::vector<U64>{0, 0} : std::vector<U64>{1, n & 0xFFFF};
    return true;
  }
  bool Result() {
    const auto n = std::bit_cast<std::int32_t>(Take());
    if (n % 4 == 0) {
      if (n == 0) return Trap(TrapCode::ResultOutOfRange);
      outcome.results = {static_cast<U32>(n), 0};
    } else {
      outcome.results = {0, static_cast<U64>(std::int64_t{n} * 3)};
    }
    return true;
  }
  bool Negative() {
    const auto n = std::bit_cast<std::int32_t>(Take());
    const bool is_error = n % 2 == 0;
    if (is_error ? n <= 0 : n < 0) return Trap(TrapCode::ResultOutOfRange);
    outcome.results = {static_cast<U32>(is_error ? -n : n)};
    return true;
  }
  bool Ending() {
    const U32 n = Take();
    if (n % 3 == 2) return Trap(TrapCode::HostTrap);
    if (n % 3 == 1) {
      outcome.kind = Outcome::Kind::Exited;
      outcome.code = std::bit_cast<std::int32_t>(n);
    } else {
      outcome.results = {n};
    }
    return true;
  }
  bool Tuple() {
    const U32 n = Take();
    const auto second = static_cast<std::int16_t>(n >> 8);
    outcome.results = {n & 0xFF, static_cast<U32>(std::int32_t{second}), n % 2, n};
    return true;
  }
  bool GrowMemory() {
    const std::optional<U64> former = Grow(Take());
    outcome.results = {former ? *former : 0xFFFFFFFF};
    return true;
  }

  // --- references ----------------------------------------------------------------------------

  enum class Class : std::uint8_t { Thing, Other, Any };

  /// The reference that a number stands for, if it is not null.
  bool TakeReference(int parameter, Class wanted, bool is_handle,
                     std::optional<Model::Reference>& found, U64* token = nullptr) {
    const U64 number = is_handle ? Take() : TakeLong();
    if (number == 0) return true;
    for (const auto& [live, reference] : model.references_) {
      if ((is_handle ? live & 0xFFFFFFFF : live) != number) continue;
      // Half of what a guest got as a reference is no handle.
      if (is_handle && !reference.is_handle) continue;
      if (wanted != Class::Any && reference.is_thing != (wanted == Class::Thing)) {
        return Trap(TrapCode::ReferenceTypeMismatch, parameter);
      }
      found = reference;
      if (token != nullptr) *token = live;
      return true;
    }
    return Trap(TrapCode::StaleReference, parameter);
  }
  bool Issue(bool is_thing, bool is_handle, U32 number) {
    const U64 object = ++model.objects_;
    if (model.references_.size() >= kReferenceLimit) return Trap(TrapCode::ReferenceLimit);
    model.issued_ = Model::Reference{is_thing, is_handle, number, object};
    // Which number it has is the host's choice.
    outcome.results = seen.results;
    return true;
  }
  bool Open() {
    const U32 n = Take();
    if (n % 5 != 4) return Issue(true, true, n);
    outcome.results = {0};
    return true;
  }
  bool OpenRef() { return Issue(true, false, Take()); }
  bool OpenOther() { return Issue(false, true, 77); }
  bool Use() {
    std::optional<Model::Reference> thing, other, any;
    if (!TakeReference(0, Class::Thing, true, thing) ||
        !TakeReference(1, Class::Other, true, other) || !TakeReference(2, Class::Any, true, any)) {
      return false;
    }
    digest.Add(thing ? thing->number : 1);
    digest.Add(other ? other->number : 1);
    digest.Add(any ? 1 : 0);
    return true;
  }
  bool UseRef() {
    std::optional<Model::Reference> thing, any;
    if (!TakeReference(0, Class::Thing, false, thing) ||
        !TakeReference(1, Class::Any, false, any)) {
      return false;
    }
    digest.Add(thing ? thing->number : 1);
    digest.Add(any ? 1 : 0);
    return true;
  }
  bool Keep() {
    std::optional<Model::Reference> thing;
    if (!TakeReference(0, Class::Thing, true, thing)) return false;
    model.kept_.reset();
    if (thing) model.kept_ = thing->object;
    return true;
  }
  bool Same() {
    std::optional<Model::Reference> thing;
    const U64 number = static_cast<U32>(operands[0]);
    if (!TakeReference(0, Class::Thing, true, thing)) return false;
    outcome.results = {number};
    return true;
  }
  bool Drop(bool is_handle) {
    std::optional<Model::Reference> any;
    U64 token = 0;
    if (!TakeReference(0, Class::Any, is_handle, any, &token)) return false;
    if (any) model.references_.erase(token);
    return true;
  }

  // --- functions -----------------------------------------------------------------------------

  bool FunctionAt(int parameter, U32 index, bool is_many) {
    if (index >= kTableSize) return Trap(TrapCode::UndefinedElement, parameter);
    if (index == 0) return true;
    if (index == 3) return Trap(TrapCode::UninitializedElement, parameter);
    const bool fits = is_many ? index == 4 : index == 1 || index == 5;
    return fits || Trap(TrapCode::IndirectCallTypeMismatch, parameter);
  }
  void CallUnary(U32 index, U32 n) {
    outcome.results = {index == 0 ? 0xFFFFFFFF : n * (index == 1 ? 2u : 3u)};
  }
  bool Pointer() {
    const U32 function = Take(), many = Take(), n = Take();
    if (!FunctionAt(0, function, false) || !FunctionAt(1, many, true)) return false;
    digest.Add((function != 0 ? 1u : 0u) + (many != 0 ? 2u : 0u));
    CallUnary(function, n);
    return true;
  }
  bool CallbackAt() {
    const U32 index = Take(), n = Take();
    if (index >= kTableSize) return Trap(TrapCode::OutOfBoundsTableAccess);
    const U32 function = index == 3 ? 0 : index;
    if (function != 0 && !FunctionAt(0, function, false)) return false;
    digest.Add(function != 0 ? 1 : 0);
    CallUnary(function, n);
    return true;
  }
};

namespace {

using enum Operand;

struct Row {
  Case described;
  bool (*run)(Steps& steps);
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {{"text", {Offset, Count}}, [](Steps& s) { return s.Text(); }},
      {{"spans", {Offset, Count, Offset, Count}}, [](Steps& s) { return s.Spans(); }},
      {{"wide spans", {Offset, Count, Offset, Count, Offset, Count, Offset, Count}},
       [](Steps& s) { return s.WideSpans(); }},
      {{"views", {Offset, Count, Offset, Count, Index}}, [](Steps& s) { return s.Views(); }},
      {{"c strings", {Offset, Offset}}, [](Steps& s) { return s.CStrings(); }},
      {{"labels", {Offset, Count, Narrow, Number, Offset, Count, Narrow}},
       [](Steps& s) { return s.Labels(); }},
      {{"view grows", {Offset, Count, Narrow}}, [](Steps& s) { return s.ViewGrows(); }},
      {{"span pins", {Offset, Count}}, [](Steps& s) { return s.SpanPins(); }},
      {{"pointers", {Offset, Count, Wide, Long}}, [](Steps& s) { return s.Pointers(); }},
      {{"wide", {Wide, Long, Wide, Long, Wide, Wide, Wide, Long}},
       [](Steps& s) { return s.WideParameters(); }},
      {{"atomics", {Offset, Offset, Offset}}, [](Steps& s) { return s.Atomics(); }},
      {{"in and out", {Offset, Offset, Offset}}, [](Steps& s) { return s.InAndOut(); }},
      {{"copies", {Offset, Count, Offset, Count, Offset, Count, Offset, Count}},
       [](Steps& s) { return s.Copies(); }},
      {{"nullables", {Offset, Offset, Count, Offset, Count, Offset, Count, Offset, Count}},
       [](Steps& s) { return s.Nullables(); }},
      {{"structs", {Offset, Offset, Offset, Offset}}, [](Steps& s) { return s.Structs(); }},
      {{"struct views", {Offset, Count, Offset, Count, Offset, Count}},
       [](Steps& s) { return s.StructViews(); }},
      {{"flat",
        {Narrow, Double, Narrow, Narrow, Narrow, Number, Number, Number, Narrow, Number, Number,
         Narrow, Narrow, Narrow, Narrow, Number, Long}},
       [](Steps& s) { return s.Flattened(); }},
      {{"indirect", {Offset, Number, Offset}}, [](Steps& s) { return s.IndirectStruct(); }},
      {{"numbers",
        {Narrow, Narrow, Narrow, Narrow, Narrow, Narrow, Narrow, Number, Long, Float, Double}},
       [](Steps& s) { return s.Numbers(); }},
      {{"optional", {Number}}, [](Steps& s) { return s.Optional(); }},
      {{"result", {Narrow}}, [](Steps& s) { return s.Result(); }},
      {{"negative", {Narrow}}, [](Steps& s) { return s.Negative(); }},
      {{"ending", {Number}}, [](Steps& s) { return s.Ending(); }},
      {{"tuple", {Number}}, [](Steps& s) { return s.Tuple(); }},
      {{"grow", {Number}}, [](Steps& s) { return s.GrowMemory(); }},
      {{"open", {Number}}, [](Steps& s) { return s.Open(); }},
      {{"open ref", {Number}}, [](Steps& s) { return s.OpenRef(); }},
      {{"open other", {}}, [](Steps& s) { return s.OpenOther(); }},
      {{"use", {Handle, Handle, Handle}}, [](Steps& s) { return s.Use(); }},
      {{"use ref", {Reference, Reference}}, [](Steps& s) { return s.UseRef(); }},
      {{"keep", {Handle}}, [](Steps& s) { return s.Keep(); }},
      {{"same", {Handle}}, [](Steps& s) { return s.Same(); }},
      {{"drop", {Handle}}, [](Steps& s) { return s.Drop(true); }},
      {{"drop ref", {Reference}}, [](Steps& s) { return s.Drop(false); }},
      {{"pointer", {Index, Index, Number}}, [](Steps& s) { return s.Pointer(); }},
      {{"callback", {Index, Number}}, [](Steps& s) { return s.CallbackAt(); }},
  };
  return rows;
}

}  // namespace

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> described;
    for (const Row& row : Rows()) described.push_back(row.described);
    return described;
  }();
  return cases;
}

Outcome Model::Call(std::size_t index, std::span<const U64> operands, const Outcome& seen) {
  issued_.reset();
  Steps steps{{memory_, operands}, *this, seen};
  Rows()[index].run(steps);
  steps.outcome.digest = steps.digest.Value();
  return steps.outcome;
}

void Model::Issued(U64 token) { references_.emplace(token, *std::exchange(issued_, std::nullopt)); }

int Model::LiveThings() const {
  std::set<U64> objects;
  for (const auto& [token, reference] : references_) {
    if (reference.is_thing) objects.insert(reference.object);
  }
  if (kept_) objects.insert(*kept_);
  return static_cast<int>(objects.size());
}

}  // namespace tenon_test::marshal
