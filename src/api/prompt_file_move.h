#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "storage/prompt_store.h"

namespace rw::api {

/// Where the body of POST …/move says a prompt shall go: `type` ("s3"), `bucketRegion`, `bucketName`, optional `kmsKey`
/// and `objectKey` (else: `name`). The error names the member.
Result<storage::MoveDestination> read_move(const boost::json::object& body, const std::string& name);

}  // namespace rw::api
