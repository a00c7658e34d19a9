// SPDX-License-Identifier: Apache-2.0
/// @file
/// Ref and Handle: host objects that guests hold, and when they end.
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/vm/group.hpp>

#include "../support/count_allocations.hpp"
#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using tenon::Handle;
using tenon::Ref;
using tenon::TrapCode;

namespace {

constexpr auto kI32 = guests::kI32;
constexpr auto kExtern = tenon::ValueType::ExternRef;

/// A host object that says when it goes.
struct File {
  explicit File(std::string chosen, std::vector<std::string>* chosen_log = nullptr)
      : name{std::move(chosen)}, log{chosen_log} {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (log != nullptr) log->push_back(name);
  }
  std::string name;
  std::vector<std::string>* log;
};

struct Socket {
  int number = 0;
};

/// Host functions for files, in one of the two forms, and a guest that passes its operands on:
/// "open", "size", "same", "drop", "socket".
template <class FileRef, class SocketRef, class AnyRef>
struct Host {
  explicit Host(tenon::RuntimeConfig config = {}) : runtime{MakeRuntime(config)} {
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    env.NewFunctionBuilder()
        .WithFunc([this](std::uint32_t n) {
          return FileRef::Own(std::make_unique<File>("file " + std::to_string(n), &ended));
        })
        .Export("open");
    env.NewFunctionBuilder()
        .WithFunc([this](FileRef file) -> std::uint32_t {
          if (!file) return 0;
          if (in_size) in_size();
          return static_cast<std::uint32_t>(file->name.size());
        })
        .WithParameterNames("file")
        .Export("size");
    env.NewFunctionBuilder().WithFunc([](FileRef file) { return file; }).Export("same");
    if constexpr (std::is_same_v<AnyRef, Ref<void>>) {
      env.NewFunctionBuilder().WithFunc(tenon::DropRef).Export("drop");
    } else {
      env.NewFunctionBuilder().WithFunc(tenon::DropHandle).Export("drop");
    }
    env.NewFunctionBuilder()
        .WithFunc([this] { return SocketRef::Borrow(socket); })
        .Export("socket");
    env.Instantiate();
  }

  /// One operand or result of the reference's type.
  static constexpr tenon::ValueType kWire = std::is_same_v<FileRef, Ref<File>> ? kExtern : kI32;
  using Value =
      std::conditional_t<std::is_same_v<FileRef, Ref<File>>, tenon::ExternRef, std::uint32_t>;

  tenon::Module NewGuest(const tenon::ModuleConfig& config = tenon::ModuleConfig{}.WithName("")) {
    guests::Guest guest;
    const auto forward = [&](const char* name, const guests::Signature& type) {
      return std::pair{guest.AddImport("env", name, type), type};
    };
    const std::pair<std::uint32_t, guests::Signature> imports[] = {
        forward("open", {{kI32}, {kWire}}), forward("size", {{kWire}, {kI32}}),
        forward("same", {{kWire}, {kWire}}), forward("drop", {{kWire}, {}}),
        forward("socket", {{}, {kWire}})};
    const char* const names[] = {"open", "size", "same", "drop", "socket"};
    for (std::size_t i = 0; i < 5; ++i) {
      guest.Add(names[i], imports[i].second, [&](guests::CodeBuilder& code) {
        guests::GetAll(code, imports[i].second.parameters.size());
        code.Call(imports[i].first);
      });
    }
    return runtime.Instantiate(guest.Build(), config);
  }

