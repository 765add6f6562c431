#include "pipeline/capture.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <pcap/pcap.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::pipeline {

namespace {

constexpr int snapshot_max = 262'144;  ///< Bytes; what libpcap itself takes at most.
constexpr long nanos_per_second = 1'000'000'000;

/// The first bytes of a file, as this machine reads a number; 0 of a pipe: what is taken
/// from that comes no more.
uint32_t magic_of(const std::string& path) {
    uint32_t magic = 0;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed)) return 0;
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(&magic), sizeof magic);
    return magic;
}

/// Only the classic format with microseconds can not hold more.
bool holds_nanoseconds(uint32_t magic) { return magic != 0xa1b2c3d4 && magic != 0xd4c3b2a1; }

/// What unpacks a file that begins so; null: it is not packed.
const char* unpacker(uint32_t magic) {
    if ((magic & 0xffff) == 0x8b1f) return "zcat";
    if (magic == 0xfd2fb528) return "zstdcat";
    return magic == 0x587a37fd ? "xzcat" : nullptr;
}

std::string link_type_name(int type) {
    const char* name = pcap_datalink_val_to_name(type);
    const char* description = pcap_datalink_val_to_description(type);
    if (name == nullptr) return concat("link type ", type);
    return concat(name, " (", description == nullptr ? "" : description, ")");
}

}  // namespace

void CaptureReader::Close::operator()(pcap_t* capture) const noexcept { pcap_close(capture); }

CaptureReader::CaptureReader(const std::string& path)
    : path_(path == "-" ? "standard input" : path) {
    std::error_code failed;
    if (std::filesystem::is_directory(path, failed)) {
        throw SetupError(concat(path, ": is a folder; name the captures in it"));
    }
    size_ = std::filesystem::file_size(path, failed);
    if (failed) size_ = 0;

    char why[PCAP_ERRBUF_SIZE] = "";
    capture_.reset(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why));
    if (capture_ == nullptr) {
        std::string reason = why;
        if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
        if (const char* const unpacks = unpacker(magic_of(path))) {
            reason = concat("it is compressed; ", unpacks, " ", path, " | portcullis inspect -");
        }
        throw SetupError(concat(path_, ": can not be read as a capture: ", reason));
    }
    if (const int type = pcap_datalink(capture_.get()); type != DLT_EN10MB) {
        throw SetupError(concat(path_, ": holds frames of ", link_type_name(type),
                                "; only captures of Ethernet can be inspected"));
    }
    nanoseconds_ = holds_nanoseconds(magic_of(path));
}

CaptureReader::~CaptureReader() = default;

std::optional<CapturedFrame> CaptureReader::next() {
    pcap_pkthdr* header = nullptr;
    const unsigned char* data = nullptr;
    switch (pcap_next_ex(capture_.get(), &header, &data)) {
        case 1:
            break;
        case PCAP_ERROR_BREAK:
            return std::nullopt;
        default:
            fail(pcap_geterr(capture_.get()));
    }
    ++frames_;
    frames_cut_ += header->caplen < header->len ? 1 : 0;
    return CapturedFrame{Nanos(header->ts.tv_sec * nanos_per_second + header->ts.tv_usec),
                         header->len, as_bytes(data, header->caplen)};
}

void CaptureReader::fail(const std::string& what) const {
    std::string far = concat(frames_, " packets");
    if (size_ > 0) {
        far += concat(", ", ftell(pcap_file(capture_.get())), " of ", size_, " bytes");
    }
    throw SetupError(concat(path_, ": damaged after ", far, ": ", what));
}

double CaptureReader::progress() const noexcept {
    if (size_ == 0) return 0;
    return static_cast<double>(ftell(pcap_file(capture_.get()))) / static_cast<double>(size_);
}

CaptureWriter::CaptureWriter(const std::string& path, bool nanoseconds)
    : path_(path),
      nanoseconds_(nanoseconds),
      format_(pcap_open_dead_with_tstamp_precision(
          DLT_EN10MB, snapshot_max,
          nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO)) {
    file_ = pcap_dump_open(format_, path.c_str());
    if (file_ != nullptr) return;
    const std::string why = std::strerror(errno);
    pcap_close(format_);
    throw SetupError(concat(path, ": can not be written: ", why));
}

CaptureWriter::~CaptureWriter() {
    if (file_ != nullptr) pcap_dump_close(file_);
    pcap_close(format_);
}

void CaptureWriter::write(const CapturedFrame& frame) {
    pcap_pkthdr header{};
    const auto nanos = frame.time.count();
    header.ts.tv_sec = nanos / nanos_per_second;
    header.ts.tv_usec = nanos % nanos_per_second / (nanoseconds_ ? 1 : 1000);
    header.caplen = static_cast<uint32_t>(frame.bytes.size());
    header.len = frame.original_size;
    pcap_dump(reinterpret_cast<unsigned char*>(file_), &header,
              reinterpret_cast<const unsigned char*>(frame.bytes.data()));
}

void CaptureWriter::close() {
    const bool written = pcap_dump_flush(file_) == 0 && ferror(pcap_dump_file(file_)) == 0;
    const std::string why = std::strerror(errno);
    pcap_dump_close(file_);
    file_ = nullptr;
    if (!written) throw SetupError(concat(path_, ": can not be written: ", why));
}

}  // namespace portcullis::pipeline
