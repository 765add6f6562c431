// What one game packet costs from whole frame to event: run
//   ninja -C build lib/protocol/minecraft/decoder_bench &&
//   build/lib/protocol/minecraft/decoder_bench
// Each turn decodes a kilobyte or more of equal frames; the figure is one frame's.

#include <benchmark/benchmark.h>

#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

/// Takes what a check would read, and nothing else.
struct Taker {
    void frame(const Frame& frame) noexcept { benchmark::DoNotOptimize(frame.wire_size); }
    void on(const protocol::Move& e) noexcept { benchmark::DoNotOptimize(e.position.x); }
    void on(const protocol::KeepAliveAnswered& e) noexcept { benchmark::DoNotOptimize(e.id); }
    void on(const protocol::EntityMoved& e) noexcept { benchmark::DoNotOptimize(e.dx); }
    void on(const protocol::Text& e) noexcept { benchmark::DoNotOptimize(e.text); }
};

constexpr int frames_a_turn = 64;

void decode(benchmark::State& state, Talk& talk, Direction direction, const std::string& frame,
            size_t here) {
    std::string bytes;
    const bool skipped = here < frame.size();
    for (int i = 0; i < (skipped ? 1 : frames_a_turn); ++i) bytes += frame;
    const Bytes in = as_bytes(bytes).first(skipped ? here : bytes.size());
    Taker taker;
    int64_t turns = 0;
    for (auto _ : state) {
        const auto progress = talk.decoder.feed(talk.session, direction, in, taker);
        benchmark::DoNotOptimize(progress.consumed);
        ++turns;
    }
    const double frames = static_cast<double>(turns) * (skipped ? 1 : frames_a_turn);
    state.counters["frame"] =
        benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run(benchmark::State& state, Direction direction, const Made& body, int32_t threshold = -1) {
    Talk talk;
    talk.log_in(754, threshold);
    const std::string frame = talk.framed(body);
    decode(state, talk, direction, frame, frame.size());
}

void position(benchmark::State& state) {
    run(state, Direction::to_server, packet(0x12).f64(1).f64(64).f64(3).boolean(true));
}
void position_look(benchmark::State& state) {
    run(state, Direction::to_server,
        packet(0x13).f64(1).f64(64).f64(3).f32(4).f32(5).boolean(true));
}
void look(benchmark::State& state) {
    run(state, Direction::to_server, packet(0x14).f32(4).f32(5).boolean(true));
}
void keep_alive(benchmark::State& state) {
    run(state, Direction::to_server, packet(0x10).i64(1 << 20));
}
void entity_move(benchmark::State& state) {
    run(state, Direction::to_client, packet(0x27).varint(300).i16(4).i16(4).i16(4).boolean(true));
}
void skipped_small(benchmark::State& state) {
    run(state, Direction::to_client, packet(0x3a).varint(300).u8(4));
}
void skipped_chunk(benchmark::State& state) {
    Talk talk;
    talk.log_in(754);
    const std::string frame = talk.framed(packet(0x20).raw(std::string(20'000, 'c')));
    decode(state, talk, Direction::to_client, frame, 1448);
}

std::string noise(size_t size) {
    std::string out;
    uint32_t word = 1;
    for (size_t i = 0; i < size; ++i) {
        word = word * 1664525 + 1013904223;
        out += static_cast<char>(word >> 24 & (i % 3 == 0 ? 0xff : 0x0f));
    }
    return out;
}
void skipped_chunk_compressed(benchmark::State& state) {
    Talk talk;
    talk.log_in(754, 256);
    const std::string frame = talk.framed(packet(0x20).raw(noise(20'000)));
    decode(state, talk, Direction::to_client, frame, 1448);
}
void chat_compressed(benchmark::State& state) {
    run(state, Direction::to_server, packet(3).text(std::string(250, 'c')), 64);
}

BENCHMARK(position);
BENCHMARK(position_look);
BENCHMARK(look);
BENCHMARK(keep_alive);
BENCHMARK(entity_move);
BENCHMARK(skipped_small);
BENCHMARK(skipped_chunk);
BENCHMARK(skipped_chunk_compressed);
BENCHMARK(chat_compressed);

}  // namespace
}  // namespace portcullis::minecraft

BENCHMARK_MAIN();
