// The main of tests that need mbufs.

#include <gtest/gtest.h>

#include "packet/testing/small_eal.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const portcullis::SmallEal eal("64");
    return eal.started() ? RUN_ALL_TESTS() : 1;
}
