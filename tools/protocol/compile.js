'use strict';
// Turns minecraft-data's type descriptions into field programs: flat lists of
// operations that lib/protocol/minecraft/program.h runs over a packet's bytes.

const { isUnread, read, texts } = require('./kept.js');

function snake(name) {
    return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
        .toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '');
}

const scalars = {
    bool: 'boolean', i8: 'i8', u8: 'u8', i16: 'i16', u16: 'u16', i32: 'i32', u32: 'u32', i64: 'i64',
    u64: 'u64', f32: 'f32', f64: 'f64', varint: 'varint', varlong: 'varlong', optvarint: 'varint',
    UUID: 'uuid', restBuffer: 'rest', nbt: 'named_nbt',
    optionalNbt: 'optional_named_nbt', anonymousNbt: 'nbt', anonOptionalNbt: 'optional_nbt',
    compressedNbt: 'compressed_nbt',
};
const counts = { varint: 'varint', i8: 'u8', u8: 'u8', i16: 'i16', u16: 'i16', i32: 'i32', u32: 'i32' };

/// Thrown where a layout stops being kept.
class Unread extends Error {}

/// Compiles the packets of one protocol number, state and direction.
class Compiler {
    constructor(types, where) {
        this.types = types;
        this.where = where;      // {number, state, direction}
        this.compared = new Set();  // Paths that a switch or a count looks back at.
    }

    /// {ops, complete}: `complete` when the layout reaches the packet's end.
    packet(name, type) {
        this.name = name;
        this.compared = new Set();
        const ops = [];
        let complete = true;
        try {
            this.type(type, '', [], [], ops, {});
        } catch (e) {
            if (!(e instanceof Unread)) throw e;
            complete = false;
        }
        // A switch that ends the layout in one of its cases makes it incomplete only there.
        return { ops: ops.map((op) => this.named(op)), complete };
    }

    /// Gives an operation its slot when somebody asks for the value at its path.
    named(op) {
        const out = { ...op, name: snake(op.name ?? '') };
        const path = op.path ? snake(op.path) : '';
        delete out.path;
        if (path && (read.includes(path) || this.compared.has(path))) out.slot = path;
        if (out.flags) {
            out.flags = out.flags.map((flag) => {
                const flagPath = this.flagPath(op, flag);
                const kept = read.includes(flagPath) || this.compared.has(flagPath);
                return flag && { name: snake(flag), slot: kept ? flagPath : undefined };
            });
        }
        if (out.parts) {
            out.parts = out.parts.map((part) => {
                const partPath = snake(part.path);
                const kept = read.includes(partPath) || this.compared.has(partPath);
                return { name: part.name, size: part.size, signed: part.signed, slot: kept ? partPath : undefined };
            });
        }
        return out;
    }

    /// A movement packet's flags stand for themselves; others under their field's name.
    flagPath(op, flag) {
        if (!flag) return '';
        const own = snake(flag);
        return ['has_horizontal_collision', 'on_ground'].includes(own) || op.path === 'inputs'
            ? (op.path === 'inputs' ? `inputs_${own}` : own)
            : snake(`${op.path}_${flag}`);
    }

    type(type, name, path, scope, ops, args) {
        if (type === 'void') return;
        if (typeof type === 'string') return this.plain(type, name, path, scope, ops, args);
        const [kind, arg] = type;
        const build = this[`make_${kind}`];
        if (build) return build.call(this, arg, name, path, scope, ops, args);
        if (this.types[kind]) {  // A type with parameters: $compareTo and the like.
            return this.type(this.types[kind], name, path, scope, ops, arg);
        }
        throw new Error(`no rule for type ${kind}`);
    }

    plain(type, name, path, scope, ops, args) {
        if (isUnread(type, this.name)) throw new Unread();
        if (type === 'string') return this.make_pstring({ countType: 'varint' }, name, path, scope, ops);
        if (type === 'lpVec3') {
            const parts = ['x', 'y', 'z'].map((p) => ({ name: p, path: [...path, p].join('.') }));
            ops.push({ op: 'packed_vector', name, parts });
            return;
        }
        if (scalars[type]) {
            ops.push({ op: scalars[type], name, path: path.join('.') });
            return;
        }
        if (this.types[type] && this.types[type] !== 'native') {
            return this.type(this.types[type], name, path, scope, ops, args);
        }
        throw new Error(`unknown type ${type} in ${this.name}`);
    }

