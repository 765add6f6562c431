// Goal: what several connections bring of one stream nobody here could put together; so none
// that asks for it reaches a server.  Method: a SYN with RFC 8684's option, sent again and again.

#include <gtest/gtest.h>

#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using namespace testing;

TEST(Multipath, IsTakenOutOfEverySyn) {
    constexpr uint8_t bytes[] = {stream::multipath_option, 12, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    const Bytes asks = as_bytes(bytes, sizeof bytes);
    for (const bool enforcing : {true, false}) {
        config::Config config = configuration();
        config.mode = enforcing ? verdicts::Mode::enforce : verdicts::Mode::observe;
        Line line(config);
        for (int again = 0; again < 3; ++again) {
            rte_mbuf* syn = line.from_client(100, 0, tcp::syn).options(asks).make(pool());
            const std::byte* option = rte_pktmbuf_mtod_offset(syn, std::byte*, 54);
            line.on_leaving = [&] {
                EXPECT_EQ(*option == std::byte{1}, enforcing)
                    << "sent " << again << " times before";
            };
            EXPECT_EQ(line.send_mbufs({syn})[0].drop, DropReason::none);
            line.on_leaving = [] {};
            EXPECT_EQ(line.noticed(Notice::multipath), uint64_t(again) + 1);
            if (again == 1) {
                line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
                line.send(line.from_client(101, 901));
            }
        }
    }
}

}  // namespace
}  // namespace portcullis::stages
