// Goal: of every frame we know what a host would read in it, no more and no
// less; and what no host reads is named.
// Method: frames from PacketBuilder, bent a little, one story each.

#include "packet/headers.h"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "packet/checksum.h"
#include "packet/packet_builder.h"
#include "packet/wire_order.h"

namespace portcullis {
namespace {

namespace tcp = stream::tcp;

const Endpoint client4 = *parse_endpoint("198.51.100.7:50122");
const Endpoint server4 = *parse_endpoint("10.0.0.2:25565");
const Endpoint client6 = *parse_endpoint("[2001:db8::7]:50122");
const Endpoint server6 = *parse_endpoint("[2001:db8:1::2]:25565");

PacketBuilder segment4() {
    return PacketBuilder{}.from(client4).to(server4).tcp(Seq(1000), Seq(2000), tcp::ack);
}
PacketBuilder segment6() {
    return PacketBuilder{}.from(client6).to(server6).tcp(Seq(1000), Seq(2000), tcp::ack);
}

/// A frame with its Packet, as parse leaves it.
struct Frame {
    std::vector<std::byte> bytes;
    Packet packet;

    explicit Frame(const PacketBuilder& builder) : bytes(builder.size()) { builder.build(bytes); }
    explicit Frame(std::vector<std::byte> raw) : bytes(std::move(raw)) {}

