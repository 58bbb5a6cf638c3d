#include "api/jwks.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/base64url.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_kid = 512;
constexpr std::size_t longest_problem = 100;
constexpr std::size_t most_looked_at = 256;
constexpr std::size_t coordinate_bytes = 32;
constexpr std::size_t most_exponent_bytes = 8;

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* one) const { release(one); }
};
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM, &OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BIGNUM, &BN_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>>;

std::string text(const boost::json::object& key, std::string_view name) {
  const auto* value = key.if_contains(name);
  const auto* string = value == nullptr ? nullptr : value->if_string();
  return string == nullptr ? std::string() : std::string(*string);
}

std::optional<std::string> bytes(const boost::json::object& key, std::string_view name) {
  auto decoded = from_base64url(text(key, name));
  if (!decoded || decoded->empty()) return std::nullopt;
  return decoded;
}

/// For signatures, as far as the key says what it is for.
bool is_for_signatures(const boost::json::object& key, std::string_view algorithm) {
  if (key.contains("use") && text(key, "use") != "sig") return false;
  if (key.contains("alg") && text(key, "alg") != algorithm) return false;
  const auto* operations = key.if_contains("key_ops");
  if (operations == nullptr) return true;
  const auto* list = operations->if_array();
  return list != nullptr && std::ranges::any_of(*list, [](const boost::json::value& one) {
           return one.is_string() && one.get_string() == "verify";
         });
}

std::shared_ptr<EVP_PKEY> make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  std::shared_ptr<EVP_PKEY> key(made, &EVP_PKEY_free);
  const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? key : nullptr;  // a point on the curve, an odd exponent
}

const unsigned char* as_bytes(const std::string& data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

std::shared_ptr<EVP_PKEY> rsa_key(const boost::json::object& key) {
  const auto modulus = bytes(key, "n"), exponent = bytes(key, "e");
  if (!modulus || !exponent || modulus->size() > JwtKey::most_rsa_bits / 8 || exponent->size() > most_exponent_bytes)
    return nullptr;
  const Number n(BN_bin2bn(as_bytes(*modulus), static_cast<int>(modulus->size()), nullptr));
  const Number e(BN_bin2bn(as_bytes(*exponent), static_cast<int>(exponent->size()), nullptr));
  if (!n || !e || BN_num_bits(n.get()) < JwtKey::least_rsa_bits || BN_is_odd(e.get()) != 1 || BN_is_one(e.get()) == 1)
    return nullptr;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return make_key("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> p256_key(const boost::json::object& key) {
  const auto x = bytes(key, "x"), y = bytes(key, "y");
  if (text(key, "crv") != "P-256" || !x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes)
    return nullptr;
  const auto point = "\x04" + *x + *y;  // uncompressed
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return make_key("EC", builder.get());
}

std::optional<JwtKey> read_key(const boost::json::object& key) {
  auto kid = text(key, "kid");
  if (kid.size() > longest_kid) return std::nullopt;
  const auto type = text(key, "kty");
  std::shared_ptr<EVP_PKEY> made;
  if (type == "RSA" && is_for_signatures(key, "RS256")) {
    made = rsa_key(key);
  } else if (type == "EC" && is_for_signatures(key, "ES256")) {
    made = p256_key(key);
  }
  auto read = JwtKey::make(std::move(kid), std::move(made));
  if (!read) return std::nullopt;
  return std::move(*read);
}

}  // namespace

Result<std::vector<JwtKey>> read_jwks(std::string_view text) {
  const auto set = read_strict_json_object(text);
  if (!set) return fail("not a JSON Web Key Set: " + std::string(utf8_prefix(set.error().message, longest_problem)));
  const auto* member = set->if_contains("keys");
  const auto* list = member == nullptr ? nullptr : member->if_array();
  if (list == nullptr) return fail("not a JSON Web Key Set: expected a list `keys`");
  std::vector<JwtKey> keys;
  for (std::size_t at = 0; at < std::min(list->size(), most_looked_at) && keys.size() < most_jwks_keys; ++at) {
    const auto* object = (*list)[at].if_object();
    if (object == nullptr) continue;
    if (auto key = read_key(*object)) keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace rw::api
