// A player who cheats in one way, from a moment that it says ("cheats") until it is thrown out.
//
//   node cheater.js HOST PORT VERSION speed|fly|reach|timer SECONDS [NAME]

const { Vec3 } = require('vec3')
const { join, sleep, say } = require('./bot')

const [host, port, version, cheat, seconds, name = 'Cheat' + cheat] = process.argv.slice(2)

// Sprinting at three times the speed that the server granted.
async function speed (bot) {
  bot.setControlState('forward', true)
  bot.setControlState('sprint', true)
  bot.physics.playerSpeed *= 3
  bot.physics.sprintSpeed *= 3
}

// Up, and then on through the air.
async function fly (bot) {
  bot.physicsEnabled = false
  const at = bot.entity.position.clone()
  for (let tick = 0; ; tick++) {
    if (tick < 10) at.y += 0.33
    else at.x += 0.2
    bot._client.write('position', { x: at.x, y: at.y, z: at.z, onGround: false, flags: { onGround: false, hasHorizontalCollision: false } })
    await sleep(50)
  }
}

// Strikes a target from six blocks away.
async function reach (bot) {
  for (;;) {
    const target = bot.nearestEntity(e => e.type === 'player')
    if (target) {
      const away = target.position.distanceTo(bot.entity.position)
      await bot.lookAt(target.position.offset(0, 1.4, 0), true)
      if (away > 5) bot.attack(target)
    }
    await sleep(500)
  }
}

// Every tick twice.
async function timer (bot) {
  bot.setControlState('forward', true)
  const ground = new Vec3(0, 0, 0)
  for (let turn = 0; ; turn++) {
    const at = bot.entity.position.plus(ground)
    bot._client.write('position', { x: at.x, y: at.y, z: at.z, onGround: true, flags: { onGround: true, hasHorizontalCollision: false } })
    if (turn % 40 === 0) await bot.look(Math.random() * 2 * Math.PI, 0, true)
    await sleep(50)
  }
}

async function main () {
  const { bot, leave } = join({ host, port, version, name })
  bot.once('end', () => setTimeout(() => process.exit(0), 200))
  await new Promise(resolve => bot.once('spawn', resolve))
  await sleep(3000)
  say('cheats', { name, cheat })
  const cheats = { speed, fly, reach, timer }
  await Promise.race([cheats[cheat](bot), sleep(Number(seconds) * 1000)])
  if (cheat === 'speed') await sleep(Number(seconds) * 1000)
  leave()
  await sleep(500)
  process.exit(0)
}

main().catch(error => { say('failed', { text: String(error.stack) }); process.exit(1) })
