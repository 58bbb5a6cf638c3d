#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace rw::tenant {

/// What becomes of calls to a number while the application does not decide (section 9 of the behaviour).
struct Fallback {
  enum class Mode : std::uint8_t {
    on_error,  ///< when a decision has failed
    always     ///< without asking the application
  };
  Mode mode = Mode::on_error;
  std::chrono::system_clock::time_point expires;
  boost::json::object command;  ///< as it was given: checked, and read anew when it is used
};

/// The fallbacks of all domains, at hand for calls: no database is asked. Thread-safe.
class Fallbacks {
 public:
  /// The one of the number or, without one, the domain's for any number; null if there is none, or it has expired.
  std::shared_ptr<const Fallback> find(std::string_view domain, std::string_view number,
                                       std::chrono::system_clock::time_point now) const;
  /// That of exactly this number; `number` may be empty.
  std::shared_ptr<const Fallback> get(std::string_view domain, std::string_view number,
                                      std::chrono::system_clock::time_point now) const;
  void put(std::string_view domain, std::string_view number, Fallback fallback);
  void remove(std::string_view domain, std::string_view number);

  /// By domain (in lower case) and number.
  using Map = std::map<std::pair<std::string, std::string>, std::shared_ptr<const Fallback>>;
  void replace(Map all);

 private:
  std::shared_ptr<const Fallback> at(std::string_view domain, std::string_view number,
                                     std::chrono::system_clock::time_point now) const;

  mutable std::mutex mutex_;
  Map all_;
};

}  // namespace rw::tenant
