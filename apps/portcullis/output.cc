#include "output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::app {

void finish_output() {
    errno = 0;
    std::cout.flush();
    const bool flushed = fflush(stdout) == 0;
    const int error = errno;
    if (flushed && ferror(stdout) == 0 && std::cout.good()) return;
    // An earlier write may have failed, and its reason is forgotten.
    throw SetupError(concat("not all of the output could be written",
                            error != 0 ? concat(": ", std::strerror(error)) : std::string(),
                            "; is there room where it goes?"));
}

}  // namespace portcullis::app
