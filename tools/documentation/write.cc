// Writes a page of docs/ that is made from rows in the code.

#include <fstream>
#include <iostream>
#include <string_view>

#include "config/schema.h"
#include "metrics/catalogue.h"
#include "policy/documentation.h"

namespace {

using namespace portcullis;

struct Page {
    std::string_view name;
    std::string (*text)();
};

constexpr Page pages[] = {
    {"checks", policy::checks_documentation},
    {"configuration", config::documentation},
    {"metrics", metrics::documentation},
};

}  // namespace

int main(int argc, char** argv) {
    for (const Page& page : pages) {
        if (argc != 3 || argv[1] != page.name) continue;
        std::ofstream out(argv[2]);
        out << page.text();
        out.close();
        return out ? 0 : 1;
    }
    std::cerr << "usage: write_documentation checks|configuration|metrics FILE\n";
    return 2;
}
