#pragma once

#include <memory>

#include "app/config.h"
#include "base/result.h"
#include "ops/log.h"
#include "storage/prompt_store.h"

namespace rw::app {

/// The prompt store that is configured. Whether an S3 bucket can be reached is found out in the background and logged:
/// calls without prompts go on without it.
Result<std::unique_ptr<storage::PromptStore>> make_prompt_store(const Config& config);
/// Blocking: asks an S3 bucket whether it is there, and logs the answer. Nothing to do for other stores.
void check_prompt_store(storage::PromptStore& store, const ops::Log& log);

}  // namespace rw::app
