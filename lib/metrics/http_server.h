#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace asio {
class io_context;
}

namespace portcullis::metrics {

struct HttpReply {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

/// Answers GET and HEAD on one address, on somebody else's event loop.  Just
/// enough HTTP/1.1 for Prometheus, load balancers and curl: one request a
/// connection, few connections, short patience.  A client that is slow, silent
/// or hostile costs one of `connections_max` places for `patience_s`, no more.
class HttpServer {
public:
    static constexpr size_t connections_max = 32;
    static constexpr size_t request_bytes_max = 8'192;
    static constexpr int patience_s = 5;

    /// From the path (without query) to the answer; called on the loop.
    using Handler = std::function<HttpReply(std::string_view path)>;

    /// Throws SetupError: the address is taken, not ours, or not permitted.
    HttpServer(asio::io_context& loop, const Endpoint& address, Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    /// The port it listens on: what 0 became.
    uint16_t port() const;
    /// No new connections; those open are closed.  Call on the loop.
    void stop();

private:
    class Listener;
    std::shared_ptr<Listener> listener_;
};

}  // namespace portcullis::metrics
