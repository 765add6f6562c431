'use strict';
// Writes what was compiled as C++: packets.h (names), slots.h (fields the decoder
// reads) and tables.cc (ids and field programs of every protocol number).

const width = 100;

/// Items after each other in lines of at most `width` columns.
function wrapped(items, indent = '    ') {
    const lines = [];
    let line = indent;
    for (const item of items) {
        if (line.length + item.length + 2 > width && line.trim()) {
            lines.push(line.trimEnd());
            line = indent;
        }
        line += `${item}, `;
    }
    if (line.trim()) lines.push(line.trimEnd());
    return `${lines.join('\n')}\n`;
}

const keywords = new Set(['default', 'enum', 'float', 'int', 'long', 'new', 'operator', 'switch', 'char',
    'class', 'delete', 'double', 'for', 'if', 'else', 'register', 'signed', 'union', 'public', 'private',
    'protected', 'this', 'true', 'false', 'void', 'short', 'bool', 'case', 'do', 'export', 'import',
    'template', 'using', 'volatile', 'while', 'static', 'return', 'namespace', 'goto', 'friend', 'none']);

/// The empty name is that of an array's members.
function identifier(text) {
    if (text === '') return 'none';
    return keywords.has(text) ? `${text}_` : text;
}

const head = (version) =>
    `// Made by tools/protocol/generate.js from minecraft-data ${version}; do not edit.\n`;

function packetsHeader(names, version) {
    return `${head(version)}#pragma once

#include <cstdint>
#include <string_view>

#include "base/names.h"

namespace portcullis::minecraft {

/// Every game packet of every version, under minecraft-data's name.  One name may
/// stand in several states and both directions.
enum class Packet : uint8_t {
${wrapped(names)}    unknown,
    count
};
inline constexpr NameTable<Packet> packet_names = {
${wrapped([...names, 'unknown'].map((n) => `"${n}"`))}};
static_assert(complete(packet_names));

constexpr std::string_view packet_name(Packet packet) noexcept {
    return name_in(packet_names, packet);
}

}  // namespace portcullis::minecraft
`;
}

function slotsHeader(slots, version) {
    return `${head(version)}#pragma once

#include <cstdint>

namespace portcullis::minecraft {

/// Where a field program leaves the values that the decoder asks for, or that a later
/// field depends on.  Named after the field's path: "velocity_x" is x in velocity.
enum class Slot : uint8_t {
    none,
${wrapped(slots)}    count
};

}  // namespace portcullis::minecraft
`;
}

class TablesWriter {
    constructor(model) {
        this.model = model;
        this.names = new Map([['', 0]]);  // Field name → index.
        this.parts = [];          // Members of bit fields and flags.
        this.opLines = [];
        this.opCount = 0;
    }

    name(text) {
        if (!this.names.has(text)) this.names.set(text, this.names.size);
        return `N::${identifier(text)}`;
    }

    slot(text) {
        return text ? `S::${text}` : 'S::none';
    }

    addParts(parts) {
        const lines = parts.map((p) => (p
            ? `{${this.name(p.name)}, ${this.slot(p.slot)}, ${p.size ?? 1}, ${!!p.signed}}`
            : '{N::none}'));
        const key = lines.join();
        const known = this.parts.findIndex((p) => p.key === key);
        if (known >= 0) return this.parts[known].first;
        const first = this.parts.reduce((n, p) => n + p.lines.length, 0);
        this.parts.push({ key, first, lines });
        return first;
    }

    op(op) {
        const members = op.parts ?? op.flags;
        const words = [
            `C::${op.op}`, this.name(op.name), this.slot(op.slot), `H::${op.how ?? 'none'}`,
            members ? members.length : op.size ?? 0,
            members ? this.addParts(members) : op.argSlot ? `at(${this.slot(op.argSlot)})` : op.arg ?? 0,
        ];
        const usual = ['', 'N::none', 'S::none', 'H::none', 0, 0];
        while (words.length > 1 && words.at(-1) === usual[words.length - 1]) words.pop();
        return `{${words.join(', ')}}`;
    }

    program(program) {
        const { packet, state, direction, numbers } = program;
        this.opLines.push(`    // ${packet}, ${state} ${direction}, ${numbers}`);
        this.opLines.push(wrapped(program.ops.map((op) => this.op(op))).trimEnd());
        const first = this.opCount;
        this.opCount += program.ops.length;
        return `{${first}, ${program.ops.length}, ${program.complete}}`;
    }

    text() {
        const { rows, versions, attributes, version } = this.model;
        const programs = this.model.programs.map((p) => this.program(p));
        const ops = this.opLines.filter((l) => l).join('\n');
        const rowText = rows.map((r, i) =>
            `// ${r.state} ${r.direction}, ${r.numbers}\nconstexpr Row rows_${i}[] = {\n` +
            `${wrapped(r.rows.map(([name, program]) => `{P::${name}, ${program}}`))}};\n`).join('');
        const attributeText = attributes.map((a, i) => `// ${a.numbers}\nconstexpr A attributes_${i}[] = {\n` +
            `${wrapped(a.list.map((n) => `A::${n}`))}};\n`).join('');
        const rowName = (r) => (r < 0 ? '{}' : `rows_${r}`);
        const versionText = versions.map((v) => {
            const pairs = v.rows.map((pair) => `{{${pair.map(rowName).join(', ')}}}`);
            const list = v.attributes < 0 ? '{}' : `attributes_${v.attributes}`;
            return `    {${v.number}, ${v.player}, ${v.pose}, ${v.living}, ${list},\n` +
                `     {{${pairs.join(', ')}}}},\n`;
        }).join('');
        return `${head(version)}#include "protocol/minecraft/tables.h"

#include <algorithm>
#include <array>

namespace portcullis::minecraft {

namespace {

using A = protocol::Attribute;
using C = Op::Code;
using H = Op::How;
using P = Packet;
using S = Slot;

consteval int32_t at(Slot slot) { return static_cast<int32_t>(slot); }

// clang-format off
enum N : uint16_t {
${wrapped([...this.names.keys()].map(identifier))}};

constexpr std::string_view names[] = {
${wrapped([...this.names.keys()].map((n) => `"${n}"`))}};

constexpr Part part_list[] = {
${wrapped(this.parts.flatMap((p) => p.lines))}};

constexpr Op op_list[] = {
${ops}
};

constexpr Program program_list[] = {
${wrapped(programs)}};

${rowText}
${attributeText}
constexpr Tables table_list[] = {
${versionText}};
// clang-format on

}  // namespace

std::span<const std::string_view> field_names() noexcept { return names; }
std::span<const Part> parts() noexcept { return part_list; }
std::span<const Op> ops() noexcept { return op_list; }
std::span<const Program> programs() noexcept { return program_list; }
std::span<const Tables> all_tables() noexcept { return table_list; }

}  // namespace portcullis::minecraft
`;
    }
}

module.exports = { packetsHeader, slotsHeader, TablesWriter };
