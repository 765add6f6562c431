#include "actions/webhook/sender.h"

#include <charconv>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include <curl/curl.h>
#include <spdlog/spdlog.h>

#include "actions/secret.h"
#include "base/setup_error.h"

namespace portcullis::actions::webhook {

namespace {

using Clock = Hook::Clock;
using Milliseconds = std::chrono::milliseconds;

constexpr size_t body_size_max = 64 * 1024;  ///< Of an answer; more is not read.
constexpr Milliseconds look_every{500};

/// Discord's own unversioned address speaks an old dialect (its waits may be in
/// milliseconds), so the one that we were written for is asked for.
std::string with_version(std::string url) {
    constexpr std::string_view plain = "/api/webhooks/";
    const size_t at = url.find(plain);
    if (at != std::string::npos) url.replace(at, plain.size(), "/api/v10/webhooks/");
    return url;
}

std::optional<double> number_in(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data() || !(value >= 0)) return std::nullopt;
    return value;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

/// What stands behind `name` and its colon; nothing in a line of another header.
std::optional<std::string_view> header_in(std::string_view line, std::string_view name) {
    if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
    if (lower(line.substr(0, name.size())) != name) return std::nullopt;
    return line.substr(name.size() + 1);
}

void take_number(std::string_view line, std::string_view name, std::optional<double>& into) {
    if (const auto value = header_in(line, name)) into = number_in(*value);
}

/// Of an address: those with the same one talk to the same service.
std::string host_of(std::string_view url) {
    const size_t begin = url.find("://");
    if (begin != std::string_view::npos) url.remove_prefix(begin + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    url.remove_prefix(url.rfind('@') + 1);  // None: from the beginning.
    return lower(url);
}

/// One message under way.
struct Exchange {
    size_t hook;
    std::string body;
    std::string answer;
    Response response;
    curl_slist* headers = nullptr;
    CURL* easy = nullptr;

    Exchange(size_t which, std::string what) : hook(which), body(std::move(what)) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange() {
        curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
    }
};

size_t on_header(const char* data, size_t, size_t size, void* user) {
    Response& response = static_cast<Exchange*>(user)->response;
    const std::string_view line(data, size);
    take_number(line, "retry-after", response.retry_after_s);
    take_number(line, "x-ratelimit-remaining", response.remaining);
    take_number(line, "x-ratelimit-reset-after", response.reset_after_s);
    const auto global = header_in(line, "x-ratelimit-global");
    const auto scope = header_in(line, "x-ratelimit-scope");
    if ((global && lower(*global).contains("true")) || (scope && lower(*scope).contains("global")))
        response.for_all = true;
    return size;
}

size_t on_body(const char* data, size_t, size_t size, void* user) {
    std::string& answer = static_cast<Exchange*>(user)->answer;
    answer.append(data, std::min(size, body_size_max - answer.size()));
    return size;
}

/// The body's figure is finer than the header's.
void read_limit(Exchange& exchange) {
    const auto json = nlohmann::json::parse(exchange.answer, nullptr, false);
    if (!json.is_object()) return;
    const auto at = json.find("retry_after");
    if (at != json.end() && at->is_number()) exchange.response.retry_after_s = at->get<double>();
    const auto global = json.find("global");
    if (global != json.end() && *global == true) exchange.response.for_all = true;
}

struct CurlGlobal {
    CurlGlobal() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};

}  // namespace

std::string read_url(const std::string& file) {
    const std::string url = read_secret(file);
    if (!url.starts_with("https://") && !url.starts_with("http://")) {
        throw SetupError("webhook url_file " + file +
                         ": its first line must be an address that begins with https:// (or with "
                         "http://, which whoever is on the way can read)");
    }
    return url;
}

class Sender::Loop {
public:
    Loop(const std::vector<Target>& targets, const Report& report, Settings settings)
        : settings_(settings), targets_(targets) {
        static const CurlGlobal once;
        for (const Target& target : targets) {
            urls_.push_back(url_of(target));
            hooks_.emplace_back(target.settings, report);
        }
        multi_ = curl_multi_init();
        if (multi_ == nullptr) throw SetupError("libcurl does not start; is memory short?");
        thread_ = std::thread([this] { run(); });
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop() {
        finish(Milliseconds(0));
        curl_multi_cleanup(multi_);
    }

    void add(std::span<const verdicts::Entry> entries) {
        bool some = false;
        {
            const std::lock_guard lock(mutex_);
            for (const verdicts::Entry& entry : entries) {
                for (Hook& hook : hooks_) {
                    if (!hook.wants(entry)) continue;
                    hook.add(entry, Clock::now());
                    some = true;
                }
            }
        }
        if (some) curl_multi_wakeup(multi_);
    }

    std::vector<std::string> reload() noexcept {
        std::vector<std::string> warnings;
        for (size_t i = 0; i < targets_.size(); ++i) {
            std::string url;
            try {
                url = url_of(targets_[i]);
            } catch (const std::exception& error) {
                warnings.push_back(std::string(error.what()) + "; webhook " + std::to_string(i) +
                                   " keeps the address that it has");
            }
            const std::lock_guard lock(mutex_);
            const bool another = !url.empty() && url != urls_[i];
            if (another) urls_[i] = std::move(url);
            if (hooks_[i].given_up() && !another && targets_[i].settings.copied) {
                warnings.push_back("webhook " + std::to_string(i) +
                                   " is tried again at the address that it had: its url_file is a "
                                   "copy made at the start, restart for another");
            }
            hooks_[i].enable(another);
        }
        curl_multi_wakeup(multi_);
        return warnings;
    }

    std::vector<Standing> standings() const {
        const std::lock_guard lock(mutex_);
        std::vector<Standing> all;
        for (const Hook& hook : hooks_) all.push_back(hook.standing());
        return all;
    }

    void finish(Milliseconds limit) noexcept {
        {
            const std::lock_guard lock(mutex_);
            if (!ending_) {
                ending_ = true;
                give_up_at_ = Clock::now() + limit;
                for (Hook& hook : hooks_) hook.hurry();
            }
        }
        curl_multi_wakeup(multi_);
        if (thread_.joinable()) thread_.join();
    }

private:
    static std::string url_of(const Target& target) {
        std::string url = read_url(target.url_file);
        const bool discord = target.settings.kind == config::WebhookKind::discord;
        return discord ? with_version(std::move(url)) : url;
    }

    void run() {
        while (true) {
            start_due();
            int running = 0;
            curl_multi_perform(multi_, &running);
            take_answers();
            if (ended()) break;
            curl_multi_poll(multi_, nullptr, 0, static_cast<int>(sleep_for().count()), nullptr);
        }
        for (const auto& exchange : exchanges_) curl_multi_remove_handle(multi_, exchange->easy);
        exchanges_.clear();
        const std::lock_guard lock(mutex_);
        for (Hook& hook : hooks_) hook.give_up();
    }

    bool ended() const {
        const std::lock_guard lock(mutex_);
        if (!ending_) return false;
        const bool idle =
            std::ranges::all_of(hooks_, [](const Hook& h) { return h.waiting() == 0; });
        return idle || Clock::now() >= give_up_at_;
    }

    Milliseconds sleep_for() const {
        const std::lock_guard lock(mutex_);
        auto until = Clock::now() + look_every;
        if (ending_) until = std::min(until, give_up_at_);
        for (const Hook& hook : hooks_) {
            if (const auto due = hook.due()) until = std::min(until, *due);
        }
        const auto left = std::chrono::ceil<Milliseconds>(until - Clock::now());
        return std::clamp(left, Milliseconds(0), look_every);
    }

    void start_due() {
        const std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        for (size_t i = 0; i < hooks_.size(); ++i) {
            hooks_[i].expire(now);
            const auto due = hooks_[i].due();
            if (due && *due <= now) start(i, hooks_[i].take());
        }
    }

    void start(size_t hook, std::string body) {
        auto exchange = std::make_unique<Exchange>(hook, std::move(body));
        CURL* easy = exchange->easy = curl_easy_init();
        exchange->headers = curl_slist_append(exchange->headers, "Content-Type: application/json");
        // No "100 Continue" first: some servers never send it.
        exchange->headers = curl_slist_append(exchange->headers, "Expect:");
        curl_easy_setopt(easy, CURLOPT_URL, urls_[hook].c_str());
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "Portcullis/" PORTCULLIS_VERSION " (webhook)");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.c_str());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(exchange->body.size()));
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange.get());
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange.get());
        curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange.get());
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        // A look-up runs on a thread of its own, which nobody can stop: it is left behind,
        // or all others here would wait for a name server that does not answer.
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                         static_cast<long>(settings_.connect_timeout.count()));
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
        curl_multi_add_handle(multi_, easy);
        exchanges_.push_back(std::move(exchange));
    }

    void take_answers() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            Exchange* exchange = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
            const CURLcode code = message->data.result;
            if (code == CURLE_OK) {
                long status = 0;
                curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
                exchange->response.status = static_cast<int>(status);
                if (status == 429) read_limit(*exchange);
            } else {
                // Not the connection's own message: that one may hold the address.
                exchange->response.problem = curl_easy_strerror(code);
            }
            curl_multi_remove_handle(multi_, message->easy_handle);
            {
                const std::lock_guard lock(mutex_);
                hooks_[exchange->hook].answer(exchange->response, Clock::now());
                if (exchange->response.status == 429 && exchange->response.for_all) {
                    hold_back_like(exchange->hook);
                }
            }
            std::erase_if(exchanges_, [&](const auto& e) { return e.get() == exchange; });
        }
    }

    /// Who goes on posting when a service asks all to wait may be shut out for long.
    void hold_back_like(size_t told) {
        for (size_t i = 0; i < hooks_.size(); ++i) {
            if (host_of(urls_[i]) == host_of(urls_[told])) {
                hooks_[i].hold_back(hooks_[told].paused_until());
            }
        }
    }

    const Settings settings_;
    const std::vector<Target> targets_;
    CURLM* multi_ = nullptr;
    std::vector<std::unique_ptr<Exchange>> exchanges_;  ///< The thread's own.
    mutable std::mutex mutex_;
    std::vector<std::string> urls_;
    std::vector<Hook> hooks_;
    bool ending_ = false;
    Clock::time_point give_up_at_;
    std::thread thread_;  ///< Last: it uses all of the above.
};

Sender::Sender(const std::vector<Target>& targets, Report report)
    : Sender(targets, std::move(report), Settings{}) {}
Sender::Sender(const std::vector<Target>& targets, Report report, Settings settings)
    : loop_(std::make_unique<Loop>(targets, report, settings)) {}
Sender::~Sender() = default;

void Sender::add(std::span<const verdicts::Entry> entries) { loop_->add(entries); }
std::vector<std::string> Sender::reload() noexcept { return loop_->reload(); }
std::vector<Standing> Sender::standings() const { return loop_->standings(); }
void Sender::finish(std::chrono::milliseconds limit) noexcept { loop_->finish(limit); }

}  // namespace portcullis::actions::webhook
