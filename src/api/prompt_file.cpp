#include "api/prompt_file.h"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <charconv>
#include <ctime>

#include "api/answers.h"
#include "api/prompt_file_move.h"
#include "api/prompt_file_url.h"
#include "api/prompt_upload.h"
#include "http/file_source.h"

namespace rw::api {
namespace {

constexpr int most_uploads = 256;

http::Answer list(storage::PromptStore& store, const std::string& domain, const std::string& next) {
  const auto page = store.list(domain, next);
  if (!page) return store_failure(page.error());
  boost::json::array files;
  for (const auto& prompt : page->prompts) files.push_back({{"name", prompt.name}, {"size", prompt.size}});
  boost::json::object members{{"files", std::move(files)}, {"next", nullptr}};
  if (page->next) members["next"] = *page->next;
  return success(std::move(members));
}

http::Answer fetch(storage::PromptStore& store, const std::string& domain, const std::string& name) {
  const auto prompt = store.find(domain, name);
  if (!prompt) return store_failure(prompt.error());
  auto source = http::FileSource::open(prompt->path);
  if (!source) return failure(500, source.error().message);
  return {.status = 200,
          .headers = {{"Content-Type", prompt->content_type}, {"ETag", "\"" + prompt->etag + "\""}},
          .body = {},
          .source = std::move(*source)};
}

http::Answer remove(storage::PromptStore& store, const std::string& domain, const std::string& name) {
  const auto removed = store.remove(domain, name);
  return removed ? success() : store_failure(removed.error());
}

/// Answers with what `job(store)` returns, which is called where it may block.
template <class Job>
void run_blocking(const Deps& deps, const http::Responder& respond, Job job) {
  boost::asio::post(deps.storage_threads,
                    [&store = deps.prompts, respond, job = std::move(job)] { respond(job(store)); });
}

/// A route that is answered by `job(store, domain, request)`, called where it may block.
template <class Job>
http::Handler blocking(const std::shared_ptr<Routes>& routes, Job job) {
  return [routes, job](http::IncomingRequest request, const http::Responder& respond) {
    const auto domain = routes->authorised(request, respond);
    if (!domain) return;
    run_blocking(routes->deps, respond, [job, domain, request = std::move(request)](storage::PromptStore& store) {
      return job(store, domain->name, request);
    });
  };
}

/// GET of a file: by a token, or by a URL that was signed here.
void fetch_route(Routes& routes, const PromptUrlSigner& signer, const http::IncomingRequest& request,
                 const http::Responder& respond) {
  std::shared_ptr<const tenant::Domain> domain;
  const auto& name = request.capture("filename");
  if (const auto signature = request.query_value("signature")) {
    domain = routes.deps.directory()->domain(request.capture("domain"));
    const auto wrong = signer.check(domain ? domain->name : request.capture("domain"), name,
                                    request.query_value("expires").value_or(""), *signature, std::time(nullptr));
    if (wrong) return respond(failure(403, *wrong));
    if (!domain) return respond(failure(404, "domain: there is no such domain"));
  } else {
    domain = routes.authorised(request, respond);
  }
  if (!domain) return;
  run_blocking(routes.deps, respond,
               [domain, name](storage::PromptStore& store) { return fetch(store, domain->name, name); });
}

http::Answer link(storage::PromptStore& store, const PromptUrlSigner& signer, const std::string& public_url,
                  const std::string& domain, const std::string& name) {
  const auto found = store.link(domain, name, std::chrono::seconds(PromptUrlSigner::valid_seconds));
  if (!found) return store_failure(found.error());
  if (!found->url.empty()) return success({{"url", found->url}});
  return success({{"url", public_url + signer.sign(domain, found->name, std::time(nullptr))}});
}

void move_command(const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest& request,
                  const boost::json::object& body, const http::Responder& respond) {
  const auto& name = request.capture("filename");
  auto to = read_move(body, name);
  if (!to) return respond(failure(400, to.error().message));
  run_blocking(deps, respond, [domain = domain.name, name, to = std::move(*to)](storage::PromptStore& store) {
    const auto moved = store.move(domain, name, to);
    return moved ? success() : store_failure(moved.error());
  });
}

/// Whether there is room for an upload, as far as it says how long it is.
storage::StoreResult<void> has_room(const Deps& deps, const std::string& domain, const http::IncomingRequest& request) {
  if (deps.disk == nullptr) return {};
  std::uint64_t bytes = 0;
  if (const auto length = request.header("Content-Length"))
    std::from_chars(length->data(), length->data() + length->size(), bytes);
  return deps.disk->may_take(domain, storage::DiskShares::on_disk(bytes));
}

/// The start of a PUT. What can be refused without the body is.
std::unique_ptr<http::BodySink> begin_upload(Routes& routes, UploadSlots& slots, const http::IncomingRequest& request,
                                             const http::Responder& respond) {
  const auto domain = routes.authorised(request, respond);
  if (!domain) return nullptr;
  const auto& name = request.capture("filename");
  if (const auto valid = storage::check_name(name); !valid) {
    respond(store_failure(valid.error()));
    return nullptr;
  }
  if (auto room = has_room(routes.deps, domain->name, request); !room) {
    respond(store_failure(room.error()));
    return nullptr;
  }
  auto slot = slots.take(domain->name);
  if (!slot) {
    routes.bounded("uploads");
    respond(slot.error() == UploadSlots::Full::domain ? failure(429, "the domain has too many uploads at once")
                                                      : failure(503, "too many uploads at once"));
    return nullptr;
  }
  return std::make_unique<PromptUploadSink>(
      PromptUploadSink::Threads{routes.deps.storage_threads, routes.deps.upload_checks}, routes.deps.prompts,
      domain->name, name, std::move(*slot), respond);
}

}  // namespace

void add_prompt_files(http::Router& router, const std::shared_ptr<Routes>& routes) {
  using http::IncomingRequest;
  using storage::PromptStore;
  constexpr std::string_view all = "/{domain}/promptfile";
  constexpr std::string_view one = "/{domain}/promptfile/{filename}";
  constexpr std::string_view url = "/{domain}/promptfile/{filename}/url";
  add_options(router, all, "GET");
  add_options(router, one, "PUT, GET, DELETE");
  router.add("GET", all,
             blocking(routes, [](PromptStore& store, const std::string& domain, const IncomingRequest& request) {
               return list(store, domain, std::string(request.query_value("next").value_or("")));
             }));
  const auto signer = std::make_shared<const PromptUrlSigner>(routes->deps.tokens);
  router.add("GET", one, [routes, signer](const http::IncomingRequest& request, const http::Responder& respond) {
    fetch_route(*routes, *signer, request, respond);
  });
  add_options(router, url, "GET");
  router.add("GET", url,
             blocking(routes, [signer, public_url = routes->deps.public_url](
                                  PromptStore& store, const std::string& domain, const IncomingRequest& request) {
               return link(store, *signer, public_url(), domain, request.capture("filename"));
             }));
  add_path_command(router, routes, "/{domain}/promptfile/{filename}/move", "promptfile/move", {"filename"},
                   move_command);
  router.add("DELETE", one,
             blocking(routes, [](PromptStore& store, const std::string& domain, const IncomingRequest& request) {
               return remove(store, domain, request.capture("filename"));
             }));
  router.add_upload(
      "PUT", one,
      [routes, slots = std::make_shared<UploadSlots>(most_uploads)](const IncomingRequest& request,
                                                                    const http::Responder& respond) {
        return begin_upload(*routes, *slots, request, respond);
      },
      PromptStore::max_bytes);
}

}  // namespace rw::api
