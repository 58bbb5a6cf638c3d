#include "app/named_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rw::app {
namespace {

using testing::ElementsAre;

class NamedMediaTest : public testing::Test {
 protected:
  std::vector<std::string> asked;
  std::vector<std::function<void(std::string)>> answers;
  std::vector<std::string> passed;
  NamedMedia media{[this](const std::string& host, auto found) {
                     asked.push_back(host);
                     answers.push_back(std::move(found));
                   },
                   [this](const sip::Event& event) {
                     if (const auto* offer = std::get_if<sip::OfferReceived>(&event)) passed.push_back(offer->sdp);
                     if (std::holds_alternative<sip::Ended>(event)) passed.push_back("ended");
                   }};

  void answer(std::size_t question, const std::string& address) {
    const auto found = answers.at(question);  // more may be asked from inside
    found(address);
  }
  void offer(sip::LegId leg, const std::string& sdp) { media.pass(sip::OfferReceived{leg, {}, sdp}); }
};

TEST_F(NamedMediaTest, AddressesPassAtOnce) {
  offer(1, "c=IN IP4 10.0.0.1");
  offer(1, "");
  media.pass(sip::Ended{1, {}, 0, {}, {}});
  EXPECT_THAT(passed, ElementsAre("c=IN IP4 10.0.0.1", "", "ended"));
  EXPECT_TRUE(asked.empty());
}

TEST_F(NamedMediaTest, WhatComesMeanwhileWaitsItsTurn) {
  offer(1, "c=IN IP4 a.example");
  media.pass(sip::Ended{1, {}, 0, {}, {}});
  offer(2, "c=IN IP4 10.0.0.2");
  EXPECT_THAT(passed, ElementsAre("c=IN IP4 10.0.0.2"));
  answer(0, "10.0.0.1");
  EXPECT_THAT(passed, ElementsAre("c=IN IP4 10.0.0.2", "c=IN IP4 10.0.0.1", "ended"));
  offer(1, "c=IN IP4 10.0.0.3");
  EXPECT_EQ(passed.size(), 4U);
}

TEST_F(NamedMediaTest, SeveralNamesOneAfterTheOther) {
  offer(1, "c=IN IP4 a.example\nc=IN IP4 b.example");
  offer(1, "c=IN IP4 c.example");
  answer(0, "10.0.0.1");
  answer(1, "10.0.0.2");
  EXPECT_THAT(passed, ElementsAre("c=IN IP4 10.0.0.1\nc=IN IP4 10.0.0.2"));
  answer(2, "10.0.0.3");
  EXPECT_THAT(asked, ElementsAre("a.example", "b.example", "c.example"));
  EXPECT_EQ(passed.back(), "c=IN IP4 10.0.0.3");
}

TEST_F(NamedMediaTest, OneThatLeadsNowhereIsLeft) {
  offer(1, "c=IN IP4 a.example");
  offer(1, "c=IN IP4 b.example");
  answer(0, "");
  EXPECT_THAT(passed, ElementsAre("c=IN IP4 a.example"));
  answer(1, "10.0.0.2");
  EXPECT_EQ(passed.back(), "c=IN IP4 10.0.0.2");
}

TEST_F(NamedMediaTest, NamesHaveAnEnd) {
  std::string sdp;
  for (int at = 0; at < 100; ++at) sdp += "c=IN IP4 n" + std::to_string(at) + ".example\n";
  offer(1, sdp);
  for (std::size_t at = 0; at < answers.size(); ++at) answer(at, "10.0.0.1");
  EXPECT_EQ(asked.size(), static_cast<std::size_t>(NamedMedia::most_names));
  EXPECT_EQ(passed.size(), 1U);
}

TEST_F(NamedMediaTest, OfProvisionalResponsesThatComeMeanwhileNotAllAreKept) {
  std::size_t taken = 0;
  NamedMedia flooded{[this](const std::string&, auto found) { answers.push_back(std::move(found)); },
                     [&taken](const sip::Event&) { ++taken; }};
  flooded.pass(sip::OfferReceived{1, {}, "c=IN IP4 a.example"});
  for (int at = 0; at < 1000; ++at) flooded.pass(sip::Progress{1, 183, "c=IN IP4 10.0.0.1", nullptr});
  flooded.pass(sip::Ended{1, {}, 0, {}, {}});
  answer(0, "10.0.0.1");
  EXPECT_EQ(taken, NamedMedia::most_waiting + 1);  // the end is never dropped
}

}  // namespace
}  // namespace rw::app
