// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of marshaller_host.hpp. What the functions do, marshaller_model.cpp does too.
#include "marshaller_host.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

#if __has_include(<boost/pfr/core.hpp>)
#include <tenon/aggregate.hpp>
#else
#include <tenon/struct.hpp>
#endif
#include <tenon/wasm/module_builder.hpp>

namespace tenon_test::marshal {

using tenon::Callback;
using tenon::CString;
using tenon::Flat;
using tenon::FunctionPointer;
using tenon::GuestAtomic;
using tenon::GuestPtr;
using tenon::Handle;
using tenon::In;
using tenon::Indirect;
using tenon::InOut;
using tenon::Out;
using tenon::Ref;
using tenon::ValueType;
using tenon::View;
using tenon::Wide;

struct Thing {
  Thing(U32 chosen, int& count) : number{chosen}, live{&count} { ++*live; }
  Thing(const Thing&) = delete;
  Thing& operator=(const Thing&) = delete;
  ~Thing() { --*live; }
  U32 number;
  int* live;
};

namespace {

struct Other {
  U32 number = 77;
};

enum class Colour : U8 {};
enum class Level : std::int32_t {};

struct Point {
  std::int32_t x, y;
};
struct Mixed {
  U8 tag;
  double weight;
  bool flag;
  U16 port;
  Colour colour;
  GuestPtr<char> name;
  tenon::GuestSize size;
};
struct Nested {
  U8 first;
  Point point;
  std::array<std::int16_t, 3> numbers;
  std::optional<std::int32_t> maybe;
  std::int64_t last;
};
struct Packet {
  U16 length = 0;
  U8 bytes[5] = {};
  U32 checksum = 0;
};

/// Of two operands, made by code of the program, which logs it and may throw.
struct Label {
  std::size_t size;
  U16 colour;
  static thread_local Digest* log;
};
thread_local Digest* Label::log = nullptr;

using Unary = std::int32_t(std::int32_t);
using Many = void(int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int);

std::int32_t Wrapped(U32 value) { return std::bit_cast<std::int32_t>(value); }

}  // namespace
}  // namespace tenon_test::marshal

template <>
struct tenon::WasmOperands<tenon_test::marshal::Label> {
  using Parts = tenon::Parts<std::string_view, std::uint16_t>;
  static tenon_test::marshal::Label FromWasm(std::string_view text, std::uint16_t colour) {
    using tenon_test::marshal::Label;
    Label::log->Add(colour);
    for (const char c : text) Label::log->Add(static_cast<unsigned char>(c));
    if (colour % 7 == 3) throw std::runtime_error{"label"};
    return {text.size(), colour};
  }
};
template <>
struct tenon::Fields<tenon_test::marshal::Packet>
    : tenon::FieldList<&tenon_test::marshal::Packet::length, &tenon_test::marshal::Packet::bytes,
                       &tenon_test::marshal::Packet::checksum> {};
#if !__has_include(<boost/pfr/core.hpp>)
template <>
struct tenon::Fields<tenon_test::marshal::Point>
    : tenon::FieldList<&tenon_test::marshal::Point::x, &tenon_test::marshal::Point::y> {};
template <>
struct tenon::Fields<tenon_test::marshal::Mixed>
    : tenon::FieldList<&tenon_test::marshal::Mixed::tag, &tenon_test::marshal::Mixed::weight,
                       &tenon_test::marshal::Mixed::flag, &tenon_test::marshal::Mixed::port,
                       &tenon_test::marshal::Mixed::colour, &tenon_test::marshal::Mixed::name,
                       &tenon_test::marshal::Mixed::size> {};
template <>
struct tenon::Fields<tenon_test::marshal::Nested>
    : tenon::FieldList<&tenon_test::marshal::Nested::first, &tenon_test::marshal::Nested::point,
                       &tenon_test::marshal::Nested::numbers, &tenon_test::marshal::Nested::maybe,
                       &tenon_test::marshal::Nested::last> {};
#endif

