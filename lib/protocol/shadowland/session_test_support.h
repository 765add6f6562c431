#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/shadowland/decoder.h"
#include "protocol/shadowland/speak_test_support.h"

/// A plain session that tests speak packet by packet.
namespace portcullis::shadowland {

struct Ear {
    PacketSeen seen;
    std::vector<std::string> names;
    std::vector<Fault> faults;
    float confidence = 0;            ///< Of the newest fault.
    bool proven = false;             ///< Any of them.
    std::vector<std::string> taken;  ///< Of `names`, what its receiver takes.
    const Decoder* decoder = nullptr;
    std::vector<size_t> wholes;

    void packet(const PacketSeen& s) { seen = s; }
    void on(const Violation& violation) {
        faults.push_back(violation.fault);
        confidence = violation.confidence;
        proven |= violation.proven;
    }
    void on(const RoundTrip&) {}
    void on(const Missed&) {}
    void turn(Direction) {}
    template <class M>
    void on(const M&) {
        names.emplace_back(M::name);
        if (decoder != nullptr && !decoder->refuses()) taken.emplace_back(M::name);
    }
    void on_form(Form) {}
    void on_broken(Error) {}
    void on_inflated(size_t) {}
    void on_whole(uint16_t id, size_t) { wholes.push_back(id); }
    void on_error(Error) {}
};

class Session_ : public testing::Test {
protected:
    static constexpr uint32_t id = 7;

    Session_() {
        hears(Direction::to_server, connect(std::vector<std::byte>(cookie_size)));
        EXPECT_TRUE(hears(Direction::to_client, accepted(id)).begun);
        EXPECT_NE(link.session, Pool<Session>::none);
    }
    std::vector<std::byte> control(ControlType type, auto message, Direction d, uint64_t sequence,
                                   uint8_t purpose = 0, Channel channel = Channel::unreliable) {
        return packet(static_cast<uint8_t>(type), message, d, sequence,
                      static_cast<uint8_t>(flag::control | purpose), channel);
    }
    std::vector<std::byte> packet(uint8_t type, auto message, Direction d, uint64_t sequence,
                                  uint8_t flags, Channel channel) {
        std::vector<std::byte> out(datagram_size_max);
        Header header;
        header.connection_id = id;
        header.flags = flags;
        header.channel = channel;
        header.sequence = sequence;
        write_header(header, out);
        Writer body(MutableBytes(out).subspan(header_size));
        body.u8(type);
        write_body(body, message, d);
        out.resize(header_size + body.size() + crc_size);
        write_crc(out);
        return out;
    }
    Outcome hears(Direction d, Bytes datagram) {
        ear = {};
        ear.decoder = &decoder;
        return decoder.receive(link, d, datagram, now, ear);
    }
    Outcome says(Direction d, ControlType type, auto message, uint64_t sequence,
                 uint8_t purpose = 0, Channel channel = Channel::unreliable) {
        return hears(d, control(type, message, d, sequence, purpose, channel));
    }
    bool blamed(Fault fault) const {
        return std::ranges::find(ear.faults, fault) != ear.faults.end();
    }

    keys::ShadowlandKeys keys{0};
    Decoder decoder{{.sessions = 4, .fragments = {8, 128}, .tell_all = false}, keys};
    Link link{*parse_endpoint("10.88.0.1:50000"), *parse_endpoint("10.88.0.2:3565")};
    Nanos now = 1'000s;
    uint64_t up = 0, down = 0;
    Ear ear;
};

}  // namespace portcullis::shadowland
