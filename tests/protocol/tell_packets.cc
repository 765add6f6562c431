// Tells the fields of Minecraft packets, for roundtrip.js: a line in,
//
//     VERSION STATE DIRECTION HEX     (numbers as minecraft::State and protocol::Direction count)
//
// and a line of JSON out: the packet's name, then its tokens ["(",name,array], ["=",name,value],
// [")"], and
// ["fault",name] where the decoder found one.

#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/names.h"
#include "base/writer.h"
#include "protocol/minecraft/decoder.h"
#include "protocol/minecraft/describe.h"
#include "protocol/minecraft/tables.h"

namespace portcullis::minecraft {
namespace {

using Json = nlohmann::json;

std::string hex(Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        text += digits[static_cast<size_t>(byte) >> 4];
        text += digits[static_cast<size_t>(byte) & 15];
    }
    return text;
}

struct ToText {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(uint64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
        std::array<char, 40> text;
        std::snprintf(text.data(), text.size(), "%.17g", v);
        return text.data();
    }
    std::string operator()(std::string_view v) const { return std::string(v); }
    std::string operator()(protocol::BlockPosition v) const {
        std::ostringstream text;
        text << v.x << ' ' << v.y << ' ' << v.z;
        return text.str();
    }
    std::string operator()(const protocol::Uuid& v) const {
        return hex(as_bytes(v.data(), v.size()));
    }
    std::string operator()(Bytes v) const { return hex(v); }
};

class Teller final : public FieldVisitor {
public:
    explicit Teller(Json& out) : out_(out) {}
    void field(std::string_view name, const FieldValue& value) override {
        out_.push_back(Json::array({"=", name, std::visit(ToText{}, value)}));
    }
    void open(std::string_view name, bool array) override {
        out_.push_back(Json::array({"(", name, array}));
    }
    void close() override { out_.push_back(Json::array({")"})); }

private:
    Json& out_;
};

struct Listener {
    Json out = Json::array();

    void frame(const Frame& frame) noexcept {
        out.push_back(frame.name());
        Teller teller(out);
        describe(frame, teller);
    }
    void on(const protocol::Malformed& fault) noexcept {
        // A value may be one that nobody sends; what counts is how it is read.
        using protocol::Fault;
        if (fault.fault == Fault::wrong_state || fault.fault == Fault::unknown_version) return;
        out.push_back(Json::array({"fault", name_in(protocol::fault_names, fault.fault)}));
    }
};

std::vector<std::byte> framed(const std::string& digits) {
    std::vector<std::byte> bytes(5 + digits.size() / 2);
    Writer out(bytes);
    out.varint(static_cast<uint32_t>(digits.size() / 2));
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
        out.u8(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    bytes.resize(out.size());
    return bytes;
}

int run() {
    Decoder::Settings settings;
    settings.all_bodies = true;
    Decoder decoder(settings);
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        int version = 0, state = 0, direction = 0;
        std::string digits;
        words >> version >> state >> direction >> digits;
        Session session;
        session.version = version;
        session.tables = static_cast<int16_t>(find_tables(version));
        for (Session::Half& half : session.halves) {
            half.state = static_cast<State>(state);
            half.started = true;
        }
        Listener listener;
        const std::vector<std::byte> frame = framed(digits);
        (void)decoder.feed(session, static_cast<Direction>(direction), frame, listener);
        std::cout << listener.out.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    }
    return 0;
}

}  // namespace
}  // namespace portcullis::minecraft

int main() {
    std::ios::sync_with_stdio(false);
    return portcullis::minecraft::run();
}
