#include "sip/registration.h"

#include <algorithm>
#include <charconv>

#include "base/ids.h"
#include "base/timers.h"
#include "base/utf8.h"
#include "sip/authorisation.h"
#include "sip/methods.h"
#include "sip/transactions.h"
#include "sip/uri.h"

namespace rw::sip {
namespace {

using std::chrono::seconds;

constexpr long longest_expires = 7L * 86400;
constexpr seconds longest_retry_after{3600};

/// The whole seconds that a header or parameter begins with; nothing if it does not.
std::optional<long> number(const std::string* text) {
  long value = 0;
  if (text == nullptr) return std::nullopt;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec != std::errc{} || value < 0) return std::nullopt;
  return std::min(value, longest_expires);
}

std::string_view via_transport(Transport transport) {
  return transport == Transport::udp ? "UDP" : transport == Transport::tcp ? "TCP" : "TLS";
}

std::vector<Credentials> credentials_of(const RegistrationOptions& options) {
  if (options.credentials.username.empty()) return {};
  return {options.credentials};
}

bool has_lr(const std::string& text) {
  const auto uri = Uri::parse(text);
  return uri && uri->parameter("lr") != nullptr;
}

}  // namespace

class Registration::Impl {
 public:
  explicit Impl(RegistrationOptions given)
      : options(std::move(given)),
        transactions(timers, TransactionTimes{.t1 = options.t1},
                     [this](const Flow& flow, std::string bytes) {
                       transmits.push_back({flow, std::move(bytes)});
                     }),
        digest(credentials_of(options)) {
    call_id = options.shard_tag + ids.token(24);
    tag = options.shard_tag + ids.token(16);
    cseq = static_cast<std::uint32_t>(ids.number() & 0xffff);
    if (const auto uri = Uri::parse(options.address_of_record)) aor = *uri;
  }

  void begin() {
    if (state != State::registered) state = State::registering;
    if (bound_over) {  // what worked last time, and if it no longer does: whatever DNS says then
      hops = {*bound_over};
      searched = false;
      try_hop(0);
    } else {
      look_up();
    }
  }

  void stop() {
    stopping = true;
    wake.cancel();
    awaits_lookup = false;
    if (!in_flight) remove();
  }

  void resolved(std::vector<Flow> found) {
    awaits_lookup = false;
    hops = std::move(found);
    if (hops.empty()) {
      failed("no way to " + options.registrar);
    } else {
      try_hop(0);
    }
  }

  bool over() const { return stopping && !in_flight; }

 private:
  void look_up() {
    searched = true;
    awaits_lookup = true;
    lookups.push_back({++lookup, options.registrar});
  }

  void try_hop(std::size_t index) {
    hop = index;
    tries.clear();
    send();
  }

  /// Whether there is something else to try after a hop has not answered, or has no time (RFC 3263 4.3).
  bool try_next() {
    if (stopping) return false;
    if (hop + 1 < hops.size()) {
      try_hop(hop + 1);
    } else if (!searched) {
      look_up();
    } else {
      return false;
    }
    return true;
  }

  void remove() {
    if (bound_over && bound_until > now) {
      removing = true;
      hops = {*bound_over};
      try_hop(0);
    } else {
      state = State::unregistered;
    }
  }

  std::string contact(const Flow& flow) const {
    Uri uri;
    uri.scheme = "sip";
    uri.user = aor.user;
    uri.host = our_host(flow);
    uri.port = flow.local.port();
    if (!options.line.empty()) uri.parameters.emplace_back("line", options.line);
    if (flow.transport == Transport::tcp) uri.parameters.emplace_back("transport", "tcp");
    if (flow.transport == Transport::tls) uri.parameters.emplace_back("transport", "tls");
    return uri.to_string();
  }
  std::string our_host(const Flow& flow) const {
    return options.advertise.empty() ? flow.local.host() : options.advertise;
  }

