#include "call/call_plan.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace rw::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<CallPlan> read_whole(std::string_view json) {
  return read_call_plan(boost::json::parse(json).as_object(), {"demo.example", "eu"});
}
/// A reply with a usable destAddr and these members.
Result<CallPlan> read(const std::string& members) {
  return read_whole(R"({"destAddr":"sip:2001@phones.example",)" + members + "}");
}
LegHeaders headers(const std::string& members) {
  return read(members).value().destinations.at(0).headers;
}
/// The member that the error names; empty: there is no error.
std::string rejected(const Result<CallPlan>& plan) {
  return plan ? "" : plan.error().message.substr(0, plan.error().message.find(": "));
}

// ---- destinations

TEST(CallPlan, ADestinationAloneHasTheDefaults) {
  const auto plan = read_whole(R"({"destAddr":"sip:2001@phones.example"})").value();
  ASSERT_EQ(plan.destinations.size(), 1U);
  EXPECT_EQ(plan.destinations[0].address, "sip:2001@phones.example");
  EXPECT_EQ(plan.destinations[0].max_ring_time, seconds(60));
  EXPECT_FALSE(plan.destinations[0].headers.sip_from.has_value());
  EXPECT_FALSE(plan.destinations[0].headers.caller_privacy);
  EXPECT_FALSE(plan.parallel);
  EXPECT_EQ(plan.ringback, Ringback::tone);
  EXPECT_TRUE(plan.greeting.caller.empty());
  EXPECT_FALSE(plan.monitor.has_value());
  EXPECT_TRUE(plan.unusable.empty());
}

TEST(CallPlan, AddressesAreTakenAsTheyAreCommonlyWritten) {
  const auto address = [](const std::string& text) {
    const auto plan = read_whole(R"({"destAddr":")" + text + "\"}").value();
    return plan.destinations.empty() ? "none" : plan.destinations[0].address;
  };
  EXPECT_EQ(address("sips:a@b.example:5071"), "sips:a@b.example:5071");
  EXPECT_EQ(address("tel:+4612345"), "tel:+4612345");
  EXPECT_EQ(address("<sip:a@b.example>"), "sip:a@b.example");
  EXPECT_EQ(address("\\\"Bo\\\" <sip:a@b.example;transport=tcp>"), "sip:a@b.example;transport=tcp");
  EXPECT_EQ(address("sip:a@b.example?Subject=x"), "sip:a@b.example");  // no headers that were not checked
  EXPECT_EQ(address("a@b.example"), "none");
  EXPECT_EQ(address("mailto:a@b.example"), "none");
  EXPECT_EQ(address(""), "none");
  EXPECT_EQ(address("12345"), "none");
}

TEST(CallPlan, UnusableAddressesAreKeptForTheAlarm) {
  const auto plan =
      read_whole(R"({"destAddr":["nobody","sip:a@b.example",12345],"monitorDestAddr":"nowhere"})").value();
  ASSERT_EQ(plan.destinations.size(), 1U);
  EXPECT_EQ(plan.unusable, (std::vector<CallPlan::Unusable>{
                               {"destAddr[0]", "nobody"}, {"destAddr[2]", "12345"}, {"monitorDestAddr", "nowhere"}}));
  EXPECT_FALSE(plan.monitor.has_value());
}

