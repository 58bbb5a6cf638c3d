#include "net/resolver.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <tuple>
#include <unordered_set>

#include "base/ids.h"
#include "net/dns_client.h"

namespace rw::net {
namespace {

using Transport = Resolver::Transport;
using Srv = DnsClient::Srv;

constexpr std::array all_transports{Transport::udp, Transport::tcp, Transport::tls};  ///< in our order of preference
constexpr std::size_t most_services = 8;

std::uint16_t default_port(Transport transport) {
  return transport == Transport::tls ? 5061 : 5060;
}

std::string service_name(Transport transport, const std::string& host) {
  static constexpr std::array prefixes{"_sip._udp.", "_sip._tcp.", "_sips._tcp."};
  return prefixes[static_cast<std::size_t>(transport)] + host;
}

std::optional<Transport> transport_of(const DnsClient::Naptr& record) {
  if (record.flags != "s") return std::nullopt;
  if (record.service == "sip+d2u") return Transport::udp;
  if (record.service == "sip+d2t") return Transport::tcp;
  if (record.service == "sips+d2t") return Transport::tls;
  return std::nullopt;
}

/// The order of RFC 2782: by priority; within one, drawn by weight.
std::vector<Srv> in_order(std::vector<Srv> records, IdSource& random) {
  std::sort(records.begin(), records.end(),
            [](const Srv& a, const Srv& b) { return std::tie(a.priority, a.weight) < std::tie(b.priority, b.weight); });
  for (auto first = records.begin(); first != records.end(); ++first) {
    const auto last =
        std::find_if(first, records.end(), [first](const Srv& one) { return one.priority != first->priority; });
    std::uint64_t sum = 0;
    for (auto one = first; one != last; ++one) sum += one->weight;
    const auto drawn = random.number() % (sum + 1);
    std::uint64_t reached = 0;
    const auto chosen = std::find_if(first, last, [&](const Srv& one) { return (reached += one.weight) >= drawn; });
    std::rotate(first, chosen, std::next(chosen));
  }
  return records;
}

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& loop, Options options)
      : loop_(loop), options_(std::move(options)), dns_(loop, dns_options(options_)) {}

