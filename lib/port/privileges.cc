#include "port/privileges.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <thread>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::port {

namespace {

using namespace std::chrono_literals;

constexpr std::array names = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};

// Linux keeps capabilities a thread, and only the thread itself may change them.  So
// each is sent a signal, as glibc does for setuid(2), and drops its own.
std::atomic<uint64_t> wanted{0};
std::atomic<unsigned> answered{0};

void drop_own(int) {
    const int error = errno;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, data) == 0) {
        for (unsigned i = 0; i < std::size(data); ++i) {
            const auto kept = static_cast<uint32_t>(wanted.load() >> (32 * i));
            data[i].permitted &= kept;
            data[i].effective = data[i].permitted;
            data[i].inheritable = 0;
        }
        syscall(SYS_capset, &header, data);
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    answered.fetch_add(1);
    errno = error;
}

std::set<pid_t> threads() {
    std::set<pid_t> all;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        all.insert(static_cast<pid_t>(std::stol(entry.path().filename().string())));
    }
    return all;
}

Capabilities effective_of(pid_t thread) {
    std::ifstream status(concat("/proc/self/task/", thread, "/status"));
    constexpr std::string_view key = "CapEff:\t";
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with(key)) continue;
        Capabilities value = 0;
        std::from_chars(line.data() + key.size(), line.data() + line.size(), value, 16);
        return value;
    }
    return 0;  // It has ended meanwhile.
}

/// Sends the signal to `thread` and waits until it has dropped; false: it never did.
bool tell(pid_t thread, int signal) {
    const unsigned before = answered.load();
    if (syscall(SYS_tgkill, getpid(), thread, signal) != 0) return errno == ESRCH;
    constexpr std::chrono::milliseconds patience = 2s, interval = 1ms;
    for (std::chrono::milliseconds waited{}; waited < patience && answered.load() == before;
         waited += interval) {
        std::this_thread::sleep_for(interval);
    }
    return answered.load() != before;
}

}  // namespace

void drop_capabilities(Capabilities kept) {
    wanted = kept;
    const int signal = SIGRTMIN + 5;  // Any that glibc and DPDK leave alone.
    struct sigaction before{}, action{};
    action.sa_handler = drop_own;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, &before);
    std::set<pid_t> told;
    // A thread may start another while we go round, until a round finds none.
    for (bool more = true; more;) {
        more = false;
        for (const pid_t thread : threads()) {
            if (!told.insert(thread).second) continue;
            more = true;
            if (tell(thread, signal)) continue;
            throw SetupError(concat("thread ", thread, " does not give up its privileges"));
        }
    }
    sigaction(signal, &before, nullptr);
    const Capabilities left = effective_capabilities();
    if ((left & ~kept) == 0) return;
    throw SetupError(
        concat("privileges could not be dropped; still there: ", capabilities_text(left & ~kept)));
}

Capabilities effective_capabilities() {
    Capabilities all = 0;
    for (const pid_t thread : threads()) all |= effective_of(thread);
    return all;
}

std::string capabilities_text(Capabilities capabilities) {
    std::string text;
    for (size_t i = 0; i < names.size(); ++i) {
        if ((capabilities >> i & 1) != 0) text += concat(text.empty() ? "" : ", ", names[i]);
    }
    return text.empty() ? "none" : text;
}

}  // namespace portcullis::port
