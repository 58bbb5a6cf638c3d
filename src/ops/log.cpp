#include "ops/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/utf8.h"
#include "ops/mask.h"

namespace rw::ops {
namespace {

constexpr std::size_t longest_text = 4096;  ///< of others

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

/// What may not stand in a line as it is: some reader would take it for the end of a line, for a command to the
/// terminal, or show what comes behind it in another order.
bool is_unsafe(char32_t point) {
  constexpr char32_t first_c1 = 0x80, last_c1 = 0x9f, arabic_letter_mark = 0x61c, left_to_right_mark = 0x200e,
                     right_to_left_mark = 0x200f, line_separator = 0x2028, last_override = 0x202e,
                     first_isolate = 0x2066, last_isolate = 0x2069;
  return point < ' ' || point == 0x7f || (point >= first_c1 && point <= last_c1) || point == arabic_letter_mark ||
         point == left_to_right_mark || point == right_to_left_mark ||
         (point >= line_separator && point <= last_override) || (point >= first_isolate && point <= last_isolate);
}

/// The character that begins at `at` of a text that is UTF-8, and how many octets it has.
std::pair<char32_t, std::size_t> character_at(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t index) { return static_cast<unsigned char>(text[at + index]); };
  const auto lead = octet(0);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t point = length == 1 ? lead : lead & (0x7f >> length);
  for (std::size_t index = 1; index < length; ++index) point = point << 6 | (octet(index) & 0x3f);
  return {point, length};
}

/// The one way of a text into a line: as in a string of JSON. `text` is UTF-8.
void append_json(std::string& line, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto [point, length] = character_at(text, at);
    if (point == '"' || point == '\\') {
      line += '\\';
      line += text[at];
    } else if (is_unsafe(point)) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned>(point));
    } else {
      line += text.substr(at, length);
    }
    at += length;
  }
}

/// A field of a text line: bare if it is one word, else quoted.
void append_text(std::string& line, std::string_view value) {
  std::string escaped;
  append_json(escaped, value);
  if (!value.empty() && escaped == value && value.find_first_of(" =") == std::string_view::npos) {
    line += value;
    return;
  }
  line.append("\"").append(escaped).append("\"");
}

/// 2026-01-31T23:59:59.123Z
std::string time_stamp() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(text, length), milliseconds);
}

}  // namespace

struct Log::Sink {
  Sink(Format wanted, Level level) : format(wanted), threshold(level) {}
  const Format format;
  std::atomic<Level> threshold;
  spdlog::logger out{"ringwright", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Log::Log(Format format, Level threshold) : sink_(std::make_shared<Sink>(format, threshold)) {
  sink_->out.set_pattern("%v");
  sink_->out.set_level(spdlog::level::trace);
}
Log::~Log() = default;
Log::Log(const Log&) = default;
Log& Log::operator=(const Log&) = default;

Log Log::with(std::initializer_list<Field> fields) const {
  Log log(*this);
  for (const auto& field : fields) log.append(log.context_, field);
  return log;
}

bool Log::enabled(Level level) const {
  return level >= sink_->threshold.load(std::memory_order_relaxed);
}

void Log::set_threshold(Level threshold) const {
  sink_->threshold.store(threshold, std::memory_order_relaxed);
}

std::string Log::shown(const Field& field) const {
  const bool in_full = enabled(Level::debug);
  switch (field.kind) {
    case Field::Kind::plain:
    case Field::Kind::if_any:
      break;
    case Field::Kind::personal:
      return in_full ? std::string(field.value) : mask_personal(field.value);
    case Field::Kind::text: {
      const auto clean = without_secrets(utf8_prefix(field.value, longest_text));
      return in_full ? clean : mask_text(clean);
    }
  }
  return std::string(field.value);
}

void Log::append(std::string& line, const Field& field) const {
  const bool optional = field.kind == Field::Kind::personal || field.kind == Field::Kind::if_any;
  if (optional && field.value.empty()) return;
  const auto value = to_utf8(shown(field));
  if (sink_->format == Format::json) {
    line += ",\"";
    append_json(line, field.name);
    line += "\":\"";
    append_json(line, value);
    line += '"';
  } else {
    line.append(" ").append(field.name).append("=");
    append_text(line, value);
  }
}

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  std::string line;
  if (sink_->format == Format::json) {
    line = fmt::format(R"({{"ts":"{}","level":"{}","msg":")", time_stamp(), name_of(level));
    append_json(line, to_utf8(std::string(message)));
    line += '"';
  } else {
    line = fmt::format("{} {:<7} ", time_stamp(), name_of(level));
    append_json(line, to_utf8(std::string(message)));
  }
  line += context_;
  for (const auto& field : fields) append(line, field);
  if (sink_->format == Format::json) line += '}';
  sink_->out.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace rw::ops
