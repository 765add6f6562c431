// Goal: what DESIGN calls a key line becomes a key; anything else is refused with the
// field named, and no message ever repeats a secret.
// Method: a table of lines, good and bad, and a file with a bad third line.

#include "keys/parse.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/setup_error.h"

namespace portcullis::keys {
namespace {

const std::string secret16 = "22973fca22624864ac8c3c8400e92676";
const std::string secret32 = secret16 + "00112233445566778899AABBCCDDEEFF";

TEST(KeyLines, MinecraftConnection) {
    const auto key = parse(R"({"protocol":"minecraft","client":"198.51.100.7:50122",)"
                           R"("server":"10.0.0.2:25565","secret":")" +
                           secret16 + "\"}");
    ASSERT_TRUE(key) << key.error();
    const auto& minecraft = std::get<MinecraftKey>(*key);
    EXPECT_EQ(to_string(minecraft.client), "198.51.100.7:50122");
    EXPECT_EQ(to_string(minecraft.server), "10.0.0.2:25565");
    EXPECT_EQ(minecraft.secret.front(), std::byte{0x22});
    EXPECT_EQ(minecraft.secret.back(), std::byte{0x76});
}

TEST(KeyLines, ShadowlandEpoch) {
    const auto key = parse(R"({"protocol":"shadowland","client":"[fd88::1]:40000",)"
                           R"("server":"10.0.0.3:3565","connection_id":4185801217,"epoch":2,)"
                           R"("c2s":")" +
                           secret32 + R"(","s2c":")" + secret32 + "\"}");
    ASSERT_TRUE(key) << key.error();
    const auto& epoch = std::get<ShadowlandKey>(*key);
    EXPECT_EQ(epoch.connection_id, 4185801217u);
    EXPECT_EQ(epoch.epoch, 2u);
    EXPECT_EQ(epoch.to_client.back(), std::byte{0xff});
}

TEST(KeyLines, ShadowlandServerWithOneSecretOrBoth) {
    const std::string head = R"({"protocol":"shadowland","server":"10.0.0.3:3565",)";
    const auto both =
        parse(head + R"("cookie_secret":")" + secret32 + R"(","integrity_secret":"6974"})");
    ASSERT_TRUE(both) << both.error();
    EXPECT_TRUE(std::get<ShadowlandSecrets>(*both).has_cookie);
    EXPECT_EQ(as_text(std::get<ShadowlandSecrets>(*both).integrity_secret()), "it");
    const auto one = parse(head + R"("integrity_secret":"6974"})");
    ASSERT_TRUE(one) << one.error();
    EXPECT_FALSE(std::get<ShadowlandSecrets>(*one).has_cookie);
}

TEST(KeyLines, RefusedWithoutRepeatingTheSecret) {
    const std::string flow =
        R"({"protocol":"minecraft","client":"198.51.100.7:50122","server":"10.0.0.2:25565",)";
    const struct {
        const char* what;
        std::string line;
        const char* named;
    } cases[] = {
        {"no JSON", "secret " + secret16, "JSON"},
        {"JSON cut short", flow + R"("secret":")" + secret16, "JSON"},
        {"no object", "[\"" + secret16 + "\"]", "JSON"},
        {"too few digits", flow + R"("secret":")" + secret16.substr(2) + "\"}", "\"secret\""},
        {"too many digits", flow + R"("secret":")" + secret16 + "00\"}", "\"secret\""},
        {"no digits", flow + R"("secret":"z)" + secret16.substr(1) + "\"}", "\"secret\""},
        {"not a text", flow + R"("secret":5})", "\"secret\""},
        {"no server",
         R"({"protocol":"minecraft","client":"1.2.3.4:5","secret":")" + secret16 + "\"}",
         "\"server\""},
        {"no port",
         R"({"protocol":"minecraft","client":"1.2.3.4","server":"1.2.3.4:5","secret":")" +
             secret16 + "\"}",
         "\"client\""},
        {"other game", R"({"protocol":"chess","secret":")" + secret16 + "\"}", "\"protocol\""},
        {"a negative epoch",
         R"({"protocol":"shadowland","client":"1.2.3.4:5","server":"1.2.3.4:5",)"
         R"("connection_id":1,"epoch":-1,"c2s":")" +
             secret32 + R"(","s2c":")" + secret32 + "\"}",
         "\"epoch\""},
        {"no secret at all", R"({"protocol":"shadowland","server":"1.2.3.4:5"})", "secret"},
        {"endless", std::string(line_size_max + 1, ' '), "bytes"},
    };
    for (const auto& c : cases) {
        const auto key = parse(c.line);
        ASSERT_FALSE(key) << c.what;
        EXPECT_NE(key.error().find(c.named), std::string::npos) << c.what << ": " << key.error();
        EXPECT_EQ(key.error().find(secret16.substr(2, 8)), std::string::npos) << c.what;
    }
}

TEST(KeyFile, SkipsEmptyLinesAndNamesTheBadOne) {
    const std::string path =
        std::filesystem::temp_directory_path() / ("keys_test." + std::to_string(getpid()));
    const std::string good =
        R"({"protocol":"minecraft","client":"1.2.3.4:5","server":"1.2.3.4:6","secret":")" +
        secret16 + "\"}\n";
    std::ofstream(path) << good << "\n" << good;
    EXPECT_EQ(load(path).size(), 2u);
    std::ofstream(path) << good << "\n" << "{}\n";
    try {
        load(path);
        FAIL() << "a bad line was taken";
    } catch (const UsageError& error) {
        EXPECT_NE(std::string(error.what()).find(path + ":3:"), std::string::npos) << error.what();
    }
    std::filesystem::remove(path);
    EXPECT_THROW(load(path), UsageError);
}

}  // namespace
}  // namespace portcullis::keys
