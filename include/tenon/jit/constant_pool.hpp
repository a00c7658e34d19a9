// SPDX-License-Identifier: Apache-2.0
/// @file
/// The constants that a function's code reads from memory: behind the code, reached relative to
/// rip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/xbyak.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Constants of one function, each kept once. Use: take an operand, emit the one instruction with
/// it, call Used; in the end Finish. Not thread-safe; made to be kept from function to function.
class ConstantPool {
 public:
  ConstantPool() = default;
  ConstantPool(const ConstantPool&) = delete;
  ConstantPool& operator=(const ConstantPool&) = delete;

  /// An operand for the next instruction. 16-byte constants are aligned to 16 bytes if the code is.
  Xbyak::Address At(const V128& value);
  Xbyak::Address At64(std::uint64_t bits);
  Xbyak::Address At32(std::uint32_t bits);

  /// To be called directly behind the instruction that has such an operand, with the number of
  /// bytes of its immediate.
  void Used(const Xbyak::CodeGenerator& out, std::uint32_t immediate_bytes = 0);
  /// Whether it is one of those operands.
  static bool IsConstant(const Xbyak::Operand& operand);

  /// The most that Finish will write.
  std::size_t MaxBytes() const;
  bool IsEmpty() const { return fix_ups_.empty(); }

  /// Writes the constants at the next multiple of 16 from out.getCode(), lets the instructions
  /// point to them, and forgets everything.
  void Finish(Xbyak::CodeGenerator& out);
  /// Forgets everything.
  void Clear();

 private:
  struct FixUp {
    std::uint32_t field;  ///< offset of the displacement
    std::uint32_t end;    ///< offset of the next instruction
  };
  struct Bucket {
    std::uint32_t reference = 0;  ///< of the constant, as in the displacement; 0: empty
  };

  static constexpr std::size_t kFirstBuckets = 64;

  Xbyak::Address Intern(const V128& value, std::uint32_t size);
  V128 ValueOf(std::uint32_t reference) const;
  void Grow();

  FlatArray<V128> values16_;
  FlatArray<std::uint64_t> values8_;
  FlatArray<std::uint32_t> values4_;
  FlatArray<Bucket> buckets_;  ///< a power of two of them
  FlatArray<FixUp> fix_ups_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/constant_pool.ipp>
#endif
