#include "app/predecessor.h"

#include <unistd.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <utility>

#include "app/takeover_packet.h"
#include "net/local_link.h"

namespace rw::app {
namespace {

constexpr auto patience = std::chrono::seconds(10);

}  // namespace

std::string takeover_path(const std::string& data_dir) {
  return (std::filesystem::path(data_dir) / "takeover.sock").string();
}

Result<std::unique_ptr<Predecessor>> Predecessor::find(const std::string& data_dir) {
  const auto link = net::connect_local(takeover_path(data_dir));
  if (!link) return std::unique_ptr<Predecessor>();
  std::unique_ptr<Predecessor> found(new Predecessor(*link));
  if (auto asked = net::send_local(*link, {write_packet("hello", {}), {}}); !asked)
    return fail("the process that uses this data_dir: " + asked.error().message);
  auto packet = net::receive_local(*link, patience);
  if (!packet) return fail("the process that uses this data_dir: " + packet.error().message);
  const auto answer = read_packet(packet->bytes);
  const auto* sockets = answer ? answer->head.if_contains("sockets") : nullptr;
  if (sockets == nullptr || !sockets->is_array() || sockets->get_array().size() != packet->descriptors.size()) {
    for (const int one : packet->descriptors) ::close(one);
    return fail("the process that uses this data_dir has an answer that is not understood: is it of another version?");
  }
  for (std::size_t at = 0; at < packet->descriptors.size(); ++at) {
    const auto& one = sockets->get_array()[at];
    found->offered_.push_back({text_of(one, "kind"), text_of(one, "wanted"), packet->descriptors[at]});
  }
  return found;
}

Predecessor::~Predecessor() {
  for (const auto& one : offered_) {
    if (one.descriptor >= 0) ::close(one.descriptor);
  }
  if (link_ >= 0) ::close(link_);
}

int Predecessor::socket(const std::string& kind, const std::string& wanted) {
  for (std::size_t at = 0; at < offered_.size(); ++at) {
    auto& one = offered_[at];
    if (one.descriptor < 0 || one.kind != kind || one.wanted != wanted) continue;
    taken_.push_back(at);
    return std::exchange(one.descriptor, -1);
  }
  return -1;
}

Result<HandedOver> Predecessor::take() {
  boost::json::array taken;
  for (const auto at : taken_) taken.emplace_back(at);
  if (auto asked = net::send_local(link_, {write_packet("take", {{"taken", std::move(taken)}}), {}}); !asked)
    return tl::unexpected(asked.error());
  HandedOver given;
  for (;;) {
    const auto packet = net::receive_local(link_, patience);
    if (!packet) return fail("the process that this one takes over from: " + packet.error().message);
    const auto read = read_packet(packet->bytes);
    if (!read) return fail("the process that this one takes over from: not understood");
    for (auto& one : texts_of(read->head, "transactions")) given.transactions.push_back(std::move(one));
    for (auto& one : texts_of(read->head, "marks")) given.marks.push_back(std::move(one));
    if (read->kind != "given") continue;
    given.http = text_of(read->head, "http");
    const auto* sessions = read->head.if_contains("sessions");
    if (sessions != nullptr && sessions->is_int64()) given.sessions = static_cast<std::size_t>(sessions->get_int64());
    return given;
  }
}

int Predecessor::release() {
  return std::exchange(link_, -1);
}

}  // namespace rw::app
