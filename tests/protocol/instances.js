'use strict'
// Makes random instances of a packet type of minecraft-data: the value that minecraft-protocol serialises, and beside
// it what the decoder must tell of its fields, token by token: ['(', name, array], ['=', name, kind, value], [')'].

const { snake } = require('../../tools/protocol/compile.js')
const { isUnread } = require('../../tools/protocol/kept.js')

const membersMax = 3
const depthMax = 12

/** This instance leads nowhere (a type that can not be made, too deep): another may not. */
class Retry extends Error {}

class Random {
  constructor (seed) { this.state = seed >>> 0 }
  bits () {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  below (n) { return this.bits() % n }
  from (list) { return list[this.below(list.length)] }
  chance () { return this.below(2) === 1 }
  /** Often an edge, often small. */
  signed (bits) {
    const most = 2n ** BigInt(bits - 1)
    const any = BigInt.asIntN(bits, (BigInt(this.bits()) << 32n) | BigInt(this.bits()))
    return this.from([0n, 1n, -1n, most - 1n, -most, BigInt(this.below(100)), any, any])
  }
  unsigned (bits) { return BigInt.asUintN(bits, this.signed(bits)) }
  real () { return this.from([0, 1.5, -3.25, 1e300, -1e-300, (this.bits() - 2 ** 31) / 1000, this.below(256)]) }
  bytes (n) { return Buffer.from(Array.from({ length: n }, () => this.below(256))) }
  text (most) {
    const letters = ['a', 'Z', '_', '7', ' ', 'ß', '€', '😀', '"', '\\', '/']
    return Array.from({ length: this.below(Math.min(most, 8)) }, () => this.from(letters)).join('')
  }
}

const integers = {
  i8: [8, true], u8: [8, false], i16: [16, true], u16: [16, false], i32: [32, true], u32: [32, false],
  varint: [32, true], optvarint: [32, true]
}

class Instance {
  constructor (types, packet, random) {
    this.types = types
    this.packet = packet
    this.random = random
    this.tokens = []
    this.cut = false // Behind here no layout is kept.
  }

  tell (...token) { if (!this.cut) this.tokens.push(token) }
  leaf (name, kind, value) { this.tell('=', snake(name), kind, value) }

  make (type, name, scope, args, depth) {
    if (depth > depthMax) throw new Retry('deep')
    if (type === 'void') return undefined
    if (typeof type === 'string') return this.plain(type, name, scope, args, depth)
    const [kind, arg] = type
    const build = this['make_' + kind]
    if (build) return build.call(this, arg, name, scope, args, depth)
    if (this.types[kind] && this.types[kind] !== 'native') return this.make(this.types[kind], name, scope, arg, depth + 1)
    throw new Retry(`type ${kind}`)
  }

  plain (type, name, scope, args, depth) {
    const r = this.random
    if (isUnread(type, this.packet)) this.cut = true
    if (integers[type]) {
      const [bits, signed] = integers[type]
      const small = scope.at(-1)?.small?.has(name)
      const value = small ? BigInt(r.below(membersMax + 1)) : signed ? r.signed(bits) : r.unsigned(bits)
      this.leaf(name, 'i', String(value))
      return Number(value)
    }
    switch (type) {
      case 'bool': { const v = r.chance(); this.leaf(name, 'b', v); return v }
      case 'i64': { const v = r.signed(64); this.leaf(name, 'i', String(v)); return v }
      case 'u64': { const v = r.unsigned(64); this.leaf(name, 'i', String(v)); return v }
      // The package writes no more than 32 bits of it.
      case 'varlong': { const v = r.unsigned(31); this.leaf(name, 'i', String(v)); return Number(v) }
      case 'f32': { const v = Math.fround(Math.max(-1e38, Math.min(1e38, r.real()))); this.leaf(name, 'f', v); return v }
      case 'f64': { const v = r.real(); this.leaf(name, 'f', v); return v }
      case 'string': return this.make_pstring({}, name)
      case 'UUID': { const v = r.bytes(16).toString('hex'); this.leaf(name, 'u', v); return v }
      case 'restBuffer': { const v = r.bytes(r.below(20)); this.leaf(name, 'x', v.toString('hex')); return v }
      case 'nbt': case 'optionalNbt': case 'anonymousNbt': case 'anonOptionalNbt': {
        const optional = type.toLowerCase().includes('optional')
        this.leaf(name, 'any', null)
        return optional && r.chance() ? undefined : this.nbt(type)
      }
      case 'compressedNbt': return r.chance() ? undefined : this.nbt('nbt')
      case 'lpVec3': return this.vector(name)
    }
    const resolved = this.types[type]
    if (!resolved || resolved === 'native') throw new Retry(`type ${type}`)
    return this.make(resolved, name, scope, args, depth + 1)
  }

