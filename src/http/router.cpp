#include "http/router.h"

#include "http/target.h"

namespace rw::http {
namespace {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

std::string allowed_methods(const std::map<std::string, Route, std::less<>>& methods) {
  std::string allow;
  for (const auto& [method, route] : methods) {
    allow += (allow.empty() ? "" : ", ") + method;
    if (method == "GET") allow += ", HEAD";
  }
  return allow;
}

}  // namespace

Router::Path& Router::path(std::string_view pattern) {
  auto& path = paths_[std::string(pattern)];
  if (!path.segments.empty()) return path;
  for (const auto segment : split_path(pattern)) {
    const bool is_name = segment.starts_with('{') && segment.ends_with('}');
    path.segments.push_back({std::string(is_name ? segment.substr(1, segment.size() - 2) : segment), is_name});
    path.names += is_name ? 1 : 0;
  }
  return path;
}

void Router::add(std::string method, std::string_view pattern, Handler handler, std::uint64_t max_body) {
  path(pattern).methods[std::move(method)] = Route{std::move(handler), {}, max_body};
}

void Router::add_upload(std::string method, std::string_view pattern, UploadHandler handler, std::uint64_t max_body) {
  path(pattern).methods[std::move(method)] = Route{{}, std::move(handler), max_body};
}

bool Router::fits(const Path& path, const std::vector<std::string>& segments) {
  if (path.segments.size() != segments.size()) return false;
  for (std::size_t at = 0; at < segments.size(); ++at) {
    const auto& expected = path.segments[at];
    if (expected.is_name ? segments[at].empty() : expected.text != segments[at]) return false;
  }
  return true;
}

void Router::wrap(const std::function<Handler(Handler)>& handler,
                  const std::function<UploadHandler(UploadHandler)>& upload) {
  for (auto& [pattern, path] : paths_) {
    for (auto& [method, route] : path.methods) {
      if (route.handler) route.handler = handler(std::move(route.handler));
      if (route.upload) route.upload = upload(std::move(route.upload));
    }
  }
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  std::vector<std::string> segments;
  // Split first, decode then: an encoded slash belongs to its segment.
  for (const auto raw : split_path(path)) {
    auto segment = percent_decode(raw);
    if (!segment) {
      match.status = 400;
      return match;
    }
    segments.push_back(std::move(*segment));
  }
  const Path* best = nullptr;
  for (const auto& [pattern, candidate] : paths_) {
    if (fits(candidate, segments) && (best == nullptr || candidate.names < best->names)) best = &candidate;
  }
  if (best == nullptr) return match;
  for (std::size_t at = 0; at < segments.size(); ++at) {
    if (best->segments[at].is_name) match.captures[best->segments[at].text] = std::move(segments[at]);
  }
  auto route = best->methods.find(method);
  if (route == best->methods.end() && method == "HEAD") route = best->methods.find("GET");
  match.allow = allowed_methods(best->methods);
  match.status = route == best->methods.end() ? 405 : 200;
  if (match.status == 200) match.route = &route->second;
  return match;
}

}  // namespace rw::http
