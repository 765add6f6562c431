// What players do, a tick at a time: generators that set keys and use hands.  `honest` is what
// people do; `cheats` name the check that should notice.

const { Vec3 } = require('vec3')
const { laneStart, laneZ, LANE_LENGTH } = require('./server')

const East = -Math.PI / 2 // Along the lanes.

function release (p) { for (const key in p.control) p.control[key] = false }

/// Stands at a lane's beginning, put there by the server.
function * to (p, lane) {
  release(p)
  const puts = p.puts
  p.server.put(laneStart(lane).offset(0, 0, p.random() - 0.5))
  for (let i = 0; i < 100 && p.puts === puts; i++) yield
  p.turn(East)
  for (let i = 0; i < 10; i++) yield
}

/// Up and down a lane for so many ticks, with these keys.
function * along (p, ticks, keys, extra = () => {}) {
  let east = true
  for (let i = 0; i < ticks; i++) {
    if (p.at.x > LANE_LENGTH - 6) east = false
    if (p.at.x < 3) east = true
    p.turn((east ? East : -East) + (p.random() - 0.5) * 0.1, (p.random() - 0.5) * 0.2)
    Object.assign(p.control, keys)
    extra(i)
    yield
  }
  release(p)
}

const run = { forward: true, sprint: true }
const honest = {
  * walk (p) { yield * to(p, 'plain'); yield * along(p, 120, { forward: true }) },
  * sprintjump (p) { yield * to(p, 'plain'); yield * along(p, 160, { ...run, jump: true }) },
  * strafe (p) { yield * to(p, 'plain'); yield * along(p, 120, {}, i => { p.control.left = i % 14 < 7; p.control.right = !p.control.left; p.control.forward = i % 50 < 30 }) },
  * sneak (p) { yield * to(p, 'plain'); yield * along(p, 80, { forward: true, sneak: true }) },
  * ice (p) { yield * to(p, 'ice'); yield * along(p, 200, { ...run, jump: true }) },
  * blueice (p) { yield * to(p, 'blue_ice'); yield * along(p, 200, run, i => { p.control.jump = i % 40 < 20 }) },
  * roof (p) { yield * to(p, 'roof'); yield * along(p, 200, run, i => { p.control.jump = i % 2 === 0 }) },
  * slime (p) { yield * to(p, 'slime'); p.server.push(0, 1.1, 0); yield * along(p, 200, run, i => { p.control.jump = i % 60 < 20 }) },
  * soulsand (p) { yield * to(p, 'soul_sand'); yield * along(p, 120, { ...run, jump: false }) },
  * honey (p) { yield * to(p, 'honey'); yield * along(p, 120, run, i => { p.control.jump = i % 30 < 15 }) },
  * steps (p) { yield * to(p, 'steps'); yield * along(p, 200, run, i => { p.control.jump = p.bot.entity.isCollidedHorizontally || i % 50 < 5 }) },
  * water (p) { yield * to(p, 'water'); yield * along(p, 300, run, i => { p.control.jump = i % 60 < 35 }) },
  * web (p) { yield * to(p, 'web'); yield * along(p, 200, run, i => { p.control.jump = i % 40 < 3 }) },
  * climb (p) {
    yield * to(p, 'tower')
    p.server.put(new Vec3(8.5, 5, laneZ('tower') - 0.7))
    for (let i = 0; i < 20; i++) yield
    p.turn(Math.PI)
    for (let i = 0; i < 140; i++) { p.control.forward = i < 110; p.control.sneak = i > 50 && i < 80; yield }
    release(p)
  },
  * fall (p) {
    yield * to(p, 'tower')
    p.server.put(new Vec3(11.5, 23, laneZ('tower') + 1.5))
    for (let i = 0; i < 20; i++) yield
    p.turn(East)
    for (let i = 0; i < 70; i++) { p.control.forward = i < 30; yield }
    release(p)
  },
  * knockback (p) { yield * to(p, 'plain'); yield * along(p, 160, run, i => { if (i % 20 === 9) p.server.push(p.random() * 1.6 - 0.8, 0.4, p.random() * 0.8 - 0.4) }) },
  * knockice (p) { yield * to(p, 'ice'); yield * along(p, 160, { ...run, jump: true }, i => { if (i % 40 === 9) p.server.push(p.random() * 2.4 - 1.2, 0.4, 0) }) },
  * explosions (p) {
    if (p.protocol > 764) return
    yield * to(p, 'plain')
    yield * along(p, 160, run, i => { if (i % 40 === 9) p.server.explode(p.random() * 2 - 1, 0.5 + p.random() / 2, p.random() - 0.5) })
  },
  * teleport (p) { yield * to(p, 'plain'); yield * along(p, 160, { ...run, jump: true }, i => { if (i % 30 === 9) p.server.put(laneStart('plain').offset(20 * p.random(), 3 * p.random(), 0)) }) },
  * speed (p) {
    yield * to(p, 'plain')
    p.server.speedAttribute(0.14); p.server.effect('Speed', 2, 100)
    setTimeout(() => p.server.speedAttribute(0.1), 5000)
    yield * along(p, 180, { ...run }, i => { p.control.jump = i % 40 < 20 })
  },
  * jumpboost (p) { yield * to(p, 'plain'); p.server.effect('JumpBoost', 3, 80); yield * along(p, 160, { ...run, jump: true }) },
  * levitation (p) {
    if (!p.bot.registry.effectsByName.Levitation) return
    yield * to(p, 'plain'); p.server.effect('Levitation', 3, 60); yield * along(p, 160, run)
  },
  * slowfall (p) {
    if (!p.bot.registry.effectsByName.SlowFalling) return
    p.server.effect('SlowFalling', 1, 200); yield * honest.fall(p); yield * along(p, 60, run)
  },
  * creative (p) {
    yield * to(p, 'plain')
    const before = p.bot.game.gameMode
    p.server.mode(1)
    for (let i = 0; i < 200 && p.bot.game.gameMode === before; i++) yield
    if (p.bot.game.gameMode === before) return
    p.write('abilities', { flags: 2, flyingSpeed: 0.05, walkingSpeed: 0.1 })
    p.flying = () => new Vec3(0.1 * Math.cos(p.bot.entity.yaw), p.at.y < 14 ? 0.1 : 0, 0)
    for (let i = 0; i < 60; i++) { p.turn(p.bot.entity.yaw + 0.1); yield }
    p.server.mode(0)
    const from = p.bot.game.gameMode
    while (p.bot.game.gameMode === from) yield
    p.flying = null
    for (let i = 0; i < 60; i++) yield
  },
  * die (p) {
    yield * along(p, 20, run)
    p.server.die()
    for (let i = 0; i < 400 && p.placed; i++) yield
  },
  * tabout (p) { yield * to(p, 'plain'); yield * along(p, 200, { ...run, jump: true }, i => { if (i % 50 === 25) p.freeze(300 + 2500 * p.random()) }) },
  * lowfps (p) { yield * to(p, 'plain'); p.batch = 2 + Math.floor(p.random() * 3); yield * along(p, 160, { ...run, jump: true }); p.batch = 1 },
  * stopgo (p) { yield * to(p, 'plain'); yield * along(p, 240, {}, i => { p.control.forward = i % 37 < 13; p.control.sprint = p.control.forward; p.control.jump = i % 31 === 0 }) },
  * idle (p) { release(p); for (let i = 0; i < 160; i++) { if (i % 70 === 0) p.turn(p.random() * 6); yield } },
  * dig (p) { yield * to(p, 'plain'); yield * digs(p, 4, 1) },
  * pvp (p) { yield * fights(p, 200, 2.95) },
  * slots (p) { for (let i = 0; i < 60; i++) { if (i % 2) p.slot(i % 9); yield } },
  * chat (p) { p.bot.chat('hello there'); yield * along(p, 40, { forward: true }) }
}

