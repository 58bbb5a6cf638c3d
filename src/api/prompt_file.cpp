#include "api/prompt_file.h"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>

#include "api/answers.h"
#include "api/prompt_upload.h"
#include "http/file_source.h"

namespace rw::api {
namespace {

constexpr int most_uploads = 32;

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

/// A route that is answered by `job(store, domain, request)`, run where it may block.
template <class Job>
http::Handler blocking(const std::shared_ptr<Routes>& routes, Job job) {
  return [routes, job](http::IncomingRequest request, const http::Responder& respond) {
    const auto domain = routes->authorised(request, respond);
    if (!domain) return;
    boost::asio::post(routes->deps.storage_threads, [routes, job, domain, request = std::move(request), respond] {
      respond(job(routes->deps.prompts, domain->name, request));
    });
  };
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
  auto slot = slots.take();
  if (!slot) {
    respond(failure(503, "too many uploads at once"));
    return nullptr;
  }
  return std::make_unique<PromptUploadSink>(routes.deps.storage_threads, routes.deps.prompts, domain->name, name,
                                            std::move(slot), respond);
}

}  // namespace

void add_prompt_files(http::Router& router, const std::shared_ptr<Routes>& routes) {
  using http::IncomingRequest;
  using storage::PromptStore;
  constexpr std::string_view all = "/{domain}/promptfile";
  constexpr std::string_view one = "/{domain}/promptfile/{filename}";
  add_options(router, all, "GET");
  add_options(router, one, "PUT, GET, DELETE");
  router.add("GET", all,
             blocking(routes, [](PromptStore& store, const std::string& domain, const IncomingRequest& request) {
               return list(store, domain, std::string(request.query_value("next").value_or("")));
             }));
  router.add("GET", one,
             blocking(routes, [](PromptStore& store, const std::string& domain, const IncomingRequest& request) {
               return fetch(store, domain, request.capture("filename"));
             }));
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
