// SPDX-License-Identifier: Apache-2.0
/// @file
/// The one table of run-time error texts. `docs/errors.md` is made from it.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

// Placeholders: {0} {1} ... arguments in order; what an argument is decides how it is written
// (numbers in decimal, bytes in hexadecimal, value types, features and opcodes by name).

/// Faults of module bytes that cannot be decoded: X(name, text).
#define TENON_DECODE_ERRORS(X)                                                                \
  X(EmptyModule, "the module is empty (0 bytes)")                                             \
  X(NotAModuleText,                                                                           \
    "not a WebAssembly module but text (first bytes \"(module\"); assemble it first")         \
  X(NotAModuleLfs,                                                                            \
    "not a WebAssembly module but a Git LFS pointer; fetch the file with git lfs pull")       \
  X(NotAModuleJson, "not a WebAssembly module but JSON")                                      \
  X(NotAModuleScript, "not a WebAssembly module but a script (first bytes \"#!\")")           \
  X(NotAModuleComponent, "a WebAssembly component, not a core module")                        \
  X(NotAModuleGzip, "not a WebAssembly module but gzip data; decompress it first")            \
  X(NotAModuleHtml, "not a WebAssembly module but an HTML page")                              \
  X(BadMagic, "not a WebAssembly module: the first 4 bytes are not 00 61 73 6d")              \
  X(BadVersion, "unknown binary version {0}, expected 1")                                     \
  X(UnexpectedEnd, "unexpected end of section or function")                                   \
  X(LengthOutOfBounds, "length {0} is out of bounds, {1} bytes remain")                       \
  X(IntegerTooLong, "integer representation too long")                                        \
  X(IntegerTooLarge, "integer too large")                                                     \
  X(MalformedUtf8, "malformed UTF-8 encoding in a name")                                      \
  X(UnknownSection, "malformed section id {0}")                                               \
  X(SectionOrder,                                                                             \
    "unexpected content after last section: section id {0} is repeated or out of order")      \
  X(SectionSizeMismatch, "section size mismatch: {0} bytes declared, {1} used")               \
  X(BodySizeMismatch, "function body size mismatch: {0} bytes declared, {1} used")            \
  X(FunctionCodeMismatch, "function and code section have inconsistent lengths: {0} and {1}") \
  X(DataCountMismatch, "data count and data section have inconsistent lengths: {0} and {1}")  \
  X(DataCountRequired, "data count section required")                                         \
  X(MalformedValueType, "malformed value type {0}")                                           \
  X(MalformedReferenceType, "malformed reference type {0}")                                   \
  X(MalformedHeapType, "malformed heap type")                                                 \
  X(MalformedBlockType, "malformed block type")                                               \
  X(MalformedTypeForm, "malformed type form {0}, expected 0x60 (func)")                       \
  X(MalformedLimits, "malformed limits flags {0}")                                            \
  X(Table64, "tables with 64-bit indices are not supported")                                  \
  X(MalformedMutability, "malformed mutability {0}, expected 0 or 1")                         \
  X(MalformedImportKind, "malformed import kind {0}")                                         \
  X(MalformedExportKind, "malformed export kind {0}")                                         \
  X(MalformedElementKind, "malformed element kind {0}, expected 0")                           \
  X(MalformedElementFlags, "malformed element segment flags {0}")                             \
  X(MalformedDataFlags, "malformed data segment flags {0}")                                   \
  X(MalformedMemoryFlags, "malformed memop flags {0}")                                        \
  X(ZeroByteExpected, "zero byte expected")                                                   \
  X(IllegalOpcode, "illegal opcode {0}")                                                      \
  X(EndExpected, "END opcode expected")                                                       \
  X(UnmatchedElse, "else without matching if")                                                \
  X(TooManyLocals, "too many locals: {0}, the limit is {1}")                                  \
  X(LimitExceeded, "the module exceeds a limit: {0} {1}, the limit is {2}")