Object.assign(honest, require('./adventures')({ to, along, run, release, East }))

function * digs (p, blocks, factor) {
  for (let n = 0; n < blocks; n++) {
    const where = p.at.floored().offset(1, -1, (n % 3) - 1)
    const block = p.bot.blockAt(where)
    if (!block || block.name === 'air') continue
    p.face(where.offset(0.5, 1, 0.5))
    const ticks = Math.max(2, Math.ceil(p.bot.digTime(block) / 50 / factor))
    p.dig(where, 0); p.swing(); p.swing()
    for (let i = 1; i < ticks; i++) { yield; p.swing() }
    p.dig(where, 2)
    p.refill(where, block.stateId)
    for (let i = 0; i < (factor > 1 ? 1 : 6); i++) yield
  }
}

function nearest (p) {
  return Object.values(p.bot.entities).filter(e => e !== p.bot.entity && e.type === 'player').sort((a, b) => a.position.distanceTo(p.at) - b.position.distanceTo(p.at))[0]
}

/// As the client shows others: eased to where they were said to be, over three ticks.
function shown (p, entity) {
  const known = p.easing ??= new Map()
  const at = known.get(entity.id) ?? entity.position.clone()
  at.add(entity.position.minus(at).scaled(1 / 3))
  known.set(entity.id, at)
  return at
}

/// Distance from the eye to the box of a player.
function arm (p, at) {
  const eye = p.at.offset(0, 1.62, 0)
  const near = (e, low, high) => Math.max(low - e, 0, e - high)
  return Math.hypot(near(eye.x, at.x - 0.3, at.x + 0.3), near(eye.y, at.y, at.y + 1.8), near(eye.z, at.z - 0.3, at.z + 0.3))
}