  void send() {
    const auto& flow = hops[hop];
    const auto branch = "z9hG4bK" + options.shard_tag + ids.token(20);
    Uri sent_by;  // prints an IPv6 address with its brackets
    sent_by.scheme = "sip";
    sent_by.host = our_host(flow);
    sent_by.port = flow.local.port();
    Uri domain;
    domain.scheme = aor.scheme;
    domain.host = aor.host;
    domain.port = aor.port;
    auto request = Message::request("REGISTER", domain.to_string());
    request.add("Via", "SIP/2.0/" + std::string(via_transport(flow.transport)) + " " + sent_by.to_string().substr(4) +
                           (is_stream(flow.transport) ? ";branch=" : ";rport;branch=") + branch);
    request.add("Max-Forwards", "70");
    if (has_lr(options.registrar)) request.add("Route", "<" + options.registrar + ">");
    request.add("From", "<" + aor.to_string() + ">;tag=" + tag);
    request.add("To", "<" + aor.to_string() + ">");
    request.add("Call-ID", call_id);
    request.add("CSeq", std::to_string(++cseq) + " REGISTER");
    request.add("Contact", "<" + contact(flow) + ">");
    request.add("Expires", removing ? "0" : std::to_string(asked.count()));
    digest.authorise(request, ids);
    request.add("Allow", std::string(allowed_methods));
    if (!options.server_name.empty()) request.add("User-Agent", options.server_name);
    in_flight = true;
    transactions.send_request(
        flow, request, branch, [this](const Message& response) { answered(response); }, now);
  }

  void answered(const Message& response) {
    const int status = response.status();
    if (status < 200) return;
    in_flight = false;
    const bool again = ((status == 401 || status == 407) && digest.challenged(response, tries)) ||
                       (status == 423 && ask_for_more(response));
    if (again) {
      send();
    } else if (status < 300) {
      succeeded(response);
    } else if ((status == 408 || status == 503) && try_next()) {
      return;
    } else {
      const auto after = status == 503 ? number(response.header("Retry-After")) : std::nullopt;
      failed(std::to_string(status) + " " + to_utf8(response.reason_phrase()), seconds(after.value_or(0)));
    }
  }

  /// 423: the registrar wants longer registrations than we do.
  bool ask_for_more(const Message& response) {
    const auto least = number(response.header("Min-Expires"));
    if (removing || !least || seconds(*least) <= asked) return false;
    asked = seconds(*least);
    return true;
  }

  seconds granted_by(const Message& response) const {
    const auto ours = Uri::parse(contact(hops[hop]));
    for (const auto line : response.headers("Contact")) {
      for (const auto one : split_list(line)) {
        const auto bound = NameAddress::parse(one);
        if (!bound || bound->uri.user != ours->user || bound->uri.host != ours->host || bound->uri.port != ours->port)
          continue;
        const auto* other = bound->uri.parameter("line");
        if (other != nullptr && *other != options.line) continue;  // another registration of ours
        if (const auto expires = number(bound->parameter("expires"))) return seconds(*expires);
      }
    }
    return seconds(number(response.header("Expires")).value_or(asked.count()));
  }

  void succeeded(const Message& response) {
    if (removing) {
      forget();
      return;
    }
    granted = granted_by(response);
    if (granted == seconds(0)) {
      failed("the registrar keeps no binding");
      return;
    }
    bound_over = hops[hop];
    bound_until = now + granted;
    state = State::registered;
    problem.clear();
    pause = first_pause;
    if (stopping) {
      remove();
      return;
    }
    wake = timers.start(now + std::chrono::duration_cast<Duration>(granted) * 4 / 5, [this] { begin(); });
  }

