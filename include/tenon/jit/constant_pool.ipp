// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of constant_pool.hpp.
#pragma once

#include <cstring>

#include <tenon/jit/constant_pool.hpp>

namespace tenon::inline TENON_ABI::jit {

// Until Finish a displacement holds a reference: the constant's number in its vector, plus one,
// times four, plus the number of the vector.
namespace detail {

enum : std::uint32_t { kPool16 = 0, kPool8 = 1, kPool4 = 2 };

inline std::size_t HashConstant(const V128& value, std::uint32_t pool) {
  std::uint64_t halves[2];
  std::memcpy(halves, value.bytes, sizeof(halves));
  std::uint64_t hash = (halves[0] ^ pool) * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 32;
  hash = (hash ^ halves[1]) * 0xC2B2AE3D27D4EB4Fu;
  return static_cast<std::size_t>(hash ^ (hash >> 29));
}

}  // namespace detail

TENON_DECL V128 ConstantPool::ValueOf(std::uint32_t reference) const {
  V128 value{};
  const std::size_t index = reference / 4 - 1;
  switch (reference % 4) {
    case detail::kPool16:
      return values16_[index];
    case detail::kPool8:
      std::memcpy(value.bytes, &values8_[index], 8);
      return value;
    default:
      std::memcpy(value.bytes, &values4_[index], 4);
      return value;
  }
}

TENON_DECL void ConstantPool::Grow() {
  FlatArray<Bucket> larger(buckets_.empty() ? kFirstBuckets : buckets_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const Bucket& bucket : buckets_) {
    if (bucket.reference == 0) continue;
    std::size_t i = detail::HashConstant(ValueOf(bucket.reference), bucket.reference % 4) & mask;
    while (larger[i].reference != 0) i = (i + 1) & mask;
    larger[i] = bucket;
  }
  buckets_.swap(larger);
}

TENON_DECL Xbyak::Address ConstantPool::Intern(const V128& value, std::uint32_t pool) {
  const std::size_t count = values16_.size() + values8_.size() + values4_.size();
  if (count * 2 >= buckets_.size()) Grow();
  const std::size_t mask = buckets_.size() - 1;
  std::size_t i = detail::HashConstant(value, pool) & mask;
  for (; buckets_[i].reference != 0; i = (i + 1) & mask) {
    const std::uint32_t reference = buckets_[i].reference;
    if (reference % 4 == pool && ValueOf(reference) == value) break;
  }
  if (buckets_[i].reference == 0) {
    std::size_t number = 0;
    if (pool == detail::kPool16) {
      values16_.push_back(value);
      number = values16_.size();
    } else if (pool == detail::kPool8) {
      std::memcpy(&values8_.emplace_back(), value.bytes, 8);
      number = values8_.size();
    } else {
      std::memcpy(&values4_.emplace_back(), value.bytes, 4);
      number = values4_.size();
    }
    buckets_[i].reference = static_cast<std::uint32_t>(number) * 4 + pool;
  }
  const Xbyak::AddressFrame frame{0};
  return frame[Xbyak::RegRip{} + static_cast<int>(buckets_[i].reference)];
}

TENON_DECL Xbyak::Address ConstantPool::At(const V128& value) {
  return Intern(value, detail::kPool16);
}

TENON_DECL Xbyak::Address ConstantPool::At64(std::uint64_t bits) {
  V128 value{};
  std::memcpy(value.bytes, &bits, sizeof(bits));
  return Intern(value, detail::kPool8);
}

TENON_DECL Xbyak::Address ConstantPool::At32(std::uint32_t bits) {
  V128 value{};
  std::memcpy(value.bytes, &bits, sizeof(bits));
  return Intern(value, detail::kPool4);
}

TENON_DECL bool ConstantPool::IsConstant(const Xbyak::Operand& operand) {
  return operand.isMEM() &&
         static_cast<const Xbyak::Address&>(operand).getMode() == Xbyak::Address::M_rip;
}

TENON_DECL void ConstantPool::Used(const Xbyak::CodeGenerator& out, std::uint32_t immediate_bytes) {
  const auto end = static_cast<std::uint32_t>(out.getSize());
  fix_ups_.push_back({.field = end - immediate_bytes - 4, .end = end});
}

TENON_DECL std::size_t ConstantPool::MaxBytes() const {
  if (fix_ups_.empty()) return 0;
  return 15 + values16_.size() * 16 + values8_.size() * 8 + values4_.size() * 4;
}

TENON_DECL void ConstantPool::Finish(Xbyak::CodeGenerator& out) {
  if (fix_ups_.empty()) {
    Clear();
    return;
  }
  while (out.getSize() % 16 != 0) out.db(0xCC);
  const std::size_t start = out.getSize();
  const std::size_t starts[3] = {start, start + values16_.size() * 16,
                                 start + values16_.size() * 16 + values8_.size() * 8};
  for (const V128& value : values16_) out.db(value.bytes, sizeof(value));
  for (const std::uint64_t value : values8_) out.dq(value);
  for (const std::uint32_t value : values4_) out.dd(value);
  for (const FixUp& fix_up : fix_ups_) {
    std::uint32_t reference = 0;
    std::memcpy(&reference, out.getCode() + fix_up.field, sizeof(reference));
    const std::uint32_t pool = reference % 4;
    const std::size_t at = starts[pool] + (reference / 4 - 1) * (std::size_t{16} >> pool);
    out.rewrite(fix_up.field, at - fix_up.end, 4);
  }
  Clear();
}

TENON_DECL void ConstantPool::Clear() {
  const std::size_t count = values16_.size() + values8_.size() + values4_.size();
  // After a function with very many constants the next ones should not pay for an empty table.
  if (count * 8 < buckets_.size() && buckets_.size() > kFirstBuckets) {
    buckets_.assign(kFirstBuckets, Bucket{});
  } else if (count != 0) {
    buckets_.assign(buckets_.size(), Bucket{});
  }
  values16_.clear();
  values8_.clear();
  values4_.clear();
  fix_ups_.clear();
}

}  // namespace tenon::inline TENON_ABI::jit
