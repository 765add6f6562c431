// Goal: no sequence of segments makes a server read what the decoder did not.
// Method: every sequence of up to four segments over five bytes with two
// contents goes through a real Connection; then, from what it let out alone,
// for every subset lost on the way to the server and both receivers, what the
// server reads must be a beginning of what the decoder saw.  A second sweep
// lets the server acknowledge in between, and a third adds FINs.

#include <cstdio>
#include <cstring>

#include <gtest/gtest.h>

#include "decoded.h"
#include "receivers.h"
#include "stream/connection.h"

namespace portcullis::evasion {
namespace {

using protocol::Direction;
using namespace stream;

constexpr size_t space = 5;
constexpr Seq client_isn(UINT32_MAX - 2);  // The five bytes lie across the wrap.
constexpr Seq server_isn(7000);

struct Piece {
    uint8_t begin = 0, end = 0;
    char content = 'A';
    bool fin = false;

    int16_t value_at(size_t place) const { return place == end ? Receiver::fin : content; }
    size_t places_end() const { return end + (fin ? 1u : 0u); }
};

std::vector<Piece> all_pieces(bool with_fin) {
    std::vector<Piece> pieces;
    for (uint8_t begin = 0; begin <= space; ++begin) {
        for (uint8_t end = begin; end <= space; ++end) {
            for (char content : {'A', 'B'}) {
                if (begin < end) pieces.push_back({begin, end, content, false});
                const bool again = begin == end && content == 'B';
                if (with_fin && !again) pieces.push_back({begin, end, content, true});
            }
        }
    }
    return pieces;
}

StreamPool& pool() {
    static StreamPool one(1 << 20, 1024);
    return one;
}

/// What a server read, `read`, is a beginning of what was `seen`, or all of it
/// and the end.
bool is_beginning(const std::vector<int16_t>& read, const std::vector<uint8_t>& seen) {
    for (size_t i = 0; i < read.size(); ++i) {
        if (read[i] == Receiver::fin) return i == read.size() - 1 && i == seen.size();
        if (i >= seen.size() || read[i] != seen[i]) return false;
    }
    return true;
}

/// A connection whose handshake is done, between a sender and its server.
class Line {
public:
    Line()
        : connection_(Connection::from_handshake({.client_isn = client_isn,
                                                  .server_isn = server_isn,
                                                  .client_window = 1000,
                                                  .server_window = 1000})) {}
    ~Line() { connection_.release(pool()); }

    bool lets_out(const Piece& piece) {
        const std::array<char, space> bytes = filled_with(piece.content);
        Segment segment;
        segment.seq = client_isn + 1 + piece.begin;
        segment.ack = server_isn + 1;
        segment.flags = tcp::ack | (piece.fin ? tcp::fin : 0);
        segment.window = 1000;
        segment.payload = as_bytes(bytes.data(), size_t{piece.end} - piece.begin);
        return connection_.accept(Direction::to_server, segment, pool(), decoded_).drop ==
               DropReason::none;
    }
    void server_acknowledges(size_t place) {
        Segment segment;
        segment.seq = server_isn + 1;
        segment.ack = client_isn + 1 + static_cast<uint32_t>(place);
        segment.flags = tcp::ack;
        segment.window = 1000;
        connection_.accept(Direction::to_client, segment, pool(), decoded_);
    }
    bool consistent() const { return decoded_.consistent(); }
    bool agrees(const Receiver& receiver) const {
        return is_beginning(receiver.read(), decoded_.seen());
    }

private:
    static std::array<char, space> filled_with(char content) {
        std::array<char, space> bytes;
        bytes.fill(content);
        return bytes;
    }

