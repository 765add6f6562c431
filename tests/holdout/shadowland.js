// Records Shadowland sessions in virtual time: the peer's own server and clients, over a network that this
// process makes up and captures beside the server.
//
//   node shadowland.js PEERS OUT SEED NAME|--list
//
// Writes OUT/NAME-SEED.pcap, .keys.json, .oracle.jsonl.gz and .entry.json, of the form that tests/replay/shadowland.py
// reads.  The same seed gives the same bytes.

const clock = require('./clock')
const { Capture, randomly } = require('./line')
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const zlib = require('zlib')
const { EventEmitter } = require('events')

const SERVER = { address: '10.88.0.2', port: 3565 }
const CLIENTS = '10.88.0.1'

/// What is random in keys, nonces and ids follows from the seed.
function seedEverything (seed) {
  const random = randomly(seed * 2654435761 + 1)
  const bytes = size => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)))
  const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
  Math.random = random
  crypto.randomBytes = bytes
  crypto.randomInt = below => Math.floor(random() * below)
  crypto.generateKeyPairSync = () =>
    ({ privateKey: crypto.createPrivateKey({ key: Buffer.concat([pkcs8, bytes(32)]), format: 'der', type: 'pkcs8' }) })
}

/// UDP without loss between the capture and the server; a client's own bad line lies before its socket.
class Network {
  constructor (firstPort) { Object.assign(this, { sockets: new Map(), capture: new Capture(), nextPort: firstPort, sent: [] }) }
  createSocket () { return new Socket(this) }
  carry (from, to, bytes) {
    this.capture.saw(clock.now(), frame(from, to, bytes))
    this.sent.push({ at: clock.now(), from, to, bytes })
    clock.at(clock.now() + 0.05, () => {
      const socket = this.sockets.get(`${to.address}|${to.port}`)
      if (socket) socket.emit('message', bytes, { address: from.address, port: from.port })
    })
  }
}

class Socket extends EventEmitter {
  constructor (network) { super(); this.network = network }
  bind (port = 0, address = CLIENTS, done = () => {}) {
    if (typeof address !== 'string') address = CLIENTS
    this.self = { address, port: port || this.network.nextPort++ }
    this.network.sockets.set(`${address}|${this.self.port}`, this)
    queueMicrotask(done)
    return this
  }

  address () { return this.self }
  setRecvBufferSize () {}
  setSendBufferSize () {}
  send (bytes, port, address) {
    if (!this.self) this.bind()
    this.network.carry(this.self, { address, port }, Buffer.from(bytes))
  }

  close () { if (this.self) this.network.sockets.delete(`${this.self.address}|${this.self.port}`) }
}

