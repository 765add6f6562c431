// Writes docs/METRICS.md into the file that is named.

#include <fstream>
#include <iostream>

#include "metrics/catalogue.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: write_metrics_documentation FILE\n";
        return 2;
    }
    std::ofstream out(argv[1]);
    out << portcullis::metrics::documentation();
    out.close();
    return out ? 0 : 1;
}
