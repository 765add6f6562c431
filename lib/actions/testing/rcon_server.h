#pragma once

#include <asio.hpp>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actions/rcon/packet.h"
#include "actions/testing/tcp_server.h"

/// An RCON server for tests, after the protocol's description and the game's own
/// habits: it reads once and takes what it got for one packet, answers a wrong
/// password with id -1 and stays connected, cuts long answers at 4096, and
/// answers unknown types with "Unknown request".  What is wrong with it can be
/// changed while it runs.
namespace portcullis::actions::rcon {

class TestServer {
public:
    struct Manners {
        std::string password = "open sesame";
        std::string answer = "Kicked {command}";
        bool mute = false;  ///< Takes commands, says nothing.
        bool closes_on_command = false;
        bool greets_first = false;  ///< An empty reply before the answer to a login.
        bool speaks_garbage = false;
        size_t bytes_at_once = 0;            ///< Sends answers in such pieces; 0: whole.
        std::chrono::milliseconds delay{0};  ///< Before each answer.
    };

    TestServer() : TestServer(0) {}
    explicit TestServer(uint16_t port)
        : server_(port, [this](TcpServer::Socket& socket) { serve(socket); }) {}

    uint16_t port() const noexcept { return server_.port(); }
    void behave(const Manners& manners) {
        const std::lock_guard lock(mutex_);
        manners_ = manners;
    }
    void drop_connections() { server_.drop_connections(); }
    std::vector<std::string> commands() const {
        const std::lock_guard lock(mutex_);
        return commands_;
    }
    unsigned logins() const noexcept { return logins_; }
    unsigned refusals() const noexcept { return refusals_; }
    /// Reads that held anything but exactly one packet.
    unsigned bad_reads() const noexcept { return bad_reads_; }

private:
    void serve(TcpServer::Socket& socket) {
        bool logged_in = false;
        char bytes[1460];
        while (true) {
            std::error_code error;
            const size_t size = socket.read_some(asio::buffer(bytes), error);
            if (error) break;
            Splitter splitter;
            splitter.add({bytes, size});
            const auto packet = splitter.next();
            if (!packet || size != packet->text.size() + 14) {
                ++bad_reads_;
                break;
            }
            if (!obey(socket, *packet, logged_in)) break;
        }
    }

    bool obey(TcpServer::Socket& socket, const Packet& packet, bool& logged_in) {
        const Manners manners = this->manners();
        std::this_thread::sleep_for(manners.delay);
        if (manners.speaks_garbage) {
            return say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n", 0);
        }
        if (packet.type == Type::login) {
            logged_in = packet.text == manners.password;
            ++(logged_in ? logins_ : refusals_);
            if (manners.greets_first) say(socket, encode(packet.id, Type::reply, ""), 0);
            return say(socket, encode(logged_in ? packet.id : refused_id, Type::login_reply, ""),
                       0);
        }
        if (!logged_in) return say(socket, encode(refused_id, Type::login_reply, ""), 0);
        if (packet.type != Type::command) {
            return say(socket, encode(packet.id, Type::reply, "Unknown request"), 0);
        }
        {
            const std::lock_guard lock(mutex_);
            commands_.push_back(packet.text);
        }
        if (manners.closes_on_command) return false;
        if (manners.mute) return true;
        return answer(socket, packet, manners);
    }

    bool answer(TcpServer::Socket& socket, const Packet& packet, const Manners& manners) {
        std::string text = packet.text.empty() ? "Unknown command" : manners.answer;
        constexpr std::string_view mark = "{command}";
        if (const size_t at = text.find(mark); at != std::string::npos) {
            text.replace(at, mark.size(), packet.text);
        }
        do {
            const std::string part = text.substr(0, 4096);
            text.erase(0, part.size());
            if (!say(socket, encode(packet.id, Type::reply, part), manners.bytes_at_once)) {
                return false;
            }
        } while (!text.empty());
        return true;
    }

    static bool say(TcpServer::Socket& socket, std::string_view bytes, size_t at_once) {
        std::error_code error;
        while (!bytes.empty() && !error) {
            const size_t some = at_once == 0 ? bytes.size() : std::min(at_once, bytes.size());
            asio::write(socket, asio::buffer(bytes.data(), some), error);
            bytes.remove_prefix(some);
            if (at_once != 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        return !error;
    }

    Manners manners() const {
        const std::lock_guard lock(mutex_);
        return manners_;
    }

    mutable std::mutex mutex_;
    Manners manners_;
    std::vector<std::string> commands_;
    std::atomic<unsigned> logins_{0}, refusals_{0}, bad_reads_{0};
    TcpServer server_;  ///< Last: what its threads use is there before them and goes after them.
};

}  // namespace portcullis::actions::rcon
