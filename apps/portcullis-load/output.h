#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/side.h"
#include "base/time.h"

namespace CLI {
class App;
}

namespace portcullis::load {

/// A capture of the same settings is the same each time, so it begins at a moment of its own.
inline constexpr Nanos fixed_begin(1'795'000'000'000'000'000);

/// Where the frames go: into a capture file with the times they say, or out of one
/// or two DPDK ports when their time has come.
class Output {
public:
    struct Options {
        std::string pcap;
        std::string outside, inside;  ///< Devices: toward the appliance's ports of these names.
        std::string driver;           ///< Empty: as the device's name says.
        bool as_fast_as_possible = false;

        void declare(CLI::App& command);
    };
    struct Figures {
        std::array<uint64_t, 2> sent{};      ///< By the side it came from.
        std::array<uint64_t, 2> received{};  ///< By the side it came out of.
        uint64_t bytes = 0;
        uint64_t refused = 0;  ///< That the port did not take, though asked for long.
        Nanos late{};          ///< How far behind its time the latest was.
    };

    virtual ~Output() = default;
    /// Of the side that sends it; `time` never goes back.
    virtual void send(Side from, Nanos time, Bytes frame) = 0;
    /// After the last one.
    virtual void finish() = 0;

    const Figures& figures() const noexcept { return figures_; }

    /// Throws UsageError when the options name no place or two, SetupError when it can
    /// not be opened.
    static std::unique_ptr<Output> open(const Options& options);

protected:
    Figures figures_;
};

}  // namespace portcullis::load
