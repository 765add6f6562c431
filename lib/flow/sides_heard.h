#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/side.h"

namespace portcullis {

/// On which sides of the wires the two ends of Services were heard.
///
/// Anybody can write a server's address into a packet, but nobody on the players' side can
/// let it come in from the servers'.  So what is said in a server's name is believed only
/// when it is on its way to where clients are.
///
/// Learned from packets of no Flow, for as long as the process lives; who stands on one side
/// can change only what is known of that side.
class SidesHeard {
public:
    static constexpr size_t services_max = 64, wires_max = 8;

    /// A packet of no Flow, to or from the Service.
    void hear(uint8_t service, uint8_t wire, Side side, bool to_server) noexcept {
        services_[service].anybody.add(SideSet(side));
        wires_[wire].add(SideSet(side));
        if (to_server) services_[service].clients.add(SideSet(side));
    }
    /// Whether a packet in a server's name that goes toward `out` goes where no client is.
    /// `clients`: the sides of the one it is for; none: any of the Service's.
    ///
    /// Never while nothing of the Service, nor of others on its wire, has come from there:
    /// then both directions come in on one side, as from a mirror port.
    bool leads_nowhere(uint8_t service, uint8_t wire, Side out, SideSet clients) const noexcept {
        const Service& its = services_[service];
        if (clients.empty()) clients = its.clients;
        return !clients.has(out) && (its.anybody.has(out) || wires_[wire].has(out));
    }

private:
    struct Service {
        SideSet anybody, clients;
    };
    std::array<Service, services_max> services_;
    std::array<SideSet, wires_max> wires_;
};

}  // namespace portcullis
