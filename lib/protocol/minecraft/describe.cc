#include "protocol/minecraft/describe.h"

#include "protocol/minecraft/tables.h"
#include "protocol/minecraft/translate.h"
#include "protocol/minecraft/walk.h"

namespace portcullis::minecraft {

namespace {

/// Hands what a walk passes by to a visitor.
class Teller {
public:
    static constexpr bool hears_values = true;

    explicit Teller(FieldVisitor& visitor) noexcept : visitor_(visitor) {}

    void put(uint16_t name, const Value& v) { visitor_.field(field_names()[name], as_field(v)); }
    void open(uint16_t name, bool array) { visitor_.open(field_names()[name], array); }
    void close() { visitor_.close(); }
    bool member(const Op&) noexcept { return true; }

private:
    static FieldValue as_field(const Value& v) {
        switch (v.kind) {
            case Value::Kind::boolean:
                return v.integer != 0;
            case Value::Kind::unsigned_integer:
                return static_cast<uint64_t>(v.integer);
            case Value::Kind::real:
                return v.real;
            case Value::Kind::text:
                return as_text(v.bytes());
            case Value::Kind::bytes:
                return v.bytes();
            case Value::Kind::uuid:
                return uuid_in(v.bytes());
            case Value::Kind::block:
                return v.block();
            default:
                return v.integer;
        }
    }

    FieldVisitor& visitor_;
};

}  // namespace

bool describe(const Frame& frame, FieldVisitor& visitor) {
    if (!frame.has_body || frame.program == nullptr) return false;
    Values values;
    Teller teller(visitor);
    Walk<Teller>(frame.body, values, teller).run(*frame.program);
    return true;
}

}  // namespace portcullis::minecraft
