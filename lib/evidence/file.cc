#include "evidence/file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include <zlib.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "evidence/build_id.h"
#include "evidence/context.h"
#include "evidence/pcapng.h"

namespace portcullis::evidence {

namespace {

using protocol::Direction;
using stages::Capture;
using stages::CapturePart;
using stages::KeptFrame;
using stages::Snapshot;

constexpr std::string_view magic = "PCEVIDv1";
constexpr size_t file_size_max = 1u << 30;

enum class BlockKind : uint32_t { head = 1, snapshot = 2, signatures = 3, shadowland = 4 };

/// What stands at the front of each block of our own.
struct BlockHead {
    std::array<char, 8> magic;
    BlockKind kind;
    uint32_t raw_size;  ///< Of what follows, once inflated.
    BuildId build;
};
static_assert(sizeof(BlockHead) == 36);

/// How a head begins; `verdicts` times Capture::Proven follow.
struct Head {
    uint32_t snapshot_size = sizeof(Snapshot);
    uint32_t proven_size = sizeof(Capture::Proven);
    uint32_t parts = 0;
    uint32_t verdicts = 0;
};

void append_own(pcapng::Writer& to, BlockKind kind, Bytes raw) {
    BlockHead head{{}, kind, static_cast<uint32_t>(raw.size()), this_build()};
    std::ranges::copy(magic, head.magic.begin());
    uLongf size = compressBound(raw.size());
    std::vector<std::byte> block(sizeof head + size);
    std::memcpy(block.data(), &head, sizeof head);
    compress2(reinterpret_cast<Bytef*>(block.data() + sizeof head), &size,
              reinterpret_cast<const Bytef*>(raw.data()), raw.size(), Z_BEST_SPEED);
    to.own(Bytes(block).first(sizeof head + size));
}

void append_head(pcapng::Writer& to, const Capture& capture) {
    Head head;
    for (const CapturePart& part : capture.parts) head.parts += part.begun() ? 1 : 0;
    head.verdicts = capture.proven_size;
    std::vector<std::byte> raw(sizeof head + capture.proven_size * sizeof(Capture::Proven));
    std::memcpy(raw.data(), &head, sizeof head);
    for (uint32_t i = 0; i < capture.proven_size; ++i) {
        Capture::Proven proven = capture.proven[i];
        // The first part in the file is the oldest one.
        const bool turned =
            capture.parts[0].begun() && capture.parts[1].begun() && capture.oldest == 1;
        if (turned || head.parts == 1) proven.part = turned ? 1 - proven.part : 0;
        std::memcpy(raw.data() + sizeof head + i * sizeof proven, static_cast<const void*>(&proven),
                    sizeof proven);
    }
    append_own(to, BlockKind::head, raw);
}

void append_part(pcapng::Writer& to, const CapturePart& part, const Capture& capture,
                 const verdicts::Names& names) {
    std::vector<std::byte> raw(sizeof(Snapshot));
    std::memcpy(raw.data(), static_cast<const void*>(&part.snapshot), sizeof(Snapshot));
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
        const Bytes undecoded = part.undecoded(direction);
        raw.insert(raw.end(), undecoded.begin(), undecoded.end());
    }
    append_own(to, BlockKind::snapshot, raw);
    part.each([&](const KeptFrame& kept, Bytes bytes) {
        std::string comment;
        for (const Capture::Proven& proven : capture.verdicts()) {
            // What is found in a stream, the client said.
            const bool stream = part.snapshot.protocol == protocol::Protocol::minecraft;
            if (proven.record.time != kept.time || (stream && kept.to_client != 0)) continue;
            if (!comment.empty()) comment += '\n';
            comment += verdicts::to_json(proven.record, names);
        }
        to.packet({kept.time, kept.original, kept.to_client != 0, bytes}, comment);
    });
}

/// Each file of signatures once: its text, after its id.
void append_signatures(pcapng::Writer& to, const Capture& capture, const Said& said) {
    std::array<uint64_t, 2> ids{};
    for (size_t i = 0; i < ids.size(); ++i) {
        if (capture.parts[i].begun()) ids[i] = capture.parts[i].snapshot.signatures;
    }
    if (ids[1] == ids[0]) ids[1] = 0;
    for (const uint64_t id : ids) {
        const std::string text = id == 0 ? std::string() : said.signatures(id);
        if (text.empty()) continue;
        std::vector<std::byte> raw(sizeof id + text.size());
        std::memcpy(raw.data(), &id, sizeof id);
        std::memcpy(raw.data() + sizeof id, text.data(), text.size());
        append_own(to, BlockKind::signatures, raw);
    }
}

std::vector<std::byte> read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::byte> bytes;
    if (!file) throw SetupError(concat(path, ": can not be read"));
    std::ostringstream text;
    text << file.rdbuf();
    const std::string whole = std::move(text).str();
    if (whole.size() > file_size_max) throw SetupError(concat(path, ": is too large for evidence"));
    const Bytes view = as_bytes(whole);
    bytes.assign(view.begin(), view.end());
    return bytes;
}

}  // namespace

std::string shadowland_section(const config::Config& config) {
    for (const config::Section& section : config::written(config)) {
        if (section.key == "shadowland") return section.text;
    }
    return {};
}

Said said_in(const config::Config& config) {
    return {[text = config.signatures_text](uint64_t id) {
                return id == config::signatures_id(text) ? text : std::string();
            },
            shadowland_section(config)};
}

