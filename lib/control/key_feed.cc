#include "control/key_feed.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keys/parse.h"

namespace portcullis::control {

namespace {

/// Whose groups do not fit is judged by his first one.
constexpr size_t groups_max = 1024;

bool in_our_group(int socket, gid_t first) {
    if (first == getegid()) return true;
    std::array<gid_t, groups_max> groups;
    socklen_t size = sizeof groups;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
    const auto end = groups.begin() + size / sizeof(gid_t);
    return std::find(groups.begin(), end, getegid()) != end;
}

bool admits(const Peer& peer, int socket) {
    const bool may = peer.user == 0 || peer.user == geteuid() || in_our_group(socket, peer.group);
    if (may) {
        spdlog::info("keys: process {} of user {} feeds", peer.process, peer.user);
    } else {
        spdlog::warn("keys: process {} of user {} may not feed: neither this user nor its group",
                     peer.process, peer.user);
    }
    return may;
}

AdminServer::Settings socket_settings() {
    AdminServer::Settings settings;
    settings.setting = "keys.socket";
    settings.admits = admits;
    return settings;
}

std::string refusal(const std::string& why) {
    return nlohmann::json{{"ok", false}, {"error", why}}.dump();
}

}  // namespace

KeyFeed::KeyFeed(asio::io_context& loop, const std::string& path, pipeline::WireSide& wire)
    : wire_(wire),
      server_(
          loop, path,
          [this](std::string_view line, const Peer&, const AdminServer::Reply& reply) {
              reply(answer(line));
          },
          socket_settings()) {}

std::string KeyFeed::answer(std::string_view line) {
    const auto key = keys::parse(line);
    if (!key) {
        ++counts_.refused;
        spdlog::warn("keys: a line is refused: {}", key.error());
        return refusal(key.error());
    }
    if (!wire_.give_key(*key)) {
        ++counts_.refused;
        nlohmann::json busy = {{"ok", false}, {"again", true}};
        busy["error"] = "the workers are busy; send it again";
        return busy.dump();
    }
    ++counts_.taken;
    return R"({"ok":true})";
}

}  // namespace portcullis::control
