// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prices the calls between host and guest, each with a native call of the same arguments as 1.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "stopwatch.hpp"

namespace {

struct Point {
  std::int32_t x;
  std::int32_t y;
};

}  // namespace

template <>
struct tenon::Fields<Point> : tenon::FieldList<&Point::x, &Point::y> {};

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::Opcode;

constexpr const char* kHelp = R"(usage: call_cost [--engine=NAME] [--repeat=N] [--json] [--check]

Prints the CPU time of one call in ns and its ratio to a native call through a function pointer with
the same arguments, for each engine or for the one named (interpreter, jit, auto).

Calls are made by loops: native ones in this program, tight ones of WebAssembly in the guest. The
time of an empty loop of the same kind is subtracted from each. All loops run in turn, N times
(default 31); a figure is the median of the rounds, a ratio the median of the ratios of one round.

  --json   prints a JSON object for each engine, one a line
  --check  exit status 1 if a ratio of the JIT exceeds the limit printed beside it
)";

constexpr std::int32_t kCalls = 100'000;  // in one measurement

// --- what is called
// -------------------------------------------------------------------------------

std::int32_t Add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

template <class... Rest>
std::int32_t AddAll(std::int32_t first, Rest... rest) {
  return static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(first) + ... + static_cast<std::uint32_t>(rest)));
}

using I = std::int32_t;
using Integers0 = I();
using Integers2 = I(I, I);
using Integers6 = I(I, I, I, I, I, I);
using Integers10 = I(I, I, I, I, I, I, I, I, I, I);
using Doubles2 = double(double, double);
using Doubles6 = double(double, double, double, double, double, double);
using Text = std::uint32_t(std::string_view);
using Bytes = std::uint32_t(std::span<const std::uint8_t>);
using PointIn = I(tenon::In<Point>, I);

I Sum0() { return 7; }
I Sum2(I a, I b) { return Add(a, b); }
I Sum6(I a, I b, I c, I d, I e, I f) { return AddAll(a, b, c, d, e, f); }
I Sum10(I a, I b, I c, I d, I e, I f, I g, I h, I i, I j) {
  return AddAll(a, b, c, d, e, f, g, h, i, j);
}
double SumDoubles2(double a, double b) { return a + b; }
double SumDoubles6(double a, double b, double c, double d, double e, double f) {
  return a + b + c + d + e + f;
}
struct Number {
  I value;
};
I AddNumber(I a, tenon::Handle<Number> number) { return Add(a, number->value); }
I TakePointer(I a, tenon::FunctionPointer<Integers2> function) { return Add(a, function ? 1 : 0); }
std::uint32_t MeasureText(std::string_view text) { return static_cast<std::uint32_t>(text.size()); }
std::uint32_t MeasureBytes(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(bytes.size());
}

std::uint32_t MeasureIntegers(std::span<const I> integers) {
  return static_cast<std::uint32_t>(integers.size());
}
I AddPoint(tenon::In<Point> point, I a) { return Add(Add(point->x, point->y), a); }

// --- native loops --------------------------------------------------------------------------------

/// Makes the compiler forget what it knows of a value.
template <class T>
T Launder(T value) {
  asm volatile("" : "+r"(value));
  return value;
}

/// Calls `callee` with the sum so far and, for the other parameters, the number of the round.
template <class Callee, class T, class... Rest>
[[gnu::noinline]] T CallInLoop(const Callee& callee, std::int32_t calls, T (*)(T, Rest...)) {
  T sum = 0;
  for (std::int32_t i = calls; i != 0; --i) {
    const T number = static_cast<T>(i);
    sum = callee(sum, static_cast<Rest>(number)...);
  }
  return sum;
}
template <class Callee>
[[gnu::noinline]] I CallInLoop(const Callee& callee, std::int32_t calls, Integers0*) {
  I sum = 0;
  for (std::int32_t i = calls; i != 0; --i) sum = Add(sum, callee());
  return sum;
}
template <class Callee>
[[gnu::noinline]] std::uint32_t CallInLoop(const Callee& callee, std::int32_t calls, Text*) {
  static const char text[16] = {};
  std::uint32_t sum = 0;
  for (std::int32_t i = calls; i != 0; --i) sum = callee(std::string_view{text, sizeof text});
  return sum;
}

