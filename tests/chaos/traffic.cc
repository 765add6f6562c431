// Steady traffic of which every packet is numbered, and players who cheat.
//
//     traffic serve ADDRESS DATAGRAM_PORT GAME_PORT
//     traffic send ADDRESS DATAGRAM_PORT GAME_PORT DATAGRAMS_A_SECOND PLAYERS CHEATS_A_SECOND
//
// The sender sends datagrams (for a port that is no service) and plays with honest players, each
// of whom sends a numbered plugin message a tick; the server sends every number back as one of its
// own.  Both count what arrived, per phase, and how long it was on its way.  Beside them somebody
// logs in so often, claims to be nowhere, and waits to be thrown out.
//
// Commands on the sender's stdin: `phase N`, `cheats N` (a second), `probe NAME` (one cheat of this
// name), `stop`.  On the server's: `stop`.  One JSON object a line on stdout.

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "game.h"
#include "tally.h"

namespace {

using namespace portcullis::chaos;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto game_tick = 50ms;
constexpr int patience_ms = 3'000;  ///< For being let in, and for being thrown out.

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// Goes before everything else on its core: what it waits for is the wire, not its own turn.
void go_first() {
    const sched_param priority{.sched_priority = 10};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) die("sched_setscheduler");
}

sockaddr_in address_of(const std::string& text, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) die(text.c_str());
    return address;
}

const sockaddr* plain(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// Has the kernel stamp what arrives: when a reader of ours gets his turn says nothing of the wire.
void stamp_arrivals(int fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

/// When the kernel got it; of a stream's bytes, the last of them.
int64_t stamp_of(msghdr& message) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec stamp;
        std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        return int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec;
    }
    return wall_clock();
}

int datagram_socket() {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int room = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    stamp_arrivals(fd);
    return fd;
}

/// Takes all that is there; calls `each` with the number and who sent it.
void receive_datagrams(int fd, Tally& tally, auto&& each) {
    while (true) {
        Number number;
        sockaddr_in from{};
        alignas(cmsghdr) std::array<char, 128> control;
        iovec data{&number, sizeof number};
        msghdr message{&from, sizeof from, &data, 1, control.data(), control.size(), 0};
        if (recvmsg(fd, &message, 0) != sizeof number) return;
        tally.take(number, stamp_of(message));
        each(number, from);
    }
}

/// What came of a stream, and when its last bytes did.
struct Received {
    std::string bytes;
    int64_t at = 0;
};

/// Appends what is there.  False at the end of the connection.
bool receive_some(int fd, Received& into) {
    std::array<char, 65536> bytes;
    while (true) {
        alignas(cmsghdr) std::array<char, 128> control;
        iovec data{bytes.data(), bytes.size()};
        msghdr message{nullptr, 0, &data, 1, control.data(), control.size(), 0};
        const ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
        if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
        into.bytes.append(bytes.data(), static_cast<size_t>(size));
        into.at = stamp_of(message);
    }
}

bool say(int fd, const std::string& bytes) {
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

void no_delay(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Lines of stdin, taken as they come.
class Commands {
public:
    Commands() { fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK); }
    /// Calls `each` with the words; "stop" too when stdin ends.
    void take(auto&& each) {
        std::array<char, 4096> bytes;
        const ssize_t size = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (size == 0) return each(std::string("stop"), std::string());
        if (size > 0) pending_.append(bytes.data(), static_cast<size_t>(size));
        for (size_t end; (end = pending_.find('\n')) != std::string::npos;) {
            const std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            const size_t space = line.find(' ');
            each(line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1));
        }
    }

private:
    std::string pending_;
};