  void failed(std::string why, seconds retry_after = seconds(0)) {
    problem = std::move(why);
    if (stopping) {
      forget();
      return;
    }
    bound_over.reset();
    state = State::failed;
    // Between half of the pause and all of it, so that many who failed together do not come back together.
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
    const auto drawn = whole / 2 + static_cast<long>(ids.number() % static_cast<std::uint64_t>(whole / 2 + 1));
    const auto wait = std::max<Duration>(std::chrono::milliseconds(drawn), std::min(retry_after, longest_retry_after));
    pause = std::min(2 * pause, longest_pause);
    wake = timers.start(now + wait, [this] { begin(); });
  }

  void forget() {
    removing = false;
    bound_over.reset();
    state = State::unregistered;
  }

 public:
  const RegistrationOptions options;
  Timers timers;
  Transactions transactions;
  IdSource ids;
  TimePoint now;
  Uri aor;
  std::string call_id, tag;
  std::uint32_t cseq = 0;
  seconds asked{options.expires}, granted{0};
  seconds pause{first_pause};  ///< before the next try, should this one fail
  State state = State::unregistered;
  std::string problem;
  std::uint64_t lookup = 0;
  bool awaits_lookup = false;
  std::vector<Flow> hops;
  std::size_t hop = 0;
  bool searched = false;  ///< `hops` are what DNS said
  bool in_flight = false, removing = false, stopping = false;
  DigestClient digest;
  DigestClient::Tries tries;       ///< of this hop
  std::optional<Flow> bound_over;  ///< where the binding was made
  TimePoint bound_until;
  Timer wake;
  std::vector<Lookup> lookups;
  std::vector<Transmit> transmits;
};

Registration::Registration(RegistrationOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Registration::~Registration() = default;

void Registration::start(TimePoint now) {
  impl_->now = now;
  if (impl_->state == State::unregistered && !impl_->stopping) impl_->begin();
}

void Registration::stop(TimePoint now) {
  impl_->now = now;
  if (!impl_->stopping) impl_->stop();
}

bool Registration::receive(const Message& response, TimePoint now) {
  impl_->now = now;
  const auto* call_id = response.header("Call-ID");
  if (response.is_request() || call_id == nullptr || *call_id != impl_->call_id) return false;
  const auto* line = response.header("Via");
  const auto values = line == nullptr ? std::vector<std::string_view>{} : split_list(*line);
  const auto via = values.empty() ? Result<Via>(fail("no Via")) : Via::parse(values.front());
  if (via) impl_->transactions.response(response, via->branch, now);
  return true;
}

void Registration::connection_closed(const Flow& flow, TimePoint now) {
  impl_->now = now;
  impl_->transactions.connection_closed(flow);
}

void Registration::resolved(std::uint64_t lookup, std::vector<Flow> hops, TimePoint now) {
  impl_->now = now;
  if (impl_->awaits_lookup && lookup == impl_->lookup) impl_->resolved(std::move(hops));
}

void Registration::advance(TimePoint now) {
  impl_->now = now;
  impl_->timers.advance(now);
}

std::optional<TimePoint> Registration::next_timer() const {
  return impl_->timers.next();
}

void Registration::take_lookups(std::vector<Lookup>& into) {
  std::move(impl_->lookups.begin(), impl_->lookups.end(), std::back_inserter(into));
  impl_->lookups.clear();
}

void Registration::take_transmits(std::vector<Transmit>& into) {
  std::move(impl_->transmits.begin(), impl_->transmits.end(), std::back_inserter(into));
  impl_->transmits.clear();
}

Registration::State Registration::state() const {
  return impl_->state;
}
const std::string& Registration::problem() const {
  return impl_->problem;
}
std::chrono::seconds Registration::granted() const {
  return impl_->granted;
}
bool Registration::over() const {
  return impl_->over();
}

std::string_view name(Registration::State state) {
  switch (state) {
    case Registration::State::unregistered:
      return "unregistered";
    case Registration::State::registering:
      return "registering";
    case Registration::State::registered:
      return "registered";
    case Registration::State::failed:
      break;
  }
  return "failed";
}

}  // namespace rw::sip
