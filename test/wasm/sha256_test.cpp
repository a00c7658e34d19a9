// SPDX-License-Identifier: Apache-2.0
/// @file
/// SHA-256 against the examples of FIPS 180-4 and of NIST's SHAVS.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/wasm/sha256.hpp>

namespace {

using tenon::wasm::HashSha256;
using tenon::wasm::Sha256;
using tenon::wasm::Sha256Digest;

constexpr int Nibble(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

constexpr Sha256Digest FromHex(std::string_view text) {
  Sha256Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(Nibble(text[2 * i]) * 16 + Nibble(text[2 * i + 1]));
  }
  return digest;
}

constexpr std::vector<std::uint8_t> Bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

constexpr bool Hashes(std::string_view text, std::string_view hex) {
  return HashSha256(Bytes(text)) == FromHex(hex);
}

constexpr std::string_view kTwoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

// Empty, one block, and padding that does not fit the last block.
static_assert(Hashes("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
static_assert(Hashes("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
static_assert(Hashes(kTwoBlocks,
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));

// In pieces that meet the block at every possible place.
constexpr bool PiecesAgree() {
  const std::vector<std::uint8_t> bytes = Bytes(kTwoBlocks);
  const std::span<const std::uint8_t> all{bytes};
  for (std::size_t cut = 0; cut <= all.size(); cut += 7) {
    Sha256 hasher;
    hasher.Update(all.first(cut));
    hasher.Update({});
    hasher.Update(all.subspan(cut));
    if (hasher.Finish() != HashSha256(all)) return false;
  }
  return true;
}
static_assert(PiecesAgree());

TEST_CASE("SHA-256 hashes the long FIPS 180-4 example", "[wasm][sha256]") {
  const std::vector<std::uint8_t> million(1'000'000, 'a');
  CHECK(HashSha256(million) ==
        FromHex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST_CASE("SHA-256 gives the same digest however the input is cut", "[wasm][sha256]") {
  std::vector<std::uint8_t> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const std::span<const std::uint8_t> all{bytes};
  const Sha256Digest whole = HashSha256(all);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Sha256 hasher;
    hasher.Update(all.first(cut));
    hasher.Update(all.subspan(cut));
    REQUIRE(hasher.Finish() == whole);
  }
}

TEST_CASE("SHA-256 pads every length around a block", "[wasm][sha256]") {
  // Digests of n bytes 'x', from another implementation.
  const auto hash = [](std::size_t n) { return HashSha256(std::vector<std::uint8_t>(n, 'x')); };
  CHECK(hash(55) == FromHex("d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"));
  CHECK(hash(56) == FromHex("04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"));
  CHECK(hash(63) == FromHex("75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"));
  CHECK(hash(64) == FromHex("7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"));
  CHECK(hash(65) == FromHex("9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"));
  CHECK(hash(119) == FromHex("000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c"));
  CHECK(hash(120) == FromHex("13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98"));
  CHECK(hash(128) == FromHex("24da1b81d0b16df6428eee73c69fcb2a93c76bc6df706f0c6670fe6bfe800464"));
}

}  // namespace
