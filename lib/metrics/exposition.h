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

    /// One place of a histogram: how many were up to `bound`, and not in the one before.
    struct Place {
        double bound;
        uint64_t count;
    };
    /// `places` rise; the last one's bound is infinite.  `sum` of all that was counted.
    void add(Metric metric, std::initializer_list<std::string_view> labels,
             std::vector<Place> places, double sum);

    /// In Prometheus' text format 0.0.4.  Metrics without a value are left out.
    std::string text() const;

private:
    struct Sample {
        std::vector<std::string> labels;
        double value;                 ///< A histogram's sum.
        std::vector<Place> places{};  ///< Of a histogram.
    };
    std::vector<Sample> samples_[static_cast<size_t>(Metric::count)];
};

}  // namespace portcullis::metrics
