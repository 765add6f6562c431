#include "pager.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
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

}  // namespace

Pager::Pager() {
    if (isatty(STDOUT_FILENO) == 0) return;
    colours_ = environment("NO_COLOR", "").empty() && environment("TERM", "dumb") != "dumb";
    const std::string command = environment("PAGER", "less");
    if (command.empty() || command == "cat") return;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    // As git does: leave at once what fits on the screen, keep colours.
    setenv("LESS", "FRX", 0);
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
}

}  // namespace portcullis::app