    make_pstring(arg, name, path, scope, ops) {
        const joined = path.join('.');
        const { number, state, direction } = this.where;
        const row = texts.find((t) => t[0] === state && t[1] === direction && t[2] === this.name &&
            t[3] === snake(joined) && number >= t[4] && number <= t[5]);
        ops.push({ op: 'string', how: counts[arg.countType], arg: row ? row[6] : 32767, name, path: joined });
    }

    make_mapper(arg, name, path, scope, ops, args) {
        this.type(arg.type, name, path, scope, ops, args);
    }

    make_count(arg, name, path, scope, ops, args) {
        this.type(arg.type, name, path, scope, ops, args);
    }

    make_container(fields, name, path, scope, ops, args) {
        const outermost = path.length === 0 && scope.length === 0;
        const body = name || (!outermost && name === '') ? [] : ops;
        const inner = [...scope, { fields, prefix: path }];
        try {
            for (const field of fields) {
                const own = field.anon ? '' : field.name;
                if (field.anon) {
                    this.anonymous(field.type, path, inner, body, args);
                } else {
                    this.type(field.type, own, [...path, own], inner, body, args);
                }
            }
        } finally {
            if (body !== ops) this.wrap({ op: 'open', name, path: path.join('.') }, body, ops);
        }
    }

    /// An anonymous field: its members belong to the container around it.
    anonymous(type, path, scope, ops, args) {
        const resolved = typeof type === 'string' ? this.types[type] : type;
        if (resolved?.[0] === 'container') {
            const inner = [...scope, { fields: resolved[1], prefix: path }];
            for (const field of resolved[1]) {
                this.type(field.type, field.name, [...path, field.name], inner, ops, args);
            }
        } else if (resolved?.[0] === 'switch') {
            this.make_switch(resolved[1], '', path, scope, ops, args, true);
        } else {
            this.type(type, '', path, scope, ops, args);
        }
    }

    /// Puts `body` behind `head`, which says how many operations it spans.
    wrap(head, body, ops) {
        ops.push({ ...head, size: body.length }, ...body);
    }

    /// Runs `build` into a body of its own; an unread type inside becomes a `stop`.
    body(build) {
        const ops = [];
        try {
            build(ops);
        } catch (e) {
            if (!(e instanceof Unread)) throw e;
            ops.push({ op: 'stop' });
        }
        return ops;
    }

    make_array(arg, name, path, scope, ops, args) {
        const head = { op: 'array', name, path: path.join('.') };
        if (arg.countType) {
            head.how = counts[arg.countType];
        } else if (typeof arg.count === 'number') {
            Object.assign(head, { how: 'fixed', arg: arg.count });
        } else {
            Object.assign(head, { how: 'slot', argSlot: this.lookBack(arg.count, scope).path });
        }
        this.wrap(head, this.body((b) => this.type(arg.type, '', path, scope, b, args)), ops);
    }

    make_buffer(arg, name, path, scope, ops) {
        const op = { op: 'bytes', name, path: path.join('.') };
        if (arg.countType) Object.assign(op, { how: counts[arg.countType], arg: arg.most ?? 0 });
        else if (typeof arg.count === 'number') Object.assign(op, { how: 'fixed', arg: arg.count });
        else Object.assign(op, { how: 'slot', argSlot: this.lookBack(arg.count, scope).path });
        ops.push(op);
    }

    make_option(arg, name, path, scope, ops, args) {
        this.wrap({ op: 'option' }, this.body((b) => this.type(arg, name, path, scope, b, args)), ops);
    }

    make_topBitSetTerminatedArray(arg, name, path, scope, ops, args) {
        const body = this.body((b) => this.type(arg.type ?? arg, '', path, scope, b, args));
        this.wrap({ op: 'top_bit_array', name, path: path.join('.') }, body, ops);
    }

    make_entityMetadataLoop(arg, name, path, scope, ops, args) {
        const body = this.body((b) => this.type(arg.type, '', path, scope, b, args));
        this.wrap({ op: 'until_byte', arg: arg.endVal, name, path: path.join('.') }, body, ops);
    }

