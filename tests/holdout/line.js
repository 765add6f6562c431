// A TCP connection through a bad line, in virtual time.  What one end writes becomes segments;
// each is captured where it leaves and where it arrives, so a session is seen from both sides.
// Lost segments are sent again and hold back what follows, as TCP does.

const { Duplex } = require('stream')
const fs = require('fs')
const clock = require('./clock')

const MSS = 1448
const RTO_MIN_MS = 200

/// Numbers that a seed determines.
function randomly (seed) {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13; state >>>= 0
    state ^= state >>> 17
    state ^= state << 5; state >>>= 0
    return state / 4294967296
  }
}

/// One way.  Options, all in ms: `delay`; `jitter` (sd) drifting over `drift`; `loss` (0..1);
/// `bad` and `good`: chances to enter and leave a burst of loss; `stall` every `stall_every`;
/// `bloat`: the queue fills and drains; `reorder` (0..1): some arrive 25 ms late.
class Way {
  constructor (options, seed) {
    Object.assign(this, { delay: 1, jitter: 0, drift: 120, loss: 0, bad: 0, good: 1, stall: 0, stall_every: 15000, bloat: 0, reorder: 0 }, options)
    this.random = randomly(seed)
    this.wander = 0
    this.wandered = 0
    this.last = 0
    this.burst = false
  }

  normal () { return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random()) }

  /// When what leaves now arrives; null: never.
  transit (now, bare) {
    const keep = Math.exp(-(now - this.wandered) / this.drift)
    this.wander = this.wander * keep + this.normal() * this.jitter * Math.sqrt(1 - keep * keep)
    this.wandered = now
    this.burst = this.burst ? this.random() >= this.good : this.random() < this.bad
    if (!bare && (this.burst || this.random() < this.loss)) return null
    let arrives = now + Math.max(this.delay / 3, this.delay + this.wander)
    if (this.bloat) {
      const phase = now % 16000 / 8000
      arrives += this.bloat * (phase < 1 ? phase : Math.max(0, 1 - (phase - 1) * 6))
    }
    const phase = arrives % this.stall_every
    if (phase < this.stall) arrives += this.stall - phase
    if (this.random() < this.reorder) return arrives + 25
    this.last = Math.max(this.last, arrives)
    return this.last
  }
}

