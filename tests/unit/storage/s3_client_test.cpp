#include "storage/s3_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <mutex>

#include "media/file_descriptor.h"
#include "storage/s3_prompt_store.h"
#include "support/http_peer.h"
#include "support/scratch_folder.h"

namespace rw::storage {
namespace {

using testing_support::answer;

/// What stands in for S3: answers each request with the next of the answers that were laid down, or never.
class S3ClientTest : public testing::Test {
 protected:
  void will_answer(http::Answer one) {
    const std::lock_guard lock(mutex);
    answers.push_back(std::move(one));
  }
  http::Router routes() {
    http::Router router;
    const auto serve = [this](http::IncomingRequest request, const http::Responder& respond) {
      const std::lock_guard lock(mutex);
      all_seen.push_back(std::move(request));
      if (answers.empty()) {
        parked.push_back(respond);
        came.set_value();
        return;
      }
      respond(std::move(answers.front()));
      answers.erase(answers.begin());
    };
    for (const auto* method : {"GET", "PUT", "POST", "DELETE"}) {
      router.add(method, "/{bucket}", serve);
      router.add(method, "/{bucket}/{key}", serve);
    }
    return router;
  }
  static S3Patience patience() {
    S3Patience impatient;
    impatient.first_pause = std::chrono::milliseconds(2);
    return impatient;
  }
  S3Client::Options options() {
    return {.location = {*S3Endpoint::parse(peer.url()), "eu-north-1", "bucket", true},
            .credentials = {"id", "secret", ""},
            .patience = patience(),
            .part_bytes = 1000};
  }
  S3Upload file(std::size_t size) {
    std::ofstream(folder.file("upload")) << std::string(size, 'x');
    upload = media::FileDescriptor(::open(folder.file("upload").c_str(), O_RDONLY | O_CLOEXEC));
    return {upload.get(), size, "audio/wav", ""};
  }
  /// The n-th request that has come.
  http::IncomingRequest seen(std::size_t n) {
    const std::lock_guard lock(mutex);
    return all_seen.at(n);
  }
  std::vector<std::string> methods() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> all;
    for (const auto& request : all_seen) all.push_back(request.method);
    return all;
  }

  http::ClientLibrary library;
  testing_support::ScratchFolder folder;
  std::mutex mutex;
  std::vector<http::Answer> answers;
  std::vector<http::IncomingRequest> all_seen;
  std::vector<http::Responder> parked;
  std::promise<void> came;  ///< a request that is not answered
  media::FileDescriptor upload;
  testing_support::HttpPeer peer{routes()};
  S3Client client{options()};
};

constexpr const char* slow_down = "<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>";

TEST_F(S3ClientTest, TriesAgainAfterAFailureOfTheServer) {
  will_answer(answer(503, slow_down));
  will_answer(answer(500));
  will_answer(answer(200, "", {{"ETag", "\"abc\""}}));
  const auto stored = client.put("key", file(10));
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->etag, "abc");
  EXPECT_EQ(methods().size(), 3U);
  EXPECT_EQ(seen(2).body, "xxxxxxxxxx");
  EXPECT_EQ(seen(2).header("x-amz-meta-sha256"), auth::payload_hash("xxxxxxxxxx"));
  EXPECT_EQ(seen(2).header("x-amz-content-sha256"), auth::payload_hash("xxxxxxxxxx"));
  EXPECT_FALSE(seen(2).header("x-amz-server-side-encryption"));
}

TEST_F(S3ClientTest, GivesUpAfterSeveralTries) {
  for (int at = 0; at < 4; ++at) will_answer(answer(503, slow_down));
  const auto stored = client.put("key", file(10));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, S3Error::Kind::unavailable);
  EXPECT_EQ(stored.error().code, "SlowDown");
  EXPECT_EQ(stored.error().message, "S3 answered 503 SlowDown: Reduce your request rate");
  EXPECT_EQ(methods().size(), 4U);
}

