#include "config/schema.h"

namespace portcullis::config {

namespace {

constexpr const char* preface =
    "# Configuration\n"
    "\n"
    "One YAML file, read by `portcullis run`, `inspect --config` and `check`, and again on\n"
    "`portcullis ctl reload` or SIGHUP. Unknown keys are refused, every problem is named as\n"
    "`file:line:column: what was given; allowed: what may be`, and `portcullis check FILE` says "
    "so\n"
    "without touching anything. A whole example is `deploy/portcullis.yaml`.\n"
    "\n"
    "This page is made from the rows that read the file (`lib/config/schema.cc`):\n"
    "`ninja -C build configuration-docs` writes it again, and a test compares the two.\n"
    "\n"
    "What is live changes when the file is read again; of all else `reload` says what differs,\n"
    "and keeps the old value until the appliance is started anew. Services stay in number, order\n"
    "and names; each takes what is live from its namesake in the new file.\n";

constexpr const char* about_signatures =
    "\n## The file of signatures\n"
    "\n"
    "What `signatures` names: patterns of your own, compiled at the start and on every reload. A "
    "text\n"
    "that one is found in is a finding of the check `exploit.signature`, whose evidence names the "
    "pattern\n"
    "and the field. `portcullis check FILE` tries the patterns as well; an example is\n"
    "`deploy/signatures.yaml`.\n";

void write_rows(const std::vector<RowInfo>& rows, const std::string& under, std::string& out);

std::string cell(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

void write_table(const std::vector<RowInfo>& rows, std::string& out) {
    out += "\n| key | allowed | default | live | meaning |\n|---|---|---|---|---|\n";
    for (const RowInfo& row : rows) {
        const std::string initial = row.required ? "required" : cell(row.initial);
        out += "| `" + row.key + "` | " + row.allowed + " | " + initial +
               (row.live ? " | yes | " : " |  | ") + row.help + " |\n";
    }
}

void write_rows(const std::vector<RowInfo>& rows, const std::string& under, std::string& out) {
    write_table(rows, out);
    for (const RowInfo& row : rows) {
        if (row.inner.empty()) continue;
        std::string path = under.empty() ? row.key : under + '.' + row.key;
        if (row.allowed.starts_with("a list")) path += "[]";
        if (row.allowed.starts_with("a map from")) path += ".NAME";
        out += "\n## `" + path + "`\n\n" + row.help + "\n";
        write_rows(row.inner, path, out);
    }
}

}  // namespace

std::string documentation() {
    std::string out = preface;
    write_rows(infos(schema()), "", out);
    out += about_signatures;
    write_rows(infos(signature_schema()), "", out);
    return out;
}

}  // namespace portcullis::config
