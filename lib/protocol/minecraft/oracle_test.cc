// Goal: the decoder sees the same packets in real captures as an independent decoder.
// Method: read each capture with the simplest reassembly that can work, feed both
// directions as they come, and compare the packets by name, flow and direction with
// oracle.json.  Skipped where the captures are not there.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "base/reader.h"
#include "base/seq.h"
#include "protocol/minecraft/decoder.h"

namespace portcullis::minecraft {
namespace {

using Counts = std::map<std::string, int>;

/// The proxied Cuberite server of one capture listens on the second.
constexpr std::array<uint16_t, 2> server_ports = {25565, 25566};

bool is_server(uint16_t port) {
    return std::ranges::find(server_ports, port) != server_ports.end();
}

/// One direction of a TCP connection, put in order.
struct Stream {
    std::vector<std::byte> bytes;  // From the first not consumed on.
    std::map<uint32_t, std::vector<std::byte>> early;
    Seq next{};
    size_t skip = 0;
    bool open = false;
    bool finished = false;
};

struct Counter {
    Counts* counts = nullptr;
    std::string last;
    Counts misread;
    Values values;
    int faults = 0;
    bool opaque = false;
    const Cfb8::Secret* key = nullptr;

    const Cfb8::Secret* secret() const noexcept { return key; }
    void frame(const Frame& frame) {
        // The oracle counts what it could read; a frame without an id it could not.
        last = frame.id < 0 ? "" : frame.name();
        if (frame.id >= 0) ++(*counts)[last];
        if (!frame.has_body) return;
        // A layout that is wrong reads past the end, or leaves bytes over.
        NoSink sink;
        Walk<NoSink> walk(frame.body, values, sink);
        values.clear();
        if (!walk.run(*frame.program) || walk.trailing() > 0) ++misread[last];
    }
    void on(const protocol::Malformed& m) {
        if (!m.from_server) ++faults;
    }
    void on(const protocol::BecameOpaque&) { opaque = true; }
};

struct Flow {
    Session session;
    std::array<Stream, 2> streams;
    std::array<Counts, 2> counts;
    std::array<std::string, 2> last;  // Packet told, by direction.
    std::array<int, 2> faults{};
    bool opaque = false;
    Counts misread;
};

class Capture {
public:
    /// `secrets` by the client's port.
    Capture(Decoder& decoder, std::map<uint16_t, Cfb8::Secret> secrets)
        : decoder_(decoder), secrets_(std::move(secrets)) {}

    void read(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        const std::string all((std::istreambuf_iterator<char>(file)), {});
        Reader in(as_bytes(all));
        in.skip(24);
        while (in.left() >= 16) {
            in.skip(8);
            const uint32_t size = in.le_u32();
            in.skip(4);
            packet(in.bytes(size));
        }
    }

    std::map<uint16_t, Flow>& flows() { return flows_; }

private:
    void packet(Bytes frame) {
        Reader in(frame);
        in.skip(12);
        if (in.u16() != 0x0800) return;
        const size_t ip_header = size_t{in.u8() & 0xfu} * 4;
        in.skip(1);
        const size_t total = in.u16();
        in.skip(5);
        if (in.u8() != 6) return;
        Reader tcp(frame.subspan(14 + ip_header, total - ip_header));
        const uint16_t from = tcp.u16();
        const uint16_t to = tcp.u16();
        const Seq seq{tcp.u32()};
        tcp.skip(4);
        const size_t header = size_t{tcp.u8()} / 16 * 4;
        const uint8_t flags = tcp.u8();
        tcp.skip(header - 14);
        if (!is_server(from) && !is_server(to)) return;
        const auto direction = is_server(to) ? Direction::to_server : Direction::to_client;
        const uint16_t client = is_server(to) ? from : to;
        const auto secret = secrets_.find(client);
        key_ = secret == secrets_.end() ? nullptr : &secret->second;
        segment(flows_[client], direction, seq, (flags & 2) != 0, tcp.rest());
    }

    void segment(Flow& flow, Direction direction, Seq seq, bool syn, Bytes data) {
        Stream& stream = flow.streams[static_cast<size_t>(direction)];
        if (syn) {
            stream.next = seq + 1;
            stream.open = true;
            return;
        }
        if (!stream.open || data.empty()) return;
        stream.early[seq.value()].assign(data.begin(), data.end());
        bool grew = true;
        while (grew) {
            grew = false;
            for (auto it = stream.early.begin(); it != stream.early.end(); ++it) {
                const Seq at{it->first};
                if (at > stream.next) continue;
                const auto known = static_cast<size_t>(stream.next - at);
                if (known < it->second.size()) {
                    append(stream, Bytes(it->second).subspan(known));
                }
                stream.early.erase(it);
                grew = true;
                break;
            }
        }
        feed(flow, direction, stream);
    }

    static void append(Stream& stream, Bytes data) {
        stream.next += static_cast<uint32_t>(data.size());
        const size_t skipped = std::min(stream.skip, data.size());
        stream.skip -= skipped;
        data = data.subspan(skipped);
        stream.bytes.insert(stream.bytes.end(), data.begin(), data.end());
    }

