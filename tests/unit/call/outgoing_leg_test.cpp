#include "call/outgoing_leg.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "sip/uri.h"

namespace rw::call {
namespace {

class OutgoingLegTest : public testing::Test {
 protected:
  OutgoingLegTest() {
    domain.name = "demo.example";
    caller.from_user = "ann";
    caller.calling_party = "ann";
    caller.display_name = "Ann";
    caller.custom_headers = {
        {"X-Case", "7"}, {"x-list", "1"}, {"X-List", "2"}, {"P-Asserted-Identity", "<sip:+46@c.example>"}};
  }

  /// The INVITE that a reply with these members leads to.
  Result<sip::OutgoingInvite> make(const std::string& members, const std::string& address = "sip:bo@phones.example") {
    const auto json = R"({"destAddr":")" + address + "\"" + (members.empty() ? "" : "," + members) + "}";
    const auto destination = read_destination(boost::json::parse(json).as_object());
    if (!destination) return tl::unexpected(destination.error());
    return outgoing_invite(*destination, origin());
  }
  LegOrigin origin() const { return {domain, with_caller ? &caller : nullptr, "100", outbound_proxy}; }
  void add_trunk(bool trusted) {
    tenant::Trunk trunk;
    trunk.name = "out";
    trunk.proxy = "sip:proxy.example:5080";
    trunk.hosts = {"phones.example"};
    trunk.trusted = trusted;
    domain.trunks.push_back(trunk);
  }
  /// All values of a header, in order, with " | " between.
  static std::string header(const sip::OutgoingInvite& invite, std::string_view name) {
    std::string all;
    for (const auto& [present, value] : invite.headers) {
      if (present.size() != name.size() || !std::equal(name.begin(), name.end(), present.begin(), [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
          }))
        continue;
      all += (all.empty() ? "" : " | ") + value;
    }
    return all;
  }

