#include "database/connection.h"

#include <gtest/gtest.h>

#include <thread>

#include "database/migrations.h"
#include "support/postgres_server.h"
#include "support/scratch_folder.h"

namespace rw::database {
namespace {

std::unique_ptr<Connection> opened(const std::string& url, const std::string& folder = "") {
  auto made = connect(url, folder);
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

/// Each test runs against both databases.
class DatabaseTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) url = testing_support::PostgresServer::shared().url();
    connection = open();
    for (const auto* table : {"migrations", "documents", "counters", "audit", "things"})
      ASSERT_TRUE(connection->execute(std::string("DROP TABLE IF EXISTS ") + table));
    ASSERT_TRUE(connection->execute("CREATE TABLE things (name TEXT PRIMARY KEY, number BIGINT)"));
  }
  std::unique_ptr<Connection> open() { return opened(url, folder.path()); }
  testing_support::ScratchFolder folder;
  std::string url = "sqlite:test.db";
  std::unique_ptr<Connection> connection;
};

TEST_P(DatabaseTest, KeepsWhatIsBoundAsItIs) {
  const std::string name = "'; DROP TABLE things; -- å\n\\";
  ASSERT_TRUE(connection->execute("INSERT INTO things VALUES ($1, $2)", {name, std::int64_t{-7'000'000'000}}));
  ASSERT_TRUE(connection->execute("INSERT INTO things VALUES ($1, $2)", {"nothing", Value{}}));
  const auto rows = connection->execute("SELECT number, name FROM things WHERE name = $1", {name});
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().number(0), -7'000'000'000);
  EXPECT_EQ(rows->front().text(1), name);
  EXPECT_TRUE(connection->execute("SELECT number FROM things WHERE name = 'nothing'").value().front().is_null(0));
}

TEST_P(DatabaseTest, TellsConflictsFromMistakes) {
  ASSERT_TRUE(connection->execute("INSERT INTO things VALUES ('a', 1)"));
  EXPECT_EQ(connection->execute("INSERT INTO things VALUES ('a', 2)").error().kind, DatabaseError::Kind::conflict);
  EXPECT_EQ(connection->execute("SELECT nonsense FROM things").error().kind, DatabaseError::Kind::refused);
  EXPECT_TRUE(connection->execute("SELECT name FROM things"));
}

TEST_P(DatabaseTest, ATransactionHappensAsAWholeOrNotAtAll) {
  const auto failed = connection->transaction([&]() -> DatabaseResult<void> {
    EXPECT_TRUE(connection->execute("INSERT INTO things VALUES ('a', 1)"));
    const auto refused = connection->execute("INSERT INTO things VALUES ('a', 2)");
    return tl::unexpected(refused.error());
  });
  EXPECT_EQ(failed.error().kind, DatabaseError::Kind::conflict);
  EXPECT_TRUE(connection->execute("SELECT name FROM things").value().empty());
  ASSERT_TRUE(connection->transaction([&]() -> DatabaseResult<void> {
    EXPECT_TRUE(connection->execute("INSERT INTO things VALUES ('a', 1)"));
    return {};
  }));
  EXPECT_EQ(open()->execute("SELECT name FROM things").value().size(), 1U);
}

TEST_P(DatabaseTest, MigratesOnceEvenWhenSeveralServersStart) {
  std::vector<std::thread> servers;
  for (int at = 0; at < 4; ++at) {
    servers.emplace_back([this] {
      const auto own = open();
      const auto done = migrate(*own);
      EXPECT_TRUE(done) << done.error().message;
    });
  }
  for (auto& server : servers) server.join();
  EXPECT_EQ(connection->execute("SELECT value FROM counters").value().size(), 1U);
  ASSERT_TRUE(connection->execute("UPDATE migrations SET version = 1000"));
  EXPECT_NE(migrate(*connection).error().message.find("newer version"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Both, DatabaseTest, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "postgresql" : "sqlite"; });

TEST(PostgresConnectionTest, ComesBackWhenTheConnectionWasCut) {
  const auto url = testing_support::PostgresServer::shared().url();
  const auto connection = opened(url);
  const auto other = opened(url);
  const auto cut = [&] {
    const auto self = connection->execute("SELECT pg_backend_pid()").value().front().number(0);
    EXPECT_TRUE(other->execute("SELECT pg_terminate_backend($1::int, 5000)", {self}));
  };
  cut();
  EXPECT_TRUE(connection->execute("SELECT 1"));
  const auto lost = connection->transaction([&]() -> DatabaseResult<void> {
    cut();
    const auto refused = connection->execute("SELECT 1");
    EXPECT_FALSE(refused);
    return tl::unexpected(refused.error());
  });
  EXPECT_EQ(lost.error().kind, DatabaseError::Kind::away);
}

TEST(PostgresConnectionTest, SaysWhenNobodyIsThere) {
  const auto refused = connect("postgresql://nobody@127.0.0.1:1/none", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, DatabaseError::Kind::away);
}

TEST(PostgresConnectionTest, AStatementEndsWhenItsTimeIsOver) {
  const auto connection = opened(testing_support::PostgresServer::shared().url());
  const auto slow = connection->execute("SELECT pg_sleep(600)");
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, DatabaseError::Kind::away);
  EXPECT_TRUE(connection->execute("SELECT 1"));
}

}  // namespace
}  // namespace rw::database
