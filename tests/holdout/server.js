// The server of a session: flying-squid, with lanes to move on, and with what it lacks of vanilla's
// deeds to a player (knock-back, teleports with ids of their own, effects, modes, deaths).

const net = require('net')
const { EventEmitter } = require('events')
const { Vec3 } = require('vec3')

// flying-squid listens here, not on a port.
const door = new EventEmitter()
net.createServer = () => Object.assign(new EventEmitter(), {
  listen () { door.listener = this; process.nextTick(() => this.emit('listening')) },
  address: () => ({ port: 25565 }),
  close () { process.nextTick(() => this.emit('close')) }
})
const squid = require('flying-squid')

const FLOOR = 5 // Feet stand here.
const LANE_WIDTH = 8
const LANE_LENGTH = 44
/// What each lane is made of; lane n runs along x, from z = LANE_WIDTH * (n - 5).
const LANES = ['plain', 'ice', 'blue_ice', 'slime', 'soul_sand', 'steps', 'water', 'tower', 'web', 'roof', 'honey', 'bubbles', 'tunnel']

const laneZ = name => LANE_WIDTH * (LANES.indexOf(name) - 5) + LANE_WIDTH / 2
const laneStart = name => new Vec3(2.5, FLOOR, laneZ(name))

function stateOf (registry, ...names) {
  for (const name of names) {
    const block = registry.blocksByName[name]
    if (block) return block.defaultState ?? block.minStateId ?? block.id << 4
  }
  return null
}

async function buildLanes (serv) {
  const registry = serv.registry
  const set = (x, y, z, state) => state === null ? null : serv.overworld.setBlockStateId(new Vec3(x, y, z), state)
  const stone = stateOf(registry, 'stone')
  const surfaces = { ice: 'packed_ice', blue_ice: 'blue_ice', slime: ['slime_block', 'slime'], soul_sand: 'soul_sand', honey: 'honey_block', roof: 'ice', tunnel: 'blue_ice' }
  const slab = stateOf(registry, 'stone_slab')
  const bubbles = stateOf(registry, 'bubble_column', 'water')
  const ladder = registry.blocksByName.ladder.defaultState ?? (registry.blocksByName.ladder.id << 4) + 2
  for (const name of LANES) {
    const z0 = Math.floor(laneZ(name) - LANE_WIDTH / 2)
    for (let x = 0; x < LANE_LENGTH; x++) {
      for (let z = z0 + 1; z < z0 + LANE_WIDTH; z++) {
        if (surfaces[name]) await set(x, FLOOR - 1, z, stateOf(registry, ...[surfaces[name]].flat()) ?? stone)
        if (name === 'roof' && x > 4) await set(x, FLOOR + 2, z, stone)
        if (name === 'tunnel' && x > 4 && x % 3 !== 0) await set(x, FLOOR + 2, z, stone)
        if (name === 'bubbles' && x >= 8 && x < 12) for (let y = FLOOR - 1; y < FLOOR + 12; y++) await set(x, y, z, bubbles)
        if (name === 'steps' && x % 8 >= 4) await set(x, FLOOR, z, x % 16 < 8 ? slab : stone)
        if (name === 'web' && x % 10 === 6) await set(x, FLOOR, z, stateOf(registry, 'cobweb', 'web'))
        if (name === 'water' && x >= 8 && x < 30) {
          for (let y = 1; y < FLOOR; y++) await set(x, y, z, stateOf(registry, 'water'))
        }
      }
    }
  }
  // A tower with ladders on its near side, to climb and to fall from.
  for (let y = FLOOR; y < FLOOR + 18; y++) {
    for (let x = 6; x < 12; x++) for (let z = laneZ('tower'); z < laneZ('tower') + 3; z++) await set(x, y, z, stone)
    if (y < FLOOR + 8) await set(8, y, laneZ('tower') - 1, ladder)
  }
}

/// minecraft-data has dolphin's grace twice from 1.14 to 1.16; the game has it once, at 30 since 1.13.
function mendEffects (version) {
  const data = require('minecraft-data')(version)
  if (data.version['>=']('1.14') && data.version['<']('1.17')) data.effectsByName.DolphinsGrace.id = 30
}

/// Starts it; `freezes`: [[from ms, to ms]] when its loop stands still is the line's affair.
async function start (version, threshold) {
  mendEffects(version)
  const serv = squid.createMCServer({
    motd: '', host: '', port: 25565, 'max-players': 20, 'online-mode': false, logging: false, gameMode: 0, difficulty: 1,
    generation: { name: 'superflat', options: { version } }, kickTimeout: 60000, plugins: {}, modpe: false, 'view-distance': 4,
    'player-list-text': { header: { text: '' }, footer: { text: '' } }, 'everybody-op': true, 'max-entities': 100, version,
    ...(threshold === undefined ? {} : { compressionThreshold: threshold })
  })
  serv.on('error', error => console.error('server', error.message))
  serv.on('clientError', (_client, error) => console.error('server, of a client:', error.message.slice(0, 200)))
  serv.accept = socket => door.listener.emit('connection', socket)
  serv.on('newPlayer', player => dress(serv, player))
  return serv
}