TEST(CallPlan, ItemsOverrideTheReply) {
  const auto plan = read_whole(R"({"maxRingTime":30,"sipFrom":"100","displayName":"All","xHeaders":{"x-a":"1"},
      "contactParameters":{"p":"1"},"callerPrivacy":true,"destAddr":[
        "sip:first@b.example",
        {"destAddr":"sip:second@b.example","maxRingTime":"2.5","sipFrom":"200","xHeaders":{"x-b":"2"},
         "callerPrivacy":false},
        {"uri":"sip:third@b.example","displayName":""},
        {"address":"tel:+461","contactParameters":{}}]})")
                        .value();
  ASSERT_EQ(plan.destinations.size(), 4U);
  EXPECT_EQ(plan.destinations[0].max_ring_time, seconds(30));
  EXPECT_EQ(plan.destinations[0].headers.sip_from, "100");
  EXPECT_TRUE(plan.destinations[0].headers.caller_privacy);
  EXPECT_EQ(plan.destinations[1].max_ring_time, milliseconds(2500));
  EXPECT_EQ(plan.destinations[1].headers.sip_from, "200");
  EXPECT_EQ(plan.destinations[1].headers.display_name, "All");
  EXPECT_FALSE(plan.destinations[1].headers.caller_privacy);
  ASSERT_EQ(plan.destinations[1].headers.x_headers.size(), 1U);
  EXPECT_EQ(plan.destinations[1].headers.x_headers[0].name, "X-B");
  EXPECT_EQ(plan.destinations[2].address, "sip:third@b.example");
  EXPECT_FALSE(plan.destinations[2].headers.display_name.has_value());
  EXPECT_EQ(plan.destinations[3].address, "tel:+461");
  EXPECT_EQ(plan.destinations[3].headers.contact_parameters, (Parameters{{"p", "1"}})) << "{} says nothing";
}

TEST(CallPlan, DestinationsThatAreNothingArePassedOver) {
  const auto plan = read_whole(R"({"destAddr":[null,"sip:a@b.example",{}],"xHeaders":{"x-a":[null,"1"]}})").value();
  ASSERT_EQ(plan.destinations.size(), 1U);
  EXPECT_EQ(plan.destinations[0].headers.x_headers[0].values, std::vector<std::string>{"1"});
  EXPECT_EQ(rejected(read_whole(R"({"destAddr":[null,{}]})")), "destAddr");
}

TEST(CallPlan, DestinationsOfAWrongKindAreNamed) {
  const std::pair<const char*, const char*> table[] = {
      {R"({})", "destAddr"},
      {R"({"destAddr":null})", "destAddr"},
      {R"({"destAddr":true})", "destAddr"},
      {R"({"destAddr":[]})", "destAddr"},
      {R"({"destAddr":{}})", "destAddr"},
      {R"({"destAddr":["sip:a@b.example",["sip:c@b.example"]]})", "destAddr[1]"},
      {R"({"destAddr":["sip:a@b.example",{"maxRingTime":5}]})", "destAddr[1].destAddr"},
      {R"({"destAddr":[{"uri":{}}]})", "destAddr[0].uri"},
      {R"({"destAddr":[{"uri":"sip:a@b.example","maxRingTime":"soon"}]})", "destAddr[0].maxRingTime"},
      {R"({"destAddr":[{"uri":"sip:a@b.example","xHeaders":{"x-a":{}}}]})", "destAddr[0].xHeaders.x-a"},
      {"{\"destAddr\":\"sip:a@b.example\\r\\nX: y\"}", "destAddr"},
  };
  for (const auto& [json, field] : table) EXPECT_EQ(rejected(read_whole(json)), field) << json;
}

TEST(CallPlan, ThereIsALimitToTheDestinations) {
  const auto list = [](int count) {
    std::string json = R"({"destAddr":["sip:a@b.example")";
    for (int at = 1; at < count; ++at) json += R"(,"sip:a@b.example")";
    return json + "]}";
  };
  EXPECT_EQ(read_whole(list(20)).value().destinations.size(), 20U);
  EXPECT_EQ(rejected(read_whole(list(21))), "destAddr");
}

// ---- how they are called

TEST(CallPlan, TheRingTimeIsADecimalNumberOfSeconds) {
  const auto time = [](const std::string& value) {
    const auto plan = read("\"maxRingTime\":" + value);
    return plan ? plan->destinations.at(0).max_ring_time : milliseconds(-1);
  };
  EXPECT_EQ(time("0.5"), milliseconds(500));
  EXPECT_EQ(time("\"20\""), seconds(20));
  EXPECT_EQ(time("3600"), seconds(3600));
  EXPECT_EQ(time("null"), seconds(60));
  for (const auto* wrong : {"0", "-1", "0.0001", "3601", "1e300", "\"\"", "true", "[]"}) {
    EXPECT_EQ(rejected(read(std::string("\"maxRingTime\":") + wrong)), "maxRingTime") << wrong;
  }
}

