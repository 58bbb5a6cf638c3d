#include <boost/asio/post.hpp>

#include "app/provisioner.h"
#include "base/ascii.h"

/// The configuration file while the server runs: what it says of domains is replaced.
namespace rw::app {

void Provisioner::replace_file(std::vector<std::shared_ptr<const tenant::Domain>> domains,
                               std::vector<Document> documents, std::function<void(Result<std::size_t>)> done) {
  boost::asio::post(
      loop_, [this, domains = std::move(domains), documents = std::move(documents), done = std::move(done)]() mutable {
        if (stopping_) {
          done(fail("the server is stopping"));
        } else {
          done(take_file(std::move(domains), std::move(documents)));
        }
      });
}

Result<std::size_t> Provisioner::take_file(std::vector<std::shared_ptr<const tenant::Domain>> domains,
                                           std::vector<Document> documents) {
  std::map<std::string, const Document*> before;
  for (std::size_t at = 0; at < options_.domains.size(); ++at)
    before[lower_case(options_.domains[at]->name)] = &options_.documents.at(at);
  auto entries = entries_;
  std::size_t changed = 0;
  const auto replace = [&](const std::string& name, std::shared_ptr<const tenant::Domain> domain,
                           const Document* document) -> Result<void> {
    auto next = entries[name].with_file(std::move(domain), document);
    if (auto read = next.read(options_.exposure); !read) return fail(name + ": " + read.error().message);
    entries[name] = std::move(next);
    ++changed;
    return {};
  };
  for (std::size_t at = 0; at < domains.size(); ++at) {
    const auto name = lower_case(domains[at]->name);
    const auto known = before.find(name);
    const bool same = known != before.end() && *known->second == documents.at(at);
    if (known != before.end()) before.erase(known);
    if (same) {
      domains[at] = entries_.at(name).file_domain();  // the same object as before
      continue;
    }
    if (auto done = replace(name, domains[at], &documents[at]); !done) return tl::unexpected(done.error());
  }
  for (const auto& [name, document] : before) {
    if (auto done = replace(name, nullptr, nullptr); !done) return tl::unexpected(done.error());
  }
  std::swap(entries, entries_);
  std::swap(domains, options_.domains);
  std::swap(documents, options_.documents);
  const auto directory = make_directory();
  for (const auto& domain : directory->domains()) {
    if (const auto clash = directory->clash(*domain)) {
      std::swap(entries, entries_);
      std::swap(domains, options_.domains);
      std::swap(documents, options_.documents);
      return fail(domain->name + ": " + *clash);
    }
  }
  publish();
  return changed;
}

}  // namespace rw::app
