// Goal: the pipelines that come with the appliance can be built, and a wrong one says where it
// is wrong.  Method: all files of pipelines/inspect/, then small files of our own.
#include "pipeline/pipeline.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/setup_error.h"
#include "pipeline/testing/folder.h"

namespace portcullis::pipeline {
namespace {

std::string complaint(std::string_view text) {
    const TestFolder folder;
    const std::string path = folder.write("p.yaml", text);
    const std::string said = complaint_of<UsageError>([&] { read_pipeline(path); });
    return said.starts_with(path) ? said.substr(path.size()) : said;
}

TEST(Pipeline, FilesThatComeWithTheApplianceCanBeRead) {
    const char* source = std::getenv("PORTCULLIS_SOURCE");
    ASSERT_NE(source, nullptr);
    int count = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(source) + "/pipelines/inspect")) {
        SCOPED_TRACE(file.path());
        EXPECT_NO_THROW(read_pipeline(file.path()));
        ++count;
    }
    EXPECT_GE(count, 2);
}

TEST(Pipeline, SaysWhereItIsWrong) {
    EXPECT_EQ(complaint("stages: [parse, track]\n"), "no complaint");
    EXPECT_NE(complaint("stages: [parse, juggle]\n").find(":1:17: no stage \"juggle\"; there are "),
              std::string::npos);
    EXPECT_NE(complaint("stages: [track, parse]\n").find(":1:17: stage \"parse\" must stand once"),
              std::string::npos);
    EXPECT_NE(complaint("stages: [parse, parse]\n").find(":1:17: stage \"parse\" must stand once"),
              std::string::npos);
    EXPECT_EQ(complaint("stages: parse\n"), ":1:9: stages must be a list of names");
    EXPECT_EQ(complaint("\nsteps: []\n"), ":2:1: unknown key \"steps\"; allowed: stages");
    EXPECT_EQ(complaint("parse\n"), ":1:1: a mapping with the key \"stages\" is expected");
    EXPECT_EQ(complaint("stages: [parse\n").find(":2:1: "), 0u);
}

TEST(Pipeline, IsLookedForBesideTheConfigurationFirst) {
    const TestFolder folder;
    std::filesystem::create_directories(folder.path("pipelines/inspect"));
    folder.write("pipelines/inspect/own.yaml", "stages: []\n");
    const port::DataFiles files(folder.path("portcullis.yaml"));
    EXPECT_EQ(find_pipeline("inspect/own.yaml", files).path,
              folder.path("pipelines/inspect/own.yaml"));
    EXPECT_NE(complaint_of<UsageError>([&] {
                  find_pipeline("inspect/none.yaml", files);
              }).find("pipeline \"inspect/none.yaml\": pipelines/inspect/none.yaml is not in "),
              std::string::npos);
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
