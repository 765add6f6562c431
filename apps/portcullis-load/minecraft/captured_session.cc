#include "captured_session.h"

#include <array>
#include <cstring>

#include "packet/checksum.h"
#include "packet/wire_order.h"
#include "pipeline/capture.h"

namespace portcullis::load {

namespace {

constexpr size_t ip_at = 14, source_at = ip_at + 12, destination_at = ip_at + 16,
                 sum_at = ip_at + 10, tcp_sum_at = ip_at + 20 + 16;

std::byte* bytes_of(std::string& text, size_t at) {
    return reinterpret_cast<std::byte*>(text.data()) + at;
}

/// Ordinary TCP over IPv4 to or from a game server.
bool is_game(std::string& frame, size_t& client_at) {
    constexpr size_t size_min = ip_at + 40;
    if (frame.size() < size_min || load_be16(bytes_of(frame, 12)) != 0x0800) return false;
    if (frame[ip_at] != 0x45 || frame[ip_at + 9] != 6) return false;
    const bool to_server = load_be16(bytes_of(frame, ip_at + 22)) == minecraft_port;
    client_at = to_server ? source_at : destination_at;
    return to_server || load_be16(bytes_of(frame, ip_at + 20)) == minecraft_port;
}

}  // namespace

bool CapturedFrame::to_server() const noexcept { return client_at == source_at; }

CapturedSession read_session(const std::string& path) {
    CapturedSession session;
    pipeline::CaptureReader capture(path);
    Nanos began{};
    while (const auto frame = capture.next()) {
        if (began == Nanos{}) began = frame->time;
        std::string bytes(as_text(frame->bytes));
        size_t client_at = 0;
        if (!is_game(bytes, client_at)) continue;
        session.push_back({frame->time - began, client_at, std::move(bytes)});
    }
    return session;
}

void change_client(std::string& frame, size_t client_at, uint32_t address) {
    std::array<std::byte, 4> octets;
    store_be32(octets.data(), address);
    const Bytes before(bytes_of(frame, client_at), octets.size());
    for (const size_t at : {sum_at, tcp_sum_at}) {
        uint16_t field;
        std::memcpy(&field, frame.data() + at, sizeof field);
        field = adjusted_checksum(field, before, octets, false);
        std::memcpy(frame.data() + at, &field, sizeof field);
    }
    std::memcpy(frame.data() + client_at, octets.data(), octets.size());
}

}  // namespace portcullis::load