namespace tenon_test::marshal {

namespace {

/// Storage of exactly as many bytes as the memory has.
class MovingMemory : public tenon::LinearMemory {
 public:
  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    auto moved = std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size));
    if (size_ != 0) std::memcpy(moved.get(), bytes_.get(), std::min<std::size_t>(size_, size));
    bytes_ = std::move(moved);
    size_ = static_cast<std::size_t>(size);
    return bytes_.get();
  }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
};
class MovingAllocator : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t, std::uint64_t) noexcept override {
    return std::make_unique<MovingMemory>();
  }
};

tenon::RuntimeConfig ConfigOf(tenon::EngineKind engine, bool is_movable) {
  tenon::RuntimeConfig config =
      tenon::RuntimeConfig{}.WithEngine(engine).WithReferenceLimit(kReferenceLimit);
  if (is_movable) config = config.WithMemoryAllocator(std::make_shared<MovingAllocator>());
  return config;
}

U64 BitsOf(double value) { return std::bit_cast<U64>(value); }

void AddPoint(Digest& digest, const Point& point) {
  digest.Add(static_cast<U32>(point.x));
  digest.Add(static_cast<U32>(point.y));
}
void AddMixed(Digest& digest, const Mixed& mixed) {
  digest.Add(mixed.tag);
  digest.Add(BitsOf(mixed.weight));
  digest.Add(mixed.flag ? 1 : 0);
  digest.Add(mixed.port);
  digest.Add(static_cast<U8>(mixed.colour));
  digest.Add(mixed.name.Offset());
  digest.Add(mixed.size);
}
void AddNested(Digest& digest, const Nested& nested) {
  digest.Add(nested.first);
  AddPoint(digest, nested.point);
  for (const std::int16_t number : nested.numbers) digest.Add(static_cast<U16>(number));
  digest.Add(nested.maybe ? 1 : 0);
  if (nested.maybe) digest.Add(static_cast<U32>(*nested.maybe));
  digest.Add(static_cast<U64>(nested.last));
}
void AddPacket(Digest& digest, const Packet& packet) {
  digest.Add(packet.length);
  for (const U8 byte : packet.bytes) digest.Add(byte);
  digest.Add(packet.checksum);
}
void Change(Packet& packet) {
  packet.length ^= 1;
  for (U8& byte : packet.bytes) byte = static_cast<U8>(byte + 1);
  packet.checksum += 5;
}
void AddText(Digest& digest, std::string_view text) {
  digest.Add(text.size());
  for (const char c : text) digest.Add(static_cast<unsigned char>(c));
}

}  // namespace

struct World::Host {
  Host(World& of, tenon::EngineKind engine, bool movable)
      : world{of}, is_movable{movable}, runtime{ConfigOf(engine, movable)} {
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    DefineViews(env);
    DefineMore(env);
    DefineCopies(env);
    DefineStructs(env);
    DefineNumbers(env);
    DefineReferences(env);
    DefineFunctions(env);
    const tenon::CompiledModule compiled = env.Compile();
    runtime.InstantiateModule(compiled);
    guest = runtime.Instantiate(Guest(compiled));
    memory = guest.ExportedMemory("memory");
    for (const Case& one : Cases()) {
      functions.push_back(guest.ExportedFunction(one.name));
      result_types.push_back(functions.back().Definition().result_types);
    }
  }

  template <class F>
  static void Define(tenon::HostModuleBuilder& env, const char* name, F&& function) {
    env.NewFunctionBuilder().WithFunc(std::forward<F>(function)).Export(name);
  }

  Digest& Seen() { return world.digest_; }

