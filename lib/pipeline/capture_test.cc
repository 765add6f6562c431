// Goal: a capture is read and written as it is, and a file that is none says what it is and how
// far it could be read.  Method: captures written by libpcap and then cut, bent or replaced.
#include "pipeline/capture.h"

#include <thread>

#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <sys/stat.h>

#include "base/setup_error.h"
#include "pipeline/testing/folder.h"

namespace portcullis::pipeline {
namespace {

std::string text_of(Bytes bytes) { return std::string(as_text(bytes)); }

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_three(const std::string& path, bool nanoseconds) {
    CaptureWriter writer(path, nanoseconds);
    writer.write({Nanos(1'700'000'000'000'001'234), 3, as_bytes("one")});
    writer.write({Nanos(1'700'000'000'999'999'999), 1500, as_bytes("cut")});
    writer.write({Nanos(1'700'000'001'000'000'000), 0, {}});
    writer.close();
}

/// Reads to the end or to the damage, and says how many came.
uint64_t read_all(const std::string& path) {
    CaptureReader reader(path);
    while (reader.next()) {
    }
    return reader.frames();
}

TEST(Capture, KeepsTimesAndSizesToTheNanosecond) {
    const TestFolder folder;
    write_three(folder.path("a.pcap"), true);
    CaptureReader reader(folder.path("a.pcap"));
    EXPECT_TRUE(reader.nanoseconds());
    auto frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->time, Nanos(1'700'000'000'000'001'234));
    EXPECT_EQ(text_of(frame->bytes), "one");
    frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->time, Nanos(1'700'000'000'999'999'999));
    EXPECT_EQ(frame->original_size, 1500u);
    EXPECT_EQ(text_of(frame->bytes), "cut");
    frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->bytes.empty());
    EXPECT_FALSE(reader.next());
    EXPECT_DOUBLE_EQ(reader.progress(), 1.0);
}

TEST(Capture, WritesMicrosecondsWhereThereWereNoMore) {
    const TestFolder folder;
    write_three(folder.path("a.pcap"), false);
    CaptureReader reader(folder.path("a.pcap"));
    EXPECT_FALSE(reader.nanoseconds());
    EXPECT_EQ(reader.next()->time, Nanos(1'700'000'000'000'001'000));
}

TEST(Capture, ReadsAPipeFromItsFirstByteOn) {
    const TestFolder folder;
    write_three(folder.path("a.pcap"), false);
    const std::string pipe = folder.path("pipe");
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer(
        [&] { std::ofstream(pipe, std::ios::binary) << read_file(folder.path("a.pcap")); });
    CaptureReader reader(pipe);
    EXPECT_TRUE(reader.nanoseconds()) << "what is written from it must hold whatever comes";
    EXPECT_EQ(reader.next()->time, Nanos(1'700'000'000'000'001'000));
    EXPECT_EQ(reader.progress(), 0);
    while (reader.next()) {
    }
    EXPECT_EQ(reader.frames(), 3u);
    writer.join();
}

TEST(Capture, CountsFramesThatAreNotWhole) {
    const TestFolder folder;
    write_three(folder.path("a.pcap"), false);
    CaptureReader reader(folder.path("a.pcap"));
    while (reader.next()) {
    }
    EXPECT_EQ(reader.frames_cut(), 1u);
}

TEST(Capture, SaysHowACompressedOneIsRead) {
    const TestFolder folder;
    const std::string path =
        folder.write("a.pcap.gz", "\x1f\x8b\x08\x08 and what zlib makes of it");
    EXPECT_EQ(complaint_of<SetupError>([&] { CaptureReader reader(path); }),
              path + ": can not be read as a capture: it is compressed; zcat " + path +
                  " | portcullis inspect -");
}

TEST(Capture, SaysWhatAFileIsThatIsNone) {
    const TestFolder folder;
    const auto open = [](const std::string& path) {
        return complaint_of<SetupError>([&] { CaptureReader reader(path); });
    };
    const std::string missing = folder.path("missing.pcap");
    EXPECT_EQ(open(missing), missing + ": can not be read as a capture: No such file or directory");
    EXPECT_NE(open(folder.write("text.pcap", "This is a text, and a long one."))
                  .find("unknown file format"),
              std::string::npos);
    EXPECT_NE(open(folder.write("empty.pcap", "")).find("can not be read as a capture"),
              std::string::npos);
    EXPECT_NE(open(folder.path("")).find("is a folder"), std::string::npos);
}

TEST(Capture, RefusesFramesThatAreNotEthernet) {
    const TestFolder folder;
    const std::string path = folder.path("cooked.pcap");
    pcap_t* format = pcap_open_dead(DLT_LINUX_SLL, 65535);
    pcap_dump_close(pcap_dump_open(format, path.c_str()));
    pcap_close(format);
    EXPECT_EQ(complaint_of<SetupError>([&] { CaptureReader reader(path); }),
              path +
                  ": holds frames of LINUX_SLL (Linux cooked v1); only captures of Ethernet can "
                  "be inspected");
}

TEST(Capture, SaysHowFarADamagedOneCouldBeRead) {
    const TestFolder folder;
    write_three(folder.path("whole.pcap"), false);
    const std::string whole = read_file(folder.path("whole.pcap"));
    const std::string cut = folder.write("cut.pcap", whole.substr(0, whole.size() - 17));
    const std::string said = complaint_of<SetupError>([&] { read_all(cut); });
    EXPECT_EQ(said.find(cut + ": damaged after 1 packets, "), 0u) << said;

    // Every cut either ends between two frames or is complained about.
    for (size_t size = 0; size < whole.size(); ++size) {
        const std::string path = folder.write("some.pcap", whole.substr(0, size));
        const bool between = size == 24 || size == 24 + 16 + 3 || size == 24 + 2 * (16 + 3);
        EXPECT_EQ(complaint_of<SetupError>([&] { read_all(path); }) == "no complaint", between)
            << size << " bytes";
    }
    std::string bent = whole;
    bent[24 + 8 + 3] = '\x7f';  // The first frame's captured size.
    EXPECT_NE(complaint_of<SetupError>([&] {
                  read_all(folder.write("bent.pcap", bent));
              }).find("damaged after 0 packets"),
              std::string::npos);
}

TEST(Capture, SaysWhenItCanNotBeWritten) {
    const TestFolder folder;
    const std::string path = folder.path("no/such/folder.pcap");
    EXPECT_NE(complaint_of<SetupError>([&] {
                  CaptureWriter writer(path, false);
              }).find(path + ": can not be written"),
              std::string::npos);
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
