#include "metrics/exposition.h"

#include <cassert>
#include <sstream>

#include <prometheus/text_serializer.h>

namespace portcullis::metrics {

namespace {

prometheus::MetricType type_of(Kind kind) {
    switch (kind) {
        case Kind::counter:
            return prometheus::MetricType::Counter;
        case Kind::histogram:
            return prometheus::MetricType::Histogram;
        default:
            return prometheus::MetricType::Gauge;
    }
}

void put(Kind kind, double value, const std::vector<Exposition::Place>& places,
         prometheus::ClientMetric& metric) {
    metric.counter.value = metric.gauge.value = value;
    if (kind != Kind::histogram) return;
    // Summed up here from one reading, so that no bucket exceeds the count.
    uint64_t counted = 0;
    for (const Exposition::Place& place : places) {
        counted += place.count;
        metric.histogram.bucket.push_back({counted, place.bound});
    }
    metric.histogram.sample_count = counted;
    metric.histogram.sample_sum = value;
}

}  // namespace

void Exposition::add(Metric metric, std::initializer_list<std::string_view> labels, double value) {
    assert(labels_of(row_of(metric)).size() == labels.size());
    samples_[static_cast<size_t>(metric)].push_back({{labels.begin(), labels.end()}, value});
}

void Exposition::add(Metric metric, std::initializer_list<std::string_view> labels,
                     std::vector<Place> places, double sum) {
    assert(row_of(metric).kind == Kind::histogram);
    assert(labels_of(row_of(metric)).size() == labels.size());
    samples_[static_cast<size_t>(metric)].push_back(
        {{labels.begin(), labels.end()}, sum, std::move(places)});
}

std::string Exposition::text() const {
    std::vector<prometheus::MetricFamily> families;
    for (size_t i = 0; i < static_cast<size_t>(Metric::count); ++i) {
        if (samples_[i].empty()) continue;
        const MetricRow& row = row_of(static_cast<Metric>(i));
        const std::vector<std::string_view> names = labels_of(row);
        prometheus::MetricFamily family;
        family.name = row.name;
        family.help = row.help;
        family.type = type_of(row.kind);
        for (const Sample& sample : samples_[i]) {
            prometheus::ClientMetric metric;
            for (size_t l = 0; l < names.size(); ++l) {
                metric.label.push_back({std::string(names[l]), sample.labels[l]});
            }
            put(row.kind, sample.value, sample.places, metric);
            family.metric.push_back(std::move(metric));
        }
        families.push_back(std::move(family));
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return out.str();
}

}  // namespace portcullis::metrics
