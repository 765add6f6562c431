#pragma once

#include <asio.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actions/testing/tcp_server.h"

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
        : script_(std::move(script)),
          server_(0, [this](TcpServer::Socket& socket) { serve(socket); }) {}

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_.port()) +
               "/api/webhooks/1/secret-token";
    }
    std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    void serve(TcpServer::Socket& socket) {
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
    }

    bool answer(TcpServer::Socket& socket, Request request) {
        size_t before = 0;
        {
            const std::lock_guard lock(mutex_);
            before = requests_.size();
            requests_.push_back(std::move(request));
        }
        const Answer answer = script_(before);
        for (auto left = answer.delay; left.count() > 0 && !server_.ending(); left -= small) {
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
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    TcpServer server_;  ///< Last: what its threads use is there before them and goes after them.
};

}  // namespace portcullis::actions::webhook
