// Runs captures through Decoder, Player and Checks alone: no ports, no stages.
//
//     offline CAPTURE...
//
// One line a finding: file, client port, seconds from the first packet, check,
// confidence, observed, limit, note; then one line a player with what he did.
// Reassembly here is naive on purpose (first bytes win, kept for the whole file).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include <arpa/inet.h>
#include <pcap/pcap.h>

#include "base/bytes.h"
#include "base/seq.h"
#include "checks/all.h"
#include "player/player.h"
#include "protocol/minecraft/decoder.h"

namespace portcullis {
namespace {

constexpr uint16_t server_port = 25565;
using Set = checks::CheckSet<checks::MinecraftChecks>;
using protocol::Direction;
/// Set by the environment: every movement packet is shown, too.
const bool show_moves = std::getenv("OFFLINE_MOVES") != nullptr;

struct Half {
    std::vector<std::byte> bytes;  ///< In order, not yet consumed.
    std::map<uint32_t, std::vector<std::byte>> early;
    Seq next;
    uint64_t fed = 0;  ///< Stream offset of bytes.front().
    uint64_t skip = 0;
    uint32_t first = 0;
    bool started = false, finished = false;

    void take(Seq seq, Bytes data) {
        if (seq > next) {
            auto& kept = early[seq.value()];
            if (kept.size() < data.size()) kept.assign(data.begin(), data.end());
            return;
        }
        append(seq, data);
        for (bool found = true; found;) {
            found = false;
            for (auto it = early.begin(); it != early.end(); ++it) {
                if (Seq(it->first) > next) continue;
                append(Seq(it->first), {it->second.data(), it->second.size()});
                early.erase(it);
                found = true;
                break;
            }
        }
    }
    void append(Seq seq, Bytes data) {
        const auto known = static_cast<size_t>(next - seq);
        if (known >= data.size()) return;
        data = data.subspan(known);
        bytes.insert(bytes.end(), data.begin(), data.end());
        next += static_cast<uint32_t>(data.size());
    }
};

struct Conversation {
    minecraft::Session session;
    Player player;
    Set checks;
    std::array<Half, 2> halves;
    uint64_t moves = 0, acts = 0;
    Nanos joined{}, last{};
    uint64_t acked = 0;
    std::string name;
};

struct Listener {
    Conversation& c;
    const Set::Settings& settings;
    Direction direction;
    const char* file;
    uint16_t port;
    double at;
    uint64_t offset;  ///< Of the bytes fed.
    checks::Findings findings;
    std::chrono::steady_clock::duration* spent;

    void frame(const minecraft::Frame& frame) noexcept {
        c.player.line = {offset + frame.offset + frame.wire_size, c.acked};
        c.player.version = c.session.version;
        on(protocol::PacketSeen{frame.name(), frame.wire_size});
    }
    void on(const protocol::LoggedIn& e) noexcept { c.name = e.name; }
    void on(const protocol::Joined& e) noexcept {
        if (c.joined == Nanos{}) c.joined = c.player.now;
        hear(e);
    }
    void on(const protocol::Move& e) noexcept {
        ++c.moves;
        if (show_moves) {
            std::printf("move\t%u\t%.3f\t%d\t%.4f\t%.4f\t%.4f\t%+.4f\t%s%s\n", port, at,
                        static_cast<int>(c.player.kind_of(e)), e.position.x, e.position.y,
                        e.position.z, double{c.player.step_of(e).dy},
                        e.on_ground ? "ground" : "air", e.has_position ? "" : " no place");
        }
        const auto before = std::chrono::steady_clock::now();
        hear(e);
        *spent += std::chrono::steady_clock::now() - before;
    }
    template <class Event>
    void on(const Event& e) noexcept {
        hear(e);
    }
    template <class Event>
    void hear(const Event& e) noexcept {
        if (direction == Direction::to_client) c.player.on(e);
        c.checks.deliver(e, c.player, settings, findings);
        if (direction == Direction::to_server) c.player.on(e);
        for (const checks::Finding& f : findings) {
            if (f.confidence >= 0.95f) ++c.acts;
            std::printf("finding\t%s\t%u\t%.3f\t%.*s\t%.3f\t%.4f\t%.4f\t%.*s\n", file, port, at,
                        static_cast<int>(Set::names[f.check].size()), Set::names[f.check].data(),
                        static_cast<double>(f.confidence), f.evidence.observed, f.evidence.limit,
                        static_cast<int>(f.evidence.note.size()), f.evidence.note.data());
        }
        findings.clear();
    }
};

class Replay {
public:
    explicit Replay(const char* path) : path_(path) {}

