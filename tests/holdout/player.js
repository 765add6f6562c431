// A client that ticks as vanilla's does, on mineflayer's knowledge of the world: its own loop is
// silenced, because it writes what no vanilla client would.  The rules: in the tick first blows and digs, then sprint and sneak, then feet, then one
// movement packet where there is something to say.

const mineflayer = require('mineflayer')
const { PlayerState } = require('prismarine-physics')
const { Vec3 } = require('vec3')
const clock = require('./clock')

const MOVES = new Set(['position', 'position_look', 'look', 'flying', 'vehicle_move'])
const CATCH_UP = 10 // Ticks that a client that hung makes up for; the rest it forgets.

class Player {
  constructor (name, version, socket, { tempo = 1, sensitivity = 0.5 } = {}) {
    Object.assign(this, { name, tempo, placed: false, frozen: false, sequence: 0, batch: 1, events: [] })
    this.mouse = (0.6 * sensitivity + 0.2) ** 3 * 1.2 * Math.PI / 180
    this.control = { forward: false, back: false, left: false, right: false, jump: false, sprint: false, sneak: false }
    this.sent = { x: 0, y: -1000, z: 0, yaw: 0, pitch: 0, ground: false, since: 0, sprint: false, sneak: false, input: '' }
    this.cheat = {}
    this.swings = 0
    const bot = this.bot = mineflayer.createBot({
      username: name, version, auth: 'offline', hideErrors: true, physicsEnabled: false, checkTimeoutInterval: 3600000,
      connect: client => { client.setSocket(socket); process.nextTick(() => client.emit('connect')) }
    })
    this.ended = null
    bot.on('end', why => { this.ended = why })
    bot.on('error', error => this.events.push(String(error).slice(0, 200)))
    bot.on('kicked', why => this.events.push('kicked: ' + JSON.stringify(why).slice(0, 300)))
    const client = bot._client
    this.write = client.write.bind(client)
    let answering = false; let answered = false
    client.write = (packet, fields) => {
      if (MOVES.has(packet) && client.state === 'play') {
        if (!answering || packet !== 'position_look') return
        return this.answer()
      }
      return this.write(packet, fields)
    }
    this.answer = () => {
      if (answered) return
      answered = true
      const { x, y, z } = bot.entity.position
      const [yaw, pitch] = this.look()
      this.write('position_look', { x, y, z, yaw, pitch, onGround: false, flags: { onGround: false, hasHorizontalCollision: false } })
      Object.assign(this.sent, { x, y, z, yaw, pitch, ground: false, since: 0 })
    }
    bot.once('inject_allowed', () => {
      const blockAt = bot.blockAt
      bot.blockAt = (...where) => bot.world ? blockAt(...where) : null
      client.prependListener('position', () => { answering = true; answered = false })
      client.on('position', () => { this.answer(); answering = false; this.placed = true; this.puts = (this.puts ?? 0) + 1 })
      client.on('respawn', () => { this.placed = false })
      client.on('login', () => { this.placed = false })
      // mineflayer knows nothing of vehicles that it was not shown.
      for (const packet of ['set_passengers', 'attach_entity']) client.removeAllListeners(packet)
      for (const packet of ['update_attributes', 'entity_update_attributes']) {
        client.removeAllListeners(packet)
        client.on(packet, ({ entityId, properties }) => {
          const name = bot.registry.attributesByName.movementSpeed.resource
          if (entityId === bot.entity.id) bot.entity.attributes = { [name]: { value: properties[0].value, modifiers: [] } }
        })
      }
      client.on('set_passengers', ({ passengers }) => { this.mounted = passengers.includes(bot.entity.id) })
      client.on('attach_entity', ({ entityId, vehicleId }) => { if (entityId === bot.entity.id) this.mounted = vehicleId !== -1 })
    })
    this.due = clock.now() + 50
    clock.at(this.due, () => this.wake())
  }

  get protocol () { return this.bot.protocolVersion ?? this.bot._client.protocolVersion ?? this.bot.registry.version.version }
  get at () { return this.bot.entity.position }

  /// The client's clock: one tick, or those that a slow frame or a freeze left undone.
  wake () {
    if (this.ended !== null) return
    const now = clock.now()
    let ticks = 0
    while (this.due <= now) { this.due += 50 / this.tempo; ticks++ }
    if (!this.frozen) for (let i = 0; i < Math.min(ticks, CATCH_UP); i++) this.tick()
    clock.at(this.frozen ? this.frozen : this.due + (this.batch - 1) * 50 / this.tempo, () => this.wake())
    if (this.frozen) this.frozen = false
  }

  freeze (ms) { this.frozen = clock.now() + ms }

  look () {
    const { yaw, pitch } = this.bot.entity
    return [Math.fround((Math.PI - yaw) * 180 / Math.PI), Math.fround(Math.max(-90, Math.min(90, -pitch * 180 / Math.PI)))]
  }

  /// Turns by whole steps of the mouse.
  turn (yaw, pitch = 0) {
    const entity = this.bot.entity
    const steps = angle => Math.round(angle / this.mouse) * this.mouse
    let by = (yaw - entity.yaw) % (2 * Math.PI)
    if (by > Math.PI) by -= 2 * Math.PI
    if (by < -Math.PI) by += 2 * Math.PI
    entity.yaw += steps(by)
    entity.pitch += steps(pitch - entity.pitch)
  }

