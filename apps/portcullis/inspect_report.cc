#include "inspect_report.h"

#include <algorithm>

#include "flow/flow.h"
#include "policy/policy.h"
#include "protocol/json_value.h"
#include "protocol/minecraft/describe.h"

namespace portcullis::app {

namespace {

/// The fields of a game packet as members of a JSON object.
class JsonFields final : public protocol::FieldVisitor {
public:
    explicit JsonFields(std::string& out) : out_(out) {}

    void field(std::string_view name, const protocol::FieldValue& value) override {
        begin(name);
        std::visit(protocol::JsonValue(*this), value);
    }
    void open(std::string_view name, bool array) override {
        begin(name);
        out_ += array ? '[' : '{';
        closing_ += array ? ']' : '}';
        first_ = true;
    }
    void close() override {
        if (closing_.empty()) return;
        out_ += closing_.back();
        closing_.pop_back();
        first_ = false;
    }

private:
    friend class protocol::JsonValue<JsonFields>;

    void begin(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        if (!closing_.empty() && closing_.back() == ']') return;
        verdicts::append_json_string(out_, name);
        out_ += ':';
    }
    void put(char c) { out_ += c; }
    void put(std::string_view text) { out_ += text; }
    void put_text(std::string_view text) { verdicts::append_json_string(out_, text); }
    Bytes shown(Bytes bytes) { return bytes; }