  nbt (type) {
    const r = this.random
    return {
      type: 'compound',
      name: type.startsWith('anon') ? undefined : r.text(8),
      value: {
        byte: { type: 'byte', value: Number(r.signed(8)) },
        text: { type: 'string', value: r.text(8) },
        list: { type: 'list', value: { type: 'int', value: [1, 2, 3].slice(r.below(4)) } },
        longs: { type: 'longArray', value: [[1, 2]].slice(r.below(2)) },
        inner: { type: 'compound', value: { d: { type: 'double', value: r.real() } } }
      }
    }
  }

  /** Told as near as 15 bits and a whole scale can. */
  vector (name) {
    const r = this.random
    const most = r.from([0, 0.5, 3, 4, 100, 5000])
    const v = {}
    if (name) this.tell('(', snake(name), false)
    for (const part of ['x', 'y', 'z']) v[part] = (r.below(2001) / 1000 - 1) * most
    const scale = Math.ceil(Math.max(...Object.values(v).map(Math.abs)))
    const gone = Math.max(...Object.values(v).map(Math.abs)) < 3.051944088384301e-5
    for (const part of ['x', 'y', 'z']) this.leaf(part, 'near', gone ? [0, 0] : [v[part], scale / 16383 + 1e-9])
    if (name) this.tell(')')
    return v
  }

  make_pstring (arg, name) {
    const v = this.random.text(16)
    this.leaf(name, 's', v)
    return v
  }

  /** Told by its number. */
  make_mapper (arg, name, scope, args, depth) {
    const [number, own] = this.random.from(Object.entries(arg.mappings))
    if (!['string', 'pstring'].includes(arg.type?.[0] ?? arg.type)) this.leaf(name, 'i', String(Number(number)))
    else this.leaf(name, 's', number)
    return own
  }

  make_count (arg, name, scope, args, depth) { return this.make(arg.type, name, scope, args, depth) }

  make_container (fields, name, scope, args, depth) {
    const wrapped = scope.length > 0
    if (wrapped) this.tell('(', snake(name), false)
    const value = this.members(fields, scope, args, depth)
    if (wrapped) this.tell(')')
    return value
  }

  members (fields, scope, args, depth, value = {}) {
    const inner = [...scope, { value, small: countsIn(fields) }]
    for (const field of fields) {
      if (!field.anon) {
        const made = this.make(field.type, field.name, inner, args, depth + 1)
        if (made !== undefined) value[field.name] = made
        continue
      }
      const made = this.anonymous(field.type, inner, args, depth + 1)
      if (made !== null && typeof made === 'object') Object.assign(value, made)
    }
    return value
  }

  /** Its members belong to the container around it. */
  anonymous (type, scope, args, depth) {
    const resolved = typeof type === 'string' ? this.types[type] : type
    if (resolved?.[0] === 'container') return this.members(resolved[1], scope, args, depth)
    if (resolved?.[0] === 'switch') return this.make_switch(resolved[1], '', scope, args, depth, true)
    return this.make(type, '', scope, args, depth)
  }

  make_array (arg, name, scope, args, depth) {
    const fixed = typeof arg.count === 'number' ? arg.count
      : typeof arg.count === 'string' ? Number(this.lookUp(arg.count, scope)) : null
    const size = fixed ?? (depth > depthMax / 2 ? 0 : this.random.below(membersMax + 1))
    this.tell('(', snake(name), true)
    const list = []
    for (let i = 0; i < size; ++i) list.push(this.make(arg.type, '', scope, args, depth + 1))
    this.tell(')')
    return list
  }

  make_topBitSetTerminatedArray (arg, name, scope, args, depth) {
    throw new Retry('an array by top bits')
  }