  face (point, height = 1.62) {
    const d = point.minus(this.at.offset(0, height, 0))
    this.turn(Math.atan2(-d.x, -d.z), Math.atan2(d.y, Math.hypot(d.x, d.z)))
  }

  swing () { this.write('arm_animation', { hand: 0 }); this.swings++ }
  attack (entity) {
    const old = this.protocol <= 47
    if (old) this.swing()
    this.write('use_entity', { target: entity.id, mouse: 1, sneaking: this.control.sneak, hand: 0 })
    if (!old) this.swing()
    if (this.control.sprint) {
      this.bot.entity.velocity.x *= 0.6; this.bot.entity.velocity.z *= 0.6
      this.control.sprint = false
    }
  }

  dig (block, status) {
    if (status !== 1) this.sequence++
    this.write('block_dig', { status, location: block, face: 1, sequence: status === 1 ? 0 : this.sequence })
  }

  slot (slotId) { this.write('held_item_slot', { slotId }) }
  act (kind) {
    const old = { start_sneaking: 0, stop_sneaking: 1, start_sprinting: 3, stop_sprinting: 4, start_elytra_flying: 8 }
    const named = this.bot.supportFeature('entityActionUsesStringMapper')
    this.write('entity_action', { entityId: this.bot.entity.id, actionId: named ? kind : old[kind], jumpBoost: 0 })
  }

  tick () {
    const { bot } = this
    if (bot._client.state !== 'play' || !this.placed || !bot.entity?.position) return
    if (!bot.blockAt(bot.entity.position)) return
    if (this.script) {
      const { done } = this.script.next()
      if (done) this.script = null
    }
    const { control, sent } = this
    if (control.sprint && (!control.forward || control.sneak || (bot.entity.isCollidedHorizontally && !this.cheat.keepsSprint))) control.sprint = false
    if (this.protocol >= 768) {
      const inputs = { forward: control.forward, backward: control.back, left: control.left, right: control.right, jump: control.jump, shift: control.sneak, sprint: control.sprint }
      const text = JSON.stringify(inputs)
      if (text !== sent.input) { sent.input = text; this.write('player_input', { inputs }) }
    }
    if (control.sprint !== sent.sprint) { this.act(control.sprint ? 'start_sprinting' : 'stop_sprinting'); sent.sprint = control.sprint }
    if (control.sneak !== sent.sneak && this.protocol < 771) this.act(control.sneak ? 'start_sneaking' : 'stop_sneaking')
    sent.sneak = control.sneak
    this.feet()
    this.say()
    if (this.protocol >= 768) this.write('tick_end', {})
  }

  feet () {
    const { bot, cheat } = this
    if (this.flying) {
      const v = bot.entity.velocity
      const go = this.flying()
      v.update(new Vec3(v.x * 0.91 + go.x, v.y * 0.6 + go.y, v.z * 0.91 + go.z))
      bot.entity.position = this.at.plus(v)
      bot.entity.onGround = false
      return
    }
    if (this.mounted) return
    const from = this.at.clone()
    const state = new PlayerState(bot, this.control)
    state.elytraEquipped = state.elytraFlying = Boolean(this.gliding)
    bot.physics.simulatePlayer(state, { getBlock: pos => bot.blockAt(pos, false) }).apply(bot)
    this.landed = this.gliding && bot.entity.onGround
    if (this.landed) this.gliding = false
    if (cheat.feet) cheat.feet(bot.entity, from)
  }

  say () {
    const { sent, protocol } = this
    if (this.mounted) return this.sayRiding()
    const { x, y, z } = this.at
    const ground = this.cheat.ground ?? Boolean(this.bot.entity.onGround)
    const [yaw, pitch] = this.look()
    const least = protocol >= 758 ? 2e-4 : 0.03
    const moved = (x - sent.x) ** 2 + (y - sent.y) ** 2 + (z - sent.z) ** 2 > least ** 2 || ++sent.since >= 20
    const turned = yaw !== sent.yaw || pitch !== sent.pitch
    const fields = { x, y, z, yaw, pitch, onGround: ground, flags: { onGround: ground, hasHorizontalCollision: Boolean(this.bot.entity.isCollidedHorizontally) } }
    if (moved && turned) this.write('position_look', fields)
    else if (moved) this.write('position', fields)
    else if (turned) this.write('look', fields)
    else if (protocol <= 47 || ground !== sent.ground) this.write('flying', fields)
    if (moved) Object.assign(sent, { x, y, z, since: 0 })
    if (turned) Object.assign(sent, { yaw, pitch })
    sent.ground = ground
  }

  /// Who rides says each tick where he looks, which keys he holds, and where that carries him.
  sayRiding () {
    const [yaw, pitch] = this.look()
    const { x, y, z } = this.at
    this.write('look', { yaw, pitch, onGround: false, flags: { onGround: false, hasHorizontalCollision: false } })
    if (this.protocol < 768) this.write('steer_vehicle', { sideways: 0, forward: 0.98, jump: 0 })
    if (this.protocol >= 107) this.write('vehicle_move', { x, y, z, yaw, pitch, onGround: true })
    Object.assign(this.sent, { yaw, pitch })
  }
}

module.exports = { Player }
