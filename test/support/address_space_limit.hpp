// SPDX-License-Identifier: Apache-2.0
/// @file
/// A process that must do without large reservations.
#pragma once

#include <cstdint>
#include <fstream>
#include <stdexcept>

#include <sys/resource.h>
#include <unistd.h>

namespace tenon_test {

/// Lets the process take no more than so many bytes of address space beyond what it has.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(std::uint64_t bytes) {
    std::uint64_t pages = 0;
    if (::getrlimit(RLIMIT_AS, &former_) != 0 || !(std::ifstream{"/proc/self/statm"} >> pages)) {
      throw std::runtime_error{"the system does not tell the limits of this process"};
    }
    ::rlimit limit = former_;
    limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw std::runtime_error{"setrlimit"};
  }
  ~AddressSpaceLimit() { ::setrlimit(RLIMIT_AS, &former_); }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;

 private:
  ::rlimit former_{};
};

}  // namespace tenon_test
