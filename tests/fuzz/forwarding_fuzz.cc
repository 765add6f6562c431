// Whatever stands in front of a game's bytes, or in a host field, or in the answer that
// should be Velocity's: no crash, no read outside, views only into what was given, and
// the same answer at every cut.
//
// The input: one byte that says what the rest is.

#include <optional>
#include <vector>

#include "protocol/minecraft/host_field.h"
#include "protocol/minecraft/velocity.h"
#include "protocol/proxy/header.h"

namespace portcullis {
namespace {

using Status = proxy::Header::Status;

void require(bool held) {
    if (!held) __builtin_trap();
}

void require_within(std::string_view part, Bytes whole) {
    const auto* data = reinterpret_cast<const std::byte*>(part.data());
    require(part.empty() ||
            (data >= whole.data() && data + part.size() <= whole.data() + whole.size()));
}

/// The same header whether all is there or more has yet to come.
void read_in_front(Bytes in) {
    const proxy::Header whole = proxy::read_header(in);
    require(whole.size <= in.size());
    require((whole.status == Status::whole) == (whole.size > 0));
    require(whole.size <= proxy::header_size_max);
    require(whole.version != 1 || whole.size <= proxy::line_size_max);
    const size_t cuts = std::min<size_t>(in.size(), 256);
    for (size_t size = 0; size < cuts; ++size) {
        const std::vector<std::byte> exact(in.begin(), in.begin() + static_cast<ptrdiff_t>(size));
        const Status cut = proxy::read_header(exact).status;
        require(cut == Status::need_more || cut == whole.status);
    }
}

void read_host(Bytes in) {
    const minecraft::HostField field = minecraft::read_host_field(as_text(in));
    require_within(field.host, in);
    require_within(field.loader, field.loader.empty() ? in : as_bytes(field.loader));
    require_within(field.identity.properties, in);
    require(!field.identity.readable || field.forwarded);
    require_within(minecraft::bungeeguard_token(field.identity.properties), in);
    require_within(minecraft::bungeeguard_token(as_text(in)), in);
}

void read_answer(Bytes in) {
    const protocol::IdentityForwarded said = minecraft::read_velocity(in);
    require_within(said.name, in);
    require_within(as_text(said.signature), in);
    require_within(as_text(said.signed_bytes), in);
    require(said.signature.size() + said.signed_bytes.size() == (in.size() < 32 ? 0 : in.size()));
    require(!said.readable || said.signature.size() == 32);
}

}  // namespace
}  // namespace portcullis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const portcullis::Bytes in = portcullis::as_bytes(data + 1, size - 1);
    switch (data[0] % 3) {
        case 0:
            portcullis::read_in_front(in);
            break;
        case 1:
            portcullis::read_host(in);
            break;
        default:
            portcullis::read_answer(in);
    }
    return 0;
}