template <class Callee>
[[gnu::noinline]] std::uint32_t CallInLoop(const Callee& callee, std::int32_t calls, Bytes*) {
  static const std::uint8_t bytes[16] = {};
  std::uint32_t sum = 0;
  for (std::int32_t i = calls; i != 0; --i) sum = callee(std::span{bytes});
  return sum;
}

template <class Callee>
[[gnu::noinline]] I CallInLoop(const Callee& callee, std::int32_t calls, PointIn*) {
  Point point{1, 2};
  I sum = 0;
  for (std::int32_t i = calls; i != 0; --i) {
    point.x = i;
    sum = callee(tenon::In<Point>{point}, sum);
  }
  return sum;
}

/// The loops above without a call.
[[gnu::noinline]] void CountInLoop(std::int32_t calls) {
  for (std::int32_t i = calls; i != 0; --i) i = Launder(i);
}

/// A pointer that is not known before each call, so that nothing is inlined.
template <class Signature>
struct UnknownFunction {
  Signature* function;
  template <class... A>
  auto operator()(A... arguments) const {
    return Launder(function)(arguments...);
  }
};

template <class Result>
void Keep(Result result) {
  [[maybe_unused]] volatile Result sink = result;
}

// --- the guest
// ------------------------------------------------------------------------------------

struct Shape {
  std::vector<ValueType> parameters;
  ValueType result;
};

const Shape kInteger0{{}, ValueType::I32};
const Shape kInteger2{std::vector<ValueType>(2, ValueType::I32), ValueType::I32};
const Shape kInteger6{std::vector<ValueType>(6, ValueType::I32), ValueType::I32};
const Shape kInteger10{std::vector<ValueType>(10, ValueType::I32), ValueType::I32};
const Shape kDouble2{std::vector<ValueType>(2, ValueType::F64), ValueType::F64};
const Shape kDouble6{std::vector<ValueType>(6, ValueType::F64), ValueType::F64};

/// A host function that the guest imports and calls in the loop of the same name.
struct Import {
  const char* name;
  const Shape& shape;
};

const Import kImports[] = {
    {"template_0", kInteger0},   {"template_2", kInteger2}, {"template_6", kInteger6},
    {"template_10", kInteger10}, {"template_d2", kDouble2}, {"template_d6", kDouble6},
    {"lambda_0", kInteger0},     {"lambda_2", kInteger2},   {"lambda_6", kInteger6},
    {"lambda_10", kInteger10},   {"lambda_d2", kDouble2},   {"capturing_2", kInteger2},
    {"pointer_0", kInteger0},    {"pointer_2", kInteger2},  {"pointer_6", kInteger6},
    {"pointer_10", kInteger10},  {"pointer_d2", kDouble2},  {"module_2", kInteger2},
    {"slots_2", kInteger2},
};