  void DefineViews(tenon::HostModuleBuilder& env) {
    Define(env, "text", [this](std::string_view text) { AddText(Seen(), text); });
    Define(env, "spans", [this](std::span<const U8> bytes, std::span<U16> words) {
      for (const U8 byte : bytes) Seen().Add(byte);
      for (U16& word : words) {
        Seen().Add(word);
        word ^= 0x5A5A;
      }
    });
    Define(env, "wide spans",
           [this](std::span<const U32> words, std::span<U64> longs, std::span<const float> floats,
                  std::span<const tenon::V128> vectors) {
             for (const U32 word : words) Seen().Add(word);
             for (U64& one : longs) {
               Seen().Add(one);
               one = ~one;
             }
             for (const float& one : floats) Seen().Add(std::bit_cast<U32>(one));
             for (const tenon::V128& one : vectors) {
               for (const U8 byte : one.bytes) Seen().Add(byte);
             }
           });
    Define(env, "views", [this](View<const U32> words, View<std::int16_t> shorts, U32 index) {
      for (const U32 word : words) Seen().Add(word);
      for (std::size_t i = 0; i < shorts.Size(); ++i) {
        const std::int16_t value = shorts[i];
        Seen().Add(static_cast<U16>(value));
        shorts[i] = static_cast<std::int16_t>(value + 1);
      }
      if (index != 0) Seen().Add(static_cast<U32>(words[index - 1]));
    });
    Define(env, "c strings", [this](CString text, std::optional<CString> maybe) {
      AddText(Seen(), text);
      Seen().Add(static_cast<unsigned char>(text.CStr()[text.size()]));
      Seen().Add(maybe ? 1 : 0);
      if (maybe) AddText(Seen(), *maybe);
    });
    Define(env, "labels", [this](Label first, U32 number, Label second) {
      Seen().Add(first.size + second.size + number + first.colour + second.colour);
    });
    Define(env, "view grows", [this](tenon::Memory& own, View<U32> words, U32 pages) {
      const auto former = own.Grow(pages);
      Seen().Add(former ? *former + 1 : 0);
      for (std::size_t i = 0; i < words.Size(); ++i) words[i] = words[i] + 1;
    });
    Define(env, "span pins", [this](tenon::Memory& own, std::span<U8> bytes) {
      Seen().Add(is_movable && own.Grow(1) ? 1 : 0);
      for (U8& byte : bytes) byte ^= 1;
    });
    Define(env, "pointers",
           [this](tenon::Memory& own, GuestPtr<U32> word, tenon::GuestSize index,
                  GuestPtr<U64, U64> wide, tenon::BasicGuestSize<U64> wide_index) {
             Seen().Add(word.Read(own, index).value_or(12345));
             Seen().Add(wide.Read(own, wide_index).value_or(54321));
             Seen().Add(word.Write(own, 0xABCD1234, index) ? 1 : 0);
             Seen().Add(wide.Write(own, 0x0123456789ABCDEF, wide_index) ? 1 : 0);
           });
  }

  void DefineMore(tenon::HostModuleBuilder& env) {
    Define(env, "wide",
           [this](Wide<std::string_view> text, Wide<View<const U32>> words, Wide<CString> c_text,
                  Wide<InOut<std::int16_t>> number, Wide<std::span<U8>> bytes) {
             AddText(Seen(), *text);
             for (const U32 word : *words) Seen().Add(word);
             AddText(Seen(), *c_text);
             std::int16_t& value = **number;
             Seen().Add(static_cast<U16>(value));
             for (U8& byte : *bytes) byte ^= 0xFF;
             value = static_cast<std::int16_t>(value + 3);
           });
    Define(env, "atomics",
           [this](GuestAtomic<U32> added, GuestAtomic<U64> exchanged, GuestAtomic<U8> stored) {
             Seen().Add(added.FetchAdd(3));
             Seen().Add(exchanged.Exchange(5));
             Seen().Add(stored.Load());
             stored.Store(9);
           });
  }

  void DefineCopies(tenon::HostModuleBuilder& env) {
    Define(env, "in and out", [this](In<double> in, Out<U32> out, InOut<std::int16_t> inout) {
      Seen().Add(BitsOf(*in));
      Seen().Add(*out);
      Seen().Add(static_cast<U16>(*inout));
      *out = static_cast<U32>(BitsOf(*in) >> 16);
      *inout = static_cast<std::int16_t>(*inout + 3);
    });
    Define(env, "copies",
           [this](In<std::span<const U16>> in, Out<std::span<U32>> out, InOut<std::span<U8>> inout,
                  std::span<U8> bytes) {
             for (const U16 word : *in) Seen().Add(word);
             for (U8& byte : bytes) byte ^= 0xFF;
             U32 next = static_cast<U32>(in->size());
             for (U32& word : *out) {
               Seen().Add(word);
               word = next += 3;
             }
             for (U8& byte : *inout) {
               Seen().Add(byte);
               byte = static_cast<U8>(byte + 1);
             }
           });
    Define(env, "nullables",
           [this](std::optional<In<U32>> in, std::optional<Out<std::span<U16>>> out,
                  std::optional<std::string_view> text, std::optional<View<U32>> view,
                  std::optional<std::span<U64>> longs) {
             Seen().Add(in ? U64{**in} : ~U64{0});
             if (out) {
               U16 next = 7;
               for (U16& word : **out) word = next++;
             }
             Seen().Add(text ? 1 : 0);
             if (text) AddText(Seen(), *text);
             if (view) {
               for (std::size_t i = 0; i < view->Size(); ++i) (*view)[i] = (*view)[i] + 1;
             }
             if (longs) {
               for (U64& one : *longs) ++one;
             }
           });
  }

