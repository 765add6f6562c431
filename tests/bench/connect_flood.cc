// Goal: a flood of Connects from ever new addresses costs no memory, and honest sessions
// lose nothing and can still begin.
// Method: COUNT Connects, a million a second of their own time, through all stages, in
// bursts that also hold what ten honest players and a newcomer a second say; says what a
// flood packet costs, beside one that is for nobody.
//
//   connect_flood COUNT

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "packet/packet_builder.h"
#include "packet/wire_order.h"
#include "protocol/shadowland/connects.h"
#include "protocol/shadowland/payload.h"
#include "protocol/shadowland/speak_test_support.h"
#include "stages/make_stage.h"

namespace portcullis::stages {
namespace {

using namespace shadowland;
using Datagram = std::vector<std::byte>;
constexpr size_t source_at = 26, port_at = 34, udp_sum_at = 40;
constexpr uint32_t players = 10;
const Endpoint server = *parse_endpoint("10.0.0.3:3565");

size_t resident_bytes() {
    size_t size = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// Of this thread alone, so that a busy machine is not counted.
uint64_t cpu_ns() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "FAIL: %s\n", what);
    std::exit(1);
}

Endpoint player(uint32_t n) { return {IpAddress::v4(0xcb007100u + n), 40'000}; }

config::Config configuration() {
    config::Config config;
    config.limits.flows = 65'536;
    config.limits.players = 1'000;
    config.policies.emplace_back().name = "default";
    config::Service& service = config.services.emplace_back();
    service.name = "shadow";
    service.protocol = protocol::Protocol::shadowland;
    service.endpoint = server;
    return config;
}

class Flood {
public:
    Flood()
        : rules_(policy::RuleSet::compile(config_)),
          pool_(rte_pktmbuf_pool_create("flood", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0)),
          context_({config_, rules_.get(), *counters_, pool_, 0, 0x5ec4e7}) {
        for (std::string_view name : stage_names()) stages_.push_back(make_stage(name, context_));
        secrets_.server = server;
        secrets_.has_cookie = true;
        secrets_.cookie.fill(std::byte{0x33});
        context_.shadowland_keys.add(secrets_);
        for (uint32_t n = 0; n < players; ++n) let_in(player(n), n + 1);
        for (size_t i = 0; i + 1 < Burst::packets_max; ++i) {
            flood_.push_back(
                PacketBuilder{}.from(player(0)).to(server).udp().payload(connect_).make(pool_));
            nobodys_.push_back(PacketBuilder{}
                                   .from(player(0))
                                   .to({server.address, 53})
                                   .udp()
                                   .payload(connect_)
                                   .make(pool_));
        }
    }

    /// A burst of the flood's, and one datagram of an honest player's, who must get through.
    void turn() {
        const auto n = static_cast<uint32_t>(turns_ % players);
        SyncEntity sync;
        sync.client_time_ms = static_cast<uint32_t>(now_ / 1ms);
        sync.fields.delta = delta::position;
        sync.fields.position = {409'700, 409'000, 1'000};
        const auto honest = plain({.connection_id = n + 1, .sequence = ++said_[n]},
                                  message_bytes(0, sync, Direction::to_server));
        // Only so often as one may.
        const bool speaks = turns_ % 400 < players;
        if (!speaks) --said_[n];
        burst(flood_, speaks ? &honest : nullptr, player(n));
        now_ += Nanos(1us) * flood_.size();
        if (++turns_ % 1'000 == 0) newcomer();
        drain();
    }
    void nobodys_turn() { burst(nobodys_, nullptr, {}); }

    uint64_t flood_ns = 0;
    const ShadowlandCounts& counts() const { return counters_->shadowland[0]; }
    const Counters& counters() const { return *counters_; }
    uint32_t flows() const { return context_.flows.size(); }
    uint64_t newcomers() const { return newcomers_; }
    size_t burst_size() const { return flood_.size(); }

private:
    void burst(const std::vector<rte_mbuf*>& mbufs, const Datagram* honest, const Endpoint& who) {
        burst_->clear(now_);
        for (rte_mbuf* mbuf : mbufs) {
            auto* frame = rte_pktmbuf_mtod(mbuf, std::byte*);
            random_ = random_ * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
            store_be32(frame + source_at, static_cast<uint32_t>(random_ >> 32));
            store_be16(frame + port_at, static_cast<uint16_t>(random_ >> 16));
            store_be16(frame + udp_sum_at, 0);  // None: as a flooder would.
            Packet& packet = burst_->add(mbuf, Side::outside, 0, now_);
            packet.ip_sum_checked = true;  // By the NIC.
        }
        rte_mbuf* last = nullptr;
        if (honest != nullptr) {
            last = PacketBuilder{}.from(who).to(server).udp().payload(*honest).make(pool_);
            burst_->add(last, Side::outside, 0, now_);
        }
        const uint64_t began = cpu_ns();
        for (const auto& stage : stages_) stage->process(*burst_);
        flood_ns += cpu_ns() - began;
        if (last != nullptr && !(*burst_)[burst_->size() - 1].alive())
            fail("an honest datagram was dropped");
        for (const Burst::Injected& frame : burst_->injected()) rte_pktmbuf_free(frame.mbuf);
        rte_pktmbuf_free(last);
    }
    /// True when it went on; what was answered stays in `answer_`.
    bool pass(const Endpoint& from, const Endpoint& to, const Datagram& datagram) {
        rte_mbuf* mbuf = PacketBuilder{}.from(from).to(to).udp().payload(datagram).make(pool_);
        burst_->clear(now_);
        const Packet& packet =
            burst_->add(mbuf, from == server ? Side::inside : Side::outside, 0, now_);
        for (const auto& stage : stages_) stage->process(*burst_);
        const bool alive = packet.alive();
        answer_.clear();
        for (const Burst::Injected& frame : burst_->injected()) {
            const auto* data = rte_pktmbuf_mtod(frame.mbuf, const std::byte*);
            answer_.assign(data + 42, data + rte_pktmbuf_data_len(frame.mbuf));
            rte_pktmbuf_free(frame.mbuf);
        }
        rte_pktmbuf_free(mbuf);
        return alive;
    }
    uint64_t now_ms() const { return static_cast<uint64_t>(now_ / 1ms); }
    void let_in(const Endpoint& who, uint32_t id) {
        Authenticator authenticator;
        const auto cookie = authenticator.make_cookie(secrets_.cookie, who, zero_key, now_ms(), id);
        if (!pass(who, server, connect(cookie))) fail("a good cookie was refused");
        if (!pass(server, who, accepted(id, now_ms()))) fail("a server's word was refused");
        CreateEntity self;
        self.entity = id;
        self.bits = CreateEntity::is_self;
        self.map = 1;
        self.symbol.text = "Alice";
        self.position = {409'700, 409'000, 1'000};
        self.flags.state = state::alive;
        pass(server, who,
             plain({.connection_id = id, .channel = Channel::reliable_ordered, .sequence = 1},
                   message_bytes(1, self, Direction::to_client)));
    }
    /// In the middle of it, somebody honest wants to play.
    void newcomer() {
        const uint32_t n = 100 + static_cast<uint32_t>(newcomers_++ % 500);
        if (pass(player(n), server, connect())) return;  // The server itself answers.
        if (answer_.size() != Connects::answer_size) fail("a newcomer was left without an answer");
        const Datagram cookie(answer_.begin() + header_size + 1, answer_.end() - crc_size);
        if (!pass(player(n), server, connect(cookie))) fail("our own cookie was refused");
        if (!pass(server, player(n), accepted(n, now_ms()))) fail("a server's word was refused");
        const FlowKey key = FlowKey::of(player(n), server, ip_protocol_udp);
        if (context_.flows.find(HashedKey{key, context_.hash(key)}) == nullptr) {
            fail("a newcomer's session was not remembered");
        }
    }
    void drain() {
        while (context_.records.pop(record_)) {
        }
    }

    const config::Config config_ = configuration();
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_ = std::make_unique<Counters>();
    rte_mempool* pool_;
    WorkerContext context_;
    std::vector<std::unique_ptr<Stage>> stages_;
    std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
    std::vector<rte_mbuf*> flood_, nobodys_;
    const Datagram connect_ = connect();
    Datagram answer_;
    keys::ShadowlandSecrets secrets_{};
    std::array<uint64_t, players> said_{};
    verdicts::VerdictRecord record_;
    Nanos now_ = 1'795'150'000s;
    uint64_t random_ = 1, turns_ = 0, newcomers_ = 0;
};

int run(uint64_t count) {
    Flood flood;
    const uint64_t turns = count / flood.burst_size() + 1;
    for (uint64_t i = 0; i < turns / 10 + 1; ++i) flood.turn();
    flood.flood_ns = 0;
    const size_t memory = resident_bytes(), heap = mallinfo2().uordblks;
    const uint32_t flows = flood.flows();
    const auto answered_before = flood.counts().connects[size_t(ConnectFate::answered)].get();
    for (uint64_t i = 0; i < turns; ++i) flood.turn();
    const double each = double(flood.flood_ns) / double(turns * flood.burst_size());
    const auto answered =
        flood.counts().connects[size_t(ConnectFate::answered)].get() - answered_before;
    const size_t grown = resident_bytes() - std::min(memory, resident_bytes());
    const uint64_t newcomers = flood.newcomers();

    flood.flood_ns = 0;
    const uint64_t bare_turns = std::min<uint64_t>(turns, 20'000);
    for (uint64_t i = 0; i < bare_turns; ++i) flood.nobodys_turn();
    const double bare = double(flood.flood_ns) / double(bare_turns * flood.burst_size());

    std::printf(
        "%llu Connects, %llu answered, %llu newcomers, %u flows; %.0f ns each, "
        "%.0f ns one for nobody; grown by %zu KiB\n",
        static_cast<unsigned long long>(turns * flood.burst_size()),
        static_cast<unsigned long long>(answered), static_cast<unsigned long long>(newcomers),
        flood.flows(), each, bare, grown >> 10);
    if (answered < turns * flood.burst_size() * 95 / 100) fail("the server saw the flood");
    if (flood.flows() > flows + newcomers) fail("the flood made flows");
    if (grown > 1u << 20) fail("memory grew");
    if (mallinfo2().uordblks > heap + (64u << 10)) fail("the heap grew");
    return 0;
}

}  // namespace
}  // namespace portcullis::stages

int main(int argc, char** argv) {
    const unsigned long long count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
    if (count == 0) {
        std::fprintf(stderr, "usage: connect_flood COUNT\n");
        return 2;
    }
    std::array<std::string, 7> arguments = {
        "connect_flood", "--no-huge", "--no-shconf", "--no-pci", "-m", "64", "--log-level=error"};
    std::array<char*, 7> pointers;
    for (size_t i = 0; i < arguments.size(); ++i) pointers[i] = arguments[i].data();
    if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0) return 1;
    return portcullis::stages::run(count);
}
