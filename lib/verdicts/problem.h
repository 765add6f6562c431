#pragma once

#include <cstdint>
#include <string>

namespace portcullis::verdicts {

/// What cannot be done with a log, and of what kind that is: what follows goes by the kind.
struct Problem {
    enum class Kind : uint8_t {
        other,    ///< A disk that is full or fails: a later try may find it mended.
        held,     ///< Another process, or this one, writes to it.
        damaged,  ///< Bytes of it are missing or wrong.
        refused,  ///< Not for this user, or there is no place for a directory.
    };
    Kind kind = Kind::other;
    std::string says;  ///< As the database or the system does; for people alone.
};

}  // namespace portcullis::verdicts
