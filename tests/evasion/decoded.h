#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "protocol/protocol.h"

namespace portcullis::evasion {

/// A consumer that writes down what it is shown.  Bytes that are shown again
/// must be the same, or it was lied to.
class Decoded {
public:
    /// Consumes `appetite` bytes an offer, at most.
    explicit Decoded(size_t appetite = SIZE_MAX) : appetite_(appetite) {}

    protocol::Progress operator()(protocol::Direction, Bytes offered) noexcept {
        for (size_t i = 0; i < offered.size(); ++i) {
            const auto value = std::to_integer<uint8_t>(offered[i]);
            if (consumed_ + i < seen_.size()) {
                consistent_ = consistent_ && seen_[consumed_ + i] == value;
            } else {
                seen_.push_back(value);
            }
        }
        const size_t eaten = std::min(appetite_, offered.size());
        consumed_ += eaten;
        return {.consumed = eaten};
    }
    void set_appetite(size_t appetite) { appetite_ = appetite; }

    const std::vector<uint8_t>& seen() const { return seen_; }
    bool consistent() const { return consistent_; }

private:
    size_t appetite_;
    size_t consumed_ = 0;
    bool consistent_ = true;
    std::vector<uint8_t> seen_;
};

}  // namespace portcullis::evasion