  std::vector<std::string> ended;
  std::function<void()> in_size;
  Socket socket;
  tenon::Runtime runtime;
};

using Externs = Host<Ref<File>, Ref<Socket>, Ref<void>>;
using Handles = Host<Handle<File>, Handle<Socket>, Handle<void>>;

template <class Value>
Value Number(std::uint64_t number) {
  if constexpr (std::is_same_v<Value, tenon::ExternRef>) {
    return tenon::ExternRef{static_cast<std::uintptr_t>(number)};
  } else {
    return static_cast<Value>(number);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("externref = typed object + lifetime", "", Externs, Handles) {
  TestType host;
  using Value = typename TestType::Value;
  const tenon::Module guest = host.NewGuest();
  const auto open = guest.template ExportedFunction<Value(std::uint32_t)>("open");
  const auto size = guest.template ExportedFunction<std::uint32_t(Value)>("size");
  const auto same = guest.template ExportedFunction<Value(Value)>("same");
  const auto drop = guest.template ExportedFunction<void(Value)>("drop");
  const auto socket = guest.template ExportedFunction<Value()>("socket");
  const Value one = open(1);
  const Value other = open(22);
  CHECK(size(one) == 6);
  CHECK(size(other) == 7);
  CHECK(size(Value{}) == 0);  // null arrives as null
  // What was given goes back as it is.
  CHECK(same(one) == one);
  CHECK(same(Value{}) == Value{});
  SECTION("an object of another class is refused, and named") {
    const auto trap = Thrown<tenon::Trap>([&] { size(socket()); });
    CHECK(trap.Code() == TrapCode::ReferenceTypeMismatch);
    CHECK(trap.Message().find("(parameter 0 \"file\")") != std::string::npos);
  }
  SECTION("what was dropped is refused, also when its place is used again") {
    drop(one);
    CHECK(host.ended == std::vector<std::string>{"file 1"});
    for (std::uint32_t i = 0; i < 200; ++i) {
      CHECK(Thrown<tenon::Trap>([&] { size(one); }).Code() == TrapCode::StaleReference);
      drop(open(i));
    }
    CHECK(Thrown<tenon::Trap>([&] { drop(one); }).Code() == TrapCode::StaleReference);
    drop(Value{});
    CHECK(size(other) == 7);
  }
  SECTION("borrowed objects are not destroyed") {
    drop(socket());
    drop(socket());
    CHECK(host.ended.empty());
  }
  SECTION("an object that is dropped while the host uses it lives until then") {
    host.in_size = [&] {
      drop(one);
      CHECK(host.ended.empty());
    };
    CHECK(size(one) == 6);
    CHECK(host.ended == std::vector<std::string>{"file 1"});
  }
  SECTION("closing the instance ends its references, newest first") {
    guest.Close();
    CHECK(host.ended == std::vector<std::string>{"file 22", "file 1"});
  }
  SECTION("so does its end in the middle of a call, when that is over") {
    host.in_size = [&] {
      guest.Close();
      CHECK(host.ended.empty());
    };
    size(one);
    CHECK(host.ended == std::vector<std::string>{"file 22", "file 1"});
  }
  SECTION("so does the end of the runtime") {
    host.runtime.Close();
    CHECK(host.ended.size() == 2);
  }
}

TEMPLATE_TEST_CASE("references end with the last handle of an anonymous instance", "", Externs,
                   Handles) {
  TestType host;
  {
    const tenon::Module guest = host.NewGuest();
    guest.template ExportedFunction<typename TestType::Value(std::uint32_t)>("open")(1);
    CHECK(host.ended.empty());
  }
  CHECK(host.ended == std::vector<std::string>{"file 1"});
}

TEMPLATE_TEST_CASE("a reference is no good for another guest", "", Externs, Handles) {
  TestType host;
  using Value = typename TestType::Value;
  const tenon::Module owner = host.NewGuest();
  const tenon::Module thief = host.NewGuest();
  const Value file = owner.template ExportedFunction<Value(std::uint32_t)>("open")(1);
  const auto size = thief.template ExportedFunction<std::uint32_t(Value)>("size");
  CHECK(Thrown<tenon::Trap>([&] { size(file); }).Code() == TrapCode::StaleReference);
  thief.template ExportedFunction<Value(std::uint32_t)>("open")(2);
  CHECK(Thrown<tenon::Trap>([&] { size(file); }).Code() == TrapCode::StaleReference);
  CHECK(owner.template ExportedFunction<std::uint32_t(Value)>("size")(file) == 6);
}

TEMPLATE_TEST_CASE("numbers that were never given out are refused, whatever their bits", "",
                   Externs, Handles) {
  TestType host;
  using Value = typename TestType::Value;
  const tenon::Module guest = host.NewGuest();
  const auto size = guest.template ExportedFunction<std::uint32_t(Value)>("size");
  const auto is_refused = [&](std::uint64_t number) {
    const Value value = Number<Value>(number);
    if (value == Value{}) return true;
    try {
      size(value);
      return false;
    } catch (const tenon::Trap& trap) {
      return trap.Code() == TrapCode::StaleReference;
    }
  };
  // Before the first reference, and with some of them live.
  for (const bool with_references : {false, true}) {
    std::vector<Value> live;
    if (with_references) {
      const auto open = guest.template ExportedFunction<Value(std::uint32_t)>("open");
      for (std::uint32_t i = 0; i < 100; ++i) live.push_back(open(i));
    }
    for (int bit = 0; bit < 64; ++bit) {
      CHECK(is_refused(std::uint64_t{1} << bit));
      CHECK(is_refused(~(std::uint64_t{1} << bit)));
    }
    std::uint64_t state = 88172645463325252;
    for (int i = 0; i < 20000; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      // Half of them with indices that exist.
      const std::uint64_t number =
          i % 2 == 0 ? state : (state & ~std::uint64_t{0x3FFFFF}) | (state & 0x7F);
      const bool is_live = [&] {
        for (const Value value : live) {
          if (value == Number<Value>(number)) return true;
        }
        return false;
      }();
      if (!is_live && !is_refused(number)) FAIL("accepted " << number);
    }
  }
}

TEST_CASE("half of a reference is no handle") {
  const tenon::Runtime runtime = MakeRuntime();
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](Handle<Socket> socket) { return socket->number; })
      .Export("peek")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::Forwarder("env", "peek", {{kI32}, {kI32}}));
  const auto number = guest.ExportedFunction<std::int32_t(std::uint32_t)>("run");
  const tenon::ExternRef reference =
      guest.Issue(Ref<Socket>::Own(std::make_unique<Socket>(Socket{7})));
  const auto half = static_cast<std::uint32_t>(reference.Value());
  REQUIRE(half != 0);
  CHECK(Thrown<tenon::Trap>([&] { number(half); }).Code() == TrapCode::StaleReference);
  CHECK(guest.Resolve<Socket>(half).IsNull());
  const std::uint32_t handle =
      guest.Issue(Handle<Socket>::Own(std::make_unique<Socket>(Socket{8})));
  CHECK(number(handle) == 8);
}

