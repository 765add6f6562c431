#include "this_machine.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include <sys/stat.h>

#include "actions/secret.h"
#include "actions/webhook/sender.h"
#include "base/concat.h"
#include "base/setup_error.h"
#include "keys/parse.h"
#include "port/eal.h"

namespace portcullis::app {

namespace {

/// A file that the configuration names, and where.
struct SecretFile {
    std::string key;
    std::string path;
    config::Mark mark;
    /// Says what to mind of what it holds, or nothing.  Throws SetupError.
    std::function<std::string()> read;
};

std::string judge_url(const std::string& path) {
    if (!actions::webhook::read_url(path).starts_with("http://")) return "";
    return concat(path,
                  " holds an http:// address: whoever is on the way reads it, and what is "
                  "posted; use https://");
}

std::vector<SecretFile> secret_files(const config::Config& config) {
    std::vector<SecretFile> files;
    const auto add = [&](const std::string& key, const std::string& path, config::Mark mark,
                         std::function<std::string()> read) {
        if (!path.empty()) files.push_back({key, path, mark, std::move(read)});
    };
    for (const config::Service& s : config.services) {
        const auto load = [endpoint = s.endpoint](const std::string& cookie,
                                                  const std::string& integrity) {
            return [=] {
                (void)keys::load_secrets(endpoint, cookie, integrity);
                return std::string();
            };
        };
        add("cookie_secret_file", s.cookie_secret_file, s.mark, load(s.cookie_secret_file, ""));
        add("integrity_secret_file", s.integrity_secret_file, s.mark,
            load("", s.integrity_secret_file));
        // Rules can not be made without it, so it is read there.
        add("forwarding_secret_file", s.forwarding_secret_file, s.mark,
            [] { return std::string(); });
    }
    for (const config::Rcon& rcon : config.rcon) {
        add("password_file", rcon.password_file, rcon.mark, [path = rcon.password_file] {
            (void)actions::read_secret(path);
            return std::string();
        });
    }
    for (const config::Webhook& webhook : config.webhooks) {
        add("url_file", webhook.url_file, webhook.mark,
            [path = webhook.url_file] { return judge_url(path); });
    }
    return files;
}

/// They are there while the service runs, and for nobody else.
bool comes_with_the_service(const std::string& path) {
    std::error_code failed;
    return path.starts_with("/run/credentials/") && !std::filesystem::exists(path, failed);
}

std::string place(const config::Config& config, config::Mark mark) {
    return mark.line == 0 ? concat(config.file, ": ")
                          : concat(config.file, ":", mark.line, ":", mark.column, ": ");
}

void judge(const SecretFile& file, const config::Config& config, Fit& fit) {
    const std::string where = concat(place(config, file.mark), file.key, ": ");
    try {
        const std::string mind = file.read();
        if (!mind.empty()) fit.warnings.push_back(where + mind);
    } catch (const SetupError& error) {
        fit.problems.push_back(where + error.what());
        return;
    }
    struct stat found{};
    if (stat(file.path.c_str(), &found) != 0 || (found.st_mode & (S_IROTH | S_IWOTH)) == 0) return;
    fit.warnings.push_back(
        concat(where, file.path, " is a secret that every user of this machine can ",
               (found.st_mode & S_IWOTH) != 0 ? "change" : "read", "; chmod 600 it"));
}

void judge_cores(const config::Config& config, Fit& fit) {
    try {
        const port::Placement placement = port::place(config.cores, config.workers);
        const std::set<unsigned> cpus(placement.worker_cpus.begin(), placement.worker_cpus.end());
        if (cpus.size() == placement.worker_cpus.size()) return;
        fit.warnings.push_back(concat(config.file, ": ", config.workers, " workers share ",
                                      cpus.size(),
                                      " CPUs, and wait for each other; give fewer "
                                      "workers or more cores"));
    } catch (const SetupError& error) {
        fit.problems.push_back(concat(config.file, ": ", error.what()));
    }
}

}  // namespace

Fit fit_this_machine(const config::Config& config) {
    Fit fit;
    judge_cores(config, fit);
    for (const SecretFile& file : secret_files(config)) {
        if (!comes_with_the_service(file.path)) judge(file, config, fit);
    }
    return fit;
}

std::vector<std::string> warnings_about(const config::Config& config) {
    std::vector<std::string> warnings;
    if (config.services.empty()) {
        warnings.push_back(concat(config.file,
                                  ": no service is configured, so nothing is inspected; name the "
                                  "servers to protect in services"));
    }
    return warnings;
}

}  // namespace portcullis::app
