#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace rw {

/// Why something could not be done: a sentence for the operator that names the field, file or address concerned.
struct Error {
  std::string message;
};

/// A value, or the reason why there is none. For errors that a caller must handle.
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace rw
