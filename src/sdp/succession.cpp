#include "sdp/succession.h"

#include "sdp/session.h"

namespace rw::sdp {

std::string succeeding(std::string_view previous, const std::string& next) {
  if (previous.empty()) return next;
  const auto before = Session::parse(previous);
  auto after = Session::parse(next);
  if (!before || !after) return next;
  after->user = before->user;
  after->id = before->id;
  after->origin_host = before->origin_host;
  after->version = before->version;
  if (after->to_string() != before->to_string()) ++after->version;
  return after->to_string();
}

}  // namespace rw::sdp