std::string written(const Capture& capture, const verdicts::Names& names, const Said& said) {
    std::string out;
    pcapng::Writer to(out, "portcullis", context_text(capture, names));
    append_head(to, capture);
    append_signatures(to, capture, said);
    const bool of_shadowland = std::ranges::any_of(capture.parts, [](const CapturePart& part) {
        return part.begun() && part.snapshot.protocol == protocol::Protocol::shadowland;
    });
    if (of_shadowland) append_own(to, BlockKind::shadowland, as_bytes(said.shadowland));
    for (const size_t i : {size_t{capture.oldest}, size_t{1} - capture.oldest}) {
        if (capture.parts[i].begun()) append_part(to, capture.parts[i], capture, names);
    }
    return out;
}

File::File(const std::string& path) : path_(path) {
    const std::vector<std::byte> bytes = read_whole(path);
    const bool whole = pcapng::walk(
        bytes, {[&](const pcapng::Packet& packet) {
                    if (parts_ == 0) refuse("packets stand before any state");
                    CapturePart& part = capture_->parts[parts_ - 1];
                    const bool added =
                        part.add(packet.time, packet.bytes, packet.original_size, packet.to_client);
                    if (!added) refuse("it holds more packets than its size allows");
                },
                [&](Bytes block) {
                    // Their packets take less room than in the file.
                    if (rooms_.size() < 2) rooms_.emplace_back(2 * bytes.size() + (1u << 20));
                    take_own(block);
                }});
    if (!whole) refuse("it is damaged");
    if (!has_head_ || parts_ == 0) refuse("it is a capture and no evidence");
}

void File::refuse(const std::string& why) const {
    throw SetupError(concat(path_, ": can not be replayed: ", why));
}

void File::take_own(Bytes block) {
    BlockHead head;
    if (block.size() < sizeof head) refuse("it is damaged");
    std::memcpy(&head, block.data(), sizeof head);
    if (std::string_view(head.magic.data(), head.magic.size()) != magic) {
        refuse("it is of another kind than this version knows");
    }
    if (head.build != this_build()) {
        refuse(concat("it was written by build ", to_string(head.build), ", and this is build ",
                      to_string(this_build()), "; replay it with the binary that wrote it"));
    }
    if (head.raw_size > file_size_max) refuse("it is damaged");
    std::vector<std::byte> raw(head.raw_size);
    uLongf size = raw.size();
    const int status = uncompress(reinterpret_cast<Bytef*>(raw.data()), &size,
                                  reinterpret_cast<const Bytef*>(block.data() + sizeof head),
                                  block.size() - sizeof head);
    if (status != Z_OK || size != raw.size()) refuse("it is damaged");
    if (head.kind == BlockKind::head) return take_head(raw);
    if (head.kind == BlockKind::signatures) return take_signatures(raw);
    if (head.kind == BlockKind::shadowland) {
        shadowland_ = as_text(raw);
        return;
    }

    if (parts_ == capture_->parts.size() || raw.size() < sizeof(Snapshot)) refuse("it is damaged");
    CapturePart& part = capture_->parts[parts_];
    part.give_room(rooms_[parts_++]);
    std::memcpy(static_cast<void*>(&part.snapshot), raw.data(), sizeof(Snapshot));
    const auto undecoded = part.snapshot.undecoded;
    const Bytes rest = Bytes(raw).subspan(sizeof(Snapshot));
    if (size_t{undecoded[0]} + undecoded[1] != rest.size() ||
        !part.begin(rest.first(undecoded[0]), rest.subspan(undecoded[0]))) {
        refuse("it is damaged");
    }
}

void File::take_head(Bytes raw) {
    Head head;
    if (raw.size() < sizeof head) refuse("it is damaged");
    std::memcpy(&head, raw.data(), sizeof head);
    if (head.snapshot_size != sizeof(Snapshot) || head.proven_size != sizeof(Capture::Proven) ||
        head.verdicts > Capture::verdicts_max ||
        raw.size() != sizeof head + head.verdicts * sizeof(Capture::Proven)) {
        refuse("it is damaged");
    }
    for (uint32_t i = 0; i < head.verdicts; ++i) {
        std::memcpy(static_cast<void*>(&capture_->proven[i]),
                    raw.data() + sizeof head + i * sizeof(Capture::Proven),
                    sizeof(Capture::Proven));
        if (capture_->proven[i].part >= head.parts) refuse("it is damaged");
    }
    capture_->proven_size = head.verdicts;
    has_head_ = true;
}

void File::take_signatures(Bytes raw) {
    uint64_t id = 0;
    if (raw.size() < sizeof id) refuse("it is damaged");
    std::memcpy(&id, raw.data(), sizeof id);
    const std::string_view text = as_text(raw.subspan(sizeof id));
    if (id == 0 || config::signatures_id(text) != id) refuse("it is damaged");
    signatures_.emplace(id, text);
}

std::string_view File::signatures(const CapturePart& part) const {
    const uint64_t id = part.snapshot.signatures;
    if (id == 0) return {};
    const auto at = signatures_.find(id);
    if (at == signatures_.end()) refuse("the signatures that were in force are not in it");
    return at->second;
}

bool is_evidence(const std::string& path) {
    std::error_code failed;
    // What is taken from a pipe comes no more.
    if (!std::filesystem::is_regular_file(path, failed)) return false;
    std::ifstream file(path, std::ios::binary);
    std::string front(1u << 17, '\0');
    file.read(front.data(), static_cast<std::streamsize>(front.size()));
    front.resize(static_cast<size_t>(file.gcount()));
    bool found = false;
    pcapng::walk(as_bytes(front),
                 {[](const pcapng::Packet&) {},
                  [&](Bytes block) { found |= as_text(block).starts_with(magic); }});
    return found;
}

}  // namespace portcullis::evidence