/// Faults of well-formed modules that break a validation rule: X(name, text).
#define TENON_VALIDATION_ERRORS(X)                                                                 \
  X(FeatureDisabled, "feature \"{0}\" is disabled, needed by {1}")                                 \
  X(TypeMismatch, "type mismatch: expected {0}, found {1}")                                        \
  X(TypeMismatchEmpty, "type mismatch: expected {0}, but the stack is empty")                      \
  X(TypeMismatchReference, "type mismatch: expected a reference, found {0}")                       \
  X(TypeMismatchNumeric, "type mismatch: select without type needs numbers or vectors, found {0}") \
  X(TypeMismatchHeight, "type mismatch: {0} values remain on the stack at the end of the block")   \
  X(TypeMismatchIf, "type mismatch: if without else must have equal parameters and results")       \
  X(TypeMismatchBranch, "type mismatch: br_table targets have {0} and {1} values")                 \
  X(TypeMismatchElement, "type mismatch: element segment of {0} for a table of {1}")               \
  X(UnknownType, "unknown type {0}")                                                               \
  X(UnknownFunction, "unknown function {0}")                                                       \
  X(UnknownTable, "unknown table {0}")                                                             \
  X(UnknownMemory, "unknown memory {0}")                                                           \
  X(UnknownGlobal, "unknown global {0}")                                                           \
  X(UnknownLocal, "unknown local {0}")                                                             \
  X(UnknownLabel, "unknown label {0}")                                                             \
  X(UnknownDataSegment, "unknown data segment {0}")                                                \
  X(UnknownElementSegment, "unknown elem segment {0}")                                             \
  X(UndeclaredFunctionReference, "undeclared function reference {0}")                              \
  X(ImmutableGlobal, "global {0} is immutable")                                                    \
  X(AlignmentTooLarge, "alignment must not be larger than natural: 2^{0} of at most 2^{1}")        \
  X(AlignmentNotNatural, "atomic alignment must be natural: 2^{0}, not 2^{1}")                     \
  X(InvalidLane, "invalid lane index {0}, the limit is {1}")                                       \
  X(InvalidResultArity, "invalid result arity {0}")                                                \
  X(ConstantExpressionRequired, "constant expression required")                                    \
  X(DuplicateExport, "duplicate export name \"{0}\"")                                              \
  X(MultipleMemories, "multiple memories")                                                         \
  X(MultipleTables, "multiple tables need feature \"{0}\"")                                        \
  X(SharedWithoutMaximum, "shared memory must have maximum")                                       \
  X(LimitsOrder, "size minimum must not be greater than maximum: {0} > {1}")                       \
  X(MemoryTooLarge, "memory size must be at most 65536 pages (4 GiB): {0}")                        \
  X(Memory64TooLarge, "memory size must be at most 2^48 pages: {0}")                               \
  X(StartFunctionType, "start function must have no parameters and no results")

/// Faults found while instantiating and linking: X(name, text).
#define TENON_LINK_ERRORS(X)                                                                       \
  X(ModuleNotInstantiated, "module[{0}] not instantiated")                                         \
  X(ModuleAlreadyInstantiated,                                                                     \
    "module[{0}] has already been instantiated; use WithName(\"\") for an anonymous instance or "  \
    "give each a name of its own")                                                                 \
  X(ImportNotFound, "import {0} \"{1}\".\"{2}\": module \"{1}\" exports no {0} of this name")      \
  X(ImportKindMismatch, "import {0} \"{1}\".\"{2}\": module \"{1}\" exports a {3} of this name")   \
  X(ImportTypeMismatch,                                                                            \
    "import {0} \"{1}\".\"{2}\": signature mismatch: guest wants {3}, module \"{1}\" has {4}")     \
  X(ImportNeedsMemory,                                                                             \
    "import func \"{1}\".\"{2}\": the host function uses the caller's memory, but this module "    \
    "has none")                                                                                    \
  X(ImportViewsShared,                                                                             \
    "import func \"{1}\".\"{2}\": the host function views the caller's memory in place, but this " \
    "module's memory is shared: let it take In, Out, InOut, View or GuestAtomic; in C++ it is "    \
    "{4}")                                                                                         \
  X(ImportNotGranted,                                                                              \
    "import {0} \"{1}\".\"{2}\": needs capability \"{3}\", which was not granted")                 \
  X(ImportShadowed,                                                                                \
    "import {0} \"{1}\".\"{2}\": module \"{1}\" was given for this instance and is another one "   \
    "elsewhere, and shadowing is refused")                                                         \
  X(ImportsOmitted, "and {0} more imports that do not link")                                       \
  X(ImportForeignRuntime, "import \"{0}\".\"{1}\" belongs to another runtime")                     \
  X(GroupsBusy, "cannot link instances of two groups that are both executing")                     \
  X(SourceNotCompiled, "source module must be compiled before instantiation")                      \
  X(CompiledElsewhere,                                                                             \
    "the module was compiled by another runtime; share a CompilationCache and compile it here")    \
  X(StartFunctionParameters,                                                                       \
    "module[{0}] start function \"{1}\" takes {2} parameters, but start functions take none")      \
  X(InstanceLimit, "instance limit of {0} reached")                                                \
  X(MemoryPagesLimit, "memory of {0} pages exceeds the runtime's limit of {1} pages")              \
  X(MemoryLimit, "memory of {0} bytes exceeds the runtime's limit of {1} bytes in all")            \
  X(MemoryAllocation, "cannot allocate a memory of {0} pages")                                     \
  X(TableLimit, "table of {0} elements exceeds the runtime's limit of {1}")                        \
  X(TableAllocation, "cannot allocate a table of {0} elements")