function sum16 (...buffers) {
  let sum = 0
  for (const b of buffers) for (let i = 0; i < b.length; i += 2) sum += b[i] << 8 | (b[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function frame (from, to, bytes) {
  const b = Buffer.alloc(42 + bytes.length)
  b.write('0200000000020200000000010800', 'hex')
  b[14] = 0x45
  b.writeUInt16BE(28 + bytes.length, 16)
  b.writeUInt16BE(0x4000, 20)
  b[22] = 64; b[23] = 17
  Buffer.from(from.address.split('.').map(Number)).copy(b, 26)
  Buffer.from(to.address.split('.').map(Number)).copy(b, 30)
  b.writeUInt16BE(sum16(b.subarray(14, 34)), 24)
  b.writeUInt16BE(from.port, 34)
  b.writeUInt16BE(to.port, 36)
  b.writeUInt16BE(8 + bytes.length, 38)
  bytes.copy(b, 42)
  const pseudo = Buffer.from([0, 17, (8 + bytes.length) >> 8, (8 + bytes.length) & 255])
  b.writeUInt16BE(sum16(b.subarray(26, 34), pseudo, b.subarray(34)) || 0xffff, 40)
  return b
}

const ENTITIES = [
  { type: 7, name: 'Sword', position: [409200, 409300, 1000] }, { type: 5, name: 'Hut', position: [415000, 405000, 1000] },
  { type: 2, name: 'Wolf', position: [409100, 409050, 1000] }, { type: 2, name: 'Bear', position: [411000, 409000, 1000] },
  { type: 2, name: 'Dragon', position: [419000, 409000, 1000] }, { type: 1, name: 'Guard', position: [409000, 409600, 1000], patrol: { speed: 300, radius: 400 } }
]
const LINES = {
  clean: undefined,
  bad: { loss: 0.05, delay: 40, jitter: 20, duplicate: 0.02, reorder: 0.03 },
  storm: { loss: 0.15, delay: 60, jitter: 60, duplicate: 0.05, reorder: 0.08 },
  far: { delay: 180, jitter: 80, loss: 0.02, reorder: 0.02 },
  stall: { delay: 25, jitter: 5, stall: [5000, 1600] },
  dead: { delay: 40, loss: 0.01, stall: [17000, 7000] }
}
const SLASHES = [{ at: 1500, every: 650, action: 1, target: 'Wolf' }]
const BLINKS = [{ at: 2000, every: 10400, action: 3, point: [900, 300, 0] }]
const MIXED = [{ at: 2500, every: 3100, action: 2, target: 'Bear' }, { at: 3000, every: 5100, action: 4, target: 'Wolf' }]

/// Six honest players that do different things, on one kind of line.  Whom the server moves away from all targets
/// stops acting.
function honest (line, encrypted, server = {}, acting = true) {
  const people = [
    { name: 'Alice', hz: 20 }, { name: 'Bob', behaviour: 'jump', hz: 30 }, { name: 'Carol', behaviour: 'idle', actions: SLASHES, hz: 20 },
    { name: 'Dave', hz: 60, actions: BLINKS, nop: true }, { name: 'Erin', behaviour: 'idle', actions: MIXED, hz: 20, pong_message: true },
    { name: 'Frank', hz: 10, quantised: false, behaviour: 'jump' }
  ]
  return {
    expected: [], encrypted, seconds: 35,
    server: { naive: false, delta_sync: true, integrity_ms: 4000, rekey_ms: 12000, spawns: [[409000, 409000]], ...server },
    clients: people.map((p, k) => ({ ...p, actions: acting ? p.actions : undefined, line: LINES[line], options: k % 2 ? 6 : 2, compress: k % 3 === 0 }))
  }
}

/// One attacker, and an honest player beside.
///
/// `doubted`: what he is found by is only written down, for an honest one on a bad line may look the same; `keys` where
/// that is so with keys and without, `no keys` where only without.
const attack = (name, expected, { encrypted = false, seconds = 7, server = {}, line, alone = false, doubted, ...attacker } = {}) => ({
  expected: [expected].flat(), encrypted, seconds, server, doubted,
  clients: [{ name: 'Mallory', attack: name, hz: 20, line: LINES[line], ...attacker }, ...(alone ? [] : [{ name: 'Alice', hz: 20, line: LINES.bad }])]
})
const sealed = { encrypted: true }
const bench = { benchmark: { every: 400, size: 300, channel: 1 } }

const SCENES = {
  ...Object.fromEntries(Object.keys(LINES).flatMap(line => [[`honest-${line}`, honest(line, false)], [`honest-${line}-sealed`, honest(line, true)]])),
  'honest-slowed': honest('bad', true, { slowed: true, compress: true, benchmark: { every: 900, size: 9000, channel: 1 } }),
  'honest-moved': honest('storm', false, { teleport_ms: 4000 }, false),
  'honest-moved-far': honest('far', true, { teleport_ms: 4000, naive: true }, false),
  'honest-map2': honest('bad', false, { map: 2, spawns: [[51200, 51200]], entities: [{ type: 2, name: 'Wolf', position: [51300, 51250, 500] }, { type: 2, name: 'Bear', position: [52400, 51200, 500] }] }),
  speed: attack('speed', 'movement.speed', { with: { factor: 1.15 } }),
  'speed-sealed-bad': attack('speed', 'movement.speed', { ...sealed, with: { factor: 1.4 }, line: 'bad' }),
  'speed-60hz': attack('speed', 'movement.speed', { hz: 60, with: { factor: 1.25 }, quantised: false }),
  'speed-between-blinks': attack('speed', 'movement.speed', { ...sealed, with: { factor: 1.3, to: 9000 }, actions: BLINKS, line: 'bad', seconds: 12, server: { naive: false } }),
  'fly-high': attack('fly', 'movement.fly', { with: { height: 400 } }),
  'fly-sealed-bad': attack('fly', 'movement.fly', { ...sealed, with: { height: 40 }, line: 'bad' }),
  rise: attack('rise', 'movement.fly', {}),
  'rise-sealed': attack('rise', 'movement.fly', { ...sealed, hz: 10 }),
  'teleport-sealed-storm': attack('teleport', 'movement.teleport', { ...sealed, line: 'storm' }),
  'timer-sealed': attack('timer', 'movement.timer', { ...sealed, with: { factor: 1.3, to: 6000 }, seconds: 8 }),
  clip: attack('clip', 'movement.clip', { server: { spawns: [[411000, 409000]] }, seconds: 6 }),
  'clip-sealed': attack('clip', 'movement.clip', { ...sealed, server: { spawns: [[411000, 409000]] }, hz: 30, seconds: 6 }),
  'cooldown-bad': attack('cooldown', 'action.cooldown', { behaviour: 'idle', line: 'bad' }),
  'range-sealed': attack('range', 'action.range', { ...sealed, behaviour: 'idle', with: { to: 6500 }, seconds: 8 }),
  'blink-range': attack('blinkrange', 'action.range', { behaviour: 'idle' }),
  'state-stunned': attack('state', 'action.state', { behaviour: 'idle', server: { stunned: true } }),
  'state-stunned-sealed': attack('state', 'action.state', { ...sealed, behaviour: 'idle', server: { stunned: true } }),
  'state-forged': attack('stateforged', 'state.forged', {}),
  'state-forged-sealed': attack('stateforged', 'state.forged', sealed),
  'replay-plain': attack('replay', 'replay.window', {}),
  'replay-sealed-bad': attack('replay', 'replay.window', { ...sealed, line: 'bad' }),
  'sequence-jump': attack('sequencejump', 'replay.window', {}),
  'sequence-jump-sealed': attack('sequencejump', 'replay.window', { ...sealed, doubted: 'no keys' }),
  'fragments-flood-sealed': attack('fragflood', 'fragments.flood', { ...sealed, with: { to: 4000 } }),
  'fragments-overlap-sealed': attack('fragoverlap', 'fragments.overlap', sealed),
  'fragments-timeout-sealed': attack('fragtimeout', 'fragments.timeout', { ...sealed, seconds: 16, hz: 5 }),
  'fragments-bounds': attack('fragbounds', 'fragments.invalid', {}),
  'fragments-bounds-sealed': attack('fragbounds', 'fragments.invalid', sealed),
  'header-sealed': attack('header', 'header.invalid', sealed),
  'cookie-stolen': attack('cookiestolen', 'cookie.forged', {}),
  'cookie-forged-sealed': attack('cookieforged', 'cookie.forged', sealed),
  'cookie-expired-sealed': attack('cookieexpired', 'cookie.expired', { ...sealed, seconds: 14, alone: true }),
  'handshake-flood-sealed': attack('handshakeflood', 'handshake.flood', { ...sealed, with: { subnet: '10.88.7' } }),
  'bomb-sealed': attack('bomb', 'compression.bomb', sealed),
  'lz4-broken': attack('badlz4', ['compression.bomb', 'compression.malformed'], {}),
  'lz4-broken-sealed': attack('badlz4', ['compression.bomb', 'compression.malformed'], sealed),
  'tag-forged': attack('forged', 'crypto.forged', sealed),
  downgrade: attack('downgrade', 'crypto.downgrade', sealed),
  'integrity-wrong-sealed': attack('integritywrong', 'integrity.failed', { ...sealed, server: { integrity_ms: 1500 } }),
  'integrity-silent': attack('integritysilent', 'integrity.failed', { doubted: 'keys', server: { integrity_ms: 1500 }, seconds: 9 }),
  'integrity-silent-sealed': attack('integritysilent', 'integrity.failed', { ...sealed, doubted: 'keys', server: { integrity_ms: 1500 }, seconds: 9 }),
  'heartbeat-missing-sealed': attack('heartbeatmissing', 'heartbeat.missing', { ...sealed, seconds: 19, hz: 5 }),
  'heartbeat-forged': attack('heartbeatforged', 'heartbeat.forged', {}),
  'heartbeat-forged-late': attack('heartbeatforged', 'heartbeat.forged', { ...sealed, server: { heartbeat: [500, 15000] }, with: { from: 12000, to: 15000 }, seconds: 17 }),
  'ack-unsent-sealed': attack('ackunsent', 'reliable.abuse', sealed),
  'no-ack-sealed': attack('noack', 'reliable.abuse', { ...sealed, server: bench, seconds: 8 }),
  'reliable-gap': attack('reliablegap', 'reliable.abuse', {}),
  'reliable-gap-sealed': attack('reliablegap', 'reliable.abuse', sealed),
  'rate-flood-sealed': attack('rateflood', 'rate.flood', sealed),
  'malformed-sealed': attack('malformed', 'message.malformed', sealed),
  'direction-sealed': attack('direction', 'message.direction', sealed),
  hijack: attack('hijack', 'session.hijack', {}),
  'hijack-sealed': attack('hijack', 'session.hijack', sealed),
  'rekey-unasked': attack('rekeyinvalid', 'rekey.invalid', { ...sealed, line: 'bad' })
}

const endpoint = e => `${e.address}:${e.port}`

async function main ([peers, out, seedText, name]) {
  if (peers === '--list') return console.log(Object.keys(SCENES).join('\n'))
  const scene = SCENES[name]
  if (!scene) throw new Error(`there is no scene ${name}; shadowland.js --list names them`)
  const seed = Number(seedText)
  seedEverything(seed * 1009 + Object.keys(SCENES).indexOf(name))
  const network = new Network(40000 + seed % 500 * 16)
  require('dgram').createSocket = () => network.createSocket()
  const { Server } = require(path.join(peers, 'server.js'))
  const { Client } = require(path.join(peers, 'client.js'))
  const attacks = require(path.join(peers, 'attack.js'))

  await clock.run(1000)
  const server = new Server({ address: SERVER.address, port: SERVER.port, entities: ENTITIES, ...scene.server })
  await server.listen()
  const clients = scene.clients.map((o, k) => {
    const client = new Client({ server: SERVER.address, port: SERVER.port, encrypted: scene.encrypted, map: scene.server.map || 1, seed: seed * 7919 + k * 131 + 1, ...o })
    if (o.attack) attacks.install(client, o.attack, o.with || {})
    return client
  })
  clients.forEach((client, k) => setTimeout(() => client.start(), k * 150))
  await clock.run(clock.now() + scene.seconds * 1000)
  clients.forEach(client => client.stop())
  await clock.run(clock.now() + 2000)
  const stopped = server.stop()
  await clock.run(clock.now() + 200)
  await stopped
  write(path.join(out, `${name}-${seed}`), scene, network, server, clients)
}

function write (to, scene, network, server, clients) {
  network.capture.write(`${to}.pcap`)
  const meant = new Map(), said = []
  for (const line of [...server.lines, ...clients.flatMap(client => client.lines)]) {
    if (line.hash && !meant.has(line.hash)) meant.set(line.hash, line.packet)
    if (!line.hash) said.push(line)
  }
  const from = network.sent[0].at
  const oracle = network.sent.map((s, n) => ({
    n: n + 1, t: (s.at - from) / 1000, dir: s.to.port === SERVER.port ? 'c2s' : 's2c', len: s.bytes.length,
    ...meant.get(crypto.createHash('sha256').update(s.bytes).digest('hex'))
  }))
  fs.writeFileSync(`${to}.oracle.jsonl.gz`, zlib.gzipSync(oracle.map(line => JSON.stringify(line) + '\n').join('')))
  const secrets = said.find(line => line.cookie_secret)
  const keys = said.filter(line => line.keys).map(line => line.keys)
  const sessions = said.filter(line => line.session).map(({ session }) => ({
    ...session, epochs: keys.filter(key => key.connection_id === session.connection_id)
  }))
  fs.writeFileSync(`${to}.keys.json`, JSON.stringify({ ...secrets, sessions }))
  const players = clients.map(client => ({
    name: client.o.name, client: endpoint(client.socket.self), role: client.o.attack ? 'attacker' : 'honest', attack: client.o.attack,
    counts: client.counts, entered: !!client.self
  }))
  // Attackers open sockets besides their own.
  const own = new Set(players.map(player => player.client))
  const others = new Set(network.sent.flatMap(s => [s.from, s.to]).filter(e => e.port !== SERVER.port).map(endpoint))
  for (const client of others) if (!own.has(client)) players.push({ client, role: 'attacker' })
  fs.writeFileSync(`${to}.entry.json`, JSON.stringify({
    file: `${path.basename(to)}.pcap`, kind: scene.expected.length ? 'attack' : 'legit', expected_checks: scene.expected, doubted: scene.doubted,
    encrypted: scene.encrypted, server: endpoint(SERVER), players, server_counts: server.counts,
    closed: said.filter(line => line.closed).map(line => line.closed)
  }))
}

main(process.argv.slice(2)).then(() => process.exit(0), error => { console.error(error); process.exit(1) })
