#include "port/eal.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::port {

namespace {

std::vector<unsigned> usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
}

[[noreturn]] void refuse_cores(const std::string& cores, const std::string& why) {
    throw UsageError(concat("cores \"", cores, "\": ", why));
}

unsigned cpu_number(const std::string& cores, std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        refuse_cores(cores, "give CPU numbers and ranges, for example \"2-5,7\"");
    }
    return value;
}

std::vector<unsigned> cpus_in(const std::string& cores) {
    std::vector<unsigned> cpus;
    std::string_view rest = cores;
    while (!rest.empty()) {
        const std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(item.size() + 1, rest.size()));
        const size_t dash = item.find('-');
        const unsigned first = cpu_number(cores, item.substr(0, dash));
        const unsigned last =
            dash == std::string_view::npos ? first : cpu_number(cores, item.substr(dash + 1));
        if (last < first || last >= CPU_SETSIZE) refuse_cores(cores, "a range runs backwards");
        for (unsigned cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    }
    return cpus;
}

/// EAL places the threads that come after it; whoever was there before, as the logger,
/// would go on running where a Worker polls.  This thread is left: EAL asks it where it may run.
void keep_off_the_workers(const Placement& placement) {
    cpu_set_t control;
    CPU_ZERO(&control);
    for (unsigned cpu : placement.control_cpus) CPU_SET(cpu, &control);
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        const auto thread = static_cast<pid_t>(std::stol(task.path().filename().string()));
        if (thread != gettid()) sched_setaffinity(thread, sizeof control, &control);
    }
}

std::string joined(const std::vector<unsigned>& numbers) {
    std::string text;
    for (unsigned number : numbers) text += concat(text.empty() ? "" : ",", number);
    return text;
}

/// Where EAL will make its folder.  It refuses to start with telemetry when it can not.
bool runtime_folder_usable() {
    const char* folder = std::getenv("RUNTIME_DIRECTORY");
    if (folder == nullptr) {
        const char* const of_user = std::getenv("XDG_RUNTIME_DIR");
        folder = getuid() == 0 ? "/var/run" : of_user != nullptr ? of_user : "/tmp";
    }
    const std::string dpdk = concat(folder, "/dpdk");
    return access(access(dpdk.c_str(), F_OK) == 0 ? dpdk.c_str() : folder, W_OK | X_OK) == 0;
}

}  // namespace

Placement place(const std::string& cores, unsigned workers) {
    const std::vector<unsigned> usable = usable_cpus();
    Placement placement;
    if (cores.empty()) {
        for (unsigned i = 0; i < workers; ++i) {
            placement.worker_cpus.push_back(usable[usable.size() - 1 - i % usable.size()]);
        }
    } else {
        placement.worker_cpus = cpus_in(cores);
        if (placement.worker_cpus.size() != workers) {
            refuse_cores(cores, concat(placement.worker_cpus.size(), " CPUs for ", workers,
                                       " workers; name one each"));
        }
        for (unsigned cpu : placement.worker_cpus) {
            if (std::ranges::find(usable, cpu) != usable.end()) continue;
            refuse_cores(cores, concat("CPU ", cpu, " can not be used; usable: ", joined(usable)));
        }
    }
    for (unsigned cpu : usable) {
        if (std::ranges::find(placement.worker_cpus, cpu) == placement.worker_cpus.end()) {
            placement.control_cpus.push_back(cpu);
        }
    }
    if (placement.control_cpus.empty()) placement.control_cpus = usable;
    return placement;
}

std::vector<std::string> eal_arguments(const EalOptions& options) {
    // Lcore 0 is Control's, lcore n+1 is Worker n's, whatever CPUs they run on.
    std::string lcores = concat("0@(", joined(options.placement.control_cpus), ")");
    for (size_t i = 0; i < options.placement.worker_cpus.size(); ++i) {
        lcores += concat(",", i + 1, "@", options.placement.worker_cpus[i]);
    }
    std::vector<std::string> arguments = {
        "portcullis",
        "--file-prefix=portcullis",
        "--log-level=lib.*:error",
        "--log-level=pmd.*:error",
        "--lcores",
        lcores,
        "--main-lcore=0",
    };
    if (!options.telemetry || !runtime_folder_usable()) arguments.emplace_back("--no-telemetry");
    if (options.hugepages) {
        arguments.emplace_back("--in-memory");
    } else {
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "--iova-mode=va", "-m",
                                           std::to_string(options.memory_mib)});
    }
    if (options.pci.empty()) arguments.emplace_back("--no-pci");
    for (const std::string& address : options.pci) {
        arguments.insert(arguments.end(), {"-a", address});
    }
    arguments.insert(arguments.end(), options.user_arguments.begin(), options.user_arguments.end());
    return arguments;
}

bool hugepages_available() {
    namespace fs = std::filesystem;
    std::error_code failed;
    for (const auto& size : fs::directory_iterator("/sys/kernel/mm/hugepages", failed)) {
        unsigned long free = 0;
        std::ifstream(size.path() / "free_hugepages") >> free;
        if (free > 0) return true;
    }
    return false;
}

Eal::Eal(const EalOptions& options) {
    // What EAL says on its way belongs to nobody's results: it goes to a file
    // that is read only when the start fails.
    std::vector<std::string> arguments = eal_arguments(options);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());

    keep_off_the_workers(options.placement);
    FILE* said = tmpfile();
    if (said != nullptr) rte_openlog_stream(said);
    const int parsed = rte_eal_init(static_cast<int>(pointers.size()), pointers.data());
    const int error = rte_errno;
    rte_openlog_stream(stderr);
    std::string last_line;
    if (said != nullptr) {
        rewind(said);
        char line[512];
        while (parsed < 0 && fgets(line, sizeof line, said) != nullptr) last_line = line;
        fclose(said);
    }
    if (parsed >= 0) return;
    while (!last_line.empty() && last_line.back() == '\n') last_line.pop_back();
    throw SetupError(concat("DPDK does not start: ", rte_strerror(error),
                            last_line.empty() ? "" : " (" + last_line + ")",
                            "; look at what stands after \"--\" and at the free memory"));
}

Eal::~Eal() { rte_eal_cleanup(); }

}  // namespace portcullis::port
