#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "verdicts/reader.h"

namespace portcullis::chaos {

/// What became of everything that a verdict log's verdicts asked for.
class Account {
public:
    void take(const verdicts::Reader& reader, const verdicts::Entry& entry) {
        using policy::Action;
        if (entry.record.kind != verdicts::VerdictRecord::Kind::verdict) return;
        ++verdicts_;
        if (entry.record.action < Action::alert) return;
        if (entry.record.action >= Action::kick) ++kicks_;
        std::array<bool, verdicts::target_names.size()> told{};
        for (const verdicts::Outcome& outcome : reader.outcomes(entry.id())) {
            const auto target = static_cast<size_t>(outcome.target);
            told[target] = true;
            ++ended_[target][static_cast<size_t>(outcome.result)];
        }
        if (!told[static_cast<size_t>(verdicts::Target::webhook)]) ++without_webhook_;
        if (entry.record.action < Action::kick) return;
        if (!told[static_cast<size_t>(verdicts::Target::rcon)]) ++without_rcon_;
        if (!told[static_cast<size_t>(verdicts::Target::wire)]) ++without_wire_;
    }

    std::string json() const {
        std::string out = "{\"event\":\"account\"";
        const auto member = [&](const std::string& name, uint64_t value) {
            out += ",\"" + name + "\":" + std::to_string(value);
        };
        member("verdicts", verdicts_);
        member("kicks", kicks_);
        member("without_webhook", without_webhook_);
        member("without_rcon", without_rcon_);
        member("without_wire", without_wire_);
        for (size_t target = 0; target < ended_.size(); ++target) {
            for (size_t result = 0; result < ended_[target].size(); ++result) {
                member(std::string(verdicts::target_names[target]) + '_' +
                           std::string(verdicts::result_names[result]),
                       ended_[target][result]);
            }
        }
        return out + '}';
    }

private:
    using Counts = std::array<uint64_t, verdicts::result_names.size()>;
    uint64_t verdicts_ = 0, kicks_ = 0;
    uint64_t without_webhook_ = 0, without_rcon_ = 0, without_wire_ = 0;
    std::array<Counts, verdicts::target_names.size()> ended_{};
};

/// Of the verdicts on one service; on all if it has no name.
inline std::string account_of(const std::string& log, const std::string& service) {
    const verdicts::Reader reader(log);
    Account account;
    reader.each({.verdicts_only = true}, [&](const verdicts::Entry& entry) {
        if (service.empty() || entry.service == service) account.take(reader, entry);
        return true;
    });
    return account.json();
}

}  // namespace portcullis::chaos
