#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

/// What all servers here have in common, on somebody else's event loop and its thread alone.
namespace portcullis::metrics {

/// A client's connection: closed when it stays silent for longer than patience lasts.
template <class Protocol>
class SocketConnection : public std::enable_shared_from_this<SocketConnection<Protocol>> {
public:
    using Socket = typename Protocol::socket;
    using Gone = std::function<void(SocketConnection*)>;

    SocketConnection(Socket socket, Gone gone)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), gone_(std::move(gone)) {}
    SocketConnection(const SocketConnection&) = delete;
    SocketConnection& operator=(const SocketConnection&) = delete;
    virtual ~SocketConnection() { gone_(this); }

    virtual void start() = 0;
    void close() {
        std::error_code ignored;
        timer_.cancel();
        socket_.close(ignored);
    }

protected:
    void give_patience(std::chrono::seconds patience) {
        timer_.expires_after(patience);
        timer_.async_wait([self = this->weak_from_this()](const std::error_code& error) {
            const auto connection = self.lock();
            if (!error && connection) connection->close();
        });
    }
    void wait_without_end() { timer_.cancel(); }

    Socket socket_;

private:
    asio::steady_timer timer_;
    Gone gone_;
};

/// Accepts connections, up to a number.  Who derives from it opens `acceptor_`.
template <class Protocol>
class SocketListener : public std::enable_shared_from_this<SocketListener<Protocol>> {
public:
    using Socket = typename Protocol::socket;
    using Connection = SocketConnection<Protocol>;
    using Gone = typename Connection::Gone;

    SocketListener(asio::io_context& loop, size_t connections_max)
        : acceptor_(loop), pause_(loop), connections_max_(connections_max) {}
    SocketListener(const SocketListener&) = delete;
    SocketListener& operator=(const SocketListener&) = delete;
    virtual ~SocketListener() = default;

    void accept() {
        acceptor_.async_accept(
            [self = this->shared_from_this()](const std::error_code& error, Socket socket) {
                if (!self->acceptor_.is_open()) return;
                if (error) return self->accept_later();
                self->take(std::move(socket));
                self->accept();
            });
    }
    /// No new connections; those open are closed.
    virtual void stop() {
        std::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        for (Connection* connection : connections_) connection->close();
    }

protected:
    /// Null: it is not admitted.
    virtual std::shared_ptr<Connection> connection_of(Socket socket, Gone gone) = 0;
    /// One too many: it is closed.
    virtual void turn_away(Socket) {}

    typename Protocol::acceptor acceptor_;

private:
    /// A failed accept (no descriptors left) is no reason to stop, nor to spin.
    void accept_later() {
        pause_.expires_after(std::chrono::milliseconds(100));
        pause_.async_wait([self = this->shared_from_this()](const std::error_code& error) {
            if (!error) self->accept();
        });
    }
    void take(Socket socket) {
        if (connections_.size() >= connections_max_) return turn_away(std::move(socket));
        const auto connection =
            connection_of(std::move(socket), [self = this->shared_from_this()](Connection* gone) {
                self->connections_.erase(gone);
            });
        if (connection == nullptr) return;
        connections_.insert(connection.get());
        connection->start();
    }

    asio::steady_timer pause_;
    const size_t connections_max_;
    std::set<Connection*> connections_;
};

}  // namespace portcullis::metrics
