#pragma once

#include <curl/curl.h>

#include <memory>

#include "http/client.h"
#include "net/address_policy.h"

/// What all users of libcurl need of it; for http/ alone.
namespace rw::http {

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MultiDeleter {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

/// Looks at the address of each connection when its name has been resolved, and makes its socket.
struct SocketGuard {
  const net::AddressPolicy* policy = nullptr;  ///< null: any address
  int receive_buffer = 0;                      ///< of the sockets, in bytes; 0: as the kernel likes
  bool refused = false;                        ///< why there is no connection
};
inline constexpr const char* address_refused = "its address is not one that may be used";
/// `guard` must outlive the transfer.
void guard_sockets(CURL* easy, SocketGuard& guard);

/// What every request of ours calls itself; firewalls turn away those without a name (RFC 9110 section 10.1.5).
inline constexpr const char* user_agent = "Ringwright";
/// Sets what all requests have in common: the name; and (`decode`) that a compressed answer is decoded, though none is
/// asked for. The bounds on an answer are counted in decoded bytes.
void set_usual_options(CURL* easy, bool decode = true);

/// `headers` as curl takes them, without the "Expect" that it would add.
HeaderList header_list(const std::vector<std::string>& headers);
ClientError::Kind kind_of(CURLcode code);

}  // namespace rw::http
