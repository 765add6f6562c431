// Goal: a header is read as its specification says, at every cut the same; what only
// looks like one is never believed; what is none is left alone.
// Method: a table of lines, headers built byte by byte, every prefix of each.

#include "protocol/proxy/header.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/writer.h"

namespace portcullis::proxy {
namespace {

using namespace std::string_literals;
using Status = Header::Status;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
constexpr int local = 0x20, proxied = 0x21;
constexpr int tcp4 = 0x11, udp4 = 0x12, tcp6 = 0x21, unix_stream = 0x31, unspecified = 0;

std::string u16(size_t v) { return {static_cast<char>(v >> 8), static_cast<char>(v & 0xff)}; }
std::string binary(int version_command, int family, const std::string& body) {
    return signature + static_cast<char>(version_command) + static_cast<char>(family) +
           u16(body.size()) + body;
}
std::string addition(int type, const std::string& value) {
    return static_cast<char>(type) + u16(value.size()) + value;
}
/// 198.51.100.7:50122 to 10.0.0.2:25565.
const std::string addresses = "\xc6\x33\x64\x07\x0a\x00\x00\x02\xc3\xca\x63\xdd"s;

/// With a checksum over all of it, as a balancer makes one.
std::string checked(const std::string& more, uint32_t spoiled = 0) {
    std::string header =
        binary(proxied, tcp4, addresses + more + addition(3, std::string(4, '\0')));
    std::array<std::byte, 4> sum;
    Writer(sum).u32(crc32c(as_bytes(header)) ^ spoiled);
    header.replace(header.size() - 4, 4, as_text(sum));
    return header;
}

Header read(const std::string& bytes) {
    // A copy of the exact size, so that a sanitizer sees every read behind it.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    return read_header(as_bytes(exact.data(), exact.size()));
}

struct Case {
    const char* name;
    std::string bytes;
    Status status;
    const char* source = "";  ///< Empty: no addresses.
    bool ends = false;        ///< malformed, but where it ends is known.
};

const Case cases[] = {
    {"a line", "PROXY TCP4 198.51.100.7 10.0.0.2 50122 25565\r\n", Status::whole,
     "198.51.100.7:50122"},
    {"the sixth version", "PROXY TCP6 2001:db8::7 2001:db8::2 50122 25565\r\n", Status::whole,
     "[2001:db8::7]:50122"},
    {"the longest line",
     "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
     Status::whole},
    {"a balancer that does not know", "PROXY UNKNOWN\r\n", Status::whole},
    {"a line that is too long", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n",
     Status::malformed},
    {"a line without end", "PROXY UNKNOWN " + std::string(200, 'x'), Status::malformed},
    {"a line feed alone", "PROXY UNKNOWN\n" + std::string(100, 'x'), Status::malformed},
    {"a carriage return alone", "PROXY UNKNOWN\r" + std::string(100, 'x'), Status::malformed},
    {"two spaces", "PROXY TCP4  198.51.100.7 10.0.0.2 50122 25565\r\n", Status::malformed, "",
     true},
    {"a carriage return within", "PROXY TCP4\rx\r\n", Status::malformed, "", true},
    {"a word too many", "PROXY TCP4 198.51.100.7 10.0.0.2 50122 25565 1\r\n", Status::malformed, "",
     true},
    {"a word too few", "PROXY TCP4 198.51.100.7 10.0.0.2 50122\r\n", Status::malformed, "", true},
    {"a space at the end", "PROXY TCP4 198.51.100.7 10.0.0.2 50122 25565 \r\n", Status::malformed,
     "", true},
    {"a leading zero", "PROXY TCP4 198.51.100.7 10.0.0.2 050122 25565\r\n", Status::malformed, "",
     true},
    {"a zero in the address", "PROXY TCP4 198.51.100.7\0x 10.0.0.2 50122 25565\r\n"s,
     Status::malformed, "", true},
    {"port 65536", "PROXY TCP4 198.51.100.7 10.0.0.2 65536 25565\r\n", Status::malformed, "", true},
    {"another family's address", "PROXY TCP4 ::ffff:198.51.100.7 10.0.0.2 50122 25565\r\n",
     Status::malformed, "", true},
    {"no family", "PROXY \r\n", Status::malformed, "", true},
    {"a family that is none", "PROXY UDP4 198.51.100.7 10.0.0.2 50122 25565\r\n", Status::malformed,
     "", true},
    {"binary", binary(proxied, tcp4, addresses), Status::whole, "198.51.100.7:50122"},
    {"binary, the sixth version",
     binary(proxied, tcp6,
            std::string(15, '\0') + '\1' + std::string(15, '\0') + '\2' + "\1\0\2\0"s),
     Status::whole, "[::1]:256"},
    {"a health check", binary(local, unspecified, ""), Status::whole},
    {"a health check with addresses", binary(local, tcp4, addresses), Status::whole},
    {"a health check with anything", binary(local, 0xff, "xyz"), Status::whole},
    {"an unspecified family", binary(proxied, unspecified, "whatever"), Status::whole},
    {"a Unix socket", binary(proxied, unix_stream, std::string(216, 'u')), Status::whole},
    {"datagrams", binary(proxied, udp4, addresses), Status::whole},
    {"additions", binary(proxied, tcp4, addresses + addition(1, "h2") + addition(4, "")),
     Status::whole, "198.51.100.7:50122"},
    {"a checksum that holds", checked(addition(2, "play.example")), Status::whole,
     "198.51.100.7:50122"},
    {"a checksum that does not", checked(addition(2, "play.example"), 1), Status::malformed, "",
     true},
    {"a checksum of two bytes", binary(proxied, tcp4, addresses + addition(3, "12")),
     Status::malformed, "", true},
    {"an addition past the end", binary(proxied, tcp4, addresses + "\4\0\5abcd"s),
     Status::malformed, "", true},
    {"half an addition", binary(proxied, tcp4, addresses + "\4\0"s), Status::malformed, "", true},
    {"too short for its addresses", binary(proxied, tcp4, addresses.substr(1)), Status::malformed,
     "", true},
    {"a family that is none", binary(proxied, 0x41, std::string(300, 'x')), Status::malformed, "",
     true},
    {"a transport that is none", binary(proxied, 0x13, addresses), Status::malformed, "", true},
    {"another version", binary(0x31, tcp4, addresses), Status::malformed},
    {"another command", binary(0x22, tcp4, addresses), Status::malformed, "", true},
    {"the longest", binary(proxied, tcp4, addresses + addition(4, std::string(4065, 'x'))),
     Status::whole, "198.51.100.7:50122"},
    {"a byte longer", binary(proxied, tcp4, addresses + addition(4, std::string(4066, 'x'))),
     Status::malformed, "", true},
    {"a handshake", "\x10\0\x2f\x04host\x63\xdd\x02"s, Status::absent},
    {"a handshake as long as P", "P\0"s, Status::absent},
    {"a handshake as long as a carriage return", "\r\0"s, Status::absent},
    {"the old ping", "\xfe\x01", Status::absent},
    {"another word", "PROXZ TCP4 ", Status::absent},
};

TEST(ProxyHeader, IsReadAsItsSpecificationSays) {
    for (const Case& c : cases) {
        const bool ends = c.status == Status::whole || c.ends;
        const Header header = read(c.bytes + (ends ? "next" : ""));
        EXPECT_EQ(header.status, c.status) << c.name;
        EXPECT_EQ(header.size, ends ? c.bytes.size() : 0) << c.name;
        const std::string source = header.has_addresses ? to_string(header.source) : "";
        EXPECT_EQ(source, c.source) << c.name;
    }
}

TEST(ProxyHeader, IsTheSameAtEveryCut) {
    for (const Case& c : cases) {
        const Header whole = read(c.bytes);
        bool decided = false;
        for (size_t size = 0; size <= c.bytes.size(); ++size) {
            const Header header = read(c.bytes.substr(0, size));
            if (header.status != Status::need_more) {
                EXPECT_EQ(header.status, whole.status) << c.name << " at " << size;
                EXPECT_EQ(header.size, whole.size) << c.name << " at " << size;
                decided = true;
            } else {
                EXPECT_FALSE(decided) << c.name << " at " << size;
            }
        }
    }
}

TEST(ProxyHeader, TellsWhereToAsWell) {
    EXPECT_EQ(to_string(read(binary(proxied, tcp4, addresses)).destination), "10.0.0.2:25565");
    EXPECT_EQ(read(binary(proxied, tcp4, addresses)).version, 2);
    EXPECT_EQ(read("PROXY UNKNOWN\r\n").version, 1);
}

}  // namespace
}  // namespace portcullis::proxy
