#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/provisioning.h"
#include "app/catalogue.h"
#include "app/provisioning_store.h"
#include "ops/log.h"
#include "tenant/current_directory.h"

namespace rw::app {

/// Keeps the domains: those of the file, changed by what the database has. Each change makes a new directory, which is
/// in force when the request is answered; what other servers of the same database change comes within a second.
/// Works on a thread of its own, where the database may be waited for.
class Provisioner final : public api::Provisioning {
 public:
  struct Options {
    std::string database_url, data_dir;
    std::vector<std::shared_ptr<const tenant::Domain>> domains;  ///< of the file
    std::vector<Document> documents;                             ///< what they were read from
    Exposure exposure;
    std::string tag_key;                  ///< of entity tags: the same on all servers of the database
    tenant::CurrentDirectory& directory;  ///< is set before open() returns, and whenever something changes
    std::function<void()> changed;        ///< called after that, on the provisioner's thread
    ops::Log log;
  };

  /// Refuses without the database.
  static Result<std::unique_ptr<Provisioner>> open(Options options);
  ~Provisioner() override;
  Provisioner(const Provisioner&) = delete;
  Provisioner& operator=(const Provisioner&) = delete;

  /// From here on `changed` is called.
  void start();
  void execute(api::ProvisioningRequest request, Done done) override;
  /// From here on other processes may change the database too, whatever kind it is. From any thread.
  void follow_database();
  /// What the file says of domains from now on; the database's changes of them stay. All of it or, with the error,
  /// nothing. `done` is told how many domains are others than before, on the provisioner's thread. From any thread.
  void replace_file(std::vector<std::shared_ptr<const tenant::Domain>> domains, std::vector<Document> documents,
                    std::function<void(Result<std::size_t>)> done);
  /// What has not been begun is answered with 503.
  void stop();

 private:
  Provisioner(Options options, std::unique_ptr<database::Connection> connection);
  using Answer = api::ProvisioningAnswer;
  using Request = api::ProvisioningRequest;
  /// A change that is about to happen.
  struct Change {
    std::vector<DocumentWrite> writes;
    std::string name;  ///< of the thing, as the body gives it
    std::string domain;
    std::string old_body, new_body;  ///< for the audit trail
    bool all_gone = false;
  };
  template <class T>
  using Planned = tl::expected<T, Answer>;

  database::DatabaseResult<void> load_all();
  /// Takes in what other servers have changed.
  database::DatabaseResult<void> catch_up();
  database::DatabaseResult<void> reload(const std::set<std::string>& domains);
  void publish();
  void poll();

  Result<std::size_t> take_file(std::vector<std::shared_ptr<const tenant::Domain>> domains,
                                std::vector<Document> documents);
  std::shared_ptr<const tenant::Directory> make_directory() const;
  Answer serve(const Request& request);
  Answer list(const Request& request) const;
  Answer list_domains(const Request& request) const;
  Answer get(const Request& request) const;
  Answer audit(const Request& request);
  Answer change(const Request& request);
  /// Nothing: another server was first.
  std::optional<Answer> try_change(const Request& request);
  Planned<Change> plan(const Request& request) const;
  Planned<Change> plan_removal(const Request& request) const;
  Planned<Change> plan_domain(const Request& request, const DomainEntry* entry, Document document) const;
  Planned<Change> plan_item(const Request& request, const DomainEntry& entry, Document document) const;
  const DomainEntry* entry_of(const std::string& domain) const;
  /// The answer to a change whose If-Match is not met; nothing if it may be made.
  std::optional<Answer> unmet(const Request& request) const;
  /// The entity tag of a thing, quoted: changes with what stands in it, secrets included, which can't be told from it.
  std::string tag_of(const Item& item) const;
  Answer away(const database::DatabaseError& error);

  Options options_;
  ProvisioningStore store_;
  std::map<std::string, DomainEntry> entries_;  ///< by name in lower case; also those that do not exist any more
  std::int64_t known_change_ = 0;
  bool said_away_ = false;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> stopping_{false};
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
};

}  // namespace rw::app
