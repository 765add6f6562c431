#pragma once

#include <sys/types.h>

namespace portcullis::app {

/// While it lives, what goes to stdout goes through $PAGER, or less where that is
/// there, if stdout is a terminal.  Make it when nothing can go wrong any more that a
/// person should read.
class Pager {
public:
    /// `wanted`: false leaves the terminal as it is, but for colours.
    explicit Pager(bool wanted);
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
