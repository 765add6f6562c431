#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <sstream>
#include <tuple>

#include "config/schema.h"

namespace portcullis::config {

namespace {

template <class Items>
std::vector<std::string> names_of(const Items& items) {
    std::vector<std::string> names;
    for (const auto& item : items) names.push_back(item.name);
    return names;
}

/// A name that refers to one of `names`, or a problem.
void must_exist(const std::string& what, const std::string& name,
                const std::vector<std::string>& names, Mark mark, Problems& problems) {
    if (name.empty() || std::ranges::find(names, name) != names.end()) return;
    const std::string allowed = names.empty() ? "none is configured" : alternatives(names);
    problems.add(mark, what + " " + in_quotes(name) + " does not exist" + suggestion(name, names) +
                           "; allowed: " + allowed);
}

/// What a device is, however it is written: `name` of a PCI address or vdev, and `interface`
/// of the kernel's that it sits on.
struct Device {
    std::string name, interface;
};

Device device_of(const std::string& written) {
    Device device;
    std::istringstream parts(written);
    std::getline(parts, device.name, ',');
    for (std::string part; std::getline(parts, part, ',');) {
        if (part.starts_with("iface=")) device.interface = part.substr(6);
    }
    if (!device.name.contains(':')) return device;
    std::ranges::transform(device.name, device.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    // "3b:00.0" is in the first domain.
    if (std::ranges::count(device.name, ':') == 1) device.name.insert(0, "0000:");
    return device;
}

void check_wires(const Config& config, Problems& problems) {
    std::map<std::string, std::string> names, devices, interfaces;
    for (const Wire& wire : config.wires) {
        if (!names.emplace(wire.name, wire.name).second) {
            problems.add(wire.outside.mark, "wire " + in_quotes(wire.name) +
                                                " is there twice; give each its own name");
        }
        for (const Port* port : {&wire.outside, &wire.inside}) {
            const Device device = device_of(port->device);
            const auto once = [&](auto& known, const std::string& name, const std::string& what) {
                const auto [first, is_new] = known.emplace(name, wire.name);
                if (is_new || name.empty()) return;
                problems.add(port->mark,
                             what + " " + in_quotes(name) + " is already a port of wire " +
                                 in_quotes(first->second) + "; a port belongs to one wire");
            };
            once(devices, device.name, "device");
            once(interfaces, device.interface, "interface");
        }
    }
}

/// A key that does nothing for the service's protocol is a mistake.
void check_protocol(const Service& service, Problems& problems) {
    const Service fresh;
    const auto only_for = [&](bool given, const std::string& key, protocol::Protocol its) {
        if (!given || service.protocol == its) return;
        problems.add(service.mark, "service " + in_quotes(service.name) + " has " + key +
                                       ", which only " +
                                       std::string(name_in(protocol::protocol_names, its)) +
                                       " services have; leave it out");
    };
    constexpr auto shadowland = protocol::Protocol::shadowland;
    only_for(service.aoi != fresh.aoi, "aoi", shadowland);
    only_for(service.unknown_types != fresh.unknown_types, "unknown_types", shadowland);
    only_for(service.reseal, "reseal", shadowland);
    only_for(!service.cookie_secret_file.empty(), "cookie_secret_file", shadowland);
    only_for(!service.integrity_secret_file.empty(), "integrity_secret_file", shadowland);
}

/// What is said of proxies in front must be able to mean something.
void check_in_front(const Service& service, Problems& problems) {
    const auto complain = [&](const std::string& what) {
        problems.add(service.mark, "service " + in_quotes(service.name) + " " + what);
    };
    const bool forwards = service.forwarding != Forwarding::none;
    const bool expects = forwards || service.proxy_protocol;
    const bool translates = service.translates == Translates::yes;
    const bool named = !service.proxies.empty();
    if ((expects || named || translates || service.floodgate || service.vivecraft) &&
        service.protocol != protocol::Protocol::minecraft) {
        complain(
            "has proxy_protocol, forwarding, proxies, translates, floodgate or vivecraft, which "
            "only Minecraft knows");
    }
    if (!service.forwarding_secret_file.empty() && !forwards) {
        complain(
            "has a forwarding_secret_file and no forwarding; allowed with: bungeecord or "
            "velocity");
    }
}

void check_services(const Config& config, Problems& problems) {
    const std::vector<std::string> policies = names_of(config.policies);
    std::map<std::string, bool> names;
    std::map<std::tuple<protocol::Protocol, Endpoint>, std::string> endpoints;
    for (const Service& service : config.services) {
        if (!names.emplace(service.name, true).second && !service.name.empty()) {
            problems.add(service.mark, "service " + in_quotes(service.name) +
                                           " is there twice; give each its own name");
        }
        const auto [first, is_new] =
            endpoints.emplace(std::tuple(service.protocol, service.endpoint), service.name);
        if (!is_new && service.endpoint.port != 0) {
            problems.add(service.mark, "service " + in_quotes(service.name) + " has the address " +
                                           to_string(service.endpoint) + " of service " +
                                           in_quotes(first->second));
        }
        must_exist("policy", service.policy, policies, service.mark, problems);
        check_protocol(service, problems);
        check_in_front(service, problems);
    }
}

void check_maps(const Config& config, Problems& problems) {
    /// Positions may lie an eighth of a section outside, and are 16 bits wide.
    constexpr double outside = 1.125, steps_max = 32'767, quadrants_max = 65'536;
    std::map<uint32_t, bool> ids;
    for (const Shadowland::Map& map : config.shadowland.maps) {
        const std::string what = "map " + std::to_string(map.id);
        if (!ids.emplace(map.id, true).second) {
            problems.add(map.mark, what + " is there twice; give each its own id");
        }
        double quadrants = 1;
        for (size_t axis = 0; axis < 3; ++axis) {
            quadrants *= double(map.quadrants(axis));
            if (map.step <= 0 || map.section[axis] * outside / map.step <= steps_max) continue;
            problems.add(map.mark, what +
                                       " has a section of more than 29126 steps, which no "
                                       "position can say; give a larger step");
        }
        if (quadrants > quadrants_max) {
            problems.add(map.mark, what +
                                       " has more than 65536 sections, which no position can "
                                       "name");
        }
        for (const Shadowland::Wall& wall : map.walls) {
            for (size_t axis = 0; axis < 3; ++axis) {
                if (wall.min[axis] < wall.max[axis]) continue;
                problems.add(wall.mark, what + " has a wall whose min is not below its max");
                break;
            }
        }
    }
}

void check_policies(const Config& config, Problems& problems) {
    std::map<std::string, bool> names;
    for (const Policy& policy : config.policies) {
        if (!names.emplace(policy.name, true).second) {
            problems.add(policy.mark, "policy " + in_quotes(policy.name) + " is given twice");
        }
        const std::string where = "policies." + policy.name + ".ladder";
        if (policy.ladder.empty()) {
            problems.add(policy.mark, where + " is empty; give at least one rung");
        }
        for (size_t i = 1; i < policy.ladder.size(); ++i) {
            const Rung& below = policy.ladder[i - 1];
            const Rung& rung = policy.ladder[i];
            const std::string at = where + '[' + std::to_string(i) + ']';
            if (rung.level <= below.level) {
                problems.add(policy.mark, at + ".level does not rise above the rung before");
            }
            if (rung.action < below.action) {
                problems.add(policy.mark,
                             at + ".action " +
                                 in_quotes(name_in(policy::action_names, rung.action)) +
                                 " is milder than " +
                                 in_quotes(name_in(policy::action_names, below.action)) +
                                 " on the rung before");
            }
        }
    }
}

/// Two listeners can not share a socket, nor anything else its path.
void check_paths(const Config& config, Problems& problems) {
    std::map<std::string, std::string> known;
    const std::pair<const char*, const std::string&> paths[] = {
        {"admin.socket", config.admin_socket},
        {"keys.socket", config.keys_socket},
        {"verdict_log.path", config.verdict_log.path},
    };
    for (const auto& [key, path] : paths) {
        if (path.empty()) continue;
        const auto plain = std::filesystem::path(path).lexically_normal().string();
        const auto [first, is_new] = known.emplace(plain, key);
        if (is_new) continue;
        problems.add({}, std::string(key) + " is " + in_quotes(path) + ", as " + first->second +
                             " is; give each its own path");
    }
}

void check_rcon(const Config& config, Problems& problems) {
    const std::vector<std::string> services = names_of(config.services);
    std::map<std::string, bool> seen;
    for (const Rcon& rcon : config.rcon) {
        must_exist("service", rcon.service, services, rcon.mark, problems);
        if (rcon.endpoint.address == IpAddress{} && rcon.endpoint.port != 0) {
            problems.add(rcon.mark, "rcon address \"any\" can not be connected to");
        }
        if (!seen.emplace(rcon.service, true).second && !rcon.service.empty()) {
            problems.add(rcon.mark, "service " + in_quotes(rcon.service) + " has an rcon already");
        }
    }
}

}  // namespace

void check_across(const Config& config, Problems& problems) {
    check_wires(config, problems);
    check_services(config, problems);
    check_maps(config, problems);
    check_policies(config, problems);
    check_rcon(config, problems);
    check_paths(config, problems);
}

}  // namespace portcullis::config
