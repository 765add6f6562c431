// Goal: what proves a proxy's word is read from its file, and nothing else proves it.
// Method: RFC 4231's vectors, OpenSSL's own HMAC over keys of every length, files as
// people leave them.

#include "policy/in_front.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/setup_error.h"

namespace portcullis::policy {
namespace {

/// A file that is gone with the test.
class File {
public:
    explicit File(const std::string& text) {
        char name[] = "/tmp/portcullis-secret-XXXXXX";
        close(mkstemp(name));
        path = name;
        std::ofstream(path) << text;
    }
    ~File() { std::filesystem::remove(path); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string path;
};

config::Service service(const std::string& secret_file = "") {
    config::Service from;
    from.forwarding = config::Forwarding::velocity;
    from.forwarding_secret_file = secret_file;
    return from;
}

std::string hmac_by_openssl(const std::string& key, const std::string& message) {
    std::string mac(32, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &size);
    return mac;
}

TEST(InFront, VerifiesAsTheStandardSays) {
    // RFC 4231, 4.3: the key "Jefe".
    const File file("Jefe\n");
    const InFront front(service(file.path));
    const std::string message = "what do ya want for nothing?";
    using namespace std::string_literals;  // There is a zero within.
    const std::string mac =
        "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
        "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43"s;
    EXPECT_TRUE(front.signed_well(as_bytes(mac), as_bytes(message)));
    for (size_t i = 0; i < mac.size(); ++i) {
        std::string wrong = mac;
        wrong[i] = static_cast<char>(wrong[i] ^ 1);
        EXPECT_FALSE(front.signed_well(as_bytes(wrong), as_bytes(message)));
    }
    EXPECT_FALSE(front.signed_well(as_bytes(mac).first(31), as_bytes(message)));
    EXPECT_FALSE(front.signed_well(as_bytes(mac), as_bytes(message).first(27)));
    EXPECT_FALSE(front.signed_well({}, as_bytes(message)));
}

TEST(InFront, TakesKeysOfAnyLength) {
    for (const size_t size : {1u, 12u, 63u, 64u, 65u, 128u, 1024u}) {
        const std::string key(size, 'k');
        const File file(key);
        const InFront front(service(file.path));
        const std::string message = "message";
        EXPECT_TRUE(front.signed_well(as_bytes(hmac_by_openssl(key, message)), as_bytes(message)))
            << size;
    }
}

TEST(InFront, TakesAnyOfSeveralSecrets) {
    const File file("old one \r\n\nnew\n");
    const InFront front(service(file.path));
    for (const char* key : {"old one", "new"}) {
        EXPECT_TRUE(front.signed_well(as_bytes(hmac_by_openssl(key, "m")), as_bytes("m"))) << key;
        EXPECT_TRUE(front.has_token(key));
    }
    EXPECT_FALSE(front.signed_well(as_bytes(hmac_by_openssl("", "m")), as_bytes("m")));
    EXPECT_FALSE(front.has_token(""));
    EXPECT_FALSE(front.has_token("old one "));
}

TEST(InFront, ReadsTokensAsJsonWritesThem) {
    const File file("a=b'\"\\");
    const InFront front(service(file.path));
    EXPECT_TRUE(front.has_token(R"(a\u003db\u0027\"\\)"));
    EXPECT_FALSE(front.has_token(R"(a\u003)"));
    EXPECT_FALSE(front.has_token(R"(a\u20acb'\"\\)"));
    EXPECT_FALSE(front.has_token("\\"));
    EXPECT_FALSE(front.has_token(std::string(5000, 'a')));
}

TEST(InFront, WithoutSecretsProvesNothing) {
    const InFront front(service());
    EXPECT_FALSE(front.verifies());
    EXPECT_FALSE(front.signed_well(as_bytes(hmac_by_openssl("", "m")), as_bytes("m")));
    EXPECT_FALSE(front.has_token(""));
}

TEST(InFront, SaysWhatIsWrongWithTheFile) {
    const auto complaint = [](const std::string& path) -> std::string {
        try {
            InFront front(service(path));
        } catch (const SetupError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(complaint("/nonexistent/secret").find("No such file"), std::string::npos);
    const File empty("\n \n");
    EXPECT_NE(complaint(empty.path).find("is empty"), std::string::npos);
    const File tedious(std::string(1025, 'x'));
    EXPECT_NE(complaint(tedious.path).find("1024 bytes"), std::string::npos);
    EXPECT_EQ(complaint(tedious.path).find("xxx"), std::string::npos) << "never show a secret";
}

TEST(InFront, KnowsWhoIsAProxy) {
    config::Service from = service();
    const IpAddress proxy = *parse_address("10.0.0.9"), other = *parse_address("198.51.100.7");
    EXPECT_TRUE(InFront(from).is_proxy(other)) << "nobody is named: anybody may be one";
    EXPECT_FALSE(InFront(from).is_named(other));
    from.proxies = {*parse_prefix("10.0.0.0/24")};
    EXPECT_TRUE(InFront(from).is_proxy(proxy));
    EXPECT_TRUE(InFront(from).is_named(proxy));
    EXPECT_FALSE(InFront(from).is_proxy(other));
    EXPECT_TRUE(InFront(from).expected());
    config::Service silent;
    silent.proxies = from.proxies;
    EXPECT_TRUE(InFront(silent).expected());
    EXPECT_FALSE(InFront(silent).translates()) << "it forwards nothing, and may be any balancer";
    EXPECT_FALSE(InFront(config::Service{}).expected());
}

}  // namespace
}  // namespace portcullis::policy