TEST(CallPlan, StrategyAndRingback) {
  EXPECT_TRUE(read(R"("strategy":"parallel")").value().parallel);
  EXPECT_FALSE(read(R"("strategy":"sequential")").value().parallel);
  EXPECT_EQ(rejected(read(R"("strategy":"all")")), "strategy");
  for (const auto* nothing : {R"("continueOn":null)", R"("continueOn":[])", R"("strategy":"sequential")"}) {
    const auto plan = read(nothing).value();
    EXPECT_FALSE(plan.continue_on_busy || plan.continue_on_declined) << nothing;
  }
  const auto both = read(R"("continueOn":["declined","busy","busy"])").value();
  EXPECT_TRUE(both.continue_on_busy && both.continue_on_declined);
  const auto busy = read(R"("continueOn":["busy"])").value();
  EXPECT_TRUE(busy.continue_on_busy && !busy.continue_on_declined);
  for (const auto* wrong : {R"("continueOn":["noAnswer"])", R"("continueOn":"busy")", R"("continueOn":[486])"})
    EXPECT_EQ(rejected(read(wrong)), "continueOn") << wrong;
  EXPECT_EQ(read(R"("ringbackTone":"default")").value().ringback, Ringback::tone);
  EXPECT_EQ(read(R"("ringbackTone":"silent")").value().ringback, Ringback::silent);
  EXPECT_EQ(read(R"("ringbackTone":"remoteGenerated")").value().ringback, Ringback::remote_generated);
  EXPECT_EQ(rejected(read(R"("ringbackTone":"loud")")), "ringbackTone");
}

TEST(CallPlan, Greetings) {
  const auto both =
      read(R"("greeting":{"playMode":"callerFirst","caller":{"phrases":[{"fileName":"a"},{"fileName":"b"}]},
      "callee":{"phrases":[{"fileName":"c"}]}})")
          .value()
          .greeting;
  EXPECT_EQ(both.mode, Greeting::Mode::caller_first);
  EXPECT_EQ(both.caller.size(), 2U);
  EXPECT_EQ(both.callee.size(), 1U);
  EXPECT_EQ(read(R"("greeting":{"playMode":"calleeFirst"})").value().greeting.mode, Greeting::Mode::callee_first);
  EXPECT_EQ(read(R"("greeting":{})").value().greeting.mode, Greeting::Mode::simultaneous);
  const std::pair<const char*, const char*> wrong[] = {
      {R"("greeting":"hello")", "greeting"},
      {R"("greeting":{"playMode":"never"})", "greeting.playMode"},
      {R"("greeting":{"caller":[]})", "greeting.caller"},
      {R"("greeting":{"callee":{"phrases":{}}})", "greeting.callee.phrases"},
      {R"("greeting":{"callee":{"phrases":["a"]}})", "greeting.callee.phrases[0]"},
  };
  for (const auto& [members, field] : wrong) EXPECT_EQ(rejected(read(members)), field) << members;
}

TEST(CallPlan, Monitors) {
  const auto monitor = read(R"("monitorDestAddr":"sip:ear@b.example","monitorSipFrom":"100",
      "monitorXHeaders":{"x-a":null},"monitorPHeaders":{"p-b":["1","2"]})")
                           .value()
                           .monitor;
  ASSERT_TRUE(monitor.has_value());
  EXPECT_EQ(monitor->address, "sip:ear@b.example");
  EXPECT_EQ(monitor->sip_from, "100");
  ASSERT_EQ(monitor->x_headers.size(), 1U);
  EXPECT_TRUE(monitor->x_headers[0].values.empty());
  EXPECT_EQ(monitor->p_headers.at(0).values.size(), 2U);
  EXPECT_FALSE(read(R"("monitorDestAddr":"")").value().monitor.has_value());
  EXPECT_EQ(rejected(read(R"("monitorDestAddr":[])")), "monitorDestAddr");
  EXPECT_EQ(rejected(read(R"("monitorDestAddr":"sip:a@b.example","monitorXHeaders":{"y-a":"1"})")), "monitorXHeaders");
  EXPECT_EQ(rejected(read(R"("monitorDestAddr":"sip:a@b.example","monitorSipFrom":{})")), "monitorSipFrom");
}

