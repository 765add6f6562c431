// Goal: what is stored of a verdict comes out of the same build again to the last
// bit, is refused by any other, holds no key, and is never there for a verdict that
// the log does not know, whenever the process is killed.
// Method: a game played by hand through a Worker's stages; its evidence written,
// read, replayed, damaged; a child with a real log that is killed at random moments.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "checks/all.h"
#include "evidence/build_id.h"
#include "evidence/evidence_test_support.h"
#include "evidence/file.h"
#include "evidence/pcapng.h"
#include "evidence/replay.h"
#include "evidence/reseal.h"
#include "packet/headers.h"
#include "packet/packet_builder.h"
#include "pipeline/capture.h"
#include "verdicts/log.h"
#include "verdicts/reader.h"

namespace portcullis::evidence {
namespace {

using namespace testing;
using stages::Capture;
using stages::CapturePart;
using stages::testing::Game;

constexpr std::string_view services[] = {"survival", "shadow"};
constexpr verdicts::Names names{checks::check_names, services};

/// A file with three verdicts: two alerts and a kick.
std::string played(const std::string& path) {
    Game game(watchful());
    game.log_in();
    for (const float pitch : {0.0f, 100.0f, 5.0f, 101.0f, 7.0f, 8.0f}) {
        for (int i = 0; i < 8; ++i) game.client_says(stages::testing::look(pitch));
    }
    game.context.evidence.finish();
    Capture* capture = game.context.evidence.take();
    EXPECT_NE(capture, nullptr);
    std::ofstream(path, std::ios::binary) << written(*capture, names, said_in(config::Config()));
    game.context.evidence.give_back(capture);
    return path;
}

/// A process has one.
pipeline::ReplayWire& wire() {
    // Never ended: at exit EAL, whose rings it would free, has gone before it.
    static pipeline::ReplayWire& wire = *new pipeline::ReplayWire;
    return wire;
}

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string complaint(const std::string& path) {
    try {
        const File file(path);
        return "none";
    } catch (const SetupError& error) {
        return error.what();
    }
}

TEST(Evidence, ComesOutTheSame) {
    const TestDirectory directory;
    const File file(played(directory / "a.pcapng"));
    const auto retold = replay(file, wire());
    ASSERT_GE(retold.size(), 2u);
    EXPECT_EQ(retold.back().stored.action, policy::Action::kick);
    for (const Retold& one : retold) EXPECT_TRUE(one.same());
}

std::string chat(std::string_view words) {
    return stages::testing::packet(0x01, [&](Writer& w) { stages::testing::text(w, words); });
}

/// What he says, by these signatures, until he is thrown out.
std::string said(const std::string& path, const Said& in_force) {
    Game game(with_signatures(advertising));
    game.log_in();
    for (const char* words : {"hello", "HELLO ALL", "come to discord.gg/abc", "BUY", "BUY NOW"}) {
        game.client_says(chat(words));
    }
    game.context.evidence.finish();
    Capture* capture = game.context.evidence.take();
    EXPECT_NE(capture, nullptr);
    std::ofstream(path, std::ios::binary) << written(*capture, names, in_force);
    game.context.evidence.give_back(capture);
    return path;
}

TEST(Evidence, OfTheOperatorsOwnSignaturesBringsThemAlong) {
    const TestDirectory directory;
    const File file(said(directory / "a.pcapng", said_in(with_signatures(advertising))));
    const auto retold = replay(file, wire());
    ASSERT_GE(retold.size(), 1u);
    EXPECT_EQ(retold[0].stored.check, checks::check_id("exploit.signature"));
    EXPECT_EQ(retold[0].stored.note.view(), "shouting");
    for (const Retold& one : retold) EXPECT_TRUE(one.same());
    EXPECT_EQ(file.signatures(file.capture().parts[0]), advertising);
}

TEST(Evidence, SaysSoWhenItsSignaturesAreMissing) {
    const TestDirectory directory;
    // Forgotten in the meantime, or others by now.
    for (const std::string& text : {std::string(), advertising + "# no more\n"}) {
        const File file(said(directory / "a.pcapng", said_in(with_signatures(text))));
        try {
            replay(file, wire());
            ADD_FAILURE() << "replayed without the signatures";
        } catch (const SetupError& error) {
            EXPECT_NE(std::string(error.what()).find("signatures that were in force"),
                      std::string::npos)
                << error.what();
        }
    }
}

TEST(Evidence, SaysSoWhenItComesOutOtherwise) {
    const TestDirectory directory;
    const File file(played(directory / "a.pcapng"));
    Capture changed = file.capture();
    changed.proven[0].record.observed += 0.001;
    changed.proven[1].record.check = 0;
    std::ofstream(directory / "b.pcapng", std::ios::binary)
        << written(changed, names, said_in(config::Config()));
    const auto retold = replay(File(directory / "b.pcapng"), wire());
    ASSERT_GE(retold.size(), 2u);
    EXPECT_TRUE(retold[0].found);
    EXPECT_FALSE(retold[0].same());
    EXPECT_FALSE(retold[1].found);
    EXPECT_FALSE(retold[1].same());
}

TEST(Evidence, IsACaptureToOthers) {
    const TestDirectory directory;
    const std::string path = played(directory / "a.pcapng");
    const File file(path);
    uint32_t kept = 0;
    for (const CapturePart& part : file.capture().parts) kept += part.begun() ? part.frames() : 0;
    pipeline::CaptureReader reader(path);
    Nanos last{};
    while (const auto frame = reader.next()) {
        EXPECT_GE(frame->time, last);
        last = frame->time;
    }
    EXPECT_EQ(reader.frames(), kept);
    EXPECT_TRUE(reader.nanoseconds());
    EXPECT_TRUE(is_evidence(path));
    const std::string bytes = content(path);
    EXPECT_NE(bytes.find(R"("name":"Alice")"), std::string::npos) << "people read whom it is about";
    EXPECT_NE(bytes.find(R"("check":"packets.pitch")"), std::string::npos);
}

TEST(Evidence, IsRefusedByAnotherBuildAndWhenDamaged) {
    const TestDirectory directory;
    const std::string bytes = content(played(directory / "a.pcapng"));
    const auto with = [&](const std::string& text) {
        std::ofstream(directory / "b.pcapng", std::ios::binary) << text;
        return complaint(directory / "b.pcapng");
    };
    EXPECT_EQ(with(bytes), "none");

    std::string other = bytes;
    const BuildId build = this_build();
    ASSERT_NE(build, BuildId{}) << "linked without a build id";
    const size_t at = other.find(as_text(build));
    ASSERT_NE(at, std::string::npos);
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_NE(with(other).find("written by build"), std::string::npos) << with(other);

    EXPECT_NE(with("").find("can not be replayed"), std::string::npos);
    for (size_t size = 1; size < bytes.size(); size += 97) {
        EXPECT_NE(with(bytes.substr(0, size)), "none") << size;
    }
    std::mt19937 random(1);
    for (int i = 0; i < 300; ++i) {
        std::string flipped = bytes;
        flipped[random() % flipped.size()] ^= static_cast<char>(1u << random() % 8);
        with(flipped);  // Whatever it says, it does not fall over.
    }
    EXPECT_NE(complaint(directory / "none.pcapng").find("can not be read"), std::string::npos);
}

TEST(Evidence, HoldsNoKey) {
    const TestDirectory directory;
    const File file(played(directory / "a.pcapng"));
    Capture enciphered = file.capture();
    minecraft::Cfb8::Secret secret;
    for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>(0xa0 + i);
    for (CapturePart& part : enciphered.parts) {
        if (part.begun()) part.snapshot.session.take_key(secret);
    }
    const auto holds = [&](const CapturePart& part) {
        const Bytes all = as_bytes(&part.snapshot, sizeof part.snapshot);
        return as_text(all).find(as_text(secret)) != std::string_view::npos;
    };
    const size_t part = enciphered.proven[0].part;
    ASSERT_TRUE(holds(enciphered.parts[part]));
    decipher(enciphered);
    EXPECT_FALSE(holds(enciphered.parts[part]));
    EXPECT_FALSE(enciphered.parts[part].snapshot.session.enciphered());
}

/// A datagram of a sealed session, as a frame.
std::vector<std::byte> sealed(const shadowland::Key& key, std::string_view payload,
                              uint64_t sequence) {
    shadowland::Header header;
    header.connection_id = 7;
    header.flags = shadowland::flag::sealed;
    header.sequence = sequence;
    std::vector<std::byte> datagram(shadowland::header_size + payload.size() +
                                    shadowland::tag_size);
    shadowland::write_header(header, datagram);
    std::ranges::copy(as_bytes(payload), datagram.begin() + shadowland::header_size);
    shadowland::Cipher::seal(header, datagram, key);
    std::vector<std::byte> frame(1'500);
    frame.resize(PacketBuilder{}
                     .from(stages::testing::client)
                     .to(stages::testing::game_server)
                     .udp()
                     .payload(datagram)
                     .build(frame));
    return frame;
}

TEST(Evidence, OfShadowlandIsSealedWithNobodysKey) {
    shadowland::Key key, later, strangers;
    key.fill(std::byte{0x5a});
    later.fill(std::byte{0x6b});
    strangers.fill(std::byte{0x7c});
    std::vector<std::byte> room(1 << 16);
    Capture capture;
    CapturePart& part = capture.parts[0];
    part.give_room(room);
    part.begin_written(0);
    part.snapshot.protocol = protocol::Protocol::shadowland;
    part.snapshot.shadowland.session.epoch = {0, true, {key, key}};
    part.snapshot.shadowland.next[1] = {1, true, {later, later}};
    part.snapshot.shadowland.next_at = 4;
    const std::vector<std::vector<std::byte>> frames = {
        sealed(key, "first", 1), sealed(strangers, "forged", 2), sealed(open_key, "cunning", 3),
        sealed(later, "early", 4), sealed(later, "of the next epoch", 5)};
    for (const auto& frame : frames) {
        ASSERT_TRUE(part.add(1s, frame, static_cast<uint32_t>(frame.size()), false));
    }
    decipher(capture);

    std::vector<std::string> opened;
    part.each([&](const stages::KeptFrame&, MutableBytes bytes) {
        Packet packet;
        packet.frame = bytes.data();
        packet.frame_size = static_cast<uint32_t>(bytes.size());
        read_headers(packet);
        EXPECT_TRUE(checksums_hold(packet));
        std::array<std::byte, shadowland::datagram_size_max> plain;
        const auto read = shadowland::read_header(packet.payload());
        opened.emplace_back(
            as_text(shadowland::Cipher::open(read.header, packet.payload(), open_key, plain)));
    });
    EXPECT_EQ(opened, (std::vector<std::string>{"first", "", "", "early", "of the next epoch"}));
    const Bytes all = as_bytes(&part.snapshot, sizeof part.snapshot);
    for (const shadowland::Key& secret : {key, later}) {
        EXPECT_EQ(as_text(all).find(as_text(secret)), std::string_view::npos);
        EXPECT_EQ(as_text(room).find(as_text(secret)), std::string_view::npos);
    }
}

// ---- kill -9 ----------------------------------------------------------------

[[noreturn]] void store_until_killed(const std::string& path) {
    Crowd crowd(verdicts::random_run());
    Store store(settings(path + ".evidence"), checks::check_names, {"survival"},
                {&crowd.recorder()});
    verdicts::Log::Settings quick;
    quick.path = path;
    quick.flush = 2ms;
    verdicts::Log log(quick, names, [&](std::span<const VerdictRecord> records) {
        store.committed(records);
        if (write(STDOUT_FILENO, "+", 1) != 1) _exit(1);
    });
    while (true) {
        const VerdictRecord record = crowd.one();
        log.append(std::span(&record, 1));
        std::this_thread::sleep_for(500us);
    }
}

TEST(Store, HasEvidenceOfNothingThatTheLogLostWhenKilled) {
    const char* wanted = std::getenv("PORTCULLIS_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 10;
    const uint64_t seed = std::random_device{}();
    std::printf("kills %d, seed %llu\n", kills, static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    const TestDirectory directory;
    for (int i = 0; i < kills; ++i) {
        int ends[2];
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        const pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], STDOUT_FILENO);
            const std::string path = directory / "log";
            execl("/proc/self/exe", "evidence_test", "--store-until-killed", path.c_str(), nullptr);
            _exit(127);
        }
        close(ends[1]);
        char word = 0;
        EXPECT_EQ(read(ends[0], &word, 1), 1) << "the child never wrote a verdict";
        std::this_thread::sleep_for(10ms + random() % 300 * 1ms);
        kill(child, SIGKILL);
        close(ends[0]);
        waitpid(child, nullptr, 0);
    }
    const verdicts::Reader log(directory / "log");
    size_t held = 0, unknown = 0;
    for (const auto& entry : fs::directory_iterator(directory / "log.evidence")) {
        const auto id = verdicts::parse_id(entry.path().stem().string());
        if (!id) continue;  // Not named yet.
        ++held;
        EXPECT_EQ(complaint(entry.path()), "none");
        unknown += log.find(*id) ? 0 : 1;
    }
    EXPECT_EQ(unknown, 0u);
    EXPECT_GT(held, static_cast<size_t>(kills));
    std::printf("held %zu, of verdicts unknown to the log %zu\n", held, unknown);
}

}  // namespace
}  // namespace portcullis::evidence

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "--store-until-killed") {
        portcullis::evidence::store_until_killed(argv[2]);
    }
    ::testing::InitGoogleTest(&argc, argv);
    const portcullis::port::Eal eal(portcullis::pipeline::offline_eal());
    return RUN_ALL_TESTS();
}
