#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/seq.h"
#include "base/time.h"
#include "flow/flow.h"
#include "records/id.h"

namespace portcullis::stages {

/// The players being shown out: those whose stream does not stand between two
/// messages yet, and those who have not acknowledged why they go.
class Kicks {
public:
    static constexpr uint32_t kicks_max = 256;
    static constexpr size_t message_size_max = 1024;

    struct Kick {
        Flow* flow = nullptr;  ///< Never null while listed.
        FlowKey key;           ///< Its place may be another Flow's by now.
        Nanos deadline{};
        Nanos sent_at{};
        bool sent = false;
        uint16_t message_size = 0;
        Seq seq;             ///< Of the message, once sent.
        Seq server_expects;  ///< For the reset to the server, and what is acknowledged.
        uint32_t timestamp = 0, timestamp_echo = 0;
        bool timestamps = false;
        verdicts::VerdictId verdict;  ///< What he goes for.
        std::array<std::byte, message_size_max> message;

        Bytes text() const noexcept { return {message.data(), message_size}; }
        Seq end() const noexcept { return seq + message_size + 1; }  ///< The FIN counts.
        bool stale() const noexcept { return flow->key != key; }
    };

    Kicks() : kicks_(std::make_unique<Kick[]>(kicks_max)) {}

    /// Null when all are taken.
    Kick* add(Flow& flow, Bytes message) noexcept {
        if (message.size() > message_size_max || size_ == kicks_max) return nullptr;
        Kick& kick = kicks_[size_++];
        kick.flow = &flow;
        kick.key = flow.key;
        kick.sent = false;
        kick.verdict = {};
        kick.message_size = static_cast<uint16_t>(message.size());
        std::copy(message.begin(), message.end(), kick.message.begin());
        return &kick;
    }
    Kick* find(const Flow& flow) noexcept {
        for (uint32_t i = 0; i < size_; ++i) {
            if (kicks_[i].flow == &flow && !kicks_[i].stale()) return &kicks_[i];
        }
        return nullptr;
    }
    void remove(Kick& kick) noexcept { kick = kicks_[--size_]; }

    uint32_t size() const noexcept { return size_; }
    Kick& operator[](uint32_t index) noexcept { return kicks_[index]; }

private:
    std::unique_ptr<Kick[]> kicks_;
    uint32_t size_ = 0;
};

}  // namespace portcullis::stages