TEST_CASE("an instance has a limit of live references") {
  Externs host{tenon::RuntimeConfig{}.WithReferenceLimit(3)};
  const tenon::Module guest = host.NewGuest();
  const auto open = guest.ExportedFunction<tenon::ExternRef(std::uint32_t)>("open");
  const auto drop = guest.ExportedFunction<void(tenon::ExternRef)>("drop");
  const tenon::ExternRef first = open(1);
  open(2);
  open(3);
  CHECK(Thrown<tenon::Trap>([&] { open(4); }).Code() == TrapCode::ReferenceLimit);
  CHECK(host.ended == std::vector<std::string>{"file 4"});
  drop(first);
  CHECK_NOTHROW(open(5));
  // Another instance has its own.
  const tenon::Module other = host.NewGuest();
  CHECK_NOTHROW(other.ExportedFunction<tenon::ExternRef(std::uint32_t)>("open")(6));
}

TEST_CASE("shared objects live as long as one of their owners") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto file = std::make_shared<int>(7);
  std::shared_ptr<int> kept;
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder()
      .WithFunc([&](Ref<int> number) {
        const auto* owner = number.OwnerAs<std::shared_ptr<int>>();
        REQUIRE(owner != nullptr);
        CHECK(number.OwnerAs<std::unique_ptr<int>>() == nullptr);
        kept = *owner;
      })
      .Export("keep");
  env.Instantiate();
  {
    const tenon::Module guest =
        runtime.Instantiate(guests::Forwarder("env", "keep", {{kExtern}, {}}));
    const tenon::ExternRef reference = guest.Issue(Ref<int>::Share(file));
    CHECK(file.use_count() == 2);
    CHECK(*guest.Resolve<int>(reference) == 7);
    CHECK(guest.Resolve<File>(reference).IsNull());
    CHECK(guest.Resolve<int>(tenon::ExternRef{}).IsNull());
    guest.ExportedFunction<void(tenon::ExternRef)>("run")(reference);
    CHECK(file.use_count() == 3);
  }
  CHECK(file.use_count() == 2);
  CHECK(kept == file);
}

