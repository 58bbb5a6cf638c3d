#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace rw::http {

using Handler = std::function<void(IncomingRequest, Responder)>;
/// Returns where the body goes; null if the request was refused (and answered) without reading it.
using UploadHandler = std::function<std::unique_ptr<BodySink>(IncomingRequest, Responder)>;

/// What serves one method of one path.
struct Route {
  Handler handler;
  UploadHandler upload;        ///< set in place of `handler`
  std::uint64_t max_body = 0;  ///< bytes; more is 413
};

/// Which route a request is for. Filled at start, then read-only.
class Router {
 public:
  static constexpr std::uint64_t usual_max_body = 1 << 20;

  /// `pattern`: "/{domain}/promptfile/{filename}"; a {name} stands for one non-empty segment. Where several patterns
  /// fit, the one with fewer names wins.
  void add(std::string method, std::string_view pattern, Handler handler, std::uint64_t max_body = usual_max_body);
  void add_upload(std::string method, std::string_view pattern, UploadHandler handler, std::uint64_t max_body);

  /// Puts something before the handlers of all routes that there are so far.
  void wrap(const std::function<Handler(Handler)>& handler, const std::function<UploadHandler(UploadHandler)>& upload);

  struct Match {
    int status = 404;              ///< 200: `route` is set; 400: a broken percent-escape; 404; 405: see `allow`
    const Route* route = nullptr;  ///< HEAD is served by the route of GET
    std::map<std::string, std::string, std::less<>> captures;
    std::string allow;  ///< the methods there are, for the header of that name
  };
  /// `path` as it was sent, without the query.
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Segment {
    std::string text;
    bool is_name = false;
  };
  struct Path {
    std::vector<Segment> segments;
    std::size_t names = 0;
    std::map<std::string, Route, std::less<>> methods;
  };
  Path& path(std::string_view pattern);
  static bool fits(const Path& path, const std::vector<std::string>& segments);

  std::map<std::string, Path, std::less<>> paths_;
};

}  // namespace rw::http
