// Goal: a reported packet is one line of JSON of the form that `inspect --packets` has,
// whatever bytes a client put into it.
// Method: records by hand, read back as JSON.

#include "control/packet_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace portcullis::control {
namespace {

using Json = nlohmann::ordered_json;

verdicts::PacketRecord packet(std::string_view fields) {
    verdicts::PacketRecord packet;
    packet.time = 1'795'000'000s + 123'456us;
    packet.client = *parse_endpoint("198.51.100.7:50122");
    packet.server = *parse_endpoint("10.0.0.2:25565");
    packet.state.assign("play");
    packet.name.assign("position");
    packet.has_fields = true;
    packet.fields_size = static_cast<uint16_t>(fields.size());
    std::ranges::copy(fields, packet.fields.begin());
    return packet;
}

TEST(PacketLine, IsWhatInspectWrites) {
    EXPECT_EQ(packet_line(packet(R"("x":1.5,"on_ground":true)")),
              R"({"type":"packet","time":"2026-11-18T11:06:40.123456Z",)"
              R"("flow":{"client":"198.51.100.7:50122","server":"10.0.0.2:25565"},)"
              R"("direction":"c2s","state":"play","name":"position",)"
              R"("fields":{"x":1.5,"on_ground":true}})");
}

TEST(PacketLine, WithoutALayoutThereAreNoFields) {
    verdicts::PacketRecord plain = packet("");
    plain.has_fields = false;
    const Json json = Json::parse(packet_line(plain));
    EXPECT_FALSE(json.contains("fields"));
    EXPECT_FALSE(json.contains("cut"));
}

TEST(PacketLine, BytesThatAreNoTextStayJson) {
    verdicts::PacketRecord cut = packet("\"message\":\"caf\xc3\"");
    cut.cut = true;
    const std::string line = packet_line(cut);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Json json = Json::parse(line);
    EXPECT_EQ(json.at("fields").at("message"), "caf\xef\xbf\xbd");
    EXPECT_EQ(json.at("cut"), true);
}

}  // namespace
}  // namespace portcullis::control
