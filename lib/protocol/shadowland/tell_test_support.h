#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/hex.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/describe.h"
#include "protocol/shadowland/payload.h"

/// Messages as JSON, as the wire document and its oracles write them.
namespace portcullis::shadowland {

using nlohmann::json;

inline std::string to_hex(Bytes bytes) {
    std::string text;
    append_hex(text, bytes);
    return text;
}

inline std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(
            static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

inline Key key_from_hex(std::string_view text) {
    Key key{};
    std::ranges::copy(from_hex(text), key.begin());
    return key;
}

class JsonTeller final : public protocol::FieldVisitor {
public:
    JsonTeller() { open_.push_back(json::object()); }
    json take() { return open_.front(); }

    void field(std::string_view name, const protocol::FieldValue& value) override {
        put(name, std::visit(
                      [](const auto& v) -> json {
                          using V = std::remove_cvref_t<decltype(v)>;
                          // What a double does not hold, oracles write as text.
                          constexpr uint64_t exact_max = (uint64_t{1} << 53) - 1;
                          if constexpr (std::is_same_v<V, Bytes>) {
                              return to_hex(v);
                          } else if constexpr (std::is_same_v<V, uint64_t>) {
                              if (v > exact_max) return std::to_string(v);
                              return v;
                          } else if constexpr (std::is_same_v<V, protocol::BlockPosition> ||
                                               std::is_same_v<V, protocol::Uuid>) {
                              return nullptr;  // Only Minecraft's messages have them.
                          } else {
                              return v;
                          }
                      },
                      value));
    }
    void open(std::string_view name, bool array) override {
        names_.emplace_back(name);
        open_.push_back(array ? json::array() : json::object());
    }
    void close() override {
        json inner = open_.back();
        open_.pop_back();
        const std::string name = names_.back();
        names_.pop_back();
        put(name, std::move(inner));
    }

private:
    void put(std::string_view name, json value) {
        if (open_.back().is_array()) {
            open_.back().push_back(std::move(value));
        } else {
            open_.back()[std::string(name)] = std::move(value);
        }
    }
    std::vector<json> open_;
    std::vector<std::string> names_;
};

/// A payload's messages in the oracle's shape, put into `out`.
class PayloadTeller {
public:
    PayloadTeller(Direction direction, bool control) : direction_(direction), control_(control) {}

    template <class M>
    void on(const M& message) {
        JsonTeller teller;
        describe(message, direction_, teller);
        json told = teller.take();
        told["type"] = M::name;
        if (control_) {
            out["control"] = told;
        } else {
            out["messages"].push_back(told);
        }
    }
    void on_form(Form form) { out["form"] = name_in(form_names, form); }
    void on_broken(Error error) {
        out["messages"].push_back({{"error", name_in(error_names, error)}});
    }

    json out = json::object();

private:
    Direction direction_;
    bool control_;
};

}  // namespace portcullis::shadowland
