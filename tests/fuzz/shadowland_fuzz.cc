// Whatever datagrams the two ends of Shadowland sessions send, sealed or not, in any order and at
// any time: no crash, no read outside, nothing believed whose sum or tag is not right, nothing kept
// of a session that is forgotten, and the same again for the same datagrams.
//
// The input is a script: one byte of settings, then datagrams.  Each has a byte that says how it is
// made, a byte of time that passes before it, and either its bytes as they are, or its header's
// fields and its payload, which are then closed as a sender with the key would: so the fuzzer gets
// behind sums and tags without having to guess any.

#include <algorithm>
#include <array>
#include <vector>

#include "base/reader.h"
#include "protocol/shadowland/decoder.h"
#include "protocol/shadowland/describe.h"

namespace portcullis::shadowland {
namespace {

void require(bool held) {
    if (!held) __builtin_trap();
}

constexpr uint32_t own_id = 0x11223344, other_id = 0x11223345;
constexpr uint32_t epochs = 3;
constexpr size_t steps_max = 256;
const Endpoint server{IpAddress::v4(0x0a580002), 3565};

/// Each session has a client of its own.
Endpoint client_of(bool other) {
    return {IpAddress::v4(0x0a580001), static_cast<uint16_t>(50'000 + (other ? 1 : 0))};
}

keys::ShadowlandKey key_of(bool other, uint32_t epoch) {
    keys::ShadowlandKey key{};
    key.client = client_of(other);
    key.server = server;
    key.connection_id = other ? other_id : own_id;
    key.epoch = epoch;
    key.to_server.fill(static_cast<std::byte>(1 + epoch));
    key.to_client.fill(static_cast<std::byte>(101 + epoch));
    return key;
}

const keys::ShadowlandKeys& all_keys() {
    static keys::ShadowlandKeys keys(16);
    static const bool filled = [] {
        for (const bool other : {false, true}) {
            for (uint32_t epoch = 0; epoch < epochs; ++epoch) keys.add(key_of(other, epoch));
        }
        keys::ShadowlandSecrets secrets{};
        secrets.server = server;
        secrets.has_cookie = true;
        secrets.cookie.fill(std::byte{0x33});
        secrets.integrity_size = 32;
        keys.add(secrets);
        return true;
    }();
    (void)filled;
    return keys;
}

/// Sums what it hears, so that two tellings can be compared.
class Summer : public protocol::FieldVisitor {
public:
    void packet(const PacketSeen& packet_seen) {
        seen = packet_seen;
        add(seen.header.sequence);
        add(static_cast<uint64_t>(seen.error));
        add(seen.epoch << 2 | (seen.fresh ? 2u : 0u) | (seen.opened ? 1u : 0u));
        if (seen.error != Error::size) describe(seen.header, *this);
    }
    template <class M>
    void on(const M& message) {
        require(seen.opened);
        describe(message, direction, *this);
    }
    void on(const Violation& violation) {
        require(violation.confidence >= 0 && violation.confidence <= 1);
        require(!violation.proven || seen.opened || violation.fault == Fault::heartbeat_missing ||
                violation.fault == Fault::integrity_failed ||
                violation.fault == Fault::fragments_timeout);
        add(static_cast<uint64_t>(violation.fault));
    }
    void on(const RoundTrip& trip) { require(trip.ms > 0); }
    void on(const Missed& missed) { add(missed.reliable ? 1 : 0); }
    void turn(Direction to) { direction = to; }
    void on_form(Form form) { add(static_cast<uint64_t>(form)); }
    void on_inflated(size_t size) { add(size); }
    void on_whole(uint16_t id, size_t size) {
        add(id);
        add(size);
    }
    void on_broken(Error error) { add(static_cast<uint64_t>(error)); }
    void on_error(Error error) { add(static_cast<uint64_t>(error)); }

    void field(std::string_view name, const protocol::FieldValue& value) override {
        add(name.size());
        add(value.index());
        if (const auto* number = std::get_if<uint64_t>(&value)) add(*number);
        if (const auto* text = std::get_if<std::string_view>(&value)) {
            for (const char c : *text) add(static_cast<uint8_t>(c));
        }
    }
    void open(std::string_view name, bool) override {
        add(name.size());
        ++depth_;
    }
    void close() override { require(depth_-- > 0); }

    uint64_t sum = 14695981039346656037u;
    PacketSeen seen;
    Direction direction{};

private:
    void add(uint64_t v) { sum = (sum ^ v) * 1099511628211u; }
    int depth_ = 0;
};

/// One datagram of the script.
struct Step {
    Direction direction{};
    bool other = false;         ///< On the other client's flow.
    bool closed_right = false;  ///< Its sum or tag is what a sender with the key makes.
    Nanos passed{};
    std::vector<std::byte> bytes;
};

class Script {
public:
    explicit Script(Bytes in) : in_(in), settings_(in_.u8()) {}

    bool tells_all() const { return (settings_ & 1) != 0; }
    bool more() const { return in_.ok() && !in_.empty() && steps_ < steps_max; }

    Step next() {
        ++steps_;
        const uint8_t kind = in_.u8();
        Step step;
        step.direction = static_cast<Direction>(kind & 1);
        step.other = (kind & 4) != 0;
        step.passed = in_.u8() * ((kind & 64) != 0 ? Nanos(500ms) : Nanos(1ms));
        if ((kind & 2) != 0) {
            const Bytes raw = in_.bytes(std::min<size_t>(in_.le_u16(), in_.left()));
            step.bytes.assign(raw.begin(), raw.end());
        } else {
            make(step, kind);
        }
        return step;
    }

private:
    /// From a header's fields and a payload.
    void make(Step& step, uint8_t kind) {
        Header header;
        const bool cross = (kind & 8) != 0;  // The other session's id on this flow.
        header.connection_id = step.other != cross ? other_id : own_id;
        const uint8_t channel = in_.u8();
        if ((channel & 0x40) != 0) header.connection_id = 0;
        header.channel = static_cast<Channel>(channel & channel_bits);
        header.key_phase = (channel & key_phase_bit) != 0;
        header.flags = in_.u8();
        header.sequence = in_.le_u16();
        const Bytes payload = in_.bytes(std::min<size_t>(in_.le_u16(), in_.left()));
        step.bytes.resize(header_size + payload.size() + header.trailer_size());
        write_header(header, step.bytes);
        std::ranges::copy(payload, step.bytes.begin() + header_size);
        const uint32_t epoch = kind >> 4 & 3;
        step.closed_right = epoch < epochs;
        if (!header.encrypted()) {
            write_crc(step.bytes);
        } else {
            const keys::ShadowlandKey key = key_of(step.other, epoch % epochs);
            const bool to_server = step.direction == Direction::to_server;
            Cipher::seal(header, step.bytes, to_server ? key.to_server : key.to_client);
        }
        if (!step.closed_right) step.bytes.back() ^= std::byte{0x10};
    }

    Reader in_;
    uint8_t settings_;
    size_t steps_ = 0;
};

/// The sessions of two clients, and the decoder that follows them.
class Table {
public:
    explicit Table(bool tell_all)
        : decoder_({.sessions = 2, .fragments = {.sets = 8, .blocks = 24}, .tell_all = tell_all},
                   all_keys()) {}

    void begin() {
        summer_.sum = 0;
        now_ += 10min;  // What is counted by address is forgotten by then.
        for (const bool other : {false, true}) links_[other] = {client_of(other), server};
    }
    void receive(const Step& step) {
        now_ += step.passed;
        summer_.direction = step.direction;
        // A copy that ends where the datagram does, so that a read behind it is seen.
        const std::vector<std::byte> exact(step.bytes);
        const Outcome outcome =
            decoder_.receive(links_[step.other], step.direction, exact, now_, summer_);
        const PacketSeen& seen = summer_.seen;
        // Of several messages one alone is made harmless, and of a server's nothing need be.
        const bool goes_on = seen.header.reliable() || outcome.rewritten ||
                             (step.direction == Direction::to_client && seen.opened);
        require(outcome.error == Error::none || outcome.drop || goes_on);
        if (seen.opened && !seen.header.encrypted()) require(crc_holds(exact));
        if (seen.opened && seen.header.encrypted()) require(step.closed_right);
    }
    uint64_t end() {
        for (Link& link : links_) {
            say_goodbye(link);
            decoder_.forget(link);
        }
        require(decoder_.sessions_used() == 0);
        return summer_.sum;
    }

private:
    /// Whatever the session is, what would end it is well formed.
    void say_goodbye(const Link& link) {
        std::array<std::byte, datagram_size_max> room;
        for (const Direction direction : {Direction::to_server, Direction::to_client}) {
            const size_t size = decoder_.write_disconnect(link, direction, 7, "reason", room);
            require(size <= room.size());
            if (size == 0) continue;
            const ReadHeader read = read_header(Bytes(room).first(size));
            // A session whose sequences are used up can not be ended by one that is higher.
            require(read.error == Error::none || read.error == Error::sequence);
            if (!read.header.encrypted()) require(crc_holds(Bytes(room).first(size)));
        }
    }

    Decoder decoder_;
    Summer summer_;
    Nanos now_ = 400'000h;
    std::array<Link, 2> links_;
};

void play(Bytes bytes) {
    static std::array<Table, 2> quiet = {Table(false), Table(false)};
    static std::array<Table, 2> telling = {Table(true), Table(true)};
    Script script(bytes);
    auto& tables = script.tells_all() ? telling : quiet;
    for (Table& table : tables) table.begin();
    while (script.more()) {
        const Step step = script.next();
        for (Table& table : tables) table.receive(step);
    }
    require(tables[0].end() == tables[1].end());
}

}  // namespace
}  // namespace portcullis::shadowland

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    portcullis::shadowland::play(portcullis::as_bytes(data, size));
    return 0;
}
