// Honest players: each goes through walking, sprinting, jumping, digging, placing, fighting and
// chatting in an order of its own, for a given time.
//
//   node honest.js HOST PORT VERSION COUNT SECONDS [PREFIX]

const { Vec3 } = require('vec3')
const { join, sleep, say } = require('./bot')

const [host, port, version, count, seconds, prefix = 'Honest'] = process.argv.slice(2)
const until = Date.now() + Number(seconds) * 1000

// Somewhere; home again for those who went far, so that players keep meeting.
async function turn (bot) {
  if (bot.entity.position.distanceTo(bot.home) > 8) await bot.lookAt(bot.home.offset(0, 1.6, 0), true)
  else await bot.look(Math.random() * 2 * Math.PI, 0, true)
}

const behaviours = {
  async walk (bot) {
    await turn(bot)
    bot.setControlState('forward', true)
    await sleep(3000)
    bot.clearControlStates()
  },
  async sprint (bot) {
    await turn(bot)
    bot.setControlState('forward', true)
    bot.setControlState('sprint', true)
    await sleep(3000)
    bot.clearControlStates()
  },
  async jump (bot) {
    await turn(bot)
    bot.setControlState('forward', true)
    bot.setControlState('sprint', true)
    bot.setControlState('jump', true)
    await sleep(3000)
    bot.clearControlStates()
  },
  async sneak (bot) {
    bot.setControlState('sneak', true)
    bot.setControlState('forward', true)
    await sleep(2000)
    bot.clearControlStates()
  },
  async dig (bot) {
    const block = bot.blockAt(bot.entity.position.floored().offset(1, -1, 0))
    if (block && block.name !== 'air') await bot.dig(block, true).catch(() => {})
  },
  async place (bot) {
    const ground = bot.blockAt(bot.entity.position.floored().offset(2, -1, 0))
    if (ground && ground.name !== 'air' && bot.heldItem) {
      await bot.placeBlock(ground, new Vec3(0, 1, 0)).catch(() => {})
    }
    await sleep(500)
  },
  async fight (bot) {
    const enemy = bot.nearestEntity(e => e.type === 'player' && e.position.distanceTo(bot.entity.position) < 2.8)
    for (let i = 0; enemy && i < 5; i++) {
      await bot.lookAt(enemy.position.offset(0, 1.4, 0), true)
      if (enemy.position.distanceTo(bot.entity.position) < 2.8) bot.attack(enemy)
      await sleep(250)
    }
    await sleep(500)
  },
  async chat (bot) {
    bot.chat(`hello from ${bot.username}`)
    await sleep(1000)
  },
  async idle () { await sleep(1500) }
}

async function play (index) {
  const name = prefix + index
  const { bot, leave } = join({ host, port, version, name })
  await new Promise(resolve => bot.once('spawn', resolve))
  await sleep(1500) // The ground arrives.
  bot.home = bot.entity.position.clone()
  const names = Object.keys(behaviours)
  for (let next = index; Date.now() < until; next++) await behaviours[names[next % names.length]](bot)
  leave()
}

async function main () {
  const players = []
  for (let i = 0; i < Number(count); i++) {
    players.push(play(i))
    await sleep(300)
  }
  await Promise.all(players)
  await sleep(1000)
  process.exit(0)
}

main().catch(error => { say('failed', { text: String(error.stack) }); process.exit(1) })
