#pragma once

#include <asio.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// An HTTP server for tests.  What it answers is asked for each request anew.
namespace portcullis::actions::webhook {

class TestServer {
public:
    using Clock = std::chrono::steady_clock;

    struct Request {
        std::string head;  ///< Request line and headers.
        std::string body;
        Clock::time_point time;
    };
    struct Answer {
        int status = 204;
        std::string headers{};  ///< Each with its line's end.
        std::string body{};
        bool resets = false;                 ///< Instead of an answer.
        std::chrono::milliseconds delay{0};  ///< Before it.
    };
    /// Given how many came before.
    using Script = std::function<Answer(size_t)>;

    TestServer() : TestServer([](size_t) { return Answer(); }) {}
    explicit TestServer(Script script)
        : script_(std::move(script)), acceptor_(loop_, {asio::ip::address_v4::loopback(), 0}) {
        port_ = acceptor_.local_endpoint().port();
        thread_ = std::thread([this] { accept(); });
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer() {
        ending_ = true;
        {  // Wakes the acceptor.
            asio::ip::tcp::socket knock(loop_);
            std::error_code ignored;
            knock.connect({asio::ip::address_v4::loopback(), port_}, ignored);
        }
        thread_.join();
        for (Connection& connection : connections_) {
            std::error_code ignored;
            connection.socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
            connection.thread.join();
        }
    }

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(port_) + "/api/webhooks/1/secret-token";
    }
    std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    struct Connection {
        asio::ip::tcp::socket socket;
        std::thread thread;
    };

    void accept() {
        while (true) {
            asio::ip::tcp::socket socket(loop_);
            std::error_code error;
            acceptor_.accept(socket, error);
            if (ending_) return;
            if (error) continue;
            Connection& connection = connections_.emplace_back(std::move(socket), std::thread());
            connection.thread = std::thread([this, &connection] { serve(connection.socket); });
        }
    }

    void serve(asio::ip::tcp::socket& socket) {
        std::string bytes;
        std::error_code error;
        while (!error) {
            const size_t head_size =
                asio::read_until(socket, asio::dynamic_buffer(bytes), "\r\n\r\n", error);
            if (error) break;
            Request request{bytes.substr(0, head_size), {}, Clock::now()};
            bytes.erase(0, head_size);
            const size_t body_size = content_length(request.head);
            if (bytes.size() < body_size) {
                asio::read(socket, asio::dynamic_buffer(bytes),
                           asio::transfer_exactly(body_size - bytes.size()), error);
            }
            request.body = bytes.substr(0, body_size);
            bytes.erase(0, body_size);
            if (!answer(socket, std::move(request))) break;
        }
        socket.shutdown(asio::ip::tcp::socket::shutdown_both, error);
    }

    bool answer(asio::ip::tcp::socket& socket, Request request) {
        size_t before = 0;
        {
            const std::lock_guard lock(mutex_);
            before = requests_.size();
            requests_.push_back(std::move(request));
        }
        const Answer answer = script_(before);
        for (auto left = answer.delay; left.count() > 0 && !ending_; left -= small) {
            std::this_thread::sleep_for(small);
        }
        std::error_code error;
        if (answer.resets) {
            socket.set_option(asio::socket_base::linger(true, 0), error);
            socket.close(error);
            return false;
        }
        const std::string text =
            "HTTP/1.1 " + std::to_string(answer.status) + " Whatever\r\n" + answer.headers +
            "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
        asio::write(socket, asio::buffer(text), error);
        return !error;
    }

    static size_t content_length(const std::string& head) {
        const size_t at = head.find("Content-Length: ");
        return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    }

    static constexpr std::chrono::milliseconds small{5};

    Script script_;
    asio::io_context loop_;
    asio::ip::tcp::acceptor acceptor_;
    uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::list<Connection> connections_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace portcullis::actions::webhook
