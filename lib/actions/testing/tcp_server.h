#pragma once

#include <asio.hpp>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace portcullis::actions {

/// Listens on loopback for a test's server, and serves each connection in a thread of its own.
class TcpServer {
public:
    using Socket = asio::ip::tcp::socket;

    /// `serve` returns when it is done with the connection; port 0: any free one.
    TcpServer(uint16_t port, std::function<void(Socket&)> serve)
        : serve_(std::move(serve)), acceptor_(loop_, {asio::ip::address_v4::loopback(), port}) {
        port_ = acceptor_.local_endpoint().port();
        thread_ = std::thread([this] { accept(); });
    }
    TcpServer(const TcpServer&) = delete;
    TcpServer& operator=(const TcpServer&) = delete;
    ~TcpServer() {
        ending_ = true;
        {  // Wakes the acceptor.
            Socket knock(loop_);
            std::error_code ignored;
            knock.connect({asio::ip::address_v4::loopback(), port_}, ignored);
        }
        thread_.join();
        drop_connections();
        for (Connection& connection : connections_) connection.thread.join();
    }

    uint16_t port() const noexcept { return port_; }
    bool ending() const noexcept { return ending_; }
    void drop_connections() {
        const std::lock_guard lock(mutex_);
        for (Connection& connection : connections_) {
            std::error_code ignored;
            connection.socket.shutdown(Socket::shutdown_both, ignored);
        }
    }

private:
    struct Connection {
        Socket socket;
        std::thread thread;
    };

    void accept() {
        while (true) {
            Socket socket(loop_);
            std::error_code error;
            acceptor_.accept(socket, error);
            if (ending_) return;
            if (error) continue;
            const std::lock_guard lock(mutex_);
            Connection& connection = connections_.emplace_back(std::move(socket), std::thread());
            connection.thread = std::thread([this, &connection] {
                serve_(connection.socket);
                std::error_code ignored;
                connection.socket.shutdown(Socket::shutdown_both, ignored);
            });
        }
    }

    std::function<void(Socket&)> serve_;
    asio::io_context loop_;
    asio::ip::tcp::acceptor acceptor_;
    uint16_t port_ = 0;
    std::mutex mutex_;  ///< Of the list of connections.
    std::list<Connection> connections_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace portcullis::actions
