#include "http/downloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "support/http_peer.h"

namespace rw::http {
namespace {

using testing_support::answer;

/// Counts what was asked of it.
class Counted final : public ByteSource {
 public:
  Counted(std::uint64_t size, std::atomic<std::uint64_t>& taken) : size_(size), taken_(taken) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    const auto count = std::min<std::uint64_t>(into.size(), size_ - offset);
    std::ranges::fill(into.first(count), 'x');
    taken_ = offset + count;
    return count;
  }

 private:
  const std::uint64_t size_;
  std::atomic<std::uint64_t>& taken_;
};

class DownloadsTest : public testing::Test {
 protected:
  Router routes() {
    Router router;
    router.add("GET", "/hello", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(200, "hello", {{"X-Test", "one"}}));
    });
    router.add("GET", "/missing", [](const IncomingRequest&, const Responder& respond) { respond(answer(404, "no")); });
    router.add("GET", "/moved", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(302, "moved", {{"Location", "/hello"}}));
    });
    router.add("GET", "/long", [this](const IncomingRequest&, const Responder& respond) {
      respond({.status = 200, .headers = {}, .body = {}, .source = std::make_shared<Counted>(long_size, taken)});
    });
    router.add("GET", "/never/{number}", [this](const IncomingRequest& request, Responder respond) {
      const std::lock_guard lock(mutex);
      parked.push_back(std::move(respond));
      asked.push_back(request.capture("number"));
      arrived.release();
    });
    return router;
  }
  std::unique_ptr<Download> begin(const std::string& path, const std::string& owner = "one") {
    TransferRequest request;
    request.url = peer.url(path);
    request.most_redirects = 1;
    request.most_bytes = 50'000'000;
    return downloads.begin(owner, std::move(request), [this] { came.release(); });
  }
  /// All of it, or the error.
  tl::expected<std::string, ClientError> read_all(Download& download) {
    std::string all;
    std::array<char, 10'000> room;
    for (;;) {
      const auto bytes = download.read(room);
      if (!bytes) return tl::unexpected(bytes.error());
      if (bytes->over) return all;
      all.append(room.data(), bytes->put);
      if (bytes->put == 0) came.acquire();
    }
  }

  static constexpr std::uint64_t long_size = 40'000'000;
  ClientLibrary library;
  std::atomic<std::uint64_t> taken{0};
  std::mutex mutex;
  std::vector<Responder> parked;
  std::vector<std::string> asked;
  std::counting_semaphore<> came{0}, arrived{0};
  testing_support::HttpPeer peer{routes()};
  Downloads downloads{
      {.most = 3, .most_of_an_owner = 2, .policy = net::AddressPolicy({*net::Network::parse("127.0.0.0/8")})}};
};

TEST_F(DownloadsTest, GivesHeadAndBody) {
  const auto download = begin("/moved");
  EXPECT_EQ(read_all(*download).value(), "hello");
  EXPECT_EQ(download->head()->status, 200);
  EXPECT_EQ(download->head()->header("x-test"), "one");
}

TEST_F(DownloadsTest, TheBodyOfAnErrorIsNotKept) {
  const auto download = begin("/missing");
  EXPECT_EQ(read_all(*download).value(), "");
  EXPECT_EQ(download->head()->status, 404);
}

TEST_F(DownloadsTest, WhatNobodyReadsStaysWithItsSender) {
  const auto download = begin("/long");
  came.acquire();
  std::array<char, 1000> room;
  while (download->read(room)->put == 0) came.acquire();
  // What was taken of it is in the buffers of two sockets and of the download. Somebody else's comes meanwhile.
  EXPECT_EQ(read_all(*begin("/hello", "two")).value(), "hello");
  EXPECT_LT(taken, long_size / 2);
  EXPECT_EQ(read_all(*download).value().size(), long_size - room.size());
}

TEST_F(DownloadsTest, OwnersTakeTurns) {
  std::vector<std::unique_ptr<Download>> all;
  for (const auto* number : {"0", "1", "2", "3"}) all.push_back(begin(std::string("/never/") + number));
  for (int at = 0; at < 2; ++at) arrived.acquire();
  all.push_back(begin("/never/other", "two"));
  arrived.acquire();
  {
    const std::lock_guard lock(mutex);
    EXPECT_THAT(asked, testing::UnorderedElementsAre("0", "1", "other"));
  }
  all.erase(all.begin());  // its place is the next one's
  arrived.acquire();
  const std::lock_guard lock(mutex);
  EXPECT_EQ(asked.back(), "2");
}

TEST_F(DownloadsTest, SaysWhyItFailed) {
  TransferRequest request;
  request.url = "http://127.0.0.1:1/";
  const auto nobody = downloads.begin("one", request, [this] { came.release(); });
  EXPECT_EQ(read_all(*nobody).error().kind, ClientError::Kind::unreachable);
  request.url = peer.url("/hello");
  Downloads outside({});
  const auto refused = outside.begin("one", request, [this] { came.release(); });
  EXPECT_NE(read_all(*refused).error().message.find("not one that may be used"), std::string::npos);
  request.url += std::string(9000, 'x');
  const auto endless = downloads.begin("one", request, [this] { came.release(); });
  EXPECT_NE(read_all(*endless).error().message.find("8192"), std::string::npos);
}

TEST_F(DownloadsTest, AnAnswerThatIsTooLongEnds) {
  TransferRequest request;
  request.url = peer.url("/long");
  request.most_bytes = 100'000;
  const auto download = downloads.begin("one", request, [this] { came.release(); });
  EXPECT_EQ(read_all(*download).error().kind, ClientError::Kind::too_large);
}

TEST(Downloads, WhatIsUnderWayFailsAtTheEnd) {
  const ClientLibrary library;
  Router router;
  std::vector<Responder> parked;
  std::binary_semaphore arrived{0};
  router.add("GET", "/never", [&](const IncomingRequest&, Responder respond) {
    parked.push_back(std::move(respond));
    arrived.release();
  });
  testing_support::HttpPeer peer(std::move(router));
  std::optional<Downloads> downloads(
      Downloads::Options{.policy = net::AddressPolicy({*net::Network::parse("127.0.0.0/8")})});
  TransferRequest request;
  request.url = peer.url("/never");
  const auto download = downloads->begin("one", request, [] {});
  arrived.acquire();
  downloads.reset();
  std::array<char, 10> room;
  EXPECT_EQ(download->read(room).error().message, "it was given up");
}

}  // namespace
}  // namespace rw::http