TEST_CASE("a Ref in host code keeps its object, also beyond its instance and runtime") {
  std::vector<std::string> ended;
  Ref<File> kept;
  {
    const tenon::Runtime runtime = MakeRuntime();
    const tenon::Module guest = runtime.Instantiate(guests::Empty());
    const tenon::ExternRef reference =
        guest.Issue(Ref<File>::Own(std::make_unique<File>("kept", &ended)));
    guest.Issue(Ref<File>::Own(std::make_unique<File>("other", &ended)));
    kept = guest.Resolve<File>(reference);
    guest.Close();
    CHECK(ended == std::vector<std::string>{"other"});
    CHECK(kept->name == "kept");
    CHECK(guest.Resolve<File>(reference).IsNull());
  }
  CHECK(kept->name == "kept");
  kept.Drop();  // ended already
  kept = nullptr;
  CHECK(ended == std::vector<std::string>{"other", "kept"});
}

TEST_CASE("references of a closed module wait for the next call, also of a group that it joined") {
  // Whose group takes in the other depends on their sizes.
  for (const int others : {0, 3}) {
    std::vector<std::string> ended;
    const tenon::Runtime runtime = MakeRuntime();
    const auto open = [&](const guests::Bytes& bytes, const std::string& name) {
      return runtime.Instantiate(bytes, tenon::ModuleConfig{}.WithName(name));
    };
    const tenon::Module a = open(guests::Arithmetic(), "a");
    const tenon::Module closed = open(guests::Forwarder("a", "nothing", {}), "closed");
    closed.Issue(Ref<File>::Own(std::make_unique<File>("file", &ended)));
    closed.Close();
    CHECK(ended.empty());
    const tenon::Module b = open(guests::Arithmetic(), "b");
    std::vector<tenon::Module> importers;
    for (int i = 0; i < others; ++i) {
      importers.push_back(open(guests::Forwarder("b", "nothing", {}), "b" + std::to_string(i)));
    }
    guests::Guest both;
    both.AddImport("b", "nothing", {});
    both.AddImport("a", "nothing", {});
    const tenon::Module joiner = open(both.Build(), "joiner");
    a.ExportedFunction<void()>("nothing")();
    CHECK(ended == std::vector<std::string>{"file"});
  }
}

TEST_CASE("an object may take the last handles of its guest and runtime along as it ends") {
  struct Owner {
    std::unique_ptr<tenon::Runtime> runtime;
    tenon::Module guest;
  };
  auto runtime = std::make_unique<tenon::Runtime>(MakeRuntime());
  tenon::Module guest = runtime->Instantiate(guests::Empty());
  auto owner = std::make_unique<Owner>();
  Owner& owned = *owner;
  const std::uint32_t handle = guest.Issue(Handle<Owner>::Own(std::move(owner)));
  SECTION("from host code") {
    Handle<Owner> kept = guest.Resolve<Owner>(handle);
    owned.runtime = std::move(runtime);
    owned.guest = std::move(guest);
    kept.Drop();
    REQUIRE(owned.guest);
    kept = nullptr;
  }
  SECTION("as the guest is closed") {
    owned.runtime = std::move(runtime);
    owned.guest = guest;
    guest.Close();
  }
  SECTION("as the runtime is closed") {
    const tenon::Runtime& closed = *runtime;
    owned.runtime = std::move(runtime);
    closed.CloseWithExitCode(3);
  }
  SECTION("as another takes the runtime's place") {
    tenon::Runtime& replaced = *runtime;
    owned.guest = guest;
    owned.runtime = std::make_unique<tenon::Runtime>();
    replaced = std::move(*owned.runtime);
    CHECK_NOTHROW(replaced.Instantiate(guests::Empty()));
  }
}

