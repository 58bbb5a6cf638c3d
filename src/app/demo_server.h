#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "storage/prompt_store.h"

namespace rw::app {

/// The demo application, as a web application of its own on a free loopback port.
class DemoServer {
 public:
  static Result<std::unique_ptr<DemoServer>> start(boost::asio::io_context& loop);
  /// The callback base URL.
  const std::string& url() const { return url_; }
  void stop() { server_.stop(std::chrono::milliseconds(0)); }

 private:
  explicit DemoServer(boost::asio::io_context& loop);
  http::Server server_;
  std::string url_;
};

/// Synthesises the demo's prompts into the domain's prompt storage, those that are not there.
Result<void> make_demo_prompts(storage::PromptStore& store, const std::string& domain);

}  // namespace rw::app