  void DefineStructs(tenon::HostModuleBuilder& env) {
    Define(env, "structs",
           [this](In<Mixed> in, Out<Mixed> out, InOut<Packet> packet,
                  std::optional<In<Nested>> nested) {
             AddMixed(Seen(), *in);
             AddPacket(Seen(), *packet);
             Seen().Add(nested ? 1 : 0);
             if (nested) AddNested(Seen(), **nested);
             AddMixed(Seen(), *out);
             *out = *in;
             out->tag = static_cast<U8>(in->tag + 1);
             out->flag = !in->flag;
             out->port ^= 0xFFFF;
             out->name = GuestPtr<char>{in->name.Offset() + 1};
             Change(*packet);
           });
    Define(env, "struct views",
           [this](View<Mixed> view, In<std::span<const Point>> points,
                  InOut<std::span<Packet>> packets) {
             for (std::size_t i = 0; i < view.Size(); ++i) {
               Mixed mixed = view[i];
               AddMixed(Seen(), mixed);
               mixed.port = static_cast<U16>(mixed.port + 1);
               view[i] = mixed;
             }
             for (const Point& point : *points) AddPoint(Seen(), point);
             for (Packet& packet : *packets) {
               AddPacket(Seen(), packet);
               Change(packet);
             }
           });
    Define(env, "flat", [this](Flat<Mixed> mixed, U32 number, Flat<Nested> nested) -> Flat<Nested> {
      AddMixed(Seen(), *mixed);
      AddNested(Seen(), *nested);
      Nested result = *nested;
      result.first = mixed->tag;
      result.point = Point{Wrapped(number), nested->point.x};
      std::swap(result.numbers[0], result.numbers[2]);
      if (mixed->flag) result.maybe.reset();
      result.last =
          std::bit_cast<std::int64_t>(BitsOf(mixed->weight) ^ std::bit_cast<U64>(nested->last));
      return result;
    });
    Define(env, "indirect", [this](U32 scale, Indirect<Point> point) -> Indirect<Point> {
      AddPoint(Seen(), *point);
      return Point{Wrapped(static_cast<U32>(point->x) * scale),
                   Wrapped(static_cast<U32>(point->y) + scale)};
    });
  }

  void DefineNumbers(tenon::HostModuleBuilder& env) {
    Define(env, "numbers",
           [this](std::int8_t a, U8 b, std::int16_t c, U16 d, char e, bool f, Colour g, Level h,
                  std::int64_t i, float j, double k) {
             Seen().Add(static_cast<U8>(a));
             Seen().Add(b);
             Seen().Add(static_cast<U16>(c));
             Seen().Add(d);
             Seen().Add(static_cast<unsigned char>(e));
             Seen().Add(f ? 1 : 0);
             Seen().Add(static_cast<U8>(g));
             Seen().Add(static_cast<U32>(h));
             Seen().Add(static_cast<U64>(i));
             Seen().Add(std::bit_cast<U32>(j));
             Seen().Add(BitsOf(k));
           });
    Define(env, "optional",
           [](U32 n) { return n % 3 == 0 ? std::nullopt : std::optional{static_cast<U16>(n)}; });
    Define(env, "result", [](std::int32_t n) -> tenon::Result<std::int64_t> {
      if (n % 4 == 0) return tenon::Errno{n};
      return std::int64_t{n} * 3;
    });
    Define(env, "negative",
           [](std::int32_t n) -> tenon::Result<std::int32_t, tenon::NegativeErrno> {
             if (n % 2 == 0) return tenon::NegativeErrno{n};
             return n;
           });
    Define(env, "ending", [](U32 n) -> tenon::Result<U32, tenon::Ending> {
      if (n % 3 == 1) return tenon::Exit{n};
      if (n % 3 == 2) return tenon::HostTrap{"no"};
      return n;
    });
    Define(env, "tuple", [](U32 n) {
      return std::tuple<U8, std::int16_t, bool, float>{static_cast<U8>(n),
                                                       static_cast<std::int16_t>(n >> 8),
                                                       n % 2 != 0, std::bit_cast<float>(n)};
    });
  }

