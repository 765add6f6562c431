#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/inline_text.h"
#include "base/ip.h"
#include "base/time.h"
#include "checks/all.h"
#include "checks/check.h"
#include "config/config.h"
#include "config/problems.h"
#include "policy/source_limits.h"
#include "protocol/event.h"
#include "records/action.h"
#include "signatures/rule_book.h"
#include "signatures/scanner.h"

namespace portcullis::policy {

using MinecraftSet = checks::CheckSet<checks::MinecraftChecks>;
using ShadowlandSet =
    checks::CheckSet<checks::ShadowlandChecks, shadowland::Player, checks::NameIds>;

/// Whom a Finding is about, as far as exemptions ask.  Views: told, not kept.
struct Subject {
    std::string_view name;
    protocol::Uuid uuid{};
    IpAddress address;  ///< The player's own, as a believed proxy told it, else the client's.
    int32_t version = 0;
};

/// One entry of `policies:` made ready for Workers: what each check is set to,
/// when a Finding counts, what follows at which level, and who is spared.
/// Read-only once compiled.
class Policy {
public:
    static constexpr size_t reason_size_max = 127;

    /// With problems it is fit for nothing but finding the next ones.
    Policy(const config::Policy& from, config::Problems& problems, uint32_t workers = 1);

    const std::string& name() const noexcept { return name_; }
    const MinecraftSet::Settings& minecraft() const noexcept { return minecraft_; }
    const ShadowlandSet::Settings& shadowland() const noexcept { return shadowland_; }
    /// Gives the checks that read texts what they scan with; it must outlive this.
    /// `signatures`: which ones the book is of (`config::signatures_id`).
    void attach(signatures::Scanners& scanners, signatures::RuleBook& book,
                uint64_t signatures) noexcept;
    uint64_t signatures() const noexcept { return signatures_; }

    float act_at_confidence() const noexcept { return act_at_confidence_; }
    Nanos block_for() const noexcept { return block_for_; }
    /// One Worker's share.
    const SourceLimits& source_limits() const noexcept { return source_limits_; }

    /// The highest rung that the level reaches; `log` below the lowest.
    Action action_at(float level) const noexcept;
    struct Rung {
        float level;
        Action action;
    };
    /// Lowest first.
    std::span<const Rung> ladder() const noexcept { return ladder_; }
    /// Names count letter by letter: where servers do not check accounts, who calls himself
    /// `alice` is another than `Alice`, and would be spared in her name.
    bool exempts(const Subject& subject) const noexcept;
    /// The checks whose very first finding may be acted on so or more gravely.
    const MinecraftSet::Which& at_once(Action action) const noexcept {
        return at_once_[static_cast<size_t>(action)];
    }
    const ShadowlandSet::Which& shadowland_at_once(Action action) const noexcept {
        return shadowland_at_once_[static_cast<size_t>(action)];
    }
    /// What a kicked player reads.
    InlineText<reason_size_max> reason(std::string_view check,
                                       std::string_view player) const noexcept;

private:
    std::string name_;
    float act_at_confidence_;
    Nanos block_for_;
    std::vector<Rung> ladder_;
    std::vector<std::string> exempt_names_;  ///< Sorted.
    std::vector<protocol::Uuid> exempt_uuids_;
    std::vector<IpPrefix> exempt_addresses_;
    std::vector<int32_t> exempt_versions_;
    std::string kick_message_;
    SourceLimits source_limits_;
    std::array<MinecraftSet::Which, static_cast<size_t>(Action::count)> at_once_;
    std::array<ShadowlandSet::Which, static_cast<size_t>(Action::count)> shadowland_at_once_;
    uint64_t signatures_ = 0;
    MinecraftSet::Settings minecraft_;
    ShadowlandSet::Settings shadowland_;
};

}  // namespace portcullis::policy