function * fights (p, ticks, reach, every = 3) {
  yield * to(p, 'plain')
  p.easing = new Map()
  for (let i = 0; i < ticks; i++) {
    const enemy = nearest(p)
    if (enemy) {
      const at = shown(p, enemy)
      p.face(at.offset(0, 1.2, 0))
      const far = arm(p, at)
      p.control.forward = far > 1.6
      p.control.sprint = far > 2.2
      p.control.left = i % 30 < 15
      p.control.jump = i % 40 === 0
      if (i % every === 0) { if (far < reach) p.attack(enemy); else if (far < 5) p.swing() }
    }
    yield
  }
  release(p)
}

/// For cheaters to strike at: people who stay about the beginning of the plain.
const company = {
  * stand (p) { yield * to(p, 'plain'); for (let i = 0; i < 60; i++) yield },
  * stroll (p) { yield * to(p, 'plain'); yield * along(p, 60, {}, i => { p.control.left = i % 20 < 10; p.control.right = !p.control.left }) },
  * pace (p) { yield * to(p, 'plain'); yield * along(p, 40, { forward: true }) },
  * fight (p) { yield * fights(p, 100, 2.95) }
}

const cheats = {
  speed13: ['movement.speed', function * (p) { yield * to(p, 'plain'); yield p.start(); p.cheat.feet = faster(1.3); yield * along(p, 160, run) }],
  speed15: ['movement.speed', function * (p) { yield * to(p, 'plain'); yield p.start(); p.cheat.feet = faster(1.5); yield * along(p, 160, run) }],
  timer105: ['timing.timer', function * (p) { yield * timed(p, 1.05, 900) }],
  timer11: ['timing.timer', function * (p) { yield * timed(p, 1.1, 500) }],
  timer12: ['timing.timer', function * (p) { yield * timed(p, 1.2, 300) }],
  hover: ['movement.fly', function * (p) { yield * up(p); p.flying = () => new Vec3(0, -p.bot.entity.velocity.y * 0.6, 0); for (let i = 0; i < 100; i++) yield; p.flying = null }],
  glide: ['movement.fly', function * (p) { yield * up(p); p.cheat.feet = (e, from) => { e.velocity.y = Math.max(e.velocity.y, -0.1) }; yield * along(p, 60, { forward: true, sprint: true, jump: false }, i => { const v = p.bot.entity.velocity; v.x = 0.5 * Math.sign(v.x || 1) }) }],
  step: ['movement.step', function * (p) { yield * to(p, 'steps'); yield p.start(); p.bot.physics.stepHeight = 1.2; yield * along(p, 200, run); p.bot.physics.stepHeight = 0.6 }],
  nofall: ['movement.no_fall', function * (p) { yield * to(p, 'tower'); p.server.put(new Vec3(11.5, 23, laneZ('tower') + 1.5)); for (let i = 0; i < 20; i++) yield; yield p.start(); p.cheat.ground = true; p.turn(East); for (let i = 0; i < 70; i++) { p.control.forward = i < 30; yield } delete p.cheat.ground }],
  reach35: ['combat.reach', function * (p) { yield p.start(); yield * fights(p, 300, 3.5, 2) }],
  reach45: ['combat.reach', function * (p) { yield p.start(); yield * fights(p, 200, 4.5, 2) }],
  reach6: ['combat.reach', function * (p) { yield p.start(); yield * fights(p, 200, 6, 2) }],
  killaura: ['combat.multi_target', function * (p) {
    yield * to(p, 'plain')
    yield p.start()
    for (let i = 0; i < 120; i++) {
      if (i % 4 === 0) for (const e of Object.values(p.bot.entities)) if (e.type === 'player' && e !== p.bot.entity && arm(p, e.position) < 6) p.attack(e)
      yield
    }
  }],
  fastbreak15: ['digging.fast', function * (p) { yield * to(p, 'plain'); yield p.start(); yield * digs(p, 12, 1.5) }],
  fastbreak4: ['digging.fast', function * (p) { yield * to(p, 'plain'); yield p.start(); for (let i = 0; i < 5; i++) { yield * along(p, 12, { forward: true }); yield * digs(p, 3, 8) } }],
  autoclick: ['combat.click_rate', function * (p) { yield p.start(); for (let i = 0; i < 100; i++) { p.swing(); if (i % 2) p.swing(); yield } }]
}

const faster = factor => (entity, from) => {
  if (!entity.onGround) return
  entity.velocity.x *= 1 + (factor - 1) * 0.454 / 1
  entity.velocity.z *= 1 + (factor - 1) * 0.454 / 1
}
function * timed (p, tempo, ticks) {
  yield * to(p, 'plain')
  yield p.start()
  p.tempo *= tempo
  yield * along(p, ticks, { ...run, jump: true })
  p.tempo /= tempo
}
function * up (p) {
  yield * to(p, 'plain')
  yield p.start()
  p.control.jump = true
  for (let i = 0; i < 6; i++) yield
  release(p)
}

module.exports = { honest, company, cheats }
