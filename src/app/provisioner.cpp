#include "app/provisioner.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <span>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/thread_name.h"
#include "database/migrations.h"

namespace rw::app {
namespace {

using database::DatabaseError;
using Verb = api::ProvisioningRequest::Verb;

constexpr std::size_t page = 1000;
constexpr std::size_t most_waiting = 256;
constexpr auto poll_interval = std::chrono::seconds(1);

api::ProvisioningAnswer refused(int status, std::string reason) {
  return {.status = status, .error = {}, .reason = std::move(reason), .members = {}};
}

/// A whole number, or nothing.
std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

boost::json::value json_or_null(const std::string& body) {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  return error ? boost::json::value(nullptr) : value;
}

}  // namespace

Result<std::unique_ptr<Provisioner>> Provisioner::open(Options options) {
  auto connection = database::connect(options.database_url, options.data_dir);
  if (!connection) return fail("database.url: " + connection.error().message);
  if (auto migrated = database::migrate(**connection); !migrated)
    return fail("database.url: " + migrated.error().message);
  std::unique_ptr<Provisioner> made(new Provisioner(std::move(options), std::move(*connection)));
  if (auto loaded = made->load_all(); !loaded) return fail("database.url: " + loaded.error().message);
  return made;
}

Provisioner::Provisioner(Options options, std::unique_ptr<database::Connection> connection)
    : options_(std::move(options)),
      store_(std::move(connection)),
      work_(boost::asio::make_work_guard(loop_)),
      timer_(loop_) {
  for (std::size_t at = 0; at < options_.domains.size(); ++at) {
    const auto& domain = options_.domains[at];
    const auto* document = at < options_.documents.size() ? &options_.documents[at] : nullptr;
    entries_[lower_case(domain->name)] = DomainEntry::from_file(domain, document);
  }
}

Provisioner::~Provisioner() {
  stop();
}

void Provisioner::start() {
  thread_ = std::thread([this] {
    name_this_thread("provisioner");
    loop_.run();
  });
  if (options_.database_url.starts_with("postgresql:")) boost::asio::post(loop_, [this] { poll(); });
}

void Provisioner::follow_database() {
  if (!options_.database_url.starts_with("postgresql:")) boost::asio::post(loop_, [this] { poll(); });
}

void Provisioner::stop() {
  stopping_ = true;
  if (!thread_.joinable()) return;
  boost::asio::post(loop_, [this] {
    timer_.cancel();
    work_.reset();
  });
  thread_.join();
}

database::DatabaseResult<void> Provisioner::load_all() {
  auto last = store_.last_change();  // first: what comes meanwhile is read once more
  if (!last) return tl::unexpected(std::move(last.error()));
  auto domains = store_.domains();
  if (!domains) return tl::unexpected(std::move(domains.error()));
  if (auto loaded = reload(*domains); !loaded) return loaded;
  known_change_ = *last;
  publish();
  return {};
}

database::DatabaseResult<void> Provisioner::catch_up() {
  const auto last = store_.last_change();
  if (!last) return tl::unexpected(last.error());
  if (*last == known_change_) return {};
  auto changed = store_.changed_since(known_change_);
  if (!changed) return tl::unexpected(std::move(changed.error()));
  if (auto loaded = reload(*changed); !loaded) return loaded;
  known_change_ = *last;
  publish();
  return {};
}

database::DatabaseResult<void> Provisioner::reload(const std::set<std::string>& domains) {
  for (const auto& name : domains) {
    auto rows = store_.documents(name);
    if (!rows) return tl::unexpected(std::move(rows.error()));
    auto [entry, fresh] = entries_.try_emplace(name);
    auto changed = entry->second;
    changed.set_rows(*rows);
    if (auto read = changed.read(options_.exposure); !read) {
      // The file or the rules of this server may have changed since: the rest is served, and what was in force stays.
      options_.log.error("a domain in the database is not valid here",
                         {{"domain", name}, {"reason", read.error().message}});
    }
    entry->second = std::move(changed);
  }
  return {};
}

std::shared_ptr<const tenant::Directory> Provisioner::make_directory() const {
  std::vector<std::shared_ptr<const tenant::Domain>> domains;
  for (const auto& given : options_.domains) {  // in the file's order
    const auto found = entries_.find(lower_case(given->name));
    if (found != entries_.end() && found->second.domain()) domains.push_back(found->second.domain());
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.domain() && !entry.in_file()) domains.push_back(entry.domain());
  }
  return std::make_shared<const tenant::Directory>(std::move(domains));
}

void Provisioner::publish() {
  options_.directory.set(make_directory());
  if (thread_.joinable() && options_.changed) options_.changed();
}

void Provisioner::poll() {
  if (const auto done = catch_up(); !done) {
    away(done.error());
  } else if (std::exchange(said_away_, false)) {
    options_.log.info("the database is back");
  }
  if (stopping_) return;
  timer_.expires_after(poll_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) poll();
  });
}

