#pragma once

#include <pthread.h>

namespace rw {

/// Names the calling thread, so that `top -H` tells what costs how much. At most 15 characters, or nothing happens.
inline void name_this_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

}  // namespace rw