// ---- headers

TEST(CallPlan, IdentitiesAreUserPartsOrWholeUris) {
  const auto all = headers(R"("sipFrom":"+461","sipTo":"sip:a@b.example","sipPAI":"tel:+462","sipRPID":"ann@c.example",
      "sipDiversion":463,"displayName":"Ann \"A\" B")");
  EXPECT_EQ(all.sip_from, "+461");
  EXPECT_EQ(all.sip_to, "sip:a@b.example");
  EXPECT_EQ(all.sip_pai, "tel:+462");
  EXPECT_EQ(all.sip_rpid, "ann@c.example");
  EXPECT_EQ(all.sip_diversion, "463");
  EXPECT_EQ(all.display_name, "Ann \"A\" B");
  EXPECT_FALSE(headers(R"("sipFrom":"","sipPAI":null)").sip_from.has_value());
  for (const auto* name : {"sipFrom", "sipTo", "sipPAI", "sipRPID", "sipDiversion"}) {
    const std::string member = std::string("\"") + name + "\":";
    EXPECT_EQ(rejected(read(member + "{}")), name);
    EXPECT_EQ(rejected(read(member + "\"a\\r\\nX-Evil: 1\"")), name);
    EXPECT_EQ(rejected(read(member + "\"sip:b.example\"")), name) << "no user part";
    EXPECT_EQ(rejected(read(member + "\"@b.example\"")), name);
  }
  EXPECT_EQ(rejected(read("\"displayName\":\"a\\nb\"")), "displayName");
  EXPECT_EQ(rejected(read("\"displayName\":[]")), "displayName");
}

TEST(CallPlan, HeadersHaveTextOrAListOfItOrAreRemoved) {
  const auto changes = headers(R"("xHeaders":{"x-header1":"a","X-two":["b",3,true],"x-three":null,"x-none":[]},
      "pHeaders":{"p-charging-vector":1.5})");
  ASSERT_EQ(changes.x_headers.size(), 4U);
  EXPECT_EQ(changes.x_headers[0].name, "X-Header1");
  EXPECT_EQ(changes.x_headers[0].values, std::vector<std::string>{"a"});
  EXPECT_EQ(changes.x_headers[1].name, "X-Two");
  EXPECT_EQ(changes.x_headers[1].values, (std::vector<std::string>{"b", "3", "true"}));
  EXPECT_TRUE(changes.x_headers[2].values.empty());
  EXPECT_TRUE(changes.x_headers[3].values.empty());
  EXPECT_EQ(changes.p_headers.at(0).name, "P-Charging-Vector");
  EXPECT_EQ(changes.p_headers.at(0).values, std::vector<std::string>{"1.5"});
}

TEST(CallPlan, HeadersThatCanNotBeSentAreNamed) {
  const std::pair<std::string, const char*> wrong[] = {
      {R"("xHeaders":[])", "xHeaders"},
      {R"("xHeaders":{"p-a":"1"})", "xHeaders"},
      {R"("xHeaders":{"x-":"1"})", "xHeaders"},
      {R"("xHeaders":{"":"1"})", "xHeaders"},
      {R"("xHeaders":{"Via":"1"})", "xHeaders"},
      {R"("xHeaders":{"x-a: b":"1"})", "xHeaders"},
      {"\"xHeaders\":{\"x-a\\r\\nVia\":\"1\"}", "xHeaders"},
      {"\"xHeaders\":{\"x-a\":\"1\\r\\nVia: x\"}", "xHeaders.x-a"},
      {"\"xHeaders\":{\"x-a\":[\"1\",\"2\\n\"]}", "xHeaders.x-a"},
      {R"("xHeaders":{"x-a":[["1"]]})", "xHeaders.x-a"},
      {R"("pHeaders":{"x-a":"1"})", "pHeaders"},
      {R"("pHeaders":{"p-a":{}})", "pHeaders.p-a"},
      {R"("xHeaders":{"x-a":")" + std::string(4097, 'a') + "\"}", "xHeaders.x-a"},
      {R"("copyHeaders":"X-A")", "copyHeaders"},
      {R"("copyHeaders":["X-A","Via"])", "copyHeaders"},
      {R"("copyHeaders":[1])", "copyHeaders"},
      {R"("callerPrivacy":"perhaps")", "callerPrivacy"},
      {R"("callerPrivacy":1)", "callerPrivacy"},
  };
  for (const auto& [members, field] : wrong) EXPECT_EQ(rejected(read(members)), field) << members.substr(0, 60);
}

