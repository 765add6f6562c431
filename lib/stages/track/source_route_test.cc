// Goal: nothing is brought to a server by way of others, past what is looked at.
// Method: packets for a router, whose source routes name a Service's address or somebody else's,
// among headers and options of other kinds; and such routes cut short.

#include <gtest/gtest.h>

#include "packet/checksum.h"
#include "packet/testing/fragmenting.h"
#include "packet/wire_order.h"
#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using namespace testing;
using Raw = std::vector<uint8_t>;

const Endpoint router = *parse_endpoint("10.0.0.1:25565");
const Endpoint server6 = *parse_endpoint("[2001:db8::2]:25565");
const Endpoint router6 = *parse_endpoint("[2001:db8::1]:25565");

/// Puts `raw` behind the IP header of a segment to `to`.
rte_mbuf* with(const Endpoint& to, const Raw& raw) {
    const bool v4 = to.address.is_v4();
    const Endpoint from = *parse_endpoint(v4 ? "198.51.100.7:50122" : "[2001:db8::7]:50122");
    auto frame =
        portcullis::testing::built(PacketBuilder{}.from(from).to(to).tcp(Seq(1), Seq(1), tcp::ack));
    constexpr size_t ip = 14;
    const Bytes bytes = as_bytes(raw.data(), raw.size());
    frame.insert(frame.begin() + ip + (v4 ? 20 : 40), bytes.begin(), bytes.end());
    if (v4) {
        frame[ip] = std::byte(0x45 + raw.size() / 4);
        store_be16(&frame[ip + 2], static_cast<uint16_t>(frame.size() - ip));
        store_be16(&frame[ip + 10], 0);
        ChecksumSum sum;
        sum.add({&frame[ip], 20 + raw.size()});
        const uint16_t field = sum.field();
        std::memcpy(&frame[ip + 10], &field, sizeof field);
    } else {
        store_be16(&frame[ip + 4], static_cast<uint16_t>(frame.size() - ip - 40));
        frame[ip + 6] = std::byte{43};
    }
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool());
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(frame.size())), frame.data(),
                frame.size());
    return mbuf;
}

/// A routing header of this type, with so many segments left, by these addresses.
Raw routing(uint8_t type, uint8_t left, std::initializer_list<const char*> names) {
    Raw raw = {6, static_cast<uint8_t>(2 * names.size()), type, left, 0, 0, 0, 0};
    for (const char* name : names) {
        const IpAddress address = *parse_address(name);
        raw.insert(raw.end(), address.octets.begin(), address.octets.end());
    }
    return raw;
}

TEST(SourceRoute, LeadsNobodyToAServer) {
    const struct {
        const char* story;
        Endpoint to;
        Raw raw;
        bool refused;
    } cases[] = {
        {"loose, to the server", router, {131, 7, 4, 10, 0, 0, 2, 0}, true},
        {"strict, to the server", router, {137, 7, 4, 10, 0, 0, 2, 0}, true},
        {"by another to the server", router, {1, 131, 11, 4, 10, 0, 0, 9, 10, 0, 0, 2}, true},
        {"behind a timestamp", router, {68, 8, 5, 0, 0, 0, 0, 0, 131, 7, 4, 10, 0, 0, 2, 0}, true},
        {"to somebody else", router, {131, 7, 4, 10, 0, 0, 9, 0}, false},
        {"behind the end of the options", router, {0, 131, 7, 4, 10, 0, 0, 2}, false},
        {"cut short", router, {131, 7, 4, 10}, false},
        {"another option", router, {7, 7, 4, 10, 0, 0, 2, 0}, false},
        {"type 0, to the server", router6, routing(0, 1, {"2001:db8::2"}), true},
        {"segments, to the server", router6, routing(4, 1, {"2001:db8::2", "2001:db8::9"}), true},
        {"to somebody else, IPv6", router6, routing(0, 1, {"2001:db8::9"}), false},
        {"that is at its end", router6, routing(0, 0, {"2001:db8::2"}), false},
    };
    for (const bool enforcing : {true, false}) {
        config::Config config = configuration();
        config.mode = enforcing ? verdicts::Mode::enforce : verdicts::Mode::observe;
        config::Service& six = config.services.emplace_back();
        six.name = "six";
        six.endpoint = server6;
        Line line(config);
        for (const auto& c : cases) {
            SCOPED_TRACE(c.story);
            const Fate fate = line.send_mbufs({with(c.to, c.raw)})[0];
            EXPECT_EQ(fate.drop,
                      enforcing && c.refused ? DropReason::bad_header : DropReason::none);
            EXPECT_FALSE(fate.has_flow);
        }
    }
}

}  // namespace
}  // namespace portcullis::stages
