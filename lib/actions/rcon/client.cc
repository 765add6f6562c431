#include "actions/rcon/client.h"

#include <algorithm>
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include <spdlog/spdlog.h>

#include "actions/backoff.h"
#include "actions/rcon/command.h"
#include "actions/rcon/packet.h"
#include "actions/secret.h"
#include "base/wall_clock.h"

namespace portcullis::actions::rcon {

namespace {

using namespace asio::experimental::awaitable_operators;
using asio::ip::tcp;
using verdicts::Outcome;
using verdicts::Result;
using verdicts::VerdictId;
using Clock = std::chrono::steady_clock;

constexpr auto as_result = asio::experimental::as_tuple(asio::use_awaitable);

/// Why a connection ended; the text is for the operator.
class Trouble : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

tcp::endpoint to_asio(const Endpoint& endpoint) {
    if (endpoint.address.is_v4()) {
        return {asio::ip::address_v4(endpoint.address.as_v4()), endpoint.port};
    }
    return {asio::ip::address_v6(endpoint.address.octets), endpoint.port};
}

}  // namespace

class Client::Session {
public:
    Session(asio::io_context& loop, Settings settings, Report report)
        : settings_(std::move(settings)),
          report_(std::move(report)),
          loop_(loop),
          socket_(loop),
          deadline_(loop),
          wakeup_(loop),
          house_(loop),
          backoff_(settings_.backoff_first, settings_.backoff_max) {
        (void)read_secret(settings_.password_file);
        stands_ = {false, "rcon of " + settings_.service + ": not connected yet"};
        asio::co_spawn(loop_, run(), asio::detached);
        asio::co_spawn(loop_, keep_house(), asio::detached);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        for (const Kick& kick : kicks_) report_all(kick, Result::expired, "the appliance ended");
        for (const Absent& absent : absent_) {
            report_all(absent.kick, Result::failed, absent.answer);
        }
        for (const Asked& asked : inbox_) {
            report_one(asked.verdict, Result::expired, 0, "the appliance ended");
        }
    }

    void kick(const VerdictId& verdict, std::string_view player, std::string_view reason) {
        if (waiting_.fetch_add(1) >= settings_.kicks_max) {
            report_one(verdict, Result::failed, 0, "too many kicks wait already");
            return;
        }
        {
            const std::lock_guard lock(mutex_);
            inbox_.push_back({verdict, std::string(player), std::string(reason)});
        }
        asio::post(loop_, [this] { take_inbox(); });
    }

    void gone(const VerdictId& verdict) {
        if (waiting_ == 0) return;
        {
            const std::lock_guard lock(mutex_);
            gone_.push_back(verdict);
            if (gone_.size() > 1) return;
        }
        asio::post(loop_, [this] { take_gone(); });
    }

    uint32_t waiting() const noexcept { return waiting_; }

    Standing standing() const {
        const std::lock_guard lock(mutex_);
        return stands_;
    }

private:
    /// As it was asked for; kept here rather than in a handler, which nobody would
    /// answer for when the loop ends first.
    struct Asked {
        VerdictId verdict;
        std::string player, reason;
    };
    struct Kick {
        std::string player;
        std::string command;
        std::vector<VerdictId> verdicts;
        Clock::time_point since;
        uint32_t attempts = 0;
        bool gone = false;  ///< The wire has thrown him out.
    };
    /// Whom the server does not know, and the wire has not told of.
    struct Absent {
        Kick kick;
        std::string answer;
        Clock::time_point give_up_at;
    };

    void take_inbox() {
        std::vector<Asked> all;
        {
            const std::lock_guard lock(mutex_);
            all.swap(inbox_);
        }
        for (const Asked& asked : all) enqueue(asked.verdict, asked.player, asked.reason);
    }

    void take_gone() {
        std::vector<VerdictId> all;
        {
            const std::lock_guard lock(mutex_);
            all.swap(gone_);
        }
        std::ranges::sort(all);
        const auto is_gone = [&](const Kick& kick) {
            return std::ranges::any_of(kick.verdicts, [&](const VerdictId& verdict) {
                return std::ranges::binary_search(all, verdict);
            });
        };
        for (Kick& kick : kicks_) kick.gone = kick.gone || is_gone(kick);
        std::erase_if(absent_, [&](const Absent& absent) {
            if (!is_gone(absent.kick)) return false;
            report_gone(absent.kick, absent.answer);
            return true;
        });
    }

