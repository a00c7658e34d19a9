// SPDX-License-Identifier: Apache-2.0
/// @file
/// A host module that takes every kind of parameter, and a guest that passes raw operands to it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "marshaller_case.hpp"

namespace tenon_test::marshal {

struct Thing;

/// One engine with one kind of memory.
class World {
 public:
  /// `is_movable`: the memory is a block of the heap, of its exact size and another one after each
  /// growth, so that the address sanitizer sees what lies beside it.
  World(tenon::EngineKind engine, bool is_movable);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Outcome Call(std::size_t index, std::span<const U64> operands);

  std::span<U8> Memory() const;
  /// The number behind a handle as it crosses as an externref.
  U64 TokenOf(U32 handle) const;
  /// Host objects that guests were given, or host code keeps.
  int LiveThings() const { return live_things_; }
  /// The same when everything was closed.
  int End();
  std::string Name() const { return name_; }

 private:
  struct Host;

  std::string name_;
  Digest digest_;
  int live_things_ = 0;
  std::unique_ptr<Host> host_;
};

}  // namespace tenon_test::marshal