TEST_CASE("what a Ref refers to may own what it is assigned") {
  struct Node {
    Ref<Node> next;
    int number = 0;
  };
  Ref<Node> list;
  for (int i = 0; i < 3; ++i) {
    auto node = std::make_unique<Node>();
    node->number = i;
    node->next = std::move(list);
    list = Ref<Node>::Own(std::move(node));
  }
  for (int i = 2; i >= 0; --i) {
    CHECK(list->number == i);
    list = std::move(list->next);
  }
  CHECK(list.IsNull());
  list = Ref<Node>::Own(std::make_unique<Node>());
  Ref<Node>& same = list;
  list = std::move(same);
  CHECK(list->number == 0);
}

TEST_CASE(
    "entries of a guest that is gone are used again once host code has let go of its objects") {
  const tenon::Runtime runtime = MakeRuntime();
  const auto chunk_of = [](std::uint32_t handle) {
    return (handle & tenon::abi::kReferenceIndexMask) >> tenon::abi::kReferenceChunkBits;
  };
  std::set<std::uint32_t> chunks;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::string> ended;
    tenon::Module guest = runtime.Instantiate(guests::Empty());
    Handle<File> kept[2];
    for (Handle<File>& one : kept) {
      const std::uint32_t handle =
          guest.Issue(Handle<File>::Own(std::make_unique<File>("kept", &ended)));
      chunks.insert(chunk_of(handle));
      one = guest.Resolve<File>(handle);
    }
    guest = {};
    CHECK(kept[0]->name == "kept");
    // Not while there is one.
    kept[1] = nullptr;
    const tenon::Module other = runtime.Instantiate(guests::Empty());
    File file{"borrowed"};
    chunks.insert(chunk_of(other.Issue(Handle<File>::Borrow(file))));
    CHECK(kept[0]->name == "kept");
    kept[0] = nullptr;
    CHECK(ended.size() == 2);
  }
  CHECK(chunks.size() == 2);
}

TEST_CASE("an object that outlives its guest may be let go on another thread") {
  const tenon::Runtime runtime = MakeRuntime();
  std::vector<Ref<File>> kept;
  for (int i = 0; i < 50; ++i) {
    const tenon::Module guest = runtime.Instantiate(guests::Empty());
    kept.push_back(guest.Resolve<File>(
        guest.Issue(Ref<File>::Own(std::make_unique<File>(std::to_string(i))))));
  }
  std::thread other{[&] { kept.clear(); }};
  File file{"borrowed"};
  for (int i = 0; i < 50; ++i) {
    const tenon::Module guest = runtime.Instantiate(guests::Empty());
    const tenon::ExternRef reference = guest.Issue(Ref<File>::Borrow(file));
    CHECK(guest.Resolve<File>(reference).Get() == &file);
  }
  other.join();
}

TEST_CASE("handles repeat rather than take up more and more memory") {
  tenon::vm::ReferenceChunks chunks;
  tenon::vm::Group group;
  std::set<const tenon::abi::ReferenceEntry*> entries;
  constexpr std::uint32_t kMany = 64 * tenon::abi::kReferenceChunkSize;
  const tenon::abi::ReferenceEntry* oldest = nullptr;
  const tenon::abi::ReferenceEntry* repeated = nullptr;
  for (std::uint32_t i = 0; i < 3 * kMany; ++i) {
    tenon::abi::ReferenceEntry* const entry = group.reference_table.Take(group, chunks);
    REQUIRE(entry != nullptr);
    if (i == 0) oldest = entry;
    if (!entries.insert(entry).second && repeated == nullptr) repeated = entry;
    // As if it had been given out as often as 32 bits can tell.
    const std::uint64_t index = entry->token & tenon::abi::kReferenceIndexMask;
    entry->token = (std::uint64_t{1} << 32) | index;
    entry->flags = tenon::abi::kReferenceWasHandle;
    group.reference_table.Free(entry);
  }
  CHECK(repeated == oldest);
  CHECK(entries.size() >= kMany);
  CHECK(entries.size() <= kMany + tenon::abi::kReferenceChunkSize);
  group.reference_table.GiveBack(chunks);
}

