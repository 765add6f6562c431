#include "key_writer.h"

#include <cstring>
#include <fstream>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/concat.h"
#include "base/hex.h"
#include "base/setup_error.h"

namespace portcullis::load {

namespace {

std::string hex(Bytes bytes) {
    std::string text;
    append_hex(text, bytes);
    return text;
}

std::string line_of(const keys::Key& key) {
    if (const auto* epoch = std::get_if<keys::ShadowlandKey>(&key)) {
        return concat(R"({"protocol":"shadowland","client":")", to_string(epoch->client),
                      R"(","server":")", to_string(epoch->server), R"(","connection_id":)",
                      epoch->connection_id, R"(,"epoch":)", epoch->epoch, R"(,"c2s":")",
                      hex(epoch->to_server), R"(","s2c":")", hex(epoch->to_client), "\"}\n");
    }
    const auto& secrets = std::get<keys::ShadowlandSecrets>(key);
    return concat(R"({"protocol":"shadowland","server":")", to_string(secrets.server),
                  R"(","cookie_secret":")", hex(secrets.cookie), R"(","integrity_secret":")",
                  hex(secrets.integrity_secret()), "\"}\n");
}

/// A connection to the appliance's key socket.
class Feed {
public:
    explicit Feed(const std::string& path)
        : path_(path), socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path)
            throw UsageError("--feed: the path is too long");
        std::memcpy(address.sun_path, path.data(), path.size());
        if (socket_ < 0 ||
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw SetupError(concat(path, ": ", std::strerror(errno),
                                    "; is the appliance running, with keys: { socket: ... }?"));
        }
    }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    ~Feed() { ::close(socket_); }

    void give(std::string_view line) {
        while (!line.empty()) {
            const ssize_t written = ::send(socket_, line.data(), line.size(), MSG_NOSIGNAL);
            if (written <= 0) throw SetupError(concat(path_, ": ", std::strerror(errno)));
            line.remove_prefix(static_cast<size_t>(written));
        }
        const std::string answer = read_line();
        if (answer.find("\"ok\":true") == std::string::npos) {
            throw SetupError(concat(path_, ": a key is refused: ", answer));
        }
    }

private:
    std::string read_line() {
        std::string line;
        for (char c = 0; c != '\n';) {
            if (::recv(socket_, &c, 1, 0) != 1) throw SetupError(concat(path_, ": it hung up"));
            line += c;
        }
        return line;
    }

    std::string path_;
    int socket_;
};

}  // namespace

void write_keys(const std::string& path, std::span<const keys::Key> keys) {
    ::umask(0077);  // They are secrets, if only of a test.
    std::ofstream file(path, std::ios::trunc);
    for (const keys::Key& key : keys) file << line_of(key);
    file.close();
    if (!file) throw SetupError(concat(path, ": can not be written"));
}

void feed_keys(const std::string& socket, std::span<const keys::Key> keys) {
    Feed feed(socket);
    for (const keys::Key& key : keys) feed.give(line_of(key));
}

}  // namespace portcullis::load
