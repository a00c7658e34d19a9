// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs code that must throw, and hands out what it threw.
#pragma once

#include <exception>
#include <string>

#include <catch2/catch.hpp>

namespace tenon_test {

/// The exception of type E (exactly, or derived) that `body` throws. Fails the test otherwise.
template <class E, class Body>
E Thrown(Body&& body) {
  try {
    body();
  } catch (const E& error) {
    return error;
  } catch (const std::exception& error) {
    FAIL("threw another exception: " << error.what());
  } catch (...) {
    FAIL("threw something that is no std::exception");
  }
  FAIL("threw nothing");
  throw 0;  // not reached: FAIL throws
}

/// what() of the exception of type E that `body` throws.
template <class E, class Body>
std::string TextOf(Body&& body) {
  return Thrown<E>(body).what();
}

}  // namespace tenon_test