TEST_CASE("references of instances that are linked later stay valid for both") {
  Externs host;
  const tenon::Module a = host.NewGuest(tenon::ModuleConfig{}.WithName("a"));
  const tenon::Module b = host.NewGuest(tenon::ModuleConfig{}.WithName("b"));
  const auto open = [](const tenon::Module& guest) {
    return guest.ExportedFunction<tenon::ExternRef(std::uint32_t)>("open")(1);
  };
  const tenon::ExternRef of_a = open(a);
  const tenon::ExternRef of_b = open(b);
  const auto size = [](const tenon::Module& guest, tenon::ExternRef reference) {
    return guest.ExportedFunction<std::uint32_t(tenon::ExternRef)>("size")(reference);
  };
  CHECK_THROWS_AS(size(a, of_b), tenon::Trap);
  guests::Guest joiner;
  joiner.AddImport("a", "size", {{kExtern}, {kI32}});
  joiner.AddImport("b", "size", {{kExtern}, {kI32}});
  const tenon::Module c = host.runtime.Instantiate(joiner.Build());
  CHECK(size(a, of_b) == 6);
  CHECK(size(b, of_a) == 6);
  // Closed beside open instances that are linked with it: the next call ends its references.
  b.Close();
  CHECK(size(a, of_a) == 6);
  CHECK(host.ended == std::vector<std::string>{"file 1"});
  CHECK_THROWS_AS(size(a, of_b), tenon::Trap);
}

TEST_CASE("references cross inside of results and errors") {
  const tenon::Runtime runtime = MakeRuntime();
  std::vector<std::string> ended;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::uint32_t n) -> tenon::Result<Handle<File>> {
        if (n == 0) return tenon::Errno{ENOENT};
        return Handle<File>::Own(std::make_unique<File>("file", &ended));
      })
      .Export("open")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::Forwarder("env", "open", {{kI32}, {kI32, kI32}}));
  const auto open = guest.ExportedFunction<tenon::Result<std::uint32_t>(std::uint32_t)>("run");
  CHECK(open(0).error() == tenon::Errno{ENOENT});
  const std::uint32_t handle = *open(1);
  CHECK(guest.Resolve<File>(handle)->name == "file");
  guest.Resolve<File>(handle).Drop();
  CHECK(ended.size() == 1);
}

TEST_CASE("a Ref of one guest cannot be returned to another") {
  const tenon::Runtime runtime = MakeRuntime();
  Ref<Socket> kept;
  Socket socket;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] { return std::move(kept); })
      .Export("give")
      .Instantiate();
  const auto bytes = guests::Forwarder("env", "give", {{}, {kExtern}});
  const tenon::Module a = runtime.Instantiate(bytes);
  const tenon::Module b = runtime.Instantiate(bytes);
  kept = a.Resolve<Socket>(a.Issue(Ref<Socket>::Borrow(socket)));
  CHECK(Thrown<tenon::Trap>([&] { b.ExportedFunction<tenon::ExternRef()>("run")(); }).Code() ==
        TrapCode::ResultOutOfRange);
  kept = a.Resolve<Socket>(a.Issue(Ref<Socket>::Borrow(socket)));
  const auto error = Thrown<tenon::ConfigError>([&] { b.Issue(std::move(kept)); });
  CHECK(error.Id() == tenon::ErrorCode::ForeignReference);
  CHECK(std::string{error.what()} ==
        "a reference of another linkage group, or one that was ended, cannot be given to a module");
  kept = a.Resolve<Socket>(a.Issue(Ref<Socket>::Borrow(socket)));
  CHECK_FALSE(a.ExportedFunction<tenon::ExternRef()>("run")().IsNull());
}

TEST_CASE("references cross calls without allocating") {
  Externs host;
  const tenon::Module guest = host.NewGuest();
  const auto socket = guest.ExportedFunction<tenon::ExternRef()>("socket");
  const auto drop = guest.ExportedFunction<void(tenon::ExternRef)>("drop");
  const auto size = guest.ExportedFunction<std::uint32_t(tenon::ExternRef)>("size");
  const tenon::ExternRef file = guest.ExportedFunction<tenon::ExternRef(std::uint32_t)>("open")(1);
  drop(socket());
  const std::uint64_t before = Allocations();
  for (int i = 0; i < 1000; ++i) {
    drop(socket());
    size(file);
  }
  CHECK(Allocations() == before);
}
