#include "app/own_folder.h"

#include <filesystem>
#include <utility>

namespace rw::app {
namespace {

constexpr int most = 8;  ///< processes that have calls at a time

std::string path_of(const std::string& data_dir, int number) {
  return number == 0 ? data_dir : (std::filesystem::path(data_dir) / "beside" / std::to_string(number)).string();
}

Result<OwnFolder> lock(const std::string& path) {
  auto sessions = ledger::SessionFolder::open(path + "/sessions");
  if (!sessions) return tl::unexpected(sessions.error());
  return OwnFolder{path, std::move(*sessions)};
}

bool has_notes(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path + "/sessions", ignored);
}

}  // namespace

Result<OwnFolder> OwnFolder::take(const std::string& data_dir, bool beside_others) {
  Result<OwnFolder> first = fail("");
  for (int number = 0; number <= most; ++number) {
    const auto path = path_of(data_dir, number);
    if (first && !has_notes(path)) continue;
    auto taken = lock(path);
    if (!beside_others && !taken) return taken;  // it runs, and has not answered
    if (taken && !first) first = std::move(taken);
    if (first && beside_others) return first;
  }
  return first;
}

std::vector<OwnFolder> OwnFolder::take_left(const std::string& data_dir, const std::string& own) {
  std::vector<OwnFolder> left;
  for (int number = 0; number <= most; ++number) {
    const auto path = path_of(data_dir, number);
    if (path == own || !has_notes(path)) continue;
    if (auto taken = lock(path)) left.push_back(std::move(*taken));
  }
  return left;
}

}  // namespace rw::app
