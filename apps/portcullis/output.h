#pragma once

namespace portcullis::app {

/// What was printed must have arrived, or who reads the exit code would take a part for the
/// whole.  Throws SetupError: a full disk, a reader who has gone.
void finish_output();

}  // namespace portcullis::app
