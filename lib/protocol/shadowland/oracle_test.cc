// Goal: every packet of every capture is read as its sender meant it, with the keys
// and without them.
// Method: a decode of each capture, held field by field against the oracle beside it,
// which was written by the senders.  Without keys, what is encrypted stays closed, and
// everything else must be the same.

#include <sstream>

#include <gtest/gtest.h>
#include <zlib.h>

#include "protocol/shadowland/capture_test_support.h"
#include "protocol/shadowland/decoder.h"

namespace portcullis::shadowland {
namespace {

std::string gunzip(const fs::path& path) {
    std::string text;
    gzFile file = gzopen(path.c_str(), "rb");
    std::array<char, 65'536> part;
    for (int size; (size = gzread(file, part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<size_t>(size));
    }
    gzclose(file);
    return text;
}

/// Writes what the decoder tells in the oracle's shape.
struct Oracle {
    Direction direction{};
    json datagram = json::object();
    std::vector<json> reassembled;
    PacketSeen seen;
    size_t violations = 0;

    json& current() { return reassembled.empty() ? datagram : reassembled.back(); }

    void packet(const PacketSeen& s) {
        seen = s;
        JsonTeller teller;
        describe(s.header, teller);
        if (s.error != Error::size) datagram = teller.take();
        if (s.header.encrypted() && s.opened) datagram["epoch"] = s.epoch;
        if (s.error != Error::none) datagram["error"] = name_in(error_names, s.error);
    }
    void on(const Violation&) { ++violations; }
    void on(const RoundTrip&) {}
    void on(const Missed&) {}
    void turn(Direction) {}
    template <class M>
    void on(const M& message) {
        PayloadTeller teller(direction, false);
        teller.on(message);
        const json told = teller.out["messages"][0];
        if (seen.header.control() && reassembled.empty()) {
            datagram["control"] = told;
        } else {
            current()["messages"].push_back(told);
        }
    }
    void on_form(Form form) { current()["form"] = name_in(form_names, form); }
    void on_broken(Error error) {
        current()["messages"].push_back({{"error", name_in(error_names, error)}});
    }
    void on_inflated(size_t size) { datagram["original_size"] = size; }
    void on_whole(uint16_t id, size_t original) {
        reassembled.push_back({{"fragment_id", id}, {"connection_id", seen.header.connection_id}});
        if (original > 0) reassembled.back()["original_size"] = original;
    }
    void on_error(Error error) {
        json& told = current();
        for (const char* field : {"control", "form", "messages", "original_size", "epoch"}) {
            told.erase(field);
        }
        told["error"] = name_in(error_names, error);
    }
};

struct Totals {
    size_t packets = 0, opened = 0, reassembled = 0, differences = 0;
};

/// Without keys: what the payload of an encrypted packet holds is not known.
void close_sealed(json& line) {
    if ((line.value("flags", 0) & 3) != 3) return;
    for (const char* field : {"control", "form", "messages", "original_size", "epoch"}) {
        line.erase(field);
    }
    if (line.value("error", "") == "tag") line.erase("error");
}

class Comparison {
public:
    Comparison(const fs::path& capture, bool with_keys)
        : capture_(capture), with_keys_(with_keys), keys_(with_keys ? 4'096 : 0) {
        std::istringstream oracle(gunzip(beside(capture, ".oracle.jsonl.gz")));
        for (std::string line; std::getline(oracle, line);) {
            json one = json::parse(line);
            if (one.contains("after")) {
                wholes_.push_back(std::move(one));
            } else {
                lines_.push_back(std::move(one));
            }
        }
        keys_path_ = beside(capture, ".keys.json");
    }

    Totals run() {
        Decoder decoder({.sessions = 512, .fragments = {}, .tell_all = true}, keys_);
        std::map<std::string, Link> links;
        read_capture(capture_, [&](const Datagram& d) { one(decoder, links, d); });
        if (with_keys_) {
            EXPECT_EQ(totals_.reassembled, wholes_.size()) << capture_;
        }
        EXPECT_EQ(totals_.packets, lines_.size()) << capture_;
        return totals_;
    }

private:
    void one(Decoder& decoder, std::map<std::string, Link>& links, const Datagram& d) {
        constexpr uint16_t port = 3565;
        const bool to_server = d.destination.port == port;
        const Endpoint client = to_server ? d.source : d.destination;
        const Endpoint server = to_server ? d.destination : d.source;
        if (with_keys_ && totals_.packets == 0) load_keys(keys_path_, server, keys_);
        Link& link = links[to_string(client)];
        link.client = client;
        link.server = server;

        Oracle told;
        told.direction = to_server ? Direction::to_server : Direction::to_client;
        decoder.receive(link, told.direction, d.payload, d.time, told);
        if (totals_.packets >= lines_.size()) {
            ++totals_.packets;
            return;
        }
        json expected = lines_[totals_.packets++];
        EXPECT_EQ(expected["client"], to_string(client));
        EXPECT_EQ(expected["len"], d.payload.size());
        for (const char* field : {"n", "t", "dir", "client", "len"}) expected.erase(field);
        if (!with_keys_) close_sealed(expected);
        json got = told.datagram;
        if (!with_keys_) close_sealed(got);
        compare(got, expected);
        totals_.opened += told.seen.opened ? 1 : 0;
        for (json& whole : told.reassembled) compare_whole(whole);
    }
    void compare_whole(json& whole) {
        const auto it = std::ranges::find_if(wholes_, [&](const json& w) {
            return w["after"] == totals_.packets && w["fragment_id"] == whole["fragment_id"];
        });
        ++totals_.reassembled;
        if (it == wholes_.end()) {
            ++totals_.differences;
            ADD_FAILURE() << capture_ << ": nobody meant " << whole.dump();
            return;
        }
        json expected = *it;
        for (const char* field : {"after", "reassembled", "dir"}) expected.erase(field);
        compare(whole, expected);
    }
    void compare(const json& got, const json& expected) {
        if (got == expected) return;
        ++totals_.differences;
        if (totals_.differences > 5) return;
        ADD_FAILURE() << capture_ << " packet " << totals_.packets << ":\n"
                      << got.dump() << "\nmeant was:\n"
                      << expected.dump();
    }

    fs::path capture_;
    bool with_keys_;
    keys::ShadowlandKeys keys_;
    std::string keys_path_;
    std::vector<json> lines_, wholes_;
    Totals totals_;
};

void compare_all(bool with_keys) {
    Totals all;
    size_t captures = 0;
    for (const fs::path& folder : folders()) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() != ".pcap") continue;
            const Totals one = Comparison(entry.path(), with_keys).run();
            ++captures;
            all.packets += one.packets;
            all.opened += one.opened;
            all.reassembled += one.reassembled;
            all.differences += one.differences;
        }
    }
    if (captures == 0) GTEST_SKIP() << "no captures beside the repository";
    std::printf("%zu captures, %zu packets (%zu opened), %zu put together: %zu differences\n",
                captures, all.packets, all.opened, all.reassembled, all.differences);
    EXPECT_EQ(all.differences, 0u);
}

TEST(Captures, WithKeysAreReadAsTheirSendersMeantThem) { compare_all(true); }
TEST(Captures, WithoutKeysEverythingThatIsNotSealedIsReadTheSame) { compare_all(false); }

}  // namespace
}  // namespace portcullis::shadowland