class Server {
public:
    Server(const std::string& address, uint16_t datagrams, uint16_t game)
        : datagrams_(datagram_socket()), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in here = address_of(address, datagrams), there = address_of(address, game);
        if (bind(datagrams_, plain(here), sizeof here) != 0) die("bind");
        if (bind(listener_, plain(there), sizeof there) != 0 || listen(listener_, 256) != 0) {
            die("listen");
        }
    }

    void run() {
        std::puts("{\"event\":\"listening\"}");
        std::fflush(stdout);
        while (!stopping_) {
            std::vector<pollfd> all = {
                {STDIN_FILENO, POLLIN, 0}, {datagrams_, POLLIN, 0}, {listener_, POLLIN, 0}};
            for (const auto& [fd, player] : players_) all.push_back({fd, POLLIN, 0});
            if (poll(all.data(), all.size(), 1'000) <= 0) continue;
            if (all[1].revents != 0) echo_datagrams();
            for (size_t i = 3; i < all.size(); ++i) {
                if (all[i].revents != 0) serve(all[i].fd);
            }
            if (all[2].revents != 0) accept_one();
            if (all[0].revents != 0) {
                commands_.take([&](const std::string& word, const std::string&) {
                    stopping_ = word == "stop";
                });
            }
        }
        from_datagrams_.print("datagrams_to_server");
        from_players_.print("messages_to_server");
        std::printf("{\"event\":\"served\",\"nowhere\":%llu}\n",
                    static_cast<unsigned long long>(nowhere_));
        std::fflush(stdout);
    }

private:
    struct Player {
        Received received;
        int hellos = 0;  ///< Packets of the handshake and login that came.
    };

    void echo_datagrams() {
        receive_datagrams(datagrams_, from_datagrams_, [&](Number number, const sockaddr_in& from) {
            number.sent_at = wall_clock();
            (void)sendto(datagrams_, &number, sizeof number, 0, plain(from), sizeof from);
        });
    }

    void accept_one() {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        no_delay(fd);
        stamp_arrivals(fd);
        players_[fd];
    }

    void serve(int fd) {
        Player& player = players_[fd];
        bool stays = receive_some(fd, player.received);
        while (const auto packet = game::next_packet(player.received.bytes)) {
            stays = heed(fd, player, *packet) && stays;
        }
        if (stays) return;
        close(fd);
        players_.erase(fd);
    }

    bool heed(int fd, Player& player, const std::string& packet) {
        const auto id = static_cast<uint8_t>(packet[0]);
        if (player.hellos < 2) {
            if (++player.hellos < 2) return true;
            return say(fd, game::welcome(packet.substr(2)));
        }
        if (id == game::position) ++nowhere_;
        if (id != game::message_to_server) return true;
        auto number = game::number_in(packet);
        if (!number) return true;
        from_players_.take(*number, player.received.at);
        number->sent_at = wall_clock();
        return say(fd, game::numbered(game::message_to_client, *number));
    }

    int datagrams_, listener_;
    std::map<int, Player> players_;
    Tally from_datagrams_, from_players_;
    uint64_t nowhere_ = 0;  ///< Cheats that came through.
    bool stopping_ = false;
    Commands commands_;
};

/// Logs in and returns the connection, placed in the world; -1 if that does not happen.
int log_in(const sockaddr_in& server, const std::string& name) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    no_delay(fd);
    stamp_arrivals(fd);
    Received received;
    if (connect(fd, plain(server), sizeof server) == 0 && say(fd, game::hello("chaos", 1, name))) {
        pollfd some{fd, POLLIN, 0};
        while (poll(&some, 1, patience_ms) > 0 && receive_some(fd, received)) {
            while (const auto packet = game::next_packet(received.bytes)) {
                if (static_cast<uint8_t>((*packet)[0]) != game::place_player) continue;
                if (say(fd, game::here_i_am())) return fd;
            }
        }
    }
    close(fd);
    return -1;
}

/// Those who claim to be nowhere, one after the other.
class Cheaters {
public:
    Cheaters(const sockaddr_in& server, double a_second)
        : server_(server), a_second_(a_second), thread_([this] { run(); }) {}

    void pace(double a_second) { a_second_ = a_second; }
    void stop() {
        stopping_ = true;
        thread_.join();
    }
    void print() const {
        std::printf(
            "{\"event\":\"cheated\",\"let_in\":%llu,\"thrown_out\":%llu,\"refused\":%llu}\n",
            static_cast<unsigned long long>(let_in_), static_cast<unsigned long long>(thrown_out_),
            static_cast<unsigned long long>(refused_));
    }

    /// One cheat of this name, and what became of him.
    void probe(const std::string& name) const {
        const int fd = log_in(server_, name);
        const bool out = fd >= 0 && is_thrown_out(fd);
        close(fd);
        std::printf("{\"event\":\"probe\",\"name\":\"%s\",\"let_in\":%s,\"thrown_out\":%s}\n",
                    name.c_str(), fd >= 0 ? "true" : "false", out ? "true" : "false");
        std::fflush(stdout);
    }

private:
    void run() {
        auto next = Clock::now();
        for (uint64_t number = 0; !stopping_;) {
            std::this_thread::sleep_for(5ms);
            if (a_second_ <= 0 || Clock::now() < next) {
                if (a_second_ <= 0) next = Clock::now();
                continue;
            }
            next += std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(1 / a_second_));
            const int fd = log_in(server_, "Cheat" + std::to_string(number++));
            if (fd < 0) {
                ++refused_;
                continue;
            }
            ++let_in_;
            thrown_out_ += is_thrown_out(fd);
            close(fd);
        }
    }

    static bool is_thrown_out(int fd) {
        if (!say(fd, game::nowhere())) return true;
        Received received;
        pollfd some{fd, POLLIN, 0};
        const auto until = Clock::now() + std::chrono::milliseconds(patience_ms);
        while (Clock::now() < until) {
            if (poll(&some, 1, 100) > 0 && !receive_some(fd, received)) return true;
        }
        return false;
    }

    const sockaddr_in server_;
    std::atomic<double> a_second_;
    std::atomic<bool> stopping_{false};
    uint64_t let_in_ = 0, thrown_out_ = 0, refused_ = 0;
    std::thread thread_;
};

class Sender {
public:
    Sender(const std::string& address, uint16_t datagrams, uint16_t game, double rate,
           uint32_t players, double cheats)
        : to_(address_of(address, datagrams)),
          server_(address_of(address, game)),
          interval_(std::chrono::nanoseconds(static_cast<int64_t>(1e9 / rate))),
          datagrams_(datagram_socket()) {
        for (uint32_t i = 0; i < players; ++i) {
            const int fd = log_in(server_, "Honest" + std::to_string(i));
            if (fd < 0) die("an honest player is not let in");
            players_.push_back({fd, i, {}, 0});
        }
        cheaters_ = std::make_unique<Cheaters>(server_, cheats);
    }

