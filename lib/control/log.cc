#include "control/log.h"

#include <cstdlib>
#include <memory>
#include <string>

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace portcullis::control {

namespace {

constexpr size_t messages_waiting_max = 8'192;

int priority_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return LOG_ERR;
    if (level == spdlog::level::warn) return LOG_WARNING;
    return level == spdlog::level::info ? LOG_INFO : LOG_DEBUG;
}

/// JOURNAL_STREAM names the device and file that were stderr when the service began;
/// what is started with another stderr inherits the variable all the same.
bool goes_to_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat file{};
    if (stream == nullptr || fstat(STDERR_FILENO, &file) != 0) return false;
    return stream == std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
}

/// For the journal, which gives a line its time.
class JournalFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string lines = journal_lines(priority_of(message.level),
                                                {message.payload.data(), message.payload.size()});
        out.append(lines.data(), lines.data() + lines.size());
        out.push_back('\n');
    }
    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JournalFormatter>();
    }
};

std::unique_ptr<spdlog::formatter> formatter() {
    if (goes_to_journal()) return std::make_unique<JournalFormatter>();
    return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

}  // namespace

const char* journal_priority(int priority) {
    static const bool journal = goes_to_journal();
    static constexpr const char* texts[] = {"<0>", "<1>", "<2>", "<3>", "<4>", "<5>", "<6>", "<7>"};
    return journal ? texts[priority & 7] : "";
}

std::string journal_lines(int priority, std::string_view text) {
    const char* const mark = journal_priority(priority);
    std::string lines = mark;
    for (const char c : text) {
        lines += c;
        if (c == '\n') lines += mark;
    }
    return lines;
}

void start_log(const config::Logging& logging) {
    spdlog::init_thread_pool(messages_waiting_max, 1);
    auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("portcullis");
    logger->set_formatter(formatter());
    spdlog::set_default_logger(std::move(logger));
    set_log_level(logging);
}

void set_log_level(const config::Logging& logging) {
    spdlog::set_level(spdlog::level::from_str(logging.level));
}

}  // namespace portcullis::control
