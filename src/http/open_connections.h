#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace rw::http {

class Connection;

/// The connections that are open, and how many each client has. A client is told by net::Address::site().
class OpenConnections {
 public:
  void add(std::shared_ptr<Connection> connection, std::string client) {
    ++clients_[client];
    open_.emplace(std::move(connection), std::move(client));
  }
  /// False: it was not there.
  bool remove(const std::shared_ptr<Connection>& connection) {
    const auto found = open_.find(connection);
    if (found == open_.end()) return false;
    const auto client = clients_.find(found->second);
    if (--client->second == 0) clients_.erase(client);
    open_.erase(found);
    return true;
  }
  std::size_t size() const { return open_.size(); }
  bool empty() const { return open_.empty(); }
  std::size_t of_client(const std::string& client) const {
    const auto found = clients_.find(client);
    return found == clients_.end() ? 0 : found->second;
  }
  /// A copy: closing one of them takes it out.
  std::vector<std::shared_ptr<Connection>> all() const {
    std::vector<std::shared_ptr<Connection>> all;
    all.reserve(open_.size());
    for (const auto& [connection, client] : open_) all.push_back(connection);
    return all;
  }

 private:
  std::unordered_map<std::shared_ptr<Connection>, std::string> open_;
  std::unordered_map<std::string, std::size_t> clients_;
};

}  // namespace rw::http
