#include "pager.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace portcullis::app {

namespace {

std::string environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

/// Whether the shell would find it.
bool in_path(const std::string& program) {
    std::istringstream folders(environment("PATH", "/usr/bin:/bin"));
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (access((folder + '/' + program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

}  // namespace

Pager::Pager(bool wanted) {
    if (isatty(STDOUT_FILENO) == 0) return;
    colours_ = environment("NO_COLOR", "").empty() && environment("TERM", "dumb") != "dumb";
    std::string command = environment("PAGER", in_path("less") ? "less" : "");
    if (!wanted || command.empty() || command == "cat") return;
    // As git does: leave at once what fits on the screen, keep colours.
    if (std::getenv("LESS") == nullptr) command.insert(0, "export LESS=FRX; ");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    pager_ = fork();
    if (pager_ == 0) {
        dup2(ends[0], STDIN_FILENO);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    if (pager_ > 0) {
        // Who leaves the pager early has seen enough: writing fails and that is all.
        std::signal(SIGPIPE, SIG_IGN);
        dup2(ends[1], STDOUT_FILENO);
    }
    close(ends[0]);
    close(ends[1]);
}

Pager::~Pager() {
    if (pager_ <= 0) return;
    std::cout.flush();
    close(STDOUT_FILENO);
    waitpid(pager_, nullptr, 0);
    // What was not written nobody wanted to read.
    std::cout.clear();
    clearerr(stdout);
}

}  // namespace portcullis::app
