#include "control/packet_line.h"

#include "verdicts/json.h"

namespace portcullis::control {

std::string packet_line(const verdicts::PacketRecord& packet) {
    std::string line;
    verdicts::append_packet_head(line, packet.time, {packet.client, packet.server},
                                 packet.direction, packet.state.view(), packet.name.view());
    if (packet.has_fields) {
        line += ",\"fields\":{";
        verdicts::append_valid_utf8(line, {packet.fields.data(), packet.fields_size});
        line += '}';
    }
    line += packet.cut ? ",\"cut\":true}" : "}";
    return line;
}

}  // namespace portcullis::control
