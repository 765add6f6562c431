// Goal: the page that operators read about checks is the one that the code makes.

#include "policy/documentation.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

TEST(ChecksDocumentation, IsCurrent) {
    const char* root = std::getenv("PORTCULLIS_SOURCE_ROOT");
    ASSERT_NE(root, nullptr) << "run by meson, which says where the sources are";
    std::ifstream page(std::string(root) + "/docs/CHECKS.md");
    std::stringstream text;
    text << page.rdbuf();
    EXPECT_EQ(text.str(), portcullis::policy::checks_documentation())
        << "run: ninja -C build checks-docs";
}
