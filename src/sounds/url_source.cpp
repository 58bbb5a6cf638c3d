#include "sounds/url_source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "audio/audio_reader.h"
#include "base/public_url.h"

namespace rw::sounds {
namespace {

constexpr std::uint64_t most_bytes = 50ULL * 1024 * 1024;
constexpr int most_redirects = 5;
/// It comes no faster than it is heard.
constexpr std::chrono::minutes longest_transfer = audio::max_duration + std::chrono::minutes(10);
/// What was sent may have much in it that is no audio.
constexpr int most_reads = 64;
constexpr std::chrono::seconds longest_freshness = std::chrono::hours(1);
/// A version that is a date, not an ETag, which begins with a quotation mark or W/.
constexpr std::string_view date_mark = "date:";

std::string version_of(const http::TransferResponse& response) {
  if (const auto etag = response.header("etag")) return std::string(*etag);
  if (const auto date = response.header("last-modified")) return std::string(date_mark) + std::string(*date);
  return {};
}

/// RFC 9111 5.2.2, as far as it concerns us.
void read_cache_control(const http::TransferResponse& response, Made& made) {
  const auto control = response.header("cache-control").value_or("");
  if (control.find("no-store") != std::string_view::npos) made.may_be_kept = false;
  constexpr std::string_view name = "max-age=";
  const auto at = control.find(name);
  if (at == std::string_view::npos || control.find("no-cache") != std::string_view::npos) return;
  std::int64_t seconds = 0;
  std::from_chars(control.data() + at + name.size(), control.data() + control.size(), seconds);
  made.fresh_for = std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), longest_freshness);
}

http::TransferRequest request_for(const std::string& url, const std::string& etag) {
  http::TransferRequest request;
  request.url = url;
  request.most_bytes = most_bytes;
  request.most_redirects = most_redirects;
  request.total_timeout = longest_transfer;
  request.headers.emplace_back("Accept: audio/*, */*;q=0.5");
  if (etag.starts_with(date_mark)) {
    request.headers.push_back("If-Modified-Since: " + etag.substr(date_mark.size()));
  } else if (!etag.empty()) {
    request.headers.push_back("If-None-Match: " + etag);
  }
  return request;
}

Made made_of(const http::TransferResponse& response, const std::string& etag) {
  Made made;
  made.fresh_for = std::chrono::milliseconds(0);
  read_cache_control(response, made);
  made.unchanged = response.status == 304 && !etag.empty();
  made.etag = made.unchanged ? etag : version_of(response);
  if (!made.unchanged && made.etag.empty() && made.fresh_for->count() == 0) made.may_be_kept = false;
  return made;
}

class UrlSource final : public SoundSource {
 public:
  UrlSource(std::string url, std::string etag, std::unique_ptr<http::Download> download)
      : url_(std::move(url)), known_(std::move(etag)), download_(std::move(download)) {}

  Result<Step> step(SoundOutput& output, Tools& /*tools*/) override {
    auto done = read(output);
    if (!done) return fail(public_url(url_) + ": " + done.error().message);
    return done;
  }

 private:
  Result<Step> read(SoundOutput& output) {
    if (!told_) {
      if (auto head = read_head(); !head) return tl::unexpected(head.error());
      if (made_.unchanged) return Step::over;
    }
    const auto until = output.duration() + in_a_step;
    std::array<float, 4096> room;
    for (int reads = 0; reads < most_reads && output.duration() < until; ++reads) {
      const auto got = reader_.read(room);
      if (!got) return tl::unexpected(got.error());
      if (*got > 0) {
        if (auto put = output.append(std::span(room).first(*got), reader_.rate()); !put)
          return tl::unexpected(put.error());
        continue;
      }
      if (ended_) return Step::over;
      const auto fed = feed();
      if (!fed) return tl::unexpected(fed.error());
      if (!*fed) return Step::later;
    }
    return Step::more;
  }

  /// Before the first piece of the body.
  Result<void> read_head() {
    const auto head = download_->head();
    if (!head) return {};
    told_ = true;
    made_ = made_of(*head, known_);
    if (made_.unchanged || (head->status >= 200 && head->status < 300)) return {};
    return fail("it was answered with the status " + std::to_string(head->status));
  }

  /// False: nothing has come.
  Result<bool> feed() {
    std::array<char, 8192> room;
    const auto bytes = download_->read(room);
    if (!bytes) return fail(bytes.error().message);
    if (bytes->over) {
      ended_ = true;
      reader_.end();
    } else {
      reader_.feed(std::span(room).first(bytes->put));
    }
    return bytes->over || bytes->put > 0;
  }

  const std::string url_, known_;
  const std::unique_ptr<http::Download> download_;
  audio::AudioReader reader_;
  bool told_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<SoundSource> make_url_source(http::Downloads& downloads, const audio::UrlSound& sound, std::string etag,
                                             std::function<void()> came) {
  auto download = downloads.begin(sound.domain, request_for(sound.url, etag), std::move(came));
  return std::make_unique<UrlSource>(sound.url, std::move(etag), std::move(download));
}

}  // namespace rw::sounds