  void DefineReferences(tenon::HostModuleBuilder& env) {
    Define(env, "open", [this](U32 n) {
      if (n % 5 == 4) return Handle<Thing>{};
      if (n % 5 == 3) return Handle<Thing>::Share(std::make_shared<Thing>(n, world.live_things_));
      return Handle<Thing>::Own(std::make_unique<Thing>(n, world.live_things_));
    });
    Define(env, "open ref", [this](U32 n) {
      return Ref<Thing>::Own(std::make_unique<Thing>(n, world.live_things_));
    });
    Define(env, "open other", [this] { return Handle<Other>::Borrow(other); });
    Define(env, "use", [this](Handle<Thing> thing, Handle<Other> one, Handle<void> any) {
      Seen().Add(thing ? thing->number : 1);
      Seen().Add(one ? one->number : 1);
      Seen().Add(any ? 1 : 0);
    });
    Define(env, "use ref", [this](Ref<Thing> thing, Ref<void> any) {
      Seen().Add(thing ? thing->number : 1);
      Seen().Add(any ? 1 : 0);
    });
    Define(env, "keep", [this](Handle<Thing> thing) { kept = std::move(thing); });
    Define(env, "same", [](Handle<Thing> thing) { return thing; });
    Define(env, "drop", tenon::DropHandle);
    Define(env, "drop ref", tenon::DropRef);
  }

  void DefineFunctions(tenon::HostModuleBuilder& env) {
    Define(env, "pointer",
           [this](FunctionPointer<Unary> function, FunctionPointer<Many> many, std::int32_t n) {
             Seen().Add((function ? 1u : 0u) + (many ? 2u : 0u));
             if (many) many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
             return function ? function(n) : -1;
           });
    Define(env, "callback", [this](Callback<Unary> function, std::int32_t n) {
      Seen().Add(function ? 1 : 0);
      return function ? function(n) : -1;
    });
  }

  /// For each host function one that calls it; but for "callback", which takes an index of the
  /// table in place of a funcref.
  static std::vector<U8> Guest(const tenon::CompiledModule& compiled) {
    using namespace tenon::wasm;
    constexpr ValueType kI32 = ValueType::I32;
    constexpr ValueType kF64 = ValueType::F64;
    ModuleBuilder builder;
    const std::vector<tenon::FunctionDefinition> imports = compiled.ExportedFunctions();
    for (const tenon::FunctionDefinition& import : imports) {
      builder.ImportFunction("env", import.export_names.at(0),
                             builder.Type(import.parameter_types, import.result_types));
    }
    builder.Export("memory", tenon::ExternKind::Memory, builder.Memory(1, kMostPages));
    TableType type;
    type.element = ValueType::FuncRef;
    type.limits.minimum = kTableSize;
    const U32 table = builder.Table(type);
    builder.Export("__indirect_function_table", tenon::ExternKind::Table, table);
    U32 index = 0;
    for (const tenon::FunctionDefinition& import : imports) {
      std::vector<ValueType> parameters = import.parameter_types;
      const bool is_callback = import.export_names.at(0) == "callback";
      if (is_callback) parameters[0] = kI32;
      const U32 function = builder.Function(builder.Type(parameters, import.result_types), {},
                                            [&](CodeBuilder& code) {
                                              for (U32 i = 0; i < parameters.size(); ++i) {
                                                code.LocalGet(i);
                                                if (is_callback && i == 0) code.TableGet(table);
                                              }
                                              code.Call(index);
                                            });
      builder.Export(import.export_names.at(0), tenon::ExternKind::Func, function);
      ++index;
    }
    const U32 grow = builder.Function(builder.Type({kI32}, {kI32}), {},
                                      [](CodeBuilder& code) { code.LocalGet(0).MemoryGrow(); });
    builder.Export("grow", tenon::ExternKind::Func, grow);
    const auto times = [&](std::int32_t factor) {
      return builder.Function(builder.Type({kI32}, {kI32}), {}, [&](CodeBuilder& code) {
        code.LocalGet(0).I32Const(factor).Emit(Opcode::I32Mul);
      });
    };
    const U32 twice = times(2);
    const U32 thrice = times(3);
    const U32 half = builder.Function(builder.Type({kF64}, {kF64}), {}, [](CodeBuilder& code) {
      code.LocalGet(0).F64Const(0.5).Emit(Opcode::F64Mul);
    });
    const U32 many =
        builder.Function(builder.Type(std::vector(16, kI32), {}), {}, [](CodeBuilder&) {});
    builder.ActiveElement(table, ConstantExpression::I32(1),
                          ElementItems::Functions({twice, half}));
    builder.ActiveElement(table, ConstantExpression::I32(4),
                          ElementItems::Functions({many, thrice}));
    return builder.Build();
  }

