#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stages/evidence/capture.h"
#include "verdicts/json.h"

/// A Capture as a file: pcapng that everybody's tools read, with what `replay`
/// needs in blocks that they skip.
///
/// The section's comment tells people who it is about and how he stood, each
/// packet that a verdict came from has that verdict as its comment.  A Snapshot
/// stands before the packets that follow from it.
namespace portcullis::evidence {

/// Makes enciphered packets readable, in place, and forgets the key: no key is
/// ever written to a disk.  Sums are made to match.  Minecraft's become plain,
/// Shadowland's are sealed with a key that is no secret (`reseal.h`).
void decipher(stages::Capture& capture);

/// What the operator had said, and a Snapshot has no room for.
struct Said {
    /// Of which file of signatures an id is (`config::signatures_id`); empty: not known any
    /// more.
    std::function<std::string(uint64_t id)> signatures;
    std::string shadowland;  ///< That section of the configuration: maps.
};
/// For a configuration that was in force all the time.
Said said_in(const config::Config& config);
/// Its section of Shadowland, as YAML.
std::string shadowland_section(const config::Config& config);

/// After `decipher`.  The operator's signatures that were in force go along, for a verdict
/// by them comes out of a replay only where they are.
std::string written(const stages::Capture& capture, const verdicts::Names& names, const Said& said);

/// What a file holds.
class File {
public:
    /// Throws SetupError: no such file, no evidence, damaged, another build's.
    explicit File(const std::string& path);

    const std::string& path() const noexcept { return path_; }
    const stages::Capture& capture() const noexcept { return *capture_; }
    /// Those that were in force while `part` was recorded.  Throws SetupError when they
    /// are not in the file.
    std::string_view signatures(const stages::CapturePart& part) const;
    /// As `Said::shadowland`; empty in evidence of another game.
    const std::string& shadowland() const noexcept { return shadowland_; }

private:
    void take_own(Bytes block);
    void take_head(Bytes head);
    void take_signatures(Bytes raw);
    [[noreturn]] void refuse(const std::string& why) const;

    std::string path_;
    std::vector<std::vector<std::byte>> rooms_;
    std::unique_ptr<stages::Capture> capture_ = std::make_unique<stages::Capture>();
    std::map<uint64_t, std::string> signatures_;  ///< By `config::signatures_id`.
    std::string shadowland_;
    bool has_head_ = false;
    size_t parts_ = 0;
};

/// Whether a file begins as evidence does; for tools that read any capture.
bool is_evidence(const std::string& path);

}  // namespace portcullis::evidence
