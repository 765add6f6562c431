// Goal: a packet that a line damaged is never believed and never read outside its bytes.
// Method: every packet of the captures that come with the source, in its own session, cut after
// each byte and with each bit turned, each time in memory that ends where the packet does, before
// the packet itself passes.  AddressSanitizer watches the reads (tools/dev asan); whatever is
// believed has a sum or a tag, so of the damaged ones none may be.  With PORTCULLIS_MUTATION=full
// all captures beside the repository are read, which takes minutes.

#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

#include "protocol/shadowland/capture_test_support.h"
#include "protocol/shadowland/decoder.h"

namespace portcullis::shadowland {
namespace {

/// Hears everything, believes nothing, and tells every field so that all are looked at.
struct Hearer {
    Direction direction{};
    PacketSeen seen{};
    size_t messages = 0;

    void packet(const PacketSeen& s) { seen = s; }
    void on(const Violation&) {}
    void on(const RoundTrip&) {}
    void on(const Missed&) {}
    void turn(Direction) {}
    template <class M>
    void on(const M& message) {
        ++messages;
        JsonTeller teller;
        describe(message, direction, teller);
    }
    void on_form(Form) {}
    void on_inflated(size_t) {}
    void on_whole(uint16_t, size_t) {}
    void on_broken(Error) {}
    void on_error(Error) {}
};

struct Totals {
    size_t packets = 0, right = 0, opened = 0, damaged = 0, believed = 0;
};

class Sessions {
public:
    explicit Sessions(const fs::path& capture)
        : keys_(4'096), decoder_({.sessions = 512, .fragments = {}, .tell_all = true}, keys_) {
        read_capture(capture, [&](const Datagram& d) { one(capture, d); });
    }
    Totals totals;

private:
    static constexpr Nanos began{1'795'000'000'000'000'000};

    void one(const fs::path& capture, const Datagram& d) {
        constexpr uint16_t port = 3565;
        const bool to_server = d.destination.port == port;
        const Endpoint client = to_server ? d.source : d.destination;
        const Endpoint server = to_server ? d.destination : d.source;
        if (totals.packets++ == 0) load_keys(beside(capture, ".keys.json"), server, keys_);
        Link& link = links_[to_string(client)];
        link.client = client;
        link.server = server;
        const Direction direction = to_server ? Direction::to_server : Direction::to_client;
        std::vector<std::byte> bytes(d.payload.begin(), d.payload.end());
        if (!is_right(bytes)) return;
        for (size_t size = 0; size < bytes.size(); ++size) {
            damaged(link, direction, Bytes(bytes).first(size), "cut");
        }
        for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            const auto turn = static_cast<std::byte>(1u << bit % 8);
            bytes[bit / 8] ^= turn;
            damaged(link, direction, bytes, "turned");
            bytes[bit / 8] ^= turn;
        }
        ++totals.right;
        totals.opened += receive(link, direction, bytes).seen.opened ? 1 : 0;
    }
    /// So far apart that nobody is too fast, or nothing would be looked at any more; by a clock
    /// of each client, or another's damage would keep its session from beginning in time.
    Hearer receive(Link& link, Direction direction, Bytes bytes) {
        Nanos& now = clocks_.try_emplace(to_string(link.client), began).first->second;
        now += 6ms;
        const std::vector<std::byte> exact(bytes.begin(), bytes.end());
        Hearer hearer{.direction = direction};
        decoder_.receive(link, direction, exact, now, hearer);
        return hearer;
    }
    void damaged(Link& link, Direction direction, Bytes bytes, const char* how) {
        const Hearer hearer = receive(link, direction, bytes);
        ++totals.damaged;
        if (!hearer.seen.opened && hearer.messages == 0) return;
        if (++totals.believed > 5) return;
        ADD_FAILURE() << how << ", packet " << totals.packets << ": " << to_hex(bytes);
    }
    /// What its sender broke itself is not for this test.
    static bool is_right(Bytes bytes) {
        const ReadHeader read = read_header(bytes);
        return read.error == Error::none && (read.header.encrypted() || crc_holds(bytes));
    }

    keys::ShadowlandKeys keys_;
    Decoder decoder_;
    std::map<std::string, Link> links_;
    std::map<std::string, Nanos> clocks_;
};

TEST(Datagram, ThatALineDamagedIsNeverBelieved) {
    const char* asked = std::getenv("PORTCULLIS_MUTATION");
    const bool full = asked != nullptr && std::string_view(asked) == "full";
    Totals all;
    for (const fs::path& folder : full ? folders() : std::vector{own_captures()}) {
        for (const auto& file : fs::directory_iterator(folder)) {
            if (file.path().extension() != ".pcap") continue;
            const Totals one = Sessions(file.path()).totals;
            // Of an attack much is refused undamaged.
            if (file.path().filename().string().starts_with("legit")) {
                all.right += one.right;
                all.opened += one.opened;
            }
            all.damaged += one.damaged;
            all.believed += one.believed;
        }
    }
    std::printf("%zu honest packets, %zu of them opened, damaged in %zu ways: %zu believed\n",
                all.right, all.opened, all.damaged, all.believed);
    EXPECT_GT(all.damaged, 100'000u);
    EXPECT_EQ(all.believed, 0u);
    // Were they refused for something else, the damage would prove nothing.
    EXPECT_GT(10 * all.opened, 9 * all.right);
}

}  // namespace
}  // namespace portcullis::shadowland
