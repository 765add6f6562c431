// A player who cheats in one way, from a moment that it says ("cheats") until it is thrown out.
//
//   node cheater.js HOST PORT VERSION speed|fly|reach|timer SECONDS [NAME]

const { join, sleep, say } = require('./bot')

const [host, port, version, cheat, seconds, name = 'Cheat' + cheat] = process.argv.slice(2)

// Sprinting at three times the speed that the server granted.
async function speed (bot, begins) {
  begins()
  bot.setControlState('forward', true)
  bot.setControlState('sprint', true)
  bot.physics.playerSpeed *= 3
  bot.physics.sprintSpeed *= 3
  for (let turn = 0; ; turn++) {
    const before = bot.entity.position.clone()
    await sleep(250)
    const stuck = bot.entity.position.distanceTo(before) < 0.5 // In what others have dug.
    bot.setControlState('jump', stuck)
    if (stuck) await bot.look(turn, 0, true)
  }
}

// Up, and then on through the air.
async function fly (bot, begins) {
  begins()
  bot.physicsEnabled = false // Positions are still sent, every tick, but nothing moves him.
  bot.entity.onGround = false
  for (let tick = 0; ; tick++) {
    if (tick < 10) bot.entity.position.y += 0.33
    else bot.entity.position.x += 0.2
    await sleep(50)
  }
}

// Strikes a player who is further away than any arm is long: one of its own, who just stands,
// since this server shows a newcomer only those who come after him.
async function reach (bot, begins) {
  const far = () => bot.nearestEntity(e =>
    e.type === 'player' && e.username?.startsWith(name + 'T') && e.position.distanceTo(bot.entity.position) > 6)
  for (let attempt = 0; !far(); attempt++) {
    const target = join({ host, port, version, name: name + 'T' + attempt })
    bot.setControlState('forward', true)
    bot.setControlState('jump', true) // Others may have dug where he walks.
    for (let waited = 0; waited < 100 && !far(); waited++) await sleep(50)
    if (!far()) target.leave()
  }
  bot.clearControlStates()
  for (;;) {
    const target = far()
    if (target) {
      await bot.lookAt(target.position.offset(0, 1.4, 0), true)
      begins()
      bot.attack(target)
    }
    await sleep(300)
  }
}

// Every tick twice.
async function timer (bot, begins) {
  begins()
  bot.setControlState('forward', true)
  for (let turn = 0; ; turn++) {
    sendPosition(bot, true)
    if (turn % 40 === 0) await bot.look(Math.random() * 2 * Math.PI, 0, true)
    await sleep(50)
  }
}

function sendPosition (bot, onGround) {
  const { x, y, z } = bot.entity.position
  bot._client.write('position', { x, y, z, onGround, flags: { onGround, hasHorizontalCollision: false } })
}

async function main () {
  const { bot, leave } = join({ host, port, version, name })
  bot.once('end', () => setTimeout(() => process.exit(0), 200))
  await new Promise(resolve => bot.once('spawn', resolve))
  await sleep(3000)
  let begun = false
  const begins = () => {
    if (!begun) say('cheats', { name, cheat })
    begun = true
  }
  const cheats = { speed, fly, reach, timer }
  await Promise.race([cheats[cheat](bot, begins), sleep(Number(seconds) * 1000)])
  if (cheat === 'speed') await sleep(Number(seconds) * 1000)
  leave()
  await sleep(500)
  process.exit(0)
}

main().catch(error => { say('failed', { text: String(error.stack) }); process.exit(1) })
