#pragma once

namespace portcullis::pipeline {
class Appliance;
}

namespace portcullis::app {

/// What a run has moved and what each stage took, one JSON object on one line:
/// for tools/bench.  `duration_s` 0: no rates.
void print_run_report(const pipeline::Appliance& appliance, double duration_s);

}  // namespace portcullis::app
