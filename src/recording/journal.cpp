#include "recording/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/json_fields.h"
#include "recording/disk_file.h"

namespace rw::recording {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::array<std::string_view, 4> states{"recording", "uploading", "stored", "failed"};
constexpr std::array<std::string_view, 2> kinds{"connection", "phrase"};
constexpr std::uintmax_t longest_text = 1024 * 1024;
constexpr double latest_ms = 1e14;

std::int64_t milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime wall_time(double milliseconds) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

template <class Enum, std::size_t Size>
Enum named(const std::array<std::string_view, Size>& names, const std::string& name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

/// Ids name files: nothing else may pass for one.
bool is_id(std::string_view id) {
  return id.size() == 36 && id.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

Result<std::string> read_text(const fs::path& path) {
  std::error_code error;
  if (fs::file_size(path, error) > longest_text || error) return fail("can't be read");
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::string JournalEntry::data_file() const {
  return id + "." + std::string(extension(format)) + (encrypted ? ".enc" : "");
}

std::string Journal::text(const JournalEntry& entry) {
  return json::serialize(json::object{{"version", 1},
                                      {"id", entry.id},
                                      {"state", states[static_cast<std::size_t>(entry.state)]},
                                      {"kind", kinds[static_cast<std::size_t>(entry.kind)]},
                                      {"format", extension(entry.format)},
                                      {"encrypted", entry.encrypted},
                                      {"heard", entry.heard},
                                      {"domain", entry.domain},
                                      {"fileName", entry.file_name},
                                      {"started", milliseconds(entry.started)},
                                      {"ended", milliseconds(entry.ended)},
                                      {"durationMs", entry.duration.count()},
                                      {"size", entry.size},
                                      {"reason", entry.reason},
                                      {"context", entry.context}});
}

Result<JournalEntry> Journal::parse(const std::string& text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object()) return fail("not a JSON object");
  JsonFields fields(value.get_object());
  JournalEntry entry;
  entry.id = fields.text("id").value_or("");
  const auto state = fields.choice("state", {"recording", "uploading", "stored", "failed"});
  const auto kind = fields.choice("kind", {"connection", "phrase"});
  const auto format = fields.choice("format", {"wav", "mp3", "ogg"});
  entry.encrypted = fields.flag("encrypted").value_or(false);
  entry.heard = fields.flag("heard").value_or(false);
  entry.domain = fields.text("domain").value_or("");
  entry.file_name = fields.text("fileName").value_or("");
  entry.started = wall_time(fields.number("started", 0, latest_ms).value_or(0));
  entry.ended = wall_time(fields.number("ended", 0, latest_ms).value_or(0));
  entry.duration =
      std::chrono::milliseconds(static_cast<std::int64_t>(fields.number("durationMs", 0, latest_ms).value_or(0)));
  entry.size = static_cast<std::uint64_t>(fields.number("size", 0, 1e15).value_or(0));
  entry.reason = fields.text("reason").value_or("");
  if (const auto* context = fields.object("context")) entry.context = *context;
  if (fields.error()) return tl::unexpected(*fields.error());
  if (!is_id(entry.id) || !state || !kind || !format || entry.file_name.empty())
    return fail("not the journal of a recording");
  entry.state = named<JournalEntry::State>(states, *state);
  entry.kind = named<Kind>(kinds, *kind);
  entry.format = *format_of("x." + *format);
  return entry;
}

Result<void> Journal::write(const JournalEntry& entry) const {
  const auto path = fs::path(folder_) / (entry.id + ".json");
  const auto scratch = fs::path(folder_) / (entry.id + ".tmp");
  std::error_code error;
  fs::remove(scratch, error);
  auto file = DiskFile::create(scratch.string());
  if (!file) return tl::unexpected(file.error());
  const auto bytes = text(entry);
  auto written = (*file)->append({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (written) {
    fs::rename(scratch, path, error);
    if (error) written = fail(error.message());
  }
  if (!written) fs::remove(scratch, error);
  return written;
}

void Journal::sync(const std::vector<std::string>& ids) const {
  std::vector<media::FileDescriptor> files;
  for (const auto& id : ids) {
    media::FileDescriptor file(::open((fs::path(folder_) / (id + ".json")).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;  // it is gone meanwhile
    ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    files.push_back(std::move(file));
  }
  for (const auto& file : files) ::fsync(file.get());
  if (!ids.empty()) (void)sync_folder(folder_);
}

Result<void> Journal::save(const JournalEntry& entry) const {
  auto written = write(entry);
  if (written) sync({entry.id});
  return written;
}

void Journal::remove(const std::string& id) const {
  std::error_code ignored;
  fs::remove(fs::path(folder_) / (id + ".json"), ignored);
}

Result<Journal::Found> Journal::load() const {
  Found found;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error))
    paths.push_back(at->path());
  if (error) return fail(folder_ + ": " + error.message());
  for (const auto& path : paths) {
    std::error_code ignored;
    if (path.extension() == ".tmp") fs::remove(path, ignored);
    if (path.extension() != ".json") continue;
    auto entry = read_text(path).and_then(parse);
    if (entry && entry->id == path.stem().string()) {
      found.entries.push_back(std::move(*entry));
    } else {
      found.unreadable.push_back(path.filename().string());
    }
  }
  std::sort(found.entries.begin(), found.entries.end(),
            [](const auto& a, const auto& b) { return std::tie(a.started, a.id) < std::tie(b.started, b.id); });
  return found;
}

}  // namespace rw::recording
