#include <gtest/gtest.h>

#include "speech/flite_engine.h"

namespace rw::speech {
namespace {

TEST(Flite, SpeaksAndRefusesWhatCanNotBeSpoken) {
  const auto engine = make_flite_engine();
  const auto spoken = speak_whole(*engine, audio::SpokenText{.text = "Hello, this is a test."});
  ASSERT_TRUE(spoken);
  EXPECT_GT(spoken->samples.size(), spoken->rate / 2);
  EXPECT_FALSE(speak_whole(*engine, audio::SpokenText{.text = "..."}));
  EXPECT_FALSE(speak_whole(*engine, audio::SpokenText{.text = std::string(10'001, 'a')}));
}

TEST(Ssml, IsReducedToItsText) {
  EXPECT_EQ(text_of_ssml("<speak>A &amp; B<break time=\"1s\"/>C</speak>"), " A & B. C ");
  EXPECT_EQ(text_of_ssml("unclosed <tag"), "unclosed  ");
  EXPECT_EQ(text_of_ssml("<p>one</p><s>two</s>"), " one.  two. ");
  EXPECT_EQ(text_of_ssml("the <say-as interpret-as='digits'>12</say-as>th"), "the  12 th");
  EXPECT_EQ(text_of_ssml("a<!-- 1 > 0 -->b<!-- never closed"), "a b ");
  EXPECT_EQ(text_of_ssml("&#65;&#xe5;&#x20ac;&#x1F600;"), "A\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of_ssml("AT&T; &#0; &#xd800; &#99999999; &"), "AT&T; &#0; &#xd800; &#99999999; &");
}

}  // namespace
}  // namespace rw::speech
