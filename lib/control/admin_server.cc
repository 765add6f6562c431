#include "control/admin_server.h"

#include <asio.hpp>
#include <cstring>
#include <filesystem>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>

#include "base/setup_error.h"
#include "metrics/socket_listener.h"

namespace portcullis::control {

namespace {

using asio::local::stream_protocol;

std::optional<Peer> peer_of(int socket) {
    ucred known{};
    socklen_t size = sizeof known;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &known, &size) != 0) return std::nullopt;
    return Peer{known.pid, known.uid, known.gid};
}

/// What is said without the handler: of requests that are none.
std::string refusal(const std::string& why) { return "{\"ok\":false,\"error\":\"" + why + "\"}"; }

class LineConnection final : public metrics::SocketConnection<stream_protocol> {
public:
    LineConnection(stream_protocol::socket socket, const Peer& peer,
                   const AdminServer::Handler& handler, Gone gone)
        : SocketConnection(std::move(socket), std::move(gone)), peer_(peer), handler_(handler) {}

    void start() override {
        give_patience(patience);
        asio::async_read_until(socket_, request_, '\n',
                               [self = self()](const std::error_code& error, size_t size) {
                                   if (error) return self->no_line(error);
                                   self->answer(size);
                               });
    }

private:
    static constexpr std::chrono::seconds patience{AdminServer::patience_s};
    static constexpr std::chrono::seconds farewell{5};

    std::shared_ptr<LineConnection> self() {
        return std::static_pointer_cast<LineConnection>(shared_from_this());
    }

    /// Who made a slip reads which, lest it look as if the appliance had died.
    void no_line(const std::error_code& error) {
        if (error == asio::error::not_found) {
            return part("a line has at most " + std::to_string(AdminServer::line_bytes_max) +
                        " bytes, and this one is longer");
        }
        if (error == asio::error::eof && request_.size() > 0) {
            return part("a request ends with a newline, and this one ended without");
        }
        close();
    }

    void part(const std::string& why) {
        reply_ = refusal(why) + '\n';
        give_patience(farewell);
        asio::async_write(
            socket_, asio::buffer(reply_), [self = self()](const std::error_code& error, size_t) {
                if (error) return self->close();
                std::error_code ignored;
                self->socket_.shutdown(stream_protocol::socket::shutdown_send, ignored);
                self->read_on();
            });
    }

    /// With bytes left unread, closing would take the answer away as well.
    void read_on() {
        request_.consume(request_.size());
        socket_.async_read_some(request_.prepare(AdminServer::line_bytes_max),
                                [self = self()](const std::error_code& error, size_t) {
                                    error ? self->close() : self->read_on();
                                });
    }

    void answer(size_t size) {
        const auto begin = asio::buffers_begin(request_.data());
        const std::string line(begin, begin + static_cast<ptrdiff_t>(size - 1));
        request_.consume(size);
        wait_without_end();  // An answer may take its time; the client's patience is its own.
        handler_(line, peer_, [self = self()](std::string reply) { self->send(std::move(reply)); });
    }

    void send(std::string reply) {
        reply_ = std::move(reply) + '\n';
        give_patience(patience);
        asio::async_write(socket_, asio::buffer(reply_),
                          [self = self()](const std::error_code& error, size_t) {
                              if (error) return self->close();
                              self->start();
                          });
    }

    const Peer peer_;
    asio::streambuf request_{AdminServer::line_bytes_max};
    std::string reply_;
    const AdminServer::Handler& handler_;
};

/// Takes away a socket that a crash left behind, and nothing else.
void clear_the_way(asio::io_context& loop, const std::string& path, const std::string& setting) {
    struct stat found{};
    if (lstat(path.c_str(), &found) != 0) return;
    if (!S_ISSOCK(found.st_mode)) {
        throw SetupError(setting + ": " + path +
                         " is there and no socket; remove it or configure another path");
    }
    stream_protocol::socket probe(loop);
    std::error_code error;
    probe.connect(stream_protocol::endpoint(path), error);
    if (!error) {
        throw SetupError(setting + ": another appliance answers at " + path +
                         "; end it or configure another path");
    }
    if (error == asio::error::connection_refused) std::filesystem::remove(path);
}

}  // namespace

class AdminServer::Listener final : public metrics::SocketListener<stream_protocol> {
public:
    Listener(asio::io_context& loop, const std::string& path, Handler handler, Settings settings)
        : SocketListener(loop, connections_max),
          path_(path),
          handler_(std::move(handler)),
          settings_(std::move(settings)) {
        clear_the_way(loop, path, settings_.setting);
        try {
            acceptor_.open();
            // No moment in which the file is open to all: others come by chmod alone.
            const mode_t before = umask(0177);
            std::error_code error;
            acceptor_.bind(stream_protocol::endpoint(path), error);
            umask(before);
            if (error) throw std::system_error(error);
            bound_ = true;
            acceptor_.listen();
            std::filesystem::permissions(path, std::filesystem::perms(0660));
        } catch (const std::system_error& error) {
            const std::string folder = std::filesystem::path(path).parent_path();
            throw SetupError(settings_.setting + ": can not listen at " + path + ": " +
                             error.code().message() + "; make " + folder +
                             " writable for this user or configure another path");
        }
    }
    ~Listener() override { Listener::stop(); }

    void stop() override {
        SocketListener::stop();
        std::error_code ignored;
        if (bound_) std::filesystem::remove(path_, ignored);
        bound_ = false;
    }

private:
    /// One line, which a fresh socket has room for, and the end.
    void turn_away(stream_protocol::socket socket) override {
        const std::string why = refusal(std::to_string(connections_max) +
                                        " connections are open already, the most that there may "
                                        "be; close one, or try again") +
                                '\n';
        std::error_code ignored;
        socket.non_blocking(true, ignored);
        asio::write(socket, asio::buffer(why), ignored);
    }

    std::shared_ptr<Connection> connection_of(stream_protocol::socket socket, Gone gone) override {
        const auto peer = peer_of(socket.native_handle());
        if (!peer) return nullptr;
        if (settings_.admits && !settings_.admits(*peer, socket.native_handle())) return nullptr;
        return std::make_shared<LineConnection>(std::move(socket), *peer, handler_,
                                                std::move(gone));
    }

    std::string path_;
    Handler handler_;
    Settings settings_;
    bool bound_ = false;
};

AdminServer::Settings::Settings() = default;

AdminServer::AdminServer(asio::io_context& loop, const std::string& path, Handler handler,
                         Settings settings)
    : listener_(std::make_shared<Listener>(loop, path, std::move(handler), std::move(settings))) {
    listener_->accept();
}

AdminServer::~AdminServer() { listener_->stop(); }

void AdminServer::stop() { listener_->stop(); }

}  // namespace portcullis::control
