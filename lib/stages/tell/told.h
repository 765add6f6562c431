#pragma once

#include <cstdint>

#include "base/ip.h"
#include "base/time.h"
#include "flow/flow.h"
#include "records/record.h"

/// What Workers tell Control when an operator asks: plain structs through rings of
/// their own, so that no answer takes a verdict's place.
namespace portcullis::stages {

/// Who is on a Flow, and how far away.
struct PlayerReport {
    verdicts::PlayerIdentity identity;
    bool logged_in = false;
    bool measured = false;  ///< Something came back from him, so latency is known.
    Nanos latency{};        ///< There and back, the quickest of late.
};

/// One Flow, in answer to Order::Kind::list_flows.
struct FlowReport {
    uint32_t question = 0;
    uint16_t worker = 0;
    bool last = false;  ///< Nothing is told here but that this Worker has told all,
    bool more = false;  ///< or as many as were asked for: there are others.
    FlowState state{};
    bool has_player = false;
    bool counted = false;  ///< `packets` and bytes: nobody counts what passes uninspected.
    uint8_t service = 0;
    uint32_t packets = 0;                               ///< Both directions, round after 2^32.
    uint64_t bytes_to_server = 0, bytes_to_client = 0;  ///< Of payload, in order, each once.
    Nanos began{}, last_seen{};
    Endpoint client, server;
    PlayerReport player;
};

}  // namespace portcullis::stages