  void resolve(Target target, Handler handler) {
    auto search = std::make_shared<Search>(loop_);
    search->target = std::move(target);
    search->handler = std::move(handler);
    if (searches_.size() >= most_at_once) {
      finish(search, {});
      return;
    }
    searches_.insert(search);
    search->deadline.expires_after(options_.time_limit);
    search->deadline.async_wait([weak = weak_from_this(), search](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self) self->assemble(search);
    });
    begin(search);
  }

  void stop() {
    for (const auto& search : searches_) search->deadline.cancel();
    searches_.clear();
  }

 private:
  struct Service {
    Transport transport;
    std::string name;
    std::vector<Srv> records;
  };
  struct Candidate {
    Transport transport;
    std::string host;
    std::uint16_t port;
    std::vector<Address> addresses;
  };
  /// One resolve() under way.
  struct Search {
    explicit Search(boost::asio::io_context& loop) : deadline(loop) {}
    Target target;
    Handler handler;
    boost::asio::steady_timer deadline;
    std::vector<Service> services;
    std::vector<Candidate> candidates;
    std::size_t awaited = 0;  ///< answers of the present step
    bool over = false;
  };
  using SearchPtr = std::shared_ptr<Search>;

  static DnsClient::Options dns_options(const Options& options) {
    DnsClient::Options dns;
    dns.servers = options.servers;
    const auto has = [&](bool v6) {
      return std::any_of(options.ways.begin(), options.ways.end(), [v6](const Way& way) { return way.v6 == v6; });
    };
    dns.v4 = has(false);
    dns.v6 = has(true);
    return dns;
  }

  bool can(Transport transport) const {
    return std::any_of(options_.ways.begin(), options_.ways.end(),
                       [transport](const Way& way) { return way.transport == transport; });
  }
  bool can(Transport transport, bool v6) const {
    return std::any_of(options_.ways.begin(), options_.ways.end(),
                       [&](const Way& way) { return way.transport == transport && way.v6 == v6; });
  }

  /// The transports that may be used for a target, in order.
  std::vector<Transport> usable(const Target& target) const {
    auto wanted = target.transport;
    if (target.secure && wanted == Transport::tcp) wanted = Transport::tls;
    std::vector<Transport> list;
    for (const auto one : all_transports) {
      if (!can(one) || (wanted && one != *wanted) || (target.secure && one != Transport::tls)) continue;
      list.push_back(one);
    }
    return list;
  }

  // RFC 3263 4.1: which transport, unless the target says so, or gives an address or a port.
  void begin(const SearchPtr& search) {
    const auto& target = search->target;
    const auto transports = usable(target);
    if (transports.empty() || target.host.empty()) {
      finish(search, {});
    } else if (const auto literal = Address::from(target.host, 0)) {
      const auto fits =
          std::find_if(transports.begin(), transports.end(), [&](Transport one) { return can(one, literal->is_v6()); });
      if (fits == transports.end()) {
        finish(search, {});
        return;
      }
      auto address = *literal;
      address.set_port(target.port != 0 ? target.port : default_port(*fits));
      finish(search, {{*fits, address}});
    } else if (target.port != 0) {
      search->candidates.push_back({transports.front(), target.host, target.port, {}});
      look_for_addresses(search);
    } else if (target.transport) {
      search->services.push_back({transports.front(), service_name(transports.front(), target.host), {}});
      look_for_services(search);
    } else {
      dns_.ask(DnsClient::Type::naptr, target.host, [this, search](const auto& records) {
        if (!search->over) choose_services(search, records->naptr);
      });
    }
  }

  void choose_services(const SearchPtr& search, std::vector<DnsClient::Naptr> records) {
    std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
      return std::tie(a.order, a.preference) < std::tie(b.order, b.preference);
    });
    const auto transports = usable(search->target);
    for (const auto& record : records) {
      const auto transport = transport_of(record);
      if (!transport || std::find(transports.begin(), transports.end(), *transport) == transports.end()) continue;
      if (search->services.size() < most_services) search->services.push_back({*transport, record.replacement, {}});
    }
    if (search->services.empty()) {
      for (const auto one : transports) search->services.push_back({one, service_name(one, search->target.host), {}});
    }
    look_for_services(search);
  }

  // RFC 3263 4.2: which hosts and ports.
  void look_for_services(const SearchPtr& search) {
    search->awaited = search->services.size();
    for (std::size_t at = 0; at < search->services.size(); ++at) {
      dns_.ask(DnsClient::Type::srv, search->services[at].name, [this, search, at](const auto& records) {
        if (search->over) return;
        search->services[at].records = records->srv;
        if (--search->awaited == 0) choose_candidates(search);
      });
    }
  }

  void choose_candidates(const SearchPtr& search) {
    bool any = false;
    for (auto& service : search->services) {
      any = any || !service.records.empty();
      for (auto& record : in_order(std::move(service.records), random_)) {
        if (record.target.empty() || search->candidates.size() >= most_hops) continue;
        search->candidates.push_back({service.transport, std::move(record.target), record.port, {}});
      }
    }
    if (!any) {
      const auto transport = usable(search->target).front();
      search->candidates.push_back({transport, search->target.host, default_port(transport), {}});
    }
    look_for_addresses(search);
  }

  void look_for_addresses(const SearchPtr& search) {
    search->awaited = search->candidates.size() + 1;
    const auto arrived = [this, search] {
      if (--search->awaited == 0) assemble(search);
    };
    for (std::size_t at = 0; at < search->candidates.size(); ++at) {
      dns_.ask(DnsClient::Type::address, search->candidates[at].host, [search, at, arrived](const auto& records) {
        if (search->over) return;
        search->candidates[at].addresses = records->addresses;
        arrived();
      });
    }
    arrived();
  }

  /// All answers are there, or the time is over.
  void assemble(const SearchPtr& search) {
    std::vector<Hop> hops;
    for (const auto& candidate : search->candidates) {
      for (auto address : candidate.addresses) {
        address.set_port(candidate.port);
        const Hop hop{candidate.transport, address};
        if (!can(hop.transport, address.is_v6()) || hops.size() >= most_hops) continue;
        if (std::find(hops.begin(), hops.end(), hop) == hops.end()) hops.push_back(hop);
      }
    }
    finish(search, std::move(hops));
  }

  void finish(const SearchPtr& search, std::vector<Hop> hops) {
    if (std::exchange(search->over, true)) return;
    search->deadline.cancel();
    searches_.erase(search);
    boost::asio::post(loop_, [weak = weak_from_this(), search, hops = std::move(hops)]() mutable {
      if (weak.lock()) search->handler(std::move(hops));
    });
  }

  boost::asio::io_context& loop_;
  const Options options_;
  IdSource random_;
  std::unordered_set<SearchPtr> searches_;
  DnsClient dns_;
};

Resolver::Resolver(boost::asio::io_context& loop, Options options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
Resolver::~Resolver() {
  impl_->stop();
}

void Resolver::resolve(Target target, Handler handler) {
  impl_->resolve(std::move(target), std::move(handler));
}

}  // namespace rw::net
