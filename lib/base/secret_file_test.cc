// Goal: all files with secrets are read by one rule, and no message shows what is in one.
// Method: a table of files as editors and scripts write them.

#include "base/secret_file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/setup_error.h"

namespace portcullis {
namespace {

struct File {
    explicit File(const std::string& text) {
        char name[] = "/tmp/portcullis-secret-XXXXXX";
        ::close(mkstemp(name));
        path = name;
        std::ofstream(path) << text;
    }
    ~File() { ::unlink(path.c_str()); }
    std::string path;
};

constexpr SecretFile two_lines = {"a_file", "two secrets", 2, 8};

/// The lines with bars between, or what is wrong.
std::string read(const std::string& path) {
    try {
        std::string all;
        for (const std::string& line : read_secret_lines(path, two_lines)) all += line + '|';
        return all;
    } catch (const SetupError& error) {
        return error.what();
    }
}

TEST(SecretFile, IsReadByOneRule) {
    const struct {
        const char* what;
        std::string text, read;
    } cases[] = {
        {"one line", "hunter2\n", "hunter2|"},
        {"no line's end", "hunter2", "hunter2|"},
        {"of another system", "hunter2\r\n", "hunter2|"},
        {"blanks after it", "hunter2 \t \n\n \n", "hunter2|"},
        {"blanks within and before are its own", " hunt 2\n", " hunt 2|"},
        {"two", "hunter2\n\nhunter3\n", "hunter2|hunter3|"},
    };
    for (const auto& c : cases) EXPECT_EQ(read(File(c.text).path), c.read) << c.what;
}

TEST(SecretFile, SaysWhatIsWrongAndNoSecret) {
    const struct {
        const char* what;
        std::string text, says;
    } cases[] = {
        {"nothing", "", " is empty; it must hold two secrets"},
        {"blanks", "\n \n", " is empty; it must hold two secrets"},
        {"too long", "xxxxxxxxx", "allowed are 2 lines of at most 8 bytes"},
        {"too many", "xx\nxx\nxx\n", "allowed are 2 lines of at most 8 bytes"},
        {"far too long", std::string(1 << 20, 'x'), "allowed are 2 lines"},
    };
    for (const auto& c : cases) {
        const File file(c.text);
        const std::string says = read(file.path);
        EXPECT_TRUE(says.starts_with("a_file " + file.path)) << c.what << ": " << says;
        EXPECT_NE(says.find(c.says), std::string::npos) << c.what << ": " << says;
        EXPECT_EQ(says.find("xx", says.find(file.path) + file.path.size()), std::string::npos);
    }
    EXPECT_NE(read("/dev/zero").find("allowed are"), std::string::npos) << "it has no end";
    EXPECT_NE(read("/nonexistent/secret").find("No such file"), std::string::npos);
    EXPECT_NE(read("/tmp").find("it is a folder"), std::string::npos);
    EXPECT_EQ(read("https://example.org/token").find("token"), std::string::npos);
}

}  // namespace
}  // namespace portcullis
