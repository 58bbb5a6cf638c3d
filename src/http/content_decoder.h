#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace rw::http {

/// Undoes the Content-Encoding of a body bit by bit, however much it unfolds to (RFC 9110 section 8.4.1).
class ContentDecoder {
 public:
  /// `encoding`: the value of the field, or empty. An error if it is none of identity, gzip, x-gzip and deflate.
  static Result<ContentDecoder> make(std::string_view encoding);
  ContentDecoder(ContentDecoder&&) noexcept;
  ContentDecoder& operator=(ContentDecoder&&) noexcept;
  ~ContentDecoder();

  struct Done {
    std::size_t taken = 0;  ///< of the input
    std::size_t put = 0;    ///< into the room
  };
  /// Decodes as much of `input` as there is room for. Nothing is taken and put when there is no more to decode.
  Result<Done> decode(std::span<const char> input, std::span<char> room);

 private:
  class Inflater;
  explicit ContentDecoder(std::unique_ptr<Inflater> inflater);
  std::unique_ptr<Inflater> inflater_;  ///< null: identity
};

}  // namespace rw::http
