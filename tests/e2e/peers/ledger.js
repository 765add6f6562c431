// A running account of the positions that crossed the wire, kept at both ends with the same
// arithmetic: equal ledgers mean that the server received what the client sent, in order.

class Ledger {
  constructor () {
    this.positions = 0
    this.hash = 0x811c9dc5
    this.last = null
  }

  add (packet) {
    this.positions++
    this.last = [packet.x, packet.y, packet.z]
    const bytes = Buffer.from(Float64Array.from(this.last).buffer)
    for (const byte of bytes) this.hash = Math.imul(this.hash ^ byte, 0x01000193) >>> 0 // FNV-1a
  }

  report () {
    return { positions: this.positions, hash: this.hash, last: this.last }
  }
}

// One JSON object a line: what run.py reads of every peer.
function say (event, fields = {}) {
  process.stdout.write(JSON.stringify({ event, at: Date.now() / 1000, ...fields }) + '\n')
}

module.exports = { Ledger, say }
