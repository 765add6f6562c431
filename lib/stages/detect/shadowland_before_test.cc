// Goal: what is put aside before a packet is all that the packet changes of its session.
// Method: every packet of the captures that come with the source, at half the rate that a client
// may send with, so that floods are found too; after each, what was put aside is put back into a
// copy, which must then be what the session was, byte by byte.

#include "stages/detect/shadowland_before.h"

#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include "protocol/shadowland/capture_test_support.h"

namespace portcullis::stages {
namespace {

namespace fs = std::filesystem;
using namespace shadowland;

/// A session without its keys and what hangs on it in pools: those are as they stand when asked.
std::vector<std::byte> judged_by(const Session& session) {
    std::vector<std::byte> all;
    const auto add = [&](const auto& part) {
        const Bytes bytes = as_bytes(&part, sizeof part);
        all.insert(all.end(), bytes.begin(), bytes.end());
    };
    add(static_cast<const Conduct&>(session));
    add(static_cast<const Answers&>(session));
    for (const Half& half : session.halves) {
        add(half.windows);
        add(half.copies);
    }
    add(session.unreliable_at);
    return all;
}

struct Nobody {
    EntityPool entities{1};
    Maps maps{config::Shadowland()};
    ShadowlandWatched watched{entities, maps};
};

/// Puts aside what arrives, as who watches players does.
struct Ear {
    Nobody nobody;
    ShadowlandBefore before{nobody.watched};
    const Decoder* decoder = nullptr;
    Direction direction{};
    bool asked = false, due = false, replaced = false;
    std::vector<std::byte> stood;
    size_t found = 0;

    void arrives(const Header& header, bool accused) {
        const Session& session = *decoder->session_at_hand();
        // What else a server says accuses nobody.
        asked = direction == Direction::to_server || header.control();
        due = accused;
        stood = judged_by(session);
        before.put_aside(session, header, direction, *decoder);
    }
    void packet(const PacketSeen&) {}
    void turn(Direction) {}
    void on(const Violation&) { ++found; }
    void on(const ConnectionAccepted&) { replaced = true; }
    template <class M>
    void on(const M&) {}
    void on_form(Form) {}
    void on_inflated(size_t) {}
    void on_whole(uint16_t, size_t) {}
    void on_broken(Error) {}
    void on_error(Error) {}
};

TEST(ShadowlandBefore, IsHowTheSessionStood) {
    size_t packets = 0, found = 0;
    for (const auto& entry : fs::directory_iterator(own_captures())) {
        if (entry.path().extension() != ".pcap") continue;
        keys::ShadowlandKeys keys(4'096);
        Decoder decoder({.sessions = 512, .fragments = {}, .session_packets_per_s = 30}, keys);
        std::map<std::string, Link> links;
        Ear ear;
        ear.decoder = &decoder;
        read_capture(entry.path(), [&](const Datagram& d) {
            constexpr uint16_t port = 3565;
            const bool to_server = d.destination.port == port;
            const Endpoint client = to_server ? d.source : d.destination;
            const Endpoint server = to_server ? d.destination : d.source;
            if (links.empty()) load_keys(beside(entry.path(), ".keys.json"), server, keys);
            Link& link = links[to_string(client)];
            link.client = client;
            link.server = server;
            ear.direction = to_server ? Direction::to_server : Direction::to_client;
            ear.asked = ear.due = ear.replaced = false;
            const size_t found_before = ear.found;
            (void)decoder.receive(link, ear.direction, d.payload, d.time, ear);
            // What time brings was seen before anything was changed: nothing is put back.
            if (!ear.asked || ear.due || ear.replaced || link.session == Pool<Session>::none)
                return;
            Session session = decoder.session(link.session);
            ShadowlandWatched watched = ear.nobody.watched;
            ear.before.put_back(session, watched);
            EXPECT_EQ(judged_by(session), ear.stood) << entry.path() << " at " << d.time.count();
            ++packets;
            found += ear.found - found_before;
        });
    }
    EXPECT_GT(packets, 1'000u);
    EXPECT_GT(found, 40u);
}

}  // namespace
}  // namespace portcullis::stages