    Connection connection_;
    Decoded decoded_;
};

/// What many engines do: the first copy is decoded, and everything goes on.
class CredulousLine {
public:
    bool lets_out(const Piece& piece) {
        for (size_t i = piece.begin; i < piece.places_end(); ++i) {
            places_.take(i, piece.value_at(i));
        }
        return true;
    }
    bool consistent() const { return true; }
    bool agrees(const Receiver& receiver) const {
        std::vector<uint8_t> seen;
        for (int16_t value : places_.read()) seen.push_back(static_cast<uint8_t>(value));
        return is_beginning(receiver.read(), seen);
    }

private:
    Receiver places_{Believes::first, space + 1};
};

void take(Receiver& receiver, const Piece& piece) {
    for (size_t i = piece.begin; i < piece.places_end(); ++i) receiver.take(i, piece.value_at(i));
}

struct Tally {
    uint64_t sequences = 0;
    uint64_t readings = 0;    ///< Servers asked what they read.
    uint64_t violations = 0;  ///< Readings that the decoder did not see.
    uint64_t evasions = 0;    ///< Sequences that have one.
};

/// Calls `one(sequence)` for every sequence of `length` choices out of `choices`.
template <class One>
void for_each_sequence(size_t length, size_t choices, One&& one) {
    std::vector<size_t> sequence(length, 0);
    while (true) {
        one(sequence);
        size_t i = 0;
        while (i < length && ++sequence[i] == choices) sequence[i++] = 0;
        if (i == length) return;
    }
}

/// Every subset of what came out is lost.
template <class Line>
Tally sweep_losses(size_t length, const std::vector<Piece>& pieces) {
    Tally tally;
    for_each_sequence(length, pieces.size(), [&](const std::vector<size_t>& sequence) {
        Line line;
        const uint64_t violations_before = tally.violations;
        std::vector<Piece> out;
        for (size_t index : sequence) {
            if (line.lets_out(pieces[index])) out.push_back(pieces[index]);
        }
        ++tally.sequences;
        if (!line.consistent()) ++tally.violations;
        for (size_t arrived = 0; arrived < size_t{1} << out.size(); ++arrived) {
            for (Believes believes : {Believes::first, Believes::last}) {
                Receiver receiver(believes, space + 1);
                for (size_t i = 0; i < out.size(); ++i) {
                    if ((arrived >> i & 1) != 0) take(receiver, out[i]);
                }
                ++tally.readings;
                if (!line.agrees(receiver)) ++tally.violations;
            }
        }
        if (tally.violations > violations_before) ++tally.evasions;
    });
    return tally;
}

/// After each segment: lost or not, and acknowledged or not.  An acknowledgement
/// is lost as well, or reaches us.
Tally sweep_acknowledgements(size_t length, const std::vector<Piece>& pieces) {
    enum : size_t { lost, arrives, then_acked, then_ack_lost, fates };
    Tally tally;
    for_each_sequence(length, pieces.size() * fates, [&](const std::vector<size_t>& sequence) {
        Line line;
        Receiver first(Believes::first, space + 1), last(Believes::last, space + 1);
        for (size_t choice : sequence) {
            const Piece& piece = pieces[choice / fates];
            const size_t fate = choice % fates;
            if (!line.lets_out(piece) || fate == lost) continue;
            take(first, piece);
            take(last, piece);
            if (fate == arrives) continue;
            const size_t acked = first.acknowledge();
            last.acknowledge();
            if (fate == then_acked) line.server_acknowledges(acked);
        }
        ++tally.sequences;
        tally.readings += 2;
        if (!line.agrees(first)) ++tally.violations;
        if (!line.agrees(last)) ++tally.violations;
        if (!line.consistent()) ++tally.violations;
    });
    return tally;
}

void expect_none(const char* what, size_t length, const Tally& tally) {
    std::printf("%s, %zu segments: %llu sequences, %llu readings, %llu violations\n", what, length,
                static_cast<unsigned long long>(tally.sequences),
                static_cast<unsigned long long>(tally.readings),
                static_cast<unsigned long long>(tally.violations));
    EXPECT_EQ(tally.violations, 0u);
    EXPECT_EQ(pool().bytes_used(), 0u) << "A connection kept memory.";
}

// A checker that finds nothing proves nothing: it must find what can be counted
// by hand.  Of two pieces that differ and overlap, the server may read the other
// one where both begin at the first byte (25 pairs), and a mixture where one
// begins there and the other inside it, in either order (30 pairs each).
TEST(Exhaustive, TheCheckerSeesThroughACredulousEngine) {
    const auto pieces = all_pieces(false);
    EXPECT_EQ(sweep_losses<CredulousLine>(1, pieces).evasions, 0u);
    EXPECT_EQ(sweep_losses<CredulousLine>(2, pieces).evasions, 2u * (25 + 30 + 30));
    const Tally three = sweep_losses<CredulousLine>(3, pieces);
    EXPECT_GT(three.evasions, three.sequences / 3);
}

TEST(Exhaustive, NoLossMakesTheServerReadOtherBytes) {
    const auto pieces = all_pieces(false);
    for (size_t length = 1; length <= 4; ++length) {
        expect_none("losses", length, sweep_losses<Line>(length, pieces));
    }
}

TEST(Exhaustive, NoAcknowledgementMakesTheServerReadOtherBytes) {
    const auto pieces = all_pieces(false);
    for (size_t length = 1; length <= 3; ++length) {
        expect_none("acknowledgements", length, sweep_acknowledgements(length, pieces));
    }
}

TEST(Exhaustive, NoFinMakesTheServerReadOtherBytes) {
    const auto pieces = all_pieces(true);
    for (size_t length = 1; length <= 3; ++length) {
        expect_none("FINs and losses", length, sweep_losses<Line>(length, pieces));
    }
    for (size_t length = 1; length <= 2; ++length) {
        expect_none("FINs and acknowledgements", length, sweep_acknowledgements(length, pieces));
    }
}

}  // namespace
}  // namespace portcullis::evasion
