#include "protocol/minecraft/component.h"

#include "base/reader.h"
#include "base/writer.h"

namespace portcullis::minecraft {

namespace {

bool is_words(std::string_view key) noexcept { return key == "text" || key == "translate"; }

std::string_view view_of(const Writer& out) noexcept { return as_text(out.written()); }

/// Copies `text` without the old two-character colour codes that start with "§".
void add_plain(Writer& out, std::string_view text) noexcept {
    constexpr std::string_view section = "\xc2\xa7";
    while (!text.empty()) {
        const size_t at = std::min(text.find(section), text.size());
        out.text(text.substr(0, at));
        text.remove_prefix(std::min(text.size(), at == text.size() ? at : at + 3));
    }
}

/// Reads a JSON string that starts after its opening quote; escapes that stand for one
/// ASCII character are resolved, others left out.
class JsonScanner {
public:
    explicit JsonScanner(std::string_view in) noexcept : in_(in) {}

    void words(Writer& out) noexcept {
        std::string_view key;
        bool after_colon = false;
        // A bare string, or strings in an array, are words themselves.
        while (at_ < in_.size()) {
            const char c = in_[at_++];
            if (c == ':') after_colon = true;
            if (c == ',' || c == '{' || c == '[') {
                if (c != ',') key = {};
                after_colon = false;
            }
            if (c != '"') continue;
            const std::string_view raw = string();
            if (is_key()) {
                key = raw;
            } else if (!after_colon || is_words(key)) {
                unescaped(out, raw);
            }
        }
    }

private:
    std::string_view string() noexcept {
        const size_t from = at_;
        while (at_ < in_.size() && in_[at_] != '"') at_ += in_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_, in_.size());
        const std::string_view raw = in_.substr(from, at_ - from);
        if (at_ < in_.size()) ++at_;
        return raw;
    }
    bool is_key() const noexcept {
        const size_t next = in_.find_first_not_of(" \t\r\n", at_);
        return next != std::string_view::npos && in_[next] == ':';
    }
    static void unescaped(Writer& out, std::string_view raw) noexcept {
        size_t from = 0;
        for (size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] != '\\') continue;
            add_plain(out, raw.substr(from, i - from));
            const char c = i + 1 < raw.size() ? raw[i + 1] : '"';
            if (c == 'n') out.u8(' ');
            if (c == '"' || c == '\\' || c == '/') out.u8(static_cast<uint8_t>(c));
            i += c == 'u' ? 5 : 1;
            from = i + 1;
        }
        if (from < raw.size()) add_plain(out, raw.substr(from));
    }

    std::string_view in_;
    size_t at_ = 0;
};

constexpr uint8_t nbt_string = 8;

}  // namespace

std::string_view plain_text_of_json(std::string_view json, MutableBytes out) noexcept {
    Writer writer(out);
    JsonScanner(json).words(writer);
    return view_of(writer);
}

std::string_view plain_text_of_nbt(Bytes nbt, MutableBytes out) noexcept {
    Writer writer(out);
    Reader in(nbt);
    if (in.u8() == nbt_string) {
        add_plain(writer, as_text(in.bytes(in.u16())));
        return view_of(writer);
    }
    // Whatever it nests in, a text is a string tag under the name "text" or "translate":
    // 08, the name's size, the name, the text's size, the text.
    for (size_t at = 1; at + 3 < nbt.size(); ++at) {
        if (static_cast<uint8_t>(nbt[at]) != nbt_string) continue;
        Reader tag(nbt.subspan(at + 1));
        const std::string_view name = as_text(tag.bytes(tag.u16()));
        const std::string_view text = as_text(tag.bytes(tag.u16()));
        if (!tag.ok() || !is_words(name)) continue;
        add_plain(writer, text);
        at += tag.position();
    }
    return view_of(writer);
}

}  // namespace portcullis::minecraft