/// Faults in how the API is used: X(name, text).
#define TENON_USAGE_ERRORS(X)                                                                    \
  X(AlreadyClosed, "already closed")                                                             \
  X(RuntimeClosed, "runtime closed with exit_code({0})")                                         \
  X(EmptyHandle, "{0}: the handle is empty")                                                     \
  X(ExportNotFound, "module[{0}] exports no {1} named \"{2}\"{3}")                               \
  X(SignatureMismatch, "function {0}: signature mismatch: called as {1}, but it is {2}")         \
  X(ParameterCount, "expected {0} params, but passed {1}")                                       \
  X(ParameterType, "param[{0}]: expected {1}, but passed {2}")                                   \
  X(ParameterForeignFunction,                                                                    \
    "param[{0}]: a function of another linkage group, or one that is gone, cannot be passed")    \
  X(ForeignReference,                                                                            \
    "a reference of another linkage group, or one that was ended, cannot be given to a module")  \
  X(StackSize, "need {0} params, but stack size is {1}")                                         \
  X(HostFunctionNeedsCaller,                                                                     \
    "host function {0} needs a calling guest; it cannot be called from the host")                \
  X(GlobalImmutable, "global is immutable")                                                      \
  X(GlobalType, "global: expected {0}, but it is {1}")                                           \
  X(GlobalForeignFunction, "global: a function of another linkage group cannot be stored here")  \
  X(MemoryLimitPages, "memoryLimitPages invalid: {0} > {1}")                                     \
  X(BuilderFunctionPrefix, "func[{0}.{1}] {2}")                                                  \
  X(BuilderNoCallable, "has no callable: call WithFunc or WithHostFunction before Export")       \
  X(BuilderNullCallable, "was given a null function")                                            \
  X(BuilderNotExported, "func[{0}.{1}] was defined but never exported")                          \
  X(BuilderParameterNames, "has {0} params, but {1} params names")                               \
  X(BuilderResultNames, "has {0} results, but {1} results names")                                \
  X(BuilderModuleName, "host module \"{0}\": the name is not UTF-8")                             \
  X(BuilderFunctionName, "has a name, or one of a parameter or result, that is not UTF-8")       \
  X(BuilderExportName, "{0}[{1}.{2}] has a name that is not UTF-8")                              \
  X(BuilderValueCount, "has {0} {1}, the limit is {2}")                                          \
  X(BuilderSize, "{0}[{1}.{2}] has a size of {3}, the limit is {4}")                             \
  X(BuilderTableElement, "table[{0}.{1}] cannot hold {2}: take FuncRef or ExternRef")            \
  X(BuilderMultiValue, "multiple result types invalid as feature \"multi-value\" is disabled")   \
  X(BuilderFeature, "{0} invalid as feature \"{1}\" is disabled")                                \
  X(BuilderMemory64, "memory[{0}.{1}] has 64-bit addresses, but feature \"{2}\" is disabled")    \
  X(BuilderSharedMemory, "memory[{0}.{1}] is shared, but feature \"{2}\" is disabled")           \
  X(BuilderShadowed, "host module \"{0}\" defines \"{1}\" twice, and shadowing is refused")      \
  X(BuilderTooManyFunctions, "too many host functions (maximum {0})")                            \
  X(BuilderTooManyMemories, "more than one memory in host module \"{0}\"")                       \
  X(BuilderLimits, "{0}[{1}.{2}] minimum {3} exceeds maximum {4}")                               \
  X(ModuleClosed, "module closed with exit_code({0})")                                           \
  X(ContextCanceled, "module closed with context canceled")                                      \
  X(DeadlineExceeded, "module closed with context deadline exceeded")                            \
  X(FileRead, "cannot read file \"{0}\": {1}")                                                   \
  X(ArgsNul, "args invalid: contains NUL character")                                             \
  X(ArgsCount, "args invalid: exceeds maximum count: {0} > {1}")                                 \
  X(ArgsSize, "args invalid: exceeds maximum size: {0} > {1} bytes")                             \
  X(EnvironEmptyKey, "environ invalid: empty key")                                               \
  X(EnvironKeyEquals, "environ invalid: key contains '=' character")                             \
  X(EnvironNul, "environ invalid: contains NUL character")                                       \
  X(EnvironSize, "environ invalid: exceeds maximum size: {0} > {1} bytes")                       \
  X(WalltimeResolution, "invalid Walltime resolution: {0}")                                      \
  X(NanotimeResolution, "invalid Nanotime resolution: {0}")                                      \
  X(CputimeResolution, "invalid Cputime resolution: {0}")                                        \
  X(SystemRandom, "cannot get random bytes from the machine: {0}")                               \
  X(MountPathNul, "mount invalid: guest path contains NUL character")                            \
  X(MountNull, "mount \"{0}\" invalid: no directory and no file system")                         \
  X(MountOpen, "cannot open directory \"{0}\": {1}")                                             \
  X(SocketListen, "cannot listen on {0}: {1}")                                                   \
  X(AllocatorNotFound,                                                                           \
    "module[{0}] exports no allocator: it needs malloc and free, or __new, __pin and __unpin, "  \
    "or cabi_realloc")                                                                           \
  X(AllocatorMemory, "module[{0}] has no memory to allocate from")                               \
  X(AllocatorSharedMemory,                                                                       \
    "module[{0}] has a shared memory, which the host does not view in place")                    \
  X(AllocatorSignature, "function {0} cannot be used to {1} guest memory: it is {2}")            \
  X(AllocatorMemoryMismatch,                                                                     \
    "function {0} does not run in the memory that {1} allocates from: take an allocator of the " \
    "module that defines it")                                                                    \
  X(AllocationAlignment, "an alignment of {0} bytes is no power of two")                         \
  X(AllocationSize, "{0} bytes are more than a 32-bit guest can allocate")                       \
  X(AllocationNull, "guest allocator {0}: no memory for {1} bytes, it returned null")            \
  X(AllocationBounds,                                                                            \
    "guest allocator {0}: {1} bytes at {2} are outside of the memory of {3} bytes")              \
  X(AllocationUnaligned, "guest allocator {0}: {1} is not aligned to {2}")                       \
  X(CrossThreadEntry, "two threads entered the same module at the same time")                    \
  X(EngineUnavailable, "engine \"{0}\" cannot run here: {1}")                                    \
  X(CacheDirectory,                                                                              \
    "cache directory \"{0}\" is not safe to take code from: {1}; take others' right to write "   \
    "away (chmod go-w), take a directory of your own, or set mac_key")                           \
  X(CacheKeyNeeded, "a cache that others can write to needs a mac_key: {0}")                     \
  X(CacheMiss, "the cache must have the module, but {0}: {1}")                                   \
  X(CompileReentered,                                                                            \
    "this would wait for itself: a callback of a compilation must not compile the module that "  \
    "is being compiled, or one whose compilation waits for it")                                  \
  X(SerializedModule, "cannot use the serialized module: {0}")                                   \
  X(SerializeRefused, "cannot serialize the module: {0}")

/// All of them.
#define TENON_ERRORS(X)      \
  TENON_DECODE_ERRORS(X)     \
  TENON_VALIDATION_ERRORS(X) \
  TENON_LINK_ERRORS(X)       \
  TENON_USAGE_ERRORS(X)

namespace tenon::inline TENON_ABI {

/// Identity of an error text. Stable within one minor version.
enum class ErrorCode : std::uint16_t {
  None = 0,
#define TENON_DETAIL_ROW(name, text) name,
  TENON_ERRORS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// The text with its placeholders; "" for None.
constexpr const char* ErrorText(ErrorCode code) {
  switch (code) {
#define TENON_DETAIL_ROW(name, text) \
  case ErrorCode::name:              \
    return text;
    TENON_ERRORS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    case ErrorCode::None:
      break;
  }
  return "";
}

}  // namespace tenon::inline TENON_ABI
