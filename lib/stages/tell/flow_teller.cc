#include "stages/tell/flow_teller.h"

#include "stages/detect/detect.h"

namespace portcullis::stages {

using protocol::Direction;

void FlowTeller::obey(const verdicts::Order& order) noexcept {
    if (order.kind != verdicts::Order::Kind::list_flows) return;
    asked_ = true;
    players_only_ = order.players_only;
    question_ = order.question;
    next_ = 0;
    left_ = order.flows_max;
}

void FlowTeller::go_on(bool busy) noexcept {
    if (!asked_) return;
    const uint32_t capacity = context_.flows.capacity();
    const uint32_t places = busy ? places_busy : places_idle;
    const uint32_t left_at_first = left_;
    for (uint32_t i = 0; i < places && next_ < capacity; ++i) {
        if (left_ == 0 || left_at_first - left_ == reports_max) break;
        bool room = true;
        context_.flows.look(next_, 1, [&](const Flow& flow) noexcept { room = tell(flow); });
        if (!room) return;
        ++next_;
    }
    if ((next_ == capacity || left_ == 0) && tell_end()) asked_ = false;
}

bool FlowTeller::wanted(const Flow& flow, FlowReport& report) const noexcept {
    report.has_player =
        context_.detect != nullptr && context_.detect->describe(flow, report.player);
    return !players_only_ || (report.has_player && report.player.logged_in);
}

bool FlowTeller::tell(const Flow& flow) noexcept {
    FlowReport report;
    if (!wanted(flow, report)) return true;
    report.question = question_;
    report.worker = context_.worker;
    const bool read = flow.state == FlowState::inspected;
    const bool opaque = read && context_.game != nullptr && context_.game->opaque(flow);
    report.state = opaque ? FlowState::opaque : flow.state;
    report.service = flow.service;
    report.began = std::chrono::seconds(context_.flows.links(flow).began_s);
    report.last_seen = flow.last_seen;
    report.client = flow.client();
    report.server = flow.server();
    report.counted = flow.is_tcp() && flow.state != FlowState::bypass;
    if (report.counted) {
        report.packets = flow.connection.segments();
        report.bytes_to_server = flow.connection.delivered_bytes(Direction::to_server);
        report.bytes_to_client = flow.connection.delivered_bytes(Direction::to_client);
    }
    if (!context_.reports.push(report)) return false;
    --left_;
    return true;
}

bool FlowTeller::tell_end() noexcept {
    FlowReport report;
    report.question = question_;
    report.worker = context_.worker;
    report.last = true;
    report.more = next_ < context_.flows.capacity();
    return context_.reports.push(report);
}

}  // namespace portcullis::stages