TEST(CallPlan, ThereIsALimitToTheHeaders) {
  std::string values = "\"1\"";
  for (int at = 1; at < 120; ++at) values += ",\"1\"";
  EXPECT_EQ(rejected(read(R"("xHeaders":{"x-a":[)" + values + "]}")), "xHeaders");
  std::string names = "\"X-A\"";
  for (int at = 1; at < 101; ++at) names += ",\"X-A\"";
  EXPECT_EQ(rejected(read(R"("copyHeaders":[)" + names + "]")), "copyHeaders");
}

TEST(CallPlan, ParametersHaveNamesAndText) {
  const auto all = headers(R"("contactParameters":{"a":"1","flag":"","n":2,"gone":null},
      "contactUserParameters":{"tag":"x"},"sipDiversionParameters":{"reason":"user busy","counter":1})");
  EXPECT_EQ(all.contact_parameters, (Parameters{{"a", "1"}, {"flag", ""}, {"n", "2"}}));
  EXPECT_EQ(all.contact_user_parameters, (Parameters{{"tag", "x"}}));
  EXPECT_EQ(all.diversion_parameters, (Parameters{{"reason", "user busy"}, {"counter", "1"}}));
}

TEST(CallPlan, ParametersThatCanNotBeSentAreNamed) {
  for (const std::string name : {"contactParameters", "contactUserParameters", "sipDiversionParameters"}) {
    const auto member = "\"" + name + "\":";
    EXPECT_EQ(rejected(read(member + "\"a=b\"")), name);
    EXPECT_EQ(rejected(read(member + R"({"a b":"1"})")), name);
    EXPECT_EQ(rejected(read(member + R"({"":"1"})")), name);
    EXPECT_EQ(rejected(read(member + R"({"a":[]})")), name + ".a");
    EXPECT_EQ(rejected(read(member + "{\"a\":\"1\\r\\n\"}")), name + ".a");
    auto many = member + R"({"p0":"")";
    for (int at = 1; at < 33; ++at) many.append(",\"p").append(std::to_string(at)).append("\":\"\"");
    many += "}";
    EXPECT_EQ(rejected(read(many)), name);
  }
  for (const std::string name : {"contactParameters", "contactUserParameters"}) {
    const auto member = "\"" + name + "\":";
    for (const auto* value : {"a b", "a>b", "a;b", "a@b", "a?b", "\\\"a"}) {
      auto members = member;
      members.append(R"({"a":")").append(value).append("\"}");
      EXPECT_EQ(rejected(read(members)), name + ".a") << value;
    }
  }
}

// ---- placeivrcall

TEST(CallPlan, OneDestinationForAPlacedCall) {
  const auto read_one = [](std::string_view json) { return read_destination(boost::json::parse(json).as_object()); };
  const auto destination =
      read_one(R"({"destAddr":"sip:a@b.example","maxRingTime":5,"sipFrom":"100","xHeaders":{"x-a":"1"}})").value();
  EXPECT_EQ(destination.address, "sip:a@b.example");
  EXPECT_EQ(destination.max_ring_time, seconds(5));
  EXPECT_EQ(destination.headers.sip_from, "100");
  const auto field = [&](std::string_view json) {
    const auto error = read_one(json).error().message;
    return error.substr(0, error.find(": "));
  };
  EXPECT_EQ(field(R"({})"), "destAddr");
  EXPECT_EQ(field(R"({"destAddr":"nobody"})"), "destAddr");
  EXPECT_EQ(field(R"({"destAddr":["sip:a@b.example"]})"), "destAddr");
  EXPECT_EQ(field(R"({"destAddr":"sip:a@b.example","maxRingTime":0})"), "maxRingTime");
}

}  // namespace
}  // namespace rw::call
