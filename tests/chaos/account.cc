// What a verdict log holds, added up: as JSON on one line.
//
//     account LOG [SERVICE]
//
// Verdicts (of this service), ids that stand there twice, and of the actions that verdicts asked
// for, how each ended and how many have not.

#include "account.h"

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("account LOG [SERVICE]\n", stderr);
        return 2;
    }
    std::puts(portcullis::chaos::account_of(argv[1], argc > 2 ? argv[2] : "").c_str());
    return 0;
}