    void run() {
        std::puts("{\"event\":\"sending\"}");
        std::fflush(stdout);
        auto next_datagram = Clock::now(), next_tick = next_datagram;
        while (!stopping_) {
            const auto now = Clock::now();
            for (; next_datagram <= now; next_datagram += interval_) send_datagram();
            for (; next_tick <= now; next_tick += game_tick) {
                for (Player& player : players_) tick(player);
            }
            commands_.take(
                [&](const std::string& word, const std::string& rest) { heed(word, rest); });
            wait_until(std::min(next_datagram, next_tick));
            receive();
        }
        cheaters_->stop();
        finish();
    }

private:
    struct Player {
        int fd;
        uint32_t stream;
        Received received;
        uint64_t sent;
        bool lost = false;  ///< His connection ended, and nobody asked for that.
    };

    void send_datagram() {
        const Number number{phase_, 0, datagrams_sent_, wall_clock()};
        const ssize_t size = sendto(datagrams_, &number, sizeof number, 0, plain(to_), sizeof to_);
        if (size == sizeof number) ++datagrams_sent_;
    }

    void tick(Player& player) {
        if (player.lost) return;
        const Number number{phase_, player.stream, player.sent, wall_clock()};
        player.lost = !say(player.fd, game::numbered(game::message_to_server, number));
        if (!player.lost) ++player.sent;
    }

    void wait_until(Clock::time_point when) {
        std::vector<pollfd> all = {{datagrams_, POLLIN, 0}};
        for (const Player& player : players_) {
            if (!player.lost) all.push_back({player.fd, POLLIN, 0});
        }
        const auto left =
            std::max<int64_t>(0, std::chrono::nanoseconds(when - Clock::now()).count());
        const timespec patience{left / 1'000'000'000, left % 1'000'000'000};
        ppoll(all.data(), all.size(), &patience, nullptr);
    }

    void receive() {
        receive_datagrams(datagrams_, datagrams_back_, [](const Number&, const sockaddr_in&) {});
        for (Player& player : players_) {
            if (player.lost) continue;
            if (!receive_some(player.fd, player.received)) player.lost = true;
            while (const auto packet = game::next_packet(player.received.bytes)) {
                if (static_cast<uint8_t>((*packet)[0]) != game::message_to_client) continue;
                if (const auto number = game::number_in(*packet)) {
                    messages_back_.take(*number, player.received.at);
                }
            }
        }
    }

    void heed(const std::string& word, const std::string& rest) {
        if (word == "stop") stopping_ = true;
        if (word == "phase") phase_ = static_cast<uint32_t>(std::atoi(rest.c_str()));
        if (word == "cheats") cheaters_->pace(std::atof(rest.c_str()));
        if (word == "probe") std::thread([this, rest] { cheaters_->probe(rest); }).detach();
    }

    /// Waits for what is still on its way, then says what there was.
    void finish() {
        const auto until = Clock::now() + 2s;
        while (Clock::now() < until) {
            wait_until(Clock::now() + 10ms);
            receive();
        }
        uint64_t messages = 0, lost = 0;
        for (const Player& player : players_) {
            messages += player.sent;
            lost += player.lost;
        }
        datagrams_back_.print("datagrams_to_player");
        messages_back_.print("messages_to_player");
        cheaters_->print();
        std::printf(
            "{\"event\":\"sent\",\"datagrams\":%llu,\"messages\":%llu,\"players_lost\":%llu}\n",
            static_cast<unsigned long long>(datagrams_sent_),
            static_cast<unsigned long long>(messages), static_cast<unsigned long long>(lost));
        std::fflush(stdout);
    }

    const sockaddr_in to_, server_;
    const std::chrono::nanoseconds interval_;
    int datagrams_;
    std::vector<Player> players_;
    std::unique_ptr<Cheaters> cheaters_;
    Tally datagrams_back_, messages_back_;
    uint64_t datagrams_sent_ = 0;
    uint32_t phase_ = 0;
    bool stopping_ = false;
    Commands commands_;
};

uint16_t port_in(const char* text) { return static_cast<uint16_t>(std::atoi(text)); }

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    go_first();
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "serve" && argc == 5) {
        Server(argv[2], port_in(argv[3]), port_in(argv[4])).run();
    } else if (what == "send" && argc == 8) {
        Sender(argv[2], port_in(argv[3]), port_in(argv[4]), std::atof(argv[5]),
               static_cast<uint32_t>(std::atoi(argv[6])), std::atof(argv[7]))
            .run();
    } else {
        std::cerr << "traffic serve ADDRESS DATAGRAM_PORT GAME_PORT\n"
                     "traffic send ADDRESS DATAGRAM_PORT GAME_PORT DATAGRAMS_A_SECOND PLAYERS "
                     "CHEATS_A_SECOND\n";
        return 2;
    }
    return 0;
}
