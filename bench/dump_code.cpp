// SPDX-License-Identifier: Apache-2.0
/// @file
/// Shows what the compiler makes of functions: their intermediate representation and their machine
/// code with the places that belong to wasm instructions.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <tenon/abi/trap_code.hpp>
#include <tenon/jit/body_facts.hpp>
#include <tenon/jit/code_symbols.hpp>
#include <tenon/jit/function_compiler.hpp>
#include <tenon/jit/ir_printer.hpp>
#include <tenon/read_file.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/name_section.hpp>
#include <tenon/wasm/validator.hpp>

namespace {

namespace jit = tenon::jit;
namespace wasm = tenon::wasm;

constexpr const char* kHelp = R"(usage: dump_code [OPTION...] FILE [FUNCTION]

Compiles a module and shows the intermediate representation of its functions, as it is after the
passes, and their machine code: disassembled if objdump is installed, else as bytes. FUNCTION is an
index, a name of the name section, or an export; without it all functions are shown.

  --ir             the intermediate representation only
  --code           the machine code only
  --checked        explicit comparisons instead of guard pages
  --floor          for the least processor instead of one that has everything
  --interruptible  with checks for RuntimeConfig::WithCloseOnContextDone
  --canonical-nan  for RuntimeConfig::WithCanonicalNaN
  --unoptimized    without the passes between front end and selection
  --bytes          no disassembly

Offsets of code count from the function's first byte, those of wasm from the module's.
)";

struct Options {
  jit::CompileOptions compile;
  bool shows_ir = true;
  bool shows_code = true;
  bool disassembles = true;
  std::string file;
  std::optional<std::string> function;
};

[[noreturn]] void Refuse(const std::string& reason) {
  std::fprintf(stderr, "dump_code: %s (see --help)\n", reason.c_str());
  std::exit(2);
}