    make_registryEntryHolder(arg, name, path, scope, ops, args) {
        const own = arg.otherwise.name;
        const body = this.body((b) => this.type(arg.otherwise.type, own, [...path, own], scope, b, args));
        this.wrap({ op: 'holder', name: arg.baseName, path: [...path, arg.baseName].join('.') }, body, ops);
    }

    make_registryEntryHolderSet() {
        throw new Unread();
    }

    make_bitflags(arg, name, path, scope, ops) {
        const list = Array.isArray(arg.flags) ? arg.flags : null;
        if (!list) throw new Error('bit flags without a list');
        ops.push({ op: 'flags', how: scalars[arg.type], name, path: path.join('.'), flags: list });
    }

    make_bitfield(parts, name, path, scope, ops) {
        const joined = path.join('.');
        const shape = parts.map((p) => `${p.name}${p.size}`).join(' ');
        if (shape === 'x26 z26 y12') return ops.push({ op: 'position', name, path: joined });
        if (shape === 'x26 y12 z26') return ops.push({ op: 'position_before_477', name, path: joined });
        ops.push({
            op: 'bits', name,
            parts: parts.map((p) => ({ name: snake(p.name), size: p.size, signed: !!p.signed,
                path: [...path, p.name].join('.') })),
        });
        return undefined;
    }

    make_switch(arg, name, path, scope, ops, args, anonymous = false) {
        const to = arg.compareTo.startsWith('$') ? args[arg.compareTo.slice(1)] : arg.compareTo;
        const looked = this.lookBack(to, scope);
        const cases = [];
        const emit = (head, type) => {
            const body = this.body((b) => (anonymous
                ? this.anonymous(type, path, scope, b, args) : this.type(type, name, path, scope, b, args)));
            cases.push({ ...head, size: body.length }, ...body);
        };
        for (const [key, type] of Object.entries(arg.fields)) {
            if (key.startsWith('<')) {
                emit({ op: 'when_below', arg: Number(key.slice(1)) }, type);
                continue;
            }
            const number = looked.number(key);
            if (number === null) throw new Unread();  // Compared with a text.
            emit({ op: 'when', arg: number }, type);
        }
        if (arg.default && arg.default !== 'void') emit({ op: 'otherwise' }, arg.default);
        ops.push({ op: 'match', argSlot: looked.path, size: cases.length }, ...cases);
    }

    /// The field that a switch or count names: its path, and how a case key becomes a number.
    lookBack(to, scope) {
        const steps = to.split('/');
        let level = scope.length - 1;
        while (steps[0] === '..') {
            steps.shift();
            level -= 1;
        }
        // What has no such field is an anonymous container: look further out.
        while (level >= 0 && !this.find(scope[level].fields, steps[0])) level -= 1;
        if (level < 0) throw new Error(`${this.name} compares with ${to}, which is nowhere`);
        const field = this.find(scope[level].fields, steps[0]);
        const full = snake([...scope[level].prefix, ...steps].join('.'));
        this.compared.add(full);
        return { path: full, number: this.caseNumber(field.type, steps) };
    }

    find(fields, own) {
        for (const field of fields) {
            if (field.name === own) return field;
            if (!field.anon) continue;
            const type = typeof field.type === 'string' ? this.types[field.type] : field.type;
            if (type?.[0] === 'container') {
                const found = this.find(type[1], own);
                if (found) return found;
            }
            if (type?.[0] === 'bitfield' && type[1].some((p) => p.name === own)) {
                return { name: own, type: 'varint' };
            }
        }
        return undefined;
    }

    caseNumber(type, steps) {
        const resolved = this.resolve(type);
        if (steps.length > 1) return (key) => (key === 'true' ? 1 : 0);
        if (resolved[0] === 'mapper') {
            const byName = new Map(Object.entries(resolved[1].mappings).map(([k, v]) => [v, Number(k)]));
            return (key) => (byName.has(key) ? byName.get(key) : Number.isNaN(Number(key)) ? null : Number(key));
        }
        return (key) => (key === 'true' ? 1 : key === 'false' ? 0 : Number.isNaN(Number(key)) ? null : Number(key));
    }

    resolve(type) {
        let t = type;
        while (typeof t === 'string' && this.types[t] && this.types[t] !== 'native') t = this.types[t];
        return Array.isArray(t) ? t : [t, {}];
    }
}

module.exports = { Compiler, snake };