/// Exports `loop_NAME(n)` for each import, `loop_text`, loops without a call, a loop around an
/// indirect call, and the sums that the host calls. Parameters of what is called are as in
/// CallInLoop.
class GuestBuilder {
 public:
  std::vector<std::uint8_t> Build() {
    std::vector<std::uint32_t> imported;
    for (const Import& import : kImports) {
      imported.push_back(builder_.ImportFunction("env", import.name, TypeOf(import.shape)));
    }
    const std::uint32_t text = builder_.ImportFunction("env", "text", TypeOf(kInteger2));
    const std::uint32_t span = builder_.ImportFunction("env", "span", TypeOf(kInteger2));
    const std::uint32_t point = builder_.ImportFunction("env", "point", TypeOf(kInteger2));
    const std::uint32_t handle = builder_.ImportFunction("env", "handle", TypeOf(kInteger2));
    const std::uint32_t pointer = builder_.ImportFunction("env", "callback", TypeOf(kInteger2));
    builder_.Memory(1);
    const std::uint32_t object =
        builder_.Global({ValueType::I32, true}, tenon::wasm::ConstantExpression::I32(0));
    builder_.Export("object", tenon::ExternKind::Global, object);
    for (std::size_t i = 0; i < imported.size(); ++i) {
      const Shape& shape = kImports[i].shape;
      Loop(kImports[i].name, shape, [&](CodeBuilder& code) {
        PushArguments(code, shape);
        code.Call(imported[i]);
      });
    }
    Loop("text", kInteger2, [&](CodeBuilder& code) { code.I32Const(64).I32Const(16).Call(text); });
    Loop("span", kInteger2, [&](CodeBuilder& code) { code.I32Const(64).I32Const(16).Call(span); });
    Loop("point", kInteger2, [&](CodeBuilder& code) { code.I32Const(64).LocalGet(1).Call(point); });
    Loop("handle", kInteger2,
         [&](CodeBuilder& code) { code.LocalGet(1).GlobalGet(object).Call(handle); });
    // Element 0 of the table below.
    Loop("callback", kInteger2,
         [&](CodeBuilder& code) { code.LocalGet(1).I32Const(0).Call(pointer); });
    Loop("empty", kInteger2, [](CodeBuilder& code) { code.LocalGet(1); });
    for (const auto& [name, shape] : {std::pair<const char*, const Shape&>{"sum_0", kInteger0},
                                      {"sum_2", kInteger2},
                                      {"sum_6", kInteger6},
                                      {"sum_10", kInteger10},
                                      {"sum_d2", kDouble2},
                                      {"sum_d6", kDouble6}}) {
      ExportSum(name, shape);
    }
    // An allocator that has one place, and what takes a span.
    const auto add = [&](const char* name, std::uint32_t type, auto&& body) {
      builder_.Export(name, tenon::ExternKind::Func, builder_.Function(type, {}, body));
    };
    add("malloc", builder_.Type({ValueType::I32}, {ValueType::I32}),
        [](CodeBuilder& code) { code.I32Const(1024); });
    add("free", builder_.Type({ValueType::I32}, {}), [](CodeBuilder&) {});
    add("measure", TypeOf(kInteger2), [](CodeBuilder& code) { code.LocalGet(1); });
    add("sum_point", TypeOf(kInteger2), [](CodeBuilder& code) {
      code.LocalGet(0).Memory(Opcode::I32Load).LocalGet(0).Memory(Opcode::I32Load, {.offset = 4});
      code.Emit(Opcode::I32Add);
      code.LocalGet(1).Emit(Opcode::I32Add);
    });
    // Through a table, so that the callee is not inlined.
    const std::uint32_t sum = Sum(kInteger2);
    const std::uint32_t table = builder_.Table(ValueType::FuncRef, 1, 1);
    builder_.ActiveElement(table, tenon::wasm::ConstantExpression::I32(0),
                           tenon::wasm::ElementItems::Functions({sum}));
    Loop("guest_2", kInteger2, [&](CodeBuilder& code) {
      PushArguments(code, kInteger2);
      code.I32Const(0).CallIndirect(TypeOf(kInteger2), table);
    });
    return builder_.Build();
  }

 private:
  std::uint32_t TypeOf(const Shape& shape) {
    return builder_.Type(shape.parameters, {shape.result});
  }

  static void PushArguments(CodeBuilder& code, const Shape& shape) {
    for (std::size_t i = 0; i < shape.parameters.size(); ++i) {
      code.LocalGet(i == 0 ? 1 : 0);
      if (i != 0 && shape.result == ValueType::F64) code.Emit(Opcode::F64ConvertI32S);
    }
  }

