#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/catalogue.h"

namespace portcullis::metrics {

/// The values of one scrape.
class Exposition {
public:
    /// `labels` are the values of the labels in the metric's row, in its order.
    void add(Metric metric, std::initializer_list<std::string_view> labels, double value);
    void add(Metric metric, double value) { add(metric, {}, value); }

    /// In Prometheus' text format 0.0.4.  Metrics without a value are left out.
    std::string text() const;

private:
    struct Sample {
        std::vector<std::string> labels;
        double value;
    };
    std::vector<Sample> samples_[static_cast<size_t>(Metric::count)];
};

}  // namespace portcullis::metrics
