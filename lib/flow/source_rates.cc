#include "flow/source_rates.h"

namespace portcullis {

SourceRates::SourceRates(uint32_t sources)
    : set_count_(std::max<uint32_t>(1, sources / set_size)), sets_(set_count_) {}

void SourceRates::keep_house(Nanos at) noexcept {
    if (used_ == 0) return;
    const uint64_t now = moment(at);
    for (uint32_t i = 0; i <= set_count_ / sweep_calls; ++i) {
        hand_ = hand_ + 1 < set_count_ ? hand_ + 1 : 0;
        for (uint64_t& bucket : sets_[hand_]) {
            if (bucket == 0 || held(bucket, now) != 0) continue;
            bucket = 0;
            --used_;
        }
    }
}

}  // namespace portcullis
