// Servers of many versions in one process: flying-squid as far as it goes, beyond that
// minecraft-protocol's own server.  Each gives its player an effect and a mode, and says what it gave, how long
// his answers took, and which positions it received.
//
//   node version_servers.js PORT=VERSION...

const minecraft = require('minecraft-protocol')
const squid = require('flying-squid')
const registries = require('prismarine-registry')
const { Ledger, say } = require('./ledger')

const NEWEST_SQUID = '1.21.4'
const MODES = ['survival', 'adventure', 'creative']
const EFFECTS = [['Speed', 'speed'], ['JumpBoost', 'jump_boost'], ['Haste', 'haste'], ['Slowness', 'slowness']]

const ports = process.argv.slice(2).map(pair => pair.split('='))
ports.forEach(([port, version], index) => serve(Number(port), version, index))

function serve (port, version, index) {
  const registry = registries(version)
  const server = registry.version['<='](NEWEST_SQUID) ? squidServer(port, version) : bareServer(port, version, registry)
  const welcome = (client, entityId) => {
    const name = client.username
    setTimeout(() => give(client, entityId, registry, index), 4000)
    client.on('end', () => say('left', { name, ledger: client.ledger.report(), trips: client.trips }))
    client.on('error', error => say('client_error', { name, text: String(error) }))
    say('joined', { name, version })
  }
  const connections = server._server ?? server
  connections.on('connection', watch)
  server.on('newPlayer', player => welcome(player._client, player.id))
  server.on('playerJoin', client => {
    client.write('login', loginOf(registry, client))
    client.write('position', { teleportId: 1, x: 0.5, y: 64, z: 0.5, dx: 0, dy: 0, dz: 0, yaw: 0, pitch: 0, flags: {} })
    welcome(client, client.id)
    company(client)
  })
}

function squidServer (port, version) {
  const server = squid.createMCServer({
    motd: '', host: '0.0.0.0', port, 'max-players': 5, 'online-mode': false, logging: false, gameMode: 0, difficulty: 1,
    generation: { name: 'superflat', options: { version } }, kickTimeout: 60000, plugins: {}, modpe: false, 'view-distance': 2,
    'player-list-text': { header: { text: '' }, footer: { text: '' } }, 'everybody-op': true, 'max-entities': 100, version
  })
  server._server.on('listening', () => say('listening', { port, version }))
  return server
}

function bareServer (port, version, registry) {
  const server = minecraft.createServer({ host: '0.0.0.0', port, version, 'online-mode': false, kickTimeout: 60000 })
  server.on('listening', () => say('listening', { port, version }))
  return server
}

const loginOf = (registry, client) => ({ ...registry.loginPacket, entityId: client.id })

/// What crosses, and how long answers take: `trips`, in ms, of keep-alives and of teleports,
/// at the end also those that never came.
function watch (client) {
  client.ledger = new Ledger()
  client.trips = []
  for (const packet of ['position', 'position_look']) client.on(packet, fields => client.ledger.add(fields))
  const keepAlives = [] // Answers come in order; ids are read in another form than written.
  const teleports = [] // As well; before 1.9 the answer is the same place, sent back.
  const write = client.write.bind(client)
  client.write = (packet, fields) => {
    const at = performance.now()
    if (packet === 'keep_alive') keepAlives.push({ at })
    if (packet === 'position') teleports.push({ at, x: fields.x, y: fields.y, z: fields.z })
    return write(packet, fields)
  }
  const answered = asked => { if (asked.length > 0) client.trips.push(performance.now() - asked.shift().at) }
  client.prependListener('end', () => { while (keepAlives.length + teleports.length > 0) answered(keepAlives.length > 0 ? keepAlives : teleports) })
  client.on('keep_alive', () => answered(keepAlives))
  client.on('teleport_confirm', () => answered(teleports))
  client.on('position_look', ({ x, y, z }) => {
    const [asked] = teleports
    if (client.protocolVersion < 107 && asked && asked.x === x && asked.y === y && asked.z === z) answered(teleports)
  })
}

function give (client, entityId, registry, index) {
  const [known, told] = EFFECTS[index % EFFECTS.length]
  const level = 1 + index % 3
  const mode = index % MODES.length
  const gameMode = [0, 2, 1][mode]
  client.write('entity_effect', {
    entityId, effectId: registry.effectsByName[known].id, amplifier: level - 1, duration: 20 * 600, hideParticles: true, flags: 0
  })
  client.write('game_state_change', { reason: registry.version['>=']('1.21.5') ? 'change_game_mode' : 3, gameMode })
  say('gave', { name: client.username, effects: { [told]: level }, game_mode: MODES[mode] })
}

/// Somebody else, who walks about: what a bare server has to tell besides.
function company (client) {
  const entityId = 1000 + client.id
  client.write('abilities', { flags: 0, flyingSpeed: 0.05, walkingSpeed: 0.1 })
  client.write('update_health', { health: 20, food: 20, foodSaturation: 5 })
  const walk = setInterval(() => {
    client.write('rel_entity_move', { entityId, dX: 200, dY: 0, dZ: -200, onGround: true })
    client.write('entity_velocity', { entityId, velocity: { x: 0, y: 0, z: 0 } })
  }, 200)
  client.on('end', () => clearInterval(walk))
}

process.on('SIGTERM', () => process.exit(0))
process.on('uncaughtException', error => say('broken', { text: String(error.stack).slice(0, 600) }))
