#!/usr/bin/env node
'use strict';
// Makes lib/protocol/minecraft/{packets.h,slots.h,tables.cc} from minecraft-data.
//
//   node tools/protocol/generate.js           writes them
//   node tools/protocol/generate.js --check   says whether they are what it would write
//   node tools/protocol/generate.js --ids     prints all packet ids as JSON
//
// Exit code 77: the npm package is not installed (npm ci in tools/protocol).

const fs = require('fs');
const path = require('path');
const { directions, packageRoot, loadReleases, packetsOf } = require('./source.js');
const { Compiler } = require('./compile.js');
const { packetsHeader, slotsHeader, TablesWriter } = require('./emit.js');
const kept = require('./kept.js');

const states = ['handshaking', 'status', 'login', 'configuration', 'play'];
const noProgram = 65535;
const legacyPing = 'legacy_server_list_ping';  // Not framed: the decoder knows it by its first byte.
const outputFolder = path.join(__dirname, '..', '..', 'lib', 'protocol', 'minecraft');

/// protocol::Attribute by the registry's name, prefixes and "minecraft:" left out.
const attributeNames = new Set([
    'movement_speed', 'jump_strength', 'gravity', 'step_height', 'scale', 'safe_fall_distance',
    'block_interaction_range', 'entity_interaction_range', 'block_break_speed', 'mining_efficiency',
    'sneaking_speed', 'movement_efficiency', 'water_movement_efficiency', 'flying_speed',
]);

function attributeEnum(resource) {
    const bare = resource.replace(/^minecraft:/, '').replace(/^(generic|player|zombie)\./, '');
    return attributeNames.has(bare) ? bare : 'other';
}

/// Registry numbers → names; from 766 on the wire has numbers instead of texts.
function attributesOf(release) {
    if (release.number < 766) return null;
    if (release.number > 766) return release.attributes.map((a) => attributeEnum(a.resource));
    const text = JSON.stringify(release.protocol.play.toClient.types.packet_entity_update_attributes);
    const mapper = JSON.parse(text.match(/\\?"mappings\\?":(\{[^}]*\})/)[1]);
    return Object.values(mapper).map(attributeEnum);
}

/// Where in a player's metadata the pose and the living entity's flags stand.
function metadataKeys(release) {
    const pose = release.number >= 477 ? 6 : 255;
    const living = release.number >= 755 ? 8 : release.number >= 477 ? 7 : release.number >= 393 ? 6 : 255;
    return { pose, living };
}

/// Numbers as "47..340, 393".
function ranges(numbers, allNumbers) {
    const out = [];
    for (const n of numbers) {
        const last = out[out.length - 1];
        if (last && allNumbers.indexOf(n) === allNumbers.indexOf(last[1]) + 1) last[1] = n;
        else out.push([n, n]);
    }
    return out.map(([a, b]) => (a === b ? `${a}` : `${a}..${b}`)).join(', ');
}

/// Everything that is written, as data.
function build(root) {
    const releases = loadReleases(root);
    const numbers = releases.map((r) => r.number);
    const names = new Set([legacyPing]);
    const slots = new Set();
    const programs = new Map();
    const rowSets = new Map();
    const attributeSets = new Map();
    const remember = (map, key, make, number) => {
        if (!map.has(key)) map.set(key, { ...make(), index: map.size, at: new Set() });
        map.get(key).at.add(number);
        return map.get(key).index;
    };
    const noteSlots = (ops) => ops.forEach((op) => {
        [op.slot, op.argSlot, ...(op.parts ?? op.flags ?? []).map((p) => p?.slot)]
            .forEach((s) => s && slots.add(s));
    });

    const versions = releases.map((release) => {
        const rows = states.map((state) => directions.map((direction) => {
            const { ids, types } = packetsOf(release.protocol, state, direction);
            ids.forEach((name, id) => name === legacyPing && ids.delete(id));
            if (ids.size === 0) return -1;
            const compiler = new Compiler(
                { ...release.protocol.types, ...release.protocol[state][direction].types },
                { number: release.number, state, direction });
            const wanted = kept.packets[state][direction];
            const table = [];
            for (const [id, name] of [...ids].sort((a, b) => a[0] - b[0])) {
                names.add(name);
                while (table.length < id) table.push(['unknown', noProgram]);
                if (wanted && !wanted.includes(name)) {
                    table.push([name, noProgram]);
                    continue;
                }
                const compiled = compiler.packet(name, types.get(name));
                noteSlots(compiled.ops);
                table.push([name, remember(programs, JSON.stringify([name, state, direction, compiled]),
                    () => ({ ...compiled, packet: name, state, direction }), release.number)]);
            }
            return remember(rowSets, JSON.stringify([state, direction, table]),
                () => ({ rows: table, state, direction }), release.number);
        }));
        const list = attributesOf(release);
        const player = release.number >= 764 ? release.entities.find((e) => e.name === 'player').id : -1;
        return {
            number: release.number, rows, player, ...metadataKeys(release),
            attributes: list ? remember(attributeSets, JSON.stringify(list), () => ({ list }), release.number) : -1,
        };
    });
    const finish = (map) => [...map.values()].map((m) => ({ ...m, numbers: ranges([...m.at], numbers) }));
    return {
        version: require('./package.json').dependencies['minecraft-data'],
        names: [...names].sort(), slots: [...slots].sort(), versions,
        programs: finish(programs), rows: finish(rowSets), attributes: finish(attributeSets),
    };
}

/// {protocol: {state: {direction: {name: id}}}}, for comparing with other sources.
function allIds(root) {
    const out = {};
    for (const release of loadReleases(root)) {
        out[release.number] = {};
        for (const state of states) {
            const of = (direction) => Object.fromEntries(
                [...packetsOf(release.protocol, state, direction).ids].map(([id, name]) => [name, id]));
            out[release.number][state] = { serverbound: of('toServer'), clientbound: of('toClient') };
        }
    }
    return out;
}

function main() {
    const root = packageRoot();
    if (!root) {
        console.error('minecraft-data is not installed: run `npm ci` in tools/protocol');
        process.exit(77);
    }
    if (process.argv.includes('--ids')) {
        console.log(JSON.stringify(allIds(root)));
        return;
    }
    const model = build(root);
    const files = {
        'packets.h': packetsHeader(model.names, model.version),
        'slots.h': slotsHeader(model.slots, model.version),
        'tables.cc': new TablesWriter(model).text(),
    };
    let differences = 0;
    for (const [name, text] of Object.entries(files)) {
        const file = path.join(outputFolder, name);
        if (!process.argv.includes('--check')) {
            fs.writeFileSync(file, text);
        } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
            console.error(`${name} is not what tools/protocol/generate.js makes: run it`);
            differences += 1;
        }
    }
    process.exit(differences ? 1 : 0);
}

main();
