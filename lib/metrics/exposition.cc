#include "metrics/exposition.h"

#include <cassert>
#include <sstream>

#include <prometheus/text_serializer.h>

namespace portcullis::metrics {

namespace {

std::vector<std::string> split(std::string_view labels) {
    std::vector<std::string> names;
    while (!labels.empty()) {
        const size_t end = std::min(labels.find(','), labels.size());
        names.emplace_back(labels.substr(0, end));
        labels.remove_prefix(std::min(end + 1, labels.size()));
    }
    return names;
}

}  // namespace

void Exposition::add(Metric metric, std::initializer_list<std::string_view> labels, double value) {
    assert(split(row_of(metric).labels).size() == labels.size());
    samples_[static_cast<size_t>(metric)].push_back({{labels.begin(), labels.end()}, value});
}

std::string Exposition::text() const {
    std::vector<prometheus::MetricFamily> families;
    for (size_t i = 0; i < static_cast<size_t>(Metric::count); ++i) {
        if (samples_[i].empty()) continue;
        const MetricRow& row = row_of(static_cast<Metric>(i));
        const std::vector<std::string> names = split(row.labels);
        prometheus::MetricFamily family;
        family.name = row.name;
        family.help = row.help;
        family.type = row.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
        for (const Sample& sample : samples_[i]) {
            prometheus::ClientMetric metric;
            for (size_t l = 0; l < names.size(); ++l) {
                metric.label.push_back({names[l], sample.labels[l]});
            }
            (row.counter ? metric.counter.value : metric.gauge.value) = sample.value;
            family.metric.push_back(std::move(metric));
        }
        families.push_back(std::move(family));
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return out.str();
}

}  // namespace portcullis::metrics
