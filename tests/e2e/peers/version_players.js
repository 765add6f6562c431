// One player of each version in one process: mineflayer as far as there is a world to walk in, beyond that
// a bare minecraft-protocol client that walks by itself.  Each answers keep-alives late by a time of
// his own, plays, stands still and says what he believes of himself.
//
//   node version_players.js HOST SECONDS PORT=VERSION...

const { TICKS } = require('./vanilla_clock')
const mineflayer = require('mineflayer')
const minecraft = require('minecraft-protocol')
const registries = require('prismarine-registry')
const { Ledger, say } = require('./ledger')

const NEWEST_SQUID = '1.21.4'
const MODES = ['survival', 'creative', 'adventure', 'spectator']
const [host, seconds, ...pairs] = process.argv.slice(2)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/// As the appliance names them: jump_boost for JumpBoost.
const snake = name => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()

class Player {
  constructor (port, version, index) {
    this.name = 'V' + version.replace(/\./g, '_')
    this.version = version
    this.registry = registries(version)
    this.delay = 15 * (1 + index % 8)
    this.options = { host, port: Number(port), version, username: this.name, auth: 'offline', hideErrors: true, keepAlive: false, maxCatchupTicks: TICKS }
    this.ledger = new Ledger()
  }

  /// What is the same for both kinds: the ledger, late answers, and how it ends.
  watch (client) {
    const write = client.write.bind(client)
    client.write = (packet, fields) => {
      if (packet === 'position' || packet === 'position_look') this.ledger.add(fields)
      return write(packet, fields)
    }
    client.on('keep_alive', ({ keepAliveId }) => setTimeout(() => client.write('keep_alive', { keepAliveId }), this.delay))
    client.on('error', error => this.ended('error', String(error)))
    client.on('end', reason => this.ended('end', String(reason)))
  }

  ended (why, text) {
    if (this.told) return
    this.told = true
    say('ended', { name: this.name, version: this.version, why, text, ledger: this.ledger.report() })
  }

  report (believed) {
    const [x, y, z] = this.ledger.last
    say('report', { name: this.name, version: this.version, delay_ms: this.delay, position: { x, y, z }, ...believed })
  }
}

async function flayer (player) {
  const bot = mineflayer.createBot(player.options)
  player.watch(bot._client)
  bot.on('kicked', reason => player.ended('kicked', JSON.stringify(reason)))
  await new Promise(resolve => bot.once('spawn', resolve))
  say('spawned', { name: player.name })
  const until = Date.now() + Number(seconds) * 1000
  const home = bot.entity.position.clone()
  for (let n = 0; Date.now() < until - 2500 && !player.told; n++) {
    if (bot.entity.position.distanceTo(home) > 8) await bot.lookAt(home.offset(0, 1.6, 0), true)
    else await bot.look(n * 2, (n % 3) / 4, true)
    bot.setControlState('forward', n % 4 !== 3)
    bot.setControlState('sprint', n % 4 === 1)
    bot.setControlState('jump', n % 4 === 2)
    bot.setControlState('sneak', n % 4 === 3)
    bot.swingArm()
    await sleep(1500)
    bot.clearControlStates()
  }
  await sleep(Math.max(0, until - Date.now()))
  const effects = {}
  for (const [id, effect] of Object.entries(bot.entity.effects)) effects[snake(bot.registry.effects[id].name)] = effect.amplifier + 1
  player.report({ game_mode: bot.game.gameMode, effects, health: bot.health, food: bot.food, entity: bot.entity.id })
  return () => bot.quit()
}

async function bare (player) {
  const client = minecraft.createClient(player.options)
  player.watch(client)
  const believed = { game_mode: '', effects: {}, health: 20, food: 20, entity: -1 }
  let at = null
  client.on('login', fields => { believed.entity = fields.entityId; believed.game_mode = modeOf(fields.worldState?.gamemode ?? fields.gameMode) })
  client.on('update_health', ({ health, food }) => Object.assign(believed, { health, food }))
  client.on('game_state_change', ({ reason, gameMode }) => { if (reason === 'change_game_mode' || reason === 3) believed.game_mode = MODES[gameMode] })
  client.on('entity_effect', ({ effectId, amplifier }) => { believed.effects[snake(player.registry.effects[effectId].name)] = amplifier + 1 })
  const flags = { onGround: true, hasHorizontalCollision: false }
  client.on('position', ({ teleportId, x, y, z }) => {
    at = { x, y, z }
    client.write('teleport_confirm', { teleportId })
    client.write('position_look', { ...at, yaw: 0, pitch: 0, flags })
  })
  await new Promise(resolve => client.once('position', resolve))
  say('spawned', { name: player.name })
  const until = Date.now() + Number(seconds) * 1000
  for (let tick = 0; Date.now() < until - 2500 && !player.told; tick++) {
    at.x += tick % 200 < 100 ? 0.2 : -0.2
    if (tick % 3 === 0) client.write('position', { ...at, flags })
    else client.write('position_look', { ...at, yaw: tick % 360, pitch: 10, flags })
    if (tick % 20 === 0) client.write('arm_animation', { hand: 0 })
    client.write('tick_end', {})
    await sleep(50)
  }
  await sleep(Math.max(0, until - Date.now()))
  player.report(believed)
  return () => client.end('leaves')
}

const modeOf = mode => typeof mode === 'number' ? MODES[mode] : mode

/// Protocols are compiled when first used, for seconds in which nobody else's game moves.
function warmUp (version) {
  for (const state of ['login', 'configuration', 'play']) {
    if (!registries(version).protocol[state]) continue
    for (const isServer of [false, true]) {
      minecraft.createSerializer({ state, isServer, version })
      minecraft.createDeserializer({ state, isServer, version })
    }
  }
}

async function main () {
  for (const pair of pairs) warmUp(pair.split('=')[1])
  const leave = await Promise.all(pairs.map(async (pair, index) => {
    const [port, version] = pair.split('=')
    const player = new Player(port, version, index)
    await sleep(400 * index)
    const play = player.registry.version['<='](NEWEST_SQUID) ? flayer : bare
    const go = await play(player)
    return () => { player.ended('left', ''); go() }
  }))
  say('all reported')
  process.on('SIGTERM', async () => {
    for (const go of leave) go()
    await sleep(1000)
    process.exit(0)
  })
  setInterval(() => {}, 1000)
}

process.on('uncaughtException', error => say('broken', { text: String(error.stack).slice(0, 600) }))
main().catch(error => { say('failed', { text: String(error.stack) }); process.exit(1) })
