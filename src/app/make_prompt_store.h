#pragma once

#include <memory>
#include <optional>

#include "app/config.h"
#include "base/result.h"
#include "ops/log.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"
#include "storage/s3_move.h"

namespace rw::app {

/// Where buckets are and who we are there; nothing without credentials.
std::optional<storage::S3Service> service_of(const Config::Storage& config);
/// The prompt store that is configured. Whether an S3 bucket can be reached is found out in the background and logged:
/// calls without prompts go on without it.
/// `own`: the folder for what one process has for itself; `alone`: no other process uses the same prompts now.
/// `shares`: where what domains have on the disk is counted.
Result<std::unique_ptr<storage::PromptStore>> make_prompt_store(const Config& config, const std::string& own,
                                                                bool alone,
                                                                std::shared_ptr<storage::DiskShares> shares);
/// Blocking: asks an S3 bucket whether it is there, and logs the answer. Nothing to do for other stores.
void check_prompt_store(storage::PromptStore& store, const ops::Log& log);

}  // namespace rw::app
