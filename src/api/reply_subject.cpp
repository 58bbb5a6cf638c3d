#include "api/reply_subject.h"

#include "api/answers.h"

namespace rw::api {

tl::expected<ReplySubject, http::Answer> read_reply_subject(JsonFields& fields, const ReplyTokens& tokens,
                                                            const tenant::Domain& domain, std::string_view node_id) {
  const auto refuse = [](int status, std::string_view reason) {
    return tl::unexpected<http::Answer>(failure(status, reason));
  };
  const auto token = fields.text("replyId");
  if (fields.error()) return refuse(400, fields.error()->message);
  if (!token || token->empty()) return refuse(400, "replyId: missing");
  auto subject = tokens.verify(*token);
  if (!subject) return refuse(400, subject.error().message);
  if (subject->domain != domain.name) return refuse(403, "replyId: it belongs to another domain");
  if (subject->node != node_id) return refuse(404, "replyId: its session is not on this server");
  return std::move(*subject);
}

}  // namespace rw::api
