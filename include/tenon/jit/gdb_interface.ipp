// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of gdb_interface.hpp.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <elf.h>
#include <pthread.h>

#include <tenon/jit/gdb_interface.hpp>

// Names that debuggers look for. Weak and visible, so that all units, libraries and other compilers
// of a process have the same ones if the linker can bring that about; a debugger reads the list of
// every library otherwise.
// NOLINTBEGIN(bugprone-reserved-identifier,misc-definitions-in-headers,readability-identifier-naming)
extern "C" {
/// A debugger's breakpoint; the descriptor says what happened.
[[gnu::weak, gnu::used, gnu::noinline, gnu::visibility("default")]] void
__jit_debug_register_code() {
  asm volatile("" ::: "memory");
}
[[gnu::weak, gnu::used,
  gnu::visibility("default")]] tenon::jit::detail::GdbDescriptor __jit_debug_descriptor = {
    1, 0, nullptr, nullptr};
/// Held by whoever of this library, in whichever version, changes the list.
[[gnu::weak, gnu::visibility("default")]] pthread_mutex_t tenon_jit_debug_lock =
    PTHREAD_MUTEX_INITIALIZER;
}
// NOLINTEND(bugprone-reserved-identifier,misc-definitions-in-headers,readability-identifier-naming)

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Writes the symbol file: a relocatable object whose one section of code is where the code is.
class SymbolFileBuilder {
 public:
  SymbolFileBuilder(std::span<const std::uint8_t> code, std::span<const CodeSymbol> symbols)
      : code_{code}, symbols_{symbols} {}

  [[gnu::cold]] std::vector<std::uint8_t> Run() {
    bytes_.resize(sizeof(Elf64_Ehdr));
    AddCode();
    AddSymbols();
    Elf64_Shdr names{};
    names.sh_name = NameOf(".shstrtab");
    names.sh_type = SHT_STRTAB;
    Add(names, section_names_.data(), section_names_.size());
    WriteHeader();
    return std::move(bytes_);
  }

 private:
  enum Section : std::uint16_t { kNone, kCode, kSymbols, kStrings, kNames, kSections };

  [[gnu::cold]] std::uint32_t NameOf(const char* name) {
    const auto offset = static_cast<std::uint32_t>(section_names_.size());
    section_names_.append(name, std::strlen(name) + 1);
    return offset;
  }

  [[gnu::cold]] void Add(Elf64_Shdr section, const void* content, std::size_t size) {
    section.sh_addralign = 8;
    Align();
    section.sh_offset = bytes_.size();
    section.sh_size = size;
    Append(content, size);
    sections_[next_section_++] = section;
  }

  [[gnu::cold]] void AddCode() {
    Elf64_Shdr section{};
    section.sh_name = NameOf(".text");
    section.sh_type = SHT_NOBITS;
    section.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    section.sh_addr = reinterpret_cast<std::uintptr_t>(code_.data());
    section.sh_offset = bytes_.size();
    section.sh_size = code_.size();
    section.sh_addralign = 16;
    sections_[next_section_++] = section;
  }

  [[gnu::cold]] void AddSymbols() {
    FlatArray<Elf64_Sym> table(1);
    std::string strings(1, '\0');
    table.reserve(symbols_.size() + 1);
    for (const CodeSymbol& symbol : symbols_) {
      Elf64_Sym row{};
      row.st_name = static_cast<std::uint32_t>(strings.size());
      row.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
      row.st_shndx = kCode;
      row.st_value = symbol.offset;
      row.st_size = symbol.size;
      table.push_back(row);
      strings.append(symbol.name.c_str(), symbol.name.size() + 1);
    }
    Elf64_Shdr section{};
    section.sh_name = NameOf(".symtab");
    section.sh_type = SHT_SYMTAB;
    section.sh_link = kStrings;
    section.sh_info = 1;  // the first symbol that is not local
    section.sh_entsize = sizeof(Elf64_Sym);
    Add(section, table.data(), table.size() * sizeof(Elf64_Sym));
    section = {};
    section.sh_name = NameOf(".strtab");
    section.sh_type = SHT_STRTAB;
    Add(section, strings.data(), strings.size());
  }

  [[gnu::cold]] void WriteHeader() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_REL;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = kSections;
    header.e_shstrndx = kNames;
    Align();
    header.e_shoff = bytes_.size();
    Append(sections_, sizeof(sections_));
    std::memcpy(bytes_.data(), &header, sizeof(header));
  }

  void Align() { bytes_.resize((bytes_.size() + 7) & ~std::size_t{7}); }
  void Append(const void* content, std::size_t size) {
    const auto* const begin = static_cast<const std::uint8_t*>(content);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  std::span<const std::uint8_t> code_;
  std::span<const CodeSymbol> symbols_;
  std::string section_names_ = std::string(1, '\0');
  Elf64_Shdr sections_[kSections] = {};
  std::size_t next_section_ = kCode;
  std::vector<std::uint8_t> bytes_;
};

/// Holds the lock of the debuggers' list.
class GdbLock {
 public:
  GdbLock() noexcept { pthread_mutex_lock(&tenon_jit_debug_lock); }
  ~GdbLock() { pthread_mutex_unlock(&tenon_jit_debug_lock); }
  GdbLock(const GdbLock&) = delete;
  GdbLock& operator=(const GdbLock&) = delete;
};

enum GdbAction : std::uint32_t { kGdbNothing, kGdbRegister, kGdbUnregister };

[[gnu::cold]] inline void TellGdb(GdbAction action, GdbCodeEntry& entry) {
  __jit_debug_descriptor.relevant = &entry;
  __jit_debug_descriptor.action = action;
  __jit_debug_register_code();
  __jit_debug_descriptor.relevant = nullptr;
  __jit_debug_descriptor.action = kGdbNothing;
}

}  // namespace detail

TENON_DECL std::vector<std::uint8_t> BuildSymbolFile(std::span<const std::uint8_t> code,
                                                     std::span<const CodeSymbol> symbols) {
  return detail::SymbolFileBuilder{code, symbols}.Run();
}

TENON_DECL GdbRegistration::GdbRegistration(std::span<const std::uint8_t> code,
                                            std::span<const CodeSymbol> symbols)
    : file_{BuildSymbolFile(code, symbols)} {
  const detail::GdbLock lock;
  entry_.file = file_.data();
  entry_.file_size = file_.size();
  entry_.next = __jit_debug_descriptor.first;
  if (entry_.next != nullptr) entry_.next->previous = &entry_;
  __jit_debug_descriptor.first = &entry_;
  detail::TellGdb(detail::kGdbRegister, entry_);
}

TENON_DECL GdbRegistration::~GdbRegistration() {
  const detail::GdbLock lock;
  if (entry_.previous != nullptr) {
    entry_.previous->next = entry_.next;
  } else {
    __jit_debug_descriptor.first = entry_.next;
  }
  if (entry_.next != nullptr) entry_.next->previous = entry_.previous;
  detail::TellGdb(detail::kGdbUnregister, entry_);
}

}  // namespace tenon::inline TENON_ABI::jit
