// Goal: what the wire document shows byte for byte is what we read, and what we write.
// Method: its test vectors; each is read to the document's own notation, and every
// message in it is written again, which must give the same bytes.

#include "protocol/shadowland/vectors.h"

#include <array>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/tell_test_support.h"

namespace portcullis::shadowland {
namespace {

const std::array<EpochKeys, 2> epochs = {{
    {key_from_hex("b93d5f6d75e4b67eff7e30652d499381acebb086b465104f76cce9c0ceb467ad"),
     key_from_hex("c1aa75f78d4720cc38a6b359bb41ceeb9a952f35e7258cbfc3117dd802cca0b3")},
    {key_from_hex("444f6767542b0393412738bac36a7e0f6a5510f530f57b0b308de99b51532fd4"),
     key_from_hex("65b1f35f2d28b46bc41e03554f2a8071b433b0d6c3902dc3334f780bf564d3ff")},
}};

/// A datagram, and all that stands in it.
struct Opened {
    json meaning = json::object();
    Header header;
    std::vector<std::byte> payload;
};

Opened open(Bytes datagram, Direction direction) {
    Opened opened;
    const ReadHeader read = read_header(datagram);
    opened.header = read.header;
    const auto fails = [&](Error error) {
        opened.meaning = {{"error", name_in(error_names, error)}};
        return opened;
    };
    if (read.error != Error::none) return fails(read.error);
    opened.payload.resize(datagram_size_max);
    Bytes payload = payload_of(read.header, datagram);
    json epoch;
    if (read.header.encrypted()) {
        epoch = read.header.key_phase ? 1 : 0;
        payload = Cipher::open(read.header, datagram, epochs[epoch].of(direction), opened.payload);
        if (payload.empty()) return fails(Error::tag);
    } else if (!crc_holds(datagram)) {
        return fails(Error::crc);
    }
    opened.payload.assign(payload.begin(), payload.end());
    std::vector<std::byte> room(large_payload_max[1]);
    PayloadTeller teller(direction, read.header.control());
    Error error = Error::none;
    if (read.header.control()) {
        error = read_control(read.header, payload, direction, teller);
    } else {
        if (read.header.compressed()) {
            const Decompressed whole = decompress(payload, direction, room);
            payload = whole.payload;
            error = whole.error;
            teller.out["original_size"] = payload.size();
        }
        if (error == Error::none) error = read_game(payload, direction, teller);
    }
    if (error != Error::none) return fails(error);
    opened.meaning = teller.out;
    if (!epoch.is_null()) opened.meaning["epoch"] = epoch;
    return opened;
}

class Vectors : public testing::TestWithParam<vectors::Vector> {};

TEST_P(Vectors, AreReadAsTheDocumentReadsThem) {
    const auto datagram = from_hex(GetParam().datagram);
    const Direction direction = GetParam().to_server ? Direction::to_server : Direction::to_client;
    const Opened opened = open(datagram, direction);
    json expected = json::parse(GetParam().meaning);
    EXPECT_EQ(opened.meaning, expected);
}

TEST_P(Vectors, AreSealedAgainToTheSameBytes) {
    const auto datagram = from_hex(GetParam().datagram);
    const Direction direction = GetParam().to_server ? Direction::to_server : Direction::to_client;
    const Opened opened = open(datagram, direction);
    const std::string error = opened.meaning.value("error", "");
    if (error == "tag" || error == "crc") GTEST_SKIP() << "made to be wrong";
    std::vector<std::byte> again(datagram.size());
    write_header(opened.header, again);
    std::ranges::copy(opened.payload, again.begin() + header_size);
    if (opened.header.encrypted()) {
        const Key& key = epochs[opened.header.key_phase ? 1 : 0].of(direction);
        Cipher::seal(opened.header, again, key);
    } else {
        write_crc(again);
    }
    EXPECT_EQ(to_hex(again), GetParam().datagram);
}

/// Writes what it hears.
struct Rewriter {
    Direction direction;
    Writer out;
    template <class M>
    void on(const M& message) {
        write_body(out, message, direction);
    }
    void on_form(Form) {}
    void on_broken(Error) {}
};

TEST_P(Vectors, AreWrittenAgainToTheSameBytes) {
    const auto datagram = from_hex(GetParam().datagram);
    const Direction direction = GetParam().to_server ? Direction::to_server : Direction::to_client;
    const Opened opened = open(datagram, direction);
    const bool single = opened.meaning.value("form", "single") == "single";
    if (opened.meaning.contains("error") || !single || opened.header.compressed()) {
        GTEST_SKIP() << "not one whole message";
    }
    std::array<std::byte, datagram_size_max> room;
    Rewriter rewriter{direction, Writer(room)};
    if (opened.header.control()) {
        read_control(opened.header, opened.payload, direction, rewriter);
    } else {
        read_game(opened.payload, direction, rewriter);
    }
    EXPECT_EQ(to_hex(rewriter.out.written()), to_hex(Bytes(opened.payload).subspan(1)));
}

INSTANTIATE_TEST_SUITE_P(Wire, Vectors, testing::ValuesIn(vectors::all), [](const auto& vector) {
    return std::string(vector.param.name.substr(0, vector.param.name.find(' ')));
});

TEST(Crc, IsCastagnolis) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283);
    std::vector<std::byte> bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes)) << i;
        bytes.push_back(static_cast<std::byte>(i * 7));
    }
}

