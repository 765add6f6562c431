#include "metrics/http_server.h"

#include <asio.hpp>

#include "base/setup_error.h"
#include "metrics/socket_listener.h"

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
class HttpConnection final : public SocketConnection<tcp> {
public:
    HttpConnection(tcp::socket socket, const HttpServer::Handler& handler, Gone gone)
        : SocketConnection(std::move(socket), std::move(gone)), handler_(handler) {}

    void start() override {
        give_patience(patience);
        auto on_head = [self = self()](const std::error_code& error, size_t size) {
            self->wait_without_end();
            self->answer(error, size);
        };
        asio::async_read_until(socket_, request_, "\r\n\r\n", std::move(on_head));
    }

private:
    static constexpr std::chrono::seconds patience{HttpServer::patience_s};

    std::shared_ptr<HttpConnection> self() {
        return std::static_pointer_cast<HttpConnection>(shared_from_this());
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
        give_patience(patience);
        asio::async_write(socket_, asio::buffer(reply_),
                          [self = self()](const std::error_code&, size_t) {
                              std::error_code ignored;
                              self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
                              self->close();
                          });
    }

    asio::streambuf request_{HttpServer::request_bytes_max};
    std::string reply_;
    const HttpServer::Handler& handler_;
};

}  // namespace

class HttpServer::Listener final : public SocketListener<tcp> {
public:
    Listener(asio::io_context& loop, const Endpoint& address, Handler handler)
        : SocketListener(loop, connections_max), handler_(std::move(handler)) {
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

    uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    std::shared_ptr<Connection> connection_of(tcp::socket socket, Gone gone) override {
        return std::make_shared<HttpConnection>(std::move(socket), handler_, std::move(gone));
    }

    Handler handler_;
};

HttpServer::HttpServer(asio::io_context& loop, const Endpoint& address, Handler handler)
    : listener_(std::make_shared<Listener>(loop, address, std::move(handler))) {
    listener_->accept();
}

HttpServer::~HttpServer() { listener_->stop(); }

uint16_t HttpServer::port() const { return listener_->port(); }

void HttpServer::stop() { listener_->stop(); }

}  // namespace portcullis::metrics