    void feed(Flow& flow, Direction direction, Stream& stream) {
        if (stream.finished || stream.bytes.empty()) return;
        Counter counter;
        counter.key = key_;
        counter.counts = &flow.counts[static_cast<size_t>(direction)];
        counter.last = flow.last[static_cast<size_t>(direction)];
        const auto progress = decoder_.feed(flow.session, direction, stream.bytes, counter);
        ASSERT_LE(progress.consumed, stream.bytes.size());
        stream.bytes.erase(stream.bytes.begin(),
                           stream.bytes.begin() + static_cast<std::ptrdiff_t>(progress.consumed));
        // What is skipped has not arrived yet, so nothing is left over before it.
        if (progress.skip > 0) {
            ASSERT_TRUE(stream.bytes.empty());
        }
        stream.skip = progress.skip;
        flow.last[static_cast<size_t>(direction)] = counter.last;
        stream.finished = progress.finished;
        flow.faults[static_cast<size_t>(direction)] += counter.faults;
        flow.opaque = flow.opaque || counter.opaque;
        for (const auto& [name, n] : counter.misread) {
            flow.misread[std::string(name_in(protocol::direction_names, direction)) + " " + name] +=
                n;
        }
    }

    Decoder& decoder_;
    const std::map<uint16_t, Cfb8::Secret> secrets_;
    const Cfb8::Secret* key_ = nullptr;
    std::map<uint16_t, Flow> flows_;
};

using Secrets = std::map<std::string, std::map<uint16_t, Cfb8::Secret>>;

/// What the manifest knows of enciphered connections, by capture and port.
Secrets secrets_in(const std::filesystem::path& manifest) {
    Secrets secrets;
    std::ifstream file(manifest);
    for (const auto& entry : nlohmann::json::parse(file)) {
        for (const auto& known : entry.value("aes_shared_secrets", nlohmann::json::array())) {
            const std::string peer = known["peer"], digits = known["secret"];
            Cfb8::Secret secret;
            for (size_t i = 0; i < secret.size(); ++i) {
                secret[i] = static_cast<std::byte>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
            }
            const auto port = static_cast<uint16_t>(std::stoi(peer.substr(peer.rfind(':') + 1)));
            secrets[entry["file"]][port] = secret;
        }
    }
    return secrets;
}

std::filesystem::path captures() {
    const char* given = std::getenv("PORTCULLIS_CAPTURES");
    if (given != nullptr) return given;
    for (std::filesystem::path at = PORTCULLIS_SOURCE; at.has_relative_path();
         at = at.parent_path()) {
        const auto found = at.parent_path() / "shared" / "captures" / "minecraft";
        if (std::filesystem::exists(found / "oracle.json")) return found;
    }
    return {};
}

/// Where the oracle gave up on a direction, after a broken frame, we may know more.
int differences(const std::string& where, const Counts& ours, const nlohmann::json& theirs,
                bool gave_up) {
    std::map<std::string, std::pair<int, int>> all;
    for (const auto& [name, n] : ours) all[name].first = n;
    for (const auto& [name, n] : theirs.items()) all[name].second = n;
    int found = 0;
    for (const auto& [name, n] : all) {
        if (n.first == n.second || (gave_up && n.first > n.second)) continue;
        ++found;
        ADD_FAILURE() << where << " " << name << ": " << n.first << ", the oracle has " << n.second;
    }
    return found;
}

class Oracle : public testing::TestWithParam<bool> {};

TEST_P(Oracle, CountsTheSamePacketsInEveryCapture) {
    const auto folder = captures();
    if (folder.empty()) GTEST_SKIP() << "no captures beside the source";
    std::ifstream file(folder / "oracle.json");
    const auto oracle = nlohmann::json::parse(file);
    Decoder::Settings settings;
    settings.all_bodies = GetParam();
    settings.keys_come = true;
    Secrets secrets = secrets_in(folder / "manifest.json");
    Decoder decoder(settings);
    int flows = 0, different = 0, enciphered = 0, packets = 0, faulty = 0;
    for (const auto& [name, expected] : oracle.items()) {
        Capture capture(decoder, secrets[name]);
        capture.read(folder / name);
        for (const auto& [port, theirs] : expected["flows"].items()) {
            const Flow& flow = capture.flows()[static_cast<uint16_t>(std::stoi(port))];
            const std::string where = name + " " + port;
            EXPECT_FALSE(flow.opaque) << where;
            enciphered += flow.session.enciphered();
            ++flows;
            for (const auto& [packet, n] : flow.misread) {
                ADD_FAILURE() << where << ": " << n << " " << packet << " do not fit their layout";
            }
            faulty += flow.faults[0] > 0;
            EXPECT_TRUE(flow.faults[0] == 0 || name.find("cheat") != std::string::npos) << where;
            for (const auto& [side, key] : {std::pair{0, "toServer"}, std::pair{1, "toClient"}}) {
                const bool gave_up = theirs.contains(std::string(key) + "_error") ||
                                     theirs.contains(std::string(key) + "_leftover");
                // What passes unread is told by its first bytes; the connection may end within.
                Counts counts = flow.counts[static_cast<size_t>(side)];
                const bool cut_off = flow.streams[static_cast<size_t>(side)].skip > 0;
                if (cut_off && !flow.last[static_cast<size_t>(side)].empty())
                    --counts[flow.last[static_cast<size_t>(side)]];
                different += differences(where + " " + key, counts,
                                         theirs.value(key, nlohmann::json::object()), gave_up);
                for (const auto& [packet, n] : counts) packets += n;
            }
        }
    }
    std::printf("%d flows, %d packets, %d differences; %d enciphered, %d with faults\n", flows,
                packets, different, enciphered, faulty);
}

INSTANTIATE_TEST_SUITE_P(Bodies, Oracle, testing::Bool(),
                         [](const auto& param) { return param.param ? "all" : "heard"; });

}  // namespace
}  // namespace portcullis::minecraft