  make_entityMetadataLoop (arg, name, scope, args, depth) {
    this.tell('(', snake(name), true)
    const list = []
    for (let i = this.random.below(membersMax + 1); i > 0; --i) {
      const before = this.tokens.length
      const item = this.make(arg.type, '', scope, args, depth + 1)
      // Up to 1.8 a byte holds type and key, and key 31 of type 3 is the end mark.
      if ([arg.endVal, 31].includes(item.key) || item.key < 0) throw new Retry('the end mark as a key')
      list.push(item)
      if (this.tokens.length === before) throw new Retry('an empty member')
    }
    this.tell(')')
    return list
  }

  make_buffer (arg, name, scope) {
    const size = typeof arg.count === 'number' ? arg.count
      : typeof arg.count === 'string' ? Number(this.lookUp(arg.count, scope)) : this.random.below(20)
    const v = this.random.bytes(size)
    this.leaf(name, 'x', v.toString('hex'))
    return v
  }

  make_option (arg, name, scope, args, depth) {
    if (depth > depthMax / 2 || this.random.chance()) return undefined
    return this.make(arg, name, scope, args, depth + 1)
  }

  make_registryEntryHolder (arg, name, scope, args, depth) {
    if (this.random.chance()) {
      const id = this.random.below(1000)
      this.leaf(arg.baseName, 'i', String(id))
      return { [arg.baseName]: id }
    }
    return { [arg.otherwise.name]: this.make(arg.otherwise.type, arg.otherwise.name, scope, args, depth + 1) }
  }

  make_bitflags (arg, name) {
    const v = {}
    for (const flag of arg.flags) {
      if (!flag) continue
      v[flag] = this.random.chance()
      this.leaf(flag, 'b', v[flag])
    }
    return v
  }

  make_bitfield (parts, name) {
    const v = {}
    for (const part of parts) {
      v[part.name] = Number(part.signed ? this.random.signed(part.size) : this.random.unsigned(part.size))
    }
    const shape = parts.map(p => `${p.name}${p.size}`).join(' ')
    if (shape === 'x26 z26 y12' || shape === 'x26 y12 z26') {
      this.leaf(name, 'p', [v.x, v.y, v.z])
      return v
    }
    if (name) this.tell('(', snake(name), false)
    for (const part of parts) this.leaf(part.name, 'i', String(v[part.name]))
    if (name) this.tell(')')
    return v
  }

  make_switch (arg, name, scope, args, depth, anonymous = false) {
    const to = arg.compareTo.startsWith('$') ? args[arg.compareTo.slice(1)] : arg.compareTo
    const held = String(this.lookUp(to, scope))
    const type = Object.hasOwn(arg.fields, held) ? arg.fields[held] : arg.default
    if (type === undefined) throw new Retry(`no case ${held}`)
    // Servers take lower numbers for no item too, and the package none but this one.
    const none = { blockId: '-1', itemId: '-1', itemCount: '0' }[to]
    if (arg.fields[none] === 'void' && Number(held) < Number(none)) throw new Retry('no item')
    return anonymous ? this.anonymous(type, scope, args, depth + 1) : this.make(type, name, scope, args, depth + 1)
  }

  lookUp (to, scope) {
    const steps = to.split('/')
    let level = scope.length - 1
    while (steps[0] === '..') {
      steps.shift()
      level -= 1
    }
    while (level >= 0 && !Object.hasOwn(scope[level].value, steps[0])) level -= 1
    if (level < 0) return undefined // An absent optional field.
    return steps.reduce((value, step) => value?.[step], scope[level].value)
  }
}

/** Fields that count others: they must be small. */
function countsIn (fields) {
  const found = new Set()
  const text = JSON.stringify(fields)
  for (const [, to] of text.matchAll(/"count":"([^"]+)"/g)) found.add(to.split('/').at(-1))
  return found
}

/** {params, tokens, cut}, or null when none could be made. */
function instanceOf (types, packet, type, random) {
  for (let tries = 0; tries < 60; ++tries) {
    const instance = new Instance(types, packet, random)
    try {
      const params = instance.make(type, '', [], {}, 0)
      return { params: params ?? {}, tokens: instance.tokens, cut: instance.cut }
    } catch (e) {
      if (!(e instanceof Retry)) throw e
    }
  }
  return null
}

module.exports = { instanceOf, Random }
