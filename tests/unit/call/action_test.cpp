#include "call/action.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace rw::call {
namespace {

using Kind = NoDecision::Kind;

tl::expected<Action, NoDecision> read(std::string_view json, int status = 200) {
  return read_action(callbacks::Reply{boost::json::parse(json).as_object(), status}, {"demo.example", "eu"}, nullptr);
}
/// Why the reply is none; a failure of the test if it is one.
NoDecision refused(std::string_view json) {
  auto action = read(json);
  EXPECT_FALSE(action.has_value()) << json;
  return action ? NoDecision{} : std::move(action.error());
}
std::string member(const NoDecision& decision, std::string_view name) {
  const auto* value = decision.details.if_contains(name);
  return value == nullptr || !value->is_string() ? "" : std::string(value->as_string());
}

TEST(Action, EachKindIsRead) {
  EXPECT_TRUE(std::holds_alternative<IvrAction>(read(R"({"action":"ivr"})").value()));
  const auto connect = read(R"({"action":"connect","participantId":"p-1"})").value();
  EXPECT_EQ(std::get<ConnectAction>(connect).participant_id, "p-1");
  const auto call = read(R"({"action":"call","destAddr":"sip:a@b.example"})").value();
  EXPECT_EQ(std::get<CallPlan>(call).destinations.size(), 1U);
}

TEST(Action, EachDropCodeHasItsStatus) {
  const auto status = [](std::string_view json) { return std::get<DropAction>(read(json).value()).refusal.status; };
  EXPECT_EQ(status(R"({"action":"drop"})"), 603);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":""})"), 603);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":null})"), 603);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"dropNoMsg"})"), 603);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"busy"})"), 486);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"error"})"), 500);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"numberNotFound"})"), 404);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"numberNotActive"})"), 403);
  EXPECT_EQ(status(R"({"action":"drop","dropCode":"temporarilyUnavailable"})"), 480);
}

TEST(Action, AnUnknownDropCodeIsNamed) {
  const auto none = refused(R"({"action":"drop","dropCode":"gone"})");
  EXPECT_EQ(none.kind, Kind::failed);
  EXPECT_EQ(member(none, "field"), "dropCode");
  EXPECT_NE(member(none, "description").find("gone"), std::string::npos);
  EXPECT_EQ(none.details.at("status"), 200);
}

TEST(Action, MembersThatAreNotKnownAreIgnored) {
  EXPECT_TRUE(read(R"({"action":"ivr","colour":{"deep":[1]},"dropCode":"gone"})").has_value());
}

TEST(Action, WithoutAnActionThereIsNoDecision) {
  for (const auto* json : {R"({})", R"({"action":null})", R"({"action":""})", R"({"destAddr":"sip:a@b.example"})"}) {
    EXPECT_EQ(refused(json).kind, Kind::no_action) << json;
  }
}

TEST(Action, AnUnknownActionIsQuotedButNotAtLength) {
  const auto none = refused(R"({"action":"dance"})");
  EXPECT_EQ(none.kind, Kind::unknown_action);
  EXPECT_EQ(member(none, "action"), "dance");
  EXPECT_EQ(refused(R"({"action":5})").kind, Kind::unknown_action);
  EXPECT_EQ(member(refused(R"({"action":")" + std::string(5000, 'x') + "\"}"), "action").size(), 100U);
}

TEST(Action, AWrongTypeIsAFailureThatNamesTheMember) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"action":{}})", "action"},
      {R"({"action":["ivr"]})", "action"},
      {R"({"action":"drop","dropCode":[]})", "dropCode"},
      {R"({"action":"connect"})", "participantId"},
      {R"({"action":"connect","participantId":""})", "participantId"},
      {R"({"action":"connect","participantId":{}})", "participantId"},
      {R"({"action":"call"})", "destAddr"},
      {R"({"action":"call","destAddr":"sip:a@b.example","sipFrom":[]})", "sipFrom"},
  };
  for (const auto& [json, field] : table) {
    const auto none = refused(json);
    EXPECT_EQ(none.kind, Kind::failed) << json;
    EXPECT_EQ(member(none, "field"), field) << json;
  }
}

TEST(Action, ARequestThatFailedSaysWhereAndHow) {
  const tl::expected<callbacks::Reply, callbacks::Failure> reply =
      tl::unexpected(callbacks::Failure{callbacks::Failure::Kind::refused, "http://application/newCall", 404, "no"});
  const auto action = read_action(reply, {}, nullptr);
  ASSERT_FALSE(action.has_value());
  EXPECT_EQ(action.error().kind, Kind::failed);
  EXPECT_EQ(member(action.error(), "url"), "http://application/newCall");
  EXPECT_EQ(member(action.error(), "description"), "no");
  EXPECT_EQ(action.error().details.at("status"), 404);
}

TEST(Action, AnEmptyBodyIsAKindOfItsOwn) {
  const tl::expected<callbacks::Reply, callbacks::Failure> reply =
      tl::unexpected(callbacks::Failure{callbacks::Failure::Kind::empty, "http://application/newCall", 200, "empty"});
  EXPECT_EQ(read_action(reply, {}, nullptr).error().kind, Kind::empty);
}

TEST(Action, WithoutAStatusNoneIsTold) {
  const auto details =
      details_of(callbacks::Failure{callbacks::Failure::Kind::unreachable, "http://application/", 0, "refused"});
  EXPECT_EQ(details.if_contains("status"), nullptr);
}

}  // namespace
}  // namespace rw::call
