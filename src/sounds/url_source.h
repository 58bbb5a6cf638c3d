#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/downloads.h"
#include "sounds/sound_source.h"

namespace rw::sounds {

/// What `sound.url` leads to, fetched no faster than it is put out. `etag`: of the version that the caller has, or
/// empty. `came`: see SoundSource::Step::later. Errors never show the URL's query.
std::unique_ptr<SoundSource> make_url_source(http::Downloads& downloads, const audio::UrlSound& sound, std::string etag,
                                             std::function<void()> came);

}  // namespace rw::sounds
