#include "port/interface.h"

#include <cerrno>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace portcullis::port {

namespace {

/// A socket for asking, and the interface's name and flags.
class Request {
public:
    explicit Request(unsigned index) noexcept : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
        if (socket_ < 0 || if_indextoname(index, request_.ifr_name) == nullptr ||
            ioctl(socket_, SIOCGIFFLAGS, &request_) != 0) {
            error_ = -errno;
        }
    }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() {
        if (socket_ >= 0) close(socket_);
    }

    int error() const noexcept { return error_; }
    bool has(int flags) const noexcept { return (request_.ifr_flags & flags) == flags; }
    int set(int flag, bool on) noexcept {
        const int flags = on ? request_.ifr_flags | flag : request_.ifr_flags & ~flag;
        request_.ifr_flags = static_cast<short>(flags);
        return ioctl(socket_, SIOCSIFFLAGS, &request_) == 0 ? 0 : -errno;
    }

private:
    const int socket_;
    ifreq request_{};
    int error_ = 0;
};

}  // namespace

bool interface_has_link(unsigned index) noexcept {
    const Request request(index);
    return request.error() == 0 && request.has(IFF_UP | IFF_RUNNING);
}

int set_interface(unsigned index, bool up) noexcept {
    Request request(index);
    if (request.error() != 0) return request.error();
    return request.has(IFF_UP) == up ? 0 : request.set(IFF_UP, up);
}

}  // namespace portcullis::port
