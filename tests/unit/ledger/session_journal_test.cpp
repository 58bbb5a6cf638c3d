#include "ledger/session_journal.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/scratch_folder.h"

namespace rw::ledger {
namespace {

using testing_support::ScratchFolder;

const ops::Log quiet(ops::Log::Format::text, ops::Level::error);

std::vector<std::pair<std::string, std::string>> cut(const SessionFolder& folder) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& one : folder.cut()) found.emplace_back(one.id, one.record);
  return found;
}

using Sessions = std::vector<std::pair<std::string, std::string>>;

TEST(SessionJournal, tells_which_sessions_were_open) {
  const ScratchFolder scratch;
  {
    const auto folder = SessionFolder::open(scratch.file("sessions"));
    ASSERT_TRUE(folder);
    EXPECT_TRUE(folder->cut().empty());
    auto first = SessionJournal::create(folder->file(0), quiet);
    auto second = SessionJournal::create(folder->file(1), quiet);
    first->open("a", R"({"x": 1})");
    first->open("b", "{}");
    second->open("c", "{}");
    first->open("a", R"({"x": 2})");
    first->close("b");
    first->close("nobody");
    EXPECT_EQ(first->sessions(), 1U);
    folder->touch();
  }
  auto folder = SessionFolder::open(scratch.file("sessions"));
  ASSERT_TRUE(folder);
  EXPECT_EQ(cut(*folder), (Sessions{{"a", R"({"x": 2})"}, {"c", "{}"}}));
  EXPECT_GT(folder->last_alive(), 1'600'000'000'000);
  folder->clear();
  EXPECT_TRUE(SessionJournal::create(folder->file(0), quiet));
}

TEST(SessionJournal, half_a_line_at_the_end_counts_for_nothing) {
  const ScratchFolder scratch;
  std::filesystem::create_directories(scratch.file("sessions"));
  std::ofstream(scratch.file("sessions") + "/0.log") << "+a {}\n+b {}\n-b\n-a";
  const auto folder = SessionFolder::open(scratch.file("sessions"));
  EXPECT_EQ(cut(*folder), (Sessions{{"a", "{}"}}));
}

TEST(SessionJournal, stays_small) {
  const ScratchFolder scratch;
  const auto folder = SessionFolder::open(scratch.file("sessions"));
  auto journal = SessionJournal::create(folder->file(0), quiet);
  const std::string record(300, 'x');
  journal->open("long", record);
  for (int at = 0; at < 20'000; ++at) {
    journal->open(std::to_string(at), record);
    journal->close(std::to_string(at));
  }
  EXPECT_LT(std::filesystem::file_size(folder->file(0)), 2U << 20);
}

TEST(SessionJournal, survives_its_own_rewriting) {
  const ScratchFolder scratch;
  {
    const auto folder = SessionFolder::open(scratch.file("sessions"));
    auto journal = SessionJournal::create(folder->file(0), quiet);
    for (int at = 0; at < 10'000; ++at) {
      journal->open(std::to_string(at), std::string(300, 'x'));
      if (at != 5000) journal->close(std::to_string(at));
    }
  }
  const auto folder = SessionFolder::open(scratch.file("sessions"));
  EXPECT_EQ(cut(*folder), (Sessions{{"5000", std::string(300, 'x')}}));
}

TEST(SessionFolder, belongs_to_one_process_at_a_time) {
  const ScratchFolder scratch;
  const auto folder = SessionFolder::open(scratch.file("sessions"));
  EXPECT_FALSE(SessionFolder::open(scratch.file("sessions")));
}

}  // namespace
}  // namespace rw::ledger
