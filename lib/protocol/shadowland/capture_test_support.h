#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <pcap/pcap.h>

#include "base/reader.h"
#include "base/time.h"
#include "keys/shadowland_keys.h"
#include "protocol/shadowland/tell_test_support.h"

/// Captures of Shadowland, datagram by datagram, with the keys beside them.
namespace portcullis::shadowland {

namespace fs = std::filesystem;

/// Those that come with the source.
inline fs::path own_captures() { return fs::path(PORTCULLIS_SOURCE) / "tests/data/shadowland"; }

/// And those beside it, when they are there.
inline std::vector<fs::path> folders() {
    std::vector<fs::path> found;
    for (const fs::path& folder :
         {own_captures(), fs::path(PORTCULLIS_SOURCE) / "../shared/captures/shadowland"}) {
        if (fs::is_directory(folder)) found.push_back(folder);
    }
    return found;
}

/// One UDP datagram over Ethernet; the captures have nothing else.
struct Datagram {
    Nanos time{};
    Endpoint source, destination;
    Bytes payload;
};
inline std::optional<Datagram> datagram_of(Bytes frame) {
    Reader in(frame);
    in.skip(12);
    const uint16_t type = in.u16();
    Datagram d;
    const auto address6 = [&] {
        IpAddress a;
        std::ranges::transform(in.bytes(16), a.octets.begin(),
                               [](std::byte b) { return static_cast<uint8_t>(b); });
        return a;
    };
    if (type == 0x0800) {
        in.skip(12);
        d.source.address = IpAddress::v4(in.u32());
        d.destination.address = IpAddress::v4(in.u32());
    } else if (type == 0x86dd) {
        in.skip(8);
        d.source.address = address6();
        d.destination.address = address6();
    } else {
        return std::nullopt;
    }
    d.source.port = in.u16();
    d.destination.port = in.u16();
    const uint16_t size = in.u16();
    in.skip(2);
    d.payload = in.bytes(size - 8u);
    if (!in.ok()) return std::nullopt;
    return d;
}

inline void load_keys(const fs::path& path, const Endpoint& server, keys::ShadowlandKeys& keys) {
    const json file = json::parse(std::ifstream(path));
    keys::ShadowlandSecrets secrets{};
    secrets.server = server;
    secrets.has_cookie = true;
    std::ranges::copy(from_hex(file["cookie_secret"].get<std::string>()), secrets.cookie.begin());
    const auto table = from_hex(file["integrity_secret"].get<std::string>());
    std::ranges::copy(table, secrets.integrity.begin());
    secrets.integrity_size = static_cast<uint8_t>(table.size());
    keys.add(secrets);
    for (const json& session : file["sessions"]) {
        if (!session.contains("epochs")) continue;
        for (const json& epoch : session["epochs"]) {
            keys::ShadowlandKey key{};
            key.client = *parse_endpoint(session["client"].get<std::string>());
            key.server = server;
            key.connection_id = session["connection_id"];
            key.epoch = epoch["epoch"];
            key.to_server = key_from_hex(epoch["c2s"].get<std::string>());
            key.to_client = key_from_hex(epoch["s2c"].get<std::string>());
            keys.add(key);
        }
    }
}

/// Calls `each(const Datagram&)` in the order of the capture.
template <class Each>
void read_capture(const fs::path& path, Each&& each) {
    std::array<char, PCAP_ERRBUF_SIZE> why;
    pcap_t* pcap = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                           why.data());
    if (pcap == nullptr) throw std::runtime_error(why.data());
    pcap_pkthdr* head = nullptr;
    const u_char* data = nullptr;
    while (pcap_next_ex(pcap, &head, &data) == 1) {
        auto datagram = datagram_of(as_bytes(data, head->caplen));
        if (!datagram) continue;
        datagram->time = Nanos(head->ts.tv_sec * 1'000'000'000 + head->ts.tv_usec);
        each(*datagram);
    }
    pcap_close(pcap);
}

/// "legit-idle.pcap" has "legit-idle.keys.json" beside it.
inline std::string beside(const fs::path& capture, std::string_view what) {
    std::string base = capture.string();
    base.resize(base.size() - capture.extension().string().size());
    return base + std::string(what);
}

}  // namespace portcullis::shadowland
