// Goal: whatever honest clients, proxies, Floodgate and pingers write into a handshake
// and a login is let be; what forges lines in logs is not.
// Method: a table of names and one of handshakes.

#include <gtest/gtest.h>

#include "checks/identity/handshake.h"
#include "checks/identity/name.h"
#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Handshake;
using Next = protocol::Handshake::Next;

struct Name {
    std::string_view what, name;
    bool acts;
};
constexpr Name names[] = {
    {"an account", "Notch", false},
    {"the oldest accounts", "a", false},
    {"the longest", "ABCDEFGHIJ_12345", false},
    {"Floodgate's sign", ".Steve", false},
    {"Floodgate's other sign, and a space", "*Cool Guy 12", false},
    {"letters of one's own, without authentication", "\xd0\x98\xd0\xb3\xd0\xbe\xd1\x80\xd1\x8c",
     false},
    {"colour codes",
     "\xc2\xa7"
     "cAdmin",
     false},
    {"a hyphen", "mc-bot", false},
    {"no name at all", "", true},
    {"a line break", "Bob\nkick Alice", true},
    {"a bell", "Bob\x07", true},
    {"a zero byte", std::string_view("Bob\0", 4), true},
    {"delete", "Bob\x7f", true},
};

TEST(IdentityName, OnlyWhatNobodyTypesActs) {
    for (const Name& n : names) {
        Story<IdentityName> story(0);
        story.client(protocol::LoginStart{n.name});
        EXPECT_EQ(story.confidence() >= acts_at, n.acts) << n.what;
    }
}

TEST(IdentityName, UsualNamesAreNotEvenWrittenDown) {
    for (const std::string_view name : {"Notch", "ABCDEFGHIJ_12345", ".Steve", "*Cool Guy 12"}) {
        Story<IdentityName> story(0);
        story.client(protocol::LoginStart{name});
        EXPECT_EQ(story.findings(), 0u) << name;
    }
}

struct Shake {
    std::string_view what, host;
    uint16_t port;
    Next next;
    bool acts;
    bool written;
};
const std::string long_host(300, 'a');
const std::string far_too_long(4000, 'a');
const std::string marked = std::string("play.example.org") + '\0' + "FML3" + '\0';
const std::string forwarded = std::string("play.example.org") + '\0' + "198.51.100.7" + '\0' +
                              "069a79f444e94726a5befca90e38aaf5";
const Shake shakes[] = {
    {"as typed", "play.example.org", 25565, Next::login, false, false},
    {"an address", "2001:db8::1", 25566, Next::login, false, false},
    {"a trailing dot from a SRV record", "play.example.org.", 25565, Next::login, false, false},
    {"Forge's mark", marked, 25565, Next::login, false, false},
    {"what a proxy forwards", forwarded, 25565, Next::login, false, false},
    {"a filter's mark", "play.example.org///198.51.100.7:50122///1700000000", 25565, Next::login,
     false, false},
    {"letters of many bytes", long_host, 25565, Next::login, false, false},
    {"a pinger without host and port", "", 0, Next::status, false, false},
    {"a bot without a host", "", 25565, Next::login, false, true},
    {"a bot without a port", "play.example.org", 0, Next::login, false, true},
    {"longer than any host", far_too_long, 25565, Next::status, false, true},
    {"a line break", "play\nexample", 25565, Next::login, true, true},
};

TEST(IdentityHandshake, NearlyEverythingIsHonest) {
    for (const Shake& s : shakes) {
        Story<IdentityHandshake> story(0);
        story.client(Handshake{767, s.host, s.port, s.next});
        EXPECT_EQ(story.confidence() >= acts_at, s.acts) << s.what;
        EXPECT_EQ(story.findings() > 0, s.written) << s.what;
    }
}

}  // namespace
}  // namespace portcullis::checks