TEST_F(S3ClientTest, NeverTriesAgainWhatWasRefused) {
  for (const int status : {400, 403, 404, 409, 412, 429}) {
    will_answer(answer(status, "not XML"));
    EXPECT_FALSE(client.list("a/", "")) << status;
  }
  EXPECT_EQ(methods().size(), 6U);
}

TEST_F(S3ClientTest, ARedirectIsNotFollowed) {
  will_answer(answer(301, "<Error><Code>PermanentRedirect</Code></Error>",
                     {{"Location", "http://127.0.0.1:1/"}, {"x-amz-bucket-region", "us-west-2"}}));
  const auto refused = client.list("a/", "");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("region us-west-2"), std::string::npos);
}

TEST_F(S3ClientTest, ReadsAListing) {
  will_answer(
      answer(200,
             "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><EncodingType>url</EncodingType>"
             "<IsTruncated>true</IsTruncated><NextContinuationToken>to/ken==</NextContinuationToken>"
             "<Contents><Key>a/r%C3%A4k+%2B</Key><Size>12</Size><ETag>&quot;e&quot;</ETag></Contents>"
             "<Contents><Key>a/%FF</Key><Size>1</Size></Contents></ListBucketResult>"));
  const auto page = client.list("a/", "token");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1U);  // the other name is not UTF-8
  EXPECT_EQ(page->objects[0].key, "a/räk +");
  EXPECT_EQ(page->objects[0].size, 12U);
  EXPECT_EQ(page->objects[0].etag, "e");
  EXPECT_EQ(page->next, "to/ken==");
  EXPECT_EQ(seen(0).query_value("continuation-token"), "token");
  EXPECT_EQ(seen(0).query_value("max-keys"), "1000");
}

TEST_F(S3ClientTest, AListingThatIsNoneIsAnError) {
  for (const auto* body :
       {"", "<html></html>", "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    for (int at = 0; at < 4; ++at) will_answer(answer(200, body));
    const auto page = client.list("a/", "");
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().kind, S3Error::Kind::wrong);
  }
}

TEST_F(S3ClientTest, SendsALargeFileInParts) {
  will_answer(answer(200, "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"));
  for (const auto* etag : {"\"1\"", "\"2\"", "\"3\""}) will_answer(answer(200, "", {{"ETag", etag}}));
  will_answer(answer(200, "<CompleteMultipartUploadResult><ETag>\"all-3\"</ETag></CompleteMultipartUploadResult>"));
  auto large = file(2500);
  large.kms_key = "key-1";
  const auto stored = client.put("key", large);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->etag, "all-3");
  EXPECT_EQ(methods(), (std::vector<std::string>{"POST", "PUT", "PUT", "PUT", "POST"}));
  EXPECT_EQ(seen(0).header("x-amz-server-side-encryption-aws-kms-key-id"), "key-1");
  EXPECT_EQ(seen(3).body.size(), 500U);
  EXPECT_EQ(seen(3).query_value("partNumber"), "3");
  EXPECT_EQ(seen(4).body,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"1\"</ETag></Part><Part><PartNumber>2"
            "</PartNumber><ETag>\"2\"</ETag></Part><Part><PartNumber>3</PartNumber><ETag>\"3\"</ETag></Part>"
            "</CompleteMultipartUpload>");
}

TEST_F(S3ClientTest, AbortsAnUploadInPartsThatFails) {
  will_answer(answer(200, "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"));
  will_answer(answer(403, "<Error><Code>AccessDenied</Code></Error>"));
  will_answer(answer(204));
  const auto stored = client.put("key", file(2500));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, "AccessDenied");
  EXPECT_EQ(methods(), (std::vector<std::string>{"POST", "PUT", "DELETE"}));
  EXPECT_EQ(seen(2).query_value("uploadId"), "id");
}

