#pragma once

#include <memory>
#include <vector>

#include "api/call_control.h"
#include "app/shard.h"

namespace rw::app {

/// Brings the API's commands to the shard that has the call. Lives on the HTTP server's thread.
class CallRouter final : public api::CallControl {
 public:
  explicit CallRouter(const std::vector<std::unique_ptr<Shard>>& shards) : shards_(shards) {}
  void execute(api::CallCommand command, Done done) override;

 private:
  void ask(std::size_t index, std::shared_ptr<const api::CallCommand> command, Done done) const;

  const std::vector<std::unique_ptr<Shard>>& shards_;
  std::size_t next_ = 0;  ///< whose turn it is to take a new call
};

}  // namespace rw::app
