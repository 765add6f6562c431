// A real game server (flying-squid): survival, flat, quiet.  Says on stdout who comes and goes
// and what positions it received of each.
//
//   node server.js PORT VERSION [COMPRESSION_THRESHOLD]
//
// With PORTCULLIS_KEYS in its environment it is in online mode, with a session service that knows everybody, and feeds
// its keys to that socket.

const { feedKeys } = require('../../../tools/keys/feed')
const keys = process.env.PORTCULLIS_KEYS
if (keys) {
  const id = '3f0c0000000030008000000000000001'
  require('yggdrasil').server = () => ({ hasJoined: (name, _, __, ___, done) => done(null, { id, name, properties: [] }) })
}

const mcServer = require('flying-squid')
const { Ledger, say } = require('./ledger')

const [port, version, threshold] = process.argv.slice(2)

const server = mcServer.createMCServer({
  motd: 'Portcullis test server',
  host: '0.0.0.0',
  port: Number(port),
  'max-players': 100,
  'online-mode': keys !== undefined,
  logging: false,
  gameMode: 0,
  difficulty: 1,
  generation: { name: 'superflat', options: { version } },
  kickTimeout: 30000,
  plugins: {},
  modpe: false,
  'view-distance': 3,
  'player-list-text': { header: { text: '' }, footer: { text: '' } },
  'everybody-op': true,
  'max-entities': 100,
  version,
  ...(threshold === undefined ? {} : { compressionThreshold: Number(threshold) })
})

if (keys) feedKeys(server._server, { socket: keys })
server._server.on('listening', () => say('listening', { port: Number(port), version }))
server._server.on('error', error => say('error', { text: String(error) }))

// This server's knock-back grows with the distance of the blow, until its own serializer fails for
// everybody.  A blow of vanilla's gives 0.4 blocks a tick, whatever the distance (8000 is one block).
function limitVelocity (client) {
  const write = client.write.bind(client)
  const blow = value => Math.max(-3200, Math.min(3200, value))
  client.write = (name, fields) => {
    const velocity = name === 'entity_velocity' ? fields.velocity ?? fields : {}
    for (const key in velocity) if (/^(velocity)?[XYZ]$/i.test(key)) velocity[key] = blow(velocity[key])
    return write(name, fields)
  }
}

server.on('newPlayer', player => {
  limitVelocity(player._client)
  const ledger = new Ledger()
  player._client.on('position', packet => ledger.add(packet))
  player._client.on('position_look', packet => ledger.add(packet))
  player._client.on('end', reason => say('left', { name: player.username, reason: String(reason), ledger: ledger.report() }))
  player._client.on('error', error => say('client_error', { name: player.username, text: String(error) }))
  say('joined', { name: player.username })
})

process.on('SIGTERM', () => {
  server.quit('server stops')
  setTimeout(() => process.exit(0), 500)
})