    void enqueue(const VerdictId& verdict, const std::string& player, const std::string& reason) {
        for (Kick& kick : kicks_) {
            if (kick.player == player) {
                kick.verdicts.push_back(verdict);
                return;
            }
        }
        for (const auto& [name, time] : kicked_) {
            if (name == player && Clock::now() - time < settings_.same_kick) {
                report_one(verdict, Result::done, 0, "kicked a moment before");
                return;
            }
        }
        const auto command = command_for(settings_.kick, player, reason);
        if (!command) {
            report_one(verdict, Result::failed, 0, "the name is none that a command may hold");
            return;
        }
        kicks_.push_back({player, *command, {verdict}, Clock::now(), 0, false});
        // In the past, not just cancelled: a wait that is about to begin ends too.
        wakeup_.expires_at(Clock::time_point::min());
    }

    asio::awaitable<void> run() {
        while (true) {
            std::string trouble;
            try {
                co_await connect();
                co_await log_in();
                stands(true, "");
                backoff_.reset();
                co_await serve();
            } catch (const std::exception& error) {
                trouble = error.what();
            }
            stands(false, "rcon of " + settings_.service + " at " + to_string(settings_.endpoint) +
                              ": " + trouble);
            std::error_code ignored;
            socket_.close(ignored);
            deadline_.expires_after(backoff_.next());
            co_await deadline_.async_wait(as_result);
        }
    }

    asio::awaitable<void> connect() {
        received_ = {};
        deadline_.expires_after(settings_.connect_timeout);
        const auto first =
            co_await (socket_.async_connect(to_asio(settings_.endpoint), as_result) ||
                      deadline_.async_wait(as_result));
        if (first.index() == 1) throw Trouble("no connection in time");
        if (const auto error = std::get<0>(std::get<0>(first))) throw Trouble(error.message());
        socket_.set_option(tcp::no_delay(true));
        socket_.set_option(tcp::socket::keep_alive(true));
    }

    asio::awaitable<void> log_in() {
        const int32_t id = next_id();
        co_await send(encode(id, Type::login, read_secret(settings_.password_file)));
        while (true) {
            const Packet packet = co_await receive();
            // Some servers send an empty reply before the answer to a login.
            if (packet.type != Type::login_reply) continue;
            if (packet.id == refused_id) throw Trouble("the password is refused");
            if (packet.id == id) co_return;
        }
    }

    asio::awaitable<void> serve() {
        while (true) {
            if (kicks_.empty()) {
                const bool woken = co_await idle();
                // A second login is understood by all and runs nothing.
                if (woken && kicks_.empty()) co_await log_in();
                continue;
            }
            co_await carry_out();
            deadline_.expires_after(settings_.between_commands);
            co_await deadline_.async_wait(as_result);
        }
    }

    /// Until there is something to do, or nothing has been for long: then true.  False: the
    /// server said something.  Notices when it closes the connection.
    asio::awaitable<bool> idle() {
        wakeup_.expires_after(settings_.probe_every);
        const auto first = co_await (socket_.async_wait(tcp::socket::wait_read, as_result) ||
                                     wakeup_.async_wait(as_result));
        if (first.index() == 1) co_return true;
        co_await read_some();
        while (received_.next()) {  // The rest of an answer that came in pieces.
        }
        if (received_.broken()) throw Trouble("it does not speak RCON");
        co_return false;
    }

    asio::awaitable<void> carry_out() {
        Kick& kick = kicks_.front();
        ++kick.attempts;
        under_way_ = true;
        const int32_t id = next_id();
        std::string trouble;
        try {
            co_await send(encode(id, Type::command, kick.command));
            while (true) {
                const Packet packet = co_await receive();
                if (packet.id == refused_id) throw Trouble("the login is no longer good");
                // Anything else is the rest of an earlier answer.
                if (packet.id != id) continue;
                const std::string answer = clean_answer(packet.text);
                answered(answer);
                co_return;
            }
        } catch (const std::exception& error) {
            trouble = error.what();
        }
        under_way_ = false;
        if (kick.attempts >= settings_.tries_max) finish(Result::failed, trouble);
        throw Trouble(trouble);
    }

    void answered(const std::string& answer) {
        if (!says_absent(answer)) {
            return finish(says_failed(answer) ? Result::failed : Result::done, answer);
        }
        under_way_ = false;
        Kick kick = std::move(kicks_.front());
        kicks_.pop_front();
        if (kick.gone) return report_gone(kick, answer);
        absent_.push_back({std::move(kick), answer, Clock::now() + settings_.wire_patience});
    }

    asio::awaitable<void> send(std::string packet) {
        deadline_.expires_after(settings_.answer_timeout);
        const auto first = co_await (asio::async_write(socket_, asio::buffer(packet), as_result) ||
                                     deadline_.async_wait(as_result));
        if (first.index() == 1) throw Trouble("it takes no bytes");
        if (const auto error = std::get<0>(std::get<0>(first))) throw Trouble(error.message());
        // One time for the command and its whole answer.
        deadline_.expires_after(settings_.answer_timeout);
    }