Provisioner::Answer Provisioner::away(const DatabaseError& error) {
  const bool absent = error.kind == DatabaseError::Kind::away;
  if (!absent || !std::exchange(said_away_, true)) options_.log.error("provisioning", {{"reason", error.message}});
  return absent ? refused(503, "the database can't be reached") : refused(500, "the database refused the change");
}

void Provisioner::execute(Request request, Done done) {
  if (stopping_) return done(refused(503, "the server is stopping"));
  if (waiting_.fetch_add(1) >= most_waiting) {
    waiting_.fetch_sub(1);
    return done(refused(503, "too many requests wait for the database"));
  }
  boost::asio::post(loop_, [this, request = std::move(request), done = std::move(done)] {
    auto answer = stopping_ ? refused(503, "the server is stopping") : serve(request);
    waiting_.fetch_sub(1);
    done(std::move(answer));
  });
}

std::string Provisioner::tag_of(const Item& item) const {
  const auto text = boost::json::serialize(item.document);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), options_.tag_key.data(), static_cast<int>(options_.tag_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return "\"" + hex(std::span(digest).first(16)) + "\"";
}

const DomainEntry* Provisioner::entry_of(const std::string& domain) const {
  const auto found = entries_.find(domain);
  return found == entries_.end() || !found->second.exists() ? nullptr : &found->second;
}

Provisioner::Answer Provisioner::serve(const Request& request) {
  if (const auto done = catch_up(); !done) return away(done.error());
  if (std::exchange(said_away_, false)) options_.log.info("the database is back");
  switch (request.verb) {
    case Verb::list:
      return request.kind == Kind::domain ? list_domains(request) : list(request);
    case Verb::get:
      return get(request);
    case Verb::audit:
      return audit(request);
    default:
      return change(request);
  }
}

Provisioner::Answer Provisioner::list_domains(const Request& request) const {
  boost::json::array all;
  boost::json::value next = nullptr;
  for (auto at = entries_.upper_bound(request.next); at != entries_.end(); ++at) {
    if (!at->second.exists()) continue;
    if (all.size() == page) {
      next = lower_case(all.back().at("name").as_string());
      break;
    }
    all.push_back(masked(Kind::domain, at->second.settings()->document));
  }
  return {.status = 200, .error = {}, .reason = {}, .members = {{"domains", std::move(all)}, {"next", next}}};
}

Provisioner::Answer Provisioner::list(const Request& request) const {
  const auto* entry = entry_of(request.domain);
  if (entry == nullptr) return refused(404, "domain: there is no such domain");
  const auto after = request.next.empty() ? std::optional(INT64_MIN) : number_of(request.next);
  if (!after) return refused(400, "next: expected what an earlier answer gave");
  boost::json::array all;
  boost::json::value next = nullptr;
  std::int64_t last = 0;
  for (const auto& item : entry->items(request.kind)) {
    if (item.position <= *after) continue;
    if (all.size() == page) {
      next = std::to_string(last);
      break;
    }
    auto document = masked(request.kind, item.document);
    document[names_of(request.kind).id] = item.name;
    all.push_back(std::move(document));
    last = item.position;
  }
  return {.status = 200,
          .error = {},
          .reason = {},
          .members = {{names_of(request.kind).list, std::move(all)}, {"next", next}}};
}

Provisioner::Answer Provisioner::get(const Request& request) const {
  const auto* entry = entry_of(request.domain);
  if (entry == nullptr) return refused(404, "domain: there is no such domain");
  const auto* item = entry->find(request.kind, request.name);
  const auto& names = names_of(request.kind);
  if (item == nullptr) return refused(404, std::string(names.id) + ": there is no such " + std::string(names.name));
  auto document = masked(request.kind, item->document);
  if (request.kind != Kind::domain) document[names.id] = item->name;
  return {.status = 200,
          .error = {},
          .reason = {},
          .members = {{names.name, std::move(document)}, {"origin", item->stored ? "database" : "file"}},
          .tag = tag_of(*item)};
}

Provisioner::Answer Provisioner::audit(const Request& request) {
  const auto before = request.next.empty() ? std::optional<std::int64_t>(0) : number_of(request.next);
  if (!before) return refused(400, "next: expected what an earlier answer gave");
  const auto found = store_.audit(request.domain, *before, page + 1);
  if (!found) return away(found.error());
  boost::json::array entries;
  boost::json::value next = nullptr;
  for (const auto& one : *found) {
    if (entries.size() == page) {
      next = std::to_string((*found)[page - 1].number);
      break;
    }
    entries.push_back({{"number", one.number},
                       {"time", one.time},
                       {"who", one.who},
                       {"address", one.address},
                       {"method", one.method},
                       {"kind", names_of(one.kind).name},
                       {"domain", one.domain},
                       {"name", one.name},
                       {"before", json_or_null(one.old_body)},
                       {"after", json_or_null(one.new_body)}});
  }
  return {.status = 200, .error = {}, .reason = {}, .members = {{"entries", std::move(entries)}, {"next", next}}};
}

}  // namespace rw::app
