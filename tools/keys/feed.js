// Hands the session keys of a minecraft-protocol server (or of what is built on one, such as flying-squid) to
// Portcullis, so that connections in online mode can be inspected.
//
//   const { feedKeys } = require('./feed')
//   feedKeys(server, { socket: '/run/portcullis/keys.sock' })     // server: what mc.createServer returned
//
// Each key is one line of JSON, answered by one line.  Addresses are those of the TCP connection as the wire shows
// it; `serverAddress` replaces the server's own where it listens behind another.  Nothing here ever logs a secret.
'use strict'

const net = require('net')

const linesWaitingMax = 1000
const retryAfterMs = 1000
const busyPauseMs = 10

/** Keeps one connection to the socket; lines wait while there is none, and until they are taken. */
class Feed {
  constructor (path) {
    this.path = path
    this.waiting = []
    this.sent = [] // And not yet answered, in their order.
    this.connection = null
    this.ended = false
  }

  send (line) {
    if (this.waiting.length === linesWaitingMax) this.waiting.shift()
    this.waiting.push(line)
    this.flush()
  }

  flush () {
    if (this.ended) return
    if (!this.connection) return this.connect()
    if (this.connection.connecting) return
    for (const line of this.waiting.splice(0)) {
      this.sent.push(line)
      this.connection.write(line + '\n')
    }
  }

  answered (answer) {
    const line = this.sent.shift()
    if (answer.ok) return
    console.error(`portcullis keys: ${answer.error}`)
    if (!answer.again || line === undefined) return
    this.waiting.push(line)
    setTimeout(() => this.flush(), busyPauseMs).unref()
  }

  connect () {
    const connection = net.connect(this.path)
    this.connection = connection
    let heard = ''
    connection.on('connect', () => this.flush())
    connection.on('data', data => {
      heard += data
      const answers = heard.split('\n')
      heard = answers.pop()
      for (const answer of answers) this.answered(JSON.parse(answer))
    })
    connection.on('error', error => console.error(`portcullis keys: ${error.message}`))
    connection.on('close', () => {
      this.connection = null
      this.waiting.unshift(...this.sent.splice(0))
      if (this.waiting.length > 0 && !this.ended) setTimeout(() => this.flush(), retryAfterMs).unref()
    })
    connection.unref()
  }

  end () {
    this.ended = true
    if (this.connection) this.connection.end()
  }
}

/** IPv4 in IPv6's clothes is IPv4 on the wire. */
function endpoint (address, port) {
  const plain = address.replace(/^::ffff:/, '')
  return net.isIPv6(plain) ? `[${plain}]:${port}` : `${plain}:${port}`
}

/** Whose connection this is; to be asked for while it is open, for afterwards nobody knows. */
function endpointsOf (socket, serverAddress) {
  if (!socket || !socket.remoteAddress) return null // It was reset before anybody looked.
  return {
    client: endpoint(socket.remoteAddress, socket.remotePort),
    server: serverAddress || endpoint(socket.localAddress, socket.localPort)
  }
}

function keyLine (endpoints, secret) {
  return JSON.stringify({ protocol: 'minecraft', ...endpoints, secret: secret.toString('hex') })
}

/** Feeds every key that `server` agrees on from now on; returns a Feed whose `end()` stops. */
function feedKeys (server, { socket, serverAddress }) {
  const feed = new Feed(socket)
  server.on('connection', client => {
    const endpoints = endpointsOf(client.socket, serverAddress)
    const setEncryption = client.setEncryption
    client.setEncryption = function (secret) {
      if (endpoints) feed.send(keyLine(endpoints, secret))
      return setEncryption.call(this, secret)
    }
  })
  return feed
}

module.exports = { feedKeys, endpointsOf, keyLine }
