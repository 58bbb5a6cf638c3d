#include "sip/dialog.h"

#include <algorithm>

#include "sip/header_values.h"
#include "sip/uri.h"

namespace rw::sip {

void refresh_target(Dialog& dialog, const Message& message) {
  const auto* line = message.header("Contact");
  const auto contacts = line == nullptr ? std::vector<std::string_view>{} : split_list(*line);
  if (contacts.empty()) return;
  if (const auto address = NameAddress::parse(contacts.front())) dialog.remote_target = address->uri.to_string();
}

void learn_dialog(Dialog& dialog, const Message& response) {
  dialog.remote_tag = to_tag(response);
  if (const auto* to = response.header("To")) dialog.remote = *to;
  refresh_target(dialog, response);
  dialog.route_set.clear();
  for (const auto line : response.headers("Record-Route")) {
    for (const auto route : split_list(line)) dialog.route_set.emplace_back(route);
  }
  std::reverse(dialog.route_set.begin(), dialog.route_set.end());
}

}  // namespace rw::sip
