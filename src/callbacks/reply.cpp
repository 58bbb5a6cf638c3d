#include "callbacks/reply.h"

#include "base/json_text.h"

namespace rw::callbacks {

tl::expected<Reply, Failure> read_reply(int status, std::string_view body, const std::string& url) {
  if (body.find_first_not_of(" \t\r\n\xef\xbb\xbf") == std::string_view::npos)
    return tl::unexpected(Failure{Failure::Kind::empty, url, status, "the answer has no body"});
  auto object = read_json_object(body, "sessionReferenceId");
  if (!object) return tl::unexpected(Failure{Failure::Kind::malformed, url, status, "the answer is not a JSON object"});
  return Reply{std::move(*object), status};
}

}  // namespace rw::callbacks
