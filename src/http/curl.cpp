#include "http/curl.h"

#include <sys/socket.h>

namespace rw::http {
namespace {

curl_socket_t open_socket(void* owner, curlsocktype, curl_sockaddr* address) {
  auto& guard = *static_cast<SocketGuard*>(owner);
  guard.refused = guard.policy != nullptr && !guard.policy->allows(net::Address(&address->addr, address->addrlen));
  if (guard.refused) return CURL_SOCKET_BAD;
  const int made = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made >= 0 && guard.receive_buffer > 0)
    ::setsockopt(made, SOL_SOCKET, SO_RCVBUF, &guard.receive_buffer, sizeof guard.receive_buffer);
  return made;
}

}  // namespace

void guard_sockets(CURL* easy, SocketGuard& guard) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &guard);
}

void set_usual_options(CURL* easy, bool decode) {
  curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
  if (decode)
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");  // any value makes curl decode whatever comes
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

HeaderList header_list(const std::vector<std::string>& headers) {
  curl_slist* list = nullptr;
  for (const auto& header : headers) list = curl_slist_append(list, header.c_str());
  return HeaderList(curl_slist_append(list, "Expect:"));
}

ClientError::Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return ClientError::Kind::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return ClientError::Kind::timed_out;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return ClientError::Kind::too_large;
    default:
      return ClientError::Kind::other;
  }
}

}  // namespace rw::http
