#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "actions/report.h"
#include "base/ip.h"
#include "records/id.h"

namespace asio {
class io_context;
}

namespace portcullis::actions::rcon {

/// Kicks players off one server through its RCON port.
///
/// Keeps one connection open, logged in from the start, so that the first kick
/// does not wait and health knows; an idle one logs in anew now and then, for a server
/// that hangs closes nothing.  Commands go one at a time, one packet a
/// send: the game's server reads once and takes what it got for one packet.
/// Kicks of one player that wait together become one command.  A command that
/// is not answered is sent again after a new login, `tries_max` times in all; a
/// kick that nobody could be asked for within `age_max` has expired.  That the server knows
/// no such player is a failure only where the wire has not thrown him out.
class Client {
public:
    using Milliseconds = std::chrono::milliseconds;

    struct Settings {
        std::string service;
        Endpoint endpoint;
        std::string password_file;
        std::string kick = "kick {player} {reason}";
        Milliseconds connect_timeout{5'000};
        Milliseconds answer_timeout{3'000};
        Milliseconds backoff_first{1'000};
        Milliseconds backoff_max{60'000};
        Milliseconds between_commands{100};  ///< Ten a second.
        Milliseconds probe_every{30'000};    ///< While there is nothing to do.
        Milliseconds age_max{60'000};
        /// Another kick of a player this soon after one that worked is the same one.
        Milliseconds same_kick{2'000};
        /// So much later than the server's answer the wire may tell that it was faster.
        Milliseconds wire_patience{2'000};
        uint32_t tries_max = 3;
        uint32_t kicks_max = 1'000;  ///< Waiting; one more fails at once.
    };

    /// Reads the password once to see that it is there; throws SetupError if not,
    /// or if the kick command is none.  `loop` is run by one thread.
    Client(asio::io_context& loop, Settings settings, Report report);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    /// After the loop has stopped: what still waits is reported expired.
    ~Client();

    /// Any thread; never waits.
    void kick(const verdicts::VerdictId& verdict, std::string_view player, std::string_view reason);
    /// The wire has ended the connection that a verdict was about.  Any thread, and any verdict.
    void gone(const verdicts::VerdictId& verdict);
    /// Kicks not yet reported.
    uint32_t waiting() const noexcept;
    Standing standing() const;

private:
    class Session;
    std::unique_ptr<Session> session_;
};

}  // namespace portcullis::actions::rcon
