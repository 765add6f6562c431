#include "control/packet_line.h"

#include "verdicts/json.h"

namespace portcullis::control {

std::string packet_line(const verdicts::PacketRecord& packet) {
    std::string line = "{\"type\":\"packet\",\"time\":\"";
    verdicts::append_time(line, packet.time);
    line += "\",\"flow\":";
    verdicts::append_json_flow(line, packet.client, packet.server);
    line += ",\"direction\":\"";
    line += name_in(protocol::direction_names, packet.direction);
    line += "\",\"state\":\"";
    line += packet.state.view();
    line += "\",\"name\":";
    verdicts::append_json_string(line, packet.name.view());
    if (packet.has_fields) {
        line += ",\"fields\":{";
        verdicts::append_valid_utf8(line, {packet.fields.data(), packet.fields_size});
        line += '}';
    }
    line += packet.cut ? ",\"cut\":true}" : "}";
    return line;
}

}  // namespace portcullis::control