  tenant::Domain domain;
  InboundCall caller;
  bool with_caller = true;
  std::string outbound_proxy;
};

// ---- who calls whom

TEST_F(OutgoingLegTest, WithoutAWishTheCallerIsCopied) {
  const auto invite = make("").value();
  EXPECT_EQ(invite.target, "sip:bo@phones.example");
  EXPECT_EQ(invite.to, "<sip:bo@phones.example>");
  EXPECT_EQ(invite.from, "\"Ann\" <sip:ann@demo.example>");
  EXPECT_EQ(invite.contact_user, "ann");
  EXPECT_TRUE(invite.headers.empty());
  EXPECT_TRUE(invite.routes.empty());
  EXPECT_TRUE(invite.credentials.empty());
}

TEST_F(OutgoingLegTest, WithoutACallerTheOriginsUserCalls) {
  with_caller = false;
  const auto invite = make("").value();
  EXPECT_EQ(invite.from, "<sip:100@demo.example>");
  EXPECT_EQ(invite.contact_user, "100");
}

TEST_F(OutgoingLegTest, ACallerWithoutAUserPart) {
  caller.from_user.clear();
  caller.display_name.clear();
  const auto invite = make(R"("contactUserParameters":{"a":"1"})").value();
  EXPECT_EQ(invite.from, "<sip:demo.example>");
  EXPECT_EQ(invite.contact_user, "");
}

TEST_F(OutgoingLegTest, ACallersUserPartIsNeverTakenForAUri) {
  caller.from_user = "ann@other.example";  // as it was escaped
  const auto invite = make("").value();
  EXPECT_EQ(invite.from, "\"Ann\" <sip:ann%40other.example@demo.example>");
  EXPECT_EQ(invite.contact_user, "ann%40other.example");
}

TEST_F(OutgoingLegTest, SipFromIsAUserPartOrAWholeUri) {
  EXPECT_EQ(make(R"("sipFrom":"200")")->from, "<sip:200@demo.example>");
  EXPECT_EQ(make(R"("sipFrom":200)")->from, "<sip:200@demo.example>");
  EXPECT_EQ(make(R"("sipFrom":"200","displayName":"Sales")")->from, "\"Sales\" <sip:200@demo.example>");
  EXPECT_EQ(make(R"("displayName":"Sales")")->from, "\"Sales\" <sip:ann@demo.example>");
  EXPECT_EQ(make(R"("sipFrom":"sip:200@other.example")")->from, "<sip:200@other.example>");
  EXPECT_EQ(make(R"("sipFrom":"200@other.example")")->from, "<sip:200@other.example>");
  EXPECT_EQ(make(R"("sipFrom":"200@other.example:5070")")->from, "<sip:200@other.example:5070>");
  EXPECT_EQ(make(R"("sipFrom":"tel:+46200")")->from, "<tel:+46200>");
  EXPECT_EQ(make(R"("sipFrom":"sip:200@other.example?Subject=x")")->from, "<sip:200@other.example>");
  EXPECT_EQ(make(R"("sipFrom":"sip:200@other.example")")->contact_user, "200");
}

TEST_F(OutgoingLegTest, WhatIsOddInANameIsEscaped) {
  EXPECT_EQ(make(R"("sipFrom":"a b<c>")")->from, "<sip:a%20b%3Cc%3E@demo.example>");
  EXPECT_EQ(make(R"("sipFrom":"a b<c>")")->contact_user, "a%20b%3Cc%3E");
  EXPECT_EQ(make(R"("displayName":"Ann \"A\" \\ B")")->from, R"("Ann \"A\" \\ B" <sip:ann@demo.example>)");
}

TEST_F(OutgoingLegTest, SipToChangesToAndNotTheTarget) {
  auto invite = make(R"("sipTo":"200")", "sip:bo@phones.example:5062").value();
  EXPECT_EQ(invite.target, "sip:bo@phones.example:5062");
  EXPECT_EQ(invite.to, "<sip:200@phones.example:5062>");
  EXPECT_EQ(make(R"("sipTo":"sip:200@other.example")")->to, "<sip:200@other.example>");
  outbound_proxy = "sip:proxy.example";
  EXPECT_EQ(make(R"("sipTo":"200")", "tel:+461")->to, "<sip:200@demo.example>");
}

TEST_F(OutgoingLegTest, TheContactHasParameters) {
  const auto invite =
      make(R"("contactParameters":{"line":"7","ob":""},"contactUserParameters":{"tag":"x","flag":""})").value();
  EXPECT_EQ(invite.contact_user, "ann;tag=x;flag");
  EXPECT_EQ(invite.contact_parameters, (Parameters{{"line", "7"}, {"ob", ""}}));
}

// ---- identities

TEST_F(OutgoingLegTest, IdentitiesAndDiversion) {
  const auto invite = make(R"("sipPAI":"+461","sipRPID":"sip:rp@other.example","sipDiversion":"300",
      "sipDiversionParameters":{"reason":"unconditional","counter":1,"privacy":"\"full\"","screen":"no, \"really\""})")
                          .value();
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:+461@demo.example>");
  EXPECT_EQ(header(invite, "Remote-Party-ID"), "<sip:rp@other.example>");
  EXPECT_EQ(header(invite, "Diversion"),
            R"(<sip:300@demo.example>;reason=unconditional;counter=1;privacy="full";screen="no, \"really\"")");
  EXPECT_EQ(header(invite, "Privacy"), "");
}

TEST_F(OutgoingLegTest, PrivacyHidesTheCaller) {
  const auto invite = make(R"("callerPrivacy":true,"sipFrom":"200","displayName":"Sales","sipPAI":"200","sipRPID":"200",
      "copyHeaders":["P-Asserted-Identity"],"pHeaders":{"p-asserted-identity":"<sip:200@demo.example>","p-a":"1"})")
                          .value();
  EXPECT_EQ(invite.from, R"("Anonymous" <sip:anonymous@anonymous.invalid>)");
  EXPECT_EQ(invite.contact_user, "anonymous");
  EXPECT_EQ(header(invite, "Privacy"), "id");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "");
  EXPECT_EQ(header(invite, "Remote-Party-ID"), "");
  EXPECT_EQ(header(invite, "P-A"), "1");
}

TEST_F(OutgoingLegTest, ATrustedTrunkIsToldWhoCalls) {
  add_trunk(true);
  auto invite = make(R"("callerPrivacy":true)").value();
  EXPECT_EQ(invite.from, R"("Anonymous" <sip:anonymous@anonymous.invalid>)");
  EXPECT_EQ(header(invite, "Privacy"), "id");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:ann@demo.example>");
  invite = make(R"("callerPrivacy":true,"sipPAI":"200")").value();
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:200@demo.example>");
}

TEST_F(OutgoingLegTest, ATrunkThatIsNotTrustedIsNot) {
  add_trunk(false);
  EXPECT_EQ(header(make(R"("callerPrivacy":true,"sipPAI":"200")").value(), "P-Asserted-Identity"), "");
}

// ---- copied and changed headers

TEST_F(OutgoingLegTest, HeadersOfTheCallerAreCopiedByName) {
  const auto invite = make(R"("copyHeaders":["x-list","X-CASE","X-Absent","x-list"])").value();
  EXPECT_EQ(header(invite, "X-List"), "1 | 2");
  EXPECT_EQ(header(invite, "X-Case"), "7");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "");
  EXPECT_EQ(invite.headers.size(), 3U);
}