function dress (serv, player) {
  const client = player._client
  let teleports = 0
  const straight = client.write.bind(client)
  let held = null // What a server that hangs has not said yet.
  const write = (name, fields) => held ? held.push([name, fields]) : straight(name, fields)
  client.write = (name, fields) => {
    // A server of 1.8 behind a translator knows no ids: all of its teleports have one.
    if (name === 'position') fields = { dx: 0, dy: 0, dz: 0, ...fields, teleportId: serv.translated ? 0 : ++teleports }
    if (name === 'entity_teleport') fields = { dx: 0, dy: 0, dz: 0, flags: {}, ...fields } // Lacking from 1.21.2 on.
    return write(name, fields)
  }
  player.hang = ms => {
    if (held) return
    held = []
    setTimeout(() => {
      const late = held
      held = null
      for (const [name, fields] of late) straight(name, fields)
    }, ms)
  }
  client.removeAllListeners('use_entity')
  client.on('use_entity', ({ mouse, target }) => {
    const victim = serv.entities[target]
    if (mouse === 1 && victim?.type === 'player') player.strike(victim)
  })
  let immune = 0
  player.strike = victim => {
    if (serv.tickCount < (victim.immuneUntil ?? 0)) return
    victim.immuneUntil = serv.tickCount + 10
    const away = victim.position.minus(player.position)
    const long = Math.hypot(away.x, away.z) || 1
    victim.push(0.4 * away.x / long, 0.36, 0.4 * away.z / long)
  }
  player.push = (x, y, z) => {
    const [velocityX, velocityY, velocityZ] = [x, y, z].map(v => Math.round(v * 8000))
    client.write('entity_velocity', { entityId: player.id, velocityX, velocityY, velocityZ, velocity: { x: velocityX, y: velocityY, z: velocityZ } })
  }
  player.put = (to) => { player.position = to; player.knownPosition = to; player.sendSelfPosition(to) }
  player.effect = (name, level, ticks) => {
    const id = serv.registry.effectsByName[name].id
    client.write('entity_effect', { entityId: player.id, effectId: id, amplifier: level - 1, duration: ticks, hideParticles: true, flags: 0 })
    setTimeout(() => client.write('remove_entity_effect', { entityId: player.id, effectId: id }), ticks * 50)
  }
  player.speedAttribute = value => {
    const key = speedKey(serv.registry)
    const packet = serv.registry.version['<']('1.9') ? 'update_attributes' : 'entity_update_attributes'
    client.write(packet, { entityId: player.id, properties: [{ key, name: key, value, modifiers: [] }] })
  }
  player.mode = number => {
    player.gameMode = number
    client.write('game_state_change', { reason: serv.registry.version['>=']('1.21.5') ? 'change_game_mode' : 3, gameMode: number })
    client.write('abilities', { flags: number === 1 ? 13 : number === 3 ? 7 : 0, flyingSpeed: 0.05, walkingSpeed: 0.1 })
  }
  player.explode = (x, y, z) => client.write('explosion', explosion(serv.registry, player.position, x, y, z))
  /// As servers since 1.19.4 may: what belongs together in one bundle.
  player.bundle = (say) => {
    const bundles = serv.registry.version['>=']('1.19.4')
    if (bundles) client.write('bundle_delimiter', {})
    say()
    if (bundles) client.write('bundle_delimiter', {})
  }
  player.wings = spread => client.write('entity_metadata', {
    entityId: player.id, metadata: [{ key: 0, type: serv.registry.version['>=']('1.19.4') ? 'byte' : 0, value: spread ? -128 : 0 }]
  })
  player.mount = on => {
    const vehicle = 900000 + player.id
    if (serv.registry.version['<']('1.9')) return client.write('attach_entity', { entityId: player.id, vehicleId: on ? vehicle : -1, leash: false })
    client.write('set_passengers', { entityId: vehicle, passengers: on ? [player.id] : [] })
  }
  player.die = () => player.updateHealth(0)
}

/// As minecraft-data writes it: its names for the numbers from 1.21 on are those of 1.20.5.
function speedKey (registry) {
  if (registry.version['>=']('1.21')) return 'generic.step_height' // 21
  return registry.version['>=']('1.16') ? 'generic.movement_speed' : 'generic.movementSpeed'
}

function explosion (registry, { x, y, z }, pushX, pushY, pushZ) {
  const version = registry.version
  const particle = version['>=']('1.20.5') ? { type: 'explosion' } : { particleId: registry.particlesByName?.explosion?.id ?? 0 }
  const pushed = { playerMotionX: pushX, playerMotionY: pushY, playerMotionZ: pushZ, playerKnockback: { x: pushX, y: pushY, z: pushZ } }
  const shown = { block_interaction_type: 0, small_explosion_particle: particle, large_explosion_particle: particle, explosionParticle: particle, sound: { soundId: 1 } }
  return { x, y, z, radius: 3, affectedBlockOffsets: [], ...pushed, ...shown }
}

module.exports = { start, buildLanes, laneStart, laneZ, FLOOR, LANES, LANE_LENGTH }