  World& world;
  bool is_movable;
  Handle<Thing> kept;  // outlives the runtime
  Other other;
  tenon::Runtime runtime;
  tenon::Module guest;
  tenon::Memory memory;
  std::vector<tenon::Function> functions;
  std::vector<std::vector<ValueType>> result_types;
};

World::World(tenon::EngineKind engine, bool is_movable)
    : name_{std::string{engine == tenon::EngineKind::Jit ? "jit" : "interpreter"} +
            (is_movable ? ", memory on the heap" : ", reserved memory")},
      host_{std::make_unique<Host>(*this, engine, is_movable)} {}
World::~World() = default;
int World::End() {
  host_.reset();
  return live_things_;
}

std::span<U8> World::Memory() const {
  const auto bytes = host_->memory.View(0, host_->memory.Size());
  return {bytes->data(), bytes->size()};
}

U64 World::TokenOf(U32 handle) const {
  const Handle<void> resolved = host_->guest.Resolve<void>(handle);
  return resolved ? resolved.Entry()->token : 0;
}

namespace {

/// The parameters that a trap's message names.
void ReadPlaces(std::string_view message, Outcome& outcome) {
  constexpr std::string_view kParameter = "parameter ";
  const std::size_t open = message.find(" (");
  if (open == std::string_view::npos) return;
  message.remove_prefix(open + 2);
  const auto read = [&](int& place) {
    if (message.starts_with("the place for the result")) {
      place = Outcome::kResultPlace;
    } else if (message.starts_with(kParameter)) {
      place = std::stoi(std::string{message.substr(kParameter.size())});
    }
  };
  read(outcome.first);
  const std::size_t second = message.find(" and ");
  if (second == std::string_view::npos) return;
  message.remove_prefix(second + 5);
  read(outcome.second);
}

}  // namespace

Outcome World::Call(std::size_t index, std::span<const U64> operands) {
  digest_ = Digest{};
  Label::log = &digest_;
  std::array<U64, 24> stack{};
  std::copy(operands.begin(), operands.end(), stack.begin());
  Outcome outcome;
  try {
    host_->functions[index].CallWithStack(stack);
    const std::vector<ValueType>& types = host_->result_types[index];
    for (std::size_t i = 0; i < types.size(); ++i) {
      const bool is_half = types[i] == ValueType::I32 || types[i] == ValueType::F32;
      outcome.results.push_back(is_half ? stack[i] & 0xFFFFFFFF : stack[i]);
    }
  } catch (const tenon::Trap& trap) {
    outcome.kind = Outcome::Kind::Trapped;
    outcome.code = static_cast<int>(trap.Code());
    ReadPlaces(trap.Message(), outcome);
  } catch (const tenon::ExitError& exit) {
    outcome.kind = Outcome::Kind::Exited;
    outcome.code = static_cast<int>(exit.ExitCode());
  } catch (const std::runtime_error& error) {
    outcome.kind = Outcome::Kind::Threw;
    outcome.code = std::string_view{error.what()} == "label" ? 1 : 2;
  }
  outcome.digest = digest_.Value();
  return outcome;
}

}  // namespace tenon_test::marshal