/// What a capture beside one end sees.
class Capture {
  constructor () { this.records = [] }
  saw (at, frame) { this.records.push({ at, frame, serial: this.records.length }) }
  write (file) {
    this.records.sort((a, b) => a.at - b.at || a.serial - b.serial)
    const parts = [Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')]
    for (const { at, frame } of this.records) {
      const head = Buffer.alloc(16)
      const us = Math.round((clock.epoch + at) * 1000)
      head.writeUInt32LE(Math.floor(us / 1e6), 0)
      head.writeUInt32LE(us % 1e6, 4)
      head.writeUInt32LE(frame.length, 8)
      head.writeUInt32LE(frame.length, 12)
      parts.push(head, frame)
    }
    fs.writeFileSync(file, Buffer.concat(parts))
    return { bytes: parts.reduce((sum, part) => sum + part.length, 0), first: (clock.epoch + this.records[0].at) / 1000 }
  }
}

function sum16 (...buffers) {
  let sum = 0
  for (const b of buffers) for (let i = 0; i < b.length; i += 2) sum += b[i] << 8 | (b[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const SYN = 2; const FIN = 1; const ACK = 16; const PSH = 8

function frame (from, to, seq, ack, flags, data) {
  const b = Buffer.alloc(54 + data.length)
  b.write('0200000000020200000000010800', 'hex')
  b[14] = 0x45
  b.writeUInt16BE(40 + data.length, 16)
  b.writeUInt16BE(0x4000, 20)
  b[22] = 64; b[23] = 6
  Buffer.from(from.address).copy(b, 26)
  Buffer.from(to.address).copy(b, 30)
  b.writeUInt16BE(sum16(b.subarray(14, 34)), 24)
  b.writeUInt16BE(from.port, 34)
  b.writeUInt16BE(to.port, 36)
  b.writeUInt32BE(seq >>> 0, 38)
  b.writeUInt32BE(flags === SYN ? 0 : ack >>> 0, 42)
  b[46] = 0x50; b[47] = flags
  b.writeUInt16BE(0xffff, 48)
  data.copy(b, 54)
  b.writeUInt16BE(sum16(b.subarray(26, 34), Buffer.from([0, 6, (20 + data.length) >> 8, (20 + data.length) & 255]), b.subarray(34)), 50)
  return b
}

/// One end: a socket to its program, TCP to the line.
class End extends Duplex {
  constructor (self, way, capture) {
    super()
    Object.assign(this, { self, way, capture, next: self.isn + 1, expected: 0, waiting: new Map(), rtt: 4 * way.delay })
    this.remoteAddress = '10.0.0.1'
    this.closed_ = false
  }

  _read () {}
  _write (chunk, _encoding, done) {
    for (let i = 0; i < chunk.length; i += MSS) this.transmit(Buffer.from(chunk.subarray(i, i + MSS)))
    done()
  }

  _final (done) { if (!this.closed_) { this.closed_ = true; this.transmit(Buffer.alloc(0), FIN) } done() }
  setNoDelay () { return this }
  setKeepAlive () { return this }
  setTimeout () { return this }

  transmit (data, flag = 0) {
    const segment = { seq: this.next, data, flag }
    this.next = (this.next + data.length + (flag ? 1 : 0)) >>> 0
    this.put(segment, 0)
  }

  put (segment, times) {
    const now = clock.now()
    this.capture.saw(now, frame(this.self, this.peer.self, segment.seq, this.expected, ACK | segment.flag | (segment.data.length ? PSH : 0), segment.data))
    const arrives = this.way.transit(now, false)
    if (arrives === null) {
      return clock.at(now + Math.max(RTO_MIN_MS, this.rtt * 1.5) * 2 ** Math.min(times, 3), () => this.put(segment, times + 1))
    }
    const ack = this.expected
    clock.at(arrives, () => this.peer.arrived(segment, ack))
  }

  arrived (segment, ack) {
    const now = clock.now()
    this.capture.saw(now, frame(this.peer.self, this.self, segment.seq, ack, ACK | segment.flag | (segment.data.length ? PSH : 0), segment.data))
    this.waiting.set(segment.seq, segment)
    for (let ready; (ready = this.waiting.get(this.expected)) !== undefined;) {
      this.waiting.delete(this.expected)
      this.expected = (this.expected + ready.data.length + (ready.flag ? 1 : 0)) >>> 0
      if (ready.data.length) this.push(ready.data)
      if (ready.flag) { this.push(null); if (!this.closed_) this.end() }
    }
    // Acknowledged at once; an acknowledgement that the line loses is as one that the next replaces.
    const bare = [this.self, this.peer.self, this.next, this.expected, ACK, Buffer.alloc(0)]
    this.capture.saw(now, frame(...bare))
    const arrives = this.way.transit(now, true)
    clock.at(arrives, () => this.peer.capture.saw(clock.now(), frame(...bare)))
  }
}

/// Opens a connection: [the client's end, the server's end], already shaken hands.
function connect ({ port, captures, up, down, seed }) {
  const client = new End({ address: [10, 77, 0, 1], port, isn: 1000 + seed * 7919 }, new Way(up, seed * 2 + 1), captures.client)
  const server = new End({ address: [10, 77, 0, 2], port: 25565, isn: 500000 + seed * 104729 }, new Way(down, seed * 2 + 2), captures.server)
  client.peer = server; server.peer = client
  client.expected = server.next; server.expected = client.next
  const none = Buffer.alloc(0)
  const now = clock.now()
  const there = now + client.way.delay; const back = there + server.way.delay
  const syn = frame(client.self, server.self, client.self.isn, 0, SYN, none)
  const synack = frame(server.self, client.self, server.self.isn, client.next, SYN | ACK, none)
  const ack = frame(client.self, server.self, client.next, server.next, ACK, none)
  captures.client.saw(now, syn); captures.server.saw(there, syn)
  captures.server.saw(there, synack); captures.client.saw(back, synack)
  captures.client.saw(back, ack); captures.server.saw(back + client.way.delay, ack)
  client.way.last = back + client.way.delay
  server.way.last = back
  return { client, server, established: back + client.way.delay }
}

module.exports = { Capture, connect, randomly }
