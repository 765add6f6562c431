// What honest players meet beside walking about: wings, vehicles, columns of bubbles, servers and
// machines that hang, plugins that pull back, full inventories.  Generators like those of
// behaviours.js, which lends its feet.

const { Vec3 } = require('vec3')
const { laneStart, laneZ, FLOOR } = require('./server')

const has = (p, effect) => Boolean(p.bot.registry.effectsByName[effect])
const isSince = (p, version) => p.bot.registry.version['>='](version)

module.exports = ({ to, along, run, release, East }) => ({
  * elytra (p) { if (isSince(p, '1.9')) yield * glides(p, 0) },
  * rockets (p) { if (isSince(p, '1.11.2')) yield * glides(p, 60) },
  * bubbles (p) {
    if (!isSince(p, '1.13')) return
    yield * to(p, 'bubbles')
    yield * along(p, 60, run)
    p.server.put(laneStart('bubbles').offset(7.5, 0, 0))
    for (let i = 0; i < 120; i++) { p.control.jump = i % 40 < 20; p.control.forward = i > 60; yield }
    release(p)
    for (let i = 0; i < 60; i++) yield
  },
  * tunnel (p) { yield * to(p, 'tunnel'); p.server.speedAttribute(0.14); yield * along(p, 200, { ...run, jump: true }); p.server.speedAttribute(0.1); for (let i = 0; i < 60; i++) yield },
  * stairs (p) {
    yield * to(p, 'steps')
    p.server.speedAttribute(0.16); p.server.effect('Speed', 3, 200); p.server.effect('JumpBoost', 2, 200)
    yield * along(p, 200, run, i => { p.control.jump = i % 9 === 0 })
    p.server.speedAttribute(0.1)
    for (let i = 0; i < 60; i++) yield
  },
  * dolphin (p) {
    if (!has(p, 'DolphinsGrace')) return
    yield * to(p, 'water'); p.server.effect('DolphinsGrace', 1, 240); yield * along(p, 240, run, i => { p.control.jump = i % 30 < 12 })
  },
  * levitatedAndHit (p) {
    if (!has(p, 'Levitation')) return
    yield * to(p, 'plain'); p.server.effect('Levitation', 5, 50)
    yield * along(p, 160, run, i => { if (i % 15 === 4) p.server.push(0.6, 0.4, -0.3) })
  },
  * windcharges (p) {
    if (p.protocol < 765 && isSince(p, '1.20')) return
    yield * to(p, 'plain')
    yield * along(p, 200, run, i => { p.control.jump = i % 30 === 0; if (i % 30 === 4) p.server.explode(p.random() - 0.5, 1.1, 0.3) })
  },
  * smash (p) { // A mace sets its bearer's fall to nothing and throws him up again.
    yield * to(p, 'tower')
    p.server.put(new Vec3(11.5, 23, laneZ('tower') + 1.5))
    for (let i = 0; i < 20; i++) yield
    p.turn(East)
    for (let i = 0; i < 100; i++) { p.control.forward = i < 20; if (i === 22 || i === 50) p.server.push(0.05, 1.2, 0); yield }
    release(p)
  },
  * ride (p) { yield * to(p, 'plain'); yield * rides(p, 120, 0.35) },
  * iceboat (p) { yield * to(p, 'blue_ice'); yield * rides(p, 80, 1.9) },
  * mountAgain (p) {
    yield * to(p, 'plain')
    for (let n = 0; n < 6; n++) { yield * rides(p, 3 + Math.floor(p.random() * 6), 0.2); yield * along(p, 8, run) }
  },
  * spectate (p) {
    yield * to(p, 'plain')
    const mode = p.bot.game.gameMode
    p.server.mode(3)
    for (let i = 0; i < 200 && p.bot.game.gameMode === mode; i++) yield
    if (p.bot.game.gameMode === mode) return
    p.flying = () => new Vec3(0.25, p.at.y < 20 ? 0.2 : -0.05, 0)
    for (let i = 0; i < 60; i++) yield
    const from = p.bot.game.gameMode
    p.server.mode(0)
    p.server.put(laneStart('plain'))
    for (let i = 0; i < 400 && p.bot.game.gameMode === from; i++) yield
    p.flying = null
    yield * along(p, 60, run)
  },
  * flicker (p) { // An operator tries modes.
    yield * to(p, 'plain')
    yield * along(p, 120, run, i => { if (i % 6 === 0 && i < 60) p.server.mode([1, 0, 2, 0][i / 6 % 4]) })
    p.server.mode(0)
    for (let i = 0; i < 40; i++) yield
  },
  * pulledBack (p) { // By a plugin: to where he was half a second ago as far as it had heard, again and again.
    yield * to(p, 'plain')
    const was = []
    yield * along(p, 200, run, i => {
      was.push(p.server.position.clone())
      if (i % 12 === 11) p.server.put(was[Math.max(0, i - 10)].clone())
      p.control.jump = i % 25 < 5
    })
  },
  * storm (p) { // Many teleports at once, as some minigames do.
    yield * to(p, 'plain')
    yield * along(p, 160, run, i => {
      if (i % 40 === 9) for (let n = 0; n < 8; n++) p.server.put(laneStart('plain').offset(20 * p.random(), 2 * p.random(), p.random()))
    })
  },
  * pearls (p) {
    yield * to(p, 'plain')
    yield * along(p, 200, { ...run, jump: true }, i => { if (i % 45 === 20) p.server.put(new Vec3(Math.min(34, p.at.x + 12), FLOOR + 1.2, laneZ('plain') + p.random())) })
  },
  * serverHangs (p) { yield * to(p, 'plain'); yield * along(p, 360, { ...run, jump: true }, i => { if (i === 40 || i === 240) p.server.hang(3000 + 7000 * p.random()); if (i % 20 === 9) p.server.push(0.3, 0.36, -0.2) }) },
  * serverLags (p) { yield * to(p, 'plain'); yield * along(p, 300, run, i => { if (i % 25 === 0) p.server.hang(400 + 700 * p.random()); if (i % 30 === 9) p.server.push(p.random() - 0.5, 0.4, 0.2); if (i % 70 === 11) p.server.put(laneStart('plain').offset(15 * p.random(), 0, 0)) }) },
  * clientHangs (p) { yield * to(p, 'plain'); yield * along(p, 200, { ...run, jump: true }, i => { if (i === 30 || i === 120) p.freeze(3000 + 7000 * p.random()); if (i % 40 === 25) p.server.push(0.5, 0.4, 0) }) },
  * bundles (p) {
    yield * to(p, 'plain')
    yield * along(p, 160, run, i => {
      if (i % 20 === 9) p.server.bundle(() => { p.server.push(p.random() - 0.5, 0.4, 0.3); p.server.effect('Speed', 1, 10) })
      if (i % 60 === 31) p.server.bundle(() => p.server.put(laneStart('plain').offset(10 * p.random(), 0, 0)))
    })
  },
  * mineAtOnce (p) { yield * to(p, 'plain'); yield * mines(p, 60, 0) },
  * mineFast (p) { yield * to(p, 'plain'); yield * mines(p, 20, 2) },
  * hack (p) { // A shovel on sand: clicks for every block, too briefly now and then.
    yield * to(p, 'plain')
    for (let n = 0; n < 24; n++) {
      const where = p.at.floored().offset(1, -1, (n % 3) - 1)
      p.dig(where, 0); p.swing()
      for (let i = 0; i < 2 + Math.floor(p.random() * 3); i++) { yield; p.swing() }
      p.dig(where, n % 5 === 4 ? 1 : 2)
      yield
      if (p.random() < 0.5) yield
    }
  },
  * clicks (p) { // A mouse dragged over: twenty and more a second.
    for (let i = 0; i < 120; i++) { p.swing(); if (i % 5 < 2) p.swing(); p.turn(p.bot.entity.yaw + 0.05, p.random() - 0.5); yield }
  },
  * sorts (p) { for (let i = 0; i < 80; i++) { clickWindow(p, 9 + i % 27); clickWindow(p, 9 + (i * 7) % 27); yield } },
  * crafts (p) { for (let i = 0; i < 60; i++) { craft(p); if (i % 2) clickWindow(p, 0); yield } },
  * dropsAll (p) { for (let i = 0; i < 36; i++) { p.slot(i % 9); p.dig(new Vec3(0, 0, 0), i % 2 ? 3 : 4); yield } }
})

