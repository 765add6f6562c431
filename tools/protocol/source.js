'use strict';
// Reads minecraft-data: which protocol numbers there are, and what each one's
// states, directions, packets and types look like, known faults corrected.

const fs = require('fs');
const path = require('path');

const directions = ['toServer', 'toClient'];

/// Protocol numbers that the package does not have but that speak another's tables.
/// 1.9.1 and 1.14.2 shipped with the ids and layouts of the release before them.
const sameAs = { 108: 107, 485: 480 };

function packageRoot() {
    try {
        return path.join(path.dirname(require.resolve('minecraft-data/package.json')),
                         'minecraft-data', 'data');
    } catch {
        return null;
    }
}

function readJson(...parts) {
    return JSON.parse(fs.readFileSync(path.join(...parts)));
}

/// Snapshots and pre-releases are not on anybody's server for long.
function isRelease(version) {
    return /^\d+\.\d+(\.\d+)?$/.test(version);
}

/// {number, name, protocol, attributes} of every release protocol, oldest first.
function loadReleases(root) {
    const paths = readJson(root, 'dataPaths.json').pc;
    const releases = new Map();
    for (const [version, files] of Object.entries(paths)) {
        if (!isRelease(version) || !files.protocol || !files.version) continue;
        const number = readJson(root, files.version, 'version.json').version;
        if (releases.has(number)) continue;
        const release = {
            number, version,
            protocol: readJson(root, files.protocol, 'protocol.json'),
            attributes: files.attributes ? readJson(root, files.attributes, 'attributes.json') : [],
            effects: files.effects ? readJson(root, files.effects, 'effects.json') : [],
            entities: files.entities ? readJson(root, files.entities, 'entities.json') : [],
        };
        releases.set(number, release);
    }
    for (const [number, like] of Object.entries(sameAs)) {
        releases.set(Number(number), { ...releases.get(like), number: Number(number) });
    }
    return [...releases.values()].filter((r) => r.number >= 5).sort((a, b) => a.number - b.number);
}

/// {id → name} and {name → parameter type} of one state and direction.
function packetsOf(protocol, state, direction) {
    const types = protocol[state]?.[direction]?.types;
    if (!types?.packet) return { ids: new Map(), types: new Map() };
    const fields = types.packet[1];
    const mapper = fields.find((f) => f.name === 'name').type[1].mappings;
    const params = fields.find((f) => f.name === 'params').type[1].fields;
    const ids = new Map();
    const found = new Map();
    for (const [id, name] of Object.entries(mapper)) {
        ids.set(Number(id), name);
        found.set(name, params[name]);
    }
    return { ids, types: found };
}

module.exports = { directions, packageRoot, loadReleases, packetsOf };
