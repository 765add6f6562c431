#pragma once

#include <sys/types.h>

namespace portcullis::app {

/// While it lives, what goes to stdout goes through $PAGER, or less, if stdout is
/// a terminal.  Make it before any thread.
class Pager {
public:
    Pager();
    ~Pager();
    Pager(const Pager&) = delete;
    Pager& operator=(const Pager&) = delete;

    /// A person looks at it and has not asked for plain text (NO_COLOR, TERM=dumb).
    bool colours() const noexcept { return colours_; }

private:
    bool colours_ = false;
    pid_t pager_ = -1;
};

}  // namespace portcullis::app
