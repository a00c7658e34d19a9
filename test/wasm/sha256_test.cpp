// SPDX-License-Identifier: Apache-2.0
/// @file
/// SHA-256 against the examples of FIPS 180-4 and of NIST's SHAVS; HMAC against those of RFC 4231.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/wasm/hmac.hpp>
#include <tenon/wasm/sha256.hpp>

namespace {

using tenon::wasm::HashSha256;
using tenon::wasm::HmacSha256;
using tenon::wasm::IsSameDigest;
using tenon::wasm::Sha256;
using tenon::wasm::Sha256Digest;
using tenon::wasm::Sha256Path;

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

Sha256Digest HashBy(Sha256Path path, std::span<const std::uint8_t> bytes) {
  Sha256 hasher{path};
  hasher.Update(bytes);
  return hasher.Finish();
}

TEST_CASE("SHA-256 hashes the FIPS 180-4 examples by instructions and without", "[wasm][sha256]") {
  const auto path = GENERATE(Sha256Path::Fastest, Sha256Path::Portable);
  const auto hash = [&](std::string_view text) { return HashBy(path, Bytes(text)); };
  CHECK(hash("") == FromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  CHECK(hash("abc") == FromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK(hash(kTwoBlocks) ==
        FromHex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
  CHECK(HashBy(path, std::vector<std::uint8_t>(1'000'000, 'a')) ==
        FromHex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST_CASE("SHA-256 gives the same digests by instructions and without", "[wasm][sha256]") {
  std::uint32_t state = 1;
  for (std::size_t size = 0; size < 400; ++size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& byte : bytes) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(state >> 24);
    }
    REQUIRE(HashBy(Sha256Path::Fastest, bytes) == HashBy(Sha256Path::Portable, bytes));
  }
}

std::vector<std::uint8_t> Repeated(std::size_t count, std::uint8_t byte) {
  return std::vector<std::uint8_t>(count, byte);
}

Sha256Digest Authenticate(const std::vector<std::uint8_t>& key,
                          const std::vector<std::uint8_t>& data) {
  HmacSha256 hmac{key};
  const std::span<const std::uint8_t> all{data};
  hmac.Update(all.first(all.size() / 3));
  hmac.Update(all.subspan(all.size() / 3));
  return hmac.Finish();
}

TEST_CASE("HMAC-SHA-256 gives the codes of RFC 4231", "[wasm][hmac]") {
  CHECK(Authenticate(Repeated(20, 0x0b), Bytes("Hi There")) ==
        FromHex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  CHECK(Authenticate(Bytes("Jefe"), Bytes("what do ya want for nothing?")) ==
        FromHex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  CHECK(Authenticate(Repeated(20, 0xaa), Repeated(50, 0xdd)) ==
        FromHex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"));
  CHECK(Authenticate(Repeated(131, 0xaa),
                     Bytes("Test Using Larger Than Block-Size Key - Hash Key First")) ==
        FromHex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

TEST_CASE("codes are the same only if every byte is", "[wasm][hmac]") {
  const Sha256Digest code = Authenticate(Bytes("key"), Bytes("data"));
  CHECK(IsSameDigest(code, code));
  for (std::size_t i = 0; i < code.size(); ++i) {
    Sha256Digest other = code;
    other[i] ^= 1;
    CHECK_FALSE(IsSameDigest(code, other));
  }
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
