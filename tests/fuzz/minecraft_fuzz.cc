// Whatever bytes the two sides of a Minecraft connection send, cut however: no crash,
// no read outside, the same events as in one piece, and Progress never claims bytes
// that were not there.
//
// The input is a script: one byte of settings, the key of an enciphered connection if
// they say so, then pieces, each a byte that names direction and cut, a length, and bytes
// of the stream.  Seeds are made of captures by seed_minecraft.py.

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/reader.h"
#include "protocol/minecraft/decoder.h"
#include "protocol/minecraft/describe.h"
#include "protocol/minecraft/disconnect.h"

namespace portcullis::minecraft {
namespace {

void require(bool held) {
    if (!held) __builtin_trap();
}

/// Sums what it hears, so that two tellings can be compared.
class Summer : public FieldVisitor {
public:
    void frame(const Frame& frame) {
        add(static_cast<uint64_t>(frame.packet));
        add(frame.wire_size);
        add(static_cast<uint64_t>(frame.state));
        add(frame.has_body);
        for (const std::byte b : frame.body) add(static_cast<uint64_t>(b));
        describe(frame, *this);
    }
    template <class Event>
    void on(const Event&) {
        add(sizeof(Event));
    }
    void on(const protocol::Malformed& e) { add(static_cast<uint64_t>(e.fault)); }
    void on(const protocol::Text& e) {
        for (const char c : e.text) add(static_cast<uint64_t>(c));
    }
    void on(const protocol::Disconnected& e) {
        for (const char c : e.reason) add(static_cast<uint64_t>(c));
    }

    void field(std::string_view name, const FieldValue& value) override {
        add(name.size());
        add(value.index());
    }
    void open(std::string_view name, bool) override {
        add(name.size());
        ++depth_;
    }
    void close() override { require(depth_-- > 0); }

    const Cfb8::Secret* secret() noexcept { return key ? &*key : nullptr; }

    uint64_t sum = 14695981039346656037u;
    std::optional<Cfb8::Secret> key;

private:
    void add(uint64_t v) { sum = (sum ^ v) * 1099511628211u; }
    int depth_ = 0;
};

/// One direction, offered as a Stream does.
struct Pipe {
    std::vector<std::byte> waiting;
    size_t skip = 0;
    bool finished = false;
};

class Connection {
public:
    explicit Connection(const std::optional<Cfb8::Secret>& key) { summer_.key = key; }

    void send(Decoder& decoder, Direction direction, Bytes bytes) {
        Pipe& pipe = pipes_[static_cast<size_t>(direction)];
        // A Stream offers again only when more has come: meanwhile the other side may have
        // said what makes the waiting bytes mean something else.
        if (pipe.finished || bytes.empty()) return;
        const size_t skipped = std::min(pipe.skip, bytes.size());
        pipe.skip -= skipped;
        bytes = bytes.subspan(skipped);
        pipe.waiting.insert(pipe.waiting.end(), bytes.begin(), bytes.end());
        if (pipe.waiting.empty()) return;
        const std::vector<std::byte> exact = pipe.waiting;
        const auto progress = decoder.feed(session_, direction, exact, summer_);
        require(progress.consumed <= exact.size());
        require(progress.skip == 0 || progress.consumed == exact.size());
        pipe.waiting.erase(pipe.waiting.begin(),
                           pipe.waiting.begin() + static_cast<std::ptrdiff_t>(progress.consumed));
        pipe.skip = progress.skip;
        pipe.finished = progress.finished;
    }

    /// Bytes of the frame at hand that have not come and that nobody waits for.
    size_t missing(Direction direction) const {
        return pipes_[static_cast<size_t>(direction)].skip;
    }
    uint64_t sum() const { return summer_.sum; }
    const Session& session() const { return session_; }

private:
    Session session_;
    Summer summer_;
    std::array<Pipe, 2> pipes_;
};

Decoder& decoder(bool all_bodies) {
    const auto made = [](bool all) {
        Decoder::Settings settings;
        settings.all_bodies = all;
        settings.body_max = 16 << 10;
        settings.keys_come = true;
        settings.ciphertext_max = 4 << 10;
        return settings;
    };
    static Decoder heard(made(false));
    static Decoder all(made(true));
    return all_bodies ? all : heard;
}

void play(Bytes script) {
    Reader in(script);
    constexpr uint8_t all_bodies = 1, key_given = 2;
    const uint8_t wanted = in.u8();
    Decoder& reader = decoder((wanted & all_bodies) != 0);
    std::optional<Cfb8::Secret> key;
    if ((wanted & key_given) != 0) {
        const Bytes digits = in.bytes(std::min<size_t>(sizeof(Cfb8::Secret), in.left()));
        std::copy(digits.begin(), digits.end(), key.emplace().begin());
    }
    Connection whole(key);
    Connection cut(key);
    while (!in.empty()) {
        const uint8_t kind = in.u8();
        const auto direction = static_cast<Direction>(kind & 1);
        const Bytes bytes = in.bytes(std::min<size_t>(in.u16(), in.left()));
        const size_t piece = 1 + (kind >> 1) % 64;
        whole.send(reader, direction, bytes);
        for (size_t at = 0; at < bytes.size(); at += piece) {
            cut.send(reader, direction, bytes.subspan(at, std::min(piece, bytes.size() - at)));
        }
    }
    // A frame whose first bytes say enough is told when they come, be it in one piece or
    // some bytes later: that of a script's end is told to both once all of it is there.
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
        const std::vector<std::byte> rest(whole.missing(direction));
        whole.send(reader, direction, rest);
        cut.send(reader, direction, rest);
    }
    require(whole.sum() == cut.sum());
    std::array<std::byte, disconnect_size_max> room;
    require(write_disconnect(whole.session(), "reason", room) <= room.size());
}

}  // namespace
}  // namespace portcullis::minecraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    portcullis::minecraft::play(portcullis::as_bytes(data, size));
    return 0;
}