    /// The next packet, before the deadline that `send` has set.
    asio::awaitable<Packet> receive() {
        while (true) {
            if (auto packet = received_.next()) co_return std::move(*packet);
            if (received_.broken()) throw Trouble("it does not speak RCON");
            if (deadline_.expiry() <= Clock::now()) throw Trouble("no answer in time");
            const auto first = co_await (socket_.async_wait(tcp::socket::wait_read, as_result) ||
                                         deadline_.async_wait(as_result));
            if (first.index() == 1) throw Trouble("no answer in time");
            co_await read_some();
        }
    }

    asio::awaitable<void> read_some() {
        char bytes[4096];
        const auto [error, size] = co_await socket_.async_read_some(asio::buffer(bytes), as_result);
        if (error == asio::error::eof) throw Trouble("the server closed the connection");
        if (error) throw Trouble(error.message());
        received_.add({bytes, size});
    }

    asio::awaitable<void> keep_house() {
        while (true) {
            house_.expires_after(std::min(settings_.age_max / 4, Milliseconds(1000)));
            co_await house_.async_wait(as_result);
            expire();
        }
    }

    /// The one that is under way ends by itself.
    void expire() {
        const auto too_old = [&](const Kick& kick) {
            return !(under_way_ && &kick == &kicks_.front()) &&
                   Clock::now() - kick.since > settings_.age_max;
        };
        for (const Kick& kick : kicks_) {
            if (too_old(kick)) report_all(kick, Result::expired, standing().says);
        }
        std::erase_if(kicks_, too_old);
        std::erase_if(absent_, [&](const Absent& absent) {
            if (Clock::now() < absent.give_up_at) return false;
            report_all(absent.kick, Result::failed, absent.answer);
            return true;
        });
        std::erase_if(kicked_, [&](const auto& kicked) {
            return Clock::now() - kicked.second > settings_.same_kick;
        });
    }

    void finish(Result result, std::string_view detail) {
        under_way_ = false;
        const Kick kick = std::move(kicks_.front());
        kicks_.pop_front();
        if (result == Result::done) kicked_.emplace_back(kick.player, Clock::now());
        report_all(kick, result, detail);
    }

    void report_gone(const Kick& kick, const std::string& answer) {
        report_all(kick, Result::done, "gone already: " + answer);
    }

    void report_all(const Kick& kick, Result result, std::string_view detail) {
        for (const VerdictId& verdict : kick.verdicts) {
            report_one(verdict, result, kick.attempts, detail);
        }
    }

    void report_one(const VerdictId& verdict, Result result, uint32_t attempts,
                    std::string_view detail) {
        --waiting_;
        // A service has one server.
        report_({verdict, verdicts::Target::rcon, result, 0, attempts, wall_clock(), detail,
                 std::string_view(settings_.service)});
    }

    /// Says it to the operator when it changes.
    void stands(bool well, const std::string& says) {
        const std::lock_guard lock(mutex_);
        if (well && !stands_.well) {
            spdlog::info("rcon of {} is connected", settings_.service);
        } else if (!well && stands_.says != says) {
            spdlog::warn("{}; trying again", says);
        }
        stands_ = {well, says};
    }

    int32_t next_id() noexcept {
        last_id_ = last_id_ % 0x7fffffff + 1;
        return last_id_;
    }

    const Settings settings_;
    const Report report_;
    asio::io_context& loop_;
    tcp::socket socket_;
    asio::steady_timer deadline_, wakeup_, house_;
    Splitter received_;
    Backoff backoff_;
    int32_t last_id_ = 0;
    std::deque<Kick> kicks_;
    std::vector<Absent> absent_;
    bool under_way_ = false;  ///< The first of them is being asked for.
    std::vector<std::pair<std::string, Clock::time_point>> kicked_;  ///< Lately, with success.
    std::atomic<uint32_t> waiting_{0};
    mutable std::mutex mutex_;
    Standing stands_;
    std::vector<Asked> inbox_;
    std::vector<VerdictId> gone_;
};

Client::Client(asio::io_context& loop, Settings settings, Report report)
    : session_(std::make_unique<Session>(loop, std::move(settings), std::move(report))) {}
Client::~Client() = default;

void Client::kick(const verdicts::VerdictId& verdict, std::string_view player,
                  std::string_view reason) {
    session_->kick(verdict, player, reason);
}
void Client::gone(const verdicts::VerdictId& verdict) { session_->gone(verdict); }
uint32_t Client::waiting() const noexcept { return session_->waiting(); }
Standing Client::standing() const { return session_->standing(); }

}  // namespace portcullis::actions::rcon