  /// `loop_NAME(n)` makes n calls; local 0 counts them, local 1 is the sum.
  template <class Call>
  void Loop(const std::string& name, const Shape& shape, Call call) {
    const std::uint32_t type = builder_.Type({ValueType::I32}, {shape.result});
    const std::uint32_t function = builder_.Function(type, {shape.result}, [&](CodeBuilder& code) {
      code.Loop({}, [&](CodeBuilder& body) {
        call(body);
        if (shape.parameters.empty()) body.LocalGet(1).Emit(Opcode::I32Add);
        body.LocalSet(1);
        body.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
      });
      code.LocalGet(1);
    });
    builder_.Export("loop_" + name, tenon::ExternKind::Func, function);
  }

  std::uint32_t Sum(const Shape& shape) {
    return builder_.Function(TypeOf(shape), {}, [&](CodeBuilder& code) {
      const bool is_double = shape.result == ValueType::F64;
      const auto count = static_cast<std::uint32_t>(shape.parameters.size());
      if (count == 0) code.I32Const(7);
      for (std::uint32_t i = 0; i < count; ++i) {
        code.LocalGet(i);
        if (i != 0) code.Emit(is_double ? Opcode::F64Add : Opcode::I32Add);
      }
    });
  }

  void ExportSum(const char* name, const Shape& shape) {
    builder_.Export(name, tenon::ExternKind::Func, Sum(shape));
  }

  tenon::wasm::ModuleBuilder builder_;
};

tenon::Module Instantiate(const tenon::Runtime& runtime) {
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder().WithFunc<Sum0>().Export("template_0");
  env.NewFunctionBuilder().WithFunc<Sum2>().Export("template_2");
  env.NewFunctionBuilder().WithFunc<Sum6>().Export("template_6");
  env.NewFunctionBuilder().WithFunc<Sum10>().Export("template_10");
  env.NewFunctionBuilder().WithFunc<SumDoubles2>().Export("template_d2");
  env.NewFunctionBuilder().WithFunc<SumDoubles6>().Export("template_d6");
  env.NewFunctionBuilder().WithFunc([] { return I{7}; }).Export("lambda_0");
  env.NewFunctionBuilder().WithFunc([](I a, I b) { return Add(a, b); }).Export("lambda_2");
  env.NewFunctionBuilder()
      .WithFunc([](I a, I b, I c, I d, I e, I f) { return AddAll(a, b, c, d, e, f); })
      .Export("lambda_6");
  env.NewFunctionBuilder()
      .WithFunc([](I a, I b, I c, I d, I e, I f, I g, I h, I i, I j) {
        return AddAll(a, b, c, d, e, f, g, h, i, j);
      })
      .Export("lambda_10");
  env.NewFunctionBuilder().WithFunc([](double a, double b) { return a + b; }).Export("lambda_d2");
  env.NewFunctionBuilder()
      .WithFunc([seen = I{0}](I a, I b) mutable { return seen = Add(a, b); })
      .Export("capturing_2");
  env.NewFunctionBuilder().WithFunc(Launder(&Sum0)).Export("pointer_0");
  env.NewFunctionBuilder().WithFunc(Launder(&Sum2)).Export("pointer_2");
  env.NewFunctionBuilder().WithFunc(Launder(&Sum6)).Export("pointer_6");
  env.NewFunctionBuilder().WithFunc(Launder(&Sum10)).Export("pointer_10");
  env.NewFunctionBuilder().WithFunc(Launder(&SumDoubles2)).Export("pointer_d2");
  env.NewFunctionBuilder()
      .WithFunc([](tenon::Module&, I a, I b) { return Add(a, b); })
      .Export("module_2");
  env.NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            slots[0] =
                static_cast<std::uint32_t>(Add(static_cast<I>(slots[0]), static_cast<I>(slots[1])));
          },
          {ValueType::I32, ValueType::I32}, {ValueType::I32})
      .Export("slots_2");
  env.NewFunctionBuilder().WithFunc<MeasureText>().Export("text");
  env.NewFunctionBuilder().WithFunc<MeasureIntegers>().Export("span");
  env.NewFunctionBuilder().WithFunc<AddPoint>().Export("point");
  env.NewFunctionBuilder().WithFunc<AddNumber>().Export("handle");
  env.NewFunctionBuilder().WithFunc<TakePointer>().Export("callback");
  env.Instantiate();
  const tenon::Module guest = runtime.Instantiate(GuestBuilder{}.Build());
  static Number number{3};
  guest.ExportedGlobal("object").Set(
      tenon::Value{static_cast<I>(guest.Issue(tenon::Handle<Number>::Borrow(number)))});
  return guest;
}