    std::string& out_;
    std::string closing_;
    bool first_ = true;
};

void append_counts(std::string& out, const std::map<std::string, uint64_t, std::less<>>& counts) {
    out += '{';
    for (const auto& [name, count] : counts) {
        if (out.back() != '{') out += ',';
        verdicts::append_json_string(out, name);
        out += ':' + std::to_string(count);
    }
    out += '}';
}

template <size_t N>
void add_named(std::map<std::string, uint64_t, std::less<>>& to,
               const std::array<stages::Count, N>& counts,
               const std::array<std::string_view, N>& names) {
    for (size_t i = 0; i < N; ++i) {
        if (counts[i].get() > 0) to[std::string(names[i])] += counts[i].get();
    }
}

}  // namespace

InspectReport::InspectReport(const config::Config& config, Format format,
                             std::vector<std::string> packets)
    : format_(format), packets_(std::move(packets)) {
    for (const config::Service& service : config.services) service_storage_.push_back(service.name);
    services_.assign(service_storage_.begin(), service_storage_.end());
    names_ = {checks::check_names, services_};
}

void InspectReport::print_line() {
    line_ += '\n';
    fwrite(line_.data(), 1, line_.size(), stdout);
    line_.clear();
}

void InspectReport::on_record(const verdicts::VerdictRecord& record) {
    // There is nobody to act on: that it would have been done is in the verdict.
    if (record.kind == verdicts::VerdictRecord::Kind::outcome) return;
    if (record.kind == verdicts::VerdictRecord::Kind::verdict) {
        ++verdicts_;
        ++by_check_[std::string(names_.check(record))];
    }
    if (format_ == Format::jsonl) {
        append_json(line_, record, names_.check(record), names_.service(record));
    } else {
        append_text(line_, record, names_.check(record), names_.service(record));
    }
    print_line();
}

bool InspectReport::wants(std::string_view name) const {
    const bool all = packets_.size() == 1 && packets_.front().empty();
    return all || std::ranges::find(packets_, name) != packets_.end();
}

void InspectReport::on_message(const Flow& flow, const stages::ToldMessage& message,
                               Nanos now) noexcept {
    if (!wants(message.name())) return;
    if (format_ == Format::jsonl) {
        verdicts::append_packet_head(line_, now, {flow.client(), flow.server()},
                                     message.direction(), message.state(), message.name());
        line_ += ",\"fields\":{";
    } else {
        verdicts::append_time(line_, now);
        line_ += ' ' + to_string(flow.client()) + ' ';
        const std::string_view direction = name_in(protocol::direction_names, message.direction());
        for (const std::string_view word : {direction, message.state(), message.name()}) {
            line_ += word;
            line_ += ' ';
        }
        line_ += '{';
    }
    JsonFields fields(line_);
    message.describe(fields);
    line_ += format_ == Format::jsonl ? "}}" : "}";
    print_line();
}

void InspectReport::on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept {
    if (!wants(frame.name())) return;
    if (format_ == Format::jsonl) {
        json_of(flow, frame, now);
    } else {
        text_of(flow, frame, now);
    }
    print_line();
}

void InspectReport::json_of(const Flow& flow, const minecraft::Frame& frame, Nanos now) {
    verdicts::append_packet_head(line_, now, {flow.client(), flow.server()}, frame.direction,
                                 name_in(minecraft::state_names, frame.state), frame.name());
    const size_t without_fields = line_.size();
    line_ += ",\"fields\":{";
    JsonFields fields(line_);
    if (describe(frame, fields)) {
        line_ += '}';
    } else {
        line_.resize(without_fields);
    }
    line_ += '}';
}

void InspectReport::text_of(const Flow& flow, const minecraft::Frame& frame, Nanos now) {
    verdicts::append_time(line_, now);
    line_ += ' ' + to_string(flow.client()) + ' ';
    line_ += name_in(protocol::direction_names, frame.direction);
    line_ += ' ';
    line_ += name_in(minecraft::state_names, frame.state);
    line_ += ' ';
    line_ += frame.name();
    const size_t without_fields = line_.size();
    line_ += " {";
    JsonFields fields(line_);
    if (describe(frame, fields)) {
        line_ += '}';
    } else {
        line_.resize(without_fields);
    }
}

void InspectReport::add(const stages::Counters& counters, uint64_t frames_cut) {
    frames_cut_ += frames_cut;
    for (const auto& wire : counters.wire) {
        for (const auto& side : wire.side) {
            packet_count_ += side.rx_packets.get();
            bytes_ += side.rx_bytes.get();
        }
        add_named(drops_, wire.drops, drop_reason_names);
    }
    for (const auto& service : counters.service) {
        players_ += service.logins.get();
    }
    flows_ += counters.flows_made.get();
    add_named(notices_, counters.notices, stages::notice_names);
}

void InspectReport::summary(double elapsed_s) {
    if (format_ == Format::jsonl) {
        summary_json(elapsed_s);
    } else {
        summary_text(elapsed_s);
    }
    fflush(stdout);
}

void InspectReport::summary_json(double elapsed_s) {
    line_ += "{\"type\":\"summary\",\"packets\":" + std::to_string(packet_count_) +
             ",\"bytes\":" + std::to_string(bytes_) + ",\"flows\":" + std::to_string(flows_) +
             ",\"players\":" + std::to_string(players_) + ",\"verdicts\":";
    append_counts(line_, by_check_);
    line_ += ",\"drops\":";
    append_counts(line_, drops_);
    line_ += ",\"notices\":";
    append_counts(line_, notices_);
    line_ += ",\"cut\":" + std::to_string(frames_cut_) + ",\"hints\":[";
    for (const std::string& hint : hints()) {
        if (line_.back() != '[') line_ += ',';
        verdicts::append_json_string(line_, hint);
    }
    line_ += "],\"elapsed_s\":";
    verdicts::append_json_number(line_, elapsed_s);
    line_ += '}';
    print_line();
}

void InspectReport::summary_text(double elapsed_s) {
    char text[160];
    snprintf(text, sizeof text, "%lu packets, %lu bytes, %lu flows, %lu players in %.3f s",
             packet_count_, bytes_, flows_, players_, elapsed_s);
    line_ += verdicts_ > 0 ? "\n" : "";
    line_ += text;
    print_line();
    const auto print = [this](const char* title, const auto& counts) {
        for (const auto& [name, count] : counts) {
            char row[160];
            snprintf(row, sizeof row, "  %-9s %-28s %8lu", title, name.c_str(), count);
            line_ += row;
            print_line();
        }
    };
    print("verdicts", by_check_);
    print("dropped", drops_);
    print("noticed", notices_);
    for (const std::string& hint : hints()) {
        line_ += hint;
        print_line();
    }
}

std::vector<std::string> InspectReport::hints() const {
    // Which of the two it is depends on whether the mode is to enforce.
    const std::string bad_sums(name_in(drop_reason_names, DropReason::bad_checksum));
    uint64_t not_believed = 0;
    for (const auto* counts : {&drops_, &notices_}) {
        const auto found = counts->find(bad_sums);
        if (found != counts->end()) not_believed += found->second;
    }
    std::vector<std::string> hints;
    if (not_believed > 0) {
        hints.push_back(std::to_string(not_believed) +
                        " packets have a wrong checksum and were not believed, as no server "
                        "believes them. Where a machine captures what it sends itself, its network "
                        "card fills the sums in later: then give --checksums trust.");
    }
    if (frames_cut_ > 0) {
        hints.push_back(std::to_string(frames_cut_) +
                        " packets are not whole in the capture and were not read, nor is what "
                        "came after them in their connections. Capture whole ones: tcpdump -s 0.");
    }
    return hints;
}

}  // namespace portcullis::app
