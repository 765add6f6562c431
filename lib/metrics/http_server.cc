#include "metrics/http_server.h"

#include <asio.hpp>
#include <set>

#include "base/setup_error.h"

namespace portcullis::metrics {

namespace {

using asio::ip::tcp;

tcp::endpoint to_asio(const Endpoint& endpoint) {
    if (endpoint.address.is_v4()) {
        return {asio::ip::address_v4(endpoint.address.as_v4()), endpoint.port};
    }
    return {asio::ip::address_v6(endpoint.address.octets), endpoint.port};
}

std::string_view phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Internal Server Error";
    }
}

/// One connection: read a head, answer it, close.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, const HttpServer::Handler& handler,
               std::function<void(Connection*)> gone)
        : socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          handler_(handler),
          gone_(std::move(gone)) {}
    ~Connection() { gone_(this); }

    void start() {
        give_patience();
        auto on_head = [self = shared_from_this()](const std::error_code& error, size_t size) {
            self->timer_.cancel();
            self->answer(error, size);
        };
        asio::async_read_until(socket_, request_, "\r\n\r\n", std::move(on_head));
    }

    void close() {
        std::error_code ignored;
        timer_.cancel();
        socket_.close(ignored);
    }

private:
    void give_patience() {
        timer_.expires_after(std::chrono::seconds(HttpServer::patience_s));
        timer_.async_wait([self = weak_from_this()](const std::error_code& error) {
            const auto connection = self.lock();
            if (!error && connection) connection->close();
        });
    }

    void answer(const std::error_code& error, size_t size) {
        if (error == asio::error::not_found) return send({431, "text/plain", "too long\n"}, true);
        if (error) return;
        std::string head(asio::buffers_begin(request_.data()),
                         asio::buffers_begin(request_.data()) + static_cast<ptrdiff_t>(size));
        const std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
        const size_t first = line.find(' ');
        const size_t second = line.rfind(' ');
        if (first == std::string_view::npos || second <= first ||
            !line.substr(second + 1).starts_with("HTTP/1.")) {
            return send({400, "text/plain", "not HTTP/1\n"}, true);
        }
        const std::string_view method = line.substr(0, first);
        if (method != "GET" && method != "HEAD") {
            return send({405, "text/plain", "GET or HEAD\n"}, true);
        }
        std::string_view path = line.substr(first + 1, second - first - 1);
        path = path.substr(0, path.find('?'));
        send(handler_(path), method == "GET");
    }

    void send(const HttpReply& reply, bool with_body) {
        reply_ = "HTTP/1.1 " + std::to_string(reply.status) + ' ' +
                 std::string(phrase(reply.status)) + "\r\nContent-Type: " + reply.type +
                 "\r\nContent-Length: " + std::to_string(reply.body.size()) +
                 "\r\nCache-Control: no-store\r\nConnection: close\r\n";
        if (reply.status == 405) reply_ += "Allow: GET, HEAD\r\n";
        reply_ += "\r\n";
        if (with_body) reply_ += reply.body;
        give_patience();
        asio::async_write(socket_, asio::buffer(reply_),
                          [self = shared_from_this()](const std::error_code&, size_t) {
                              std::error_code ignored;
                              self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
                              self->close();
                          });
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    asio::streambuf request_{HttpServer::request_bytes_max};
    std::string reply_;
    const HttpServer::Handler& handler_;
    std::function<void(Connection*)> gone_;
};

}  // namespace

class HttpServer::Listener : public std::enable_shared_from_this<HttpServer::Listener> {
public:
    Listener(asio::io_context& loop, const Endpoint& address, Handler handler)
        : acceptor_(loop), pause_(loop), handler_(std::move(handler)) {
        const tcp::endpoint endpoint = to_asio(address);
        try {
            acceptor_.open(endpoint.protocol());
            acceptor_.set_option(tcp::acceptor::reuse_address(true));
            acceptor_.bind(endpoint);
            acceptor_.listen();
        } catch (const std::system_error& error) {
            throw SetupError("metrics.listen: can not listen on " + to_string(address) + ": " +
                             error.code().message() +
                             "; end what listens there, or configure another address");
        }
    }

    void accept() {
        acceptor_.async_accept(
            [self = shared_from_this()](const std::error_code& error, tcp::socket socket) {
                if (!self->acceptor_.is_open()) return;
                if (error) return self->accept_later();
                self->serve(std::move(socket));
                self->accept();
            });
    }

    void stop() {
        std::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        for (Connection* connection : connections_) connection->close();
    }

    uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    /// A failed accept (no descriptors left) is no reason to stop, nor to spin.
    void accept_later() {
        pause_.expires_after(std::chrono::milliseconds(100));
        pause_.async_wait([self = shared_from_this()](const std::error_code& error) {
            if (!error) self->accept();
        });
    }

    void serve(tcp::socket socket) {
        if (connections_.size() >= connections_max) return;  // Closes it.
        auto connection = std::make_shared<Connection>(
            std::move(socket), handler_,
            [self = shared_from_this()](Connection* gone) { self->connections_.erase(gone); });
        connections_.insert(connection.get());
        connection->start();
    }

    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    Handler handler_;
    std::set<Connection*> connections_;
};

HttpServer::HttpServer(asio::io_context& loop, const Endpoint& address, Handler handler)
    : listener_(std::make_shared<Listener>(loop, address, std::move(handler))) {
    listener_->accept();
}

HttpServer::~HttpServer() { listener_->stop(); }

uint16_t HttpServer::port() const { return listener_->port(); }

void HttpServer::stop() { listener_->stop(); }

}  // namespace portcullis::metrics
