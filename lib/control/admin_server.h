#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace asio {
class io_context;
}

namespace portcullis::control {

/// Who is at the other end of a Unix socket, as the kernel saw him connect.
struct Peer {
    pid_t process = 0;  ///< 0: of a container whose processes have no number here.
    uid_t user = 0;
    gid_t group = 0;
};

/// The admin socket: a Unix stream socket on which a line is a request and the
/// next line back is its answer.  Who may connect is the file's permission,
/// 0660: the appliance's user and group.
class AdminServer {
public:
    static constexpr size_t connections_max = 16;
    static constexpr size_t line_bytes_max = 65'536;
    static constexpr int patience_s = 60;  ///< For a client that says or reads nothing.

    /// Called once, now or later, on the loop; without the newline.
    using Reply = std::function<void(std::string answer)>;
    using Handler = std::function<void(std::string_view request, const Peer& peer, Reply reply)>;

    struct Settings {
        std::string setting = "admin.socket";  ///< For messages.
        /// Whether who connected may speak; empty: whoever the file's permission lets in.
        std::function<bool(const Peer& peer, int socket)> admits;
        Settings();
    };

    /// Throws SetupError: another appliance answers there, no such directory, no
    /// permission, something else in its place.  A socket that nobody answers on,
    /// left by a crash, is replaced.
    AdminServer(asio::io_context& loop, const std::string& path, Handler handler,
                Settings settings = Settings());
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;
    /// Removes the socket's file.
    ~AdminServer();

    void stop();

private:
    class Listener;
    std::shared_ptr<Listener> listener_;
};

}  // namespace portcullis::control
