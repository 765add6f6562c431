// Goal: a scan finds what is there wherever it stands, never reads a page that is
// not the text's, and allocates nothing.
// Method: texts laid against an unreadable page at every distance from it; a
// counting operator new and Hyperscan's own allocator hook.

#include "signatures/scanner.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <hs/hs.h>
#include <sys/mman.h>

#include "base/setup_error.h"
#include "base/testing/count_new.h"
#include "signatures/rule_book.h"

namespace {
using portcullis::testing::allocations;

void* counting_malloc(size_t size) {
    ++allocations;
    return std::malloc(size);
}
}  // namespace

namespace portcullis::signatures {
namespace {

const std::vector<Pattern> patterns = {
    {.id = 0, .expression = R"(\$\{jndi:)"},
    {.id = 3, .expression = "needle", .caseless = false},
};

/// Two pages, the second of which can not be read.
class GuardedPage {
public:
    GuardedPage() {
        memory_ = static_cast<char*>(mmap(nullptr, 2 * Scratch::page_size, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        EXPECT_EQ(mprotect(memory_ + Scratch::page_size, Scratch::page_size, PROT_NONE), 0);
    }
    ~GuardedPage() { munmap(memory_, 2 * Scratch::page_size); }
    GuardedPage(const GuardedPage&) = delete;
    GuardedPage& operator=(const GuardedPage&) = delete;

    /// The text, laid so that `room` readable bytes are behind it.
    std::string_view lay(std::string_view text, size_t room) {
        char* at = memory_ + Scratch::page_size - room - text.size();
        std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }

private:
    char* memory_;
};

TEST(Scanner, FindsEachPatternByItsId) {
    const Database database(patterns);
    Scanner scanner(database);
    EXPECT_EQ(scanner.scan("nothing here"), 0u);
    EXPECT_EQ(scanner.scan("say ${JnDi:x}"), 1u);
    EXPECT_EQ(scanner.scan("needle"), 8u);
    EXPECT_EQ(scanner.scan("NEEDLE"), 0u);
    EXPECT_EQ(scanner.scan("needle ${jndi:x}"), 9u);
    EXPECT_EQ(scanner.scan(""), 0u);
}

TEST(Scanner, NeverTouchesThePageBehindTheText) {
    const Database database(patterns);
    Scanner scanner(database);
    GuardedPage page;
    for (size_t padding = 0; padding < 130; ++padding) {
        const std::string text = std::string(padding, '.') + "needle";
        for (size_t room = 0; room < 130; ++room) {
            const uint64_t before = scanner.copies();
            ASSERT_EQ(scanner.scan(page.lay(text, room)), 8u) << padding << " before, " << room;
            ASSERT_EQ(scanner.copies() - before, room < Scratch::overread_max ? 1u : 0u);
        }
    }
}

TEST(Scanner, FindsWhatLiesAcrossTwoPieces) {
    const Database database(patterns);
    Scanner scanner(database);
    std::string text(3 * Scratch::piece_size_max, '.');
    for (const size_t at :
         {Scratch::piece_size_max - 3, 2 * Scratch::piece_size_max - 1030, text.size() - 6}) {
        std::string hiding = text;
        hiding.replace(at, 6, "needle");
        EXPECT_EQ(scanner.scan(hiding), 8u) << at;
    }
}

TEST(Scanner, AllocatesNothing) {
    ASSERT_EQ(hs_set_allocator(counting_malloc, std::free), HS_SUCCESS);
    {
        Scanners scanners(patterns, 2);
        GuardedPage page;
        const std::string_view tight = page.lay("a needle", 0);
        const size_t before = allocations;
        for (int i = 0; i < 1000; ++i) {
            ASSERT_EQ(scanners.of(0)->scan(tight), 8u);
            ASSERT_EQ(scanners.of(1)->scan("a plain text in its page"), 0u);
        }
        EXPECT_EQ(allocations, before);
        EXPECT_EQ(scanners.of(2), nullptr);
    }
    ASSERT_EQ(hs_set_allocator(nullptr, nullptr), HS_SUCCESS);
}

/// What a book finds in a text of a field, by name.
std::string found(RuleBook& book, uint8_t field, std::string_view text) {
    const Rule* rule = book.find(0, field, text);
    return rule == nullptr ? "" : rule->name;
}

TEST(RuleBook, FindsTheSurestRuleOfTheField) {
    RuleBook book({{"weak", "x", true, 0.5f, 0b01},
                   {"sure", "x+y", true, 1, 0b11},
                   {"later", "xy", true, 1, 0b01}},
                  2);
    EXPECT_EQ(found(book, 0, "x"), "weak");
    EXPECT_EQ(found(book, 0, "xxy"), "sure");
    EXPECT_EQ(found(book, 1, "XY"), "sure");
    EXPECT_EQ(found(book, 1, "x"), "");
    EXPECT_EQ(found(book, 2, "xy"), "");
    EXPECT_EQ(found(book, RuleBook::fields_max, "xy"), "");
    EXPECT_EQ(book.find(2, 0, "xy"), nullptr);  // No such Worker.
    EXPECT_TRUE(RuleBook({}, 1).empty());
}

TEST(RuleBook, TakesManyRulesAndAllocatesNothingWhileLooking) {
    ASSERT_EQ(hs_set_allocator(counting_malloc, std::free), HS_SUCCESS);
    {
        std::vector<Rule> rules;
        for (int i = 0; i < 500; ++i) {
            rules.push_back({"r" + std::to_string(i), "word" + std::to_string(i) + "[.!]", true,
                             0.9f, 1u << (i % 10)});
        }
        RuleBook book(std::move(rules), 1);
        GuardedPage page;
        const std::string_view tight = page.lay("a Word437! at the page's end", 0);
        const size_t before = allocations;
        for (int i = 0; i < 1000; ++i) {
            ASSERT_NE(book.find(0, 7, tight), nullptr);
            ASSERT_EQ(book.find(0, 8, tight), nullptr);
        }
        EXPECT_EQ(allocations, before);
    }
    ASSERT_EQ(hs_set_allocator(nullptr, nullptr), HS_SUCCESS);
}

TEST(Database, SaysWhatIsWrongWithOnePattern) {
    EXPECT_EQ(Database::problem_with({0, "a+b", true}), "");
    for (const char* wrong : {"(open", "a*", "(?<=a)b", "(a)\\1", "[z-a]"}) {
        EXPECT_NE(Database::problem_with({0, wrong, true}), "") << wrong;
    }
}

TEST(Scanner, RefusesIdsThatItsHitsCanNotHold) {
    const std::vector<Pattern> one = {{.id = Scanner::id_max + 1, .expression = "x"}};
    const Database database(one);
    EXPECT_THROW(Scanner{database}, SetupError);
}

TEST(Database, NamesTheExpressionThatIsWrong) {
    try {
        const std::vector<Pattern> one = {{.id = 0, .expression = "(open"}};
        const Database database(one);
        FAIL() << "compiled";
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("(open"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace portcullis::signatures