Options ParseArguments(std::span<char*> arguments) {
  Options options;
  options.compile.cpu = tenon::CpuFeatures::All();
  std::vector<std::string> positional;
  for (const std::string argument : arguments) {
    if (argument == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (argument == "--ir") {
      options.shows_code = false;
    } else if (argument == "--code") {
      options.shows_ir = false;
    } else if (argument == "--checked") {
      options.compile.memory = jit::MemoryStyle::Checked;
    } else if (argument == "--floor") {
      options.compile.cpu = tenon::CpuFeatures::Floor();
    } else if (argument == "--interruptible") {
      options.compile.interruptible = true;
    } else if (argument == "--canonical-nan") {
      options.compile.canonical_nan = true;
    } else if (argument == "--unoptimized") {
      options.compile.optimize = false;
    } else if (argument == "--bytes") {
      options.disassembles = false;
    } else if (argument.starts_with("--")) {
      Refuse("unknown option " + argument);
    } else {
      positional.push_back(argument);
    }
  }
  if (positional.empty() || positional.size() > 2) Refuse("one file and at most one function");
  options.file = positional[0];
  if (positional.size() == 2) options.function = positional[1];
  return options;
}

std::string Hexadecimal(std::uint64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

/// A decoded and validated module.
struct Source {
  explicit Source(const std::string& file) : bytes{tenon::ReadFile(file)} {
    Check(wasm::Decode(bytes, {}, module));
    Check(wasm::ValidateModule(module, tenon::CoreFeatures::V2(), {}, context));
    Check(jit::GatherFacts(context, facts));
    names = wasm::ParseNames(module);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::string NameOf(std::uint32_t function) const {
    const std::string_view name = names.Function(function);
    return name.empty() ? "$" + std::to_string(function) : jit::OneLine(name);
  }

  std::vector<std::uint8_t> bytes;
  wasm::Module module;
  wasm::ValidationContext context;
  jit::ModuleFacts facts;
  wasm::NameSection names;

 private:
  void Check(const wasm::Fault& fault) const {
    if (!fault.IsNone()) throw std::runtime_error{wasm::FormatFault(module, fault)};
  }
};

/// The functions meant by `text`, as indices in the module.
std::vector<std::uint32_t> FindFunctions(const Source& source,
                                         const std::optional<std::string>& text) {
  const wasm::Module& module = source.module;
  const auto count = static_cast<std::uint32_t>(module.functions.size());
  std::vector<std::uint32_t> found;
  if (text.has_value()) {
    for (std::uint32_t i = module.imported_functions; i < count; ++i) {
      if (std::to_string(i) == *text || source.names.Function(i) == *text) found.push_back(i);
    }
    for (const wasm::Export& entry : module.exports) {
      if (entry.kind == tenon::ExternKind::Func && entry.index >= module.imported_functions &&
          module.Text(entry.name) == *text &&
          std::ranges::find(found, entry.index) == found.end()) {
        found.push_back(entry.index);
      }
    }
    if (found.empty()) Refuse("the module has no body of a function " + *text);
  } else {
    for (std::uint32_t i = module.imported_functions; i < count; ++i) found.push_back(i);
  }
  return found;
}

/// A line of machine code.
struct Line {
  std::size_t offset;
  std::string text;
};

/// What objdump says; empty if there is none.
std::vector<Line> Disassemble(std::span<const std::uint8_t> code) {
  char path[] = "/tmp/dump_code-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) return {};
  std::vector<Line> lines;
  if (write(file, code.data(), code.size()) == static_cast<ssize_t>(code.size())) {
    const std::string command =
        std::string{"objdump -D -b binary -mi386:x86-64 -Mintel --insn-width=8 "} + path +
        " 2>/dev/null";
    if (FILE* const output = popen(command.c_str(), "r")) {
      std::array<char, 512> text{};
      while (std::fgets(text.data(), static_cast<int>(text.size()), output) != nullptr) {
        std::string_view line{text.data()};
        char* colon = nullptr;
        const unsigned long long offset = std::strtoull(text.data(), &colon, 16);
        if (!line.starts_with(' ') || colon == text.data() || *colon != ':') continue;
        line.remove_prefix(static_cast<std::size_t>(colon - text.data()) + 1);
        while (line.ends_with('\n')) line.remove_suffix(1);
        lines.push_back({static_cast<std::size_t>(offset), std::string{line}});
      }
      pclose(output);
    }
  }
  close(file);
  unlink(path);
  return lines;
}

/// Bytes, 16 a line, with a new line at each site.
std::vector<Line> PrintBytes(const jit::CompiledFunction& function) {
  std::vector<std::size_t> cuts;
  cuts.reserve(function.faults.size() + function.calls.size());
  for (const jit::CodeSite& site : function.faults) cuts.push_back(site.code_offset);
  for (const jit::CodeSite& site : function.calls) cuts.push_back(site.code_offset);
  std::ranges::sort(cuts);
  std::vector<Line> lines;
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    const bool cuts_here = std::ranges::binary_search(cuts, i);
    if (lines.empty() || cuts_here || i - lines.back().offset == 16) lines.push_back({i, "  "});
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x ", function.code[i]);
    lines.back().text += digits.data();
  }
  return lines;
}

/// Prints functions one after the other.
class Printer {
 public:
  Printer(const Source& source, const Options& options)
      : source_{source},
        options_{options},
        input_{source.module, source.context, source.facts, options_.compile},
        compiler_{input_} {}

  void Print(std::uint32_t function) {
    const std::uint32_t defined = function - source_.module.imported_functions;
    const wasm::ByteRange body = source_.module.bodies[defined];
    compiler_.Compile(defined, compiled_);
    std::printf("function %u %s: wasm %s..%s, %zu bytes of code, frame of %u bytes\n", function,
                source_.NameOf(function).c_str(), Hexadecimal(body.offset).c_str(),
                Hexadecimal(std::uint64_t{body.offset} + body.size).c_str(), compiled_.code.size(),
                compiled_.frame_size);
    if (options_.shows_ir) std::printf("\n%s", jit::PrintIr(compiler_.Ir()).c_str());
    if (options_.shows_code) PrintCode();
    std::printf("\n");
  }

 private:
  std::string PlaceOf(const jit::CodeSite& site) const {
    std::string text = "wasm " + Hexadecimal(site.wasm_offset);
    if (site.inlined_at == 0xFFFFFFFF) return text;
    text += " of " + source_.NameOf(site.function);
    for (std::uint32_t at = site.inlined_at; at != 0xFFFFFFFF;) {
      const jit::Inlining& inlining = compiled_.inlinings[at];
      text += ", inlined at " + Hexadecimal(inlining.wasm_offset) + " of " +
              source_.NameOf(inlining.function);
      at = inlining.inlined_at;
    }
    return text;
  }

  std::string TargetOf(const jit::Relocation& relocation) const {
    switch (relocation.kind) {
      case jit::Relocation::Kind::Function: {
        const std::uint32_t index = source_.module.imported_functions + relocation.target;
        return "function " + std::to_string(index) + " " + source_.NameOf(index);
      }
      case jit::Relocation::Kind::TrapStub:
        return std::string{"trap: "} +
               tenon::TrapText(static_cast<tenon::TrapCode>(relocation.target));
      case jit::Relocation::Kind::Unwind:
        return "stub that leaves the guest";
      case jit::Relocation::Kind::Interrupt:
        break;
    }
    return "stub that asks whether to stop";
  }

  void PrintCode() const {
    std::vector<Line> lines;
    if (options_.disassembles) lines = Disassemble(compiled_.code);
    if (lines.empty()) lines = PrintBytes(compiled_);
    std::printf("\n");
    auto fault = compiled_.faults.begin();
    auto call = compiled_.calls.begin();
    auto relocation = compiled_.relocations.begin();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::size_t end = i + 1 < lines.size() ? lines[i + 1].offset : compiled_.code.size();
      std::printf("  %6zx:%s\n", lines[i].offset, lines[i].text.c_str());
      const auto note = [](const std::string& text) {
        std::printf("          ; %s\n", text.c_str());
      };
      for (; relocation != compiled_.relocations.end() && relocation->offset < end; ++relocation) {
        note("to " + TargetOf(*relocation));
      }
      for (; fault != compiled_.faults.end() && fault->code_offset < end; ++fault) {
        note("may fault at " + Hexadecimal(fault->code_offset) + ": " + PlaceOf(*fault));
      }
      for (; call != compiled_.calls.end() && call->code_offset <= end; ++call) {
        note("call site " + Hexadecimal(call->code_offset) +
             (call->is_prologue ? ", prologue" : "") + ": " + PlaceOf(*call));
      }
    }
  }

  const Source& source_;
  const Options& options_;
  jit::FrontEndInput input_;
  jit::FunctionCompiler compiler_;
  jit::CompiledFunction compiled_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options =
        ParseArguments(std::span{argv, static_cast<std::size_t>(argc)}.subspan(1));
    const Source source{options.file};
    Printer printer{source, options};
    for (const std::uint32_t function : FindFunctions(source, options.function)) {
      printer.Print(function);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dump_code: %s\n", error.what());
    return 1;
  }
}
