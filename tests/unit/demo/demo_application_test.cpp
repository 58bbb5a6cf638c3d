#include "demo/demo_application.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace rw::demo {
namespace {

boost::json::object command(std::string_view step, std::string_view match) {
  return demo_reply("getIvrCommand", {{"sessionReferenceId", step}, {"dtmfParams", {{"dtmfMatch", match}}}});
}

TEST(DemoApplication, AnswersTheCallAndGreetsWithTheMenu) {
  const auto call = demo_reply("newCall", {});
  EXPECT_EQ(call.at("action"), "ivr");
  const auto greeting = command(call.at("sessionReferenceId").as_string(), "");
  EXPECT_EQ(greeting.at("phrases").as_array().size(), 2U);
  EXPECT_TRUE(greeting.contains("dtmf"));
}

TEST(DemoApplication, SaysTheDigitsBack) {
  EXPECT_EQ(command("menu", "1").at("sessionReferenceId"), "digits");
  const auto echo = boost::json::serialize(command("digits", "42*"));
  EXPECT_NE(echo.find("4, 2, star"), std::string::npos);
}

TEST(DemoApplication, HangsUpOnNineAndOnSilence) {
  EXPECT_EQ(command("menu", "9").at("hangup"), true);
  EXPECT_EQ(command("menu", "").at("hangup"), true);
}

TEST(DemoApplication, EveryPromptItPlaysIsOneThatIsMade) {
  for (const auto* step : {"greet", "again", "menu", "digits", "goodbye"}) {
    for (const auto* digit : {"", "1", "2", "7", "9"}) {
      const auto reply = command(step, digit);
      for (const auto& phrase : reply.at("phrases").as_array()) {
        const auto* name = phrase.as_object().if_contains("fileName");
        if (name == nullptr) continue;
        const auto& prompts = demo_prompts();
        EXPECT_TRUE(std::any_of(prompts.begin(), prompts.end(), [&](const auto& one) {
          return name->as_string() == one.file_name;
        })) << *name;
      }
    }
  }
}

}  // namespace
}  // namespace rw::demo