    int run() {
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* capture =
            pcap_open_offline_with_tstamp_precision(path_, PCAP_TSTAMP_PRECISION_NANO, error);
        if (capture == nullptr) {
            std::fprintf(stderr, "%s: %s\n", path_, error);
            return 1;
        }
        pcap_pkthdr* header;
        const u_char* data;
        while (pcap_next_ex(capture, &header, &data) == 1) {
            const Nanos time = std::chrono::seconds(header->ts.tv_sec) + Nanos(header->ts.tv_usec);
            if (first_ == Nanos{}) first_ = time;
            packet(as_bytes(data, header->caplen), time);
        }
        pcap_close(capture);
        for (const auto& [port, c] : players_) {
            if (c->joined == Nanos{}) continue;
            std::printf("player\t%s\t%u\t%s\t%.1f\t%llu\t%llu\n", path_, port, c->name.c_str(),
                        to_seconds(c->last - c->joined), static_cast<unsigned long long>(c->moves),
                        static_cast<unsigned long long>(c->acts));
        }
        return 0;
    }
    std::chrono::steady_clock::duration spent{};
    uint64_t moves() const {
        uint64_t sum = 0;
        for (const auto& [port, c] : players_) sum += c->moves;
        return sum;
    }

private:
    void packet(Bytes frame, Nanos time) {
        constexpr size_t ethernet = 14;
        if (frame.size() < ethernet + 40) return;
        Reader type(frame.subspan(12));
        if (type.u16() != 0x0800) return;
        const Bytes ip = frame.subspan(ethernet);
        Reader head(ip);
        const size_t header = (head.u8() & 15u) * 4u;
        head.skip(1);
        const size_t total = head.u16();
        if (total > ip.size() || std::to_integer<int>(ip[9]) != 6) return;
        const Bytes tcp = ip.subspan(header, total - header);
        Reader fields(tcp);
        const uint16_t from = fields.u16(), to = fields.u16();
        const Seq seq(fields.u32()), ack(fields.u32());
        const size_t offset = (fields.u8() >> 4) * 4u;
        const uint8_t flags = fields.u8();
        if (offset > tcp.size() || (from != server_port && to != server_port)) return;
        segment(from == server_port ? to : from,
                from == server_port ? Direction::to_client : Direction::to_server, seq, ack, flags,
                tcp.subspan(offset), time);
    }

    void segment(uint16_t port, Direction direction, Seq seq, Seq ack, uint8_t flags, Bytes data,
                 Nanos time) {
        constexpr uint8_t syn = 2, acks = 16;
        auto& place = players_[port];
        if (!place) place = std::make_unique<Conversation>();
        Conversation& c = *place;
        Half& half = c.halves[static_cast<size_t>(direction)];
        if (flags & syn) {
            half.next = seq + 1;
            half.first = half.next.value();
            half.started = true;
        }
        if (!half.started) return;
        const Half& other = c.halves[static_cast<size_t>(opposite(direction))];
        if (direction == Direction::to_server && (flags & acks) && other.started) {
            c.acked = std::max<uint64_t>(c.acked, ack.value() - other.first);
        }
        half.take(seq, data);
        c.player.now = c.last = time;
        feed(c, direction, half, port, time);
    }

    void feed(Conversation& c, Direction direction, Half& half, uint16_t port, Nanos time) {
        Listener listener{
            c,        settings_,          direction, path_, port, to_seconds(time - first_),
            half.fed, checks::Findings(), &spent};
        while (!half.finished) {
            const size_t passed = std::min<uint64_t>(half.skip, half.bytes.size());
            half.bytes.erase(half.bytes.begin(), half.bytes.begin() + static_cast<long>(passed));
            half.skip -= passed;
            half.fed += passed;
            if (half.bytes.empty() || half.skip > 0) return;
            listener.offset = half.fed;
            const protocol::Progress progress = decoder_.feed(
                c.session, direction, {half.bytes.data(), half.bytes.size()}, listener);
            half.bytes.erase(half.bytes.begin(),
                             half.bytes.begin() + static_cast<long>(progress.consumed));
            half.fed += progress.consumed;
            half.skip = progress.skip;
            half.finished = progress.finished;
            if (progress.consumed == 0 && progress.skip == 0) return;
        }
    }

    const char* path_;
    Nanos first_{};
    minecraft::Decoder decoder_;
    Set::Settings settings_;
    std::map<uint16_t, std::unique_ptr<Conversation>> players_;
};

}  // namespace
}  // namespace portcullis

int main(int count, char** arguments) {
    int result = count > 1 ? 0 : 2;
    std::chrono::steady_clock::duration spent{};
    uint64_t moves = 0;
    for (int i = 1; i < count; ++i) {
        portcullis::Replay replay(arguments[i]);
        result |= replay.run();
        spent += replay.spent;
        moves += replay.moves();
    }
    std::fprintf(stderr, "%llu moves, %.0f ns each; Player %zu bytes, checks %zu bytes\n",
                 static_cast<unsigned long long>(moves),
                 moves == 0 ? 0.0
                            : std::chrono::duration<double, std::nano>(spent).count() /
                                  static_cast<double>(moves),
                 sizeof(portcullis::Player), sizeof(portcullis::Set));
    return result;
}
