// Writes docs/CHECKS.md into the file that is named.

#include <fstream>
#include <iostream>

#include "policy/documentation.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: write_checks_documentation FILE\n";  // setup
        return 2;
    }
    std::ofstream out(argv[1]);
    out << portcullis::policy::checks_documentation();
    out.close();
    return out ? 0 : 1;
}
