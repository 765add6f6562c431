'use strict';
// Reads minecraft-data: which protocol numbers there are, and what each one's
// states, directions, packets and types look like, known faults corrected.

const fs = require('fs');
const path = require('path');

const directions = ['toServer', 'toClient'];

/// Protocol numbers that the package does not have but that speak another's tables.
/// 1.9.1 shipped with the ids and layouts of the release after it, 1.14.2 of the one before.
const sameAs = { 108: 109, 485: 480 };

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
    return [...releases.values()].filter((r) => r.number >= 5).map(correct)
        .sort((a, b) => a.number - b.number);
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

/// What is wrong in the package, made right in one place.  Each line has a test in
/// lib/protocol/minecraft/tables_test.cc.
function correct(release) {
    const protocol = structuredClone(release.protocol);
    const play = (direction) => protocol.play[direction].types;
    const fieldsOf = (direction, packet) => play(direction)[`packet_${packet}`][1];

    // The two ids stand exchanged; ViaVersion's enum and the 770 client agree on these.
    if (release.number === 770) {
        const mapper = play('toServer').packet[1].find((f) => f.name === 'name').type[1].mappings;
        mapper['0x3c'] = 'spectate';
        mapper['0x3d'] = 'test_instance_block_action';
    }
    // 1.7 sends feet first, then the head; the package names them the other way round.
    if (release.number === 5) {
        for (const packet of ['position', 'position_look']) {
            const fields = fieldsOf('toServer', packet);
            fields[1] = { name: 'y', type: 'f64' };
            fields[2] = { name: 'stance', type: 'f64' };
        }
    }
    // Bits since 761, of attributes and of metadata; the package says bool up to 765.
    if (release.number >= 761 && release.number <= 765) {
        fieldsOf('toClient', 'respawn').find((f) => f.name === 'copyMetadata').type = 'u8';
    }
    // A VarInt in every release since 767; one release of the package says i8.
    if (release.number === 774) {
        fieldsOf('toServer', 'enchant_item')[1] = { name: 'enchantment', type: 'varint' };
    }
    // The signed 64 bits of every release before; from here on the package says varint.
    if (release.number >= 759) {
        fieldsOf('toServer', 'update_structure_block').find((f) => f.name === 'seed').type = 'varlong';
    }
    // The NBT, or a lone end tag, is in a buffer of its own.
    const click = protocol.types.packet_common_custom_click_action;
    if (click) {
        click[1][1] = { name: 'payload', type: ['buffer', { countType: 'varint', most: 65536 }] };
    }
    // A server takes any negative item, or count below one, for an empty slot.
    for (const [type, field, key, limit] of [['slot', 'blockId', '-1', 0], ['slot', 'itemId', '-1', 0],
        ['Slot', 'itemCount', '0', 1], ['UntrustedSlot', 'itemCount', '0', 1]]) {
        const choice = protocol.types[type]?.[1][1]?.type?.[1];
        if (choice?.compareTo !== field || choice.fields[key] !== 'void') continue;
        choice.fields = { [`<${limit}`]: 'void' };
    }
    // Attribute numbers of the packet's own list are out of date from 767 on: the
    // registry's order in attributes.json holds (see generate.js), so no names here.
    return { ...release, protocol };
}

module.exports = { directions, packageRoot, loadReleases, packetsOf };
