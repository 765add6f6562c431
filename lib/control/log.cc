#include "control/log.h"

#include <cstdlib>
#include <memory>

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace portcullis::control {

namespace {

constexpr size_t messages_waiting_max = 8'192;

/// "<6>": what sd-daemon(3) wants before a line.
class JournalPriority : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const char* const priority = message.level >= spdlog::level::err    ? "<3>"
                                     : message.level == spdlog::level::warn ? "<4>"
                                     : message.level == spdlog::level::info ? "<6>"
                                                                            : "<7>";
        out.append(priority, priority + 3);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

std::unique_ptr<spdlog::formatter> formatter() {
    auto made = std::make_unique<spdlog::pattern_formatter>();
    if (std::getenv("JOURNAL_STREAM") != nullptr) {
        made->add_flag<JournalPriority>('*').set_pattern("%*%v");
    } else {
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    }
    return made;
}

}  // namespace

void start_log(const config::Logging& logging) {
    static const bool made = [] {
        spdlog::init_thread_pool(messages_waiting_max, 1);
        auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("portcullis");
        logger->set_formatter(formatter());
        spdlog::set_default_logger(std::move(logger));
        return true;
    }();
    (void)made;
    set_log_level(logging);
}

void set_log_level(const config::Logging& logging) {
    spdlog::set_level(spdlog::level::from_str(logging.level));
}

}  // namespace portcullis::control