// --- measurement
// ----------------------------------------------------------------------------------

struct Row {
  std::string name;
  double nanoseconds;
  double native_nanoseconds;
  double ratio;
  std::optional<double> limit;
};

/// Loops and what is to be made of their times.
class Table {
 public:
  /// A loop of kCalls calls; the index is for the functions below.
  std::size_t AddLoop(std::function<void()> loop) {
    loops_.push_back(std::move(loop));
    return loops_.size() - 1;
  }
  /// A line of the table: times of `loop` less those of `empty`, over the same of the native ones.
  void AddRow(std::string name, std::size_t loop, std::size_t empty, std::size_t native,
              std::size_t native_empty, std::optional<double> limit) {
    plans_.push_back({std::move(name), loop, empty, native, native_empty, limit});
  }

  std::vector<Row> Measure(unsigned long repeat) const {
    std::vector<bench::Series> series(loops_.size());
    for (const std::function<void()>& loop : loops_) loop();
    for (unsigned long i = 0; i < repeat; ++i) {
      for (std::size_t k = 0; k < loops_.size(); ++k) series[k].Time(loops_[k]);
    }
    std::vector<Row> rows;
    for (const Plan& plan : plans_) {
      std::vector<double> times, native_times, ratios;
      for (std::size_t i = 0; i < repeat; ++i) {
        const auto price = [&](std::size_t loop, std::size_t empty) {
          return (series[loop].Cpu()[i] - series[empty].Cpu()[i]) / kCalls;
        };
        times.push_back(price(plan.loop, plan.empty));
        native_times.push_back(price(plan.native, plan.native_empty));
        ratios.push_back(times.back() / native_times.back());
      }
      rows.push_back({plan.name, bench::Median(times), bench::Median(native_times),
                      bench::Median(ratios), plan.limit});
    }
    return rows;
  }

 private:
  struct Plan {
    std::string name;
    std::size_t loop, empty, native, native_empty;
    std::optional<double> limit;
  };

  std::vector<std::function<void()>> loops_;
  std::vector<Plan> plans_;
};

constexpr double kDirectLimit = 1.3;   // of WithFunc<F>() and lambdas without captures
constexpr double kPointerLimit = 1.7;  // of functions passed by pointer
constexpr double kTypedLimit = 3;      // of typed calls into a guest

/// Adds the loops and rows of one guest to a table.
class CallTable {
 public:
  explicit CallTable(const tenon::Module& guest) : guest_{guest} {
    native_empty_ = table_.AddLoop([] { CountInLoop(kCalls); });
    guest_empty_ = AddGuestLoop<I>("empty");

    AddShape<Integers0>("0 integers", "_0", "sum_0", Sum0);
    AddShape<Integers2>("2 integers", "_2", "sum_2", Sum2);
    AddShape<Integers6>("6 integers", "_6", "sum_6", Sum6);
    AddShape<Integers10>("10 integers", "_10", "sum_10", Sum10);
    AddShape<Doubles2>("2 doubles", "_d2", "sum_d2", SumDoubles2);
    AddDoubles6();

    const std::size_t two = AddNative<Integers2>(Sum2);
    AddOut<I>("guest to host, lambda with captures, 2 integers", "capturing_2", two, {});
    AddOut<I>("guest to host, with Module&, 2 integers", "module_2", two, {});
    AddOut<I>("guest to host, slots, 2 integers", "slots_2", two, {});
    AddOut<I>("guest to host, WithFunc<F>(), string_view", "text", AddNative<Text>(MeasureText),
              {});
    AddOut<I>("guest to host, WithFunc<F>(), span of integers", "span", two, {});
    AddOut<I>("guest to host, WithFunc<F>(), struct by pointer and integer", "point", two, {});
    AddOut<I>("guest to host, WithFunc<F>(), integer and Handle", "handle", two, {});
    AddOut<I>("guest to host, WithFunc<F>(), integer and FunctionPointer", "callback", two, {});
    AddOut<I>("guest to guest, call_indirect, 2 integers", "guest_2", two, {});
    AddSpanIn();
    AddStructIn();
    AddUntyped(two);
  }