    Packet& read() {
        packet = Packet{};
        packet.frame = bytes.data();
        packet.frame_size = static_cast<uint32_t>(bytes.size());
        read_headers(packet);
        return packet;
    }
    Frame& set(size_t at, int value) {
        bytes.at(at) = static_cast<std::byte>(value);
        return *this;
    }
    Frame& set16(size_t at, uint16_t value) {
        store_be16(&bytes.at(at), value);
        return *this;
    }
};

/// Puts extension headers between an IPv6 header and its L4.
Frame with_extensions(uint8_t first, const std::vector<std::vector<uint8_t>>& extensions) {
    Frame frame(segment6().payload(as_bytes("hello")));
    const auto l4_type = frame.bytes.at(20);
    frame.set(20, first);
    size_t at = 54, added = 0;
    for (size_t i = 0; i < extensions.size(); ++i) {
        std::vector<std::byte> raw;
        for (const uint8_t b : extensions[i]) raw.push_back(std::byte{b});
        if (i + 1 == extensions.size()) raw.at(0) = l4_type;
        frame.bytes.insert(frame.bytes.begin() + long(at), raw.begin(), raw.end());
        at += raw.size();
        added += raw.size();
    }
    const uint16_t payload = load_be16(&frame.bytes.at(18));
    frame.set16(18, static_cast<uint16_t>(payload + added));
    return frame;
}

TEST(Headers, ReadsWhatTheBuilderWrites) {
    for (const PacketBuilder& plain : {segment4(), segment6()}) {
        for (unsigned tags = 0; tags <= vlan_tags_max; ++tags) {
            PacketBuilder builder = plain;
            builder.payload(as_bytes("hello"));
            for (unsigned i = 0; i < tags; ++i) builder.vlan(100, vlan_types[i]);
            Frame frame(builder);
            const Packet& p = frame.read();
            EXPECT_EQ(p.fault, DropReason::none);
            EXPECT_EQ(p.way, Way::inspect);
            EXPECT_EQ(p.vlan_tags, tags);
            EXPECT_TRUE(p.has_ports);
            EXPECT_EQ(p.source.port, 50122);
            EXPECT_EQ(p.destination, p.ip_version == 4 ? server4 : server6);
            EXPECT_EQ(p.tcp.seq, Seq(1000));
            EXPECT_EQ(p.tcp.ack, Seq(2000));
            EXPECT_EQ(as_text(p.payload()), "hello");
            EXPECT_TRUE(checksums_hold(p));
        }
    }
}

TEST(Headers, ReadsDatagrams) {
    for (const auto& [from, to] : {std::pair(client4, server4), std::pair(client6, server6)}) {
        Frame frame(PacketBuilder{}.from(from).to(to).udp().payload(as_bytes("ping")));
        const Packet& p = frame.read();
        EXPECT_TRUE(p.is_udp());
        EXPECT_EQ(p.fault, DropReason::none);
        EXPECT_EQ(as_text(p.payload()), "ping");
        EXPECT_TRUE(checksums_hold(p));
    }
}

TEST(Headers, PaddingIsNeverPayload) {
    for (const PacketBuilder& builder : {segment4(), segment6()}) {
        Frame frame(builder);
        frame.bytes.resize(frame.bytes.size() + 6, std::byte{0xee});
        EXPECT_EQ(frame.read().payload_size, 0);
        EXPECT_EQ(frame.packet.fault, DropReason::none);
        EXPECT_TRUE(checksums_hold(frame.packet));
    }
}

TEST(Headers, AnyChangedBitBreaksTheSum) {
    for (const PacketBuilder& plain : {segment4(), segment6()}) {
        PacketBuilder builder = plain;
        Frame frame(builder.payload(as_bytes("odd")));
        frame.read();
        for (size_t at = frame.packet.l4_offset; at < frame.bytes.size(); ++at) {
            for (int bit = 0; bit < 8; ++bit) {
                frame.bytes[at] ^= std::byte(1 << bit);
                EXPECT_FALSE(checksums_hold(frame.packet)) << at;
                frame.bytes[at] ^= std::byte(1 << bit);
            }
        }
    }
}

struct Bent {
    const char* story;
    std::function<void(Frame&)> bend;
    DropReason fault;
    Way way;
};

// Ethernet to 14, IPv4 to 34, TCP from there.
const std::vector<Bent> bent = {
    {"as built", [](Frame&) {}, DropReason::none, Way::inspect},
    {"cut in the TCP header", [](Frame& f) { f.bytes.resize(40); }, DropReason::truncated,
     Way::inspect},
    {"cut in the IP header", [](Frame& f) { f.bytes.resize(30); }, DropReason::none, Way::pass},
    {"cut in the Ethernet header", [](Frame& f) { f.bytes.resize(13); }, DropReason::none,
     Way::pass},
    {"empty",
     [](Frame& f) {
         f.bytes.resize(1);
         f.packet.frame_size = 0;
     },
     DropReason::none, Way::pass},
    {"IP header of 16 bytes", [](Frame& f) { f.set(14, 0x44); }, DropReason::bad_header,
     Way::inspect},
    {"IP header longer than IP", [](Frame& f) { f.set(14, 0x4f); }, DropReason::bad_header,
     Way::inspect},
    {"total length 0", [](Frame& f) { f.set16(16, 0); }, DropReason::bad_header, Way::inspect},
    {"total length beyond the frame", [](Frame& f) { f.set16(16, 1000); }, DropReason::truncated,
     Way::inspect},
    {"total length ends in TCP", [](Frame& f) { f.set16(16, 30); }, DropReason::truncated,
     Way::inspect},
    {"data offset 16", [](Frame& f) { f.set(46, 0x40); }, DropReason::bad_header, Way::inspect},
    {"data offset beyond", [](Frame& f) { f.set(46, 0xf0); }, DropReason::bad_header, Way::inspect},
    {"SYN and FIN", [](Frame& f) { f.set(47, tcp::syn | tcp::fin); }, DropReason::bad_header,
     Way::inspect},
    {"SYN and RST", [](Frame& f) { f.set(47, tcp::syn | tcp::rst); }, DropReason::bad_header,
     Way::inspect},
    {"no flags", [](Frame& f) { f.set(47, 0); }, DropReason::bad_header, Way::inspect},
    {"only FIN", [](Frame& f) { f.set(47, tcp::fin); }, DropReason::bad_header, Way::inspect},
    {"IP version 5", [](Frame& f) { f.set(14, 0x55); }, DropReason::none, Way::pass},
    {"ARP", [](Frame& f) { f.set16(12, 0x0806); }, DropReason::none, Way::pass},
    {"LLC", [](Frame& f) { f.set16(12, 0x0026); }, DropReason::none, Way::pass},
    {"PPPoE", [](Frame& f) { f.set16(12, 0x8864); }, DropReason::none, Way::pass},
    {"MPLS", [](Frame& f) { f.set16(12, 0x8847); }, DropReason::none, Way::pass},
};

TEST(Headers, NamesWhatIsWrong) {
    for (const Bent& c : bent) {
        Frame frame(segment4());
        c.bend(frame);
        const Packet& p = frame.read();
        EXPECT_EQ(p.fault, c.fault) << c.story;
        EXPECT_EQ(p.way, c.way) << c.story;
    }
}

TEST(Headers, LooksBehindHoweverManyTagsAndNamesWhatIsTooMany) {
    for (const uint8_t vlan : {uint8_t{0}, uint8_t{1}}) {
        for (const size_t tags : {vlan_tags_max + 1, size_t{40}, size_t{300}, size_t{2'000}}) {
            Frame frame(segment4().payload(as_bytes("hello")));
            for (size_t i = 0; i < tags; ++i) {
                const std::array tag = {std::byte{0x81}, std::byte{0}, std::byte{0},
                                        std::byte{vlan}};
                frame.bytes.insert(frame.bytes.begin() + 12, tag.begin(), tag.end());
            }
            const Packet& p = frame.read();
            EXPECT_EQ(p.way, Way::inspect) << tags;
            EXPECT_EQ(p.fault, DropReason::bad_header) << tags;
            EXPECT_EQ(p.destination, server4) << tags;
            frame.bytes.resize(14 + 4 * tags);
            EXPECT_EQ(frame.read().way, Way::pass) << tags;
            frame.bytes.resize(13 + 4 * tags);
            EXPECT_EQ(frame.read().way, Way::pass) << tags;
        }
    }
}

TEST(Headers, SeesFragments) {
    Frame first(segment4());
    first.set16(20, 0x2000);  // More to come.
    EXPECT_TRUE(first.read().fragment);
    EXPECT_TRUE(first.packet.has_ports);

    Frame later(segment4());
    later.set16(20, 3);
    EXPECT_TRUE(later.read().fragment);
    EXPECT_FALSE(later.packet.has_ports);

    Frame whole(segment4());
    whole.set16(20, 0x4000);  // Only "do not fragment".
    EXPECT_FALSE(whole.read().fragment);
}

TEST(Headers, WalksExtensionHeaders) {
    const std::vector<uint8_t> options = {60, 0, 1, 4, 0, 0, 0, 0};
    Frame one = with_extensions(0, {options});
    EXPECT_EQ(as_text(one.read().payload()), "hello");
    EXPECT_TRUE(one.packet.ip_options);
    EXPECT_TRUE(checksums_hold(one.packet));

    Frame most = with_extensions(60, std::vector(ipv6_headers_max, options));
    EXPECT_EQ(most.read().fault, DropReason::none);
    EXPECT_EQ(as_text(most.packet.payload()), "hello");
    Frame too_many = with_extensions(60, std::vector(ipv6_headers_max + 1, options));
    EXPECT_EQ(too_many.read().fault, DropReason::bad_header);
    EXPECT_FALSE(too_many.packet.has_ports);

    Frame beyond = with_extensions(60, {{60, 200, 1, 4, 0, 0, 0, 0}});
    EXPECT_EQ(beyond.read().fault, DropReason::truncated);
    EXPECT_FALSE(beyond.packet.has_ports);
}

TEST(Headers, SeesFragmentsOfIpv6) {
    Frame atomic = with_extensions(44, {{0, 0, 0, 0, 1, 2, 3, 4}});
    EXPECT_FALSE(atomic.read().fragment);  // RFC 6946
    EXPECT_EQ(as_text(atomic.packet.payload()), "hello");
    Frame first = with_extensions(44, {{0, 0, 0, 1, 1, 2, 3, 4}});
    EXPECT_TRUE(first.read().fragment);
    EXPECT_TRUE(first.packet.has_ports);
    Frame later = with_extensions(44, {{0, 0, 1, 0, 1, 2, 3, 4}});
    EXPECT_TRUE(later.read().fragment);
    EXPECT_FALSE(later.packet.has_ports);
}

TEST(Headers, NoIpv4AddressInsideIpv6) {
    Frame frame(segment6());
    const IpAddress mapped = server4.address;
    std::ranges::copy(as_bytes(mapped.octets.data(), 16), frame.bytes.begin() + 38);
    EXPECT_EQ(frame.read().fault, DropReason::bad_header);
}

TEST(Headers, UdpEndsWhereUdpSays) {
    Frame frame(PacketBuilder{}.from(client4).to(server4).udp().payload(as_bytes("ping!!")));
    frame.set16(38, 8 + 4);
    EXPECT_EQ(as_text(frame.read().payload()), "ping");
    frame.set16(38, 7);
    EXPECT_EQ(frame.read().fault, DropReason::bad_header);
    frame.set16(38, 100);
    EXPECT_EQ(frame.read().fault, DropReason::bad_header);
}

TEST(Headers, UdpWithoutSum) {
    Frame over4(PacketBuilder{}.from(client4).to(server4).udp().payload(as_bytes("ping")));
    EXPECT_TRUE(checksums_hold(over4.set16(40, 0).read()));
    Frame over6(PacketBuilder{}.from(client6).to(server6).udp().payload(as_bytes("ping")));
    EXPECT_FALSE(checksums_hold(over6.set16(60, 0).read()));  // RFC 8200 8.1
}

TEST(Headers, ARewrittenPayloadHasItsSum) {
    for (size_t at = 0; at < 4; ++at) {
        Frame frame(segment6().payload(as_bytes("position")));
        frame.read();
        rewrite_payload(frame.packet, at, as_bytes("XYZ"));
        EXPECT_TRUE(checksums_hold(frame.packet)) << at;
        EXPECT_EQ(as_text(frame.packet.payload()).substr(at, 3), "XYZ");
    }
}

TEST(Headers, UrgentGoesOutOfTheFrame) {
    Frame frame(segment4().payload(as_bytes("x")));
    frame.set(47, tcp::ack | tcp::urg).set16(52, 1);
    frame.read();
    ChecksumSum sum;  // Make the bent frame whole first.
    frame.set16(50, 0);
    sum = l4_sum(client4.address, server4.address, 6, Bytes(frame.bytes).subspan(34));
    const uint16_t field = sum.field();
    std::ranges::copy(as_bytes(&field, 2), frame.bytes.begin() + 50);
    ASSERT_TRUE(checksums_hold(frame.read()));
    clear_urgent(frame.packet);
    EXPECT_TRUE(checksums_hold(frame.read()));
    EXPECT_FALSE(frame.packet.has(tcp::urg));
    EXPECT_EQ(frame.packet.tcp.urgent, 0);
}

TEST(Headers, TakesOptionsOfOneKindOutOfEveryPlace) {
    constexpr uint8_t kind = stream::multipath_option;
    const std::array<std::vector<uint8_t>, 6> lists = {{
        {kind, 4, 0x01, 0x81},
        {1, kind, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1},  // From an odd place on.
        {2, 4, 5, 180, kind, 4, 0, 1, 3, 3, 7, kind, 3, 0, 1, 1},
        {kind, 40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
         19,   20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
        {2, 4, 5, 180, 0, kind, 2, 1},  // Behind the end of the list.
        {2, 4, 5, 180, kind, 200, 1, 1},
    }};
    for (const auto& list : lists) {
        const Bytes options = as_bytes(list.data(), list.size());
        Frame frame(PacketBuilder{}
                        .from(*parse_endpoint("198.51.100.7:50122"))
                        .to(*parse_endpoint("10.0.0.2:25565"))
                        .tcp(Seq(1), Seq(0), tcp::syn)
                        .options(options)
                        .payload(as_bytes("x")));
        ASSERT_EQ(frame.read().fault, DropReason::none);
        const bool had = frame.packet.tcp.options.multipath;
        const uint16_t mss = frame.packet.tcp.options.mss;
        ASSERT_TRUE(checksums_hold(frame.packet));
        const auto before = frame.bytes;
        clear_option(frame.packet, kind);
        EXPECT_TRUE(checksums_hold(frame.read()));
        EXPECT_FALSE(frame.packet.tcp.options.multipath);
        EXPECT_EQ(frame.packet.tcp.options.mss, mss);
        EXPECT_EQ(as_text(frame.packet.payload()), "x");
        EXPECT_EQ(std::ranges::equal(before, frame.bytes), !had);
    }
}

TEST(Headers, LinkHeaderGoesRound) {
    PacketBuilder builder = segment4().vlan(5, 0x88a8).vlan(6);
    Frame frame(builder);
    const LinkHeader link = link_header(frame.read());
    Frame again(segment4().link(link));
    EXPECT_TRUE(std::ranges::equal(frame.bytes, again.bytes));
    EXPECT_EQ(link.reversed().reversed().addresses, link.addresses);
}

// Goal: hostile bytes are read in bounds, whatever they say.  Method: random
// damage to good frames, each in memory of just its size (run under ASan too).
TEST(Headers, SurvivesDamage) {
    constexpr unsigned seed = 7;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::vector<uint8_t> options = {60, 0, 1, 4, 0, 0, 0, 0};
    for (int round = 0; round < 20'000; ++round) {
        Frame frame = round % 2 == 0 ? Frame(segment4().vlan(7).payload(as_bytes("hello")))
                                     : with_extensions(0, {options, options});
        for (auto i = random() % 6; i > 0; --i) {
            frame.bytes[random() % frame.bytes.size()] = static_cast<std::byte>(random());
        }
        frame.bytes.resize(random() % 4 == 0 ? random() % frame.bytes.size() : frame.bytes.size());
        frame.bytes.shrink_to_fit();
        const Packet& p = frame.read();
        if (p.way == Way::inspect && p.has_ports && p.fault == DropReason::none && !p.fragment) {
            ASSERT_LE(size_t{p.payload_offset} + p.payload_size, frame.bytes.size());
            (void)checksums_hold(p);
        }
    }
}

}  // namespace
}  // namespace portcullis
