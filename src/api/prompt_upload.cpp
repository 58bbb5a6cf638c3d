#include "api/prompt_upload.h"

#include <boost/asio/post.hpp>

#include "api/answers.h"

namespace rw::api {

http::Answer store_failure(const storage::StoreError& error) {
  using Kind = storage::StoreError::Kind;
  switch (error.kind) {
    case Kind::not_found:
      return failure(404, error.message);
    case Kind::invalid_name:
      return failure(400, error.message);
    case Kind::too_large:
      return failure(413, error.message);
    case Kind::not_audio:
      return failure(415, error.message);
    case Kind::no_room:
      return failure(507, error.message);
    case Kind::changed:
    case Kind::not_configured:
      return failure(409, error.message);
    case Kind::refused:
    case Kind::destination:
      return failure(502, error.message);
    case Kind::unavailable:
      return failure(503, error.message);
    case Kind::storage:
      break;
  }
  return failure(500, error.message);
}

/// Gives the place back that it stands for.
struct UploadSlots::Place {
  Place(std::shared_ptr<Taken> of, std::string who) : taken(std::move(of)), domain(std::move(who)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    const std::lock_guard lock(taken->mutex);
    --taken->all;
    const auto own = taken->domains.find(domain);
    if (--own->second == 0) taken->domains.erase(own);
  }
  std::shared_ptr<Taken> taken;
  std::string domain;
};

tl::expected<std::shared_ptr<void>, UploadSlots::Full> UploadSlots::take(const std::string& domain) {
  const std::lock_guard lock(taken_->mutex);
  const auto own = taken_->domains.find(domain);
  if (own != taken_->domains.end() && own->second >= most_of_domain_) return tl::unexpected(Full::domain);
  if (taken_->all >= most_) return tl::unexpected(Full::server);
  ++taken_->all;
  ++taken_->domains[domain];
  return std::make_shared<Place>(taken_, domain);
}

/// One piece after the other, so never used by two threads at once.
struct PromptUploadSink::Job {
  Job(storage::PromptStore& s, std::string d, std::string n, std::shared_ptr<void> place, http::Responder r)
      : store(s), domain(std::move(d)), name(std::move(n)), slot(std::move(place)), respond(std::move(r)) {}

  /// Whether the upload goes on; if not, it has been answered.
  bool begun() {
    if (upload) return true;
    auto begun = store.begin(domain, name);
    if (begun) {
      upload = std::move(*begun);
    } else {
      respond(store_failure(begun.error()));
    }
    return upload != nullptr;
  }
  bool write(const std::string& piece) {
    if (!begun()) return false;
    const auto written = upload->write(piece);
    if (!written) respond(store_failure(written.error()));
    return written.has_value();
  }
  enum class Next : std::uint8_t { more, checked, refused };
  Next check_some() {
    if (!begun()) return Next::refused;
    const auto all = upload->check_some();
    if (!all) respond(store_failure(all.error()));
    return !all ? Next::refused : *all ? Next::checked : Next::more;
  }
  void commit() {
    if (!begun()) return;
    const auto stored = upload->commit();
    respond(stored ? success() : store_failure(stored.error()));
  }

  storage::PromptStore& store;
  std::string domain, name;
  std::shared_ptr<void> slot;
  http::Responder respond;
  std::unique_ptr<storage::PromptUpload> upload;
};

PromptUploadSink::PromptUploadSink(Threads threads, storage::PromptStore& store, std::string domain, std::string name,
                                   std::shared_ptr<void> slot, http::Responder respond)
    : threads_(threads),
      job_(std::make_shared<Job>(store, std::move(domain), std::move(name), std::move(slot), std::move(respond))) {}

PromptUploadSink::~PromptUploadSink() {
  boost::asio::post(threads_.storage, [job = std::move(job_)] {});  // removing what was written blocks as well
}

void PromptUploadSink::write(std::string piece, Next next) {
  boost::asio::post(threads_.storage,
                    [job = job_, piece = std::move(piece), next = std::move(next)] { next(job->write(piece)); });
}

void PromptUploadSink::finish() {
  if (threads_.checks == nullptr) {
    boost::asio::post(threads_.storage, [job = job_] { job->commit(); });
    return;
  }
  // The last write() is over: it has asked for more. Only checking takes long without waiting for anything.
  threads_.checks->put(job_->domain, [job = job_, &storage = threads_.storage] {
    const auto next = job->check_some();
    if (next == Job::Next::checked) boost::asio::post(storage, [job] { job->commit(); });
    return next == Job::Next::more;
  });
}

}  // namespace rw::api