  std::vector<Row> Measure(unsigned long repeat) const { return table_.Measure(repeat); }

 private:
  template <class Signature>
  std::size_t AddNative(Signature* function) {
    return table_.AddLoop([function] {
      Keep(CallInLoop(UnknownFunction<Signature>{function}, kCalls,
                      static_cast<Signature*>(nullptr)));
    });
  }

  template <class Result>
  std::size_t AddGuestLoop(const std::string& name) {
    const auto loop = guest_.ExportedFunction<Result(I)>("loop_" + name);
    return table_.AddLoop([loop] { Keep(loop(kCalls)); });
  }

  template <class Result>
  void AddOut(std::string row, const std::string& name, std::size_t native,
              std::optional<double> limit) {
    table_.AddRow(std::move(row), AddGuestLoop<Result>(name), guest_empty_, native, native_empty_,
                  limit);
  }

  template <class Signature>
  void AddIn(const std::string& row, const char* name, std::size_t native) {
    const auto callee = guest_.ExportedFunction<Signature>(name);
    const std::size_t loop = table_.AddLoop(
        [callee] { Keep(CallInLoop(callee, kCalls, static_cast<Signature*>(nullptr))); });
    table_.AddRow(row, loop, native_empty_, native, native_empty_, kTypedLimit);
  }

  /// Calls with one list of arguments, each way.
  template <class Signature>
  void AddShape(const std::string& arguments, const std::string& suffix, const char* sum,
                Signature* function) {
    using Result = typename std::function<Signature>::result_type;
    const std::size_t native = AddNative<Signature>(function);
    AddOut<Result>("guest to host, WithFunc<F>(), " + arguments, "template" + suffix, native,
                   kDirectLimit);
    AddOut<Result>("guest to host, lambda, " + arguments, "lambda" + suffix, native, kDirectLimit);
    AddOut<Result>("guest to host, pointer, " + arguments, "pointer" + suffix, native,
                   kPointerLimit);
    AddIn<Signature>("host to guest, typed, " + arguments, sum, native);
  }

  void AddDoubles6() {
    const std::size_t native = AddNative<Doubles6>(SumDoubles6);
    AddOut<double>("guest to host, WithFunc<F>(), 6 doubles", "template_d6", native, kDirectLimit);
    AddIn<Doubles6>("host to guest, typed, 6 doubles", "sum_d6", native);
  }

  void AddSpanIn() {
    const auto measure =
        guest_.ExportedFunction<Bytes>("measure", tenon::GuestAllocator::Find(guest_));
    const std::size_t loop = table_.AddLoop(
        [measure] { Keep(CallInLoop(measure, kCalls, static_cast<Bytes*>(nullptr))); });
    table_.AddRow("typed host to guest with a span", loop, native_empty_,
                  AddNative<Bytes>(MeasureBytes), native_empty_, {});
  }

  void AddStructIn() {
    const auto sum =
        guest_.ExportedFunction<PointIn>("sum_point", tenon::GuestAllocator::Find(guest_));
    const std::size_t loop =
        table_.AddLoop([sum] { Keep(CallInLoop(sum, kCalls, static_cast<PointIn*>(nullptr))); });
    table_.AddRow("typed host to guest with a struct", loop, native_empty_,
                  AddNative<PointIn>(AddPoint), native_empty_, {});
  }

