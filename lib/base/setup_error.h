#pragma once

#include <stdexcept>
#include <string>

namespace portcullis {

/// Something outside is not as it must be to start or go on: a file, a port, a
/// permission.  The text is one sentence for the operator: what is wrong, where,
/// and what to do.  Thrown only on the slow side; caught once, in main.
class SetupError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The configuration or the command line is wrong: exit code 2 instead of 1.
class UsageError : public SetupError {
public:
    using SetupError::SetupError;
};

}  // namespace portcullis
