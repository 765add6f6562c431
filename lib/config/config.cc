#include "config/config.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/setup_error.h"
#include "config/schema.h"

namespace portcullis::config {

namespace {

constexpr size_t file_bytes_max = 4u << 20;

// An offline run reads captures on somebody's desk: less memory than a router's.
constexpr uint32_t offline_flows = 262'144;
constexpr uint32_t offline_players = 4'096;

}  // namespace

std::vector<Shadowland::Map> Shadowland::usual_maps() {
    Map first, second;
    first.id = 1;
    first.section = {25'600, 25'600, 6'400};
    first.sections_per_component = {4, 4, 1};
    first.components = {8, 8, 4};
    first.ground = 1'000;
    first.walls = {{{412'000, 400'000, 0}, {412'200, 420'000, 3'000}, {}}};
    second.id = 2;
    second.section = {12'800, 12'800, 3'200};
    second.sections_per_component = {2, 2, 1};
    second.components = {4, 4, 2};
    second.step = 0.5;
    second.ground = 500;
    return {first, second};
}

namespace {

void add_default_policy(Config& config) {
    const auto is_default = [](const Policy& p) { return p.name == "default"; };
    if (std::ranges::any_of(config.policies, is_default)) return;
    Policy policy;
    policy.name = "default";
    config.policies.insert(config.policies.begin(), std::move(policy));
}

Service anywhere(protocol::Protocol protocol, uint16_t port) {
    Service service;
    service.name = name_in(protocol::protocol_names, protocol);
    service.protocol = protocol;
    service.endpoint.port = port;
    return service;
}

/// What the parser says of a tab hardly names it, and may come lines later.
std::optional<Mark> indenting_tab(const std::string& text) {
    std::istringstream lines(text);
    int number = 1;
    for (std::string line; std::getline(lines, line); ++number) {
        const size_t end = line.find_first_not_of(" \t");
        const size_t tab = line.substr(0, end).find('\t');
        if (end != std::string::npos && tab != std::string::npos) {
            return Mark{number, static_cast<int>(tab) + 1};
        }
    }
    return std::nullopt;
}

void add_yaml_fault(const YAML::Exception& error, const std::string& text, Problems& problems) {
    if (const auto tab = indenting_tab(text); tab && tab->line <= error.mark.line + 1) {
        return problems.add(*tab, "indented by a tab, which YAML does not allow; use spaces");
    }
    // The parser's sentences name things as YAML does; the place is said by us.
    problems.add({error.mark.line + 1, error.mark.column + 1}, "not YAML: " + error.msg);
}

/// Reads the one document of a file by its rows.
template <class T>
void read_document(const Rows<T>& rows, T& out, const std::string& text, const std::string& wants,
                   Problems& problems) {
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text);
        const Place top{"", {1, 1}, problems};
        if (documents.size() != 1 || documents[0].IsNull()) {
            problems.add({1, 1}, documents.size() > 1
                                     ? "the file holds several YAML documents; one is allowed"
                                     : "the file is empty; give " + wants);
        } else {
            read_map(rows, out, documents[0], top);
        }
    } catch (const YAML::Exception& error) {
        add_yaml_fault(error, text, problems);
    }
}

std::string read_file(const std::string& path, const std::string& what) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        throw UsageError(path + ": is a directory; give " + what);
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) throw UsageError(path + ": can not be read: " + std::strerror(errno));
    // One byte more than may be, for there are files without an end.
    std::string text(file_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    if (text.size() > file_bytes_max) {
        throw UsageError(path + ": has over " + std::to_string(file_bytes_max >> 20) +
                         " MiB; that is not " + what);
    }
    return text;
}

}  // namespace

Config parse(const std::string& text, const std::string& name) {
    Config config;
    config.file = name;
    Problems problems(name);
    read_document(schema(), config, text, "at least wires and services", problems);
    add_default_policy(config);
    check_across(config, problems);
    problems.throw_if_any();
    return config;
}

Config load(const std::string& path) {
    Config config = parse(read_file(path, "a configuration file"), path);
    if (!config.signatures_file.empty()) {
        config.signatures_text = read_file(config.signatures_file, "a file of signatures");
        config.signatures = parse_signatures(config.signatures_text, config.signatures_file);
    }
    return config;
}

/// FNV-1a, of 64 bits: nobody gains by making two of them alike.
uint64_t signatures_id(std::string_view text) noexcept {
    if (text.empty()) return 0;
    uint64_t id = 0xcbf29ce484222325;
    for (const char c : text) id = (id ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    return id == 0 ? 1 : id;
}

std::vector<Signature> parse_signatures(const std::string& text, const std::string& name) {
    SignatureFile file;
    Problems problems(name);
    read_document(signature_schema(), file, text, "a list under signatures:", problems);
    std::set<std::string> names;
    for (const Signature& signature : file.signatures) {
        if (names.insert(signature.name).second || signature.name.empty()) continue;
        problems.add(signature.mark, "signature " + in_quotes(signature.name) +
                                         " is there twice; give each its own name");
    }
    problems.throw_if_any();
    return std::move(file.signatures);
}

std::vector<Section> written(const Config& config) {
    std::vector<Section> sections;
    for (const Row<Config>& row : schema()) {
        const YAML::Node node = row.write(config);
        if (node.IsNull()) continue;
        YAML::Node map(YAML::NodeType::Map);
        map[row.info.key] = node;
        sections.push_back({row.info.key, YAML::Dump(map) + '\n'});
    }
    return sections;
}

Config offline(const std::vector<Service>& services) {
    Config config;
    config.services = services;
    if (services.empty()) {
        config.services = {anywhere(protocol::Protocol::minecraft, 25565),
                           anywhere(protocol::Protocol::shadowland, 3565)};
    }
    config.limits.flows = offline_flows;
    config.limits.players = offline_players;
    config.verdict_log.evidence.players = 0;
    config.metrics.reset();
    config.admin_socket.clear();
    add_default_policy(config);
    Problems problems("--service");
    check_across(config, problems);
    problems.throw_if_any();
    return config;
}

Service parse_service(const std::string& text) {
    const auto names = words(protocol::protocol_names);
    const size_t at = text.find('@');
    const auto protocol = value_in<protocol::Protocol>(protocol::protocol_names,
                                                       std::string_view(text).substr(0, at));
    auto endpoint = at == std::string::npos ? std::nullopt
                                            : parse_endpoint(std::string_view(text).substr(at + 1));
    if (!protocol || !endpoint || endpoint->port == 0) {
        throw UsageError("--service " + in_quotes(text) +
                         "; allowed: PROTOCOL@ADDRESS:PORT, where PROTOCOL is " +
                         alternatives(names));
    }
    if (endpoint->address == IpAddress::v4(0)) endpoint->address = IpAddress{};
    Service service;
    service.name = text;
    service.protocol = *protocol;
    service.endpoint = *endpoint;
    return service;
}

}  // namespace portcullis::config