  void AddUntyped(std::size_t native) {
    const tenon::Function add = guest_.ExportedFunction("sum_2");
    const std::size_t with_stack = table_.AddLoop([add] {
      tenon::abi::Slot stack[2] = {0, 0};
      for (std::int32_t i = kCalls; i != 0; --i) {
        stack[1] = static_cast<std::uint32_t>(i);
        add.CallWithStack(stack);
      }
      Keep(stack[0]);
    });
    const std::size_t with_values = table_.AddLoop([add] {
      tenon::Value sum = I{0};
      for (std::int32_t i = kCalls; i != 0; --i) sum = add.Call({sum, i})[0];
      Keep(sum.I32());
    });
    table_.AddRow("host to guest, CallWithStack, 2 integers", with_stack, native_empty_, native,
                  native_empty_, {});
    table_.AddRow("host to guest, Call, 2 integers", with_values, native_empty_, native,
                  native_empty_, {});
  }

  tenon::Module guest_;
  Table table_;
  std::size_t native_empty_, guest_empty_;
};

void PrintTable(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("%-52s %8s %8s %8s %6s\n", std::string{engine}.c_str(), "ns", "native", "ratio",
              "limit");
  for (const Row& row : rows) {
    std::printf("%-52s %8.2f %8.2f %8.2f", row.name.c_str(), row.nanoseconds,
                row.native_nanoseconds, row.ratio);
    if (row.limit) std::printf(" %6.1f%s", *row.limit, row.ratio > *row.limit ? " exceeded" : "");
    std::printf("\n");
  }
}

void PrintJson(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("{\"engine\": \"%s\", \"calls\": [", std::string{engine}.c_str());
  const char* separator = "";
  for (const Row& row : rows) {
    std::printf("%s{\"name\": \"%s\", \"ns\": %.3f, \"native_ns\": %.3f, \"ratio\": %.3f",
                separator, row.name.c_str(), row.nanoseconds, row.native_nanoseconds, row.ratio);
    if (row.limit) std::printf(", \"limit\": %.1f", *row.limit);
    std::printf("}");
    separator = ", ";
  }
  std::printf("]}\n");
}

struct Options {
  std::vector<tenon::EngineKind> engines;
  unsigned long repeat = 31;
  bool json = false;
  bool check = false;
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--check") {
      options.check = true;
    } else if (argument == "--engine=interpreter") {
      options.engines = {tenon::EngineKind::Interpreter};
    } else if (argument == "--engine=jit") {
      options.engines = {tenon::EngineKind::Jit};
    } else if (argument == "--engine=auto") {
      options.engines = {tenon::EngineKind::Auto};
    } else if (argument.starts_with("--repeat=")) {
      options.repeat = std::max(1ul, std::strtoul(argv[i] + std::strlen("--repeat="), nullptr, 10));
    } else {
      std::fputs(kHelp, argument == "--help" ? stdout : stderr);
      std::exit(argument == "--help" ? 0 : 2);
    }
  }
  if (options.engines.empty()) {
    // The compiler only where it runs.
    options.engines = {tenon::EngineKind::Auto};
    if (tenon::Runtime{}.EngineName() != "interpreter") {
      options.engines.push_back(tenon::EngineKind::Interpreter);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = ParseOptions(argc, argv);
    bool is_exceeded = false;
    for (const tenon::EngineKind engine : options.engines) {
      const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(engine)};
      std::vector<Row> rows = CallTable{Instantiate(runtime)}.Measure(options.repeat);
      const bool has_limits = runtime.EngineName() == "jit";
      for (Row& row : rows) {
        if (!has_limits) row.limit.reset();
        is_exceeded |= row.limit && row.ratio > *row.limit;
      }
      if (options.json) {
        PrintJson(runtime.EngineName(), rows);
      } else {
        PrintTable(runtime.EngineName(), rows);
      }
    }
    return options.check && is_exceeded ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "call_cost: %s\n", error.what());
    return 1;
  }
}