TEST_F(OutgoingLegTest, WhatTheReplySaysCountsMoreThanWhatIsCopied) {
  auto invite = make(R"("copyHeaders":["X-Case","X-List","P-Asserted-Identity"],"sipPAI":"200",
      "xHeaders":{"x-case":"8","x-list":null,"x-new":["a","b"]})")
                    .value();
  EXPECT_EQ(header(invite, "X-Case"), "8");
  EXPECT_EQ(header(invite, "X-List"), "");
  EXPECT_EQ(header(invite, "X-New"), "a | b");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:200@demo.example>");
  invite = make(R"("copyHeaders":["P-Asserted-Identity"])").value();
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:+46@c.example>");
}

TEST_F(OutgoingLegTest, WithoutACallerNothingIsCopied) {
  with_caller = false;
  EXPECT_TRUE(make(R"("copyHeaders":["X-Case"])").value().headers.empty());
}

TEST_F(OutgoingLegTest, WhatIsCopiedButAbsentRemovesNothing) {
  caller.custom_headers.clear();
  const auto invite = make(R"("copyHeaders":["P-Asserted-Identity"],"sipPAI":"200")").value();
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:200@demo.example>");
}

// ---- routes

TEST_F(OutgoingLegTest, ATrunkTakesTheCallsForItsHosts) {
  add_trunk(false);
  domain.trunks[0].username = "user";
  domain.trunks[0].password = "secret";
  domain.trunks[0].realm = "phones";
  outbound_proxy = "sip:edge.example";
  auto invite = make("").value();
  EXPECT_EQ(invite.routes, std::vector<std::string>{"<sip:proxy.example:5080;lr>"});
  ASSERT_EQ(invite.credentials.size(), 1U);
  EXPECT_EQ(invite.credentials[0].realm, "phones");
  EXPECT_EQ(invite.credentials[0].username, "user");
  EXPECT_EQ(invite.credentials[0].password, "secret");
  invite = make("", "sip:bo@elsewhere.example").value();
  EXPECT_EQ(invite.routes, std::vector<std::string>{"<sip:edge.example;lr>"});
  EXPECT_TRUE(invite.credentials.empty());
}

TEST_F(OutgoingLegTest, ATrunkForAnyHostIsTheSecondChoice) {
  tenant::Trunk any;
  any.proxy = "sip:any.example;lr";
  any.hosts = {"*"};
  domain.trunks.push_back(any);
  add_trunk(false);
  EXPECT_EQ(make("")->routes, std::vector<std::string>{"<sip:proxy.example:5080;lr>"});
  EXPECT_EQ(make("", "sip:bo@elsewhere.example")->routes, std::vector<std::string>{"<sip:any.example;lr>"});
  EXPECT_EQ(make("", "tel:+461")->routes, std::vector<std::string>{"<sip:any.example;lr>"});
}

TEST_F(OutgoingLegTest, ATelephoneNumberNeedsARoute) {
  const auto none = make("", "tel:+461");
  ASSERT_FALSE(none.has_value());
  EXPECT_TRUE(none.error().message.starts_with("destAddr: "));
  outbound_proxy = "sip:edge.example";
  EXPECT_EQ(make("", "tel:+461")->target, "tel:+461");
}

// ---- the leg that listens

TEST_F(OutgoingLegTest, AMonitorGetsTheHeadersOfTheMonitoredLeg) {
  const auto monitored = make(R"("xHeaders":{"x-a":"1","x-b":"2"},"pHeaders":{"p-c":"3"},"sipPAI":"200",
      "sipDiversion":"300")")
                             .value();
  MonitorPlan plan;
  plan.address = "sip:ear@phones.example";
  plan.x_headers = {{"X-B", {}}, {"X-D", {"4"}}};
  auto invite = monitor_invite(plan, monitored, origin()).value();
  EXPECT_EQ(invite.target, "sip:ear@phones.example");
  EXPECT_EQ(invite.from, "\"Ann\" <sip:ann@demo.example>");
  EXPECT_EQ(header(invite, "X-A"), "1");
  EXPECT_EQ(header(invite, "X-B"), "");
  EXPECT_EQ(header(invite, "X-D"), "4");
  EXPECT_EQ(header(invite, "P-C"), "3");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:200@demo.example>");
  EXPECT_EQ(header(invite, "Diversion"), "");

  plan.sip_from = "400";
  invite = monitor_invite(plan, monitored, origin()).value();
  EXPECT_EQ(invite.from, "<sip:400@demo.example>");
  EXPECT_EQ(header(invite, "P-Asserted-Identity"), "<sip:400@demo.example>");
}

TEST(UserOf, TheUserPartOfAUri) {
  EXPECT_EQ(user_of("sip:bo@phones.example"), "bo");
  EXPECT_EQ(user_of("sips:b%20o@phones.example:5061;transport=tcp"), "b o");
  EXPECT_EQ(user_of("tel:+461"), "+461");
  EXPECT_EQ(user_of("sip:phones.example"), "");
  EXPECT_EQ(user_of("nobody"), "");
}

}  // namespace
}  // namespace rw::call
