#include "stages/worker_context.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <rte_mbuf.h>

#include "base/memory.h"
#include "keys/parse.h"
#include "packet/burst.h"
#include "packet/packet_builder.h"
#include "protocol/shadowland/connects.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {

WorkerContext::WorkerContext(const Resources& resources)
    : config(resources.config),
      rules(resources.rules),
      counters(resources.counters),
      mbufs(resources.mbufs),
      worker(resources.worker),
      spread_by_nic(resources.spread_by_nic),
      sides_tell(resources.sides_tell),
      secret(resources.secret),
      run(static_cast<uint32_t>(resources.secret >> 32)),
      hash(resources.secret),
      flows(as_asked_by("limits.flows", config.limits.flows,
                        [this] { return FlowTable(share_of(config.limits.flows)); })),
      half_open(as_asked_by("limits.half_open", config.limits.half_open,
                            [this] {
                                return HalfOpenTable(
                                    config.limits.half_open,
                                    std::chrono::seconds(config.limits.connect_timeout_s));
                            })),
      fast_open(std::chrono::seconds(config.limits.connect_timeout_s)),
      fragments(as_asked_by("limits.fragments", config.limits.fragments,
                            [&] { return Fragments(config.limits.fragments, resources.secret); })),
      records("records" + std::to_string(worker), records_max),
      contexts("contexts" + std::to_string(worker), contexts_max),
      reports("reports" + std::to_string(worker), reports_max),
      packets("packets" + std::to_string(worker), packets_max),
      trace(packets, counters.notices[static_cast<size_t>(Notice::trace_lost)]),
      streams(as_asked_by("limits.stream_bytes_total", config.limits.stream_bytes_total,
                          [this] {
                              return stream::StreamPool(config.limits.stream_bytes_total,
                                                        config.limits.stream_bytes);
                          })),
      evidence(as_asked_by("verdict_log.evidence.players", config.verdict_log.evidence.players,
                           [this] {
                               return EvidenceRecorder(config, worker, counters, streams,
                                                       &shadowland_keys);
                           })),
      keys(resources.keys_max, resources.secret),
      shadowland_keys(resources.keys_max) {
    for (const config::Service& service : config.services) {
        const auto secrets = keys::load_secrets(service.endpoint, service.cookie_secret_file,
                                                service.integrity_secret_file);
        if (secrets) shadowland_keys.add(*secrets, {});
    }
}

Flow* WorkerContext::adopt(Flow& stranger) noexcept {
    Strangers::Place* place = strangers.place_of(stranger);
    if (place == nullptr) return &stranger;
    Flow* flow = flows.insert({stranger.key, place->hash});
    if (flow == nullptr) return nullptr;
    flow->last_seen = stranger.last_seen;
    flow->moment_ms = stranger.moment_ms;
    flow->session = stranger.session;
    flow->player = stranger.player;
    flow->service = stranger.service;
    flow->wire = stranger.wire;
    flow->client_is_low = stranger.client_is_low;
    flow->client_outside = stranger.client_outside;
    flow->client_both_sides = stranger.client_both_sides;
    flow->link_known_server = stranger.link_known_server;
    flow->link_known_client = stranger.link_known_client;
    flows.links(*flow) = place->links;
    // What is left of the stranger must not give back what is now the Flow's.
    stranger.session = stranger.player = Flow::none;
    strangers.adopted = true;
    counters.flows_made.add();
    counters.service[flow->service].flows.add();
    return flow;
}

static_assert(config::services_max == services_max &&
                  shadowland::Connects::services_max == services_max &&
                  keys::ShadowlandKeys::services_max == services_max,
              "a Service has its place in all of them");

uint32_t WorkerContext::shadowland_sessions() const noexcept {
    const auto speaks = [](const config::Service& service) {
        return service.protocol == protocol::Protocol::shadowland;
    };
    return std::ranges::any_of(config.services, speaks) ? share_of(config.limits.players) : 0;
}

PacketObserver* WorkerContext::tracer_of(const Flow& flow) noexcept {
    const std::string_view name = detect == nullptr ? std::string_view{} : detect->player_of(flow);
    return trace.follow(name) ? &trace : nullptr;
}

void WorkerContext::inject(const PacketBuilder& frame, uint8_t wire, Side out,
                           Burst& burst) noexcept {
    rte_mbuf* const mbuf = frame.make(mbufs);
    if (mbuf == nullptr || !burst.inject({mbuf, wire, out})) {
        rte_pktmbuf_free(mbuf);
        return notice(Notice::not_injected);
    }
    notice(Notice::injected);
}

Flow* WorkerContext::resume(const CapturePart& part) noexcept {
    const Snapshot& from = part.snapshot;
    const uint8_t transport =
        from.protocol == protocol::Protocol::minecraft ? ip_protocol_tcp : ip_protocol_udp;
    const FlowKey key = FlowKey::of(from.client, from.server, transport);
    const int service = rules->service_at(from.server, transport);
    Flow* flow = service < 0 ? nullptr : flows.insert({key, hash(key)});
    if (flow == nullptr) return nullptr;
    counters.service[static_cast<size_t>(service)].flows.add();
    flow->service = static_cast<uint8_t>(service);
    flow->client_is_low = FlowKey::in_order(from.client, from.server);
    flow->last_seen = from.time;
    flow->let_in = true;  // How long it took to is known no more.
    if (game == nullptr || !game->resume(*flow, part)) return nullptr;
    return flow;
}

void WorkerContext::forget(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    release(flow, reason, now);
    Count& gauge = counters.service[flow.service].flows;
    gauge.set(gauge.get() - 1);
    flows.erase(flow, hash(flow.key));
}

void WorkerContext::retire(Flow& flow, FlowState state, verdicts::EndReason reason,
                           Nanos now) noexcept {
    release(flow, reason, now);
    flow.state = state;
}

void WorkerContext::release(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    const bool kept = flow.session != Flow::none || flow.player != Flow::none;
    if (kept && game != nullptr) game->flow_ended(flow, reason, now);
    flow.session = flow.player = Flow::none;
    if (flow.is_tcp()) flow.connection.release(streams);
}

}  // namespace portcullis::stages
