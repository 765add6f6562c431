#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

typedef struct pcap pcap_t;
typedef struct pcap_dumper pcap_dumper_t;

namespace portcullis::pipeline {

/// One frame of a capture file.
struct CapturedFrame {
    Nanos time{};
    uint32_t original_size = 0;  ///< On the wire; the capture may hold less of it.
    Bytes bytes;                 ///< Valid until the next one is read.
};

/// Reads pcap and pcapng files of Ethernet frames, and says in one sentence what
/// is wrong with those that are something else.
class CaptureReader {
public:
    /// `path` may be a pipe, and "-" is standard input.
    /// Throws SetupError: no such file, not a capture, not Ethernet.
    explicit CaptureReader(const std::string& path);
    ~CaptureReader();
    CaptureReader(const CaptureReader&) = delete;
    CaptureReader& operator=(const CaptureReader&) = delete;

    /// Nothing at the end.  Throws SetupError where the file is damaged, with how
    /// far it could be read.
    std::optional<CapturedFrame> next();

    const std::string& path() const noexcept { return path_; }
    uint64_t frames() const noexcept { return frames_; }
    /// Of them, those that the capture holds a part of only.
    uint64_t frames_cut() const noexcept { return frames_cut_; }
    /// 0..1, by bytes of the file; 0 of a pipe, whose end nobody knows.
    double progress() const noexcept;
    /// Its times are finer than microseconds.
    bool nanoseconds() const noexcept { return nanoseconds_; }

private:
    struct Close {
        void operator()(pcap_t* capture) const noexcept;
    };
    [[noreturn]] void fail(const std::string& what) const;

    std::string path_;
    uint64_t size_ = 0;  ///< Bytes of the file; 0 of a pipe.
    uint64_t frames_ = 0;
    uint64_t frames_cut_ = 0;
    bool nanoseconds_ = false;
    std::unique_ptr<pcap_t, Close> capture_;
};

/// Writes a pcap file with the times it is given.
class CaptureWriter {
public:
    /// Throws SetupError when the file can not be written.
    CaptureWriter(const std::string& path, bool nanoseconds);
    CaptureWriter(const CaptureWriter&) = delete;
    CaptureWriter& operator=(const CaptureWriter&) = delete;
    ~CaptureWriter();

    void write(const CapturedFrame& frame);
    /// Throws SetupError when something did not reach the disk.
    void close();

private:
    std::string path_;
    bool nanoseconds_;
    pcap_t* format_;
    pcap_dumper_t* file_ = nullptr;
};

}  // namespace portcullis::pipeline
