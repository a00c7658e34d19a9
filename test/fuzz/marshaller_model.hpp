// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the functions of marshaller_host.hpp must come to, worked out from raw operands and bytes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "marshaller_case.hpp"

namespace tenon_test::marshal {

class Model {
 public:
  explicit Model(std::vector<U8> memory) : memory_{std::move(memory)} {}

  /// What a call of this case must come to; does to the memory what it does. What only the host
  /// knows, the numbers of new references, is taken from `seen`.
  Outcome Call(std::size_t index, std::span<const U64> operands, const Outcome& seen);

  std::vector<U8>& Memory() { return memory_; }
  U64 Size() const { return memory_.size(); }
  /// Objects of class Thing that guests refer to or the host keeps.
  int LiveThings() const;
  /// A reference was given whose number as an externref is this one.
  void Issued(U64 token);

  struct Reference {
    bool is_thing;
    bool is_handle;  ///< given out in 32 bits
    U32 number;
    U64 object;  ///< which one, among all that were ever made
  };
  const std::map<U64, Reference>& References() const { return references_; }
  /// Whether the last call gave out a reference, of which Issued is to be told.
  bool HasIssued() const { return issued_.has_value(); }

 private:
  friend struct Steps;

  std::vector<U8> memory_;
  std::map<U64, Reference> references_;
  std::optional<Reference> issued_;
  std::optional<U64> kept_;
  U64 objects_ = 0;
};

}  // namespace tenon_test::marshal