TEST(VarInt, IsReadAsTheDocumentWritesIt) {
    constexpr struct {
        std::string_view bytes;
        int32_t value;
        Error error;
    } cases[] = {
        {"00", 0, Error::none},
        {"01", -1, Error::none},
        {"02", 1, Error::none},
        {"7e", 63, Error::none},
        {"7f", -64, Error::none},
        {"8001", 64, Error::none},
        {"808001", 8192, Error::none},
        {"feffffff0f", INT32_MAX, Error::none},
        {"ffffffff0f", INT32_MIN, Error::none},
        {"8000", 0, Error::varint},          // Not the shortest form.
        {"ffffffff1f", 0, Error::varint},    // More than 32 bits.
        {"808080808001", 0, Error::varint},  // A sixth byte.
        {"8080", 0, Error::truncated},
        {"", 0, Error::truncated},
    };
    for (const auto& c : cases) {
        const auto bytes = from_hex(c.bytes);
        BodyReader in(bytes);
        EXPECT_EQ(in.varint(), c.value) << c.bytes;
        EXPECT_EQ(in.error(), c.error) << c.bytes;
    }
}

TEST(Keys, AreDerivedAsTheDocumentDerivesThem) {
    const auto derived =
        derive_keys(from_hex("9e004098efc091d4ec2663b4e9f5cfd4d7064571690b4bea97ab146ab9f35056"),
                    from_hex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"),
                    from_hex("0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"),
                    vectors::connection_id, 0);
    EXPECT_EQ(derived.c2s, epochs[0].c2s);
    EXPECT_EQ(derived.s2c, epochs[0].s2c);
    const auto next =
        derive_keys(from_hex("1eafcf380080d1f4d8a308284691b84a06aa5ca32c723c9a327b7a28c504ad1d"),
                    from_hex("ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b"),
                    from_hex("38ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67"),
                    vectors::connection_id, 1);
    EXPECT_EQ(next.c2s, epochs[1].c2s);
    EXPECT_EQ(next.s2c, epochs[1].s2c);
}

TEST(Cookies, AreMadeAndJudgedAsTheDocumentDoes) {
    Authenticator authenticator;
    const std::vector<std::byte> secret(32, std::byte{0x33});
    const auto public_key =
        from_hex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13");
    constexpr uint64_t made_ms = 1'795'150'000'000;
    constexpr uint64_t nonce = 0x0807060504030201;
    constexpr struct {
        std::string_view client, mac;
    } cases[] = {
        {"10.88.0.1:50000", "f9ea6fb3fb9efc1b50842c820414268c3c9db49665f0a92a20fcc62a203b8494"},
        {"[fd88::1]:50000", "6a83657289c3b6004120206bce6b976fd47268d1616d9eef35a6b4ad7d16e9c4"},
    };
    for (const auto& c : cases) {
        const Endpoint client = *parse_endpoint(c.client);
        const auto cookie = authenticator.make_cookie(secret, client, public_key, made_ms, nonce);
        EXPECT_EQ(to_hex(Bytes(cookie).subspan(16)), c.mac);
        const auto judge = [&](Bytes what, uint64_t now) {
            return authenticator.judge_cookie(secret, what, client, public_key, now);
        };
        EXPECT_EQ(judge(cookie, made_ms + 10'000), CookieState::good);
        EXPECT_EQ(judge(cookie, made_ms - 1'000), CookieState::good);
        EXPECT_EQ(judge(cookie, made_ms + 10'001), CookieState::expired);
        EXPECT_EQ(judge(cookie, made_ms - 1'001), CookieState::expired);
        for (size_t i = 0; i < cookie.size(); ++i) {
            auto other = cookie;
            other[i] ^= std::byte{1};
            EXPECT_EQ(judge(other, made_ms), CookieState::forged) << i;
        }
    }
}

TEST(Integrity, KnowsTheTable) {
    Authenticator authenticator;
    const Bytes secret = as_bytes("integrity table secret, test use");
    auto key = from_hex("9852ca73aec7a3b6f94d2a19c1f2b674");
    EXPECT_TRUE(authenticator.integrity_key_holds(secret, 100, 513, key));
    EXPECT_FALSE(authenticator.integrity_key_holds(secret, 101, 513, key));
    EXPECT_FALSE(authenticator.integrity_key_holds(secret, 100, 512, key));
    key[0] ^= std::byte{1};
    EXPECT_FALSE(authenticator.integrity_key_holds(secret, 100, 513, key));
}

}  // namespace
}  // namespace portcullis::shadowland