TEST_F(S3ClientTest, ACopyMayFailAfterItsStatus) {
  const S3Object source{"source key", 10, "etag", "audio/wav", ""};
  will_answer(answer(200, "<Error><Code>InternalError</Code><Message>later</Message></Error>"));
  will_answer(answer(200, "<CopyObjectResult><ETag>\"copy\"</ETag></CopyObjectResult>"));
  const auto copied = client.copy_from("other", source, "key", "");
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->etag, "copy");
  EXPECT_EQ(seen(1).header("x-amz-copy-source"), "/other/source%20key");
  EXPECT_EQ(seen(1).header("x-amz-copy-source-if-match"), "\"etag\"");
  will_answer(answer(200, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"));
  EXPECT_EQ(client.copy_from("other", source, "key", "").error().kind, S3Error::Kind::refused);
}

TEST_F(S3ClientTest, AFetchHasToBringWhatWasTold) {
  const S3Object told{"key", 5, "etag", "audio/wav", auth::payload_hash("right")};
  const auto fetch = [&](const http::Answer& one, int times) {
    for (int at = 0; at < times; ++at) will_answer(one);
    const media::FileDescriptor into(
        ::open(folder.file("fetched").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    return client.get(told, into.get());
  };
  EXPECT_TRUE(fetch(answer(200, "right", {{"ETag", "\"etag\""}}), 1));
  EXPECT_EQ(seen(0).header("if-match"), "\"etag\"");
  EXPECT_FALSE(fetch(answer(200, "wrong", {{"ETag", "\"etag\""}}), 4));
  EXPECT_FALSE(fetch(answer(200, "righ", {{"ETag", "\"etag\""}}), 4));
  EXPECT_FALSE(fetch(answer(200, "rightly", {{"ETag", "\"etag\""}}), 4));
  EXPECT_EQ(fetch(answer(200, "right", {{"ETag", "\"new\""}}), 1).error().kind, S3Error::Kind::changed);
  EXPECT_EQ(fetch(answer(412), 1).error().kind, S3Error::Kind::changed);
  EXPECT_EQ(fetch(answer(403, "<Error><Code>AccessDenied</Code></Error>"), 1).error().code, "AccessDenied");
}

TEST_F(S3ClientTest, CanBeStopped) {
  auto ended = std::async(std::launch::async, [this] { return client.list("a/", ""); });
  came.get_future().wait();
  client.stop();
  EXPECT_EQ(ended.get().error().kind, S3Error::Kind::stopped);
  EXPECT_EQ(client.list("a/", "").error().kind, S3Error::Kind::stopped);
  EXPECT_EQ(methods().size(), 1U);
}

TEST_F(S3ClientTest, TheStoreKeepsDomainsApart) {
  auto store =
      *S3PromptStore::open({.s3 = options(), .prefix = "", .cache = {.folder = folder.file("cache")}, .move_to = {}});
  constexpr const char* listing =
      "<ListBucketResult><Contents><Key>a.example/x</Key><Size>1</Size></Contents>"
      "<Contents><Key>b.example/y</Key><Size>1</Size></Contents><Contents><Key>a.example/c/z</Key><Size>1</Size>"
      "</Contents><Contents><Key>a.example/</Key><Size>0</Size></Contents></ListBucketResult>";
  will_answer(answer(200, listing));
  const auto page = store->list("a.example", "");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->prompts.size(), 1U);
  EXPECT_EQ(page->prompts[0].name, "x");
  EXPECT_EQ(seen(0).query_value("prefix"), "a.example/");
  // A slash in a domain's name is none in the key.
  will_answer(answer(200, "<ListBucketResult/>"));
  EXPECT_TRUE(store->list("a.example/b", ""));
  EXPECT_EQ(seen(1).query_value("prefix"), "a.example%2Fb/");
  will_answer(answer(200, "<ListBucketResult/>"));
  EXPECT_TRUE(store->list("..", ""));
  EXPECT_EQ(seen(2).query_value("prefix"), "%2E%2E/");
  for (const auto* name : {"../x", "a/b", "", ".."}) {
    EXPECT_FALSE(store->find("a.example", name));
    EXPECT_FALSE(store->remove("a.example", name));
  }
  EXPECT_EQ(methods().size(), 3U);
}

}  // namespace
}  // namespace rw::storage
