#include "control/admin_server.h"

#include <asio.hpp>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include <sys/socket.h>
#include <sys/stat.h>

#include "base/setup_error.h"

namespace portcullis::control {

namespace {

using asio::local::stream_protocol;

std::optional<Peer> peer_of(int socket) {
    ucred known{};
    socklen_t size = sizeof known;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &known, &size) != 0) return std::nullopt;
    return Peer{known.pid, known.uid, known.gid};
}

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(stream_protocol::socket socket, const Peer& peer,
               const AdminServer::Handler& handler, std::function<void(Connection*)> gone)
        : socket_(std::move(socket)),
          peer_(peer),
          timer_(socket_.get_executor()),
          handler_(handler),
          gone_(std::move(gone)) {}
    ~Connection() { gone_(this); }

    void read() {
        give_patience();
        asio::async_read_until(
            socket_, request_, '\n',
            [self = shared_from_this()](const std::error_code& error, size_t size) {
                if (error) return self->close();
                self->answer(size);
            });
    }

    void close() {
        std::error_code ignored;
        timer_.cancel();
        socket_.close(ignored);
    }

private:
    void give_patience() {
        timer_.expires_after(std::chrono::seconds(AdminServer::patience_s));
        timer_.async_wait([self = weak_from_this()](const std::error_code& error) {
            const auto connection = self.lock();
            if (!error && connection) connection->close();
        });
    }

    void answer(size_t size) {
        const auto begin = asio::buffers_begin(request_.data());
        const std::string line(begin, begin + static_cast<ptrdiff_t>(size - 1));
        request_.consume(size);
        timer_.cancel();  // An answer may take its time; the client's patience is its own.
        handler_(line, peer_,
                 [self = shared_from_this()](std::string reply) { self->send(std::move(reply)); });
    }

    void send(std::string reply) {
        reply_ = std::move(reply) + '\n';
        give_patience();
        asio::async_write(socket_, asio::buffer(reply_),
                          [self = shared_from_this()](const std::error_code& error, size_t) {
                              if (error) return self->close();
                              self->read();
                          });
    }

    stream_protocol::socket socket_;
    const Peer peer_;
    asio::steady_timer timer_;
    asio::streambuf request_{AdminServer::line_bytes_max};
    std::string reply_;
    const AdminServer::Handler& handler_;
    std::function<void(Connection*)> gone_;
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

class AdminServer::Listener : public std::enable_shared_from_this<AdminServer::Listener> {
public:
    Listener(asio::io_context& loop, const std::string& path, Handler handler, Settings settings)
        : acceptor_(loop),
          pause_(loop),
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
    ~Listener() { stop(); }

    void accept() {
        acceptor_.async_accept([self = shared_from_this()](const std::error_code& error,
                                                           stream_protocol::socket socket) {
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
        if (bound_) std::filesystem::remove(path_, ignored);
        bound_ = false;
    }

private:
    void accept_later() {
        pause_.expires_after(std::chrono::milliseconds(100));
        pause_.async_wait([self = shared_from_this()](const std::error_code& error) {
            if (!error) self->accept();
        });
    }

    /// One line, which a fresh socket has room for, and the end.
    static void turn_away(stream_protocol::socket socket) {
        const std::string why = "{\"ok\":false,\"error\":\"" + std::to_string(connections_max) +
                                " connections are open already, the most that there may be; "
                                "close one, or try again\"}\n";
        std::error_code ignored;
        socket.non_blocking(true, ignored);
        asio::write(socket, asio::buffer(why), ignored);
    }

    void serve(stream_protocol::socket socket) {
        if (connections_.size() >= connections_max) return turn_away(std::move(socket));
        const auto peer = peer_of(socket.native_handle());
        if (!peer) return;
        if (settings_.admits && !settings_.admits(*peer, socket.native_handle())) return;
        auto connection = std::make_shared<Connection>(
            std::move(socket), *peer, handler_,
            [self = shared_from_this()](Connection* gone) { self->connections_.erase(gone); });
        connections_.insert(connection.get());
        connection->read();
    }

    stream_protocol::acceptor acceptor_;
    asio::steady_timer pause_;
    std::string path_;
    Handler handler_;
    Settings settings_;
    bool bound_ = false;
    std::set<Connection*> connections_;
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
