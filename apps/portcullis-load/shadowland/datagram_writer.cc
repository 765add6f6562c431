#include "datagram_writer.h"

namespace portcullis::load {

using shadowland::Channel;
namespace flag = shadowland::flag;

void DatagramWriter::begin_handshake(uint32_t connection_id, Direction direction) noexcept {
    header_ = {};
    header_.connection_id = connection_id;
    header_.flags = flag::control;
    key_ = nullptr;
    direction_ = direction;
    body_ = Writer(MutableBytes(room_).subspan(shadowland::header_size));
}

void DatagramWriter::begin(Session& session, Direction direction, Channel channel,
                           uint8_t flags) noexcept {
    header_ = {};
    header_.connection_id = session.connection_id;
    header_.channel = channel;
    header_.flags = flags;
    header_.sequence = ++session.sequences[index_of(direction)][shadowland::index_of(channel)];
    key_ = nullptr;
    if (session.encrypted) {
        header_.flags |= flag::sealed;
        header_.key_phase = (session.epochs[index_of(direction)] & 1) != 0;
        key_ = &session.key_of(direction);
    }
    direction_ = direction;
    body_ = Writer(MutableBytes(room_).subspan(shadowland::header_size));
}

MutableBytes DatagramWriter::end() noexcept {
    const size_t size = shadowland::header_size + body_.size() + header_.trailer_size();
    const MutableBytes datagram = MutableBytes(room_).first(size);
    write_header(header_, datagram);
    if (header_.encrypted()) {
        constexpr shadowland::Key nobodys{};
        shadowland::Cipher::seal(header_, datagram, key_ != nullptr ? *key_ : nobodys);
    } else {
        shadowland::write_crc(datagram);
    }
    return datagram;
}

void DatagramWriter::mend(MutableBytes datagram, bool encrypted) noexcept {
    if (!encrypted) shadowland::write_crc(datagram);
}

}  // namespace portcullis::load