function * glides (p, rockets) {
  p.server.put(new Vec3(6.5, 60, laneZ('plain')))
  for (let i = 0; i < 200 && p.at.y < 50; i++) yield
  for (let i = 0; i < 6; i++) yield
  p.act('start_elytra_flying')
  p.gliding = true
  p.server.wings(true)
  let asked = 0
  for (let i = 0; i < 400 && p.gliding; i++) {
    if (rockets && i % rockets === 10) p.bot.fireworkRocketDuration = 26
    p.turn(p.bot.entity.yaw + 0.08, rockets && i % rockets < 36 ? 0.4 : -0.25)
    if (p.landed && asked++ === 0) p.server.wings(false)
    yield
  }
  p.gliding = false
  p.bot.fireworkRocketDuration = 0
  p.server.wings(false)
  for (let i = 0; i < 120; i++) yield
}

/// In a boat or on a horse: he says his look and what carries him, and no steps.
function * rides (p, ticks, speed) {
  p.server.mount(true)
  for (let i = 0; i < 200 && !p.mounted; i++) yield
  if (!p.mounted) return
  const from = p.at.clone()
  for (let i = 0; i < ticks && p.mounted; i++) {
    p.at.x = from.x + 15 * Math.sin(speed * i / 15)
    p.turn(p.bot.entity.yaw + 0.02)
    yield
  }
  p.server.mount(false)
  p.server.put(laneStart('plain').offset(p.random() * 4, 0.5, 0))
  for (let i = 0; i < 400 && p.mounted; i++) yield
  for (let i = 0; i < 20; i++) yield
}

/// Efficiency and haste: blocks that give way at the first blow, or after `ticks`.
function * mines (p, blocks, ticks) {
  for (let n = 0; n < blocks; n++) {
    const where = p.at.floored().offset(1 + n % 2, -1, (n % 3) - 1)
    p.dig(where, 0); p.swing()
    for (let i = 0; i < ticks; i++) { yield; p.swing() }
    if (ticks > 0) p.dig(where, 2)
    for (let i = 0; i < (ticks > 0 ? 6 : 1); i++) yield
  }
}

function clickWindow (p, slot) {
  const { registry } = p.bot
  const nothing = isSince(p, '1.21.5') ? undefined : require('prismarine-item')(registry).toNotch(null)
  p.action = (p.action ?? 0) + 1
  p.write('window_click', { windowId: 0, stateId: 0, slot, mouseButton: 0, action: p.action, mode: 0, item: nothing, cursorItem: nothing, changedSlots: [] })
}

function craft (p) {
  if (!isSince(p, '1.13')) return
  p.write('craft_recipe_request', { windowId: 0, recipe: 'minecraft:stick', recipeId: 3, makeAll: true })
}
